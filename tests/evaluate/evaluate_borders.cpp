// The oracle, regret and shifted trials beside their definitions, and at their borders.

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <mutex>
#include <set>
#include <support/reference/bounds.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

/// Losses and costs in eighths, so that many prompts change models at one price.
ur::population drawn(std::uint64_t seed, bool enumerated, bool by_prompt) {
  ur::random_engine engine(seed);
  const std::size_t n = 3 + engine.below(5), m = 2 + engine.below(3);
  ur::population p;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    sum += p.weights.emplace_back(enumerated ? 1 + static_cast<double>(engine.below(4)) : 1);
  for (double& w : p.weights) w /= sum;
  p.expected_losses = ur::make_matrix<double>(n, m);
  p.costs = ur::make_matrix<double>(by_prompt ? n : 1, m);
  for (double& v : p.expected_losses) v = static_cast<double>(engine.below(9)) / 8;
  for (double& v : p.costs) v = static_cast<double>(1 + engine.below(8)) / 8;
  for (std::size_t h = 0; h < m; ++h) p.models.push_back("llm " + std::to_string(h));
  p.enumerated = enumerated;
  return p;
}

double cost(const ur::population& p, std::size_t i, std::size_t h) {
  return p.costs(ur::rows(p.costs) == 1 ? 0 : i, h);
}

}  // namespace

TEST_CASE("the optimum at a budget is the Lagrangian's dual, and is attained by the mixture that it says") {
  std::size_t mixed = 0, slack = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto p = drawn(seed, true, seed % 2 == 0);
    const std::size_t n = p.size(), m = p.model_count();
    double cheapest = 0, dearest = 0;
    std::vector<double> prices{0};
    for (std::size_t i = 0; i < n; ++i) {
      double low = 9, high = 0;
      for (std::size_t h = 0; h < m; ++h) {
        low = std::min(low, cost(p, i, h));
        high = std::max(high, cost(p, i, h));
        for (std::size_t g = 0; g < m; ++g) {
          if (cost(p, i, g) > cost(p, i, h))
            prices.push_back(
                std::max(0.0, (p.expected_losses(i, h) - p.expected_losses(i, g)) / (cost(p, i, g) - cost(p, i, h))));
        }
      }
      cheapest += p.weights[i] * low;
      dearest += p.weights[i] * high;
    }
    for (const double share : {0.0, .2, .5, .8, 1.2}) {
      const double budget = cheapest + share * (dearest - cheapest) + 1e-12;
      double dual = -1e9;
      for (const double lambda : prices) {
        double value = -lambda * budget;
        for (std::size_t i = 0; i < n; ++i) {
          double least = 1e9;
          for (std::size_t h = 0; h < m; ++h) least = std::min(least, p.expected_losses(i, h) + lambda * cost(p, i, h));
          value += p.weights[i] * least;
        }
        dual = std::max(dual, value);
      }
      const auto best = ur::oracle_at_budget(p, budget);
      CHECK(best.risk.loss == Approx(dual).margin(1e-9));
      CHECK(best.risk.cost <= budget * (1 + 1e-12));
      double dear_loss = 0, dear_cost = 0, cheap_loss = 0, cheap_cost = 0;
      for (std::size_t i = 0; i < n; ++i) {
        dear_loss += p.weights[i] * p.expected_losses(i, best.dear[i]);
        dear_cost += p.weights[i] * cost(p, i, best.dear[i]);
        cheap_loss += p.weights[i] * p.expected_losses(i, best.cheap[i]);
        cheap_cost += p.weights[i] * cost(p, i, best.cheap[i]);
      }
      if (best.slack == 0) {  // all prompts that change at this price change together
        for (std::size_t i = 0; i < n; ++i) {
          reference::table losses{{}}, costs{{}};
          for (std::size_t h = 0; h < m; ++h) {
            losses[0].push_back(p.expected_losses(i, h));
            costs[0].push_back(cost(p, i, h));
          }
          CHECK(best.cheap[i] == reference::choices_at(losses, costs, best.lambda * (1 + 1e-9))[0]);
          CHECK(best.dear[i] == reference::choices_at(losses, costs, best.lambda * (1 - 1e-9))[0]);
        }
      }
      if (best.slack > 0) {
        CHECK(best.risk.loss == Approx(cheap_loss).margin(1e-12));
        CHECK(best.risk.cost + best.slack == Approx(budget));
        ++slack;
      } else {
        CHECK(best.dear_share * dear_loss + (1 - best.dear_share) * cheap_loss == Approx(best.risk.loss).margin(1e-12));
        CHECK(best.dear_share * dear_cost + (1 - best.dear_share) * cheap_cost == Approx(budget));
        mixed += best.dear_share > 0 && best.dear_share < 1 ? 1u : 0u;
      }
    }
    CHECK_THROWS_AS(ur::oracle_at_budget(p, cheapest * .99), std::invalid_argument);
  }
  CHECK(mixed > 50);
  CHECK(slack > 50);
}

