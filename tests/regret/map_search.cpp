// What a learned map could have been, and what it lost: the search for the best map, and the parts of a router's
// regret.
#include <catch2/catch.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/learned_map.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/regret/map_search.hpp>
#include <uniroute/route/router.hpp>
#include <uniroute/world/adversarial_worlds.hpp>
#include <uniroute/world/fit_world.hpp>
#include <uniroute/world/random_worlds.hpp>
#include <uniroute/world/simulated_world.hpp>

namespace ur = uniroute;

namespace {

double regret_of_map(const ur::population& p, const ur::membership_matrix& phi, double lambda) {
  return ur::take_apart(p, phi, ur::truth_of(p, phi).profiles, lambda).regret;
}

/// Φ of K = 2 cells on a line, from the log-odds of the second.
ur::membership_matrix sigmoid_map(const ur::population& p, double slope, double middle) {
  auto phi = ur::make_matrix<double>(p.size(), 2);
  for (std::size_t i = 0; i < p.size(); ++i) {
    phi(i, 1) = 1 / (1 + std::exp(-slope * (static_cast<double>(p.embeddings(i, 0)) - middle)));
    phi(i, 0) = 1 - phi(i, 1);
  }
  return phi;
}

/// A world of 300 prompts and 12 LLMs with the shape of a table, and one cost per LLM.
ur::discrete_world fitted_world() {
  auto table = ur::simulated_world{{.dimension = 8}}.sample(300, 3).table;
  std::vector<std::size_t> prompts(300), models(12);
  for (std::size_t i = 0; i < 300; ++i) prompts[i] = i;
  for (std::size_t h = 0; h < 12; ++h) models[h] = 2 * h;
  return ur::fit_world(table.select(prompts, models), {.logit_spread = 3});
}

/// The table with these LLMs alone.
ur::routing_table only(const ur::routing_table& table, const std::vector<std::string>& names) {
  std::vector<std::size_t> prompts(table.size()), models;
  for (std::size_t i = 0; i < prompts.size(); ++i) prompts[i] = i;
  for (const auto& name : names) models.push_back(table.model_index(name));
  return table.select(prompts, models);
}

}  // namespace

TEST_CASE("the gradient of the soft objective is that of differences") {
  const auto cells = ur::random_cells({.cells = 4, .models = 3, .heterogeneity = 1, .seed = 4});
  const auto p = ur::population_of(cells.world);
  ur::detail::soft_plug_in objective(p, 3, .3);
  objective.softness = .2;
  ur::random_engine draws(1);
  std::vector<double> theta(9), gradient(9), ignored(9);
  for (double& value : theta) value = .1 * draws.normal();
  objective(theta, gradient);
  for (std::size_t j = 0; j < theta.size(); ++j) {
    constexpr double step = 1e-5;
    auto up = theta, down = theta;
    up[j] += step;
    down[j] -= step;
    CHECK(gradient[j] ==
          Approx((objective(up, ignored) - objective(down, ignored)) / (2 * step)).epsilon(1e-5).margin(1e-9));
  }
}

TEST_CASE("two cells on a line: the search is not behind a grid over all maps, and says what it found") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const auto p = ur::population_of(ur::smooth_line({.types = 40, .models = 4, .seed = seed}));
    double least = 1;
    for (const double slope : {4.0, 16.0, 64.0, 256.0}) {
      for (int step = 0; step <= 40; ++step)
        least = std::min(least, regret_of_map(p, sigmoid_map(p, slope, step / 40.0), .3));
    }
    const auto found = ur::search_softmax_maps(p, 2, .3, {.starts = 12, .seed = seed});
    CHECK(found.regret <= least + 1e-12);
    CHECK(found.regret == Approx(regret_of_map(p, found.memberships, .3)).margin(1e-15));
    CHECK(found.regrets.size() == 12);
    CHECK(*std::min_element(found.regrets.begin(), found.regrets.end()) == found.regret);
    // The weights are those of the memberships, and a start of their own that cannot get worse.
    const auto again = ur::search_softmax_maps(p, 2, .3, {.starts = 0, .steps = 1, .given = {found.weights}});
    CHECK(again.regret <= found.regret);
    // One cell is the rule that does not look at the prompt, and more cells contain fewer.
    const auto one = ur::search_softmax_maps(p, 1, .3, {.starts = 1});
    CHECK(one.regret == Approx(regret_of_map(p, ur::make_matrix<double>(p.size(), 1, 1.0), .3)).margin(1e-15));
    CHECK(found.regret <= one.regret + 1e-12);
  }
}

