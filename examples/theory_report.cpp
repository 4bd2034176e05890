// Theory that runs: how often every interval and certificate holds, how tight it is, and what the parts of regret are,
// in worlds where the truth is known. A page to look at and JSON to compute with. Interrupted, it goes on where it was.
// ctest: --worlds 100 --out out

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "theory/comparators.hpp"
#include "theory/page.hpp"
#include "theory/parts.hpp"
#include "theory/router.hpp"
#include "theory/tables.hpp"
#include "theory/tightness.hpp"

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings {
  std::string out = "out/theory_report", data, variant, encoder = "auto";
  std::size_t worlds = 10000, threads = 0;
  std::uint64_t seed = 1;
};

settings read_command_line(int argc, char** argv) {
  settings s;
  CLI::App app{"Bounds beside the truth, in simulated worlds"};
  app.add_option("--worlds", s.worlds, "worlds of the coverage experiment; the others scale with it")
      ->check(CLI::Range(std::size_t{50}, std::size_t{10000000}))
      ->capture_default_str();
  app.add_option("--data", s.data, "directory of a routing table to fit a world to; none: the simulated one");
  app.add_option("--variant", s.variant, "read outcomes_VARIANT.csv and so on, e.g. union");
  app.add_option("--encoder", s.encoder, ur::encoder_help)->capture_default_str();
  app.add_option("--seed", s.seed, "same seed, same numbers (times apart)")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return s;
}

/// A piece of work of a few seconds at most, and the name its result is kept under.
struct task {
  std::string key;
  std::function<ordered_json()> work;
};

const std::vector<std::size_t> sizes{100, 300, 1000, 3000, 10000, 30000, 100000};
const std::vector<std::size_t> clusters{1, 3, 10, 30, 100, 300};
constexpr std::size_t chunk = 50;
/// Splits of the table on which comparators are judged: 400 of 10,000 worlds.
std::size_t comparator_splits(const settings& s) { return std::max<std::size_t>(2, s.worlds / 25); }

const std::vector<std::size_t> parts_clusters{2, 4, 8, 16, 32};
const std::vector<std::string> other_families{"fitted", "Gaussian"};
const std::vector<std::size_t> other_sizes{100, 1000, 10000, 100000}, other_clusters{1, 10, 100};

std::string name_of(const std::string& what, std::size_t n, std::size_t k) {
  return what + "/" + std::to_string(n) + "/" + std::to_string(k);
}

/// The longest first, so that no thread is left with one at the end.
std::vector<task> make_tasks(const settings& s, const theory::fitted_worlds& fitted, const ur::routing_table& table) {
  std::vector<task> out;
  const std::size_t some = std::max<std::size_t>(4, s.worlds / 200);
  const auto seed = [&](std::uint64_t of) { return ur::derive_seed(s.seed, of); };
  out.push_back({"parts", [=, &fitted] {
                   return theory::learned_parts(fitted, parts_clusters, std::clamp<std::size_t>(some / 10, 1, 5),
                                                seed(7));
                 }});
  for (std::size_t first = 0; first < s.worlds; first += chunk) {
    const std::size_t last = std::min(s.worlds, first + chunk);
    out.push_back(
        {"coverage/" + std::to_string(first), [=, &fitted] { return theory::coverage(fitted, first, last, seed(1)); }});
  }
  for (const std::size_t n : sizes) {
    for (const std::size_t k : clusters) {
      out.push_back({name_of("random cells", n, k),
                     [=, &fitted] { return theory::tightness("random cells", fitted, n, k, some, seed(2)); }});
    }
    out.push_back({"worst_case/" + std::to_string(n), [=] { return theory::worst_case(n, 4 * some, seed(3)); }});
  }
  for (const auto& family : other_families) {
    for (const std::size_t n : other_sizes) {
      for (const std::size_t k : other_clusters) {
        out.push_back({name_of(family, n, k), [=, &fitted] {
                         return theory::tightness(family, fitted, n, k, std::max<std::size_t>(2, some / 4), seed(2));
                       }});
      }
    }
  }
  for (std::size_t i = 0; i < comparator_splits(s); ++i) {
    out.push_back({"comparators/" + std::to_string(i), [=, &table] {
                     return theory::to_json(theory::compare_split(table, table, {.seed = seed(12)}, i));
                   }});
  }
  out.push_back({"figure", [=] { return theory::tight_figure(std::max<std::size_t>(400, s.worlds / 5), seed(4)); }});
  out.push_back({"u_shape", [=] { return theory::u_shape(2000, some, seed(5)); }});
  out.push_back({"cells_choice", [=] { return theory::cells_choice(2000, some, seed(6)); }});
  out.push_back({"claims", [=] { return theory::closest_claims(std::max<std::size_t>(2000, s.worlds), s.seed); }});
  out.push_back({"dial", [=, &fitted] { return theory::heterogeneity_dial(fitted, some, seed(8)); }});
  out.push_back({"estimates", [=] { return theory::heterogeneity_estimates(some, seed(9)); }});
  out.push_back({"labels", [=, &fitted] { return theory::where_labels_help(fitted, seed(10)); }});
  out.push_back({"planning", [=] { return theory::planning(some, seed(11)); }});
  return out;
}

