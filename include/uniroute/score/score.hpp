#pragma once

// What is known of answers: scores, judges, samples.
//
// There are
//   noisy_judge       a verdict that errs with a given probability, call by call.
//   verifier          a score that ranks right answers above wrong ones with a given probability.
//   judge_answers     scores of all answers of a table by a judge.
//   recorded_scores   scores by prompt and LLM that somebody has recorded; read_scores (score/read_scores.hpp) reads
//   them. meaning_clusters, semantic_entropy, predictive_entropy, self_consistency   how sure an LLM is, from several
//   answers;
//                     read_samples reads such.
//   isotonic_calibration, platt_calibration, temperature_calibration   from a score to an expected loss, on validation
//                     outcomes; reliability_of draws and measures how far such are off.
//   prefer_by_confidence   which of two LLMs is surer.

#include <uniroute/score/calibrate.hpp>
#include <uniroute/score/judge.hpp>
#include <uniroute/score/recorded_scores.hpp>
#include <uniroute/score/uncertainty.hpp>
