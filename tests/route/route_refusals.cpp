// What routers, rules, cost policies and their states refuse, each by its own sentence.

#include <catch2/catch.hpp>
#include <data/temporary_directory.hpp>
#include <fstream>
#include <limits>
#include <support/small_tables.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;
using uniroute_tests::small_table;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

auto table(const std::string& prefix, std::size_t n = 10) {
  return small_table(prefix, n, 3, [](std::size_t i, std::size_t h) { return static_cast<double>((i + h) % 2); });
}

template <class Rule = ur::lagrangian_rule, class Costs = ur::mean_cost>
auto made(Rule rule = Rule{}, Costs costs = Costs{}) {
  ur::router out{ur::precomputed_embeddings{},
                 ur::kmeans{{.clusters = 2}},
                 ur::nearest_map{},
                 ur::cell_mean{},
                 std::move(rule),
                 std::move(costs)};
  out.fit(table("fit "));
  out.enroll(table("validation "), {"a", "b"});
  return out;
}

}  // namespace

TEST_CASE("a router refuses calls before their time, and shapes that are not its pool's") {
  ur::router fresh{ur::precomputed_embeddings{}, ur::knn{}, ur::lagrangian_rule{}};
  const auto x = ur::make_matrix<float>(2, 1, 0.0F);
  CHECK_THROWS_AS(fresh.route(x), ur::not_fitted);
  CHECK_THROWS_AS(fresh.predict(x), ur::not_fitted);
  CHECK_THROWS_AS(fresh.set_validation(x), ur::not_fitted);
  CHECK_THROWS_AS(fresh.enroll("a", std::vector<double>{0, 1}, 1.0), ur::not_fitted);
  ur::router without_pool{ur::precomputed_embeddings{}, ur::knn{}, ur::lagrangian_rule{}};
  without_pool.fit(x);
  CHECK_THROWS_WITH(without_pool.predict(x), Contains("router::predict"));
  CHECK_THROWS_WITH(without_pool.route(x), Contains("router::route"));
  // What an LLM was enrolled with is known again: other costs of the prompts are another member of the pool.
  auto cheap = made(), dear = made();
  std::vector<double> costs(10, 1.0);
  cheap.enroll("c", std::vector<double>(10, .5), costs);
  costs[7] = 1.5;
  dear.enroll("c", std::vector<double>(10, .5), costs);
  CHECK(cheap.roll()[0] == dear.roll()[0]);
  CHECK(cheap.roll()[2].outcomes == dear.roll()[2].outcomes);
  CHECK(cheap.roll()[2].cost != dear.roll()[2].cost);
  auto router = made();
  CHECK_THROWS_WITH(router.route(x, ur::make_matrix<double>(2, 3, 1.0)), Contains("router::route: costs is 2 x 3"));
  CHECK_THROWS_WITH(router.route(x, ur::make_matrix<double>(1, 2, 1.0)), Contains("router::route: costs is 1 x 2"));
  CHECK_THROWS_AS(router.route(ur::make_matrix<float>(2, 2, 0.0F)), std::invalid_argument);
  CHECK_THROWS_WITH(router.retire("c"), Contains("'c' is unknown"));
  CHECK_THROWS_WITH(router.reprice("c", 1), Contains("'c' is unknown"));
  for (const double bad : {-1.0, infinite})
    CHECK_THROWS_WITH(router.reprice("a", bad), Contains("the cost of model 'a'"));
  CHECK_THROWS_WITH(router.enroll("a", std::vector<double>(10, .5), 1.0), Contains("is enrolled already"));
  CHECK_THROWS_WITH(router.enroll("", std::vector<double>(10, .5), 1.0), Contains("name is empty"));
  CHECK_THROWS_WITH(router.enroll("c", std::vector<double>(9, .5), 1.0), Contains("has 9 entries"));
  CHECK_THROWS_WITH(router.enroll("c", std::vector<double>(10, ur::missing), 1.0), Contains("are missing"));
  CHECK_THROWS_AS(router.enroll("c", std::vector<double>(10, 1.1), 1.0), std::domain_error);
  CHECK_THROWS_AS(router.enroll("c", std::vector<double>(10, .5), std::vector<double>(9, 1.0)), std::invalid_argument);
  CHECK_THROWS_AS(router.enroll("c", std::vector<double>(10, .5), std::vector<double>(10, -1.0)), std::domain_error);
  CHECK_THROWS_WITH(router.enroll(table("other ", 9), {"c"}), Contains("are not those of set_validation"));
  CHECK(router.size() == 2);
  // Unlabelled embeddings that were fitted on are remembered: what is promised on them is refused.
  ur::router unlabelled{ur::precomputed_embeddings{}, ur::knn{}, ur::lagrangian_rule{}};
  const auto seen = table("seen ");
  unlabelled.fit(seen.embeddings());
  unlabelled.enroll(small_table("v ", 9, 3, [](auto, auto) { return .5; }), {"a", "b"});
  CHECK_THROWS_WITH(ur::certify_held_out(unlabelled, ur::held_out{seen}, ur::confidence_level{.9}),
                    Contains("was seen by fit"));
}

