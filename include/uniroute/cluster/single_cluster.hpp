#pragma once

// One cell for all prompts: the prompt-independent router (ZeroRouter's predictions).

#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// K = 1. Its centroid is the mean embedding; every prompt lies in cell 0. Const members are thread-safe.
class single_cluster {
 public:
  /// Throws std::invalid_argument for no prompts, std::domain_error for non-finite values.
  void fit(const embedding_matrix& x) {
    detail::require(rows(x) >= 1 && columns(x) >= 1, "single_cluster::fit: embeddings is ", rows(x), " x ", columns(x),
                    ", but must be at least 1 x 1");
    detail::check_finite("single_cluster::fit", "embeddings", x);
    auto mean = make_matrix<float>(1, columns(x));
    std::vector<double> sum(columns(x), 0.0);
    for (std::size_t i = 0; i < rows(x); ++i) {
      for (std::size_t j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(x(i, j));
    }
    for (std::size_t j = 0; j < sum.size(); ++j) mean(0, j) = static_cast<float>(sum[j] / static_cast<double>(rows(x)));
    centroids_ = std::move(mean);
  }

  std::size_t size() const noexcept { return rows(centroids_); }  ///< 1; 0 before fit
  const embedding_matrix& centroids() const noexcept { return centroids_; }

  /// Throws not_fitted, std::invalid_argument for another dimension.
  label_vector assign(const embedding_matrix& x) const {
    detail::require<not_fitted>(size() != 0, "single_cluster::assign: fit must come first");
    detail::require(columns(x) == columns(centroids_), "single_cluster::assign: embeddings has ", columns(x),
                    " columns, but must have ", columns(centroids_));
    return label_vector(rows(x), 0);
  }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("centroids", of.centroids_); }

 private:
  embedding_matrix centroids_ = make_matrix<float>(0, 0);
};

static_assert(clustering<single_cluster>);

}  // namespace uniroute
