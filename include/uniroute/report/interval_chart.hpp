#pragma once

// Many methods at a glance: a mean and its interval on a line each.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <uniroute/report/svg.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One line of an interval chart.
struct chart_interval {
  std::string name;
  double mean = 0, low = 0, high = 0;
  bool strong = false;  ///< a filled mark: the method the page is about
};

/// Means (marks) and intervals (bars) by name, from top to bottom, with a line at zero. The scale covers every mean,
/// and bars up to twice as far as the means reach; a bar that goes further ends at the edge with an arrow. Throws
/// std::invalid_argument for none, std::domain_error for numbers that are not finite.
inline std::string interval_chart(const std::vector<chart_interval>& entries, std::string_view title,
                                  std::string_view axis) {
  detail::require(!entries.empty(), "interval_chart: entries has 0 intervals, but must have at least 1");
  double low = 0, high = 0, least = 0, most = 0;
  for (const auto& e : entries) {
    detail::require<std::domain_error>(std::isfinite(e.low) && std::isfinite(e.mean) && std::isfinite(e.high),
                                       "interval_chart: '", e.name, "' is ", e.mean, " (", e.low, " to ", e.high,
                                       "), but must be finite");
    low = std::min(low, e.mean);
    high = std::max(high, e.mean);
    least = std::min(least, e.low);
    most = std::max(most, e.high);
  }
  const double reach = std::min(high > low ? high - low : 1e-3, std::numeric_limits<double>::max() / 8);
  const auto xs = detail::round_ticks(std::max(least, low - 2 * reach), std::min(most, high + 2 * reach), 6);
  constexpr double width = 640, x1 = 626, row = 22, top = 10;
  // Room for the longest name, in bold, but no more than half of the picture.
  std::size_t longest = 0;
  for (const auto& e : entries) longest = std::max(longest, e.name.size());
  const double x0 = std::clamp(14 + 8.2 * static_cast<double>(longest), 170.0, width / 2);
  const double bottom = top + row * static_cast<double>(entries.size());
  const auto px = [&](double x) {
    return x0 + std::clamp(detail::share_between(x, xs.front(), xs.back()), 0.0, 1.0) * (x1 - x0);
  };
  detail::svg_canvas canvas(width, bottom + 48, title);
  for (const double x : xs) {
    const bool zero = std::abs(x) < 1e-12;
    canvas.line(px(x), top, px(x), bottom,
                zero ? "stroke=\"#000\" stroke-width=\"1.2\"" : "stroke=\"#ddd\" stroke-width=\"1\"");
    const bool last = px(x) > x1 - 1;  // half of it would lie beyond the picture
    canvas.label(last ? width - 2 : px(x), bottom + 16, detail::tick_label(x, xs[1] - xs[0]), last ? "end" : "middle");
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& e = entries[i];
    const double y = top + row * (static_cast<double>(i) + 0.5);
    canvas.label(x0 - 8, y + 4, e.name, "end", e.strong ? "font-weight=\"700\"" : "");
    canvas.line(px(e.low), y, px(e.high), y, "stroke=\"#0072B2\" stroke-width=\"2\"");
    if (e.low < xs.front())
      canvas.path({{x0 + 6, y - 4}, {x0, y}, {x0 + 6, y + 4}}, "stroke=\"#0072B2\" fill=\"none\"");
    if (e.high > xs.back())
      canvas.path({{x1 - 6, y - 4}, {x1, y}, {x1 - 6, y + 4}}, "stroke=\"#0072B2\" fill=\"none\"");
    canvas.rectangle(px(e.mean) - 4, y - 4, 8, 8,
                     e.strong ? "fill=\"#000\" stroke=\"#000\"" : "fill=\"#fff\" stroke=\"#000\" stroke-width=\"1.5\"",
                     detail::text(e.name, ": ", detail::fixed(e.mean, 4), " (", detail::fixed(e.low, 4), " to ",
                                  detail::fixed(e.high, 4), ")"));
  }
  canvas.label((x0 + x1) / 2, bottom + 38, axis, "middle");
  return std::move(canvas).finish();
}

}  // namespace uniroute