TEST_CASE("weights that are all alike are a random sample's, others are a design's") {
  auto router = made();
  CHECK(router.labels_are_random());
  auto alike = router;
  alike.enroll("d", std::vector<double>(10, .5), std::vector<double>(10, 3.0), 1.0);
  CHECK(alike.labels_are_random());
  std::vector<double> weights(10, 3.0);
  weights[9] = 3.1;
  auto uneven = router;
  uneven.enroll("d", std::vector<double>(10, .5), weights, 1.0);
  CHECK_FALSE(uneven.labels_are_random());
  // Where no outcome is observed a weight says nothing.
  auto gone = router;
  std::vector<double> losses(10, .5);
  losses[9] = ur::missing;
  gone.enroll("d", losses, weights, 1.0);
  CHECK(gone.labels_are_random());
}

TEST_CASE("rules refuse samples and states that are none of theirs") {
  const auto losses = ur::make_matrix<double>(3, 2, .5), costs = ur::make_matrix<double>(3, 2, 1.0);
  ur::budget_rule budget{{.budget = 1}};
  CHECK_THROWS_AS(budget.choose({std::vector<double>{.5}, std::vector<double>{1}, 0}), ur::not_fitted);
  CHECK_THROWS_AS(budget.save(), ur::not_fitted);
  CHECK_THROWS_WITH(budget.calibrate(ur::make_matrix<double>(0, 2), ur::make_matrix<double>(0, 2)),
                    Contains("losses is 0 x 2"));
  CHECK_THROWS_WITH(budget.calibrate(losses, ur::make_matrix<double>(3, 1, 1.0)), Contains("costs is 3 x 1"));
  CHECK_THROWS_WITH(budget.calibrate(losses, ur::make_matrix<double>(2, 2, 1.0)), Contains("costs is 2 x 2"));
  CHECK_THROWS_AS(budget.calibrate(losses, ur::make_matrix<double>(3, 2, -1.0)), std::domain_error);
  for (const double bad : {-1e-9, infinite}) CHECK_THROWS_AS(ur::budget_rule({.budget = bad}), std::invalid_argument);
  budget.calibrate(losses, costs);
  CHECK(budget.slack() == 0);
  const auto state = budget.save();
  struct wrong {
    const char* name;
    double value;
  };
  for (const wrong w : {wrong{"low", -1},
                        {"low", 5},
                        {"high", infinite},
                        {"share", -.1},
                        {"share", 1.1},
                        {"slack", -1e-9},
                        {"slack", infinite},
                        {"options/budget", -1}}) {
    auto bad = state;
    bad.set(w.name, w.value);
    auto copy = budget;
    CHECK_THROWS_AS(copy.load(bad), ur::format_error);
    CHECK((copy.save() == state));
  }
  for (const double fine : {0.0, 1.0}) {
    auto good = state;
    good.set("share", fine);
    CHECK_NOTHROW(budget.load(good));
  }
  for (const double bad : {-1.0, infinite, std::nan("")})
    CHECK_THROWS_AS(ur::guarded_rule({.lambda = bad}), std::invalid_argument);
  ur::guarded_rule guarded{{.lambda = .5, .abstains = true, .safe = 1, .pool = {{"a", 1, 2}, {"b", 3, 4}}}};
  const auto promise = guarded.save();
  ur::guarded_rule other{{}};
  other.load(promise);
  CHECK(other.options().pool == guarded.options().pool);
  CHECK(other.options().safe == 1);
  CHECK(other.options().abstains);
  for (const double bad : {-1.0, infinite}) {
    auto s = promise;
    s.set("lambda", bad);
    CHECK_THROWS_AS(other.load(s), ur::format_error);
  }
  auto beyond = promise;
  beyond.set("safe", std::uint64_t{2});
  CHECK_THROWS_AS(other.load(beyond), ur::format_error);
  // A promise holds for the pool that it was tested with, and says what has changed.
  const std::vector<ur::pool_member> same{{"a", 1, 2}, {"b", 3, 4}};
  CHECK_NOTHROW(guarded.check_pool(same));
  CHECK_NOTHROW(ur::guarded_rule{}.check_pool(same));
  const auto refused = [&](std::vector<ur::pool_member> pool, const char* why) {
    CHECK_THROWS_WITH(guarded.check_pool(pool), Contains(why));
  };
  refused({{"b", 3, 4}}, "model 'a' has left it");
  refused({{"a", 1, 2}}, "model 'b', the safe one, has left it");
  refused({{"a", 1, 2}, {"b", 3, 5}}, "model 'b' has another cost");
  refused({{"a", 9, 2}, {"b", 3, 4}}, "model 'a' was enrolled with other outcomes");
  refused({{"a", 1, 2}, {"b", 3, 4}, {"c", 1, 1}}, "model 'c' has joined it");
}

