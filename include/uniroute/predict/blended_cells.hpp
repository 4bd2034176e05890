#pragma once

// Means of hard cells, blended by distance when predicting: the form of ProxRouter and of Avengers-Pro.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/cell_blend.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/distance.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// γ̂(x, h) = Σ_k w_k Ψ̂_k(h) / Σ_k w_k, w_k = weigh(|x − c_k|²)_k prior(n_k(h)), where Ψ̂_k(h) is the mean of the n_k(h)
/// observed outcomes of h in hard cell k; h's overall mean where no cell with outcomes has weight.
///
/// Unlike a cell_predictor with a soft map, an outcome counts in one cell only: cells blend when they are read, not
/// when they are written. As w depends on h through its counts, this is no Φᵀ Ψ with one Φ for all LLMs, and has no
/// certificate. Const members are thread-safe; `predict` of one embedding allocates nothing after the first call on a
/// thread, and a batch gives the same bits.
template <class Clustering, class Blend>
class blended_cells {
  static_assert(
      !encoder<Clustering>,
      "blended_cells: Clustering is an encoder of strings, but must read embeddings: an encoder goes first in "
      "a router, router{encoder, predictor, rule}");
  static_assert(clustering<Clustering>,
                "blended_cells: Clustering must model clustering: fit(embeddings), size(), centroids(), "
                "assign(embeddings), save, load");
  static_assert(cell_blend<Blend>,
                "blended_cells: Blend must model cell_blend: fit(centroids, embeddings), weigh(squared distances), "
                "prior(count), save, load");

 public:
  using clustering_type = Clustering;
  using blend_type = Blend;

  explicit blended_cells(Clustering clustering = Clustering{}, Blend blend = Blend{})
      : clustering_(std::move(clustering)), blend_(std::move(blend)) {}

