#pragma once

// A bilinear form of a prompt's projected embedding and an embedding of the LLM.

#include <cstddef>
#include <string_view>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/predict/training_options.hpp>
#include <uniroute/predict/two_layer_predictor.hpp>

namespace uniroute {

/// Size of `matrix_factorisation`, and how it is trained.
struct matrix_factorisation_options {
  std::size_t rank = 16;  ///< dimension of an LLM's embedding, at least 1
  training_options training = {};

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("rank", of.rank);
    visit("training", of.training);
  }
};

/// The form of `matrix_factorisation`: a linear middle layer.
struct bilinear_form {
  using options_type = matrix_factorisation_options;
  static constexpr std::string_view name = "matrix_factorisation", width_name = "rank";
  static constexpr bool rectified = false;
  static std::size_t width(const matrix_factorisation_options& options) noexcept { return options.rank; }
};

/// γ̂(x, h) = σ(v_h · (W x + b) + o_h), v_h the embedding of LLM h (RouteLLM, Ong et al. 2024, section 4.2, whose
/// w₂ᵀ(v_h ⊙ (W₁ x + b)) has the same values with w₂ taken into v_h; theirs is fitted to preferences between two LLMs,
/// ours, as in UniRoute's comparison, to the outcomes of all). A rival that must be retrained for each LLM that joins.
using matrix_factorisation = two_layer_predictor<bilinear_form>;

static_assert(predictor<matrix_factorisation> && !pool_adaptive<matrix_factorisation>);

}  // namespace uniroute
