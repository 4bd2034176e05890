#pragma once

// Experiments that read and write: tables and encoders by name, results as JSON and CSV, pages, long jobs that go on.
//
// There are
//   run_comparison       methods beside each other on a table: page, JSON, CSV, terminal. With a command line:
//                        experiment/command_line.hpp (needs CLI11).
//   open_experiment      a table, or a simulated world, with its encoder; make_encoder by name, cached.
//   results_json, trials_csv, table_json, estimate_json, gain_json …   what was found.
//   run_resumable, resumable_results   trials that are kept as they are finished.
//   standard_studies     the protocol with one thing changed.
//   look_closely         one method in one trial. add_curves … and other parts of a page.
//
// Not part of uniroute.hpp, which needs none of this; experiment/experiment.hpp has what computes.

#include <uniroute/experiment/close_look.hpp>
#include <uniroute/experiment/comparison.hpp>
#include <uniroute/experiment/encoders.hpp>
#include <uniroute/experiment/page_parts.hpp>
#include <uniroute/experiment/results.hpp>
#include <uniroute/experiment/resumable.hpp>
#include <uniroute/experiment/source.hpp>
#include <uniroute/experiment/studies.hpp>
#include <uniroute/experiment/terminal.hpp>
#include <uniroute/experiment/verdict.hpp>
