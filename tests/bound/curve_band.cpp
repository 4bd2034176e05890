// Bands of a curve: by hand, and how often they hold along the whole curve.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// A router whose choices move along 8 prices from a dear LLM to a cheap one; n prompts, the true means beside.
struct along {
  ur::matrix<double> losses, costs;
  std::vector<double> prices, true_loss, true_cost;
};

along draw(std::uint64_t seed, std::size_t n) {
  along out{ur::make_matrix<double>(n, 8), ur::make_matrix<double>(n, 8), {}, {}, {}};
  ur::random_engine draws(seed);
  for (std::size_t i = 0; i < n; ++i) {
    const double where = draws.uniform();
    const double good = draws.uniform() < .2 ? 1 : 0, bad = draws.uniform() < .4 ? 1 : 0;
    const double dear = 2 * draws.uniform(), cheap = .2 * draws.uniform();
    for (std::size_t g = 0; g < 8; ++g) {
      const bool to_good = where > static_cast<double>(g) / 7;
      out.losses(i, g) = to_good ? good : bad;
      out.costs(i, g) = to_good ? dear : cheap;
    }
  }
  for (std::size_t g = 0; g < 8; ++g) {
    const double share = 1 - static_cast<double>(g) / 7;
    out.prices.push_back(static_cast<double>(g));
    out.true_loss.push_back(.2 * share + .4 * (1 - share));
    out.true_cost.push_back(1 * share + .1 * (1 - share));
  }
  return out;
}

bool holds(const ur::curve_band& band, const along& of) {
  for (std::size_t g = 0; g < 8; ++g) {
    const auto& p = band.points[g];
    if (of.true_loss[g] < p.loss_band.lower || of.true_loss[g] > p.loss_band.upper) return false;
    if (of.true_cost[g] < p.cost_band.lower || of.true_cost[g] > p.cost_band.upper) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("both bands hold along the whole curve as often as they say; pointwise intervals do not") {
  const ur::confidence_level level{.9};
  double asymptotic = 0, guaranteed = 0, pointwise = 0, width = 0, wide = 0;
  const std::size_t runs = 200;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const auto of = draw(seed, 300);
    const auto band =
        ur::band_of(of.losses, of.costs, of.prices, level, ur::asymptotic{}, {.draws = 300, .seed = seed});
    asymptotic += holds(band, of) ? 1 : 0;
    const auto safe = ur::band_of<ur::betting>(of.losses, of.costs, of.prices, level, 2);
    guaranteed += holds(safe, of) ? 1 : 0;
    CHECK(band.only_asymptotic);
    CHECK(!safe.only_asymptotic);
    width += band.points[3].loss_band.upper - band.points[3].loss_band.lower;
    wide += safe.points[3].loss_band.upper - safe.points[3].loss_band.lower;
    CHECK(safe.points[3].loss == Approx(band.points[3].loss));
    CHECK(safe.points[3].cost == Approx(band.points[3].cost));
    bool all = true;
    for (std::size_t g = 0; g < 8; ++g) {
      for (const auto* v : {&of.losses, &of.costs}) {
        const bool loss = v == &of.losses;
        double mean = 0, square = 0;
        for (std::size_t i = 0; i < 300; ++i) mean += (*v)(i, g) / 300;
        for (std::size_t i = 0; i < 300; ++i) square += std::pow((*v)(i, g) - mean, 2) / 299;
        all = all && std::fabs(mean - (loss ? of.true_loss : of.true_cost)[g]) <= 1.645 * std::sqrt(square / 300);
      }
    }
    pointwise += all ? 1 : 0;
  }
  // Three standard errors of 200 runs at .9 are .064.
  CHECK(asymptotic / runs >= .836);
  CHECK(asymptotic / runs <= .98);
  CHECK(guaranteed / runs >= .836);
  CHECK(pointwise / runs < .75);
  CHECK(width < wide);
}

TEST_CASE("one price and one prompt law: the band is the multiplier's quantile times the standard error") {
  // With a single column that varies, q is the quantile of |N(0, 1)| times a scale that is near 1.
  auto losses = ur::make_matrix<double>(400, 1, 0.0), costs = ur::make_matrix<double>(400, 1, 1.0);
  for (std::size_t i = 0; i < 400; i += 4) losses(i, 0) = 1;
  const std::vector<double> price{0};
  const auto band =
      ur::band_of(losses, costs, price, ur::confidence_level{.9}, ur::asymptotic{}, {.draws = 4000, .seed = 3});
  const double error = std::sqrt((100 * .5625 + 300 * .0625 + .5) / 401 / 400);
  const double half = (band.points[0].loss_band.upper - band.points[0].loss_band.lower) / 2;
  CHECK(band.points[0].loss == Approx(.25));
  CHECK(half / error == Approx(1.645).epsilon(.05));
  CHECK(band.points[0].cost == Approx(1));
}

TEST_CASE("a router's band is that of its choices, and its sample is spent") {
  const auto sample = ur::simulated_world{{.dimension = 8}}.sample(800, 2);
  const auto split = ur::split(sample.table, {.seed = 4});
  ur::router router{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 20}}, ur::lagrangian_rule{}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  double largest = 0;
  for (const double c : sample.table.costs()) largest = std::max(largest, c);
  const std::vector<double> prices{0, 10, 1000};
  const ur::confidence_level level{.9};
  const auto band = ur::band_along(router, ur::held_out{split.test}, prices, level, ur::asymptotic{});
  const auto safe = ur::band_along<ur::betting>(router, ur::held_out{split.test}, prices, level, largest);
  for (std::size_t g = 0; g < 3; ++g) {
    const auto at = router.with_rule(ur::lagrangian_rule{{.lambda = prices[g]}});
    const auto choices = at.route(split.test.embeddings());
    double loss = 0, cost = 0;
    for (std::size_t i = 0; i < split.test.size(); ++i) {
      const std::size_t h = split.test.model_index(at.models()[choices[i]]);
      loss += split.test.losses()(i, h) / static_cast<double>(split.test.size());
      cost += split.test.costs()(i, h) / static_cast<double>(split.test.size());
    }
    CHECK(band.points[g].loss == Approx(loss));
    CHECK(band.points[g].cost == Approx(cost));
    CHECK(safe.points[g].lambda == prices[g]);
    CHECK(band.points[g].loss_band.lower <= loss);
    CHECK(band.points[g].loss_band.upper >= loss);
  }
  CHECK(band.points[0].cost > band.points[2].cost);
  CHECK_THROWS_WITH(ur::band_along(router, ur::held_out{split.validation}, prices, level, ur::asymptotic{}),
                    Catch::Contains("was seen by enroll"));
  CHECK_THROWS_WITH(ur::band_along(router, ur::held_out{split.test}, {}, level, ur::asymptotic{}),
                    Catch::Contains("prices has 0"));
  CHECK_THROWS_WITH(ur::band_along<ur::betting>(router, ur::held_out{split.test}, prices, level, 1e-9),
                    Catch::Contains("but must be from 0 to the declared largest"));
  CHECK_THROWS_WITH(ur::band_along<ur::betting>(router, ur::held_out{split.test}, prices, level, 0),
                    Catch::Contains("largest_cost is 0"));
  auto halves = ur::held_out{split.test}.shares(2);
  const auto half = ur::band_along<ur::betting>(router, std::move(halves[0]), prices, level, largest);
  CHECK(half.points[0].loss_band.upper > safe.points[0].loss_band.upper);
  CHECK(half.level == Approx(.9));
}
