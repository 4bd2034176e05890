#pragma once

// The paper's experiment: many random splits by prompt and by LLM, every method on each, means and tests.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <initializer_list>
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
#include <uniroute/experiment/graded_trial.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/protocol_options.hpp>
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
  metric_values metrics;  ///< `standard_metrics`, then those of the options
  /// Largest share of prompts that one LLM gets at λ = 0, or at the first setting (1: the router has collapsed onto
  /// it); 0 for reference curves.
  double collapse = 0;
  double coverage = 1;                          ///< least share of observed outcomes among the choices along the curve
  std::optional<predictor_quality> prediction;  ///< none for curves that are no predictor's
  std::array<double, curve_grid> curve{};       ///< quality at relative cost; the convention is the default
  std::array<double, curve_grid> cost{};        ///< cost there, as a share of the dearest model's
  std::string chosen;                           ///< hyper-parameters
  std::vector<std::pair<std::string, double>> weights;  ///< of the methods that it mixes

  /// The value of a metric; no value where it is undefined. Throws std::invalid_argument for an unknown name.
  const metric& of(std::string_view name) const { return value_of(metrics, name); }
};

/// All trials of one method.
struct method_result {
  std::string name;
  std::vector<trial_score> trials;
  method_role role = method_role::router;
  std::string about = {};
  std::vector<std::pair<std::string, double>> parameters = {};
  bool by_outcomes = false;  ///< a reference curve, drawn with the outcomes in hand
};

/// All methods on all trials, and what the trials were.
struct protocol_result {
  std::vector<method_result> methods;
  std::vector<std::vector<std::string>> pools;    ///< the unseen LLMs of each trial
  std::vector<std::vector<curve_point>> singles;  ///< each of them alone on the test prompts of the trial
  std::size_t unseen = 0;                         ///< LLMs hidden in each trial
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

inline trial_score score_curve(const curve_view& view, std::span<const named_metric> metrics) {
  trial_score out;
  out.metrics = measure(view, metrics);
  for (const auto& p : view.curve().points) out.coverage = std::min(out.coverage, p.coverage);
  const pool_range& pool = view.pool();
  const curve_function& f = view.function();
  for (std::size_t g = 0; g < curve_grid; ++g) {
    const double share = static_cast<double>(g) / static_cast<double>(curve_grid - 1);
    const double cost = pool.cheapest_cost + share * (pool.dearest_cost - pool.cheapest_cost);
    out.curve[g] = f(cost);
    out.cost[g] = pool.dearest_cost > 0 ? cost / pool.dearest_cost : 0;
  }
  return out;
}

/// The largest share of prompts whose answer is the same LLM's: of least predicted loss, or of the first decisions (of
/// a ladder: its dearest).
inline double collapse_of(const prediction& p, const graded_trial& trial, std::size_t models) {
  if (p.trace) {
    const auto curve = p.trace(trial.losses, trial.costs, {.shares = true});
    const auto dearest = row(curve.shares, 0);
    return static_cast<double>(*std::max_element(dearest.begin(), dearest.end()));
  }
  std::vector<double> count(models, 0.0);
  double n = 0;
  if (!p.decided.empty()) {
    for (const std::uint32_t h : p.decided.front().choices) count[h] += 1;
    n = static_cast<double>(p.decided.front().choices.size());
  } else {
    for (std::size_t i = 0; i < rows(p.losses); ++i)
      count[least_objective(row(p.losses, i), row(p.costs, rows(p.costs) == 1 ? 0 : i), 0)] += 1;
    n = static_cast<double>(rows(p.losses));
  }
  return *std::max_element(count.begin(), count.end()) / n;
}

/// Runs run(), and gives an error the name of the method and of the trial.
template <class Run>
decltype(auto) naming_method(const std::string& name, std::size_t trial, Run&& run) {
  const auto named = [&](const std::exception& error) {
    return text("run_protocol: method '", name, "' in trial ", trial, ": ", error.what());
  };
  try {
    return run();
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(named(error));
  } catch (const std::domain_error& error) {
    throw std::domain_error(named(error));
  } catch (const std::exception& error) {
    throw std::runtime_error(named(error));
  }
}

/// What is drawn beside the methods.
inline std::vector<reference_curve> references_of(const protocol_options& options, bool has_expected) {
  auto out = options.references;
  if (has_expected) out.push_back(bayes_oracle());
  return out;
}

/// The methods and references of a result that has no trial yet.
inline protocol_result empty_result(std::span<const routing_method> methods, const protocol_options& options,
                                    bool has_expected) {
  protocol_result out;
  for (const auto& m : methods) out.methods.push_back({m.name, {}, m.role, m.about, m.parameters, false});
  for (const auto& r : references_of(options, has_expected))
    out.methods.push_back({r.name, {}, r.role, r.about, {}, true});
  return out;
}

/// Refuses two things of one name: results, and predictions that are remembered, go by it.
inline void require_distinct(std::string_view what, std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end())
    throw std::invalid_argument(text("run_protocol: two ", what, " are named '", *twice, "', but names must differ"));
}

}  // namespace detail

