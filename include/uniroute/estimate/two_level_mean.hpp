#pragma once

// Shrinkage on two levels: fine cells towards coarse cells, coarse cells towards the LLM's overall mean.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/estimate/detail/variance_components.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How `two_level_mean` groups cells, and how strongly it pulls.
struct two_level_options {
  std::optional<std::size_t> coarse_cells = {};  ///< at least 1, at most K. Not given: the square root of K, rounded up
  std::optional<double> coarse_strength = {};    ///< pseudo-outcomes at the overall mean. Not given: empirical Bayes
  std::optional<double> fine_strength = {};      ///< pseudo-outcomes at the coarse mean. Not given: empirical Bayes
  std::uint64_t seed = 1;                        ///< of the K-means that groups the cells

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("coarse_cells", of.coarse_cells);
    visit("coarse_strength", of.coarse_strength);
    visit("fine_strength", of.fine_strength);
    visit("seed", of.seed);
  }
};

/// Ψ̃_k = (n_k Ψ̂_k + m₂ Ψ̃_c(k)) / (n_k + m₂), Ψ̃_c = (n_c Ψ̂_c + m₁ μ) / (n_c + m₁): a small cell borrows from its
/// neighbours before it borrows from everything. HierShrink's form. The coarse cells are ours: K-means of the cells'
/// centroids, so that any clustering and any map will do; so are the strengths: σ²/τ² of each level by the moment
/// equations of a nested layout, pooled over the seen LLMs' training outcomes, or over the LLM's own where there are
/// none. Differs from the paper, which does not shrink.
///
/// With soft memberships n_c is the mass Σ Φ of the coarse cell, which is at most its effective number of outcomes.
/// Fitted without centroids (`fit(seen)`), there is one coarse cell, and this is shrunken_mean.
class two_level_mean {
 public:
  /// Throws std::invalid_argument for zero coarse cells and a negative or NaN strength (infinity is legal).
  explicit two_level_mean(two_level_options options = {}) : options_(options) {
    detail::require(options.coarse_cells.value_or(1) >= 1, "two_level_mean: coarse_cells is 0, but must be at least 1");
    detail::require(!options.coarse_strength || *options.coarse_strength >= 0, "two_level_mean: coarse_strength is ",
                    options.coarse_strength.value_or(0), ", but must be at least 0");
    detail::require(!options.fine_strength || *options.fine_strength >= 0, "two_level_mean: fine_strength is ",
                    options.fine_strength.value_or(0), ", but must be at least 0");
  }

  /// Groups the cells, and pools the strengths over the seen LLMs' statistics. LLMs without outcomes are left out.
  /// Throws std::invalid_argument for more coarse cells than cells, and then nothing has changed.
  void fit(std::span<const cell_statistics> seen, const embedding_matrix& centroids) {
    const std::size_t cells = rows(centroids);
    const std::size_t coarse =
        options_.coarse_cells.value_or(static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(cells)))));
    detail::require(coarse <= cells, "two_level_mean::fit: coarse_cells is ", coarse,
                    ", but must be at most the number of cells, ", cells);
    kmeans<> groups{{.clusters = coarse, .starts = 5, .seed = options_.seed}};
    groups.fit(centroids);
    pool(seen, groups.assign(centroids), coarse);
  }

  void fit(std::span<const cell_statistics> seen) {
    pool(seen, label_vector(seen.empty() ? 0 : seen.front().size(), 0), 1);
  }

  /// s.observed must be at least 1. Throws std::invalid_argument unless s has as many cells as `fit` saw.
  profile estimate(const cell_statistics& s) const {
    detail::require(parents_.empty() || parents_.size() == s.size(), "two_level_mean::estimate: s has ", s.size(),
                    " cells, but must have ", parents_.size());
    profile out = cell_mean{}.estimate(s);
    const label_vector parents = parents_.empty() ? label_vector(s.size(), 0) : parents_;
    const auto [coarse_m, fine_m] = strengths(s, out, parents);
    const double overall = s.total / static_cast<double>(s.observed);
    std::vector<double> mass(coarse_, 0.0), sum(coarse_, 0.0);
    for (std::size_t k = 0; k < s.size(); ++k) {
      mass[parents[k]] += s.weight[k];
      sum[parents[k]] += s.sum[k];
    }
    for (std::size_t c = 0; c < coarse_; ++c)
      sum[c] = shrink(mass[c] > 0 ? sum[c] / mass[c] : overall, mass[c], overall, coarse_m);
    for (std::size_t k = 0; k < s.size(); ++k)
      out.losses[k] = std::clamp(shrink(out.losses[k], out.counts[k], sum[parents[k]], fine_m), 0.0, 1.0);
    return out;
  }

  std::size_t coarse_size() const noexcept { return coarse_; }                  ///< coarse cells; 1 before fit
  std::span<const std::uint32_t> parents() const noexcept { return parents_; }  ///< the coarse cell of each cell
  /// {m₁, m₂} pooled over the seen LLMs, if `fit` saw any that tell them.
  std::optional<std::pair<double, double>> pooled_strengths() const noexcept { return pooled_; }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      two_level_mean(next.options_);
      detail::require_state(!next.pooled_ || (next.pooled_->first >= 0 && next.pooled_->second >= 0),
                            "pooled_strengths must be none or two, at least 0");
      detail::require_state(next.coarse_ <= std::max<std::size_t>(1, next.parents_.size()),
                            "coarse must be at most the number of cells");
      detail::require_state(next.coarse_ >= 1 && std::all_of(next.parents_.begin(), next.parents_.end(),
                                                             [&](auto c) { return c < next.coarse_; }),
                            "parents must be below coarse, and coarse at least 1");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("parents", of.parents_);
    visit("coarse", of.coarse_);
    visit("pooled_strengths", of.pooled_);
  }

 private:
  void pool(std::span<const cell_statistics> seen, label_vector parents, std::size_t coarse) {
    detail::nested_moments moments;
    for (const auto& s : seen) {
      if (s.observed == 0) continue;
      const profile p = cell_mean{}.estimate(s);
      moments.add(p.losses, p.counts, parents, coarse);
    }
    parents_ = std::move(parents);
    coarse_ = coarse;
    pooled_ =
        moments.usable() ? std::optional(std::pair(moments.coarse_strength(), moments.fine_strength())) : std::nullopt;
  }

  /// A mean of `count` outcomes and a prior worth m of them.
  static double shrink(double mean, double count, double prior, double m) noexcept {
    if (std::isinf(m)) return prior;
    return count + m > 0 ? prior + count / (count + m) * (mean - prior) : mean;
  }

  std::pair<double, double> strengths(const cell_statistics& s, const profile& p, const label_vector& parents) const {
    std::pair<double, double> out{std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    if (pooled_) {
      out = *pooled_;
    } else {
      detail::nested_moments own;
      own.add(p.losses, p.counts, parents, coarse_);
      if (s.observed > 1 && own.usable()) out = {own.coarse_strength(), own.fine_strength()};
    }
    return {options_.coarse_strength.value_or(out.first), options_.fine_strength.value_or(out.second)};
  }

  two_level_options options_;
  label_vector parents_;  // empty: all in coarse cell 0
  std::size_t coarse_ = 1;
  std::optional<std::pair<double, double>> pooled_;
};

static_assert(counting_estimator<two_level_mean> && located_estimator<two_level_mean>);

}  // namespace uniroute
