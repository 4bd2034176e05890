#pragma once

// The two large tables of theory_report's page: coverage and tightness.

#include "page.hpp"

namespace theory {

/// What a statement is called on the page.
inline std::string words_for(const std::string& bound) {
  static const std::map<std::string, std::string> words{
      {"all_cell_means", "all cell means at once"},
      {"one_cell_mean", "one cell mean"},
      {"estimation_term", "2 Σ p max |error|"},
      {"gap_adaptive", "gap-adaptive certificate"},
      {"uniform", "uniform certificate"},
      {"total_in_world", "total regret, Δ known"},
      {"hindsight", "total regret in hindsight"},
      {"by_certificate", "J of all candidates"},
      {"guard_quality", "guarded quality"},
      {"guard_cost", "guarded cost"},
      {"missing_in_cells", "certificate, outcomes missing by cell"},
      {"missing_by_prompt", "cell means, missing by prompt"},
      {"step_down", "eliminated by step-down"},
      {"step_down_tied", "step-down among tied LLMs"},
      {"held_out_all", "held-out risk, J and differences at once"},
      {"held_out_to_best_single", "held-out difference to best single"},
      {"held_out_to_zero_router", "held-out difference to ZeroRouter"}};
  const auto found = words.find(bound);
  return found == words.end() ? bound : found->second;
}

inline void add_coverage(ur::html_page& page, const ordered_json& json) {
  page.heading("How often each statement held");
  const std::vector<std::pair<std::string, std::string>> intervals{
      {"betting", "betting"},     {"exact_binomial", "exact"},
      {"hoeffding", "Hoeffding"}, {"empirical_bernstein", "Bernstein"},
      {"wilson", "Wilson*"},      {"multiplier_bootstrap", "bootstrap*"}};
  std::vector<std::vector<std::string>> rows{{"statement (losses, map)"}};
  for (const auto& [id, name] : intervals) rows[0].push_back(name);
  std::map<std::string, std::size_t> row_of;
  std::map<std::pair<std::size_t, std::size_t>, double> least;
  std::map<std::string, std::pair<std::size_t, double>> of_world;  // statements, least of those with a guarantee
  for (const auto& c : json["coverage"]) {
    const auto world = c["world"].get<std::string>();
    const bool router = world.starts_with("router"), finite = c["guarantee"] == "finite sample";
    const auto name = ur::detail::text(words_for(c["bound"].get<std::string>()), " (", c["loss"].get<std::string>(),
                                       ", ", router ? "router" : c["map"].get<std::string>(), ")");
    const auto [at, fresh] = row_of.try_emplace(name, rows.size());
    if (fresh) {
      rows.emplace_back(intervals.size() + 1);
      rows.back().front() = name;
    }
    std::size_t j = 0;
    while (intervals[j].first != c["interval"].get<std::string>()) ++j;
    const double covered = c["covered"];
    const auto [value, first] = least.try_emplace({at->second, j}, covered);
    value->second = std::min(value->second, covered);
    auto& cell = rows[at->second][j + 1];
    const bool failed = (finite && !c["holds"].get<bool>()) || cell.ends_with("FAILS");
    cell = number(value->second, 4) + (failed ? " FAILS" : "");
    auto& [statements, lowest] = of_world.try_emplace(world, 0, 1.0).first->second;
    ++statements;
    if (finite) lowest = std::min(lowest, covered);
  }
  page.table(rows);
  std::string by_world;
  for (const auto& [world, of] : of_world)
    by_world += ur::detail::text(by_world.empty() ? "" : "; ", world, ": ", of.first, " statements, least ",
                                 number(of.second, 4));
  page.paragraph(ur::detail::text(
      "Promised: .95. Each number is the least over families of worlds (random cells, a world fitted to a table, "
      "Gaussian mixtures with logistic skills), ",
      grouped(json["settings"]["worlds"].get<std::size_t>()),
      " worlds in each. A statement holds that is above .95 less three standard deviations of so many worlds. ",
      by_world,
      ". * Wilson's interval and the multiplier bootstrap promise their level in "
      "the limit of large samples only. Total regret, Δ known: to the optimal rule, bounded by E max −Δ (known here) "
      "plus the gap-adaptive certificate; in hindsight: bounded on held-out prompts alone. Guards count a promise that "
      "was given and not kept as a miss. In Gaussian worlds cells are components, their means integrals, and total "
      "regret a mean over 2,000 prompts, whose four standard errors are allowed for."));
}

inline void add_tightness(ur::html_page& page, const ordered_json& json, const std::vector<std::size_t>& sizes,
                          const std::vector<std::size_t>& clusters) {
  std::vector<std::vector<std::string>> rows;
  const auto cell = [](const ordered_json& t) {
    return t["median_ratio"].is_null() ? std::string("never wrong")
                                       : number(t["median_ratio"], 1) + " (" + number(t["p90_ratio"], 1) + ")";
  };
  for (const std::string bound : {"gap_adaptive", "uniform"}) {
    page.heading("Tightness, " + words_for(bound) + " ÷ mean estimation regret");
    rows = {{"K"}};
    for (const std::size_t n : sizes) rows[0].push_back("n = " + grouped(n));
    for (const std::size_t k : clusters) rows.push_back({std::to_string(k)});
    for (const auto& t : json["tightness"]) {
      if (t["interval"] != "exact_binomial" || t["bound"] != bound || t["world"] != "random cells") continue;
      const auto k =
          static_cast<std::size_t>(std::find(clusters.begin(), clusters.end(), t["clusters"]) - clusters.begin());
      rows[k + 1].push_back(cell(t));
    }
    page.table(rows);
  }
  page.paragraph(
      "Medians over worlds, in brackets the 90% quantile; exact binomial intervals, 10 LLMs. Worlds in which no sample "
      "ever chose wrongly have no ratio.");
  rows = {{"gap-adaptive, other worlds"}};
  std::map<std::string, std::size_t> row_of;
  for (const auto& t : json["tightness"]) {
    if (t["interval"] != "exact_binomial" || t["bound"] != "gap_adaptive" || t["world"] == "random cells") continue;
    const auto name = ur::detail::text(t["world"].get<std::string>(), ", K = ", whole(t["clusters"]));
    const auto heading = "n = " + grouped(t["n"].get<std::size_t>());
    if (rows[0].back() != heading && std::find(rows[0].begin(), rows[0].end(), heading) == rows[0].end())
      rows[0].push_back(heading);
    const auto [at, fresh] = row_of.try_emplace(name, rows.size());
    if (fresh) rows.push_back({name});
    rows[at->second].push_back(cell(t));
  }
  page.table(rows);
}

}  // namespace theory
