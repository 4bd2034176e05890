// Ladders as methods: the curve is that of the ladder run by hand, special cases are what they should be, and a judge
// that knows nothing is not paid for.

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <uniroute/experiment/draw_trial.hpp>
#include <uniroute/experiment/ladder_method.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/results.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/ladders.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/world/simulated_world.hpp>

namespace ur = uniroute;

namespace {

/// Trials view the prompts of their table, which stays.
const ur::routing_table& table_of(std::size_t prompts) {
  static std::map<std::size_t, ur::routing_table> tables;
  auto& out = tables[prompts];
  if (out.size() == 0) out = ur::simulated_world{{.dimension = 8}}.sample(prompts, 4).table;
  return out;
}

ur::graded_trial trial_of(std::size_t prompts, std::size_t index) {
  const auto& table = table_of(prompts);
  ur::protocol_options options;
  options.validation_prompts = prompts / 4;
  return ur::detail::make_trial(
      table, ur::make_matrix<double>(0, 0), [&](std::span<const std::size_t>) { return table.embeddings(); }, options,
      index);
}

auto neighbours(const ur::trial_data&) { return ur::knn{{.neighbours = 15}}; }

double area_of(const ur::routing_method& method, const ur::graded_trial& t) {
  const auto pool = ur::range_of(ur::single_models(t.losses, t.costs));
  return *ur::normalised_area(
      ur::curve_function(ur::trace_prediction(method.predict(t.seen), t.losses, t.costs), pool));
}

}  // namespace

TEST_CASE("a cascade method is the cascade run by hand, the cheapest of validation first") {
  const auto t = trial_of(500, 1);
  const ur::noisy_judge judge(.1, 7);
  const auto make = [&](const ur::trial_data&) { return judge; };
  const auto order = ur::cheapest_first(ur::row(ur::column_means(t.seen.validation_costs), 0));
  std::vector<std::uint64_t> keys;
  for (const auto id : t.seen.test.ids) keys.push_back(ur::hash_text(id));
  const auto scores = ur::judge_answers(judge, t.losses, keys, t.seen.unseen);
  const ur::threshold_cascade by_hand({.order = order, .threshold = .5});
  for (const auto dial : {ur::cascade_dial::cap, ur::cascade_dial::threshold}) {
    const auto method = ur::cascade_method("cascade", make, dial);
    const auto curve = ur::trace_prediction(method.predict(t.seen), t.losses, t.costs);
    const auto expected = dial == ur::cascade_dial::cap ? ur::trace_caps(by_hand, scores, t.losses, t.costs)
                                                        : ur::trace_thresholds(by_hand, scores, t.losses, t.costs);
    REQUIRE(curve.points.size() == expected.points.size());
    for (std::size_t p = 0; p < curve.points.size(); ++p) {
      CHECK(curve.points[p].cost == expected.points[p].cost);
      CHECK(curve.points[p].quality == expected.points[p].quality);
    }
  }
}

TEST_CASE("RouterBench's cascade falls with its judge's errors, and says its epsilon") {
  const auto t = trial_of(900, 2);
  double before = 2;
  for (const double epsilon : {0.0, 0.1, 0.3, 0.8}) {
    const auto method = ur::routerbench_cascade(epsilon);
    const double area = area_of(method, t);
    CHECK(area < before);
    before = area;
    CHECK(method.parameters == std::vector<std::pair<std::string, double>>{{"epsilon", epsilon}});
  }
  // A perfect judge finds every prompt that some LLM solves: the last point of its curve is the hindsight oracle's.
  const auto perfect = ur::trace_prediction(ur::routerbench_cascade(0).predict(t.seen), t.losses, t.costs);
  const auto oracle = ur::hindsight_oracle(t.losses, t.costs);
  CHECK(perfect.points[0].quality == Approx(oracle.points[0].quality));
  // Graded outcomes: an answer is good from the .95 quantile of pooled quality on.
  auto graded = t.seen;
  for (std::size_t i = 0; i < graded.validation_losses.size(); ++i)
    graded.validation_losses.data()[i] = 1 - static_cast<double>(i % 100) / 100;
  CHECK(ur::detail::pooled_quality(graded, .95) == Approx(.95).margin(.011));
  CHECK(ur::detail::pooled_quality(graded, .5) == Approx(.5).margin(.011));
}

