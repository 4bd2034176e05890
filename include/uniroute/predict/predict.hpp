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
//   ridge           a regression of each LLM's losses on the embedding, shrunken by what the seen LLMs say.
//   gaussian_process  the same with any kernel: near prompts, skills, sums.
//   item_response   difficulty and discrimination of prompts, abilities of LLMs.
//   logistic_regression  on a few features, with a prior from the seen LLMs: put a transform before it.
//   transformed     any of these in the space of a transform, such as skills.
//   stacked, guarded   any of these mixed by how well they do on seen LLMs treated as new, or one pulled towards the
//                   prompt-independent prediction.
//
// Not provided: predictors with a network per LLM (an LLM that joins would need a training of its own).

#include <uniroute/predict/avengers.hpp>
#include <uniroute/predict/blended_cells.hpp>
#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/predict/item_response.hpp>
#include <uniroute/predict/kernels.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/logistic_regression.hpp>
#include <uniroute/predict/matrix_factorisation.hpp>
#include <uniroute/predict/mlp.hpp>
#include <uniroute/predict/prox_router.hpp>
#include <uniroute/predict/ridge.hpp>
#include <uniroute/predict/stacked.hpp>
#include <uniroute/predict/stacking.hpp>
#include <uniroute/predict/transformed.hpp>
