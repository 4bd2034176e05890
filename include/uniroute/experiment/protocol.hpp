#pragma once

// The paper's experiment: many random splits by prompt and by LLM, every method on each, means and tests.

#include <algorithm>
#include <array>
#include <cstddef>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/experiment/draw_trial.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/route/lagrangian_rule.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Points of the grid that curves are averaged on: relative cost 0, .01 … 1 between the pool's cheapest and dearest.
inline constexpr std::size_t curve_grid = 101;

/// One method on one trial.
struct trial_score {
  metric area, narea, narea_prototype, qnc, aiq;
  double peak = 0;
  double collapse = 0;  ///< largest share of prompts that one LLM gets at λ = 0 (1: the router has collapsed onto it)
  double coverage = 1;  ///< least share of observed outcomes among the choices along the curve
  std::optional<predictor_quality> prediction;          ///< none for curves that are no predictor's
  std::array<double, curve_grid> curve{};               ///< quality at relative cost; the convention is the default
  std::array<double, curve_grid> cost{};                ///< cost there, as a share of the dearest model's
  std::string chosen;                                   ///< hyper-parameters
  std::vector<std::pair<std::string, double>> weights;  ///< of the methods that it mixes
};

/// All trials of one method.
struct method_result {
  std::string name;
  std::vector<trial_score> trials;
};

/// All methods on all trials, and what the trials were.
struct protocol_result {
  std::vector<method_result> methods;
  std::vector<std::vector<std::string>> pools;  ///< the unseen LLMs of each trial
  std::size_t unseen = 0;                       ///< LLMs hidden in each trial
  std::size_t train = 0, validation = 0,
              test = 0;     ///< prompts (of the first trial: groups of equal prompts may shift them)
  std::size_t dropped = 0;  ///< LLMs left out of a trial because no validation or test outcome of theirs was observed
  double rho = 0;           ///< test / (train + validation) prompts, for the corrected t-test
  bool static_pool = false;

  /// Throws std::invalid_argument for an unknown name.
  const method_result& method(std::string_view name) const {
    for (const auto& m : methods) {
      if (m.name == name) return m;
    }
    throw std::invalid_argument(detail::text("protocol_result::method: '", name, "' is not a method of this result"));
  }
};

namespace detail {

inline trial_score score_curve(const deferral_curve& curve, const pool_range& pool, double reference_quality) {
  trial_score out;
  const curve_function f(curve, pool);
  out.area = area(f);
  out.narea = normalised_area(f);
  out.qnc = quality_neutral_cost(f, reference_quality);
  out.narea_prototype = normalised_area(curve_function(curve, pool, prototype_convention));
  out.aiq = normalised_area(curve_function(curve, pool, hull_convention));
  out.peak = f.peak();
  for (const auto& p : curve.points) out.coverage = std::min(out.coverage, p.coverage);
  for (std::size_t g = 0; g < curve_grid; ++g) {
    const double share = static_cast<double>(g) / static_cast<double>(curve_grid - 1);
    const double cost = pool.cheapest_cost + share * (pool.dearest_cost - pool.cheapest_cost);
    out.curve[g] = f(cost);
    out.cost[g] = pool.dearest_cost > 0 ? cost / pool.dearest_cost : 0;
  }
  return out;
}

/// The largest share of prompts whose least predicted loss is the same LLM's.
inline double collapse_of(const prediction& p) {
  std::vector<double> count(columns(p.losses), 0.0);
  for (std::size_t i = 0; i < rows(p.losses); ++i) {
    const auto costs = row(p.costs, rows(p.costs) == 1 ? 0 : i);
    const auto losses = row(p.losses, i);
    count[least_objective(losses, costs, 0)] += 1;
  }
  return *std::max_element(count.begin(), count.end()) / static_cast<double>(rows(p.losses));
}

}  // namespace detail

