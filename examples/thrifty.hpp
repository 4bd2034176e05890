#pragma once

// What the jobs on enrolment and on growing pools add to experiment.hpp.

#include "experiment.hpp"

namespace thrifty {

namespace ur = uniroute;
using experiment::ordered_json;
using experiment::p_text;
using experiment::progress_bar;
using experiment::settings;
using experiment::signed_number;
using experiment::to_json;
using task = experiment::source;

/// The table and its encoder, announced on the terminal.
inline task read_task(const settings& s) {
  task out = experiment::open_source(s);
  experiment::announce(out);
  return out;
}

/// With the p-value of "the mean is zero".
inline ordered_json tested_json(const ur::mean_estimate& e) {
  return {{"mean", e.mean}, {"low", e.low}, {"high", e.high}, {"p_corrected_t", e.p_value}};
}

inline ordered_json table_json(const ur::routing_table& table) {
  return {{"name", table.name()},
          {"prompts", table.size()},
          {"models", table.model_count()},
          {"missing", table.missing_share()}};
}

inline ordered_json convention_json() {
  const ur::curve_convention c = ur::default_convention;
  return {{"anchor", ur::curve_anchor_name},
          {"interpolation", ur::name_of(c.interpolation)},
          {"envelope", ur::name_of(c.envelope)},
          {"normaliser", ur::name_of(c.normaliser)}};
}

inline void print_table(const std::vector<std::vector<std::string>>& rows) {
  experiment::print_table(rows, rows.empty() ? 0 : rows.front().size());
}

}  // namespace thrifty
