#pragma once

// A world whose error probabilities are known: clusters of prompts, LLMs with published accuracies and prices.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/world.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <uniroute/world/world_figures.hpp>
#include <uniroute/world/world_sample.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Size of a `simulated_world`'s embeddings, and their noise.
struct simulated_world_options {
  std::size_t dimension = 32;     ///< D of the embeddings, at least 4
  double spread = 0.5;            ///< length of the noise around a cluster's centre, centres having length 1
  double heterogeneity = 0.5;     ///< standard deviation, in logits, of an LLM's accuracy within a cluster; 0: constant
  double length_variation = 0.4;  ///< standard deviation of the logarithm of a prompt's length, which scales its costs
  std::uint64_t seed = 1;         ///< of the centres and of what each LLM is good at
};

/// Prompts come from 14 clusters in the proportions of MMLU-Pro's subjects; 28 LLMs err in each at their published rate
/// and cost what they cost there (world/world_figures.hpp). Within a cluster an LLM's accuracy varies smoothly:
///   logit P[correct | x, h] = logit accuracy(k, h) + heterogeneity · uₕ · z,   z ~ N(0, I₄),
/// uₕ a direction of the LLM's own; the embedding is the centre plus noise that contains z. So γ*(x, h) is exact, cells
/// explain most of it, and Δ is not zero. Texts are words of the cluster's own vocabulary among common ones.
/// Immutable; const members are thread-safe.
class simulated_world {
 public:
  static constexpr std::size_t skills = 4;  ///< dimensions of z

  /// Throws std::invalid_argument for a dimension below 4 or a negative or infinite option.
  explicit simulated_world(simulated_world_options options = {}) : options_(options) {
    detail::require(options.dimension >= skills, "simulated_world: dimension is ", options.dimension,
                    ", but must be at least ", skills);
    for (const auto& [name, value] : {std::pair{"spread", options.spread},
                                      {"heterogeneity", options.heterogeneity},
                                      {"length_variation", options.length_variation}}) {
      detail::require(value >= 0 && std::isfinite(value), "simulated_world: ", name, " is ", value,
                      ", but must be finite and at least 0");
    }
    random_engine draws(derive_seed(options.seed, 0));
    centres_ = unit_rows(cells(), options.dimension, draws);
    directions_ = unit_rows(models(), skills, draws);
  }

  static constexpr std::size_t cells() noexcept { return world_categories.size(); }  ///< clusters
  static constexpr std::size_t models() noexcept { return world_models.size(); }     ///< LLMs
  const simulated_world_options& options() const noexcept { return options_; }

  /// The probability of cluster k.
  static constexpr double cell_probability(std::size_t k) noexcept {
    std::uint32_t all = 0;
    for (const auto& category : world_categories) all += category.prompts;
    return static_cast<double>(world_categories[k].prompts) / all;
  }

  /// Draws n prompts, and one answer of every LLM to each. Same seed, same bits.
  /// Throws std::invalid_argument for n = 0.
  world_sample sample(std::size_t n, std::uint64_t seed) const {
    detail::require(n != 0, "simulated_world::sample: n is 0, but must be at least 1");
    const std::size_t m = models(), d = options_.dimension;
    routing_table_parts parts;
    parts.name = "simulated world";
    parts.notes.push_back("Simulated: clusters, accuracies and costs are aggregates of MMLU-Pro's published outcomes.");
    parts.losses = make_matrix<double>(n, m);
    parts.costs = make_matrix<double>(n, m);
    parts.embeddings = make_matrix<float>(n, d);
    world_sample out{{}, make_matrix<double>(n, m), label_vector(n)};
    for (std::size_t i = 0; i < n; ++i) {
      random_engine draws(derive_seed(derive_seed(seed, 1), i));
      const std::size_t k = draw_cell(draws);
      out.cells[i] = static_cast<std::uint32_t>(k);
      std::array<double, skills> z{};
      for (double& value : z) value = draws.normal();
      const double scale = options_.spread / std::sqrt(static_cast<double>(d));
      for (std::size_t j = 0; j < d; ++j)
        parts.embeddings(i, j) = static_cast<float>(centres_(k, j) + scale * (j < skills ? z[j] : draws.normal()));
      const double v = options_.length_variation;
      const double length = std::exp(v * draws.normal() - v * v / 2);
      for (std::size_t h = 0; h < m; ++h) {
        double tilt = 0;
        for (std::size_t s = 0; s < skills; ++s) tilt += directions_(h, s) * z[s];
        // Rates of 0 or 1 have no logit: half an answer more or less than none and all.
        const double rate = (world_models[h].correct[k] + 0.5) / (world_categories[k].prompts + 1.0);
        const double logit = std::log(rate / (1 - rate)) + options_.heterogeneity * tilt;
        out.expected_losses(i, h) = 1 / (1 + std::exp(logit));
        parts.losses(i, h) = draws.uniform() < out.expected_losses(i, h) ? 1 : 0;
        parts.costs(i, h) = world_models[h].cost(k) * length;
      }
      parts.ids.push_back("prompt-" + std::to_string(i));
      parts.categories.emplace_back(world_categories[k].name);
      parts.prompts.push_back(write_prompt(k, i, draws));
    }
    for (const auto& model : world_models) {
      model_info info;
      info.name = model.name;
      parts.models.push_back(std::move(info));
    }
    out.table = routing_table(std::move(parts));
    return out;
  }

 private:
  static matrix<double> unit_rows(std::size_t n, std::size_t d, random_engine& draws) {
    auto out = make_matrix<double>(n, d);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0;
      for (double& value : row(out, i)) {
        value = draws.normal();
        square += value * value;
      }
      for (double& value : row(out, i)) value /= std::sqrt(square);
    }
    return out;
  }

  static std::size_t draw_cell(random_engine& draws) noexcept {
    double left = draws.uniform();
    for (std::size_t k = 0; k + 1 < cells(); ++k) {
      left -= cell_probability(k);
      if (left < 0) return k;
    }
    return cells() - 1;
  }

  static std::string write_prompt(std::size_t k, std::size_t i, random_engine& draws) {
    std::string out = "Question " + std::to_string(i) + ":";
    for (std::size_t w = 0; w < 12; ++w) {
      const bool own = draws.uniform() < 0.5;
      out += own ? " " + std::string(world_categories[k].name) + std::to_string(draws.below(40))
                 : " word" + std::to_string(draws.below(200));
    }
    return out;
  }

  simulated_world_options options_;
  matrix<double> centres_;     ///< cells x D, of length 1
  matrix<double> directions_;  ///< u, models x skills, of length 1
};

static_assert(world<simulated_world>);

}  // namespace uniroute
