#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/numeric/row_math.hpp>
#include <uniroute/random.hpp>
#include <vector>

namespace ur = uniroute;
using namespace uniroute::detail;

TEST_CASE("exp of numbers up to 0 is right to 2.2e-7 of itself, against libm in float64") {
  double worst = 0;
  for (float x = 0; x > -87; x -= 0.00037F) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::fabs(static_cast<double>(exp_not_positive(x)) - exact) / exact);
  }
  CHECK(worst < 2.2e-7);
  CHECK(exp_not_positive(0.0F) == 1.0F);
  CHECK(exp_not_positive(-0.0F) == 1.0F);
  CHECK(exp_not_positive(-1e30F) < 2e-38F);
}

TEST_CASE("gelu is right to 1e-7 + 1.2e-7 |x|, against erfc of libm in float64") {
  double excess = 0;
  for (float x = -12; x < 12; x += 0.00013F) {
    const double t = static_cast<double>(x);
    const double exact = t * std::erfc(-t / std::sqrt(2.0)) / 2;
    excess = std::max(excess, std::fabs(static_cast<double>(gelu(x)) - exact) / (1e-7 + 1.2e-7 * std::fabs(t)));
  }
  CHECK(excess < 1);
  CHECK(gelu(0.0F) == 0.0F);
  CHECK(gelu(1e6F) == 1e6F);
  CHECK(std::fabs(gelu(-1e6F)) < 1e-30F);
}

TEST_CASE("softmax, layer norm and the fused bias agree with float64 at every length") {
  ur::random_engine engine(3);
  for (const std::size_t n : {1, 2, 15, 16, 17, 33, 100, 384}) {
    std::vector<float> x(n), scale(n), shift(n);
    for (auto* v : {&x, &scale, &shift}) {
      for (float& value : *v) value = static_cast<float>(3 * engine.normal());
    }
    auto y = x;
    softmax(y.data(), n);
    const double largest = static_cast<double>(*std::max_element(x.begin(), x.end()));
    CHECK(largest_of(x.data(), n) == *std::max_element(x.begin(), x.end()));
    double sum = 0, mean = 0, variance = 0;
    for (const float value : x) {
      sum += std::exp(static_cast<double>(value) - largest);
      mean += static_cast<double>(value) / static_cast<double>(n);
    }
    for (const float value : x) variance += std::pow(static_cast<double>(value) - mean, 2) / static_cast<double>(n);
    for (std::size_t j = 0; j < n; ++j)
      CHECK(static_cast<double>(y[j]) ==
            Approx(std::exp(static_cast<double>(x[j]) - largest) / sum).margin(1e-7).epsilon(1e-6));
    y = x;
    layer_norm(y.data(), scale.data(), shift.data(), n, 1e-3F);
    for (std::size_t j = 0; j < n; ++j)
      CHECK(static_cast<double>(y[j]) ==
            Approx((static_cast<double>(x[j]) - mean) / std::sqrt(variance + 1e-3) * static_cast<double>(scale[j]) +
                   static_cast<double>(shift[j]))
                .margin(2e-5));
    y = x;
    add_bias_gelu(y.data(), shift.data(), n);
    for (std::size_t j = 0; j < n; ++j) CHECK(y[j] == gelu(x[j] + shift[j]));
  }
}

TEST_CASE("the largest is found among negative numbers and zeros") {
  const std::vector<float> x{-3.0F, -0.5F, -0.0F, -7.0F};
  CHECK(largest_of(x.data(), 4) == 0.0F);
  CHECK(largest_of(x.data(), 2) == -0.5F);
}
