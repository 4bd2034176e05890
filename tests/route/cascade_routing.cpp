// Cascade routing: its special cases, E max against simulation, and dynamic programming in a small world.

#include <catch2/catch.hpp>
#include <uniroute/evaluate/trace_ladder.hpp>
#include <uniroute/random.hpp>
#include <uniroute/route/cascade_routing.hpp>
#include <uniroute/route/lagrangian_rule.hpp>

namespace ur = uniroute;

namespace {

std::vector<ur::belief_update> updates(std::size_t m, double before, double after) {
  // The score is the quality itself with the deviation given: it replaces the prediction.
  return std::vector<ur::belief_update>(
      m, {.intercept = 0, .slope = 1, .prior_weight = 0, .deviation_before = before, .deviation_after = after});
}

}  // namespace

TEST_CASE("the expected best of normals is that of draws, and exact for one and for two") {
  const std::vector<ur::quality_belief> one{{.3, .4}};
  CHECK(ur::cascade_routing::expected_best(one) == Approx(.3).margin(1e-4));
  ur::random_engine draws(3);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<ur::quality_belief> two;
    for (int i = 0; i < 2; ++i) two.push_back({draws.uniform(), .05 + .6 * draws.uniform()});
    // Clark 1961.
    const double a = std::hypot(two[0].deviation, two[1].deviation), t = (two[0].mean - two[1].mean) / a;
    const auto below = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
    const double exact =
        two[0].mean * below(t) + two[1].mean * below(-t) + a * std::exp(-t * t / 2) / std::sqrt(2 * std::acos(-1.0));
    CHECK(ur::cascade_routing::expected_best(two) == Approx(exact).margin(2e-3));
  }
  std::vector<ur::quality_belief> five;
  for (int i = 0; i < 5; ++i) five.push_back({.2 * i, .1 + .1 * i});
  double mean = 0;
  const int n = 200000;
  for (int i = 0; i < n; ++i) {
    double best = -9;
    for (const auto& b : five) best = std::max(best, b.mean + b.deviation * draws.normal());
    mean += best / n;
  }
  CHECK(ur::cascade_routing::expected_best(five) == Approx(mean).margin(5e-3));
  CHECK_THROWS_WITH(ur::cascade_routing::expected_best({}), Catch::Contains("there are 0 beliefs"));
}

TEST_CASE("of depth one it is the Lagrangian rule") {
  ur::random_engine draws(5);
  const std::size_t n = 60, m = 5;
  auto predicted = ur::make_matrix<double>(n, m), costs = ur::make_matrix<double>(n, m), scores = costs;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      predicted(i, h) = draws.uniform();
      costs(i, h) = .1 + draws.uniform();
      scores(i, h) = draws.uniform();
    }
  }
  for (const double lambda : {0.0, .3, 2.0}) {
    const ur::cascade_routing rule({.lambda = lambda, .updates = updates(m, .4, .1), .deepest = 1});
    const auto run = ur::run_ladder(rule, ur::ladder_sample{scores, costs, costs, predicted});
    for (std::size_t i = 0; i < n; ++i) {
      CHECK(run.asked[i] == 1);
      CHECK(run.kept.choices[i] == ur::detail::least_objective(ur::row(predicted, i), ur::row(costs, i), lambda));
    }
  }
}

TEST_CASE("in order it is a cascade that stops where nothing more is worth its price") {
  // One sure answer after the first LLM: nothing can be better than 1 by enough.
  auto predicted = ur::make_matrix<double>(2, 3, .5), costs = ur::make_matrix<double>(2, 3, 1.0);
  const ur::matrix<double> scores{{1, 0, 0}, {0, .1, 1}};
  const ur::cascade_routing rule({.lambda = .02, .updates = updates(3, .3, .01), .in_order = true});
  const auto run = ur::run_ladder(rule, ur::ladder_sample{scores, costs, costs, predicted});
  CHECK(run.asked == std::vector<std::uint32_t>{1, 3});
  CHECK(run.kept.choices == std::vector<std::uint32_t>{0, 2});
  // Free of charge all are asked; at a high price one.
  const auto free = ur::run_ladder(ur::cascade_routing({.lambda = 0, .updates = updates(3, .3, .01)}),
                                   ur::ladder_sample{scores, costs, costs, predicted});
  CHECK(free.asked == std::vector<std::uint32_t>{3, 3});
  const auto dear = ur::run_ladder(ur::cascade_routing({.lambda = 9, .updates = updates(3, .3, .01)}),
                                   ur::ladder_sample{scores, costs, costs, predicted});
  CHECK(dear.asked == std::vector<std::uint32_t>{1, 1});
  // Steps have prices of their own: the second step's stops it.
  const auto steps =
      ur::run_ladder(ur::cascade_routing({.lambda = 0, .step_lambdas = {0, 9}, .updates = updates(3, .3, .01)}),
                     ur::ladder_sample{scores, costs, costs, predicted});
  CHECK(steps.asked == std::vector<std::uint32_t>{1, 1});
}

