#include <catch2/catch.hpp>
#include <cstdlib>
#include <support/skip.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

static_assert(ur::world<ur::simulated_world> && ur::world<ur::gaussian_world> &&
              ur::enumerable_world<ur::discrete_world>);
static_assert(!ur::enumerable_world<ur::gaussian_world> && !ur::world<ur::routing_table>);

TEMPLATE_TEST_CASE("worlds obey the concept's semantics", "", ur::simulated_world, ur::gaussian_world,
                   ur::discrete_world) {
  const auto w = [] {
    if constexpr (std::same_as<TestType, ur::discrete_world>) {
      return ur::random_cells({.cells = 3, .models = 4}).world;
    } else {
      return TestType{};
    }
  }();
  const auto longer = w.sample(300, 5), shorter = w.sample(20, 5);
  CHECK(longer.table.model_count() == w.models());
  REQUIRE(ur::rows(longer.expected_losses) == 300);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(longer.cells[i] == shorter.cells[i]);
    for (std::size_t h = 0; h < w.models(); ++h) {
      CHECK(longer.table.losses()(i, h) == shorter.table.losses()(i, h));
      CHECK(longer.expected_losses(i, h) == shorter.expected_losses(i, h));
    }
  }
  // Losses have mean γ*: the standardised sum over all answers is below four.
  double excess = 0, variance = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    for (std::size_t h = 0; h < w.models(); ++h) {
      const double g = longer.expected_losses(i, h);
      excess += longer.table.losses()(i, h) - g;
      variance += g * (1 - g);
    }
  }
  CHECK(std::fabs(excess) < 4 * std::sqrt(variance));
  CHECK_THROWS_AS(w.sample(0, 1), std::invalid_argument);
}

TEST_CASE("a discrete world refuses what is no distribution") {
  const auto make = [](std::vector<double> p, double loss) {
    return ur::discrete_world({std::move(p), ur::make_matrix<double>(2, 2, loss)});
  };
  CHECK_THROWS_WITH(make({.5, .4}, .5), "discrete_world: the sum of probabilities is 0.9, but must be 1");
  CHECK_THROWS_AS(make({1.5, -.5}, .5), std::domain_error);
  CHECK_THROWS_WITH(make({.5, .5}, 1.5), "discrete_world: expected_losses(0, 0) is 1.5, but must be in [0, 1]");
  CHECK_THROWS_AS(make({1}, .5), std::invalid_argument);
  CHECK_THROWS_AS(ur::discrete_world({{.5, .5}, ur::make_matrix<double>(2, 2, .5), ur::make_matrix<double>(3, 2, .5)}),
                  std::invalid_argument);
  CHECK_NOTHROW(make({.5, .5}, 0));
}

TEST_CASE("losses are graded when several answers are averaged") {
  const auto cells = ur::random_cells({.cells = 2, .models = 2, .types_per_cell = 2, .runs = 4, .seed = 2});
  const auto drawn = cells.world.sample(200, 9);
  bool graded = false;
  for (const double loss : drawn.table.losses()) {
    CHECK(std::fabs(4 * loss - std::round(4 * loss)) < 1e-12);
    graded = graded || (loss > 0 && loss < 1);
  }
  CHECK(graded);
}

TEST_CASE("the dial of heterogeneity keeps cell means and scales what differs inside") {
  const auto full = ur::random_cells({.cells = 4, .models = 3, .heterogeneity = 1, .seed = 3});
  const auto mean_of = [&](const ur::discrete_world& w, std::size_t k, std::size_t h) {
    double sum = 0, mass = 0;
    for (std::size_t t = 0; t < w.types(); ++t) {
      if (full.labels[t] != k) continue;
      sum += w.probabilities()[t] * w.expected_losses()(t, h);
      mass += w.probabilities()[t];
    }
    return sum / mass;
  };
  const auto half = ur::with_heterogeneity(full.world, full.labels, .5),
             none = ur::with_heterogeneity(full.world, full.labels, 0);
  for (std::size_t t = 0; t < full.world.types(); ++t) {
    for (std::size_t h = 0; h < 3; ++h) {
      const double mean = mean_of(full.world, full.labels[t], h);
      CHECK(half.expected_losses()(t, h) - mean ==
            Approx((full.world.expected_losses()(t, h) - mean) / 2).margin(1e-12));
      CHECK(none.expected_losses()(t, h) == Approx(mean).margin(1e-12));
    }
  }
  CHECK_THROWS_AS(ur::with_heterogeneity(full.world, full.labels, 1.5), std::invalid_argument);
}

