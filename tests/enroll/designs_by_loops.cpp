// Designs beside their formulas in plain loops.

#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("disagreement at a known prompt is the standard deviation over the LLMs run there, of two or more") {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<float>(10 * i);
  auto losses = ur::make_matrix<double>(4, 3, ur::missing);
  losses(0, 0) = 0;  // one outcome says nothing of spread
  losses(1, 0) = 0;
  losses(1, 2) = 1;
  losses(2, 0) = .25;
  losses(2, 1) = .5;
  losses(2, 2) = 1;
  losses(3, 1) = losses(3, 2) = .5;
  ur::disagreement_design design{{.neighbours = 1}};
  design.fit(x, losses);
  const auto spread = design.disagreement(x);
  const double mean = 1.75 / 3;
  CHECK(spread[0] == Approx(std::sqrt(.5)));  // of its neighbour: two outcomes 0 and 1 have the variance 1/2
  CHECK(spread[1] == Approx(std::sqrt(.5)));
  CHECK(spread[2] ==
        Approx(std::sqrt(((.25 - mean) * (.25 - mean) + (.5 - mean) * (.5 - mean) + (1 - mean) * (1 - mean)) / 2)));
  CHECK(spread[3] == 0);
  ur::disagreement_design both{{.neighbours = 2}};
  both.fit(x, losses);
  CHECK(both.disagreement(x)[3] == Approx(std::sqrt(spread[2] * spread[2] / 2)));
  for (const double bad : {-.1, std::nan("")}) {
    auto state = design.save();
    state.set("variances", std::vector<double>{.5, bad, .1});
    CHECK_THROWS_AS(design.load(state), ur::format_error);
  }
  // Where nothing varies by any LLM, all prompts are alike.
  ur::disagreement_design unknown{{.neighbours = 1}};
  unknown.fit(x, ur::make_matrix<double>(4, 1, .5));
  CHECK(unknown.disagreement(x) == std::vector<double>(4, 1.0));
}

TEST_CASE("leverage weights are calibrated to the candidates' sums, and none is below its least share") {
  std::size_t raised = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 25, budget = 4;
    auto x = ur::make_matrix<float>(n, 1);
    for (float& v : x) v = static_cast<float>(engine.normal() * (engine.below(5) == 0 ? 6 : 1));
    const double prior = .5, least = .6;
    ur::leverage_design<ur::raw_embedding> design{{.prior = prior, .least_weight = least}};
    design.fit(x, ur::make_matrix<double>(n, 0));
    const auto sample = design.choose(x, budget, 3);
    REQUIRE(sample.prompts.size() == budget);
    // (n / budget) (1 + λ · z), z = (1, x), (Σ z zᵀ + prior) λ = (budget / n) Σ_all z − Σ_chosen z.
    double a = prior, b = 0, d = prior, left = 0, right = 0;
    for (std::size_t i = 0; i < n; ++i) {
      left += static_cast<double>(budget) / static_cast<double>(n);
      right += static_cast<double>(budget) / static_cast<double>(n) * static_cast<double>(x(i, 0));
    }
    for (const std::size_t i : sample.prompts) {
      const double v = static_cast<double>(x(i, 0));
      a += 1;
      b += v;
      d += v * v;
      left -= 1;
      right -= v;
    }
    const double determinant = a * d - b * b, first = (d * left - b * right) / determinant,
                 second = (a * right - b * left) / determinant;
    std::vector<double> weights;
    double sum = 0;
    for (const std::size_t i : sample.prompts) {
      const double w = 1 + first + second * static_cast<double>(x(i, 0));
      raised += w < least ? 1u : 0u;
      weights.push_back(std::max(w, least));
      sum += weights.back();
    }
    for (std::size_t s = 0; s < budget; ++s)
      CHECK(sample.weights[s] == Approx(weights[s] * static_cast<double>(n) / sum));
  }
  CHECK(raised > 5);
}
