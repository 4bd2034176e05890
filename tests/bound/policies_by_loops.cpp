// Ways to simultaneous intervals, elimination, heterogeneity and searched claims beside their definitions in plain
// loops.

#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

using column = std::vector<double>;

struct sample {
  ur::label_vector labels;
  ur::loss_matrix losses;
  std::vector<std::size_t> columns{2, 0};  // the pool, against the table's order
  std::size_t cells = 3;

  ur::cell_outcomes outcomes() const { return {labels, losses, cells, columns}; }
  /// Observed losses of the pool's h in cell k.
  column in(std::size_t k, std::size_t h) const {
    column out;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] == k && !ur::is_missing(losses(i, columns[h]))) out.push_back(losses(i, columns[h]));
    }
    return out;
  }
};

sample drawn(std::uint64_t seed, bool graded, double missing, bool empty_cell = false) {
  ur::random_engine engine(seed);
  sample out;
  const std::size_t n = 40;
  out.losses = ur::make_matrix<double>(n, 3);
  for (std::size_t i = 0; i < n; ++i) {
    out.labels.push_back(static_cast<std::uint32_t>(engine.below(empty_cell ? 2 : 3)));
    for (std::size_t h = 0; h < 3; ++h) {
      const double mean = .1 + .3 * static_cast<double>((h + out.labels[i]) % 3);
      const double loss = graded ? .5 * mean + .5 * engine.uniform() : engine.uniform() < mean ? 1 : 0;
      out.losses(i, h) = engine.uniform() < missing ? ur::missing : loss;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("inverse probability intervals are those of weighted losses, divided by the least probability") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const auto s = drawn(seed, seed % 2 == 0, .3, seed % 3 == 0);
    ur::random_engine engine(seed + 50);
    auto probability = ur::make_matrix<double>(40, 3);
    const double least = .25, delta = .2;
    for (double& p : probability) p = least + (1 - least) * engine.uniform();
    const auto box = ur::inverse_probability<ur::betting>{probability, least}.make(s.outcomes(), delta);
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t h = 0; h < 2; ++h) {
        column values;
        for (std::size_t i = 0; i < 40; ++i) {
          if (s.labels[i] != k) continue;
          const double loss = s.losses(i, s.columns[h]);
          values.push_back(ur::is_missing(loss) ? 0 : loss * least / probability(i, s.columns[h]));
        }
        const auto scaled = ur::betting::make(values, delta / 6);
        CHECK(box.lower(k, h) == Approx(values.empty() ? 0 : std::min(1.0, scaled.lower / least)));
        CHECK(box.upper(k, h) == Approx(values.empty() ? 1 : std::min(1.0, scaled.upper / least)));
      }
    }
    auto other = probability;
    other(3, 1) = .2;
    CHECK_THROWS_AS((ur::inverse_probability<ur::betting>{other, least}), std::domain_error);
    other(3, 1) = 1.01;
    CHECK_THROWS_AS((ur::inverse_probability<ur::betting>{other, least}), std::domain_error);
    CHECK_THROWS_AS((ur::inverse_probability<ur::betting>{probability, 0}), std::invalid_argument);
    CHECK_THROWS_AS((ur::inverse_probability<ur::betting>{ur::make_matrix<double>(2, 2, 1.0), 1.01}),
                    std::invalid_argument);
    CHECK_NOTHROW((ur::inverse_probability<ur::betting>{ur::make_matrix<double>(2, 2, 1.0), 1}));
    CHECK_THROWS_AS(
        (ur::inverse_probability<ur::betting>{ur::make_matrix<double>(40, 2, 1.0), 1}.make(s.outcomes(), .1)),
        std::invalid_argument);
    for (const double bad : {0.0, 1.0})
      CHECK_THROWS_AS((ur::inverse_probability<ur::betting>{probability, least}.make(s.outcomes(), bad)),
                      std::invalid_argument);
  }
}

