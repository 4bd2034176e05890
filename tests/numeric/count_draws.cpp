#include <catch2/catch.hpp>
#include <uniroute/numeric/count_draws.hpp>

namespace ur = uniroute;

TEST_CASE("binomial masses agree with an independent source") {
  // scipy.stats.binom.pmf
  CHECK(ur::detail::binomial_mass(30, 100, .3) == Approx(0.08678386475342786).epsilon(1e-12));
  CHECK(ur::detail::binomial_mass(1, 20, .05) == Approx(0.37735360253530753).epsilon(1e-12));
  CHECK(ur::detail::binomial_mass(49990, 100000, .5) == Approx(0.002518085054986084).epsilon(1e-10));
}

TEST_CASE("binomial draws have the binomial distribution, by chi-square on each side of the switch of methods") {
  for (const auto& [n, p] : {std::pair{std::uint64_t{10}, .3},
                             {std::uint64_t{40}, .02},
                             {std::uint64_t{60}, .5},
                             {std::uint64_t{500}, .93}}) {
    ur::random_engine draws(7);
    std::vector<double> seen(n + 1, 0);
    const std::size_t count = 40000;
    for (std::size_t t = 0; t < count; ++t) seen[ur::detail::draw_binomial(n, p, draws)] += 1;
    // The masses by recurrence from (1 − p)^n, another way than the draws'.
    double mass = std::pow(1 - p, static_cast<double>(n)), chi = 0, left = 0, expected_left = 0;
    std::size_t freedom = 0;
    for (std::uint64_t k = 0; k <= n; ++k) {
      const double expected = mass * static_cast<double>(count);
      if (expected >= 10) {
        chi += (seen[k] - expected) * (seen[k] - expected) / expected;
        ++freedom;
      } else {
        left += seen[k];
        expected_left += expected;
      }
      mass *= p / (1 - p) * static_cast<double>(n - k) / static_cast<double>(k + 1);
    }
    chi += expected_left > 1 ? (left - expected_left) * (left - expected_left) / expected_left : 0;
    INFO(n << " " << p << " chi " << chi << " of " << freedom);
    // Four standard deviations of a chi-square.
    CHECK(chi < static_cast<double>(freedom) + 4 * std::sqrt(2.0 * static_cast<double>(freedom)) + 4);
  }
  ur::random_engine draws(1);
  CHECK(ur::detail::draw_binomial(0, .5, draws) == 0);
  CHECK(ur::detail::draw_binomial(9, 0, draws) == 0);
  CHECK(ur::detail::draw_binomial(9, 1, draws) == 9);
}

TEST_CASE("multinomial draws spend every prompt and have the right means") {
  const std::vector<double> p{.2, 0, .5, .3};
  std::vector<std::uint64_t> out(4);
  std::vector<double> mean(4, 0);
  ur::random_engine draws(3);
  for (int t = 0; t < 4000; ++t) {
    ur::detail::draw_multinomial(100, p, out, draws);
    CHECK(out[0] + out[1] + out[2] + out[3] == 100);
    for (std::size_t k = 0; k < 4; ++k) mean[k] += static_cast<double>(out[k]) / 4000;
  }
  CHECK(out[1] == 0);
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::fabs(mean[k] - 100 * p[k]) < 4 * std::sqrt(100 * .25 / 4000) + 1e-12);
}
