// The optimal rule, budgets and regret, against brute force.
#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

ur::discrete_world small_world(std::uint64_t seed, bool ties) {
  ur::random_engine draws(seed);
  ur::discrete_world_parts parts;
  double sum = 0;
  for (std::size_t t = 0; t < 4; ++t) sum += parts.probabilities.emplace_back(.1 + draws.uniform());
  for (double& p : parts.probabilities) p /= sum;
  parts.expected_losses = ur::make_matrix<double>(4, 3);
  parts.costs = ur::make_matrix<double>(1, 3);
  // With ties: losses and costs on a coarse grid, so that objectives of several LLMs, and of several prompts, agree.
  for (double& loss : parts.expected_losses) loss = ties ? static_cast<double>(draws.below(5)) / 4 : draws.uniform();
  for (double& cost : parts.costs) cost = ties ? static_cast<double>(draws.below(4)) / 2 : draws.uniform();
  return ur::discrete_world(parts);
}

/// Every deterministic rule of four prompts and three LLMs: its cost and loss.
std::vector<ur::mean_risk> all_rules(const ur::population& p) {
  std::vector<ur::mean_risk> out;
  for (std::uint32_t code = 0; code < 81; ++code)
    out.push_back(ur::risk_of(p, std::vector<std::uint32_t>{code % 3, code / 3 % 3, code / 9 % 3, code / 27}));
  return out;
}

/// The linear program min R s.t. E c <= B over all randomised rules: its vertices mix at most two deterministic rules.
double least_loss(const std::vector<ur::mean_risk>& rules, double budget) {
  double least = 2;
  for (const auto& a : rules) {
    if (a.cost <= budget) least = std::min(least, a.loss);
    for (const auto& b : rules) {
      if (!(a.cost < budget && b.cost > budget)) continue;
      const double share = (budget - a.cost) / (b.cost - a.cost);
      least = std::min(least, share * b.loss + (1 - share) * a.loss);
    }
  }
  return least;
}

}  // namespace

TEST_CASE(
    "the randomised rule attains every budget on the lower hull, as a linear program does, with and without ties") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto p = ur::population_of(small_world(seed, seed % 2 == 0));
    const auto rules = all_rules(p);
    double cheapest = 1e9, dearest = 0;
    for (const auto& r : rules) {
      cheapest = std::min(cheapest, r.cost);
      dearest = std::max(dearest, r.cost);
    }
    for (int step = 0; step <= 12; ++step) {
      const double budget = cheapest + (dearest - cheapest) * step / 12.0;
      const auto best = ur::oracle_at_budget(p, budget);
      CHECK(std::fabs(best.risk.loss - least_loss(rules, budget)) <= 1e-12);
      // The budget is met, or what is left has no use.
      CHECK(std::fabs(best.risk.cost + best.slack - budget) <= 1e-12);
      if (best.slack > 1e-12) CHECK(best.lambda == 0);
      // The rule is what it says: a draw between two deterministic minimisers of γ* + λ c.
      const auto dear = ur::risk_of(p, best.dear), cheap = ur::risk_of(p, best.cheap);
      if (best.slack == 0)
        CHECK(std::fabs(best.dear_share * dear.loss + (1 - best.dear_share) * cheap.loss - best.risk.loss) <= 1e-12);
      const double least = ur::risk_of(p, ur::oracle_choices(p, best.lambda)).objective(best.lambda);
      CHECK(std::fabs(dear.objective(best.lambda) - least) <= 1e-12 * (1 + best.lambda));
      CHECK(std::fabs(cheap.objective(best.lambda) - least) <= 1e-12 * (1 + best.lambda));
    }
  }
}

TEST_CASE("the converse: a rule that is optimal for its budget minimises loss + λ cost of some λ") {
  // Every deterministic rule on the lower hull of (cost, loss) has zero regret at the λ of its own cost; any other
  // none.
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto p = ur::population_of(small_world(seed, seed % 2 == 0));
    const auto rules = all_rules(p);
    for (std::uint32_t code = 0; code < 81; ++code) {
      const std::vector<std::uint32_t> choices{code % 3, code / 3 % 3, code / 9 % 3, code / 27};
      const auto risk = rules[code];
      const bool optimal = risk.loss <= least_loss(rules, risk.cost) + 1e-12;
      const auto at = ur::oracle_at_budget(p, risk.cost);
      const double regret = ur::regret_of(p, choices, at.lambda).regret;
      CHECK((regret + at.lambda * at.slack <= 1e-11 * (1 + at.lambda)) == optimal);
      CHECK((ur::regret_at_its_cost(p, risk) <= 1e-12) == optimal);
    }
  }
}

TEST_CASE("a budget below the cheapest is refused") {
  const auto p = ur::population_of(small_world(1, false));
  CHECK_THROWS_AS(ur::oracle_at_budget(p, -1), std::invalid_argument);
  double cheapest = 1e9;
  for (const double c : p.costs) cheapest = std::min(cheapest, c);
  CHECK_THROWS_WITH(ur::oracle_at_budget(p, cheapest / 2), Catch::Contains("the mean cost of the cheapest models"));
}

