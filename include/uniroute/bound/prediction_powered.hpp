#pragma once

// A risk from few labels and many predictions: prediction-powered inference.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string_view>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/stats/normal.hpp>

namespace uniroute {

/// A mean loss and its interval, which holds in the limit of large samples only.
struct powered_estimate {
  double value = 0;
  interval range;
  double weight = 0;      ///< of the predictions, in [0, 1]: 0 is the classical mean
  double half_width = 0;  ///< of the interval before it is cut to [0, 1]
  double classical = 0;   ///< half width from the labels alone
};

/// E ℓ from n labelled prompts with their predicted losses and from N unlabelled ones that have predictions alone
/// (2311.01453, PPI++): mean(ℓ) + ω (mean of predictions, unlabelled − labelled), with the ω that is best for the
/// variance, cut to [0, 1]. Predictions must not know the labels: those that seen LLMs' outcomes give of a new LLM are
/// free. For risks; a router's *difference* to a rival is predicted by nothing (R² about 0 on three tables), and is
/// better paired (`certify_against`). Normal approximation, tagged asymptotic. O(n + N). Throws std::invalid_argument
/// for fewer than two labels or unlabelled prompts and for sizes, std::domain_error for values outside [0, 1].
inline powered_estimate prediction_powered(std::span<const double> losses, std::span<const double> predicted,
                                           std::span<const double> unlabelled, confidence_level level, asymptotic) {
  constexpr auto where = "prediction_powered";
  detail::require(losses.size() >= 2 && unlabelled.size() >= 2, where, ": there are ", losses.size(), " labels and ",
                  unlabelled.size(), " unlabelled prompts, but must be at least 2 of each");
  detail::require(predicted.size() == losses.size(), where, ": predicted has ", predicted.size(),
                  " entries, but must have one for each label, ", losses.size());
  const auto check = [&](std::string_view thing, std::span<const double> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      detail::require<std::domain_error>(values[i] >= 0 && values[i] <= 1, where, ": ", thing, "[", i, "] is ",
                                         values[i], ", but must be in [0, 1]");
  };
  check("losses", losses);
  check("predicted", predicted);
  check("unlabelled", unlabelled);
  const auto mean = [](std::span<const double> v) {
    double sum = 0;
    for (const double x : v) sum += x;
    return sum / static_cast<double>(v.size());
  };
  const double n = static_cast<double>(losses.size()), more = static_cast<double>(unlabelled.size());
  const double l = mean(losses), f = mean(predicted), u = mean(unlabelled);
  double var_l = 0, var_f = 0, cov = 0, var_u = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    var_l += (losses[i] - l) * (losses[i] - l) / (n - 1);
    var_f += (predicted[i] - f) * (predicted[i] - f) / (n - 1);
    cov += (losses[i] - l) * (predicted[i] - f) / (n - 1);
  }
  for (const double v : unlabelled) var_u += (v - u) * (v - u) / (more - 1);
  powered_estimate out;
  const double noise = var_f / n + var_u / more;  // of what the weight multiplies
  out.weight = noise > 0 ? std::clamp(cov / n / noise, 0.0, 1.0) : 0;
  out.value = std::clamp(l + out.weight * (u - f), 0.0, 1.0);
  const double z = normal_upper_quantile(level.delta() / 2);
  out.half_width = z * std::sqrt(std::max(0.0, var_l / n - 2 * out.weight * cov / n + out.weight * out.weight * noise));
  out.classical = z * std::sqrt(var_l / n);
  const double centre = l + out.weight * (u - f);
  out.range = {std::max(0.0, centre - out.half_width), std::min(1.0, centre + out.half_width)};
  return out;
}

}  // namespace uniroute
