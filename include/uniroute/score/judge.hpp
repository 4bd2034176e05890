#pragma once

// Judges of answers, simulated from outcomes: how good must one be before asking twice pays?

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/random.hpp>
#include <uniroute/stats/normal.hpp>
#include <vector>

namespace uniroute {

/// A verdict, 1 (accept) or 0, that is wrong with probability ε, call by call: RouterBench's judge (2403.12031, section
/// 4.2). An answer deserves acceptance if its quality is at least the threshold.
class noisy_judge {
 public:
  /// Throws std::invalid_argument for an ε or a threshold outside [0, 1].
  noisy_judge(double error_rate, std::uint64_t seed, double threshold = 1)
      : error_rate_(error_rate), threshold_(threshold), seed_(seed) {
    detail::require(error_rate >= 0 && error_rate <= 1, "noisy_judge: error_rate is ", error_rate,
                    ", but must be in [0, 1]");
    detail::require(threshold >= 0 && threshold <= 1, "noisy_judge: threshold is ", threshold,
                    ", but must be in [0, 1]");
  }

  double score(double quality, std::uint64_t key) const noexcept {
    const bool flips = random_engine(derive_seed(seed_, key)).uniform() < error_rate_;
    return (quality >= threshold_) != flips ? 1 : 0;
  }
  double error_rate() const noexcept { return error_rate_; }  ///< ε

 private:
  double error_rate_, threshold_;
  std::uint64_t seed_;
};

/// A verifier that ranks right answers above wrong ones with probability `auc`: normal scores of unit variance whose
/// means are sqrt(2) Φ⁻¹(auc) apart. Of a graded answer the mean is in between.
class verifier {
 public:
  /// Throws std::invalid_argument for an auc outside [0.5, 1).
  verifier(double auc, std::uint64_t seed) : auc_(auc), seed_(seed) {
    detail::require(auc >= 0.5 && auc < 1, "verifier: auc is ", auc, ", but must be from 0.5 to below 1");
    apart_ = auc == 0.5 ? 0 : std::numbers::sqrt2 * normal_upper_quantile(1 - auc);
  }

  double score(double quality, std::uint64_t key) const noexcept {
    return apart_ * quality + random_engine(derive_seed(seed_, key)).normal();
  }
  double auc() const noexcept { return auc_; }

 private:
  double auc_, apart_ = 0;
  std::uint64_t seed_;
};

static_assert(judge<noisy_judge> && judge<verifier>);

/// A score for every answer of a table, n x M, larger is better; `missing` where the outcome is. `keys`: one for each
/// prompt (say hash_text of its id), `models` names: an answer's score is the same in whatever part of the table it
/// stands. Throws std::invalid_argument for shapes.
template <judge Judge>
matrix<double> judge_answers(const Judge& judge, const loss_matrix& losses, const std::vector<std::uint64_t>& keys,
                             const std::vector<std::string>& models) {
  detail::require(keys.size() == rows(losses) && models.size() == columns(losses), "judge_answers: losses is ",
                  rows(losses), " x ", columns(losses), ", but there are ", keys.size(), " keys and ", models.size(),
                  " models");
  auto out = make_matrix<double>(rows(losses), columns(losses), missing);
  for (std::size_t h = 0; h < models.size(); ++h) {
    const std::uint64_t model = hash_text(models[h]);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!is_missing(losses(i, h))) out(i, h) = judge.score(1 - losses(i, h), derive_seed(model, keys[i]));
    }
  }
  return out;
}

}  // namespace uniroute
