#pragma once

// Discrete worlds drawn at random: types in cells, with heterogeneity inside the cells as a dial; and smooth worlds on
// a line, where cells can be made as fine as wanted.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// A discrete world and hard cells of its types.
struct celled_world {
  discrete_world world;
  label_vector labels;    ///< the cell of each type
  std::size_t cells = 1;  ///< K
};

/// The same world with γ*(t, h) moved towards the mean of its cell: Ψ*_k(h) + share · (γ*(t, h) − Ψ*_k(h)). Cell means,
/// and with them every profile, stay as they are; 0 makes cells homogeneous, 1 changes nothing.
/// Throws std::invalid_argument for a share outside [0, 1] and labels that do not fit.
inline discrete_world with_heterogeneity(const discrete_world& w, std::span<const std::uint32_t> labels, double share) {
  constexpr auto where = "with_heterogeneity";
  detail::require(share >= 0 && share <= 1, where, ": share is ", share, ", but must be in [0, 1]");
  detail::require(labels.size() == w.types(), where, ": labels has ", labels.size(), " entries, but must have ",
                  w.types());
  const std::size_t cells = *std::max_element(labels.begin(), labels.end()) + std::size_t{1}, m = w.models();
  auto means = make_matrix<double>(cells, m, 0.0);
  std::vector<double> mass(cells, 0.0);
  for (std::size_t t = 0; t < w.types(); ++t) {
    mass[labels[t]] += w.probabilities()[t];
    for (std::size_t h = 0; h < m; ++h) means(labels[t], h) += w.probabilities()[t] * w.expected_losses()(t, h);
  }
  auto parts = w.parts();
  for (std::size_t t = 0; t < w.types(); ++t) {
    if (!(mass[labels[t]] > 0)) continue;
    for (std::size_t h = 0; h < m; ++h) {
      const double mean = means(labels[t], h) / mass[labels[t]];
      parts.expected_losses(t, h) = std::clamp(mean + share * (parts.expected_losses(t, h) - mean), 0.0, 1.0);
    }
  }
  return discrete_world(std::move(parts));
}

/// Size of `random_cells`, and how its losses are drawn.
struct random_cells_options {
  std::size_t cells = 10;          ///< K
  std::size_t models = 10;         ///< M
  std::size_t types_per_cell = 3;  ///< types of prompts in a cell
  double heterogeneity = 0.3;      ///< the dial of with_heterogeneity
  double clear_cells = 0;          ///< share of cells in which one LLM fails at `clear_loss`, the others above one half
  double clear_loss = 0.05;        ///< its loss there
  double dearest = 0.5;            ///< costs are drawn from [0, dearest]
  std::size_t runs = 1;            ///< answers behind a loss (discrete_world_parts)
  std::uint64_t seed = 1;          ///< same seed, same world
};

/// Error rates uniform in [0, 1] for each type and LLM, types of uneven probability; embedded as (10 · cell, place
/// within the cell), so that nearest centroids find the cells. Throws what discrete_world throws, and
/// std::invalid_argument for zero counts and shares outside [0, 1].
inline celled_world random_cells(const random_cells_options& o) {
  constexpr auto where = "random_cells";
  detail::require(o.cells != 0 && o.models != 0 && o.types_per_cell != 0, where,
                  ": cells, models and types_per_cell are ", o.cells, ", ", o.models, " and ", o.types_per_cell,
                  ", but must be at least 1");
  for (const auto& [name, value] :
       {std::pair{"heterogeneity", o.heterogeneity}, {"clear_cells", o.clear_cells}, {"clear_loss", o.clear_loss}}) {
    detail::require(value >= 0 && value <= 1, where, ": ", name, " is ", value, ", but must be in [0, 1]");
  }
  const std::size_t n = o.cells * o.types_per_cell;
  random_engine draws(derive_seed(o.seed, 3));
  discrete_world_parts parts;
  parts.expected_losses = make_matrix<double>(n, o.models);
  parts.embeddings = make_matrix<float>(n, 2);
  parts.costs = make_matrix<double>(1, o.models);
  for (double& cost : parts.costs) cost = o.dearest * draws.uniform();
  parts.runs = o.runs;
  label_vector labels;
  const auto clear = static_cast<std::size_t>(std::lround(o.clear_cells * static_cast<double>(o.cells)));
  double sum = 0;
  for (std::size_t k = 0; k < o.cells; ++k) {
    const double share = 0.5 + draws.uniform();
    const std::size_t winner = draws.below(o.models);
    for (std::size_t j = 0; j < o.types_per_cell; ++j) {
      const std::size_t t = k * o.types_per_cell + j;
      labels.push_back(static_cast<std::uint32_t>(k));
      parts.probabilities.push_back(share * (0.5 + draws.uniform()));
      sum += parts.probabilities.back();
      parts.embeddings(t, 0) = static_cast<float>(10 * k);
      parts.embeddings(t, 1) = static_cast<float>(j) / static_cast<float>(o.types_per_cell);
      for (std::size_t h = 0; h < o.models; ++h) {
        const double u = draws.uniform();
        parts.expected_losses(t, h) = k >= clear ? u : h == winner ? o.clear_loss : 0.5 + u / 2;
      }
    }
  }
  for (double& p : parts.probabilities) p /= sum;
  const discrete_world rough(std::move(parts));
  return {with_heterogeneity(rough, labels, o.heterogeneity), labels, o.cells};
}

