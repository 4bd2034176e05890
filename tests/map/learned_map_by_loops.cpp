// What a learned map reports is what its memberships are: the loss of each step, held-back and fitted, in plain loops.

#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

struct world {
  ur::embedding_matrix x = ur::make_matrix<float>(90, 2), centroids = ur::make_matrix<float>(3, 2);
  ur::loss_matrix losses = ur::make_matrix<double>(90, 4);

  explicit world(std::uint64_t seed) {
    ur::random_engine engine(seed);
    for (float& v : centroids) v = static_cast<float>(engine.normal());
    for (std::size_t i = 0; i < 90; ++i) {
      for (std::size_t j = 0; j < 2; ++j) x(i, j) = static_cast<float>(engine.normal());
      for (std::size_t h = 0; h < 4; ++h) {
        const double p = 1 / (1 + std::exp(-3 * static_cast<double>(x(i, h % 2)) * (h < 2 ? 1 : -1)));
        losses(i, h) = engine.uniform() < .1 ? ur::missing : engine.uniform() < p ? 1 : 0;
      }
    }
  }
};

/// −mean of ℓ log γ + (1 − ℓ) log (1 − γ), γ = Φ Ψ, over what is observed.
double log_loss(const ur::membership_matrix& phi, const ur::matrix<double>& psi, const ur::loss_matrix& losses) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < ur::rows(losses); ++i) {
    for (std::size_t h = 0; h < ur::columns(losses); ++h) {
      if (ur::is_missing(losses(i, h))) continue;
      double gamma = 0;
      for (std::size_t k = 0; k < ur::columns(phi); ++k) gamma += phi(i, k) * psi(k, h);
      sum -= losses(i, h) * std::log(gamma) + (1 - losses(i, h)) * std::log(1 - gamma);
      count += 1;
    }
  }
  return sum / count;
}

/// (Σ φ ℓ + s · mean) / (Σ φ + s).
ur::matrix<double> profiles(const ur::membership_matrix& phi, const ur::loss_matrix& losses, double smoothing) {
  auto out = ur::make_matrix<double>(ur::columns(phi), ur::columns(losses));
  for (std::size_t h = 0; h < ur::columns(losses); ++h) {
    double total = 0, observed = 0;
    for (std::size_t i = 0; i < ur::rows(losses); ++i) {
      if (ur::is_missing(losses(i, h))) continue;
      total += losses(i, h);
      observed += 1;
    }
    for (std::size_t k = 0; k < ur::columns(phi); ++k) {
      double sum = smoothing * total / observed, weight = smoothing;
      for (std::size_t i = 0; i < ur::rows(losses); ++i) {
        if (ur::is_missing(losses(i, h))) continue;
        sum += phi(i, k) * losses(i, h);
        weight += phi(i, k);
      }
      out(k, h) = sum / weight;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("a learned map ends where its last step was: the loss reported is that of its memberships") {
  std::size_t moved = 0;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const world w(seed);
    std::vector<ur::learned_map_progress> steps;
    const double smoothing = 1.5;
    ur::learned_map_options options{.weight_decay = 0, .max_steps = 15, .smoothing = smoothing, .seed = seed};
    options.on_step = [&](const ur::learned_map_progress& p) { steps.push_back(p); };
    for (const auto assignment : {ur::profile_assignment::nearest, ur::profile_assignment::soft}) {
      options.profiles = assignment;
      steps.clear();
      ur::learned_map map(options);
      map.fit({w.centroids, w.x, w.losses});
      ur::proximity_map start;
      start.fit({w.centroids, w.x, w.losses});
      ur::membership_matrix cells = start.memberships(w.x);
      if (assignment == ur::profile_assignment::nearest) {
        const auto labels = ur::detail::nearest(w.x, ur::detail::centroid_table(w.centroids));
        for (double& v : cells) v = 0;
        for (std::size_t i = 0; i < 90; ++i) cells(i, labels[i]) = 1;
      }
      // Ψ is made of the start's memberships, and the map is fitted to it.
      const auto psi = profiles(cells, w.losses, smoothing);
      if (steps.empty() || !steps.back().refit) {
        CHECK((map.memberships(w.x) == start.memberships(w.x)));
        continue;
      }
      ++moved;
      CHECK(log_loss(map.memberships(w.x), psi, w.losses) == Approx(steps.back().loss).epsilon(1e-5));
      CHECK(log_loss(map.memberships(w.x), psi, w.losses) < log_loss(start.memberships(w.x), psi, w.losses));
      // The refit takes as many steps as the best of the first fit.
      std::size_t best = 0, refits = 0;
      double least = 1e9;
      for (const auto& s : steps) {
        refits += s.refit ? 1u : 0u;
        if (!s.refit && s.held_loss && *s.held_loss < least) {
          least = *s.held_loss;
          best = s.step;
        }
      }
      CHECK(refits <= best);
      CHECK(map.steps() == steps.back().step);
    }
  }
  CHECK(moved >= 6);
}

TEST_CASE("a map that was told to take no step is its start, and says so") {
  const world w(1);
  ur::learned_map none{{.max_steps = 0}};
  none.fit({w.centroids, w.x, w.losses});
  ur::proximity_map start;
  start.fit({w.centroids, w.x, w.losses});
  CHECK(none.steps() == 0);
  const auto a = none.memberships(w.x), b = start.memberships(w.x);
  for (std::size_t i = 0; i < a.size(); ++i) CHECK(a.data()[i] == Approx(b.data()[i]).margin(1e-9));
  ur::proximity_map given{{.bandwidth = 2.5}}, read;
  read.load(given.save());
  CHECK((read.save() == given.save()));
}