TEST_CASE("clear cells have one LLM that is best; cells are found again by their embeddings") {
  const auto w = ur::random_cells({.cells = 5, .models = 4, .clear_cells = .8, .seed = 4});
  std::size_t clear = 0;
  for (std::size_t t = 0; t < w.world.types(); t += 3) {
    std::size_t good = 0;
    for (std::size_t h = 0; h < 4; ++h) good += w.world.expected_losses()(t, h) < .06 ? 1u : 0u;
    clear += good == 1 ? 1u : 0u;
    CHECK(static_cast<std::uint32_t>(w.world.embeddings()(t, 0) / 10 + .5F) == w.labels[t]);
  }
  CHECK(clear >= 4);
  CHECK(ur::equal_cells(5, 2) == ur::label_vector{0, 0, 0, 1, 1});
  CHECK_THROWS_AS(ur::equal_cells(5, 6), std::invalid_argument);
  CHECK_THROWS_AS(ur::random_cells({.clear_cells = 2}), std::invalid_argument);
  const auto line = ur::smooth_line({.types = 100, .models = 3});
  for (std::size_t t = 1; t < 100; ++t)
    CHECK(std::fabs(line.expected_losses()(t, 0) - line.expected_losses()(t - 1, 0)) < .25);
}

TEST_CASE("a Gaussian world's component means agree with sample means") {
  const ur::gaussian_world w{{.components = 2, .models = 3, .dimension = 3, .spread = 1, .skill = 3}};
  const auto drawn = w.sample(20000, 2);
  for (std::size_t h = 0; h < 3; ++h) {
    double sum = 0, square = 0, n = 0;
    for (std::size_t i = 0; i < 20000; ++i) {
      if (drawn.cells[i] != 1) continue;
      sum += drawn.expected_losses(i, h);
      square += drawn.expected_losses(i, h) * drawn.expected_losses(i, h);
      n += 1;
    }
    const double mean = sum / n;
    CHECK(std::fabs(mean - w.component_loss(1, h)) < 4 * std::sqrt((square / n - mean * mean) / n));
  }
  // Without skill the loss is the logistic of the bias, everywhere.
  const ur::gaussian_world flat{{.skill = 0}};
  CHECK(flat.component_loss(0, 1) == Approx(flat.sample(1, 1).expected_losses(0, 1)).epsilon(1e-9));
  CHECK_THROWS_AS(ur::gaussian_world{{.spread = -1}}, std::invalid_argument);
  CHECK_THROWS_AS(ur::gaussian_world{{.models = 0}}, std::invalid_argument);
}

TEST_CASE("a fitted world is the logistic ridge regression of the table") {
  // Two prompts at +1 and −1, one LLM that fails on the first only. With τ = 1 and b ~ 0 by symmetry the weight solves
  // 2 (1 − σ(w)) = w, by Newton's method below.
  ur::routing_table_parts parts;
  parts.ids = {"a", "b"};
  parts.models.resize(1);
  parts.models[0].name = "m";
  parts.losses = ur::make_matrix<double>(2, 1, 0.0);
  parts.losses(0, 0) = 1;
  parts.costs = ur::make_matrix<double>(2, 1, .25);
  parts.embeddings = ur::make_matrix<float>(2, 1, 4.0F);
  parts.embeddings(1, 0) = 2;
  const auto w = ur::fit_world(ur::routing_table(parts), {.iterations = 500, .tolerance = 1e-12});
  double weight = .7;
  for (int i = 0; i < 50; ++i) {
    const double s = 1 / (1 + std::exp(-weight));
    weight -= (2 * (1 - s) - weight) / (-2 * s * (1 - s) - 1);
  }
  CHECK(w.expected_losses()(0, 0) == Approx(1 / (1 + std::exp(-weight))).epsilon(1e-9));
  CHECK(w.expected_losses()(1, 0) == Approx(1 / (1 + std::exp(weight))).epsilon(1e-9));
  CHECK(w.costs()(0, 0) == .25);
  parts.losses(0, 0) = parts.losses(1, 0) = ur::missing;
  CHECK_THROWS_AS(ur::fit_world(ur::routing_table(parts)), std::invalid_argument);
  parts.embeddings = ur::make_matrix<float>(0, 0);
  CHECK_THROWS_AS(ur::fit_world(ur::routing_table(parts)), std::invalid_argument);
}

