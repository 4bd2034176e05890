#include <support/skip.hpp>
#include <uniroute/data/read_routing_table.hpp>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <data/temporary_directory.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace {

namespace ur = uniroute;
using uniroute_tests::temporary_directory;
using files = std::map<std::string, std::string>;

files small() {
  return {{"prompts.jsonl",
           "{\"id\": \"a\", \"prompt\": \"one two\", \"category\": \"x\", \"extra\": [1]}\n"
           "{\"id\": \"b\", \"prompt\": \"three\"}\n"
           "\n"
           "{\"id\": 3, \"prompt\": \"four\", \"category\": \"y\"}\n"},
          {"models.csv", "model,cost,params_b,maker\ncheap,0.5,7,us\ndear,2,,\"them, too\"\n"},
          {"outcomes.csv", "id,dear,cheap\nb,1,\n3,0.9,0\na,1,0.25\n"}};
}

ur::routing_table read(const files& content, const ur::read_options& options = {}) {
  temporary_directory dir;
  for (const auto& [name, text] : content) dir.write(name, text);
  return ur::read_routing_table(dir.path(), options);
}

struct refusal {
  std::string file;
  std::size_t line = 0, column = 0;
  std::string what = "nothing was thrown";
};

refusal refuse(const files& changes) {
  files content = small();
  for (const auto& [name, text] : changes) content[name] = text;
  try {
    read(content);
  } catch (const ur::format_error& error) {
    return {std::filesystem::path(error.file()).filename().string(), error.line(), error.column(), error.what()};
  }
  return {};
}

bool noted(const ur::routing_table& table, const std::string& part) {
  return std::any_of(table.notes().begin(), table.notes().end(),
                     [&](const std::string& note) { return note.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("a table is read by id and name, whatever the order of rows and columns") {
  const auto table = read(small());
  REQUIRE(table.size() == 3);
  REQUIRE(table.model_count() == 2);
  CHECK(table.ids()[2] == "3");
  CHECK(table.prompts()[0] == "one two");
  CHECK(table.categories()[0] == "x");
  CHECK(table.categories()[1].empty());
  CHECK(table.models()[0].name == "cheap");
  CHECK(table.models()[0].params_b == 7.0);
  CHECK_FALSE(table.models()[1].params_b);
  CHECK(table.models()[1].others.at("maker") == "them, too");
  CHECK(table.losses()(0, 0) == 0.75);
  CHECK(table.losses()(0, 1) == 0);
  CHECK(ur::is_exactly_missing(table.losses()(1, 0)));
  CHECK(table.losses()(2, 0) == 1);
  CHECK(table.losses()(2, 1) == 0.1);
  CHECK(table.costs()(1, 1) == 2);
  CHECK_FALSE(table.has_embeddings());
  CHECK(table.counts().size() == 0);
}

TEST_CASE("prompts.jsonl that is wrong is refused with its line") {
  auto error = refuse({{"prompts.jsonl", "{\"id\": \"a\"}\n{\"id\": \"b\",}\n"}});
  CHECK(error.file == "prompts.jsonl");
  CHECK(error.line == 2);
  CHECK(error.column == 12);
  CHECK_THAT(error.what, Catch::Contains("not valid JSON"));

  error = refuse({{"prompts.jsonl", "{\"id\": \"a\"}\n\n{\"id\": \"a\"}\n"}});
  CHECK(error.line == 3);
  CHECK_THAT(error.what, Catch::Contains("id 'a' occurs twice"));

  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\"}\n{\"prompt\": \"b\"}\n"}}).line == 2);
  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\"}\n[\"id\"]\n"}}).line == 2);
  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\"}\n{\"id\": \"b\", \"prompt\": \"x\"}\n"}}).line == 2);
  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\", \"prompt\": 1.5}\n"}}).line == 1);
  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\", \"prompt\": \"\xFF\"}\n"}}).line == 1);
  CHECK(refuse({{"prompts.jsonl", "{\"id\": \"a\", \"prompt\": 1e999}\n"}}).line == 1);
  CHECK_THAT(refuse({{"prompts.jsonl", ""}}).what, Catch::Contains("has no prompts"));
}

