// Prediction-powered risks: by hand, how often they hold, and that they help where predictions are good.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/random.hpp>

namespace ur = uniroute;

TEST_CASE("the powered mean is the corrected one with the best weight, by hand") {
  const std::vector<double> losses{1, 0, 1, 0}, predicted{.8, .2, .6, .4}, unlabelled{.5, .7, .9, .3, .6};
  const auto out = ur::prediction_powered(losses, predicted, unlabelled, ur::confidence_level{.95}, ur::asymptotic{});
  // mean .5 and .5; cov = (.15 + .15 + .05 + .05) / 3; var of predictions .2 / 3 / ... ; unlabelled mean .6.
  const double cov = .4 / 3, var_f = .2 / 3, var_u = .2 / 4, var_l = 1.0 / 3;
  const double noise = var_f / 4 + var_u / 5, weight = std::min(1.0, cov / 4 / noise);
  CHECK(out.weight == Approx(weight));
  CHECK(out.value == Approx(.5 + weight * .1));
  CHECK(out.classical == Approx(1.959964 * std::sqrt(var_l / 4)));
  CHECK(out.half_width ==
        Approx(1.959964 * std::sqrt(std::max(0.0, var_l / 4 - 2 * weight * cov / 4 + weight * weight * noise))));
  CHECK_THROWS_WITH(ur::prediction_powered({}, {}, unlabelled, ur::confidence_level{.95}, ur::asymptotic{}),
                    Catch::Contains("there are 0 labels"));
  CHECK_THROWS_WITH(ur::prediction_powered(losses, unlabelled, unlabelled, ur::confidence_level{.95}, ur::asymptotic{}),
                    Catch::Contains("predicted has 5"));
  const std::vector<double> bad{.5, 1.5};
  CHECK_THROWS_WITH(ur::prediction_powered(losses, predicted, bad, ur::confidence_level{.95}, ur::asymptotic{}),
                    Catch::Contains("unlabelled[1] is 1.5"));
}

TEST_CASE("it covers as it says, narrower where predictions are good and no wider where they are noise") {
  double covered[2] = {0, 0}, ratio[2] = {0, 0};
  const std::size_t runs = 400;
  for (std::size_t kind = 0; kind < 2; ++kind) {
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
      ur::random_engine draws(ur::derive_seed(seed, kind));
      std::vector<double> losses, predicted, unlabelled;
      const auto one = [&](bool label) {
        const double p = draws.uniform() < .5 ? .1 : .8;
        const double f = kind == 0 ? p : draws.uniform();
        if (!label) return unlabelled.push_back(f);
        predicted.push_back(f);
        losses.push_back(draws.uniform() < p ? 1 : 0);
      };
      for (int i = 0; i < 150; ++i) one(true);
      for (int i = 0; i < 2000; ++i) one(false);
      const auto out =
          ur::prediction_powered(losses, predicted, unlabelled, ur::confidence_level{.9}, ur::asymptotic{});
      covered[kind] += .45 >= out.range.lower && .45 <= out.range.upper ? 1 : 0;
      ratio[kind] += out.half_width / out.classical / static_cast<double>(runs);
    }
  }
  // Three standard errors of 400 runs at .9 are .045. A half width that left out the labels' own noise covers in .6.
  for (const double c : covered) {
    CHECK(c / runs >= .855);
    CHECK(c / runs <= .945);
  }
  CHECK(ratio[0] < .8);
  CHECK(ratio[1] == Approx(1).margin(.02));
}
