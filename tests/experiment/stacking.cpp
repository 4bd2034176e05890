#include <catch2/catch.hpp>
#include <set>
#include <support/allocation_counter.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

ur::loss_matrix of(std::initializer_list<std::initializer_list<double>> values) { return ur::loss_matrix(values); }

const ur::world_sample& world() {
  static const ur::world_sample sample = ur::simulated_world{{.dimension = 8}}.sample(500, 3);
  return sample;
}

/// Predicts the truth (or its opposite, or noise) of a world whose embeddings tell the prompt.
ur::routing_method cells(std::string name, std::size_t k) {
  return ur::predictor_method(std::move(name), [k](const ur::trial_data& t) {
    return ur::cell_predictor(ur::kmeans{{.clusters = k, .seed = t.seed}}, ur::proximity_map{}, ur::shrunken_mean{});
  });
}

ur::trial_data trial() {
  const auto& table = world().table;
  const auto split = ur::split_rows(table, {.train = .6, .validation = .2, .seed = 4});
  ur::trial_data t;
  t.seed = 9;
  t.train_x = ur::take_rows(table.embeddings(), std::span<const std::size_t>(split.train));
  t.validation_x = ur::take_rows(table.embeddings(), std::span<const std::size_t>(split.validation));
  t.test_x = ur::take_rows(table.embeddings(), std::span<const std::size_t>(split.test));
  t.train_losses = ur::take(table.losses(), split.train, split.seen);
  t.train_costs = ur::take(table.costs(), split.train, split.seen);
  t.validation_losses = ur::take(table.losses(), split.validation, split.unseen);
  t.validation_costs = ur::take(table.costs(), split.validation, split.unseen);
  for (const auto h : split.seen) t.seen.push_back(table.models()[h].name);
  for (const auto h : split.unseen) t.unseen.push_back(table.models()[h].name);
  return t;
}

}  // namespace

TEST_CASE("nonnegative least squares agrees with the solution by hand, and clips what would be negative") {
  // Columns (1, 0, 1) and (0, 1, 1), y = (3, -1, 2): unconstrained w = (3, -1), constrained (2.5, 0).
  ur::detail::normal_equations free(2), clipped(2);
  const double rows[3][2] = {{1, 0}, {0, 1}, {1, 1}};
  const double y[3] = {3, 1, 4}, z[3] = {3, -1, 2};
  for (std::size_t i = 0; i < 3; ++i) {
    free.add(rows[i], y[i]);
    clipped.add(rows[i], z[i]);
  }
  const auto w = ur::detail::nonnegative_least_squares(free);
  CHECK(w[0] == Approx(3));
  CHECK(w[1] == Approx(1));
  const auto v = ur::detail::nonnegative_least_squares(clipped);
  CHECK(v[0] == Approx(2.5));
  CHECK(v[1] == 0);
  CHECK(ur::detail::nonnegative_least_squares(ur::detail::normal_equations(2)) == std::vector<double>{0, 0});
}

TEST_CASE("a stack gives a predictor that is right all the weight, whatever is common to all LLMs of a prompt") {
  const auto losses = of({{1, 0}, {0, 1}, {1, 1}, {0, 0}});
  const std::vector<double> means{.5, .5};
  // The first is right about which LLM is better and says nothing of the prompt's difficulty; the second is noise.
  const auto right = of({{1, 0}, {0, 1}, {.5, .5}, {.5, .5}});
  const auto noise = of({{.6, .4}, {.6, .4}, {.3, .5}, {.5, .3}});
  ur::stacking stack(2);
  const std::vector<const ur::loss_matrix*> predicted{&right, &noise};
  stack.add(predicted, means, losses);
  const auto w = stack.weights();
  CHECK(w[0] == Approx(1));
  CHECK(w[1] == Approx(0).margin(1e-9));
  const auto mixed = ur::stacking::mix(predicted, means, w, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t h = 0; h < 2; ++h) CHECK(mixed(i, h) == Approx(right(i, h)));
  }
}

TEST_CASE("squared error spared is what weights take off a sample's, by hand") {
  // One prompt, two LLMs: losses beyond the prompt's mean are -.5 and .5, deviations -.2 and .2.
  ur::stacking stack(1);
  const auto predicted = of({{.3, .7}});
  const ur::loss_matrix* const list[] = {&predicted};
  const std::vector<double> means{.5, .5};
  stack.add(list, means, of({{0, 1}}));
  CHECK(stack.error_spared(std::vector<double>{0}) == 0);
  CHECK(stack.error_spared(std::vector<double>{1}) == Approx(2 * (.25 - .09)));
  CHECK(stack.error_spared(std::vector<double>{6}) == Approx(2 * (.25 - .49)));
  ur::stacking twice(1);
  twice.add(stack);
  twice.add(stack);
  CHECK(twice.error_spared(std::vector<double>{1}) == Approx(4 * (.25 - .09)));
  CHECK_THROWS_AS(stack.error_spared(means), std::invalid_argument);
  CHECK_THROWS_AS(twice.add(ur::stacking(2)), std::invalid_argument);
}

