#pragma once

// Three pictures of an experiment: lines, stacked shares and a heat map. Legible on a phone and in black and white:
// lines differ in dashes as well as in colour, shares in order, cells by their numbers.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/report/svg.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One line of a chart.
struct chart_line {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< (x, y), drawn in order
  bool quiet = false;                             ///< thin: a reference
  std::optional<std::size_t> style = {};          ///< which of ten strokes; not given: its place among the lines
  std::vector<std::pair<double, double>> band =
      {};  ///< (low, high) of each point, drawn as a grey band, cut where it leaves the picture; or none
};

/// A point of a chart that belongs to no line, such as a single LLM. Drawn as a disc with its number, named below.
struct chart_mark {
  std::string name;
  double x = 0, y = 0;
};

/// What the ends of a chart's x axis are in another unit: its ticks are named in both, in grey below.
struct chart_unit {
  double at_zero = 0, at_one = 1;  ///< where x is 0 and where it is 1
};

/// Titles and scales of a chart.
struct chart_axes {
  std::string title, x, y;
  bool with_zero = false;                ///< the y axis includes 0, with a line there
  bool standalone = false;               ///< the legend inside the picture, which is then a file of its own
  std::vector<double> log_ticks = {};    ///< if given, the x axis is logarithmic with these rising ticks, at least two
  std::vector<double> log_y_ticks = {};  ///< the same of the y axis; what lies beyond its ends is drawn at them
  std::optional<chart_unit> unit = {};   ///< a second row of names below the x axis
};

namespace detail {

/// Okabe and Ito's colours, told apart by eyes of every kind; their dashes by printers.
struct line_style {
  std::string_view colour, dashes;
};
inline constexpr std::array<line_style, 10> line_styles{{{"#000000", "7 3"},
                                                         {"#0072B2", ""},
                                                         {"#D55E00", "10 3 2 3"},
                                                         {"#009E73", "4 2"},
                                                         {"#CC79A7", "12 4"},
                                                         {"#7A6A00", "2 2"},
                                                         {"#56B4E9", "8 2 2 2 2 2"},
                                                         {"#666666", "1 3"},
                                                         {"#8B3A00", "5 5"},
                                                         {"#444444", "3 6"}}};

inline std::string stroke(std::size_t index, bool quiet) {
  const auto& style = line_styles[index % line_styles.size()];
  return text("fill=\"none\" stroke=\"", style.colour, "\" stroke-width=\"", quiet ? "1.3" : "2.4",
              "\" stroke-linejoin=\"round\"", style.dashes.empty() ? "" : " stroke-dasharray=\"", style.dashes,
              style.dashes.empty() ? "" : "\"");
}

/// A number above 0 of few digits, never in powers of ten: .00001.
inline std::string tick_name(double value) {
  std::string out = fixed(value, 9);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out.starts_with("0.") ? out.substr(1) : out;
}

inline constexpr std::string_view grid_stroke = "stroke=\"#ddd\" stroke-width=\"1\" fill=\"none\"";

}  // namespace detail

