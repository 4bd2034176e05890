#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("the largest mean over a box of shares puts mass on the largest values") {
  const std::vector<ur::interval> shares{{.1, .5}, {.2, .6}, {.1, .3}};
  const std::vector<double> values{1, 0, 2};
  CHECK(ur::detail::largest_mean(shares, values) == Approx(.5 * 1 + .2 * 0 + .3 * 2));
}

namespace {

auto cells_router(const ur::binary_routing_table& train, std::size_t k, double lambda) {
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = k}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = lambda}}};
  router.fit(train);
  return router;
}

}  // namespace

TEST_CASE("certificates hold over fresh samples of a world: true regret is below them as often as promised") {
  const bool by_loss = GENERATE(false, true);
  const ur::simulated_world world{{.dimension = 8}};
  // The cells are fitted once; truth is the mean of γ* in each cell over a large sample.
  const auto train = world.sample(500, 1);
  const std::size_t cells = 4;
  auto router = cells_router(ur::as_binary(train.table), cells, 30);
  const auto truth = world.sample(20000, 2);
  const auto labels = router.predictor_policy().map().labels(truth.table.embeddings());
  const std::vector<std::size_t> pool{0, 5, 12, 20, 27};
  auto psi = ur::make_matrix<double>(cells, pool.size(), 0.0);
  std::vector<double> count(cells, 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    count[labels[i]] += 1;
    for (std::size_t h = 0; h < pool.size(); ++h) psi(labels[i], h) += truth.expected_losses(i, pool[h]);
  }
  for (std::size_t k = 0; k < cells; ++k) {
    for (std::size_t h = 0; h < pool.size(); ++h) psi(k, h) /= count[k];
  }
  std::size_t held = 0;
  const std::size_t samples = 200;
  double mean_gap = 0;
  for (std::size_t t = 0; t < samples; ++t) {
    const auto drawn = world.sample(300, 1000 + t);
    const auto sample = ur::as_binary(by_loss ? ur::sort_by_loss(drawn).table : drawn.table);
    auto fresh = router;
    std::vector<std::string> names;
    for (const std::size_t h : pool) names.push_back(sample.models()[h].name);
    fresh.enroll(sample, names);
    const auto c = ur::certify<ur::exact_binomial>(fresh, sample, ur::confidence_level{.9});
    CHECK(c.gap_adaptive <= c.uniform + 1e-12);
    const auto costs = fresh.costs().costs();
    double regret = 0;
    for (std::size_t k = 0; k < cells; ++k) {
      double best = 1e9;
      for (std::size_t h = 0; h < pool.size(); ++h) best = std::min(best, psi(k, h) + 30 * costs[h]);
      regret += count[k] / 20000 * (psi(k, c.choices[k]) + 30 * costs[c.choices[k]] - best);
    }
    held += regret <= c.gap_adaptive ? 1u : 0u;
    mean_gap += c.gap_adaptive / samples;
  }
  CHECK(held >= 167);     // .9 less three standard deviations of 200 trials
  CHECK(mean_gap < 0.6);  // and it says something
}

TEST_CASE("where one model is beyond doubt the certificate is nil; Hoeffding is wider than exact intervals") {
  const ur::simulated_world world{{.dimension = 8}};
  const auto sample = ur::as_binary(world.sample(400, 5).table);
  auto router = cells_router(ur::as_binary(world.sample(400, 6).table), 2, 0);
  std::vector<double> never(sample.size(), 0.0), always(sample.size(), 1.0);
  router.set_validation(sample);
  router.enroll(sample.models()[0].name, never, 1.0);
  auto parts = sample.parts();
  for (std::size_t i = 0; i < sample.size(); ++i) {
    parts.losses(i, 0) = 0;
    parts.losses(i, 1) = 1;
  }
  const ur::binary_routing_table clear(parts);
  router.enroll(sample.models()[1].name, always, 2.0);
  const auto exact = ur::certify<ur::exact_binomial>(router, clear, ur::confidence_level{.95});
  const auto wide = ur::certify<ur::hoeffding>(router, clear, ur::confidence_level{.95});
  CHECK(exact.gap_adaptive == 0);
  CHECK(exact.uniform < wide.uniform);
  CHECK(exact.choices == std::vector<std::uint32_t>{0, 0});
}

TEST_CASE("certify asks for a pool, and for the pool's outcomes") {
  const ur::simulated_world world{{.dimension = 8}};
  const auto sample = ur::as_binary(world.sample(100, 5).table);
  const auto training = ur::as_binary(world.sample(100, 6).table);
  auto router = cells_router(training, 2, 0);
  CHECK_THROWS_AS(ur::confidence_level(1.0), std::invalid_argument);
  CHECK_THROWS_AS(ur::confidence_level(0.05), std::invalid_argument);
  CHECK_THROWS_AS(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}), ur::not_fitted);
  router.set_validation(sample);
  router.enroll("stranger", std::vector<double>(100, 0.0), 1.0);
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}),
                    Catch::Contains("'stranger' is not a model"));

  router.set_validation(sample);
  const std::vector<std::string> pool{sample.models()[0].name, sample.models()[3].name};
  router.enroll(sample, pool);
  CHECK_NOTHROW(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}));
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, training, ur::confidence_level{.95}),
                    "certify: prompt 'prompt-0' was seen by fit, but the sample must not share prompts with it: the "
                    "cells were made from it, and intervals hold for cells that do not know the sample");
  // So does a router that was saved and read back, and one with another rule.
  auto again = cells_router(sample, 3, 0);
  again.load(router.save());
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(again, training, ur::confidence_level{.95}),
                    Catch::Contains("was seen by fit"));
  CHECK_THROWS_WITH(ur::certify<ur::hoeffding>(router.with_rule(ur::lagrangian_rule{{.lambda = 2}}), training,
                                               ur::confidence_level{.95}),
                    Catch::Contains("was seen by fit"));
  auto shares = ur::certify_options{{.5, .4}};
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}, shares),
                    "known_shares: the shares sum to 0.9, but must sum to 1");
  shares.cell_shares = {.2, .3, .5};
  CHECK_THROWS_AS(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}, shares),
                  std::invalid_argument);
  auto parts = sample.parts();
  parts.losses.fill(ur::missing);
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, ur::binary_routing_table(parts), ur::confidence_level{.95}),
                    "summarise: all outcomes are missing, but at least one must be observed");
}

