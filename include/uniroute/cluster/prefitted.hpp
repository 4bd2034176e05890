#pragma once

// Cells that were found already: several predictors share one fit.

#include <cstddef>
#include <memory>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/fwd.hpp>
#include <utility>

namespace uniroute {

/// Takes the place of Clustering where cells were fitted to the same embeddings before: `fit` keeps them, and checks
/// only the dimension. Const members are thread-safe if Clustering's are.
template <class Clustering>
class prefitted {
  static_assert(clustering<Clustering>,
                "prefitted: Clustering must model clustering: fit(embeddings), size(), centroids(), "
                "assign(embeddings), save, load");

 public:
  /// Throws std::invalid_argument if it is not fitted.
  explicit prefitted(Clustering fitted) : fitted_(std::move(fitted)) {
    detail::require(fitted_.size() != 0, "prefitted: clustering has 0 cells, but must be fitted");
  }

  /// Throws std::invalid_argument for embeddings of another dimension.
  void fit(const embedding_matrix& x) const {
    detail::require(columns(x) == columns(centroids()), "prefitted::fit: embeddings has ", columns(x),
                    " columns, but the cells were found with ", columns(centroids()));
  }

  std::size_t size() const noexcept { return fitted_.size(); }                        ///< K
  const embedding_matrix& centroids() const noexcept { return fitted_.centroids(); }  ///< K x D
  label_vector assign(const embedding_matrix& x) const { return fitted_.assign(x); }  ///< one cell per row
  const Clustering& clustering_policy() const noexcept { return fitted_; }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("fitted", of.fitted_); }

 private:
  Clustering fitted_;
};

static_assert(clustering<prefitted<>>);

}  // namespace uniroute
