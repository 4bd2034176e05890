#pragma once

// What another router would have done, from the log of the one that ran: answers of one LLM a prompt, and how likely it
// was to be asked.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <vector>

namespace uniroute {

/// A log of n prompts: which LLM ran, with which probability it was chosen given the prompt, and what came of it.
struct routing_log {
  std::vector<std::string> models = {};   ///< M names
  std::vector<std::uint32_t> ran = {};    ///< n indices into `models`
  std::vector<double> propensities = {};  ///< n probabilities in (0, 1] of the LLM that ran
  std::vector<double> losses = {};        ///< n in [0, 1]
  /// n x M probabilities of every LLM, or 0 x 0 where only that of the one that ran was logged.
  matrix<double> probabilities = make_matrix<double>(0, 0);
};

/// What `evaluate_from_log` assumes.
struct off_policy_options {
  /// No 1 / propensity of a choice that the router makes is above it; at least 1. Must be declared: without it no mean
  /// is bounded.
  double largest_weight = 0;
};

/// One way to estimate the router's mean loss from a log, with an interval that covers it with probability `level`. The
/// self-normalised value is missing where the choices never agree with the log; its interval is then [0, 1].
struct off_policy_estimate {
  double value = 0;
  interval range;
};

/// The mean loss that the router would have had. Each interval holds with probability `level` by itself.
struct off_policy_report {
  off_policy_estimate ips;              ///< inverse propensity: unbiased (Horvitz and Thompson 1952)
  off_policy_estimate self_normalised;  ///< the same, divided by the mean weight (Swaminathan and Joachims 2015)
  off_policy_estimate doubly_robust;    ///< a predictor's, corrected where the choices agree (Dudik et al. 2011)
  double level = 0;
  std::size_t prompts = 0, agreed = 0;  ///< of the log; those where the LLM that ran is the router's choice
  double effective = 0;                 ///< (Σ w)² / Σ w²: as many prompts as the weights are worth (Kish 1965)
};

namespace detail {

inline void check_log(std::string_view where, const routing_log& log, std::span<const std::uint32_t> choices,
                      double largest) {
  const std::size_t n = log.ran.size(), m = log.models.size();
  require(n != 0 && m != 0, where, ": the log has ", n, " prompts and ", m,
          " models, but must have at least 1 of each");
  require(log.propensities.size() == n, where, ": propensities has ", log.propensities.size(),
          " entries, but must have one for each prompt, ", n, " (a log without them says nothing of other routers)");
  require(log.losses.size() == n, where, ": losses has ", log.losses.size(),
          " entries, but must have one for each prompt, ", n);
  require(choices.size() == n, where, ": choices has ", choices.size(), " entries, but must have one for each prompt, ",
          n);
  require(log.probabilities.size() == 0 || (rows(log.probabilities) == n && columns(log.probabilities) == m), where,
          ": probabilities is ", rows(log.probabilities), " x ", columns(log.probabilities), ", but must be ", n, " x ",
          m);
  require(largest >= 1 && std::isfinite(largest), where, ": largest_weight is ", largest,
          ", but must be declared, finite and at least 1: without it no mean is bounded");
  for (std::size_t i = 0; i < n; ++i) {
    const double p = log.propensities[i];
    require(log.ran[i] < m && choices[i] < m, where, ": the LLM of prompt ", i, " is ",
            std::max(log.ran[i], choices[i]), ", but must be below the number of models, ", m);
    require<std::domain_error>(p > 0 && p <= 1, where, ": the propensity of prompt ", i, " is ", p,
                               ", but must be above 0 and at most 1");
    require<std::domain_error>(log.losses[i] >= 0 && log.losses[i] <= 1, where, ": the loss of prompt ", i, " is ",
                               log.losses[i], ", but must be in [0, 1]");
    require<std::domain_error>(log.ran[i] != choices[i] || 1 / p <= largest * (1 + 1e-12), where,
                               ": the weight of prompt ", i, " is ", 1 / p,
                               ", but must be at most the declared largest, ", largest);
  }
}

/// 1 / propensity where the LLM that ran is the choice, else 0. Refuses a log that never asks what the router wants: by
/// its probabilities, or where the mean weight is surely below 1.
inline std::vector<double> weights_of(std::string_view where, const routing_log& log,
                                      std::span<const std::uint32_t> choices, double largest) {
  std::vector<double> out(choices.size(), 0.0);
  std::size_t never = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (log.probabilities.size() != 0 && !(log.probabilities(i, choices[i]) > 0)) ++never;
    if (log.ran[i] == choices[i]) out[i] = 1 / log.propensities[i];
  }
  require(never == 0, where, ": on ", 100.0 * static_cast<double>(never) / static_cast<double>(choices.size()),
          "% of prompts the log's router never asks the LLM that this one wants, but must with a probability above 0");
  if (log.probabilities.size() == 0) {
    constexpr double delta = 1e-3;
    const double most = largest * betting::upper(to_unit(out, 0, largest), delta);
    require(most >= 1, where, ": the mean weight is at most ", most, " (with probability ", 1 - delta,
            "), but must be 1: on a share of prompts of at least ", 1 - most,
            " the log's router never asks the LLM that this one wants, or its propensities are wrong");
  }
  return out;
}

/// A predictor's loss of the choice, moved by what the log says where the choices agree; in [1 - largest, largest].
inline std::vector<double> doubly_robust_terms(const routing_log& log, std::span<const std::uint32_t> choices,
                                               std::span<const double> weights, const loss_matrix& predicted) {
  std::vector<double> out(choices.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double guess =
        predicted.size() == 0 ? 0 : std::clamp(predicted(rows(predicted) == 1 ? 0 : i, choices[i]), 0.0, 1.0);
    out[i] = guess + weights[i] * (log.losses[i] - guess);
  }
  return out;
}

inline double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

inline interval in_unit(interval of) { return {std::max(0.0, of.lower), std::min(1.0, of.upper)}; }

/// The columns of the log for the models of a router. Throws std::invalid_argument for one that the log lacks.
template <class Router>
std::vector<std::uint32_t> log_columns(std::string_view where, const Router& router, const routing_log& log) {
  std::vector<std::uint32_t> out;
  for (const auto& model : router.models()) {
    const auto found = std::find(log.models.begin(), log.models.end(), model);
    require(found != log.models.end(), where, ": model '", model, "' of the router is not in the log, but must be");
    out.push_back(static_cast<std::uint32_t>(found - log.models.begin()));
  }
  return out;
}

template <class Router>
std::vector<std::uint32_t> choices_for_log(std::string_view where, const Router& router, const embedding_matrix& x,
                                           const routing_log& log) {
  const auto columns_of = log_columns(where, router, log);
  auto out = router.route(x);
  for (auto& choice : out) choice = columns_of[choice];
  return out;
}

}  // namespace detail

