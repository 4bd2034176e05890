#pragma once

// Is a difference more than luck, and how well is a mean known?
//
// Tests over splits and LLMs
//   corrected_resampled_t  mean, interval and p-value over overlapping splits. Take it for anything averaged over
//   trials. sign_test              the paper's; it takes trials for independent. cluster_bootstrap      an interval
//   over LLMs instead of splits. holm                   which of many hypotheses are rejected, whatever their
//   dependence. student_t_quantile, student_t_two_sided, normal_upper_quantile, normal_upper_tail
//
// Intervals for the mean of i.i.d. losses in [0, 1] (concepts/interval.hpp)
//   exact_binomial         0-1 losses (as_binary). Take it for them.
//   betting                graded losses; needs the losses themselves. Take it for them.
//   hoeffding              from the sum alone; the simplest, and the widest where losses are rare or common.
//   empirical_bernstein    from sum and sum of squares; good at n in the thousands and little variance.
//   wilson                 approximate; tagged asymptotic, refused by certificates unless told otherwise.
//   any_time<I>            any of them, for all sample sizes at once. Take it where labels are bought until it is
//   enough. interval_of<I>         any of them from the losses themselves, in any range.
//
// Not provided: tests that assume independent trials without saying so, the Wald interval (it fails where it is used).

#include <uniroute/stats/any_time.hpp>
#include <uniroute/stats/betting.hpp>
#include <uniroute/stats/cluster_bootstrap.hpp>
#include <uniroute/stats/empirical_bernstein.hpp>
#include <uniroute/stats/exact_binomial.hpp>
#include <uniroute/stats/hoeffding.hpp>
#include <uniroute/stats/holm.hpp>
#include <uniroute/stats/interval_of.hpp>
#include <uniroute/stats/normal.hpp>
#include <uniroute/stats/paired_tests.hpp>
#include <uniroute/stats/student_t.hpp>
#include <uniroute/stats/wilson.hpp>
