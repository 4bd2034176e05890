#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("names become text, never markup") {
  const auto chart = ur::line_chart({{"<script>&\"", {{0, 0}, {1, 1}}}}, {"t", "x", "y"});
  CHECK(chart.find("<script>") == std::string::npos);
  CHECK(chart.find("&lt;script&gt;&amp;&quot;") != std::string::npos);
  ur::html_page page("<b>");
  page.table({{"a", "<i>"}});
  CHECK(std::move(page).finish().find("<i>") == std::string::npos);
}

TEST_CASE("a number that rounds to 0 has no sign, and a large one is whole") {
  CHECK(ur::detail::fixed(-0.0004, 3) == "0.000");
  CHECK(ur::detail::fixed(-0.0, 0) == "0");
  CHECK(ur::detail::fixed(-0.0006, 3) == "-0.001");
  CHECK(ur::detail::fixed(-1e300, 2).size() == 305);
}

TEST_CASE("ticks are round and enclose the data") {
  const auto ticks = ur::detail::round_ticks(0.37, 0.98, 6);
  CHECK(ticks.front() <= 0.37);
  CHECK(ticks.back() >= 0.98);
  CHECK(ticks[1] - ticks[0] == Approx(0.2));
  CHECK(ur::detail::round_ticks(1, 1, 5).size() >= 2);
  CHECK(ur::detail::decimals_of(0.05) == 2);
  CHECK(ur::detail::decimals_of(20) == 0);
}

TEST_CASE("charts refuse nothing to draw and shapes that do not fit") {
  // A logarithmic axis: the ticks as given, 100 half-way between 10 and 1000.
  ur::chart_axes logarithmic{"t", "x", "y"};
  logarithmic.log_ticks = {10, 100, 1000};
  const auto by_powers = ur::line_chart({{"a", {{10, 0}, {100, 1}, {1000, 1}}}}, logarithmic);
  CHECK(by_powers.find(">1000<") != std::string::npos);
  CHECK(by_powers.find("L353.0 14.0L626.0 14.0") != std::string::npos);
  CHECK_THROWS_AS(ur::line_chart({{"a", {{0, 0}, {1, 1}}}}, logarithmic), std::invalid_argument);
  CHECK_THROWS_AS(ur::line_chart({}, {"t", "x", "y"}), std::invalid_argument);
  // The same of the y axis, where what is below the first tick lies on it.
  logarithmic.log_y_ticks = {0.00001, 0.001, 0.1};
  const auto by_both = ur::line_chart({{"a", {{10, 0.1}, {100, 0.001}, {1000, 0}}}}, logarithmic);
  CHECK(by_both.find(">.00001<") != std::string::npos);
  CHECK(by_both.find("M80.0 14.0L353.0 181.0L626.0 348.0") != std::string::npos);
  logarithmic.with_zero = true;
  CHECK_THROWS_AS(ur::line_chart({{"a", {{10, 1}, {100, 1}}}}, logarithmic), std::invalid_argument);
  CHECK_THROWS_AS(ur::heat_map(ur::make_matrix<double>(1, 2, 0.5), {"a"}, {"b"}, "t"), std::invalid_argument);
  CHECK_THROWS_AS(ur::stacked_chart({0, 1}, ur::make_matrix<double>(2, 1, 1.0), {}, {"t", "x", "y"}),
                  std::invalid_argument);
  CHECK(ur::heat_map(ur::make_matrix<double>(1, 1, ur::missing), {"a"}, {"b"}, "t").find("<rect") == std::string::npos);
}

TEST_CASE("a page is one file that loads nothing") {
  ur::html_page page("t");
  page.heading("h");
  page.figure(ur::line_chart({{"a", {{0, 0}, {1, 1}}}}, {"t", "x", "y"}), "c");
  const auto html = std::move(page).finish();
  CHECK(html.find("src=") == std::string::npos);
  CHECK(html.find("href=") == std::string::npos);
  CHECK(html.find("viewport") != std::string::npos);
}
