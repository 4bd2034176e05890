#pragma once

// Outcomes on hard cells, and what certificates need of them: counts and sums per cell and LLM.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

/// The outcomes themselves; lives as long as what it views.
struct cell_outcomes {
  std::span<const std::uint32_t> labels;      ///< n, the cell of each prompt
  const loss_matrix& losses;                  ///< n x all LLMs, missing allowed
  std::size_t cells = 0;                      ///< K
  std::span<const std::size_t> columns = {};  ///< of `losses`, one per LLM of the pool; empty: all, in order

  std::size_t models() const noexcept { return columns.empty() ? uniroute::columns(losses) : columns.size(); }  ///< M
  std::size_t column(std::size_t h) const noexcept { return columns.empty() ? h : columns[h]; }
};

/// What is left of them after counting: sufficient for intervals from sums (and from sums of squares).
struct cell_sample {
  std::vector<double> prompts;                         ///< K: prompts per cell
  matrix<double> counts = make_matrix<double>(0, 0);   ///< K x M: observed outcomes
  matrix<double> sums = make_matrix<double>(0, 0);     ///< K x M: Σ ℓ
  matrix<double> squares = make_matrix<double>(0, 0);  ///< K x M: Σ ℓ², or 0 x 0 if not asked for

  std::size_t cells() const noexcept { return rows(counts); }
  std::size_t models() const noexcept { return columns(counts); }
};

namespace detail {

inline void check_outcomes(std::string_view function, const cell_outcomes& o) {
  require(o.labels.size() == rows(o.losses), function, ": labels has ", o.labels.size(), " entries, but losses has ",
          rows(o.losses), " rows");
  require(!o.labels.empty(), function, ": the sample has 0 prompts, but must have at least 1");
  require(o.models() != 0, function, ": the pool has 0 LLMs, but must have at least 1");
  for (const std::size_t h : o.columns)
    require(h < columns(o.losses), function, ": a column is ", h, ", but must be below ", columns(o.losses));
  for (std::size_t i = 0; i < o.labels.size(); ++i)
    require(o.labels[i] < o.cells, function, ": labels[", i, "] is ", o.labels[i], ", but must be below ", o.cells);
}

}  // namespace detail

/// Counts outcomes in one pass over them; missing ones are left out. Sums of squares are for intervals that read them
/// (moment_interval) and may be left out. O(n M).
/// Throws std::invalid_argument for shapes, labels and columns out of range, a sample without prompts or without any
/// observed outcome.
inline cell_sample summarise(const cell_outcomes& o, bool squares = true) {
  detail::check_outcomes("summarise", o);
  const std::size_t m = o.models();
  cell_sample out{std::vector<double>(o.cells, 0.0), make_matrix<double>(o.cells, m, 0.0),
                  make_matrix<double>(o.cells, m, 0.0),
                  squares ? make_matrix<double>(o.cells, m, 0.0) : make_matrix<double>(0, 0)};
  const bool direct = o.columns.empty();
  std::vector<double> gathered(direct ? 0 : m);
  std::vector<std::uint32_t> counts(o.cells * m, 0);  // half the bytes of doubles: what is added to should stay cached
  for (std::size_t i = 0; i < o.labels.size(); ++i) {
    const std::size_t k = o.labels[i];
    out.prompts[k] += 1;
    const double* loss = row(o.losses, i).data();
    if (!direct) {
      for (std::size_t h = 0; h < m; ++h) gathered[h] = loss[o.columns[h]];
      loss = gathered.data();
    }
    std::uint32_t* const count = counts.data() + k * m;
    double* const sum = row(out.sums, k).data();
    for (std::size_t h = 0; h < m; ++h) {
      const bool observed = loss[h] == loss[h];
      count[h] += observed ? 1U : 0U;
      sum[h] += observed ? loss[h] : 0.0;
    }
    if (!squares) continue;
    double* const square = row(out.squares, k).data();
    for (std::size_t h = 0; h < m; ++h) {
      const double value = loss[h] == loss[h] ? loss[h] : 0;
      square[h] += value * value;
    }
  }
  std::copy(counts.begin(), counts.end(), out.counts.begin());
  const double all = std::accumulate(out.counts.begin(), out.counts.end(), 0.0);
  detail::require(all > 0, "summarise: all outcomes are missing, but at least one must be observed");
  return out;
}

/// The means Σ ℓ / count, K x M; `empty` where nothing was observed.
inline matrix<double> cell_means(const cell_sample& sample, double empty = 0.5) {
  auto out = make_matrix<double>(sample.cells(), sample.models(), empty);
  for (std::size_t k = 0; k < sample.cells(); ++k) {
    for (std::size_t h = 0; h < sample.models(); ++h) {
      if (sample.counts(k, h) > 0) out(k, h) = sample.sums(k, h) / sample.counts(k, h);
    }
  }
  return out;
}

}  // namespace uniroute