/// Lines with axes, and a legend below: as HTML, or inside a standalone picture. Values show on hover. Throws
/// std::invalid_argument if no line has a point and for a band of another length, std::domain_error for a point that is
/// not finite.
inline std::string line_chart(const std::vector<chart_line>& lines, const chart_axes& axes,
                              const std::vector<chart_mark>& marks = {}) {
  double left = std::numeric_limits<double>::infinity(), right = -left, low = left, high = right;
  for (const auto& line : lines) {
    for (const auto& [x, y] : line.points) {
      detail::require<std::domain_error>(std::isfinite(x) && std::isfinite(y), "line_chart: a point of '", line.name,
                                         "' is (", x, ", ", y, "), but must be finite");
      left = std::min(left, x);
      right = std::max(right, x);
      low = std::min(low, y);
      high = std::max(high, y);
    }
    detail::require(line.band.empty() || line.band.size() == line.points.size(), "line_chart: the band of '", line.name,
                    "' has ", line.band.size(), " entries, but must have one for each point, ", line.points.size());
    for (const auto& [from, to] : line.band) {
      detail::require<std::domain_error>(std::isfinite(from) && std::isfinite(to), "line_chart: the band of '",
                                         line.name, "' is ", from, " to ", to, ", but must be finite");
    }
  }
  for (const auto& mark : marks) {
    detail::require<std::domain_error>(std::isfinite(mark.x) && std::isfinite(mark.y), "line_chart: '", mark.name,
                                       "' is at (", mark.x, ", ", mark.y, "), but must be finite");
    left = std::min(left, mark.x);
    right = std::max(right, mark.x);
    low = std::min(low, mark.y);
    high = std::max(high, mark.y);
  }
  detail::require(right >= left, "line_chart: lines has 0 points, but must have at least 1");
  // Bands stretch the picture by half of what the lines need, and are cut where they go further.
  const double least = low - (high - low) / 4, most = high + (high - low) / 4;
  for (const auto& line : lines) {
    for (const auto& [from, to] : line.band) {
      low = std::min(low, std::max(from, least));
      high = std::max(high, std::min(to, most));
    }
  }
  if (axes.with_zero) {
    low = std::min(low, 0.0);
    high = std::max(high, 0.0);
  }
  const bool log_x = !axes.log_ticks.empty();
  detail::require(!log_x || (axes.log_ticks.size() >= 2 && axes.log_ticks.front() > 0 &&
                             axes.log_ticks.back() > axes.log_ticks.front() && left > 0),
                  "line_chart: a logarithmic axis has ", axes.log_ticks.size(), " ticks and points from ", left,
                  ", but must have at least 2 rising ticks and points above 0");
  const bool log_y = !axes.log_y_ticks.empty();
  detail::require(!log_y || (axes.log_y_ticks.size() >= 2 && axes.log_y_ticks.front() > 0 &&
                             axes.log_y_ticks.back() > axes.log_y_ticks.front() && !axes.with_zero),
                  "line_chart: a logarithmic y axis has ", axes.log_y_ticks.size(),
                  " ticks, but must have at least 2, rising and above 0, and no line at zero");
  const auto xs = log_x ? axes.log_ticks : detail::round_ticks(left, right, 5);
  const auto ys = log_y ? axes.log_y_ticks : detail::round_ticks(low, high, 6);
  const auto scale = [&](double x) { return log_x ? std::log(x) : x; };
  const auto scale_y = [&](double y) { return log_y ? std::log(std::clamp(y, ys.front(), ys.back())) : y; };
  const double below = axes.unit ? 18 : 0;
  const double height = 400 + below;
  constexpr double width = 640, x0 = 80, x1 = 626, y0 = 348, y1 = 14;
  const auto px = [&](double x) {
    return x0 + detail::share_between(scale(x), scale(xs.front()), scale(xs.back())) * (x1 - x0);
  };
  const auto py = [&](double y) {
    return y0 + detail::share_between(scale_y(y), scale_y(ys.front()), scale_y(ys.back())) * (y1 - y0);
  };
  constexpr std::size_t legend_columns = 3;
  const std::size_t legend_rows = axes.standalone ? (lines.size() + legend_columns - 1) / legend_columns : 0;
  detail::svg_canvas canvas(width, height + 20 * static_cast<double>(legend_rows), axes.title,
                            axes.standalone ? "style=\"font:12px sans-serif;background:#fff\"" : "");
  for (std::size_t at = 0; at < xs.size(); ++at) {
    const double x = xs[at];
    canvas.line(px(x), y0, px(x), y1, detail::grid_stroke);
    const auto name = log_x ? detail::tick_name(x) : detail::tick_label(x, xs[1] - xs[0]);
    const bool cut = px(x) > x1 - 1 && name.size() > 2;  // half of it would lie beyond the picture
    canvas.label(cut ? width - 2 : px(x), y0 + 18, name, cut ? "end" : "middle");
    if (!axes.unit) continue;
    // On a narrow screen every other one goes: there is no room for their digits.
    const double value = axes.unit->at_zero + x * (axes.unit->at_one - axes.unit->at_zero);
    canvas.label(cut ? width - 2 : px(x), y0 + 36, detail::short_number(value), cut ? "end" : "middle",
                 (xs.size() - 1 - at) % 2 == 0 ? "class=\"second\"" : "class=\"second odd\"");
  }
  for (const double y : ys) {
    const bool zero = axes.with_zero && std::fabs(y) < 1e-12;
    canvas.line(x0, py(y), x1, py(y),
                zero ? "stroke=\"#000\" stroke-width=\"1.2\" fill=\"none\"" : detail::grid_stroke);
    canvas.label(x0 - 6, py(y) + 4, log_y ? detail::tick_name(y) : detail::tick_label(y, ys[1] - ys[0]), "end");
  }
  canvas.label((x0 + x1) / 2, height - 10, axes.x, "middle");
  canvas.label(16, (y0 + y1) / 2, axes.y, "middle",
               detail::text("transform=\"rotate(-90 16 ", detail::fixed((y0 + y1) / 2, 1), ")\""));
  std::string legend = "<ul class=\"legend\">\n";
  for (const auto& line : lines) {
    if (line.band.empty()) continue;
    std::vector<std::pair<double, double>> outline;
    for (std::size_t i = 0; i < line.band.size(); ++i)
      outline.emplace_back(px(line.points[i].first), py(std::clamp(line.band[i].second, ys.front(), ys.back())));
    for (std::size_t i = line.band.size(); i-- > 0;)
      outline.emplace_back(px(line.points[i].first), py(std::clamp(line.band[i].first, ys.front(), ys.back())));
    canvas.path(outline, "fill=\"#000\" fill-opacity=\".1\" stroke=\"none\"", true);
  }
  for (std::size_t l = 0; l < lines.size(); ++l) {
    std::vector<std::pair<double, double>> at;
    for (const auto& [x, y] : lines[l].points) at.emplace_back(px(x), py(y));
    const std::string stroke = detail::stroke(lines[l].style.value_or(l), lines[l].quiet);
    canvas.path(at, stroke);
    const std::size_t every = std::max<std::size_t>(1, at.size() / 20);
    for (std::size_t i = 0; !axes.standalone && i < at.size(); i += every) {
      const auto& [x, y] = lines[l].points[i];
      canvas.disc(
          at[i].first, at[i].second, 7, "fill-opacity=\"0\"",
          detail::text(lines[l].name, ": ", detail::short_number(y), " at ", detail::short_number(x),
                       axes.unit ? detail::text(" (",
                                                detail::short_number(axes.unit->at_zero +
                                                                     x * (axes.unit->at_one - axes.unit->at_zero)),
                                                ")")
                                 : ""));
    }
    if (axes.standalone) {
      const double left_end = 62 + 190 * static_cast<double>(l % legend_columns);
      const double middle = height + 6 + 20 * static_cast<double>(l / legend_columns);
      canvas.line(left_end, middle, left_end + 40, middle, stroke);
      canvas.label(left_end + 46, middle + 4, lines[l].name);
    }
    legend += detail::text("<li><svg viewBox=\"0 0 44 10\" class=\"key\" aria-hidden=\"true\"><path d=\"M1 5L43 5\" ",
                           stroke, "/></svg>", detail::escape_markup(lines[l].name), "</li>\n");
  }
  legend += "</ul>\n";
  if (!marks.empty()) legend += "<ol class=\"legend\">\n";
  std::vector<std::pair<double, double>> labelled;
  for (std::size_t k = 0; k < marks.size(); ++k) {
    const double x = px(marks[k].x), y = py(marks[k].y);
    canvas.disc(
        x, y, 3.5, "fill=\"#fff\" stroke=\"#000\" stroke-width=\"1.2\"",
        detail::text(marks[k].name, ": ", detail::short_number(marks[k].y), " at ", detail::short_number(marks[k].x)));
    // A number that would lie on another is left out: the list below has all, and the disc says its name.
    const bool free = std::none_of(labelled.begin(), labelled.end(), [&](const auto& other) {
      return std::fabs(other.first - x) < 22 && std::fabs(other.second - y) < 17;
    });
    if (free) {
      labelled.emplace_back(x, y);
      canvas.label(x > x1 - 24 ? x - 7 : x + 6, y - 5, detail::text(k + 1), x > x1 - 24 ? "end" : "start",
                   "class=\"mark\"");
    }
    legend += detail::text("<li value=\"", k + 1, "\">", detail::escape_markup(marks[k].name), "</li>\n");
  }
  if (!marks.empty()) legend += "</ol>\n";
  return std::move(canvas).finish() + (axes.standalone ? "" : legend);
}

