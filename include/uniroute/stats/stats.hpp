#pragma once

// Is a difference more than luck?
//
// There are
//   corrected_resampled_t  mean, interval and p-value over overlapping splits. Take it for anything averaged over
//   trials. sign_test              the paper's; it takes trials for independent. cluster_bootstrap      an interval
//   over LLMs instead of splits. student_t_quantile, student_t_two_sided
//
// Not provided: tests that assume independent trials without saying so.

#include <uniroute/stats/cluster_bootstrap.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <uniroute/stats/student_t.hpp>
