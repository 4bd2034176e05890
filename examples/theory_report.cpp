// Theory that runs: how often every interval and certificate holds, how tight it is, and what the parts of regret are,
// in worlds where the truth is known. A page to look at and JSON to compute with. Interrupted, it goes on where it was.
// ctest: --worlds 200 --out out

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "experiment.hpp"
#include "theory_experiments.hpp"

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings {
  std::string out = "out/theory_report";
  std::size_t worlds = 10000, threads = 0;
  std::uint64_t seed = 1;
};

settings read_command_line(int argc, char** argv) {
  settings s;
  CLI::App app{"Bounds beside the truth, in simulated worlds"};
  app.add_option("--worlds", s.worlds, "worlds of the coverage experiment; the others scale with it")
      ->check(CLI::Range(std::size_t{50}, std::size_t{10000000}))
      ->capture_default_str();
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

std::vector<task> make_tasks(const settings& s) {
  std::vector<task> out;
  const std::size_t some = std::max<std::size_t>(4, s.worlds / 200);
  for (std::size_t first = 0; first < s.worlds; first += chunk) {
    const std::size_t last = std::min(s.worlds, first + chunk);
    out.push_back({"coverage/" + std::to_string(first),
                   [=] { return theory::coverage(first, last, ur::derive_seed(s.seed, 1)); }});
  }
  for (const std::size_t n : sizes) {
    for (const std::size_t k : clusters) {
      out.push_back({"tightness/" + std::to_string(n) + "/" + std::to_string(k),
                     [=] { return theory::tightness(n, k, some, ur::derive_seed(s.seed, 2)); }});
    }
    out.push_back({"worst_case/" + std::to_string(n),
                   [=] { return theory::worst_case(n, 4 * some, ur::derive_seed(s.seed, 3)); }});
  }
  out.push_back({"figure", [=] {
                   return theory::tight_figure(std::max<std::size_t>(400, s.worlds / 5), ur::derive_seed(s.seed, 4));
                 }});
  out.push_back({"u_shape", [=] { return theory::u_shape(2000, some, ur::derive_seed(s.seed, 5)); }});
  out.push_back({"cells_choice", [=] { return theory::cells_choice(2000, some, ur::derive_seed(s.seed, 6)); }});
  out.push_back({"claims", [=] { return theory::closest_claims(std::max<std::size_t>(2000, s.worlds), s.seed); }});
  return out;
}

constexpr auto partial_name = "partial.jsonl";

/// Results of finished tasks in DIR/partial.jsonl, a line each, under a first line that says what they are results of.
class resumable_results {
 public:
  resumable_results(const std::filesystem::path& dir, const ordered_json& what) {
    const bool ours = !std::filesystem::exists(dir) || std::filesystem::is_empty(dir) ||
                      std::filesystem::exists(dir / "results.json") || std::filesystem::exists(dir / partial_name);
    ur::detail::require(ours, "theory_report: '", dir.string(),
                        "' exists and has no results.json, but must be new, empty or a report (it would be replaced)");
    std::filesystem::create_directories(dir);
    const auto path = dir / partial_name;
    std::ifstream in(path);
    std::string line;
    bool same = false;
    while (std::getline(in, line)) {
      const auto json = ordered_json::parse(line, nullptr, false);
      if (json.is_discarded()) break;  // the line that an interruption cut off
      if (!same) {
        same = json == what;
        if (!same) break;
      } else {
        done_[json["key"].get<std::string>()] = json["value"];
      }
    }
    in.close();
    // Written again without a broken end.
    out_.open(path, std::ios::trunc);
    out_ << what.dump() << "\n";
    for (const auto& [key, value] : done_) write(key, value);
  }

  const ordered_json* find(const std::string& key) const {
    const auto found = done_.find(key);
    return found == done_.end() ? nullptr : &found->second;
  }
  void add(const std::string& key, ordered_json value) {
    write(key, value);
    done_[key] = std::move(value);
  }
  std::size_t size() const { return done_.size(); }

 private:
  void write(const std::string& key, const ordered_json& value) {
    out_ << ordered_json{{"key", key}, {"value", value}}.dump() << std::endl;
    if (!out_) throw std::runtime_error("theory_report: partial.jsonl cannot be written");
  }

  std::map<std::string, ordered_json> done_;
  std::ofstream out_;
};

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

ordered_json results_json(const settings& s, const resumable_results& results, const ordered_json& cost) {
  ordered_json out;
  out["settings"] = {{"worlds", s.worlds}, {"seed", s.seed}, {"delta", theory::delta}};
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
      const auto& r = *results.find("tightness/" + std::to_string(n) + "/" + std::to_string(k));
      for (const auto& [key, value] : r["rows"].items()) {
        const auto part = parts_of(key);
        out["tightness"].push_back({{"bound", part[0]},
                                    {"interval", part[1]},
                                    {"n", n},
                                    {"clusters", k},
                                    {"models", theory::tightness_models},
                                    {"median_ratio", value["median_ratio"]},
                                    {"p90_ratio", value["p90_ratio"]},
                                    {"median_certificate", value["median_certificate"]},
                                    {"mean_regret", r["mean_regret"]}});
        if (k == 10 && part[1] == "exact_binomial") certificates[part[0]].push_back(value["median_certificate"]);
      }
      if (k == 10) regret.push_back(r["mean_regret"]);
    }
    x.push_back(static_cast<double>(n));
    worst.push_back((*results.find("worst_case/" + std::to_string(n)))["mean_regret"]);
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
  out["claims"] = *results.find("claims");
  out["cost"] = cost;
  return out;
}

