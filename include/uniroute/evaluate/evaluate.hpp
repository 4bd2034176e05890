#pragma once

// Choices → curves and metrics.
//
// There are
//   trace_curve         quality against cost at every λ where any choice changes.
//   curve_convention    how a curve becomes a function; carried by every metric.
//   area, normalised_area, quality_neutral_cost, average_gap_recovered, call_performance_threshold
//
//   trace_router, trace_decisions   the curve of a router, or of anything that decides.
//   measure_predictor   Brier score, log loss, AUC and calibration of predicted losses.
//
// Not provided: a grid of λ (it misses switching points, and the area then depends on the grid).

#include <uniroute/evaluate/curve_convention.hpp>
#include <uniroute/evaluate/deferral_curve.hpp>
#include <uniroute/evaluate/metrics.hpp>
#include <uniroute/evaluate/predictor_quality.hpp>
#include <uniroute/evaluate/trace_router.hpp>