/// K cells of equal numbers of neighbouring types (to within one), for worlds whose types lie in order.
/// Throws std::invalid_argument unless 1 <= cells <= types.
inline label_vector equal_cells(std::size_t types, std::size_t cells) {
  detail::require(cells >= 1 && cells <= types, "equal_cells: cells is ", cells, ", but must be from 1 to ", types);
  label_vector out(types);
  for (std::size_t t = 0; t < types; ++t) out[t] = static_cast<std::uint32_t>(t * cells / types);
  return out;
}

/// Size of `smooth_line`, and how fast its losses change.
struct smooth_line_options {
  std::size_t types = 1200;  ///< T, equally likely, on a grid of (0, 1)
  std::size_t models = 10;   ///< M
  double variation = 1.5;    ///< standard deviation, in logits, of an LLM's loss along the line
  double smoothness = 1;     ///< wave j has amplitude j^−smoothness
  double dearest = 0.2;      ///< costs rise from dearest / M to this
  std::uint64_t seed = 1;    ///< same seed, same world
};

/// logit γ*(x, h) = b_h + Σ_{j <= 32} a_j (u_hj cos πjx + v_hj sin πjx), u, v normal, a_j ∝ j^−smoothness: LLMs are
/// good at neighbourhoods. Cells (equal_cells) trade approximation for estimation as K grows. Throws
/// std::invalid_argument for zero counts and negative or infinite options.
inline discrete_world smooth_line(const smooth_line_options& o) {
  constexpr auto where = "smooth_line";
  detail::require(o.types != 0 && o.models != 0, where, ": types and models are ", o.types, " and ", o.models,
                  ", but must be at least 1");
  for (const auto& [name, value] :
       {std::pair{"variation", o.variation}, {"smoothness", o.smoothness}, {"dearest", o.dearest}}) {
    detail::require(value >= 0 && std::isfinite(value), where, ": ", name, " is ", value,
                    ", but must be finite and at least 0");
  }
  constexpr std::size_t waves = 32;
  std::vector<double> amplitude(waves);
  double square = 0;
  for (std::size_t j = 0; j < waves; ++j) {
    amplitude[j] = std::pow(static_cast<double>(j + 1), -o.smoothness);
    square += amplitude[j] * amplitude[j];
  }
  for (double& a : amplitude) a *= o.variation / std::sqrt(square);
  random_engine draws(derive_seed(o.seed, 4));
  discrete_world_parts parts;
  parts.probabilities.assign(o.types, 1 / static_cast<double>(o.types));
  parts.expected_losses = make_matrix<double>(o.types, o.models);
  parts.embeddings = make_matrix<float>(o.types, 1);
  parts.costs = make_matrix<double>(1, o.models);
  const auto place = [&](std::size_t t) { return (static_cast<double>(t) + 0.5) / static_cast<double>(o.types); };
  for (std::size_t t = 0; t < o.types; ++t) parts.embeddings(t, 0) = static_cast<float>(place(t));
  for (std::size_t h = 0; h < o.models; ++h) {
    const double rank = static_cast<double>(h + 1) / static_cast<double>(o.models);
    parts.costs(0, h) = o.dearest * rank;
    const double bias = 0.8 * (0.5 - rank) + 0.2 * draws.normal();
    std::vector<std::pair<double, double>> waves_of(waves);
    for (auto& [u, v] : waves_of) {
      u = draws.normal();
      v = draws.normal();
    }
    for (std::size_t t = 0; t < o.types; ++t) {
      double logit = bias;
      for (std::size_t j = 0; j < waves; ++j) {
        const double angle = std::numbers::pi * static_cast<double>(j + 1) * place(t);
        logit += amplitude[j] * (waves_of[j].first * std::cos(angle) + waves_of[j].second * std::sin(angle));
      }
      parts.expected_losses(t, h) = 1 / (1 + std::exp(-logit));
    }
  }
  return discrete_world(std::move(parts));
}

}  // namespace uniroute