TEST_CASE("a learned map's regret is approximation + optimisation + estimation, each of them measured") {
  const auto w = fitted_world();
  const auto p = ur::population_of(w);
  const double lambda = .3 / *std::max_element(p.costs.begin(), p.costs.end());
  std::vector<std::string> seen, unseen;
  for (std::size_t h = 0; h < w.models(); ++h) (h % 3 == 0 ? unseen : seen).push_back(p.models[h]);
  const auto pool = ur::select_models(p, unseen);
  double optimisation_of_long = 0, optimisation_of_short = 0;
  for (const std::size_t prompts : {100, 1000}) {
    const auto train = w.sample(prompts, 1).table, validation = w.sample(200, 2).table;
    ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 4}}, ur::learned_map{}, ur::cell_mean{},
                      ur::lagrangian_rule{{.lambda = lambda}}};
    router.fit(only(train, seen));
    router.enroll(validation, unseen);
    const auto& map = router.predictor_policy().map();
    const auto phi = map.memberships(p.embeddings);
    // θ of the learned map gives its memberships.
    const auto theta = map.weights();
    for (const std::size_t i : {0, 17, 299}) {
      std::vector<double> scores(4);
      for (std::size_t k = 0; k < 4; ++k) {
        scores[k] = -theta(k, 8);
        for (std::size_t j = 0; j < 8; ++j) scores[k] -= theta(k, j) * static_cast<double>(p.embeddings(i, j));
      }
      ur::detail::softmax_of_scores(scores, 1);
      for (std::size_t k = 0; k < 4; ++k) CHECK(scores[k] == Approx(phi(i, k)).margin(1e-9));
    }
    const auto best =
        ur::search_softmax_maps(pool, 4, lambda, {.starts = 2, .climbs = 100, .steps = 15, .given = {theta}});
    const auto parts = ur::take_apart(p, router, lambda, &best.memberships);
    CHECK(parts.regret == Approx(ur::regret_of(p, router, lambda).regret).margin(1e-14));
    CHECK(parts.approximation + parts.optimisation + parts.estimation == Approx(parts.regret).margin(1e-14));
    CHECK(parts.approximation == best.regret);
    CHECK(parts.approximation >= 0);
    CHECK(parts.optimisation >= -1e-15);  // the learned map was a start
    // docs/theory.md, section 5: what bounds them.
    const double range = ur::approximation_of(pool, phi).range;
    CHECK(parts.approximation + parts.optimisation <= range + 1e-12);
    CHECK(parts.approximation <= ur::approximation_of(pool, best.memberships).range + 1e-12);
    CHECK(parts.regret <= range + parts.estimation_bound + 1e-12);
    (prompts == 100 ? optimisation_of_short : optimisation_of_long) = parts.optimisation;
  }
  CHECK(optimisation_of_short > 0);
  CHECK(optimisation_of_long > 0);
}

TEST_CASE("soft maps: an estimate that is off by an infinitesimal may gain 2t, so that it has no bound of its own") {
  const auto w = ur::soft_counterexample({.lean = .01, .advantage = .1});
  const auto p = ur::population_of(w.world);
  const auto truth = ur::truth_of(p, w.memberships, w.given_cell);
  auto swapped = truth.profiles;  // the other side of the tie
  for (std::size_t k = 0; k < 2; ++k) std::swap(swapped(k, 0), swapped(k, 1));
  const auto parts = ur::take_apart(p, w.memberships, swapped, 0, nullptr, w.given_cell);
  CHECK(parts.approximation == Approx(.2).margin(1e-7));
  CHECK(parts.regret == Approx(0).margin(1e-7));
  CHECK(parts.estimation == Approx(-.2).margin(1e-7));
  CHECK(parts.estimation_bound < 1e-8);
  // What is bounded is their sum.
  CHECK(parts.regret <= ur::approximation_of(p, w.memberships, w.given_cell).range + parts.estimation_bound);
}

TEST_CASE("hard cells have no optimisation part, and the search refuses what makes no sense") {
  const auto w = fitted_world();
  const auto p = ur::population_of(w);
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 5}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = 0}}};
  router.fit(w.sample(200, 1).table);
  router.enroll(w.sample(100, 2).table, p.models);
  const auto parts = ur::take_apart(p, router, 0);
  CHECK(parts.optimisation == 0);
  CHECK(parts.estimation >= 0);
  CHECK(parts.estimation <= parts.estimation_bound + 1e-12);
  CHECK(parts.regret == Approx(ur::regret_of(p, router, 0).regret).margin(1e-14));
  CHECK_THROWS_WITH(ur::search_softmax_maps(p, 0, 0), Catch::Contains("cells is 0, but must be at least 1"));
  CHECK_THROWS_WITH(ur::search_softmax_maps(p, 2, 0, {.starts = 0}), Catch::Contains("starts is 0"));
  CHECK_THROWS_WITH(ur::search_softmax_maps(p, 2, 0, {.given = {ur::make_matrix<double>(2, 3)}}),
                    Catch::Contains("a given start is 2 x 3, but must be 2 x 9"));
  CHECK_THROWS_WITH(ur::search_softmax_maps(p, 1, 0, {.given = {ur::make_matrix<double>(1, 9, std::nan(""))}}),
                    Catch::Contains("search_softmax_maps: a given start(0, 0) is nan, but must be finite"));
  CHECK_THROWS_AS(ur::search_softmax_maps(p, 2, -1), std::invalid_argument);
}
