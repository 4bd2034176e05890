#pragma once

// So many prompts from each cell.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/enroll/detail/fixed_size_sample.hpp>
#include <uniroute/fwd.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How many labels each cell gets.
enum class label_allocation {
  proportional,  ///< n_k ∝ N_k, the cell's number of candidates: every prompt is as likely as any other
  neyman         ///< n_k ∝ N_k S_k (Neyman 1934): more where losses vary more within the cell
};

/// How `stratified_design` shares labels out among cells.
struct stratified_options {
  label_allocation allocation = label_allocation::proportional;
  double defensive_share = 0.2;  ///< of the labels go out proportionally whatever S says (neyman only); above 0

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("allocation", of.allocation);
    visit("defensive_share", of.defensive_share);
  }
};

/// Stratification by the cells of a clustering. S_k, the standard deviation of a new LLM's losses within cell k, is
/// that of the seen LLMs on the training prompts, pooled over LLMs; where a cell has too few outcomes for it, that of
/// all cells together; without any seen LLM, or with none that varies, Neyman's allocation is the proportional one.
/// Within a cell any prompt is as likely as another; cells get their expected number of labels to within one, and the
/// draw rounds so that inclusion holds exactly. Const members are thread-safe.
template <class Clustering>
class stratified_design {
  static_assert(clustering<Clustering>,
                "stratified_design: Clustering must model clustering: fit(embeddings), size(), centroids(), "
                "assign(embeddings), save, load");

 public:
  /// Throws std::invalid_argument for a defensive share outside (0, 1].
  explicit stratified_design(stratified_options options = {}, Clustering clustering = Clustering{})
      : options_(options), clustering_(std::move(clustering)) {
    detail::check_defensive_share("stratified_design", options.defensive_share);
  }

  /// Finds the cells, and the spread within them. Throws what the clustering throws, std::invalid_argument for shapes,
  /// std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("stratified_design::fit", x, losses);
    Clustering next = clustering_;
    next.fit(x);
    std::vector<double> spreads = spreads_within(next.assign(x), losses, next.size());
    clustering_ = std::move(next);
    spreads_ = std::move(spreads);
    dimension_ = columns(x);
  }

  /// S_k of each cell, as `fit` found it.
  std::span<const double> spreads() const noexcept { return spreads_; }
  const Clustering& clustering_policy() const noexcept { return clustering_; }
  const stratified_options& options() const noexcept { return options_; }

  /// Throws not_fitted, std::invalid_argument for shapes or no budget, std::domain_error for values.
  label_sample choose(const embedding_matrix& candidates, std::size_t budget, std::uint64_t seed) const {
    detail::check_choice("stratified_design::choose", candidates, dimension_, budget);
    const std::size_t n = rows(candidates);
    if (budget >= n) return detail::whole_sample(n);
    const label_vector cells = clustering_.assign(candidates);
    std::vector<double> sizes(n, 1.0);
    if (options_.allocation == label_allocation::neyman) {
      for (std::size_t i = 0; i < n; ++i) sizes[i] = spreads_[cells[i]];
      sizes = detail::defensive(std::move(sizes), options_.defensive_share);
    }
    random_engine draws(derive_seed(seed, 0x5C7));
    auto order = detail::random_order(n, draws);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return cells[a] < cells[b]; });
    return detail::grouped_sample(
        detail::inclusion_probabilities(sizes, budget), order, [&](std::size_t i) { return cells[i]; }, draws);
  }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      stratified_design(next.options_, next.clustering_);
      detail::require_state(next.spreads_.size() == next.clustering_.size(), "spreads must have one value a cell");
      for (const double spread : next.spreads_)
        detail::require_state(spread >= 0 && std::isfinite(spread), "spreads must be finite and at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("clustering", of.clustering_);
    visit("options", of.options_);
    visit("spreads", of.spreads_);
    visit("dimension", of.dimension_);
  }

 private:
  static std::vector<double> spreads_within(const label_vector& cells, const loss_matrix& losses, std::size_t k) {
    std::vector<double> squares(k, 0.0), free(k, 0.0), sum(k), count(k);
    for (std::size_t h = 0; h < columns(losses); ++h) {
      std::fill(sum.begin(), sum.end(), 0.0);
      std::fill(count.begin(), count.end(), 0.0);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (is_missing(losses(i, h))) continue;
        sum[cells[i]] += losses(i, h);
        count[cells[i]] += 1;
      }
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (is_missing(losses(i, h))) continue;
        const double deviation = losses(i, h) - sum[cells[i]] / count[cells[i]];
        squares[cells[i]] += deviation * deviation;
      }
      for (std::size_t c = 0; c < k; ++c) free[c] += count[c] > 1 ? count[c] - 1 : 0;
    }
    double all = 0, all_free = 0;
    for (std::size_t c = 0; c < k; ++c) {
      all += squares[c];
      all_free += free[c];
    }
    std::vector<double> out(k, all_free > 0 ? std::sqrt(all / all_free) : 0.0);
    for (std::size_t c = 0; c < k; ++c) {
      if (free[c] > 0) out[c] = std::sqrt(squares[c] / free[c]);
    }
    return out;
  }

  stratified_options options_;
  Clustering clustering_;
  std::vector<double> spreads_;
  std::size_t dimension_ = 0;
};

static_assert(label_design<stratified_design<>>);

}  // namespace uniroute
