#pragma once

// What regret is made of: approximation, optimisation and estimation of a learned map; heterogeneity as a dial; and
// where labels would help.

#include <map>

#include "worlds.hpp"

namespace theory {

inline constexpr double parts_lambda = 0.1;  ///< where the dearest LLM costs .5

/// Every third LLM of a fitted world has not been seen when the map is learned.
struct learning_pools {
  std::vector<std::string> seen, unseen;

  explicit learning_pools(const ur::discrete_world& w) {
    for (std::size_t h = 0; h < w.models(); ++h) (h % 3 == 1 ? unseen : seen).push_back(w.model_names()[h]);
  }
};

inline ur::routing_table only(const ur::routing_table& table, const std::vector<std::string>& names, std::size_t first,
                              std::size_t count) {
  std::vector<std::size_t> rows(count), models;
  std::iota(rows.begin(), rows.end(), first);
  for (const auto& name : names) models.push_back(table.model_index(name));
  return table.select(rows, models);
}

/// Sums of parts over samples.
struct mean_parts {
  ur::regret_parts sum;
  double bound = 0, n = 0, worst_identity = 0;

  void add(const ur::regret_parts& p, double bound_of_it) {
    n += 1;
    sum.approximation += p.approximation;
    sum.optimisation += p.optimisation;
    sum.estimation += p.estimation;
    sum.regret += p.regret;
    bound += bound_of_it;
    worst_identity = std::max(worst_identity, std::fabs(p.approximation + p.optimisation + p.estimation - p.regret));
  }
  ordered_json json(const std::string& map, std::size_t clusters, std::size_t training) const {
    return {{"map", map},
            {"clusters", clusters},
            {"training_prompts", training},
            {"approximation", sum.approximation / n},
            {"optimisation", sum.optimisation / n},
            {"estimation", sum.estimation / n},
            {"regret", sum.regret / n},
            {"bound", bound / n},
            {"identity_error", worst_identity}};
  }
};

template <class Map>
auto fit_router(Map map, std::size_t clusters, std::uint64_t seed, const ur::routing_table& train,
                const ur::routing_table& validation) {
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = clusters, .seed = seed}}, std::move(map),
                    ur::cell_mean{}, ur::lagrangian_rule{{.lambda = parts_lambda}}};
  router.fit(train);
  router.enroll(validation, validation.model_names());
  return router;
}

/// θ so steep that memberships are those of the nearest centroid.
inline ur::matrix<double> steep_weights(const ur::embedding_matrix& centroids) {
  constexpr double steep = 1e4;
  const std::size_t d = ur::columns(centroids);
  auto out = ur::make_matrix<double>(ur::rows(centroids), d + 1, 0.0);
  for (std::size_t k = 0; k < ur::rows(centroids); ++k) {
    for (std::size_t j = 0; j < d; ++j) {
      const double c = static_cast<double>(centroids(k, j));
      out(k, j) = 2 * steep * c;
      out(k, d) -= steep * c * c;
    }
  }
  return out;
}

/// The same map with more cells: every one as often as it takes, and by that much less likely.
inline ur::matrix<double> split_cells(const ur::matrix<double>& theta, std::size_t cells) {
  const std::size_t from = ur::rows(theta), f = ur::columns(theta);
  auto out = ur::make_matrix<double>(cells, f);
  for (std::size_t k = 0; k < cells; ++k) {
    const std::size_t copies = cells / from + (k % from < cells % from ? 1 : 0);
    for (std::size_t j = 0; j < f; ++j) out(k, j) = theta(k % from, j);
    out(k, f - 1) -= std::log(static_cast<double>(copies));
  }
  return out;
}

