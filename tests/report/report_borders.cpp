// What pictures and pages draw at their borders, and what they refuse, with the words.
#include <catch2/catch.hpp>
#include <uniroute/report/report.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

std::size_t count(const std::string& in, const std::string& what) {
  std::size_t out = 0;
  for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++out;
  return out;
}

ur::chart_axes axes(bool with_zero = false, bool standalone = false) {
  ur::chart_axes out;
  out.title = "t";
  out.x = "x";
  out.y = "y";
  out.with_zero = with_zero;
  out.standalone = standalone;
  return out;
}

constexpr double infinite = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("ticks of constants, of rounding errors and of the largest numbers differ and enclose them") {
  // By hand: 7 is between 7 and 8, in halves.
  const auto constant = ur::detail::round_ticks(7, 7, 5);
  CHECK(constant.front() == 7);
  CHECK(constant.back() == Approx(8));
  CHECK(constant[1] - constant[0] == Approx(.5));
  // A large constant has a thousandth of itself on either side.
  const auto large = ur::detail::round_ticks(5e9, 5e9, 5);
  CHECK(large.front() <= 5e9 * .999);
  CHECK(large.back() >= 5e9 * 1.001);
  const auto noise = ur::detail::round_ticks(1, 1 + 1e-12, 5);
  CHECK(noise[1] > noise[0] + .1);
  const auto tiny = ur::detail::round_ticks(0, 1e-300, 5);
  CHECK(tiny[1] > tiny[0]);
  const auto most = ur::detail::round_ticks(-std::numeric_limits<double>::max(), std::numeric_limits<double>::max(), 5);
  CHECK(most.size() >= 2);
  for (const double tick : most) CHECK(std::isfinite(tick));
  // 1, 2, 5 and 10 times a power of ten.
  CHECK(ur::detail::round_ticks(0, 10, 10)[1] == Approx(1));
  CHECK(ur::detail::round_ticks(0, 15, 10)[1] == Approx(2));
  CHECK(ur::detail::round_ticks(0, 40, 10)[1] == Approx(5));
  CHECK(ur::detail::round_ticks(0, 70, 10)[1] == Approx(10));
  CHECK(ur::detail::round_ticks(0, 10, 10).size() == 11);
  CHECK(ur::detail::decimals_of(1e-100) == 64);
  CHECK(ur::detail::tick_label(1e7, 1) == ur::detail::text(1e7));
  CHECK(ur::detail::tick_label(3, 1e-8) == "3");
  CHECK(ur::detail::tick_label(.25, .05) == "0.25");
  CHECK(ur::detail::tick_name(.25) == ".25");
  CHECK(ur::detail::tick_name(20) == "20");
  CHECK(ur::detail::tick_name(2.5) == "2.5");
  CHECK(ur::detail::share_between(1e308, -1e308, 1e308) == 1);
}

TEST_CASE("lines: a line at zero, a quiet stroke, a stroke of one's own, a legend below or inside") {
  const std::vector<ur::chart_line> lines{{"first", {{0, .5}, {1, 1}}, false, {}},
                                          {"second", {{0, .4}, {1, .8}}, true, {}},
                                          {"third", {{0, .3}, {1, .7}}, false, 4},
                                          {"fourth", {{0, .2}, {1, .6}}, false, 11}};
  const auto below = ur::line_chart(lines, axes());
  CHECK(below.find("0.0000") == std::string::npos);
  CHECK(count(below, "<li>") == 4);
  CHECK(count(below, "stroke-width=\"1.3\"") == 2);  // the line and its key
  CHECK(count(below, "#CC79A7") == 2);
  CHECK(count(below, "stroke=\"#0072B2\"") == 4);  // the second line, and the twelfth style is the second
  CHECK(count(below, "stroke=\"#000\"") == 0);
  // With zero: a line there, and ticks that reach it.
  const auto zero = ur::line_chart(lines, axes(true));
  CHECK(count(zero, "stroke=\"#000\" stroke-width=\"1.2\"") == 1);
  CHECK(zero.find(">0.0<") != std::string::npos);
  // Below zero alone: the axis goes up to it.
  const auto negative = ur::line_chart({{"a", {{0, -2}, {1, -1}}, false, {}}}, axes(true));
  CHECK(count(negative, "stroke=\"#000\" stroke-width=\"1.2\"") == 1);
  // Standalone: no list, keys and names inside, one row of three and one of one.
  const auto alone = ur::line_chart(lines, axes(false, true));
  CHECK(count(alone, "<li>") == 0);
  CHECK(alone.find("viewBox=\"0 0 640 440\"") != std::string::npos);
  CHECK(alone.find("background:#fff") != std::string::npos);
  CHECK(alone.find("<path d=\"M62.0 406.0L102.0 406.0\"") != std::string::npos);
  CHECK(alone.find("<path d=\"M252.0 406.0L292.0 406.0\"") != std::string::npos);
  CHECK(alone.find("<path d=\"M62.0 426.0L102.0 426.0\"") != std::string::npos);
  CHECK(alone.find("<text x=\"108.0\" y=\"410.0\" text-anchor=\"start\" >first</text>") != std::string::npos);
  // A long label at the right edge ends there; a short one is in the middle of its tick.
  CHECK(ur::line_chart({{"a", {{0, 0}, {1000, 1}}, false, {}}}, axes())
            .find("x=\"638.0\" y=\"366.0\" text-anchor=\"end\"") != std::string::npos);
  CHECK(ur::line_chart({{"a", {{0, 0}, {10, 1}}, false, {}}}, axes())
            .find("x=\"626.0\" y=\"366.0\" text-anchor=\"middle\"") != std::string::npos);
}