TEST_CASE("models.csv that is wrong is refused with line and column") {
  auto error = refuse({{"models.csv", "model,cost\ncheap,0.5\ndear,-2\n"}});
  CHECK(error.file == "models.csv");
  CHECK(error.line == 3);
  CHECK(error.column == 6);
  error = refuse({{"models.csv", "model,cost\ncheap,0.5\ncheap,2\n"}});
  CHECK(error.line == 3);
  CHECK_THAT(error.what, Catch::Contains("'cheap' occurs twice"));
  CHECK(refuse({{"models.csv", "model,cost\ncheap,free\ndear,2\n"}}).line == 2);
  CHECK(refuse({{"models.csv", "model,cost\n,1\ndear,2\n"}}).line == 2);
  CHECK_THAT(refuse({{"models.csv", "model,cost,cost\ncheap,1,1\ndear,2,2\n"}}).what,
             Catch::Contains("models.csv:1:12: column 'cost' occurs twice"));
  CHECK_THAT(refuse({{"models.csv", "name,cost\ncheap,1\n"}}).what, Catch::Contains("no 'model'"));
  CHECK_THAT(refuse({{"models.csv", "model,cost\n"}}).what, Catch::Contains("no models"));
}

TEST_CASE("outcomes.csv that is wrong is refused with line and column") {
  const auto error = [](const std::string& rows) { return refuse({{"outcomes.csv", rows}}); };
  auto e = error("id,dear,cheap\nb,1,\n3,0.9,0\na,1,1.25\n");
  CHECK(e.file == "outcomes.csv");
  CHECK(e.line == 4);
  CHECK(e.column == 5);
  CHECK_THAT(e.what, Catch::Contains("outcome is 1.25, but must be in [0, 1]"));
  CHECK(error("id,dear,cheap\nb,1,\n3,nan,0\na,1,1\n").line == 3);
  CHECK(error("id,dear,cheap\nb,1,\n3,-0.1,0\na,1,1\n").column == 3);

  e = error("id,dear,cheap\nb,1,\n3,0,0\nc,1,1\n");
  CHECK(e.line == 4);
  CHECK(e.column == 1);
  CHECK_THAT(e.what, Catch::Contains("id 'c' is not in prompts.jsonl"));

  e = error("id,dear,cheap\nb,1,\n3,0,0\nb,1,1\n");
  CHECK(e.line == 4);
  CHECK_THAT(e.what, Catch::Contains("id 'b' occurs twice"));

  CHECK_THAT(error("id,dear,cheap\nb,1,\n3,0,0\n").what, Catch::Contains("no row for id 'a'"));

  e = error("id,dear,new\nb,1,\n3,0,0\na,0,0\n");
  CHECK(e.line == 1);
  CHECK(e.column == 9);
  CHECK_THAT(e.what, Catch::Contains("model 'new' is not in models.csv"));
  CHECK(error("id,dear,dear\nb,1,\n3,0,0\na,0,0\n").column == 9);
  CHECK_THAT(error("id,dear\nb,1\n3,0\na,0\n").what, Catch::Contains("no model 'cheap'"));
  CHECK_THAT(error("key,dear,cheap\nb,1,\n").what, Catch::Contains("no 'id'"));
  CHECK(error("id,dear,cheap\nb,1\n3,0,0\na,0,0\n").line == 2);
}

