#pragma once

// Methods beside each other: many random splits of a table by prompt and by LLM, every method on each, means and tests.
//
// There are
//   routing_method      a named function of a trial, with a role. predictor_method makes one of any pool_adaptive
//                       predictor, router_method of a whole router with its encoder, rule and cost policy,
//                       retrained_method and clairvoyant_method of predictors that cannot enrol, encoded_by gives a
//                       method an encoder of its own, relabelled other labels than outcomes.
//   cascade_method, routerbench_cascade, cascade_routing_method
//                       LLMs asked one after another, beside routers on the same axis of cost.
//   run_protocol, summarise   the paper's experiment over many trials, with tests that know that the trials overlap.
//   named_metric        what a curve is measured by: a row of standard_metrics, or of protocol_options::metrics.
//   zero_router, best_single, cheapest
//   reference_curve, standard_references, cost_matched, bayes_oracle
//                       what is drawn beside a router.
//   rehearsals_of       trials made of a trial's training set, in which seen LLMs play the unseen ones.
//   selected_on_seen    the best of several methods there. The paper chooses K so; take it for hyper-parameters.
//   stacked_on_seen     a mixture of several methods, weighted there. Take it for whole methods.
//
// standard_methods, those that reports compare, are in experiment/methods.hpp, which includes every predictor.
//
// Not provided: choices by the unseen LLMs' own outcomes (their few hundred labels are what predictions are made of).

#include <uniroute/experiment/draw_trial.hpp>
#include <uniroute/experiment/encoded_by.hpp>
#include <uniroute/experiment/graded_trial.hpp>
#include <uniroute/experiment/label_sources.hpp>
#include <uniroute/experiment/ladder_method.hpp>
#include <uniroute/experiment/method.hpp>
#include <uniroute/experiment/metric_set.hpp>
#include <uniroute/experiment/protocol.hpp>
#include <uniroute/experiment/protocol_options.hpp>
#include <uniroute/experiment/references.hpp>
#include <uniroute/experiment/rehearsal.hpp>
#include <uniroute/experiment/relabelled.hpp>
#include <uniroute/experiment/retrained.hpp>
#include <uniroute/experiment/router_method.hpp>
#include <uniroute/experiment/seen_as_new.hpp>
#include <uniroute/experiment/stacked_on_seen.hpp>
#include <uniroute/experiment/summarise.hpp>
#include <uniroute/experiment/trial.hpp>
