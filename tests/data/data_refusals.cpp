// Tables, worlds and transforms: what they refuse, and worlds that are their formulas.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <numbers>
#include <support/small_tables.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

template <class Change>
void refused(const char* why, const Change& change) {
  auto parts = uniroute_tests::small_table("p ", 4, 2, [](auto, auto) { return .5; }).parts();
  change(parts);
  CHECK_THROWS_WITH(ur::routing_table(parts), Contains(why));
}

}  // namespace

TEST_CASE("rows by loss go from the easiest prompt to the hardest, ties as they were, unknown ones last") {
  auto losses = ur::make_matrix<double>(6, 2, ur::missing);
  const double values[6][2] = {
      {1, 1}, {0, 1}, {ur::missing, ur::missing}, {ur::missing, .5}, {0, 0}, {.25, ur::missing}};
  for (std::size_t i = 0; i < 6; ++i) std::copy(values[i], values[i] + 2, ur::row(losses, i).begin());
  CHECK(ur::loss_order(losses) == std::vector<std::size_t>{4, 5, 1, 3, 0, 2});
  const auto drawn = ur::simulated_world{{.dimension = 4}}.sample(80, 5);
  const auto sorted = ur::sort_by_loss(drawn);
  const auto order = ur::loss_order(drawn.table.losses());
  double before = -1;
  for (std::size_t i = 0; i < 80; ++i) {
    CHECK(sorted.table.ids()[i] == drawn.table.ids()[order[i]]);
    CHECK(sorted.cells[i] == drawn.cells[order[i]]);
    double mean = 0;
    for (std::size_t h = 0; h < drawn.table.model_count(); ++h) {
      CHECK(sorted.table.losses()(i, h) == drawn.table.losses()(order[i], h));
      CHECK(sorted.expected_losses(i, h) == drawn.expected_losses(order[i], h));
      mean += sorted.table.losses()(i, h) / static_cast<double>(drawn.table.model_count());
    }
    CHECK(mean >= before - 1e-12);
    before = mean;
  }
}

TEST_CASE("tables refuse parts that do not fit together, each by its name") {
  using parts = ur::routing_table_parts;
  refused("losses is 4 x 2, but must be 3 x 2", [](parts& p) { p.ids.pop_back(); });
  refused("distinct", [](parts& p) { p.ids[1] = p.ids[0]; });
  refused("prompts", [](parts& p) { p.prompts = {"one"}; });
  refused("categories", [](parts& p) { p.categories = {"one"}; });
  refused("distinct", [](parts& p) { p.models[1].name = p.models[0].name; });
  refused("costs is 4 x 1", [](parts& p) { p.costs = ur::make_matrix<double>(4, 1, 1.0); });
  refused("counts is 3 x 2", [](parts& p) { p.counts = ur::make_matrix<double>(3, 2, 1.0); });
  refused("embeddings has 3 rows", [](parts& p) { p.embeddings = ur::make_matrix<float>(3, 1, 0.0F); });
  refused("embeddings", [](parts& p) { p.embeddings(2, 0) = std::nanf(""); });
  refused("losses", [](parts& p) { p.losses(1, 1) = 1.01; });
  refused("losses", [](parts& p) { p.losses(1, 1) = -.01; });
  for (const double bad : {-1.0, infinite}) refused("a cost", [bad](parts& p) { p.costs(3, 1) = bad; });
  const auto table = uniroute_tests::small_table("p ", 4, 2, [](auto, auto) { return .5; });
  CHECK_THROWS_WITH(ur::as_binary(table), Contains("as_binary"));
  CHECK_THROWS_WITH(table.model_index("z"), Contains("'z' is not a model"));
  auto bare = table.parts();
  bare.embeddings = ur::make_matrix<float>(0, 0);
  CHECK_THROWS_WITH(ur::embed(ur::precomputed_embeddings{}, ur::routing_table(bare)), Contains("has no embeddings"));
  CHECK_THROWS_WITH(ur::embed(ur::hashed_tfidf{}, table), Contains("has no prompt texts"));
  for (const auto& [train, validation] : {std::pair{0.0, .5}, {.5, 0.0}, {.5, .5}, {-.1, .5}})
    CHECK_THROWS_AS(ur::split_rows(table, {.train = train, .validation = validation}), std::invalid_argument);
}