TEST_CASE("costs.csv comes before the column cost, and a missing cost is its model's mean") {
  auto content = small();
  content["costs.csv"] = "id,cheap\na,1\nb,\n3,4\n";
  const auto table = read(content);
  CHECK(table.costs()(0, 0) == 1);
  CHECK(table.costs()(1, 0) == 2.5);
  CHECK(table.costs()(2, 0) == 4);
  CHECK(table.costs()(1, 1) == 2);  // dear: no column in costs.csv, so its own cost
  CHECK(noted(table, "costs.csv"));
  CHECK(refuse({{"costs.csv", "id,cheap\na,1\nb,-1\n"}}).line == 3);
  CHECK(refuse({{"costs.csv", "id,cheap\nz,1\n"}}).line == 2);
}

TEST_CASE("without costs, prices times tokens are taken") {
  auto content = small();
  content["models.csv"] = "model,price_in_per_mtok,price_out_per_mtok\ncheap,4,8\ndear,40,80\n";
  content["prompts.jsonl"] =
      "{\"id\": \"a\", \"prompt\": \"eight ch\"}\n"
      "{\"id\": \"b\", \"prompt\": \"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\"}\n"  // four characters, eight bytes
      "{\"id\": 3, \"prompt\": \"\"}\n";

  SECTION("characters / 4, and an answer of unknown length is as long as its prompt") {
    const auto table = read(content);
    CHECK(table.costs()(0, 0) == Approx((2 * 4 + 2 * 8) * 1e-6));
    CHECK(table.costs()(1, 1) == Approx((1 * 40 + 1 * 80) * 1e-6));
    CHECK(table.costs()(2, 0) == 0);
    CHECK(noted(table, "characters / 4"));
    CHECK(noted(table, "as long as its prompt"));
  }
  SECTION("output_chars.csv tells the length of answers") {
    content["output_chars.csv"] = "id,cheap,dear\na,12,16\nb,4,4\n3,4,8\n";
    const auto table = read(content);
    CHECK(table.costs()(0, 0) == Approx((2 * 4 + 3 * 8) * 1e-6));
    CHECK(table.costs()(2, 1) == Approx((0 * 40 + 2 * 80) * 1e-6));
    CHECK(noted(table, "characters / 4"));
    CHECK_FALSE(noted(table, "as long as its prompt"));
  }
  SECTION("token counts come first") {
    content["tokens_in.csv"] = "id,cheap,dear\na,10,11\nb,20,21\n3,30,31\n";
    content["tokens_out.csv"] = "id,cheap,dear\na,1,2\nb,3,4\n3,5,6\n";
    content["output_chars.csv"] = "id,cheap,dear\na,400,400\nb,400,400\n3,400,400\n";
    const auto table = read(content);
    CHECK(table.costs()(0, 0) == Approx((10 * 4 + 1 * 8) * 1e-6));
    CHECK(table.costs()(2, 1) == Approx((31 * 40 + 6 * 80) * 1e-6));
    CHECK(noted(table, "prices x tokens"));
    CHECK_FALSE(noted(table, "characters / 4"));
  }
  SECTION("without texts and token counts, prices give no cost") {
    content["prompts.jsonl"] = "{\"id\": \"a\"}\n{\"id\": \"b\"}\n{\"id\": 3}\n";
    CHECK_THROWS_WITH(read(content), Catch::Contains("no model has a cost"));
  }
  SECTION("a price that is not given is unknown, not zero") {
    content["models.csv"] = "model,price_in_per_mtok,price_out_per_mtok\ncheap,4,8\ndear,40,\n";
    const auto table = read(content);
    CHECK(table.model_count() == 1);
    CHECK(noted(table, "dear"));
  }
}

TEST_CASE("titles that were meant for costs are named with what they must be called") {
  const auto message = [](const std::string& title) {
    auto content = small();
    content["models.csv"] = "model," + title + "\ncheap,1\ndear,2\n";
    try {
      read(content);
    } catch (const ur::format_error& error) {
      return std::string(error.what());
    }
    return std::string("nothing was thrown");
  };
  const std::string prices = "is not read: prices are called price_in_per_mtok and price_out_per_mtok";
  CHECK_THAT(message("params"), Catch::EndsWith("column 'params' " + prices + ", parameters params_b"));
  CHECK_THAT(message("price_out"), Catch::EndsWith("column 'price_out' " + prices));
  CHECK_THAT(message("mean_cost"), Catch::EndsWith("column 'mean_cost' " + prices + ", a cost of one prompt cost"));
  CHECK_THAT(message("price_in"), Catch::EndsWith("column 'price_in' " + prices + ", a cost of one prompt cost"));
}