/// The mean loss of choices (n indices into the log's models) that were not made by the log's outcomes, from the log.
/// Any i.i.d. prompts; intervals are `betting`'s, finite-sample. `predicted` (n x M, or 1 x M), for the doubly robust
/// estimate, must not come from the log either; 0 x 0: it is then the same as IPS.
/// Throws std::invalid_argument for shapes, no declared largest weight, and where the log's router never asks what the
/// choices want (with the share; without logged `probabilities` where the mean weight is below 1 beyond doubt, at level
/// .999); std::domain_error for propensities, losses and weights outside their range.
inline off_policy_report evaluate_from_log(std::span<const std::uint32_t> choices, const routing_log& log,
                                           const loss_matrix& predicted, confidence_level level,
                                           const off_policy_options& options) {
  constexpr auto where = "evaluate_from_log";
  const double largest = options.largest_weight, delta = level.delta();
  detail::check_log(where, log, choices, largest);
  detail::require(predicted.size() == 0 || (columns(predicted) == log.models.size() &&
                                            (rows(predicted) == choices.size() || rows(predicted) == 1)),
                  where, ": predicted is ", rows(predicted), " x ", columns(predicted), ", but must be ",
                  choices.size(), " x ", log.models.size());
  const auto weights = detail::weights_of(where, log, choices, largest);
  off_policy_report out;
  out.level = level.value();
  out.prompts = choices.size();
  std::vector<double> inverse(choices.size()), shares(choices.size()), agreed_losses(choices.size(), 0.0);
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    inverse[i] = weights[i] * log.losses[i];
    shares[i] = std::min(1.0, weights[i] / largest);
    if (weights[i] > 0) agreed_losses[i] = log.losses[i];
    out.agreed += weights[i] > 0 ? 1u : 0u;
    sum += weights[i];
    squares += weights[i] * weights[i];
  }
  out.effective = squares > 0 ? sum * sum / squares : 0;
  out.ips = {detail::mean_of(inverse), detail::in_unit(interval_of<betting>(inverse, 0, largest, delta))};
  out.self_normalised = {sum > 0 ? detail::mean_of(inverse) * static_cast<double>(choices.size()) / sum : missing,
                         betting::make(agreed_losses, shares, delta)};
  const auto corrected = detail::doubly_robust_terms(log, choices, weights, predicted);
  out.doubly_robust = {detail::mean_of(corrected),
                       detail::in_unit(interval_of<betting>(corrected, 1 - largest, largest, delta))};
  return out;
}

