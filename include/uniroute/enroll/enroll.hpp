#pragma once

// Few labels per new LLM: which prompts to ask, and what the answers say.
//
// There are
//   random_design        any prompts. Nothing to fit, nothing to go wrong.
//   spread_design        of two prompts that are alike, one. Unweighted, and at least as good as random.
//   stratified_design    so many from each cell: proportionally, or by Neyman's allocation.
//   disagreement_design  more where the seen LLMs disagree; weighted.
//   leverage_design      those that determine a linear model in skills (or any transform) best; draws nothing.
//
// and weighted_mean, horvitz_thompson_mean, difference_mean, enroll_sample to read the answers with.
//
// Not provided: designs that look at the new LLM's first answers (adaptive testing): its labels are asked in one batch,
// so that they can run in parallel, and so that weights are known.

#include <uniroute/enroll/disagreement_design.hpp>
#include <uniroute/enroll/label_estimates.hpp>
#include <uniroute/enroll/leverage_design.hpp>
#include <uniroute/enroll/random_design.hpp>
#include <uniroute/enroll/spread_design.hpp>
#include <uniroute/enroll/stratified_design.hpp>