/// The table that the fitted world is made of, with embeddings.
ur::routing_table open_table(const settings& s) {
  if (s.data.empty()) {
    auto parts = ur::simulated_world{}.sample(1000, 1).table.parts();
    parts.name = "the simulated table";
    return ur::routing_table(std::move(parts));
  }
  ur::experiment_settings source;
  source.data = s.data;
  source.variant = s.variant;
  source.encoder = s.encoder;
  auto from = ur::open_experiment(source);
  std::vector<std::size_t> all(from.table.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  auto parts = from.table.parts();
  parts.embeddings = from.embed(all);
  return ur::routing_table(std::move(parts));
}

std::vector<std::string> parts_of(const std::string& key) {
  std::vector<std::string> out{""};
  for (const char c : key) {
    if (c == '|') {
      out.emplace_back();
    } else {
      out.back().push_back(c);
    }
  }
  return out;
}

/// Whether a statement holds as often as it says, less three standard deviations of that many worlds.
bool holds(double covered, double worlds) {
  const double d = theory::delta;
  return covered >= 1 - d - 3 * std::sqrt(d * (1 - d) / worlds);
}

/// One row for each bound and interval of a tightness task.
void add_tightness_rows(ordered_json& to, const ordered_json& r, const std::string& world) {
  for (const auto& [key, value] : r["rows"].items()) {
    const auto part = parts_of(key);
    to.push_back({{"bound", part[0]},
                  {"interval", part[1]},
                  {"world", world},
                  {"n", r["n"]},
                  {"clusters", r["clusters"]},
                  {"models", r["models"]},
                  {"median_ratio", value["median_ratio"]},
                  {"p90_ratio", value["p90_ratio"]},
                  {"median_certificate", value["median_certificate"]},
                  {"mean_regret", r["mean_regret"]}});
  }
}

ordered_json results_json(const settings& s, const std::string& table, const ur::resumable_results& results,
                          const ordered_json& cost) {
  ordered_json out;
  out["settings"] = {{"worlds", s.worlds}, {"seed", s.seed}, {"delta", theory::delta}, {"fitted_to", table}};
  std::map<std::string, std::pair<double, double>> counts;
  for (std::size_t first = 0; first < s.worlds; first += chunk) {
    const auto& of_chunk = *results.find("coverage/" + std::to_string(first));
    for (const auto& [key, value] : of_chunk.items()) {
      counts[key].first += value[0].get<double>();
      counts[key].second += value[1].get<double>();
    }
  }
  out["coverage"] = ordered_json::array();
  for (const auto& [key, value] : counts) {
    const auto part = parts_of(key);
    const bool finite = part[1] != "wilson" && part[1] != "multiplier_bootstrap";
    const double share = value.first / value.second;
    out["coverage"].push_back({{"bound", part[0]},
                               {"interval", part[1]},
                               {"loss", part[2]},
                               {"map", part[3]},
                               {"world", part[4]},
                               {"delta", theory::delta},
                               {"worlds", static_cast<std::size_t>(value.second)},
                               {"covered", share},
                               {"guarantee", finite ? "finite sample" : "asymptotic"},
                               {"holds", holds(share, value.second)}});
  }
  out["tightness"] = ordered_json::array();
  ordered_json rates;
  std::vector<double> x, regret, worst;
  std::map<std::string, std::vector<double>> certificates;
  for (const std::size_t n : sizes) {
    for (const std::size_t k : clusters) {
      const auto& r = *results.find(name_of("random cells", n, k));
      add_tightness_rows(out["tightness"], r, "random cells");
      if (k != 10) continue;
      for (const std::string bound : {"uniform", "gap_adaptive"})
        certificates[bound].push_back(r["rows"][bound + "|exact_binomial"]["median_certificate"]);
      regret.push_back(r["mean_regret"]);
    }
    x.push_back(static_cast<double>(n));
    worst.push_back((*results.find("worst_case/" + std::to_string(n)))["mean_regret"]);
  }
  for (const auto& family : other_families) {
    for (const std::size_t k : other_clusters) {
      for (const std::size_t n : other_sizes)
        add_tightness_rows(out["tightness"], *results.find(name_of(family, n, k)), family);
    }
  }
  out["rates"] = {{"n", x},
                  {"regret", regret},
                  {"regret_slope", theory::slope(x, regret)},
                  {"regret_slope_predicted", -1},
                  {"worst_case_regret", worst},
                  {"worst_case_slope", theory::slope(x, worst)},
                  {"worst_case_slope_predicted", -0.5},
                  {"uniform", certificates["uniform"]},
                  {"uniform_slope", theory::slope(x, certificates["uniform"])},
                  {"uniform_slope_predicted", -0.5},
                  {"gap_adaptive", certificates["gap_adaptive"]}};
  std::vector<ordered_json> splits;
  for (std::size_t i = 0; i < comparator_splits(s); ++i)
    splits.push_back(*results.find("comparators/" + std::to_string(i)));
  out["comparators"] = theory::comparators_json(splits, table, {});
  out["figure_n1000_k10_m10"] = *results.find("figure");
  auto u = *results.find("u_shape");
  const auto least = [&](auto value) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < u["rows"].size(); ++i) {
      if (value(u["rows"][i]) < value(u["rows"][best])) best = i;
    }
    return u["rows"][best]["clusters"];
  };
  u["best_clusters"] = least([](const auto& r) { return r["regret"].template get<double>(); });
  u["best_clusters_by_certificate"] = least([](const auto& r) {
    return r["approximation_bound"].template get<double>() + r["gap_adaptive"].template get<double>();
  });
  out["u_shape"] = u;
  out["cells_by_certificate"] = *results.find("cells_choice");
  const auto& parts = *results.find("parts");
  double identity_error = 0;
  for (const auto& of_k : parts) {
    for (const auto& r : of_k["rows"]) identity_error = std::max(identity_error, r["identity_error"].get<double>());
  }
  out["regret_parts"] = {{"world", table}, {"identity_error", identity_error}, {"by_clusters", parts}};
  out["heterogeneity_dial"] = *results.find("dial");
  out["heterogeneity_estimates"] = *results.find("estimates");
  out["where_labels_help"] = *results.find("labels");
  out["planning"] = *results.find("planning");
  out["claims"] = *results.find("claims");
  out["cost"] = cost;
  return out;
}