TEST_CASE("what is missing has no part in a stack") {
  auto losses = of({{1, 0, 0}, {0, 1, 0}});
  losses(0, 2) = losses(1, 2) = ur::missing;
  const std::vector<double> means{.5, .5, .5};
  auto predicted = of({{.8, .2, 7}, {.2, .8, -7}});
  ur::stacking stack(1);
  const std::vector<const ur::loss_matrix*> list{&predicted};
  stack.add(list, means, losses);
  CHECK(stack.weights()[0] == Approx(.5 / .3));
  CHECK_THROWS_AS(stack.add(list, std::vector<double>{.5}, losses), std::invalid_argument);
  CHECK_THROWS_AS(stack.add({}, means, losses), std::invalid_argument);
}

TEST_CASE("a method that was asked for twice in a trial is computed once, and a copy of a trial starts afresh") {
  int calls = 0;
  const ur::routing_method counted{"counted", [&](const ur::trial_data& t) {
                                     ++calls;
                                     return ur::zero_router().predict(t);
                                   }};
  const auto t = trial();
  ur::predict_once(counted, t);
  ur::predict_once(counted, t);
  CHECK(calls == 1);
  const auto copy = t;
  ur::predict_once(counted, copy);
  CHECK(calls == 2);
  CHECK_THROWS_AS(t.memo.get<int>("prediction of counted", [] { return 1; }), std::invalid_argument);
}

TEST_CASE("rehearsals hold out every seen LLM once, and no prompt is in two parts") {
  const auto t = trial();
  const auto& list = ur::rehearsals_of(t, {.folds = 3, .repeats = 2});
  REQUIRE(list.size() == 6);
  for (std::size_t repeat = 0; repeat < 2; ++repeat) {
    std::multiset<std::string> held;
    for (std::size_t f = 0; f < 3; ++f) {
      const auto& r = list[repeat * 3 + f].trial;
      held.insert(r.unseen.begin(), r.unseen.end());
      CHECK(r.seen.size() + r.unseen.size() == t.seen.size());
      CHECK(ur::rows(r.train_x) + ur::rows(r.validation_x) + ur::rows(r.test_x) == ur::rows(t.train_x));
    }
    CHECK(held == std::multiset<std::string>(t.seen.begin(), t.seen.end()));
  }
  CHECK(&list == &ur::rehearsals_of(t, {.folds = 3, .repeats = 2}));
  CHECK_THROWS_AS(ur::rehearsals_of(t, {.folds = 0}), std::invalid_argument);
  // A table too small to hold anything back says how large it has to be.
  auto small = t;
  small.train_x = ur::make_matrix<float>(3, 2);
  CHECK_THROWS_WITH(ur::rehearsals_of(small, {.folds = 3}),
                    Catch::Contains("rehearsals_of: train_x has 3 rows, but must"));
  small.train_losses = ur::make_matrix<double>(3, t.seen.size(), .5);
  CHECK_THROWS_WITH(ur::rehearsals_of(small, {.folds = 3}),
                    Catch::Contains("there are 3 training prompts, but must be at least 4"));
}

TEST_CASE("in a static pool every LLM is fitted on, represented and scored, each time on other prompts") {
  auto t = trial();
  t.static_pool = true;
  t.unseen = t.seen;
  const auto& list = ur::rehearsals_of(t, {.folds = 2, .repeats = 2});
  REQUIRE(list.size() == 4);
  for (const auto& r : list) {
    CHECK(r.trial.static_pool);
    CHECK(r.trial.seen.size() == t.seen.size());
    CHECK(r.trial.unseen == r.trial.seen);
    CHECK(ur::rows(r.trial.validation_x) == ur::rows(t.validation_x));
    CHECK(ur::rows(r.trial.train_x) + ur::rows(r.trial.validation_x) + ur::rows(r.trial.test_x) == ur::rows(t.train_x));
  }
  CHECK((list[0].trial.test_x != list[1].trial.test_x));
}

