#pragma once

// What of the seen LLMs' outcomes a method learns from.

#include <algorithm>
#include <cstddef>
#include <uniroute/arrays.hpp>
#include <uniroute/missing.hpp>
#include <uniroute/observed.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// How hard a prompt is for every LLM does not change where it should go; only differences between LLMs do.
enum class outcome_target {
  losses,      ///< the losses themselves: for predictions that are to be right, not only in the right order
  contrasts,   ///< less the prompt's mean over the LLMs observed on it
  neighbours,  ///< between LLMs next to each other in order of mean loss: the choices that a router has to make
};

namespace detail {

/// Losses less the prompt's mean over the LLMs observed on it: how hard a prompt is for everyone does not change where
/// it goes. With one LLM nothing can be compared, and the losses stay; prompts that fewer than two of several LLMs were
/// run on are missing.
inline loss_matrix contrasts(const loss_matrix& losses) {
  loss_matrix out = losses;
  if (columns(losses) < 2) return out;
  for (std::size_t i = 0; i < rows(out); ++i) {
    observed_sum of_prompt;
    for (const double v : row(losses, i)) of_prompt.add(v);
    for (double& v : row(out, i)) {
      if (!is_missing(v)) v = of_prompt.count < 2 ? missing : v - of_prompt.mean(missing);
    }
  }
  // Where no prompt was run on two LLMs, nothing can be compared either.
  return std::all_of(out.begin(), out.end(), is_missing) ? losses : out;
}

/// Losses of LLMs next to each other in order of their mean loss, subtracted: m - 1 columns for m LLMs with outcomes.
/// The losses stay where no prompt was run on two neighbours.
inline loss_matrix neighbour_differences(const loss_matrix& losses) {
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t h = 0; h < columns(losses); ++h) {
    const double mean = column_mean(losses, h, missing);
    if (!is_missing(mean)) order.emplace_back(mean, h);
  }
  std::sort(order.begin(), order.end());
  if (order.size() < 2) return losses;
  auto out = make_matrix<double>(rows(losses), order.size() - 1);
  for (std::size_t i = 0; i < rows(losses); ++i) {
    for (std::size_t at = 0; at + 1 < order.size(); ++at) {
      const double a = losses(i, order[at].second), b = losses(i, order[at + 1].second);
      out(i, at) = is_missing(a) || is_missing(b) ? missing : a - b;
    }
  }
  return std::all_of(out.begin(), out.end(), is_missing) ? losses : out;
}

/// What `target` makes of losses (n x M): n x M, or fewer columns.
inline loss_matrix targets_of(outcome_target target, const loss_matrix& losses) {
  switch (target) {
    case outcome_target::contrasts:
      return contrasts(losses);
    case outcome_target::neighbours:
      return neighbour_differences(losses);
    case outcome_target::losses:
      break;
  }
  return losses;
}

}  // namespace detail

}  // namespace uniroute
