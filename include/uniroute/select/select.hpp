#pragma once

// Choices made by treating seen LLMs as if they were new.
//
// There are
//   rehearsals_of      trials made of a trial's training set, in which seen LLMs play the unseen ones.
//   selected_on_seen   the best of several methods there. The paper chooses K so; take it for hyper-parameters.
//   stacked_on_seen    a mixture of several methods, weighted there. Take it for whole methods.
//   stacked, guarded   the same as a predictor: any predictors mixed, or one pulled to the prompt-independent
//   prediction.
//
// Not provided: choices by the unseen LLMs' own outcomes (their few hundred labels are what predictions are made of).

#include <uniroute/select/rehearsal.hpp>
#include <uniroute/select/seen_as_new.hpp>
#include <uniroute/select/stacked.hpp>
#include <uniroute/select/stacked_on_seen.hpp>
#include <uniroute/select/stacking.hpp>
