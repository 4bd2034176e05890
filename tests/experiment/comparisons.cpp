// A whole comparison as its user meets it: files, the sentence, and going on after a stop.

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/files.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;
namespace fs = std::filesystem;

namespace {

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

ur::experiment_source small() {
  auto sample = ur::simulated_world{{.dimension = 8}}.sample(240, 4);
  ur::experiment_source out{std::move(sample.table), std::move(sample.expected_losses), "embeddings", {}};
  out.embed = [x = out.table.embeddings()](auto) { return x; };
  return out;
}

ur::comparison_settings into(const fs::path& out) {
  ur::comparison_settings s;
  s.out = out.string();
  s.trials = 4;
  s.validation = 50;
  s.threads = 1;
  return s;
}

ur::routing_method knn() {
  return ur::predictor_method("mine", [](const ur::trial_data&) { return ur::knn{{.neighbours = 15}}; });
}

/// An empty folder that is removed.
struct folder {
  fs::path path = fs::temp_directory_path() / ("uniroute_comparisons_" + std::to_string(::getpid()));
  folder() { fs::remove_all(path); }
  ~folder() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a comparison writes every number, a page that loads nothing, and a sentence") {
  const folder at;
  const ur::named_metric metric{"own", "my <metric>",
                                [](const ur::curve_view& v) { return ur::metric(v.function().peak()); }};
  ur::run_comparison({.methods = {ur::zero_router(), knn()}, .metrics = {metric}}, into(at.path), small);
  const auto json = nlohmann::json::parse(read(at.path / "results.json"));
  std::vector<std::string> roles;
  for (const auto& m : json["methods"]) {
    roles.push_back(m["role"]);
    CHECK(m["trials_defined"] == 4);
    CHECK(m["own"]["mean"].get<double>() == m["peak"]["mean"].get<double>());
    CHECK(m["curve"].size() == ur::curve_grid);
  }
  CHECK(roles ==
        std::vector<std::string>{"reference", "reference", "reference", "router", "upper_bound", "upper_bound"});
  CHECK(json["models"].size() == 28);
  CHECK(json["models"][0]["quality"].is_number());
  CHECK(json["profiles"]["method"] == "mine");
  CHECK(json["profiles"]["quality"].size() == json["profiles"]["cells"].size());
  for (const auto& line : json["shares"]["share"]) {
    double sum = 0;
    for (const auto& v : line) sum += v.get<double>();
    CHECK(sum == Approx(1).margin(1e-5));
  }
  CHECK(json["mine_against"][0]["method"] == "zero_router");
  const std::string verdict = json["verdict"];
  CHECK_THAT(verdict, Catch::Contains("mine: nArea") && Catch::Contains("corrected p"));
  const std::string page = read(at.path / "index.html");
  CHECK_THAT(page, Catch::Contains(ur::detail::escape_markup(verdict)) && Catch::Contains("my &lt;metric&gt;") &&
                       Catch::Contains("href=\"results.json\"") && Catch::Contains("knows every outcome in hindsight"));
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("http://") == page.find("http://www.w3.org/2000/svg"));
  // trial,method,metric,value for each metric, in the order of the rows.
  std::istringstream csv(read(at.path / "trials.csv"));
  std::string line;
  std::size_t lines = 0;
  while (std::getline(csv, line)) ++lines;
  CHECK(lines == 1 + 6 * 4 * 7);
  CHECK_FALSE(fs::exists(at.path / ur::partial_name));
}

