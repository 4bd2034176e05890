#pragma once

// Tables of a few prompts for tests of what is refused.

#include <functional>
#include <string>
#include <uniroute/data/routing_table.hpp>

namespace uniroute_tests {

/// n prompts `PREFIX0` … with one embedding column (their number), LLMs "a", "b", … and what the functions of (prompt,
/// LLM) give; costs are 1 + LLM where none is given.
inline uniroute::routing_table small_table(const std::string& prefix, std::size_t n, std::size_t m,
                                           const std::function<double(std::size_t, std::size_t)>& loss,
                                           const std::function<double(std::size_t, std::size_t)>& cost = {}) {
  uniroute::routing_table_parts parts;
  parts.name = prefix;
  parts.losses = uniroute::make_matrix<double>(n, m);
  parts.costs = uniroute::make_matrix<double>(n, m);
  parts.embeddings = uniroute::make_matrix<float>(n, 1);
  for (std::size_t h = 0; h < m; ++h) parts.models.push_back({.name = std::string(1, static_cast<char>('a' + h))});
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(prefix + std::to_string(i));
    parts.embeddings(i, 0) = static_cast<float>(i);
    for (std::size_t h = 0; h < m; ++h) {
      parts.losses(i, h) = loss(i, h);
      parts.costs(i, h) = cost ? cost(i, h) : 1 + static_cast<double>(h);
    }
  }
  return uniroute::routing_table(std::move(parts));
}

}  // namespace uniroute_tests
