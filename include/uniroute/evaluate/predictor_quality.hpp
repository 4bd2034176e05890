#pragma once

// How good predicted losses are as probabilities, whatever is routed on them.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <vector>

namespace uniroute {

/// Means over observed outcomes. Predictions are clipped to [0, 1] (to [1e-6, 1 − 1e-6] for the log loss).
struct predictor_quality {
  double brier = 0;           ///< mean squared error
  double log_loss = 0;        ///< −ℓ log γ̂ − (1 − ℓ) log(1 − γ̂), in nats
  std::optional<double> auc;  ///< mean over LLMs of P[γ̂ of a failed prompt > γ̂ of a solved one]; outcomes of 1/2 and
                              ///< less are solved; none where no LLM has both
  double calibration_error = 0;  ///< mean |γ̂ − ℓ| over ten bins of γ̂, weighted by their outcomes
};

namespace detail {

/// Area under the ROC curve by ranks, ties at half; none unless both classes are there.
inline std::optional<double> rank_auc(std::vector<std::pair<double, bool>>& scored) {
  std::sort(scored.begin(), scored.end());
  double positives = 0, rank_sum = 0;
  for (std::size_t i = 0; i < scored.size();) {
    std::size_t j = i;
    while (j < scored.size() && scored[j].first == scored[i].first) ++j;
    const double rank = static_cast<double>(i + j + 1) / 2;
    for (; i < j; ++i) {
      if (!scored[i].second) continue;
      positives += 1;
      rank_sum += rank;
    }
  }
  const double negatives = static_cast<double>(scored.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nullopt;
  return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives);
}

}  // namespace detail

/// `predicted` is n x M or 1 x M, `losses` n x M (missing allowed).
/// Throws std::invalid_argument for shapes or if nothing is observed.
inline predictor_quality measure_predictor(const loss_matrix& predicted, const loss_matrix& losses) {
  const std::size_t n = rows(losses), m = columns(losses);
  detail::require(columns(predicted) == m && (rows(predicted) == n || rows(predicted) == 1),
                  "measure_predictor: predicted is ", rows(predicted), " x ", columns(predicted), ", but must be ", n,
                  " x ", m, " (or have one row)");
  predictor_quality out;
  double count = 0, auc = 0, auc_models = 0;
  std::array<double, 10> weight{}, excess{};
  std::vector<std::pair<double, bool>> scored;
  for (std::size_t h = 0; h < m; ++h) {
    scored.clear();
    for (std::size_t i = 0; i < n; ++i) {
      const double loss = losses(i, h);
      if (is_missing(loss)) continue;
      const double p = std::clamp(predicted(rows(predicted) == 1 ? 0 : i, h), 0.0, 1.0);
      const double inside = std::clamp(p, 1e-6, 1 - 1e-6);
      out.brier += (p - loss) * (p - loss);
      out.log_loss -= loss * std::log(inside) + (1 - loss) * std::log(1 - inside);
      const auto bin = std::min<std::size_t>(9, static_cast<std::size_t>(p * 10));
      weight[bin] += 1;
      excess[bin] += p - loss;
      scored.emplace_back(p, loss > 0.5);
      count += 1;
    }
    if (const auto a = detail::rank_auc(scored)) {
      auc += *a;
      auc_models += 1;
    }
  }
  detail::require(count > 0, "measure_predictor: no outcome is observed, but at least one must be");
  out.brier /= count;
  out.log_loss /= count;
  if (auc_models > 0) out.auc = auc / auc_models;
  for (const double e : excess) out.calibration_error += std::fabs(e) / count;
  return out;
}

}  // namespace uniroute
