// What selection on seen LLMs refuses, in whole sentences, and what it does at its borders.
#include <catch2/catch.hpp>
#include <set>
#include <uniroute/bound/cells_by_certificate.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/predict.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

/// n training prompts x m seen LLMs that differ along the embedding, `labels` validation prompts x 3 unseen LLMs.
ur::trial_data trial(std::size_t n, std::size_t m, std::size_t labels, bool static_pool = false) {
  ur::random_engine draws(3);
  const auto prompts = [&](std::size_t count) {
    auto x = ur::make_matrix<float>(count, 2);
    for (float& v : x) v = static_cast<float>(draws.normal());
    return x;
  };
  const auto outcomes = [&](const ur::embedding_matrix& x, std::size_t models) {
    auto out = ur::make_matrix<double>(ur::rows(x), models);
    for (std::size_t i = 0; i < ur::rows(x); ++i) {
      for (std::size_t h = 0; h < models; ++h)
        out(i, h) = draws.uniform() < (static_cast<double>(x(i, 0)) * (h % 2 == 0 ? 1 : -1) > 0 ? .8 : .2) ? 1 : 0;
    }
    return out;
  };
  ur::trial_data t;
  t.seed = 4;
  t.static_pool = static_pool;
  t.train_x = prompts(n);
  t.validation_x = prompts(labels);
  t.test_x = prompts(5);
  t.train_losses = outcomes(t.train_x, m);
  t.train_costs = ur::make_matrix<double>(n, m, 1.0);
  const std::size_t unseen = static_pool ? m : 3;
  t.validation_losses = outcomes(t.validation_x, unseen);
  t.validation_costs = ur::make_matrix<double>(labels, unseen, 1.0);
  for (std::size_t h = 0; h < unseen; ++h) {
    for (std::size_t i = 0; i < labels; ++i) t.validation_costs(i, h) = 1 + static_cast<double>(h);
    t.unseen.push_back("new" + std::to_string(h));
  }
  for (std::size_t h = 0; h < m; ++h) {
    for (std::size_t i = 0; i < n; ++i) t.train_costs(i, h) = 1 + static_cast<double>(h);
    t.seen.push_back("seen" + std::to_string(h));
  }
  return t;
}

auto cells(std::size_t k = 2) {
  return ur::cell_predictor(ur::kmeans{{.clusters = k}}, ur::nearest_map{}, ur::cell_mean{});
}

ur::routing_method cell_method(const std::string& name) {
  return ur::predictor_method(name, [](const ur::trial_data&) { return cells(); });
}

}  // namespace

TEST_CASE("rehearsals refuse options and trials that leave nothing to hold out") {
  const auto t = trial(40, 4, 10);
  const auto message = "rehearsals_of: folds is 2 and repeats is 0, but must be at least 1";
  CHECK_THROWS_WITH(ur::rehearsals_of(t, {.repeats = 0}), message);
  CHECK_THROWS_WITH(ur::rehearsals_of(t, {.folds = 0}), Contains("folds is 0 and repeats is 1"));
  for (const double share : {0.0, 1.0, -.5, std::nan("")})
    CHECK_THROWS_WITH(ur::rehearsals_of(t, {.scored_share = share}), Contains("scored_share is "));
  CHECK_THROWS_WITH(ur::rehearsals_of(trial(40, 1, 10)),
                    "rehearsals_of: there are 1 seen LLMs, but must be at least 2");
  // .3 of four prompts are one to score; of the other three one is labelled and two are fitted on.
  CHECK(ur::rehearsals_of(trial(4, 4, 10)).size() == 2);
  CHECK_THROWS_WITH(ur::rehearsals_of(trial(3, 4, 10)),
                    Contains("there are 3 training prompts, but must be at least 4: one to score, one to label"));
  CHECK_THROWS_WITH(ur::rehearsals_of(trial(40, 4, 10), {.scored_share = .99}),
                    Contains("there are 40 training prompts, but must be at least "));
  CHECK_THROWS_WITH(ur::rehearsals_of(trial(40, 4, 0)),
                    "rehearsals_of: there are 0 validation prompts, but must be at least 1");
}

