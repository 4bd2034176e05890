#include <catch2/catch.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <support/skip.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

ur::routing_table with_repeats() {
  auto parts = ur::simulated_world{{.dimension = 4}}.sample(300, 2).table.parts();
  for (std::size_t i = 0; i < 300; ++i) parts.prompts[i] = "prompt " + std::to_string(i / 3);  // each three times
  return ur::routing_table(parts);
}

}  // namespace

TEST_CASE("a split is a partition, seeded, with equal prompts on one side") {
  const auto table = with_repeats();
  const auto s = ur::split_rows(table, {.seed = 5});
  std::map<std::string, std::set<int>> sides;
  std::set<std::size_t> all;
  int side = 0;
  for (const auto* rows : {&s.train, &s.validation, &s.test}) {
    for (const std::size_t i : *rows) {
      CHECK(all.insert(i).second);
      sides[table.prompts()[i]].insert(side);
    }
    ++side;
  }
  CHECK(all.size() == 300);
  for (const auto& [prompt, where] : sides) CHECK(where.size() == 1);
  CHECK(s.train.size() == Approx(180).margin(3));
  CHECK(s.validation.size() == Approx(30).margin(3));
  CHECK(s.seen.size() == 19);
  CHECK(s.unseen.size() == 9);
  CHECK(ur::split_rows(table, {.seed = 5}).test == s.test);
  CHECK(ur::split_rows(table, {.seed = 6}).test != s.test);
  CHECK(ur::split_rows(table, {.validation_prompts = 60}).validation.size() == Approx(60).margin(3));
}

TEST_CASE("every LLM and prompt is hidden as often as any other") {
  const auto table = ur::simulated_world{{.dimension = 4}}.sample(60, 2).table;
  std::vector<double> unseen(28, 0), tested(60, 0);
  const std::size_t draws = 600;
  for (std::uint64_t seed = 0; seed < draws; ++seed) {
    const auto s = ur::split_rows(table, {.seed = seed});
    for (const std::size_t h : s.unseen) unseen[h] += 1;
    for (const std::size_t i : s.test) tested[i] += 1;
  }
  // Binomial: five standard deviations, as 88 counts are looked at.
  const double p = 9. / 28;
  for (const double count : unseen) CHECK(std::fabs(count - draws * p) < 5 * std::sqrt(draws * p * (1 - p)));
  for (const double count : tested) CHECK(std::fabs(count - draws * .3) < 5 * std::sqrt(draws * .3 * .7));
}

TEST_CASE("split takes the table apart: training prompts have seen LLMs only") {
  const auto table = with_repeats();
  const auto s = ur::split(table, {});
  CHECK(s.train.model_names() == s.seen);
  CHECK(s.validation.model_count() == 28);
  CHECK(s.test.model_count() == 28);
  CHECK(s.train.losses()(0, 0) == table.losses()(ur::split_rows(table, {}).train[0], table.model_index(s.seen[0])));
}