TEST_CASE("lines refuse what cannot be drawn") {
  const auto draw = [](std::vector<std::pair<double, double>> points, const ur::chart_axes& how) {
    return ur::line_chart({{"a", std::move(points), false, {}}}, how);
  };
  CHECK_THROWS_WITH(draw({{0, infinite}}, axes()), "line_chart: a point of 'a' is (0, inf), but must be finite");
  CHECK_THROWS_WITH(draw({{std::nan(""), 0}}, axes()), Contains("a point of 'a' is (nan, 0), but must be finite"));
  CHECK_THROWS_WITH(draw({}, axes()), "line_chart: lines has 0 points, but must have at least 1");
  for (const std::vector<double>& ticks : {std::vector<double>{1}, {0, 1}, {2, 1}, {1, 1}}) {
    auto how = axes();
    how.log_ticks = ticks;
    CHECK_THROWS_WITH(draw({{1, 1}}, how), Contains("a logarithmic axis has " + std::to_string(ticks.size())));
    auto upright = axes();
    upright.log_y_ticks = ticks;
    CHECK_THROWS_WITH(draw({{1, 1}}, upright), Contains("a logarithmic y axis has " + std::to_string(ticks.size())));
  }
  auto how = axes();
  how.log_ticks = {1, 10};
  CHECK_THROWS_WITH(draw({{0, 1}}, how),
                    Contains("points from 0, but must have at least 2 rising ticks and points above 0"));
}

TEST_CASE("stacked shares: bands one above the other, numbers where they are wide, shares in the legend") {
  auto shares = ur::make_matrix<double>(5, 3, 0.0);
  for (std::size_t i = 0; i < 5; ++i) {
    shares(i, 0) = i < 3 ? .75 : .25;
    shares(i, 1) = i < 3 ? .23 : .73;
    shares(i, 2) = .02;
  }
  const auto chart = ur::stacked_chart({0, 1, 2, 3, 4}, shares, {"low", "high", "thin"}, axes());
  CHECK(chart.find("low (55%)") != std::string::npos);
  CHECK(chart.find("high (43%)") != std::string::npos);
  CHECK(chart.find("thin (2%)") != std::string::npos);
  // The first band from 0 to .75, and back along the bottom.
  CHECK(chart.find("M62.0 97.5L203.0 97.5L344.0 97.5L485.0 264.5L626.0 264.5L626.0 348.0") != std::string::npos);
  // Numbers of the wide bands alone, in the middle of their widest place inside.
  CHECK(chart.find("<text x=\"344.0\" y=\"226.8\" text-anchor=\"middle\" >1</text>") != std::string::npos);
  CHECK(chart.find("<text x=\"485.0\" y=\"146.6\" text-anchor=\"middle\" >2</text>") != std::string::npos);
  CHECK(chart.find(">3</text>") == std::string::npos);
  CHECK(chart.find("hsl(0 45% 62%)") != std::string::npos);
  CHECK(chart.find("hsl(137 45% 80%)") != std::string::npos);
  CHECK(chart.find(">100%</text>") != std::string::npos);

  const auto draw = [&](const std::vector<double>& x, const ur::matrix<double>& of) {
    return ur::stacked_chart(x, of, {"low", "high", "thin"}, axes());
  };
  const auto two = ur::make_matrix<double>(2, 3, .3);
  CHECK_THROWS_WITH(draw({0}, ur::make_matrix<double>(1, 3, .3)),
                    "stacked_chart: shares is 1 x 3, but must be 1 x 3 with at least 2 rows");
  CHECK_THROWS_WITH(draw({0, 1, 2}, two), "stacked_chart: shares is 2 x 3, but must be 3 x 3 with at least 2 rows");
  CHECK_THROWS_WITH(draw({0, infinite}, two), "stacked_chart: x[1] is inf, but must be finite");
  CHECK_THROWS_WITH(draw({1, 1}, two), "stacked_chart: x goes from 1 to 1, but must rise");
  CHECK_THROWS_AS(draw({0, 1}, ur::make_matrix<double>(2, 3, infinite)), std::domain_error);
}

