#pragma once

#include <cstddef>
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

  /// The level of the `number`-th (from 1) of a series of promises, whose length need not be known, such that all of
  /// them hold at once with this one's probability: δ / (number (number + 1)), which sums to δ. For pools that LLMs
  /// join one after another. Throws std::invalid_argument for 0.
  confidence_level at_join(std::size_t number) const {
    detail::require(number != 0, "confidence_level::at_join: number is 0, but must be at least 1");
    const double count = static_cast<double>(number);
    return confidence_level(1 - delta() / (count * (count + 1)));
  }

 private:
  double level_;
};

}  // namespace uniroute
