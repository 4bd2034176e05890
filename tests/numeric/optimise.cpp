// The optimiser, the vectorised functions and the network's gradient, against what is known.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/numeric/lbfgs.hpp>
#include <uniroute/numeric/vector_math.hpp>
#include <uniroute/predict/detail/two_layer_loss.hpp>
#include <uniroute/random.hpp>

namespace detail = uniroute::detail;

TEST_CASE("vector_exp and vector_log are as exact as they say") {
  double exp_error = 0, log_error = 0;
  for (double x = -87; x <= 88; x += 0.0137) {
    const double truth = std::exp(static_cast<double>(static_cast<float>(x)));
    exp_error =
        std::max(exp_error, std::fabs(static_cast<double>(detail::vector_exp(static_cast<float>(x))) / truth - 1));
  }
  for (double e = -16; e <= 1; e += 0.00137) {
    const auto x = static_cast<float>(std::exp(e));
    log_error =
        std::max(log_error, std::fabs(static_cast<double>(detail::vector_log(x)) - std::log(static_cast<double>(x))));
  }
  CHECK(exp_error < 3e-7);
  CHECK(log_error < 1.1e-6);
  CHECK(detail::vector_exp(-1000.0F) == Approx(std::exp(-87.0)));
  CHECK(detail::vector_exp(0.0F) == 1);
  CHECK(detail::vector_log(1.0F) == 0);
}

TEST_CASE("L-BFGS finds Rosenbrock's minimum, and a quadratic's, and never climbs") {
  std::vector<double> values;
  std::vector<double> x{-1.2, 1};
  const auto rosenbrock = [](std::span<const double> at, std::span<double> gradient) {
    const double a = 1 - at[0], b = at[1] - at[0] * at[0];
    gradient[0] = -2 * a - 400 * at[0] * b;
    gradient[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  const std::size_t steps = detail::minimise_lbfgs(x, {.max_steps = 100, .gradient_tolerance = 1e-10}, rosenbrock,
                                                   [&](std::size_t, std::span<const double>, double f) {
                                                     values.push_back(f);
                                                     return true;
                                                   });
  CHECK(x[0] == Approx(1).epsilon(1e-6));
  CHECK(x[1] == Approx(1).epsilon(1e-6));
  CHECK(steps < 60);
  CHECK(std::is_sorted(values.rbegin(), values.rend()));

  std::vector<double> y(50, 1.0);
  detail::minimise_lbfgs(
      y, {.max_steps = 200},
      [](std::span<const double> at, std::span<double> gradient) {
        double f = 0;
        for (std::size_t i = 0; i < at.size(); ++i) {
          const double weight = static_cast<double>(i + 1), off = at[i] - weight;
          gradient[i] = weight * off;
          f += weight * off * off / 2;
        }
        return f;
      },
      [](std::size_t, std::span<const double>, double) { return true; });
  for (std::size_t i = 0; i < 50; ++i) CHECK(y[i] == Approx(static_cast<double>(i + 1)).epsilon(1e-5));
}

TEST_CASE("L-BFGS stops when it is told to, and where the gradient is nil") {
  std::vector<double> x{3};
  const auto square = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = 2 * at[0];
    return at[0] * at[0];
  };
  CHECK(detail::minimise_lbfgs(x, {.first_length = 0.1}, square, [](auto, auto, double) { return false; }) == 1);
  x = {0};
  CHECK(detail::minimise_lbfgs(x, {}, square, [](auto, auto, double) { return true; }) == 0);
}

TEST_CASE("the gradient of a two-layer network is that of finite differences") {
  const bool rectified = GENERATE(false, true);
  const detail::two_layer_shape shape{5, 4, 3};
  constexpr std::size_t n = 17;
  uniroute::random_engine draws(8);
  std::vector<double> parameters(shape.size()), x(n * 5), targets(n * 3), observed(n * 3), gradient(shape.size());
  for (double& value : parameters) value = draws.normal();
  for (double& value : x) value = draws.normal();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = i % 4 == 0 ? 0.3 : draws.uniform() < 0.5 ? 0 : 1;
    observed[i] = i % 5 == 0 ? 0 : 1;
  }
  detail::two_layer_loss<double> f(shape, rectified, n);
  detail::two_layer_loss<float> narrow(shape, rectified, n);
  const auto value = [&](const std::vector<double>& at) {
    return f(at, x.data(), targets.data(), observed.data(), n, 7, {});
  };
  const double here = f(parameters, x.data(), targets.data(), observed.data(), n, 7, gradient);
  const std::vector<float> p(parameters.begin(), parameters.end()), fx(x.begin(), x.end()),
      ft(targets.begin(), targets.end()), fo(observed.begin(), observed.end());
  CHECK(narrow(p, fx.data(), ft.data(), fo.data(), n, 7, {}) == Approx(here).epsilon(1e-5));
  for (std::size_t j = 0; j < shape.size(); ++j) {
    auto moved = parameters;
    moved[j] = parameters[j] + 1e-6;
    const double above = value(moved);
    moved[j] = parameters[j] - 1e-6;
    const double below = value(moved);
    CHECK(gradient[j] == Approx((above - below) / 2e-6 / 7).margin(1e-7));
  }
}
