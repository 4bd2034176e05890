#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/sorted.hpp"

namespace ur = uniroute;

namespace {

constexpr std::size_t kinds = 5, models = 3;
const std::vector<double> prices{1, .4, .1};

/// Five kinds of prompts, equally likely; error rates γ*, and predictions of them that may be far off.
struct small_world {
  ur::matrix<double> gamma = ur::make_matrix<double>(kinds, models), predicted = gamma, costs = gamma;

  explicit small_world(std::uint64_t seed) {
    ur::random_engine draws(seed);
    const double noise = draws.uniform() < .5 ? .05 : .3;
    for (std::size_t x = 0; x < kinds; ++x) {
      for (std::size_t h = 0; h < models; ++h) {
        gamma(x, h) = .05 + .5 * draws.uniform() + .1 * static_cast<double>(h);
        predicted(x, h) = std::clamp(gamma(x, h) + noise * draws.normal(), 0.0, 1.0);
        costs(x, h) = prices[h];
      }
    }
  }

  double single(std::size_t h) const {
    double sum = 0;
    for (std::size_t x = 0; x < kinds; ++x) sum += gamma(x, h) / kinds;
    return sum;
  }
  /// Mean of `of` over the choices at λ.
  double mean(const ur::matrix<double>& of, double lambda) const {
    double sum = 0;
    const auto choices = ur::detail::choices_at(predicted, costs, lambda);
    for (std::size_t x = 0; x < kinds; ++x) sum += of(x, choices[x]) / kinds;
    return sum;
  }

  struct sample {
    ur::matrix<double> predicted, costs, losses, realised;
  };
  /// n prompts: what is predicted of them, and what comes of them; realised costs are 0 or twice the mean.
  sample draw(std::size_t n, std::uint64_t seed) const {
    ur::random_engine draws(seed);
    const auto empty = ur::make_matrix<double>(n, models);
    sample out{empty, empty, empty, empty};
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t x = draws.below(kinds);
      for (std::size_t h = 0; h < models; ++h) {
        out.predicted(i, h) = predicted(x, h);
        out.costs(i, h) = prices[h];
        out.losses(i, h) = draws.uniform() < gamma(x, h) ? 1 : 0;
        out.realised(i, h) = draws.uniform() < .5 ? 0 : 2 * prices[h];
      }
    }
    return out;
  }
};

constexpr double delta = .1;
constexpr std::size_t worlds = 2000;
constexpr std::size_t most_broken = 240;  // 200 promised, three standard deviations are 40

}  // namespace

TEST_CASE("guarded quality: over 2,000 worlds a promise that is given is broken as seldom as said") {
  const auto grid = ur::price_grid(prices);
  const bool by_loss = GENERATE(false, true);
  for (const bool every : {true, false}) {
    std::size_t broken = 0, given = 0, useful = 0;
    for (std::size_t t = 0; t < worlds; ++t) {
      const small_world w(ur::derive_seed(1, t));
      auto s = w.draw(200, ur::derive_seed(2, t));
      sorted::rows(by_loss, s.losses, s.predicted, s.costs, s.realised);
      const double epsilon = .05;
      const auto report = ur::guard_quality_counts(s.predicted, s.costs, s.losses, 0, every, epsilon, grid, delta);
      double reference = w.single(0);
      if (every) reference = std::min({w.single(0), w.single(1), w.single(2)});
      const double risk = report.abstains ? w.single(0) : w.mean(w.gamma, report.lambda);
      given += report.promised ? 1u : 0u;
      useful += report.promised && !report.abstains ? 1u : 0u;
      broken += report.promised && risk > reference + epsilon ? 1u : 0u;
    }
    CAPTURE(every, given, useful, broken);
    CHECK(broken <= most_broken);
    CHECK(useful >= worlds / 3);  // it is not kept by never being given
    if (!every) CHECK(given == worlds);
  }
}

TEST_CASE("guarded quality at the border: a rule that is just too bad passes at most as often as said") {
  // One kind of prompt: the rule chooses LLM 1, which is worse than LLM 0 by ε.
  const bool by_loss = GENERATE(false, true);
  std::size_t passed = 0;
  const std::size_t n = 300;
  const ur::matrix<double> predicted(ur::make_matrix<double>(n, 2, .5));
  auto costs = ur::make_matrix<double>(n, 2, 1.0);
  for (std::size_t i = 0; i < n; ++i) costs(i, 1) = 0;
  for (std::size_t t = 0; t < worlds; ++t) {
    ur::random_engine draws(ur::derive_seed(3, t));
    auto losses = ur::make_matrix<double>(n, 2);
    for (std::size_t i = 0; i < n; ++i) {
      losses(i, 0) = draws.uniform() < .2 ? 1 : 0;
      losses(i, 1) = draws.uniform() < .3 ? 1 : 0;
    }
    sorted::rows(by_loss, losses);
    passed += ur::guard_quality_counts(predicted, costs, losses, 0, false, .1, std::vector<double>{0}, delta).abstains
                  ? 0u
                  : 1u;
  }
  CHECK(passed <= most_broken);
  CHECK(passed >= 20);  // and the test has power: it is not at zero
}

