#pragma once

// Cells that a person names: categories, data sets, languages.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Cells from labels of the training prompts: each centroid is the mean embedding of a label, and a new prompt, whose
/// label nobody knows, goes to the nearest centroid. Const members are thread-safe.
class given_labels {
 public:
  given_labels() = default;

  /// One label for each prompt that `fit` will get, in its order; cells are in the order of the labels' text.
  explicit given_labels(std::span<const std::string> labels)
      : labels_(labels.begin(), labels.end()), names_(labels.begin(), labels.end()) {
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  }

  /// Throws std::invalid_argument unless x has one row per label and at least one, std::domain_error for non-finite
  /// values.
  void fit(const embedding_matrix& x) {
    detail::require(rows(x) == labels_.size(), "given_labels::fit: embeddings has ", rows(x), " rows, but labels has ",
                    labels_.size());
    detail::require(rows(x) >= 1, "given_labels::fit: embeddings has 0 rows, but must have at least 1");
    detail::check_finite("given_labels::fit", "embeddings", x);
    const std::size_t d = columns(x);
    auto sums = make_matrix<double>(names_.size(), d, 0.0);
    std::vector<double> counts(names_.size(), 0.0);
    for (std::size_t i = 0; i < rows(x); ++i) {
      const auto at = std::lower_bound(names_.begin(), names_.end(), labels_[i]);
      const auto k = static_cast<std::size_t>(at - names_.begin());
      counts[k] += 1;
      for (std::size_t j = 0; j < d; ++j) sums(k, j) += static_cast<double>(x(i, j));
    }
    auto means = make_matrix<float>(names_.size(), d);
    for (std::size_t k = 0; k < names_.size(); ++k) {
      for (std::size_t j = 0; j < d; ++j) means(k, j) = static_cast<float>(sums(k, j) / counts[k]);
    }
    table_ = detail::centroid_table(std::move(means));
  }

  std::size_t size() const noexcept { return table_.size(); }  ///< number of different labels; 0 before fit
  const embedding_matrix& centroids() const noexcept { return table_.centroids; }
  std::span<const std::string> names() const noexcept { return names_; }  ///< the label of each cell

  /// Throws not_fitted, std::invalid_argument for another dimension.
  label_vector assign(const embedding_matrix& x) const {
    detail::require<not_fitted>(size() != 0, "given_labels::assign: fit must come first");
    detail::require(columns(x) == table_.dimension(), "given_labels::assign: embeddings has ", columns(x),
                    " columns, but must have ", table_.dimension());
    return detail::nearest(x, table_);
  }

  state save() const { return detail::save_members(*this); }

  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("centroids", of.table_);
    visit("names", of.names_);
  }

 private:
  std::vector<std::string> labels_;
  std::vector<std::string> names_;
  detail::centroid_table table_;
};

static_assert(clustering<given_labels>);

}  // namespace uniroute
