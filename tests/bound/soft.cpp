#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/sorted.hpp"

namespace ur = uniroute;

namespace {

/// Six kinds of prompts, equally likely, with soft memberships in three cells; γ* of three LLMs, not of the form Φᵀ Ψ.
struct soft_world {
  ur::membership_matrix phi{{.8, .1, .1}, {.5, .4, .1}, {.1, .8, .1}, {.2, .4, .4}, {.05, .15, .8}, {.3, .1, .6}};
  ur::matrix<double> gamma{{.1, .5, .6}, {.3, .4, .6}, {.6, .1, .5}, {.5, .3, .4}, {.7, .6, .1}, {.4, .7, .2}};

  /// Ψ*_k(h) = E[Φ_k γ*] / E[Φ_k].
  ur::matrix<double> psi() const {
    auto out = ur::make_matrix<double>(3, 3, 0.0);
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t h = 0; h < 3; ++h) {
        double mass = 0;
        for (std::size_t x = 0; x < 6; ++x) {
          out(k, h) += phi(x, k) * gamma(x, h);
          mass += phi(x, k);
        }
        out(k, h) /= mass;
      }
    }
    return out;
  }

  struct sample {
    std::vector<std::size_t> kinds;
    ur::membership_matrix phi;
    ur::loss_matrix losses;
  };
  sample draw(std::size_t n, std::uint64_t seed) const {
    ur::random_engine draws(seed);
    sample out{{}, ur::make_matrix<double>(n, 3), ur::make_matrix<double>(n, 3)};
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t x = draws.below(6);
      out.kinds.push_back(x);
      for (std::size_t j = 0; j < 3; ++j) {
        out.phi(i, j) = phi(x, j);
        out.losses(i, j) = draws.uniform() < gamma(x, j) ? 1 : 0;
      }
    }
    return out;
  }
};

/// Σ_k Φ_k(x) Ψ_k(h) + λ c(h).
double objective(const soft_world& w, const ur::matrix<double>& psi, std::size_t x, std::size_t h, double price) {
  double sum = price;
  for (std::size_t k = 0; k < 3; ++k) sum += w.phi(x, k) * psi(k, h);
  return sum;
}

auto soft_router(const ur::routing_table& train, double lambda) {
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 3}}, ur::proximity_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = lambda}}};
  router.fit(train);
  return router;
}

}  // namespace

TEST_CASE("soft certificates hold: profiles are ratios of means, the gap is a mean over other prompts") {
  const bool by_loss = GENERATE(false, true);
  const soft_world w;
  const auto psi = w.psi();
  const std::vector<double> costs{0, .2, .1};
  const double lambda = .5;
  std::size_t covered = 0, held = 0;
  const std::size_t trials = 150;
  double mean_gap = 0, mean_uniform = 0;
  for (std::size_t t = 0; t < trials; ++t) {
    auto labelled = w.draw(300, ur::derive_seed(1, t)), other = w.draw(400, ur::derive_seed(2, t));
    sorted::rows(by_loss, labelled.losses, labelled.phi, labelled.kinds);
    sorted::rows(by_loss, other.losses, other.phi, other.kinds);
    const auto box = ur::soft_intervals(labelled.phi, labelled.losses, .09);
    bool all = true;
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t h = 0; h < 3; ++h) all = all && box.lower(k, h) <= psi(k, h) && psi(k, h) <= box.upper(k, h);
    }
    covered += all ? 1u : 0u;
    // A rule by the estimated profiles.
    auto estimate = ur::make_matrix<double>(3, 3, 0.0);
    for (std::size_t h = 0; h < 3; ++h) {
      const auto s = ur::summarise_cells(labelled.phi, ur::column(labelled.losses, h));
      for (std::size_t k = 0; k < 3; ++k) estimate(k, h) = s.sum[k] / s.weight[k];
    }
    const auto choice = [&](const ur::matrix<double>& profiles, std::size_t x) {
      std::size_t best = 0;
      for (std::size_t h = 1; h < 3; ++h) {
        if (objective(w, profiles, x, h, lambda * costs[h]) < objective(w, profiles, x, best, lambda * costs[best]))
          best = h;
      }
      return best;
    };
    std::vector<std::uint32_t> choices;
    for (const std::size_t x : other.kinds) choices.push_back(static_cast<std::uint32_t>(choice(estimate, x)));
    const auto c = ur::certify_memberships(other.phi, choices, costs, lambda, box, .01);
    double regret = 0;
    for (std::size_t x = 0; x < 6; ++x) {
      const std::size_t r = choice(estimate, x), best = choice(psi, x);
      regret += (objective(w, psi, x, r, lambda * costs[r]) - objective(w, psi, x, best, lambda * costs[best])) / 6;
    }
    held += regret <= c.gap_adaptive ? 1u : 0u;
    CHECK(c.gap_adaptive <= c.uniform);
    mean_gap += c.gap_adaptive / trials;
    mean_uniform += c.uniform / trials;
    CHECK(c.target == ur::regret_target::best_profile_rule);
  }
  CHECK(covered >= 125);  // .91 of 150 less three standard deviations of 3.5
  CHECK(held >= 125);
  CHECK(mean_gap < .6);  // and they say something
  CHECK(mean_gap < mean_uniform);
}

