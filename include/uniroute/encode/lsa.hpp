#pragma once

// Latent semantic analysis: the leading directions of tf-idf, learned from the prompts of `fit`.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/encode/detail/word_ngrams.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/numeric/principal_axes.hpp>
#include <uniroute/numeric/sparse_rows.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// What `lsa` counts, what it keeps, and how long it looks for directions.
struct lsa_options {
  std::size_t dimension = 128;                 ///< D, at least 1
  std::size_t features = 20000;                ///< n-grams kept: those of most prompts; at least 1
  std::size_t least_prompts = 2;               ///< an n-gram of fewer prompts is left out; at least 1
  std::size_t longest_ngram = 2;               ///< runs of 1 to this many words; at least 1
  std::size_t buckets = std::size_t{1} << 20;  ///< hash values of n-grams, 1 to 2^32
  std::size_t oversampling = 16;               ///< further directions while iterating
  std::size_t iterations = 3;                  ///< of the subspace, each two passes over the matrix
  std::uint64_t seed = 1;                      ///< of the random start
  std::size_t threads = 1;                     ///< 0: all of the machine; never changes a bit
};

/// φ(x) = Vᵀ w(x), scaled to length 1: w as for hashed_tfidf, over the n-grams that occur in several prompts, scaled to
/// length 1; V the D leading right singular vectors of the prompts of `fit` (Deerwester et al. 1990), by randomised
/// subspace iteration. Words that occur together come to lie together, which hashing cannot see; a text without known
/// words is zero. Memory: 4 bytes × features × D. Const members are thread-safe.
class lsa {
 public:
  /// Throws std::invalid_argument for an option outside its range.
  explicit lsa(lsa_options options = {}) : options_(options) {
    detail::require(options.dimension >= 1, "lsa: dimension is 0, but must be at least 1");
    detail::require(options.features >= 1, "lsa: features is 0, but must be at least 1");
    detail::require(options.least_prompts >= 1, "lsa: least_prompts is 0, but must be at least 1");
    detail::require(options.longest_ngram >= 1, "lsa: longest_ngram is 0, but must be at least 1");
    detail::require(options.buckets >= 1 && options.buckets <= std::size_t{1} << 32, "lsa: buckets is ",
                    options.buckets, ", but must be 1 to 2^32");
  }

