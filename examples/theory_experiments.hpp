#pragma once

// The experiments of theory_report: each is a function of settings and seeds, and gives JSON.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <uniroute/uniroute.hpp>
#include <vector>

namespace theory {

namespace ur = uniroute;
using nlohmann::ordered_json;

inline constexpr double delta = 0.05;

inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// The slope of log y against log x by least squares, over the points with y > 0.
inline double slope(const std::vector<double>& x, const std::vector<double>& y) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(y[i] > 0)) continue;
    const double a = std::log(x[i]), b = std::log(y[i]);
    n += 1;
    sx += a;
    sy += b;
    sxx += a * a;
    sxy += a * b;
  }
  return n < 2 ? 0 : (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/// A world whose truth has been worked out.
struct known_world {
  ur::celled_world cells;
  ur::population p;
  ur::membership_matrix phi;
  ur::cell_truth truth;

  explicit known_world(ur::celled_world w)
      : cells(std::move(w)),
        p(ur::population_of(cells.world)),
        phi(ur::one_hot(cells.labels, cells.cells)),
        truth(ur::truth_of(p, phi)) {}

  std::span<const double> costs() const { return ur::row(p.costs, 0); }
  ur::cell_sample sample(std::size_t n, std::uint64_t seed) const {
    return ur::gather_cells(ur::draw_types(cells.world, n, seed), cells.labels, cells.cells);
  }
  std::vector<std::uint32_t> choices(const ur::cell_sample& s, double lambda) const {
    return ur::choose_in_cells(ur::cell_means(s), costs(), lambda);
  }
  double estimation_regret(const std::vector<std::uint32_t>& choices_of_cells, double lambda) const {
    return ur::regret_to_cells(truth, costs(), choices_of_cells, lambda);
  }
  double total_regret(const std::vector<std::uint32_t>& choices_of_cells, double lambda) const {
    std::vector<std::uint32_t> of_types;
    for (const std::uint32_t k : cells.labels) of_types.push_back(choices_of_cells[k]);
    return ur::regret_of(p, std::span<const std::uint32_t>(of_types), lambda).regret;
  }
};

/// 2 Σ p_k max_h |psi_k(h) − Ψ*_k(h)|.
inline double estimation_term(const ur::cell_truth& truth, const ur::matrix<double>& psi) {
  double sum = 0;
  for (std::size_t k = 0; k < truth.shares.size(); ++k) {
    double largest = 0;
    for (std::size_t h = 0; h < ur::columns(psi); ++h)
      largest = std::max(largest, std::fabs(psi(k, h) - truth.profiles(k, h)));
    sum += 2 * truth.shares[k] * largest;
  }
  return sum;
}

inline bool inside(const ur::interval_box& box, const ur::matrix<double>& psi) {
  for (std::size_t k = 0; k < box.cells(); ++k) {
    for (std::size_t h = 0; h < box.models(); ++h) {
      if (psi(k, h) < box.lower(k, h) - 1e-12 || psi(k, h) > box.upper(k, h) + 1e-12) return false;
    }
  }
  return true;
}

inline ur::matrix<double> middles(const ur::interval_box& box) {
  auto out = box.lower;
  for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = (out.data()[i] + box.upper.data()[i]) / 2;
  return out;
}

// --- Coverage
// -----------------------------------------------------------------------------------------------------------

/// How often each statement held: "bound|interval|loss|map" → (held, worlds).
class coverage_tally {
 public:
  void count(const std::string& bound, const std::string& interval, const std::string& loss, const std::string& map,
             bool held) {
    auto& [hits, all] = counts_[bound + "|" + interval + "|" + loss + "|" + map];
    hits += held ? 1u : 0u;
    ++all;
  }
  ordered_json json() const {
    ordered_json out = ordered_json::object();
    for (const auto& [key, value] : counts_) out[key] = {value.first, value.second};
    return out;
  }

 private:
  std::map<std::string, std::pair<std::size_t, std::size_t>> counts_;
};

/// One world with its sample, in a form that every interval can read.
struct coverage_case {
  known_world w;
  ur::drawn_outcomes drawn;
  ur::label_vector labels;  ///< the cell of each prompt
  double lambda;
  std::string loss;

  coverage_case(std::uint64_t seed, bool graded) : coverage_case(seed, graded, ur::random_engine(seed)) {}

  ur::cell_outcomes outcomes() const { return {labels, drawn.losses, w.cells.cells}; }

 private:
  coverage_case(std::uint64_t seed, bool graded, ur::random_engine draws)
      : w(ur::random_cells({.cells = 1 + draws.below(8),
                            .models = 2 + draws.below(5),
                            .heterogeneity = draws.uniform(),
                            .clear_cells = draws.uniform() < 0.5 ? 0 : 0.5,
                            .runs = graded ? 3u : 1u,
                            .seed = seed})),
        drawn(
            ur::draw_outcomes(w.cells.world, static_cast<std::size_t>(30 * std::pow(10, 1.5 * draws.uniform())), seed)),
        lambda(draws.uniform()),
        loss(graded ? "graded" : "binary") {
    for (const std::uint32_t t : drawn.types) labels.push_back(w.cells.labels[t]);
  }
};

/// The mean of one LLM in one cell, all means at once, and the certificates made of them.
template <class Simultaneous>
void count_hard(const coverage_case& c, const std::string& name, const ur::cell_sample& s, coverage_tally& tally) {
  const auto choices = c.w.choices(s, c.lambda);
  auto box = Simultaneous{}.make(c.outcomes(), 0.9 * delta);
  tally.count("all_cell_means", name, c.loss, "hard", inside(box, c.w.truth.profiles));
  const auto psi = middles(box);
  const auto made =
      ur::certify_cells(choices, c.w.costs(), c.lambda, std::move(box), ur::estimated_shares(s.prompts, 0.1 * delta));
  const double regret = c.w.estimation_regret(choices, c.lambda);
  tally.count("gap_adaptive", name, c.loss, "hard", regret <= made.gap_adaptive + 1e-12);
  tally.count("uniform", name, c.loss, "hard", regret <= made.uniform + 1e-12);
  tally.count("estimation_term", name, c.loss, "hard", estimation_term(c.w.truth, psi) <= made.estimation + 1e-12);
  const double approximation = ur::approximation_of(c.w.p, c.w.phi).one_sided;
  tally.count("total_in_world", name, c.loss, "hard",
              c.w.total_regret(choices, c.lambda) <= approximation + made.gap_adaptive + 1e-12);
}

/// Enough draws for a 95% quantile.
struct quick_bootstrap : ur::multiplier_bootstrap {
  quick_bootstrap() : ur::multiplier_bootstrap({.draws = 400}) {}
};

template <class Interval>
void count_interval(const coverage_case& c, const std::string& name, const ur::cell_sample& s, coverage_tally& tally) {
  std::vector<double> values;
  for (std::size_t i = 0; i < c.labels.size(); ++i) {
    if (c.labels[i] == 0) values.push_back(c.drawn.losses(i, 0));
  }
  const auto one = ur::interval_of<Interval>(values, delta);
  const double mean_loss = c.w.truth.profiles(0, 0);
  tally.count("one_cell_mean", name, c.loss, "hard", one.lower - 1e-12 <= mean_loss && mean_loss <= one.upper + 1e-12);
  count_hard<ur::bonferroni<Interval>>(c, name, s, tally);
}

/// Soft memberships: profiles are ratios of means, whose intervals invert a betting test; the gap is a mean over other
/// prompts, of which no outcome is read.
inline void count_soft(const coverage_case& c, std::uint64_t seed, coverage_tally& tally) {
  const std::size_t cells = c.w.cells.cells, m = c.w.p.model_count();
  auto phi = c.w.phi;  // seven tenths to the own cell, the rest by distance
  for (std::size_t t = 0; t < ur::rows(phi); ++t) {
    double rest = 0;
    std::vector<double> weight(cells);
    for (std::size_t k = 0; k < cells; ++k) {
      const double distance = std::fabs(static_cast<double>(k) - static_cast<double>(c.w.cells.labels[t]));
      rest += weight[k] = std::exp(-distance * (1 + 0.3 * static_cast<double>(t % 3)));
    }
    for (std::size_t k = 0; k < cells; ++k) phi(t, k) = 0.7 * phi(t, k) + 0.3 * weight[k] / rest;
  }
  const auto rows_of = [&](const ur::label_vector& types) {
    const std::vector<std::size_t> at(types.begin(), types.end());
    return ur::take_rows(phi, std::span(at));
  };
  const auto truth = ur::truth_of(c.w.p, phi);
  const auto labelled = rows_of(c.drawn.types);
  auto box = ur::soft_intervals(labelled, c.drawn.losses, 0.9 * delta);
  tally.count("all_cell_means", "betting", c.loss, "soft", inside(box, truth.profiles));
  // The weighted means, and the rule that plugs them in.
  auto psi = ur::make_matrix<double>(cells, m, 0.0);
  for (std::size_t k = 0; k < cells; ++k) {
    double mass = 0;
    for (std::size_t i = 0; i < ur::rows(labelled); ++i) {
      mass += labelled(i, k);
      for (std::size_t h = 0; h < m; ++h) psi(k, h) += labelled(i, k) * c.drawn.losses(i, h);
    }
    for (std::size_t h = 0; h < m; ++h) psi(k, h) /= mass;
  }
  const auto choices = ur::plug_in_choices(c.w.p, phi, psi, c.lambda);
  const auto others = ur::draw_outcomes(c.w.cells.world, 300, ur::derive_seed(seed, 1)).types;
  std::vector<std::uint32_t> of_others;
  for (const std::uint32_t t : others) of_others.push_back(choices[t]);
  const auto made =
      ur::certify_memberships(rows_of(others), of_others, c.w.costs(), c.lambda, std::move(box), 0.1 * delta);
  double regret = 0;
  for (std::size_t t = 0; t < ur::rows(phi); ++t) {
    double excess = 0;
    const std::size_t r = choices[t];
    for (std::size_t h = 0; h < m; ++h) {
      double gap = c.lambda * (c.w.costs()[r] - c.w.costs()[h]);
      for (std::size_t k = 0; k < cells; ++k) gap += phi(t, k) * (truth.profiles(k, r) - truth.profiles(k, h));
      excess = std::max(excess, gap);
    }
    regret += c.w.p.weights[t] * excess;
  }
  tally.count("gap_adaptive", "betting", c.loss, "soft", regret <= made.gap_adaptive + 1e-12);
  const double total = ur::regret_of(c.w.p, std::span<const std::uint32_t>(choices), c.lambda).regret;
  tally.count("total_in_world", "betting", c.loss, "soft",
              total <= ur::approximation_of(c.w.p, phi).range + made.gap_adaptive + 1e-12);
}

/// Prompts that nothing was chosen on: total regret in hindsight, and two guards.
inline void count_held_out(const coverage_case& c, const ur::cell_sample& s, std::uint64_t seed,
                           coverage_tally& tally) {
  const std::size_t m = c.w.p.model_count(), n = 400;
  const auto held = ur::draw_outcomes(c.w.cells.world, n, ur::derive_seed(seed, 2));
  const auto choices = c.w.choices(s, c.lambda);
  const auto costs = c.w.costs();
  const auto [cheapest, dearest] = std::minmax_element(costs.begin(), costs.end());
  std::vector<double> values(n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = choices[c.w.cells.labels[held.types[i]]];
    for (std::size_t h = 0; h < m; ++h)
      values[i] = std::max(values[i], held.losses(i, r) - held.losses(i, h) + c.lambda * (costs[r] - costs[h]));
  }
  const auto hindsight = ur::interval_of<ur::betting>(values, 0, 1 + c.lambda * (*dearest - *cheapest), delta);
  tally.count("hindsight", "betting", c.loss, "hard", c.w.total_regret(choices, c.lambda) <= hindsight.upper + 1e-12);

  // What a guard sees: profiles as predictions, one cost per LLM.
  const auto psi = ur::cell_means(s);
  auto predicted = ur::make_matrix<double>(n, m), price = ur::make_matrix<double>(n, m);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      predicted(i, h) = psi(c.w.cells.labels[held.types[i]], h);
      price(i, h) = costs[h];
    }
  }
  const auto risk = [&](const ur::guard_report& report, std::size_t safe) {
    std::vector<std::uint32_t> of_cells(c.w.cells.cells, static_cast<std::uint32_t>(safe)), of_types;
    if (!report.abstains) of_cells = ur::choose_in_cells(psi, costs, report.lambda);
    for (const std::uint32_t k : c.w.cells.labels) of_types.push_back(of_cells[k]);
    return ur::risk_of(c.w.p, std::span<const std::uint32_t>(of_types));
  };
  double least = 1;
  for (std::size_t h = 0; h < m; ++h)
    least = std::min(least,
                     ur::risk_of(c.w.p, std::vector<std::uint32_t>(c.w.p.size(), static_cast<std::uint32_t>(h))).loss);
  const auto grid = ur::price_grid(costs, 12);
  constexpr double epsilon = 0.05;
  const auto quality = ur::guard_quality_counts(predicted, price, held.losses, 0, true, epsilon, grid, delta);
  tally.count("guard_quality", "betting", c.loss, "hard",
              !quality.promised || risk(quality, 0).loss <= least + epsilon + 1e-12);
  auto falling = grid;
  std::reverse(falling.begin(), falling.end());
  const auto safe = static_cast<std::size_t>(cheapest - costs.begin());
  const double budget = *cheapest + 0.5 * (*dearest - *cheapest);
  const auto cost = ur::guard_cost_counts(predicted, price, price, safe, budget, *dearest, falling, delta);
  tally.count("guard_cost", "betting", c.loss, "hard", !cost.promised || risk(cost, safe).cost <= budget + 1e-12);
}

