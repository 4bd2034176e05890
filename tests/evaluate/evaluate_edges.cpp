// Places where a value decides by its last digit or by being absent: tolerances, empty sides, one row, one trial.
#include <catch2/catch.hpp>
#include <support/small_tables.hpp>
#include <uniroute/evaluate/evaluate.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/predict/mlp.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/world/discrete_world.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

ur::population two_types(double excess = 0) {
  ur::population p;
  p.weights = {.5, .5 + excess};
  p.expected_losses = ur::make_matrix<double>(2, 2, .5);
  p.expected_losses(0, 1) = .1;
  p.costs = ur::make_matrix<double>(1, 2, 1.0);
  p.costs(0, 1) = 2;
  p.embeddings = ur::make_matrix<float>(2, 1, 0.0F);
  p.models = {"a", "b"};
  return p;
}

ur::trial_data small_trial() {
  ur::trial_data t;
  t.train_x = t.validation_x = t.test_x = ur::make_matrix<float>(2, 1, 0.0F);
  t.train_losses = t.validation_losses = ur::make_matrix<double>(2, 3, .5);
  t.train_costs = t.validation_costs = ur::make_matrix<double>(2, 3, 1.0);
  t.seen = t.unseen = {"a", "b", "c"};
  return t;
}

/// A world that tells nobody the names of its LLMs.
struct nameless {
  ur::discrete_world base;
  std::size_t models() const { return base.models(); }
  ur::world_sample sample(std::size_t n, std::uint64_t seed) const { return base.sample(n, seed); }
  std::span<const double> probabilities() const { return base.probabilities(); }
  const ur::loss_matrix& expected_losses() const { return base.expected_losses(); }
  const ur::cost_matrix& costs() const { return base.costs(); }
  const ur::embedding_matrix& embeddings() const { return base.embeddings(); }
};

}  // namespace

TEST_CASE("the cheapest LLM is that of the least mean cost on validation, not the dearest") {
  auto t = small_trial();
  for (std::size_t i = 0; i < 2; ++i) {
    t.validation_costs(i, 0) = i == 0 ? 3 : 2;  // mean 2.5
    t.validation_costs(i, 1) = i == 0 ? 0 : 4;  // mean 2
    t.validation_costs(i, 2) = 5;
  }
  const auto p = ur::cheapest().predict(t);
  const auto curve = ur::trace_curve(p.losses, p.costs, t.validation_losses, t.validation_costs);
  REQUIRE(curve.points.size() == 1);
  CHECK(curve.points[0].cost == 2);
}

TEST_CASE("populations, memberships and given cells are checked by whoever reads them, by name") {
  auto p = two_types();
  const auto phi = ur::make_matrix<double>(2, 1, 1.0);
  CHECK_NOTHROW(ur::truth_of(p, phi));
  CHECK_THROWS_WITH(ur::truth_of(two_types(.1), phi), "truth_of: the sum of weights is 1.1, but must be 1");
  CHECK_NOTHROW(ur::truth_of(two_types(.9e-9), phi));
  CHECK_THROWS_WITH(ur::truth_of(two_types(1.5e-9), phi), Contains("truth_of: the sum of weights is "));
  const std::vector<ur::loss_matrix> given(2, ur::make_matrix<double>(2, 2, .5)),
      narrow(1, ur::make_matrix<double>(2, 1, .5));
  CHECK_THROWS_WITH(ur::truth_of(p, phi, given), "truth_of: given_cell has 2 entries, but must have 0 or 1");
  CHECK_THROWS_WITH(ur::truth_of(p, phi, narrow), "truth_of: a loss matrix of given_cell is 2 x 1, but must be 2 x 2");
  p.weights.clear();
  p.expected_losses = ur::make_matrix<double>(0, 2);
  CHECK_THROWS_WITH(ur::oracle_choices(p, 0),
                    Contains("expected_losses is 0 x 2, but must be 0 x models, and at least 1 x 1"));
  const nameless world{ur::discrete_world({{.25, .75}, ur::make_matrix<double>(2, 3, .5)})};
  CHECK(ur::population_of(world).models == std::vector<std::string>{"model-0", "model-1", "model-2"});
}

