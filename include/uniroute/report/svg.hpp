#pragma once

// A few shapes of Scalable Vector Graphics as text.

#include <cmath>
#include <cstddef>
#include <cstdio>
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

/// A number with `digits` (at most 64) decimals. What rounds to 0 has no sign.
inline std::string fixed(double value, int digits) {
  char buffer[400];  // the largest double has 309 digits before the point
  const int length = std::snprintf(buffer, sizeof buffer, "%.*f", digits, value);
  std::string out(buffer, static_cast<std::size_t>(length));
  if (out.starts_with('-') && out.find_first_not_of("-0.") == std::string::npos) out.erase(0, 1);
  return out;
}

/// Round values from at most `low` to at least `high`, about `count` of them, 1, 2 or 5 times a power of ten apart.
inline std::vector<double> round_ticks(double low, double high, std::size_t count) {
  if (!(high > low)) high = low + 1;
  const double rough = (high - low) / static_cast<double>(count);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double step = (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10) * power;
  std::vector<double> out;
  const double first = std::floor(low / step + 1e-9);
  for (double i = first; out.empty() || out.back() < high - 1e-9 * step; ++i) out.push_back(i * step);
  return out;
}

/// Decimals that tell `step` apart.
inline int decimals_of(double step) { return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))); }

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
