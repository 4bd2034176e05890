#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Which answer a cascade keeps.
enum class kept_answer {
  last,        ///< of the LLM that was asked last
  best_scored  ///< of those asked, the one of the highest score; ties to the later
};

/// What a `threshold_cascade` needs.
struct threshold_cascade_options {
  std::vector<std::uint32_t> order = {};                 ///< LLMs from the first that is asked; distinct, at least one
  double threshold = 1;                                  ///< an answer of at least this score is accepted
  double cap = std::numeric_limits<double>::infinity();  ///< no LLM is asked that would bring the costs above it
  kept_answer keeps = kept_answer::last;
};

/// LLMs in a fixed order until an answer is accepted: FrugalGPT's and RouterBench's cascade (2403.12031, section 4.2).
/// The first always runs; the cap counts the *next* cost. An answer whose score is missing is not accepted. With
/// agreement of samples for a score it is the self-consistency cascade of 2310.03094.
class threshold_cascade {
 public:
  /// Throws std::invalid_argument for an order that is empty or repeats an LLM, a threshold that is not a number, and a
  /// negative cap.
  explicit threshold_cascade(threshold_cascade_options options) : options_(std::move(options)) {
    const auto& order = options_.order;
    detail::require(!order.empty(), "threshold_cascade: order has 0 LLMs, but must have at least 1");
    for (std::size_t a = 0; a < order.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b)
        detail::require(order[a] != order[b], "threshold_cascade: order has LLM ", order[a],
                        " twice, but a cascade asks none twice");
    }
    detail::require(!std::isnan(options_.threshold), "threshold_cascade: threshold is nan, but must be a number");
    detail::require(options_.cap >= 0, "threshold_cascade: cap is ", options_.cap, ", but must be at least 0");
  }

  std::optional<std::uint32_t> next(const ladder_view& v) const {
    const std::size_t step = v.asked.size();
    if (step == 0) return options_.order[0];
    if (step == options_.order.size() || v.scores[v.asked.back()] >= options_.threshold) return std::nullopt;
    const std::uint32_t h = options_.order[step];
    if (v.spent + v.costs[h] > options_.cap) return std::nullopt;
    return h;
  }
  std::uint32_t keep(const ladder_view& v) const {
    std::uint32_t best = v.asked.back();
    if (options_.keeps == kept_answer::last) return best;
    for (std::size_t a = v.asked.size(); a-- > 0;) {
      const double score = v.scores[v.asked[a]];
      if (!is_missing(score) && !(score <= v.scores[best])) best = v.asked[a];
    }
    return best;
  }

  const threshold_cascade_options& options() const noexcept { return options_; }

 private:
  threshold_cascade_options options_;
};

static_assert(ladder<threshold_cascade>);

/// LLM indices from the cheapest, by mean costs; ties to the lower index.
inline std::vector<std::uint32_t> cheapest_first(std::span<const double> mean_costs) {
  std::vector<std::uint32_t> out(mean_costs.size());
  std::iota(out.begin(), out.end(), std::uint32_t{0});
  std::stable_sort(out.begin(), out.end(), [&](auto a, auto b) { return mean_costs[a] < mean_costs[b]; });
  return out;
}

}  // namespace uniroute
