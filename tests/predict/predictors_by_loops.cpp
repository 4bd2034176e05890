// Predictors beside their definitions in plain loops, and what a saved one must not be.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

TEST_CASE("neighbours that float products cannot tell apart are those of float64, alone as in a batch") {
  std::size_t different = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 60, d = 6;
    auto validation = ur::make_matrix<float>(n, d), asked = ur::make_matrix<float>(15, d);
    // Far from the origin and close together: |x|² is 10⁶ times what separates them.
    for (float& v : validation) v = 400 + static_cast<float>(engine.uniform());
    for (float& v : asked) v = 400 + static_cast<float>(engine.uniform());
    std::vector<double> losses;
    for (std::size_t i = 0; i < n; ++i) losses.push_back(static_cast<double>(engine.below(1000)) / 1000);
    ur::knn knn{{.neighbours = 1}};
    knn.fit(validation, ur::make_matrix<double>(n, 0));
    knn.set_validation(validation);
    knn.enroll("a", losses);
    const auto batch = knn.predict(asked);
    for (std::size_t i = 0; i < 15; ++i) {
      std::size_t nearest = 0, by_float = 0;
      double least = 1e300;
      float least_score = std::numeric_limits<float>::infinity();
      for (std::size_t j = 0; j < n; ++j) {
        double distance = 0;
        float norm = 0, inner = 0;
        for (std::size_t c = 0; c < d; ++c) {
          const double difference = static_cast<double>(asked(i, c)) - static_cast<double>(validation(j, c));
          distance += difference * difference;
          norm += validation(j, c) * validation(j, c);
          inner += asked(i, c) * validation(j, c);
        }
        if (distance < least) {
          least = distance;
          nearest = j;
        }
        if (norm - 2 * inner < least_score) {
          least_score = norm - 2 * inner;
          by_float = j;
        }
      }
      double alone = 0;
      knn.predict(ur::row(asked, i), {&alone, 1});
      CHECK(alone == losses[nearest]);
      CHECK(batch(i, 0) == losses[nearest]);
      different += nearest != by_float ? 1u : 0u;
    }
  }
  CHECK(different > 50);  // what a search by float scores would get wrong
}

TEST_CASE("logistic regression's prior is the mean and covariance of the seen LLMs, with so many of its own") {
  ur::random_engine engine(8);
  const std::size_t n = 60, seen = 4;
  auto x = ur::make_matrix<float>(n, 1);
  auto losses = ur::make_matrix<double>(n, seen + 1);
  for (std::size_t i = 0; i < n; ++i) {
    x(i, 0) = static_cast<float>(engine.normal());
    for (std::size_t h = 0; h < seen; ++h)
      losses(i, h) =
          engine.uniform() < 1 / (1 + std::exp(1 - static_cast<double>(h) * static_cast<double>(x(i, 0)))) ? 1 : 0;
    losses(i, seen) = ur::missing;  // never run: it has no say
  }
  const double own = 3;
  ur::logistic_regression p{{.prior_models = own}};
  p.fit(x, losses);
  // Each LLM's mode under N(0, diag(4, 1)), by Newton's method on two weights.
  std::vector<std::pair<double, double>> modes;
  for (std::size_t h = 0; h < seen; ++h) {
    double a = 0, b = 0;
    for (int step = 0; step < 50; ++step) {
      double ga = -a / 4, gb = -b, haa = .25, hab = 0, hbb = 1;
      for (std::size_t i = 0; i < n; ++i) {
        const double v = static_cast<double>(x(i, 0)), q = 1 / (1 + std::exp(-a - b * v)), w = q * (1 - q);
        ga += losses(i, h) - q;
        gb += (losses(i, h) - q) * v;
        haa += w;
        hab += w * v;
        hbb += w * v * v;
      }
      const double determinant = haa * hbb - hab * hab;
      a += (hbb * ga - hab * gb) / determinant;
      b += (haa * gb - hab * ga) / determinant;
    }
    modes.emplace_back(a, b);
  }
  const double total = own + static_cast<double>(seen);
  double ma = 0, mb = 0;
  for (const auto& [a, b] : modes) {
    ma += a / total;
    mb += b / total;
  }
  double caa = own / total * 4, cab = 0, cbb = own / total;
  for (const auto& [a, b] : modes) {
    caa += (a - ma) * (a - ma) / total;
    cab += (a - ma) * (b - mb) / total;
    cbb += (b - mb) * (b - mb) / total;
  }
  const double determinant = caa * cbb - cab * cab;
  const auto state = p.save();
  const auto& mean = state.get<std::vector<double>>("prior_mean");
  const auto& precision = state.get<ur::matrix<double>>("prior_precision");
  CHECK(mean[0] == Approx(ma).epsilon(1e-6));
  CHECK(mean[1] == Approx(mb).epsilon(1e-6));
  CHECK(precision(0, 0) == Approx(cbb / determinant).epsilon(1e-6));
  CHECK(precision(0, 1) == Approx(-cab / determinant).epsilon(1e-6));
  CHECK(precision(1, 0) == Approx(-cab / determinant).epsilon(1e-6));
  CHECK(precision(1, 1) == Approx(caa / determinant).epsilon(1e-6));
  // Without a seen LLM it is the weak prior alone.
  ur::logistic_regression alone;
  alone.fit(x, ur::make_matrix<double>(n, 0));
  CHECK(alone.save().get<ur::matrix<double>>("prior_precision")(0, 0) == Approx(.25));
  CHECK(alone.save().get<ur::matrix<double>>("prior_precision")(1, 1) == Approx(1));
  auto bad = p.save();
  bad.set("validation", ur::make_matrix<float>(5, 2, 0.0F));
  CHECK_THROWS_WITH(p.load(bad), Catch::Contains("validation must be prompts x dimension"));
}

