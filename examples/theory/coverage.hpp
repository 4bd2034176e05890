#pragma once

// How often each interval and certificate holds, in three families of worlds and through a router.

#include <map>

#include "worlds.hpp"

namespace theory {

inline bool inside(const ur::interval_box& box, const ur::matrix<double>& psi) {
  for (std::size_t k = 0; k < box.cells(); ++k) {
    for (std::size_t h = 0; h < box.models(); ++h) {
      if (psi(k, h) < box.lower(k, h) - 1e-12 || psi(k, h) > box.upper(k, h) + 1e-12) return false;
    }
  }
  return true;
}

inline bool inside(const ur::interval& i, double value) { return i.lower - 1e-12 <= value && value <= i.upper + 1e-12; }

inline ur::matrix<double> middles(const ur::interval_box& box) {
  auto out = box.lower;
  for (std::size_t i = 0; i < out.size(); ++i) out.data()[i] = (out.data()[i] + box.upper.data()[i]) / 2;
  return out;
}

/// Betting intervals, and a point where the two ends have crossed, which is an error elsewhere and a miss here.
struct bet_or_miss {
  using loss_type = ur::bounded_loss;
  using guarantee = ur::finite_sample;

  static ur::interval make(std::span<const double> values, double d) { return make(values, {}, d); }
  static ur::interval make(std::span<const double> values, std::span<const double> weights, double d) {
    try {
      return ur::betting::make(values, weights, d);
    } catch (const std::domain_error&) {
      return {1, 1};
    }
  }
  static double upper(std::span<const double> values, double d) { return ur::betting::upper(values, d); }
};

/// How often each statement held: "bound|interval|loss|map|world" → (held, worlds).
class coverage_tally {
 public:
  void count(const std::string& key, bool held) {
    auto& [hits, all] = counts_[key];
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
  drawn_prompts drawn;
  double lambda;
  std::string loss, world;
  bool by_loss;  ///< rows are sorted, not as drawn

  /// `draws` gives the size of the sample and the price.
  coverage_case(known_world of, std::uint64_t seed, bool graded, std::string family, ur::random_engine& draws)
      : w(std::move(of)),
        drawn(w.draw(static_cast<std::size_t>(30 * std::pow(10, 1.5 * draws.uniform())), seed)),
        lambda(draws.uniform()),
        loss(graded ? "graded" : "binary"),
        world(std::move(family)),
        by_loss(seed % 2 == 1) {
    if (by_loss) sort(drawn);
  }

  /// Rows by their losses: half of all cases are as a table is that was sorted by benchmark.
  static void sort(drawn_prompts& of) {
    const auto order = ur::loss_order(of.losses);
    drawn_prompts next = of;
    for (std::size_t i = 0; i < order.size(); ++i) {
      next.labels[i] = of.labels[order[i]];
      if (!of.types.empty()) next.types[i] = of.types[order[i]];
    }
    next.losses = ur::take_rows(of.losses, std::span(order));
    of = std::move(next);
  }

  ur::cell_outcomes outcomes() const { return {drawn.labels, drawn.losses, w.cells}; }
  std::string key(const std::string& bound, const std::string& interval, const char* map = "hard") const {
    return bound + "|" + interval + "|" + loss + "|" + map + "|" + world;
  }
};

inline coverage_case random_case(std::uint64_t seed, bool graded) {
  ur::random_engine draws(seed);
  known_world w(ur::random_cells({.cells = 1 + draws.below(8),
                                  .models = 2 + draws.below(5),
                                  .heterogeneity = draws.uniform(),
                                  .clear_cells = draws.uniform() < 0.5 ? 0 : 0.5,
                                  .runs = graded ? 3u : 1u,
                                  .seed = seed}));
  return {std::move(w), seed, graded, "random cells", draws};
}

inline coverage_case fitted_case(const fitted_worlds& worlds, std::uint64_t seed, bool graded) {
  ur::random_engine draws(seed);
  const std::size_t cells = 1 + draws.below(fitted_worlds::most_cells), models = 2 + draws.below(5);
  return {known_world(worlds.draw(models, cells, graded ? 3 : 1, seed)), seed, graded, "fitted", draws};
}

inline coverage_case gaussian_case(std::uint64_t seed, bool graded) {
  ur::random_engine draws(seed);
  ur::gaussian_world w({.components = 1 + draws.below(8),
                        .models = 2 + draws.below(5),
                        .dimension = 2 + draws.below(7),
                        .spread = draws.uniform(),
                        .skill = 4 * draws.uniform(),
                        .difficulty = 2 * draws.uniform() - 1.5,
                        .dearest = 0.5,
                        .seed = seed});
  return {known_world(std::move(w), graded ? 3 : 1), seed, graded, "Gaussian", draws};
}

/// The means of all LLMs in all cells at once, and the certificates made of them.
template <class Simultaneous>
void count_hard(const coverage_case& c, const std::string& name, const ur::cell_sample& s, coverage_tally& tally) {
  const auto choices = c.w.choices(s, c.lambda);
  auto box = Simultaneous{}.make(c.outcomes(), 0.9 * delta);
  tally.count(c.key("all_cell_means", name), inside(box, c.w.truth.profiles));
  const auto psi = middles(box);
  const auto made =
      ur::certify_cells(choices, c.w.costs(), c.lambda, std::move(box), ur::estimated_shares(s.prompts, 0.1 * delta));
  const double regret = c.w.estimation_regret(choices, c.lambda);
  tally.count(c.key("gap_adaptive", name), regret <= made.gap_adaptive + 1e-9);
  tally.count(c.key("uniform", name), regret <= made.uniform + 1e-9);
  tally.count(c.key("estimation_term", name), estimation_term(c.w.truth, psi) <= made.estimation + 1e-9);
  const auto [beyond, error] = c.w.beyond_approximation(choices, c.lambda);
  tally.count(c.key("total_in_world", name), beyond <= made.gap_adaptive + 4 * error + 1e-9);
}

/// Enough draws for a 95% quantile.
struct quick_bootstrap : ur::multiplier_bootstrap {
  quick_bootstrap() : ur::multiplier_bootstrap({.draws = 400}) {}
};

template <class Interval>
void count_interval(const coverage_case& c, const std::string& name, const ur::cell_sample& s, coverage_tally& tally) {
  std::vector<double> values;
  for (std::size_t i = 0; i < c.drawn.labels.size(); ++i) {
    if (c.drawn.labels[i] == 0) values.push_back(c.drawn.losses(i, 0));
  }
  tally.count(c.key("one_cell_mean", name), inside(ur::interval_of<Interval>(values, delta), c.w.truth.profiles(0, 0)));
  count_hard<ur::bonferroni<Interval>>(c, name, s, tally);
}

/// Soft memberships: profiles are ratios of means, whose intervals invert a betting test; the gap is a mean over other
/// prompts, of which no outcome is read.
inline void count_soft(const coverage_case& c, std::uint64_t seed, coverage_tally& tally) {
  const std::size_t cells = c.w.cells, m = c.w.p.model_count();
  auto phi = c.w.phi;  // seven tenths to the own cell, the rest by distance
  for (std::size_t t = 0; t < ur::rows(phi); ++t) {
    double rest = 0;
    std::vector<double> weight(cells);
    for (std::size_t k = 0; k < cells; ++k) {
      const double distance = std::fabs(static_cast<double>(k) - static_cast<double>(c.w.labels[t]));
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
  auto box = ur::soft_intervals<bet_or_miss>(labelled, c.drawn.losses, 0.9 * delta);
  tally.count(c.key("all_cell_means", "betting", "soft"), inside(box, truth.profiles));
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
  const auto others = c.w.draw(300, ur::derive_seed(seed, 1)).types;
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
  tally.count(c.key("gap_adaptive", "betting", "soft"), regret <= made.gap_adaptive + 1e-12);
  const double total = ur::regret_of(c.w.p, std::span<const std::uint32_t>(choices), c.lambda).regret;
  tally.count(c.key("total_in_world", "betting", "soft"),
              total <= ur::approximation_of(c.w.p, phi).range + made.gap_adaptive + 1e-12);
}

/// Prompts that nothing was chosen on: total regret in hindsight, J of several rules at once, and two guards.
inline void count_held_out(const coverage_case& c, const ur::cell_sample& s, std::uint64_t seed,
                           coverage_tally& tally) {
  const std::size_t m = c.w.p.model_count(), n = 400;
  auto held = c.w.draw(n, ur::derive_seed(seed, 2));
  if (c.by_loss) coverage_case::sort(held);
  const auto choices = c.w.choices(s, c.lambda);
  const auto costs = c.w.costs();
  const auto [cheapest, dearest] = std::minmax_element(costs.begin(), costs.end());
  std::vector<double> values(n, 0.0);
  // The cell rule and every single LLM, as candidates.
  auto realised = ur::make_matrix<double>(n, m + 1);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t r = choices[held.labels[i]];
    realised(i, 0) = held.losses(i, r) + c.lambda * costs[r];
    for (std::size_t h = 0; h < m; ++h) {
      realised(i, h + 1) = held.losses(i, h) + c.lambda * costs[h];
      values[i] = std::max(values[i], realised(i, 0) - realised(i, h + 1));
    }
  }
  const double hindsight = ur::upper_bound_of<ur::betting>(values, 0, 1 + c.lambda * (*dearest - *cheapest), delta);
  const auto total = c.w.total_regret(choices, c.lambda);
  tally.count(c.key("hindsight", "betting"), total.regret <= hindsight + 4 * total.standard_error + 1e-12);
  const auto chosen = ur::cells_by_certificate<bet_or_miss>(realised, 1 + c.lambda * *dearest, delta);
  bool all = inside(chosen.bounds[0], c.w.risk(choices).objective(c.lambda));
  double least = 1;
  for (std::size_t h = 0; h < m; ++h) {
    const auto risk = c.w.risk(std::vector<std::uint32_t>(c.w.cells, static_cast<std::uint32_t>(h)));
    all = all && inside(chosen.bounds[h + 1], risk.objective(c.lambda));
    least = std::min(least, risk.loss);
  }
  tally.count(c.key("by_certificate", "betting"), all);

  // What a guard sees: profiles as predictions, one cost per LLM.
  const auto psi = ur::cell_means(s);
  auto predicted = ur::make_matrix<double>(n, m), price = ur::make_matrix<double>(n, m);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      predicted(i, h) = psi(held.labels[i], h);
      price(i, h) = costs[h];
    }
  }
  const auto risk = [&](const ur::guard_report& report, std::size_t safe) {
    std::vector<std::uint32_t> of_cells(c.w.cells, static_cast<std::uint32_t>(safe));
    if (!report.abstains) of_cells = ur::choose_in_cells(psi, costs, report.lambda);
    return c.w.risk(of_cells);
  };
  const auto grid = ur::price_grid(costs, 12);
  constexpr double epsilon = 0.05;
  const auto quality = ur::guard_quality_counts(predicted, price, held.losses, 0, true, epsilon, grid, delta);
  tally.count(c.key("guard_quality", "betting"), !quality.promised || risk(quality, 0).loss <= least + epsilon + 1e-9);
  auto falling = grid;
  std::reverse(falling.begin(), falling.end());
  const auto safe = static_cast<std::size_t>(cheapest - costs.begin());
  const double budget = *cheapest + 0.5 * (*dearest - *cheapest);
  const auto cost = ur::guard_cost_counts(predicted, price, price, safe, budget, *dearest, falling, delta, *cheapest);
  tally.count(c.key("guard_cost", "betting"), !cost.promised || risk(cost, safe).cost <= budget + 1e-9);
}

/// Outcomes that are missing: by cell and LLM (which changes nothing), and by prompt with known probabilities (which
/// weights undo); and what step-down throws out.
inline void count_missing(const coverage_case& c, const ur::cell_sample& s, std::uint64_t seed, coverage_tally& tally) {
  const std::size_t m = c.w.p.model_count(), n = c.drawn.labels.size();
  ur::random_engine draws(ur::derive_seed(seed, 4));
  auto observed = ur::make_matrix<double>(c.w.cells, m);
  for (double& share : observed) share = 0.3 + 0.7 * draws.uniform();
  auto losses = c.drawn.losses;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      if (!(draws.uniform() < observed(c.drawn.labels[i], h))) losses(i, h) = ur::missing;
    }
  }
  losses(0, 0) = c.drawn.losses(0, 0);  // not wholly empty
  const ur::cell_outcomes some{c.drawn.labels, losses, c.w.cells};
  const auto counts = ur::summarise(some);
  const auto choices = c.w.choices(counts, c.lambda);
  const auto made = ur::certify_cells(choices, c.w.costs(), c.lambda,
                                      ur::bonferroni<ur::empirical_bernstein>{}.make(some, 0.9 * delta),
                                      ur::estimated_shares(counts.prompts, 0.1 * delta));
  tally.count(c.key("missing_in_cells", "empirical_bernstein"),
              c.w.estimation_regret(choices, c.lambda) <= made.gap_adaptive + 1e-9);

  auto probabilities = ur::make_matrix<double>(n, m);
  losses = c.drawn.losses;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      probabilities(i, h) = 0.4 + 0.6 * c.w.p.expected_losses(c.drawn.types[i], h);
      if (!(draws.uniform() < probabilities(i, h))) losses(i, h) = ur::missing;
    }
  }
  const auto box = ur::inverse_probability<bet_or_miss>(std::move(probabilities), 0.4)
                       .make({c.drawn.labels, losses, c.w.cells}, delta);
  tally.count(c.key("missing_by_prompt", "betting"), inside(box, c.w.truth.profiles));

  const auto best = c.w.choices(s, c.lambda);
  const auto out = ur::eliminate(c.outcomes(), best, c.w.costs(), c.lambda, delta);
  bool right = true;
  for (std::size_t k = 0; k < c.w.cells; ++k) {
    const std::size_t r = best[k];
    for (std::size_t h = 0; h < m; ++h) {
      const double lead =
          c.w.truth.profiles(k, h) - c.w.truth.profiles(k, r) + c.lambda * (c.w.costs()[h] - c.w.costs()[r]);
      right = right && (out(k, h) == 0 || lead > -1e-12);
    }
  }
  tally.count(c.key("step_down", "betting"), right);

  // The same where all LLMs are equally good, so that whoever was chosen was the luckiest.
  auto tied = c.drawn.losses;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) tied(i, h) = draws.uniform() < 0.3 ? 1 : 0;
  }
  const ur::cell_outcomes ties{c.drawn.labels, tied, c.w.cells};
  const std::vector<double> free(m, 0.0);
  const auto lucky = ur::choose_in_cells(ur::cell_means(ur::summarise(ties)), free, 0);
  const auto none = ur::eliminate(ties, lucky, free, 0, delta);
  tally.count(c.key("step_down_tied", "betting"), std::count(none.begin(), none.end(), 1) == 0);
}

inline void count_case(const coverage_case& c, std::uint64_t seed, coverage_tally& tally) {
  const auto s = ur::summarise(c.outcomes());
  const bool graded = c.loss == "graded";
  count_interval<ur::hoeffding>(c, "hoeffding", s, tally);
  if (!graded) count_interval<ur::exact_binomial>(c, "exact_binomial", s, tally);
  count_interval<ur::empirical_bernstein>(c, "empirical_bernstein", s, tally);
  count_interval<ur::wilson>(c, "wilson", s, tally);
  count_interval<bet_or_miss>(c, "betting", s, tally);
  count_hard<quick_bootstrap>(c, "multiplier_bootstrap", s, tally);
  count_held_out(c, s, seed, tally);
  if (!c.w.discrete) return;
  count_soft(c, seed, tally);
  count_missing(c, s, seed, tally);
}

}  // namespace theory
