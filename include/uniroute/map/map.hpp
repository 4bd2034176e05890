#pragma once

// Embeddings → memberships Φ.
//
// There are
//   nearest_map    hard: the nearest centroid. The paper's cells; what exact binomial certificates ask for.
//   proximity_map  soft: softmax of −distance² / bandwidth. Take it by default: cells blend into each other, so small
//                  ones borrow from their neighbours.
//   learned_map    soft: starts as the proximity map and moves its cells so that the seen LLMs' outcomes fit better.
//                  Take it where many LLMs were seen; where that does not help LLMs held back, it stays at its start.
//
// Not provided: memberships that may be negative or not add up to 1 (γ̂ would leave [0, 1]).

#include <uniroute/map/learned_map.hpp>
#include <uniroute/map/memberships.hpp>
#include <uniroute/map/nearest_map.hpp>
#include <uniroute/map/proximity_map.hpp>