TEST_CASE("rows that are missing are looked for after the last one, and a prompt may have been called otherwise") {
  const auto e = refuse({{"outcomes.csv", "id,dear,cheap\nb,1,\n3,0,0\n"}});
  CHECK(e.line == 3);
  CHECK(e.column == 1);
  auto content = small();
  content["prompts.jsonl"] = "{\"id\": \"a\", \"text\": \"one\"}\n{\"id\": \"b\"}\n{\"id\": 3}\n";
  CHECK_THROWS_WITH(read(content),
                    Catch::EndsWith("prompts.jsonl:1:1: has 'text' and no 'prompt', but a prompt's text must "
                                    "be called 'prompt'"));
  content["prompts.jsonl"] = "{\"id\": \"a\", \"prompt\": \"one\"}\n[1]\n{\"id\": 3}\n";
  CHECK_THROWS_AS(read(content), ur::format_error);
}

TEST_CASE("a variant takes the common file for all that it has none of its own of") {
  auto content = small();
  content["outcomes_union.csv"] = "id,dear,cheap\nb,0,0\n3,0,0\na,0,0\n";
  const auto table = read(content, {.variant = "union"});  // models.csv and prompts.jsonl are the common ones
  CHECK(table.model_count() == 2);
  CHECK(table.losses()(0, 0) == 1);
}

TEST_CASE("a model without any cost is left out of every part, and noted") {
  auto content = small();
  content["models.csv"] = "model,cost\ncheap,\ndear,2\n";
  content["outcome_counts.csv"] = "id,dear,cheap\na,3,4\nb,5,\n3,2,1\n";
  const auto table = read(content);
  REQUIRE(table.model_names() == std::vector<std::string>{"dear"});
  CHECK(table.losses()(2, 0) == 0.1);
  CHECK(table.costs()(0, 0) == 2);
  CHECK(table.counts()(1, 0) == 5);
  CHECK(noted(table, "Left out, because nothing gives their cost: cheap."));
  content["models.csv"] = "model\ncheap\ndear\n";
  CHECK_THROWS_AS(read(content), ur::format_error);
}

TEST_CASE("outcome_counts.csv gives the runs behind each outcome") {
  auto content = small();
  content["outcome_counts.csv"] = "id,cheap\nb,5\na,3\n";
  const auto table = read(content);
  CHECK(table.counts()(0, 0) == 3);
  CHECK(table.counts()(1, 0) == 5);
  CHECK(ur::is_exactly_missing(table.counts()(2, 0)));
  CHECK(ur::is_exactly_missing(table.counts()(0, 1)));
  CHECK(refuse({{"outcome_counts.csv", "id,cheap\nb,0\n"}}).line == 2);
  CHECK(refuse({{"outcome_counts.csv", "id,cheap\nb,1.5\n"}}).line == 2);
}

TEST_CASE("embeddings.npy must have a finite row for every prompt") {
  temporary_directory dir;
  for (const auto& [name, text] : small()) dir.write(name, text);
  const auto path = dir.path() / "embeddings.npy";
  ur::write_npy(path, ur::make_matrix<float>(3, 2, 0.5F));
  CHECK(ur::read_routing_table(dir.path()).embeddings()(2, 1) == 0.5F);
  ur::write_npy(path, ur::make_matrix<float>(2, 2, 0.5F));
  CHECK_THROWS_WITH(ur::read_routing_table(dir.path()), Catch::Contains("has 2 rows, but prompts.jsonl has 3"));
  ur::write_npy(path, ur::make_matrix<float>(3, 2, std::nanf("")));
  CHECK_THROWS_AS(ur::read_routing_table(dir.path()), ur::format_error);
}

