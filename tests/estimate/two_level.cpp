// Two-level shrinkage, by hand and against what generated the outcomes.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// Two groups of two cells each, far apart.
ur::embedding_matrix four_cells() {
  auto out = ur::make_matrix<float>(4, 1);
  out(0, 0) = 0;
  out(1, 0) = 1;
  out(2, 0) = 100;
  out(3, 0) = 101;
  return out;
}

ur::cell_statistics counts(std::vector<double> n, std::vector<double> sums) {
  ur::cell_statistics out{n, n, sums, 0, 0};
  for (std::size_t k = 0; k < n.size(); ++k) {
    out.observed += static_cast<std::size_t>(n[k]);
    out.total += sums[k];
  }
  return out;
}

}  // namespace

TEST_CASE("two-level means by hand: cells borrow from their group, groups from all") {
  ur::two_level_mean estimator{{.coarse_cells = 2, .coarse_strength = 10, .fine_strength = 5}};
  estimator.fit({}, four_cells());
  CHECK(estimator.coarse_size() == 2);
  CHECK(estimator.parents()[0] == estimator.parents()[1]);
  CHECK(estimator.parents()[0] != estimator.parents()[2]);
  const auto p = estimator.estimate(counts({10, 0, 20, 10}, {8, 0, 2, 4}));
  const double mu = 14.0 / 40, first = (8 + 10 * mu) / 20, second = (6 + 10 * mu) / 40;
  CHECK(p.losses[0] == Approx((8 + 5 * first) / 15));
  CHECK(p.losses[1] == Approx(first));  // an empty cell is its group's mean
  CHECK(p.losses[2] == Approx((2 + 5 * second) / 25));
  CHECK(p.losses[3] == Approx((4 + 5 * second) / 15));
  CHECK(p.counts == std::vector<double>{10, 0, 20, 10});
}

TEST_CASE("the extremes of two-level shrinkage are the cell mean, the group's mean and the overall mean") {
  constexpr double none = 0, all = std::numeric_limits<double>::infinity();
  const auto s = counts({10, 5, 20, 10}, {8, 1, 2, 4});
  const auto at = [&](double coarse, double fine) {
    ur::two_level_mean estimator{{.coarse_cells = 2, .coarse_strength = coarse, .fine_strength = fine}};
    estimator.fit({}, four_cells());
    return estimator.estimate(s).losses;
  };
  CHECK(at(5, none)[1] == Approx(.2));
  CHECK(at(none, all)[1] == Approx(9.0 / 15));
  CHECK(at(all, all)[1] == Approx(15.0 / 45));
}

TEST_CASE("with one coarse cell, or fitted without centroids, two levels are shrunken_mean") {
  std::vector<ur::cell_statistics> seen{counts({10, 5, 20, 10}, {8, 1, 2, 9}), counts({10, 5, 20, 10}, {1, 4, 15, 2})};
  ur::shrunken_mean plain;
  ur::two_level_mean one{{.coarse_cells = 1}}, nowhere;
  plain.fit(seen);
  one.fit(seen, four_cells());
  nowhere.fit(seen);
  const auto s = counts({3, 1, 4, 2}, {1, 1, 0, 2});
  for (std::size_t k = 0; k < 4; ++k) {
    CHECK(one.estimate(s).losses[k] == Approx(plain.estimate(s).losses[k]).epsilon(1e-12));
    CHECK(nowhere.estimate(s).losses[k] == Approx(plain.estimate(s).losses[k]).epsilon(1e-12));
  }
}

TEST_CASE("empirical Bayes finds the strengths that generated the outcomes") {
  // Outcomes with noise variance about .2 (means near .5 ± .2), coarse variance .02, fine variance .005.
  constexpr std::size_t coarse = 30, fine = 8, models = 60;
  ur::random_engine draws(5);
  std::vector<ur::cell_statistics> seen;
  double noise = 0;
  for (std::size_t h = 0; h < models; ++h) {
    std::vector<double> n, sums;
    for (std::size_t c = 0; c < coarse; ++c) {
      const double group = 0.5 + std::sqrt(0.02) * draws.normal();
      for (std::size_t k = 0; k < fine; ++k) {
        const double mean = std::clamp(group + std::sqrt(0.005) * draws.normal(), 0.0, 1.0);
        n.push_back(static_cast<double>(3 + draws.below(20)));
        double sum = 0;
        for (double i = 0; i < n.back(); ++i) sum += draws.uniform() < mean ? 1 : 0;
        sums.push_back(sum);
        noise += mean * (1 - mean) / static_cast<double>(models * coarse * fine);
      }
    }
    seen.push_back(counts(n, sums));
  }
  auto centroids = ur::make_matrix<float>(coarse * fine, 1);
  for (std::size_t k = 0; k < coarse * fine; ++k) centroids(k, 0) = 1000 * static_cast<float>(k / fine);
  ur::two_level_mean estimator{{.coarse_cells = coarse}};
  estimator.fit(seen, centroids);
  REQUIRE(estimator.pooled_strengths());
  // 1,800 groups and 14,400 cells: the relative error of a variance is about sqrt(2 / 1800) = 3% and a little more.
  CHECK(estimator.pooled_strengths()->first == Approx(noise / 0.02).epsilon(0.15));
  CHECK(estimator.pooled_strengths()->second == Approx(noise / 0.005).epsilon(0.15));
}

