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
// Intervals themselves are in stats/.

#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/cell_shares.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/certify.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/simultaneous.hpp>
