#pragma once

// What an experiment is: how many trials, how each splits prompts and LLMs, and what methods are measured by and
// beside.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/references.hpp>
#include <vector>

namespace uniroute {

/// Embeddings of the whole table (n x D) by an encoder that was fitted on the training rows alone.
using embed_function = std::function<embedding_matrix(std::span<const std::size_t> training_rows)>;

/// How many trials `run_protocol` draws, and how each of them splits prompts and LLMs.
struct protocol_options {
  std::size_t trials = 100;
  std::size_t first_trial = 0;  ///< trials first_trial … first_trial + trials - 1 are run: long jobs run them in parts
  std::uint64_t seed = 1;
  std::size_t validation_prompts = 400;  ///< validation prompts of a trial; at most half of those not in the test
  double test = 0.3;                     ///< share of prompts
  double seen_models = 2.0 / 3;          ///< share of LLMs
  std::string together = {};             ///< a column of models.csv: LLMs that are equal there are hidden together
  std::size_t threads = 0;               ///< 0: all of the machine; never changes a bit
  bool static_pool = false;              ///< hide no LLM: all are seen and unseen
  double hidden = 0;                     ///< share of training and validation outcomes that are hidden at random
  bool shift = false;                    ///< fit on other categories than one, drawn per trial, that is routed
  bool clairvoyant = false;              ///< fills `trial_data::clairvoyant_losses`, which clairvoyant methods ask for
  std::vector<reference_curve> references = standard_references();       ///< drawn beside the methods
  std::vector<named_metric> metrics = {};                                ///< measured beside `standard_metrics`
  std::function<void(std::size_t done, std::size_t all)> on_trial = {};  ///< progress; called under a lock
};

}  // namespace uniroute
