#pragma once

// One LLM's outcomes, summed by cell: what estimators read.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

namespace detail {

/// Sums of losses and counts by cell. Four of each take turns, so that equal labels in a row do not wait for each
/// other.
class cell_sums {
 public:
  explicit cell_sums(std::size_t cells) : cells_(cells), pairs_(4 * cells, pair{}) {}

  void add(std::size_t turn, std::uint32_t label, double loss) noexcept {
    pairs_[turn * cells_ + label] += pair{loss, 1.0};
  }

  /// The same for `count` losses, a multiple of eight. Asks memory for what lies `ahead` of them (both arrays must
  /// reach as far), so that it works while sums are added up.
  void add_all(const std::uint32_t* labels, const double* losses, std::size_t count, std::size_t ahead) noexcept {
    pair* const sums = pairs_.data();
    for (std::size_t i = 0; i < count; i += 8) {
      __builtin_prefetch(losses + i + ahead);
      __builtin_prefetch(labels + i + ahead);
      for (std::size_t turn = 0; turn < 8; ++turn)
        sums[turn % 4 * cells_ + labels[i + turn]] += pair{losses[i + turn], 1.0};
    }
  }

  cell_statistics total() const {
    cell_statistics out{std::vector<double>(cells_), {}, std::vector<double>(cells_), 0, 0};
    double observed = 0;
    for (std::size_t k = 0; k < cells_; ++k) {
      const pair sum = (pairs_[k] + pairs_[cells_ + k]) + (pairs_[2 * cells_ + k] + pairs_[3 * cells_ + k]);
      out.sum[k] = sum[0];
      out.weight[k] = sum[1];
      out.total += sum[0];
      observed += sum[1];
    }
    out.observed = static_cast<std::size_t>(observed);
    out.squared_weight = out.weight;
    return out;
  }

 private:
  using pair = double __attribute__((vector_size(16)));

  std::size_t cells_;
  std::vector<pair> pairs_;
};

/// As summarise_cells; `checked_by`, if not empty, names a function on whose behalf losses are checked while they are
/// in cache.
inline cell_statistics summarise_cells(std::string_view checked_by, std::span<const std::uint32_t> labels,
                                       std::span<const double> losses, std::size_t cells) {
  cell_sums sums(cells);
  constexpr std::size_t block = 1024;
  for (std::size_t first = 0; first < losses.size(); first += block) {
    const auto part = losses.subspan(first, std::min(block, losses.size() - first));
    const auto cell = labels.subspan(first, part.size());
    const bool whole = all_observed(part);
    if (!whole && !checked_by.empty()) check_losses(checked_by, "losses", part, first);
    std::size_t i = 0;
    if (whole) {
      i = part.size() / 8 * 8;
      sums.add_all(cell.data(), part.data(), i, first + 2 * block <= losses.size() ? block : 0);
    }
    for (; i < part.size(); ++i) {
      if (!is_missing(part[i])) sums.add(i % 4, cell[i], part[i]);
    }
  }
  return sums.total();
}

/// What the weights of the observed losses must be divided by to have mean 1; 1 for no weights.
inline double mean_weight(std::span<const double> losses, std::span<const double> weights) noexcept {
  if (weights.empty()) return 1;
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    sum += weights[i];
    count += 1;
  }
  return sum / count;
}

}  // namespace detail

/// The statistics of one column of losses over hard labels (one below `cells` per loss). Missing losses are left out.
/// `weights`, if given, has one positive weight per loss, read as multiples of their mean.
inline cell_statistics summarise_cells(std::span<const std::uint32_t> labels, std::span<const double> losses,
                                       std::size_t cells, std::span<const double> weights = {}) {
  if (weights.empty()) return detail::summarise_cells({}, labels, losses, cells);
  cell_statistics out{std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0),
                      0, 0};
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const double w = weights[i] / unit;
    out.weight[labels[i]] += w;
    out.squared_weight[labels[i]] += w * w;
    out.sum[labels[i]] += w * losses[i];
    ++out.observed;
    out.total += w * losses[i];
  }
  return out;
}

/// The same over soft memberships (n x K). Missing losses are left out.
inline cell_statistics summarise_cells(const membership_matrix& memberships, std::span<const double> losses,
                                       std::span<const double> weights = {}) {
  const std::size_t cells = columns(memberships);
  cell_statistics out{std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0), std::vector<double>(cells, 0.0),
                      0, 0};
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const double w = weights.empty() ? 1 : weights[i] / unit;
    const auto phi = row(memberships, i);
    for (std::size_t k = 0; k < cells; ++k) {
      const double share = w * phi[k];
      out.weight[k] += share;
      out.squared_weight[k] += share * share;
      out.sum[k] += share * losses[i];
    }
    ++out.observed;
    out.total += w * losses[i];
  }
  return out;
}

/// Fills `s.outcomes` from the losses that `s` was summarised from: `where` and `weights` as there.
/// Labels (one below s.size() per loss):
inline void add_outcomes(cell_statistics& s, std::span<const std::uint32_t> where, std::span<const double> losses,
                         std::span<const double> weights = {}) {
  s.outcomes.assign(s.size(), {});
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    s.outcomes[where[i]].push_back({losses[i], weights.empty() ? 1 : weights[i] / unit});
  }
}

/// The same for memberships (n x K); those of 0 are left out.
inline void add_outcomes(cell_statistics& s, const membership_matrix& where, std::span<const double> losses,
                         std::span<const double> weights = {}) {
  s.outcomes.assign(s.size(), {});
  const double unit = detail::mean_weight(losses, weights);
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (is_missing(losses[i])) continue;
    const auto phi = row(where, i);
    for (std::size_t k = 0; k < s.size(); ++k) {
      const double weight = (weights.empty() ? 1 : weights[i] / unit) * phi[k];
      if (weight > 0) s.outcomes[k].push_back({losses[i], weight});
    }
  }
}

}  // namespace uniroute