/// Three maps with K cells, learned from samples of the fitted world, beside the best softmax map that a search over
/// the truth finds: each map's regret in three parts. The search starts from what was learned, too, so that no
/// optimisation part is negative; by how much the best found is above the infimum is not known, and what doubling the
/// number of starts gained is printed for it.
/// `best_weights` holds θ of the best with fewer cells, or nothing, and then that of the best found here.
inline ordered_json learned_parts(const fitted_worlds& worlds, std::size_t clusters, std::size_t samples,
                                  std::uint64_t seed, ur::matrix<double>& best_weights) {
  const auto& w = worlds.world();
  const learning_pools pools(w);
  const auto p = ur::population_of(w);
  constexpr std::size_t validation_prompts = 400;
  struct fitted_map {
    std::string name;
    std::size_t training;
    ur::membership_matrix phi;
    ur::matrix<double> profiles;
  };
  std::vector<fitted_map> fitted;
  const bool quick = samples == 1;
  ur::map_search_options search{
      .starts = 4 * samples, .climbs = quick ? 50u : 300u, .steps = quick ? 15u : 60u, .seed = seed};
  const auto pool = ur::select_models(p, pools.unseen);
  const auto keep = [&](const char* name, std::size_t training, const auto& router) {
    const auto& predictor = router.predictor_policy();
    const auto losses = predictor.profile_losses();
    auto profiles = ur::make_matrix<double>(ur::columns(losses), ur::rows(losses));
    for (std::size_t i = 0; i < profiles.size(); ++i)
      profiles.data()[i] = losses(i % ur::rows(losses), i / ur::rows(losses));
    fitted.push_back({name, training, ur::memberships(predictor.map(), p.embeddings), std::move(profiles)});
  };
  for (std::size_t s = 0; s < samples; ++s) {
    const std::uint64_t of_sample = ur::derive_seed(seed, s);
    for (const std::size_t training : {300, 1000, 10000}) {
      const auto table = w.sample(training + validation_prompts, of_sample).table;
      const auto train = only(table, pools.seen, 0, training);
      const auto validation = only(table, pools.unseen, training, validation_prompts);
      const auto learned = fit_router(ur::learned_map{}, clusters, of_sample, train, validation);
      keep("learned", training, learned);
      search.given.push_back(learned.predictor_policy().map().weights());
      if (training != 1000) continue;
      const auto start = fit_router(ur::learned_map{{.max_steps = 0}}, clusters, of_sample, train, validation);
      keep("proximity", training, start);
      search.given.push_back(start.predictor_policy().map().weights());
      const auto hard = fit_router(ur::nearest_map{}, clusters, of_sample, train, validation);
      keep("hard", training, hard);
      search.given.push_back(steep_weights(hard.predictor_policy().clustering_policy().centroids()));
    }
  }
  if (best_weights.size() != 0) search.given.push_back(split_cells(best_weights, clusters));
  const auto best = ur::search_softmax_maps(pool, clusters, parts_lambda, search);
  best_weights = best.weights;
  std::map<std::pair<std::string, std::size_t>, mean_parts> sums;
  for (const auto& f : fitted) {
    const auto parts = ur::take_apart(pool, f.phi, f.profiles, parts_lambda, &best.memberships);
    const auto terms = ur::approximation_of(pool, f.phi);
    sums[{f.name, f.training}].add(parts, std::min(terms.range, terms.one_sided) + parts.estimation_bound);
  }
  ordered_json out{{"clusters", clusters},      {"models", pool.model_count()},  {"samples", samples},
                   {"best_found", best.regret}, {"starts", best.regrets.size()}, {"rows", ordered_json::array()}};
  // Every other start, as if only half of them had been made.
  double half = 1, second = 1;
  for (std::size_t i = 0; i < best.regrets.size(); ++i) {
    if (i % 2 == 0) half = std::min(half, best.regrets[i]);
    if (best.regrets[i] > best.regret) second = std::min(second, best.regrets[i]);
  }
  // The best map for the LLMs that learning can see, used for those it cannot.
  auto for_seen = search;
  for_seen.given.clear();
  for_seen.seed = ur::derive_seed(seed, 1);
  const auto other = ur::search_softmax_maps(ur::select_models(p, pools.seen), clusters, parts_lambda, for_seen);
  out["best_for_seen"] =
      ur::take_apart(pool, other.memberships, ur::truth_of(pool, other.memberships).profiles, parts_lambda).regret;
  out["best_of_half_the_starts"] = half;
  out["second_best"] = std::min(second, 1.0);
  for (const auto& [key, value] : sums) out["rows"].push_back(value.json(key.first, clusters, key.second));
  return out;
}

