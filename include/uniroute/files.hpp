#pragma once

// Everything that reads or writes files.
//
// There are
//   staged_directory                           a folder that is there when all of it is written, or not at all.
//   read_routing_table, write_routing_table   a table of outcomes: a folder of CSV, JSON lines and arrays.
//   read_npy_matrix, read_npy_vector, write_npy   NumPy arrays.
//   read_transformer, read_tokenizer, safetensors_file   a sentence encoder as Hugging Face lays it out.
//   read_scores, read_samples, read_values   scores of answers, several answers to a prompt, any number an answer.
//   write_router, read_router, write_state, read_state   what was fitted, bit for bit.
//
// uniroute.hpp leaves these out: they need nlohmann/json and the standard library's files, together more than twice
// what xtensor takes to compile, and a program wants them where it reads and writes, not where it computes.

#include <uniroute/data/npy.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/data/staged_directory.hpp>
#include <uniroute/data/write_routing_table.hpp>
#include <uniroute/encode/read_tokenizer.hpp>
#include <uniroute/encode/read_transformer.hpp>
#include <uniroute/encode/safetensors.hpp>
#include <uniroute/route/save.hpp>
#include <uniroute/score/read_scores.hpp>
