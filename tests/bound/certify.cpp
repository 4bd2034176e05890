#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("Hoeffding and exact binomial intervals agree with published values") {
  // Clopper and Pearson for 8 of 10 at 95%: .4439 to .9748 (any statistics text).
  const auto cp = ur::exact_binomial::make(8, 10, .05);
  CHECK(cp.lower == Approx(.4439).epsilon(1e-4));
  CHECK(cp.upper == Approx(.9748).epsilon(1e-4));
  // No failure in n: the upper end is 1 − (δ/2)^(1/n).
  CHECK(ur::exact_binomial::make(0, 20, .05).upper == Approx(1 - std::pow(.025, .05)));
  CHECK(ur::exact_binomial::make(0, 20, .05).lower == 0);
  CHECK(ur::exact_binomial::make(20, 20, .05).upper == 1);
  const auto h = ur::hoeffding::make(50, 100, .05);
  CHECK(h.upper - .5 == Approx(std::sqrt(std::log(40.) / 200)));
  CHECK(ur::hoeffding::make(0, 0, .05).width() == 1);
  CHECK_THROWS_AS(ur::confidence_level(1.0), std::invalid_argument);
  CHECK_THROWS_AS(ur::confidence_level(0.05), std::invalid_argument);
}

TEMPLATE_TEST_CASE("intervals cover their mean as often as they promise", "", ur::hoeffding, ur::exact_binomial) {
  // 2,000 samples; at a true coverage of .9 fewer than 1,760 hits would be three standard deviations away.
  for (const double mean : {.02, .3, .5}) {
    for (const std::size_t n : {5, 40}) {
      ur::random_engine draws(17);
      std::size_t covered = 0;
      for (int t = 0; t < 2000; ++t) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += draws.uniform() < mean ? 1 : 0;
        const auto around = TestType::make(sum, n, .1);
        covered += around.lower <= mean && mean <= around.upper ? 1u : 0u;
      }
      CHECK(covered >= 1760);
    }
  }
}

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
    const auto sample = ur::as_binary(world.sample(300, 1000 + t).table);
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
  const auto sample = ur::as_binary(ur::simulated_world{{.dimension = 8}}.sample(400, 5).table);
  auto router = cells_router(sample, 2, 0);
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
  const auto sample = ur::as_binary(ur::simulated_world{{.dimension = 8}}.sample(100, 5).table);
  auto router = cells_router(sample, 2, 0);
  CHECK_THROWS_AS(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}), ur::not_fitted);
  router.set_validation(sample);
  router.enroll("stranger", std::vector<double>(100, 0.0), 1.0);
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, sample, ur::confidence_level{.95}),
                    Catch::Contains("'stranger' is not a model"));
}