/// The same for a rising sequence of K; maps with fewer cells are among those with more.
inline ordered_json learned_parts(const fitted_worlds& worlds, const std::vector<std::size_t>& clusters,
                                  std::size_t samples, std::uint64_t seed) {
  ordered_json out = ordered_json::array();
  auto best = ur::make_matrix<double>(0, 0);
  for (const std::size_t k : clusters) out.push_back(learned_parts(worlds, k, samples, seed, best));
  return out;
}

/// Ten hard cells of the fitted world, with what differs inside them scaled from none to all.
inline ordered_json heterogeneity_dial(const fitted_worlds& worlds, std::size_t samples, std::uint64_t seed) {
  constexpr std::size_t cells = 10, n = 1000;
  const auto labels = worlds.cells_of(cells, 1);
  ordered_json out{{"n", n}, {"clusters", cells}, {"rows", ordered_json::array()}};
  for (const double share : {0.0, 0.1, 0.25, 0.5, 0.75, 1.0}) {
    const known_world w({ur::with_heterogeneity(worlds.world(), labels, share), labels, cells});
    double regret = 0, estimation = 0, gap = 0, deviation = 0;
    for (std::size_t t = 0; t < samples; ++t) {
      const auto s = w.sample(n, ur::derive_seed(seed, t));
      const auto choices = w.choices(s, parts_lambda);
      regret += w.total_regret(choices, parts_lambda).regret / static_cast<double>(samples);
      estimation += w.estimation_regret(choices, parts_lambda) / static_cast<double>(samples);
      gap += ur::certify_counts<ur::exact_binomial>(s, choices, w.costs(), parts_lambda, delta).gap_adaptive /
             static_cast<double>(samples);
    }
    for (std::size_t i = 0; i < w.p.size(); ++i) {
      for (std::size_t h = 0; h < w.p.model_count(); ++h)
        deviation += w.p.weights[i] * std::pow(w.p.expected_losses(i, h) - w.truth.profiles(labels[i], h), 2) /
                     static_cast<double>(w.p.model_count());
    }
    const auto terms = ur::approximation_of(w.p, w.phi);
    out["rows"].push_back({{"share", share},
                           {"true_deviation", std::sqrt(deviation)},
                           {"regret", regret},
                           {"approximation", ur::take_apart(w.p, w.phi, w.truth.profiles, parts_lambda).approximation},
                           {"estimation", estimation},
                           {"one_sided", terms.one_sided},
                           {"absolute", terms.absolute},
                           {"gap_adaptive", gap}});
  }
  return out;
}

/// The near-neighbour estimate of heterogeneity beside the truth, in the simulated world, whose dial it has of its own.
inline ordered_json heterogeneity_estimates(std::size_t samples, std::uint64_t seed) {
  constexpr std::size_t n = 1000;
  ordered_json out{{"n", n}, {"samples", samples}, {"rows", ordered_json::array()}};
  for (const double heterogeneity : {0.0, 0.25, 0.5, 1.0, 2.0}) {
    const ur::simulated_world w{{.dimension = 4, .heterogeneity = heterogeneity}};
    std::vector<double> estimates, truths;
    for (std::size_t t = 0; t < samples; ++t) {
      const auto drawn = w.sample(n, ur::derive_seed(seed, t));
      estimates.push_back(
          ur::estimate_heterogeneity({drawn.cells, drawn.table.losses(), w.cells()}, drawn.table.embeddings())
              .typical_deviation);
      // γ* itself is a loss whose cells' squares are known.
      const auto s = ur::summarise({drawn.cells, drawn.expected_losses, w.cells()});
      const auto means = ur::cell_means(s);
      double variance = 0;
      for (std::size_t k = 0; k < w.cells(); ++k) {
        for (std::size_t h = 0; h < w.models(); ++h)
          variance += s.squares(k, h) - s.counts(k, h) * means(k, h) * means(k, h);
      }
      truths.push_back(std::sqrt(std::max(0.0, variance) / static_cast<double>(n * w.models())));
    }
    out["rows"].push_back({{"heterogeneity", heterogeneity},
                           {"true_deviation", mean(truths)},
                           {"estimate_median", quantile(estimates, 0.5)},
                           {"estimate_p10", quantile(estimates, 0.1)},
                           {"estimate_p90", quantile(estimates, 0.9)}});
  }
  return out;
}