TEST_CASE("of depth one it is the router on the same predictions, with both judges") {
  const auto t = trial_of(600, 3);
  for (const double auc : {.5, .9}) {
    const auto method =
        ur::cascade_routing_method("routing", neighbours, [auc](const ur::trial_data&) { return ur::verifier(auc, 3); },
                                   {.prices = 12, .deepest = 1, .largest_pool = 12});
    const auto curve = ur::trace_prediction(method.predict(t.seen), t.losses, t.costs);
    ur::knn model{{.neighbours = 15}};
    model.fit(t.seen.train_x, t.seen.train_losses);
    model.set_validation(t.seen.validation_x);
    for (std::size_t h = 0; h < t.seen.unseen.size(); ++h)
      model.enroll(t.seen.unseen[h], ur::column(t.seen.validation_losses, h));
    const auto predicted = model.predict(t.seen.test_x);
    const auto costs = ur::column_means(t.seen.validation_costs);
    for (const auto& point : curve.points) {
      double loss = 0, cost = 0;
      const double n = static_cast<double>(ur::rows(t.losses));
      for (std::size_t i = 0; i < ur::rows(t.losses); ++i) {
        const std::size_t h = ur::detail::least_objective(ur::row(predicted, i), ur::row(costs, 0), point.lambda);
        loss += t.losses(i, h) / n;
        cost += t.costs(i, h) / n;
      }
      CHECK(point.cost == Approx(cost));
      CHECK(point.quality == Approx(1 - loss));
    }
  }
}

TEST_CASE("the better the verifier the better; one that knows nothing costs nothing") {
  double sums[3] = {0, 0, 0}, routing = 0, cascading = 0;
  for (std::size_t index = 0; index < 4; ++index) {
    const auto t = trial_of(1200, index);
    const auto with = [&](double auc, ur::cascade_routing_method_options options) {
      return area_of(ur::cascade_routing_method(
                         "both", neighbours, [auc](const ur::trial_data&) { return ur::verifier(auc, 3); }, options),
                     t);
    };
    sums[0] += with(.5, {.prices = 16, .deepest = 3, .largest_pool = 6});
    sums[1] += with(.8, {.prices = 16, .deepest = 3, .largest_pool = 6});
    sums[2] += with(.97, {.prices = 16, .deepest = 3, .largest_pool = 6});
    routing += with(.8, {.prices = 16, .deepest = 1, .largest_pool = 6});
    cascading += with(.8, {.prices = 16, .deepest = 3, .in_order = true, .largest_pool = 6});
  }
  CHECK(sums[0] > routing - 4 * .004);
  CHECK(sums[1] > sums[0]);
  CHECK(sums[2] > sums[1]);
  CHECK(sums[1] > routing);
  CHECK(sums[1] > cascading - 4 * .004);
}

TEST_CASE("ladders stand beside routers in a protocol, with their costs, shares and parameters") {
  const auto sample = ur::simulated_world{{.dimension = 8}}.sample(500, 4);
  ur::protocol_options options;
  options.trials = 3;
  options.validation_prompts = 120;
  const auto embed = [&](std::span<const std::size_t>) { return sample.table.embeddings(); };
  const std::vector<ur::routing_method> methods{ur::zero_router(), ur::routerbench_cascade(.05),
                                                ur::predictor_method("knn", neighbours)};
  const auto result = ur::run_protocol(sample.table, embed, methods, options);
  const auto all = ur::summarise_all(result);
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& m) { return m.name == "cascade/0.05"; });
  REQUIRE(found != all.end());
  CHECK(found->gain_over_zero.has_value());
  CHECK(found->collapse > 0);
  CHECK(found->collapse <= 1);
  CHECK(!found->prediction);
  const auto json = ur::method_json(*found, ur::standard_metrics());
  CHECK(json["epsilon"] == .05);
  CHECK(json["role"] == "router");
}

TEST_CASE("LLMs that are worth asking: the front first, then the best of the others, the cheapest first") {
  const std::vector<double> losses{.5, .3, .35, .2, .6}, costs{1, 2, 3, 5, .5};
  using list = std::vector<std::size_t>;
  CHECK(ur::detail::worth_asking(losses, costs, 9) == list{4, 0, 1, 2, 3});
  CHECK(ur::detail::worth_asking(losses, costs, 4) == list{4, 0, 1, 3});  // 2 costs more than 1 and errs more
  CHECK(ur::detail::worth_asking(losses, costs, 2) == list{1, 3});
}
