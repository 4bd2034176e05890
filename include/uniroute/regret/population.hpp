#pragma once

// What regret is measured on: prompts with weights and known error probabilities, all of a world's or a sample of them.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/world.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// n prompts (or types of prompts) of a world. Enumerated: sums over them are expectations. Sampled: they are means
/// with a standard error.
struct population {
  std::vector<double> weights;      ///< n values >= 0, sum 1
  loss_matrix expected_losses;      ///< γ*, n x M
  cost_matrix costs;                ///< n x M or 1 x M
  embedding_matrix embeddings;      ///< n x D
  std::vector<std::string> models;  ///< M names
  bool enumerated = false;          ///< nothing of the world is left out

  std::size_t size() const noexcept { return weights.size(); }  ///< n
  std::size_t model_count() const noexcept { return columns(expected_losses); }
  std::span<const double> costs_of(std::size_t i) const noexcept { return row(costs, rows(costs) == 1 ? 0 : i); }
};

/// All of an enumerable world.
template <enumerable_world World>
population population_of(const World& w) {
  const auto p = w.probabilities();
  population out{{p.begin(), p.end()}, w.expected_losses(), w.costs(), w.embeddings(), {}, true};
  if constexpr (requires { w.model_names(); }) {
    out.models.assign(w.model_names().begin(), w.model_names().end());
  } else {
    for (std::size_t h = 0; h < w.models(); ++h) out.models.push_back("model-" + std::to_string(h));
  }
  return out;
}

/// n prompts drawn from any world. What is measured on them has a standard error of its spread / sqrt(n).
template <world World>
population population_of(const World& w, std::size_t n, std::uint64_t seed) {
  auto drawn = w.sample(n, seed);
  return {std::vector<double>(n, 1 / static_cast<double>(n)),
          std::move(drawn.expected_losses),
          drawn.table.costs(),
          drawn.table.embeddings(),
          drawn.table.model_names(),
          false};
}

/// The population with these LLMs alone, in this order: regret is relative to a pool.
/// Throws std::invalid_argument for an unknown name.
inline population select_models(const population& p, std::span<const std::string> models) {
  std::vector<std::size_t> all(p.size()), costs(rows(p.costs)), picked;
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  for (std::size_t i = 0; i < costs.size(); ++i) costs[i] = i;
  for (const auto& name : models) {
    std::size_t h = 0;
    while (h < p.models.size() && p.models[h] != name) ++h;
    detail::require(h < p.models.size(), "select_models: '", name, "' is not a model of the population");
    picked.push_back(h);
  }
  return {p.weights,    take(p.expected_losses, all, picked), take(p.costs, costs, picked),
          p.embeddings, {models.begin(), models.end()},       p.enumerated};
}
/// The same for names in braces.
inline population select_models(const population& p, std::initializer_list<std::string> models) {
  return select_models(p, std::span<const std::string>(models.begin(), models.size()));
}

namespace detail {

inline void check_population(std::string_view function, const population& p) {
  const std::size_t n = p.size(), m = p.model_count();
  require(n != 0 && m != 0 && rows(p.expected_losses) == n, function, ": expected_losses is ", rows(p.expected_losses),
          " x ", m, ", but must be ", n, " x models, and at least 1 x 1");
  require((rows(p.costs) == 1 || rows(p.costs) == n) && columns(p.costs) == m, function, ": costs is ", rows(p.costs),
          " x ", columns(p.costs), ", but must be ", n, " x ", m, " or 1 x ", m);
  double sum = 0;
  for (const double w : p.weights) sum += w;
  require(std::fabs(sum - 1) <= 1e-9, function, ": the sum of weights is ", sum, ", but must be 1");
}

inline void check_lambda(std::string_view function, double lambda) {
  require(lambda >= 0 && std::isfinite(lambda), function, ": lambda is ", lambda,
          ", but must be finite and at least 0");
}

}  // namespace detail

}  // namespace uniroute
