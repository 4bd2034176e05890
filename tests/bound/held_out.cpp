#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const ur::simulated_world world{{.dimension = 8, .heterogeneity = 3}};

/// A router on five LLMs, enrolled on `validation`.
auto enrolled(const ur::routing_table& train, const ur::routing_table& validation, double lambda) {
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 6}}, ur::nearest_map{}, ur::shrunken_mean{},
                    ur::lagrangian_rule{{.lambda = lambda}}};
  router.fit(train);
  std::vector<std::string> pool;
  for (const std::size_t h : {20, 21, 22, 23, 24}) pool.push_back(validation.models()[h].name);
  router.enroll(validation, pool);
  for (std::size_t h = 0; h < pool.size(); ++h) router.reprice(pool[h], router.costs().costs()[h]);  // known costs
  return router;
}

}  // namespace

TEST_CASE("held-out certificates hold for risk, J, the best single LLM and ZeroRouter; hindsight bounds the regret") {
  const bool by_loss = GENERATE(false, true);  // as drawn, and in the order of a table that is sorted
  const double lambda = 0.5;
  const auto validation = world.sample(200, 2).table;
  const auto router = enrolled(world.sample(200, 1).table, validation, lambda);
  const auto truth = world.sample(4000, 3);
  const auto choices = router.route(truth.table.embeddings());
  const auto costs = router.costs().costs();
  const std::vector<std::size_t> columns = ur::detail::pool_columns(router, truth.table);
  double risk = 0, j = 0, bayes = 0;
  std::vector<double> single(5, 0.0);
  for (std::size_t i = 0; i < choices.size(); ++i) {
    double least = 1e9;
    for (std::size_t h = 0; h < 5; ++h) {
      const double loss = truth.expected_losses(i, columns[h]);
      single[h] += loss / 4000;
      least = std::min(least, loss + lambda * costs[h]);
    }
    const double loss = truth.expected_losses(i, columns[choices[i]]);
    risk += loss / 4000;
    j += (loss + lambda * costs[choices[i]]) / 4000;
    bayes += least / 4000;
  }
  double best = 1, best_j = 1e9;
  for (std::size_t h = 0; h < 5; ++h) {
    best = std::min(best, single[h]);
    best_j = std::min(best_j, single[h] + lambda * costs[h]);
  }
  std::vector<std::size_t> sent(5, 0);
  for (const auto r : choices) ++sent[r];
  std::sort(sent.rbegin(), sent.rend());
  CAPTURE(sent);
  CHECK(sent[1] >= 400);  // a tenth goes to another LLM than the favourite, so that differences are not all zero
  const std::size_t trials = 60;
  std::size_t all = 0, regret = 0;
  for (std::size_t t = 0; t < trials; ++t) {
    const auto drawn = world.sample(250, 1000 + t);
    const ur::held_out sample{by_loss ? ur::sort_by_loss(drawn).table : drawn.table};
    const auto c = ur::certify_held_out(router, sample.reused(), ur::confidence_level{.9});
    const auto in = [](const ur::interval& i, double value) { return i.lower <= value && value <= i.upper; };
    all += in(c.risk, risk) && in(c.adjusted_risk, j) && in(c.to_best_single, risk - best) &&
                   in(c.to_zero_router, j - best_j)
               ? 1u
               : 0u;
    regret +=
        ur::certify_hindsight(router, sample.reused(), ur::confidence_level{.9}).regret.upper >= j - bayes ? 1u : 0u;
    CHECK(c.risk.width() < .3);
    CHECK(c.to_single.size() == 5);
    CHECK(c.lambda == lambda);
  }
  CHECK(all >= 47);  // .9 of 60 less three standard deviations
  CHECK(regret >= 47);
}

