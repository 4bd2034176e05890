// Scores and samples on disk: what is read, and where a file is wrong.

#include <catch2/catch.hpp>
#include <data/temporary_directory.hpp>
#include <uniroute/data/with_costs.hpp>
#include <uniroute/files.hpp>

namespace ur = uniroute;
using uniroute_tests::temporary_directory;

namespace {

ur::routing_table two_by_two() {
  ur::routing_table_parts parts;
  parts.name = "t";
  parts.ids = {"p1", "p2"};
  parts.models = {{.name = "a"}, {.name = "b"}};
  parts.losses = {{0, 1}, {1, 0}};
  parts.costs = {{1, 2}, {1, 2}};
  return ur::routing_table(std::move(parts));
}

}  // namespace

TEST_CASE("scores are read by id and LLM, in any order, with gaps") {
  const temporary_directory dir;
  const auto write = [&](const char* name, const std::string& text) { dir.write(name, text); };
  write("scores_sure.csv", "id,b,a\np2,,0.5\np1,-3,1e-2\n");
  const auto table = two_by_two();
  const auto scores = ur::read_scores(dir.path(), "sure", table);
  CHECK(scores.size() == 3);
  CHECK(scores.at("p2", "a") == .5);
  CHECK(scores.at("p1", "a") == .01);
  CHECK(scores.at("p1", "b") == -3);
  CHECK(ur::is_missing(scores.at("p2", "b")));
  const auto fails = [&](const std::string& text, const std::string& what) {
    write("scores_bad.csv", text);
    CHECK_THROWS_WITH(ur::read_scores(dir.path(), "bad", table), Catch::Contains(what));
    CHECK_THROWS_AS(ur::read_scores(dir.path(), "bad", table), ur::format_error);
  };
  fails("name,a\np1,1\n", "the header has no 'id'");
  fails("id,c\np1,1\n", "model 'c' is not in the table");
  fails("id,a,a\np1,1,1\n", "model 'a' occurs twice");
  fails("id,a\np3,1\n", "id 'p3' is not in the table");
  fails("id,a\np1,1\np1,2\n", "id 'p1' occurs twice");
  fails("id,a\np1,x\n", "value");
  CHECK_THROWS(ur::read_scores(dir.path(), "none", table));
}

TEST_CASE("costs of several kinds are one at their prices") {
  const temporary_directory dir;
  dir.write("latency.csv", "id,a,b\np1,10,20\np2,,40\n");
  const auto table = two_by_two();
  const auto seconds = ur::read_values(dir.path() / "latency.csv", table);
  CHECK(seconds(0, 1) == 20);
  CHECK(ur::is_missing(seconds(1, 0)));
  const auto priced = ur::with_costs(table, {{"dollars", table.costs(), 1}, {"seconds", seconds, .1}});
  CHECK(priced.costs()(0, 0) == Approx(2));
  CHECK(priced.costs()(0, 1) == Approx(4));
  CHECK(priced.costs()(1, 0) == Approx(2));  // the mean of the LLM's
  CHECK(priced.costs()(1, 1) == Approx(6));
  CHECK(priced.losses() == table.losses());
  CHECK(priced.notes().back().find("1 dollars + 0.1 seconds") != std::string::npos);
  CHECK_THROWS_WITH(ur::with_costs(table, {}), Catch::Contains("there are 0 kinds"));
  CHECK_THROWS_WITH(ur::with_costs(table, {{"dollars", table.costs(), -1}}),
                    Catch::Contains("the price of 'dollars' is -1"));
  CHECK_THROWS_WITH(ur::with_costs(table, {{"dollars", table.costs(), ur::missing}}),
                    Catch::Contains("the price of 'dollars' is nan"));
  CHECK_THROWS_WITH(ur::with_costs(table, {{"x", ur::make_matrix<double>(1, 1, 0.0), 1}}),
                    Catch::Contains("'x' is 1 x 1"));
  auto empty = ur::make_matrix<double>(2, 2, 1.0);
  empty(0, 1) = empty(1, 1) = ur::missing;
  CHECK_THROWS_WITH(ur::with_costs(table, {{"x", empty, 1}}),
                    Catch::Contains("no value of 'x' is known for model 'b'"));
  empty(0, 1) = -3;
  CHECK_THROWS_WITH(ur::with_costs(table, {{"x", empty, 1}}), Catch::Contains("-3"));
}

TEST_CASE("samples are read line by line; what is wrong is named with its line") {
  const temporary_directory dir;
  const auto write = [&](const std::string& text) { dir.write("samples.jsonl", text); };
  const auto table = two_by_two();
  write(
      "{\"id\":\"p1\",\"model\":\"a\",\"answers\":[\"18\",null,7],\"quality\":[1,0,0.5]}\n\n"
      "{\"id\":\"p1\",\"model\":\"other\",\"answers\":[\"x\"],\"quality\":[0]}\n"
      "{\"id\":\"p2\",\"model\":\"b\",\"answers\":[\"y\"],\"quality\":[1]}");
  const auto samples = ur::read_samples(dir.path(), table);
  CHECK(samples.size() == 2);
  const auto& cell = samples.at({"p1", "a"});
  CHECK(cell.answers == std::vector<std::optional<std::string>>{"18", std::nullopt, "7"});
  CHECK(cell.qualities == std::vector<double>{1, 0, .5});
  const auto fails = [&](const std::string& line, const std::string& what) {
    write("{\"id\":\"p1\",\"model\":\"a\",\"answers\":[\"1\"],\"quality\":[1]}\n" + line + "\n");
    CHECK_THROWS_WITH(ur::read_samples(dir.path(), table), Catch::Contains(what) && Catch::Contains(":2"));
  };
  fails("{", "is not valid JSON");
  fails("[]", "has no text 'id'");
  fails("{\"id\":\"p2\",\"answers\":[\"1\"],\"quality\":[1]}", "has no text 'model'");
  fails("{\"id\":\"p2\",\"model\":\"a\",\"quality\":[1]}", "has no 'answers'");
  fails("{\"id\":\"p2\",\"model\":\"a\",\"answers\":[\"1\",\"2\"],\"quality\":[1]}", "has 2 answers and 1 qualities");
  fails("{\"id\":\"p2\",\"model\":\"a\",\"answers\":[\"1\"],\"quality\":[\"1\"]}", "a quality that is no number");
  fails("{\"id\":\"p2\",\"model\":\"a\",\"answers\":[\"1\"],\"quality\":[1.5]}", "a quality of 1.5");
  fails("{\"id\":\"p1\",\"model\":\"a\",\"answers\":[\"1\"],\"quality\":[1]}", "occurs twice");
}
