#pragma once

#include <boost/math/special_functions/beta.hpp>
#include <cmath>
#include <cstddef>
#include <uniroute/concepts/interval.hpp>
#include <uniroute/detail/check_interval.hpp>

namespace uniroute {

/// The exact binomial interval of Clopper and Pearson (1934), δ/2 on each side. 0-1 losses only: the sum is a count.
struct exact_binomial {
  using loss_type = binary_loss;
  using guarantee = finite_sample;
  static constexpr bool equal_tailed = true;  ///< each end fails with probability at most δ / 2

  static interval make(double sum, std::size_t n, double delta) {
    detail::check_delta("exact_binomial::make", delta);
    detail::check_sum("exact_binomial::make", sum, n);
    if (n == 0) return {};
    const double failures = std::round(sum), all = static_cast<double>(n);
    const double lower = failures > 0 ? boost::math::ibeta_inv(failures, all - failures + 1, delta / 2) : 0;
    const double upper = failures < all ? boost::math::ibetac_inv(failures + 1, all - failures, delta / 2) : 1;
    return {lower, upper};
  }
};

static_assert(mean_interval<exact_binomial> && finite_sample_guarantee<exact_binomial>);
static_assert(interval_for<exact_binomial, binary_loss> && !interval_for<exact_binomial, bounded_loss>);

}  // namespace uniroute
