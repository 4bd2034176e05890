#pragma once

// Cost estimates: one number per LLM, the mean of what its validation prompts cost.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/concepts/cost_estimate.hpp>
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
    costs_.push_back(sum / static_cast<double>(costs.size()));
    declared_.push_back(0);
  }
  void enroll(double cost) {
    costs_.push_back(cost);
    declared_.push_back(1);
  }
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

  state save() const {
    state out;
    out.set("costs", costs_);
    out.set("declared", declared_);
    return out;
  }
  void load(const state& s) {
    const auto& costs = s.get<std::vector<double>>("costs");
    for (const double cost : costs)
      detail::require_state(cost >= 0 && std::isfinite(cost), "costs must be finite and at least 0");
    const auto& declared = s.get<std::vector<std::uint32_t>>("declared");
    detail::require_state(declared.size() == costs.size(), "declared must have one entry for each cost");
    costs_ = costs;
    declared_ = declared;
  }

 private:
  std::vector<double> costs_;
  std::vector<std::uint32_t> declared_;
};

static_assert(cost_estimate_for<mean_cost, cell_predictor<>>);

}  // namespace uniroute