TEST_CASE("curves: no LLM is refused, and one row of predictions stands for any number of prompts") {
  const auto v = ur::make_matrix<double>(3, 2, .5), row = ur::make_matrix<double>(1, 2, .5);
  CHECK_THROWS_WITH(ur::trace_curve(ur::make_matrix<double>(3, 0), ur::make_matrix<double>(3, 0),
                                    ur::make_matrix<double>(3, 0), ur::make_matrix<double>(3, 0)),
                    "trace_curve: losses is 3 x 0, but must be at least 1 x 1");
  CHECK_THROWS_WITH(ur::trace_curve(v, v, v, row), "trace_curve: costs is 1 x 2, but must be 3 x 2");
  CHECK_THROWS_WITH(ur::trace_curve(ur::make_matrix<double>(2, 2, .5), v, v, v),
                    "trace_curve: predicted is 2 x 2, but must be 3 x 2 (or have one row)");
  // More prompts than are checked at once.
  const std::size_t n = 5000;
  ur::random_engine draws(1);
  auto losses = ur::make_matrix<double>(n, 2), costs = ur::make_matrix<double>(n, 2, 1.0), whole = losses;
  auto one = row;
  one(0, 1) = .25;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < 2; ++h) {
      losses(i, h) = draws.uniform();
      whole(i, h) = one(0, h);
      costs(i, h) = 1 + static_cast<double>(h);
    }
  }
  const auto of_one = ur::trace_curve(one, costs, losses, costs),
             of_whole = ur::trace_curve(whole, costs, losses, costs);
  REQUIRE(of_one.points.size() == of_whole.points.size());
  for (std::size_t i = 0; i < of_one.points.size(); ++i) {
    CHECK(of_one.points[i].quality == of_whole.points[i].quality);
    CHECK(of_one.points[i].cost == of_whole.points[i].cost);
  }
  const auto quality_of_one = ur::measure_predictor(one, losses),
             quality_of_whole = ur::measure_predictor(whole, losses);
  CHECK(quality_of_one.brier == Approx(quality_of_whole.brier).epsilon(1e-12));
  CHECK(quality_of_one.log_loss == Approx(quality_of_whole.log_loss).epsilon(1e-12));
}

TEST_CASE("costs that differ by rounding are one cost, whatever their size") {
  // Twice 10⁹, apart by their last bits.
  const double c = 1e9, next = c * (1 + 1e-14);
  const ur::pool_range pool{c, .3, 3 * c};
  ur::deferral_curve curve;
  curve.points = {{2, c, .4, 1}, {1, next, .6, 1}, {0, 2 * c, .8, 1}};
  ur::curve_convention as_is;
  as_is.envelope = ur::curve_envelope::none;
  CHECK(ur::curve_function(curve, pool, as_is)(next) == Approx(.5));
  // A curve that begins at the cheapest cost but for rounding does not begin at the cheapest LLM's quality.
  curve.points = {{1, next, .6, 1}, {0, 2 * c, .8, 1}};
  CHECK(ur::curve_function(curve, pool, as_is)(c) == Approx(.6));
  curve.points = {{1, c * 1.001, .6, 1}, {0, 2 * c, .8, 1}};
  CHECK(ur::curve_function(curve, pool, as_is)(c) == Approx(.3));
  // A quality that is reached at the dearest cost, but for rounding, is reached.
  curve.points = {{1, c, .4, 1}, {0, 3 * c * (1 + 1e-13), .8, 1}};
  CHECK(ur::curve_function(curve, pool, as_is).cost_of(.8).has_value());
  curve.points.back().cost = 3 * c * 1.001;
  CHECK_FALSE(ur::curve_function(curve, pool, as_is).cost_of(.8).has_value());
}

