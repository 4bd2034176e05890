#pragma once

// Coverage through a router, and of all families together.

#include "coverage.hpp"

namespace theory {

/// All through the front door: tables drawn of the fitted world, a router that learns its cells, LLMs that join it, and
/// certificates of that router.
inline void count_router(const fitted_worlds& worlds, std::uint64_t seed, coverage_tally& tally) {
  ur::random_engine draws(seed);
  const auto& w = worlds.world();
  const std::size_t cells = 1 + draws.below(6), fitted = 100, enrolled = 60 + draws.below(300), held = 200;
  std::vector<std::size_t> pool(w.models());
  std::iota(pool.begin(), pool.end(), std::size_t{0});
  ur::shuffle(std::span(pool), draws);
  pool.resize(std::min<std::size_t>(pool.size(), 2 + draws.below(4)));
  const double lambda = draws.uniform();
  const auto table = ur::as_binary(w.sample(fitted + enrolled + held, seed).table);
  const auto part = [&](std::size_t from, std::size_t count) {
    std::vector<std::size_t> rows(count);
    std::iota(rows.begin(), rows.end(), from);
    return table.select(rows, pool);
  };
  const auto validation = part(fitted, enrolled);
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = cells, .seed = seed}}, ur::nearest_map{},
                    ur::shrunken_mean{}, ur::lagrangian_rule{{.lambda = lambda}}};
  router.fit(part(0, fitted).embeddings());
  router.enroll(validation, validation.model_names());
  const auto p = ur::select_models(ur::population_of(w), router.models());
  const auto labels = router.predictor_policy().map().labels(p.embeddings);
  const auto choices = router.route(p.embeddings);
  const auto truth = ur::truth_of(p, ur::one_hot(labels, cells));
  std::vector<std::uint32_t> of_cells(cells, 0);
  for (std::size_t t = 0; t < labels.size(); ++t) of_cells[labels[t]] = choices[t];
  const auto key = [&](const char* bound, const char* interval) {
    return std::string(bound) + "|" + interval + "|binary|hard|router in a fitted world";
  };
  const ur::confidence_level level{1 - delta};
  const double regret = ur::regret_to_cells(truth, ur::row(p.costs, 0), of_cells, lambda);
  const auto exact = ur::certify<ur::exact_binomial>(router, validation, level);
  tally.count(key("gap_adaptive", "exact_binomial"), regret <= exact.gap_adaptive + 1e-9);
  tally.count(key("uniform", "exact_binomial"), regret <= exact.uniform + 1e-9);
  const ur::held_out fresh{part(fitted + enrolled, held)};
  const auto made = ur::certify_held_out<bet_or_miss>(router, fresh.reused(), level);
  const auto risk = ur::risk_of(p, std::span<const std::uint32_t>(choices));
  double least = 2, least_adjusted = 2;
  for (std::uint32_t h = 0; h < p.model_count(); ++h) {
    const auto single = ur::risk_of(p, std::vector<std::uint32_t>(p.size(), h));
    least = std::min(least, single.loss);
    least_adjusted = std::min(least_adjusted, single.objective(lambda));
  }
  // The four hold at once, with probability 1 − δ.
  const bool all = inside(made.risk, risk.loss) && inside(made.adjusted_risk, risk.objective(lambda)) &&
                   inside(made.to_best_single, risk.loss - least) &&
                   inside(made.to_zero_router, risk.objective(lambda) - least_adjusted);
  tally.count(key("held_out_all", "betting"), all);
  tally.count(key("held_out_to_best_single", "betting"), inside(made.to_best_single, risk.loss - least));
  tally.count(key("held_out_to_zero_router", "betting"),
              inside(made.to_zero_router, risk.objective(lambda) - least_adjusted));
  tally.count(key("hindsight", "betting"),
              ur::regret_of(p, std::span<const std::uint32_t>(choices), lambda).regret <=
                  ur::certify_hindsight(router, fresh.reused(), level).regret.upper + 1e-12);
}

/// Worlds first … last − 1 of each family.
inline ordered_json coverage(const fitted_worlds& worlds, std::size_t first, std::size_t last, std::uint64_t seed) {
  coverage_tally tally;
  for (std::size_t i = first; i < last; ++i) {
    for (const bool graded : {false, true}) {
      const std::uint64_t of_case = ur::derive_seed(seed, 2 * i + (graded ? 1 : 0));
      count_case(random_case(of_case, graded), of_case, tally);
      count_case(fitted_case(worlds, of_case, graded), of_case, tally);
      count_case(gaussian_case(of_case, graded), of_case, tally);
      if (!graded) count_router(worlds, of_case, tally);
    }
  }
  return tally.json();
}

}  // namespace theory
