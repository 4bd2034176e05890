// How near routers come to the best rule of ever richer classes, on a real table: true regret and certificates beside
// it. Against the best single LLM, the best rule on 10, 100 and 300 cells, and every rule. Of a table whose outcomes
// are means of many runs (math_k50), routers and certificates see --runs of them, drawn anew for each split, and the
// means are the truth. ctest: --splits 4 --out out

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/files.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>
#include <vector>

#include "theory/comparators.hpp"

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings : theory::comparison_settings {
  std::string data, out = "out/truth_report";
  std::size_t threads = 0;
};

/// How much of what every rule could gain in hindsight is luck: the best single answers know how coins fell, rules
/// know at most the coins. Where outcomes are means of runs, the truth is their mean.
ordered_json headroom(const ur::routing_table& seen, const ur::routing_table& truth, double lambda) {
  const double n = static_cast<double>(truth.size());
  double bayes = 0, hindsight = 0;
  std::vector<double> single(truth.model_count(), 0.0);
  for (std::size_t i = 0; i < truth.size(); ++i) {
    double best = 1e300, luckiest = 1e300;
    for (std::size_t h = 0; h < truth.model_count(); ++h) {
      const double value = theory::objective(truth, i, h, lambda);
      best = std::min(best, value);
      luckiest = std::min(luckiest, theory::objective(seen, i, h, lambda));
      single[h] += value / n;
    }
    bayes += best / n;
    hindsight += luckiest / n;
  }
  const double best_single = *std::min_element(single.begin(), single.end());
  return {{"best_single", best_single},
          {"bayes", bayes},
          {"hindsight", hindsight},
          {"luck", best_single > hindsight ? ordered_json((bayes - hindsight) / (best_single - hindsight))
                                           : ordered_json(nullptr)}};
}

/// The deferral curve of the router with cells on the first split, with bands that hold along all of it.
void add_bands(ur::html_page& page, const ur::routing_table& seen, const ur::routing_table& truth, const settings& s) {
  const auto of = theory::draw_split(seen, truth, s, 0);
  auto router = theory::cells_router(of, 0);
  router.fit(of.train);
  router.enroll(of.validation, of.pool);
  const auto prices = ur::price_grid(router.costs().costs(), 12);
  const ur::confidence_level level{1 - s.delta};
  const ur::held_out sample{of.held};
  if (!(of.largest_cost > 0)) return;
  const auto narrow = ur::band_along(router, sample.reused(), prices, level, ur::asymptotic{});
  const auto safe = ur::band_along<ur::betting>(router, sample.reused(), prices, level, of.largest_cost);
  std::vector<ur::chart_line> lines{{"multiplier bootstrap (asymptotic)", {}, false, 1, {}},
                                    {"guaranteed", {}, true, 2, {}},
                                    {"all of the test part", {}, true, 0, {}}};
  for (std::size_t g = 0; g < prices.size(); ++g) {
    // From dear to cheap, so that x rises with the price's step.
    const double x = static_cast<double>(g);
    lines[0].points.emplace_back(x, 1 - narrow.points[g].loss);
    lines[0].band.emplace_back(1 - narrow.points[g].loss_band.upper, 1 - narrow.points[g].loss_band.lower);
    lines[1].points.emplace_back(x, 1 - safe.points[g].loss);
    lines[1].band.emplace_back(1 - safe.points[g].loss_band.upper, 1 - safe.points[g].loss_band.lower);
    const auto choices = router.with_rule(ur::lagrangian_rule{{.lambda = prices[g]}}).route(of.population.embeddings());
    double loss = 0;
    for (std::size_t i = 0; i < choices.size(); ++i)
      loss += of.population.losses()(i, choices[i]) / static_cast<double>(choices.size());
    lines[2].points.emplace_back(x, 1 - loss);
  }
  page.heading("How far the curve may be off");
  page.figure(
      ur::line_chart(lines,
                     {"Quality along the price", "step of the price, from quality alone to the cheapest", "quality"}),
      ur::detail::text("The router with ten cells, first split: quality on ", of.held.size(),
                       " prompts, and bands that hold at all prices at once with probability ", level.value(), "."));
}

