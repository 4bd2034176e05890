// What statistics refuse, and small things of their definitions.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <uniroute/stats/stats.hpp>

namespace ur = uniroute;
using Catch::Contains;

TEST_CASE("every interval refuses a level, a sum and values that are none") {
  const std::vector<double> values{0, .5, 1}, odd{0, 1.5}, negative{-.1, .5};
  for (const double bad : {0.0, 1.0, -.1, std::nan("")}) {
    CHECK_THROWS_WITH(ur::hoeffding::make(1, 3, bad), Contains("hoeffding::make"));
    CHECK_THROWS_WITH(ur::exact_binomial::make(1, 3, bad), Contains("exact_binomial::make"));
    CHECK_THROWS_WITH(ur::wilson::make(1, 3, bad), Contains("wilson::make"));
    CHECK_THROWS_WITH(ur::empirical_bernstein::make(1, 1, 3, bad), Contains("empirical_bernstein::make"));
    CHECK_THROWS_WITH(ur::betting::make(values, bad), Contains("betting::make"));
    CHECK_THROWS_WITH(ur::betting::upper(values, bad), Contains("betting::upper"));
    CHECK_THROWS_WITH(ur::betting_rejects_at_least(values, .5, bad), Contains("betting_rejects_at_least"));
  }
  // Means are in [0, 1], and so are the ends.
  for (const double sum : {0.0, 3.0}) {
    for (const ur::interval i : {ur::hoeffding::make(sum, 3, .1), ur::wilson::make(sum, 3, .1),
                                 ur::empirical_bernstein::make(sum, sum, 3, .1)}) {
      CHECK(i.lower >= 0);
      CHECK(i.upper <= 1);
      CHECK((sum == 0 ? i.lower : 1 - i.upper) == Approx(0).margin(1e-12));
    }
  }
  for (const double bad : {-1.0, 3.5}) {
    CHECK_THROWS_AS(ur::hoeffding::make(bad, 3, .1), std::invalid_argument);
    CHECK_THROWS_AS(ur::exact_binomial::make(bad, 3, .1), std::invalid_argument);
    CHECK_THROWS_AS(ur::wilson::make(bad, 3, .1), std::invalid_argument);
    CHECK_THROWS_AS(ur::empirical_bernstein::make(bad, 0, 3, .1), std::invalid_argument);
  }
  for (const double bad : {-.5, 2.5})
    CHECK_THROWS_WITH(ur::empirical_bernstein::make(2, bad, 3, .1), Contains("squares is"));
  CHECK_NOTHROW(ur::empirical_bernstein::make(1e9, 1e9 + .9, 2'000'000'000, .1));  // rounding of a long sum
  for (const auto& bad : {odd, negative}) {
    CHECK_THROWS_WITH(ur::betting::make(bad, .1), Contains("betting::make: values["));
    CHECK_THROWS_WITH(ur::betting::upper(bad, .1), Contains("betting::upper: values["));
    CHECK_THROWS_WITH(ur::betting_rejects_at_least(bad, .5, .1), Contains("betting_rejects_at_least: values["));
    CHECK_THROWS_WITH(ur::betting::make(std::vector<double>{0, 1}, bad, .1), Contains("weights["));
  }
  CHECK_THROWS_WITH(ur::betting::make(values, std::vector<double>{1}, .1), Contains("weights has 1 entries"));
  for (const double bad : {-.1, 1.1})
    CHECK_THROWS_WITH(ur::betting_rejects_at_least(values, bad, .1), Contains("m is"));
  CHECK(ur::betting::upper(std::vector<double>{}, .1) == 1);
  const auto nothing = ur::betting::make(std::vector<double>{}, .1);
  CHECK(nothing.lower == 0);
  CHECK(nothing.upper == 1);
  for (const double bad : {0.0, 1.0}) CHECK_THROWS_AS(ur::normal_upper_quantile(bad), std::invalid_argument);
  // For any count: δ is spent on the n-th as δ / n (n + 1), which sums to δ.
  const auto any = ur::any_time<ur::hoeffding>::make(3, 7, .1), once = ur::hoeffding::make(3, 7, .1 / (7 * 8));
  CHECK(any.lower == once.lower);
  CHECK(any.upper == once.upper);
}

TEST_CASE("paired tests refuse levels and values, and know one value, no spread and any scale") {
  const std::vector<double> v{1, 2, 4};
  CHECK_THROWS_WITH(ur::corrected_resampled_t({}, 0), Contains("values has 0 entries"));
  for (const double bad : {-.1, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH(ur::corrected_resampled_t(v, bad), Contains("rho is"));
  for (const double bad : {0.0, 1.0}) CHECK_THROWS_WITH(ur::corrected_resampled_t(v, 0, bad), Contains("level is"));
  const auto one = ur::corrected_resampled_t(std::vector<double>{3}, .5);
  CHECK(one.mean == 3);
  CHECK(one.low == 3);
  CHECK(one.high == 3);
  CHECK(one.p_value == 1);
  const auto flat = ur::corrected_resampled_t(std::vector<double>{2, 2}, .5),
             nil = ur::corrected_resampled_t(std::vector<double>{0, 0}, .5);
  CHECK(flat.p_value == 0);
  CHECK(nil.p_value == 1);
  CHECK(flat.low == 2);
  const auto base = ur::corrected_resampled_t(v, .3);
  // (1/3 + .3) s², s² = 7/3, two degrees of freedom.
  const double error = std::sqrt((1.0 / 3 + .3) * 7 / 3);
  CHECK(base.mean == Approx(7.0 / 3));
  CHECK(base.high - base.mean == Approx(ur::student_t_quantile(.05, 2) * error));
  CHECK(base.mean - base.low == Approx(ur::student_t_quantile(.05, 2) * error));
  CHECK(base.p_value == Approx(ur::student_t_two_sided(7.0 / 3 / error, 2)));
  for (const double scale : {1e-120, 1e-99, 1e99, 1e120}) {
    std::vector<double> scaled;
    for (const double x : v) scaled.push_back(x * scale);
    const auto s = ur::corrected_resampled_t(scaled, .3);
    CHECK(s.p_value == Approx(base.p_value));
    CHECK(s.high / scale == Approx(base.high));
  }
  CHECK_THROWS_AS(ur::sign_test(std::vector<double>{1, std::nan("")}), std::domain_error);
  CHECK(ur::sign_test(std::vector<double>{0, 0}) == 1);
}

TEST_CASE("Holm steps down until the first that fails, ties and borders included") {
  CHECK(ur::holm(std::vector<double>{.01, .04, .03}, .05) == std::vector<char>{1, 0, 0});
  CHECK(ur::holm(std::vector<double>{.05 / 3, .05 / 2, .05}, .05) == std::vector<char>{1, 1, 1});  // at the border
  CHECK(ur::holm(std::vector<double>{.06, .001, .001}, .05) == std::vector<char>{0, 1, 1});
  CHECK(ur::holm(std::vector<double>{}, .05).empty());
}

TEST_CASE("the cluster bootstrap refuses shapes, and its interval is of the percentiles it says") {
  const std::vector<double> gains{1, 2, 3};
  const std::vector<std::vector<std::string>> pools{{"a", "b"}, {"b", "c"}, {"a", "c"}};
  CHECK_NOTHROW(ur::cluster_bootstrap(gains, pools));
  CHECK_THROWS_AS(ur::cluster_bootstrap({}, {}), std::invalid_argument);
  CHECK_THROWS_AS(ur::cluster_bootstrap(gains, std::vector<std::vector<std::string>>{{"a"}}), std::invalid_argument);
  const auto b = ur::cluster_bootstrap(gains, pools);
  CHECK(b.low >= 1);
  CHECK(b.high <= 3);
  CHECK(b.low <= b.high);
  CHECK(b.clusters == 3);
}