TEST_CASE("held-out promises refuse samples that the router has seen, and say why") {
  const auto train = world.sample(150, 1).table, validation = world.sample(150, 2).table;
  const auto router = enrolled(train, validation, 0);
  const ur::confidence_level level{.9};
  CHECK_THROWS_WITH(
      ur::certify_held_out(router, ur::held_out{validation}, level),
      "certify_held_out: prompt 'prompt-0' was seen by enroll, but the sample must not share prompts with "
      "it: what it promises holds for choices that do not know the sample");
  CHECK_THROWS_WITH(ur::certify_hindsight(router, ur::held_out{train}, level), Catch::Contains("was seen by fit"));
  // One prompt in common is enough.
  auto parts = world.sample(20, 3).table.parts();
  parts.ids[7] = validation.ids()[3];
  parts.prompts[7] = validation.prompts()[3];
  CHECK_NOTHROW(ur::certify_held_out(router, ur::held_out{world.sample(20, 3).table}, level));
  CHECK_THROWS_AS(ur::routing_table(parts), std::invalid_argument);  // ids are distinct: prompt-3 is there already
  parts.ids[3] = "another";
  CHECK_THROWS_WITH(ur::certify_held_out(router, ur::held_out{ur::routing_table(parts)}, level),
                    Catch::Contains("prompt 'prompt-3' was seen by enroll"));
  // Costs above what is declared, and costs that vary by prompt without a declaration.
  CHECK_THROWS_AS(ur::certify_held_out(router, ur::held_out{world.sample(20, 3).table}, level, {.largest_cost = 1e-9}),
                  std::domain_error);
}

TEST_CASE("missing outcomes count against a held-out statement") {
  const auto validation = world.sample(150, 2).table;
  const auto router = enrolled(world.sample(150, 1).table, validation, 0);
  auto parts = world.sample(200, 4).table.parts();
  const auto whole = ur::certify_held_out(router, ur::held_out{ur::routing_table(parts)}, ur::confidence_level{.9});
  for (std::size_t i = 0; i < 40; ++i) {
    for (std::size_t h = 0; h < ur::columns(parts.losses); ++h) parts.losses(i, h) = ur::missing;
  }
  const auto holes = ur::certify_held_out(router, ur::held_out{ur::routing_table(parts)}, ur::confidence_level{.9});
  CHECK(whole.missing == 0);
  CHECK(holes.missing == 40);
  CHECK(holes.risk.upper > whole.risk.upper);
  CHECK(holes.risk.lower < whole.risk.lower);
  CHECK(holes.risk.width() > whole.risk.width() + .15);  // a fifth of the prompts says nothing
}

TEST_CASE("heterogeneity is estimated from near neighbours") {
  // One cell on a line, error rate .2 left and .8 right for LLM 0 (standard deviation .3), .5 everywhere for LLM 1.
  double varied = 0, flat = 0;
  for (std::size_t t = 0; t < 10; ++t) {
    ur::random_engine draws(ur::derive_seed(4, t));
    const std::size_t n = 400;
    const std::vector<std::uint32_t> labels(n, 0);
    auto x = ur::make_matrix<float>(n, 1);
    auto losses = ur::make_matrix<double>(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
      x(i, 0) = static_cast<float>(draws.uniform());
      losses(i, 0) = draws.uniform() < (x(i, 0) < .5F ? .2 : .8) ? 1 : 0;
      losses(i, 1) = draws.uniform() < .5 ? 1 : 0;
    }
    const auto e = ur::estimate_heterogeneity({labels, losses, 1}, x);
    varied += e.deviations(0, 0) / 10;
    flat += e.deviations(0, 1) / 10;
    CHECK(e.pairs == n);
    CHECK(e.neighbour_distance < e.cell_distance / 20);
  }
  CHECK(varied == Approx(.3).margin(.03));
  CHECK(flat < .1);
  STATIC_REQUIRE(!std::is_convertible_v<ur::heterogeneity_estimate, double>);
  const auto sample = world.sample(150, 2).table;
  const auto router = enrolled(world.sample(150, 1).table, sample, 0);
  CHECK(ur::rows(ur::estimate_heterogeneity(router, sample).deviations) == 6);
}
