#pragma once

// Validation outcomes → profiles Ψ.
//
// There are
//   cell_mean      the mean of each cell's observed outcomes. The paper's; noisy where cells are small.
//   shrunken_mean  the same pulled to the LLM's overall mean, by a strength that is given or estimated from the seen
//                  LLMs. Take it by default.
//   two_level_mean the same on two levels: small cells are pulled to the group of cells around them, groups to the
//                  overall mean. Take it where cells are many (K > 50).
//   lower_confidence<Base>  Base at the lower end of quality: counts against an LLM what is not known of it. Take it
//                  where outcomes are few and unequal among LLMs.
//
// Not provided: medians and trimmed means (the mean of 0-1 losses is the quantity a rule trades against cost).

#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/estimate/lower_confidence.hpp>
#include <uniroute/estimate/shrunken.hpp>
#include <uniroute/estimate/summarise_cells.hpp>
#include <uniroute/estimate/two_level_mean.hpp>
