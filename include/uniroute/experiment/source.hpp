#pragma once

// What an experiment runs on: a table that was read, or a world that was drawn, and its encoder.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <uniroute/arrays.hpp>
#include <uniroute/data/read_routing_table.hpp>
#include <uniroute/data/routing_table.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/experiment/encoders.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/world/simulated_world.hpp>
#include <utility>

namespace uniroute {

/// What every job takes on its command line.
struct experiment_settings {
  std::string data = {};         ///< directory of a routing table; "": a simulated world
  std::string variant = {};      ///< outcomes_VARIANT.csv and so on
  std::string encoder = "auto";  ///< see `make_encoder`
  std::string cost = "table";    ///< table, params or 1
  std::string out = {};          ///< directory to write
  encoder_settings model = {};   ///< where `encoder` finds what it needs
  std::size_t trials = 100;      ///< random splits
  std::size_t validation = 400;  ///< validation prompts of a trial
  std::size_t threads = 0;       ///< 0: all; never changes a number
  std::uint64_t seed = 1;
  std::string together = {};  ///< a column of models.csv: LLMs that are equal there are hidden together
  bool static_pool = false;   ///< hide no LLM
};

/// A table with what an experiment needs to embed it.
struct experiment_source {
  routing_table table;
  loss_matrix expected = make_matrix<double>(0, 0);  ///< γ* of a simulated world; 0 x 0 for real tables
  std::string encoder;                               ///< what is used, see `make_encoder`
  embed_function embed;
};

/// Reads the table (or draws a simulated world) and finds its encoder. Throws what reading throws, and
/// std::invalid_argument for a cost that is none and for an encoder that the table has nothing for.
inline experiment_source open_experiment(const experiment_settings& s) {
  experiment_source out;
  if (s.data.empty()) {
    auto sample = simulated_world{}.sample(3000, s.seed);
    out.table = std::move(sample.table);
    out.expected = std::move(sample.expected_losses);
  } else {
    using source_of_costs = read_options::cost_source;
    detail::require(s.cost == "table" || s.cost == "params" || s.cost == "1", "open_experiment: cost is '", s.cost,
                    "', but must be table, params or 1");
    const auto costs = s.cost == "params" ? source_of_costs::params
                       : s.cost == "1"    ? source_of_costs::one
                                          : source_of_costs::table;
    out.table = read_routing_table(s.data, {.variant = s.variant, .costs = costs});
  }
  encoder_settings how = s.model;
  how.threads = s.threads;
  auto encoder = make_encoder(out.table, s.encoder, how);
  out.encoder = std::move(encoder.name);
  out.embed = std::move(encoder.embed);
  return out;
}

/// The protocol of the settings.
inline protocol_options options_of(const experiment_settings& s) {
  protocol_options out;
  out.trials = s.trials;
  out.seed = s.seed;
  out.validation_prompts = s.validation;
  out.threads = s.threads;
  out.together = s.together;
  out.static_pool = s.static_pool;
  return out;
}

}  // namespace uniroute
