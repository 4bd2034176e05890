#pragma once

// What a rule loses to the best one, where error probabilities are known.
//
// There are
//   population_of       what regret is measured on: all of an enumerable world, or a sample of any.
//   oracle_choices, oracle_at_budget   the optimal rule at a λ and at a budget; risk_of, regret_of, trace_regret.
//   truth_of, approximation_of, take_apart   what a map makes of a world: Ψ*, the bounds' terms, the parts of regret.
//   search_softmax_maps   the best map of a world that a search finds: what a learned map is measured against.
//
// Not provided: regret on real tables, where no error probability is known; bound/ certifies it there.

#include <uniroute/regret/cell_truth.hpp>
#include <uniroute/regret/map_search.hpp>
#include <uniroute/regret/oracle.hpp>
#include <uniroute/regret/population.hpp>
#include <uniroute/regret/regret_of.hpp>
