#pragma once

// Embeddings → cells.
//
// There are
//   kmeans          Lloyd's algorithm, k-means++ seeding, several starts. The paper's, and the default.
//   single_cluster  one cell: the prompt-independent router. Take it as a baseline.
//   prefitted       cells that were found already, shared by several predictors.
//   given_labels    cells that you name (the table's categories, another program's clusters).
//
// Not provided: density clustering (prompts of no cell would have no profile), hierarchies (cells must partition).

#include <uniroute/cluster/given_labels.hpp>
#include <uniroute/cluster/kmeans.hpp>
#include <uniroute/cluster/prefitted.hpp>
#include <uniroute/cluster/seeding.hpp>
#include <uniroute/cluster/single_cluster.hpp>
