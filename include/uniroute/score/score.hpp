#pragma once

// What is known of answers: scores, judges, samples.
//
// There are
//   noisy_judge       a verdict that errs with a given probability, call by call.
//   verifier          a score that ranks right answers above wrong ones with a given probability.
//   judge_answers     scores of all answers of a table by a judge.

#include <uniroute/score/judge.hpp>
