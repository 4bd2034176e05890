// Promises by exact enumeration: every sample of n <= 6 prompts of a small world, with its probability. Nothing here is
// estimated, so that a promise which is broken by 10^-9 too often fails; δ is large, so that failures are common enough
// to see.

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

/// Calls body(losses, probability) for each n x m matrix of 0-1 losses, independent with means p.
void for_each_sample(std::size_t n, const std::vector<double>& p,
                     const std::function<void(const ur::loss_matrix&, double)>& body) {
  const std::size_t m = p.size();
  auto losses = ur::make_matrix<double>(n, m);
  for (std::size_t bits = 0; bits < (std::size_t{1} << (n * m)); ++bits) {
    double probability = 1;
    for (std::size_t at = 0; at < n * m; ++at) {
      const bool one = (bits >> at) % 2 == 1;
      losses.data()[at] = one ? 1 : 0;
      probability *= one ? p[at % m] : 1 - p[at % m];
    }
    body(losses, probability);
  }
}

bool inside(const ur::interval& i, double value) { return i.lower <= value && value <= i.upper; }

/// The least and the mean coverage over means of 0-1 losses in steps of 1/40.
template <class Interval>
std::pair<double, double> coverage(std::size_t n, double delta) {
  double least = 1, sum = 0;
  for (int step = 0; step <= 40; ++step) {
    const double p = step / 40.0;
    double covered = 0;
    for_each_sample(n, {p}, [&](const ur::loss_matrix& losses, double probability) {
      const std::vector<double> values(losses.begin(), losses.end());
      covered += inside(ur::interval_of<Interval>(values, delta), p) ? probability : 0;
    });
    least = std::min(least, covered);
    sum += covered / 41;
  }
  return {least, sum};
}

}  // namespace

TEMPLATE_TEST_CASE("intervals cover as often as they promise, counted over all samples", "", ur::exact_binomial,
                   ur::hoeffding, ur::empirical_bernstein, ur::betting) {
  for (const double delta : {.5, .3, .1}) {
    for (const std::size_t n : {std::size_t{1}, std::size_t{3}, std::size_t{6}})
      CHECK(coverage<TestType>(n, delta).first >= 1 - delta - 1e-12);
  }
}

TEST_CASE("exact intervals are as short as their promise allows, and approximate ones break it") {
  // With δ / 2 at each end some mean is covered hardly more often than promised; a fault of a factor 2 in δ would show.
  CHECK(coverage<ur::exact_binomial>(6, .5).first < .62);
  CHECK(coverage<ur::betting>(6, .5).first < .9);
  CHECK(coverage<ur::wilson>(6, .1).first < .85);
}

TEST_CASE("the certificate of two cells and two LLMs holds with its probability, over all samples") {
  // Each prompt falls into a cell and has two outcomes: 8 kinds of prompts, 4,096 samples of four.
  const double share = .4, means[2][2] = {{.2, .5}, {.9, .35}}, costs[] = {1, 2}, lambda = .05;
  for (const double delta : {.5, .2}) {
    double held = 0, uniform_held = 0, failed_narrow = 0;
    for (std::size_t sample = 0; sample < 4096; ++sample) {
      double probability = 1;
      ur::label_vector labels;
      auto losses = ur::make_matrix<double>(4, 2);
      for (std::size_t i = 0; i < 4; ++i) {
        const std::size_t kind = sample >> (3 * i) & 7, cell = kind & 1;
        labels.push_back(static_cast<std::uint32_t>(cell));
        probability *= cell == 0 ? share : 1 - share;
        for (std::size_t h = 0; h < 2; ++h) {
          const bool one = kind >> (h + 1) & 1;
          losses(i, h) = one ? 1 : 0;
          probability *= one ? means[cell][h] : 1 - means[cell][h];
        }
      }
      const auto counted = ur::summarise(ur::cell_outcomes{labels, losses, 2});
      const auto choices = ur::choose_in_cells(ur::cell_means(counted), costs, lambda);
      double regret = 0;
      for (std::size_t k = 0; k < 2; ++k) {
        const double mine = means[k][choices[k]] + lambda * costs[choices[k]];
        const double best = std::min(means[k][0] + lambda * costs[0], means[k][1] + lambda * costs[1]);
        regret += (k == 0 ? share : 1 - share) * (mine - best);
      }
      const auto c = ur::certify_counts<ur::exact_binomial>(counted, choices, costs, lambda, delta);
      held += regret <= c.gap_adaptive ? probability : 0;
      uniform_held += regret <= c.uniform ? probability : 0;
      // Power: each interval at δ .99 for itself, shares taken from the sample, is what forgets every union bound.
      const std::vector<double> there{counted.prompts[0] / 4, counted.prompts[1] / 4};
      const auto narrow = ur::certify_counts<ur::exact_binomial>(counted, choices, costs, lambda, .999, there);
      failed_narrow += regret > narrow.gap_adaptive ? probability : 0;
    }
    CHECK(held >= 1 - delta);
    CHECK(uniform_held >= 1 - delta);
    CHECK(failed_narrow > 0);
  }
}