TEST_CASE("with one-hot memberships the soft intervals are betting intervals of each cell") {
  const ur::membership_matrix phi{{1, 0}, {1, 0}, {0, 1}, {1, 0}};
  const ur::loss_matrix losses{{1, 0}, {.5, 1}, {0, 1}, {1, ur::missing}};
  const auto box = ur::soft_intervals(phi, losses, .2, {.independent = true});
  // Prompts of weight 0 change how bets are spread over time, so that the interval is valid and near, not equal.
  CHECK(box.lower(0, 0) <= 2.5 / 3);
  CHECK(box.upper(0, 0) >= 2.5 / 3);
  CHECK(box.upper(1, 1) == 1);
  CHECK_THROWS_AS(ur::soft_intervals(phi, ur::loss_matrix{{1, 0}}, .2), std::invalid_argument);
  CHECK_THROWS_AS(ur::soft_intervals(phi, losses, 0), std::invalid_argument);
}

TEST_CASE("missing outcomes on soft cells: weights cover, independence given the memberships alone does not") {
  // Half of the prompts are easy (error rate .1, membership .3), half hard (.9, .7): Ψ*_0 = .3 · .1 + .7 · .9 = .66.
  // Hard ones are observed with probability .2, and given the membership that has nothing to do with the loss; the mean
  // of what is observed tends to (.3 · .1 + .2 · .7 · .9) / (.3 + .2 · .7) = .35.
  const bool by_loss = GENERATE(false, true);
  std::size_t weighted = 0, plain = 0;
  const std::size_t trials = 120;
  for (std::size_t t = 0; t < trials; ++t) {
    ur::random_engine draws(ur::derive_seed(31, t));
    auto phi = ur::make_matrix<double>(500, 2);
    auto losses = ur::make_matrix<double>(500, 1), probabilities = losses;
    for (std::size_t i = 0; i < 500; ++i) {
      const bool hard = draws.uniform() < .5;
      phi(i, 0) = hard ? .7 : .3;
      phi(i, 1) = 1 - phi(i, 0);
      probabilities(i, 0) = hard ? .2 : 1;
      losses(i, 0) = draws.uniform() < (hard ? .9 : .1) ? 1 : 0;
      if (draws.uniform() >= probabilities(i, 0)) losses(i, 0) = ur::missing;
    }
    sorted::rows(by_loss, losses, phi, probabilities);
    const auto covers = [](const ur::interval_box& box) { return box.lower(0, 0) <= .66 && .66 <= box.upper(0, 0); };
    const ur::soft_missing known{.probabilities = probabilities, .least = .2};
    weighted += covers(ur::soft_intervals(phi, losses, .1, known)) ? 1u : 0u;
    plain += covers(ur::soft_intervals(phi, losses, .1, {.independent = true})) ? 1u : 0u;
    if (t != 0) continue;
    CHECK(ur::soft_intervals(phi, losses, .1, known).width(0, 0) < .7);
    CHECK_THROWS_WITH(ur::soft_intervals(phi, losses, .1),
                      Catch::Contains("an outcome is missing, but it must be known why"));
    CHECK_THROWS_AS(ur::soft_intervals(phi, losses, .1, {.probabilities = probabilities, .least = .3}),
                    std::domain_error);
    CHECK_THROWS_AS(ur::soft_intervals(phi, losses, .1, {.probabilities = probabilities, .least = 0}),
                    std::invalid_argument);
  }
  CHECK(weighted >= 98);  // 108 promised, three standard deviations are 10
  CHECK(plain < 20);
}

TEST_CASE("certify_soft takes three samples that share no prompt") {
  const ur::simulated_world world{{.dimension = 8}};
  const auto train = world.sample(200, 1).table, labelled = world.sample(300, 2).table,
             other = world.sample(300, 3).table;
  auto router = soft_router(train, 20);
  const ur::confidence_level level{.9};
  CHECK_THROWS_AS(ur::certify_soft(router, labelled, other, level), ur::not_fitted);
  const std::vector<std::string> pool{labelled.models()[0].name, labelled.models()[9].name, labelled.models()[20].name};
  router.enroll(labelled, pool);
  CHECK_THROWS_WITH(ur::certify_soft(router, labelled, other, level),
                    Catch::Contains("certify_soft: the cost of model '" + pool[0] + "' is a mean"));
  const auto priced = ur::certify_soft(router, labelled, other, level, {.largest_cost = 1});
  CHECK(priced.largest_objective == 21);
  CHECK(priced.costs.size() == 3);
  for (std::size_t h = 0; h < pool.size(); ++h) router.reprice(pool[h], router.costs().costs()[h]);
  const auto c = ur::certify_soft(router, labelled, other, level);
  CHECK(c.gap_adaptive <= c.uniform);
  CHECK(c.level == .9);
  double blamed = 0;
  for (const auto& part : ur::contributions(c)) blamed += part.amount;
  CHECK(blamed > 0);
  CHECK(c.parts.size() == 3);
  CHECK_THROWS_WITH(ur::certify_soft(router, labelled, labelled, level), Catch::Contains("was seen by enroll"));
  CHECK_THROWS_WITH(ur::certify_soft(router, train, other, level), Catch::Contains("was seen by fit"));
  CHECK_THROWS_WITH(ur::certify_soft(router, other, other, level), Catch::Contains("by the labelled sample"));
  CHECK_THROWS_AS(ur::certify_soft(router, labelled, other, level, {.share_part = 1.5}), std::invalid_argument);
}
