#include <catch2/catch.hpp>
#include <limits>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

ur::matrix<double> table(std::size_t n, std::size_t m, std::vector<double> values) {
  auto out = ur::make_matrix<double>(n, m);
  std::copy(values.begin(), values.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("a curve by hand: every switching point, ties together") {
  // Two prompts, costs 0 and 1: the first gains .5 from the dear model, the second .2.
  const auto predicted = table(2, 2, {.6, .1, .3, .1});
  const auto losses = table(2, 2, {1, 0, 0, 0});
  const auto costs = table(2, 2, {0, 1, 0, 1});
  const auto curve = ur::trace_curve(predicted, table(1, 2, {0, 1}), losses, costs);
  REQUIRE(curve.points.size() == 3);
  CHECK(curve.points[0].cost == 1);
  CHECK(curve.points[0].quality == 1);
  CHECK(curve.points[1].lambda == Approx(.2));
  CHECK(curve.points[1].cost == .5);
  CHECK(curve.points[1].quality == 1);
  CHECK(curve.points[2].lambda == Approx(.5));
  CHECK(curve.points[2].cost == 0);
  CHECK(curve.points[2].quality == .5);
  const ur::curve_function f(curve, ur::range_of(ur::single_models(losses, costs)));
  CHECK(*ur::area(f) == Approx(.875));
  CHECK(*ur::normalised_area(f) == Approx(.875));
  CHECK(*ur::area(f, .5) == Approx(.375));
  CHECK(*ur::quality_neutral_cost(f, 1.0) == Approx(.5));
  CHECK(*ur::quality_neutral_cost(f, .75) == Approx(.25));
  CHECK(f.peak() == 1);
}

TEST_CASE("the curve is that of the Lagrangian rule between any two switching points") {
  const auto sample = ur::simulated_world{}.sample(60, 3);
  const auto& table = sample.table;
  const auto curve = ur::trace_curve(sample.expected_losses, table.costs(), table.losses(), table.costs());
  CHECK(curve.points.size() > 20);
  for (std::size_t p = 0; p < curve.points.size(); p += 7) {
    const double next = p + 1 < curve.points.size() ? curve.points[p + 1].lambda : curve.points[p].lambda * 2 + 1;
    if (next - curve.points[p].lambda < 1e-9 * next) continue;
    const ur::lagrangian_rule rule{{.lambda = (curve.points[p].lambda + next) / 2}};
    double cost = 0, quality = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const auto h = rule.choose({ur::row(sample.expected_losses, i), ur::row(table.costs(), i), 0});
      cost += table.costs()(i, h) / 60;
      quality += (1 - table.losses()(i, h)) / 60;
    }
    CHECK(curve.points[p].cost == Approx(cost).epsilon(1e-9));
    CHECK(curve.points[p].quality == Approx(quality).epsilon(1e-9));
  }
}

TEST_CASE("the curve of prompt-independent predictions is the lower envelope of the pool") {
  // c lies above the segment from a to d; b on the envelope.
  const auto losses = table(2, 4, {.8, .4, .5, .2, .8, .4, .5, .2});
  const auto costs = table(2, 4, {1, 2, 3, 6, 1, 2, 3, 6});
  const auto curve = ur::trace_curve(ur::column_means(losses), ur::column_means(costs), losses, costs);
  REQUIRE(curve.points.size() == 3);
  CHECK(curve.points[0].cost == 6);
  CHECK(curve.points[1].cost == 2);
  CHECK(curve.points[2].cost == 1);
  CHECK(curve.points[1].lambda == Approx(.05));
  CHECK(curve.points[2].lambda == Approx(.4));
}

TEST_CASE("models of equal cost and collinear models leave the best, and the ends of a tie") {
  const auto losses = table(1, 3, {.5, .3, .4});
  CHECK(ur::trace_curve(losses, table(1, 3, {1, 1, 1}), losses, table(1, 3, {1, 1, 1})).points.size() == 1);
  const auto line = table(1, 3, {.6, .4, .2});
  const auto curve = ur::trace_curve(line, table(1, 3, {1, 2, 3}), line, table(1, 3, {1, 2, 3}));
  CHECK(curve.points.size() <= 3);
  CHECK(curve.points.front().cost == 3);
  CHECK(curve.points.back().cost == 1);
}

TEST_CASE("a missing outcome takes the mean of the model's observed choices, and coverage says so") {
  const auto predicted = table(3, 1, {.5, .5, .5});
  const auto losses = table(3, 1, {1, 0, ur::missing});
  const auto costs = table(3, 1, {1, 1, 1});
  const auto curve = ur::trace_curve(predicted, costs, losses, costs);
  CHECK(curve.points[0].quality == .5);
  CHECK(curve.points[0].coverage == Approx(2. / 3));
}

TEST_CASE("envelopes: none keeps the curve, running maximum and hull lift it") {
  ur::deferral_curve curve;
  curve.points = {{0, 4, .5, 1}, {1, 3, .8, 1}, {2, 2, .4, 1}, {3, 1, .3, 1}};
  const ur::pool_range pool{1, .3, 4};
  CHECK(*ur::normalised_area(ur::curve_function(curve, pool)) == Approx((.35 + .6 + .65) / 3));
  CHECK(*ur::normalised_area(ur::curve_function(curve, pool, ur::prototype_convention)) == Approx((.35 + .6 + .8) / 3));
  CHECK(*ur::normalised_area(ur::curve_function(curve, pool, ur::hull_convention)) == Approx((.55 * 2 + .8) / 3));
  const ur::curve_function step(curve, pool, {.interpolation = ur::curve_interpolation::step});
  CHECK(*ur::normalised_area(step) == Approx((.3 + .4 + .8) / 3));
}

TEST_CASE("a single point joins the cheapest on the left and extends flat to the right") {
  ur::deferral_curve one;
  one.points = {{0, 2, .6, 1}};
  const ur::curve_function f(one, {1, .4, 3});
  CHECK(f(1) == Approx(.4));
  CHECK(f(1.5) == Approx(.5));
  CHECK(f(2.7) == Approx(.6));
  CHECK(*ur::normalised_area(f) == Approx((.5 + .6) / 2));
  CHECK(!ur::quality_neutral_cost(f, .61));
}

TEST_CASE("a pool whose costs are all equal has no area, rather than NaN") {
  ur::deferral_curve one;
  one.points = {{0, 2, .6, 1}};
  const ur::curve_function f(one, {2, .6, 2});
  CHECK(!ur::area(f));
  CHECK(!ur::normalised_area(f));
  CHECK(!ur::quality_neutral_cost(f, .1));
}

TEST_CASE("two-model metrics by hand") {
  ur::deferral_curve curve;
  curve.points = {{0, 3, .9, 1}, {1, 2, .8, 1}, {2, 1, .5, 1}};
  const ur::curve_function f(curve, {1, .5, 3});
  CHECK(*ur::average_gap_recovered(f, .5, .9) == Approx((.15 + .35) / 2 / .4));
  CHECK(*ur::call_performance_threshold(f, .5, .9, .75) == Approx(.5));
  CHECK(!ur::average_gap_recovered(f, .9, .5));
}

TEST_CASE("curves refuse shapes, NaN and negative costs") {
  const auto one = table(1, 1, {.5});
  CHECK_THROWS_AS(ur::trace_curve(table(1, 2, {.5, .5}), one, one, one), std::invalid_argument);
  CHECK_THROWS_AS(ur::trace_curve(table(1, 1, {std::numeric_limits<double>::quiet_NaN()}), one, one, one),
                  std::domain_error);
  CHECK_THROWS_AS(ur::trace_curve(one, table(1, 1, {-1}), one, one), std::domain_error);
  CHECK_THROWS_AS(ur::trace_curve(ur::make_matrix<double>(0, 1), one, ur::make_matrix<double>(0, 1), one),
                  std::invalid_argument);
}

TEST_CASE("shuffled choices keep the shares and lose the knowledge of the prompt") {
  const auto predicted = table(2, 2, {1, 0, 0, 1});
  const auto costs = table(2, 2, {1, 1, 1, 1});
  const auto curve = ur::trace_curve(predicted, costs, predicted, costs, {.shares = true});
  CHECK(curve.points[0].quality == 1);
  CHECK(ur::shuffled_choices(curve, predicted, costs).points[0].quality == .5);
}

TEST_CASE("the curve is that of choosing anew at every switching point, with outcomes missing and costs by prompt") {
  const std::size_t n = 300, m = 6;
  for (const bool by_prompt : {false, true}) {
    ur::random_engine draws(by_prompt ? 1 : 2);
    auto predicted = ur::make_matrix<double>(n, m), losses = ur::make_matrix<double>(n, m);
    auto costs = ur::make_matrix<double>(n, m), estimates = ur::make_matrix<double>(by_prompt ? n : 1, m);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) {
        predicted(i, h) = draws.uniform();
        losses(i, h) = h == 3 || draws.uniform() < .3 ? ur::missing : draws.uniform();
        costs(i, h) = draws.uniform();
        if (by_prompt || i == 0) estimates(i, h) = draws.uniform();
      }
    }
    std::vector<double> means(m, .5);  // of what was observed; half where nothing was
    for (std::size_t h = 0; h < m; ++h) {
      double sum = 0, count = 0;
      for (const double loss : ur::column(losses, h)) {
        if (ur::is_missing(loss)) continue;
        sum += loss;
        count += 1;
      }
      if (count > 0) means[h] = sum / count;
    }
    const auto curve = ur::trace_curve(predicted, estimates, losses, costs);
    REQUIRE(curve.points.size() > 256);  // as many as are sorted by radix
    for (std::size_t p = 0; p < curve.points.size(); ++p) {
      const double next = p + 1 < curve.points.size() ? curve.points[p + 1].lambda : curve.points[p].lambda * 2;
      CHECK(next > curve.points[p].lambda);
      if (next - curve.points[p].lambda < 1e-9 * next) continue;
      const double lambda = (curve.points[p].lambda + next) / 2;
      std::vector<double> chosen(m, 0.0), observed(m, 0.0), sums(m, 0.0);
      double cost = 0, loss = 0, seen = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const auto h =
            ur::detail::least_objective(ur::row(predicted, i), ur::row(estimates, by_prompt ? i : 0), lambda);
        cost += costs(i, h);
        chosen[h] += 1;
        if (ur::is_missing(losses(i, h))) continue;
        observed[h] += 1;
        sums[h] += losses(i, h);
      }
      for (std::size_t h = 0; h < m; ++h) {
        if (chosen[h] > 0) loss += chosen[h] * (observed[h] > 0 ? sums[h] / observed[h] : means[h]);
        seen += observed[h];
      }
      CHECK(curve.points[p].cost == Approx(cost / n).epsilon(1e-10));
      CHECK(curve.points[p].quality == Approx(1 - loss / n).epsilon(1e-10));
      CHECK(curve.points[p].coverage == Approx(seen / n));
    }
  }
}

TEST_CASE("single models are their column's means, missing outcomes left out") {
  const auto losses = table(2, 3, {.5, ur::missing, ur::missing, 1, .25, ur::missing});
  const auto single = ur::single_models(losses, table(2, 3, {1, 2, 3, 3, 2, 1}));
  CHECK(single[0].quality == .25);
  CHECK(single[0].cost == 2);
  CHECK(single[1].quality == .75);
  CHECK(single[1].coverage == .5);
  CHECK(single[2].quality == .5);
  CHECK(single[2].coverage == 0);
}