/// Runs every method on every trial, then the reference curves of the options; oracle_bayes too if `expected` (γ*, n x
/// M) is not empty. All methods of a trial see the same split; trials run in parallel, and the result does not depend
/// on the number of threads.
/// Throws std::invalid_argument for zero trials, two methods or two metrics of one name, or a method that does not
/// return its shapes; and what methods throw, as the same type of std::invalid_argument and std::domain_error and else
/// as std::runtime_error, with the names of the method and of the trial.
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
  const auto references = detail::references_of(options, expected.size() != 0);
  auto metrics = standard_metrics();
  metrics.insert(metrics.end(), options.metrics.begin(), options.metrics.end());
  std::vector<std::string> names;
  for (const auto& m : metrics) names.push_back(m.name);
  detail::require_distinct("metrics", names);
  protocol_result out = detail::empty_result(methods, options, expected.size() != 0);
  for (auto& m : out.methods) m.trials.resize(options.trials);
  names.clear();
  for (const auto& m : out.methods) names.push_back(m.name);
  detail::require_distinct("methods", names);
  out.pools.resize(options.trials);
  out.singles.resize(options.trials);

  std::mutex guard;
  std::size_t done = 0;
  detail::parallel_for(options.trials, options.threads, [&](std::size_t index, std::size_t) {
    const std::size_t number = options.first_trial + index;
    const graded_trial trial = detail::make_trial(table, expected, embed, options, number);
    const auto singles = single_models(trial.losses, trial.costs);
    const pool_range pool = range_of(singles);
    // The most accurate LLM on validation is the reference of QNC; its quality is realised on the test.
    const std::size_t best =
        most_accurate(column_means(trial.seen.validation_losses), column_means(trial.seen.validation_costs));
    const auto score = [&](const deferral_curve& curve) {
      return detail::score_curve(curve_view(curve, pool, singles[best].quality), metrics);
    };
    std::size_t at = 0;
    for (const auto& method : methods) {
      out.methods[at++].trials[index] = detail::naming_method(method.name, number, [&] {
        const prediction& p = predict_once(method, trial.seen);
        trial_score s = score(trace_prediction(p, trial.losses, trial.costs));
        if (p.losses.size() != 0) s.prediction = measure_predictor(p.losses, trial.losses);
        s.collapse = detail::collapse_of(p, trial, singles.size());
        s.chosen = p.chosen;
        s.weights = p.weights;
        return s;
      });
    }
    for (const auto& reference : references) {
      out.methods[at++].trials[index] =
          detail::naming_method(reference.name, number, [&] { return score(reference.trace(trial)); });
    }
    out.pools[index] = trial.seen.unseen;
    out.singles[index] = singles;

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
