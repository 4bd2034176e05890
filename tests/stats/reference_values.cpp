// Statistics against 60-digit values by mpmath (support/reference/statistics.py wrote statistics.tsv; it derives them
// from the sources' formulas, and its order of bets from the generators' own descriptions).

#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <uniroute/stats/stats.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

struct line {
  std::string statistic;
  std::vector<std::string> cells;

  double operator[](std::size_t i) const { return std::stod(cells.at(i)); }
};

std::vector<line> lines() {
  std::ifstream file(UNIROUTE_SOURCE_DIR "/tests/support/reference/statistics.tsv");
  REQUIRE(file);
  std::vector<line> out;
  for (std::string text; std::getline(file, text);) {
    if (text.starts_with('#')) continue;
    std::istringstream in(text);
    line next;
    std::getline(in, next.statistic, '\t');
    for (std::string cell; std::getline(in, cell, '\t');) next.cells.push_back(cell);
    out.push_back(next);
  }
  return out;
}

/// Agrees to `digits` significant digits.
bool agrees(double ours, double exact, double relative) {
  return std::fabs(ours - exact) <= relative * std::fabs(exact) || std::fabs(ours - exact) < 1e-300;
}

}  // namespace

TEST_CASE("statistics agree with 60-digit references over wide ranges") {
  std::map<std::string, std::size_t> seen;
  for (const line& l : lines()) {
    ++seen[l.statistic];
    INFO(l.statistic << " " << [&] {
      std::string all;
      for (const auto& c : l.cells) all += c + " ";
      return all;
    }());
    if (l.statistic == "clopper_pearson") {                             // n from 1 to 10^7, δ from .5 to 1e-12
      const bool by_scipy = l[1] > 100 && l[0] > 2 && l[0] < l[1] - 2;  // whose own digits end earlier
      const auto i = ur::exact_binomial::make(l[0], static_cast<std::size_t>(l[1]), l[2]);
      CHECK(agrees(i.lower, l[3], by_scipy ? 1e-9 : 1e-11));
      CHECK(agrees(i.upper, l[4], by_scipy ? 1e-9 : 1e-11));
    } else if (l.statistic == "student_t_two_sided") {
      CHECK(agrees(ur::student_t_two_sided(l[0], l[1]), l[2], 1e-12));
      CHECK(agrees(ur::student_t_two_sided(-l[0], l[1]), l[2], 1e-12));
    } else if (l.statistic == "student_t_quantile") {
      CHECK(agrees(ur::student_t_quantile(l[0], l[1]), l[2], 1e-11));
    } else if (l.statistic == "normal_upper_quantile") {
      CHECK(std::fabs(ur::normal_upper_quantile(l[0]) - l[1]) <= 1e-12 * (1 + std::fabs(l[1])));
    } else if (l.statistic == "normal_upper_tail") {
      CHECK(agrees(ur::normal_upper_tail(l[0]), l[1], 1e-12));
    } else if (l.statistic == "wilson") {
      const auto i = ur::wilson::make(l[0], static_cast<std::size_t>(l[1]), l[2]);
      CHECK(std::fabs(i.lower - l[3]) < 1e-13);
      CHECK(std::fabs(i.upper - l[4]) < 1e-13);
    } else if (l.statistic == "sign_test") {
      std::vector<double> differences(static_cast<std::size_t>(l[0]), .25);
      differences.insert(differences.end(), 3, 0.0);  // ties say nothing
      differences.insert(differences.end(), static_cast<std::size_t>(l[1]), -2.0);
      CHECK(agrees(ur::sign_test(differences), l[2], 1e-12));
    } else if (l.statistic == "betting") {  // 2^-40 is how far the search goes
      const auto n = static_cast<std::size_t>(l[1]);
      std::vector<double> values, weights;
      for (std::size_t i = 0; i < n; ++i) {
        const std::string& kind = l.cells[0];
        values.push_back(kind == "zeros"   ? 0
                         : kind == "ones"  ? 1
                         : kind == "steps" ? (i * 3 < n ? 1 : 0)
                                           : static_cast<double>((i * 37 + 11) % 65) / 64);
        weights.push_back(static_cast<double>((i * 29 + 5) % 65) / 64);
      }
      const bool weighted = l[2] != 0;
      const auto i = weighted ? ur::betting::make(values, weights, l[3]) : ur::betting::make(values, l[3]);
      CHECK(std::fabs(i.lower - l[4]) < 3e-12);
      CHECK(std::fabs(i.upper - l[5]) < 3e-12);
      if (!weighted) CHECK(std::fabs(ur::betting::upper(values, l[3]) - l[6]) < 3e-12);
    } else {
      FAIL("'" << l.statistic << "' is not a statistic of this test");
    }
  }
  CHECK(seen.size() == 8);
  CHECK(seen["clopper_pearson"] >= 100);
  CHECK(seen["betting"] == 120);
}