TEST_CASE("held-out statements hold at once, over all samples") {
  // A router that sends all prompts to 'a'; six prompts, two LLMs, 4,096 tables.
  ur::routing_table_parts parts;
  parts.name = "six";
  parts.models = {{.name = "a"}, {.name = "b"}};
  parts.costs = ur::make_matrix<double>(6, 2, 1.0);
  parts.embeddings = ur::make_matrix<float>(6, 1, 1.0F);
  for (std::size_t i = 0; i < 6; ++i) parts.ids.push_back("sample " + std::to_string(i));
  auto fit = parts;
  fit.losses = ur::make_matrix<double>(6, 2, 0.0);
  for (std::size_t i = 0; i < 6; ++i) {
    fit.ids[i] = "fit " + std::to_string(i);
    fit.losses(i, 1) = 1;
  }
  ur::router router{ur::precomputed_embeddings{}, ur::single_cluster{}, ur::nearest_map{}, ur::cell_mean{},
                    ur::best_quality_rule{}};
  router.fit(ur::routing_table(fit));
  for (auto& id : fit.ids) id = "validation " + id;
  router.enroll(ur::routing_table(fit), {"a", "b"});
  const double delta = .3;
  for (const auto& p : std::vector<std::vector<double>>{{.5, .5}, {.3, .6}, {.9, .2}, {0, 1}}) {
    double all = 0, risk = 0, hindsight = 0;
    // E[ℓ_a − min(ℓ_a, ℓ_b)] for independent losses.
    const double regret = p[0] * (1 - p[1]);
    for_each_sample(6, p, [&](const ur::loss_matrix& losses, double probability) {
      if (probability == 0) return;
      parts.losses = losses;
      const ur::held_out sample{ur::routing_table(parts)};
      const auto c = ur::certify_held_out(router, sample.reused(), ur::confidence_level{1 - delta});
      const bool in = inside(c.risk, p[0]) && inside(c.adjusted_risk, p[0]) && inside(c.to_single[0], 0) &&
                      inside(c.to_single[1], p[0] - p[1]) && inside(c.to_best_single, p[0] - std::min(p[0], p[1]));
      all += in ? probability : 0;
      risk += inside(c.risk, p[0]) ? probability : 0;
      hindsight +=
          regret <= ur::certify_hindsight(router, sample.reused(), ur::confidence_level{1 - delta}).regret.upper
              ? probability
              : 0;
    });
    CHECK(all >= 1 - delta);
    CHECK(risk >= 1 - delta / 4 - 1e-12);
    CHECK(hindsight >= 1 - delta - 1e-12);
  }
}

TEST_CASE("a guard's promise is broken no more often than δ where it is false by a hair, over all samples") {
  // The rule takes LLM 1 at every price; its loss is ε more than that of LLM 0, and a little.
  const std::size_t n = 6;
  auto predicted = ur::make_matrix<double>(n, 2, 0.0), costs = ur::make_matrix<double>(n, 2, 1.0);
  for (std::size_t i = 0; i < n; ++i) predicted(i, 0) = 1;
  const std::vector<double> lambdas{0, .5};
  double often = 0;
  for (const double delta : {.5, .2}) {
    for (const double epsilon : {.02, .3, .6}) {
      for (const double base : {.05, .2, .35}) {
        double broken = 0, promised = 0;
        const double worse = base + epsilon + 1e-9;
        for_each_sample(n, {base, worse}, [&](const ur::loss_matrix& losses, double probability) {
          const auto g = ur::guard_quality_counts(predicted, costs, losses, 0, true, epsilon, lambdas, delta);
          broken += !g.abstains && g.promised ? probability : 0;
        });
        CHECK(broken <= delta);
        often = std::max(often, broken / delta);
        // And it can be given: with no loss at all it is.
        for_each_sample(n, {base, 0.0}, [&](const ur::loss_matrix& losses, double probability) {
          promised += !ur::guard_quality_counts(predicted, costs, losses, 0, true, epsilon, lambdas, delta).abstains
                          ? probability
                          : 0;
        });
        if (epsilon == .6) CHECK(promised > .9);
      }
    }
  }
  CHECK(often > .3);  // a third of what is allowed is reached: four times δ would be seen
}

TEST_CASE("a guard on costs breaks its budget no more often than δ, over all samples") {
  const std::size_t n = 6;
  auto predicted = ur::make_matrix<double>(n, 2, 0.0), costs = ur::make_matrix<double>(n, 2, .25);
  for (std::size_t i = 0; i < n; ++i) predicted(i, 0) = costs(i, 1) = 1;
  const std::vector<double> lambdas{0};
  double often = 0;
  for (const double delta : {.5, .2}) {
    for (const double budget : {.3, .5, .8}) {
      double broken = 0;
      for_each_sample(n, {0, budget + 1e-9}, [&](const ur::loss_matrix& paid, double probability) {
        if (probability == 0) return;
        const auto g = ur::guard_cost_counts(predicted, costs, paid, 0, budget, 1, lambdas, delta);
        broken += !g.abstains ? probability : 0;
      });
      CHECK(broken <= delta);
      often = std::max(often, broken / delta);
    }
  }
  CHECK(often > .3);
}
