#pragma once

// What labels say of all candidates when some were likelier to be asked than others.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

/// Σ w v / Σ w over the values that are not missing (Hájek 1971): unbiased up to a term of the order 1 / labels, and
/// exact for a constant, which the Horvitz-Thompson mean is not. Take it by default.
/// Throws std::invalid_argument for sizes, weights that are not positive or nothing observed.
inline double weighted_mean(std::span<const double> values, std::span<const double> weights) {
  detail::require(values.size() == weights.size(), "weighted_mean: values has ", values.size(),
                  " entries, but weights has ", weights.size());
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    detail::require(weights[i] > 0 && std::isfinite(weights[i]), "weighted_mean: weights[", i, "] is ", weights[i],
                    ", but must be finite and above 0");
    if (is_missing(values[i])) continue;
    sum += weights[i] * values[i];
    weight += weights[i];
  }
  detail::require(weight > 0, "weighted_mean: values has no observed entry, but must have at least 1");
  return sum / weight;
}

namespace detail {

inline void check_labels(std::string_view function, std::span<const double> labels, const label_sample& sample) {
  require(labels.size() == sample.prompts.size() && sample.weights.size() == sample.prompts.size(), function,
          ": labels has ", labels.size(), " entries, but the sample has ", sample.prompts.size(), " prompts");
  require(!sample.inclusion.empty(), function, ": the sample has no candidates, but must have at least 1");
  for (std::size_t i = 0; i < labels.size(); ++i)
    require<std::domain_error>(std::isfinite(labels[i]), function, ": labels[", i, "] is ", labels[i],
                               ", but must be finite (weighted_mean leaves missing outcomes out)");
}

}  // namespace detail

/// Σ w ℓ / n over the labels of a sample of n candidates (Horvitz and Thompson 1952): exactly unbiased under a design
/// whose weights are 1 / inclusion. Throws std::invalid_argument for sizes, std::domain_error for missing labels.
inline double horvitz_thompson_mean(std::span<const double> labels, const label_sample& sample) {
  detail::check_labels("horvitz_thompson_mean", labels, sample);
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) sum += sample.weights[i] * labels[i];
  return sum / static_cast<double>(sample.inclusion.size());
}

/// The mean guess over the n candidates, and the weighted mean of what the labels say it lacks (the difference
/// estimator; Särndal, Swensson and Wretman 1992, section 6.3). As unbiased as the Horvitz-Thompson mean whatever the
/// guesses, with the variance of ℓ − guess instead of that of ℓ. Guesses must not come from these labels: seen LLMs'
/// losses on prompts nearby are what they are for. Throws std::invalid_argument, std::domain_error.
inline double difference_mean(std::span<const double> labels, const label_sample& sample,
                              std::span<const double> guesses) {
  detail::check_labels("difference_mean", labels, sample);
  const std::size_t n = sample.inclusion.size();
  detail::require(guesses.size() == n, "difference_mean: guesses has ", guesses.size(), " entries, but must have ", n,
                  ", one per candidate");
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    detail::require<std::domain_error>(std::isfinite(guesses[i]), "difference_mean: guesses[", i, "] is ", guesses[i],
                                       ", but must be finite");
    sum += guesses[i];
  }
  for (std::size_t i = 0; i < labels.size(); ++i) sum += sample.weights[i] * (labels[i] - guesses[sample.prompts[i]]);
  return sum / static_cast<double>(n);
}

/// Enrols an LLM by its labels on `sample`, whose prompts (`take_rows(candidates, sample.prompts)`) are the predictor's
/// validation sample: with the sample's weights where the predictor takes averages over prompts and so needs them
/// (weight_aware), without where it regresses on x, which a choice that depends on x alone does not bias.
/// Throws what `enroll` throws.
template <pool_adaptive Predictor>
void enroll_sample(Predictor& predictor, const std::string& name, std::span<const double> labels,
                   const label_sample& sample) {
  if constexpr (weight_aware<Predictor>) {
    predictor.enroll(name, labels, std::span<const double>(sample.weights));
  } else {
    predictor.enroll(name, labels);
  }
}

}  // namespace uniroute
