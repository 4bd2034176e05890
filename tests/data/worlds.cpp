#include <catch2/catch.hpp>
#include <cstdlib>
#include <uniroute/bound/draw_cells.hpp>
#include <uniroute/data/data.hpp>
#include <uniroute/detail/draws.hpp>

namespace ur = uniroute;

static_assert(ur::world<ur::simulated_world> && ur::world<ur::gaussian_world> &&
              ur::enumerable_world<ur::discrete_world>);
static_assert(!ur::enumerable_world<ur::gaussian_world> && !ur::world<ur::routing_table>);

TEST_CASE("binomial masses agree with an independent source") {
  // scipy.stats.binom.pmf
  CHECK(ur::detail::binomial_mass(30, 100, .3) == Approx(0.08678386475342786).epsilon(1e-12));
  CHECK(ur::detail::binomial_mass(1, 20, .05) == Approx(0.37735360253530753).epsilon(1e-12));
  CHECK(ur::detail::binomial_mass(49990, 100000, .5) == Approx(0.002518085054986084).epsilon(1e-10));
}

TEST_CASE("binomial draws have the binomial distribution, by chi-square on each side of the switch of methods") {
  for (const auto& [n, p] : {std::pair{std::uint64_t{10}, .3},
                             {std::uint64_t{40}, .02},
                             {std::uint64_t{60}, .5},
                             {std::uint64_t{500}, .93}}) {
    ur::random_engine draws(7);
    std::vector<double> seen(n + 1, 0);
    const std::size_t count = 40000;
    for (std::size_t t = 0; t < count; ++t) seen[ur::detail::draw_binomial(n, p, draws)] += 1;
    // The masses by recurrence from (1 − p)^n, another way than the draws'.
    double mass = std::pow(1 - p, static_cast<double>(n)), chi = 0, left = 0, expected_left = 0;
    std::size_t freedom = 0;
    for (std::uint64_t k = 0; k <= n; ++k) {
      const double expected = mass * static_cast<double>(count);
      if (expected >= 10) {
        chi += (seen[k] - expected) * (seen[k] - expected) / expected;
        ++freedom;
      } else {
        left += seen[k];
        expected_left += expected;
      }
      mass *= p / (1 - p) * static_cast<double>(n - k) / static_cast<double>(k + 1);
    }
    chi += expected_left > 1 ? (left - expected_left) * (left - expected_left) / expected_left : 0;
    INFO(n << " " << p << " chi " << chi << " of " << freedom);
    // Four standard deviations of a chi-square.
    CHECK(chi < static_cast<double>(freedom) + 4 * std::sqrt(2.0 * static_cast<double>(freedom)) + 4);
  }
  ur::random_engine draws(1);
  CHECK(ur::detail::draw_binomial(0, .5, draws) == 0);
  CHECK(ur::detail::draw_binomial(9, 0, draws) == 0);
  CHECK(ur::detail::draw_binomial(9, 1, draws) == 9);
}

TEST_CASE("multinomial draws spend every prompt and have the right means") {
  const std::vector<double> p{.2, 0, .5, .3};
  std::vector<std::uint64_t> out(4);
  std::vector<double> mean(4, 0);
  ur::random_engine draws(3);
  for (int t = 0; t < 4000; ++t) {
    ur::detail::draw_multinomial(100, p, out, draws);
    CHECK(out[0] + out[1] + out[2] + out[3] == 100);
    for (std::size_t k = 0; k < 4; ++k) mean[k] += static_cast<double>(out[k]) / 4000;
  }
  CHECK(out[1] == 0);
  for (std::size_t k = 0; k < 4; ++k) CHECK(std::fabs(mean[k] - 100 * p[k]) < 4 * std::sqrt(100 * .25 / 4000) + 1e-12);
}

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

TEST_CASE("losses are graded when several answers are averaged, and counts agree with rows in distribution") {
  const auto cells = ur::random_cells({.cells = 2, .models = 2, .types_per_cell = 2, .runs = 4, .seed = 2});
  const auto rows = cells.world.sample(4000, 9);
  bool graded = false;
  for (const double loss : rows.table.losses()) {
    CHECK(std::fabs(4 * loss - std::round(4 * loss)) < 1e-12);
    graded = graded || (loss > 0 && loss < 1);
  }
  CHECK(graded);
  const auto types = ur::draw_types(cells.world, 4000, 9);
  const auto k = ur::gather_cells(types, cells.labels, cells.cells);
  CHECK(k.prompts[0] + k.prompts[1] == 4000);
  std::size_t in_first = 0;
  double sum = 0;
  for (std::size_t i = 0; i < 4000; ++i) {
    if (cells.labels[rows.cells[i]] != 0) continue;
    ++in_first;
    sum += rows.table.losses()(i, 1);
  }
  CHECK(std::fabs(static_cast<double>(in_first) - k.prompts[0]) < 4 * std::sqrt(2 * 4000 * .25));
  CHECK(sum / static_cast<double>(in_first) ==
        Approx(k.sums(0, 1) / k.prompts[0]).margin(4 * std::sqrt(2 * .25 / 4 / 1000) + .05));
  const ur::label_vector bad{0, 1, 2, 3};
  CHECK_THROWS_AS(ur::gather_cells(types, bad, 2), std::invalid_argument);
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

TEST_CASE("a world fitted to a real table keeps each LLM's accuracy and separates prompts") {
  const std::string path = std::string(UNIROUTE_DATA_DIR) + "/routerbench_part";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: " << path << " is not there");
    return;
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
