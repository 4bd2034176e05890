#pragma once

// From a score to a chance of being wrong, on validation outcomes; and how far such chances are off.

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <numeric>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/numeric/logistic_newton.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Turns scores into expected losses.
///
/// Semantics: `fit(scores, losses)` on n pairs, of which those with a missing part are left out; `loss(score)` is in
/// [0, 1], const, thread-safe; before `fit` it is 1/2.
/// Satisfied by: isotonic_calibration, platt_calibration, temperature_calibration.
template <class C>
concept score_calibrator = requires(C& c, const C& fitted, std::span<const double> values, double score) {
  c.fit(values, values);
  { fitted.loss(score) } -> std::convertible_to<double>;
};

namespace detail {

/// The pairs without a missing part. Throws std::invalid_argument for sizes and where none is left.
inline std::vector<std::pair<double, double>> usable_pairs(std::string_view where, std::span<const double> scores,
                                                           std::span<const double> losses) {
  require(scores.size() == losses.size(), where, ": there are ", scores.size(), " scores and ", losses.size(),
          " losses, but must be as many");
  std::vector<std::pair<double, double>> out;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!is_missing(scores[i]) && !is_missing(losses[i])) out.emplace_back(scores[i], losses[i]);
  }
  require(!out.empty(), where, ": no score has an outcome, but at least one must have");
  return out;
}

}  // namespace detail

/// The best falling step function of the score, in squares (pools of adjacent violators; Zadrozny and Elkan 2002),
/// linear between its steps and constant beyond them. Larger scores are better. No shape but that is assumed; wants a
/// hundred outcomes or more.
class isotonic_calibration {
 public:
  /// Throws std::invalid_argument for sizes and no usable pair.
  void fit(std::span<const double> scores, std::span<const double> losses) {
    auto pairs = detail::usable_pairs("isotonic_calibration::fit", scores, losses);
    std::sort(pairs.begin(), pairs.end());
    std::vector<step> steps;
    for (std::size_t i = 0; i < pairs.size();) {
      step now{pairs[i].first, pairs[i].first, 0, 0};
      for (; i < pairs.size() && pairs[i].first == now.from; ++i) {  // equal scores have one value
        now.sum += pairs[i].second;
        now.count += 1;
      }
      while (!steps.empty() && steps.back().mean() <= now.mean()) {
        now = {steps.back().from, now.to, steps.back().sum + now.sum, steps.back().count + now.count};
        steps.pop_back();
      }
      steps.push_back(now);
    }
    steps_ = std::move(steps);
  }
  double loss(double score) const {
    if (steps_.empty()) return 0.5;
    const auto after = std::find_if(steps_.begin(), steps_.end(), [&](const step& s) { return score <= s.to; });
    if (after == steps_.end()) return steps_.back().mean();
    if (after == steps_.begin() || score >= after->from) return after->mean();
    const step& before = *std::prev(after);
    const double t = (score - before.to) / (after->from - before.to);
    return (1 - t) * before.mean() + t * after->mean();
  }

 private:
  struct step {
    double from, to, sum, count;
    double mean() const noexcept { return sum / count; }
  };
  std::vector<step> steps_;  ///< by rising score, falling loss
};

/// σ(a + b · score), by maximum likelihood with Platt's (1999) targets: one wrong and one right outcome more, so that
/// scores that part right from wrong do not become certainties.
class platt_calibration {
 public:
  /// Throws std::invalid_argument for sizes and no usable pair.
  void fit(std::span<const double> scores, std::span<const double> losses) {
    const auto pairs = detail::usable_pairs("platt_calibration::fit", scores, losses);
    double wrong = 0, mean = 0, square = 0;
    const double n = static_cast<double>(pairs.size());
    for (const auto& [score, loss] : pairs) {
      wrong += loss;
      mean += score / n;
    }
    for (const auto& [score, loss] : pairs) square += (score - mean) * (score - mean) / n;
    const double scale = square > 0 ? std::sqrt(square) : 1;
    const double high = (wrong + 1) / (wrong + 2), low = 1 / (n - wrong + 2);
    auto z = make_matrix<double>(pairs.size(), 2);
    std::vector<double> targets;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      z(i, 0) = 1;
      z(i, 1) = (pairs[i].first - mean) / scale;
      targets.push_back(low + pairs[i].second * (high - low));
    }
    detail::normal_prior flat{{0, 0}, make_matrix<double>(2, 2, 0.0)};
    flat.precision(0, 0) = flat.precision(1, 1) = 1e-6;
    std::vector<double> w{0, 0};
    detail::fit_logistic(z, targets, flat, w);
    slope_ = w[1] / scale;
    intercept_ = w[0] - slope_ * mean;
  }
  double loss(double score) const noexcept { return detail::sigmoid(intercept_ + slope_ * score); }
  double slope() const noexcept { return slope_; }          ///< below 0 where larger scores are better
  double intercept() const noexcept { return intercept_; }  ///< 0 before `fit`

 private:
  double intercept_ = 0, slope_ = 0;
};

