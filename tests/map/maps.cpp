#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

struct cells {
  ur::embedding_matrix centroids = ur::make_matrix<float>(2, 1);
  ur::embedding_matrix x = ur::make_matrix<float>(4, 1);
  ur::loss_matrix losses = ur::make_matrix<double>(4, 0);
  cells() {
    centroids(0, 0) = 0;
    centroids(1, 0) = 4;
    for (std::size_t i = 0; i < 4; ++i) x(i, 0) = 2 * static_cast<float>(i) - 1;  // -1, 1, 3, 5
  }
};

}  // namespace

TEST_CASE("the nearest map labels by distance, ties to the lower cell") {
  const cells c;
  ur::nearest_map map;
  map.fit({c.centroids, c.x, c.losses});
  CHECK(map.labels(c.x) == ur::label_vector{0, 0, 1, 1});
  auto middle = ur::make_matrix<float>(1, 1, 2.0F);
  CHECK(map.labels(middle)[0] == 0);
  CHECK(map.label(ur::row(middle, 0)) == 0);
}

TEST_CASE("the proximity map is the softmax of squared distances, by hand") {
  const cells c;
  ur::proximity_map map{{.bandwidth = 8.0}};
  map.fit({c.centroids, c.x, c.losses});
  const auto phi = map.memberships(c.x);
  // At 1: distances 1 and 9, so the odds are e^(8/8).
  CHECK(phi(1, 0) / phi(1, 1) == Approx(std::exp(1)));
  for (std::size_t i = 0; i < 4; ++i) CHECK(phi(i, 0) + phi(i, 1) == Approx(1).epsilon(1e-12));
  ur::proximity_map relative{{.relative_bandwidth = .5}};
  relative.fit({c.centroids, c.x, c.losses});
  CHECK(relative.bandwidth() == Approx(.5));  // every prompt is 1 from its centroid
  CHECK_THROWS_AS(ur::proximity_map({.bandwidth = 0.0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::proximity_map({.relative_bandwidth = -1}), std::invalid_argument);
}

TEST_CASE("far away prompts have memberships without overflow") {
  const cells c;
  ur::proximity_map map{{.bandwidth = 1e-3}};
  map.fit({c.centroids, c.x, c.losses});
  auto far = ur::make_matrix<float>(1, 1, 1e6F);
  const auto phi = map.memberships(far);
  CHECK(phi(0, 1) == 1);
  CHECK(phi(0, 0) == 0);
}

TEST_CASE("batch and single memberships agree, and labels are equal") {
  const auto sample = ur::simulated_world{}.sample(700, 3);
  const auto& x = sample.table.embeddings();
  ur::kmeans k{{.clusters = 13}};
  k.fit(x);
  const auto losses = ur::make_matrix<double>(700, 0);
  ur::proximity_map soft;
  ur::nearest_map hard;
  soft.fit({k.centroids(), x, losses});
  hard.fit({k.centroids(), x, losses});
  const auto phi = soft.memberships(x);
  const auto labels = hard.labels(x);
  std::vector<double> one(13);
  for (std::size_t i = 0; i < 700; ++i) {
    soft.membership(ur::row(x, i), one);
    for (std::size_t c = 0; c < 13; ++c) CHECK(std::fabs(one[c] - phi(i, c)) <= 1e-11);
    CHECK(hard.label(ur::row(x, i)) == labels[i]);
  }
  const auto one_hot = ur::memberships(hard, x);
  CHECK(one_hot(5, labels[5]) == 1);
}