/// Runs every method on every trial, then the reference curves random, oracle (hindsight), and, if asked for,
/// cost_matched_mixture; oracle_bayes too if `expected` (γ*, n x M) is not empty. All methods of a trial see the same
/// split; trials run in parallel, and the result does not depend on the number of threads.
/// Throws std::invalid_argument for zero trials or a method that does not return its shapes, and what methods throw.
template <class Loss>
protocol_result run_protocol(const basic_routing_table<Loss>& table, const embed_function& embed,
                             std::span<const routing_method> methods, const protocol_options& options = {},
                             const loss_matrix& expected = make_matrix<double>(0, 0)) {
  detail::require(options.trials >= 1, "run_protocol: trials is 0, but must be at least 1");
  detail::require(options.test > 0 && options.test < 1, "run_protocol: test is ", options.test,
                  ", but must be between 0 and 1");
  detail::require(options.hidden >= 0 && options.hidden < 1, "run_protocol: hidden is ", options.hidden,
                  ", but must be at least 0 and below 1");
  detail::require(!options.shift || !table.categories().empty(),
                  "run_protocol: shift is true, but must be false for table '", table.name(),
                  "', which has no categories");
  protocol_result out;
  std::vector<std::string> names;
  for (const auto& method : methods) names.push_back(method.name);
  names.push_back("random");
  names.push_back("oracle");
  if (!options.shuffled.empty()) names.push_back("cost_matched_mixture");
  if (expected.size() != 0) names.push_back("oracle_bayes");
  for (auto& name : names) out.methods.push_back({name, std::vector<trial_score>(options.trials)});
  out.pools.resize(options.trials);

  std::mutex guard;
  std::size_t done = 0;
  detail::parallel_for(options.trials, options.threads, [&](std::size_t index, std::size_t) {
    const detail::graded_trial trial = detail::make_trial(table, expected, embed, options, options.first_trial + index);
    const auto singles = single_models(trial.losses, trial.costs);
    const pool_range pool = range_of(singles);
    // The most accurate LLM on validation is the reference of QNC; its quality is realised on the test.
    const std::size_t best =
        most_accurate(column_means(trial.seen.validation_losses), column_means(trial.seen.validation_costs));
    std::size_t at = 0;
    const auto record = [&](const deferral_curve& curve) -> trial_score& {
      trial_score& score = out.methods[at++].trials[index];
      score = detail::score_curve(curve, pool, singles[best].quality);
      return score;
    };
    std::optional<deferral_curve> shuffled;
    for (const auto& method : methods) {
      const prediction& p = predict_once(method, trial.seen);
      const bool shares = method.name == options.shuffled;
      const auto curve = trace_curve(p.losses, p.costs, trial.losses, trial.costs, {.shares = shares});
      trial_score& score = record(curve);
      score.prediction = measure_predictor(p.losses, trial.losses);
      score.collapse = detail::collapse_of(p);
      score.chosen = p.chosen;
      score.weights = p.weights;
      if (shares) shuffled = shuffled_choices(curve, trial.losses, trial.costs);
    }
    record(random_choice(trial.losses, trial.costs)).collapse = 1 / static_cast<double>(singles.size());
    record(hindsight_oracle(trial.losses, trial.costs));
    if (!options.shuffled.empty()) {
      detail::require(shuffled.has_value(), "run_protocol: shuffled is '", options.shuffled, "', but must be a method");
      record(*shuffled);
    }
    if (expected.size() != 0) record(trace_curve(trial.bayes, trial.costs, trial.losses, trial.costs));
    out.pools[index] = trial.seen.unseen;

    const std::lock_guard lock(guard);
    if (index == 0) {
      out.train = trial.sizes[0];
      out.validation = trial.sizes[1];
      out.test = trial.sizes[2];
      out.unseen = singles.size() + trial.dropped;
      out.static_pool = trial.seen.static_pool;
      out.rho = static_cast<double>(out.test) / static_cast<double>(out.train + out.validation);
    }
    out.dropped += trial.dropped;
    if (options.on_trial) options.on_trial(++done, options.trials);
  });
  return out;
}

/// The same for methods in braces: run_protocol(table, embed, {method, another}).
template <class Loss>
protocol_result run_protocol(const basic_routing_table<Loss>& table, const embed_function& embed,
                             std::initializer_list<routing_method> methods, const protocol_options& options = {},
                             const loss_matrix& expected = make_matrix<double>(0, 0)) {
  return run_protocol(table, embed, std::span<const routing_method>(methods.begin(), methods.size()), options,
                      expected);
}

}  // namespace uniroute
