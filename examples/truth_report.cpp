// How near routers come to the best rule of ever richer classes, on a real table: true regret and certificates beside
// it. Against the best single LLM, the best rule on 10, 100 and 300 cells, and every rule. Of a table whose outcomes
// are means of many runs (math_k50), routers and certificates see --runs of them, drawn anew for each split, and the
// means are the truth. ctest: --splits 4 --out out

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/files.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>
#include <vector>

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings {
  std::string data, out = "out/truth_report";
  std::size_t runs = 0;  ///< how many of the runs behind an outcome are seen; 0: all
  std::size_t splits = 100, validation = 900, held_out = 900, clusters = 10, threads = 0;
  double delta = 0.05, lambda = 0;
  std::uint64_t seed = 1;
};

/// What one split says of one router and one class.
struct reading {
  double regret = 0, held_out = 0;  ///< true; certified
  double same_sample = ur::missing, box = ur::missing;
};
using readings = std::map<std::string, reading>;  ///< by "router|class"

const std::vector<std::string> routers{"cells", "knn", "ridge", "gaussian_process"};
const std::vector<std::string> classes{"best_single", "cells_10", "cells_100", "cells_300", "every_rule"};

ordered_json to_json(const readings& of) {
  ordered_json out;
  for (const auto& [key, r] : of)
    out[key] = {r.regret, r.held_out, ur::detail::exact_json(r.same_sample), ur::detail::exact_json(r.box)};
  return out;
}

