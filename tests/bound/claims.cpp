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

TEST_CASE("the points that a search tries are those of its description") {
  // A ridge with a flat top: ratios tie there, steps that lose nothing are kept, and climbs stand still.
  std::vector<std::vector<double>> tried;
  const ur::claim ridge{"a ridge", 3, [&](std::span<const double> x) {
                          tried.emplace_back(x.begin(), x.end());
                          return ur::claim_value{std::min(.8, 1 - std::fabs(x[0] - x[1]) - .2 * x[2]), 1};
                        }};
  const auto height = [](const std::vector<double>& x) { return std::min(.8, 1 - std::fabs(x[0] - x[1]) - .2 * x[2]); };
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    tried.clear();
    ur::counterexample_search search(ridge, seed, 7);
    search.run(400);
    ur::random_engine draws(ur::derive_seed(seed, 6));
    std::vector<std::vector<double>> expected;
    std::vector<double> at, highest;
    const auto start = [&] {
      std::vector<double> best;
      for (int point = 0; point < 16; ++point) {
        std::vector<double> x(3);
        for (double& v : x) v = draws.uniform();
        expected.push_back(x);
        if (best.empty() || height(x) > height(best)) best = x;
        if (highest.empty() || height(x) > height(highest)) highest = x;
      }
      return best;
    };
    at = start();
    std::size_t idle = 0;
    for (int step = 0; step < 400; ++step) {
      if (idle == 7) {
        at = start();
        idle = 0;
      }
      auto next = at;
      for (std::size_t moves = 1 + draws.below(3); moves > 0; --moves) {
        double& x = next[draws.below(3)];
        const double kind = draws.uniform();
        if (kind < .08) {  // an end
          x = draws.uniform() < .5 ? 0 : 1;
        } else if (kind < .2) {  // a tie
          x = next[draws.below(3)];
        } else {
          const double normal = draws.normal();
          x = std::min(1.0, std::max(0.0, x + .5 * normal * std::pow(10, -3 * draws.uniform())));
        }
      }
      expected.push_back(next);
      if (height(next) > height(highest)) highest = next;
      idle = height(next) > height(at) ? 0 : idle + 1;
      if (height(next) >= height(at)) at = next;
    }
    CHECK(search.steps() == expected.size());
    CHECK(tried == expected);
    CHECK(search.closest_point() == highest);
    CHECK(search.closest().truth == height(highest));
    CHECK_FALSE(search.broken());
  }
  // A single broken point among many that hold is remembered, wherever the climb goes on.
  std::size_t calls = 0;
  const ur::claim once{"once", 1, [&](std::span<const double>) {
                         return ur::claim_value{++calls == 20 ? 1.5 : .5, 1};
                       }};
  ur::counterexample_search search(once, 1, 5);
  search.run(60);
  CHECK(search.broken());
  CHECK(search.closest().truth == 1.5);
}

TEST_CASE("ratios of nothing to nothing are nothing") {
  CHECK(ur::claim_value{0, 0}.ratio() == 0);
  CHECK(!ur::claim_value{0, 0}.broken());
  CHECK(ur::claim_value{.1, 0}.broken());
}
