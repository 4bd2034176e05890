#pragma once

// Finitely many types of prompts with known error probabilities: a world in which every expectation is a sum.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/world.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/check_losses.hpp>
#include <uniroute/numeric/count_draws.hpp>
#include <uniroute/random.hpp>
#include <uniroute/world/world_sample.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// The parts of a discrete world, for the constructor.
struct discrete_world_parts {
  std::vector<double> probabilities;     ///< T values >= 0 that sum to 1
  loss_matrix expected_losses;           ///< γ*(t, h), T x M in [0, 1]
  cost_matrix costs = {};                ///< T x M or 1 x M, finite and >= 0; 0 x 0: all cost nothing
  embedding_matrix embeddings = {};      ///< T x D; 0 x 0: type t is embedded as the number t
  std::vector<std::string> models = {};  ///< M distinct names; none: model-0, model-1, …
  std::size_t runs = 1;                  ///< a loss is the mean of that many 0-1 answers; 1: losses are 0 or 1
};

/// Types of prompts, each with a probability, an embedding, γ*(t, h) and costs. Immutable; const members are
/// thread-safe.
class discrete_world {
 public:
  /// Throws std::invalid_argument for shapes, no type, no model or no run, and probabilities that do not sum to 1 (to
  /// 1e-9; they are then divided by their sum); std::domain_error for values.
  explicit discrete_world(discrete_world_parts parts) : parts_(std::move(parts)) {
    constexpr auto where = "discrete_world";
    const std::size_t n = parts_.probabilities.size(), m = columns(parts_.expected_losses);
    detail::require(n != 0 && m != 0 && rows(parts_.expected_losses) == n, where, ": expected_losses is ",
                    rows(parts_.expected_losses), " x ", m, ", but must be ", n, " x models, and at least 1 x 1");
    double sum = 0;
    for (std::size_t t = 0; t < n; ++t) {
      const double p = parts_.probabilities[t];
      detail::require<std::domain_error>(p >= 0 && p <= 1, where, ": probabilities[", t, "] is ", p,
                                         ", but must be in [0, 1]");
      sum += p;
    }
    detail::require(std::fabs(sum - 1) <= 1e-9, where, ": the sum of probabilities is ", sum, ", but must be 1");
    for (double& p : parts_.probabilities) p /= sum;
    for (std::size_t i = 0; i < parts_.expected_losses.size(); ++i) {
      const double loss = parts_.expected_losses.data()[i];
      detail::require<std::domain_error>(loss >= 0 && loss <= 1, where, ": expected_losses(", i / m, ", ", i % m,
                                         ") is ", loss, ", but must be in [0, 1]");
    }
    if (parts_.costs.size() == 0) parts_.costs = make_matrix<double>(1, m, 0.0);
    detail::require((rows(parts_.costs) == n || rows(parts_.costs) == 1) && columns(parts_.costs) == m, where,
                    ": costs is ", rows(parts_.costs), " x ", columns(parts_.costs), ", but must be ", n, " x ", m,
                    " or 1 x ", m);
    for (const double cost : parts_.costs) detail::check_cost(where, "a cost", cost);
    if (parts_.embeddings.size() == 0) {
      parts_.embeddings = make_matrix<float>(n, 1);
      for (std::size_t t = 0; t < n; ++t) parts_.embeddings(t, 0) = static_cast<float>(t);
    }
    detail::require(rows(parts_.embeddings) == n, where, ": embeddings has ", rows(parts_.embeddings),
                    " rows, but must have ", n);
    detail::check_finite(where, "embeddings", parts_.embeddings);
    if (parts_.models.empty()) {
      for (std::size_t h = 0; h < m; ++h) parts_.models.push_back("model-" + std::to_string(h));
    }
    detail::require(parts_.models.size() == m, where, ": models has ", parts_.models.size(), " names, but must have ",
                    m);
    detail::require(parts_.runs != 0, where, ": runs is 0, but must be at least 1");
    cumulative_.reserve(n);
    double below = 0;
    for (const double p : parts_.probabilities) cumulative_.push_back(below += p);
  }

  std::size_t types() const noexcept { return parts_.probabilities.size(); }       ///< T
  std::size_t models() const noexcept { return columns(parts_.expected_losses); }  ///< M
  std::size_t runs() const noexcept { return parts_.runs; }                        ///< answers behind a loss
  std::span<const double> probabilities() const noexcept { return parts_.probabilities; }
  const loss_matrix& expected_losses() const noexcept { return parts_.expected_losses; }  ///< γ*, T x M
  const cost_matrix& costs() const noexcept { return parts_.costs; }                      ///< T x M or 1 x M
  const embedding_matrix& embeddings() const noexcept { return parts_.embeddings; }       ///< T x D
  std::span<const std::string> model_names() const noexcept { return parts_.models; }
  const discrete_world_parts& parts() const noexcept { return parts_; }

  /// Draws n prompts, and one answer (the mean of `runs()`) of every LLM to each. Same seed, same bits. Cells are
  /// types. Throws std::invalid_argument for n = 0.
  world_sample sample(std::size_t n, std::uint64_t seed) const {
    detail::require(n != 0, "discrete_world::sample: n is 0, but must be at least 1");
    const std::size_t m = models();
    routing_table_parts out;
    out.name = "discrete world";
    out.losses = make_matrix<double>(n, m);
    out.costs = make_matrix<double>(n, m);
    out.embeddings = make_matrix<float>(n, columns(parts_.embeddings));
    world_sample drawn{{}, make_matrix<double>(n, m), label_vector(n)};
    for (std::size_t i = 0; i < n; ++i) {
      random_engine draws(derive_seed(derive_seed(seed, 1), i));
      const std::size_t t = detail::draw_type(draws.uniform(), cumulative_);
      drawn.cells[i] = static_cast<std::uint32_t>(t);
      for (std::size_t h = 0; h < m; ++h) {
        const double expected = parts_.expected_losses(t, h);
        std::size_t failures = 0;
        for (std::size_t r = 0; r < parts_.runs; ++r) failures += draws.uniform() < expected ? 1u : 0u;
        drawn.expected_losses(i, h) = expected;
        out.losses(i, h) = static_cast<double>(failures) / static_cast<double>(parts_.runs);
        out.costs(i, h) = parts_.costs(rows(parts_.costs) == 1 ? 0 : t, h);
      }
      const auto x = row(parts_.embeddings, t);
      std::copy(x.begin(), x.end(), row(out.embeddings, i).begin());
      out.ids.push_back("prompt-" + std::to_string(i));
      out.categories.push_back("type-" + std::to_string(t));
      out.prompts.push_back(out.categories.back() + " " + out.ids.back());
    }
    for (std::size_t h = 0; h < m; ++h) {
      model_info info;
      info.name = parts_.models[h];
      if (rows(parts_.costs) == 1) info.cost = parts_.costs(0, h);  // declared: the same for every prompt
      out.models.push_back(std::move(info));
    }
    drawn.table = routing_table(std::move(out));
    return drawn;
  }

 private:
  discrete_world_parts parts_;
  std::vector<double> cumulative_;
};

static_assert(enumerable_world<discrete_world>);

}  // namespace uniroute
