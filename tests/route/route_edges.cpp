// Places where a router or a rule decides by its last digit, and errors of saved routers to the letter.
#include <catch2/catch.hpp>
#include <data/temporary_directory.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <support/small_tables.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/enroll/random_design.hpp>
#include <uniroute/enroll/stratified_design.hpp>
#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/route/route.hpp>
#include <uniroute/route/save.hpp>

namespace ur = uniroute;
using Catch::Contains;
using uniroute_tests::small_table;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

auto table(const std::string& prefix, std::size_t n = 10) {
  return small_table(prefix, n, 3, [](std::size_t i, std::size_t h) { return static_cast<double>((i + h) % 2); });
}

template <class Costs = ur::mean_cost>
auto made(Costs costs = Costs{}) {
  ur::router out{ur::precomputed_embeddings{},
                 ur::kmeans{{.clusters = 2}},
                 ur::nearest_map{},
                 ur::cell_mean{},
                 ur::lagrangian_rule{},
                 std::move(costs)};
  out.fit(table("fit "));
  out.enroll(table("validation "), {"a", "b"});
  return out;
}

}  // namespace

TEST_CASE("a budget at the cheapest mean cost is kept, but for rounding") {
  const auto losses = ur::make_matrix<double>(3, 2, .5);
  auto costs = ur::make_matrix<double>(3, 2, 3.0);
  for (std::size_t i = 0; i < 3; ++i) costs(i, 1) = 4;
  for (const double budget : {3.0, 3 * (1 - 5e-13)}) {
    ur::budget_rule rule{{.budget = budget}};
    CHECK_NOTHROW(rule.calibrate(losses, costs));
  }
  ur::budget_rule below{{.budget = 3 * (1 - 5e-12)}};
  CHECK_THROWS_WITH(below.calibrate(losses, costs), Contains("budget_rule::calibrate: budget is "));
}

TEST_CASE("costs of cells in a state must be numbers, and the safe LLM one of the pool") {
  const auto router = made(ur::cell_cost{});
  for (const double bad : {infinite, -1.0}) {
    auto state = router.save();
    auto profiles = state.get<ur::matrix<double>>("costs/profiles");
    profiles(0, 0) = bad;
    state.set("costs/profiles", profiles);
    auto copy = router;
    CHECK_THROWS_WITH(copy.load(state), Contains("cell_cost: profiles must be finite and at least 0"));
  }
  CHECK_NOTHROW(ur::guarded_rule({.safe = 1, .pool = {{"a", 1, 1}, {"b", 1, 1}}}));
  CHECK_THROWS_WITH(ur::guarded_rule({.safe = 2, .pool = {{"a", 1, 1}, {"b", 1, 1}}}),
                    "guarded_rule: safe is 2, but must be below the number of models, 2");
}

TEST_CASE("labels are random where they were chosen evenly, and weights are alike where they differ by rounding") {
  const auto candidates = table("candidate ", 20);
  auto router = made();
  ur::label_sample even;
  even.prompts = {0, 3, 5};
  even.inclusion.assign(20, .15);
  even.weights.assign(3, 1 / .15);
  router.set_validation(candidates, even);
  router.enroll("d", std::vector<double>(3, .5), 1.0);
  CHECK(router.labels_are_random());
  auto uneven = even;
  uneven.inclusion[7] = .3;
  router.set_validation(candidates, uneven);
  router.enroll("d", std::vector<double>(3, .5), 1.0);
  CHECK_FALSE(router.labels_are_random());
  even.inclusion.pop_back();
  CHECK_THROWS_WITH(router.set_validation(candidates, even),
                    "router::set_validation: inclusion has 19 entries, but must have one for each candidate, 20");
  // Weights of 100 that differ by 5e-8 differ by rounding; by 5e-7 they do not.
  for (const auto& [difference, random] : {std::pair{5e-8, true}, {5e-7, false}}) {
    auto other = made();
    std::vector<double> weights(10, 100.0);
    weights[4] += difference;
    other.enroll("d", std::vector<double>(10, .5), weights, 1.0);
    CHECK(other.labels_are_random() == random);
  }
}