int run(const settings& s) {
  const auto table = open_table(s);
  const theory::fitted_worlds fitted(table);
  const ordered_json what{{"report", "theory"},   {"version", 4},           {"worlds", s.worlds},
                          {"seed", s.seed},       {"table", fitted.name()}, {"data", ur::detail::as_utf8(s.data)},
                          {"variant", s.variant}, {"encoder", s.encoder}};
  const std::filesystem::path dir = s.out;
  ur::resumable_results results("theory_report", dir, what);
  const auto tasks = make_tasks(s, fitted, table);
  std::vector<const task*> left;
  for (const auto& t : tasks) {
    if (results.find(t.key) == nullptr) left.push_back(&t);
  }
  if (left.size() != tasks.size())
    std::printf("Going on with %s: %zu of %zu parts are done\n", (dir / ur::partial_name).string().c_str(),
                tasks.size() - left.size(), tasks.size());
  std::fflush(stdout);
  ur::progress_bar bar("parts");
  std::mutex guard;
  ur::detail::parallel_for(left.size(), s.threads, [&](std::size_t i, std::size_t) {
    auto value = left[i]->work();
    const std::lock_guard lock(guard);
    results.add(left[i]->key, std::move(value));
    bar.show(results.size(), tasks.size());
  });

  ordered_json cost;
  for (const std::size_t n : {1000, 3000, 10000, 30000, 100000}) {
    const auto c = theory::cost_of(n, s.seed);
    for (const auto& [key, value] : c.items()) cost[key].push_back(value);
  }
  cost["counting_slope"] = theory::slope(cost["n"], cost["counting_us"]);
  const auto json = results_json(s, fitted.name(), results, cost);

  ur::html_page page("Bounds beside the truth");
  page.paragraph(ur::detail::text(theory::grouped(s.worlds),
                                  " worlds of each family, with known error probabilities; the fitted one is a smooth "
                                  "model of ",
                                  fitted.name(), ". Seed ", s.seed,
                                  ", δ = .05. docs/theory.md has the statements and their proofs."));
  theory::add_summary(page, json);
  page.heading("Against the best rule of a class");
  page.paragraph(ur::detail::text(
      comparator_splits(s), " splits of ", fitted.name(),
      ": a third of the LLMs is new, enrolled on 900 prompts and certified on 900 others (fewer where there are not as "
      "many); the whole test part is the truth."));
  theory::add_comparators(page, json["comparators"]);
  theory::add_u_shape(page, json["u_shape"], json["cells_by_certificate"]);
  theory::add_parts(page, json["regret_parts"]);
  theory::add_rates(page, json["rates"]);
  theory::add_heterogeneity(page, json["heterogeneity_dial"], json["heterogeneity_estimates"]);
  theory::add_coverage(page, json);
  theory::add_tightness(page, json, sizes, clusters);
  theory::add_gain(page, json["figure_n1000_k10_m10"]);
  theory::add_labels(page, json["where_labels_help"], json["planning"]);
  theory::add_claims(page, json["claims"]);
  theory::add_cost(page, cost);

  // The folder is replaced as a whole; until then partial.jsonl stays.
  const char* marker = std::filesystem::exists(dir / "results.json") ? "results.json" : ur::partial_name;
  ur::staged_directory staged("theory_report", dir, marker);
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("index.html", std::move(page).finish());
  staged.commit();

  bool fails = false;
  std::printf("%-24s %-20s %-7s %-5s %-25s %9s\n", "statement", "interval", "losses", "map", "world", "covered");
  for (const auto& c : json["coverage"]) {
    const bool bad = !c["holds"].get<bool>() && c["guarantee"] != "asymptotic";
    fails = fails || bad;
    std::printf("%-24s %-20s %-7s %-5s %-25s %9.4f%s\n", c["bound"].get<std::string>().c_str(),
                c["interval"].get<std::string>().c_str(), c["loss"].get<std::string>().c_str(),
                c["map"].get<std::string>().c_str(), c["world"].get<std::string>().c_str(), c["covered"].get<double>(),
                bad ? "  FAILS" : "");
  }
  for (const auto& c : json["claims"]) {
    const bool bad = c["broken"].get<bool>() != c["published"].get<bool>();
    fails = fails || bad;
    std::printf("%-72s %.4f%s\n", c["claim"].get<std::string>().c_str(), c["closest_ratio"].get<double>(),
                bad ? "  UNEXPECTED" : "");
  }
  std::printf("\nLook at %s\n", (dir / "index.html").string().c_str());
  return fails ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  const settings s = read_command_line(argc, argv);
  return ur::run_job("theory_report", [&] { return run(s); });
}