TEST_CASE("discrete worlds refuse what is no distribution, and draw what they say") {
  ur::discrete_world_parts good;
  good.probabilities = {.25, .75};
  good.expected_losses = ur::make_matrix<double>(2, 2, .5);
  CHECK_NOTHROW(ur::discrete_world(good));
  const auto refuse = [&](const char* why, auto change) {
    auto parts = good;
    change(parts);
    CHECK_THROWS_WITH(ur::discrete_world(parts), Contains(why));
  };
  using parts = ur::discrete_world_parts;
  refuse("expected_losses is", [](parts& p) { p.expected_losses = ur::make_matrix<double>(3, 2, .5); });
  refuse("at least 1 x 1", [](parts& p) { p.expected_losses = ur::make_matrix<double>(2, 0); });
  refuse("at least 1 x 1", [](parts& p) {
    p.probabilities = {};
    p.expected_losses = ur::make_matrix<double>(0, 2);
  });
  refuse("probabilities[0]", [](parts& p) { p.probabilities = {-.25, 1.25}; });
  refuse("sum of probabilities", [](parts& p) { p.probabilities[1] = .7501; });
  refuse("expected_losses(1, 0)", [](parts& p) { p.expected_losses(1, 0) = 1.1; });
  refuse("costs is 3 x 2", [](parts& p) { p.costs = ur::make_matrix<double>(3, 2, 1.0); });
  refuse("costs is 1 x 3", [](parts& p) { p.costs = ur::make_matrix<double>(1, 3, 1.0); });
  refuse("a cost", [](parts& p) { p.costs = ur::make_matrix<double>(1, 2, -1.0); });
  refuse("embeddings has 3 rows", [](parts& p) { p.embeddings = ur::make_matrix<float>(3, 1, 0.0F); });
  refuse("models has 1 names", [](parts& p) { p.models = {"one"}; });
  // A mean of 1 is always drawn, one of 0 never.
  auto sure = good;
  sure.expected_losses(0, 0) = sure.expected_losses(1, 0) = 1;
  sure.expected_losses(0, 1) = sure.expected_losses(1, 1) = 0;
  const auto drawn = ur::discrete_world(sure).sample(50, 3);
  for (std::size_t i = 0; i < 50; ++i) {
    CHECK(drawn.table.losses()(i, 0) == 1);
    CHECK(drawn.table.losses()(i, 1) == 0);
  }
}