TEST_CASE("the multiplier bootstrap is the quantile of the largest studentised sum of residuals times normals") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto s = drawn(seed, seed % 2 == 0, .2, seed % 3 == 0);
    const double delta = .15;
    const std::size_t draws = 100 + 20 * (seed % 3);
    const auto box = ur::multiplier_bootstrap{{.draws = draws, .seed = seed}}.make(s.outcomes(), delta);
    column largest;
    for (std::size_t b = 0; b < draws; ++b) {
      ur::random_engine engine(ur::derive_seed(seed, b));
      column g;
      for (std::size_t i = 0; i < 40; ++i) g.push_back(engine.normal());
      double most = 0;
      for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t h = 0; h < 2; ++h) {
          const column values = s.in(k, h);
          if (values.empty()) continue;
          const double n = static_cast<double>(values.size());
          double mean = 0, squares = 0, sum = 0;
          for (const double v : values) mean += v / n;
          for (const double v : values) squares += (v - mean) * (v - mean);
          for (std::size_t i = 0; i < 40; ++i) {
            const double loss = s.losses(i, s.columns[h]);
            if (s.labels[i] == k && !ur::is_missing(loss)) sum += g[i] * (loss - mean);
          }
          // The variance as if one more outcome had been half a loss away.
          most = std::max(most, std::fabs(sum) / std::sqrt(n * (squares + .5) / (n + 1)));
        }
      }
      largest.push_back(most);
    }
    std::sort(largest.begin(), largest.end());
    const double q =
        largest[std::min(draws - 1, static_cast<std::size_t>(std::ceil((1 - delta) * static_cast<double>(draws))))];
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t h = 0; h < 2; ++h) {
        const column values = s.in(k, h);
        const double n = static_cast<double>(values.size());
        double mean = 0, squares = 0;
        for (const double v : values) mean += v / n;
        for (const double v : values) squares += (v - mean) * (v - mean);
        const double half = q * std::sqrt(n * (squares + .5) / (n + 1)) / n;
        CHECK(box.lower(k, h) == Approx(values.empty() ? 0 : std::max(0.0, mean - half)).margin(1e-12));
        CHECK(box.upper(k, h) == Approx(values.empty() ? 1 : std::min(1.0, mean + half)).margin(1e-12));
      }
    }
  }
  CHECK_NOTHROW(ur::multiplier_bootstrap{{.draws = 100}});
  CHECK_THROWS_AS(ur::multiplier_bootstrap({.draws = 99}), std::invalid_argument);
  const auto s = drawn(1, true, 0);
  for (const double bad : {0.0, 1.0})
    CHECK_THROWS_AS(ur::multiplier_bootstrap{}.make(s.outcomes(), bad), std::invalid_argument);
}