/// Worlds first … last − 1.
inline ordered_json coverage(std::size_t first, std::size_t last, std::uint64_t seed) {
  coverage_tally tally;
  for (std::size_t i = first; i < last; ++i) {
    for (const bool graded : {false, true}) {
      const std::uint64_t of_case = ur::derive_seed(seed, 2 * i + (graded ? 1 : 0));
      const coverage_case c(of_case, graded);
      const auto s = ur::summarise(c.outcomes());
      count_interval<ur::hoeffding>(c, "hoeffding", s, tally);
      if (!graded) count_interval<ur::exact_binomial>(c, "exact_binomial", s, tally);
      count_interval<ur::empirical_bernstein>(c, "empirical_bernstein", s, tally);
      count_interval<ur::wilson>(c, "wilson", s, tally);
      count_interval<ur::betting>(c, "betting", s, tally);
      if (i % 10 == 0) count_hard<quick_bootstrap>(c, "multiplier_bootstrap", s, tally);
      if (i % 4 == 0) count_soft(c, of_case, tally);
      count_held_out(c, s, of_case, tally);
    }
  }
  return tally.json();
}

// --- Tightness
// ----------------------------------------------------------------------------------------------------------

inline constexpr std::size_t tightness_models = 10;
inline constexpr double tightness_lambda = 0.3;