  /// Throws std::invalid_argument if no n-gram occurs in `least_prompts` of the prompts.
  void fit(std::span<const std::string> prompts) {
    std::vector<std::vector<std::uint32_t>> buckets(prompts.size());
    std::vector<std::uint32_t> frequencies(options_.buckets, 0);
    std::vector<std::uint64_t> words;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      collect(prompts[i], words, buckets[i]);
      for (std::size_t j = 0; j < buckets[i].size(); ++j) {
        if (j == 0 || buckets[i][j] != buckets[i][j - 1]) ++frequencies[buckets[i][j]];
      }
    }
    std::vector<std::uint32_t> kept;
    for (std::size_t b = 0; b < frequencies.size(); ++b) {
      if (frequencies[b] >= options_.least_prompts) kept.push_back(static_cast<std::uint32_t>(b));
    }
    detail::require(!kept.empty(), "lsa::fit: no n-gram occurs in ", options_.least_prompts, " of the ", prompts.size(),
                    " prompts, but one must");
    if (kept.size() > options_.features) {
      std::stable_sort(kept.begin(), kept.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return frequencies[a] > frequencies[b]; });
      kept.resize(options_.features);
      std::sort(kept.begin(), kept.end());
    }
    std::vector<double> weights;
    for (const std::uint32_t b : kept)
      weights.push_back(
          1 + std::log((1 + static_cast<double>(prompts.size())) / (1 + static_cast<double>(frequencies[b]))));

    lsa fitted(options_);
    fitted.adopt(std::move(kept), std::move(weights), make_matrix<float>(0, options_.dimension));
    detail::sparse_rows a;
    a.width = fitted.buckets_.size();
    for (const auto& prompt : buckets) {
      fitted.for_each_weight(prompt, [&](std::uint32_t feature, float weight) {
        a.columns.push_back(feature);
        a.values.push_back(weight);
      });
      a.starts.push_back(a.columns.size());
    }
    const auto directions = detail::leading_directions(a, options_.dimension, options_.oversampling,
                                                       options_.iterations, options_.seed, options_.threads);
    fitted.directions_ = make_matrix<float>(a.width, options_.dimension);
    for (std::size_t i = 0; i < directions.size(); ++i)
      fitted.directions_.data()[i] = static_cast<float>(directions.data()[i]);
    *this = std::move(fitted);
  }

  std::size_t dimension() const noexcept { return options_.dimension; }  ///< D
  const lsa_options& options() const noexcept { return options_; }

  /// Embeddings of all prompts, n x D. Row i has the bits of the prompt encoded alone. Throws not_fitted.
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
    detail::require(out.size() == dimension(), "lsa::encode: out has ", out.size(), " values, but must have ",
                    dimension());
    write(prompt, out);
  }

  state save() const {
    require_fitted();
    return detail::save_members(*this);
  }

  /// Takes what was fitted and the options that reading needs. Throws format_error if they do not fit together.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      auto& o = next.options_;
      o.dimension = columns(next.directions_);
      (void)lsa(o);  // what its constructor refuses
      detail::require_state(
          o.buckets >= 1 && o.buckets <= std::size_t{1} << 32 && o.longest_ngram >= 1 && o.dimension >= 1,
          "lsa: buckets must be 1 to 2^32, longest_ngram and the dimension at least 1");
      const auto& kept = next.buckets_;
      detail::require_state(!kept.empty() && kept.size() == next.weights_.size() &&
                                kept.size() == rows(next.directions_) &&
                                std::adjacent_find(kept.begin(), kept.end(), std::greater_equal<>{}) == kept.end() &&
                                kept.back() < o.buckets,
                            "lsa: kept must rise and stay below buckets, and have one weight and direction each");
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("buckets", of.options_.buckets);
    visit("longest_ngram", of.options_.longest_ngram);
    visit("features", of.options_.features);
    visit("least_prompts", of.options_.least_prompts);
    visit("oversampling", of.options_.oversampling);
    visit("iterations", of.options_.iterations);
    visit("seed", of.options_.seed);
    visit("kept", of.buckets_);
    visit("weights", of.weights_);
    visit("directions", of.directions_);
  }

 private:
  void require_fitted() const { detail::require<not_fitted>(!buckets_.empty(), "lsa: fit must come first"); }

  void adopt(std::vector<std::uint32_t> kept, std::vector<double> weights, matrix<float> directions) {
    buckets_ = std::move(kept);
    weights_ = std::move(weights);
    directions_ = std::move(directions);
  }

  /// The buckets of a prompt's n-grams, sorted.
  void collect(std::string_view prompt, std::vector<std::uint64_t>& words, std::vector<std::uint32_t>& out) const {
    detail::hash_words(prompt, words);
    out.clear();
    detail::for_each_ngram(words, options_.longest_ngram, [&](std::uint64_t hash) {
      out.push_back(static_cast<std::uint32_t>(((hash >> 32) * options_.buckets) >> 32));
    });
    std::sort(out.begin(), out.end());
  }

  /// Calls visit(feature, weight) for each known n-gram; the weights have length 1.
  template <class Visit>
  void for_each_weight(const std::vector<std::uint32_t>& sorted, Visit&& visit) const {
    const auto for_each = [&](auto&& each) {
      auto at = buckets_.begin();
      for (std::size_t j = 0; j < sorted.size();) {
        std::size_t next = j;
        while (next < sorted.size() && sorted[next] == sorted[j]) ++next;
        at = std::lower_bound(at, buckets_.end(), sorted[j]);
        if (at == buckets_.end()) return;
        const auto feature = static_cast<std::uint32_t>(at - buckets_.begin());
        if (*at == sorted[j]) each(feature, (1 + std::log(static_cast<double>(next - j))) * weights_[feature]);
        j = next;
      }
    };
    double square = 0;
    for_each([&](std::uint32_t, double weight) { square += weight * weight; });
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for_each([&](std::uint32_t feature, double weight) { visit(feature, static_cast<float>(weight * scale)); });
  }

  void write(std::string_view prompt, std::span<float> out) const {
    thread_local std::vector<std::uint64_t> words;
    thread_local std::vector<std::uint32_t> sorted;
    collect(prompt, words, sorted);
    std::fill(out.begin(), out.end(), 0.0F);
    for_each_weight(sorted, [&](std::uint32_t feature, float weight) {
      const auto from = row(directions_, feature);
      for (std::size_t j = 0; j < out.size(); ++j) out[j] += weight * from[j];
    });
    detail::to_unit_length(out);
  }

  lsa_options options_;
  std::vector<std::uint32_t> buckets_;  ///< of the features, rising
  std::vector<double> weights_;
  matrix<float> directions_ = make_matrix<float>(0, 0);  ///< features x D
};

static_assert(encoder<lsa>);

}  // namespace uniroute