TEST_CASE("a Gaussian process chooses its kernel's shape where its noise is given, and looks at so many prompts") {
  ur::random_engine engine(5);
  const std::size_t n = 400, seen = 6;
  auto x = ur::make_matrix<float>(n, 2);
  auto losses = ur::make_matrix<double>(n, seen);
  for (std::size_t i = 0; i < n; ++i) {
    x(i, 0) = static_cast<float>(engine.uniform());
    x(i, 1) = static_cast<float>(engine.uniform());
    for (std::size_t h = 0; h < seen; ++h)
      losses(i, h) = .5 + .45 * std::sin(3 * static_cast<double>(h) + 25 * static_cast<double>(x(i, 0)));
  }
  using process = ur::gaussian_process<ur::rbf_kernel>;
  const ur::rbf_kernel kernel{{.scales = {8, .1}}};
  process given(kernel, {.noise = 1, .target = ur::outcome_target::contrasts});
  given.fit(x, losses);
  CHECK(given.noise() == 1);
  // Outcomes go up and down four times: the narrow kernel explains them, the wide one cannot.
  CHECK(given.kernel_policy().length_scale() == Approx(.1 / 8 * [&] {
          process wide(ur::rbf_kernel{{.scales = {8}}}, {.noise = 1});
          wide.fit(x, losses);
          return wide.kernel_policy().length_scale();
        }()));
  // Of 400 prompts 150 / 2^(1/3) are looked at (two shapes take twice the work); what the others say changes nothing.
  process few(kernel, {.target = ur::outcome_target::contrasts, .training_prompts = 150}), all = few;
  few.fit(x, losses);
  auto others = losses;
  const auto looked_at = ur::detail::evenly_spaced(n, 119);
  for (std::size_t i = 0; i < n; ++i) {
    if (std::find(looked_at.begin(), looked_at.end(), i) != looked_at.end()) continue;
    for (std::size_t h = 0; h < seen; ++h) others(i, h) = engine.uniform();
  }
  all.fit(x, others);
  CHECK(few.noise() == all.noise());
  process whole(kernel, {.target = ur::outcome_target::contrasts, .training_prompts = 400}), noisy = whole;
  whole.fit(x, losses);
  noisy.fit(x, others);
  CHECK(whole.noise() < noisy.noise());
}

TEST_CASE("a located estimator is given the centroids of the cells, and a predictor refuses what leads out of bounds") {
  auto x = ur::make_matrix<float>(40, 1);
  for (std::size_t i = 0; i < 40; ++i) x(i, 0) = static_cast<float>(i % 4) + (i % 4 >= 2 ? 100.0F : 0.0F);
  ur::cell_predictor predictor{ur::kmeans{{.clusters = 4, .starts = 10}}, ur::nearest_map{},
                               ur::two_level_mean{{.coarse_cells = 2}}};
  predictor.fit(x, ur::make_matrix<double>(40, 0));
  const auto parents = predictor.estimator_policy().parents();
  const auto& centroids = predictor.clustering_policy().centroids();
  for (std::size_t a = 0; a < 4; ++a) {
    for (std::size_t b = 0; b < 4; ++b)
      CHECK((parents[a] == parents[b]) == (std::fabs(centroids(a, 0) - centroids(b, 0)) < 50));
  }
  predictor.set_validation(x);
  predictor.enroll("a", std::vector<double>(40, .5));
  auto bad = predictor.save();
  auto labels = bad.get<ur::label_vector>("validation");
  labels[7] = 4;  // there are four cells
  bad.set("validation", labels);
  CHECK_THROWS_WITH(predictor.load(bad), Catch::Contains("validation must have a cell below K for each prompt"));
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto asked = ur::make_matrix<float>(3, 1, 1.0F);
    asked(1, 0) = value;
    CHECK_THROWS_AS(predictor.predict(asked), std::domain_error);
    ur::cell_predictor soft{ur::kmeans{{.clusters = 2}}, ur::proximity_map{}, ur::cell_mean{}};
    soft.fit(x, ur::make_matrix<double>(40, 0));
    soft.set_validation(x);
    soft.enroll("a", std::vector<double>(40, .5));
    CHECK_THROWS_AS(soft.predict(asked), std::domain_error);
  }
  auto map = ur::learned_map{};
  map.fit({centroids, x, ur::make_matrix<double>(40, 0)});
  auto state = map.save();
  state.set("scale", 0.0);
  CHECK_THROWS_WITH(map.load(state), Catch::Contains("scale must be above 0"));
}