TEST_CASE("regret along λ agrees with regret at each λ, and raw excess with its decomposition") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto p = ur::population_of(small_world(seed, seed % 2 == 0));
    ur::random_engine draws(seed + 100);
    auto predicted = p.expected_losses;
    for (double& value : predicted) value = seed % 2 == 0 ? value : value + .3 * draws.normal();
    const auto steps = ur::trace_regret(p, predicted, p.costs);
    CHECK(steps.front().lambda == 0);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      const double next = s + 1 < steps.size() ? steps[s + 1].lambda : steps[s].lambda + 1;
      const double at = (steps[s].lambda + next) / 2;
      std::vector<std::uint32_t> choices;
      for (std::size_t i = 0; i < p.size(); ++i)
        choices.push_back(
            static_cast<std::uint32_t>(ur::detail::least_objective(ur::row(predicted, i), p.costs_of(i), at)));
      const auto direct = ur::regret_of(p, choices, at);
      CHECK(steps[s].regret(at) == Approx(direct.regret).margin(1e-12));
      CHECK(direct.regret >= 0);
      CHECK(direct.raw_excess == Approx(direct.regret + at * (direct.best.cost - direct.rule.cost)).margin(1e-12));
      CHECK(direct.standard_error == 0);
    }
  }
}

TEST_CASE("a rule that draws has the mean of what it draws from") {
  const auto p = ur::population_of(small_world(3, false));
  const std::vector<std::uint32_t> first(4, 0), second(4, 1);
  auto q = ur::make_matrix<double>(4, 3, 0.0);
  for (std::size_t i = 0; i < 4; ++i) {
    q(i, 0) = .25;
    q(i, 1) = .75;
  }
  const auto a = ur::regret_of(p, first, .4), b = ur::regret_of(p, second, .4), mixed = ur::regret_of(p, q, .4);
  CHECK(mixed.regret == Approx(.25 * a.regret + .75 * b.regret));
  CHECK(mixed.rule.cost == Approx(.25 * a.rule.cost + .75 * b.rule.cost));
  q(0, 0) = .5;
  CHECK_THROWS_AS(ur::risk_of(p, q), std::domain_error);
  CHECK_THROWS_AS(ur::risk_of(p, std::vector<std::uint32_t>{0, 1, 2, 3}), std::invalid_argument);
  CHECK_THROWS_AS(ur::risk_of(p, std::vector<std::uint32_t>{0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::oracle_choices(p, -1), std::invalid_argument);
}

TEST_CASE("the standard error of a sampled regret is honest") {
  // In a discrete world the exact value is known: 200 samples of 400 prompts lie within two standard errors about 95%
  // of the time; fewer than 176 would be three standard deviations of that away.
  const auto w = ur::random_cells({.cells = 5, .models = 4, .heterogeneity = 1}).world;
  const auto exact = ur::population_of(w);
  const double truth = ur::regret_of(exact, std::vector<std::uint32_t>(exact.size(), 2), .1).regret;
  std::size_t close = 0;
  for (std::uint64_t t = 0; t < 200; ++t) {
    const auto p = ur::population_of(w, 400, t);
    const auto r = ur::regret_of(p, std::vector<std::uint32_t>(400, 2), .1);
    CHECK(r.standard_error > 0);
    close += std::fabs(r.regret - truth) <= 2 * r.standard_error ? 1u : 0u;
  }
  CHECK(close >= 176);
}

TEST_CASE("Monte Carlo regret in a Gaussian world agrees with an integral") {
  // One dimension, one component, two LLMs: the regret of always asking LLM 1 is ∫ (γ1 + λ c1 − min)₊ by the trapezoid
  // rule, another way than sampling.
  const ur::gaussian_world w{{.components = 1, .models = 2, .dimension = 1, .spread = 1.5, .skill = 2, .seed = 5}};
  const auto p = ur::population_of(w, 20000, 1);
  const auto r = ur::regret_of(p, std::vector<std::uint32_t>(20000, 1), .2);
  double mean_x = 0;
  for (std::size_t i = 0; i < 20000; ++i) mean_x += static_cast<double>(p.embeddings(i, 0)) / 20000;
  const double centre = mean_x > 0 ? 1 : -1;  // a centre of length 1
  double integral = 0;
  for (int i = -8000; i <= 8000; ++i) {
    const double z = i / 1000.0;
    const std::vector<double> x{centre + 1.5 * z};
    const double excess = w.expected_loss(x, 1) + .2 * w.costs()[1] - w.expected_loss(x, 0) - .2 * w.costs()[0];
    integral += std::max(0.0, excess) * std::exp(-z * z / 2) / std::sqrt(2 * 3.14159265358979) / 1000;
  }
  CHECK(integral > .01);
  CHECK(std::fabs(r.regret - integral) < 4 * r.standard_error);
}

TEST_CASE("regret of a router counts its own pool, and rests on its choices") {
  const auto cells = ur::random_cells({.cells = 3, .models = 5, .heterogeneity = 0, .seed = 8});
  const auto sample = cells.world.sample(3000, 1).table;
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 3}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = .5}}};
  router.fit(sample);
  const std::vector<std::string> pool{"model-3", "model-1", "model-4"};
  router.enroll(sample, pool);
  const auto p = ur::population_of(cells.world);
  const auto r = ur::regret_of(p, router, .5);
  // With homogeneous cells and a thousand prompts in each the plug-in rule is nearly optimal for its pool …
  CHECK(r.regret < .02);
  // … and is exactly what its choices give in the pool's own columns.
  const auto own = ur::select_models(p, pool);
  CHECK(own.models == pool);
  CHECK(ur::select_models(p, {"model-3", "model-1", "model-4"}).models == pool);
  CHECK(ur::regret_of(own, router.route(p.embeddings), .5).regret == r.regret);
  CHECK_THROWS_AS(ur::select_models(p, std::vector<std::string>{"stranger"}), std::invalid_argument);
}
