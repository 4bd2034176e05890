#pragma once

// A sum that terms join and leave, without the drift of adding and subtracting.

#include <cmath>

namespace uniroute::detail {

/// The sum with twice a double's digits (Knuth's two-sum): after thousands of terms came and went, the rounded value is
/// that of the terms that are left, summed afresh.
class running_sum {
 public:
  running_sum() = default;
  explicit running_sum(double start) noexcept : high_(start) {}

  void add(double term) noexcept {
    const double sum = high_ + term, back = sum - high_;
    low_ += (high_ - (sum - back)) + (term - back);
    high_ = sum;
  }
  double value() const noexcept { return high_ + low_; }

 private:
  double high_ = 0, low_ = 0;
};

}  // namespace uniroute::detail
