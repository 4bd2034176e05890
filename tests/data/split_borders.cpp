// Shares of a split at their borders.

#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

TEST_CASE("shares of a split are refused outside their range, each by its name, and taken at every value within") {
  const auto table = ur::simulated_world{{.dimension = 4}}.sample(60, 1).table;
  using Catch::Contains;
  for (const double train : {0.0, 1.0, -.1, 1.5})
    CHECK_THROWS_WITH(ur::split_rows(table, {.train = train, .validation = .1}), Contains("train is"));
  for (const double validation : {0.0, -.2, .4, .9})
    CHECK_THROWS_WITH(ur::split_rows(table, {.train = .6, .validation = validation}), Contains("validation is"));
  // Exactly nothing for the test is too much, whatever the number of validation prompts.
  CHECK_THROWS_WITH(ur::split_rows(table, {.train = .5, .validation = 0.0, .validation_prompts = 5}),
                    Contains("validation is 0"));
  for (const double seen : {0.0, 1.0, -.5, 1.2})
    CHECK_THROWS_WITH(ur::split_rows(table, {.seen_models = seen}), Contains("seen_models is"));
  for (const double seen : {.05, .5, .89}) {
    const auto rows = ur::split_rows(table, {.train = .4, .validation = .2, .seen_models = seen});
    CHECK(rows.train.size() == 24);
    CHECK(rows.validation.size() == 12);
    CHECK(rows.test.size() == 24);
    CHECK(rows.seen.size() == static_cast<std::size_t>(std::lround(seen * 28)));
    CHECK(rows.seen.size() + rows.unseen.size() == 28);
    CHECK_FALSE(rows.static_pool);
  }
}
