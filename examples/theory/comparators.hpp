#pragma once

// How near routers come to the best rule of ever richer classes on splits of a table, and what is certified of it.
// Where outcomes are means of many runs, routers and certificates may see a few of them, and the means are the truth.

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <vector>

namespace theory {

namespace ur = uniroute;
using nlohmann::ordered_json;

struct comparison_settings {
  std::size_t runs = 0;  ///< how many of the runs behind an outcome are seen; 0: all
  std::size_t splits = 100, validation = 900, held_out = 900;
  double delta = 0.05, lambda = 0;
  std::string together = {};  ///< a column of models.csv: LLMs that are equal there are new together
  std::uint64_t seed = 1;
};

/// What one split says of one router and one class.
struct comparison {
  double regret = 0, held_out = 0;  ///< true; certified
  double same_sample = ur::missing, box = ur::missing, paired = ur::missing;
};
using comparisons = std::map<std::string, comparison>;  ///< by "router|class"

struct comparator_row {
  std::string name;
  std::size_t clusters;  ///< 0: no cells
};

inline const std::vector<std::string> compared_routers{"cells", "knn", "ridge", "gaussian_process"};
inline const std::vector<comparator_row> comparator_rows{
    {"best_single", 1}, {"cells_10", 10}, {"cells_100", 100}, {"cells_300", 300}, {"every_rule", 0}};

/// The same table with the mean of `runs` of the runs behind each outcome, drawn without replacement.
inline ur::routing_table with_runs(const ur::routing_table& table, std::size_t runs, std::uint64_t seed) {
  auto parts = table.parts();
  ur::random_engine draws(seed);
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t h = 0; h < table.model_count(); ++h) {
      double left = table.counts()(i, h), wrong = std::round(table.losses()(i, h) * left), seen = 0;
      for (std::size_t r = 0; r < runs; ++r, left -= 1) {
        if (draws.uniform() * left >= wrong) continue;
        wrong -= 1;
        seen += 1;
      }
      parts.losses(i, h) = seen / static_cast<double>(runs);
      parts.counts(i, h) = static_cast<double>(runs);
    }
  }
  return ur::routing_table(std::move(parts));
}

/// J of LLM h on prompt i.
inline double objective(const ur::routing_table& t, std::size_t i, std::size_t h, double lambda) {
  return t.losses()(i, h) + lambda * t.costs()(i, h);
}

/// A table as it is and as routers see it, split: a third of the LLMs is new.
struct compared_split {
  ur::routing_table train, validation, held, population;
  std::vector<std::string> pool;
  double largest_cost = 0;
  std::uint64_t seed = 0;
};

inline compared_split draw_split(const ur::routing_table& outcomes, const ur::routing_table& truth,
                                 const comparison_settings& s, std::size_t index) {
  compared_split out;
  out.seed = ur::derive_seed(s.seed, index);
  const ur::routing_table seen = s.runs == 0 ? outcomes : with_runs(outcomes, s.runs, ur::derive_seed(out.seed, 2));
  const auto parts = ur::split_rows(seen, {.train = .35,
                                           .validation = .3,
                                           .seed = out.seed,
                                           .validation_prompts = std::min(s.validation, seen.size() * 35 / 100),
                                           .together = s.together});
  std::vector<std::size_t> sample = parts.test;
  ur::random_engine draws(ur::derive_seed(out.seed, 1));
  ur::shuffle(std::span(sample), draws);
  sample.resize(std::min(sample.size(), s.held_out));
  out.train = seen.select(parts.train, parts.seen);
  for (const std::size_t h : parts.unseen) out.pool.push_back(seen.models()[h].name);
  out.validation = seen.select(parts.validation, parts.unseen);
  out.held = seen.select(sample, parts.unseen);
  out.population = truth.select(parts.test, parts.unseen);
  for (const double c : seen.costs()) out.largest_cost = std::max(out.largest_cost, c);
  return out;
}

inline auto cells_router(const compared_split& of, double lambda) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 10, .seed = of.seed}}, ur::nearest_map{},
                    ur::shrunken_mean{}, ur::lagrangian_rule{{.lambda = lambda}}};
}