TEST_CASE("a world fitted to a real table keeps each LLM's accuracy and separates prompts", "[outside]") {
  const std::string path = std::string(UNIROUTE_DATA_DIR) + "/routerbench_part";
  if (!std::filesystem::exists(path)) {
    return uniroute_tests::skip("no table routerbench_part under UNIROUTE_DATA_DIR");
  }
  auto table = ur::read_routing_table(path);
  std::vector<std::size_t> some, models(table.model_count());
  for (std::size_t i = 0; i < table.size(); i += 6) some.push_back(i);
  for (std::size_t h = 0; h < models.size(); ++h) models[h] = h;
  table = table.select(some, models);
  const auto w = ur::fit_world(table, {.iterations = 30});
  for (std::size_t h = 0; h < w.models(); ++h) {
    double fitted = 0, observed = 0, spread = 0;
    for (std::size_t i = 0; i < table.size(); ++i) {
      fitted += w.expected_losses()(i, h);
      observed += table.losses()(i, h);
      spread = std::max(spread, std::fabs(w.expected_losses()(i, h) - w.expected_losses()(0, h)));
    }
    CHECK(fitted / static_cast<double>(table.size()) ==
          Approx(observed / static_cast<double>(table.size())).margin(.01));
    CHECK(spread > .02);
  }
}

TEST_CASE("worlds refuse counts of nothing and shares that are none, whichever it is") {
  using Catch::Contains;
  CHECK_THROWS_WITH(ur::random_cells({.cells = 0}),
                    Contains("random_cells: cells, models and types_per_cell are 0, 10 and 3"));
  CHECK_THROWS_WITH(ur::random_cells({.models = 0}), Contains("are 10, 0 and 3"));
  CHECK_THROWS_WITH(ur::random_cells({.types_per_cell = 0}), Contains("are 10, 10 and 0"));
  CHECK_THROWS_WITH(ur::soft_counterexample({.lean = .4, .advantage = .2}),
                    Contains("soft_counterexample: advantage (1/2 + lean) / (1/2 - lean) is 1.8"));
  // A quarter of ten cells has an LLM that is best there by far, the others not.
  const auto w = ur::random_cells({.heterogeneity = 0, .clear_cells = .3, .seed = 5});
  std::size_t clear = 0;
  for (std::size_t t = 0; t < w.labels.size(); t += 3) {
    bool others_fail = true, one_is_best = false;
    for (std::size_t h = 0; h < 10; ++h) {
      const double loss = w.world.expected_losses()(t, h);
      if (std::fabs(loss - .05) < 1e-12) {
        one_is_best = true;
      } else {
        others_fail = others_fail && loss >= .5;
      }
    }
    clear += one_is_best && others_fail ? 1u : 0u;
  }
  CHECK(clear == 3);
  CHECK(ur::equal_cells(7, 3) == ur::label_vector{0, 0, 0, 1, 1, 2, 2});
  for (const double bad : {std::numeric_limits<double>::infinity(), -1.0, std::nan("")})
    CHECK_THROWS_WITH(ur::simulated_world({.spread = bad}), Contains("simulated_world: spread is "));
}

TEST_CASE("dearer LLMs of a Gaussian world fail less, by eight tenths of a logit from end to end") {
  double cheapest = 0, dearest = 0, middle = 0;
  const std::size_t worlds = 400;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    // Without skill the logit is the bias alone.
    const ur::gaussian_world w({.models = 5, .skill = 0, .difficulty = .3, .seed = seed});
    const auto logit = [&](std::size_t h) {
      const double p = w.component_loss(0, h);
      return std::log(p / (1 - p)) / static_cast<double>(worlds);
    };
    cheapest += logit(0);
    middle += logit(2);
    dearest += logit(4);
  }
  // Standard errors .3 / 20 = .015.
  CHECK(cheapest == Approx(.3 + .8 * .3).margin(.06));
  CHECK(middle == Approx(.3 + .8 * -.1).margin(.06));
  CHECK(dearest == Approx(.3 + .8 * -.5).margin(.06));
}
