// A saved router says what it is, and refuses to become another.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <support/skip.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "data/temporary_directory.hpp"

namespace ur = uniroute;

namespace {

const ur::simulated_world world{{.dimension = 8}};
const auto train = world.sample(200, 1).table, validation = world.sample(80, 2).table,
           fresh = world.sample(60, 3).table;
const std::vector<std::string> pool{validation.models()[0].name, validation.models()[9].name,
                                    validation.models()[20].name};

/// Fits and enrols `made`, writes it, reads it into `other` (the same types, made without options), and compares what
/// both route, predict and do with a newcomer, bit for bit.
template <class Router>
void check(Router made, Router other) {
  made.fit(train);
  made.enroll(validation, pool);
  uniroute_tests::temporary_directory dir;
  ur::write_router(made, dir.path() / "saved");
  ur::read_router(other, dir.path() / "saved");
  CHECK((other.save() == made.save()));
  CHECK(other.route(fresh.embeddings()) == made.route(fresh.embeddings()));
  CHECK((other.predict(fresh.embeddings()) == made.predict(fresh.embeddings())));
  CHECK(std::equal(other.models().begin(), other.models().end(), made.models().begin(), made.models().end()));
  CHECK(std::equal(other.validation_ids().begin(), other.validation_ids().end(), validation.ids().begin(),
                   validation.ids().end()));
  // A newcomer is represented as it would have been.
  const std::vector<std::string> newcomer{validation.models()[5].name};
  made.enroll(validation, newcomer);
  other.enroll(validation, newcomer);
  CHECK((other.predict(fresh.embeddings()) == made.predict(fresh.embeddings())));
}

template <class Predictor>
auto route_by(Predictor predictor) {
  return ur::router{ur::precomputed_embeddings{}, std::move(predictor), ur::best_quality_rule{}};
}

template <class Estimator, class Map = ur::nearest_map>
auto cells_of(Estimator estimator, Map map = Map{}) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 12}}, std::move(map), std::move(estimator),
                    ur::lagrangian_rule{{.lambda = 3}}};
}
template <class Estimator, class Map = ur::nearest_map>
auto plain_cells_of(Estimator estimator = Estimator{}, Map map = Map{}) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{}, std::move(map), std::move(estimator),
                    ur::lagrangian_rule{}};
}

}  // namespace

TEST_CASE("a router that was made without options becomes the one that was saved, options and all") {
  check(cells_of(ur::cell_mean{{.empty_cell = ur::empty_cell_fallback::one}}), plain_cells_of(ur::cell_mean{}));
  check(cells_of(ur::shrunken_mean{{.strength = 40}}), plain_cells_of(ur::shrunken_mean{}));
  check(cells_of(ur::two_level_mean{{.coarse_cells = 3, .coarse_strength = 1, .fine_strength = 50}}),
        plain_cells_of(ur::two_level_mean{}));
  check(cells_of(ur::lower_confidence<ur::shrunken_mean>{{.deviations = 2}, ur::shrunken_mean{{.strength = 3}}}),
        plain_cells_of(ur::lower_confidence<ur::shrunken_mean>{}));
  check(cells_of(ur::shrunken_mean{}, ur::proximity_map{{.relative_bandwidth = .1}}),
        plain_cells_of(ur::shrunken_mean{}, ur::proximity_map{}));
  check(route_by(ur::knn{{.neighbours = 3}}), route_by(ur::knn{}));
  check(route_by(ur::prox_neighbours{{.neighbours = 5}, ur::tilted_neighbours{{.relative_bandwidth = .1}}}),
        route_by(ur::prox_neighbours{}));
  check(route_by(ur::avengers{ur::kmeans{{.clusters = 9}}, ur::top_cells{{.cells = 2, .bandwidth = .1}}}),
        route_by(ur::avengers{}));
  check(
      route_by(ur::transformed{ur::concatenation<ur::skills, ur::projection>{ur::skills{{.directions = 3}},
                                                                             ur::projection{{.dimension = 4}},
                                                                             {.first_weight = 2, .second_weight = .25}},
                               ur::knn{{.neighbours = 7}}}),
      route_by(ur::transformed{ur::concatenation<ur::skills, ur::projection>{}, ur::knn{}}));
  check(route_by(ur::ridge{{.noise = 30}}), route_by(ur::ridge{}));
  check(route_by(ur::logistic_regression{{.prior_models = 9}}), route_by(ur::logistic_regression{}));
}

TEST_CASE("designs keep their options when they are saved") {
  const auto round_trip = [&](auto made, auto other) {
    made.fit(train.embeddings(), train.losses());
    other.load(made.save());
    const auto a = made.choose(fresh.embeddings(), 15, 4), b = other.choose(fresh.embeddings(), 15, 4);
    CHECK(a.prompts == b.prompts);
    CHECK(a.inclusion == b.inclusion);
  };
  round_trip(ur::stratified_design({.allocation = ur::label_allocation::neyman, .defensive_share = .5},
                                   ur::kmeans{{.clusters = 5}}),
             ur::stratified_design<ur::kmeans<>>());
  round_trip(ur::disagreement_design({.neighbours = 3, .defensive_share = .9}), ur::disagreement_design());
  round_trip(ur::leverage_design<ur::skills>({.prior = 50, .least_weight = .5}, ur::skills{{.directions = 2}}),
             ur::leverage_design<ur::skills>());
}