TEST_CASE("states of routers are refused where they do not fit, and files that are none") {
  auto router = made();
  const auto state = router.save();
  const auto refused = [&](auto change) {
    auto bad = state;
    change(bad);
    auto copy = router;
    CHECK_THROWS_AS(copy.load(bad), ur::format_error);
    CHECK((copy.save() == state));
  };
  refused([](ur::state& s) { s.set("models", std::vector<std::string>{"a"}); });
  refused([](ur::state& s) { s.set("models", std::vector<std::string>{"b", "a"}); });
  refused([](ur::state& s) { s.set("outcome_hashes", std::vector<std::uint32_t>{1, 2, 3}); });
  refused([](ur::state& s) { s.set("cost_hashes", std::vector<std::uint32_t>{1, 2}); });
  refused([](ur::state& s) { s.set("validation_ids", std::vector<std::string>{"one"}); });
  refused([](ur::state& s) { s.set("reader/dimension", std::uint64_t{7}); });
  refused([](ur::state& s) { s.set("costs/costs", std::vector<double>{1, -1}); });
  refused([](ur::state& s) { s.set("costs/declared", std::vector<std::uint32_t>{1}); });
  refused([](ur::state& s) { s.set("rule/options/lambda", -1.0); });
  refused([](ur::state& s) { s.set("predictor/policy", std::string("knn<equal_weights>")); });
  uniroute_tests::temporary_directory dir;
  ur::write_router(router, dir.path() / "saved");
  {
    std::ofstream file(dir.path() / "saved" / "state.json");
    file << "{\"format\": 2, \"values\": 5}";
  }
  CHECK_THROWS_AS(ur::read_router(router, dir.path() / "saved"), ur::format_error);
  {
    std::ofstream file(dir.path() / "saved" / "state.json");
    file << "no JSON at all";
  }
  CHECK_THROWS_AS(ur::read_router(router, dir.path() / "saved"), ur::format_error);
  CHECK((router.save() == state));
}