/// The same table with the mean of `runs` of the runs behind each outcome, drawn without replacement.
ur::routing_table with_runs(const ur::routing_table& table, std::size_t runs, std::uint64_t seed) {
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
double objective(const ur::routing_table& t, std::size_t i, std::size_t h, double lambda) {
  return t.losses()(i, h) + lambda * t.costs()(i, h);
}

/// `seen`: outcomes that routers and certificates see; `truth`: the same prompts and LLMs.
readings run_split(const ur::routing_table& outcomes, const ur::routing_table& truth, const settings& s,
                   std::size_t index) {
  const std::uint64_t seed = ur::derive_seed(s.seed, index);
  const ur::routing_table seen = s.runs == 0 ? outcomes : with_runs(outcomes, s.runs, ur::derive_seed(seed, 2));
  const auto parts =
      ur::split_rows(seen, {.train = .35, .validation = .3, .seed = seed, .validation_prompts = s.validation});
  std::vector<std::size_t> sample = parts.test;
  ur::random_engine draws(ur::derive_seed(seed, 1));
  ur::shuffle(std::span(sample), draws);
  sample.resize(std::min(sample.size(), s.held_out));
  const auto train = seen.select(parts.train, parts.seen);
  std::vector<std::string> pool;
  for (const std::size_t h : parts.unseen) pool.push_back(seen.models()[h].name);
  const auto validation = seen.select(parts.validation, parts.unseen), held = seen.select(sample, parts.unseen);
  const auto population = truth.select(parts.test, parts.unseen);
  const ur::confidence_level level{1 - s.delta};
  double largest = 0;
  for (const double c : seen.costs()) largest = std::max(largest, c);
  const ur::certify_against_options options{.lambda = s.lambda, .largest_cost = largest};

  std::vector<ur::kmeans<>> cells;
  for (const std::size_t k : {std::size_t{10}, std::size_t{100}, std::size_t{300}}) {
    cells.emplace_back(ur::kmeans_options{.clusters = std::min(k, train.size()), .seed = seed});
    cells.back().fit(train.embeddings());
  }
  readings out;
  const auto judge = [&](const std::string& name, auto router) {
    router.fit(train);
    router.enroll(validation, pool);
    const auto choices = router.route(population.embeddings());
    const double n = static_cast<double>(population.size());
    double mine = 0;
    for (std::size_t i = 0; i < population.size(); ++i) mine += objective(population, i, choices[i], s.lambda) / n;
    // The best rule of a class on the population, given the cell of each prompt.
    const auto best_of = [&](const ur::label_vector& labels, std::size_t count) {
      std::vector<std::vector<double>> sum(count, std::vector<double>(parts.unseen.size(), 0.0));
      for (std::size_t i = 0; i < population.size(); ++i) {
        for (std::size_t h = 0; h < parts.unseen.size(); ++h)
          sum[labels[i]][h] += objective(population, i, h, s.lambda) / n;
      }
      double best = 0;
      for (const auto& of : sum) best += *std::min_element(of.begin(), of.end());
      return best;
    };
    ur::held_out whole{held};
    auto& single = out[name + "|best_single"];
    single.regret = mine - best_of(ur::label_vector(population.size(), 0), 1);
    single.held_out = ur::certify_against(router, whole.reused(), ur::against::best_single{}, level, options).bound;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      auto& of = out[name + "|" + classes[c + 1]];
      of.regret = mine - best_of(cells[c].assign(population.embeddings()), cells[c].size());
      of.held_out = ur::certify_against(router, whole.reused(), ur::against::cells{cells[c]}, level, options).bound;
    }
    auto& every = out[name + "|every_rule"];
    double bayes = 0;
    for (std::size_t i = 0; i < population.size(); ++i) {
      double best = 1e300;
      for (std::size_t h = 0; h < parts.unseen.size(); ++h)
        best = std::min(best, objective(population, i, h, s.lambda));
      bayes += best / n;
    }
    every.regret = mine - bayes;
    every.held_out = ur::certify_against(router, whole.reused(), ur::against::every_rule{}, level, options).bound;
    if constexpr (ur::cell_based<typename decltype(router)::predictor_type>) {
      auto& own = out[name + "|cells_10"];
      own.same_sample = ur::certify_against_own_cells(router, validation, level, options).bound;
      own.box = ur::certify<ur::betting>(router, validation, level).gap_adaptive;
    }
  };
  const ur::lagrangian_rule rule{{.lambda = s.lambda}};
  judge("cells", ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 10, .seed = seed}}, ur::nearest_map{},
                            ur::shrunken_mean{}, rule});
  judge("knn", ur::router{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 40}}, rule});
  judge("ridge", ur::router{ur::precomputed_embeddings{}, ur::ridge{}, rule});
  judge("gaussian_process",
        ur::router{ur::precomputed_embeddings{},
                   ur::gaussian_process{
                       ur::kernel_sum{ur::linear_kernel{}, ur::transformed_kernel{ur::skills{}, ur::linear_kernel{}}}},
                   rule});
  return out;
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
                    {"table", truth.name()},
                    {"runs", s.runs},
                    {"splits", s.splits},
                    {"seed", s.seed},
                    {"delta", s.delta},
                    {"lambda", s.lambda},
                    {"held_out", s.held_out},
                    {"validation", s.validation},
                    {"prompts", truth.size()},
                    {"hash", ur::hash_bytes(truth.losses().data(), truth.losses().size() * sizeof(double))}};
  ur::resumable_results kept("truth_report", s.out, what);
  ur::progress_bar bar("splits");
  ur::keep_going(
      kept, "split", s.splits, s.threads, [&](std::size_t i) { return to_json(run_split(seen, truth, s, i)); },
      [&](auto done, auto all) { bar.show(done, all); });

  ordered_json json;
  json["table"] = ur::table_json(truth);
  json["settings"] = what;
  json["comparators"] = ordered_json::array();
  std::vector<std::vector<std::string>> rows{
      {"router", "against", "true regret", "held out", "same sample", "box", "held"}};
  std::vector<ur::chart_line> lines;
  for (const auto& router : routers) {
    lines.push_back({router + ", true", {}, true, lines.size()});
    lines.push_back({router + ", certified", {}, false, lines.size()});
    for (std::size_t c = 0; c < classes.size(); ++c) {
      double regret = 0, held = 0, same = 0, box = 0;
      std::size_t covered = 0;
      const double n = static_cast<double>(s.splits);
      for (std::size_t t = 0; t < s.splits; ++t) {
        const auto& r = kept.find("split/" + std::to_string(t))->at(router + "|" + classes[c]);
        regret += r[0].get<double>() / n;
        held += r[1].get<double>() / n;
        same += ur::detail::exact_number(r[2]) / n;
        box += ur::detail::exact_number(r[3]) / n;
        covered += r[0].get<double>() <= r[1].get<double>() + 1e-9 ? 1u : 0u;
      }
      const auto number = [](double v) { return ur::is_missing(v) ? ordered_json(nullptr) : ordered_json(v); };
      json["comparators"].push_back({{"table", truth.name()},
                                     {"router", router},
                                     {"class", classes[c]},
                                     {"n", s.held_out},
                                     {"regret", regret},
                                     {"held_out", held},
                                     {"same_sample", number(same)},
                                     {"box", number(box)},
                                     {"covered", covered},
                                     {"splits", s.splits}});
      const auto text = [](double v) { return ur::is_missing(v) ? std::string() : ur::detail::fixed(v, 4); };
      rows.push_back({router, classes[c], text(regret), text(held), text(same), text(box),
                      ur::detail::text(covered, " of ", s.splits)});
      lines[lines.size() - 2].points.emplace_back(static_cast<double>(c), regret);
      lines.back().points.emplace_back(static_cast<double>(c), held);
    }
  }
  ur::html_page page("How near to the best rule: " + truth.name());
  page.paragraph(ur::detail::text(
      "Means over ", s.splits, " splits: a third of the LLMs is new, enrolled on ", s.validation,
      " prompts; certificates at level ", 1 - s.delta, " from ", s.held_out,
      " other prompts; the whole test part is the "
      "truth",
      s.runs == 0 ? std::string(".")
                  : ur::detail::text(" (means of all runs), of which routers and certificates see ", s.runs, "."),
      " A certificate bounds the regret to the best rule of a class: one LLM for all prompts; the best LLM in each of "
      "10, 100, 300 K-means cells; every rule in hindsight, luck included."));
  page.heading("A ladder to the best rule");
  page.figure(ur::line_chart(
                  lines, {"Regret", "class: 0 best single, 1, 2, 3: 10, 100, 300 cells, 4 every rule", "regret", true}),
              "True regret and what is certified of it, by class.");
  page.heading("Numbers");
  page.table(rows);
  page.paragraph(
      "held: in how many splits the certificate was at least the true regret. same sample: from the prompts "
      "that LLMs were enrolled with; box: the certificate from intervals of every cell and LLM.");
  ur::staged_directory staged("truth_report", s.out, ur::marker_of(s.out));
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("index.html", std::move(page).finish());
  staged.commit();
  ur::print_table(rows);
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
