// The learned map: where it starts, where it goes, when it stays.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

#include "support/allocation_counter.hpp"

namespace ur = uniroute;

namespace {

/// Prompts on a line from 0 to 4. Even LLMs fail below 1, odd ones above; K-means cuts at 2.
struct line {
  ur::embedding_matrix x, centroids = ur::make_matrix<float>(2, 1);
  ur::loss_matrix losses;
  explicit line(std::size_t n = 400, std::size_t models = 8)
      : x(ur::make_matrix<float>(n, 1)), losses(ur::make_matrix<double>(n, models)) {
    centroids(0, 0) = 1;
    centroids(1, 0) = 3;
    for (std::size_t i = 0; i < n; ++i) {
      x(i, 0) = 4 * (static_cast<float>(i) + 0.5F) / static_cast<float>(n);
      for (std::size_t h = 0; h < models; ++h) losses(i, h) = (x(i, 0) < 1) == (h % 2 == 0) ? 1 : 0;
    }
  }
  ur::map_training_set training() const { return {centroids, x, losses}; }
};

struct world {
  ur::routing_table table = ur::simulated_world{{.dimension = 16}}.sample(700, 3).table;
  ur::kmeans<> cells{{.clusters = 13}};
  world() { cells.fit(table.embeddings()); }
  ur::map_training_set training(const ur::loss_matrix& losses) const {
    return {cells.centroids(), table.embeddings(), losses};
  }
};

double greatest_difference(const ur::membership_matrix& a, const ur::membership_matrix& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::fabs(a.data()[i] - b.data()[i]));
  return most;
}

ur::membership_matrix one_by_one(const ur::proximity_map& map, const ur::embedding_matrix& x) {
  auto out = ur::make_matrix<double>(ur::rows(x), map.size());
  for (std::size_t i = 0; i < ur::rows(x); ++i) map.membership(ur::row(x, i), ur::row(out, i));
  return out;
}

double boundary(const ur::learned_map& map) {
  std::vector<double> phi(2);
  for (float at = 0; at < 4; at += 0.01F) {
    map.membership(std::span<const float>(&at, 1), phi);
    if (phi[0] < 0.5) return static_cast<double>(at);
  }
  return 4;
}

}  // namespace

TEST_CASE("the learned map starts at the proximity map") {
  const world w;
  ur::proximity_map start{{.relative_bandwidth = 0.4}};
  ur::learned_map map{{.start = {.relative_bandwidth = 0.4}, .max_steps = 0}};
  start.fit(w.training(w.table.losses()));
  map.fit(w.training(w.table.losses()));
  CHECK(map.steps() == 0);
  CHECK((map.memberships(w.table.embeddings()) == start.memberships(w.table.embeddings())));
  CHECK(greatest_difference(map.memberships(w.table.embeddings()), one_by_one(start, w.table.embeddings())) < 1e-12);
}

TEST_CASE("temperature divides the logits of the start") {
  const line l;
  ur::learned_map map{{.start = {.bandwidth = 2.0}, .temperature = 3, .max_steps = 0}};
  ur::proximity_map wide{{.bandwidth = 6.0}};
  map.fit(l.training());
  wide.fit(l.training());
  CHECK(greatest_difference(map.memberships(l.x), one_by_one(wide, l.x)) < 1e-12);
}

TEST_CASE("without seen LLMs or outcomes, or where all are constant, the learned map stays at its start") {
  const world w;
  ur::proximity_map start;
  start.fit(w.training(w.table.losses()));
  const auto expected = one_by_one(start, w.table.embeddings());
  for (const auto& losses : {ur::make_matrix<double>(700, 0), ur::make_matrix<double>(700, 3, ur::missing),
                             ur::make_matrix<double>(700, 4, 0.0), ur::make_matrix<double>(700, 4, 0.3),
                             ur::make_matrix<double>(700, 4, 1.0)}) {
    ur::learned_map map;
    map.fit(w.training(losses));
    CHECK(greatest_difference(map.memberships(w.table.embeddings()), expected) < 1e-6);
  }
}