TEST_CASE("a small certificate is what one computes by hand") {
  // Two cells, two LLMs, intervals and shares given: gaps .5 − .2 = .3 in cell 0 (choice 0), none in cell 1 (choice 1).
  ur::interval_box box{{{.3, .2}, {.6, .1}}, {{.5, .4}, {.9, .3}}};
  const std::vector<double> half{.5, .5}, free{0, 0}, dear{0, .1};
  const std::vector<std::uint32_t> choices{0, 1};
  const auto c = ur::certify_cells(choices, free, 0, box, ur::known_shares(half));
  CHECK(c.gap_adaptive == Approx(.5 * .3));
  CHECK(c.estimation == Approx(.5 * .2 + .5 * .3));
  CHECK(c.uniform == Approx(.5 * (.2 + .1) + .5 * .3));  // in cell 0 the choice is .1 above the best middle
  CHECK(c.target == ur::regret_target::best_cell_rule);
  const auto parts = ur::contributions(c);
  CHECK(parts[0].cell == 0);
  CHECK(parts[0].model == 1);
  CHECK(parts[0].amount == Approx(.15));
  CHECK(parts[1].gap == 0);
  CHECK(parts[1].model == 1);  // no rival: the choice itself
  // At a price of 2 for model 1: cell 0 is beyond doubt to .1, cell 1 to nothing still.
  const auto priced = ur::certify_cells(choices, dear, 2, box, ur::known_shares(half));
  CHECK(priced.gap_adaptive == Approx(.5 * .1));
  auto crossed = box;
  std::swap(crossed.lower(1, 0), crossed.upper(1, 0));
  CHECK_THROWS_WITH(
      ur::certify_cells(choices, free, 0, crossed, ur::known_shares(half)),
      "certify_cells: the interval of cell 1 and LLM 0 is [0.9, 0.6], but its lower end must not be above "
      "its upper end");
  CHECK_THROWS_AS(ur::certify_cells(choices, free, -1, box, ur::known_shares(half)), std::invalid_argument);
  CHECK_THROWS_AS(ur::certify_cells(std::vector<std::uint32_t>{0}, free, 0, box, ur::known_shares(half)),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::certify_cells(std::vector<std::uint32_t>{0, 2}, free, 0, box, ur::known_shares(half)),
                  std::invalid_argument);
  CHECK_THROWS_WITH(ur::certify_cells(choices, free, 0, box, {{.1, .2}, {.3, .4}}),
                    Catch::Contains("must be able to sum to 1"));
}

TEST_CASE("counting: missing outcomes are left out, columns are picked, an empty cell has the interval [0, 1]") {
  const std::vector<std::uint32_t> labels{0, 2, 0, 2};
  const ur::loss_matrix losses{{1, .5, 0}, {0, ur::missing, 1}, {1, .25, ur::missing}, {1, 1, 1}};
  const std::vector<std::size_t> columns{1, 0};
  const auto s = ur::summarise({labels, losses, 3, columns});
  CHECK(s.prompts == std::vector<double>{2, 0, 2});
  CHECK(s.counts == ur::matrix<double>{{2, 2}, {0, 0}, {1, 2}});
  CHECK(s.sums == ur::matrix<double>{{.75, 2}, {0, 0}, {1, 1}});
  CHECK(s.squares == ur::matrix<double>{{.3125, 2}, {0, 0}, {1, 1}});
  const auto box = ur::bonferroni<ur::hoeffding>{}.make(s, .06);
  CHECK(box.width(1, 0) == 1);
  const auto one = ur::hoeffding::make(1, 2, .01);
  CHECK(box.lower(2, 1) == one.lower);
  CHECK(box.upper(2, 1) == one.upper);
  const auto by_values = ur::bonferroni<ur::betting>{}.make(ur::cell_outcomes{labels, losses, 3, columns}, .06);
  CHECK(by_values.upper(0, 0) == ur::betting::make(std::vector<double>{.5, .25}, .01).upper);
  const auto lean = ur::summarise({labels, losses, 3, columns}, false);
  CHECK(lean.sums == s.sums);
  CHECK(lean.counts == s.counts);
  CHECK_THROWS_WITH(ur::bonferroni<ur::empirical_bernstein>{}.make(lean, .06),
                    Catch::Contains("summarise with squares"));
  CHECK_THROWS_AS(ur::summarise({labels, losses, 2, columns}), std::invalid_argument);
  CHECK_THROWS_AS(ur::summarise({std::vector<std::uint32_t>{0}, losses, 3, columns}), std::invalid_argument);
  CHECK_THROWS_AS(ur::bonferroni<ur::hoeffding>{}.make(s, 1), std::invalid_argument);
}
