#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

ur::embedding_matrix line(const std::vector<float>& values) {
  auto x = ur::make_matrix<float>(values.size(), 1);
  std::copy(values.begin(), values.end(), x.begin());
  return x;
}

/// Adds to `chance` the probability of each row as the last of `left` more seeds: the definition, by recursion.
void enumerate(const std::vector<float>& points, std::vector<std::size_t>& seeds, std::size_t left, double probability,
               std::vector<double>& chance) {
  std::vector<double> weight(points.size(), 1.0);
  double total = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const std::size_t s : seeds) {
      const double distance = std::pow(static_cast<double>(points[i] - points[s]), 2);
      weight[i] = s == seeds.front() ? distance : std::min(weight[i], distance);
    }
    total += weight[i];
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (weight[i] <= 0) continue;
    if (left == 1) {
      chance[i] += probability * weight[i] / total;
      continue;
    }
    seeds.push_back(i);
    enumerate(points, seeds, left - 1, probability * weight[i] / total, chance);
    seeds.pop_back();
  }
}

}  // namespace

TEST_CASE("k-means++ in blocks has the distribution of its definition") {
  // Twelve points: the second to fourth seeds come out of one block, by proposal and acceptance.
  const std::vector<float> points{0, 1, 2, 4, 5, 9, 10, 14, 15, 20, 30, 31};
  const auto x = line(points);
  constexpr int draws = 20000;
  for (const std::size_t k : {2, 3, 4}) {
    std::vector<double> chance(points.size(), 0.0);
    std::vector<std::size_t> none;
    enumerate(points, none, k, 1.0, chance);
    std::vector<int> counts(points.size(), 0);
    for (int draw = 0; draw < draws; ++draw) {
      ur::random_engine engine(ur::derive_seed(k, static_cast<std::uint64_t>(draw)));
      const auto seeds = ur::plus_plus_seeding{}(x, k, engine);
      ++counts[static_cast<std::size_t>(std::find(points.begin(), points.end(), seeds(k - 1, 0)) - points.begin())];
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double expected = chance[i] * draws;
      CHECK(std::abs(counts[i] - expected) <= 4.5 * std::sqrt(expected * (1 - chance[i])) + 1);
    }
  }
}

TEST_CASE("rows equal to a seed are not drawn while others are left, also far from the origin") {
  for (const float offset : {0.0F, 1000.0F}) {
    std::vector<float> values;
    for (std::size_t i = 0; i < 600; ++i) values.push_back(offset + static_cast<float>(i % 7) / 8);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      ur::random_engine engine(seed);
      const auto seeds = ur::plus_plus_seeding{}(line(values), 9, engine);
      CHECK(std::set<float>(seeds.begin(), seeds.begin() + 7).size() == 7);
    }
  }
}

TEST_CASE("seeds are the same on any number of threads") {
  const auto x = ur::simulated_world{}.sample(2000, 4).table.embeddings();
  ur::random_engine one(5), three(5);
  CHECK((ur::plus_plus_seeding{}(x, 50, one) == ur::plus_plus_seeding{}(x, 50, three, 3)));
}
