#pragma once

#include <uniroute/detail/check.hpp>

namespace uniroute {

/// The probability with which a certificate holds, 1 − δ. A type of its own, so that .05 and .95 are not mixed up.
class confidence_level {
 public:
  /// Throws std::invalid_argument unless 0.5 <= level < 1.
  explicit confidence_level(double level) : level_(level) {
    detail::require(level >= 0.5 && level < 1, "confidence_level: level is ", level,
                    ", but must be from 0.5 to below 1");
  }
  /// Refused with a sentence: a bare number, which might be δ or a percentage.
  template <detail::number N>
  confidence_level(N) : confidence_level(0.5) {
    static_assert(detail::accepted<N>,
                  "confidence_level: a number is no level: write confidence_level{.95}, the probability with which it "
                  "holds");
  }
  double value() const noexcept { return level_; }      ///< 1 − δ
  double delta() const noexcept { return 1 - level_; }  ///< δ

 private:
  double level_;
};

}  // namespace uniroute
