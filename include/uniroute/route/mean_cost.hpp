#pragma once

// Cost estimates: one number per LLM, the mean of what its validation prompts cost.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/concepts/cost_estimate.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <vector>

namespace uniroute {

/// c(h): the mean cost of the validation prompts, or the number given. What the paper uses. A number that was given is
/// *declared*: what every prompt costs. A mean is an estimate of it, and certificates do not take it for known. Const
/// members are thread-safe and allocate nothing.
class mean_cost {
 public:
  template <class Predictor>
  void set_validation(const Predictor&, const embedding_matrix&) {
    costs_.clear();
    declared_.clear();
  }

  /// Costs must be finite, at least 0 and one or more.
  void enroll(std::span<const double> costs) {
    double sum = 0;
    for (const double cost : costs) sum += cost;
    join(sum / static_cast<double>(costs.size()), 0);
  }
  void enroll(double cost) { join(cost, 1); }
  void retire(std::size_t model) {
    costs_.erase(costs_.begin() + static_cast<std::ptrdiff_t>(model));
    declared_.erase(declared_.begin() + static_cast<std::ptrdiff_t>(model));
  }
  void reprice(std::size_t model, double cost) {
    costs_[model] = cost;
    declared_[model] = 1;
  }

  template <class Predictor>
  void estimate(const Predictor&, embedding_view, std::span<double> out) const noexcept {
    std::copy(costs_.begin(), costs_.end(), out.begin());
  }

  std::size_t size() const noexcept { return costs_.size(); }        ///< M
  std::span<const double> costs() const noexcept { return costs_; }  ///< M values, in order of enrolment
  /// Whether the cost of a model was given as one number, not estimated from prompts.
  bool is_declared(std::size_t model) const noexcept { return declared_[model] != 0; }

  state save() const { return detail::save_members(*this); }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      for (const double cost : next.costs_)
        detail::require_state(cost >= 0 && std::isfinite(cost), "costs must be finite and at least 0");
      detail::require_state(next.declared_.size() == next.costs_.size(), "declared must have one entry for each cost");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("costs", of.costs_);
    visit("declared", of.declared_);
  }

 private:
  void join(double cost, std::uint32_t declared) {
    costs_.reserve(costs_.size() + 1);
    declared_.push_back(declared);
    costs_.push_back(cost);
  }

  std::vector<double> costs_;
  std::vector<std::uint32_t> declared_;
};

static_assert(cost_estimate_for<mean_cost, cell_predictor<>>);

}  // namespace uniroute