/// `outcomes`: what routers and certificates see; `truth`: the same prompts and LLMs.
inline comparisons compare_split(const ur::routing_table& outcomes, const ur::routing_table& truth,
                                 const comparison_settings& s, std::size_t index) {
  const compared_split of = draw_split(outcomes, truth, s, index);
  const ur::confidence_level level{1 - s.delta};
  const ur::certify_against_options options{.lambda = s.lambda, .largest_cost = of.largest_cost};
  const std::size_t n = of.population.size(), m = of.pool.size();
  const auto value = [&](std::size_t i, std::size_t h) {
    return objective(of.population, i, h, s.lambda) / static_cast<double>(n);
  };
  // The best rule of each class on the population.
  std::vector<ur::kmeans<>> cells;
  std::vector<double> best;
  for (const auto& row : comparator_rows) {
    ur::label_vector labels(n, 0);
    std::size_t count = 1;
    if (row.clusters > 1) {
      cells.emplace_back(ur::kmeans_options{.clusters = std::min(row.clusters, of.train.size()), .seed = of.seed});
      cells.back().fit(of.train.embeddings());
      labels = cells.back().assign(of.population.embeddings());
      count = cells.back().size();
    }
    if (row.clusters == 0) {
      for (std::size_t i = 0; i < n; ++i) labels[i] = static_cast<std::uint32_t>(i);
      count = n;
    }
    auto sum = ur::make_matrix<double>(count, m, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t h = 0; h < m; ++h) sum(labels[i], h) += value(i, h);
    }
    best.push_back(0);
    for (std::size_t k = 0; k < count; ++k) {
      const auto in_cell = ur::row(sum, k);
      best.back() += *std::min_element(in_cell.begin(), in_cell.end());
    }
  }
  comparisons out;
  const auto judge = [&](const std::string& name, auto router) {
    router.fit(of.train);
    router.enroll(of.validation, of.pool);
    const auto choices = router.route(of.population.embeddings());
    double mine = 0;
    for (std::size_t i = 0; i < n; ++i) mine += value(i, choices[i]);
    const ur::held_out sample{of.held};
    std::size_t next = 0;
    for (std::size_t c = 0; c < comparator_rows.size(); ++c) {
      auto& to = out[name + "|" + comparator_rows[c].name];
      to.regret = mine - best[c];
      const auto bound = [&](const auto& against) {
        return ur::certify_against(router, sample.reused(), against, level, options).bound;
      };
      const std::size_t clusters = comparator_rows[c].clusters;
      to.held_out = clusters == 0   ? bound(ur::against::every_rule{})
                    : clusters == 1 ? bound(ur::against::best_single{})
                                    : bound(ur::against::cells{cells[next++]});
    }
    if constexpr (ur::cell_based<typename decltype(router)::predictor_type>) {
      auto& own = out[name + "|cells_10"];
      own.same_sample = ur::certify_against_own_cells(router, of.validation, level, options).bound;
      own.paired =
          ur::certify_paired(router, of.validation, level, {.lambda = s.lambda, .largest_cost = of.largest_cost}).bound;
      own.box = ur::certify<ur::betting>(router, of.validation, level, {.largest_cost = of.largest_cost}).gap_adaptive;
    }
  };
  const ur::lagrangian_rule rule{{.lambda = s.lambda}};
  judge("cells", cells_router(of, s.lambda));
  judge("knn", ur::router{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 40}}, rule});
  judge("ridge", ur::router{ur::precomputed_embeddings{}, ur::ridge{}, rule});
  judge("gaussian_process",
        ur::router{ur::precomputed_embeddings{},
                   ur::gaussian_process{
                       ur::kernel_sum{ur::linear_kernel{}, ur::transformed_kernel{ur::skills{}, ur::linear_kernel{}}}},
                   rule});
  return out;
}

