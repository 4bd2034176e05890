#pragma once

// A mean cost that is met exactly: λ found on a calibration sample, and a draw between the two choices at that λ.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/routing_rule.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What `budget_rule` may spend.
struct budget_rule_options {
  double budget = 0;       ///< B, the mean cost of a prompt; at least 0
  std::uint64_t seed = 1;  ///< of the draw

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("budget", of.budget);
    visit("seed", of.seed);
  }
};

/// The best rule whose mean cost is B (UniRoute, proposition 1): argmin γ̂ + λ c for the λ of B, where objectives tie
/// drawn between the cheapest and the dearest minimiser. The draw is a hash of (seed, prompt): the same prompt gets the
/// same answer, in any order and on any number of threads.
///
/// On the calibration sample the expected mean cost is B, if B is between that of the cheapest models and that of λ =
/// 0. A larger B cannot be spent: λ is 0 and `slack()` says what is left over. A smaller one is refused. Const members
/// are thread-safe and allocate nothing.
class budget_rule {
 public:
  /// Throws std::invalid_argument for a negative or infinite budget.
  explicit budget_rule(budget_rule_options options = {}) : options_(options) {
    detail::require(options.budget >= 0 && std::isfinite(options.budget), "budget_rule: budget is ", options.budget,
                    ", but must be finite and at least 0");
  }

  /// Refused with a sentence: options are named, `budget_rule{{.budget = .002}}`.
  template <detail::number N>
  explicit budget_rule(N) : budget_rule() {
    static_assert(detail::accepted<N>, "budget_rule: options are named: budget_rule{{.budget = .002}}");
  }

  /// Finds λ from predicted losses and cost estimates of a calibration sample (n x M). O(64 n M): the mean cost falls
  /// as λ grows, so the λ where it passes B is bisected down to two neighbouring doubles.
  /// Throws std::invalid_argument for shapes and for a budget below the cheapest, std::domain_error for values; a throw
  /// changes nothing.
  void calibrate(const loss_matrix& losses, const cost_matrix& costs) {
    constexpr auto where = "budget_rule::calibrate";
    detail::require(rows(losses) != 0 && columns(losses) != 0, where, ": losses is ", rows(losses), " x ",
                    columns(losses), ", but must be at least 1 x 1");
    detail::require(rows(costs) == rows(losses) && columns(costs) == columns(losses), where, ": costs is ", rows(costs),
                    " x ", columns(costs), ", but must be ", rows(losses), " x ", columns(losses));
    detail::check_finite(where, "losses", losses);
    for (const double cost : costs) detail::check_cost(where, "a cost", cost);

    const double b = options_.budget;
    const double cheapest = cheapest_cost(costs);
    detail::require(b >= cheapest * (1 - 1e-12), where, ": budget is ", b, ", but must be at least ", cheapest,
                    ", the mean cost of the cheapest models");
    const double dearest = mean_cost(losses, costs, 0);
    if (dearest <= b) {
      adopt(0, 0, 1, b - dearest);
      return;
    }
    // Invariant: the mean cost at `low` is above B, at `high` not. Doubles of one sign are ordered as their bits.
    double low = 0;
    double high = surely_cheapest(losses, costs);
    while (std::bit_cast<std::uint64_t>(high) - std::bit_cast<std::uint64_t>(low) > 1) {
      const double middle =
          std::bit_cast<double>((std::bit_cast<std::uint64_t>(low) + std::bit_cast<std::uint64_t>(high)) / 2);
      (mean_cost(losses, costs, middle) > b ? low : high) = middle;
    }
    const double above = mean_cost(losses, costs, low);
    const double below = mean_cost(losses, costs, high);
    adopt(low, high, above > below ? std::clamp((b - below) / (above - below), 0.0, 1.0) : 1.0, 0);
  }