// --- The page
// -------------------------------------------------------------------------------------------------------------

std::string number(double value, int digits = 3) { return ur::detail::fixed(value, digits); }
std::string number(const ordered_json& value, int digits = 3) {
  return value.is_null() ? "never wrong" : number(value.get<double>(), digits);
}

/// Points (log10 x, log10 y); what is below `floor` is drawn there.
ur::chart_line log_line(std::string name, const std::vector<double>& x, const std::vector<double>& y, bool quiet,
                        std::size_t style, double floor = 1e-5) {
  ur::chart_line out{std::move(name), {}, quiet, style};
  for (std::size_t i = 0; i < x.size(); ++i)
    out.points.emplace_back(std::log10(x[i]), std::log10(std::max(y[i], floor)));
  return out;
}

void add_u_shape(ur::html_page& page, const ordered_json& u) {
  std::vector<double> k;
  std::map<std::string, std::vector<double>> y;
  double low = 1, high = 0;
  for (const auto& r : u["rows"]) {
    k.push_back(r["clusters"]);
    for (const auto& [key, value] : r.items()) y[key].push_back(value);
    y["total"].push_back(r["approximation_bound"].get<double>() + r["gap_adaptive"].get<double>());
    low = std::min(low, r["regret"].get<double>());
    high = std::max(high, y["total"].back());
  }
  std::vector<ur::chart_line> lines{log_line("certificate", k, y["total"], false, 2),
                                    log_line("certificate: approximation part", k, y["approximation_bound"], true, 2),
                                    log_line("certificate: estimation part", k, y["gap_adaptive"], true, 5, 1e-3),
                                    log_line("true regret", k, y["regret"], false, 1),
                                    log_line("true approximation part", k, y["approximation"], true, 1, 1e-3),
                                    log_line("true estimation part", k, y["estimation"], true, 6, 1e-3)};
  const auto mark = [&](const std::string& name, double at, std::size_t style) {
    lines.push_back(
        {name, {{std::log10(at), std::log10(std::max(low, 1e-3))}, {std::log10(at), std::log10(high)}}, true, style});
  };
  mark("least certificate: K = " + number(u["best_clusters_by_certificate"], 0), u["best_clusters_by_certificate"], 7);
  mark("least regret: K = " + number(u["best_clusters"], 0), u["best_clusters"], 9);
  page.heading("Bound, parts and truth against K");
  page.figure(
      ur::line_chart(lines, {"Bound, parts and truth against K", "log10 of the number of cells K", "log10 of regret"}),
      ur::detail::text("A smooth world of 1,200 types and 10 LLMs, n = ", number(u["n"], 0),
                       " validation prompts. Approximation falls with K, estimation grows; the certificate, "
                       "valid with probability 95%, turns where its parts cross, the truth where its own do. "
                       "What is below .001 is drawn there. "
                       "(The approximation part is known in worlds only.)"));
}

