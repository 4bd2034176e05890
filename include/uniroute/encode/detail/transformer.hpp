#pragma once

// The forward pass of a BERT encoder over prompts packed one after the other, without padding.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/numeric/blas.hpp>
#include <uniroute/numeric/row_math.hpp>
#include <uniroute/numeric/widest_vectors.hpp>
#include <vector>

namespace uniroute::detail {

/// One layer. Matrices are out x in, as the files have them; vectors are 1 x n.
struct transformer_layer {
  matrix<float> attend, attend_bias;         ///< queries, keys and values: 3H x H
  matrix<float> project, project_bias;       ///< H x H
  matrix<float> first_scale, first_shift;    ///< of the layer norm after attention
  matrix<float> widen, widen_bias;           ///< I x H
  matrix<float> narrow, narrow_bias;         ///< H x I
  matrix<float> second_scale, second_shift;  ///< of the layer norm at the end
};

struct transformer_weights {
  matrix<float> words;         ///< V x H
  matrix<float> positions;     ///< P x H, with the embedding of token type 0 added
  matrix<float> scale, shift;  ///< of the layer norm over the embeddings
  std::vector<transformer_layer> layers;
  std::size_t heads = 0;
  float epsilon = 1e-12F;

  std::size_t width() const noexcept { return columns(words); }  ///< H
};

/// Buffers of the forward pass; they grow to the longest tile seen.
struct transformer_workspace {
  std::vector<float> states, attended, context, inner, scores;

  void prepare(const transformer_weights& w, std::size_t tokens, std::size_t longest) {
    const auto grow = [](std::vector<float>& v, std::size_t size) { v.resize(std::max(v.size(), size)); };
    std::size_t inner_width = 0;
    for (const auto& layer : w.layers) inner_width = std::max(inner_width, rows(layer.widen));
    grow(states, tokens * w.width());
    grow(attended, tokens * 3 * w.width());
    grow(context, tokens * w.width());
    grow(inner, tokens * inner_width);
    grow(scores, longest * longest);
  }
};

/// out = in Wᵀ for `count` rows.
inline void apply(const matrix<float>& w, std::size_t count, const float* in, float* out) noexcept {
  gemm_nt(count, rows(w), columns(w), 1, in, columns(w), w.data(), columns(w), 0, out, rows(w));
}

/// rows = layer_norm(rows + bias + residual).
inline void add_and_norm(float* values, const matrix<float>& bias, const float* residual, const matrix<float>& scale,
                         const matrix<float>& shift, std::size_t count, float epsilon) noexcept {
  const std::size_t d = columns(bias);
  const float *b = bias.data(), *scales = scale.data(), *shifts = shift.data();
  widest_vectors([&]() __attribute__((always_inline)) {
    for (std::size_t i = 0; i < count; ++i) {
      float* x = values + i * d;
      const float* r = residual + i * d;
      for (std::size_t j = 0; j < d; ++j) x[j] += b[j] + r[j];
      layer_norm(x, scales, shifts, d, epsilon);
    }
  });
}

/// Softmax(Q Kᵀ / √d) V for each head of one prompt of n tokens, whose rows in `attended` are Q | K | V.
inline void attend(const transformer_weights& w, std::size_t n, const float* attended, float* scores,
                   float* context) noexcept {
  const std::size_t width = w.width(), d = width / w.heads, stride = 3 * width;
  const float scale = 1 / std::sqrt(static_cast<float>(d));
  for (std::size_t head = 0; head < w.heads; ++head) {
    const float *q = attended + head * d, *k = q + width, *v = k + width;
    gemm_nt(n, n, d, scale, q, stride, k, stride, 0, scores, n);
    widest_vectors([&]() __attribute__((always_inline)) {
      for (std::size_t i = 0; i < n; ++i) softmax(scores + i * n, n);
    });
    gemm<float>(op::as_is, op::as_is, n, d, n, 1, scores, n, v, stride, 0, context + head * d, width);
  }
}

/// The last layer's states, one row a token, of prompts whose tokens stand one after the other and whose numbers of
/// tokens are `lengths` (each at least 1 and at most P). Tokens must be below V. Valid until the workspace is used
/// again. Devlin et al. 2019, as in the reference (post-norm, exact GELU), without dropout.
inline const float* transformer_states(const transformer_weights& w, std::span<const std::uint32_t> tokens,
                                       std::span<const std::size_t> lengths, transformer_workspace& work) {
  const std::size_t count = tokens.size(), width = w.width();
  work.prepare(w, count, *std::max_element(lengths.begin(), lengths.end()));
  float *states = work.states.data(), *attended = work.attended.data(), *context = work.context.data();
  std::size_t at = 0;
  for (const std::size_t length : lengths) {
    for (std::size_t position = 0; position < length; ++position, ++at) {
      const float *word = w.words.data() + tokens[at] * width, *place = w.positions.data() + position * width;
      float* x = states + at * width;
      for (std::size_t j = 0; j < width; ++j) x[j] = word[j] + place[j];
      layer_norm(x, w.scale.data(), w.shift.data(), width, w.epsilon);
    }
  }
  for (const auto& layer : w.layers) {
    apply(layer.attend, count, states, attended);
    for (std::size_t i = 0; i < count; ++i) add_bias(attended + i * 3 * width, layer.attend_bias.data(), 3 * width);
    at = 0;
    for (const std::size_t length : lengths) {
      attend(w, length, attended + at * 3 * width, work.scores.data(), context + at * width);
      at += length;
    }
    float* mixed = attended;  // queries, keys and values are done with
    apply(layer.project, count, context, mixed);
    add_and_norm(mixed, layer.project_bias, states, layer.first_scale, layer.first_shift, count, w.epsilon);
    const std::size_t inner = rows(layer.widen);
    apply(layer.widen, count, mixed, work.inner.data());
    float* wide = work.inner.data();
    const float* wide_bias = layer.widen_bias.data();
    widest_vectors([&]() __attribute__((always_inline)) {
      for (std::size_t i = 0; i < count; ++i) add_bias_gelu(wide + i * inner, wide_bias, inner);
    });
    apply(layer.narrow, count, work.inner.data(), states);
    add_and_norm(states, layer.narrow_bias, mixed, layer.second_scale, layer.second_shift, count, w.epsilon);
  }
  return states;
}

}  // namespace uniroute::detail