TEST_CASE("elimination is Holm's over betting tests of paired differences") {
  std::size_t eliminated = 0, spared = 0, by_cost = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 120, m = 3;
    ur::label_vector labels;
    auto losses = ur::make_matrix<double>(n, m);
    for (std::size_t i = 0; i < n; ++i) {
      labels.push_back(static_cast<std::uint32_t>(engine.below(2)));
      for (std::size_t h = 0; h < m; ++h)
        losses(i, h) = engine.uniform() < .1                                  ? ur::missing
                       : engine.uniform() < .1 + .35 * static_cast<double>(h) ? 1
                                                                              : 0;
    }
    const column costs{1, seed % 4 == 0 ? 40.0 : 2.0, 3};
    const double lambda = .05, delta = .1;
    const std::vector<std::uint32_t> choices{0, static_cast<std::uint32_t>(engine.below(2))};
    for (const auto origin : {ur::choice_origin::this_sample, ur::choice_origin::other_sample}) {
      const auto out = ur::eliminate({labels, losses, 2}, choices, costs, lambda, delta, origin);
      struct test {
        std::size_t k, r, h;
        double p;
      };
      std::vector<test> tests;
      auto expected = ur::make_matrix<char>(2, m, 0);
      const double hypotheses = origin == ur::choice_origin::this_sample ? 2 * 3 * 2 : 2 * 2;
      for (std::size_t k = 0; k < 2; ++k) {
        for (std::size_t r = 0; r < m; ++r) {
          if (origin == ur::choice_origin::other_sample && r != choices[k]) continue;
          for (std::size_t h = 0; h < m; ++h) {
            const double dearer = lambda * (costs[r] - costs[h]);
            if (h == r || dearer >= 1) continue;
            if (dearer < -1) {  // costs alone decide
              if (r == choices[k]) expected(k, h) = 1;
              by_cost += 1;
              continue;
            }
            column values;
            for (std::size_t i = 0; i < n; ++i) {
              if (labels[i] == k && !ur::is_missing(losses(i, r)) && !ur::is_missing(losses(i, h)))
                values.push_back((losses(i, h) - losses(i, r) + 1) / 2);
            }
            // p: one over the most capital in the order of bets, against "the mean is at most (dearer + 1) / 2".
            column order = values, none;
            ur::detail::shuffle_for_bets(order, none, ur::detail::betting_seed);
            const auto bets = ur::detail::plug_in_bets(order, {}, delta / hypotheses);
            double capital = 1, most = 1;
            for (std::size_t t = 0; t < order.size(); ++t) {
              const double mean = (dearer + 1) / 2;
              capital *= 1 + std::min(bets[t], .75 / mean) * (order[t] - mean);
              most = std::max(most, capital);
            }
            tests.push_back({k, r, h, 1 / most});
          }
        }
      }
      std::stable_sort(tests.begin(), tests.end(), [](const test& a, const test& b) { return a.p < b.p; });
      for (std::size_t t = 0; t < tests.size(); ++t) {
        if (tests[t].p > delta / static_cast<double>(tests.size() - t)) break;
        if (tests[t].r == choices[tests[t].k]) expected(tests[t].k, tests[t].h) = 1;
      }
      for (std::size_t k = 0; k < 2; ++k) {
        for (std::size_t h = 0; h < m; ++h) {
          CHECK(int(out(k, h)) == int(expected(k, h)));
          (out(k, h) ? eliminated : spared) += 1;
        }
      }
    }
  }
  CHECK(eliminated > 60);
  CHECK(spared > 60);
  CHECK(by_cost > 5);
  const ur::label_vector labels{0, 1};
  const auto losses = ur::make_matrix<double>(2, 2, .5);
  const std::vector<std::uint32_t> choices{0, 1};
  CHECK_THROWS_AS(ur::eliminate({labels, losses, 2}, choices, column{1}, 0, .1), std::invalid_argument);
  CHECK_THROWS_AS(ur::eliminate({labels, losses, 2}, std::vector<std::uint32_t>{0}, column{1, 1}, 0, .1),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::eliminate({labels, losses, 2}, std::vector<std::uint32_t>{0, 2}, column{1, 1}, 0, .1),
                  std::invalid_argument);
  CHECK_THROWS_AS(ur::eliminate({labels, losses, 2}, choices, column{1, 1}, 0, 1), std::invalid_argument);
}

