#pragma once

// Worlds: distributions of prompts and answers whose error probabilities are known, so that regret is.
//
// There are
//   simulated_world       published LLMs' accuracies and prices by subject; tables that look like real ones.
//   discrete_world        finitely many types of prompts; take it where regret must be exact.
//   gaussian_world        Gaussian mixtures and logistic skills; means have a standard error.
//   random_cells, smooth_line, fit_world   discrete worlds: at random, on a line, shaped like a real table.
//   with_heterogeneity    the dial of what differs inside cells.
//   soft_counterexample, soft_means_counterexample, hard_counterexample, near_ties   worlds that make bounds tight.
//   sequential_world      tokens, of which each changes what follows: CITER's routing between a small and a large LLM.
//
// Not provided: worlds whose prompts depend on each other (conversations), or whose answers do.

#include <uniroute/concepts/world.hpp>
#include <uniroute/world/adversarial_worlds.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <uniroute/world/fit_world.hpp>
#include <uniroute/world/gaussian_world.hpp>
#include <uniroute/world/random_worlds.hpp>
#include <uniroute/world/sequential_world.hpp>
#include <uniroute/world/simulated_world.hpp>
#include <uniroute/world/world_figures.hpp>
#include <uniroute/world/world_sample.hpp>