/// One certificate looked into: which cells it comes from, and how many labels of whom would bring every gap to .1.
inline ordered_json where_labels_help(const fitted_worlds& worlds, std::uint64_t seed) {
  constexpr std::size_t cells = 6, models = 6, n = 500;
  constexpr double width = 0.1;
  const known_world w(worlds.draw(models, cells, 1, ur::derive_seed(seed, 1)));
  const auto s = w.sample(n, seed);
  const auto choices = w.choices(s, parts_lambda);
  const auto made = ur::certify_counts<ur::exact_binomial>(s, choices, w.costs(), parts_lambda, delta);
  const auto more = ur::more_labels<ur::exact_binomial>(made, width);
  ordered_json out{{"n", n},
                   {"width", width},
                   {"gap_adaptive", made.gap_adaptive},
                   {"regret", w.estimation_regret(choices, parts_lambda)},
                   {"cells", ordered_json::array()}};
  for (const auto& part : ur::contributions(made)) {
    std::size_t labels = 0;
    bool reachable = true;
    for (std::size_t h = 0; h < models; ++h) {
      reachable = reachable && more(part.cell, h) != ur::unreachable;
      if (reachable) labels += more(part.cell, h);
    }
    out["cells"].push_back({{"cell", part.cell},
                            {"prompts", s.prompts[part.cell]},
                            {"contribution", part.amount},
                            {"choice", w.p.models[choices[part.cell]]},
                            {"rival", w.p.models[part.model]},
                            {"more_labels", reachable ? ordered_json(labels) : ordered_json(nullptr)}});
  }
  return out;
}

/// Labels per LLM planned for a width before any is bought, and the width of certificates made with as many.
inline ordered_json planning(std::size_t worlds, std::uint64_t seed) {
  constexpr std::size_t models = 10;
  constexpr double width = 0.2;
  const ur::confidence_level level{1 - delta};
  ordered_json out{{"width", width}, {"models", models}, {"worlds", worlds}, {"rows", ordered_json::array()}};
  for (const std::size_t cells : {1, 3, 10, 30, 100}) {
    const std::size_t planned = ur::labels_for_width<ur::exact_binomial>(width, cells, models, level);
    std::vector<double> reached;
    for (std::size_t i = 0; i < worlds; ++i) {
      const std::uint64_t of_world = ur::derive_seed(seed, i);
      const known_world w(ur::random_cells({.cells = cells, .models = models, .seed = of_world}));
      const auto s = w.sample(planned, of_world);
      reached.push_back(ur::certify_counts<ur::exact_binomial>(s, w.choices(s, parts_lambda), w.costs(), parts_lambda,
                                                               delta, w.truth.shares)
                            .estimation);
    }
    out["rows"].push_back({{"clusters", cells},
                           {"hoeffding", ur::labels_for_width<ur::hoeffding>(width, cells, models, level)},
                           {"exact_binomial", planned},
                           {"exact_binomial_mean_0.1",
                            ur::labels_for_width<ur::exact_binomial>(width, cells, models, level, {.mean = 0.1})},
                           {"median_width_reached", quantile(reached, 0.5)},
                           {"p90_width_reached", quantile(reached, 0.9)}});
  }
  return out;
}

}  // namespace theory