/// The same for a router, on the log's prompts x (n x D); its predictions are the doubly robust estimate's. The router
/// must not have been fitted or enrolled on the log. Throws also for a model of its pool that the log lacks.
template <class Router>
off_policy_report evaluate_from_log(const Router& router, const embedding_matrix& x, const routing_log& log,
                                    confidence_level level, const off_policy_options& options) {
  constexpr auto where = "evaluate_from_log";
  const auto columns_of = detail::log_columns(where, router, log);
  const auto choices = detail::choices_for_log(where, router, x, log);
  const loss_matrix mine = router.predict(x);
  auto predicted = make_matrix<double>(rows(x), log.models.size(), 0.0);
  for (std::size_t i = 0; i < rows(x); ++i) {
    for (std::size_t h = 0; h < columns_of.size(); ++h) predicted(i, columns_of[h]) = mine(i, h);
  }
  return evaluate_from_log(choices, log, predicted, level, options);
}

/// E[ℓ of `mine`] − E[ℓ of `other`] from one log, by the doubly robust terms of both: paired, so that prompts on which
/// they agree add nothing. `predicted` as above. Throws as `evaluate_from_log`.
inline off_policy_estimate compare_from_log(std::span<const std::uint32_t> mine, std::span<const std::uint32_t> other,
                                            const routing_log& log, const loss_matrix& predicted,
                                            confidence_level level, const off_policy_options& options) {
  constexpr auto where = "compare_from_log";
  const double largest = options.largest_weight;
  detail::check_log(where, log, mine, largest);
  detail::check_log(where, log, other, largest);
  detail::require(predicted.size() == 0 || (columns(predicted) == log.models.size() &&
                                            (rows(predicted) == mine.size() || rows(predicted) == 1)),
                  where, ": predicted is ", rows(predicted), " x ", columns(predicted), ", but must be ", mine.size(),
                  " x ", log.models.size());
  const auto a = detail::doubly_robust_terms(log, mine, detail::weights_of(where, log, mine, largest), predicted);
  const auto b = detail::doubly_robust_terms(log, other, detail::weights_of(where, log, other, largest), predicted);
  std::vector<double> difference(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) difference[i] = mine[i] == other[i] ? 0 : a[i] - b[i];
  // Where the choices differ at most one of them agrees with the log, so that a term lies in ±(largest).
  return {detail::mean_of(difference), interval_of<betting>(difference, -largest, largest, level.delta())};
}

}  // namespace uniroute
