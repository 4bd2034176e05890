#pragma once

// How often statements about a real table hold: the test part of a split is the population, half of it the sample.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <utility>
#include <vector>

namespace table_coverage {

namespace ur = uniroute;

/// The order in which the sample's rows are handed over.
enum class row_order { as_they_lie, by_loss, shuffled };

inline constexpr std::array<const char*, 7> statements{
    "risk", "held-out certificate", "hindsight", "one cell", "cells by certificate", "quality guard", "cost guard"};

/// How often each statement held (a guard: how often its promise was kept or not given), of `splits`.
struct tally {
  std::array<std::size_t, statements.size()> held{};
  std::size_t splits = 0;
};

namespace detail {

/// Prompts as one number each, their length: what a router does with them is of no importance here.
inline ur::routing_table with_lengths(const ur::routing_table& table) {
  auto parts = table.parts();
  parts.embeddings = ur::make_matrix<float>(table.size(), 1);
  for (std::size_t i = 0; i < table.size(); ++i)
    parts.embeddings(i, 0) =
        std::log1p(static_cast<float>(table.has_prompts() ? table.prompts()[i].size() : table.ids()[i].size()));
  return ur::routing_table(std::move(parts));
}

inline bool inside(const ur::interval& i, double value) { return i.lower - 1e-9 <= value && value <= i.upper + 1e-9; }

/// Means over the population of what a rule's choices lose and cost.
struct means {
  double loss = 0, cost = 0;
};
inline means means_of(const ur::routing_table& table, const std::vector<std::size_t>& columns,
                      const std::vector<std::uint32_t>& choices) {
  means out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    out.loss += table.losses()(i, columns[choices[i]]) / static_cast<double>(table.size());
    out.cost += table.costs()(i, columns[choices[i]]) / static_cast<double>(table.size());
  }
  return out;
}

}  // namespace detail