TEST_CASE("regret, of choices and of draws, with its standard error where prompts are a sample") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const bool enumerated = seed % 2 == 0;
    const auto p = drawn(seed, enumerated, seed % 3 == 0);
    const std::size_t n = p.size(), m = p.model_count();
    ur::random_engine engine(seed);
    for (const double lambda : {0.0, .5}) {
      std::vector<std::uint32_t> choices;
      auto draws = ur::make_matrix<double>(n, m);
      std::vector<double> least(n, 1e9);
      for (std::size_t i = 0; i < n; ++i) {
        choices.push_back(static_cast<std::uint32_t>(engine.below(m)));
        double sum = 0;
        for (std::size_t h = 0; h < m; ++h) {
          sum += draws(i, h) = engine.uniform();
          least[i] = std::min(least[i], p.expected_losses(i, h) + lambda * cost(p, i, h));
        }
        for (std::size_t h = 0; h < m; ++h) draws(i, h) /= sum;
      }
      const auto compare = [&](const ur::regret_report& r, const auto& objective) {
        double regret = 0, squares = 0;
        for (std::size_t i = 0; i < n; ++i) {
          const double excess = objective(i) - least[i];
          regret += p.weights[i] * excess;
          squares += p.weights[i] * excess * excess;
        }
        CHECK(r.regret == Approx(regret).margin(1e-12));
        CHECK(
            r.standard_error ==
            Approx(enumerated ? 0 : std::sqrt(std::max(0.0, squares - regret * regret) / (static_cast<double>(n) - 1)))
                .margin(1e-9));
      };
      compare(ur::regret_of(p, choices, lambda),
              [&](std::size_t i) { return p.expected_losses(i, choices[i]) + lambda * cost(p, i, choices[i]); });
      compare(ur::regret_of(p, draws, lambda), [&](std::size_t i) {
        double sum = 0;
        for (std::size_t h = 0; h < m; ++h) sum += draws(i, h) * (p.expected_losses(i, h) + lambda * cost(p, i, h));
        return sum;
      });
    }
  }
}

TEST_CASE("a shift fits on other categories than the one it routes, which has 200 prompts at least") {
  ur::routing_table_parts parts;
  parts.name = "shifted";
  const std::map<std::string, std::size_t> sizes{{"small", 199}, {"enough", 200}, {"large", 260}};
  std::size_t n = 0;
  for (const auto& [name, size] : sizes) n += size;
  const std::size_t m = 6;
  parts.losses = ur::make_matrix<double>(n, m, .5);
  parts.costs = ur::make_matrix<double>(n, m, 1.0);
  parts.embeddings = ur::make_matrix<float>(n, 1);
  for (std::size_t h = 0; h < m; ++h) {
    parts.models.push_back({.name = "llm " + std::to_string(h)});
    for (std::size_t i = 0; i < n; ++i) parts.costs(i, h) = 1 + static_cast<double>(h);
  }
  for (const auto& [name, size] : sizes) {
    for (std::size_t i = 0; i < size; ++i) {
      parts.embeddings(parts.ids.size(), 0) = static_cast<float>(parts.ids.size());
      parts.ids.push_back(name + std::to_string(i));
      parts.categories.push_back(name);
    }
  }
  const ur::routing_table table(parts);
  std::mutex guard;
  std::set<std::string> targets;
  const ur::routing_method spy{"spy", [&](const ur::trial_data& t) {
                                 const std::lock_guard lock(guard);
                                 const auto in = [&](const ur::embedding_matrix& x) {
                                   std::set<std::string> out;
                                   for (const float v : x) out.insert(table.categories()[static_cast<std::size_t>(v)]);
                                   return out;
                                 };
                                 const auto test = in(t.test_x);
                                 CHECK(test.size() == 1);
                                 CHECK(in(t.validation_x) == test);
                                 CHECK(in(t.train_x).count(*test.begin()) == 0);
                                 CHECK(ur::rows(t.validation_x) == 30);
                                 targets.insert(*test.begin());
                                 return ur::prediction{ur::make_matrix<double>(1, t.unseen.size(), .5),
                                                       ur::make_matrix<double>(1, t.unseen.size(), 1.0)};
                               }};
  ur::run_protocol(table, [&](auto) { return table.embeddings(); }, {spy},
                   {.trials = 30, .validation_prompts = 30, .threads = 1, .shift = true});
  CHECK(targets == std::set<std::string>{"enough", "large"});
}
