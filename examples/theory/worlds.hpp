#pragma once

// The worlds that theory_report measures in, each with its truth worked out.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <uniroute/bound/bound.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>
#include <utility>
#include <vector>

namespace theory {

namespace ur = uniroute;
using nlohmann::ordered_json;

inline constexpr double delta = 0.05;

inline double quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

inline double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

/// The slope of log y against log x by least squares, over the points with y > 0.
inline double slope(const std::vector<double>& x, const std::vector<double>& y) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(y[i] > 0)) continue;
    const double a = std::log(x[i]), b = std::log(y[i]);
    n += 1;
    sx += a;
    sy += b;
    sxx += a * a;
    sxy += a * b;
  }
  return n < 2 ? 0 : (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/// Prompts of a world: their cells, their types where the world has types, and one answer of every LLM.
struct drawn_prompts {
  ur::label_vector labels, types;
  ur::loss_matrix losses;
};

/// A world with hard cells whose truth is known. Discrete: everything is a sum. Gaussian: cells are the components,
/// shares and profiles are integrals (to 1e-10), and what no integral gives is a mean over `p`, 2,000 prompts.
struct known_world {
  std::optional<ur::celled_world> discrete;
  std::optional<ur::gaussian_world> gaussian;
  std::size_t runs = 1;  ///< answers behind a loss of the Gaussian world
  std::size_t cells = 1;
  ur::label_vector labels;  ///< the cell of each prompt of p
  ur::population p;
  ur::membership_matrix phi;
  ur::cell_truth truth;

  explicit known_world(ur::celled_world w)
      : discrete(std::move(w)),
        cells(discrete->cells),
        labels(discrete->labels),
        p(ur::population_of(discrete->world)),
        phi(ur::one_hot(labels, cells)),
        truth(ur::truth_of(p, phi)) {}

  explicit known_world(ur::gaussian_world w, std::size_t runs_of_loss = 1)
      : gaussian(std::move(w)), runs(runs_of_loss), cells(gaussian->components()) {
    constexpr std::size_t n = 2000;
    auto sample = gaussian->sample(n, 9);
    labels = std::move(sample.cells);
    auto costs = ur::make_matrix<double>(1, gaussian->models());
    std::copy(gaussian->costs().begin(), gaussian->costs().end(), costs.begin());
    p = {std::vector<double>(n, 1.0 / n), std::move(sample.expected_losses), std::move(costs),
         sample.table.embeddings(),       sample.table.model_names(),        false};
    phi = ur::one_hot(labels, cells);
    truth = {std::vector<double>(cells, 1 / static_cast<double>(cells)),
             ur::make_matrix<double>(cells, gaussian->models())};
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t h = 0; h < gaussian->models(); ++h) truth.profiles(k, h) = gaussian->component_loss(k, h);
    }
  }

  std::span<const double> costs() const { return ur::row(p.costs, 0); }

  drawn_prompts draw(std::size_t n, std::uint64_t seed) const {
    if (discrete) {
      auto drawn = ur::draw_outcomes(discrete->world, n, seed);
      ur::label_vector of;
      for (const std::uint32_t t : drawn.types) of.push_back(labels[t]);
      return {std::move(of), std::move(drawn.types), std::move(drawn.losses)};
    }
    auto sample = gaussian->sample(n, seed);
    drawn_prompts out{std::move(sample.cells), {}, sample.table.losses()};
    if (runs == 1) return out;
    ur::random_engine draws(ur::derive_seed(seed, 77));
    for (std::size_t i = 0; i < out.losses.size(); ++i)
      out.losses.data()[i] =
          static_cast<double>(ur::detail::draw_binomial(runs, sample.expected_losses.data()[i], draws)) /
          static_cast<double>(runs);
    return out;
  }

  /// The same, counted.
  ur::cell_sample sample(std::size_t n, std::uint64_t seed) const {
    if (discrete) return ur::gather_cells(ur::draw_types(discrete->world, n, seed), labels, cells);
    const auto drawn = draw(n, seed);
    return ur::summarise({drawn.labels, drawn.losses, cells});
  }

  std::vector<std::uint32_t> choices(const ur::cell_sample& s, double lambda) const {
    return ur::choose_in_cells(ur::cell_means(s), costs(), lambda);
  }
  double estimation_regret(const std::vector<std::uint32_t>& choices_of_cells, double lambda) const {
    return ur::regret_to_cells(truth, costs(), choices_of_cells, lambda);
  }
  /// Of the rule that is constant on cells: E ℓ and E c, exact in either kind of world.
  ur::mean_risk risk(const std::vector<std::uint32_t>& choices_of_cells) const {
    ur::mean_risk out;
    for (std::size_t k = 0; k < cells; ++k) {
      out.loss += truth.shares[k] * truth.profiles(k, choices_of_cells[k]);
      out.cost += truth.shares[k] * costs()[choices_of_cells[k]];
    }
    return out;
  }
  ur::regret_report total_regret(const std::vector<std::uint32_t>& choices_of_cells, double lambda) const {
    std::vector<std::uint32_t> of_prompts;
    for (const std::uint32_t k : labels) of_prompts.push_back(choices_of_cells[k]);
    return ur::regret_of(p, std::span<const std::uint32_t>(of_prompts), lambda);
  }

  /// Total regret less E max_h −Δ, and its standard error (0 where the world is discrete).
  std::pair<double, double> beyond_approximation(const std::vector<std::uint32_t>& choices_of_cells,
                                                 double lambda) const {
    const auto best = ur::oracle_choices(p, lambda);
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const std::size_t k = labels[i], r = choices_of_cells[k], b = best[i];
      double advantage = -1;
      for (std::size_t h = 0; h < p.model_count(); ++h)
        advantage = std::max(advantage, truth.profiles(k, h) - p.expected_losses(i, h));
      const double value =
          p.expected_losses(i, r) - p.expected_losses(i, b) + lambda * (costs()[r] - costs()[b]) - advantage;
      sum += p.weights[i] * value;
      squares += p.weights[i] * value * value;
    }
    return {sum, p.enumerated ? 0 : std::sqrt(std::max(0.0, squares - sum * sum) / static_cast<double>(p.size()))};
  }
};