/// Counts at δ = `delta` over `splits` splits of a table without missing outcomes. `progress` is called after each.
inline tally count(const ur::routing_table& raw, std::size_t splits, row_order order, double delta = 0.05,
                   const std::function<void(std::size_t)>& progress = {}) {
  const ur::routing_table table = detail::with_lengths(raw);
  const double dearest = *std::max_element(table.costs().begin(), table.costs().end());
  double mean = 0;
  for (const double cost : table.costs()) mean += cost / static_cast<double>(table.costs().size());
  const double lambda = mean > 0 ? 0.1 / mean : 0;
  const ur::confidence_level level{1 - delta};
  tally out;
  for (std::size_t t = 0; t < splits; ++t) {
    const std::uint64_t seed = 100 + t;
    const auto rows_of = ur::split_rows(table, {.train = 0.3, .validation = 0.1, .seed = seed});
    std::vector<std::size_t> all(table.model_count());
    std::iota(all.begin(), all.end(), std::size_t{0});
    const auto validation = table.select(rows_of.validation, all), population = table.select(rows_of.test, all);
    ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 5, .seed = seed}}, ur::nearest_map{},
                      ur::shrunken_mean{}, ur::lagrangian_rule{{.lambda = lambda}}};
    router.fit(table.select(rows_of.train, all));
    router.enroll(validation, table.model_names());

    std::vector<std::size_t> rows = ur::loss_order(population.losses());
    if (order != row_order::by_loss) std::iota(rows.begin(), rows.end(), std::size_t{0});
    ur::random_engine draws(ur::derive_seed(seed, 1));
    std::vector<std::size_t> ranks(rows.size());
    std::iota(ranks.begin(), ranks.end(), std::size_t{0});
    ur::shuffle(ranks, draws);
    ranks.resize(ranks.size() / 2);
    if (order != row_order::shuffled) std::sort(ranks.begin(), ranks.end());
    for (std::size_t& r : ranks) r = rows[r];
    const ur::routing_table half = population.select(ranks, all);
    const ur::held_out sample{half};

    // The truth.
    const auto choices = router.route(population.embeddings());
    const detail::means mine = detail::means_of(population, all, choices);
    const double risk = mine.loss, cost = mine.cost;
    std::vector<detail::means> single;
    double least = 2, least_j = std::numeric_limits<double>::infinity(), hindsight = 0;
    for (std::size_t h = 0; h < all.size(); ++h) {
      single.push_back(detail::means_of(population, all,
                                        std::vector<std::uint32_t>(population.size(), static_cast<std::uint32_t>(h))));
      least = std::min(least, single[h].loss);
      least_j = std::min(least_j, single[h].loss + lambda * single[h].cost);
    }
    const double j = risk + lambda * cost;
    for (std::size_t i = 0; i < population.size(); ++i) {
      double best = std::numeric_limits<double>::infinity();
      for (std::size_t h = 0; h < all.size(); ++h)
        best = std::min(best, population.losses()(i, h) + lambda * population.costs()(i, h));
      hindsight += (population.losses()(i, choices[i]) + lambda * population.costs()(i, choices[i]) - best) /
                   static_cast<double>(population.size());
    }

    // What is said of it. An interval that is none counts as a miss.
    const auto holds = [](auto&& statement) {
      try {
        return statement() ? std::size_t{1} : std::size_t{0};
      } catch (const std::domain_error&) {
        return std::size_t{0};
      }
    };
    out.held[0] += holds([&] {
      const auto c = ur::certify_held_out(router, sample.reused(), level, {.largest_cost = dearest});
      return detail::inside(c.risk, risk);
    });
    out.held[1] += holds([&] {
      const auto c = ur::certify_held_out(router, sample.reused(), level, {.largest_cost = dearest});
      bool right = detail::inside(c.risk, risk) && detail::inside(c.adjusted_risk, j) &&
                   detail::inside(c.to_best_single, risk - least) && detail::inside(c.to_zero_router, j - least_j);
      for (std::size_t h = 0; h < all.size(); ++h)
        right = right && detail::inside(c.to_single[h], risk - single[h].loss) &&
                detail::inside(c.to_single_adjusted[h], j - single[h].loss - lambda * single[h].cost);
      return right;
    });
    out.held[2] += holds([&] {
      return hindsight <=
             ur::certify_hindsight(router, sample.reused(), level, {.largest_cost = dearest}).regret.upper + 1e-9;
    });
    out.held[3] += holds([&] {
      const std::vector<std::uint32_t> one(half.size(), 0);
      const auto box = ur::bonferroni<ur::betting>{}.make({one, half.losses(), 1}, delta);
      bool right = true;
      for (std::size_t h = 0; h < all.size(); ++h)
        right = right && detail::inside({box.lower(0, h), box.upper(0, h)}, single[h].loss);
      return right;
    });
    out.held[4] += holds([&] {
      const std::vector<decltype(router)> candidates{router};
      const auto c = ur::cells_by_certificate<>(std::span<const decltype(router)>(candidates), sample.reused(), lambda,
                                                delta, dearest);
      return detail::inside(c.bounds[0], j);
    });
    const auto safe = static_cast<std::size_t>(
        std::min_element(single.begin(), single.end(), [](auto a, auto b) { return a.loss < b.loss; }) -
        single.begin());
    out.held[5] += holds([&] {
      const auto g =
          ur::guard_quality(router, sample.reused(), {.epsilon = 0.02, .safe_model = table.models()[safe].name}, level);
      const auto [loss, _] = detail::means_of(population, all, g.router.route(population.embeddings()));
      return !g.report.promised || loss <= least + 0.02 + 1e-9;
    });
    out.held[6] += holds([&] {
      const double budget = mean;
      const auto g = ur::guard_cost(router, sample.reused(), {.budget = budget, .largest_cost = dearest}, level);
      const auto [_, spent] = detail::means_of(population, all, g.router.route(population.embeddings()));
      return !g.report.promised || spent <= budget + 1e-9;
    });
    ++out.splits;
    if (progress) progress(t + 1);
  }
  return out;
}

}  // namespace table_coverage