  /// Finds cells in x (n x D); losses (n x seen) are checked and not read. The pool and the validation sample are empty
  /// afterwards. Throws what the policies throw, std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("blended_cells::fit", x, losses);
    blended_cells next(clustering_, blend_);
    next.clustering_.fit(x);
    next.blend_.fit(next.clustering_.centroids(), x);
    next.dimension_ = columns(x);
    *this = std::move(next);
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    detail::check_input("blended_cells::set_validation", x, dimension_);
    detail::require(rows(x) != 0, "blended_cells::set_validation: embeddings has 0 rows, but must have at least 1");
    validation_ = clustering_.assign(x);
    roster_ = {};
    columns_.clear();
    rebuild();
  }

  /// Adds an LLM by its losses on the validation prompts; nothing is refitted. O(n).
  /// Throws not_fitted, std::invalid_argument, std::domain_error.
  void enroll(const std::string& name, std::span<const double> losses) {
    detail::require<not_fitted>(dimension_ != 0, "blended_cells::enroll: fit must come first");
    roster_.require_new("blended_cells::enroll", name);
    detail::check_column("blended_cells::enroll", name, losses, validation_.size());
    tally entry{std::vector<double>(cells(), 0.0), std::vector<double>(cells(), 0.0)};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      if (is_missing(losses[i])) continue;
      entry.sums[validation_[i]] += losses[i];
      entry.counts[validation_[i]] += 1;
    }
    roster_.join(name, columns_, std::move(entry), [&] { rebuild(); });
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const std::size_t index = roster_.find("blended_cells::retire", name);
    roster_.leave(index, columns_, [&] { rebuild(); });
  }

  std::size_t size() const noexcept { return roster_.size(); }                      ///< M, models enrolled
  std::size_t dimension() const noexcept { return dimension_; }                     ///< D; 0 before fit
  std::span<const std::string> models() const noexcept { return roster_.names(); }  ///< in order of enrolment
  const Clustering& clustering_policy() const noexcept { return clustering_; }
  const Blend& blend() const noexcept { return blend_; }

  /// γ̂, n x M. O(n K (D + M)). Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_input("blended_cells::predict", x, dimension_);
    auto out = make_matrix<double>(rows(x), size());
    for (std::size_t i = 0; i < rows(x); ++i) predict(row(x, i), row(out, i));
    return out;
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release; allocates nothing after the first call on a thread.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension_ && out.size() == size());
    thread_local std::vector<double> weights, below;
    weights.resize(cells());
    below.assign(size(), 0.0);
    const auto& centroids = clustering_.centroids();
    for (std::size_t k = 0; k < weights.size(); ++k)
      weights[k] = detail::squared_distance(x.data(), row(centroids, k).data(), dimension_);
    blend_.weigh(weights);
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      if (weights[k] == 0) continue;
      const auto above = row(weighted_losses_, k), prior = row(priors_, k);
      for (std::size_t h = 0; h < out.size(); ++h) {
        out[h] += weights[k] * above[h];
        below[h] += weights[k] * prior[h];
      }
    }
    for (std::size_t h = 0; h < out.size(); ++h)
      out[h] = below[h] > least_weight ? std::clamp(out[h] / below[h], 0.0, 1.0) : means_[h];
  }

  /// The fitted state, with the validation cells, so that LLMs can join after `load`.
  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      const std::size_t k = next.cells();
      detail::require_state(columns(next.clustering_.centroids()) == next.dimension_,
                            "centroids must be cells x dimension");
      detail::require_state(
          std::all_of(next.validation_.begin(), next.validation_.end(), [k](auto cell) { return cell < k; }),
          "validation must have a cell below K for each prompt");
      for (const auto& [sum, count] : next.columns_) {
        detail::require_state(sum.size() == k && count.size() == k, "sums and counts must be models x cells");
        double observed = 0;
        for (std::size_t c = 0; c < k; ++c) {
          detail::require_state(count[c] >= 0 && sum[c] >= 0 && sum[c] <= count[c],
                                "sums must be at least 0 and at most counts");
          observed += count[c];
        }
        detail::require_state(observed > 0, "counts must not be 0 in all cells of a model");
      }
      next.rebuild();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("clustering", of.clustering_);
    visit("blend", of.blend_);
    visit("dimension", of.dimension_);
    visit("validation", of.validation_);
    visit("models", of.roster_);
    visit("sums", detail::field_of{of.columns_, of.size(), &tally::sums});
    visit("counts", detail::field_of{of.columns_, of.size(), &tally::counts});
  }

 private:
  /// One LLM's outcomes by cell.
  struct tally {
    std::vector<double> sums, counts;
  };

  /// The greatest weight is 1, so that less than this is far from every cell with outcomes.
  static constexpr double least_weight = 1e-9;

  std::size_t cells() const { return static_cast<std::size_t>(clustering_.size()); }

  /// What prediction reads, K x M each.
  void rebuild() {
    auto weighted_losses = make_matrix<double>(cells(), size(), 0.0), priors = weighted_losses;
    std::vector<double> means(size(), 0.0);
    for (std::size_t h = 0; h < size(); ++h) {
      double sum = 0, observed = 0;
      for (std::size_t k = 0; k < cells(); ++k) {
        const double count = columns_[h].counts[k];
        sum += columns_[h].sums[k];
        observed += count;
        priors(k, h) = static_cast<double>(blend_.prior(count));
        weighted_losses(k, h) = count > 0 ? priors(k, h) * columns_[h].sums[k] / count : 0;
      }
      means[h] = sum / observed;
    }
    weighted_losses_ = std::move(weighted_losses);
    priors_ = std::move(priors);
    means_ = std::move(means);
  }

  Clustering clustering_;
  [[no_unique_address]] Blend blend_;
  std::size_t dimension_ = 0;
  label_vector validation_;
  detail::roster roster_;
  std::vector<tally> columns_;
  matrix<double> weighted_losses_ = make_matrix<double>(0, 0), priors_ = make_matrix<double>(0, 0);
  std::vector<double> means_;
};

}  // namespace uniroute
