#pragma once

// Item response theory: prompts have difficulties and discriminations, LLMs have abilities.

#include <uniroute/concepts/predictor.hpp>
#include <uniroute/predict/logistic_regression.hpp>
#include <uniroute/predict/transformed.hpp>
#include <uniroute/transform/item_traits.hpp>

namespace uniroute {

/// γ̂(x, h) = σ(θ₀(h) + θ_b(h) b̂(x) - θ_a(h) · â(x)): the traits of a prompt from its embedding (item_traits), an LLM's
/// abilities from its validation outcomes (logistic_regression, whose prior the seen LLMs give). Enrolment fits the 2 +
/// r numbers of the new LLM and nothing else. Differs from the textbook's σ(b - a · θ), where the weight of the
/// difficulty is 1 for every LLM and there is no θ₀: predicted traits hold only part of the true ones, and a fixed
/// weight would be wrong by as much.
using item_response = transformed<item_traits, logistic_regression>;

static_assert(pool_adaptive<item_response>);

}  // namespace uniroute