TEST_CASE("loading into other policies is refused with both names, and changes nothing") {
  auto shrunken = cells_of(ur::shrunken_mean{});
  shrunken.fit(train);
  shrunken.enroll(validation, pool);
  auto plain = cells_of(ur::cell_mean{});
  plain.fit(train);
  plain.enroll(validation, pool);
  const auto before = plain.route(fresh.embeddings());
  uniroute_tests::temporary_directory dir;
  ur::write_router(shrunken, dir.path() / "saved");
  CHECK_THROWS_WITH(ur::read_router(plain, dir.path() / "saved"),
                    Catch::Contains("was saved by 'shrunken<cell_mean>', but is loaded into 'cell_mean'"));
  CHECK(plain.route(fresh.embeddings()) == before);

  // A budget does not vanish.
  auto budget = shrunken.with_rule(ur::budget_rule{{.budget = .01}});
  budget.calibrate(validation);
  ur::write_router(budget, dir.path() / "budget");
  auto best = shrunken.with_rule(ur::best_quality_rule{});
  CHECK_THROWS_WITH(ur::read_router(best, dir.path() / "budget"),
                    Catch::Contains("was saved by 'budget_rule', but is loaded into 'best_quality_rule'"));
  auto costs = ur::router{ur::precomputed_embeddings{}, ur::kmeans{},          ur::nearest_map{},
                          ur::shrunken_mean{},          ur::lagrangian_rule{}, ur::cell_cost{}};
  CHECK_THROWS_WITH(ur::read_router(costs, dir.path() / "saved"),
                    Catch::Contains("was saved by 'mean_cost', but is loaded into 'cell_cost'"));
  auto nearest = route_by(ur::knn{});
  CHECK_THROWS_WITH(
      ur::read_router(nearest, dir.path() / "saved"),
      Catch::Contains("was saved by 'cell_predictor<kmeans<plus_plus_seeding>, nearest_map, shrunken<cell_mean>>', "
                      "but is loaded into 'basic_knn<equal_weights>'"));
  // A policy alone is no router.
  ur::knn alone;
  CHECK_THROWS_WITH(ur::read_router(alone, dir.path() / "saved"), Catch::Contains("was saved by 'router<"));
}

TEST_CASE("states of an earlier format, of other models and of values out of range are refused") {
  auto router = cells_of(ur::shrunken_mean{});
  router.fit(train);
  router.enroll(validation, pool);
  uniroute_tests::temporary_directory dir;
  ur::write_router(router, dir.path() / "saved");
  const auto path = dir.path() / "saved" / "state.json";
  const auto original = nlohmann::json::parse(std::ifstream(path));
  const auto rewritten = [&](auto&& change) {
    auto json = original;
    change(json);
    std::ofstream(path) << json.dump();
    auto other = plain_cells_of(ur::shrunken_mean{});
    ur::read_router(other, dir.path() / "saved");
  };
  CHECK_NOTHROW(rewritten([](auto&) {}));
  CHECK_THROWS_WITH(rewritten([](auto& json) { json.erase("format"); }),
                    Catch::Contains("is of format 1, but must be of format 2: a state of another version is not read"));
  CHECK_THROWS_WITH(rewritten([](auto& json) { json["format"] = 3; }), Catch::Contains("is of format 3"));
  auto& values = original["values"];
  REQUIRE(values.contains("rule/options/lambda"));
  CHECK_THROWS_WITH(rewritten([](auto& json) { json["values"]["rule/options/lambda"]["value"] = -1.0; }),
                    Catch::Contains("lambda is -1, but must be"));
  CHECK_THROWS_WITH(rewritten([](auto& json) {
                      auto& names = json["values"]["models"]["value"];
                      std::swap(names[0], names[1]);
                    }),
                    Catch::Contains("models must be those of the predictor, by name and in its order"));
  CHECK_THROWS_AS(rewritten([](auto& json) { json["values"]["predictor/clustering/options/clusters"]["value"] = 0u; }),
                  ur::format_error);
  CHECK_THROWS_AS(rewritten([](auto& json) { json["values"]["predictor/estimator/options/source"]["value"] = 9u; }),
                  ur::format_error);
}

TEST_CASE("policies have the same names by every compiler") {
  CHECK(ur::detail::policy_name<ur::cell_predictor<>>() ==
        "cell_predictor<kmeans<plus_plus_seeding>, nearest_map, shrunken<cell_mean>>");
  CHECK(ur::detail::policy_name<ur::lower_confidence<ur::shrunken_mean>>() == "lower_confidence<shrunken<cell_mean>>");
  CHECK(ur::detail::policy_name<ur::lagrangian_rule>() == "lagrangian_rule");
}

TEST_CASE("ten lines of numpy route a prompt from a saved router (docs/saved.md)", "[outside]") {
  if (std::system("python3 -c 'import numpy' >/dev/null 2>&1") != 0) {
    return uniroute_tests::skip("no python3 with numpy");
  }
  auto router = cells_of(ur::shrunken_mean{});
  router.fit(train);
  router.enroll(validation, pool);
  uniroute_tests::temporary_directory dir;
  ur::write_router(router, dir.path() / "a_router");
  ur::write_npy(dir.path() / "x.npy", fresh.embeddings());
  // The page's own lines.
  std::ifstream page(std::filesystem::path(UNIROUTE_SOURCE_DIR) / "docs" / "saved.md");
  std::string line, code;
  bool inside = false;
  while (std::getline(page, line)) {
    if (line == "```python")
      inside = true;
    else if (line == "```")
      inside = false;
    else if (inside)
      code += line + "\n";
  }
  REQUIRE(!code.empty());
  std::ofstream(dir.path() / "route.py") << code;
  const std::string command = "cd '" + dir.path().string() + "' && python3 route.py > out.txt";
  REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream answers(dir.path() / "out.txt");
  for (const std::uint32_t h : router.route(fresh.embeddings())) {
    std::string model;
    REQUIRE(std::getline(answers, model));
    CHECK(model == router.models()[h]);
  }
}
