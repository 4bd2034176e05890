#pragma once

// Predicted loss as memberships times profiles: γ̂(x, h) = Φ(x)ᵀ Ψ̂(h). The predictor of UniRoute.

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/concepts/cluster_map.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/concepts/estimator.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/estimate/shrunken.hpp>
#include <uniroute/estimate/summarise_cells.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/map/memberships.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/detail/roster.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Cells, a map onto them and an estimator of each LLM's loss in them. Any clustering goes with any map and estimator.
/// Const members are thread-safe; `predict` of one embedding allocates nothing after the first call on a thread.
template <class Clustering, class Map, class Estimator>
class cell_predictor {
  static_assert(!encoder<Clustering>,
                "cell_predictor: Clustering is an encoder of strings, but must read embeddings: an encoder goes first "
                "in a router, router{encoder, clustering, map, estimator, rule}");
  static_assert(clustering<Clustering>,
                "cell_predictor: Clustering must model clustering: fit(embeddings), size(), centroids(), "
                "assign(embeddings), save, load");
  static_assert(cluster_map<Map>,
                "cell_predictor: Map must model cluster_map: membership_type, fit(map_training_set), size(), and "
                "labels/label (hard) or memberships/membership (soft), save, load");
  static_assert(estimator<Estimator>,
                "cell_predictor: Estimator must model estimator: fit(span of cell_statistics), "
                "estimate(cell_statistics).losses, save, load");

 public:
  using clustering_type = Clustering;
  using map_type = Map;
  using estimator_type = Estimator;

  explicit cell_predictor(Clustering clustering = Clustering{}, Map map = Map{}, Estimator estimator = Estimator{})
      : clustering_(std::move(clustering)), map_(std::move(map)), estimator_(std::move(estimator)) {}