inline ordered_json to_json(const comparisons& of) {
  ordered_json out;
  for (const auto& [key, r] : of) {
    out[key] = {r.regret, r.held_out, ur::detail::exact_json(r.same_sample), ur::detail::exact_json(r.box),
                ur::detail::exact_json(r.paired)};
  }
  return out;
}

/// One object for each router and class: means over `splits`, each as `to_json` has it. `covered`: in how many the
/// certificate was at least the true regret.
inline ordered_json comparators_json(const std::vector<ordered_json>& splits, const std::string& table,
                                     const comparison_settings& s) {
  ordered_json out = ordered_json::array();
  const double n = static_cast<double>(splits.size());
  const auto number = [](double v) { return ur::is_missing(v) ? ordered_json(nullptr) : ordered_json(v); };
  for (const auto& router : compared_routers) {
    double hindsight = 0;
    for (const auto& split : splits) hindsight += split.at(router + "|every_rule")[1].get<double>() / n;
    for (const auto& row : comparator_rows) {
      double mean[5] = {0, 0, 0, 0, 0};
      std::size_t covered = 0, covered_same = 0;
      for (const auto& split : splits) {
        const auto& r = split.at(router + "|" + row.name);
        for (std::size_t c = 0; c < 5; ++c) mean[c] += ur::detail::exact_number(r[c]) / n;
        const double regret = r[0].get<double>();
        covered += regret <= r[1].get<double>() + 1e-9 ? 1u : 0u;
        covered_same += !(regret > ur::detail::exact_number(r[2]) + 1e-9) ? 1u : 0u;
      }
      out.push_back(
          {{"table", table},
           {"router", router},
           {"class", row.name},
           {"clusters", row.clusters},
           {"n", s.held_out},
           {"regret", mean[0]},
           {"box", number(mean[3])},
           {"paired", number(mean[4])},
           {"same_sample", number(mean[2])},
           {"held_out", mean[1]},
           {"hindsight", hindsight},
           {"covered", covered},
           {"covered_same_sample", ur::is_missing(mean[2]) ? ordered_json(nullptr) : ordered_json(covered_same)},
           {"splits", splits.size()}});
    }
  }
  return out;
}

/// The figure and the table of `comparators_json`.
inline void add_comparators(ur::html_page& page, const ordered_json& rows) {
  std::vector<ur::chart_line> lines;
  std::vector<std::vector<std::string>> table{
      {"router", "against", "true regret", "held out", "same sample", "paired", "box", "held"}};
  const auto text = [](const ordered_json& v) {
    return v.is_null() ? std::string() : ur::detail::fixed(v.get<double>(), 4);
  };
  for (const auto& r : rows) {
    const std::size_t at = static_cast<std::size_t>(std::find_if(comparator_rows.begin(), comparator_rows.end(),
                                                                 [&](const auto& c) { return c.name == r["class"]; }) -
                                                    comparator_rows.begin());
    if (at == 0) {
      lines.push_back({r["router"].get<std::string>() + ", true", {}, true, lines.size()});
      lines.push_back({r["router"].get<std::string>() + ", certified", {}, false, lines.size()});
    }
    lines[lines.size() - 2].points.emplace_back(static_cast<double>(at), r["regret"].get<double>());
    lines.back().points.emplace_back(static_cast<double>(at), r["held_out"].get<double>());
    table.push_back({r["router"], r["class"], text(r["regret"]), text(r["held_out"]), text(r["same_sample"]),
                     text(r["paired"]), text(r["box"]),
                     ur::detail::text(r["covered"].get<std::size_t>(), " of ", r["splits"].get<std::size_t>())});
  }
  page.figure(ur::line_chart(
                  lines, {"Regret", "class: 0 best single, 1, 2, 3: 10, 100, 300 cells, 4 every rule", "regret", true}),
              "True regret and what is certified of it, by class.");
  page.table(table);
  page.paragraph(
      "held: in how many splits the certificate was at least the true regret. same sample, paired, box: from the "
      "prompts that LLMs were enrolled with, by one bet against one comparator, by differences in each cell, and by "
      "intervals of every cell and LLM.");
  ur::print_table(table);
}

}  // namespace theory
