// Faults that others have had, and that we had too: charts, statistics, curves.

#include <catch2/catch.hpp>
#include <clocale>
#include <cmath>
#include <limits>
#include <support/skip.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double largest = std::numeric_limits<double>::max();

std::string chart(std::vector<std::pair<double, double>> points) {
  return ur::line_chart({{"a line", std::move(points)}}, {.title = "t", .x = "x", .y = "y"});
}

}  // namespace

TEST_CASE("ticks end, however narrow or wide the range is") {
  for (const double at : {0.0, .9, 1.0, -3.0, 1e9, 1e16, 1e17, -1e17, 5e-324, 1e300, largest, -largest}) {
    for (const double to : {at, std::nextafter(at, infinite), at + 1e-12, at + 1}) {
      if (!std::isfinite(to)) continue;
      CAPTURE(at, to);
      const auto ticks = ur::detail::round_ticks(at, to, 5);
      REQUIRE(ticks.size() >= 2);
      CHECK(ticks.size() <= 30);
      CHECK(ticks.front() <= at);
      CHECK(ticks.back() >= to);
      CHECK(std::is_sorted(ticks.begin(), ticks.end()));
      CHECK(ticks.back() > ticks.front());
    }
  }
  CHECK(ur::detail::round_ticks(0, 1, 5) == std::vector<double>{0, .2, .4, .6000000000000001, .8, 1});
  CHECK(ur::detail::round_ticks(-1e308, 1e308, 4).size() >= 4);
  CHECK(ur::detail::round_ticks(-largest, largest, 4).size() >= 2);
}

TEST_CASE("charts refuse what is not finite, and draw what is") {
  for (const double y : {infinite, -infinite, std::nan("")}) {
    CHECK_THROWS_AS(chart({{0, 0}, {1, y}}), std::domain_error);
    CHECK_THROWS_AS(chart({{y, 0}}), std::domain_error);
    CHECK_THROWS_AS(ur::interval_chart({{"m", 0, -1, y}}, "t", "x"), std::domain_error);
    CHECK_THROWS_AS(ur::stacked_chart({0, y}, ur::make_matrix<double>(2, 1, 1.0), {"a"}, {}), std::domain_error);
    CHECK_THROWS_AS(ur::stacked_chart({0, 1}, ur::make_matrix<double>(2, 1, y), {"a"}, {}), std::domain_error);
  }
  CHECK_THROWS_WITH(chart({{0, std::nan("")}}),
                    Catch::Contains("line_chart: a point of 'a line' is (0, nan), but must be finite"));
  CHECK_THROWS_AS(ur::heat_map(ur::make_matrix<double>(1, 1, infinite), {"r"}, {"c"}, "t"), std::domain_error);
  CHECK_NOTHROW(ur::heat_map(ur::make_matrix<double>(1, 1, ur::missing), {"r"}, {"c"}, "t"));
  CHECK_THROWS_AS(ur::stacked_chart({1, 1}, ur::make_matrix<double>(2, 1, 1.0), {"a"}, {}), std::invalid_argument);
  for (const auto& points : std::vector<std::vector<std::pair<double, double>>>{
           {{0, 1e17}, {1, 1e17}}, {{0, largest}, {1, -largest}}, {{0, 0}, {1, 5e-324}}, {{1e16, 0}}, {{-1e300, .9}}}) {
    const std::string svg = chart(points);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.find("<path d=\"M") != std::string::npos);
  }
}

TEST_CASE("pictures and messages are the same in every locale", "[outside]") {
  const auto draw = [] {
    return chart({{0, .25}, {1, .75}}) + ur::heat_map(ur::make_matrix<double>(1, 1, .5), {"r"}, {"c"}, "t") +
           ur::detail::text(-.5, " ", 1e-7, " ", 123456.789);
  };
  const std::string here = draw();
  CHECK(ur::detail::text(-.5) == "-0.5");
  CHECK(ur::detail::text(1. / 3, " ", 1e20, " ", 100.0) == "0.3333333333 1e+20 100");
  bool tried = false;
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    tried = true;
    CHECK(draw() == here);
    std::setlocale(LC_ALL, "C");
  }
  if (!tried) uniroute_tests::skip("no locale with a decimal comma is installed");
}

TEST_CASE("names are cut between characters, and counted in them") {
  const std::string subject = "数学与逻辑推理综合测试题库";
  CHECK(ur::detail::count_code_points(subject) == 13);
  CHECK(ur::detail::shortened(subject, 13) == subject);
  CHECK(ur::detail::shortened(subject, 5) == "数学与逻…");
  CHECK(ur::detail::shortened("abcdef", 4) == "abc…");
  const std::string map =
      ur::heat_map(ur::make_matrix<double>(1, 1, .5),
                   {"通义千问-Qwen2.5-七十二亿-指令微调版-以及一个更长的名字还要再长一些"}, {subject}, "t");
  CHECK(ur::detail::first_invalid_utf8(map) == map.size());
  CHECK(map.find(subject) != std::string::npos);  // 13 characters of 22
}

