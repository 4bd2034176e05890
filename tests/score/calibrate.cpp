// Calibration of scores: by hand, against exhaustive search, and on laws that are known.

#include <catch2/catch.hpp>
#include <uniroute/random.hpp>
#include <uniroute/score/score.hpp>

namespace ur = uniroute;

TEST_CASE("isotonic calibration pools what violates the order, and is linear between its steps") {
  ur::isotonic_calibration c;
  CHECK(c.loss(3) == .5);
  c.fit(std::vector<double>{1, 2, 3, 4, 4}, std::vector<double>{1, .2, .6, 0, 0});
  CHECK(c.loss(1) == 1);
  CHECK(c.loss(2) == Approx(.4));  // 2 and 3 are pooled
  CHECK(c.loss(2.5) == Approx(.4));
  CHECK(c.loss(3) == Approx(.4));
  CHECK(c.loss(4) == 0);
  CHECK(c.loss(3.5) == Approx(.2));
  CHECK(c.loss(1.25) == Approx(.85));
  CHECK(c.loss(-9) == 1);
  CHECK(c.loss(9) == 0);
  // Against all falling functions on a grid: none fits better.
  ur::random_engine draws(3);
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<double> scores, losses;
    for (int i = 0; i < 5; ++i) {
      scores.push_back(static_cast<double>(i));
      losses.push_back(static_cast<double>(draws.below(5)) / 4);
    }
    c.fit(scores, losses);
    double mine = 0, best = 9;
    for (int i = 0; i < 5; ++i) {
      mine += std::pow(c.loss(scores[i]) - losses[i], 2);
      if (i > 0) CHECK(c.loss(scores[i]) <= c.loss(scores[i - 1]));
    }
    int at[5];
    for (at[0] = 0; at[0] <= 12; ++at[0])
      for (at[1] = 0; at[1] <= at[0]; ++at[1])
        for (at[2] = 0; at[2] <= at[1]; ++at[2])
          for (at[3] = 0; at[3] <= at[2]; ++at[3])
            for (at[4] = 0; at[4] <= at[3]; ++at[4]) {
              double error = 0;
              for (int i = 0; i < 5; ++i) error += std::pow(at[i] / 12.0 - losses[i], 2);
              best = std::min(best, error);
            }
    CHECK(mine <= best + 1e-12);
  }
}

TEST_CASE("Platt's and temperature calibration find the law that scores have") {
  ur::random_engine draws(5);
  std::vector<double> scores, losses, chances, of_chances;
  for (int i = 0; i < 20000; ++i) {
    scores.push_back(3 * draws.normal() + 1);
    losses.push_back(draws.uniform() < 1 / (1 + std::exp(-(.5 - .8 * scores.back()))) ? 1 : 0);
    const double logit = 2 * draws.normal(), sure = 1 / (1 + std::exp(-logit * 2.5));  // surer than it should be
    chances.push_back(sure);
    of_chances.push_back(draws.uniform() < 1 / (1 + std::exp(-logit)) ? 0 : 1);
  }
  scores[7] = ur::missing;
  losses[9] = ur::missing;
  ur::platt_calibration platt;
  CHECK(platt.loss(3) == .5);
  platt.fit(scores, losses);
  CHECK(platt.intercept() == Approx(.5).margin(.06));
  CHECK(platt.slope() == Approx(-.8).margin(.03));
  ur::temperature_calibration temperature;
  CHECK(temperature.loss(.9) == .5);
  temperature.fit(chances, of_chances);
  CHECK(temperature.temperature() == Approx(2.5).margin(.1));
  CHECK(temperature.loss(.5) == Approx(.5));
  // What was off is not any more.
  std::vector<double> before, after;
  for (const double p : chances) {
    before.push_back(1 - p);
    after.push_back(temperature.loss(p));
  }
  CHECK(ur::reliability_of(before, of_chances).error > .08);
  CHECK(ur::reliability_of(after, of_chances).error < .02);
  // Scores that part right from wrong are no certainties.
  platt.fit(std::vector<double>{1, 2, 3, 4}, std::vector<double>{1, 1, 0, 0});
  CHECK(platt.loss(4) > .05);
  CHECK(platt.loss(1) < .95);
  platt.fit(std::vector<double>{2, 2, 2}, std::vector<double>{1, 1, 0});  // constant: the share
  CHECK(platt.loss(2) == Approx(.6).margin(.05));
  CHECK_THROWS_WITH(temperature.fit(std::vector<double>{2}, std::vector<double>{1}), Catch::Contains("a score is 2"));
  CHECK_THROWS_WITH(platt.fit(std::vector<double>{2}, std::vector<double>{}), Catch::Contains("1 scores and 0 losses"));
  CHECK_THROWS_WITH(platt.fit(std::vector<double>{ur::missing}, std::vector<double>{1}),
                    Catch::Contains("no score has an outcome"));
}

TEST_CASE("a reliability diagram by hand") {
  const auto r =
      ur::reliability_of(std::vector<double>{.1, .15, .6, 1, .3}, std::vector<double>{0, 1, 1, 1, ur::missing}, 4);
  REQUIRE(r.bins.size() == 3);
  CHECK(r.bins[0].count == 2);
  CHECK(r.bins[0].predicted == Approx(.125));
  CHECK(r.bins[0].observed == Approx(.5));
  CHECK(r.bins[2].predicted == Approx(1));  // 1 is in the last bin
  CHECK(r.error == Approx((2 * .375 + .4 + 0) / 4));
  CHECK_THROWS_WITH(ur::reliability_of(std::vector<double>{.5}, std::vector<double>{1}, 0),
                    Catch::Contains("bins is 0"));
  CHECK_THROWS_WITH(ur::reliability_of(std::vector<double>{1.5}, std::vector<double>{1}), Catch::Contains("is 1.5"));
}
