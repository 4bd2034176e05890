#pragma once

// Embeddings → predicted losses γ̂ of every LLM in the pool.
//
// There are
//   cell_predictor  Φᵀ Ψ: cells, a map onto them, an estimator. UniRoute; the only kind with certificates.
//   knn             the mean over the nearest validation prompts. Needs no fit; the rival to beat.
//
//   ridge           a regression of each LLM's losses on the embedding, shrunken by what the seen LLMs say.
//   gaussian_process  the same with any kernel: near prompts, skills, sums.
//   item_response   difficulty and discrimination of prompts, abilities of LLMs.
//   logistic_regression  on a few features, with a prior from the seen LLMs: put a transform before it.
//   transformed     any of these in the space of a transform, such as skills.
//
// Not provided: predictors trained per LLM (an LLM that joins would need a training of its own).

#include <uniroute/predict/cell_predictor.hpp>
#include <uniroute/predict/gaussian_process.hpp>
#include <uniroute/predict/item_response.hpp>
#include <uniroute/predict/kernels.hpp>
#include <uniroute/predict/knn.hpp>
#include <uniroute/predict/logistic_regression.hpp>
#include <uniroute/predict/ridge.hpp>
#include <uniroute/predict/transformed.hpp>