TEST_CASE("a budget at the cheapest cost is kept, but for rounding, however small costs are") {
  auto p = two_types();
  p.costs(0, 0) = 1 + 5e-13;
  CHECK_NOTHROW(ur::oracle_at_budget(p, 1));
  p.costs(0, 0) = 1 + 5e-12;
  CHECK_THROWS_AS(ur::oracle_at_budget(p, 1), std::invalid_argument);
  p.costs(0, 0) = 1e-301;
  CHECK_NOTHROW(ur::oracle_at_budget(p, 0));
  p.costs(0, 0) = 1e-200;
  CHECK_THROWS_AS(ur::oracle_at_budget(p, 0), std::invalid_argument);
  // Of two LLMs that cost the same the better is the dearest choice at λ = 0.
  p = two_types();
  p.costs(0, 1) = 1;
  CHECK(ur::oracle_at_budget(p, 1).dear == std::vector<std::uint32_t>{1, 0});
}

TEST_CASE("raw excess is a difference, for rules that draw as well") {
  const auto p = two_types();
  auto even = ur::make_matrix<double>(2, 2, .5);
  const auto report = ur::regret_of(p, even, 0);
  CHECK(report.rule.loss == Approx(.5 * .3 + .5 * .5));
  CHECK(report.raw_excess == Approx(report.rule.loss - (.5 * .1 + .5 * .5)));
}

TEST_CASE("clairvoyant methods ask for a column of every unseen LLM") {
  const auto method = ur::clairvoyant_method("seer", [](const ur::trial_data&) { return ur::mlp{}; });
  auto t = small_trial();
  t.clairvoyant_losses = ur::make_matrix<double>(2, 2, .5);
  CHECK_THROWS_WITH(method.predict(t), Contains("clairvoyant_method: clairvoyant_losses of 'seer' has 2 rows"));
}

TEST_CASE("a pool that costs nothing has curves at no cost, and one trial is enough for what one trial tells") {
  const auto free = uniroute_tests::small_table(
      "free ", 60, 6, [](std::size_t i, std::size_t h) { return static_cast<double>((i + h) % 2); },
      [](std::size_t, std::size_t) { return 0.0; });
  const auto embed = [&](auto) { return free.embeddings(); };
  const ur::protocol_options once{.trials = 1, .validation_prompts = 10, .threads = 1};
  const auto result = ur::run_protocol(free, embed, {ur::zero_router()}, once);
  for (const auto& m : result.methods) {
    for (const auto& trial : m.trials) {
      for (const double cost : trial.cost) CHECK(cost == 0);
    }
  }
  const auto priced = uniroute_tests::small_table(
      "priced ", 90, 6, [](std::size_t i, std::size_t h) { return i * (h + 3) % 7 < 3 ? 1.0 : 0.0; });
  const auto ran = ur::run_protocol(
      priced, [&](auto) { return priced.embeddings(); }, {ur::zero_router(), ur::best_single()}, once);
  bool reached = false, graded = false;
  for (const auto& method : ran.methods) {
    const auto m = ur::summarise(ran, method);
    if (m.of("qnc").reached > 0) {
      reached = true;
      CHECK(m.of("qnc").mean.has_value());
    } else {
      CHECK_FALSE(m.of("qnc").mean.has_value());
    }
    if (m.prediction) {
      graded = true;
      CHECK(m.prediction->brier > 0);
    }
  }
  CHECK(reached);
  CHECK(graded);
  // Where no outcome differs from another there is no curve of right and wrong to speak of.
  const auto same = uniroute_tests::small_table("same ", 60, 6, [](std::size_t, std::size_t) { return 1.0; });
  const auto constant = ur::run_protocol(
      same, [&](auto) { return same.embeddings(); }, {ur::zero_router()}, once);
  for (const auto& method : constant.methods) {
    const auto m = ur::summarise(constant, method);
    if (m.prediction) CHECK_FALSE(m.prediction->auc.has_value());
  }
  CHECK(ur::option_of("family/option") == "option");
  CHECK(ur::option_of("family") == "family");
}
