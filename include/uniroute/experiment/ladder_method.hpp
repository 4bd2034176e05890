#pragma once

// Ladders in an experiment: cascades and cascade routing as methods beside routers.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/ladder.hpp>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/trace_ladder.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/trial.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/cascade_routing.hpp>
#include <uniroute/route/price_grid.hpp>
#include <uniroute/route/threshold_cascade.hpp>
#include <uniroute/score/judge.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What a cascade is swept by.
enum class cascade_dial {
  cap,       ///< RouterBench: the most that a response may cost, at a fixed threshold
  threshold  ///< FrugalGPT and others: the score from which on an answer is accepted
};

namespace detail {

/// A key for each prompt: of its id where it has one.
inline std::vector<std::uint64_t> judge_keys(const prompt_records& prompts, std::size_t count) {
  std::vector<std::uint64_t> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(i < prompts.ids.size() ? hash_text(prompts.ids[i]) : i);
  return out;
}

template <class MakeJudge>
inline constexpr bool makes_judge = judge<std::remove_cvref_t<std::invoke_result_t<MakeJudge&, const trial_data&>>>;

/// The `share` quantile of the qualities that were observed on validation, of all LLMs.
inline double pooled_quality(const trial_data& trial, double share) {
  std::vector<double> all;
  for (const double loss : trial.validation_losses) {
    if (!is_missing(loss)) all.push_back(1 - loss);
  }
  if (all.empty()) return 1;
  const auto at = static_cast<std::size_t>(
      std::min(static_cast<double>(all.size() - 1), std::floor(share * static_cast<double>(all.size()))));
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
  return all[at];
}

}  // namespace detail

/// A cascade over the unseen LLMs, the cheapest on validation first (2403.12031, section 4.2): make_judge(trial) scores
/// answers, of which `threshold` accepts; what is swept is the cap on a response's costs, or the threshold. New LLMs
/// join by their mean cost alone.
template <class MakeJudge>
routing_method cascade_method(std::string name, MakeJudge make_judge, cascade_dial dial = cascade_dial::cap,
                              double threshold = 0.5) {
  static_assert(
      detail::makes_judge<MakeJudge>,
      "cascade_method: MakeJudge(trial) must return a judge: score(quality, key) -> number, larger is better");
  if constexpr (detail::makes_judge<MakeJudge>) {
    return {std::move(name), [make_judge = std::move(make_judge), dial, threshold](const trial_data& trial) {
              const cost_matrix means = column_means(trial.validation_costs);
              threshold_cascade cascade({.order = cheapest_first(row(means, 0)), .threshold = threshold});
              prediction out;
              out.trace = [cascade = std::move(cascade), dial, judge = make_judge(trial), models = trial.unseen,
                           keys = detail::judge_keys(trial.test, rows(trial.test_x))](
                              const loss_matrix& losses, const cost_matrix& costs, deferral_curve_options options) {
                const auto scores = judge_answers(judge, losses, keys, models);
                return dial == cascade_dial::cap ? trace_caps(cascade, scores, losses, costs, options)
                                                 : trace_thresholds(cascade, scores, losses, costs, options);
              };
              return out;
            }};
  } else {
    return {};
  }
}

/// RouterBench's cascade at one error rate: a verdict accepts answers from the .95 quantile of pooled quality on (of
/// 0-1 outcomes: right ones), and errs with probability ε, call by call.
inline routing_method routerbench_cascade(double epsilon) {
  auto out = cascade_method(detail::text("cascade/", epsilon), [epsilon](const trial_data& trial) {
    return noisy_judge(epsilon, derive_seed(trial.seed, hash_text("judge")),
                       std::min(1.0, detail::pooled_quality(trial, 0.95)));
  });
  out.about = detail::text("RouterBench's cascade, cheapest first, with a judge that errs in ", 100 * epsilon,
                           "% of calls; swept by the cap on a response");
  out.parameters = {{"epsilon", epsilon}};
  return out;
}

/// What `cascade_routing_method` sweeps and weighs.
struct cascade_routing_method_options {
  std::size_t prices = 24;        ///< settings of λ
  std::size_t deepest = 4;        ///< most LLMs asked of a prompt; 1: routing alone
  bool in_order = false;          ///< a cascade, the cheapest first
  std::size_t largest_pool = 10;  ///< LLMs that are considered: those worth their price on validation, then the best
};

namespace detail {

/// At most `most` LLMs: first those that no other beats in both mean loss and cost, then by mean loss; cheapest first.
inline std::vector<std::size_t> worth_asking(std::span<const double> losses, std::span<const double> costs,
                                             std::size_t most) {
  std::vector<std::size_t> order(losses.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto beaten = [&](std::size_t h) {
    return std::any_of(order.begin(), order.end(), [&](std::size_t o) {
      return losses[o] <= losses[h] && costs[o] <= costs[h] && (losses[o] < losses[h] || costs[o] < costs[h]);
    });
  };
  std::vector<char> behind(losses.size());
  for (std::size_t h = 0; h < losses.size(); ++h) behind[h] = beaten(h) ? 1 : 0;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return behind[a] != behind[b] ? behind[a] < behind[b] : losses[a] < losses[b];
  });
  order.resize(std::min(order.size(), most));
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return costs[a] < costs[b]; });
  return order;
}

/// Predicted losses of the unseen LLMs on prompts x, each enrolled on the validation rows given.
template <class Predictor>
loss_matrix predict_from(Predictor model, const trial_data& trial, std::span<const std::size_t> from,
                         const embedding_matrix& x) {
  std::vector<std::size_t> all(columns(trial.validation_x)), models(trial.unseen.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::iota(models.begin(), models.end(), std::size_t{0});
  const auto losses = take(trial.validation_losses, from, models);
  model.set_validation(take(trial.validation_x, from, all));
  for (std::size_t h = 0; h < trial.unseen.size(); ++h) model.enroll(trial.unseen[h], column(losses, h));
  return model.predict(x);
}

}  // namespace detail

