#pragma once

// The page of theory_report: what results.json says, to look at.

#include <map>

#include "worlds.hpp"

namespace theory {

inline std::string number(double value, int digits = 3) {
  return (value < 0 ? "−" : "") + ur::detail::fixed(std::fabs(value), digits);
}
inline std::string number(const ordered_json& value, int digits = 3) {
  return value.is_null() ? "never wrong" : number(value.get<double>(), digits);
}
/// 12,345.
inline std::string grouped(std::size_t value) {
  std::string out = std::to_string(value);
  for (std::size_t at = out.size(); at > 3; at -= 3) out.insert(at - 3, ",");
  return out;
}
inline std::string whole(const ordered_json& value) {
  return grouped(static_cast<std::size_t>(std::lround(value.get<double>())));
}

inline ur::chart_line line_of(std::string name, const std::vector<double>& x, const std::vector<double>& y, bool quiet,
                              std::size_t style) {
  ur::chart_line out{std::move(name), {}, quiet, style};
  for (std::size_t i = 0; i < x.size(); ++i) out.points.emplace_back(x[i], y[i]);
  return out;
}

inline ur::chart_axes log_axes(std::string title, std::string x, std::string y, std::vector<double> x_ticks,
                               std::vector<double> y_ticks) {
  ur::chart_axes out{std::move(title), std::move(x), std::move(y)};
  out.log_ticks = std::move(x_ticks);
  out.log_y_ticks = std::move(y_ticks);
  return out;
}

/// The members of an array of objects, by name.
inline std::map<std::string, std::vector<double>> columns_of(const ordered_json& rows) {
  std::map<std::string, std::vector<double>> out;
  for (const auto& r : rows) {
    for (const auto& [key, value] : r.items()) {
      if (value.is_number()) out[key].push_back(value.template get<double>());
    }
  }
  return out;
}

/// What the page shows, in a few sentences.
inline void add_summary(ur::html_page& page, const ordered_json& json) {
  std::size_t guaranteed = 0, failed = 0;
  double least = 1;
  std::size_t least_of = 0;
  for (const auto& c : json["coverage"]) {
    if (c["guarantee"] != "finite sample") continue;
    ++guaranteed;
    failed += c["holds"].get<bool>() ? 0u : 1u;
    if (c["covered"].get<double>() < least) {
      least = c["covered"].get<double>();
      least_of = c["worlds"].get<std::size_t>();
    }
  }
  const auto& f = json["figure_n1000_k10_m10"];
  double best = 1e9;
  for (const auto& [name, value] : f["uniform"].items()) best = std::min(best, value["ratio"].get<double>());
  page.paragraph(ur::detail::text(
      "Of ", guaranteed, " statements with a guarantee ", failed == 0 ? "none" : std::to_string(failed),
      failed == 0 ? " held less often than promised by more than chance (three standard errors)"
                  : " held less often than promised, beyond chance",
      "; the least often true one held in ", number(100 * least, 1), "% of its ", least_of, " worlds, promised are 95%",
      least < 0.95 && failed == 0 ? " (so few worlds cannot tell: run more)" : "",
      ". At n = 1,000 and K = M = 10 the best certificate is ", number(best, 2),
      " times the 95% quantile of the true estimation term, and where one LLM is clearly best the gap form is ",
      number(f["clear_winners"]["times_tighter"], 1),
      " times tighter than Hoeffding with Bonferroni. Regret falls as n to the power of ",
      number(json["rates"]["regret_slope"], 2), " in random worlds and ", number(json["rates"]["worst_case_slope"], 2),
      " at worst. K chosen by certificate misses the best K by ",
      number(100 * json["cells_by_certificate"]["median_excess_of_range"].get<double>(), 1), "% of J's range."));
}

inline void add_u_shape(ur::html_page& page, const ordered_json& u, const ordered_json& by_certificate) {
  auto y = columns_of(u["rows"]);
  const auto k = y["clusters"];
  std::vector<double> total;
  for (std::size_t i = 0; i < k.size(); ++i) total.push_back(y["approximation_bound"][i] + y["gap_adaptive"][i]);
  std::vector<ur::chart_line> lines{line_of("certificate", k, total, false, 2),
                                    line_of("certificate: approximation part", k, y["approximation_bound"], true, 2),
                                    line_of("certificate: estimation part", k, y["gap_adaptive"], true, 5),
                                    line_of("true regret", k, y["regret"], false, 1),
                                    line_of("true approximation part", k, y["approximation"], true, 1),
                                    line_of("true estimation part", k, y["estimation"], true, 6)};
  const auto mark = [&](const std::string& name, const ordered_json& at, std::size_t style) {
    lines.push_back({name + ": K = " + whole(at), {{at, 0.001}, {at, 1}}, true, style});
  };
  mark("least certificate", u["best_clusters_by_certificate"], 7);
  mark("least regret", u["best_clusters"], 9);
  page.heading("Bound, parts and truth against K");
  page.figure(ur::line_chart(lines, log_axes("Bound, parts and truth against K", "cells K", "regret",
                                             {1, 3, 10, 30, 100, 300}, {0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1})),
              ur::detail::text("A smooth world of 1,200 types and 10 LLMs, n = ", whole(u["n"]),
                               " validation prompts, means over samples. Approximation falls with K, estimation grows; "
                               "the certificate, valid with probability 95%, turns where its parts cross, the truth "
                               "where its own do. What is below .001 is drawn there. The approximation part is known "
                               "in worlds only."));
  page.paragraph(ur::detail::text("K by certificate, from ", whole(by_certificate["held_out"]), " held-out prompts in ",
                                  whole(by_certificate["worlds"]), " such worlds: J exceeds that of the best K by ",
                                  number(100 * by_certificate["median_excess_of_range"].get<double>(), 1),
                                  "% of its range over the grid in the median, ",
                                  number(100 * by_certificate["p90_excess_of_range"].get<double>(), 1),
                                  "% at the 90% quantile."));
}

/// The rows of a map among the parts of all K.
inline ordered_json rows_of_map(const ordered_json& parts, const std::string& map, std::size_t training) {
  ordered_json out = ordered_json::array();
  for (const auto& of_k : parts["by_clusters"]) {
    for (const auto& r : of_k["rows"]) {
      if (r["map"] == map && r["training_prompts"] == training) out.push_back(r);
    }
  }
  return out;
}

inline void add_parts(ur::html_page& page, const ordered_json& parts) {
  page.heading("What the regret of a learned map is made of");
  const auto learned = rows_of_map(parts, "learned", 1000);
  auto y = columns_of(learned);
  auto hard = columns_of(rows_of_map(parts, "hard", 1000));
  const auto k = y["clusters"];
  ur::chart_axes axes{"Parts of a learned map's regret", "cells K", "regret", true};
  axes.log_ticks = {2, 4, 8, 16, 32};
  page.figure(
      ur::line_chart({line_of("regret, learned map", k, y["regret"], false, 1),
                      line_of("approximation: best map found", k, y["approximation"], true, 3),
                      line_of("optimisation: learned less best", k, y["optimisation"], false, 2),
                      line_of("estimation: 400 labels per LLM", k, y["estimation"], true, 6),
                      line_of("regret, nearest centroid", k, hard["regret"], true, 7)},
                     axes),
      ur::detail::text("World fitted to ", parts["world"].get<std::string>(),
                       "; the map is learned from 1,000 prompts "
                       "and the seen LLMs, then used for ",
                       whole(parts["by_clusters"][0]["models"]), " LLMs it has not seen. Means over ",
                       whole(parts["by_clusters"][0]["samples"]), " samples. The three parts add up to the regret",
                       parts["identity_error"].get<double>() <= 1e-15 ? " to rounding." : ": NOT so."));
  std::vector<std::vector<std::string>> rows{
      {"K", "map, training prompts", "regret", "approximation", "optimisation", "estimation", "bound"}};
  for (const auto& of_k : parts["by_clusters"]) {
    for (const auto& r : of_k["rows"]) {
      if (r["training_prompts"] == 300) continue;
      rows.push_back({whole(r["clusters"]),
                      r["map"].get<std::string>() + ", " + grouped(r["training_prompts"].get<std::size_t>()),
                      number(r["regret"], 4), number(r["approximation"], 4), number(r["optimisation"], 4),
                      number(r["estimation"], 4), number(r["bound"], 3)});
    }
  }
  page.table(rows);
  rows = {{"K", "best found", "by half the starts", "next best start", "starts", "best for seen LLMs"}};
  for (const auto& of_k : parts["by_clusters"])
    rows.push_back({whole(of_k["clusters"]), number(of_k["best_found"], 5), number(of_k["best_of_half_the_starts"], 5),
                    number(of_k["second_best"], 5), whole(of_k["starts"]), number(of_k["best_for_seen"], 4)});
  page.paragraph(
      "Approximation is the regret, with exact profiles, of the best softmax map with K cells that a search over the "
      "truth finds, for these LLMs at this price; optimisation is what the map falls short of it, with exact profiles "
      "as "
      "well; estimation is what estimated profiles cost on top. The best found is at least the infimum, so that "
      "approximation is overstated and optimisation understated by the same unknown amount, at most the approximation "
      "itself. What doubling the starts gained says how far the search may be from its end. Last, the regret for the "
      "unseen LLMs of the map that is "
      "best for the seen ones, with exact profiles: perfect optimisation for other LLMs is hardly better than what was "
      "learned, or worse. Most of the optimisation part is that a map has not seen the LLMs it serves.");
  page.table(rows);
}

inline void add_rates(ur::html_page& page, const ordered_json& r) {
  const auto n = r["n"].get<std::vector<double>>();
  page.heading("Bound and truth against n");
  page.figure(
      ur::line_chart({line_of("uniform certificate", n, r["uniform"], false, 2),
                      line_of("gap-adaptive certificate", n, r["gap_adaptive"], false, 3),
                      line_of("regret, cells on the edge", n, r["worst_case_regret"], true, 4),
                      line_of("regret, random worlds", n, r["regret"], false, 1)},
                     log_axes("Bound and truth against n", "validation prompts n", "estimation regret",
                              {100, 1000, 10000, 100000}, {0.00001, 0.0001, 0.001, 0.01, 0.1, 1})),
      ur::detail::text(
          "K = M = 10, exact binomial intervals, medians over worlds. Slopes: regret ", number(r["regret_slope"], 2),
          " (predicted −1: gaps have a density at 0), where gaps shrink as n^−½: ", number(r["worst_case_slope"], 2),
          " (predicted −½), uniform certificate ", number(r["uniform_slope"], 2),
          " (predicted −½, later than its saturation at small n)."));
}

inline void add_heterogeneity(ur::html_page& page, const ordered_json& dial, const ordered_json& estimates) {
  page.heading("Heterogeneity inside cells, as a dial");
  auto y = columns_of(dial["rows"]);
  const auto x = y["share"];
  page.figure(ur::line_chart({line_of(
                                  "certificate: E max −Δ + gap", x,
                                  [&] {
                                    auto sum = y["one_sided"];
                                    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += y["gap_adaptive"][i];
                                    return sum;
                                  }(),
                                  false, 2),
                              line_of("its approximation part, E max −Δ", x, y["one_sided"], true, 2),
                              line_of("its estimation part", x, y["gap_adaptive"], true, 5),
                              line_of("true regret", x, y["regret"], false, 1),
                              line_of("true approximation part", x, y["approximation"], true, 1),
                              line_of("true estimation part", x, y["estimation"], true, 6)},
                             {"Heterogeneity as a dial", "share of what differs inside cells", "regret", true}),
              ur::detail::text("The fitted world with ", whole(dial["clusters"]), " cells and n = ", whole(dial["n"]),
                               "; cell means stay as they are, so that the estimation part does, too."));
  std::vector<std::vector<std::string>> rows{
      {"dial of the simulated world", "true deviation in cells", "estimate (median)", "its 10% to 90%"}};
  for (const auto& r : estimates["rows"])
    rows.push_back({number(r["heterogeneity"], 2), number(r["true_deviation"]), number(r["estimate_median"]),
                    number(r["estimate_p10"]) + " to " + number(r["estimate_p90"])});
  page.table(rows);
  page.paragraph(ur::detail::text(
      "Estimate, not a bound: single answers do not identify how much error rates differ inside cells. Near neighbours "
      "give the standard deviation above from ",
      whole(estimates["n"]), " prompts; what varies on a scale below their distance is not in it."));
}

inline void add_gain(ur::html_page& page, const ordered_json& f) {
  page.heading("How much is there to gain? n = 1,000, K = M = 10");
  std::vector<std::vector<std::string>> rows{
      {"interval", "estimation part", "÷ its 95% quantile", "the same, shares known"}};
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
}

inline void add_labels(ur::html_page& page, const ordered_json& where, const ordered_json& plan) {
  page.heading("Where labels would help");
  std::vector<std::vector<std::string>> rows{{"cell", "prompts", "part", "choice", "rival", "more labels"}};
  for (const auto& c : where["cells"])
    rows.push_back({whole(c["cell"]), whole(c["prompts"]), number(c["contribution"], 4), c["choice"], c["rival"],
                    c["more_labels"].is_null() ? "choose anew" : grouped(c["more_labels"].get<std::size_t>())});
  page.table(rows);
  page.paragraph(ur::detail::text(
      "One certificate, of ", number(where["gap_adaptive"]), " from ", whole(where["n"]),
      " prompts of the fitted world (true regret ", number(where["regret"], 4),
      "), taken apart by cells. More labels: of the choice and its rivals together, for every gap in the cell to be at "
      "most ",
      number(where["width"], 1), " if means stay as they are."));
  rows = {{"K", "Hoeffding", "exact", "exact, error rate .1", "width reached", "its 90%"}};
  for (const auto& r : plan["rows"])
    rows.push_back({whole(r["clusters"]), grouped(r["hoeffding"].get<std::size_t>()),
                    grouped(r["exact_binomial"].get<std::size_t>()),
                    grouped(r["exact_binomial_mean_0.1"].get<std::size_t>()), number(r["median_width_reached"]),
                    number(r["p90_width_reached"])});
  page.table(rows);
  page.paragraph(ur::detail::text("Labels per LLM planned before any is bought, for ", whole(plan["models"]),
                                  " LLMs and an estimation part of ", number(plan["width"], 1),
                                  ", and the width of certificates made with as many (exact, ", whole(plan["worlds"]),
                                  " worlds, shares known)."));
}

inline void add_claims(ur::html_page& page, const ordered_json& claims) {
  page.heading("Closest that a search came to breaking each bound");
  std::vector<std::vector<std::string>> rows{{"claim", "largest truth ÷ bound", "steps", ""}};
  for (const auto& c : claims)
    rows.push_back({c["claim"], number(c["closest_ratio"], 4), grouped(c["steps"].get<std::size_t>()),
                    c["broken"].get<bool>() ? "broken" : "stands"});
  page.table(rows);
}

inline void add_cost(ur::html_page& page, const ordered_json& cost) {
  const auto n = cost["n"].get<std::vector<double>>();
  page.heading("Time against n");
  page.figure(ur::line_chart({line_of("counting outcomes", n, cost["counting_us"], false, 1),
                              line_of("intervals and certificate", n, cost["intervals_us"], false, 2)},
                             log_axes("Time against n", "validation prompts n", "microseconds",
                                      {1000, 3000, 10000, 30000, 100000}, {1, 10, 100, 1000, 10000})),
              ur::detail::text("10 LLMs, K = 100, one thread. Counting is one pass: slope ",
                               number(cost["counting_slope"], 2), "; the intervals do not depend on n."));
}

}  // namespace theory