TEST_CASE("a heat map: grey by value, white numbers on dark, blanks where nothing was observed") {
  auto values = ur::make_matrix<double>(2, 3, 0.0);
  values(0, 1) = .5;
  values(0, 2) = 1;
  values(1, 0) = ur::missing;
  values(1, 1) = 1.5;
  values(1, 2) = -1;
  const auto map = ur::heat_map(values, {"easy", std::string(31, 'n')}, {"a", "b", "c"}, "errors");
  CHECK(count(map, "<rect") == 5);
  CHECK(map.find("hsl(215 45% 100%)\"><title>easy, a: 0.000</title>") != std::string::npos);
  CHECK(map.find("hsl(215 45% 65%)\"><title>easy, b: 0.500</title>") != std::string::npos);
  CHECK(map.find("hsl(215 45% 30%)\"><title>easy, c: 1.000</title>") != std::string::npos);
  CHECK(count(map, "hsl(215 45% 30%)") == 2);   // 1.5 is as dark as 1
  CHECK(count(map, "hsl(215 45% 100%)") == 2);  // -1 as light as 0
  CHECK(count(map, "fill=\"#fff\">") == 2);     // white on the two dark ones
  CHECK(map.find("<rect x=\"190.0\" y=\"130.0\" width=\"43.0\" height=\"21.0\"") != std::string::npos);
  CHECK(map.find(std::string(31, 'n') + "</text>") == std::string::npos);  // shortened
  CHECK_THROWS_WITH(ur::heat_map(values, {"a"}, {"a", "b", "c"}, "t"), "heat_map: values is 2 x 3, but must be 1 x 3");
  values(0, 0) = infinite;
  CHECK_THROWS_WITH(ur::heat_map(values, {"a", "b"}, {"a", "b", "c"}, "t"),
                    "heat_map: a value is inf, but must be finite or missing");
}

TEST_CASE("intervals: marks on one scale with a line at zero, arrows where a bar leaves the picture") {
  const auto chart = ur::interval_chart({{"ours", .02, .01, .03, true}, {"theirs", -.01, -5, 9, false}}, "t", "gain");
  CHECK(count(chart, "font-weight=\"700\"") == 1);
  CHECK(count(chart, "fill=\"#000\" stroke=\"#000\"") == 1);
  CHECK(count(chart, "fill=\"#fff\" stroke=\"#000\" stroke-width=\"1.5\"") == 1);
  CHECK(count(chart, "stroke=\"#000\" stroke-width=\"1.2\"") == 1);  // zero
  // The second bar goes from edge to edge, with an arrow at each.
  CHECK(chart.find("<path d=\"M170.0 43.0L626.0 43.0\"") != std::string::npos);
  CHECK(chart.find("<path d=\"M176.0 39.0L170.0 43.0L176.0 47.0\"") != std::string::npos);
  CHECK(chart.find("<path d=\"M620.0 39.0L626.0 43.0L620.0 47.0\"") != std::string::npos);
  CHECK(chart.find("ours: 0.0200 (0.0100 to 0.0300)") != std::string::npos);
  // Nothing but zeros has a scale, too.
  CHECK(count(ur::interval_chart({{"same", 0, 0, 0, false}}, "t", "gain"), "<rect") == 1);
  CHECK_THROWS_WITH(ur::interval_chart({}, "t", "gain"), Contains("entries has 0 intervals"));
  for (const ur::chart_interval& bad : {ur::chart_interval{"a", infinite, 0, 0, false},
                                        {"a", 0, -infinite, 0, false},
                                        {"a", 0, 0, std::nan(""), false}})
    CHECK_THROWS_WITH(ur::interval_chart({bad}, "t", "gain"), Contains("interval_chart: 'a' is "));
}

TEST_CASE("a page: a wide figure scrolls, the table's first row is its header, strong rows and long names") {
  ur::html_page page("t");
  page.heading("Head & shoulders");
  page.paragraph("1 < 2");
  page.figure("<svg/>", "narrow");
  page.figure("<svg/>", "wide", true);
  page.table({{"a long header of more than twenty letters", "value"},
              {"row", "1"},
              {"a row's name of more than twenty letters", "2"}},
             {false, true});
  const auto html = std::move(page).finish();
  CHECK(html.find("<h2>Head &amp; shoulders</h2>") != std::string::npos);
  CHECK(html.find("<p>1 &lt; 2</p>") != std::string::npos);
  CHECK(count(html, "<figure>") == 1);
  CHECK(count(html, "<figure class=\"wide\">") == 1);
  CHECK(html.find("<tr><th>a long header of more than twenty letters</th><th>value</th></tr>") != std::string::npos);
  CHECK(html.find("<tr class=\"strong\"><th>row</th><td>1</td></tr>") != std::string::npos);
  CHECK(html.find("<tr><th class=\"long\">a row's name of more than twenty letters</th><td>2</td></tr>") !=
        std::string::npos);
}