/// Shares that add up to 1 along x, one band a name, the first at the bottom. `shares` is x.size() x names.size().
/// Bands are labelled where they are widest. Throws std::invalid_argument for shapes and an x that does not rise,
/// std::domain_error for values that are not finite.
inline std::string stacked_chart(const std::vector<double>& x, const matrix<double>& shares,
                                 const std::vector<std::string>& names, const chart_axes& axes) {
  detail::require(x.size() >= 2 && rows(shares) == x.size() && columns(shares) == names.size(),
                  "stacked_chart: shares is ", rows(shares), " x ", columns(shares), ", but must be ", x.size(), " x ",
                  names.size(), " with at least 2 rows");
  for (std::size_t i = 0; i < x.size(); ++i)
    detail::require<std::domain_error>(std::isfinite(x[i]), "stacked_chart: x[", i, "] is ", x[i],
                                       ", but must be finite");
  detail::require(x.back() > x.front(), "stacked_chart: x goes from ", x.front(), " to ", x.back(), ", but must rise");
  detail::check_finite("stacked_chart", "shares", shares);
  constexpr double width = 640, height = 400, x0 = 62, x1 = 626, y0 = 348, y1 = 14;
  const auto px = [&](double v) { return x0 + detail::share_between(v, x.front(), x.back()) * (x1 - x0); };
  const auto py = [&](double v) { return y0 + v * (y1 - y0); };
  detail::svg_canvas canvas(width, height, axes.title);
  std::vector<double> base(x.size(), 0.0);
  std::string legend = "<ol class=\"legend\">\n";
  for (std::size_t h = 0; h < names.size(); ++h) {
    std::vector<std::pair<double, double>> outline;
    std::vector<double> top = base;
    std::size_t widest = x.size() / 2;  // where a band is as wide everywhere, in the middle
    double mean = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      top[i] += shares(i, h);
      outline.emplace_back(px(x[i]), py(top[i]));
      mean += shares(i, h) / static_cast<double>(x.size());
      const bool inside = i > x.size() / 20 && i + x.size() / 20 < x.size();
      if (inside && shares(i, h) > shares(widest, h)) widest = i;
    }
    for (std::size_t i = x.size(); i-- > 0;) outline.emplace_back(px(x[i]), py(base[i]));
    const std::string colour = detail::text("hsl(", (h * 137) % 360, " 45% ", h % 2 == 0 ? 62 : 80, "%)");
    canvas.path(outline, detail::text("fill=\"", colour, "\" stroke=\"#fff\" stroke-width=\"1\""), true);
    if (shares(widest, h) > 0.05)
      canvas.label(px(x[widest]), py(base[widest] + shares(widest, h) / 2) + 4, detail::text(h + 1), "middle");
    legend += detail::text("<li value=\"", h + 1, "\"><span class=\"patch\" style=\"background:", colour, "\"></span>",
                           detail::escape_markup(names[h]), " (", detail::fixed(100 * mean, 0), "%)</li>\n");
    base = std::move(top);
  }
  for (int i = 0; i <= 4; ++i) {
    const double v = x.front() * (1 - i / 4.0) + x.back() * (i / 4.0);
    canvas.label(px(v), y0 + 18, detail::fixed(v, 2), "middle");
    canvas.label(x0 - 6, py(i / 4.0) + 4, detail::text(i * 25, "%"), "end");
  }
  canvas.label((x0 + x1) / 2, height - 10, axes.x, "middle");
  canvas.label(16, (y0 + y1) / 2, axes.y, "middle",
               detail::text("transform=\"rotate(-90 16 ", detail::fixed((y0 + y1) / 2, 1), ")\""));
  return std::move(canvas).finish() + legend + "</ol>\n";
}

