// A ladder against the best rule of a class: the same as a router where it asks one LLM, and how often it holds.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/bound/certify_ladder.hpp>
#include <uniroute/ladders.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

TEST_CASE("a ladder of one step is certified as the router that it is") {
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(900, 5).table;
  const auto split = ur::split(table, {.seed = 2});
  ur::router router{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 30}}, ur::lagrangian_rule{{.lambda = 2}}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  ur::kmeans cells{{.clusters = 5}};
  cells.fit(split.train.embeddings());
  double largest = 0;
  for (const double c : table.costs()) largest = std::max(largest, c);
  const ur::certify_against_options options{.lambda = 2, .largest_cost = largest};
  const ur::confidence_level level{.9};
  ur::ladder_run run;
  run.kept.choices = router.route(split.test.embeddings());
  for (std::size_t i = 0; i < split.test.size(); ++i)
    run.kept.costs.push_back(split.test.costs()(i, split.test.model_index(router.models()[run.kept.choices[i]])));
  const ur::held_out sample{split.test};
  const auto both = [&](const auto& against) {
    const auto a = ur::certify_against(router, sample.reused(), against, level, options);
    const auto b = ur::certify_ladder(run, router.models(), sample.reused(), against, level, options);
    CHECK(b.bound == Approx(a.bound).margin(2e-6));
    CHECK(b.difference == Approx(a.difference).margin(1e-9));
    CHECK(b.comparator == a.comparator);
    CHECK(b.trivial == Approx(a.trivial));
  };
  both(ur::against::best_single{});
  both(ur::against::cells{cells});
  both(ur::against::every_rule{});

  const auto with = [&](const ur::ladder_run& of, ur::certify_against_options o) {
    return ur::certify_ladder(of, router.models(), sample.reused(), ur::against::best_single{}, level, o);
  };
  CHECK_THROWS_WITH(with(run, {.lambda = 2}), Catch::Contains("must be declared"));
  CHECK_THROWS_WITH(with(run, {.lambda = -1}), Catch::Contains("lambda is -1"));
  CHECK_THROWS_WITH(with(run, {.lambda = 2, .largest_cost = largest / 1e6}), Catch::Contains("declared largest"));
  CHECK_THROWS_WITH(with(run, {.weights = {1.0}}), Catch::Contains("weights has 1"));
  CHECK_THROWS_WITH(with({}, options), Catch::Contains("the run has 0 answers"));
  auto wrong = run;
  wrong.kept.choices[0] = 99;
  CHECK_THROWS_WITH(with(wrong, options), Catch::Contains("of LLM 99"));
}

TEST_CASE("the bound of a cascade holds as often as it says, and shows where asking twice pays") {
  // The truth of a cascade is its mean on a large fresh sample.
  const ur::simulated_world world{{.dimension = 8}};
  const ur::noisy_judge judge(.1, 11);
  const std::vector<std::string> pool{world.sample(1, 1).table.models()[0].name,
                                      world.sample(1, 1).table.models()[5].name,
                                      world.sample(1, 1).table.models()[9].name};
  const auto run_on = [&](const ur::routing_table& table) {
    std::vector<std::size_t> all(table.size()), columns;
    std::vector<std::uint64_t> keys;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = i;
      keys.push_back(ur::hash_text(table.ids()[i]) + i);
    }
    for (const auto& model : pool) columns.push_back(table.model_index(model));
    const auto losses = ur::take(table.losses(), all, columns);
    const auto costs = ur::take(table.costs(), all, columns);
    const auto scores = ur::judge_answers(judge, losses, keys, pool);
    const auto none = ur::make_matrix<double>(0, 0);
    const auto means = ur::column_means(costs);
    return ur::run_ladder(ur::threshold_cascade({.order = ur::cheapest_first(ur::row(means, 0)), .threshold = .5}),
                          {scores, costs, costs, none});
  };
  const auto loss_of = [&](const ur::routing_table& table, const ur::ladder_run& run) {
    double out = 0;
    for (std::size_t i = 0; i < table.size(); ++i)
      out += table.losses()(i, table.model_index(pool[run.kept.choices[i]])) / static_cast<double>(table.size());
    return out;
  };
  const auto large = world.sample(20000, 99).table;
  double truth = loss_of(large, run_on(large)), best = 1;
  for (const auto& model : pool) {
    double loss = 0;
    for (std::size_t i = 0; i < large.size(); ++i)
      loss += large.losses()(i, large.model_index(model)) / static_cast<double>(large.size());
    best = std::min(best, loss);
  }
  truth -= best;
  std::size_t held = 0, runs = 60, ahead = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const auto table = world.sample(500, seed).table;
    const auto out = ur::certify_ladder(run_on(table), pool, ur::held_out{table}, ur::against::best_single{},
                                        ur::confidence_level{.8}, {});
    held += out.bound >= truth - 5e-3 ? 1u : 0u;
    ahead += out.bound < 0 ? 1u : 0u;
  }
  CHECK(truth < 0);
  CHECK(static_cast<double>(held) / static_cast<double>(runs) >= .65);
  CHECK(ahead > runs / 2);  // it is certified to be better than every single LLM
}
