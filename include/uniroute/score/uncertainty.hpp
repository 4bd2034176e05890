#pragma once

// How sure an LLM is, from several answers to one prompt.

#include <algorithm>
#include <cctype>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Several final answers of one LLM to one prompt, with the quality of each; no text where none could be extracted.
struct sampled_answers {
  std::vector<std::optional<std::string>> answers = {};
  std::vector<double> qualities = {};  ///< in [0, 1], as many
};

/// When two answers mean the same.
///
/// Semantics: `same(a, b)` is symmetric and true of equal texts; const, thread-safe.
/// Satisfied by: exact_answers, normalised_answers, embedded_answers.
template <class E>
concept answer_equivalence = requires(const E& e, std::string_view a, std::string_view b) {
  { e.same(a, b) } -> std::same_as<bool>;
};

/// Equal texts.
struct exact_answers {
  bool same(std::string_view a, std::string_view b) const noexcept { return a == b; }
};

/// Equal once ASCII letters are small, and spaces and punctuation at the ends and doubled spaces are gone.
struct normalised_answers {
  bool same(std::string_view a, std::string_view b) const { return normal(a) == normal(b); }

 private:
  static std::string normal(std::string_view text) {
    std::string out;
    for (const char c : text) {
      const auto u = static_cast<unsigned char>(c);
      if (u < 128 && std::isspace(u) != 0) {
        if (!out.empty() && out.back() != ' ') out.push_back(' ');
      } else {
        out.push_back(u < 128 ? static_cast<char>(std::tolower(u)) : c);
      }
    }
    const auto loose = [](char c) {
      const auto u = static_cast<unsigned char>(c);
      return u < 128 && c != '%' && c != '$' && (std::isspace(u) != 0 || std::ispunct(u) != 0);
    };
    while (!out.empty() && loose(out.back())) out.pop_back();
    // A sign is part of a number.
    while (!out.empty() && loose(out.front()) &&
           !(out.front() == '-' && out.size() > 1 && std::isdigit(static_cast<unsigned char>(out[1])) != 0))
      out.erase(out.begin());
    return out;
  }
};

/// Near in the space of an encoder: cosine of at least `least`. Encodes each pair; for few answers.
template <encoder Encoder>
class embedded_answers {
 public:
  /// Throws std::invalid_argument for a cosine outside [-1, 1].
  embedded_answers(Encoder encoder, double least) : encoder_(std::move(encoder)), least_(least) {
    detail::require(least >= -1 && least <= 1, "embedded_answers: least is ", least, ", but must be in [-1, 1]");
  }
  bool same(std::string_view a, std::string_view b) const {
    if (a == b) return true;
    const std::vector<std::string> both{std::string(a), std::string(b)};
    const embedding_matrix x = encoder_.encode(both);
    double dot = 0, left = 0, right = 0;
    for (std::size_t d = 0; d < columns(x); ++d) {
      const double u = static_cast<double>(x(0, d)), v = static_cast<double>(x(1, d));
      dot += u * v;
      left += u * u;
      right += v * v;
    }
    return left > 0 && right > 0 && dot / std::sqrt(left * right) >= least_;
  }

 private:
  Encoder encoder_;
  double least_;
};

/// How many of the answers are in each cluster of equal meaning, in the order in which clusters appear: an answer joins
/// the first cluster whose first answer means the same (2502.11021, section 3.1). Answers without text are a cluster
/// each: they agree with nothing. O(answers · clusters).
template <answer_equivalence Equivalence = normalised_answers>
std::vector<std::size_t> meaning_clusters(std::span<const std::optional<std::string>> answers,
                                          const Equivalence& equivalence = {}) {
  std::vector<std::size_t> counts;
  std::vector<const std::string*> first;
  for (const auto& answer : answers) {
    std::size_t at = 0;
    while (at < counts.size() && !(answer && first[at] != nullptr && equivalence.same(*first[at], *answer))) ++at;
    if (at == counts.size()) {
      counts.push_back(0);
      first.push_back(answer ? &*answer : nullptr);
    }
    ++counts[at];
  }
  return counts;
}

/// SE(x) = −(1/|C|) Σ_i log p(C_i | x), p the share of answers in a cluster: confidence-driven routing's semantic
/// entropy (2502.11021, equation 1). 0: all answers agree. Throws std::invalid_argument for no answers.
inline double semantic_entropy(std::span<const std::size_t> clusters) {
  detail::require(!clusters.empty(), "semantic_entropy: clusters has 0 entries, but must have at least 1");
  double n = 0, sum = 0;
  for (const std::size_t count : clusters) n += static_cast<double>(count);
  for (const std::size_t count : clusters) sum -= std::log(static_cast<double>(count) / n);
  return sum / static_cast<double>(clusters.size());
}

/// −Σ_i p(C_i) log p(C_i): the entropy of meanings (Kuhn et al. 2302.09664). Throws as above.
inline double predictive_entropy(std::span<const std::size_t> clusters) {
  detail::require(!clusters.empty(), "predictive_entropy: clusters has 0 entries, but must have at least 1");
  double n = 0, sum = 0;
  for (const std::size_t count : clusters) n += static_cast<double>(count);
  for (const std::size_t count : clusters) {
    const double p = static_cast<double>(count) / n;
    sum -= p * std::log(p);
  }
  return sum;
}

/// The share of the largest cluster: self-consistency (2310.03094 stops a cascade where it is large). Throws as above.
inline double self_consistency(std::span<const std::size_t> clusters) {
  detail::require(!clusters.empty(), "self_consistency: clusters has 0 entries, but must have at least 1");
  double n = 0;
  for (const std::size_t count : clusters) n += static_cast<double>(count);
  return static_cast<double>(*std::max_element(clusters.begin(), clusters.end())) / n;
}

/// Which of two LLMs confidence prefers.
enum class preference { weak, strong, tie };

/// The LLM that is surer by more than τ: δ = |SE_s − SE_w| / SE_s (2502.11021, section 3.2). Where SE_s is 0 the
/// paper's ratio is not defined: the strong LLM wins unless SE_w is 0, too (a tie), whatever τ. Throws
/// std::invalid_argument for a negative τ, std::domain_error for an entropy that is negative or not finite.
inline preference prefer_by_confidence(double strong_entropy, double weak_entropy, double tau) {
  detail::require(tau >= 0, "prefer_by_confidence: tau is ", tau, ", but must be at least 0");
  for (const double value : {strong_entropy, weak_entropy})
    detail::require<std::domain_error>(value >= 0 && std::isfinite(value), "prefer_by_confidence: an entropy is ",
                                       value, ", but must be finite and at least 0");
  if (strong_entropy == 0) return weak_entropy == 0 ? preference::tie : preference::strong;
  if (std::fabs(strong_entropy - weak_entropy) / strong_entropy <= tau) return preference::tie;
  return weak_entropy < strong_entropy ? preference::weak : preference::strong;
}

}  // namespace uniroute
