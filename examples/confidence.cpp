// Confidence-driven routing (2502.11021) as a composition: which of two LLMs is surer of its answers, by semantic
// entropy over samples, labels the training prompts; preference routers learn from these labels, and are judged by
// outcomes. Beside them the same routers taught from outcomes, and a self-consistency cascade (2310.03094), which asks
// the weak LLM first and stops where its samples agree. For a table with samples.jsonl: the cheapest and the best LLM
// that have samples.
// ctest: --trials 2 --validation 150 --out out

#include <algorithm>
#include <memory>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/files.hpp>
#include <uniroute/ladders.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// How sure each LLM is of each prompt; filled when the table is opened, before any trial.
struct certainty {
  ur::recorded_scores entropy;    ///< semantic entropy of its samples
  ur::recorded_scores agreement;  ///< share of the samples that agree with most
  std::string weak, strong;
};

void measure(certainty& to, const ur::answer_samples& samples) {
  for (const auto& [key, cell] : samples) {
    const auto clusters = ur::meaning_clusters(std::span(cell.answers), ur::normalised_answers{});
    to.entropy.set(key.first, key.second, ur::semantic_entropy(clusters));
    to.agreement.set(key.first, key.second, ur::self_consistency(clusters));
  }
}

/// Several answers a prompt and LLM in a world: the right one as often as the LLM is right, else one of four wrong
/// ones.
ur::answer_samples draw_samples(const ur::routing_table& table, const ur::loss_matrix& expected, std::uint64_t seed) {
  ur::answer_samples out;
  ur::random_engine draws(seed);
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t h = 0; h < table.model_count(); ++h) {
      auto& cell = out[{std::string(table.ids()[i]), table.models()[h].name}];
      for (int s = 0; s < 10; ++s) {
        const bool right = draws.uniform() >= expected(i, h);
        cell.answers.push_back(right ? "right" : "wrong " + std::to_string(draws.below(4)));
        cell.qualities.push_back(right ? 1 : 0);
      }
    }
  }
  return out;
}

/// The table of two LLMs: the cheapest and the most accurate of those with samples on half of the prompts or more.
ur::experiment_source open_pair(const ur::comparison_settings& s, certainty& to) {
  ur::experiment_source from = ur::open_experiment(s);
  const auto& table = from.table;
  const auto samples = s.data.empty() ? draw_samples(table, from.expected, s.seed) : ur::read_samples(s.data, table);
  measure(to, samples);
  std::vector<std::size_t> with;
  for (std::size_t h = 0; h < table.model_count(); ++h) {
    double many = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto found = samples.find({std::string(table.ids()[i]), table.models()[h].name});
      many += found != samples.end() && found->second.answers.size() >= 3 ? 1 : 0;
    }
    if (many >= 0.5 * static_cast<double>(table.size())) with.push_back(h);
  }
  ur::detail::require(with.size() >= 2, "confidence: ", with.size(), " LLMs of table '", table.name(),
                      "' have three samples or more on half of the prompts (samples.jsonl), but must be at least 2");
  const auto losses = ur::column_means(table.losses());
  const auto costs = ur::column_means(table.costs());
  std::size_t weak = with[0], strong = with[0];
  for (const std::size_t h : with) {
    if (costs(0, h) < costs(0, weak)) weak = h;
    if (losses(0, h) < losses(0, strong)) strong = h;
  }
  ur::detail::require(weak != strong, "confidence: the cheapest LLM with samples, '", table.models()[weak].name,
                      "', is also the best, but there must be two to choose from");
  to.weak = table.models()[weak].name;
  to.strong = table.models()[strong].name;
  std::printf("weak: %s; strong: %s\n", to.weak.c_str(), to.strong.c_str());
  std::vector<std::size_t> all(table.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const std::vector<std::size_t> pair{weak, strong};
  if (from.expected.size() != 0) from.expected = ur::take(from.expected, all, pair);
  from.table = table.select(all, pair);
  return from;
}

/// 0 for the LLM that confidence prefers, 1 for the other, 1/2 each for a tie; missing where there are no samples.
ur::label_source by_confidence(std::shared_ptr<const certainty> sure, double tau) {
  return [sure, tau](const ur::prompt_records& prompts, const std::vector<std::string>& models,
                     const ur::loss_matrix& outcomes) {
    ur::loss_matrix out = outcomes;
    for (std::size_t i = 0; i < ur::rows(out); ++i) {
      const double s = sure->entropy.at(prompts.ids[i], sure->strong), w = sure->entropy.at(prompts.ids[i], sure->weak);
      for (std::size_t h = 0; h < models.size(); ++h) {
        out(i, h) = ur::missing;
        if (ur::is_missing(s) || ur::is_missing(w)) continue;
        const auto preferred = ur::prefer_by_confidence(s, w, tau);
        out(i, h) = preferred == ur::preference::tie                                       ? 0.5
                    : (preferred == ur::preference::strong) == (models[h] == sure->strong) ? 0
                                                                                           : 1;
      }
    }
    return out;
  };
}

