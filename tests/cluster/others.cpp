#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("single_cluster puts every prompt in cell 0, around the mean") {
  auto x = ur::make_matrix<float>(2, 1);
  x(0, 0) = 1;
  x(1, 0) = 3;
  ur::single_cluster cells;
  CHECK_THROWS_AS(cells.assign(x), ur::not_fitted);
  cells.fit(x);
  CHECK(cells.size() == 1);
  CHECK(cells.centroids()(0, 0) == 2);
  CHECK(cells.assign(x) == ur::label_vector{0, 0});
  CHECK_THROWS_AS(cells.fit(ur::make_matrix<float>(0, 1)), std::invalid_argument);
}

TEST_CASE("given labels are cells in the order of their text, and new prompts go to the nearest mean") {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<float>(i * i);
  const std::vector<std::string> labels{"b", "b", "a", "a"};
  ur::given_labels cells{labels};
  cells.fit(x);
  CHECK(cells.size() == 2);
  CHECK(cells.centroids()(0, 0) == 6.5F);
  CHECK(cells.centroids()(1, 0) == 0.5F);
  CHECK(cells.assign(x) == ur::label_vector{1, 1, 0, 0});
  CHECK_THROWS_WITH(cells.fit(ur::make_matrix<float>(3, 1, 0.0F)), Catch::Contains("labels has 4"));
}