TEST_CASE("few seen LLMs: folds are at most half of them, and of one fold half of the LLMs are held back") {
  // Five LLMs and folds of at least two: two folds, whatever was asked for.
  const auto five = trial(40, 5, 10);
  CHECK(ur::rehearsals_of(five, {.folds = 4}).size() == 2);
  const auto once = trial(40, 6, 10);
  const auto& single = ur::rehearsals_of(once, {.folds = 1, .repeats = 3});
  REQUIRE(single.size() == 3);
  for (const auto& r : single) {
    CHECK(r.trial.unseen.size() == 3);
    CHECK(r.trial.seen.size() == 3);
    std::set<std::string> names(r.trial.seen.begin(), r.trial.seen.end());
    names.insert(r.trial.unseen.begin(), r.trial.unseen.end());
    CHECK(names.size() == 6);
    CHECK(ur::rows(r.trial.test_x) == 12);
    CHECK(ur::rows(r.trial.validation_x) == 10);
    CHECK(ur::rows(r.trial.train_x) == 18);
    CHECK(ur::columns(r.trial.train_costs) == 3);
    CHECK(ur::columns(r.trial.validation_costs) == 3);
    CHECK(ur::columns(r.costs) == 3);
  }
  // A sample as large as what can be spared, no larger: half of what is not scored.
  const auto large = trial(40, 6, 500);
  CHECK(ur::rows(ur::rehearsals_of(large)[0].trial.validation_x) == 14);
}

TEST_CASE("rehearsals leave out seen LLMs without outcomes, and those that leave fewer than two to score") {
  auto t = trial(40, 6, 10);
  for (std::size_t i = 0; i < 40; ++i) t.train_losses(i, 2) = ur::missing;
  const auto& rest = ur::rehearsals_of(t);
  REQUIRE(rest.size() == 2);
  for (const auto& r : rest) {
    const std::size_t fitted = r.trial.seen.size(), held = r.trial.unseen.size();
    CHECK(fitted + held == 5);
    CHECK(ur::columns(r.trial.train_losses) == fitted);
    CHECK(ur::columns(r.trial.train_costs) == fitted);
    CHECK(ur::columns(r.losses) == held);
    CHECK(ur::columns(r.costs) == held);
    CHECK(ur::columns(r.trial.validation_losses) == held);
    CHECK(ur::columns(r.trial.validation_costs) == held);
    for (const auto& name : r.trial.seen) CHECK(name != "seen2");
    for (const auto& name : r.trial.unseen) CHECK(name != "seen2");
    // Columns are still those of their LLMs: costs are 1 + the LLM's number.
    for (std::size_t h = 0; h < held; ++h) CHECK(r.costs(0, h) == 1 + std::stod(r.trial.unseen[h].substr(4)));
    for (std::size_t h = 0; h < fitted; ++h)
      CHECK(r.trial.train_costs(0, h) == 1 + std::stod(r.trial.seen[h].substr(4)));
  }
  auto nothing = trial(40, 4, 10);
  nothing.train_losses.fill(ur::missing);
  CHECK(ur::rehearsals_of(nothing).empty());
}

