#pragma once

// The optimal rule r* of a world: at a λ, along λ, and at a budget (UniRoute, proposition 1, with ties).

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/lower_hull.hpp>
#include <uniroute/regret/population.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <vector>

namespace uniroute {

/// Mean loss and mean cost of a rule.
struct mean_risk {
  double loss = 0;  ///< R(r) = E γ*(x, r(x))
  double cost = 0;  ///< E c(r(x))

  double objective(double lambda) const noexcept { return loss + lambda * cost; }  ///< J
};

/// R and E c of choices (one index a prompt). Throws std::invalid_argument for their number or an index beyond the
/// pool.
inline mean_risk risk_of(const population& p, std::span<const std::uint32_t> choices) {
  constexpr auto where = "risk_of";
  detail::check_population(where, p);
  detail::require(choices.size() == p.size(), where, ": choices has ", choices.size(), " entries, but must have ",
                  p.size());
  mean_risk out;
  for (std::size_t i = 0; i < p.size(); ++i) {
    detail::require(choices[i] < p.model_count(), where, ": choices[", i, "] is ", choices[i], ", but must be below ",
                    p.model_count());
    out.loss += p.weights[i] * p.expected_losses(i, choices[i]);
    out.cost += p.weights[i] * p.costs_of(i)[choices[i]];
  }
  return out;
}

/// R and E c of a rule that draws: row i has the probability of each LLM. Throws std::invalid_argument for the shape,
/// std::domain_error for rows that are not on the simplex (to 1e-9).
inline mean_risk risk_of(const population& p, const matrix<double>& probabilities) {
  constexpr auto where = "risk_of";
  detail::check_population(where, p);
  detail::require(rows(probabilities) == p.size() && columns(probabilities) == p.model_count(), where,
                  ": probabilities is ", rows(probabilities), " x ", columns(probabilities), ", but must be ", p.size(),
                  " x ", p.model_count());
  mean_risk out;
  for (std::size_t i = 0; i < p.size(); ++i) {
    double sum = 0;
    for (std::size_t h = 0; h < p.model_count(); ++h) {
      const double q = probabilities(i, h);
      detail::require<std::domain_error>(q >= 0, where, ": probabilities(", i, ", ", h, ") is ", q,
                                         ", but must be at least 0");
      sum += q;
      out.loss += p.weights[i] * q * p.expected_losses(i, h);
      out.cost += p.weights[i] * q * p.costs_of(i)[h];
    }
    detail::require<std::domain_error>(std::fabs(sum - 1) <= 1e-9, where, ": the sum of row ", i,
                                       " of probabilities is ", sum, ", but must be 1");
  }
  return out;
}

/// r*(x) = argmin γ*(x, h) + λ c(h); ties to the lower cost, then to the lower index.
/// Throws std::invalid_argument for a negative or infinite λ.
inline std::vector<std::uint32_t> oracle_choices(const population& p, double lambda) {
  detail::check_population("oracle_choices", p);
  detail::check_lambda("oracle_choices", lambda);
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < p.size(); ++i)
    out.push_back(
        static_cast<std::uint32_t>(detail::least_objective(row(p.expected_losses, i), p.costs_of(i), lambda)));
  return out;
}

namespace detail {

/// At `lambda` a prompt goes over from one model to a cheaper one.
struct switching_point {
  double lambda;
  std::uint32_t prompt, from, to;
};

/// Choices of argmin predicted + λ estimate at λ = 0 (the dearest end), and every switch, by rising λ.
struct rule_path {
  std::vector<std::uint32_t> at_zero;
  std::vector<switching_point> switches;
};

/// `predicted` is n x M, `estimates` n x M or 1 x M; shapes were checked. O(n M log M + sort).
inline rule_path path_of_rule(const loss_matrix& predicted, const cost_matrix& estimates) {
  rule_path out;
  const std::size_t m = columns(predicted);
  std::vector<std::uint32_t> by_cost(m), hull(m);
  for (std::size_t i = 0; i < rows(predicted); ++i) {
    const auto loss = row(predicted, i), cost = row(estimates, rows(estimates) == 1 ? 0 : i);
    for (std::size_t h = 0; h < m; ++h) by_cost[h] = static_cast<std::uint32_t>(h);
    std::stable_sort(by_cost.begin(), by_cost.end(),
                     [&](auto a, auto b) { return cost[a] < cost[b] || (cost[a] == cost[b] && loss[a] < loss[b]); });
    const std::size_t size = lower_hull(loss, cost, by_cost, hull);
    out.at_zero.push_back(hull[size - 1]);
    for (std::size_t k = size - 1; k > 0; --k) {
      const std::uint32_t from = hull[k], to = hull[k - 1];
      out.switches.push_back(
          {(loss[to] - loss[from]) / (cost[from] - cost[to]), static_cast<std::uint32_t>(i), from, to});
    }
  }
  std::stable_sort(out.switches.begin(), out.switches.end(),
                   [](const auto& a, const auto& b) { return a.lambda < b.lambda; });
  return out;
}

}  // namespace detail

/// The least risk whose mean cost is at most B, and the randomised rule that has it: argmin γ* + λ c, where objectives
/// tie `dear` with probability `dear_share`, else `cheap`.
struct budget_optimum {
  double lambda = 0;                       ///< the multiplier of the budget
  double dear_share = 1;                   ///< of the draws
  mean_risk risk;                          ///< cost is B less slack
  double slack = 0;                        ///< what cannot be spent to any use; 0 up to C(λ = 0)
  std::vector<std::uint32_t> dear, cheap;  ///< the dearest and the cheapest minimiser, a choice a prompt
};

/// Exact but for rounding: the breakpoints of r* are walked down from λ = 0 until the mean cost is within B. Ties are
/// all broken by one draw, which attains every point of the lower hull of (E c, R). O(n M log M + sort). Throws
/// std::invalid_argument for a negative budget, and one below the mean cost of the cheapest LLMs.
inline budget_optimum oracle_at_budget(const population& p, double budget) {
  constexpr auto where = "oracle_at_budget";
  detail::check_population(where, p);
  detail::require(budget >= 0 && std::isfinite(budget), where, ": budget is ", budget,
                  ", but must be finite and at least 0");
  auto path = detail::path_of_rule(p.expected_losses, p.costs);
  budget_optimum out;
  out.dear = out.cheap = path.at_zero;
  mean_risk dear = risk_of(p, path.at_zero), cheap = dear;
  for (std::size_t at = 0; cheap.cost > budget && at < path.switches.size();) {
    dear = cheap;
    out.dear = out.cheap;
    out.lambda = path.switches[at].lambda;
    for (; at < path.switches.size() && path.switches[at].lambda == out.lambda; ++at)
      out.cheap[path.switches[at].prompt] = path.switches[at].to;
    cheap = risk_of(p, out.cheap);
  }
  detail::require(cheap.cost <= budget * (1 + 1e-12) || cheap.cost <= budget + 1e-300, where, ": budget is ", budget,
                  ", but must be at least ", cheap.cost, ", the mean cost of the cheapest models");
  if (dear.cost > cheap.cost && dear.cost > budget) {
    const double share = std::clamp((budget - cheap.cost) / (dear.cost - cheap.cost), 0.0, 1.0);
    out.dear_share = share;
    out.risk = {share * dear.loss + (1 - share) * cheap.loss, share * dear.cost + (1 - share) * cheap.cost};
  } else {
    out.risk = cheap;
    out.slack = budget - cheap.cost;
  }
  return out;
}

}  // namespace uniroute
