// Estimators beside their formulas in plain loops, on random cells: hard and soft, weighted, empty ones among them.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

using column = std::vector<double>;

struct draw {
  ur::label_vector labels;
  ur::membership_matrix phi;
  column losses, weights;
  std::size_t cells;
};

/// Outcomes of one LLM; cell 0 stays empty in every third draw.
draw drawn(std::uint64_t seed, std::size_t cells, bool graded) {
  ur::random_engine engine(seed);
  draw out;
  out.cells = cells;
  const std::size_t n = 12 + engine.below(40);
  out.phi = ur::make_matrix<double>(n, cells);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t k = engine.below(cells);
    if (seed % 3 == 0 && k == 0) k = cells - 1;
    out.labels.push_back(static_cast<std::uint32_t>(k));
    const double u = engine.uniform();
    out.losses.push_back(engine.uniform() < .2                      ? ur::missing
                         : graded                                   ? u
                         : u < .2 + .6 * static_cast<double>(k % 2) ? 1
                                                                    : 0);
    out.weights.push_back(.2 + 3 * engine.uniform());
    double sum = 0;
    for (std::size_t c = 0; c < cells; ++c) sum += out.phi(i, c) = engine.uniform() * (c == k ? 5 : 1);
    for (std::size_t c = 0; c < cells; ++c) out.phi(i, c) /= sum;
  }
  out.losses[0] = .5 * (graded ? 1 : 2);
  return out;
}

/// Σ w φ ℓ / Σ w φ and (Σ w φ)² / Σ (w φ)², cell by cell, and the overall mean.
struct means {
  column loss, count, mass;
  double overall = 0;
};

means of(const draw& d, bool soft, bool weighted) {
  means out;
  double sum = 0, all = 0, unit = 0, observed = 0;
  for (std::size_t i = 0; i < d.losses.size(); ++i) {
    if (ur::is_missing(d.losses[i])) continue;
    observed += 1;
    unit += weighted ? d.weights[i] : 1;
  }
  unit /= observed;  // weights are read as multiples of their mean
  for (std::size_t i = 0; i < d.losses.size(); ++i) {
    if (ur::is_missing(d.losses[i])) continue;
    const double w = (weighted ? d.weights[i] : 1) / unit;
    sum += w * d.losses[i];
    all += w;
  }
  out.overall = sum / all;
  for (std::size_t k = 0; k < d.cells; ++k) {
    double mass = 0, squares = 0, loss = 0;
    for (std::size_t i = 0; i < d.losses.size(); ++i) {
      if (ur::is_missing(d.losses[i])) continue;
      const double w = (weighted ? d.weights[i] : 1) / unit * (soft ? d.phi(i, k) : d.labels[i] == k ? 1 : 0);
      mass += w;
      squares += w * w;
      loss += w * d.losses[i];
    }
    out.loss.push_back(mass > 0 ? loss / mass : out.overall);
    out.count.push_back(mass > 0 ? mass * mass / squares : 0);
    out.mass.push_back(mass);
  }
  return out;
}

ur::cell_statistics statistics(const draw& d, bool soft, bool weighted) {
  const std::span<const double> weights = weighted ? std::span<const double>(d.weights) : std::span<const double>();
  return soft ? ur::summarise_cells(d.phi, d.losses, weights)
              : ur::summarise_cells(d.labels, d.losses, d.cells, weights);
}

constexpr double infinite = std::numeric_limits<double>::infinity();

/// σ² / τ² from E[Σ n (ψ − μ)²] = (K − 1) σ² + (N − Σ n² / N) τ² and E[Σ n ψ (1 − ψ)] = (N − K) σ², summed over LLMs.
double strength(const std::vector<means>& llms, bool& usable) {
  double between = 0, free = 0, spread = 0, within = 0, within_free = 0;
  for (const means& m : llms) {
    double n = 0, squares = 0, cells = 0, sum = 0;
    for (std::size_t k = 0; k < m.loss.size(); ++k) {
      if (m.count[k] == 0) continue;
      n += m.count[k];
      squares += m.count[k] * m.count[k];
      cells += 1;
      sum += m.count[k] * m.loss[k];
    }
    if (cells < 2) continue;
    for (std::size_t k = 0; k < m.loss.size(); ++k) {
      between += m.count[k] * (m.loss[k] - sum / n) * (m.loss[k] - sum / n);
      within += m.count[k] * m.loss[k] * (1 - m.loss[k]);
    }
    free += cells - 1;
    spread += n - squares / n;
    within_free += std::max(0.0, n - cells);
  }
  usable = spread > 0 && within_free > 0;
  if (!usable) return infinite;
  const double noise = within / within_free, signal = (between - free * noise) / spread;
  return noise <= 0 ? 0 : signal > 0 ? noise / signal : infinite;
}