void add_rates(ur::html_page& page, const ordered_json& r) {
  const auto n = r["n"].get<std::vector<double>>();
  page.heading("Bound and truth against n");
  page.figure(
      ur::line_chart({log_line("uniform certificate", n, r["uniform"], false, 2),
                      log_line("gap-adaptive certificate", n, r["gap_adaptive"], false, 3),
                      log_line("regret, cells on the edge", n, r["worst_case_regret"], true, 4),
                      log_line("regret, random worlds", n, r["regret"], false, 1)},
                     {"Bound and truth against n", "log10 of validation prompts n", "log10 of estimation regret"}),
      ur::detail::text("K = M = 10, exact binomial intervals, medians over worlds. Slopes: regret ",
                       number(r["regret_slope"], 2),
                       " (predicted −1: gaps have a density at 0), where gaps shrink as n^−½ ",
                       number(r["worst_case_slope"], 2), " (predicted −½), uniform certificate ",
                       number(r["uniform_slope"], 2), " (predicted −½, later than its saturation at small n)."));
}

void add_tables(ur::html_page& page, const ordered_json& json) {
  page.heading("How often each statement held");
  const std::vector<std::string> intervals{"hoeffding", "exact_binomial", "empirical_bernstein",
                                           "betting",   "wilson",         "multiplier_bootstrap"};
  std::vector<std::vector<std::string>> rows{{"statement, losses, map"}};
  for (const auto& name : intervals) rows[0].push_back(name);
  rows[0].push_back("worlds");
  std::map<std::string, std::size_t> row_of;
  for (const auto& c : json["coverage"]) {
    const auto name = ur::detail::text(c["bound"].get<std::string>(), ", ", c["loss"].get<std::string>(), ", ",
                                       c["map"].get<std::string>());
    const auto [at, fresh] = row_of.try_emplace(name, rows.size());
    if (fresh) {
      rows.emplace_back(intervals.size() + 2);
      rows.back().front() = name;
    }
    rows[at->second].back() =
        number(std::max(c["worlds"].get<double>(), std::atof(rows[at->second].back().c_str())), 0);
    const auto j = static_cast<std::size_t>(
        std::find(intervals.begin(), intervals.end(), c["interval"].get<std::string>()) - intervals.begin());
    const bool finite = c["guarantee"] != "asymptotic";
    rows[at->second][j + 1] = number(c["covered"], 4) + (finite && !c["holds"].get<bool>() ? " FAILS" : "");
  }
  page.table(rows);
  page.paragraph(
      "Promised: .95. Holds: above that, less three standard deviations of so many worlds. total_in_world is the "
      "regret "
      "to the optimal rule, bounded by the approximation term (known here) plus the gap-adaptive certificate; "
      "hindsight "
      "bounds it on held-out prompts alone. Guards count a promise that was given and not kept as a miss. Wilson's "
      "interval and the multiplier bootstrap (in a tenth of the worlds) promise their level in the limit of large "
      "samples "
      "only.");
  for (const std::string bound : {"gap_adaptive", "uniform"}) {
    page.heading("Tightness, " + bound + ": certificate ÷ mean estimation regret of the same world");
    rows = {{"K"}};
    for (const std::size_t n : sizes) rows[0].push_back("n = " + std::to_string(n));
    for (const std::size_t k : clusters) rows.push_back({std::to_string(k)});
    for (const auto& t : json["tightness"]) {
      if (t["interval"] != "exact_binomial" || t["bound"] != bound) continue;
      const auto k =
          static_cast<std::size_t>(std::find(clusters.begin(), clusters.end(), t["clusters"]) - clusters.begin());
      rows[k + 1].push_back(t["median_ratio"].is_null()
                                ? "never wrong"
                                : number(t["median_ratio"], 1) + " (" + number(t["p90_ratio"], 1) + ")");
    }
    page.table(rows);
  }
  page.paragraph(
      "Medians over worlds, in brackets the 90% quantile; exact binomial intervals, 10 LLMs. Worlds in which no sample "
      "ever "
      "chose wrongly have no ratio.");
  const auto& f = json["figure_n1000_k10_m10"];
  page.heading("How much is there to gain? n = 1,000, K = M = 10");
  rows = {{"interval", "estimation part", "÷ its 95% quantile", "the same, shares known"}};
  for (const auto& [name, value] : f["uniform"].items())
    rows.push_back(
        {name, number(value["estimation"]), number(value["ratio"], 2), number(value["ratio_shares_known"], 2)});
  page.table(rows);
  const auto& clear = f["clear_winners"];
  page.paragraph(ur::detail::text(
      "The 95% quantile of 2 Σ p max |error| over samples of one fixed world, ",
      number(f["quantile_of_estimation_term"]),
      ", is the least that any valid number for it can be. Where one LLM is clearly best in 8 of 10 cells the "
      "gap-adaptive certificate is ",
      number(clear["gap_adaptive"], 4), " against ", number(clear["hoeffding_bonferroni"]),
      " of Hoeffding with Bonferroni: ", number(clear["times_tighter"], 1),
      " times tighter in the median (true regret ", number(clear["mean_regret"], 5), ")."));
  page.heading("Closest that a search came to breaking each bound");
  rows = {{"claim", "largest truth ÷ bound", "steps", ""}};
  for (const auto& c : json["claims"])
    rows.push_back({c["claim"], number(c["closest_ratio"], 4), number(c["steps"], 0),
                    c["broken"].get<bool>() ? "broken" : "stands"});
  page.table(rows);
}

