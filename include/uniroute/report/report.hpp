#pragma once

// Numbers → pictures and one HTML page that loads nothing.
//
// There are
//   line_chart, stacked_chart, heat_map   SVG, legible on a phone and in black and white.
//   html_page                             headings, figures and tables in one file.
//
// Not provided: interaction (a page that needs no script opens anywhere, and prints).

#include <uniroute/report/charts.hpp>
#include <uniroute/report/interval_chart.hpp>
#include <uniroute/report/page.hpp>