TEST_CASE("heterogeneity is the mean product of neighbours' residuals, with what the mean took off put back") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    auto s = drawn(seed, seed % 2 == 0, .2);
    s.labels[0] = 2;  // a cell of its own where the others leave one
    ur::random_engine engine(seed + 9);
    auto x = ur::make_matrix<float>(40, 2);
    for (float& v : x) v = static_cast<float>(engine.normal());
    const auto out = ur::estimate_heterogeneity(s.outcomes(), x);
    const auto distance = [&](std::size_t i, std::size_t j) {
      const double a = static_cast<double>(x(i, 0)) - static_cast<double>(x(j, 0)),
                   b = static_cast<double>(x(i, 1)) - static_cast<double>(x(j, 1));
      return std::sqrt(a * a + b * b);
    };
    double near = 0, pairs = 0, all = 0, all_pairs = 0, total = 0, weight = 0;
    auto products = ur::make_matrix<double>(3, 2, 0.0), counts = products;
    for (std::size_t i = 0; i < 40; ++i) {
      std::size_t nearest = i;
      for (std::size_t j = 0; j < 40; ++j) {
        if (j == i || s.labels[j] != s.labels[i]) continue;
        all += distance(i, j);
        all_pairs += 1;
        if (nearest == i || distance(i, j) < distance(i, nearest)) nearest = j;
      }
      if (nearest == i) continue;
      near += distance(i, nearest);
      pairs += 1;
      for (std::size_t h = 0; h < 2; ++h) {
        const double mine = s.losses(i, s.columns[h]), theirs = s.losses(nearest, s.columns[h]);
        if (ur::is_missing(mine) || ur::is_missing(theirs)) continue;
        const column values = s.in(s.labels[i], h);
        double mean = 0;
        for (const double v : values) mean += v / static_cast<double>(values.size());
        products(s.labels[i], h) += (mine - mean) * (theirs - mean);
        counts(s.labels[i], h) += 1;
      }
    }
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t h = 0; h < 2; ++h) {
        const column values = s.in(k, h);
        const double n = static_cast<double>(values.size());
        double mean = 0, variance = 0;
        for (const double v : values) mean += v / n;
        for (const double v : values) variance += (v - mean) * (v - mean) / (n - 1);
        const double sum = products(k, h) + (n > 1 ? counts(k, h) * variance / n : 0);
        total += sum;
        weight += counts(k, h);
        CHECK(out.deviations(k, h) ==
              Approx(counts(k, h) > 0 ? std::sqrt(std::max(0.0, sum / counts(k, h))) : 0).margin(1e-12));
      }
    }
    CHECK(out.typical_deviation == Approx(std::sqrt(std::max(0.0, total / weight))).margin(1e-12));
    CHECK(out.neighbour_distance == Approx(near / pairs));
    CHECK(out.cell_distance == Approx(all / all_pairs));
    CHECK(out.pairs == static_cast<std::size_t>(pairs));
    CHECK_THROWS_AS(ur::estimate_heterogeneity(s.outcomes(), ur::make_matrix<float>(39, 2, 0.0F)),
                    std::invalid_argument);
  }
}

