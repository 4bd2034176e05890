#pragma once

// Text → embedding without a vocabulary or a model: hashed words, tf-idf weights, a random projection.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/encode/detail/word_ngrams.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/numeric/random_signs.hpp>
#include <uniroute/random.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What `hashed_tfidf` counts, and into how many dimensions.
struct hashed_tfidf_options {
  std::size_t dimension = 256;                 ///< D, 1 to 65,536
  std::size_t buckets = std::size_t{1} << 18;  ///< hash values of n-grams, 1 to 2^32
  std::size_t longest_ngram = 2;               ///< runs of 1 to this many words are features; at least 1
  bool sublinear_tf = true;                    ///< weigh a count c by 1 + log c instead of c
  std::uint64_t seed = 1;                      ///< of the projection
  std::size_t threads = 1;                     ///< of batches; 0: all of the machine; never changes a bit
};

/// φ(x) = P w(x), scaled to length 1. w has an entry per bucket: (1 + log count) × (1 + log((1 + n) / (1 + df))), the
/// smoothed inverse document frequency from the n prompts of `fit` (Salton and Buckley 1988; hashing: Weinberger et al.
/// 2009). P is a dense D × buckets matrix of random signs (Achlioptas 2003) computed from a hash, never stored.
/// Words are runs of ASCII letters and digits, lower-cased, and of bytes from 0x80 on (UTF-8, valid or not).
/// A text without words has the zero vector, as far from every text as a stranger is (√2 less than 1 apart, not NaN).
/// Cost: 256 additions an n-gram; memory: 8 bytes a bucket. Const members are thread-safe.
class hashed_tfidf {
 public:
  /// Throws std::invalid_argument for a dimension, number of buckets or n-gram length outside their range.
  explicit hashed_tfidf(hashed_tfidf_options options = {}) : options_(options) {
    detail::require(options.dimension >= 1 && options.dimension <= most_dimension, "hashed_tfidf: dimension is ",
                    options.dimension, ", but must be 1 to ", most_dimension);
    detail::require(options.buckets >= 1 && options.buckets <= most_buckets, "hashed_tfidf: buckets is ",
                    options.buckets, ", but must be 1 to 2^32");
    detail::require(options.longest_ngram >= 1, "hashed_tfidf: longest_ngram is 0, but must be at least 1");
  }

  /// Counts in how many prompts each bucket occurs. Throws std::invalid_argument for no prompts.
  void fit(std::span<const std::string> prompts) {
    detail::require(!prompts.empty(), "hashed_tfidf::fit: prompts has 0 entries, but must have at least 1");
    std::vector<std::uint32_t> frequencies(options_.buckets, 0);
    auto& scratch = local_scratch();
    for (const auto& prompt : prompts) {
      collect(prompt, scratch);
      const auto end = std::unique(scratch.buckets.begin(), scratch.buckets.end());
      std::for_each(scratch.buckets.begin(), end, [&](std::uint32_t bucket) { ++frequencies[bucket]; });
    }
    adopt(options_, prompts.size(), std::move(frequencies));
  }

  std::size_t dimension() const noexcept { return options_.dimension; }  ///< D
  const hashed_tfidf_options& options() const noexcept { return options_; }

  /// Embeddings of all prompts, n × D. Row i has the bits of the prompt encoded alone. Throws not_fitted.
  embedding_matrix encode(std::span<const std::string> prompts) const {
    require_fitted();
    auto out = make_matrix<float>(prompts.size(), dimension());
    detail::parallel_in_blocks(prompts.size(), options_.threads,
                               [&](std::size_t i) { write(prompts[i], row(out, i)); });
    return out;
  }

  /// The embedding of one prompt into out (D values). Allocates nothing once a prompt as long was seen on this thread.
  /// Throws not_fitted, std::invalid_argument for another size of out.
  void encode(std::string_view prompt, std::span<float> out) const {
    require_fitted();
    detail::require(out.size() == dimension(), "hashed_tfidf::encode: out has ", out.size(), " values, but must have ",
                    dimension());
    write(prompt, out);
  }

  state save() const {
    require_fitted();
    return detail::save_members(*this);
  }

