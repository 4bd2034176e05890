#pragma once

// Embeddings → embeddings of another space, in which any clustering, predictor or kernel may live.
//
// There are
//   raw_embedding   x → x. A place holder in concatenations.
//   projection      principal components, whitened or not, or a given matrix. Reads no outcome: saves time and memory.
//
//   skills          the directions along which the seen LLMs differ. On tables of many subjects it doubles what
//                   neighbours are worth; it needs a few seen LLMs with outcomes on many training prompts.
//
//   item_traits     difficulty and discrimination of prompts, by item response theory.
//   concatenation   two side by side, with weights.
// A predictor lives in the space of a transform as transformed{transform, predictor} (predict/transformed.hpp), a
// kernel as transformed_kernel{transform, kernel} (predict/kernels.hpp), which also chooses its strength on LLMs that
// the transform was not fitted on.
//
// Not provided: non-linear maps trained by gradient descent; the learned cluster map is one, onto cells.

#include <uniroute/transform/concatenation.hpp>
#include <uniroute/transform/item_traits.hpp>
#include <uniroute/transform/projection.hpp>
#include <uniroute/transform/raw_embedding.hpp>
#include <uniroute/transform/skills.hpp>