TEST_CASE("methods chosen on seen LLMs refuse an empty list, and do not rehearse where there is one to choose") {
  CHECK_THROWS_WITH(ur::selected_on_seen("none", {}),
                    "selected_on_seen: candidates has 0 entries, but must have at least 1");
  // One candidate: a trial that could not be rehearsed is no obstacle.
  const auto one = ur::selected_on_seen("one", {cell_method("cells/2")}).predict(trial(40, 1, 10));
  CHECK(one.chosen == "2");
  CHECK_THROWS_WITH(ur::stacked_on_seen("none", {}), Contains("candidates has 0 and scales has 3 entries"));
  CHECK_THROWS_WITH(ur::stacked_on_seen("none", {cell_method("a")}, {.scales = {}}),
                    Contains("candidates has 1 and scales has 0 entries"));
  for (const double scale : {-1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    CHECK_THROWS_WITH(ur::stacked_on_seen("bad", {cell_method("a")}, {.scales = {scale}}),
                      Contains("stacked_on_seen: a scale is "));
  // One scale is taken as it is where the mixture spares errors.
  const auto t = trial(300, 8, 60);
  const auto fixed = ur::stacked_on_seen("fixed", {cell_method("cells")}, {.scales = {.4}}).predict(t);
  const auto whole = ur::stacked_on_seen("whole", {cell_method("cells")}, {.scales = {1}}).predict(t);
  REQUIRE(fixed.weights.size() == 1);
  CHECK(whole.weights[0].second > .1);
  CHECK(fixed.weights[0].second == Approx(.4 * whole.weights[0].second));
}

TEST_CASE("stacking refuses what does not fit together") {
  ur::stacking stack(2);
  const auto four = ur::make_matrix<double>(4, 3, .5), one = ur::make_matrix<double>(1, 3, .5),
             narrow = ur::make_matrix<double>(4, 2, .5), three = ur::make_matrix<double>(3, 3, .5);
  const std::vector<double> means(3, .5);
  const auto add = [&](std::vector<const ur::loss_matrix*> of) { stack.add(of, means, four); };
  CHECK_NOTHROW(add({&four, &one}));
  CHECK_THROWS_WITH(add({&four}), "stacking::add: predicted has 1 entries, but must have 2");
  CHECK_THROWS_WITH(add({&four, &narrow}), "stacking::add: a prediction is 4 x 2, but must be 4 x 3 (or have one row)");
  CHECK_THROWS_WITH(add({&three, &one}), Contains("a prediction is 3 x 3"));
  CHECK_THROWS_WITH(stack.add(ur::stacking(3)), "stacking::add: the other stack has 3 predictors, but must have 2");
  for (const double prior : {-1.0, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH(stack.weights(prior), Contains("stacking::weights: prior is "));
  // A sample that is alone is judged by its own weights.
  const std::vector<ur::stacking> alone{stack};
  CHECK(ur::weights_of_others(alone).front() == stack.weights());
}

TEST_CASE("a stacked predictor checks its options, its state and what it is given") {
  CHECK_THROWS_WITH(ur::stacked(ur::stacked_options{.labels = 0}, ur::knn{}),
                    "stacked: labels is 0, but must be at least 1");
  for (const double scale : {-.1, 1.1, std::nan("")})
    CHECK_THROWS_WITH(ur::stacked(ur::stacked_options{.scale = scale}, ur::knn{}),
                      Contains("stacked: scale is ") && Contains("but must be between 0 and 1"));
  const auto t = trial(60, 6, 20);
  // Nineteen prompts are too few to hold any out: equal weights; twenty are not.
  ur::stacked stack(ur::stacked_options{.labels = 10, .scale = .5}, cells(), ur::knn{});
  std::vector<std::size_t> first(19);
  for (std::size_t i = 0; i < 19; ++i) first[i] = i;
  const std::vector<std::size_t> models{0, 1, 2, 3, 4, 5};
  stack.fit(ur::take_rows(t.train_x, std::span<const std::size_t>(first)), ur::take(t.train_losses, first, models));
  CHECK(stack.weights()[0] == .25);
  CHECK(stack.weights()[1] == .25);
  stack.fit(t.train_x, t.train_losses);
  CHECK(stack.weights()[0] != .25);
  // Nobody was run on two LLMs: no rehearsal is left, and the weights are equal.
  auto nothing = t.train_losses;
  nothing.fill(ur::missing);
  for (std::size_t h = 0; h < 6; ++h) nothing(h, h) = 1;
  ur::stacked unknown(ur::stacked_options{.labels = 1}, cells());
  unknown.fit(t.train_x, nothing);
  CHECK((unknown.weights()[0] == 1 || unknown.weights()[0] == 0));

  stack.set_validation(t.validation_x);
  stack.enroll("a", ur::column(t.validation_losses, 0));
  stack.enroll("b", ur::column(t.validation_losses, 1));
  CHECK(stack.size() == 2);
  const auto before = stack.predict(t.test_x);
  const auto saved = stack.save();
  // A state with one mean too few, or one weight, is none.
  for (const auto& [field, sentence] : std::map<std::string, std::string>{
           {"means", "stacked: every predictor must have the same models, one mean each"},
           {"weights", "stacked: weights must have one entry per predictor"}}) {
    ur::state broken = saved;
    broken.set(field, std::vector<double>{.5});
    CHECK_THROWS_WITH(stack.load(broken), Contains(sentence));
  }
  CHECK((stack.predict(t.test_x) == before));
  stack.retire("a");
  CHECK(stack.models().front() == "b");
  for (std::size_t i = 0; i < ur::rows(before); ++i) CHECK(stack.predict(t.test_x)(i, 0) == before(i, 1));
}

TEST_CASE("cells by certificate refuse shapes and values, in whole sentences") {
  const auto half = ur::make_matrix<double>(3, 2, .5);
  CHECK_THROWS_WITH(ur::cells_by_certificate(half, ur::make_matrix<double>(3, 1, .5), 1, .1),
                    "cells_by_certificate: realised is 3 x 2 and 3 x 1, but must be of one shape, at least 1 x 1");
  CHECK_THROWS_WITH(ur::cells_by_certificate(half, half, 0, .1),
                    "cells_by_certificate: largest is 0, but must be above 0");
  CHECK_THROWS_WITH(ur::cells_by_certificate(half, half, .4, .1),
                    "cells_by_certificate: a value is from 0.5 to 0.5, but must be from 0 to 0.4");
  auto below = half;
  below(1, 1) = -.1;
  CHECK_THROWS_WITH(ur::cells_by_certificate(below, half, 1, .1), Contains("a value is from -0.1 to 0.5"));
  CHECK_THROWS_AS(ur::cells_by_certificate(half, half, 1, 0), std::invalid_argument);
}