TEST_CASE("rehearsals leave out LLMs that nothing is known of") {
  auto t = trial();
  for (std::size_t i = 0; i < ur::rows(t.train_losses); ++i) t.train_losses(i, 1) = ur::missing;
  const std::string silent = t.seen[1];
  const auto& list = ur::rehearsals_of(t);
  REQUIRE(list.size() == 2);
  for (const auto& r : list) {
    for (const auto* names : {&r.trial.seen, &r.trial.unseen})
      CHECK(std::find(names->begin(), names->end(), silent) == names->end());
    CHECK(r.trial.seen.size() == ur::columns(r.trial.train_losses));
    CHECK(r.trial.unseen.size() == ur::columns(r.losses));
  }
}

TEST_CASE("stacked_on_seen mixes by weights that it reports, and predicts nothing from test outcomes") {
  const auto method = ur::stacked_on_seen("selected", {cells("cells/2", 2), cells("cells/8", 8)});
  const auto t = trial();
  const auto p = method.predict(t);
  REQUIRE(p.weights.size() == 2);
  CHECK(p.weights[0].first == "cells/2");
  CHECK(p.chosen.substr(0, 6) == "scale ");
  CHECK(ur::rows(p.losses) == ur::rows(t.test_x));
  const auto means = ur::column_means(t.validation_losses);
  const auto& a = ur::predict_once(cells("cells/2", 2), t).losses;
  const auto& b = ur::predict_once(cells("cells/8", 8), t).losses;
  for (std::size_t h = 0; h < ur::columns(means); ++h)
    CHECK(p.losses(3, h) == Approx(means(0, h) + p.weights[0].second * (a(3, h) - means(0, h)) +
                                   p.weights[1].second * (b(3, h) - means(0, h))));
  CHECK_THROWS_AS(ur::stacked_on_seen("none", {}), std::invalid_argument);
  CHECK_THROWS_AS(ur::stacked_on_seen("negative", {cells("cells/2", 2)}, {.scales = {-1}}), std::invalid_argument);
}

TEST_CASE("outcomes of the test prompts change no method's choice: the protocol keeps them from it") {
  // The same table twice, but for the test outcomes of the LLMs: every prediction is the same, bit for bit.
  const auto& table = world().table;
  const auto methods = [](std::vector<ur::loss_matrix>& seen) {
    const auto inner = ur::stacked_on_seen("selected", {cells("cells/2", 2), cells("cells/8", 8)});
    return std::vector<ur::routing_method>{{"spy", [&seen, inner](const ur::trial_data& t) {
                                              auto p = inner.predict(t);
                                              seen.push_back(p.losses);
                                              return p;
                                            }}};
  };
  const ur::protocol_options options{.trials = 2, .seed = 5, .validation_prompts = 80, .threads = 1};
  std::vector<ur::loss_matrix> before, after;
  auto parts = table.parts();
  const auto embed = [&](auto) { return table.embeddings(); };
  ur::run_protocol(table, embed, methods(before), options);
  // Each trial has its own test prompts: change those of one trial at a time.
  for (std::size_t trial_index = 0; trial_index < 2; ++trial_index) {
    parts = table.parts();
    ur::split_options how{
        .train = .35, .validation = .35, .seed = ur::derive_seed(options.seed, trial_index), .validation_prompts = 80};
    for (const auto i : ur::split_rows(table, how).test) {
      for (std::size_t h = 0; h < table.model_count(); ++h) parts.losses(i, h) = 1 - parts.losses(i, h);
    }
    after.clear();
    ur::run_protocol(ur::routing_table(parts), embed, methods(after), options);
    REQUIRE(after.size() == 2);
    CHECK((after[trial_index] == before[trial_index]));
    CHECK((after[1 - trial_index] != before[1 - trial_index]));  // there the changed prompts were trained on
  }
}