double pulled(double mean, double count, double prior, double m) {
  if (std::isinf(m)) return prior;
  return count + m > 0 ? (count * mean + m * prior) / (count + m) : mean;
}

}  // namespace

TEST_CASE("cell means are ratios of sums, hard and soft, weighted and not, and fall back where cells are empty") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const draw d = drawn(seed, 1 + seed % 5, seed % 2 == 0);
    for (const bool soft : {false, true}) {
      for (const bool weighted : {false, true}) {
        const means m = of(d, soft, weighted);
        const auto s = statistics(d, soft, weighted);
        const auto p = ur::cell_mean{}.estimate(s);
        const auto one = ur::cell_mean{{.empty_cell = ur::empty_cell_fallback::one}}.estimate(s);
        for (std::size_t k = 0; k < d.cells; ++k) {
          CHECK(p.losses[k] == Approx(m.loss[k]));
          CHECK(p.counts[k] == Approx(m.count[k]));
          CHECK(one.losses[k] == Approx(m.mass[k] == 0 ? 1 : m.loss[k]));
        }
      }
    }
  }
}

TEST_CASE("shrinkage pulls by the strength given, by its own outcomes, or by those of the seen LLMs") {
  std::size_t finite = 0, at_infinity = 0, unusable = 0, apart = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const std::size_t cells = 1 + seed % 4;
    const bool soft = seed % 5 == 0, weighted = seed % 7 == 0;
    std::vector<means> llms;
    std::vector<ur::cell_statistics> seen;
    for (std::uint64_t h = 0; h < seed % 4; ++h) {
      const draw d = drawn(1000 * seed + h, cells, seed % 2 == 0);
      llms.push_back(of(d, soft, false));
      seen.push_back(statistics(d, soft, false));
    }
    const draw d = drawn(seed, cells, seed % 2 == 0);
    const means own = of(d, soft, weighted);
    const auto s = statistics(d, soft, weighted);
    bool pooled_usable = false, own_usable = false;
    const double pooled = strength(llms, pooled_usable), alone = strength({own}, own_usable);
    const auto compare = [&](const ur::shrunken_mean& e, double m) {
      const auto p = e.estimate(s);
      for (std::size_t k = 0; k < cells; ++k)
        CHECK(p.losses[k] == Approx(pulled(own.loss[k], own.count[k], own.overall, m)).margin(1e-12));
    };
    ur::shrunken_mean by_seen, by_self{{.source = ur::shrinkage_source::own_column}}, given{{.strength = 3.5}};
    for (ur::shrunken_mean* e : {&by_seen, &by_self, &given}) e->fit(seen);
    REQUIRE(by_seen.pooled_strength().has_value() == pooled_usable);
    if (pooled_usable) CHECK(*by_seen.pooled_strength() == Approx(pooled));
    compare(given, 3.5);
    compare(by_self, alone);
    compare(by_seen, pooled_usable ? pooled : alone);
    (std::isinf(alone) ? at_infinity : finite) += 1;
    unusable += pooled_usable ? 0u : 1u;
    apart += pooled_usable && std::fabs(pooled - alone) > .5 ? 1u : 0u;
  }
  CHECK(finite > 10);
  CHECK(at_infinity > 10);
  CHECK(unusable > 5);
  CHECK(apart > 10);
}

TEST_CASE("an LLM with outcomes in one cell alone says nothing of how cells differ") {
  const auto counts = [](std::vector<double> n, std::vector<double> sums) {
    ur::cell_statistics out{n, n, sums, 0, 0};
    for (std::size_t k = 0; k < n.size(); ++k) {
      out.observed += static_cast<std::size_t>(n[k]);
      out.total += sums[k];
    }
    return out;
  };
  const auto two = counts({20, 20}, {4, 16}), one = counts({30, 0}, {15, 0});
  ur::shrunken_mean alone, with_one;
  alone.fit(std::vector<ur::cell_statistics>{two});
  with_one.fit(std::vector<ur::cell_statistics>{two, one});
  CHECK(*alone.pooled_strength() == *with_one.pooled_strength());
}