/// Certificates beside the mean estimation regret of the same world: "bound|interval" → one ratio a world (none where
/// no sample ever chose wrongly), one certificate a world; and the mean regrets.
inline ordered_json tightness(std::size_t n, std::size_t clusters, std::size_t worlds, std::uint64_t seed) {
  std::map<std::string, std::vector<double>> ratios, certificates;
  std::vector<double> regrets;
  for (std::size_t i = 0; i < worlds; ++i) {
    const std::uint64_t of_world = ur::derive_seed(seed, 1000 + i);
    const known_world w(ur::random_cells({.cells = clusters, .models = tightness_models, .seed = of_world}));
    constexpr std::size_t samples = 20;
    double regret = 0;
    for (std::size_t t = 0; t < samples; ++t) {
      const auto s = w.sample(n, ur::derive_seed(of_world, t));
      regret += w.estimation_regret(w.choices(s, tightness_lambda), tightness_lambda) / samples;
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
  ordered_json out{{"n", n}, {"clusters", clusters}, {"mean_regret", mean(regrets)}};
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
      const auto drawn = ur::draw_outcomes(w.cells.world, n, of_sample);
      ur::label_vector labels;
      for (const std::uint32_t type : drawn.types) labels.push_back(w.cells.labels[type]);
      const ur::cell_outcomes outcomes{labels, drawn.losses, size};
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
      regret.push_back(w.total_regret(choices, lambda));
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
  const auto drawn = ur::draw_outcomes(w.cells.world, n, seed);
  ur::label_vector labels;
  for (const std::uint32_t t : drawn.types) labels.push_back(w.cells.labels[t]);
  std::vector<double> counting, certifying;
  for (int repeat = 0; repeat < 9; ++repeat) {
    using clock = std::chrono::steady_clock;
    const auto start = clock::now();
    const auto s = ur::summarise({labels, drawn.losses, cells});
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