TEST_CASE("shares outside their range, one LLM, and sides without prompts are refused") {
  const auto table = with_repeats();
  CHECK_THROWS_AS(ur::split_rows(table, {.train = 1.0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::split_rows(table, {.train = .95, .validation = .1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::split_rows(table, {.seen_models = 0}), std::invalid_argument);
  CHECK_THROWS_WITH(ur::split_rows(table, {.validation_prompts = 280}), Catch::Contains("train has 0"));
  const std::vector<std::size_t> rows{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, one{0}, three{0, 1, 2};
  CHECK_THROWS_WITH(ur::split_rows(table.select(rows, one)), Catch::Contains("1 models, but must have at least 2"));
  CHECK(ur::split_rows(table.select(rows, three)).static_pool);
  CHECK_THROWS_AS(ur::split_rows(table.select(rows, three), {.allow_static_pool = false}), std::invalid_argument);
}

TEST_CASE("a simulated world: outcomes have the mean that gamma* says, and cells their probabilities") {
  const ur::simulated_world world{{.dimension = 8}};
  const std::size_t n = 20000;
  const auto s = world.sample(n, 3);
  for (const std::size_t h : {0, 13, 27}) {
    double outcome = 0, expected = 0, variance = 0;
    for (std::size_t i = 0; i < n; ++i) {
      outcome += s.table.losses()(i, h);
      expected += s.expected_losses(i, h);
      variance += s.expected_losses(i, h) * (1 - s.expected_losses(i, h));
    }
    CHECK(std::fabs(outcome - expected) < 4 * std::sqrt(variance));
  }
  std::vector<double> counts(world.cells(), 0);
  for (const auto k : s.cells) counts[k] += 1;
  double chi = 0, total = 0;
  for (std::size_t k = 0; k < world.cells(); ++k) {
    const double e = static_cast<double>(n) * world.cell_probability(k);
    chi += (counts[k] - e) * (counts[k] - e) / e;
    total += world.cell_probability(k);
  }
  CHECK(total == Approx(1));
  CHECK(chi < 36.5);  // 99.95% of chi-squared with 13 degrees of freedom
  CHECK((world.sample(50, 3).table.losses() == world.sample(50, 3).table.losses()));
  CHECK(!(world.sample(50, 3).table.losses() == world.sample(50, 4).table.losses()));
}

TEST_CASE("a world without heterogeneity has the published accuracies in every cell") {
  const auto s = ur::simulated_world{{.heterogeneity = 0}}.sample(100, 1);
  for (std::size_t i = 0; i < 100; ++i)
    CHECK(1 - s.expected_losses(i, 5) == Approx(ur::world_models[5].accuracy(s.cells[i])).margin(.002));
  CHECK_THROWS_AS(ur::simulated_world({.dimension = 3}), std::invalid_argument);
  CHECK_THROWS_AS(ur::simulated_world({.spread = -1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::simulated_world{}.sample(0, 1), std::invalid_argument);
}

TEST_CASE("the real tables are read, and route", "[outside]") {
  const std::filesystem::path data = UNIROUTE_DATA_DIR;
  struct known {
    const char* name;
    std::size_t prompts, models;
  };
  for (const known k : {known{"zeroeval", 2840, 28},
                        {"mmlu_pro", 11969, 28},
                        {"routerbench_part", 3150, 11},
                        {"routellm2", 15361, 2}}) {
    if (!std::filesystem::exists(data / k.name)) {
      uniroute_tests::skip(std::string("no table ") + k.name + " under UNIROUTE_DATA_DIR");
      continue;
    }
    const auto table = ur::read_routing_table(data / k.name);
    CHECK(table.size() == k.prompts);
    CHECK(table.model_count() == k.models);
    CHECK(table.missing_share() == 0);
  }
}

TEST_CASE("LLMs of one column's text are seen together or new together") {
  auto parts = ur::simulated_world{{.dimension = 4}}.sample(60, 1).table.parts();
  const std::size_t m = parts.models.size();
  for (std::size_t h = 0; h < m; ++h) {
    if (h % 5 != 4) parts.models[h].others["family"] = std::to_string(h / 3);
  }
  const ur::routing_table table(std::move(parts));
  std::set<std::vector<std::size_t>> draws;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const auto of = ur::split_rows(table, {.seed = seed, .together = "family"});
    draws.insert(of.seen);
    CHECK(of.seen.size() + of.unseen.size() == m);
    const auto wanted = static_cast<std::size_t>(std::lround(2.0 / 3 * static_cast<double>(m)));
    CHECK(of.seen.size() >= wanted);
    CHECK(of.seen.size() < wanted + 3);  // as many groups as reach it
    for (const std::size_t a : of.seen) {
      for (const std::size_t b : of.unseen) {
        const auto &left = table.models()[a].others, &right = table.models()[b].others;
        if (left.contains("family") && right.contains("family")) CHECK(left.at("family") != right.at("family"));
      }
    }
    // Without a column nothing changes.
    CHECK(ur::split_rows(table, {.seed = seed}).train == of.train);
  }
  CHECK(draws.size() > 30);
  CHECK_THROWS_WITH(ur::split_rows(table, {.together = "nobody"}), Catch::Contains("together is 'nobody'"));
}
