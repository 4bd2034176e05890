#pragma once

// What can be promised of a router, and with which probability.
//
// There are
//   certify<Interval>   excess risk to the best cell-constant rule, for hard cells.
//   hoeffding           intervals for any losses in [0, 1].
//   exact_binomial      intervals for 0-1 losses (as_binary(table)); much tighter where losses are rare or common.
//
// Not provided: a certificate of total regret from single answers (the Bayes error of a prompt is never observed),
// normal approximations (their coverage fails at the small counts of cells).

#include <uniroute/bound/certify.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/exact_binomial.hpp>
#include <uniroute/bound/hoeffding.hpp>
