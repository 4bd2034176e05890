#pragma once

// Validation samples of discrete worlds as certificates see them: counts and sums, drawn at once instead of row by row.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/cell_sample.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/numeric/count_draws.hpp>
#include <uniroute/random.hpp>
#include <uniroute/world/discrete_world.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// n prompts of the world with one answer of every LLM each, summarised per type (a row of the sample is a type): as
/// `sample` and a count would give them, in distribution though not in bits. O(T M) binomial draws instead of n M
/// answers where losses are 0 or 1; graded losses are drawn one by one, for their squares.
inline cell_sample draw_types(const discrete_world& w, std::size_t n, std::uint64_t seed) {
  random_engine draws(derive_seed(seed, 2));
  std::vector<std::uint64_t> prompts(w.types());
  detail::draw_multinomial(n, w.probabilities(), prompts, draws);
  const auto empty = make_matrix<double>(w.types(), w.models(), 0.0);
  cell_sample out{{prompts.begin(), prompts.end()}, empty, empty, empty};
  const double runs = static_cast<double>(w.runs());
  for (std::size_t t = 0; t < w.types(); ++t) {
    for (std::size_t h = 0; h < w.models(); ++h) {
      const double expected = w.expected_losses()(t, h);
      out.counts(t, h) = static_cast<double>(prompts[t]);
      if (w.runs() == 1) {
        out.sums(t, h) = out.squares(t, h) = static_cast<double>(detail::draw_binomial(prompts[t], expected, draws));
        continue;
      }
      for (std::uint64_t i = 0; i < prompts[t]; ++i) {
        const double loss = static_cast<double>(detail::draw_binomial(w.runs(), expected, draws)) / runs;
        out.sums(t, h) += loss;
        out.squares(t, h) += loss * loss;
      }
    }
  }
  return out;
}

/// The sample in coarser cells: row t of it belongs to cell labels[t]. Throws std::invalid_argument for a length or a
/// label that does not fit.
inline cell_sample gather_cells(const cell_sample& fine, std::span<const std::uint32_t> labels, std::size_t cells) {
  detail::require(labels.size() == fine.cells(), "gather_cells: labels has ", labels.size(), " entries, but must have ",
                  fine.cells());
  const auto empty = make_matrix<double>(cells, fine.models(), 0.0);
  cell_sample out{std::vector<double>(cells, 0.0), empty, empty, empty};
  for (std::size_t t = 0; t < labels.size(); ++t) {
    const std::uint32_t k = labels[t];
    detail::require(k < cells, "gather_cells: labels[", t, "] is ", k, ", but must be below ", cells);
    out.prompts[k] += fine.prompts[t];
    for (std::size_t h = 0; h < fine.models(); ++h) {
      out.counts(k, h) += fine.counts(t, h);
      out.sums(k, h) += fine.sums(t, h);
      out.squares(k, h) += fine.squares(t, h);
    }
  }
  return out;
}

/// The answers themselves, for intervals that need their sequence.
struct drawn_outcomes {
  label_vector types;  ///< n
  loss_matrix losses;  ///< n x M
};

/// n prompts of the world with one answer of every LLM each, without the texts and names of `sample`. O(n M).
/// Throws std::invalid_argument for n = 0.
inline drawn_outcomes draw_outcomes(const discrete_world& w, std::size_t n, std::uint64_t seed) {
  detail::require(n != 0, "draw_outcomes: n is 0, but must be at least 1");
  random_engine draws(derive_seed(seed, 5));
  std::vector<double> cumulative;
  double below = 0;
  for (const double p : w.probabilities()) cumulative.push_back(below += p);
  drawn_outcomes out{label_vector(n), make_matrix<double>(n, w.models())};
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t t = detail::draw_type(draws.uniform(), cumulative);
    out.types[i] = static_cast<std::uint32_t>(t);
    for (std::size_t h = 0; h < w.models(); ++h)
      out.losses(i, h) = static_cast<double>(detail::draw_binomial(w.runs(), w.expected_losses()(t, h), draws)) /
                         static_cast<double>(w.runs());
  }
  return out;
}

}  // namespace uniroute