TEST_CASE("no difference between cells gives the overall mean; constant outcomes give their constant") {
  ur::two_level_mean estimator;
  const std::vector<ur::cell_statistics> alike{counts({40, 40, 40, 40}, {20, 20, 20, 20})};
  estimator.fit(alike, four_cells());
  CHECK(estimator.estimate(counts({4, 4, 4, 4}, {4, 0, 4, 0})).losses[0] == Approx(.5));
  const std::vector<ur::cell_statistics> constant{counts({4, 4, 4, 4}, {4, 4, 4, 4})};
  estimator.fit(constant, four_cells());
  CHECK(estimator.estimate(counts({4, 4, 4, 4}, {4, 4, 4, 4})).losses[3] == 1);
  // Nothing to pool: the LLM's own column, and one outcome is its mean everywhere.
  estimator.fit({}, four_cells());
  CHECK(!estimator.pooled_strengths());
  CHECK(estimator.estimate(counts({1, 0, 0, 0}, {1, 0, 0, 0})).losses[3] == 1);
}

TEST_CASE("any clustering and map go with two levels, and what is saved estimates the same") {
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(400, 2).table;
  const auto use = [&](auto predictor) {
    predictor.fit(table.embeddings(), table.losses());
    CHECK(predictor.estimator_policy().coarse_size() == (predictor.map().size() == 1 ? 1 : 5));
    auto copy = predictor;
    copy.load(predictor.save());
    for (auto* p : {&predictor, &copy}) {
      p->set_validation(table.embeddings());
      p->enroll("a", ur::column(table.losses(), 0));
    }
    CHECK((predictor.predict(table.embeddings()) == copy.predict(table.embeddings())));
  };
  use(ur::cell_predictor(ur::kmeans{{.clusters = 20}}, ur::nearest_map{}, ur::two_level_mean{}));
  use(ur::cell_predictor(ur::kmeans{{.clusters = 20}}, ur::proximity_map{}, ur::two_level_mean{}));
  use(ur::cell_predictor(ur::single_cluster{}, ur::nearest_map{}, ur::two_level_mean{}));
}

TEST_CASE("two_level_mean refuses what makes no sense, and is then as it was") {
  CHECK_THROWS_AS(ur::two_level_mean({.coarse_cells = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::two_level_mean({.coarse_strength = -1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::two_level_mean({.fine_strength = std::nan("")}), std::invalid_argument);
  ur::two_level_mean estimator{{.coarse_cells = 4}};
  estimator.fit({}, four_cells());
  auto three = ur::make_matrix<float>(3, 1, 0.0F);
  CHECK_THROWS_WITH(estimator.fit({}, three),
                    "two_level_mean::fit: coarse_cells is 4, but must be at most the number of cells, 3");
  CHECK(estimator.coarse_size() == 4);
  auto broken = estimator.save();
  broken.set("coarse", std::uint64_t{1});
  CHECK_THROWS_AS(estimator.load(broken), ur::format_error);
  broken.set("coarse", std::uint64_t{1} << 31);  // what is kept of each is not to be had
  CHECK_THROWS_WITH(estimator.load(broken), Catch::Contains("coarse must be at most the number of cells"));
  CHECK(estimator.coarse_size() == 4);
  // A state of three cells in a predictor of four.
  auto smaller = estimator.save();
  smaller.set("parents", std::vector<std::uint32_t>{0, 1, 2});
  smaller.set("coarse", std::uint64_t{3});
  estimator.load(smaller);
  ur::cell_statistics four;
  four.weight.resize(4);
  four.observed = 1;
  CHECK_THROWS_WITH(estimator.estimate(four), "two_level_mean::estimate: s has 4 cells, but must have 3");
}

TEST_CASE(
    "groups without an outcome take the mean of all, and cells without one are left where no strength pulls them") {
  // Two groups of two cells; this LLM was seen in the first group alone: losses 0 and 1 there.
  auto centroids = ur::make_matrix<float>(4, 1);
  for (std::size_t k = 0; k < 4; ++k) centroids(k, 0) = static_cast<float>(k < 2 ? k : 100 + k);
  const auto s = ur::summarise_cells(ur::label_vector{0, 1, 1}, std::vector<double>{0, 1, 1}, 4);
  ur::two_level_mean pulled{{.coarse_cells = 2, .coarse_strength = 1.0, .fine_strength = 1.0}};
  pulled.fit({}, centroids);
  const auto p = pulled.estimate(s);
  // Overall 2/3; the first group has 3 outcomes of mean 2/3, the second none: both are 2/3.
  CHECK(p.losses[0] == Approx((2. / 3) / 2));
  CHECK(p.losses[1] == Approx(2. / 3 + (1 - 2. / 3) * 2 / 3));
  CHECK(p.losses[2] == Approx(2. / 3));
  CHECK(p.losses[3] == Approx(2. / 3));
  ur::two_level_mean loose{{.coarse_cells = 2, .coarse_strength = 0.0, .fine_strength = 0.0}};
  loose.fit({}, centroids);
  const auto q = loose.estimate(s);
  CHECK(q.losses[0] == 0);
  CHECK(q.losses[1] == 1);
  CHECK(q.losses[2] == Approx(2. / 3));  // the fallback of an empty cell
  CHECK(q.losses[3] == Approx(2. / 3));
}
