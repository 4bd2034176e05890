#pragma once

// How far certificates are from the truth, against n and K; what K is best; and what counting costs.

#include <chrono>
#include <map>

#include "worlds.hpp"

namespace theory {

inline constexpr std::size_t tightness_models = 10;
inline constexpr double tightness_lambda = 0.3;

/// A world of a family, with K cells and 10 LLMs where it has as many.
inline known_world tightness_world(const std::string& family, const fitted_worlds& worlds, std::size_t cells,
                                   std::uint64_t seed) {
  if (family == "fitted") return known_world(worlds.draw(tightness_models, cells, 1, seed));
  if (family == "Gaussian")
    return known_world(
        ur::gaussian_world({.components = cells, .models = tightness_models, .dearest = 0.5, .seed = seed}));
  return known_world(ur::random_cells({.cells = cells, .models = tightness_models, .seed = seed}));
}

/// Certificates beside the mean estimation regret of the same world: "bound|interval" → one ratio a world (none where
/// no sample ever chose wrongly), one certificate a world; and the mean regrets.
inline ordered_json tightness(const std::string& family, const fitted_worlds& fitted, std::size_t n,
                              std::size_t clusters, std::size_t worlds, std::uint64_t seed) {
  std::map<std::string, std::vector<double>> ratios, certificates;
  std::vector<double> regrets;
  std::size_t models = 0;
  for (std::size_t i = 0; i < worlds; ++i) {
    const std::uint64_t of_world = ur::derive_seed(seed, 1000 + i);
    const known_world w = tightness_world(family, fitted, clusters, of_world);
    models = w.p.model_count();
    const std::size_t samples = family == "random cells" ? 20 : 10;
    double regret = 0;
    for (std::size_t t = 0; t < samples; ++t) {
      const auto s = w.sample(n, ur::derive_seed(of_world, t));
      regret += w.estimation_regret(w.choices(s, tightness_lambda), tightness_lambda) / static_cast<double>(samples);
    }
    regrets.push_back(regret);
    const auto s = w.sample(n, ur::derive_seed(of_world, samples));
    const auto choices = w.choices(s, tightness_lambda);
    const auto add = [&](const std::string& interval, const ur::certificate& c) {
      for (const auto& [bound, value] : {std::pair{"gap_adaptive", c.gap_adaptive}, {"uniform", c.uniform}}) {
        const std::string key = std::string(bound) + "|" + interval;
        certificates[key].push_back(value);
        if (regret > 0) ratios[key].push_back(value / regret);
      }
    };
    add("hoeffding", ur::certify_counts<ur::hoeffding>(s, choices, w.costs(), tightness_lambda, delta));
    add("exact_binomial", ur::certify_counts<ur::exact_binomial>(s, choices, w.costs(), tightness_lambda, delta));
    add("empirical_bernstein",
        ur::certify_counts<ur::empirical_bernstein>(s, choices, w.costs(), tightness_lambda, delta));
  }
  ordered_json out{{"n", n}, {"clusters", clusters}, {"models", models}, {"mean_regret", mean(regrets)}};
  for (const auto& [key, values] : certificates) {
    const auto& r = ratios[key];
    out["rows"][key] = {{"median_ratio", r.empty() ? ordered_json(nullptr) : ordered_json(quantile(r, 0.5))},
                        {"p90_ratio", r.empty() ? ordered_json(nullptr) : ordered_json(quantile(r, 0.9))},
                        {"median_certificate", quantile(values, 0.5)}};
  }
  return out;
}

/// The worst case: cells in which one LLM is better by as little as the sample can just not see.
inline ordered_json worst_case(std::size_t n, std::size_t samples, std::uint64_t seed) {
  constexpr std::size_t cells = 10;
  const known_world w(ur::near_ties(cells, tightness_models, 0.5 * std::sqrt(cells / static_cast<double>(n))));
  double regret = 0;
  for (std::size_t t = 0; t < samples; ++t) {
    const auto s = w.sample(n, ur::derive_seed(seed, 5000 + t));
    regret += w.estimation_regret(w.choices(s, 0), 0) / static_cast<double>(samples);
  }
  return {{"n", n}, {"mean_regret", regret}};
}

/// n = 1,000, K = M = 10: the uniform certificate beside the least that any valid number for the estimation term can
/// be, its (1 − δ)-quantile over samples of one fixed world; and the gap form where one LLM is clearly best in most
/// cells.
inline ordered_json tight_figure(std::size_t samples, std::uint64_t seed) {
  constexpr std::size_t n = 1000, size = 10;
  ordered_json out;
  const known_world w(ur::random_cells({.cells = size, .models = size, .seed = ur::derive_seed(seed, 77)}));
  std::vector<double> term;
  std::map<std::string, std::vector<double>> estimation, known;
  for (std::size_t t = 0; t < samples; ++t) {
    const std::uint64_t of_sample = ur::derive_seed(seed, 10000 + t);
    const auto s = w.sample(n, of_sample);
    term.push_back(estimation_term(w.truth, ur::cell_means(s)));
    if (t >= 100) continue;
    const auto choices = w.choices(s, tightness_lambda);
    const auto add = [&](const std::string& name, auto interval) {
      using kind = decltype(interval);
      estimation[name].push_back(ur::certify_counts<kind>(s, choices, w.costs(), tightness_lambda, delta).estimation);
      known[name].push_back(
          ur::certify_counts<kind>(s, choices, w.costs(), tightness_lambda, delta, w.truth.shares).estimation);
    };
    add("hoeffding", ur::hoeffding{});
    add("exact_binomial", ur::exact_binomial{});
    add("empirical_bernstein", ur::empirical_bernstein{});
    if (t < 10) {
      const auto drawn = w.draw(n, of_sample);
      const ur::cell_outcomes outcomes{drawn.labels, drawn.losses, size};
      const auto box = ur::bonferroni<ur::betting>{}.make(outcomes, 0.9 * delta);
      const auto prompts = ur::summarise(outcomes).prompts;
      estimation["betting"].push_back(
          ur::certify_cells(choices, w.costs(), tightness_lambda, box, ur::estimated_shares(prompts, 0.1 * delta))
              .estimation);
      known["betting"].push_back(ur::certify_cells(choices, w.costs(), tightness_lambda,
                                                   ur::bonferroni<ur::betting>{}.make(outcomes, delta),
                                                   ur::known_shares(w.truth.shares))
                                     .estimation);
    }
  }
  const double least = quantile(term, 1 - delta);
  out["quantile_of_estimation_term"] = least;
  for (const auto& [name, values] : estimation)
    out["uniform"][name] = {{"estimation", quantile(values, 0.5)},
                            {"ratio", quantile(values, 0.5) / least},
                            {"ratio_shares_known", quantile(known[name], 0.5) / least}};
  std::vector<double> hoeffding, gap, ratio, regret;
  for (std::size_t i = 0; i < 100; ++i) {
    const std::uint64_t of_world = ur::derive_seed(seed, 20000 + i);
    const known_world clear(ur::random_cells({.cells = size, .models = size, .clear_cells = 0.8, .seed = of_world}));
    const auto s = clear.sample(n, of_world);
    const auto choices = clear.choices(s, tightness_lambda);
    hoeffding.push_back(
        ur::certify_counts<ur::hoeffding>(s, choices, clear.costs(), tightness_lambda, delta).estimation);
    gap.push_back(
        ur::certify_counts<ur::exact_binomial>(s, choices, clear.costs(), tightness_lambda, delta).gap_adaptive);
    ratio.push_back(hoeffding.back() / std::max(gap.back(), 1e-12));
    regret.push_back(clear.estimation_regret(choices, tightness_lambda));
  }
  out["clear_winners"] = {{"hoeffding_bonferroni", quantile(hoeffding, 0.5)},
                          {"gap_adaptive", quantile(gap, 0.5)},
                          {"times_tighter", quantile(ratio, 0.5)},
                          {"mean_regret", mean(regret)}};
  return out;
}

// --- The U-shape in K
// -----------------------------------------------------------------------------------------------------

inline const std::vector<std::size_t> cluster_grid{1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300};

/// Approximation falls with K, estimation grows: the truth and what bounds it, on a smooth line of 1,200 types.
inline ordered_json u_shape(std::size_t n, std::size_t samples, std::uint64_t seed) {
  const auto line = ur::smooth_line({.seed = ur::derive_seed(seed, 9)});
  constexpr double lambda = 0.3;
  ordered_json out{{"n", n}, {"rows", ordered_json::array()}};
  for (const std::size_t clusters : cluster_grid) {
    const known_world w({line, ur::equal_cells(line.types(), clusters), clusters});
    std::vector<double> regret, estimation, gap, uniform;
    for (std::size_t t = 0; t < samples; ++t) {
      const auto s = w.sample(n, ur::derive_seed(seed, 30000 + t));
      const auto choices = w.choices(s, lambda);
      regret.push_back(w.total_regret(choices, lambda).regret);
      estimation.push_back(w.estimation_regret(choices, lambda));
      const auto c = ur::certify_counts<ur::exact_binomial>(s, choices, w.costs(), lambda, delta, w.truth.shares);
      gap.push_back(c.gap_adaptive);
      uniform.push_back(c.uniform);
    }
    const auto exact = ur::take_apart(w.p, w.phi, w.truth.profiles, lambda);
    out["rows"].push_back({{"clusters", clusters},
                           {"regret", mean(regret)},
                           {"approximation", exact.approximation},
                           {"estimation", mean(estimation)},
                           {"approximation_bound", ur::approximation_of(w.p, w.phi).one_sided},
                           {"gap_adaptive", mean(gap)},
                           {"uniform", mean(uniform)}});
  }
  return out;
}

/// K by certificate on held-out prompts: how far its J is from that of the best K, as a share of J's range over the
/// grid.
inline ordered_json cells_choice(std::size_t n, std::size_t worlds, std::uint64_t seed) {
  constexpr double lambda = 0.3;
  std::vector<double> excess, by_mean;
  for (std::size_t i = 0; i < worlds; ++i) {
    const std::uint64_t of_world = ur::derive_seed(seed, 40000 + i);
    const auto line = ur::smooth_line({.seed = of_world});
    const auto p = ur::population_of(line);
    const auto costs = ur::row(p.costs, 0);
    const auto fine = ur::draw_types(line, n, of_world);
    const auto held = ur::draw_outcomes(line, n, ur::derive_seed(of_world, 1));
    auto realised = ur::make_matrix<double>(n, cluster_grid.size());
    std::vector<double> j;
    for (std::size_t g = 0; g < cluster_grid.size(); ++g) {
      const auto labels = ur::equal_cells(line.types(), cluster_grid[g]);
      const auto of_cells =
          ur::choose_in_cells(ur::cell_means(ur::gather_cells(fine, labels, cluster_grid[g])), costs, lambda);
      std::vector<std::uint32_t> of_types;
      for (const std::uint32_t k : labels) of_types.push_back(of_cells[k]);
      j.push_back(ur::risk_of(p, std::span<const std::uint32_t>(of_types)).objective(lambda));
      for (std::size_t row = 0; row < n; ++row) {
        const std::size_t r = of_types[held.types[row]];
        realised(row, g) = held.losses(row, r) + lambda * costs[r];
      }
    }
    const auto chosen = ur::cells_by_certificate(realised, 1 + lambda * costs.back(), delta);
    const auto [least, most] = std::minmax_element(j.begin(), j.end());
    excess.push_back((j[chosen.index] - *least) / (*most - *least));
    const auto first = std::min_element(chosen.means.begin(), chosen.means.end());
    by_mean.push_back((j[static_cast<std::size_t>(first - chosen.means.begin())] - *least) / (*most - *least));
  }
  return {{"n", n},
          {"held_out", n},
          {"worlds", worlds},
          {"median_excess_of_range", quantile(excess, 0.5)},
          {"p90_excess_of_range", quantile(excess, 0.9)},
          {"median_by_held_out_mean", quantile(by_mean, 0.5)}};
}

// --- The search, and time
// -------------------------------------------------------------------------------------------------

inline ordered_json closest_claims(std::size_t steps, std::uint64_t seed) {
  ordered_json out = ordered_json::array();
  for (const auto& claim : ur::standard_claims()) {
    ur::counterexample_search search(claim, seed);
    search.run(steps);
    out.push_back({{"claim", claim.name},
                   {"published", claim.refuted},
                   {"broken", search.broken()},
                   {"closest_ratio", search.closest().ratio()},
                   {"steps", search.steps()}});
  }
  return out;
}

/// Microseconds of counting n x 10 outcomes in 100 cells, and of the certificate from the counts.
inline ordered_json cost_of(std::size_t n, std::uint64_t seed) {
  constexpr std::size_t cells = 100;
  const known_world w(ur::random_cells({.cells = cells, .models = 10, .seed = seed}));
  const auto drawn = w.draw(n, seed);
  std::vector<double> counting, certifying;
  for (int repeat = 0; repeat < 9; ++repeat) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    const auto s = ur::summarise({drawn.labels, drawn.losses, cells});
    const auto counted = clock::now();
    const auto c = ur::certify_counts<ur::hoeffding>(s, w.choices(s, 0.3), w.costs(), 0.3, delta);
    const auto done = clock::now();
    if (c.gap_adaptive < 0) return {};
    counting.push_back(std::chrono::duration<double, std::micro>(counted - start).count());
    certifying.push_back(std::chrono::duration<double, std::micro>(done - counted).count());
  }
  return {{"n", n}, {"counting_us", quantile(counting, 0.5)}, {"intervals_us", quantile(certifying, 0.5)}};
}

}  // namespace theory
