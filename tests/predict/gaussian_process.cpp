// Kernels and Gaussian processes: reference values from NumPy's linalg (closed forms in float64) on the inputs of
// support/waves.hpp; missing outcomes, singular kernels and tables without signal.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/data/split.hpp>
#include <uniroute/encode/precomputed_embeddings.hpp>
#include <uniroute/map/proximity_map.hpp>
#include <uniroute/predict/detail/marginal_likelihood.hpp>
#include <uniroute/predict/predict.hpp>
#include <uniroute/route/route.hpp>
#include <uniroute/transform/transform.hpp>
#include <uniroute/world/simulated_world.hpp>

#include "support/pool_semantics.hpp"
#include "support/waves.hpp"

namespace ur = uniroute;
using uniroute_tests::wave_losses;
using uniroute_tests::waves;

namespace {

const std::vector<double> column{1, 0, 0, 1, 1, 0, 1, 0.5};

std::vector<double> with_gaps() {
  auto out = column;
  out[2] = out[5] = ur::missing;
  return out;
}

/// Predictions for prompts 40 to 42 of an LLM with these outcomes on prompts 20 to 27.
template <class P>
ur::loss_matrix predicted(P p, const std::vector<double>& losses) {
  p.fit(waves(12, 4), ur::make_matrix<double>(12, 0));
  p.set_validation(waves(8, 4, 20));
  p.enroll("a", losses);
  return p.predict(waves(3, 4, 40));
}

void check_values(const ur::loss_matrix& m, double a, double b, double c) {
  CHECK(m(0, 0) == Approx(a).epsilon(1e-7));
  CHECK(m(1, 0) == Approx(b).epsilon(1e-7));
  CHECK(m(2, 0) == Approx(c).epsilon(1e-7));
}

/// k(x, y) = exp(-|x - y|₁): no more than the concept asks.
struct laplace_kernel {
  using points = ur::embedding_matrix;
  void fit(const ur::embedding_matrix&, const ur::loss_matrix&) {}
  points place(const ur::embedding_matrix& x) const { return x; }
  void gram(ur::embedding_view one, const points& b, std::span<double> out) const {
    for (std::size_t j = 0; j < out.size(); ++j) {
      double sum = 0;
      for (std::size_t i = 0; i < one.size(); ++i) sum += std::fabs(static_cast<double>(one[i] - b(j, i)));
      out[j] = std::exp(-sum);
    }
  }
  ur::matrix<double> gram(const points& a, const points& b) const {
    auto out = ur::make_matrix<double>(ur::rows(a), ur::rows(b));
    for (std::size_t i = 0; i < ur::rows(a); ++i) gram(ur::row(a, i), b, ur::row(out, i));
    return out;
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::gram_kernel<laplace_kernel> && !ur::feature_kernel<laplace_kernel>);
static_assert(!ur::tunable_kernel<laplace_kernel> && ur::learns_from_outcomes<laplace_kernel>);
static_assert(!ur::kernel<ur::skills> && !ur::kernel<ur::knn> && !ur::embedding_transform<ur::linear_kernel>);
static_assert(ur::tunable_kernel<ur::rbf_kernel> && !ur::tunable_kernel<ur::linear_kernel>);
static_assert(std::same_as<ur::ridge, ur::gaussian_process<ur::linear_kernel>>);

using skills_kernel = ur::transformed_kernel<ur::skills, ur::linear_kernel>;
static_assert(ur::feature_kernel<skills_kernel> && ur::learns_from_outcomes<skills_kernel>);
static_assert(ur::feature_kernel<ur::kernel_sum<ur::linear_kernel, skills_kernel>>);
static_assert(ur::gram_kernel<ur::transformed_kernel<ur::skills, ur::rbf_kernel>>);

}  // namespace

TEST_CASE("what a predictor of a pool promises holds for ridge, Gaussian processes and transformed predictors") {
  using uniroute_tests::check_pool_semantics;
  check_pool_semantics(ur::ridge{});
  check_pool_semantics(ur::gaussian_process{ur::rbf_kernel{}});
  check_pool_semantics(ur::gaussian_process{laplace_kernel{}, {.noise = 1.0, .threads = 2}});
  check_pool_semantics(ur::gaussian_process{ur::kernel_sum{ur::linear_kernel{}, skills_kernel{}}});
  check_pool_semantics(ur::gaussian_process{
      ur::kernel_sum{ur::rbf_kernel{{.scales = {1}}}, skills_kernel{}, {.shares = {0.25}}}, {.noise = 4.0}});
  check_pool_semantics(ur::gaussian_process{ur::transformed_kernel{ur::skills{}, ur::rbf_kernel{}}});
  check_pool_semantics(ur::transformed{ur::skills{}, ur::knn{{.neighbours = 9}}});
  check_pool_semantics(
      ur::transformed{ur::concatenation{ur::raw_embedding{}, ur::skills{}},
                      ur::cell_predictor{ur::kmeans{{.clusters = 4}}, ur::proximity_map{}, ur::shrunken_mean{}}});
  check_pool_semantics(ur::transformed{ur::projection{{.dimension = 3}}, ur::ridge{}});
  check_pool_semantics(ur::transformed{ur::skills{}, ur::logistic_regression{}});
  check_pool_semantics(ur::item_response{});
}

TEST_CASE("ridge has the closed form's predictions, by features and by prompts, complete and with missing outcomes") {
  // Eight prompts of four features: with all outcomes the 4 x 4 side is cheaper.
  check_values(predicted(ur::ridge{{.noise = 0.5}}, column), 0.61664712, 0.5259036, 0.58714104);
  check_values(predicted(ur::ridge{{.noise = 0.5}}, with_gaps()), 0.70458135, 0.8207955, 0.69642238);
  // The same by a kernel of values, which takes the other side.
  struct by_values {
    ur::linear_kernel inner;
    using points = ur::matrix<double>;
    void fit(const ur::embedding_matrix& x, const ur::loss_matrix& losses) { inner.fit(x, losses); }
    points place(const ur::embedding_matrix& x) const { return inner.features(x); }
    ur::matrix<double> gram(const points& a, const points& b) const { return ur::detail::product_of_rows(a, b); }
    void gram(ur::embedding_view one, const points& b, std::span<double> out) const {
      ur::detail::gram_of(inner, one, b, out);
    }
    ur::state save() const { return inner.save(); }
    void load(const ur::state& s) { inner.load(s); }
  };
  check_values(predicted(ur::gaussian_process{by_values{}, {.noise = 0.5}}, column), 0.61664712, 0.5259036, 0.58714104);
  // Three observed outcomes of four features: the prompts' side of a feature kernel.
  auto few = std::vector<double>(8, ur::missing);
  few[0] = 1;
  few[3] = 0;
  few[6] = 0.5;
  const auto a = predicted(ur::ridge{{.noise = 0.5}}, few);
  const auto b = predicted(ur::gaussian_process{by_values{}, {.noise = 0.5}}, few);
  for (std::size_t i = 0; i < 3; ++i) CHECK(a(i, 0) == Approx(b(i, 0)).epsilon(1e-12));
}

TEST_CASE("RBF kernels and sums have the closed form's predictions") {
  check_values(predicted(ur::gaussian_process{ur::rbf_kernel{{.scales = {2}}}, {.noise = 0.5}}, column), 0.56587551,
               0.56725463, 0.55254395);
  ur::rbf_kernel kernel{{.scales = {2, 1}}};
  kernel.fit(waves(12, 4), ur::make_matrix<double>(12, 0));
  CHECK(kernel.length_scale() == Approx(2 * 2.430204599508936));
  kernel.choose(1);
  CHECK(kernel.length_scale() == Approx(2.430204599508936));
  const ur::kernel_sum sum{ur::linear_kernel{}, ur::rbf_kernel{{.scales = {2}}}, {.shares = {0.25}}};
  check_values(predicted(ur::gaussian_process{sum, {.noise = 0.5}}, with_gaps()), 0.71541432, 0.79186783, 0.7015046);
}

TEST_CASE("the evidence is the closed form's, for any noise and none") {
  ur::linear_kernel kernel;
  kernel.fit(waves(12, 4), ur::make_matrix<double>(12, 0));
  const auto features = kernel.features(waves(12, 4));
  const auto contrast = ur::detail::contrasts(wave_losses());
  const auto groups = ur::detail::group_columns(contrast);
  REQUIRE(groups.size() == 1);
  const auto y = ur::detail::centred_targets(contrast, groups[0]);
  const std::vector<double> noises{0.25, 4, std::numeric_limits<double>::infinity()};
  const auto gram = ur::detail::product_of_rows(features, features);
  const auto wide = [&] {  // twenty features, sixteen of them nothing: more than prompts, so the prompts' side is taken
    auto out = ur::make_matrix<double>(12, 20, 0.0);
    for (std::size_t i = 0; i < 12; ++i) std::copy_n(ur::row(features, i).begin(), 4, ur::row(out, i).begin());
    return out;
  }();
  const auto check = [&](const ur::matrix<double>& basis, bool is_features) {
    std::vector<double> totals(3, 0.0);
    CHECK(ur::detail::add_log_likelihood(basis, is_features, y, noises, totals));
    CHECK(totals[0] == Approx(-18.463612848784198));
    CHECK(totals[1] == Approx(-12.460760385504397));
    CHECK(totals[2] == Approx(-10.228488553430552));
    CHECK_FALSE(
        ur::detail::add_log_likelihood(basis, is_features, ur::make_matrix<double>(2, 12, 0.0), noises, totals));
  };
  check(gram, false);
  check(features, true);
  check(wide, true);
}

TEST_CASE("the noise that made the outcomes is found, and outcomes without signal have none but the mean") {
  // Losses .5 + signal of standard deviation .1 (for the mean prompt) + noise of .3: σ² = 9.
  ur::random_engine draws(2);
  const std::size_t n = 600, d = 10, m = 20;
  auto x = ur::make_matrix<float>(n, d);
  for (float& v : x) v = static_cast<float>(draws.normal());
  auto signal = ur::make_matrix<double>(n, m), nothing = signal;
  for (std::size_t h = 0; h < m; ++h) {
    std::vector<double> direction(d);
    for (double& v : direction) v = draws.normal() * .1 / std::sqrt(static_cast<double>(d));
    for (std::size_t i = 0; i < n; ++i) {
      double mean = .5;
      for (std::size_t j = 0; j < d; ++j) mean += direction[j] * static_cast<double>(x(i, j));
      // Rounded to 0 or 1 with a probability that has this mean would add noise: graded losses keep the ratio.
      signal(i, h) = std::clamp(mean + .3 * (draws.uniform() + draws.uniform() - 1) * std::sqrt(6.0), 0.0, 1.0);
      nothing(i, h) = draws.uniform() < .5 ? 0 : 1;
    }
  }
  ur::ridge p;
  p.fit(x, signal);
  CHECK(p.noise() >= 4);
  CHECK(p.noise() <= 16);
  p.fit(x, nothing);
  CHECK(p.noise() >= 256);
  // Half the outcomes missing, for each LLM others.
  for (double& v : signal) v = draws.uniform() < .5 ? ur::missing : v;
  p.fit(x, signal);
  CHECK(p.noise() >= 2);
  CHECK(p.noise() <= 32);
}

TEST_CASE("a kernel that learns from outcomes is judged by LLMs and prompts that it has not seen") {
  // Pure noise: skills explain the outcomes they were fitted on, and no others.
  ur::random_engine draws(5);
  auto x = ur::make_matrix<float>(400, 40);
  for (float& v : x) v = static_cast<float>(draws.normal());
  auto losses = ur::make_matrix<double>(400, 8);
  for (double& v : losses) v = draws.uniform() < .5 ? 0 : 1;
  ur::gaussian_process p{skills_kernel{ur::skills{{.strength = 0.1}}}};
  p.fit(x, losses);
  CHECK(p.noise() >= 256);
  ur::transformed naive{ur::skills{{.strength = 0.1}}, ur::ridge{}};
  naive.fit(x, losses);
  CHECK(naive.inner().noise() < 64);
}

TEST_CASE("constant outcomes, copies of prompts and a single outcome give the mean, not an error") {
  for (const double value : {0.0, 1.0}) {
    const auto g = predicted(ur::ridge{}, std::vector<double>(8, value));
    for (std::size_t i = 0; i < 3; ++i) CHECK(g(i, 0) == value);
  }
  auto one = std::vector<double>(8, ur::missing);
  one[3] = 1;
  CHECK(predicted(ur::gaussian_process{ur::rbf_kernel{}}, one)(1, 0) == 1);
  ur::gaussian_process p{ur::rbf_kernel{}};
  p.fit(ur::make_matrix<float>(12, 4, 0.5F), wave_losses());
  p.set_validation(ur::make_matrix<float>(8, 4, 0.5F));
  p.enroll("a", column);
  CHECK(p.predict(ur::make_matrix<float>(1, 4, 0.5F))(0, 0) == Approx(4.5 / 8));
  ur::gaussian_process singular{ur::rbf_kernel{}, {.noise = 1e-300}};
  singular.fit(waves(12, 4), wave_losses());
  singular.set_validation(ur::make_matrix<float>(8, 4, 0.5F));
  CHECK_THROWS_WITH(singular.enroll("a", column), Catch::Contains("singular to working precision"));
  CHECK(singular.size() == 0);
  CHECK_THROWS_AS(ur::ridge({.noise = 0.0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::rbf_kernel({.scales = {}}), std::invalid_argument);
  CHECK_THROWS_AS((ur::kernel_sum{ur::linear_kernel{}, ur::rbf_kernel{}, {.shares = {2}}}), std::invalid_argument);
}

TEST_CASE("infinite noise is each LLM's mean, and is saved") {
  ur::ridge p{{.noise = std::numeric_limits<double>::infinity()}};
  p.fit(waves(12, 4), wave_losses());
  p.set_validation(waves(8, 4, 20));
  p.enroll("a", column);
  ur::ridge copy;
  copy.load(p.save());
  CHECK(std::isinf(copy.noise()));
  CHECK(copy.predict(waves(3, 4, 40))(2, 0) == 4.5 / 8);
}

TEST_CASE("broken states are refused and change nothing") {
  ur::gaussian_process p{ur::kernel_sum{ur::linear_kernel{}, ur::rbf_kernel{}}};
  p.fit(waves(12, 4), wave_losses());
  p.set_validation(waves(8, 4, 20));
  p.enroll("a", column);
  const auto before = p.predict(waves(3, 4, 40));
  const auto broken = [&](const std::string& name, ur::state::value value) {
    auto s = p.save();
    s.set(name, std::move(value));
    CHECK_THROWS_AS(p.load(s), ur::format_error);
    CHECK((p.predict(waves(3, 4, 40)) == before));
  };
  broken("models", std::vector<std::string>{"a", "b"});
  broken("noise", std::vector<double>{-1});
  broken("dimension", std::uint64_t{3});
  broken("losses", ur::make_matrix<double>(1, 8, 2.0));
  broken("kernel/chosen", std::uint64_t{1000});
}

TEST_CASE("a router composes with transforms and kernels; enrolment order and saving as ever") {
  const auto split = ur::split(ur::simulated_world{}.sample(300, 1).table, {});
  ur::router router{ur::precomputed_embeddings{}, ur::transformed{ur::skills{}, ur::gaussian_process{ur::rbf_kernel{}}},
                    ur::lagrangian_rule{}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  auto copy = router;
  copy.load(router.save());
  CHECK(copy.route(split.test.embeddings()) == router.route(split.test.embeddings()));
}

TEST_CASE("logistic regression finds the weights that made the outcomes, and its prior settles what they do not") {
  ur::random_engine draws(3);
  const std::size_t n = 4000;
  auto x = ur::make_matrix<float>(n, 2);
  for (float& v : x) v = static_cast<float>(draws.normal());
  std::vector<double> losses(n);
  for (std::size_t i = 0; i < n; ++i)
    losses[i] = draws.uniform() < ur::detail::sigmoid(-.5 + 1.5 * static_cast<double>(x(i, 0))) ? 1 : 0;
  ur::logistic_regression p;
  p.fit(x, ur::make_matrix<double>(n, 0));
  p.set_validation(x);
  p.enroll("a", losses);
  CHECK(p.weights()(0, 0) == Approx(-.5).margin(.12));
  CHECK(p.weights()(0, 1) == Approx(1.5).margin(.15));
  CHECK(p.weights()(0, 2) == Approx(0).margin(.12));
  // Errors everywhere: finite, because of the prior.
  p.enroll("b", std::vector<double>(n, 1.0));
  CHECK(std::isfinite(p.weights()(1, 0)));
  CHECK(p.predict(x)(0, 1) > .95);
  CHECK_THROWS_WITH(p.fit(ur::make_matrix<float>(3, 65, 0.0F), ur::make_matrix<double>(3, 0)),
                    Catch::Contains("put a transform before it"));
}