TEST_CASE("two levels pull cells to groups and groups to all, by the moment equations of a nested layout") {
  auto centroids = ur::make_matrix<float>(6, 1);
  const float places[] = {0, 1, 100, 101, 102, 300};
  for (std::size_t k = 0; k < 6; ++k) centroids(k, 0) = places[k];
  std::size_t finite = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::vector<means> llms;
    std::vector<ur::cell_statistics> seen;
    for (std::uint64_t h = 0; h < seed % 5; ++h) {
      draw d = drawn(777 * seed + h, 6, seed % 2 == 0);
      llms.push_back(of(d, false, false));
      seen.push_back(statistics(d, false, false));
    }
    ur::two_level_mean estimator{{.coarse_cells = 3}};
    estimator.fit(seen, centroids);
    const auto parents = estimator.parents();
    const draw d = drawn(seed, 6, seed % 2 == 0);
    const means own = of(d, false, false);
    // The strengths, from all seen LLMs or from this one.
    const auto strengths = [&](const std::vector<means>& from) {
      double within = 0, within_free = 0, fine = 0, fine_free = 0, fine_spread = 0, coarse = 0, coarse_free = 0,
             coarse_spread = 0, coarse_fine = 0;
      for (const means& m : from) {
        column n(3, 0.0), sum(3, 0.0), squares(3, 0.0), cells(3, 0.0);
        double total = 0, all = 0, taken = 0, groups = 0, group_squares = 0;
        for (std::size_t k = 0; k < 6; ++k) {
          if (m.count[k] == 0) continue;
          n[parents[k]] += m.count[k];
          sum[parents[k]] += m.count[k] * m.loss[k];
          squares[parents[k]] += m.count[k] * m.count[k];
          cells[parents[k]] += 1;
          total += m.count[k];
          all += m.count[k] * m.loss[k];
          taken += 1;
        }
        for (std::size_t c = 0; c < 3; ++c) {
          groups += n[c] > 0 ? 1 : 0;
          group_squares += n[c] * n[c];
        }
        // What an LLM adds to the spread counts even where it has but one cell.
        for (std::size_t c = 0; c < 3; ++c) {
          if (n[c] == 0) continue;
          fine_free += cells[c] - 1;
          fine_spread += n[c] - squares[c] / n[c];
        }
        if (taken < 2) continue;
        for (std::size_t k = 0; k < 6; ++k) {
          if (m.count[k] == 0) continue;
          fine += m.count[k] * std::pow(m.loss[k] - sum[parents[k]] / n[parents[k]], 2);
          within += m.count[k] * m.loss[k] * (1 - m.loss[k]);
        }
        within_free += std::max(0.0, total - taken);
        for (std::size_t c = 0; c < 3; ++c) {
          if (n[c] == 0) continue;
          coarse += n[c] * std::pow(sum[c] / n[c] - all / total, 2);
          coarse_fine += squares[c] / n[c] * (1 - n[c] / total);
        }
        coarse_free += groups - 1;
        coarse_spread += total - group_squares / total;
      }
      std::pair<double, double> out{infinite, infinite};
      if (!(within_free > 0 && fine_spread + coarse_spread > 0)) return out;
      const double noise = within / within_free;
      const double fine_variance = fine_spread > 0 ? std::max(0.0, (fine - fine_free * noise) / fine_spread) : 0;
      const double coarse_variance =
          coarse_spread > 0 ? (coarse - coarse_free * noise - coarse_fine * fine_variance) / coarse_spread : 0;
      if (noise <= 0) return std::pair{0.0, 0.0};
      out.first = coarse_variance > 0 ? noise / coarse_variance : infinite;
      out.second = fine_variance > 0 ? noise / fine_variance : infinite;
      return out;
    };
    const auto pooled = strengths(llms);
    const bool usable = estimator.pooled_strengths().has_value();
    CHECK(usable == (seed % 5 != 0));
    if (usable) {
      CHECK(estimator.pooled_strengths()->first == Approx(pooled.first));
      CHECK(estimator.pooled_strengths()->second == Approx(pooled.second));
    }
    const auto [m1, m2] = usable ? pooled : strengths({own});
    finite += std::isinf(m1) || std::isinf(m2) ? 0u : 1u;
    const auto p = estimator.estimate(statistics(d, false, false));
    for (std::size_t k = 0; k < 6; ++k) {
      double n = 0, sum = 0;
      for (std::size_t j = 0; j < 6; ++j) {
        if (parents[j] != parents[k]) continue;
        n += own.mass[j];
        sum += own.mass[j] * own.loss[j];
      }
      const double group = pulled(n > 0 ? sum / n : own.overall, n, own.overall, m1);
      CHECK(p.losses[k] == Approx(pulled(own.loss[k], own.count[k], group, m2)).margin(1e-12));
    }
  }
  CHECK(finite > 5);
}