TEST_CASE("beliefs that are right: never worse than routing and than a cascade, and near the optimal policy") {
  // Qualities are drawn from the beliefs themselves; scores show them exactly. Two LLMs, so that the optimal policy is
  // known: ask a, ask b, or ask one and then the other if what was seen is below a reservation value.
  const std::size_t n = 4000, m = 2;
  ur::random_engine draws(9);
  auto predicted = ur::make_matrix<double>(n, m), costs = ur::make_matrix<double>(n, m), scores = costs;
  const double deviation = .3;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      const double mean = draws.uniform();
      predicted(i, h) = 1 - mean;
      scores(i, h) = mean + deviation * draws.normal();
      costs(i, h) = h == 0 ? 1 : 3;
    }
  }
  const auto gain = [&](const ur::ladder_run& run, double lambda) {
    double out = 0;
    for (std::size_t i = 0; i < n; ++i) out += scores(i, run.kept.choices[i]) - lambda * run.kept.costs[i];
    return out / static_cast<double>(n);
  };
  const auto below = [](double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; };
  const auto expected_gain = [&](double seen, double mean) {  // E (X - seen)+
    const double t = (mean - seen) / deviation;
    return (mean - seen) * below(t) + deviation * std::exp(-t * t / 2) / std::sqrt(2 * std::acos(-1.0));
  };
  for (const double lambda : {.02, .05, .1}) {
    const ur::ladder_sample s{scores, costs, costs, predicted};
    const auto both = ur::run_ladder(ur::cascade_routing({.lambda = lambda, .updates = updates(m, deviation, 0)}), s);
    const auto routing =
        ur::run_ladder(ur::cascade_routing({.lambda = lambda, .updates = updates(m, deviation, 0), .deepest = 1}), s);
    const auto cascade = ur::run_ladder(
        ur::cascade_routing({.lambda = lambda, .updates = updates(m, deviation, 0), .in_order = true}), s);
    CHECK(gain(both, lambda) > gain(routing, lambda));
    CHECK(gain(both, lambda) > gain(cascade, lambda) - 1e-3);
    double optimal = 0;
    for (std::size_t i = 0; i < n; ++i) {
      // The value of asking h first, stopping where the other's expected gain is below its price: by a fine sum.
      double best = -9, best_real = 0;
      for (std::size_t h = 0; h < m; ++h) {
        const double mean = 1 - predicted(i, h), other = 1 - predicted(i, 1 - h), price = lambda * costs(i, 1 - h);
        double value = 0;
        for (int g = -40; g <= 40; ++g) {
          const double x = mean + deviation * g / 10.0;
          const double weight = std::exp(-g * g / 200.0) / std::sqrt(2 * std::acos(-1.0)) / 10;
          value += weight * (x + std::max(0.0, expected_gain(x, other) - price));
        }
        value -= lambda * costs(i, h);
        if (value <= best) continue;
        best = value;
        const double seen = scores(i, h);
        const bool goes_on = expected_gain(seen, other) > price;
        best_real = (goes_on ? std::max(seen, scores(i, 1 - h)) - price : seen) - lambda * costs(i, h);
      }
      optimal += best_real / static_cast<double>(n);
    }
    CHECK(gain(both, lambda) > optimal - .006);
  }
}

TEST_CASE("updates are the least squares of quality on prediction and score") {
  ur::random_engine draws(4);
  std::vector<double> quality, predicted, score;
  for (int i = 0; i < 5000; ++i) {
    predicted.push_back(draws.uniform());
    score.push_back(3 * draws.normal());
    quality.push_back(.1 + .5 * predicted.back() + .05 * score.back() + .2 * draws.normal());
  }
  quality[3] = score[4] = ur::missing;
  const auto of = ur::fit_belief_update(quality, predicted, score);
  CHECK(of.intercept == Approx(.1).margin(.02));
  CHECK(of.prior_weight == Approx(.5).margin(.03));
  CHECK(of.slope == Approx(.05).margin(.005));
  CHECK(of.deviation_after == Approx(.2).margin(.01));
  CHECK(of.deviation_before > of.deviation_after);
  // Too few, or nothing that varies: the prediction stays.
  const std::vector<double> few{1, 1, 1};
  CHECK(ur::fit_belief_update(few, few, few).prior_weight == 1);
  CHECK(ur::fit_belief_update(few, few, few).deviation_after >= .05);
  const std::vector<double> constant(50, 1.0);
  const auto same = ur::fit_belief_update(constant, constant, constant);
  CHECK(same.intercept + same.prior_weight + same.slope == Approx(1).margin(1e-6));
  CHECK(same.deviation_after == Approx(.05));
  // A score that tells nothing is not listened to, but for one time in twenty or so.
  std::size_t listened = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> noise, right;
    for (int i = 0; i < 100; ++i) {
      noise.push_back(draws.normal());
      right.push_back(draws.uniform() < .6 ? 1 : 0);
    }
    const auto of_noise = ur::fit_belief_update(right, std::span(predicted).first(100), noise);
    listened += of_noise.slope != 0 ? 1u : 0u;
    if (of_noise.slope == 0) CHECK(of_noise.deviation_after == of_noise.deviation_before);
  }
  CHECK(listened < 25);
  CHECK_THROWS_WITH(ur::fit_belief_update(few, few, constant), Catch::Contains("3, 3 and 50"));
}

TEST_CASE("prices, sizes and deviations that make no sense are refused") {
  CHECK_THROWS_WITH(ur::cascade_routing({.lambda = -1, .updates = updates(2, .1, .1)}),
                    Catch::Contains("lambda is -1"));
  CHECK_THROWS_WITH(ur::cascade_routing({.lambda = 0, .step_lambdas = {-2}, .updates = updates(2, .1, .1)}),
                    Catch::Contains("lambda is -2"));
  CHECK_THROWS_WITH(ur::cascade_routing({}), Catch::Contains("updates has 0 LLMs"));
  CHECK_THROWS_WITH(ur::cascade_routing({.updates = updates(13, .1, .1)}), Catch::Contains("updates has 13 LLMs"));
  CHECK_THROWS_WITH(ur::cascade_routing({.updates = updates(2, -.1, .1)}), Catch::Contains("a deviation is -0.1"));
  const ur::cascade_routing rule({.updates = updates(2, .1, .1)});
  CHECK_THROWS_WITH(rule.next(ur::ladder_view{}), Catch::Contains("there are 0 predictions"));
}
