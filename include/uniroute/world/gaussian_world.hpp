#pragma once

// Gaussian mixtures of prompts and LLMs whose log-odds of failing are linear in the embedding.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/world.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/random.hpp>
#include <uniroute/world/world_sample.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Size and shape of a `gaussian_world`.
struct gaussian_world_options {
  std::size_t components = 8;  ///< clusters of prompts, equally likely
  std::size_t models = 10;     ///< LLMs
  std::size_t dimension = 8;   ///< D of the embeddings
  double spread = 0.5;       ///< standard deviation of the noise around a centre, per dimension; centres have length 1
  double skill = 2;          ///< length of an LLM's direction: how much its log-odds vary with the prompt
  double difficulty = -0.5;  ///< mean log-odds of failing
  double dearest = 1;        ///< costs rise from dearest / M to this; dearer LLMs fail less
  std::uint64_t seed = 1;    ///< of centres and directions
};

/// x ~ mixture of N(μ_c, spread² I);  γ*(x, h) = 1 / (1 + exp(−b_h − w_hᵀ x)).  The embedding is x, in float32; γ* is
/// that of the unrounded x. Regret has no closed form: it is a mean over samples with a standard error
/// (regret/regret_of.hpp). The mean loss of an LLM in a component has one integral, which `component_loss` computes to
/// 1e-10. Immutable; const members are thread-safe.
class gaussian_world {
 public:
  /// Throws std::invalid_argument for zero counts and negative or infinite options.
  explicit gaussian_world(gaussian_world_options options = {}) : options_(options) {
    constexpr auto where = "gaussian_world";
    detail::require(options.components != 0 && options.models != 0 && options.dimension != 0, where,
                    ": components, models and dimension are ", options.components, ", ", options.models, " and ",
                    options.dimension, ", but must be at least 1");
    for (const auto& [name, value] :
         {std::pair{"spread", options.spread}, {"skill", options.skill}, {"dearest", options.dearest}}) {
      detail::require(value >= 0 && std::isfinite(value), where, ": ", name, " is ", value,
                      ", but must be finite and at least 0");
    }
    detail::require(std::isfinite(options.difficulty), where, ": difficulty is ", options.difficulty,
                    ", but must be finite");
    random_engine draws(derive_seed(options.seed, 0));
    centres_ = directions(options.components, 1, draws);
    weights_ = directions(options.models, options.skill, draws);
    for (std::size_t h = 0; h < options.models; ++h) {
      const double place = static_cast<double>(h + 1) / static_cast<double>(options.models);
      costs_.push_back(options.dearest * place);
      biases_.push_back(options.difficulty + 0.8 * (0.5 - place) + 0.3 * draws.normal());
    }
  }

  std::size_t models() const noexcept { return options_.models; }          ///< M
  std::size_t components() const noexcept { return options_.components; }  ///< of the mixture
  std::span<const double> costs() const noexcept { return costs_; }        ///< M values, the same for every prompt
  const gaussian_world_options& options() const noexcept { return options_; }

  /// γ*(x, h) of D values.
  double expected_loss(std::span<const double> x, std::size_t h) const noexcept {
    double log_odds = biases_[h];
    for (std::size_t j = 0; j < x.size(); ++j) log_odds += weights_(h, j) * x[j];
    return 1 / (1 + std::exp(-log_odds));
  }

  /// E[γ*(x, h) | component c]: the log-odds are normal, and the trapezoid rule on ±9 standard deviations converges
  /// geometrically for their logistic; absolute error below 1e-10 for skill · spread <= 5.
  double component_loss(std::size_t c, std::size_t h) const noexcept {
    double mean = biases_[h], square = 0;
    for (std::size_t j = 0; j < options_.dimension; ++j) {
      mean += weights_(h, j) * centres_(c, j);
      square += weights_(h, j) * weights_(h, j);
    }
    const double deviation = options_.spread * std::sqrt(square);
    constexpr double step = 0.05;
    double sum = 0;
    for (int i = -180; i <= 180; ++i) {
      const double z = step * i;
      sum += std::exp(-z * z / 2) / (1 + std::exp(-mean - deviation * z));
    }
    return sum * step / std::sqrt(2 * std::numbers::pi);
  }

  /// Draws n prompts, and one answer of every LLM to each. Same seed, same bits. Cells are components.
  /// Throws std::invalid_argument for n = 0.
  world_sample sample(std::size_t n, std::uint64_t seed) const {
    detail::require(n != 0, "gaussian_world::sample: n is 0, but must be at least 1");
    const std::size_t m = models(), d = options_.dimension;
    routing_table_parts parts;
    parts.name = "gaussian world";
    parts.losses = make_matrix<double>(n, m);
    parts.costs = make_matrix<double>(n, m);
    parts.embeddings = make_matrix<float>(n, d);
    world_sample out{{}, make_matrix<double>(n, m), label_vector(n)};
    std::vector<double> x(d);
    for (std::size_t i = 0; i < n; ++i) {
      random_engine draws(derive_seed(derive_seed(seed, 1), i));
      const std::size_t c = draws.below(options_.components);
      out.cells[i] = static_cast<std::uint32_t>(c);
      for (std::size_t j = 0; j < d; ++j) {
        x[j] = centres_(c, j) + options_.spread * draws.normal();
        parts.embeddings(i, j) = static_cast<float>(x[j]);
      }
      for (std::size_t h = 0; h < m; ++h) {
        out.expected_losses(i, h) = expected_loss(x, h);
        parts.losses(i, h) = draws.uniform() < out.expected_losses(i, h) ? 1 : 0;
        parts.costs(i, h) = costs_[h];
      }
      parts.ids.push_back("prompt-" + std::to_string(i));
      parts.categories.push_back("component-" + std::to_string(c));
    }
    for (std::size_t h = 0; h < m; ++h) {
      model_info info;
      info.name = "model-" + std::to_string(h);
      info.cost = costs_[h];
      parts.models.push_back(std::move(info));
    }
    out.table = routing_table(std::move(parts));
    return out;
  }

 private:
  matrix<double> directions(std::size_t n, double length, random_engine& draws) const {
    auto out = make_matrix<double>(n, options_.dimension);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0;
      for (double& value : row(out, i)) {
        value = draws.normal();
        square += value * value;
      }
      for (double& value : row(out, i)) value *= length / std::sqrt(square);
    }
    return out;
  }

  gaussian_world_options options_;
  matrix<double> centres_;              ///< μ, components x D, of length 1
  matrix<double> weights_;              ///< w, M x D, of length `skill`
  std::vector<double> biases_, costs_;  ///< b and c, M values each
};

static_assert(world<gaussian_world>);

}  // namespace uniroute