  /// Finds cells in x (n x D), lets the map and the estimator learn from the seen LLMs' losses (n x seen, seen may be
  /// 0, missing allowed). The pool and the validation sample are empty afterwards. Throws what the policies throw,
  /// std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("cell_predictor::fit", x, losses);
    cell_predictor next(clustering_, map_, estimator_);
    next.clustering_.fit(x);
    next.map_.fit(map_training_set{next.clustering_.centroids(), x, losses});
    std::vector<cell_statistics> seen;
    if (columns(losses) != 0) {
      const cells cells_of_training = next.locate(x);
      for (std::size_t h = 0; h < columns(losses); ++h)
        seen.push_back(next.summarise(cells_of_training, column(losses, h)));
    }
    if constexpr (located_estimator<Estimator>) {
      next.estimator_.fit(seen, next.clustering_.centroids());
    } else {
      next.estimator_.fit(seen);
    }
    next.dimension_ = columns(x);
    *this = std::move(next);
  }

  /// Names the validation prompts (n x D); the pool is empty afterwards. Throws not_fitted, std::invalid_argument.
  void set_validation(const embedding_matrix& x) {
    detail::check_input("cell_predictor::set_validation", x, dimension_);
    detail::require(rows(x) != 0, "cell_predictor::set_validation: embeddings has 0 rows, but must have at least 1");
    validation_ = locate(x);
    validation_size_ = rows(x);
    roster_ = {};
    profiles_.clear();
    rebuild();
  }

  /// Adds an LLM by its losses on the validation prompts; nothing is refitted. O(n) with hard cells.
  /// Throws not_fitted, std::invalid_argument, std::domain_error.
  void enroll(const std::string& name, std::span<const double> losses) {
    check_newcomer(name, losses);
    join(name, check_and_summarise("cell_predictor::enroll", losses));
  }

  /// The same where some prompts were likelier to be asked than others: outcome i stands for weights[i] prompts (one
  /// per prompt, finite and above 0; only their ratios matter). Cell means and the overall mean are then ratios Σ w ℓ /
  /// Σ w (Hájek 1971), counts the effective ones (Σ w)² / Σ w² (Kish 1965), so that uneven weights shrink more.
  void enroll(const std::string& name, std::span<const double> losses, std::span<const double> weights) {
    check_newcomer(name, losses);
    detail::check_losses("cell_predictor::enroll", "losses", losses);
    detail::check_weights("cell_predictor::enroll", name, weights, losses);
    join(name, summarise(validation_, losses, weights));
  }

  /// Takes an LLM out of the pool. Throws std::invalid_argument for an unknown name.
  void retire(const std::string& name) {
    const std::size_t index = roster_.find("cell_predictor::retire", name);
    roster_.leave(index, profiles_, [&] { rebuild(); });
  }

  std::size_t size() const noexcept { return roster_.size(); }                      ///< M, models enrolled
  std::size_t dimension() const noexcept { return dimension_; }                     ///< D; 0 before fit
  std::span<const std::string> models() const noexcept { return roster_.names(); }  ///< in order of enrolment
  const Clustering& clustering_policy() const noexcept { return clustering_; }
  const Map& map() const noexcept { return map_; }
  const Estimator& estimator_policy() const noexcept { return estimator_; }

  /// Ψ̂, M x K.
  loss_matrix profile_losses() const { return gather(&profile::losses); }
  /// The effective number of outcomes behind each entry of Ψ̂, M x K (zeros where the estimator has no counts).
  matrix<double> profile_counts() const { return gather(&profile::counts); }

  /// γ̂, n x M. Throws not_fitted, std::invalid_argument for another dimension.
  loss_matrix predict(const embedding_matrix& x) const {
    detail::check_dimension("cell_predictor::predict", x, dimension_);
    auto out = make_matrix<double>(rows(x), size());
    if constexpr (hard_cluster_map<Map>) {
      const label_vector labels = checked_labels("cell_predictor::predict", x);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto psi = row(by_cell_, labels[i]);
        std::copy(psi.begin(), psi.end(), row(out, i).begin());
      }
    } else {
      detail::check_finite("cell_predictor::predict", "embeddings", x);
      const membership_matrix phi = map_.memberships(x);
      for (std::size_t i = 0; i < rows(x); ++i) mix(row(phi, i), row(out, i));
    }
    return out;
  }

  /// γ̂ of one embedding into out (M values). Unchecked in release; allocates nothing after the first call on a thread.
  void predict(embedding_view x, std::span<double> out) const {
    assert(x.size() == dimension_ && out.size() == size());
    if constexpr (hard_cluster_map<Map>) {
      const auto psi = row(by_cell_, map_.label(x));
      std::copy(psi.begin(), psi.end(), out.begin());
    } else {
      thread_local std::vector<double> phi;
      phi.resize(map_.size());
      map_.membership(x, phi);
      mix(phi, out);
    }
  }

  /// The fitted state, with the validation cells, so that LLMs can join after `load`.
  state save() const { return detail::save_members(*this); }

  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      next.check_loaded();
      next.rebuild();
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("clustering", of.clustering_);
    visit("map", of.map_);
    visit("estimator", of.estimator_);
    visit("dimension", of.dimension_);
    visit("validation_size", of.validation_size_);
    visit("validation", of.validation_);
    visit("models", of.roster_);
    visit("profile_losses", detail::field_of{of.profiles_, of.size(), &profile::losses});
    visit("profile_counts", detail::field_of{of.profiles_, of.size(), &profile::counts});
  }

 private:
  using stored_profile = profile;
  using cells = std::conditional_t<hard_cluster_map<Map>, label_vector, membership_matrix>;

  cells locate(const embedding_matrix& x) const {
    if constexpr (hard_cluster_map<Map>) {
      return map_.labels(x);
    } else {
      return map_.memberships(x);
    }
  }

  /// Cells of embeddings that were not checked yet; a map that sees on its way that all is finite spares a pass.
  label_vector checked_labels(std::string_view function, const embedding_matrix& x) const {
    bool finite = false;
    if constexpr (requires { map_.labels(x, finite); }) {
      label_vector labels = map_.labels(x, finite);
      if (!finite) detail::check_finite(function, "embeddings", x);
      return labels;
    } else {
      detail::check_finite(function, "embeddings", x);
      return map_.labels(x);
    }
  }

  cell_statistics summarise(const cells& where, std::span<const double> losses,
                            std::span<const double> weights = {}) const {
    if constexpr (hard_cluster_map<Map>) {
      return with_outcomes(summarise_cells(where, losses, map_.size(), weights), where, losses, weights);
    } else {
      return with_outcomes(summarise_cells(where, losses, weights), where, losses, weights);
    }
  }

  /// The outcomes themselves beside their sums, for estimators that ask for them.
  static cell_statistics with_outcomes(cell_statistics s, [[maybe_unused]] const cells& where,
                                       [[maybe_unused]] std::span<const double> losses,
                                       [[maybe_unused]] std::span<const double> weights = {}) {
    if constexpr (outcome_estimator<Estimator>) add_outcomes(s, where, losses, weights);
    return s;
  }

  /// One pass over the outcomes where cells are hard.
  cell_statistics check_and_summarise(std::string_view function, std::span<const double> losses) const {
    if constexpr (hard_cluster_map<Map>) {
      return with_outcomes(detail::summarise_cells(function, validation_, losses, map_.size()), validation_, losses);
    } else {
      detail::check_losses(function, "losses", losses);
      return with_outcomes(summarise_cells(validation_, losses), validation_, losses);
    }
  }

  /// All but the values of the losses.
  void check_newcomer(const std::string& name, std::span<const double> losses) const {
    detail::require<not_fitted>(dimension_ != 0, "cell_predictor::enroll: fit must come first");
    roster_.require_new("cell_predictor::enroll", name);
    detail::check_column_shape("cell_predictor::enroll", name, losses, validation_size_);
  }

  void join(const std::string& name, const cell_statistics& outcomes) {
    roster_.join(name, profiles_, to_profile(estimator_.estimate(outcomes)), [&] { rebuild(); });
  }

  /// What was read from files must not lead anyone out of bounds.
  void check_loaded() const {
    detail::require_state(
        columns(clustering_.centroids()) == dimension_ && rows(clustering_.centroids()) == map_.size(),
        "centroids must be cells x dimension");
    if constexpr (requires { map_.dimension(); })
      detail::require_state(map_.dimension() == dimension_, "the map's dimension must be the predictor's");
    const std::size_t k = map_.size();
    if constexpr (hard_cluster_map<Map>) {
      detail::require_state(validation_.size() == validation_size_ &&
                                std::all_of(validation_.begin(), validation_.end(), [k](auto c) { return c < k; }),
                            "validation must have a cell below K for each prompt");
    } else {
      detail::require_state(
          rows(validation_) == validation_size_ && (validation_size_ == 0 || columns(validation_) == k),
          "validation must be prompts x cells");
    }
    for (const auto& [losses, counts] : profiles_) {
      detail::require_state(losses.size() == k && counts.size() == k,
                            "profile_losses and profile_counts must be models x cells");
      detail::require_state(std::all_of(losses.begin(), losses.end(), [](double l) { return l >= 0 && l <= 1; }),
                            "profile_losses must be in [0, 1]");
      detail::require_state(std::all_of(counts.begin(), counts.end(), [](double c) { return c >= 0; }),
                            "profile_counts must be at least 0");
    }
  }

  template <class Profile>
  static stored_profile to_profile(Profile p) {
    if constexpr (counting_estimator<Estimator>) {
      return p;
    } else {
      std::vector<double> none(p.losses.size(), 0.0);
      return {std::move(p.losses), std::move(none)};
    }
  }

  matrix<double> gather(std::vector<double> profile::*part) const {
    auto out = make_matrix<double>(size(), size() == 0 ? 0 : map_.size());
    for (std::size_t h = 0; h < size(); ++h)
      std::copy((profiles_[h].*part).begin(), (profiles_[h].*part).end(), row(out, h).begin());
    return out;
  }

  /// Ψ̂ᵀ, K x M: the layout that prediction reads.
  void rebuild() {
    auto next = make_matrix<double>(map_.size(), size());
    for (std::size_t k = 0; k < map_.size(); ++k) {
      for (std::size_t h = 0; h < size(); ++h) next(k, h) = profiles_[h].losses[k];
    }
    by_cell_ = std::move(next);
  }

  void mix(std::span<const double> phi, std::span<double> out) const noexcept {
    std::fill(out.begin(), out.end(), 0.0);
    for (std::size_t k = 0; k < phi.size(); ++k) {
      const auto psi = row(by_cell_, k);
      for (std::size_t h = 0; h < out.size(); ++h) out[h] += phi[k] * psi[h];
    }
  }

  Clustering clustering_;
  Map map_;
  Estimator estimator_;
  std::size_t dimension_ = 0;
  std::size_t validation_size_ = 0;
  cells validation_ = {};
  detail::roster roster_;
  std::vector<stored_profile> profiles_;
  matrix<double> by_cell_ = make_matrix<double>(0, 0);
};

static_assert(hard_cell_based<cell_predictor<>>);
static_assert(weight_aware<cell_predictor<>>);

}  // namespace uniroute