/// The router taught by confidence, τ chosen on the validation prompts' outcomes: half of the training prompts teach,
/// the other half are what the LLMs are enrolled on. The paper does not publish its τ.
ur::routing_method confident(const std::string& name, ur::routing_method method,
                             std::shared_ptr<const certainty> sure) {
  ur::routing_method out = method;
  out.name = name;
  out.about = "taught which LLM is surer (semantic entropy), not which is right: " + method.name;
  out.predict = [method, sure](const ur::trial_data& trial) {
    double best = -1, chosen = 0;
    ur::trial_data inner = trial;
    const std::size_t n = ur::rows(trial.train_x), half = n / 2;
    std::vector<std::size_t> first, second, dims(ur::columns(trial.train_x)), models(trial.seen.size());
    // Rows of tables are sorted: halves are drawn.
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    ur::random_engine draws(ur::derive_seed(trial.seed, ur::hash_text("halves of training")));
    ur::shuffle(std::span(order), draws);
    for (std::size_t i = 0; i < n; ++i) (i < half ? first : second).push_back(order[i]);
    for (std::size_t d = 0; d < dims.size(); ++d) dims[d] = d;
    for (std::size_t h = 0; h < models.size(); ++h) models[h] = h;
    inner.train_x = ur::take(trial.train_x, first, dims);
    inner.train_losses = ur::take(trial.train_losses, first, models);
    inner.train_costs = ur::take(trial.train_costs, first, models);
    inner.train = trial.train.select(first);
    inner.validation_x = ur::take(trial.train_x, second, dims);
    inner.validation_losses = ur::take(trial.train_losses, second, models);
    inner.validation_costs = ur::take(trial.train_costs, second, models);
    inner.validation = trial.train.select(second);
    inner.test_x = trial.validation_x;
    inner.test = trial.validation;
    const auto pool = ur::range_of(ur::single_models(trial.validation_losses, trial.validation_costs));
    for (const double tau : {0.0, 0.1, 0.25, 0.5, 0.75}) {
      const auto p = ur::relabelled("inner", method, by_confidence(sure, tau)).predict(inner);
      const auto curve = ur::trace_prediction(p, trial.validation_losses, trial.validation_costs);
      const double area = ur::normalised_area(ur::curve_function(curve, pool)).value_or(0);
      if (area <= best) continue;
      best = area;
      chosen = tau;
    }
    auto p = ur::relabelled("outer", method, by_confidence(sure, chosen)).predict(trial);
    p.chosen = ur::detail::text("tau = ", chosen);
    return p;
  };
  return out;
}

/// RouteLLM's metrics, of the pair: the strong LLM is the most accurate of validation.
ur::metric apgr(const ur::curve_view& v) {
  return ur::average_gap_recovered(v.function(), v.pool().cheapest_quality, v.reference_quality());
}
template <int Percent>
ur::metric cpt(const ur::curve_view& v) {
  return ur::call_performance_threshold(v.function(), v.pool().cheapest_quality, v.reference_quality(),
                                        Percent / 100.0);
}

}  // namespace

int main(int argc, char** argv) {
  const auto sure = std::make_shared<certainty>();
  const auto knn = ur::methods::knn(40);
  auto cascade = ur::cascade_method(
      "self_consistency", [sure](const ur::trial_data&) { return sure->agreement; }, ur::cascade_dial::threshold);
  cascade.about = "asks the weak LLM first, and stops where its samples agree; the samples are paid as one answer";
  auto by_entropy = ur::cascade_method(
      "semantic_entropy",
      [sure](const ur::trial_data&) {
        struct less_entropy {
          std::shared_ptr<const certainty> of;
          double score(double quality, std::uint64_t key) const { return -of->entropy.score(quality, key); }
        };
        return less_entropy{sure};
      },
      ur::cascade_dial::threshold);
  by_entropy.about = "the same, stopping where the semantic entropy is small";
  ur::method_list methods{ur::zero_router(),
                          ur::best_single(),
                          ur::cheapest(),
                          knn,
                          ur::methods::mlp(),
                          ur::methods::matrix_factorisation(),
                          confident("confidence/knn", knn, sure),
                          confident("confidence/mlp", ur::methods::mlp(), sure),
                          confident("confidence/mf", ur::methods::matrix_factorisation(), sure),
                          cascade,
                          by_entropy};
  ur::comparison_settings settings;
  settings.static_pool = true;
  return ur::run_comparison(argc, argv,
                            {.title = "Routing by confidence",
                             .methods = methods,
                             .focus = "confidence/knn",
                             .against = {"zero_router", knn.name, "self_consistency"},
                             .metrics = {{"apgr", "APGR", apgr},
                                         {"cpt_50", "CPT(50%)", cpt<50>, ur::metric_summary::when_reached},
                                         {"cpt_80", "CPT(80%)", cpt<80>, ur::metric_summary::when_reached}},
                             .job = "confidence"},
                            settings, [sure](const ur::comparison_settings& s) { return open_pair(s, *sure); });
}
