#pragma once

// Intervals for all cells and LLMs at once.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>
#include <unordered_map>
#include <utility>
#include <vector>

namespace uniroute {

/// Intervals [L_k(h), U_k(h)], K x M each.
struct interval_box {
  matrix<double> lower = make_matrix<double>(0, 0);
  matrix<double> upper = make_matrix<double>(0, 0);

  std::size_t cells() const noexcept { return rows(lower); }
  std::size_t models() const noexcept { return columns(lower); }
  double width(std::size_t k, std::size_t h) const noexcept { return upper(k, h) - lower(k, h); }
};

/// A way to intervals that hold for all cells and LLMs at once.
///
/// Semantics: with probability at least 1 − delta (asymptotically, if `guarantee` says so), every interval of
/// `make(outcomes, delta)` contains the mean loss of its LLM in its cell, if prompts are i.i.d. and which outcomes are
/// missing does not depend on the losses within a cell. Where nothing was observed the interval is [0, 1].
/// Satisfied by: bonferroni, multiplier_bootstrap.
template <class S>
concept simultaneous_intervals = std::copyable<S> && requires(const S& s, const cell_outcomes& o, double delta) {
  typename S::loss_type;
  typename S::guarantee;
  { s.make(o, delta) } -> std::same_as<interval_box>;
};

namespace detail {

/// Refuses a box with a lower end above its upper end.
inline void check_box(std::string_view function, const interval_box& box) {
  require(box.lower.shape() == box.upper.shape(), function, ": the lower ends are ", rows(box.lower), " x ",
          columns(box.lower), ", but the upper are ", rows(box.upper), " x ", columns(box.upper));
  for (std::size_t k = 0; k < box.cells(); ++k) {
    for (std::size_t h = 0; h < box.models(); ++h)
      require<std::domain_error>(box.lower(k, h) <= box.upper(k, h), function, ": the interval of cell ", k,
                                 " and LLM ", h, " is [", box.lower(k, h), ", ", box.upper(k, h),
                                 "], but its lower end must not be above its upper end");
  }
}

/// The losses of each cell, LLM by LLM: calls body(k, h, values) with the observed ones in the order of the sample.
template <class Body>
void for_each_cell_column(const cell_outcomes& o, Body&& body) {
  std::vector<std::size_t> start(o.cells + 1, 0), order(o.labels.size());
  for (const std::uint32_t k : o.labels) ++start[k + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  auto next = start;
  for (std::size_t i = 0; i < o.labels.size(); ++i) order[next[o.labels[i]]++] = i;
  std::vector<double> values;
  for (std::size_t k = 0; k < o.cells; ++k) {
    for (std::size_t h = 0; h < o.models(); ++h) {
      values.clear();
      for (std::size_t at = start[k]; at < start[k + 1]; ++at) {
        const double loss = o.losses(order[at], o.column(h));
        if (!is_missing(loss)) values.push_back(loss);
      }
      body(k, h, std::span<const double>(values));
    }
  }
}

struct count_hash {
  std::size_t operator()(const std::pair<double, double>& key) const noexcept {
    return std::hash<double>{}(key.first) * 0x9E3779B97F4A7C15U + std::hash<double>{}(key.second);
  }
};

}  // namespace detail

/// Each of the K·M intervals at δ / KM. Needs no independence between LLMs, and none is assumed.
template <class Interval>
struct bonferroni {
  static_assert(any_interval<Interval>,
                "bonferroni: Interval must model mean_interval, moment_interval or sequence_interval: loss_type, "
                "guarantee, and make(sum, n, delta), make(sum, squares, n, delta) or make(values, delta) -> interval");
  using loss_type = typename Interval::loss_type;
  using guarantee = typename Interval::guarantee;
  static constexpr bool any_count = requires { requires Interval::any_count; };  ///< as `any_time`

  /// One pass over the outcomes; equal (sum, count) have their interval computed once. Throws as `summarise`, and
  /// std::invalid_argument for a delta outside (0, 1).
  interval_box make(const cell_outcomes& o, double delta) const {
    detail::check_delta("bonferroni::make", delta);
    if constexpr (sequence_interval<Interval>) {
      detail::check_outcomes("bonferroni::make", o);
      const double part = delta / static_cast<double>(o.cells * o.models());
      interval_box out{make_matrix<double>(o.cells, o.models()), make_matrix<double>(o.cells, o.models())};
      detail::for_each_cell_column(o, [&](std::size_t k, std::size_t h, std::span<const double> values) {
        const interval around = Interval::make(values, part);
        out.lower(k, h) = around.lower;
        out.upper(k, h) = around.upper;
      });
      return out;
    } else {
      return make(summarise(o, moment_interval<Interval>), delta);
    }
  }

  /// The same from counts and sums; not for intervals that need the sequence.
  interval_box make(const cell_sample& s, double delta) const requires(!sequence_interval<Interval>) {
    detail::check_delta("bonferroni::make", delta);
    if constexpr (!mean_interval<Interval>)
      detail::require(
          s.squares.size() == s.sums.size(),
          "bonferroni::make: the sample has no sums of squares, but the interval reads them: summarise with "
          "squares");
    const std::size_t cells = s.cells(), m = s.models();
    const double part = delta / static_cast<double>(cells * m);
    interval_box out{make_matrix<double>(cells, m), make_matrix<double>(cells, m)};
    std::unordered_map<std::pair<double, double>, interval, detail::count_hash> known;
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t h = 0; h < m; ++h) {
        const auto n = static_cast<std::size_t>(s.counts(k, h));
        interval around;
        if constexpr (mean_interval<Interval>) {
          const auto [at, fresh] = known.try_emplace({s.sums(k, h), s.counts(k, h)});
          if (fresh) at->second = Interval::make(s.sums(k, h), n, part);
          around = at->second;
        } else {
          around = Interval::make(s.sums(k, h), s.squares(k, h), n, part);
        }
        out.lower(k, h) = around.lower;
        out.upper(k, h) = around.upper;
      }
    }
    return out;
  }
};

}  // namespace uniroute