TEST_CASE("stacked enrols in every predictor or in none, and routes alone as in a batch") {
  const auto t = trial();
  ur::stacked stack(ur::stacked_options{.labels = 60},
                    ur::cell_predictor(ur::kmeans{{.clusters = 4}}, ur::proximity_map{}, ur::shrunken_mean{}),
                    ur::knn{{.neighbours = 30}});
  static_assert(ur::pool_adaptive<decltype(stack)>);
  stack.fit(t.train_x, t.train_losses);
  CHECK(stack.weights().size() == 2);
  stack.set_validation(t.validation_x);
  const auto first = ur::column(t.validation_losses, 0);
  stack.enroll("a", first);
  stack.enroll("b", ur::column(t.validation_losses, 1));
  CHECK_THROWS_AS(stack.enroll("c", std::vector<double>(3, .5)), std::invalid_argument);
  CHECK_THROWS_AS(stack.enroll("a", first), std::invalid_argument);
  CHECK(stack.size() == 2);
  CHECK(stack.member<1>().size() == 2);
  const auto batch = stack.predict(t.test_x);
  std::vector<double> one(2);
  stack.predict(ur::row(t.test_x, 0), one);
  {
    const uniroute_tests::allocation_counter counter;
    stack.predict(ur::row(t.test_x, 5), one);
    CHECK(counter.count() == 0);
  }
  for (std::size_t h = 0; h < 2; ++h) CHECK(one[h] == Approx(batch(5, h)).margin(1e-6));

  ur::stacked other(ur::cell_predictor(ur::kmeans{{.clusters = 4}}, ur::proximity_map{}, ur::shrunken_mean{}),
                    ur::knn{{.neighbours = 30}});
  other.load(stack.save());
  CHECK((other.predict(t.test_x) == batch));
  stack.retire("a");
  CHECK(stack.size() == 1);
  CHECK(ur::column(stack.predict(t.test_x), 0) == ur::column(batch, 1));
  CHECK_THROWS_AS(stack.retire("a"), std::invalid_argument);
}

TEST_CASE("with fewer than four seen LLMs a stack has equal weights that sum to its scale") {
  const auto t = trial();
  const std::vector<std::size_t> three{0, 1, 2};
  std::vector<std::size_t> all(ur::rows(t.train_x));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  ur::stacked stack(ur::stacked_options{.scale = .5}, ur::knn{{.neighbours = 5}}, ur::knn{{.neighbours = 50}});
  stack.fit(t.train_x, ur::take(t.train_losses, all, three));
  CHECK(stack.weights()[0] == .25);
  CHECK(stack.weights()[1] == .25);
  CHECK_THROWS_AS(ur::stacked(ur::stacked_options{.scale = 2}, ur::knn{}), std::invalid_argument);
}

TEST_CASE("a guard takes a predictor of noise down to the LLM's mean") {
  // Embeddings that say nothing of the outcomes.
  ur::random_engine engine(2);
  const std::size_t n = 900, m = 12;
  auto x = ur::make_matrix<float>(n, 4);
  for (float& v : x) v = static_cast<float>(engine.normal());
  auto losses = ur::make_matrix<double>(n, m);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) losses(i, h) = engine.uniform() < .3 + .03 * static_cast<double>(h) ? 1 : 0;
  }
  ur::guarded<ur::knn> guard(ur::stacked_options{.labels = 200}, ur::knn{{.neighbours = 10}});
  guard.fit(x, losses);
  // Noise of variance .2 / 10 in a regression on 3,240 losses of variance .2: a standard error of .06.
  CHECK(guard.weights()[0] < .18);
}

TEST_CASE("on a table without signal a stack is ZeroRouter, where what it is made of loses") {
  ur::random_engine engine(6);
  const std::size_t n = 700, m = 12;
  ur::routing_table_parts parts;
  parts.name = "noise";
  parts.embeddings = ur::make_matrix<float>(n, 6);
  for (float& v : parts.embeddings) v = static_cast<float>(engine.normal());
  parts.losses = ur::make_matrix<double>(n, m);
  parts.costs = ur::make_matrix<double>(n, m);
  for (std::size_t h = 0; h < m; ++h) {
    parts.models.push_back({});
    parts.models.back().name = "llm " + std::to_string(h);
    for (std::size_t i = 0; i < n; ++i) {
      parts.losses(i, h) = engine.uniform() < .7 - .04 * static_cast<double>(h) ? 1 : 0;
      parts.costs(i, h) = static_cast<double>(1 + h * h);
    }
  }
  for (std::size_t i = 0; i < n; ++i) parts.ids.push_back(std::to_string(i));
  const ur::routing_table table(std::move(parts));
  const auto unshrunk = ur::predictor_method("unshrunk", [](const ur::trial_data& t) {
    return ur::cell_predictor(ur::kmeans{{.clusters = 20, .seed = t.seed}}, ur::nearest_map{}, ur::cell_mean{});
  });
  const std::vector<ur::routing_method> methods{
      ur::zero_router(), unshrunk, ur::stacked_on_seen("stack", {unshrunk}, {.rehearsals = {.repeats = 3}})};
  const auto result = ur::run_protocol(table, [&](auto) { return table.embeddings(); }, methods,
                                       {.trials = 12, .seed = 3, .validation_prompts = 200, .threads = 1});
  const auto gain = [&](std::size_t of) { return ur::summarise(result, result.methods[of]).gain_over_zero->mean.mean; };
  INFO(gain(1) << ' ' << gain(2));
  CHECK(gain(1) < -.003);
  CHECK(std::fabs(gain(2)) < .001);
}
