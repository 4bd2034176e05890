#pragma once

// Everything that stands in a folder: routing tables, models of encoders, fitted routers.
//
// There are
//   read_routing_table, write_routing_table   a table of outcomes.
//   read_transformer, read_tokenizer, safetensors_file   a sentence encoder as Hugging Face lays it out.
//   write_router, read_router, write_state, read_state   what was fitted, bit for bit.
//
// uniroute.hpp leaves these out: they alone need nlohmann/json, which takes more than twice as long to compile as
// xtensor, and they are wanted in the one file of a program that reads and writes, not in those that compute.

#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/data/write_routing_table.hpp>
#include <uniroute/encode/read_tokenizer.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/encode/safetensors.hpp>
#include <uniroute/route/save.hpp>
