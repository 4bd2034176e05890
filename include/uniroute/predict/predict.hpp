#pragma once

// Embeddings → predicted losses γ̂ of every LLM in the pool.
//
// There are
//   cell_predictor  Φᵀ Ψ: cells, a map onto them, an estimator. UniRoute; the only kind with certificates.
//   knn             the mean over the nearest validation prompts. Needs no fit; the rival to beat.
//   prox_cells, prox_neighbours, avengers
//                   rivals that blend means of hard cells, or of neighbours, by distance: ProxRouter and Avengers-Pro.
//                   blended_cells and basic_knn are what they are made of.
//   mlp, matrix_factorisation
//                   rivals that are trained on all LLMs at once: retrained for each LLM that joins, so none can enrol.
//
// Not provided: predictors with a network per LLM (an LLM that joins would need a training of its own).

#include <uniroute/predict/avengers.hpp>
#include <uniroute/predict/blended_cells.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/matrix_factorisation.hpp>
#include <uniroute/predict/mlp.hpp>
#include <uniroute/predict/prox_router.hpp>