TEST_CASE("what was finished before a method threw is kept, and going on writes the same bits") {
  const folder at, other;
  const fs::path whole = at.path / "whole", parts = at.path / "parts";
  fs::create_directories(at.path);
  const auto run = [&](const fs::path& out, std::size_t fails_at, std::size_t* calls) {
    std::size_t trial = 0;
    auto method = knn();
    const auto inner = method.predict;
    method.predict = [&, inner](const ur::trial_data& t) {
      if (trial++ == fails_at) throw std::runtime_error("stop here");
      if (calls != nullptr) ++*calls;
      return inner(t);
    };
    ur::run_comparison({.methods = {ur::zero_router(), method}}, into(out), small);
  };
  std::size_t calls = 0;
  run(whole, 99, nullptr);
  CHECK_THROWS_WITH(run(parts, 2, nullptr), Catch::Contains("method 'mine' in trial 2: stop here"));
  CHECK(fs::exists(parts / ur::partial_name));
  CHECK_FALSE(fs::exists(parts / "results.json"));
  run(parts, 99, &calls);
  CHECK(calls == 3);  // two trials that were left, and the close look
  for (const char* file : {"results.json", "trials.csv", "index.html", "curves.svg"})
    CHECK(read(parts / file) == read(whole / file));
  // Other settings do not go on with what another run has left.
  CHECK_THROWS(run(at.path / "again", 1, nullptr));
  auto s = into(at.path / "again");
  s.seed = 7;
  CHECK_THROWS_WITH(ur::run_comparison({.methods = {ur::zero_router(), knn()}}, s, small),
                    Catch::Contains("interrupted run with settings"));
  fs::create_directories(at.path / "notes");
  std::ofstream(at.path / "notes" / "thesis.txt") << "all of it";
  CHECK_THROWS_WITH(run(at.path / "notes", 99, nullptr), Catch::Contains("would be replaced"));
  CHECK(read(at.path / "notes" / "thesis.txt") == "all of it");
}

TEST_CASE("a comparison refuses what it cannot draw") {
  const folder at;
  CHECK_THROWS_WITH(ur::run_comparison({.methods = {ur::zero_router()}}, into(at.path), small),
                    Catch::Contains("methods has no router"));
  CHECK_THROWS_WITH(ur::run_comparison({.methods = {knn()}, .focus = "yours"}, into(at.path), small),
                    Catch::Contains("focus is 'yours'"));
  auto s = into(at.path);
  s.methods = {"min"};
  CHECK_THROWS_WITH(ur::run_comparison({.methods = {ur::zero_router(), knn()}}, s, small),
                    Catch::Contains("methods names 'min'"));
  CHECK_FALSE(fs::exists(at.path));
}

TEST_CASE("names with commas and quotes stay one cell of trials.csv") {
  ur::protocol_result r;
  r.methods.push_back({"soft, \"K\" = 5", std::vector<ur::trial_score>(1)});
  r.methods[0].trials[0].metrics = {{"a,b", .5}, {"none", std::nullopt}};
  CHECK(ur::trials_csv(r) ==
        "trial,method,metric,value\n0,\"soft, \"\"K\"\" = 5\",\"a,b\",0.5\n0,\"soft, \"\"K\"\" = 5\",none,\n");
}

TEST_CASE("the verdict says what won, by how much, how sure, and what cannot be told") {
  const auto result_of = [](double lead, double noise) {
    ur::protocol_result r;
    r.rho = .4;
    r.static_pool = true;
    for (const auto& [name, role, level] :
         {std::tuple("zero_router", ur::method_role::reference, .5), std::tuple("a", ur::method_role::router, .5),
          std::tuple("b", ur::method_role::router, .5 + lead),
          std::tuple("oracle", ur::method_role::upper_bound, .9)}) {
      ur::method_result m{name, {}, role, ""};
      for (std::size_t t = 0; t < 10; ++t) {
        ur::trial_score s;
        // b's noise is its own; a is a little below ZeroRouter in every other trial.
        const double own = std::string(name) == "b"   ? noise * (static_cast<double>(t % 3) - 1)
                           : std::string(name) == "a" ? -.001 * static_cast<double>(t % 2)
                                                      : 0;
        for (const auto& row : ur::standard_metrics()) s.metrics.emplace_back(row.name, level + own);
        m.trials.push_back(s);
      }
      r.methods.push_back(m);
    }
    for (std::size_t t = 0; t < 10; ++t) r.pools.push_back({"x", "y"});
    return r;
  };
  const auto sure = result_of(.05, .001), unsure = result_of(.001, .05);
  CHECK_THAT(ur::verdict_of(sure, ur::summarise_all(sure)), Catch::Contains("b routes best of 2 routers: nArea 0.5") &&
                                                                Catch::Contains("it does gain") &&
                                                                Catch::Contains("over a, the next (p < .001)"));
  CHECK_THAT(ur::verdict_of(unsure, ur::summarise_all(unsure)),
             Catch::Contains("it may be none") && Catch::Contains("cannot be told apart"));
  auto flat = sure;
  for (auto& m : flat.methods) {
    for (auto& t : m.trials) t.metrics[1].second = std::nullopt;
  }
  CHECK_THAT(ur::verdict_of(flat, ur::summarise_all(flat)), Catch::Contains("all cost the same"));
}
