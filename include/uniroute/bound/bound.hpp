#pragma once

// What can be promised of a router, and with which probability.
//
// There are
//   certify_against        by how much any router may be worse than the best rule of a class that was fixed beforehand
//                          (best single LLM, cells, every rule); the tightest. certify_path: at several prices
//                          at once, and between them. certify_against_own_cells: on the
//                          enrolment rows. Take it to know how good a router is.
//   certify_ladder         the same of a ladder: LLMs asked one after another, all that was paid counts.
//   comparator_watch       the same for prompts that come one batch after another, valid at every look.
//   certify_paired         per cell: by how much another LLM may be better than the router's, paired by prompt (Hsu).
//   certify<Interval>      excess risk to the best cell-constant rule, for hard cells; uniform and gap-adaptive.
//                          Take it to see which cell and LLM want labels.
//   certify_with           the same with any way to simultaneous intervals.
//   certify_counts         the same from counts and sums, without a router; certify_cells: from intervals.
//   bonferroni<Interval>   simultaneous intervals; the default.
//   multiplier_bootstrap   the same, narrower where LLMs fail together; asymptotic.
//   inverse_probability    the same where missing outcomes depend on the prompt within a cell, by a known law.
//   eliminate              LLMs that are beyond doubt worse than their cell's choice, by step-down; no widths.
//   labels_for_width       how many labels a certificate takes, before any is bought; more_labels: after some were.
//   certify_soft           excess risk by profiles, for soft maps.
//   certify_memberships, soft_intervals   the same without a router.
//   certify_held_out       risk, J and paired differences to every single LLM and to ZeroRouter, of any router.
//   certify_hindsight      total regret of any router, valid and loose.
//   evaluate_from_log, compare_from_log   what another router would have lost, from the log of the one that ran: IPS,
//                          self-normalised and doubly robust. Take them where every prompt has one answer.
//   curve_band             quality and cost along λ, all prices at once; multiplier bootstrap or guaranteed.
//   prediction_powered     a risk from few labels and many predictions; asymptotic.
//   guard_quality, guard_cost   routers whose promise was tested before it is given (route/guarded_rule.hpp).
//   cells_by_certificate   K, or any of several routers, by the least upper bound on its held-out J. Needs prompts that
//                          no candidate has seen; promises what it chooses.
//   estimate_heterogeneity      how much error rates vary inside cells: an estimate, never a bound.
//   known_shares, estimated_shares   what is known of the cell shares.
//   contributions          which cell and which LLM a certificate is made of.
//   draw_types, gather_cells, draw_outcomes   validation samples of discrete worlds, as certificates see them.
//   standard_claims, counterexample_search    every bound as a claim, and a search that tries to break it.
// Intervals themselves are in stats/.

#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/bound/cell_shares.hpp>
#include <uniroute/bound/cells_by_certificate.hpp>
#include <uniroute/bound/certificate.hpp>
#include <uniroute/bound/certify.hpp>
#include <uniroute/bound/certify_against.hpp>
#include <uniroute/bound/certify_held_out.hpp>
#include <uniroute/bound/certify_ladder.hpp>
#include <uniroute/bound/certify_paired.hpp>
#include <uniroute/bound/certify_path.hpp>
#include <uniroute/bound/certify_soft.hpp>
#include <uniroute/bound/claims.hpp>
#include <uniroute/bound/comparator_watch.hpp>
#include <uniroute/bound/comparators.hpp>
#include <uniroute/bound/confidence_level.hpp>
#include <uniroute/bound/counterexample_search.hpp>
#include <uniroute/bound/curve_band.hpp>
#include <uniroute/bound/draw_cells.hpp>
#include <uniroute/bound/elimination.hpp>
#include <uniroute/bound/guard.hpp>
#include <uniroute/bound/heterogeneity.hpp>
#include <uniroute/bound/inverse_probability.hpp>
#include <uniroute/bound/multiplier_bootstrap.hpp>
#include <uniroute/bound/off_policy.hpp>
#include <uniroute/bound/planning.hpp>
#include <uniroute/bound/prediction_powered.hpp>
#include <uniroute/bound/simultaneous.hpp>
