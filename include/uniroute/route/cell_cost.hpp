#pragma once

// Cost estimates that know the cell: an LLM that rambles on mathematics is dear there, and only there.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <type_traits>
#include <uniroute/concepts/cost_estimate.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/map/memberships.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// ĉ(x, h) = Φ(x)ᵀ C(h), C_k(h) the mean cost of the validation prompts in cell k (weighted by membership), pulled to
/// the model's mean as if `strength` prompts of that cost had been seen; the mean itself in empty cells. Differs from
/// the paper, which has one cost per LLM: prices are per token, and lengths differ by subject. Const members are
/// thread-safe; `estimate` allocates nothing after the first call on a thread.
class cell_cost {
 public:
  /// Throws std::invalid_argument for a negative or infinite strength.
  explicit cell_cost(double strength = 2) : strength_(strength) {
    detail::require(strength >= 0 && std::isfinite(strength), "cell_cost: strength is ", strength,
                    ", but must be finite and at least 0");
  }

  template <cell_based Predictor>
  void set_validation(const Predictor& predictor, const embedding_matrix& x) {
    phi_ = memberships(predictor.map(), x);
    cells_ = columns(phi_);
    profiles_.clear();
  }

  /// One cost per validation prompt. Throws std::invalid_argument for another number of them.
  void enroll(std::span<const double> costs) {
    detail::require(costs.size() == rows(phi_), "cell_cost::enroll: costs has ", costs.size(),
                    " entries, but must have ", rows(phi_), ", one for each validation prompt");
    double mean = 0;
    for (const double cost : costs) mean += cost;
    mean /= static_cast<double>(costs.size());
    std::vector<double> weight(cells_, strength_), sum(cells_, strength_ * mean);
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const auto phi = row(phi_, i);
      for (std::size_t k = 0; k < cells_; ++k) {
        weight[k] += phi[k];
        sum[k] += phi[k] * costs[i];
      }
    }
    for (std::size_t k = 0; k < cells_; ++k) sum[k] = weight[k] > 0 ? sum[k] / weight[k] : mean;
    profiles_.push_back(std::move(sum));
  }
  void enroll(double cost) { profiles_.emplace_back(cells_, cost); }
  void retire(std::size_t model) { profiles_.erase(profiles_.begin() + static_cast<std::ptrdiff_t>(model)); }
  /// The same cost in every cell.
  void reprice(std::size_t model, double cost) { profiles_[model].assign(cells_, cost); }

  template <cell_based Predictor>
  void estimate(const Predictor& predictor, embedding_view x, std::span<double> out) const {
    if constexpr (hard_cell_based<Predictor>) {
      const std::uint32_t k = predictor.map().label(x);
      for (std::size_t h = 0; h < out.size(); ++h) out[h] = profiles_[h][k];
    } else {
      thread_local std::vector<double> phi;
      phi.resize(cells_);
      predictor.map().membership(x, phi);
      for (std::size_t h = 0; h < out.size(); ++h) {
        double sum = 0;
        for (std::size_t k = 0; k < cells_; ++k) sum += phi[k] * profiles_[h][k];
        out[h] = sum;
      }
    }
  }

  std::size_t size() const noexcept { return profiles_.size(); }  ///< M
  std::size_t cells() const noexcept { return cells_; }           ///< K; 0 before set_validation

  /// The mean over cells of each model's cost, M values in order of enrolment: what is typical, whatever the prompts.
  std::vector<double> costs() const {
    std::vector<double> out;
    for (const auto& profile : profiles_)
      out.push_back(std::accumulate(profile.begin(), profile.end(), 0.0) / static_cast<double>(cells_));
    return out;
  }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      detail::require_state(next.strength_ >= 0 && std::isfinite(next.strength_),
                            "cell_cost: strength must be finite and at least 0");
      next.cells_ = columns(next.phi_);
      for (const auto& profile : next.profiles_) {
        detail::require_state(profile.size() == next.cells_, "cell_cost: profiles must be models x cells");
        for (const double cost : profile)
          detail::require_state(cost >= 0 && std::isfinite(cost), "cell_cost: profiles must be finite and at least 0");
      }
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("strength", of.strength_);
    visit("memberships", of.phi_);
    visit("profiles", of.profiles_);
  }

 private:
  double strength_;
  std::size_t cells_ = 0;
  membership_matrix phi_ = make_matrix<double>(0, 0);
  std::vector<std::vector<double>> profiles_;
};

static_assert(cost_estimate_for<cell_cost, cell_predictor<>>);

}  // namespace uniroute