TEST_CASE("a router reads and prices the LLMs it is told, one at a time") {
  auto router = made();
  const auto before = router.route(table("x ").embeddings());
  router.reprice("b", router.costs().costs()[1]);
  CHECK(router.route(table("x ").embeddings()) == before);
  // The cost that a promise remembers is a function of the number alone.
  auto one = made(), other = made();
  one.enroll("d", std::vector<double>(10, .25), 7.5);
  other.enroll("d", std::vector<double>(10, .75), 7.5);
  CHECK(one.roll().back().cost == other.roll().back().cost);
  CHECK_FALSE(one.roll().back().outcomes == other.roll().back().outcomes);
  one.reprice("d", 8);
  CHECK_FALSE(one.roll().back().cost == other.roll().back().cost);
  one.reprice("d", 7.5);
  CHECK(one.roll().back().cost == other.roll().back().cost);
}

TEST_CASE("saved routers that name what is not there are refused, with the file alone") {
  const auto router = made();
  uniroute_tests::temporary_directory dir;
  const auto saved = dir.path() / "saved";
  ur::write_router(router, saved);
  const auto file = saved / "state.json";
  nlohmann::ordered_json good;
  std::ifstream(file) >> good;
  const auto refused = [&](auto change, const std::string& what) {
    auto bad = good;
    change(bad);
    std::ofstream(file) << bad.dump();
    auto copy = router;
    CHECK_THROWS_WITH(ur::read_router(copy, saved), file.string() + ": " + what);
    CHECK((copy.save() == router.save()));
  };
  std::string array;
  for (const auto& item : good["values"].items()) {
    if (item.value().contains("file")) array = item.key();
  }
  REQUIRE_FALSE(array.empty());
  refused([&](auto& j) { j["values"][array]["file"] = "../elsewhere.npy"; }, "names a file outside its directory");
  refused([&](auto& j) { j["values"][array]["type"] = "tensor"; }, "'" + array + "' has the unknown type 'tensor'");
  refused([](auto& j) { j["uniroute"] = 99999999; }, "was written by a later version of uniroute");
}

TEST_CASE("rules and costs refuse what is infinite, and samples without LLMs") {
  CHECK_THROWS_WITH(ur::cell_cost(infinite), Contains("cell_cost: strength is inf"));
  ur::budget_rule rule{{.budget = 1}};
  CHECK_THROWS_WITH(rule.calibrate(ur::make_matrix<double>(3, 0), ur::make_matrix<double>(3, 0)),
                    "budget_rule::calibrate: losses is 3 x 0, but must be at least 1 x 1");
  const auto refused = [](const auto& policy, const std::string& name, auto value) {
    auto bad = policy.save();
    bad.set(name, value);
    auto copy = policy;
    CHECK_THROWS_AS(copy.load(bad), ur::format_error);
    CHECK((copy.save() == policy.save()));
  };
  refused(ur::cell_cost{}, "strength", infinite);
  refused(ur::guarded_rule{}, "lambda", infinite);
  ur::mean_cost costs;
  costs.enroll(2.0);
  refused(costs, "costs", std::vector<double>{infinite});
  // A threshold's margin, with the dearer LLM first and last.
  const ur::threshold_rule threshold{{.threshold = .1}};
  const std::vector<double> losses{.5, .2}, rising{1, 2}, falling{2, 1};
  using two = std::span<const double, 2>;
  CHECK(threshold.margin(ur::candidates<2>{two(losses), two(rising), 0}) == Approx(.1));
  CHECK(threshold.margin(ur::candidates<2>{two(losses), two(falling), 0}) == Approx(.2));
}

TEST_CASE("a sample without embeddings or texts is known by its ids, and one without rows is no other's") {
  ur::routing_table_parts parts;
  parts.models = {{.name = "a"}};
  parts.ids = {"one", "two"};
  parts.losses = parts.costs = ur::make_matrix<double>(2, 1, .5);
  const ur::routing_table bare(parts);
  parts.ids = {"three", "two"};
  const ur::routing_table other(parts);
  CHECK(ur::sample_record(bare).first_shared(other) == std::optional<std::size_t>(1));
  CHECK_FALSE(ur::sample_record(ur::make_matrix<float>(0, 3)).first_shared(bare).has_value());
}
