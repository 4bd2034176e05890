#pragma once

// A sentence encoder that is a table: one vector a token, distilled from a transformer, and their mean.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/concepts/encoder.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/detail/state_members.hpp>
#include <uniroute/encode/transformer_encoder.hpp>
#include <uniroute/encode/wordpiece_tokenizer.hpp>
#include <uniroute/numeric/parallel.hpp>
#include <uniroute/numeric/principal_axes.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Size and token weights of a `static_encoder`, and how far it reads.
struct static_options {
  std::size_t dimension = 256;     ///< d, 1 to the transformer's
  double frequency_scale = 1e-4;   ///< a of the token weights a / (a + p); above 0
  std::size_t most_tokens = 2048;  ///< longer prompts are cut at the end; at least 1
  std::size_t threads = 1;         ///< 0: all of the machine; never changes a bit
};

/// The mean of the prompt's token vectors, scaled to length 1 (a prompt without tokens: zero). The Model2Vec idea
/// (Tulkens and van Dongen 2024). `fit` does nothing. Row i has the bits of prompt i encoded alone.
/// Cost: one read of d floats a token, and the tokenizer. Const members are thread-safe.
class static_encoder {
 public:
  static constexpr bool learns = false;  ///< `fit` has nothing to learn: texts need be embedded but once

  explicit static_encoder(static_options options = {}) : options_(options) {}  ///< no table until `load`

  /// From a tokenizer and its table, one row an entry. Throws std::invalid_argument if they do not fit together,
  /// std::domain_error for values that are not finite.
  static_encoder(wordpiece_tokenizer tokenizer, matrix<float> table, static_options options = {}) : options_(options) {
    detail::require(options.most_tokens >= 1, "static_encoder: most_tokens is 0, but must be at least 1");
    detail::require(tokenizer.size() == rows(table) && columns(table) >= 1, "static_encoder: table is ", rows(table),
                    " x ", columns(table), ", but must have one row for each of the ", tokenizer.size(),
                    " entries of the vocabulary");
    detail::check_finite("static_encoder", "table", table);
    options_.dimension = columns(table);
    tokenizer_ = std::move(tokenizer);
    table_ = std::move(table);
  }

  void fit(std::span<const std::string>) { require_table(); }  ///< nothing to learn

  std::size_t dimension() const noexcept { return options_.dimension; }  ///< d
  const static_options& options() const noexcept { return options_; }
  const matrix<float>& table() const noexcept { return table_; }

  /// Embeddings of all prompts, n x d. Throws not_fitted without a table.
  embedding_matrix encode(std::span<const std::string> prompts) const {
    require_table();
    auto out = make_matrix<float>(prompts.size(), dimension());
    detail::parallel_in_blocks(prompts.size(), options_.threads,
                               [&](std::size_t i) { write(prompts[i], row(out, i)); });
    return out;
  }

  /// The embedding of one prompt into out (d values). Allocates nothing once a prompt as long was seen on this thread.
  /// Throws not_fitted, std::invalid_argument for another size of out.
  void encode(std::string_view prompt, std::span<float> out) const {
    require_table();
    detail::require(out.size() == dimension(), "static_encoder::encode: out has ", out.size(),
                    " values, but must have ", dimension());
    write(prompt, out);
  }

  state save() const {
    require_table();
    return detail::save_members(*this);
  }

  /// Takes the table and all options but `threads`. Throws format_error if something is missing or does not fit.
  void load(const state& s) {
    detail::load_members(*this, s, [](auto& next) {
      next = static_encoder(std::move(next.tokenizer_), std::move(next.table_), next.options_);
    });
  }

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("tokenizer", of.tokenizer_);
    visit("table", of.table_);
    visit("most_tokens", of.options_.most_tokens);
  }

 private:
  void require_table() const { detail::require<not_fitted>(table_.size() != 0, "static_encoder: there is no table"); }

  void write(std::string_view prompt, std::span<float> out) const {
    thread_local std::vector<std::uint32_t> tokens;
    tokens.clear();
    tokenizer_.append_inner(prompt, options_.most_tokens, tokens);
    std::fill(out.begin(), out.end(), 0.0F);
    for (const std::uint32_t token : tokens) {
      const auto from = row(table_, token);
      for (std::size_t j = 0; j < out.size(); ++j) out[j] += from[j];
    }
    detail::to_unit_length(out);
  }

  static_options options_;
  wordpiece_tokenizer tokenizer_;
  matrix<float> table_ = make_matrix<float>(0, 0);
};

static_assert(encoder<static_encoder>);

/// Distils: each entry of the vocabulary goes alone through the transformer (between its first and last token),
/// principal axes take the embeddings to d dimensions, and an entry is weighed by a / (a + p) (Arora, Liang and Ma
/// 2017), with p from Zipf's law over the order of the vocabulary, which for BERT's is about that of frequency. Cost:
/// three tokens through the transformer an entry: half a minute of one core for MiniLM's 30,522; save the result.
/// Throws not_fitted, std::invalid_argument for a dimension outside 1 to the transformer's or a scale not above 0.
inline static_encoder distill(const transformer_encoder& teacher, static_options options = {}) {
  const wordpiece_tokenizer& tokenizer = teacher.tokenizer();
  detail::require(options.dimension >= 1 && options.dimension <= teacher.dimension(), "distill: dimension is ",
                  options.dimension, ", but must be 1 to ", teacher.dimension());
  detail::require(options.frequency_scale > 0, "distill: frequency_scale is ", options.frequency_scale,
                  ", but must be above 0");
  const std::uint32_t first = tokenizer.find(tokenizer.options().first),
                      last = tokenizer.find(tokenizer.options().last);
  std::vector<std::vector<std::uint32_t>> alone(tokenizer.size());
  for (std::size_t token = 0; token < alone.size(); ++token)
    alone[token] = {first, static_cast<std::uint32_t>(token), last};
  const auto embedded = teacher.encode_tokens(alone);
  const auto axes = detail::find_principal_axes(embedded, options.dimension);
  double harmonic = 0;
  for (std::size_t rank = 1; rank <= alone.size(); ++rank) harmonic += 1 / static_cast<double>(rank);
  auto table = make_matrix<float>(alone.size(), options.dimension);
  std::vector<float> centred(teacher.dimension());
  for (std::size_t token = 0; token < alone.size(); ++token) {
    axes.project(row(embedded, token).data(), centred.data(), row(table, token).data());
    const double p = 1 / (static_cast<double>(token + 1) * harmonic);
    const auto weight = static_cast<float>(options.frequency_scale / (options.frequency_scale + p));
    for (float& value : row(table, token)) value *= weight;
  }
  return static_encoder(tokenizer, std::move(table), options);
}

}  // namespace uniroute