TEST_CASE("cells move to where the seen LLMs' outcomes change") {
  const line l;
  ur::learned_map start{{.max_steps = 0}}, map;
  start.fit(l.training());
  map.fit(l.training());
  CHECK(boundary(start) == Approx(2).margin(0.02));
  CHECK(boundary(map) < 1.4);
  CHECK(map.steps() >= 1);
}

TEST_CASE("a single seen LLM is fitted, and missing outcomes are left out") {
  line l(400, 1);
  ur::learned_map map;
  map.fit(l.training());
  CHECK(boundary(map) < 1.5);
  line gaps;
  for (std::size_t i = 0; i < 400; ++i) {
    for (std::size_t h = 0; h < 8; ++h) gaps.losses(i, h) = (i + h) % 3 == 0 ? ur::missing : gaps.losses(i, h);
    gaps.losses(i, 5) = ur::missing;
  }
  map.fit(gaps.training());
  CHECK(boundary(map) < 1.5);
}

TEST_CASE("the loss falls at every step; LLMs held back decide how many there are; then all are fitted") {
  const line l;
  std::vector<ur::learned_map_progress> seen;
  ur::learned_map map{{.patience = 3, .on_step = [&](const auto& p) { seen.push_back(p); }}};
  map.fit(l.training());
  std::size_t best = 0, refits = 0;
  double least = 1e300;
  for (std::size_t s = 0; s < seen.size(); ++s) {
    if (seen[s].refit) {
      ++refits;
      CHECK(!seen[s].held_loss);
    } else {
      if (*seen[s].held_loss < least) {
        least = *seen[s].held_loss;
        best = seen[s].step;
      }
      CHECK(seen[s].step <= best + 3);
    }
    if (s > 0 && seen[s].refit == seen[s - 1].refit) {
      CHECK(seen[s].loss <= seen[s - 1].loss);
      CHECK(seen[s].step == seen[s - 1].step + 1);
    }
  }
  CHECK(refits == best);
  CHECK(map.steps() == best);
}

TEST_CASE("the gradient of the membership loss is that of finite differences, in the presence of gaps and grades") {
  const world w;
  auto losses = ur::make_matrix<double>(700, 3);
  for (std::size_t i = 0; i < 700; ++i) {
    for (std::size_t h = 0; h < 3; ++h)
      losses(i, h) = (i + h) % 5 == 0 ? ur::missing : h == 2 ? 0.25 : w.table.losses()(i, h);
  }
  const bool graded = GENERATE(false, true);
  if (!graded) losses = ur::loss_matrix(w.table.losses());
  auto wide = ur::make_matrix<double>(700, 16);
  std::copy(w.table.embeddings().begin(), w.table.embeddings().end(), wide.begin());
  ur::proximity_map start;
  start.fit(w.training(losses));
  const auto psi = ur::detail::smoothed_profiles(start.memberships(w.table.embeddings()), losses, 1);
  const ur::detail::centroid_table table(w.cells.centroids());
  const std::vector<double> offsets(table.squared_norms.begin(), table.squared_norms.end());
  ur::detail::membership_loss<double> f(wide, losses, psi, table.centroids, offsets, start.bandwidth(), 0.01);
  ur::detail::membership_loss<float> narrow(w.table.embeddings(), losses, psi, table.centroids, offsets,
                                            start.bandwidth(), 0.01);
  ur::random_engine draws(4);
  std::vector<double> u(f.size()), gradient(f.size()), float_gradient(f.size()), other(f.size());
  for (double& value : u) value = 0.2 * draws.normal();
  const double value = f(u, gradient);
  CHECK(narrow(u, float_gradient) == Approx(value).epsilon(1e-6));
  double norm = 0, error = 0;
  for (std::size_t j = 0; j < u.size(); ++j) {
    norm += gradient[j] * gradient[j];
    error += std::pow(gradient[j] - float_gradient[j], 2);
  }
  CHECK(std::sqrt(error / norm) < 1e-4);
  for (std::size_t j = 0; j < u.size(); j += 11) {
    auto moved = u;
    moved[j] = u[j] + 1e-5;
    const double above = f(moved, other);
    moved[j] = u[j] - 1e-5;
    const double below = f(moved, other);
    CHECK(gradient[j] == Approx((above - below) / 2e-5).margin(1e-8));
  }
}