/// One temperature T for scores that are chances of being right: their logit over T (Guo et al. 1706.04599), by golden
/// section on the log loss, T in [1/20, 20].
class temperature_calibration {
 public:
  /// Throws std::invalid_argument for sizes, no usable pair, and a score outside [0, 1].
  void fit(std::span<const double> scores, std::span<const double> losses) {
    const auto pairs = detail::usable_pairs("temperature_calibration::fit", scores, losses);
    for (const auto& [score, loss] : pairs)
      detail::require(score >= 0 && score <= 1, "temperature_calibration::fit: a score is ", score,
                      ", but must be a chance of being right, in [0, 1]");
    const auto log_loss = [&](double log_temperature) {
      double sum = 0;
      for (const auto& [score, loss] : pairs) {
        const double v = logit(score) / std::exp(log_temperature);
        sum += loss * detail::soft_plus(v) + (1 - loss) * detail::soft_plus(-v);
      }
      return sum;
    };
    const double golden = (std::sqrt(5.0) - 1) / 2;
    double low = -std::log(20.0), high = std::log(20.0);
    double a = high - golden * (high - low), b = low + golden * (high - low);
    double at_a = log_loss(a), at_b = log_loss(b);
    while (high - low > 1e-6) {
      if (at_a < at_b) {
        high = b;
        b = a;
        at_b = at_a;
        at_a = log_loss(a = high - golden * (high - low));
      } else {
        low = a;
        a = b;
        at_a = at_b;
        at_b = log_loss(b = low + golden * (high - low));
      }
    }
    temperature_ = std::exp((low + high) / 2);
    fitted_ = true;
  }
  double loss(double score) const noexcept { return fitted_ ? detail::sigmoid(-logit(score) / temperature_) : 0.5; }
  double temperature() const noexcept { return temperature_; }

 private:
  static double logit(double p) noexcept {
    p = std::clamp(p, 1e-6, 1 - 1e-6);
    return std::log(p / (1 - p));
  }
  double temperature_ = 1;
  bool fitted_ = false;
};

static_assert(score_calibrator<isotonic_calibration> && score_calibrator<platt_calibration> &&
              score_calibrator<temperature_calibration>);

/// One bin of a reliability diagram.
struct reliability_bin {
  double predicted = 0, observed = 0;  ///< means of its prompts
  std::size_t count = 0;
};

/// A reliability diagram: bins of equal width over [0, 1] that hold a prompt, and the expected calibration error, the
/// mean of |predicted − observed| over prompts, a bin at a time. It is small by luck where bins hold few.
struct reliability {
  std::vector<reliability_bin> bins;
  double error = 0;
};

/// From expected losses and outcomes (missing ones left out). Throws std::invalid_argument for sizes, no bins, no
/// usable pair, and an expected loss outside [0, 1].
inline reliability reliability_of(std::span<const double> predicted, std::span<const double> losses,
                                  std::size_t bins = 10) {
  constexpr auto where = "reliability_of";
  detail::require(bins != 0, where, ": bins is 0, but must be at least 1");
  const auto pairs = detail::usable_pairs(where, predicted, losses);
  std::vector<reliability_bin> all(bins);
  for (const auto& [p, loss] : pairs) {
    detail::require(p >= 0 && p <= 1, where, ": an expected loss is ", p, ", but must be in [0, 1]");
    auto& bin = all[std::min(bins - 1, static_cast<std::size_t>(p * static_cast<double>(bins)))];
    bin.predicted += p;
    bin.observed += loss;
    ++bin.count;
  }
  reliability out;
  for (auto& bin : all) {
    if (bin.count == 0) continue;
    const double n = static_cast<double>(bin.count);
    bin.predicted /= n;
    bin.observed /= n;
    out.error += std::fabs(bin.predicted - bin.observed) * n / static_cast<double>(pairs.size());
    out.bins.push_back(bin);
  }
  return out;
}

}  // namespace uniroute