void add_cost(ur::html_page& page, const ordered_json& cost) {
  const auto n = cost["n"].get<std::vector<double>>();
  page.heading("Time against n");
  page.figure(ur::line_chart({log_line("counting outcomes", n, cost["counting_us"], false, 1, 1e-3),
                              log_line("intervals and certificate", n, cost["intervals_us"], false, 2, 1e-3)},
                             {"Time against n", "log10 of validation prompts n", "log10 of microseconds"}),
              ur::detail::text("10 LLMs, K = 100, one thread. Counting is one pass: slope ",
                               number(cost["counting_slope"], 2), "; the intervals do not depend on n."));
}

int run(const settings& s) {
  const ordered_json what{{"report", "theory"}, {"version", 2}, {"worlds", s.worlds}, {"seed", s.seed}};
  const std::filesystem::path dir = s.out;
  resumable_results results(dir, what);
  const auto tasks = make_tasks(s);
  std::vector<const task*> left;
  for (const auto& t : tasks) {
    if (results.find(t.key) == nullptr) left.push_back(&t);
  }
  if (left.size() != tasks.size())
    std::printf("Going on with %s: %zu of %zu parts are done\n", (dir / partial_name).string().c_str(),
                tasks.size() - left.size(), tasks.size());
  std::fflush(stdout);
  experiment::progress_bar bar("parts");
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
  const auto json = results_json(s, results, cost);

  ur::html_page page("Bounds beside the truth");
  page.paragraph(ur::detail::text(s.worlds, " worlds with known error probabilities, seed ", s.seed,
                                  ", δ = .05. docs/theory.md has the statements and their proofs."));
  add_u_shape(page, json["u_shape"]);
  const auto& by_certificate = json["cells_by_certificate"];
  page.paragraph(
      ur::detail::text("K by certificate, from ", number(by_certificate["held_out"], 0), " held-out prompts in ",
                       number(by_certificate["worlds"], 0), " such worlds: J exceeds that of the best K by ",
                       number(100 * by_certificate["median_excess_of_range"].get<double>(), 1),
                       "% of its range over the grid in the median, ",
                       number(100 * by_certificate["p90_excess_of_range"].get<double>(), 1), "% at the 90% quantile."));
  add_rates(page, json["rates"]);
  add_tables(page, json);
  add_cost(page, cost);

  // The folder is replaced as a whole; until then partial.jsonl stays.
  const char* marker = std::filesystem::exists(dir / "results.json") ? "results.json" : partial_name;
  ur::detail::staged_directory staged("theory_report", dir, marker);
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("index.html", std::move(page).finish());
  staged.commit();

  bool fails = false;
  std::printf("%-16s %-20s %-7s %-5s %9s\n", "statement", "interval", "losses", "map", "covered");
  for (const auto& c : json["coverage"]) {
    const bool bad = !c["holds"].get<bool>() && c["guarantee"] != "asymptotic";
    fails = fails || bad;
    std::printf("%-16s %-20s %-7s %-5s %9.4f%s\n", c["bound"].get<std::string>().c_str(),
                c["interval"].get<std::string>().c_str(), c["loss"].get<std::string>().c_str(),
                c["map"].get<std::string>().c_str(), c["covered"].get<double>(), bad ? "  FAILS" : "");
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
  try {
    return run(read_command_line(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "theory_report: %s\n", error.what());
    return 1;
  }
}
