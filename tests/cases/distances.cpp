// Faults that others have had, and that we had too: distances in float32, cells of equal rows.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("embeddings whose distances overflow float32 are refused, not searched wrongly") {
  ur::random_engine draws(1);
  auto x = ur::make_matrix<float>(300, 8), asked = ur::make_matrix<float>(20, 8);
  for (float& value : x) value = 5e18F * static_cast<float>(draws.normal());
  for (float& value : asked) value = static_cast<float>(draws.normal());
  const auto losses = ur::make_matrix<double>(300, 2, .5);
  ur::knn knn{{.neighbours = 5}};
  CHECK_THROWS_WITH(knn.fit(x, losses),
                    Catch::Contains("but must be at most 1e14 in magnitude: distances beyond overflow"));
  ur::kmeans cells{{.clusters = 3}};
  CHECK_THROWS_AS(cells.fit(x), std::domain_error);
  // Scaled down they are searched; a prompt of that size is refused.
  for (float& value : x) value *= 1e-18F;
  knn.fit(x, losses);
  knn.set_validation(x);
  knn.enroll("a", ur::column(losses, 0));
  asked(3, 2) = 1e20F;
  CHECK_THROWS_AS(knn.predict(asked), std::domain_error);
  std::vector<double> out(1);
  CHECK_THROWS_AS((ur::router{ur::precomputed_embeddings{}, knn, ur::best_quality_rule{}}.route(ur::row(asked, 3))),
                  std::logic_error);
  cells.fit(x);
  CHECK_THROWS_AS(cells.assign(asked), std::domain_error);
}

TEST_CASE("neighbours and cells are exact up to the largest embedding") {
  ur::random_engine draws(2);
  auto x = ur::make_matrix<float>(200, 8), asked = ur::make_matrix<float>(50, 8);
  for (float& value : x) value = 2e13F * static_cast<float>(std::clamp(draws.normal(), -4.0, 4.0));
  for (float& value : asked) value = 2e13F * static_cast<float>(std::clamp(draws.normal(), -4.0, 4.0));
  ur::knn knn{{.neighbours = 1}};
  auto losses = ur::make_matrix<double>(200, 1);
  for (std::size_t i = 0; i < 200; ++i) losses(i, 0) = static_cast<double>(i) / 200;
  knn.fit(x, losses);
  knn.set_validation(x);
  knn.enroll("a", ur::column(losses, 0));
  const auto found = knn.predict(asked);
  for (std::size_t i = 0; i < 50; ++i) {
    std::size_t nearest = 0;
    double least = 1e300;
    for (std::size_t j = 0; j < 200; ++j) {
      const double distance = ur::detail::squared_distance(ur::row(asked, i).data(), ur::row(x, j).data(), 8);
      if (distance < least) {
        least = distance;
        nearest = j;
      }
    }
    CHECK(found(i, 0) == static_cast<double>(nearest) / 200);
  }
}

TEST_CASE("kmeans stops where there are more cells than different rows") {
  const ur::embedding_matrix x{{100, 100}, {100, 102}, {106, 100}, {107, 101}, {107, 101}, {108, 100}};
  ur::kmeans cells{{.clusters = 6, .max_iterations = 10000}};
  cells.fit(x);
  CHECK(cells.iterations() <= 3);
  CHECK(cells.inertia() == 0);
  ur::kmeans equal{{.clusters = 200, .max_iterations = 10000}};
  equal.fit(ur::make_matrix<float>(200, 3, 1.0F));
  CHECK(equal.iterations() <= 3);
}

TEST_CASE("k-means++ tells rows apart that are a trillionth of a trillionth apart") {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    auto x = ur::make_matrix<float>(100, 1);
    for (std::size_t i = 0; i < 100; ++i) x(i, 0) = 1e-24F * static_cast<float>(i % 5);
    ur::random_engine engine(seed);
    const auto seeds = ur::plus_plus_seeding{}(x, 5, engine);
    std::vector<float> different(seeds.begin(), seeds.end());
    std::sort(different.begin(), different.end());
    found += static_cast<std::size_t>(std::unique(different.begin(), different.end()) - different.begin());
  }
  CHECK(found == 50);
}
