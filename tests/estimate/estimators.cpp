#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("cell means by hand: missing outcomes are left out and empty cells fall back by name") {
  const ur::label_vector labels{0, 0, 0, 1, 1, 2};
  const std::vector<double> losses{1, 0, ur::missing, 1, 1, ur::missing};
  const auto s = ur::summarise_cells(labels, losses, 4);
  CHECK(s.observed == 4);
  const auto p = ur::cell_mean{}.estimate(s);
  CHECK(p.losses == std::vector<double>{0.5, 1, 0.75, 0.75});
  CHECK(p.counts == std::vector<double>{2, 2, 0, 0});
  CHECK(ur::cell_mean{{.empty_cell = ur::empty_cell_fallback::one}}.estimate(s).losses[3] == 1);
}

TEST_CASE("soft cells weigh by membership, and count effectively") {
  auto phi = ur::make_matrix<double>(2, 2);
  phi(0, 0) = .75;
  phi(0, 1) = .25;
  phi(1, 0) = .25;
  phi(1, 1) = .75;
  const auto p = ur::cell_mean{}.estimate(ur::summarise_cells(phi, std::vector<double>{1, 0}));
  CHECK(p.losses[0] == Approx(.75));
  CHECK(p.losses[1] == Approx(.25));
  CHECK(p.counts[0] == Approx(1 / (.75 * .75 + .25 * .25)));
}

TEST_CASE("memberships too small to square are an empty cell, not NaN") {
  auto phi = ur::make_matrix<double>(1, 2);
  phi(0, 0) = 1;
  phi(0, 1) = 1e-200;
  const auto p = ur::cell_mean{}.estimate(ur::summarise_cells(phi, std::vector<double>{1}));
  CHECK(p.losses[1] == 1);
  CHECK(p.counts[1] == 0);
}

TEST_CASE("a given strength pulls each cell by hand") {
  const auto s = ur::summarise_cells(ur::label_vector{0, 0, 1, 1}, std::vector<double>{1, 1, 0, 0}, 2);
  const auto p = ur::shrunken_mean{{.strength = 2.0}}.estimate(s);
  CHECK(p.losses[0] == Approx(.75));
  CHECK(p.losses[1] == Approx(.25));
  CHECK(ur::shrunken_mean{{.strength = 0.0}}.estimate(s).losses == std::vector<double>{1, 0});
  CHECK(ur::shrunken_mean{{.strength = INFINITY}}.estimate(s).losses == std::vector<double>{.5, .5});
  CHECK_THROWS_AS(ur::shrunken_mean({.strength = -1.0}), std::invalid_argument);
}

TEST_CASE("empirical Bayes recovers the strength of a simulated population") {
  // Cell means drawn with variance tau², outcomes Bernoulli: m = E[p (1 - p)] / tau². Means are uniform on [.5 - a, .5
  // + a].
  const double a = .3, tau = a * a / 3, within = .25 - tau;
  ur::random_engine draws(4);
  std::vector<ur::cell_statistics> seen;
  for (int h = 0; h < 40; ++h) {
    ur::label_vector labels;
    std::vector<double> losses;
    for (std::uint32_t k = 0; k < 20; ++k) {
      const double mean = .5 - a + 2 * a * draws.uniform();
      for (int i = 0; i < 40; ++i) {
        labels.push_back(k);
        losses.push_back(draws.uniform() < mean ? 1 : 0);
      }
    }
    seen.push_back(ur::summarise_cells(labels, losses, 20));
  }
  ur::shrunken_mean estimator;
  estimator.fit(seen);
  REQUIRE(estimator.pooled_strength());
  // 800 cell means: the estimated tau² has a relative error of about sqrt(2 / 800) plus noise; 25% is five of them.
  CHECK(*estimator.pooled_strength() == Approx(within / tau).epsilon(.25));
}

TEST_CASE("cells without any difference are shrunk to the overall mean") {
  ur::label_vector labels;
  std::vector<double> losses;
  for (std::uint32_t k = 0; k < 10; ++k) {
    for (int i = 0; i < 20; ++i) {
      labels.push_back(k);
      losses.push_back(i % 2);
    }
  }
  const auto p = ur::shrunken_mean{}.estimate(ur::summarise_cells(labels, losses, 10));
  for (const double loss : p.losses) CHECK(loss == .5);
}

TEST_CASE("a saved estimator estimates the same, an infinite strength included") {
  const auto s = ur::summarise_cells(ur::label_vector{0, 0, 1, 1}, std::vector<double>{1, 0, 1, 0}, 2);
  ur::shrunken_mean fitted;
  const std::vector<ur::cell_statistics> seen{s, s};
  fitted.fit(seen);
  ur::shrunken_mean copy;
  copy.load(fitted.save());
  CHECK(copy.pooled_strength() == fitted.pooled_strength());
  CHECK(copy.estimate(s).losses == fitted.estimate(s).losses);
}

TEST_CASE("outcomes are summed by cell in blocks, with the missing left out wherever they are") {
  constexpr std::size_t n = 5003, cells = 7;
  ur::random_engine draws(3);
  std::vector<std::uint32_t> labels(n);
  std::vector<double> losses(n);
  for (std::size_t i = 0; i < n; ++i) {
    labels[i] = static_cast<std::uint32_t>(draws.below(cells));
    losses[i] = static_cast<double>(draws.below(257)) / 256;  // sums are exact in any order
  }
  for (const std::size_t gap : {n, std::size_t{1}, std::size_t{1023}, std::size_t{4100}}) {
    if (gap < n) losses[gap] = ur::missing;
    std::vector<double> sum(cells, 0.0), count(cells, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      if (ur::is_missing(losses[i])) continue;
      sum[labels[i]] += losses[i];
      count[labels[i]] += 1;
    }
    const auto found = ur::summarise_cells(labels, losses, cells);
    CHECK(found.sum == sum);
    CHECK(found.weight == count);
  }
}

TEST_CASE("losses are checked at every place, up to the last bit") {
  std::vector<double> losses(200, 0.5);
  losses[3] = 0;
  losses[4] = -0.0;
  losses[5] = 1;
  losses[6] = std::numeric_limits<double>::denorm_min();
  CHECK(ur::detail::all_observed(losses));
  const double bad[] = {std::nextafter(1.0, 2.0),
                        -std::numeric_limits<double>::denorm_min(),
                        -1,
                        -1e300,
                        1e300,
                        std::numeric_limits<double>::infinity(),
                        -std::numeric_limits<double>::infinity(),
                        std::numeric_limits<double>::quiet_NaN(),
                        -std::numeric_limits<double>::quiet_NaN()};
  for (const double value : bad) {
    for (const std::size_t at : {0, 63, 64, 130, 199}) {
      auto wrong = losses;
      wrong[at] = value;
      CHECK_FALSE(ur::detail::all_observed(wrong));
      CHECK_THROWS_AS(ur::detail::check_losses("f", "losses", wrong), std::domain_error);
      wrong[at] = ur::missing;
      CHECK_FALSE(ur::detail::all_observed(wrong));
      CHECK_NOTHROW(ur::detail::check_losses("f", "losses", wrong));
    }
  }
}

TEST_CASE("three outcomes in two cells are enough to tell how cells differ") {
  // 0, 0 in the first and 1 in the second: nothing varies within, so that nothing is pulled.
  const auto s = ur::summarise_cells(ur::label_vector{0, 0, 1}, std::vector<double>{0, 0, 1}, 2);
  const auto p = ur::shrunken_mean{}.estimate(s);
  CHECK(p.losses[0] == 0);
  CHECK(p.losses[1] == 1);
}