TEST_CASE("a claim's world is read off its point, and its sides are what they are called") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    ur::random_engine engine(seed);
    column point;
    for (std::size_t d = 0; d < ur::detail::claim_world::dimension; ++d) point.push_back(engine.uniform());
    const bool hard = seed % 2 == 0;
    const ur::detail::claim_world w(point, hard);
    // Coordinates in the order that the world says: weights, memberships, losses given the cell, costs, λ, estimates,
    // ends.
    double sum = 0;
    for (std::size_t i = 0; i < 4; ++i) sum += point[i] + 1e-3;
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(w.p.weights[i] == Approx((point[i] + 1e-3) / sum));
      const double a = point[4 + 2 * i] + 1e-9, b = point[5 + 2 * i] + 1e-9,
                   first = hard ? (a >= b ? 1 : 0) : a / (a + b);
      CHECK(w.phi(i, 0) == Approx(first));
      CHECK(w.phi(i, 1) == Approx(1 - first));
      for (std::size_t h = 0; h < 3; ++h)
        CHECK(w.p.expected_losses(i, h) == Approx(first * point[12 + 3 * i + h] + (1 - first) * point[24 + 3 * i + h]));
    }
    for (std::size_t h = 0; h < 3; ++h) CHECK(w.p.costs(0, h) == point[36 + h]);
    CHECK(w.lambda == point[39]);
    // Ψ*_k(h) = E[Φ_k ℓ_h] / E[Φ_k], with losses given the cell.
    double psi[2][3], share[2] = {0, 0};
    for (std::size_t k = 0; k < 2; ++k) {
      for (std::size_t i = 0; i < 4; ++i) share[k] += w.p.weights[i] * w.phi(i, k);
      for (std::size_t h = 0; h < 3; ++h) {
        double loss = 0;
        for (std::size_t i = 0; i < 4; ++i) loss += w.p.weights[i] * w.phi(i, k) * point[12 + 12 * k + 3 * i + h];
        psi[k][h] = share[k] > 0 ? loss / share[k] : 0;
        CHECK(w.profiles(k, h) == point[40 + 3 * k + h]);
        if (share[k] == 0) continue;
        CHECK(w.box.lower(k, h) == Approx(std::max(0.0, psi[k][h] - point[46 + 3 * k + h])).margin(1e-12));
        CHECK(w.box.upper(k, h) == Approx(std::min(1.0, psi[k][h] + point[52 + 3 * k + h])));
      }
      CHECK(w.shares[k].lower == Approx(std::max(0.0, share[k] - point[58 + 2 * k])).margin(1e-12));
      CHECK(w.shares[k].upper == Approx(std::min(1.0, share[k] + point[59 + 2 * k])));
    }
    if (share[0] == 0 || share[1] == 0) continue;
    double truth = 0, gap = 0, hindsight = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      std::size_t r = 0;
      double least = 1e9;
      for (std::size_t h = 0; h < 3; ++h) {
        const double j = w.phi(i, 0) * w.profiles(0, h) + w.phi(i, 1) * w.profiles(1, h) + w.lambda * point[36 + h];
        if (j < least) {
          least = j;
          r = h;
        }
      }
      double excess = 0, seen = 0;
      for (std::size_t h = 0; h < 3; ++h) {
        if (h == r) continue;
        double a = w.lambda * (point[36 + r] - point[36 + h]), b = a;
        for (std::size_t k = 0; k < 2; ++k) {
          a += w.phi(i, k) * (psi[k][r] - psi[k][h]);
          b += w.phi(i, k) * (w.box.upper(k, r) - w.box.lower(k, h));
        }
        excess = std::max(excess, a);
        seen = std::max(seen, b);
      }
      truth += w.p.weights[i] * excess;
      gap += w.p.weights[i] * seen;
      // E[ℓ_r + λ c_r − min_h (ℓ_h + λ c_h)] over 8 patterns of independent answers.
      double best = 0;
      for (int pattern = 0; pattern < 8; ++pattern) {
        double probability = 1, minimum = 1e9;
        for (std::size_t h = 0; h < 3; ++h) {
          const bool wrong = pattern >> h & 1;
          probability *= wrong ? w.p.expected_losses(i, h) : 1 - w.p.expected_losses(i, h);
          minimum = std::min(minimum, (wrong ? 1 : 0) + w.lambda * point[36 + h]);
        }
        best += probability * minimum;
      }
      hindsight += w.p.weights[i] * (w.p.expected_losses(i, r) + w.lambda * point[36 + r] - best);
    }
    CHECK(w.soft_gap().truth == Approx(truth).margin(1e-12));
    CHECK(w.soft_gap().bound == Approx(gap).margin(1e-12));
    CHECK(w.hindsight().bound == Approx(hindsight).margin(1e-12));
  }
  CHECK(ur::claim_value{.5, .25}.ratio() == Approx(2));
  CHECK(ur::claim_value{0, 0}.ratio() == 0);
  CHECK(ur::claim_value{1e-13, 0}.ratio() < 1);
  CHECK(ur::claim_value{.5, .25}.broken());
  CHECK_FALSE(ur::claim_value{.25, .25}.broken());
}

TEST_CASE("planning spreads 0-1 losses evenly where the interval reads a sequence") {
  for (const double mean : {.1, .35, .5}) {
    for (const std::size_t n : {std::size_t{7}, std::size_t{40}}) {
      // As many ones among the first i as i · mean, rounded: the sequence of the definition.
      column values;
      double before = 0;
      for (std::size_t i = 1; i <= n; ++i) {
        const double now = std::floor(mean * static_cast<double>(i) + .5);
        values.push_back(now - before);
        before = now;
      }
      const auto expected = ur::betting::make(values, .1), got = ur::detail::planned_interval<ur::betting>(mean, n, .1);
      CHECK(got.lower == expected.lower);
      CHECK(got.upper == expected.upper);
      const auto moments = ur::detail::planned_interval<ur::empirical_bernstein>(mean, n, .1);
      CHECK(moments.upper ==
            ur::empirical_bernstein::make(mean * static_cast<double>(n), mean * static_cast<double>(n), n, .1).upper);
    }
  }
}
