// Means over what was observed.
#include <catch2/catch.hpp>
#include <uniroute/observed.hpp>

namespace ur = uniroute;

TEST_CASE("what is missing has no part in a mean, and where nothing is observed it is what was asked for") {
  CHECK(ur::observed_mean(std::vector<double>{1, ur::missing, 0, 2}, 9) == 1);
  CHECK(ur::observed_mean(std::vector<double>{ur::missing, 0}, 9) == 0);
  CHECK(ur::observed_mean(std::vector<double>{ur::missing}, 9) == 9);
  CHECK(ur::observed_mean({}, .5) == .5);
  CHECK(ur::is_missing(ur::observed_mean({}, ur::missing)));
  ur::matrix<double> values{{1, ur::missing, 4}, {0, ur::missing, ur::missing}};
  CHECK(ur::column_mean(values, 0, 7) == .5);
  CHECK(ur::column_mean(values, 1, 7) == 7);
  CHECK(ur::column_mean(values, 2, 7) == 4);
  const auto means = ur::column_means(values);
  REQUIRE(ur::rows(means) == 1);
  CHECK(means(0, 0) == .5);
  CHECK(means(0, 1) == .5);  // unless told otherwise
  CHECK(means(0, 2) == 4);
  ur::observed_sum sum;
  for (const double v : {2.0, ur::missing, 3.0}) sum.add(v);
  CHECK(sum.sum == 5);
  CHECK(sum.count == 2);
}
