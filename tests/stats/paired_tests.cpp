#include <catch2/catch.hpp>
#include <uniroute/stats/paired_tests.hpp>

namespace ur = uniroute;

TEST_CASE("Student's t agrees with tables") {
  // Quantiles of any printed table of the t distribution.
  CHECK(ur::student_t_quantile(.05, 9) == Approx(2.262157).epsilon(1e-6));
  CHECK(ur::student_t_quantile(.01, 99) == Approx(2.626405).epsilon(1e-6));
  CHECK(ur::student_t_two_sided(2.262157, 9) == Approx(.05).epsilon(1e-5));
  CHECK(ur::student_t_two_sided(0, 5) == Approx(1));
}

TEST_CASE("the corrected t-test widens the interval by sqrt(1 + n rho)") {
  const std::vector<double> values{1, 2, 3, 4, 5};
  const auto plain = ur::corrected_resampled_t(values, 0), corrected = ur::corrected_resampled_t(values, .25);
  CHECK(plain.mean == Approx(3));
  // s = sqrt(2.5), t(.975, 4) = 2.776445: half width 2.776445 * sqrt(2.5 / 5)
  CHECK(plain.high - plain.mean == Approx(2.776445 * std::sqrt(.5)).epsilon(1e-6));
  CHECK((corrected.high - corrected.mean) / (plain.high - plain.mean) == Approx(std::sqrt(1 + 5 * .25)));
  CHECK(corrected.p_value > plain.p_value);
  CHECK(ur::corrected_resampled_t(std::vector<double>{0, 0, 0}, .3).p_value == 1);
  CHECK_THROWS_AS(ur::corrected_resampled_t({}, 0), std::invalid_argument);
}

TEST_CASE("the sign test is the exact binomial one") {
  CHECK(ur::sign_test(std::vector<double>{1, 1, 1, 1, 1}) == Approx(2. / 32));
  CHECK(ur::sign_test(std::vector<double>{1, 1, 1, 1, -1}) == Approx(12. / 32));
  CHECK(ur::sign_test(std::vector<double>{1, -1, 0, 0}) == 1);
  CHECK(ur::sign_test(std::vector<double>{}) == 1);
}
