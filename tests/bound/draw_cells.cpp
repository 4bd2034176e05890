// Samples by counts have the distribution of samples by rows.
#include <catch2/catch.hpp>
#include <uniroute/bound/draw_cells.hpp>
#include <uniroute/world/random_worlds.hpp>

namespace ur = uniroute;

TEST_CASE("counts, sums and squares have the means and spreads of rows") {
  for (const std::size_t runs : {1, 3}) {
    const auto cells = ur::random_cells({.cells = 2, .models = 2, .types_per_cell = 2, .runs = runs, .seed = 2});
    const std::size_t n = 50, samples = 600;
    // Prompts in cell 0, and the sum and squares of LLM 1 there: means over samples drawn either way.
    double count[2] = {}, sum[2] = {}, square[2] = {}, spread[2] = {};
    for (std::size_t t = 0; t < samples; ++t) {
      const auto by_counts = ur::gather_cells(ur::draw_types(cells.world, n, t), cells.labels, 2);
      const auto drawn = ur::draw_outcomes(cells.world, n, t);
      ur::label_vector labels;
      for (const std::uint32_t type : drawn.types) labels.push_back(cells.labels[type]);
      const auto by_rows = ur::summarise({labels, drawn.losses, 2});
      const ur::cell_sample* both[2] = {&by_counts, &by_rows};
      for (std::size_t w = 0; w < 2; ++w) {
        CHECK(both[w]->prompts[0] + both[w]->prompts[1] == n);
        CHECK(both[w]->counts(0, 1) == both[w]->prompts[0]);
        count[w] += both[w]->prompts[0] / samples;
        sum[w] += both[w]->sums(0, 1) / samples;
        square[w] += both[w]->squares(0, 1) / samples;
        spread[w] += both[w]->sums(0, 1) * both[w]->sums(0, 1) / samples;
      }
    }
    // Sums of 50 values in [0, 1] have a standard deviation below 3.6; so has the difference of two means of 600, below
    // .21.
    CHECK(std::fabs(count[0] - count[1]) < 4 * .21);
    CHECK(std::fabs(sum[0] - sum[1]) < 4 * .21);
    CHECK(std::fabs(square[0] - square[1]) < 4 * .21);
    // And the spreads agree: variances of variances, four times the usual 2 / samples.
    const double a = spread[0] - sum[0] * sum[0], b = spread[1] - sum[1] * sum[1];
    CHECK(a / b == Approx(1).margin(4 * std::sqrt(4.0 / samples)));
    if (runs == 1) CHECK(square[0] == Approx(sum[0]));
    if (runs == 3) CHECK(square[0] < sum[0]);
  }
}

TEST_CASE("draws repeat themselves, and gathering refuses labels that do not fit") {
  const auto cells = ur::random_cells({.cells = 2, .models = 2, .types_per_cell = 2});
  const auto types = ur::draw_types(cells.world, 100, 7), again = ur::draw_types(cells.world, 100, 7);
  CHECK(std::equal(types.sums.begin(), types.sums.end(), again.sums.begin()));
  CHECK(types.prompts == again.prompts);
  CHECK(ur::draw_outcomes(cells.world, 20, 3).types == ur::draw_outcomes(cells.world, 20, 3).types);
  CHECK_THROWS_AS(ur::gather_cells(types, ur::label_vector{0, 1, 2, 0}, 2), std::invalid_argument);
  CHECK_THROWS_AS(ur::gather_cells(types, ur::label_vector{0, 1}, 2), std::invalid_argument);
  CHECK_THROWS_AS(ur::draw_outcomes(cells.world, 0, 1), std::invalid_argument);
}
