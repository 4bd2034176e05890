#pragma once

// A few shapes of Scalable Vector Graphics as text.

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// Text for HTML and SVG: nothing in a model's name becomes markup.
inline std::string escape_markup(std::string_view value) {
  std::string out;
  for (const char c : value) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

/// A number with `digits` (at most 64) decimals, with a point whatever the locale. What rounds to 0 has no sign.
inline std::string fixed(double value, int digits) {
  char buffer[400];  // the largest double has 309 digits before the point
  std::string out(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, digits).ptr);
  if (out.starts_with('-') && out.find_first_not_of("-0.") == std::string::npos) out.erase(0, 1);
  return out;
}

/// Three significant digits, with a point whatever the locale: for what is read on hover.
inline std::string short_number(double value) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 3).ptr);
}

/// Round values from at most `low` to at least `high` (finite), about `count` of them and at least two, 1, 2 or 5 times
/// a power of ten apart. A range that is no wider than rounding errors is a constant: the ticks are then around it.
inline std::vector<double> round_ticks(double low, double high, std::size_t count) {
  constexpr double largest = std::numeric_limits<double>::max();
  const double size = std::max(std::fabs(low), std::fabs(high));
  if (!(high - low > 1e-9 * size) || high - low < 1e-290) {
    // Wide enough for ticks to differ by many units in the last place; 1 beside what is smaller.
    const double around = size > 1e6 ? 1e-3 * size : 1;
    high = std::min(largest, std::max(low, high) + around);
    if (size > 1e6) low = std::max(-largest, low - around);
  }
  const double rough = high / static_cast<double>(count) - low / static_cast<double>(count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double step = (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
  std::vector<double> out;
  // `first` is below 1e11, so that adding 1 changes it.
  const double first = std::floor(low / step + 1e-9);
  for (std::size_t i = 0; out.size() < 2 || (out.back() < high - 1e-9 * step && i < 4 * count + 4); ++i)
    out.push_back(std::clamp((first + static_cast<double>(i)) * step, -largest, largest));
  return out;
}

/// Decimals that tell `step` apart.
inline int decimals_of(double step) { return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 64); }

/// A tick's label: with as many decimals as tell it from its neighbours `step` away, as a power of ten where that is
/// long.
inline std::string tick_label(double value, double step) {
  const bool plain = std::fabs(value) < 1e7 && step >= 1e-7;
  return plain ? fixed(value, decimals_of(step)) : text(value);
}

/// Where a value lies between two others, from 0 to 1, without overflow between the largest numbers.
inline double share_between(double value, double from, double to) {
  return (value / 2 - from / 2) / (to / 2 - from / 2);
}

/// Shapes inside a box that scales to the width of the page.
class svg_canvas {
 public:
  svg_canvas(double width, double height, std::string_view title, std::string_view attributes = "") {
    out_ = text("<svg viewBox=\"0 0 ", width, " ", height, "\" role=\"img\" aria-label=\"", escape_markup(title),
                "\" xmlns=\"http://www.w3.org/2000/svg\" ", attributes, "><title>", escape_markup(title), "</title>\n");
  }

  void line(double x1, double y1, double x2, double y2, std::string_view style) {
    out_ += text("<path d=\"M", fixed(x1, 1), " ", fixed(y1, 1), "L", fixed(x2, 1), " ", fixed(y2, 1), "\" ", style,
                 "/>\n");
  }

  void path(const std::vector<std::pair<double, double>>& points, std::string_view style, bool closed = false) {
    out_ += "<path d=\"";
    for (std::size_t i = 0; i < points.size(); ++i)
      out_ += text(i == 0 ? "M" : "L", fixed(points[i].first, 1), " ", fixed(points[i].second, 1));
    out_ += text(closed ? "Z" : "", "\" ", style, "/>\n");
  }

  void rectangle(double x, double y, double width, double height, std::string_view style, std::string_view hint = "") {
    out_ += text("<rect x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" width=\"", fixed(width, 1), "\" height=\"",
                 fixed(height, 1), "\" ", style, "><title>", escape_markup(hint), "</title></rect>\n");
  }

  void disc(double x, double y, double radius, std::string_view style, std::string_view hint) {
    out_ += text("<circle cx=\"", fixed(x, 1), "\" cy=\"", fixed(y, 1), "\" r=\"", fixed(radius, 1), "\" ", style,
                 "><title>", escape_markup(hint), "</title></circle>\n");
  }

  /// anchor: start, middle or end.
  void label(double x, double y, std::string_view value, std::string_view anchor = "start",
             std::string_view more = "") {
    out_ += text("<text x=\"", fixed(x, 1), "\" y=\"", fixed(y, 1), "\" text-anchor=\"", anchor, "\" ", more, ">",
                 escape_markup(value), "</text>\n");
  }

  std::string finish() && { return std::move(out_) + "</svg>\n"; }

 private:
  std::string out_;
};

}  // namespace uniroute::detail
