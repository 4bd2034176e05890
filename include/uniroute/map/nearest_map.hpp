#pragma once

// Hard memberships: the nearest centroid.

#include <cstddef>
#include <cstdint>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/numeric/nearest.hpp>
#include <utility>

namespace uniroute {

/// Φ(x) is one-hot at the nearest centroid (UniRoute, section 5.1). Ties go to the lower cell; near-ties are decided in
/// float64, so that one prompt and a batch always agree. Const members are thread-safe.
class nearest_map {
 public:
  using membership_type = hard_membership;

  void fit(const map_training_set& training) {
    detail::require(rows(training.centroids) >= 1, "nearest_map::fit: centroids has 0 rows, but must have at least 1");
    table_ = detail::centroid_table(training.centroids);
  }

  std::size_t size() const noexcept { return table_.size(); }            ///< K; 0 before fit
  std::size_t dimension() const noexcept { return table_.dimension(); }  ///< D; 0 before fit

  /// The cell of each row of x (n x D). Unchecked: callers check the dimension once.
  label_vector labels(const embedding_matrix& x) const { return detail::nearest(x, table_); }

  /// The same; `finite` is set to false unless every value of x was seen to be finite.
  label_vector labels(const embedding_matrix& x, bool& finite) const { return detail::nearest(x, table_, 1, &finite); }

  /// The cell of one embedding of D values. Allocates nothing after the first call on a thread.
  std::uint32_t label(embedding_view x) const { return detail::nearest_one(x, table_); }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](const auto&) {});
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) { visit("centroids", of.table_); }

 private:
  detail::centroid_table table_;
};

static_assert(cluster_map<nearest_map>);

}  // namespace uniroute