  /// What an experiment sweeps: this rule at 101 budgets from the cheapest models' mean cost to the dearest, each to be
  /// calibrated. `costs` (n x M) as in `calibrate`. Throws std::invalid_argument for no costs.
  std::vector<std::pair<double, budget_rule>> along(const loss_matrix&, const cost_matrix& costs) const {
    detail::require(costs.size() != 0, "budget_rule::along: costs is 0 x 0, but must be at least 1 x 1");
    const double low = cheapest_cost(costs);
    double high = 0;
    for (std::size_t i = 0; i < rows(costs); ++i) {
      const auto of = row(costs, i);
      high += *std::max_element(of.begin(), of.end());
    }
    high /= static_cast<double>(rows(costs));
    std::vector<std::pair<double, budget_rule>> out;
    for (int i = 0; i <= 100; ++i) {
      const double budget = low + i / 100.0 * (high - low);
      out.emplace_back(budget, budget_rule{budget_rule_options{budget, options_.seed}});
    }
    return out;
  }

  /// Throws not_fitted before `calibrate`.
  std::size_t choose(const candidates<>& c) const {
    detail::require<not_fitted>(calibrated_, "budget_rule::choose: calibrate must come first");
    const bool dear = to_uniform(derive_seed(options_.seed, c.key)) < share_;
    return detail::least_objective(c.losses, c.costs, dear ? low_ : high_);
  }

  /// By how much every predicted loss may be off without changing `choose(c)`.
  double margin(const candidates<>& c) const noexcept {
    return std::min(detail::objective_margin(c.losses, c.costs, low_),
                    detail::objective_margin(c.losses, c.costs, high_));
  }

  double lambda() const noexcept { return high_; }       ///< λ of the budget
  double dear_share() const noexcept { return share_; }  ///< probability of the dearest minimiser
  double slack() const noexcept { return slack_; }       ///< what cannot be spent, per prompt; 0 below C(λ = 0)
  const budget_rule_options& options() const noexcept { return options_; }

  state save() const {
    detail::require<not_fitted>(calibrated_, "budget_rule::save: calibrate must come first");
    return detail::save_members(*this);
  }
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      budget_rule(next.options_);
      next.calibrated_ = true;
      detail::require_state(next.low_ >= 0 && next.high_ >= next.low_ && std::isfinite(next.high_),
                            "budget_rule: low and high must be finite and ordered");
      detail::require_state(next.share_ >= 0 && next.share_ <= 1, "budget_rule: share must be in [0, 1]");
      detail::require_state(next.slack_ >= 0 && std::isfinite(next.slack_),
                            "budget_rule: slack must be finite and at least 0");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("options", of.options_);
    visit("low", of.low_);
    visit("high", of.high_);
    visit("share", of.share_);
    visit("slack", of.slack_);
  }

 private:
  static double cheapest_cost(const cost_matrix& costs) {
    double sum = 0;
    for (std::size_t i = 0; i < rows(costs); ++i) {
      const auto of = row(costs, i);
      sum += *std::min_element(of.begin(), of.end());
    }
    return sum / static_cast<double>(rows(costs));
  }

  static double mean_cost(const loss_matrix& losses, const cost_matrix& costs, double lambda) {
    double sum = 0;
    for (std::size_t i = 0; i < rows(losses); ++i)
      sum += costs(i, detail::least_objective(row(losses, i), row(costs, i), lambda));
    return sum / static_cast<double>(rows(losses));
  }

  /// A λ at which every prompt goes to a cheapest model: beyond (range of losses) / (least difference of costs).
  static double surely_cheapest(const loss_matrix& losses, const cost_matrix& costs) {
    const auto [least, most] = std::minmax_element(losses.begin(), losses.end());
    double gap = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < rows(costs); ++i) {
      const auto of = row(costs, i);
      const double cheapest = *std::min_element(of.begin(), of.end());
      for (const double cost : of) {
        if (cost > cheapest) gap = std::min(gap, cost - cheapest);
      }
    }
    return std::min(2 * (*most - *least + 1) / gap, std::numeric_limits<double>::max());
  }

  void adopt(double low, double high, double share, double slack) noexcept {
    low_ = low;
    high_ = high;
    share_ = share;
    slack_ = slack;
    calibrated_ = true;
  }

  budget_rule_options options_;
  double low_ = 0;    ///< the mean cost is above B here …
  double high_ = 0;   ///< … and not here, one representable number on
  double share_ = 1;  ///< of draws that take `low_`
  double slack_ = 0;
  bool calibrated_ = false;
};

static_assert(calibrated_rule<budget_rule>);

}  // namespace uniroute
