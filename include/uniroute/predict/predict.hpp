#pragma once

// Embeddings → predicted losses γ̂ of every LLM in the pool.
//
// There are
//   cell_predictor  Φᵀ Ψ: cells, a map onto them, an estimator. UniRoute; the only kind with certificates.
//   knn             the mean over the nearest validation prompts. Needs no fit; the rival to beat.
//
// Not provided: predictors trained per LLM (an LLM that joins would need a training of its own).

#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/knn.hpp>
