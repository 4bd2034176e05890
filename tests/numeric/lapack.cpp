#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/numeric/lapack.hpp>
#include <uniroute/random.hpp>

namespace ur = uniroute;

namespace {

/// A = B Bᵀ + I for B of normal draws.
ur::matrix<double> positive_definite(std::size_t n) {
  ur::random_engine engine(7);
  auto b = ur::make_matrix<double>(n, n);
  for (double& v : b) v = engine.normal();
  auto a = ur::make_matrix<double>(n, n, 0.0);
  for (std::size_t i = 0; i < n; ++i) a(i, i) = 1;
  ur::detail::gemm<double>(ur::detail::op::as_is, ur::detail::op::transposed, n, n, n, 1, b.data(), n, b.data(), n, 1,
                           a.data(), n);
  return a;
}

}  // namespace

TEST_CASE("a Cholesky factor solves its system, forwards and in full, for several right-hand sides") {
  const std::size_t n = 17;
  const auto a = positive_definite(n);
  const auto factor = ur::detail::cholesky::factor(a);
  REQUIRE(factor);
  std::vector<double> x(2 * n), b(2 * n, 0.0);
  for (std::size_t j = 0; j < 2 * n; ++j) x[j] = std::sin(static_cast<double>(j));
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) b[c * n + i] += a(i, j) * x[c * n + j];
    }
  }
  auto whole = b;
  factor->solve(whole, 2);
  for (std::size_t j = 0; j < 2 * n; ++j) CHECK(whole[j] == Approx(x[j]).margin(1e-10));
  double log_determinant = 0;
  for (std::size_t j = 0; j < n; ++j) log_determinant += 2 * std::log(factor->lower()(j, j));
  CHECK(factor->log_determinant() == Approx(log_determinant));
}

TEST_CASE("a matrix that is not positive definite has no Cholesky factor") {
  auto a = positive_definite(4);
  a(2, 2) = -1;
  CHECK_FALSE(ur::detail::cholesky::factor(a));
  CHECK(ur::detail::cholesky::factor(ur::make_matrix<double>(0, 0)));
}

TEST_CASE("eigenvectors rebuild the matrix, largest eigenvalue first") {
  const std::size_t n = 9;
  const auto a = positive_definite(n);
  const auto eigen = ur::detail::eigen_decomposition(a);
  REQUIRE(eigen);
  CHECK(std::is_sorted(eigen->values.rbegin(), eigen->values.rend()));
  double trace = 0, log_determinant = 0;
  for (std::size_t i = 0; i < n; ++i) {
    trace += a(i, i);
    log_determinant += std::log(eigen->values[i]);
    for (std::size_t j = 0; j < n; ++j) {
      double entry = 0;
      for (std::size_t k = 0; k < n; ++k) entry += eigen->values[k] * eigen->vectors(k, i) * eigen->vectors(k, j);
      CHECK(entry == Approx(a(i, j)).margin(1e-10));
    }
  }
  double sum = 0;
  for (const double value : eigen->values) sum += value;
  CHECK(sum == Approx(trace));
  CHECK(ur::detail::cholesky::factor(a)->log_determinant() == Approx(log_determinant));
}

TEST_CASE("gemm reads its factors transposed where it is told to") {
  const std::vector<double> a{1, 2, 3, 4, 5, 6}, b{1, 0, 2, 1, 0, 3};  // 2 x 3 and 3 x 2, or transposed
  using ur::detail::op;
  std::vector<double> c(4), d(9);
  ur::detail::gemm<double>(op::as_is, op::as_is, 2, 2, 3, 1, a.data(), 3, b.data(), 2, 0, c.data(), 2);
  CHECK(c == std::vector<double>{5, 11, 14, 23});
  ur::detail::gemm<double>(op::transposed, op::transposed, 3, 3, 2, 1, a.data(), 3, b.data(), 2, 0, d.data(), 3);
  CHECK(d == std::vector<double>{1, 6, 12, 2, 9, 15, 3, 12, 18});
}
