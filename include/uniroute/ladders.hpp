#pragma once

// LLMs asked one after another: answers are seen before the next one is asked, and costs add up.
//
// There are
//   threshold_cascade   a fixed order until an answer is accepted, with a cap on what may be spent (FrugalGPT,
//                       RouterBench). Take it where a judge of answers is good.
//   cascade_routing     before each step the best of all sets of LLMs that could still be asked; routing and cascades
//                       are special cases. Take it where there are predictions too.
//   run_ladder, trace_caps, trace_thresholds, trace_ladders   what a ladder does on a table, and its curve.
//   noisy_judge, verifier, judge_answers   judges of answers (score/score.hpp).
//
// Not provided: certificates of cells (certify, certify_paired) for ladders: a choice in a cell is no ladder's.

#include <uniroute/concepts/ladder.hpp>
#include <uniroute/evaluate/trace_ladder.hpp>
#include <uniroute/route/cascade_routing.hpp>
#include <uniroute/route/threshold_cascade.hpp>
#include <uniroute/score/score.hpp>
