#pragma once

// Kernels: how much an LLM's losses on two prompts resemble each other. One for all LLMs.
//
// There are
//   linear_kernel       the embedding itself; with it a Gaussian process is ridge regression.
//   rbf_kernel          near prompts alike, far ones unrelated; its length scale is chosen.
//   transformed_kernel  any kernel in the space of any transform, such as skills.
//   kernel_sum          two kernels, with weights that are given or chosen. Linear + skills routes well everywhere.

#include <uniroute/predict/kernel_sum.hpp>
#include <uniroute/predict/linear_kernel.hpp>
#include <uniroute/predict/rbf_kernel.hpp>
#include <uniroute/predict/transformed_kernel.hpp>
