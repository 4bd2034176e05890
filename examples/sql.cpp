// SQL routing (2411.04319) as compositions: the weakest LLM that is capable, by thresholds on predicted quality with a
// named fall-back, or by one classifier of the weakest capable LLM; new LLMs join without a refit. Beside UniRoute on
// the same cells. And what a log of cascades does to labels: stronger LLMs were not run where weaker ones succeeded;
// such outcomes are missing, and reading them as failures shows here as what it costs.
// ctest: --trials 2 --validation 150 --out out

#include <algorithm>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

auto capable(ur::capability_fallback fallback) {
  return [fallback](const ur::trial_data& t) {
    return ur::router{ur::precomputed_embeddings{},
                      ur::kmeans{{.clusters = std::min<std::size_t>(25, ur::rows(t.train_x)), .seed = t.seed}},
                      ur::proximity_map{}, ur::shrunken_mean{}, ur::capability_rule{{.fallback = fallback}}};
  };
}

/// Mean costs of the LLMs that a trial asks about, in the order of `models`: seen ones by training, new ones by
/// validation.
std::vector<double> costs_of(const ur::trial_data& t, const std::vector<std::string>& models) {
  const auto means = ur::column_means(models == t.unseen ? t.validation_costs : t.train_costs);
  return {means.begin(), means.end()};
}

/// `method`, taught from labels made of outcomes and mean costs.
ur::routing_method taught(const std::string& name, const ur::routing_method& method, std::string about,
                          std::function<ur::loss_matrix(const ur::loss_matrix&, std::span<const double>)> labels) {
  ur::routing_method out = method;
  out.name = name;
  out.about = std::move(about);
  out.predict = [method, labels](const ur::trial_data& trial) {
    return ur::relabelled("labels", method,
                          [&](const ur::prompt_records&, const std::vector<std::string>& models,
                              const ur::loss_matrix& outcomes) { return labels(outcomes, costs_of(trial, models)); })
        .predict(trial);
  };
  return out;
}

ur::loss_matrix read_as_failures(ur::loss_matrix labels) {
  for (double& loss : labels) {
    if (ur::is_missing(loss)) loss = 1;
  }
  return labels;
}

/// An LLM that was asked for nothing in a censored log has nothing to be enrolled on: its labels stay.
ur::loss_matrix keep_some(ur::loss_matrix labels, const ur::loss_matrix& outcomes) {
  for (std::size_t h = 0; h < ur::columns(labels); ++h) {
    bool any = false;
    for (std::size_t i = 0; i < ur::rows(labels); ++i) any = any || !ur::is_missing(labels(i, h));
    for (std::size_t i = 0; !any && i < ur::rows(labels); ++i) labels(i, h) = outcomes(i, h);
  }
  return labels;
}

}  // namespace

int main(int argc, char** argv) {
  const auto soft = ur::methods::kmeans_soft(25);
  ur::method_list methods{ur::zero_router(), ur::best_single(), ur::cheapest(), ur::methods::tuned_knn(), soft};
  for (const auto& [name, fallback] : {std::pair("thresholds/most capable", ur::capability_fallback::most_capable),
                                       std::pair("thresholds/dearest", ur::capability_fallback::dearest),
                                       std::pair("thresholds/cheapest", ur::capability_fallback::cheapest)}) {
    methods.push_back(ur::described(ur::router_method(name, capable(fallback)),
                                    "the cheapest LLM whose predicted quality reaches a threshold, which is swept"));
  }
  methods.push_back(
      taught("classifier", soft,
             "learns which LLM is the weakest capable one, as the chance that it is at most as strong as each",
             [](const ur::loss_matrix& outcomes, std::span<const double> costs) {
               return ur::weakest_capable_labels(outcomes, costs);
             }));
  methods.push_back(taught("censored/missing", soft, "soft cells from a cascade's log: what was not run is missing",
                           [](const ur::loss_matrix& outcomes, std::span<const double> costs) {
                             return keep_some(ur::censored_outcomes(outcomes, costs), outcomes);
                           }));
  methods.push_back(taught("censored/as failures", soft, "the same log, what was not run read as failures",
                           [](const ur::loss_matrix& outcomes, std::span<const double> costs) {
                             return read_as_failures(ur::censored_outcomes(outcomes, costs));
                           }));
  methods.push_back(taught("censored/classifier", soft,
                           "the same log, labels of the weakest capable LLM, which it shows",
                           [](const ur::loss_matrix& outcomes, std::span<const double> costs) {
                             return ur::weakest_capable_labels(ur::censored_outcomes(outcomes, costs), costs);
                           }));
  return ur::run_comparison(argc, argv,
                            {.title = "The weakest capable LLM",
                             .methods = methods,
                             .focus = "thresholds/most capable",
                             .against = {"zero_router", soft.name, "classifier"},
                             .job = "sql"});
}
