#pragma once

// A network with one hidden layer and an output per LLM.

#include <cstddef>
#include <string_view>
#include <uniroute/concepts/predictor.hpp>
#include <uniroute/predict/training_options.hpp>
#include <uniroute/predict/two_layer_predictor.hpp>

namespace uniroute {

/// Size of `mlp`, and how it is trained.
struct mlp_options {
  std::size_t hidden = 64;  ///< units, at least 1
  training_options training = {};

  /// What a state holds of it.
  static void members(auto& of, auto&& visit) {
    visit("hidden", of.hidden);
    visit("training", of.training);
  }
};

/// The form of `mlp`: rectified hidden units that all LLMs share.
struct rectified_form {
  using options_type = mlp_options;
  static constexpr std::string_view name = "mlp", width_name = "hidden";
  static constexpr bool rectified = true;
  static std::size_t width(const mlp_options& options) noexcept { return options.hidden; }
};

/// γ̂(x, h) = σ(v_h · max(0, W x + b) + o_h): the MLP of UniRoute's comparison. A rival that must be retrained for each
/// LLM that joins; with the unseen LLMs' training outcomes too it is the clairvoyant upper reference.
using mlp = two_layer_predictor<rectified_form>;

static_assert(predictor<mlp> && !pool_adaptive<mlp>);

}  // namespace uniroute
