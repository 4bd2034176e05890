#pragma once

// Validation outcomes → profiles Ψ.
//
// There are
//   cell_mean      the mean of each cell's observed outcomes. The paper's; noisy where cells are small.
//   shrunken_mean  the same pulled to the LLM's overall mean, by a strength that is given or estimated from the seen
//                  LLMs. Take it by default.
//   two_level_mean the same on two levels: small cells are pulled to the group of cells around them, groups to the
//                  overall mean. Take it where cells are many (K > 50).
//
// Not provided: medians and trimmed means (the mean of 0-1 losses is the quantity a rule trades against cost).

#include <uniroute/estimate/cell_mean.hpp>
#include <uniroute/estimate/shrunken.hpp>
#include <uniroute/estimate/summarise_cells.hpp>
#include <uniroute/estimate/two_level_mean.hpp>
