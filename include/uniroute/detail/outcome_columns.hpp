#pragma once

// Which LLMs share the prompts on which they were observed: those share a factorisation.

#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute::detail {

/// LLMs (columns) that were observed on the same prompts (rows, rising, at least one).
struct column_group {
  std::vector<std::size_t> rows, columns;
};

/// The columns by their pattern of observations, most outcomes first, then in order; columns without any are left out.
inline std::vector<column_group> group_columns(const loss_matrix& losses) {
  std::map<std::vector<bool>, std::size_t> known;
  std::vector<column_group> out;
  std::vector<bool> pattern(rows(losses));
  for (std::size_t h = 0; h < columns(losses); ++h) {
    for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = !is_missing(losses(i, h));
    if (std::find(pattern.begin(), pattern.end(), true) == pattern.end()) continue;
    const auto [at, is_new] = known.emplace(pattern, out.size());
    if (is_new) {
      out.emplace_back();
      for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i]) out.back().rows.push_back(i);
      }
    }
    out[at->second].columns.push_back(h);
  }
  const auto outcomes = [](const column_group& g) { return g.rows.size() * g.columns.size(); };
  std::stable_sort(out.begin(), out.end(), [&](const auto& a, const auto& b) { return outcomes(a) > outcomes(b); });
  return out;
}

/// The group's targets less their means over its rows: a row of out per LLM (columns x rows of the group).
inline matrix<double> centred_targets(const loss_matrix& targets, const column_group& group) {
  auto out = make_matrix<double>(group.columns.size(), group.rows.size());
  for (std::size_t c = 0; c < group.columns.size(); ++c) {
    const auto to = row(out, c);
    double mean = 0;
    for (std::size_t i = 0; i < to.size(); ++i) mean += to[i] = targets(group.rows[i], group.columns[c]);
    mean /= static_cast<double>(to.size());
    for (double& v : to) v -= mean;
  }
  return out;
}

}  // namespace uniroute::detail