TEST_CASE("the t-test refuses what is not finite, and knows no scale") {
  for (const double wrong : {std::nan(""), infinite, -infinite}) {
    CHECK_THROWS_AS(ur::corrected_resampled_t(std::vector<double>{wrong, 1, 2}, 0), std::domain_error);
    CHECK_THROWS_AS(ur::cluster_bootstrap(std::vector<double>{wrong}, std::vector<std::vector<std::string>>{{"a"}}),
                    std::domain_error);
  }
  CHECK_THROWS_AS(ur::sign_test(std::vector<double>{std::nan(""), 1, 1}), std::domain_error);
  CHECK(ur::sign_test(std::vector<double>{infinite, 1, 1}) == .25);
  // scipy.stats.ttest_1samp([1, 2], 0), scipy 1.17.
  for (const double scale : {1.0, 1e-180, 1e180, 1e300, 1e-300}) {
    const auto t = ur::corrected_resampled_t(std::vector<double>{scale, 2 * scale}, 0);
    CAPTURE(scale);
    CHECK(t.p_value == Approx(.20483276469913345).epsilon(1e-12));
    CHECK(t.mean == Approx(1.5 * scale));
    CHECK(t.low < t.mean);
  }
  CHECK(ur::corrected_resampled_t(std::vector<double>{0, 0}, 0).p_value == 1);
  CHECK(ur::corrected_resampled_t(std::vector<double>{1, 1}, 0).p_value == 0);
}

TEST_CASE("of points of equal cost, envelopes keep the better") {
  // Computed from the definitions in numpy.
  ur::deferral_curve curve;
  for (const auto& [lambda, cost, quality] :
       {std::tuple{0., 3., .95}, std::tuple{.1, 1., .9}, std::tuple{.2, 1., .5}, std::tuple{.3, 0., .4}})
    curve.points.push_back({lambda, cost, quality, 1});
  const ur::pool_range pool{0, .4, 3};
  const ur::curve_function hull(curve, pool, ur::hull_convention), running(curve, pool, ur::prototype_convention),
      plain(curve, pool);
  CHECK(hull(1) == Approx(.9));
  CHECK(*ur::normalised_area(hull) == Approx(.8333333333333333));
  CHECK(running(1) == Approx(.9));
  CHECK(plain(1) == Approx(.7));
}

TEST_CASE("costs of a curve do not drift, and are never below 0") {
  std::size_t wrong = 0;
  for (std::uint64_t t = 0; t < 100; ++t) {
    ur::random_engine draws(t);
    const std::size_t n = 50 + draws.below(300);
    auto losses = ur::make_matrix<double>(n, 3, 0.0), costs = losses, predicted = losses;
    for (std::size_t i = 0; i < n; ++i) {
      costs(i, 1) = 1e-6 * static_cast<double>(1 + draws.below(1000));
      costs(i, 2) = 1e-3 + 1e-4 * static_cast<double>(draws.below(1000));
      predicted(i, 0) = .9;
      predicted(i, 1) = .5 + 1e-3 * static_cast<double>(draws.below(100));
      predicted(i, 2) = 1e-3 * static_cast<double>(draws.below(100));
    }
    wrong += ur::trace_curve(predicted, costs, losses, costs).points.back().cost != 0 ? 1u : 0u;
    const ur::population p{std::vector<double>(n, 1 / static_cast<double>(n)), losses, costs, {}, {}, false};
    for (const auto& step : ur::trace_regret(p, predicted, costs)) {
      CHECK(step.rule.cost >= 0);
      CHECK(step.best.cost >= 0);
    }
  }
  CHECK(wrong == 0);
  // Tiny costs beside huge ones: the mean of what is left, as summed afresh.
  const std::size_t n = 1000;
  auto losses = ur::make_matrix<double>(n, 2, 0.0), costs = losses, predicted = losses;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    costs(i, 0) = 1e-9 * (1 + static_cast<double>(i % 7) / 7);
    costs(i, 1) = 1e3 + static_cast<double>(i % 11) / 3;
    predicted(i, 0) = .5 + static_cast<double>(i) / 4000;
    sum += costs(i, 0) / static_cast<double>(n);
  }
  CHECK(ur::trace_curve(predicted, costs, losses, costs).points.back().cost == Approx(sum).epsilon(1e-12));
}
