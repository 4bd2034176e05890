#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

/// Small whole numbers: distances are exact, and many are equal; every third row comes again.
ur::embedding_matrix lattice(std::size_t n, std::size_t d, std::uint64_t seed) {
  ur::random_engine draws(seed);
  auto x = ur::make_matrix<float>(n, d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) x(i, j) = static_cast<float>(draws.below(4));
    if (i % 3 == 2) std::copy_n(x.data() + (i / 2) * d, d, x.data() + i * d);
  }
  return x;
}

/// The mean of losses[i] over the k nearest by (distance, index).
double by_brute_force(const ur::embedding_matrix& sample, ur::embedding_view x, std::size_t k,
                      const std::vector<double>& losses) {
  std::vector<std::size_t> order(ur::rows(sample));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::vector<double> distance(order.size(), 0.0);
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      const double difference = static_cast<double>(sample(i, j)) - static_cast<double>(x[j]);
      distance[i] += difference * difference;
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return distance[a] < distance[b]; });
  double sum = 0;
  for (std::size_t place = 0; place < k; ++place) sum += losses[order[place]];
  return sum / static_cast<double>(k);
}

}  // namespace

TEST_CASE("k nearest neighbours are exact among ties and duplicates, alone and in a batch") {
  const auto sample = lattice(2500, 5, 1);  // more than one block of the sample
  const auto asked = lattice(70, 5, 2);
  std::vector<double> losses(2500);
  for (std::size_t i = 0; i < losses.size(); ++i) losses[i] = static_cast<double>((i * 769) % 2500) / 2500;
  for (const std::size_t k : {1, 7, 100, 1900}) {
    ur::knn predictor{{.neighbours = k}};
    predictor.fit(sample, ur::make_matrix<double>(2500, 0));
    predictor.set_validation(sample);
    predictor.enroll("a", losses);
    const auto batch = predictor.predict(asked);
    for (std::size_t i = 0; i < 70; ++i) {
      const double expected = by_brute_force(sample, ur::row(asked, i), k, losses);
      double one = 0;
      predictor.predict(ur::row(asked, i), std::span<double>(&one, 1));
      CHECK(batch(i, 0) == Approx(expected).margin(1e-12));
      CHECK(one == Approx(expected).margin(1e-12));
    }
  }
}

TEST_CASE("k nearest neighbours are exact where scores cannot be told apart by bins, or overflow") {
  constexpr std::size_t n = 1500, k = 20;
  const auto check = [&](const ur::embedding_matrix& sample, const ur::embedding_matrix& asked) {
    std::vector<double> losses(n);
    for (std::size_t i = 0; i < n; ++i) losses[i] = static_cast<double>((i * 769) % n) / n;
    ur::knn predictor{{.neighbours = k}};
    predictor.fit(sample, ur::make_matrix<double>(n, 0));
    predictor.set_validation(sample);
    predictor.enroll("a", losses);
    const auto batch = predictor.predict(asked);
    for (std::size_t i = 0; i < ur::rows(asked); ++i)
      CHECK(batch(i, 0) == Approx(by_brute_force(sample, ur::row(asked, i), k, losses)).margin(1e-12));
  };
  auto sample = ur::make_matrix<float>(n, 1);
  auto asked = ur::make_matrix<float>(3, 1);
  asked(0, 0) = 0;
  asked(1, 0) = 1;
  asked(2, 0) = -3;
  SECTION("all rows but one in one bin") {
    for (std::size_t i = 0; i < n; ++i) sample(i, 0) = 1 + static_cast<float>((i * 31) % n) * 1e-5F;
    sample(700, 0) = 5000;
    check(sample, asked);
  }
  SECTION("one row nearer than all by far") {
    for (std::size_t i = 0; i < n; ++i) sample(i, 0) = 4000 + static_cast<float>((i * 31) % n) / 16;
    sample(900, 0) = 1;
    check(sample, asked);
  }
  SECTION("rows all alike") {
    std::fill(sample.begin(), sample.end(), 2.0F);
    check(sample, asked);
  }
  SECTION("the largest embeddings beside small ones") {
    for (std::size_t i = 0; i < n; ++i) sample(i, 0) = i % 2 == 0 ? 1e14F : static_cast<float>(i);
    check(sample, asked);
  }
  SECTION("a query far from all") {
    for (std::size_t i = 0; i < n; ++i) sample(i, 0) = 1e10F + static_cast<float>((i * 31) % n) * 1e6F;
    asked(0, 0) = 1e14F;
    check(sample, asked);
  }
}