/// 2 Σ p_k max_h |psi_k(h) − Ψ*_k(h)|.
inline double estimation_term(const ur::cell_truth& truth, const ur::matrix<double>& psi) {
  double sum = 0;
  for (std::size_t k = 0; k < truth.shares.size(); ++k) {
    double largest = 0;
    for (std::size_t h = 0; h < ur::columns(psi); ++h)
      largest = std::max(largest, std::fabs(psi(k, h) - truth.profiles(k, h)));
    sum += 2 * truth.shares[k] * largest;
  }
  return sum;
}

/// γ* as a smooth model of a table's outcomes, with costs of which the largest is .5; pools and cells are drawn of it.
class fitted_worlds {
 public:
  static constexpr std::size_t most_cells = 8, seeds = 4;

  /// At most 1,000 of the table's prompts, drawn at random. The table must have embeddings.
  explicit fitted_worlds(const ur::routing_table& table) : name_(table.name()), world_(fit(table)) {
    for (std::size_t k = 1; k <= most_cells; ++k) {
      for (std::size_t s = 0; s < seeds; ++s) partitions_.push_back(cells_of(k, s));
    }
  }

  const std::string& name() const noexcept { return name_; }
  const ur::discrete_world& world() const noexcept { return world_; }

  /// K-means cells of the types.
  ur::label_vector cells_of(std::size_t cells, std::uint64_t seed) const {
    ur::kmeans found{{.clusters = cells, .seed = seed}};
    found.fit(world_.embeddings());
    return found.assign(world_.embeddings());
  }

  /// With some of its LLMs, chosen by the seed, and cells that were found before (at most 8) or are found now.
  ur::celled_world draw(std::size_t models, std::size_t cells, std::size_t runs, std::uint64_t seed) const {
    ur::random_engine draws(ur::derive_seed(seed, 8));
    std::vector<std::size_t> pool(world_.models());
    std::iota(pool.begin(), pool.end(), std::size_t{0});
    ur::shuffle(std::span(pool), draws);
    pool.resize(std::min(models, pool.size()));
    const std::size_t of = draws.below(seeds);
    ur::discrete_world_parts parts;
    parts.probabilities = world_.parts().probabilities;
    std::vector<std::size_t> all(world_.types()), first{0};
    std::iota(all.begin(), all.end(), std::size_t{0});
    parts.expected_losses = ur::take(world_.expected_losses(), all, pool);
    parts.costs = ur::take(world_.costs(), first, pool);
    parts.runs = runs;
    return {ur::discrete_world(std::move(parts)),
            cells <= most_cells ? partitions_[(cells - 1) * seeds + of] : cells_of(cells, of), cells};
  }

 private:
  static ur::discrete_world fit(const ur::routing_table& table) {
    std::vector<std::size_t> prompts(table.size()), models(table.model_count());
    std::iota(prompts.begin(), prompts.end(), std::size_t{0});
    std::iota(models.begin(), models.end(), std::size_t{0});
    ur::random_engine draws(11);
    ur::shuffle(std::span(prompts), draws);
    prompts.resize(std::min<std::size_t>(1000, prompts.size()));
    auto parts = ur::fit_world(table.select(prompts, models)).parts();
    const double dearest = *std::max_element(parts.costs.begin(), parts.costs.end());
    if (dearest > 0) {
      for (double& cost : parts.costs) cost *= 0.5 / dearest;
    }
    return ur::discrete_world(std::move(parts));
  }

  std::string name_;
  ur::discrete_world world_;
  std::vector<ur::label_vector> partitions_;  ///< K = 1 … 8, each from every seed
};

}  // namespace theory