TEST_CASE("a variant reads its own files where there are any") {
  auto content = small();
  content["models_union.csv"] = "model,cost\ncheap,0.5\ndear,2\nthird,1\n";
  content["outcomes_union.csv"] = "id,dear,cheap,third\nb,1,,0\n3,0.9,0,\na,1,0.25,1\n";
  content["costs.csv"] = "id,cheap\na,1\nb,1\n3,1\n";
  content["costs_union.csv"] = "id,cheap,third\na,7,7\nb,7,7\n3,7,7\n";
  CHECK(read(content).model_count() == 2);
  CHECK(read(content).costs()(0, 0) == 1);
  const auto table = read(content, {.variant = "union"});
  CHECK(table.model_count() == 3);
  CHECK(table.costs()(0, 0) == 7);
  CHECK(ur::is_exactly_missing(table.losses()(2, 2)));
  CHECK_THAT(table.name(), Catch::EndsWith("(union)"));
  CHECK_THROWS_WITH(read(content, {.variant = "best"}), Catch::Contains("outcomes_best.csv"));
}

TEST_CASE("a directory that is not there is refused") {
  temporary_directory dir;
  CHECK_THROWS_WITH(ur::read_routing_table(dir.path() / "none"),
                    (dir.path() / "none").string() + ": is no directory, but must be one");
  CHECK_THROWS_AS(ur::read_routing_table(dir.path()), ur::format_error);
}

TEST_CASE("the real tables are read, and their derived costs are what prices and lengths give", "[outside]") {
  const std::filesystem::path data = UNIROUTE_DATA_DIR;
  if (!std::filesystem::is_directory(data / "zeroeval")) {
    return uniroute_tests::skip("no table zeroeval under UNIROUTE_DATA_DIR");
  }
  const auto whole = ur::read_routing_table(data / "zeroeval", {.variant = "union"});
  CHECK(whole.size() == 2840);
  CHECK(whole.model_count() == 54);  // of 56; two have no price
  CHECK(noted(whole, "reka-core-20240501"));
  CHECK(whole.missing_share() > 0);
  CHECK(ur::columns(whole.embeddings()) == 384);
  for (std::size_t i = 0; i < whole.size(); i += 100) {
    double square = 0;
    for (const float x : ur::row(whole.embeddings(), i)) square += static_cast<double>(x) * static_cast<double>(x);
    CHECK(square == Approx(1).epsilon(1e-5));
  }

  const auto table = ur::read_routing_table(data / "zeroeval");
  CHECK(table.model_count() == 28);
  CHECK(table.missing_share() == 0);
  temporary_directory dir;
  for (const std::string file : {"prompts.jsonl", "models.csv", "outcomes.csv", "output_chars.csv"})
    std::filesystem::copy_file(data / "zeroeval" / file, dir.path() / file);
  const auto priced = ur::read_routing_table(dir.path());
  CHECK(noted(priced, "characters / 4"));
  // The table's own costs count a prompt template that prompts.jsonl does not hold: the derived ones lie below, by the
  // price of as many characters on every prompt of a kind.
  for (std::size_t k = 0; k < table.costs().size(); ++k) {
    CHECK(priced.costs().data()[k] > 0);
    CHECK(priced.costs().data()[k] <= table.costs().data()[k] * (1 + 1e-9));
  }
  const double price = *table.models()[0].price_in_per_mtok * 1e-6;
  const double first = (table.costs()(0, 0) - priced.costs()(0, 0)) / price * 4;
  CHECK(first == Approx(std::round(first)).margin(1e-3));
  CHECK((table.costs()(1, 0) - priced.costs()(1, 0)) / price * 4 == Approx(first).margin(1e-3));
}