TEST_CASE("guarded cost: over 2,000 worlds a promise that is given is broken as seldom as said") {
  auto grid = ur::price_grid(prices);
  std::reverse(grid.begin(), grid.end());
  const bool by_cost = GENERATE(false, true);
  std::size_t broken = 0, useful = 0;
  for (std::size_t t = 0; t < worlds; ++t) {
    const small_world w(ur::derive_seed(4, t));
    auto s = w.draw(200, ur::derive_seed(5, t));
    sorted::rows(by_cost, s.realised, s.predicted, s.costs, s.losses);
    const double budget = .25 + .5 * ur::to_uniform(ur::derive_seed(6, t));
    const auto report = ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, budget, 2, grid, delta);
    const double cost = report.abstains ? prices[2] : w.mean(w.costs, report.lambda);
    useful += report.promised && report.lambda < grid.front() ? 1u : 0u;
    broken += report.promised && cost > budget ? 1u : 0u;
  }
  CHECK(broken <= most_broken);
  CHECK(useful >= worlds / 2);
}

TEST_CASE("guards refuse promises that cannot be kept, and values that make no sense") {
  const small_world w(1);
  const auto s = w.draw(50, 1);
  const std::vector<double> grid{0, 1};
  CHECK_THROWS_WITH(ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, .05, 2, grid, delta),
                    "guard_cost: budget is 0.05, but must be at least 0.1, the mean cost of the cheapest model");
  CHECK_THROWS_AS(ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, .5, 0, grid, delta),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, .5, 1, grid, delta), std::domain_error);
  CHECK_THROWS_AS(ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, .5, 2, grid, 0), std::invalid_argument);
  CHECK_THROWS_AS(ur::guard_quality_counts(s.predicted, s.costs, s.losses, 0, true, 1, grid, delta),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::guard_quality_counts(s.predicted, s.costs, s.losses, 3, true, .1, grid, delta),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::guard_quality_counts(s.predicted, s.costs, s.losses, 0, true, .1, {}, delta),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::guard_quality_counts(s.predicted, s.costs, s.losses, 0, true, .1, std::vector<double>{-1}, delta),
                  std::invalid_argument);
  // A fall-back whose cost is a known number keeps the promise; one whose cost is drawn was not tested.
  const std::vector<double> tight{0};
  CHECK(ur::guard_cost_counts(s.predicted, s.costs, s.costs, 2, .11, 1, tight, delta, .1).promised);
  CHECK(ur::guard_cost_counts(s.predicted, s.costs, s.costs, 2, 1.5, 1, tight, delta).promised);
  // Costs that happen to be equal in the sample are not a known number.
  CHECK_FALSE(ur::guard_cost_counts(s.predicted, s.costs, s.costs, 2, .11, 1, tight, delta).promised);
  CHECK_THROWS_WITH(ur::guard_cost_counts(s.predicted, s.costs, s.costs, 2, .11, 1, tight, delta, .09),
                    "guard_cost: a cost of the cheapest model is 0.1, but must be the declared 0.09");
  const auto drawn = ur::guard_cost_counts(s.predicted, s.costs, s.realised, 2, .11, 2, tight, delta);
  CHECK(drawn.abstains);
  CHECK_FALSE(drawn.promised);
  const auto all_missing = ur::make_matrix<double>(50, models, ur::missing);
  CHECK(ur::guard_quality_counts(s.predicted, s.costs, all_missing, 0, true, .1, grid, delta).abstains);
  CHECK_FALSE(ur::guard_quality_counts(s.predicted, s.costs, all_missing, 0, true, .1, grid, delta).promised);
  CHECK(ur::price_grid(std::vector<double>{2, 2}) == std::vector<double>{0});
}

TEST_CASE("a guarded router keeps to the tested price or to the safe model, and knows its pool") {
  const ur::simulated_world world{{.dimension = 8}};
  const auto validation = world.sample(200, 2).table;
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 4}}, ur::nearest_map{}, ur::shrunken_mean{},
                    ur::best_quality_rule{}};
  router.fit(world.sample(200, 1).table);
  std::vector<std::string> pool;
  for (const std::size_t h : {3, 0, 12}) pool.push_back(validation.models()[h].name);
  router.enroll(validation, pool);
  const ur::held_out sample{world.sample(400, 3).table};
  const ur::confidence_level level{.9};
  const auto loose = ur::guard_quality(router, sample.reused(), {.epsilon = .3, .safe_model = pool[1]}, level);
  CHECK(loose.report.promised);
  const auto x = world.sample(50, 4).table.embeddings();
  const auto by_hand = router.with_rule(ur::lagrangian_rule{{.lambda = loose.report.lambda}}).route(x);
  CHECK(loose.router.route(x) == by_hand);
  const auto strict =
      ur::guard_quality(router, sample.reused(),
                        {.epsilon = 0, .safe_model = pool[1], .against_every_single = false, .lambdas = {1e6}}, level);
  CHECK(strict.report.abstains);
  CHECK(strict.router.route(ur::row(x, 0)).model == pool[1]);
  // The state is the promise's.
  auto again = loose.router;
  again.load(strict.router.save());
  CHECK(again.route(x) == strict.router.route(x));
  again.retire(pool[0]);
  CHECK_THROWS_AS(again.route(x), ur::not_fitted);
  CHECK_THROWS_AS(ur::guarded_rule{}.choose({}), ur::not_fitted);
  CHECK_THROWS_WITH(ur::guard_quality(router, ur::held_out{validation}, {.safe_model = pool[1]}, level),
                    Catch::Contains("was seen by enroll"));
  CHECK_THROWS_WITH(ur::guard_quality(router, sample.reused(), {.safe_model = "nobody"}, level),
                    Catch::Contains("'nobody' is unknown"));
  double most = 0;
  for (const double cost : sample.table().costs()) most = std::max(most, cost);
  const auto cheap = ur::guard_cost(router, sample.reused(), {.budget = most, .largest_cost = most}, level);
  CHECK(cheap.report.promised);
  CHECK(cheap.report.lambda == 0);  // nothing can cost more than the largest cost
}
