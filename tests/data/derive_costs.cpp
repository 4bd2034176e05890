// Costs by hand, from whatever is known, and directories that are there as a whole or not at all.
#include <catch2/catch.hpp>
#include <data/temporary_directory.hpp>
#include <fstream>
#include <uniroute/data/derive_costs.hpp>
#include <uniroute/data/staged_directory.hpp>

namespace ur = uniroute;

namespace {

ur::cost_records nothing(std::size_t n, std::size_t m) {
  const auto unknown = ur::make_matrix<double>(n, m, ur::missing);
  return {unknown, unknown, unknown, unknown};
}

std::vector<ur::model_info> four() {
  std::vector<ur::model_info> models(4);
  models[0].name = "recorded";
  models[1].name = "flat";
  models[1].cost = 3;
  models[2].name = "priced";
  models[2].price_in_per_mtok = 1e6;  // 1 a token
  models[2].price_out_per_mtok = 2e6;
  models[2].params_b = 70;
  models[3].name = "unknown";
  models[3].price_in_per_mtok = 1;
  return models;
}

}  // namespace

TEST_CASE("a recorded cost comes before the model's own, that before prices times tokens; else the model is left out") {
  auto models = four();
  auto records = nothing(3, 4);
  records.costs(0, 0) = 1;
  records.costs(2, 0) = 2;
  records.tokens_in(0, 2) = 10;
  records.tokens_out(0, 2) = 5;
  records.characters_out(1, 2) = 40;
  // 8 characters, 4 of two bytes each, 12 characters.
  const std::vector<std::string> prompts{"eight ch", "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", "twelve chars"};
  const auto d = ur::derive_costs(ur::cost_source::table, 3, models, prompts, records);
  CHECK(d.kept == std::vector<std::size_t>{0, 1, 2});
  CHECK(d.left_out == "unknown");
  CHECK(d.costs(0, 0) == 1);
  CHECK(d.costs(1, 0) == 1.5);  // the model's mean
  CHECK(d.costs(2, 0) == 2);
  for (std::size_t i = 0; i < 3; ++i) CHECK(d.costs(i, 1) == 3);
  CHECK(d.costs(0, 2) == Approx(10 + 2 * 5));
  CHECK(d.costs(1, 2) == Approx(1 + 2 * 10));  // characters / 4, of prompt and answer
  CHECK(d.costs(2, 2) == Approx(3 + 2 * 3));   // an answer as long as its prompt
  REQUIRE(d.notes.size() == 1);
  CHECK(d.notes[0] ==
        "Costs of 1 models: prices x tokens, tokens estimated as characters / 4; an answer of unknown length counts as "
        "long as its prompt.");
  // Without texts a prompt of unknown length takes the mean of those that are known.
  const auto bare = ur::derive_costs(ur::cost_source::table, 3, models, {}, records);
  CHECK(bare.costs(0, 2) == Approx(20));
  CHECK(bare.costs(2, 2) == Approx(20));
}

TEST_CASE("records and texts that are not of the prompts and models are refused") {
  auto models = four();
  auto records = nothing(3, 4);
  records.tokens_out = ur::make_matrix<double>(3, 3, ur::missing);
  CHECK_THROWS_WITH(ur::derive_costs(ur::cost_source::table, 3, models, {}, records),
                    "derive_costs: a matrix of records is 3 x 3, but must be 3 x 4");
  CHECK_THROWS_WITH(ur::derive_costs(ur::cost_source::table, 3, models, {}, {}),
                    "derive_costs: a matrix of records is 0 x 0, but must be 3 x 4");
  const std::vector<std::string> two(2);
  CHECK_THROWS_WITH(ur::derive_costs(ur::cost_source::table, 3, models, two, nothing(3, 4)),
                    "derive_costs: prompts has 2 entries, but must have 0 or 3");
}

TEST_CASE("costs may be parameters or one, and the models then cost that") {
  auto models = four();
  const auto params = ur::derive_costs(ur::cost_source::params, 2, models, {}, {});
  CHECK(params.kept == std::vector<std::size_t>{2});
  CHECK(params.left_out == "recorded, flat, unknown");
  CHECK(params.costs(1, 2) == 70);
  CHECK(models[2].cost == 70);
  CHECK(params.notes == std::vector<std::string>{"Costs: parameters in billions, as asked for."});
  const auto one = ur::derive_costs(ur::cost_source::one, 2, models, {}, {});
  CHECK(one.kept.size() == 4);
  CHECK(one.left_out.empty());
  for (const double cost : one.costs) CHECK(cost == 1);
  CHECK(models[1].cost == 1);
  CHECK(one.notes == std::vector<std::string>{"Costs: 1 for every prompt and model, as asked for."});
}

TEST_CASE("a staged directory is in its place once it is whole, and leaves nothing behind otherwise") {
  uniroute_tests::temporary_directory dir;
  const auto target = dir.path() / "made" / "here";
  {
    ur::staged_directory given_up("test", target, "marker");
    given_up.write("marker", "half");
    CHECK(std::filesystem::exists(given_up.path() / "marker"));
  }
  CHECK_FALSE(std::filesystem::exists(target));
  CHECK(std::filesystem::is_empty(target.parent_path()));
  for (const char* content : {"first", "second"}) {
    ur::staged_directory staged("test", target, "marker");
    staged.write("marker", content);
    if (content == std::string("second")) CHECK(std::filesystem::exists(target / "only"));
    staged.write(content == std::string("first") ? "only" : "other", "");
    staged.commit();
    std::string read;
    std::ifstream(target / "marker") >> read;
    CHECK(read == content);
  }
  CHECK_FALSE(std::filesystem::exists(target / "only"));
  CHECK(std::filesystem::exists(target / "other"));
  std::filesystem::remove(target / "marker");
  CHECK_THROWS_WITH(
      ur::staged_directory("test", target, "marker"),
      "test: '" + target.string() +
          "' exists and has no marker, but must be new, empty or of the same kind (it would be replaced)");
  ur::staged_directory nowhere("test", dir.path() / "new", "marker");
  CHECK_THROWS_AS(nowhere.write("no/such/folder", ""), ur::format_error);
}