/// Values in [0, 1] as numbers on grey: 0 is white, 1 is dark. `values` is row_names.size() x column_names.size();
/// missing values are blank. Throws std::invalid_argument for shapes, std::domain_error for infinite values.
inline std::string heat_map(const matrix<double>& values, const std::vector<std::string>& row_names,
                            const std::vector<std::string>& column_names, std::string_view title) {
  detail::require(rows(values) == row_names.size() && columns(values) == column_names.size(), "heat_map: values is ",
                  rows(values), " x ", columns(values), ", but must be ", row_names.size(), " x ", column_names.size());
  for (const double value : values)
    detail::require<std::domain_error>(is_missing(value) || std::isfinite(value), "heat_map: a value is ", value,
                                       ", but must be finite or missing");
  constexpr double cell_width = 44, cell_height = 22, left = 190, top = 130;
  const double width = left + cell_width * static_cast<double>(column_names.size()) + 120;
  const double height = top + cell_height * static_cast<double>(row_names.size()) + 8;
  // Neither blown up on a wide page nor illegible on a phone, where it scrolls.
  detail::svg_canvas canvas(width, height, title,
                            detail::text("style=\"max-width:", width, "px;min-width:", 0.8 * width, "px\""));
  for (std::size_t j = 0; j < column_names.size(); ++j) {
    const double x = left + cell_width * (static_cast<double>(j) + 0.6);
    canvas.label(x, top - 8, detail::shortened(column_names[j], 22), "start",
                 detail::text("transform=\"rotate(-45 ", detail::fixed(x, 1), " ", detail::fixed(top - 8, 1), ")\""));
  }
  for (std::size_t i = 0; i < row_names.size(); ++i) {
    const double y = top + cell_height * static_cast<double>(i);
    canvas.label(left - 8, y + 15, detail::shortened(row_names[i], 30), "end");
    for (std::size_t j = 0; j < column_names.size(); ++j) {
      const double x = left + cell_width * static_cast<double>(j);
      const double value = values(i, j);
      if (is_missing(value)) continue;
      const int light = static_cast<int>(std::lround(100 - 70 * std::clamp(value, 0.0, 1.0)));
      canvas.rectangle(x, y, cell_width - 1, cell_height - 1, detail::text("fill=\"hsl(215 45% ", light, "%)\""),
                       detail::text(row_names[i], ", ", column_names[j], ": ", detail::fixed(value, 3)));
      canvas.label(x + cell_width / 2, y + 15, detail::fixed(value, 2), "middle", light < 60 ? "fill=\"#fff\"" : "");
    }
  }
  return std::move(canvas).finish();
}

}  // namespace uniroute
