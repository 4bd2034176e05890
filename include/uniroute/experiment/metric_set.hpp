#pragma once

// The metrics of an experiment, one row each: scores, summaries, JSON, CSV, resuming and tables follow from the row.

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A method's curve on the test prompts of one trial, with what a metric may measure it against. For one thread.
class curve_view {
 public:
  /// The curve must outlive the view. `reference_quality`: of the most accurate single LLM of validation, on the test.
  curve_view(const deferral_curve& curve, const pool_range& pool, double reference_quality)
      : curve_(curve), pool_(pool), reference_quality_(reference_quality) {}

  const deferral_curve& curve() const noexcept { return curve_; }
  const pool_range& pool() const noexcept { return pool_; }
  double reference_quality() const noexcept { return reference_quality_; }

  /// The curve as a function of cost; made once a convention.
  const curve_function& function(const curve_convention& convention = default_convention) const {
    const auto found = std::find_if(functions_.begin(), functions_.end(),
                                    [&](const auto& f) { return f->convention() == convention; });
    if (found != functions_.end()) return **found;
    functions_.push_back(std::make_unique<curve_function>(curve_, pool_, convention));
    return *functions_.back();
  }

 private:
  const deferral_curve& curve_;
  pool_range pool_;
  double reference_quality_;
  mutable std::vector<std::unique_ptr<const curve_function>> functions_;
};

/// How the values of a metric over the trials become one.
enum class metric_summary {
  interval,     ///< mean and 95% interval over the trials that have a value
  when_reached  ///< mean over the trials that have a value, and the share of those with an area that have one
};

/// One metric: what it is called and how it is computed. `of` must be safe to call from several threads.
struct named_metric {
  std::string name;                             ///< in results.json and trials.csv
  std::string title;                            ///< on pages
  std::function<metric(const curve_view&)> of;  ///< no value: undefined there
  metric_summary summary = metric_summary::interval;
};

/// What every experiment measures: area, narea (default convention), narea_prototype (running maximum), aiq (hull,
/// RouterBench's), qnc and peak.
inline std::vector<named_metric> standard_metrics() {
  return {
      {"area", "Area", [](const curve_view& v) { return area(v.function()); }},
      {"narea", "nArea", [](const curve_view& v) { return normalised_area(v.function()); }},
      {"narea_prototype", "nArea (prototype)",
       [](const curve_view& v) { return normalised_area(v.function(prototype_convention)); }},
      {"aiq", "AIQ", [](const curve_view& v) { return normalised_area(v.function(hull_convention)); }},
      {"qnc", "QNC", [](const curve_view& v) { return quality_neutral_cost(v.function(), v.reference_quality()); },
       metric_summary::when_reached},
      {"peak", "peak", [](const curve_view& v) { return metric(v.function().peak()); }},
  };
}

/// The values of metrics by name.
using metric_values = std::vector<std::pair<std::string, metric>>;

/// The value of a name. Throws std::invalid_argument for a name that is not there.
inline const metric& value_of(const metric_values& values, std::string_view name) {
  const auto found = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
  detail::require(found != values.end(), "value_of: '", name, "' is no metric of this result, but must be one");
  return found->second;
}

/// Every metric of a curve.
inline metric_values measure(const curve_view& view, std::span<const named_metric> metrics) {
  metric_values out;
  for (const auto& m : metrics) out.emplace_back(m.name, m.of(view));
  return out;
}

}  // namespace uniroute