TEST_CASE("a learned map is on the simplex, agrees with itself prompt by prompt, and allocates nothing then") {
  const world w;
  ur::learned_map map{{.weight_decay = 1e-5}};
  map.fit(w.training(w.table.losses()));
  CHECK(map.steps() >= 1);
  const auto phi = map.memberships(w.table.embeddings());
  std::vector<double> one(13);
  double most = 0, sums = 0;
  for (std::size_t i = 0; i < 700; ++i) {
    map.membership(ur::row(w.table.embeddings(), i), one);
    double sum = 0;
    for (std::size_t k = 0; k < 13; ++k) {
      most = std::max(most, std::fabs(one[k] - phi(i, k)));
      sum += phi(i, k);
    }
    sums = std::max(sums, std::fabs(sum - 1));
  }
  CHECK(most <= 1e-12);
  CHECK(sums <= 1e-12);
  const uniroute_tests::allocation_counter counter;
  map.membership(ur::row(w.table.embeddings(), 1), one);
  CHECK(counter.count() == 0);
}

TEST_CASE("same seed, same bits; what is saved has the same memberships") {
  const world w;
  ur::learned_map one, other, copy;
  one.fit(w.training(w.table.losses()));
  other.fit(w.training(w.table.losses()));
  copy.load(one.save());
  CHECK((one.memberships(w.table.embeddings()) == other.memberships(w.table.embeddings())));
  CHECK((one.memberships(w.table.embeddings()) == copy.memberships(w.table.embeddings())));
  CHECK(copy.steps() == one.steps());
  auto broken = one.save();
  broken.set("offsets", std::vector<double>{1});
  CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  CHECK((one.memberships(w.table.embeddings()) == copy.memberships(w.table.embeddings())));
}

TEST_CASE("more cells than prompts, and two prompts, are no obstacle") {
  line l(2, 2);
  l.centroids = ur::make_matrix<float>(5, 1, 1.0F);
  l.centroids(2, 0) = 3;
  ur::learned_map map;
  map.fit(l.training());
  const auto phi = map.memberships(l.x);
  for (std::size_t i = 0; i < 2; ++i) {
    double sum = 0;
    for (std::size_t k = 0; k < 5; ++k) sum += phi(i, k);
    CHECK(sum == Approx(1));
  }
}

TEST_CASE("the learned map refuses what makes no sense, and is then as it was") {
  CHECK_THROWS_WITH(ur::learned_map({.temperature = 0}),
                    "learned_map: temperature is 0, but must be finite and above 0");
  for (const double bad : {std::numeric_limits<double>::infinity(), std::nan(""), -1.0})
    CHECK_THROWS_WITH(ur::learned_map({.temperature = bad}), Catch::Contains("learned_map: temperature is "));
  CHECK_THROWS_AS(ur::learned_map({.start = {.bandwidth = -1.0}}), std::invalid_argument);
  CHECK_THROWS_AS(ur::learned_map({.weight_decay = -1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::learned_map({.patience = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::learned_map({.held_models = 1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::learned_map({.held_prompts = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::learned_map({.smoothing = 0}), std::invalid_argument);
  const line l;
  ur::learned_map map;
  map.fit(l.training());
  const auto before = map.memberships(l.x);
  const auto short_losses = ur::make_matrix<double>(3, 2, 0.0);
  CHECK_THROWS_WITH(map.fit({l.centroids, l.x, short_losses}),
                    "learned_map::fit: losses has 3 rows, but embeddings has 400");
  const auto wide = ur::make_matrix<float>(2, 5, 0.0F);
  CHECK_THROWS_AS(map.fit({wide, l.x, l.losses}), std::invalid_argument);
  CHECK((map.memberships(l.x) == before));
}