/// Cascade routing (2410.10347) on any pool_adaptive predictor: make_predictor(trial) predicts losses before an answer,
/// make_judge(trial) scores answers, and what a score says of an LLM's quality is fitted on its validation outcomes,
/// whose predictions come from the other half of them. LLMs that nobody had seen join without a refit. Costs are the
/// means of validation before an answer, realised after it.
template <class MakePredictor, class MakeJudge>
routing_method cascade_routing_method(std::string name, MakePredictor make_predictor, MakeJudge make_judge,
                                      cascade_routing_method_options options = {}) {
  static_assert(
      pool_adaptive<std::invoke_result_t<MakePredictor&, const trial_data&>>,
      "cascade_routing_method: MakePredictor(trial) must return a pool_adaptive predictor: the LLMs of a trial "
      "were not seen when it was fitted");
  static_assert(
      detail::makes_judge<MakeJudge>,
      "cascade_routing_method: MakeJudge(trial) must return a judge: score(quality, key) -> number, larger is "
      "better");
  if constexpr (detail::makes_judge<MakeJudge> &&
                pool_adaptive<std::invoke_result_t<MakePredictor&, const trial_data&>>) {
    return {std::move(name), [make_predictor = std::move(make_predictor), make_judge = std::move(make_judge),
                              options](const trial_data& trial) {
              auto model = make_predictor(trial);
              model.fit(trial.train_x, trial.train_losses);
              const std::size_t v = rows(trial.validation_x), m = trial.unseen.size();
              std::vector<std::size_t> rows_of(v), everything(columns(trial.validation_x));
              std::iota(rows_of.begin(), rows_of.end(), std::size_t{0});
              std::iota(everything.begin(), everything.end(), std::size_t{0});
              random_engine draws(derive_seed(trial.seed, hash_text("halves of validation")));
              shuffle(std::span(rows_of), draws);
              const auto judge = make_judge(trial);
              const auto scores =
                  judge_answers(judge, trial.validation_losses, detail::judge_keys(trial.validation, v), trial.unseen);
              auto predicted = make_matrix<double>(v, m, 0.0);
              for (std::size_t half = 0; half < 2; ++half) {
                const auto cut = rows_of.begin() + static_cast<std::ptrdiff_t>(v / 2);
                std::vector<std::size_t> from(rows_of.begin(), cut), to(cut, rows_of.end());
                if (half == 1) std::swap(from, to);
                if (from.empty() || to.empty()) continue;
                const auto of = detail::predict_from(model, trial, from, take(trial.validation_x, to, everything));
                for (std::size_t i = 0; i < to.size(); ++i) {
                  for (std::size_t h = 0; h < m; ++h) predicted(to[i], h) = of(i, h);
                }
              }
              const loss_matrix mean_losses = column_means(trial.validation_losses);
              const cost_matrix mean_costs = column_means(trial.validation_costs);
              const auto pool = detail::worth_asking(row(mean_losses, 0), row(mean_costs, 0), options.largest_pool);
              std::vector<belief_update> updates;
              std::vector<double> costs;
              for (const std::size_t h : pool) {
                std::vector<double> quality, before;
                for (std::size_t i = 0; i < v; ++i) {
                  quality.push_back(1 - trial.validation_losses(i, h));
                  before.push_back(1 - predicted(i, h));
                }
                updates.push_back(fit_belief_update(quality, before, column(scores, h)));
                costs.push_back(mean_costs(0, h));
              }
              std::vector<std::size_t> whole(v);
              std::iota(whole.begin(), whole.end(), std::size_t{0});
              std::vector<std::size_t> tests(rows(trial.test_x));
              std::iota(tests.begin(), tests.end(), std::size_t{0});
              const loss_matrix on_test = detail::predict_from(model, trial, whole, trial.test_x);
              std::vector<std::size_t> one(rows(on_test));
              std::iota(one.begin(), one.end(), std::size_t{0});
              std::vector<std::pair<double, cascade_routing>> ladders;
              for (const double lambda : price_grid(costs, std::max<std::size_t>(2, options.prices))) {
                ladders.emplace_back(lambda, cascade_routing({.lambda = lambda,
                                                              .updates = updates,
                                                              .deepest = options.deepest,
                                                              .in_order = options.in_order}));
              }
              prediction out;
              out.trace = [ladders = std::move(ladders), judge, pool, costs, predictions = take(on_test, one, pool),
                           tests, models = trial.unseen, keys = detail::judge_keys(trial.test, tests.size())](
                              const loss_matrix& losses, const cost_matrix& realised, deferral_curve_options of_curve) {
                const auto all_scores = judge_answers(judge, losses, keys, models);
                const auto scores_of = take(all_scores, tests, pool);
                const auto paid = take(realised, tests, pool);
                auto estimates = make_matrix<double>(1, pool.size());
                std::copy(costs.begin(), costs.end(), estimates.begin());
                std::vector<decisions> decided;
                for (const auto& [lambda, ladder] : ladders) {
                  auto kept = run_ladder(ladder, {scores_of, paid, estimates, predictions}, lambda).kept;
                  for (auto& h : kept.choices) h = static_cast<std::uint32_t>(pool[h]);
                  decided.push_back(std::move(kept));
                }
                return trace_decisions(decided, losses, realised, of_curve);
              };
              return out;
            }};
  } else {
    return {};
  }
}

}  // namespace uniroute
