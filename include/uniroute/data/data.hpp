#pragma once

// What experiments read: prompts x models outcomes and costs.
//
// There are
//   routing_table         the table, immutable and checked once; binary_routing_table (as_binary) has 0-1 losses.
//   read_routing_table, write_routing_table   from and to a directory; in uniroute/files.hpp.
//   derive_costs          costs from prices, lengths, parameters or nothing, as every reader of tables should.
//   with_costs            dollars, seconds and other kinds of costs as one, each at its price.
//   split, split_rows     by prompt and by model; equal prompts stay on one side.
//   folds_of_seen         which seen LLMs play new ones, and on which prompts.
//   held_out              a table that says that nothing was fitted, enrolled or chosen on it; what promises take.
//   read_npy_matrix, write_npy   NumPy arrays; in uniroute/files.hpp.
//
// Not provided: Parquet and Arrow (a large dependency; any language writes CSV), tables that do not fit in memory.

#include <uniroute/data/derive_costs.hpp>
#include <uniroute/data/folds.hpp>
#include <uniroute/data/held_out.hpp>
#include <uniroute/data/loss_order.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/data/split.hpp>
#include <uniroute/data/with_costs.hpp>
