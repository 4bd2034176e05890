#include <catch2/catch.hpp>
#include <uniroute/stats/stats.hpp>

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

TEST_CASE("the cluster bootstrap draws LLMs: no spread between them is no width, and it knows few from many") {
  const std::vector<std::vector<std::string>> pools{{"a", "b"}, {"a"}, {"b"}};
  const auto flat = ur::cluster_bootstrap(std::vector<double>{2, 2, 2}, pools);
  CHECK(flat.low == 2);
  CHECK(flat.high == 2);
  CHECK(flat.clusters == 2);
  // Two LLMs with means 0 and 1: a quarter of the draws are 0, a quarter 1.
  const auto wide =
      ur::cluster_bootstrap(std::vector<double>{0, 1}, std::vector<std::vector<std::string>>{{"a"}, {"b"}});
  CHECK(wide.low == 0);
  CHECK(wide.high == 1);
  // Many LLMs: a normal interval of half width 1.96 s / sqrt(M), to within a tenth of it.
  std::vector<double> values;
  std::vector<std::vector<std::string>> many;
  for (int m = 0; m < 400; ++m) {
    values.push_back(m % 2);
    many.push_back({std::to_string(m)});
  }
  const auto narrow = ur::cluster_bootstrap(values, many);
  CHECK(narrow.high - narrow.low == Approx(2 * 1.96 * .5 / 20).epsilon(.1));
  // Pools of two whose value is the mean of their LLMs' own: as wide as if each LLM had been a trial.
  std::vector<double> pair_values;
  std::vector<std::vector<std::string>> pairs;
  for (int a = 0; a < 30; ++a) {
    for (int b = 0; b < a; ++b) {
      pair_values.push_back((a % 2 + b % 2) / 2.);
      pairs.push_back({std::to_string(a), std::to_string(b)});
    }
  }
  const auto paired = ur::cluster_bootstrap(pair_values, pairs);
  CHECK(paired.high - paired.low == Approx(2 * 1.96 * .5 / std::sqrt(30)).epsilon(.15));
  CHECK_THROWS_AS(ur::cluster_bootstrap(values, pools), std::invalid_argument);
}
