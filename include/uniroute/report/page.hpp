#pragma once

// One self-contained HTML page: headings, paragraphs, pictures and tables, nothing loaded from anywhere.

#include <cstddef>
#include <string>
#include <string_view>
#include <uniroute/detail/utf8.hpp>
#include <uniroute/report/svg.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A report as one HTML file that loads nothing; text is escaped. Not thread-safe.
class html_page {
 public:
  explicit html_page(std::string_view title) {
    out_ = detail::text(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
        detail::escape_markup(title), "</title>\n<style>\n", style, "</style>\n</head>\n<body>\n<h1>",
        detail::escape_markup(title), "</h1>\n");
  }

  void heading(std::string_view value) { out_ += detail::text("<h2>", detail::escape_markup(value), "</h2>\n"); }
  void paragraph(std::string_view value) { out_ += detail::text("<p>", detail::escape_markup(value), "</p>\n"); }

  /// Markup as it is: a picture of report/charts.hpp. `wide` pictures scroll on a narrow screen.
  void figure(std::string_view markup, std::string_view caption, bool wide = false) {
    out_ += detail::text("<figure", wide ? " class=\"wide\"" : "", ">\n", markup, "<figcaption>",
                         detail::escape_markup(caption), "</figcaption>\n</figure>\n");
  }

  /// The first row is the header; the first column names the row. `emphasised` rows are bold.
  void table(const std::vector<std::vector<std::string>>& rows, const std::vector<bool>& emphasised = {}) {
    out_ += "<div class=\"scroll\"><table>\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      out_ += i < emphasised.size() && emphasised[i] ? "<tr class=\"strong\">" : "<tr>";
      for (std::size_t j = 0; j < rows[i].size(); ++j) {
        const std::string_view tag = i == 0 || j == 0 ? "th" : "td";
        out_ += detail::text("<", tag,
                             i != 0 && j == 0 && detail::count_code_points(rows[i][j]) > 20 ? " class=\"long\">" : ">",
                             detail::escape_markup(rows[i][j]), "</", tag, ">");
      }
      out_ += "</tr>\n";
    }
    out_ += "</table></div>\n";
  }

  /// A table of sentences: the first row is the header, entries are to the left and broken over lines.
  void prose_table(const std::vector<std::vector<std::string>>& rows) {
    out_ += "<div class=\"scroll\"><table class=\"prose\">\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string_view tag = i == 0 ? "th" : "td";
      out_ += "<tr>";
      for (const auto& entry : rows[i])
        out_ += detail::text("<", tag, ">", detail::escape_markup(entry), "</", tag, ">");
      out_ += "</tr>\n";
    }
    out_ += "</table></div>\n";
  }

  /// A paragraph that stands out: what a reader should know who reads no further.
  void verdict(std::string_view value) {
    out_ += detail::text("<p class=\"verdict\">", detail::escape_markup(value), "</p>\n");
  }

  /// Links to files beside the page: (file, what it holds).
  void links(const std::vector<std::pair<std::string, std::string>>& files) {
    out_ += "<p>";
    for (std::size_t i = 0; i < files.size(); ++i)
      out_ += detail::text(i == 0 ? "" : "; ", "<a href=\"", detail::escape_markup(files[i].first), "\">",
                           detail::escape_markup(files[i].first), "</a>: ", detail::escape_markup(files[i].second));
    out_ += ".</p>\n";
  }

  std::string finish() && { return std::move(out_) + "</body>\n</html>\n"; }

 private:
  static constexpr std::string_view style =
      "body{font:16px/1.5 system-ui,sans-serif;color:#111;background:#fff;max-width:64rem;margin:0 auto;padding:1rem}\n"
      "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}\n"
      "figure{margin:1rem 0}figure.wide{overflow-x:auto}\n"
      "figcaption{color:#333;font-size:.9rem}svg{width:100%;height:auto;font:12px system-ui,sans-serif}\n"
      ".legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;padding:0;margin:.3rem 0;font-size:.9rem}\n"
      "ul.legend{list-style:none}ol.legend{list-style-position:inside}ol.legend li{margin-right:.6rem}\n"
      ".key{width:44px;height:10px;margin-right:.4rem;vertical-align:middle}\n"
      ".patch{display:inline-block;width:1rem;height:.8rem;margin:0 .3rem;border:1px solid #555}\n"
      ".scroll{overflow-x:auto;margin-bottom:1.2rem}table{border-collapse:collapse;font-size:.82rem;font-variant-"
      "numeric:tabular-nums}\n"
      "th,td{padding:.25rem .5rem;text-align:right;border-bottom:1px solid #ccc;white-space:nowrap}\n"
      "th:first-child{text-align:left}.strong{font-weight:700;background:#f2f2f2}\n"
      ".prose td,.prose th{text-align:left;white-space:normal;vertical-align:top}\n"
      ".verdict{font-weight:600;border-left:.3rem solid #0072B2;padding-left:.8rem}.second{fill:#555}\n"
      "@media(max-width:34rem){figure:not(.wide)>svg{font-size:19px}.odd{display:none}.mark{font-size:15px}th{white-"
      "space:normal}td{padding:.25rem}"
      ".long{min-width:9rem}}\n"
      "@media print{body{max-width:none}figure{break-inside:avoid}}\n";

  std::string out_;
};

}  // namespace uniroute
