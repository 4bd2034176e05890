#pragma once

// What can be promised of a router, and with which probability.
//
// There are
//   certify<Interval>      excess risk to the best cell-constant rule, for hard cells; uniform and gap-adaptive.
//   certify_with           the same with any way to simultaneous intervals.
//   certify_counts         the same from counts and sums, without a router; certify_cells: from intervals.
//   bonferroni<Interval>   simultaneous intervals.
//   known_shares, estimated_shares   what is known of the cell shares.
//   contributions          which cell and which LLM a certificate is made of.
//   draw_types, gather_cells, draw_outcomes   validation samples of discrete worlds, as certificates see them.
//   standard_claims, counterexample_search    every bound as a claim, and a search that tries to break it.
// Intervals themselves are in stats/.

#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/cell_shares.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/certify.hpp>
#include <uniroute/bound/claims.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/counterexample_search.hpp>
#include <uniroute/bound/draw_cells.hpp>
#include <uniroute/bound/simultaneous.hpp>
