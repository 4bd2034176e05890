// What the search for the best map proposes and keeps, beside plain loops over the same draws.
#include <catch2/catch.hpp>
#include <uniroute/regret/map_search.hpp>
#include <uniroute/world/adversarial_worlds.hpp>
#include <uniroute/world/random_worlds.hpp>

namespace ur = uniroute;

namespace {

/// Weighted mean square of each coordinate about `centre`.
std::vector<double> mean_squares(const ur::population& p, const std::vector<double>& centre) {
  std::vector<double> out(centre.size(), 0.0);
  for (std::size_t j = 0; j < centre.size(); ++j) {
    for (std::size_t i = 0; i < p.size(); ++i)
      out[j] += p.weights[i] * std::pow(static_cast<double>(p.embeddings(i, j)) - centre[j], 2);
  }
  return out;
}

std::vector<double> scale_by_loops(const ur::population& p) {
  const std::size_t d = ur::columns(p.embeddings);
  auto out = mean_squares(p, std::vector<double>(d, 0.0));
  for (double& square : out) square = 10 / std::sqrt(std::max(square, 1e-12) * static_cast<double>(d));
  out.push_back(10);
  return out;
}

/// −‖x − c‖²/b without what all cells share, or a plane through c: θ (x, 1) per cell.
std::vector<double> start_by_loops(const ur::population& p, std::size_t cells, bool planes, ur::random_engine& draws) {
  const std::size_t d = ur::columns(p.embeddings);
  std::vector<double> mean(d, 0.0), out;
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t i = 0; i < p.size(); ++i) mean[j] += p.weights[i] * static_cast<double>(p.embeddings(i, j));
  }
  double spread = 0;
  for (const double square : mean_squares(p, mean)) spread += square;
  spread = std::max(spread, 1e-12);
  const double bandwidth = std::pow(10, -1.5 + 2 * draws.uniform()) * spread;
  const double steep = std::pow(100, draws.uniform()) / std::sqrt(spread);
  for (std::size_t k = 0; k < cells; ++k) {
    const std::size_t centre = draws.below(p.size());
    double constant = 0;
    for (std::size_t j = 0; j < d; ++j) {
      const double c = static_cast<double>(p.embeddings(centre, j));
      const double slope = planes ? steep * draws.normal() : 2 * c / bandwidth;
      out.push_back(slope);
      constant -= planes ? slope * c : c * c / bandwidth;
    }
    out.push_back(constant);
  }
  return out;
}

double regret_at(const ur::population& p, std::size_t cells, double lambda, const std::vector<double>& theta) {
  const std::size_t d = ur::columns(p.embeddings);
  auto phi = ur::make_matrix<double>(p.size(), cells);
  for (std::size_t i = 0; i < p.size(); ++i) {
    std::vector<double> scores;
    for (std::size_t k = 0; k < cells; ++k) {
      double score = theta[k * (d + 1) + d];
      for (std::size_t j = 0; j < d; ++j) score += theta[k * (d + 1) + j] * static_cast<double>(p.embeddings(i, j));
      scores.push_back(score);
    }
    const double highest = *std::max_element(scores.begin(), scores.end());
    double sum = 0;
    for (double& score : scores) sum += score = std::exp(score - highest);
    for (std::size_t k = 0; k < cells; ++k) phi(i, k) = scores[k] / sum;
  }
  return ur::take_apart(p, phi, ur::truth_of(p, phi).profiles, lambda).regret;
}

/// The search without descent: the best of thirty starts, then moves that are kept where they lower the regret.
std::vector<double> search_by_loops(const ur::population& p, std::size_t cells, double lambda,
                                    const ur::map_search_options& options) {
  const std::size_t f = ur::columns(p.embeddings) + 1;
  const auto scale = scale_by_loops(p);
  std::vector<double> out;
  for (std::size_t s = 0; s < options.given.size() + options.starts; ++s) {
    std::vector<double> best;
    double least = std::numeric_limits<double>::infinity();
    const auto weigh = [&](const std::vector<double>& theta) {
      const double regret = regret_at(p, cells, lambda, theta);
      if (regret >= least) return;
      least = regret;
      best = theta;
    };
    if (s < options.given.size()) {
      weigh({options.given[s].begin(), options.given[s].end()});
    } else {
      ur::random_engine draws(ur::derive_seed(options.seed, s - options.given.size()));
      for (std::size_t draw = 0; draw < 30; ++draw) weigh(start_by_loops(p, cells, draw % 2 == 1, draws));
    }
    ur::random_engine draws(ur::derive_seed(options.seed, 0x636C696D62 + s));
    for (std::size_t c = 0; c < options.climbs; ++c) {
      const double size = std::pow(10, 3 * draws.uniform() - 2.5);
      const std::size_t moved = draws.below(2 * cells);
      auto theta = best;
      for (std::size_t k = 0; k < cells; ++k) {
        if (moved >= cells || moved == k) {
          for (std::size_t j = 0; j < f; ++j) theta[k * f + j] += draws.normal() * size * scale[j];
        }
      }
      weigh(theta);
    }
    out.push_back(least);
  }
  return out;
}

}  // namespace

TEST_CASE("starts and moves of the search are those of its description") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const auto p =
        ur::population_of(ur::random_cells({.cells = 5, .models = 4, .heterogeneity = 1, .seed = seed}).world);
    const auto scale = ur::detail::logit_scale(p), expected = scale_by_loops(p);
    REQUIRE(scale.size() == expected.size());
    for (std::size_t j = 0; j < scale.size(); ++j) CHECK(scale[j] == Approx(expected[j]).epsilon(1e-9));
    for (const bool planes : {false, true}) {
      ur::random_engine draws(seed), same(seed);
      for (int draw = 0; draw < 3; ++draw) {
        const auto theta = ur::detail::random_softmax(p, 3, planes, draws), loops = start_by_loops(p, 3, planes, same);
        REQUIRE(theta.size() == loops.size());
        for (std::size_t j = 0; j < theta.size(); ++j) CHECK(theta[j] == Approx(loops[j]).epsilon(1e-9));
      }
    }
  }
  // Prompts that are all the same have no spread, and still a start that is finite.
  auto p = ur::population_of(ur::smooth_line({.types = 4, .models = 3, .seed = 1}));
  for (float& x : p.embeddings) x = 0;
  ur::random_engine draws(1);
  for (const double theta : ur::detail::random_softmax(p, 2, true, draws)) CHECK(std::isfinite(theta));
  for (const double scale : ur::detail::logit_scale(p)) CHECK(std::isfinite(scale));
}

TEST_CASE("without descent the search is thirty starts and its moves, each kept where it lowers the regret") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto p = ur::population_of(ur::smooth_line({.types = 30, .models = 4, .seed = seed}));
    ur::map_search_options options{.starts = 2, .climbs = 40, .steps = 0, .seed = seed};
    if (seed % 2 == 0) options.given = {ur::make_matrix<double>(3, 2, .1 * static_cast<double>(seed))};
    const auto found = ur::search_softmax_maps(p, 3, .2, options);
    const auto expected = search_by_loops(p, 3, .2, options);
    REQUIRE(found.regrets.size() == expected.size());
    for (std::size_t s = 0; s < expected.size(); ++s) CHECK(found.regrets[s] == Approx(expected[s]).margin(1e-12));
    CHECK(found.regret == *std::min_element(found.regrets.begin(), found.regrets.end()));
    std::vector<double> theta(found.weights.begin(), found.weights.end());
    CHECK(regret_at(p, 3, .2, theta) == Approx(found.regret).margin(1e-12));
  }
}
