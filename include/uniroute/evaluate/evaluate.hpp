#pragma once

// Choices → curves, metrics and verdicts.
//
// There are
//   trace_curve         quality against cost at every λ where any choice changes.
//   curve_convention    how a curve becomes a function; carried by every metric.
//   area, normalised_area, quality_neutral_cost, average_gap_recovered, call_performance_threshold
//
//   zero_router, best_single, cheapest, random_choice, hindsight_oracle, shuffled_choices
//                       what is drawn beside a router.
//
//   run_protocol, summarise
//                       the paper's experiment over many trials, with tests that know the trials overlap.
//
//   measure_predictor   Brier score, log loss, AUC and calibration of predicted losses.
//
// Not provided: a grid of λ (it misses switching points, and the area then depends on the grid).

#include <uniroute/evaluate/baselines.hpp>
#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/draw_trial.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/evaluate/protocol.hpp>
#include <uniroute/evaluate/retrained.hpp>
#include <uniroute/evaluate/summarise.hpp>
#include <uniroute/evaluate/trial.hpp>
