#pragma once

// Diagnostic prompts: those near which the seen LLMs disagree.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/concepts/label_design.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/enroll/detail/fixed_size_sample.hpp>
#include <uniroute/numeric/neighbours.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Where `disagreement_design` looks for disagreement, and what it asks all the same.
struct disagreement_options {
  std::size_t neighbours = 20;   ///< training prompts that speak for a candidate, at least 1
  double defensive_share = 0.3;  ///< of the labels go out evenly, whatever the seen LLMs say; above 0
  std::size_t threads = 1;       ///< 0: all of the machine; never changes a bit

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("neighbours", of.neighbours);
    visit("defensive_share", of.defensive_share);
  }
};

/// Inclusion ∝ the standard deviation of losses over the seen LLMs, a mean of variances over the training prompts
/// nearest to the candidate: a prompt that all LLMs get right, or all wrong, tells them apart as little as it will tell
/// the new one. Weights undo the preference. With fewer than two seen LLMs on every prompt nothing disagrees, and it is
/// random_design. Differs from the diagnostic items of test theory in that it looks at neighbours: the candidates
/// themselves need not have been run on any LLM. Const members are thread-safe.
class disagreement_design {
 public:
  /// Throws std::invalid_argument for zero neighbours or a defensive share outside (0, 1].
  explicit disagreement_design(disagreement_options options = {}) : options_(options) {
    detail::require(options.neighbours >= 1, "disagreement_design: neighbours is 0, but must be at least 1");
    detail::check_defensive_share("disagreement_design", options.defensive_share);
  }

  /// Keeps the training prompts with at least two outcomes, and the variance over LLMs there.
  /// Throws std::invalid_argument for shapes, std::domain_error for values.
  void fit(const embedding_matrix& x, const loss_matrix& losses) {
    detail::check_training("disagreement_design::fit", x, losses);
    std::vector<std::size_t> kept;
    std::vector<double> variances;
    for (std::size_t i = 0; i < rows(x); ++i) {
      double sum = 0, squares = 0, count = 0;
      for (const double loss : row(losses, i)) {
        if (is_missing(loss)) continue;
        sum += loss;
        squares += loss * loss;
        count += 1;
      }
      if (count < 2) continue;
      kept.push_back(i);
      variances.push_back(std::max(0.0, (squares - sum * sum / count) / (count - 1)));
    }
    known_ = detail::centroid_table(take_rows(x, std::span<const std::size_t>(kept)));
    variances_ = std::move(variances);
    dimension_ = columns(x);
  }

  /// The standard deviation over LLMs expected at each candidate; all 1 where nothing is known.
  std::vector<double> disagreement(const embedding_matrix& candidates) const {
    std::vector<double> out(rows(candidates), 1.0);
    if (variances_.empty()) return out;
    const std::size_t k = std::min(options_.neighbours, variances_.size());
    detail::for_each_neighbourhood(candidates, known_, k, options_.threads,
                                   [&](std::size_t i, std::span<const detail::scored_row> near) {
                                     double sum = 0;
                                     for (const auto& neighbour : near) sum += variances_[neighbour.index];
                                     out[i] = std::sqrt(sum / static_cast<double>(near.size()));
                                   });
    return out;
  }

  /// Throws not_fitted, std::invalid_argument for shapes or no budget, std::domain_error for values.
  label_sample choose(const embedding_matrix& candidates, std::size_t budget, std::uint64_t seed) const {
    detail::check_choice("disagreement_design::choose", candidates, dimension_, budget);
    const std::size_t n = rows(candidates);
    if (budget >= n) return detail::whole_sample(n);
    const auto sizes = detail::defensive(disagreement(candidates), options_.defensive_share);
    random_engine draws(derive_seed(seed, 0x5D9));
    return detail::grouped_sample(
        detail::inclusion_probabilities(sizes, budget), detail::random_order(n, draws), [](std::size_t) { return 0; },
        draws);
  }

  const disagreement_options& options() const noexcept { return options_; }

  state save() const { return detail::save_members(*this); }
  /// Throws format_error, and then *this is as it was.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      disagreement_design(next.options_);
      detail::require_state(next.known_.size() == next.variances_.size() &&
                                (next.variances_.empty() || next.known_.dimension() == next.dimension_),
                            "prompts must be variances x dimension");
      for (const double variance : next.variances_)
        detail::require_state(variance >= 0 && std::isfinite(variance), "variances must be finite and at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("prompts", of.known_);
    visit("options", of.options_);
    visit("variances", of.variances_);
    visit("dimension", of.dimension_);
  }

 private:
  disagreement_options options_;
  detail::centroid_table known_;
  std::vector<double> variances_;
  std::size_t dimension_ = 0;
};

static_assert(label_design<disagreement_design>);

}  // namespace uniroute
