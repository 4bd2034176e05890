// A fixed number of steps that try to break each bound.
#include <catch2/catch.hpp>
#include <uniroute/bound/counterexample_search.hpp>

namespace ur = uniroute;

TEST_CASE("no bound of ours breaks under search, and the published ones do") {
  for (const auto& claim : ur::standard_claims()) {
    ur::counterexample_search search(claim, 1);
    search.run(claim.refuted ? 4000 : 1500);
    INFO(claim.name << ": " << search.closest().truth << " against " << search.closest().bound);
    CHECK(search.broken() == claim.refuted);
    CHECK(search.steps() >= 1500);
    // The point is a witness: evaluated again it gives the same numbers.
    const auto again = claim.evaluate(search.closest_point());
    CHECK(again.truth == search.closest().truth);
    CHECK(again.bound == search.closest().bound);
    // The search gets somewhere: far from every bound it would prove nothing.
    CHECK(search.closest().ratio() > .5);
  }
}

TEST_CASE("a search climbs, repeats itself, and starts again where it stands still") {
  const ur::claim hill{"a hill", 2, [](std::span<const double> x) {
                         return ur::claim_value{1 - std::fabs(x[0] - .3) - std::fabs(x[1] - .9), 1};
                       }};
  ur::counterexample_search a(hill, 5, 50), b(hill, 5, 50);
  a.run(2000);
  b.run(1000);
  b.run(1000);
  CHECK(a.closest().ratio() > .99);
  CHECK(!a.broken());
  CHECK(a.closest_point() == b.closest_point());
  CHECK(a.steps() > 2000);  // random starts are counted as well
  CHECK_THROWS_AS(ur::counterexample_search(ur::claim{}), std::invalid_argument);
  CHECK_THROWS_AS(ur::counterexample_search(hill, 1, 0), std::invalid_argument);
}

TEST_CASE("ratios of nothing to nothing are nothing") {
  CHECK(ur::claim_value{0, 0}.ratio() == 0);
  CHECK(!ur::claim_value{0, 0}.broken());
  CHECK(ur::claim_value{.1, 0}.broken());
}
