#pragma once

// Choices made by treating seen LLMs as if they were new, or by what can be promised.
//
// There are
//   rehearsals_of      trials made of a trial's training set, in which seen LLMs play the unseen ones.
//   selected_on_seen   the best of several methods there. The paper chooses K so; take it for hyper-parameters.
//   stacked_on_seen    a mixture of several methods, weighted there. Take it for whole methods.
//   stacked, guarded   the same as a predictor: any predictors mixed, or one pulled to the prompt-independent
//   prediction.
//   cells_by_certificate   K, or any of several routers, by the least upper bound on its held-out J. Needs prompts that
//                      no candidate has seen; promises what it chooses.
//
// Not provided: choices by the unseen LLMs' own outcomes (their few hundred labels are what predictions are made of).

#include <uniroute/select/cells_by_certificate.hpp>
#include <uniroute/select/rehearsal.hpp>
#include <uniroute/select/seen_as_new.hpp>
#include <uniroute/select/stacked.hpp>
#include <uniroute/select/stacked_on_seen.hpp>
#include <uniroute/select/stacking.hpp>
