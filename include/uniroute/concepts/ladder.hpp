#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace uniroute {

/// What a ladder sees of one prompt before it decides on its next step.
struct ladder_view {
  std::span<const std::uint32_t> asked;      ///< LLMs in the order in which they were run; none at first
  std::span<const double> scores;            ///< M: what is known of each answer, `missing` where the LLM was not run
  std::span<const double> predicted_losses;  ///< M: known before any answer; empty where nothing is predicted
  std::span<const double> costs;             ///< M: what each LLM would cost, estimated before it runs
  double spent = 0;                          ///< realised costs of the LLMs that were asked
};

/// LLMs asked one after another until a stop: costs add up, one answer is kept.
///
/// Semantics: `next(v)` is the LLM to ask next, none to stop; the first call (v.asked empty) must name one, and none is
/// asked twice. `keep(v)` is one of v.asked, called after the stop. Both are const, thread-safe and deterministic in v.
/// Satisfied by: threshold_cascade, cascade_routing.
template <class L>
concept ladder = requires(const L& l, const ladder_view& v) {
  { l.next(v) } -> std::same_as<std::optional<std::uint32_t>>;
  { l.keep(v) } -> std::convertible_to<std::uint32_t>;
};

/// A judge of answers: a score for each answer's quality, such as a verdict that may err.
///
/// Semantics: `score(quality, key)` for a quality in [0, 1] and a key that is a function of prompt and LLM; larger is
/// better; const, thread-safe, deterministic.
/// Satisfied by: noisy_judge, verifier.
template <class J>
concept judge = requires(const J& j, double quality, std::uint64_t key) {
  { j.score(quality, key) } -> std::convertible_to<double>;
};

}  // namespace uniroute
