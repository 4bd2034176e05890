#pragma once

// Costs of several kinds, dollars and seconds say, as one: each at its price.

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/missing.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// One kind of cost of every answer.
struct cost_kind {
  std::string name;        ///< for notes and errors
  cost_matrix values;      ///< n x M, at least 0; where one is missing it takes the mean of its LLM
  double price = missing;  ///< of a unit; must be given
};

/// The table with Σ price · cost for its costs: λ then weighs quality against that sum, so that a price for each kind
/// makes λ a vector. A note says how. Throws std::invalid_argument for no kinds, shapes, a price that was not given or
/// is negative, and an LLM of which a kind has no value; std::domain_error for a negative cost.
template <class Loss>
basic_routing_table<Loss> with_costs(const basic_routing_table<Loss>& table, const std::vector<cost_kind>& kinds) {
  constexpr auto where = "with_costs";
  detail::require(!kinds.empty(), where, ": there are 0 kinds of costs, but must be at least 1");
  auto parts = table.parts();
  const std::size_t n = table.size(), m = table.model_count();
  parts.costs = make_matrix<double>(n, m, 0.0);
  std::string note;
  for (const auto& kind : kinds) {
    detail::require(kind.price >= 0 && std::isfinite(kind.price), where, ": the price of '", kind.name, "' is ",
                    kind.price, ", but must be given, finite and at least 0");
    detail::require(rows(kind.values) == n && columns(kind.values) == m, where, ": '", kind.name, "' is ",
                    rows(kind.values), " x ", columns(kind.values), ", but must be ", n, " x ", m);
    for (std::size_t h = 0; h < m; ++h) {
      double sum = 0, count = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (is_missing(kind.values(i, h))) continue;
        detail::check_cost(where, "a cost", kind.values(i, h));
        sum += kind.values(i, h);
        count += 1;
      }
      detail::require(count > 0, where, ": no value of '", kind.name, "' is known for model '", table.models()[h].name,
                      "', but at least one must be");
      for (std::size_t i = 0; i < n; ++i)
        parts.costs(i, h) += kind.price * (is_missing(kind.values(i, h)) ? sum / count : kind.values(i, h));
    }
    note += (note.empty() ? "Costs: " : " + ") + detail::text(kind.price, " ", kind.name);
  }
  parts.notes.push_back(note + ".");
  return basic_routing_table<Loss>(std::move(parts));
}

}  // namespace uniroute
