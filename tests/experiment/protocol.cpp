#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const ur::world_sample& world() {
  static const ur::world_sample sample = ur::simulated_world{{.dimension = 8}}.sample(400, 11);
  return sample;
}

std::vector<ur::routing_method> methods() {
  const auto cells = [](std::size_t k) {
    return ur::predictor_method("K = " + std::to_string(k), [k](const ur::trial_data& t) {
      return ur::cell_predictor(ur::kmeans{{.clusters = k, .seed = t.seed}}, ur::proximity_map{}, ur::shrunken_mean{});
    });
  };
  return {ur::zero_router(), ur::best_single(), ur::cheapest(), ur::selected_on_seen("cells", {cells(2), cells(8)}),
          ur::predictor_method("knn", [](const ur::trial_data&) { return ur::knn{{.neighbours = 30}}; })};
}

ur::protocol_result run(std::size_t threads, std::size_t trials = 4, std::size_t first = 0) {
  const auto list = methods();
  ur::protocol_options options{.trials = trials, .first_trial = first, .validation_prompts = 80, .threads = threads};
  options.references.push_back(ur::cost_matched(list[3]));
  return ur::run_protocol(
      world().table, [](auto) { return world().table.embeddings(); }, list, options, world().expected_losses);
}

}  // namespace

TEST_CASE("the protocol gives the same bits on any number of threads") {
  const auto one = run(1), three = run(3);
  REQUIRE(one.methods.size() == three.methods.size());
  for (std::size_t m = 0; m < one.methods.size(); ++m) {
    for (std::size_t t = 0; t < 4; ++t) {
      CHECK(one.methods[m].trials[t].of("narea") == three.methods[m].trials[t].of("narea"));
      CHECK(one.methods[m].trials[t].curve == three.methods[m].trials[t].curve);
      CHECK(one.methods[m].trials[t].chosen == three.methods[m].trials[t].chosen);
    }
  }
}

TEST_CASE("trials that are run in parts are those of the whole, bit for bit") {
  const auto whole = run(1, 4), part = run(1, 1, 2);
  REQUIRE(part.pools.size() == 1);
  CHECK(part.pools[0] == whole.pools[2]);
  REQUIRE(part.methods.size() == whole.methods.size());
  for (std::size_t m = 0; m < part.methods.size(); ++m) {
    CHECK(part.methods[m].trials[0].of("narea") == whole.methods[m].trials[2].of("narea"));
    CHECK(part.methods[m].trials[0].curve == whole.methods[m].trials[2].curve);
  }
}

TEST_CASE("hindsight beats every method, and the Bayes oracle beats routers on average") {
  const auto result = run(2, 6);
  double bayes = 0, cells = 0;
  for (std::size_t t = 0; t < 6; ++t) {
    for (const auto& m : result.methods)
      CHECK(*m.trials[t].of("narea") <= *result.method("oracle").trials[t].of("narea") + 1e-12);
    bayes += *result.method("oracle_bayes").trials[t].of("narea");
    cells += *result.method("cells").trials[t].of("narea");
  }
  CHECK(bayes > cells);
  CHECK_THROWS_AS(result.method("nobody"), std::invalid_argument);
}

TEST_CASE("a summary has the gain of the corrected test and no gain over itself") {
  const auto result = run(2);
  const auto zero = ur::summarise(result, result.method("zero_router"));
  REQUIRE(zero.gain_over_zero);
  CHECK(zero.gain_over_zero->mean.mean == 0);
  CHECK(zero.gain_over_zero->p_sign == 1);
  const auto cells = ur::summarise(result, result.method("cells"));
  double mean = 0;
  for (std::size_t t = 0; t < 4; ++t)
    mean += (*result.method("cells").trials[t].of("narea") - *result.method("zero_router").trials[t].of("narea")) / 4;
  CHECK(cells.gain_over_zero->mean.mean == Approx(mean).margin(1e-12));
  CHECK(cells.gain_over_zero->mean.low < cells.gain_over_zero->mean.high);
  std::size_t times = 0;
  for (const auto& c : cells.chosen) times += c.second;
  CHECK(times == 4);
}

TEST_CASE(
    "methods never see test outcomes: a trial's data has validation columns of unseen LLMs and training columns of "
    "seen ones") {
  bool looked = false;
  std::vector<ur::routing_method> spy{{"spy", [&](const ur::trial_data& t) {
                                         looked = true;
                                         CHECK(ur::columns(t.train_losses) == t.seen.size());
                                         CHECK(ur::columns(t.validation_losses) == t.unseen.size());
                                         CHECK(ur::rows(t.validation_losses) == ur::rows(t.validation_x));
                                         for (const auto& name : t.unseen)
                                           CHECK(std::find(t.seen.begin(), t.seen.end(), name) == t.seen.end());
                                         return ur::zero_router().predict(t);
                                       }}};
  ur::run_protocol(world().table, [](auto) { return world().table.embeddings(); }, spy, {.trials = 1, .threads = 1});
  CHECK(looked);
}