TEST_CASE("adversarial and smooth worlds are their formulas") {
  for (const auto& bad :
       {ur::soft_counterexample_options{.lean = 0}, {.lean = .5}, {.advantage = 0}, {.advantage = .26}, {.tilt = 0}})
    CHECK_THROWS_WITH(ur::soft_counterexample(bad), Contains("lean, advantage and tilt"));
  // (1/4) (1/2 + d) / (1/2 − d) <= 1/2 up to d = 1/6.
  CHECK_NOTHROW(ur::soft_counterexample({.lean = .16, .advantage = .25, .tilt = 1e-6}));
  CHECK_THROWS_WITH(ur::soft_counterexample({.lean = .17, .advantage = .25, .tilt = 1e-6}),
                    Contains("losses would leave [0, 1]"));
  const auto ties = ur::near_ties(5, 3, .2);
  CHECK(ties.cells == 5);
  for (std::size_t k = 0; k < 5; ++k) {
    CHECK(ties.labels[k] == k);
    CHECK(ties.world.probabilities()[k] == Approx(.2));
    for (std::size_t h = 0; h < 3; ++h) CHECK(ties.world.expected_losses()(k, h) == (h == 2 - k % 3 ? .3 : .5));
  }
  CHECK_NOTHROW(ur::near_ties(1, 1, .5));
  for (const auto& [k, m, gap] : {std::tuple{std::size_t{0}, std::size_t{2}, .1}, {2, 0, .1}, {2, 2, -.1}, {2, 2, .51}})
    CHECK_THROWS_WITH(ur::near_ties(k, m, gap), Contains("near_ties: cells, models and gap"));
  // logit γ = b + Σ a_j (u cos πjx + v sin πjx), a_j ∝ j^−smoothness with Σ a² = variation².
  const ur::smooth_line_options o{
      .types = 9, .models = 3, .variation = 1.5, .smoothness = 1.2, .dearest = 4, .seed = 7};
  const auto w = ur::smooth_line(o);
  double square = 0;
  for (int j = 1; j <= 32; ++j) square += std::pow(j, -2.4);
  ur::random_engine draws(ur::derive_seed(7, 4));
  for (std::size_t h = 0; h < 3; ++h) {
    const double rank = static_cast<double>(h + 1) / 3;
    CHECK(w.costs()(0, h) == Approx(4 * rank));
    const double bias = .8 * (.5 - rank) + .2 * draws.normal();
    std::vector<std::pair<double, double>> uv(32);
    for (auto& [u, v] : uv) {
      u = draws.normal();
      v = draws.normal();
    }
    for (std::size_t t = 0; t < 9; ++t) {
      const double x = (static_cast<double>(t) + .5) / 9;
      double logit = bias;
      for (int j = 1; j <= 32; ++j) {
        const auto& [u, v] = uv[static_cast<std::size_t>(j - 1)];
        logit += 1.5 * std::pow(j, -1.2) / std::sqrt(square) *
                 (u * std::cos(std::numbers::pi * j * x) + v * std::sin(std::numbers::pi * j * x));
      }
      CHECK(w.expected_losses()(t, h) == Approx(1 / (1 + std::exp(-logit))));
      CHECK(w.embeddings()(t, 0) == Approx(x));
      CHECK(w.probabilities()[t] == Approx(1.0 / 9));
    }
  }
  for (const double bad : {-1.0, infinite}) {
    CHECK_THROWS_WITH(ur::smooth_line({.variation = bad}), Contains("smooth_line: variation"));
    CHECK_THROWS_WITH(ur::smooth_line({.smoothness = bad}), Contains("smooth_line: smoothness"));
    CHECK_THROWS_WITH(ur::smooth_line({.dearest = bad}), Contains("smooth_line: dearest"));
  }
  CHECK_THROWS_WITH(ur::smooth_line({.types = 0}), Contains("types and models"));
  CHECK_THROWS_WITH(ur::smooth_line({.models = 0}), Contains("types and models"));
}

TEST_CASE("a given projection is A transposed times x less the mean, and refuses other shapes") {
  auto weights = ur::make_matrix<double>(3, 2);
  for (std::size_t i = 0; i < 6; ++i) weights.data()[i] = static_cast<double>(i) - 2.5;
  const std::vector<double> mean{1, 2, 3};
  auto p = ur::projection::given(weights, mean);
  auto x = ur::make_matrix<float>(2, 3);
  for (std::size_t i = 0; i < 6; ++i) x.data()[i] = static_cast<float>(i * i);
  p.fit(x, ur::make_matrix<double>(2, 0));
  const auto y = p.apply(x);
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t k = 0; k < 2; ++k) {
      double sum = 0;
      for (std::size_t j = 0; j < 3; ++j) sum += weights(j, k) * (static_cast<double>(x(i, j)) - mean[j]);
      CHECK(y(i, k) == Approx(sum));
    }
  }
  CHECK_THROWS_WITH(p.fit(ur::make_matrix<float>(2, 2, 0.0F), ur::make_matrix<double>(2, 0)),
                    Contains("but must have 3"));
  CHECK_THROWS_WITH(ur::projection::given(ur::make_matrix<double>(0, 2)), Contains("weights is 0 x 2"));
  CHECK_THROWS_WITH(ur::projection::given(ur::make_matrix<double>(2, 0)), Contains("weights is 2 x 0"));
  CHECK_THROWS_WITH(ur::projection::given(weights, {1, 2}), Contains("mean has 2 values"));
  CHECK_THROWS_WITH(ur::projection::given(weights, {1, 2, infinite}), Contains("mean[2]"));
  auto odd = weights;
  odd(1, 1) = std::nan("");
  CHECK_THROWS_AS(ur::projection::given(odd), std::domain_error);
  CHECK_THROWS_AS(ur::projection({.dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::skills({.directions = 0}), std::invalid_argument);
  for (const double bad : {0.0, -1.0, infinite}) CHECK_THROWS_AS(ur::skills({.strength = bad}), std::invalid_argument);
  ur::skills given{{.strength = 2.5}}, read;
  read.load(given.save());
  CHECK((read.save() == given.save()));
}