int run(const settings& s) {
  ur::routing_table truth, seen;
  if (s.data.empty()) {
    // The truth of a world is its expected losses; what is seen are single answers.
    auto world = ur::simulated_world{}.sample(3000, s.seed);
    auto parts = world.table.parts();
    parts.losses = world.expected_losses;
    truth = ur::routing_table(std::move(parts));
    seen = std::move(world.table);
  } else {
    truth = ur::read_routing_table(s.data);
    seen = truth;
    double least = 1e300;
    for (const double count : truth.counts()) least = std::min(least, count);
    ur::detail::require(s.runs == 0 || (truth.counts().size() != 0 && static_cast<double>(s.runs) <= least),
                        "truth_report: runs is ", s.runs, ", but must be at most those behind each outcome of table '",
                        truth.name(), "' (outcome_counts.csv)");
    ur::detail::require(truth.has_embeddings(), "truth_report: table '", truth.name(), "' has no embeddings.npy");
  }
  std::printf("%s: %zu prompts, %zu LLMs; %zu splits, delta %g\n", truth.name().c_str(), truth.size(),
              truth.model_count(), s.splits, s.delta);
  ordered_json what{{"report", "truth"},
                    {"version", 2},
                    {"table", truth.name()},
                    {"runs", s.runs},
                    {"splits", s.splits},
                    {"seed", s.seed},
                    {"delta", s.delta},
                    {"lambda", s.lambda},
                    {"held_out", s.held_out},
                    {"validation", s.validation},
                    {"together", s.together},
                    {"prompts", truth.size()},
                    {"hash", ur::hash_bytes(truth.losses().data(), truth.losses().size() * sizeof(double))}};
  ur::resumable_results kept("truth_report", s.out, what);
  ur::progress_bar bar("splits");
  ur::keep_going(
      kept, "split", s.splits, s.threads,
      [&](std::size_t i) { return theory::to_json(theory::compare_split(seen, truth, s, i)); },
      [&](auto done, auto all) { bar.show(done, all); });

  std::vector<ordered_json> splits;
  for (std::size_t t = 0; t < s.splits; ++t) splits.push_back(*kept.find("split/" + std::to_string(t)));
  const bool graded = s.data.empty() || s.runs != 0;
  ordered_json json;
  json["table"] = ur::table_json(truth);
  json["settings"] = what;
  json["comparators"] = theory::comparators_json(splits, truth.name(), s);
  const auto once = s.runs == 0 ? seen : theory::with_runs(seen, s.runs, s.seed);
  if (graded) json["headroom"] = headroom(once, truth, s.lambda);
  ur::html_page page("How near to the best rule: " + truth.name());
  page.paragraph(ur::detail::text(
      "Means over ", s.splits, " splits: a third of the LLMs is new",
      s.together.empty() ? std::string() : ur::detail::text(" (those of equal ", s.together, " together)"),
      ", enrolled on ", s.validation, " prompts; certificates at level ", 1 - s.delta, " from ", s.held_out,
      " other prompts; the whole test part is the truth",
      s.runs == 0 ? std::string(".")
                  : ur::detail::text(" (means of all runs), of which routers and certificates see ", s.runs, "."),
      " A certificate bounds the regret to the best rule of a class: one LLM for all prompts; the best LLM in each of "
      "10, 100, 300 K-means cells; every rule in hindsight, luck included."));
  page.heading("A ladder to the best rule");
  theory::add_comparators(page, json["comparators"]);
  if (graded && !json["headroom"]["luck"].is_null()) {
    const auto& h = json["headroom"];
    const auto said = ur::detail::text(
        "Of all LLMs the best single one has a risk of ", ur::detail::fixed(h["best_single"].get<double>(), 4),
        "; the Bayes rule, which knows every rate, ", ur::detail::fixed(h["bayes"].get<double>(), 4),
        "; the best of the outcomes that were seen, in hindsight, ", ur::detail::fixed(h["hindsight"].get<double>(), 4),
        ": ", ur::detail::fixed(100 * h["luck"].get<double>(), 0),
        "% of what hindsight seems to leave to gain is luck.");
    page.heading("How much of hindsight is luck");
    page.paragraph(said);
    std::printf("%s\n", said.c_str());
  }
  add_bands(page, seen, truth, s);
  ur::staged_directory staged("truth_report", s.out, ur::marker_of(s.out));
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("index.html", std::move(page).finish());
  staged.commit();
  std::printf("\nLook at %s/index.html\n", s.out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"True regret and certificates against ever richer classes of rules"};
  app.add_option("--data", s.data, "directory of a routing table with embeddings; none: a simulated world");
  app.add_option("--runs", s.runs, "of the runs behind each outcome, how many routers and certificates see; 0: all")
      ->capture_default_str();
  app.add_option("--together", s.together, "a column of models.csv, e.g. base_model: equal LLMs are new together");
  app.add_option("--splits", s.splits, "random splits")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--held-out", s.held_out, "prompts of a certificate")->capture_default_str();
  app.add_option("--validation", s.validation, "prompts that LLMs are enrolled with")->capture_default_str();
  app.add_option("--lambda", s.lambda, "price of a unit of cost")->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--delta", s.delta, "1 - the level of the certificates")->capture_default_str();
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--threads", s.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
  ur::parse_options(app, argc, argv);
  return ur::run_job("truth_report", [&] { return run(s); });
}
