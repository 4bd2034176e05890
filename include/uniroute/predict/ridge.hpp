#pragma once

// Ridge regression of each LLM's losses on the embedding: a Gaussian process with the linear kernel.

#include <uniroute/concepts/predictor.hpp>
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/predict/kernels.hpp>

namespace uniroute {

/// γ̂(x, h) = μ(h) + β_hᵀ (x - m), β_h = (XᵀX + s σ² I)⁻¹ Xᵀ (ℓ(h) - μ(h)), X the validation embeddings less the
/// training mean m, s the training prompts' mean squared distance from m. `.noise` is σ²; it is chosen on the seen LLMs
/// where it is not given. Factors are min(n, D) square; a prediction costs O(D M).
using ridge = gaussian_process<linear_kernel>;

static_assert(pool_adaptive<ridge>);

}  // namespace uniroute