TEST_CASE("a table of two LLMs has a static pool") {
  const std::vector<std::size_t> two{0, 27};
  std::vector<std::size_t> all(world().table.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto table = world().table.select(all, two);
  const auto list = methods();
  const auto result = ur::run_protocol(table, [&](auto) { return table.embeddings(); }, list,
                                       {.trials = 2, .validation_prompts = 60, .threads = 1});
  CHECK(result.static_pool);
  CHECK(result.unseen == 2);
}

TEST_CASE("a static pool, hidden outcomes and a shift of categories are what they say") {
  auto parts = world().table.parts();
  for (std::size_t i = 0; i < parts.ids.size(); ++i) parts.categories[i] = i % 4 == 0 ? "rare" : i % 2 == 0 ? "a" : "b";
  for (auto& c : parts.categories) c = c == "rare" ? "a" : c;
  const ur::routing_table table(parts);
  std::map<std::string, std::size_t> rows_of;
  double hidden = 0, all = 0;
  bool shifted = true;
  const auto run_with = [&](ur::protocol_options options) {
    const std::vector<ur::routing_method> spy{{"spy", [&](const ur::trial_data& t) {
                                                 rows_of["unseen"] = t.unseen.size();
                                                 rows_of["seen"] = t.seen.size();
                                                 hidden = all = 0;
                                                 for (const double loss : t.validation_losses) {
                                                   hidden += ur::is_missing(loss) ? 1 : 0;
                                                   all += 1;
                                                 }
                                                 for (std::size_t h = 0; h < ur::columns(t.validation_losses); ++h) {
                                                   const auto of = ur::column(t.validation_losses, h);
                                                   CHECK_FALSE(std::all_of(of.begin(), of.end(), ur::is_missing));
                                                 }
                                                 // Categories by embedding: a prompt's row tells its index.
                                                 std::set<std::string> train, other;
                                                 for (std::size_t i = 0; i < table.size(); ++i) {
                                                   const auto x = ur::row(table.embeddings(), i);
                                                   const auto is_in = [&](const ur::embedding_matrix& m) {
                                                     for (std::size_t r = 0; r < ur::rows(m); ++r) {
                                                       if (std::equal(x.begin(), x.end(), ur::row(m, r).begin()))
                                                         return true;
                                                     }
                                                     return false;
                                                   };
                                                   if (is_in(t.train_x)) train.insert(table.categories()[i]);
                                                   if (is_in(t.validation_x) || is_in(t.test_x))
                                                     other.insert(table.categories()[i]);
                                                 }
                                                 shifted = train.size() == 1 && other.size() == 1 && train != other;
                                                 return ur::zero_router().predict(t);
                                               }}};
    options.trials = 1;
    options.threads = 1;
    options.validation_prompts = 80;
    ur::run_protocol(
        table, [&](auto) { return table.embeddings(); }, spy, options);
  };
  run_with({.static_pool = true});
  CHECK(rows_of["seen"] == table.model_count());
  CHECK(rows_of["unseen"] == table.model_count());
  CHECK(hidden == 0);
  CHECK_FALSE(shifted);
  run_with({.hidden = .4});
  // A binomial share of 720 outcomes: a standard error of .018.
  CHECK(hidden / all == Approx(.4).margin(.06));
  run_with({.hidden = .999});
  CHECK(hidden < all);
  run_with({.shift = true});
  CHECK(shifted);
  CHECK_THROWS_AS(run_with({.hidden = 1}), std::invalid_argument);
}

TEST_CASE("zero trials and names that stand twice are refused") {
  const auto list = methods();
  const auto embed = [](auto) { return world().table.embeddings(); };
  CHECK_THROWS_AS(ur::run_protocol(world().table, embed, list, {.trials = 0}), std::invalid_argument);
  // Methods in braces are the same as in a vector.
  const auto result = ur::run_protocol(world().table, embed, {list[0], list[1]}, {.trials = 1, .threads = 1});
  REQUIRE(result.methods.size() == 4);
  CHECK(result.methods[0].name == list[0].name);
  CHECK(result.methods[1].name == list[1].name);
  CHECK_THROWS_WITH(ur::run_protocol(world().table, embed, {list[0], list[0]}, {.trials = 1, .threads = 1}),
                    Catch::Contains("two methods are named 'zero_router'"));
  CHECK_THROWS_WITH(ur::run_protocol(world().table, embed, {{"oracle", list[0].predict}}, {.trials = 1, .threads = 1}),
                    Catch::Contains("two methods are named 'oracle'"));
  const ur::named_metric again{"qnc", "again", [](const ur::curve_view&) { return ur::metric(1); }};
  CHECK_THROWS_WITH(ur::run_protocol(world().table, embed, list, {.trials = 1, .threads = 1, .metrics = {again}}),
                    Catch::Contains("two metrics are named 'qnc'"));
}

TEST_CASE("predictor quality by hand") {
  auto p = ur::make_matrix<double>(2, 1);
  p(0, 0) = .8;
  p(1, 0) = .4;
  auto l = ur::make_matrix<double>(2, 1);
  l(0, 0) = 1;
  l(1, 0) = 0;
  const auto q = ur::measure_predictor(p, l);
  CHECK(q.brier == Approx((.04 + .16) / 2));
  CHECK(q.log_loss == Approx(-(std::log(.8) + std::log(.6)) / 2));
  CHECK(*q.auc == 1);
  CHECK(q.calibration_error == Approx((.2 + .4) / 2));
  l(1, 0) = ur::missing;
  CHECK(!ur::measure_predictor(p, l).auc);
}