  /// Takes fitted values and all options but `threads`. Throws format_error if they do not fit together.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      auto& o = next.options_;
      auto& frequencies = next.frequencies_;
      o.buckets = frequencies.size();
      detail::require_state(
          o.dimension >= 1 && o.dimension <= most_dimension && o.longest_ngram >= 1 && next.prompts_ >= 1,
          "hashed_tfidf: dimension must be 1 to 65536, longest_ngram and prompts at least 1");
      detail::require_state(!frequencies.empty() && frequencies.size() <= most_buckets &&
                                *std::max_element(frequencies.begin(), frequencies.end()) <= next.prompts_,
                            "hashed_tfidf: document_frequencies must be 1 to 2^32 numbers, at most prompts each");
      next.adopt(next.options_, next.prompts_, std::move(frequencies));
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("dimension", of.options_.dimension);
    visit("longest_ngram", of.options_.longest_ngram);
    visit("sublinear_tf", of.options_.sublinear_tf);
    visit("seed", of.options_.seed);
    visit("prompts", of.prompts_);
    visit("document_frequencies", of.frequencies_);
  }

 private:
  static constexpr std::uint64_t most_buckets = std::uint64_t{1} << 32;
  static constexpr std::size_t most_dimension = 65536;  // a state of a few bytes names it, and every prompt pays for it

  struct workspace {
    std::vector<std::uint64_t> words;
    std::vector<std::uint32_t> buckets;  ///< of the n-grams of one prompt, sorted
    std::vector<float> sums;
  };

  static workspace& local_scratch() {
    thread_local workspace scratch;
    return scratch;
  }

  void require_fitted() const { detail::require<not_fitted>(prompts_ != 0, "hashed_tfidf: fit must come first"); }

  void adopt(const hashed_tfidf_options& options, std::size_t prompts, std::vector<std::uint32_t> frequencies) {
    std::vector<float> weights(frequencies.size());
    for (std::size_t b = 0; b < weights.size(); ++b) {
      const double ratio = (1 + static_cast<double>(prompts)) / (1 + static_cast<double>(frequencies[b]));
      weights[b] = static_cast<float>(1 + std::log(ratio));
    }
    options_ = options;
    prompts_ = prompts;
    frequencies_ = std::move(frequencies);
    inverse_frequencies_ = std::move(weights);
  }

  void collect(std::string_view prompt, workspace& scratch) const {
    detail::hash_words(prompt, scratch.words);
    scratch.buckets.clear();
    detail::for_each_ngram(scratch.words, options_.longest_ngram, [&](std::uint64_t hash) {
      scratch.buckets.push_back(static_cast<std::uint32_t>(((hash >> 32) * options_.buckets) >> 32));
    });
    std::sort(scratch.buckets.begin(), scratch.buckets.end());
  }

  void write(std::string_view prompt, std::span<float> out) const {
    auto& scratch = local_scratch();
    collect(prompt, scratch);
    scratch.sums.assign(detail::padded_dimension(dimension()), 0.0F);
    for (auto at = scratch.buckets.begin(); at != scratch.buckets.end();) {
      const std::uint32_t bucket = *at;
      const auto next = std::find_if(at, scratch.buckets.end(), [&](std::uint32_t b) { return b != bucket; });
      const double count = static_cast<double>(next - at);
      const double frequency = options_.sublinear_tf ? 1 + std::log(count) : count;
      const auto weight = static_cast<float>(frequency * static_cast<double>(inverse_frequencies_[bucket]));
      detail::add_signs(weight, derive_seed(options_.seed, bucket), scratch.sums.data(), dimension());
      at = next;
    }
    double square = 0;
    for (std::size_t j = 0; j < out.size(); ++j)
      square += static_cast<double>(scratch.sums[j]) * static_cast<double>(scratch.sums[j]);
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (std::size_t j = 0; j < out.size(); ++j)
      out[j] = static_cast<float>(static_cast<double>(scratch.sums[j]) * scale);
  }

  hashed_tfidf_options options_;
  std::size_t prompts_ = 0;  ///< of fit
  std::vector<std::uint32_t> frequencies_;
  std::vector<float> inverse_frequencies_;
};

static_assert(encoder<hashed_tfidf>);

}  // namespace uniroute
