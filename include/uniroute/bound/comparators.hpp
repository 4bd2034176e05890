#pragma once

// Classes of rules that a router can be certified against.

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <uniroute/arrays.hpp>
#include <uniroute/bound/detail/comparison_sample.hpp>
#include <uniroute/concepts/clustering.hpp>
#include <uniroute/detail/check.hpp>
#include <uniroute/errors.hpp>
#include <utility>
#include <vector>

namespace uniroute {

/// Classes of rules to be compared with. They must be fixed before the sample is looked at.
namespace against {

/// Every rule that asks one LLM whatever the prompt.
struct best_single {};

/// Every rule that is constant on the cells of a clustering that was fitted on other prompts. Holds a copy.
template <clustering Clustering>
struct cells {
  Clustering clustering;
};
template <class Clustering>
cells(Clustering) -> cells<Clustering>;

/// Every rule there is, in hindsight: the best LLM for every single answer. No rule can be better, and how much of the
/// bound is luck that no rule can know is not said.
struct every_rule {};

/// Some rules, each by its choices for the prompts of the sample, as indices of the router's models(). Not to be chosen
/// by the sample's outcomes.
struct rules {
  std::vector<std::vector<std::uint32_t>> choices;
};

}  // namespace against

namespace detail {

template <class T>
inline constexpr bool is_cells_class = false;
template <class Clustering>
inline constexpr bool is_cells_class<against::cells<Clustering>> = true;

template <class T>
concept comparator_class = std::same_as<T, against::best_single> || std::same_as<T, against::every_rule> ||
    std::same_as<T, against::rules> || is_cells_class<T>;

/// Puts the class into the sample: cells, or for a list of rules one column a rule.
template <class Comparators>
void set_class(std::string_view function, const Comparators& comparators, const embedding_matrix& x,
               comparison_sample& s) {
  const std::size_t n = rows(s.difference);
  if constexpr (std::same_as<Comparators, against::best_single>) {
    s.cells.assign(n, 0);
    s.count = 1;
  } else if constexpr (std::same_as<Comparators, against::every_rule>) {
    // One cell, whose only rival is the best answer to each prompt.
    auto best = make_matrix<double>(n, 1);
    for (std::size_t i = 0; i < n; ++i) {
      const auto d = row(s.difference, i);
      best(i, 0) = *std::max_element(d.begin(), d.end());
    }
    s.difference = std::move(best);
    s.cells.assign(n, 0);
    s.count = 1;
  } else if constexpr (std::same_as<Comparators, against::rules>) {
    require(!comparators.choices.empty(), function, ": rules has 0 rules, but must have at least 1");
    auto of = make_matrix<double>(n, comparators.choices.size());
    for (std::size_t c = 0; c < comparators.choices.size(); ++c) {
      const auto& choices = comparators.choices[c];
      require(choices.size() == n, function, ": rule ", c, " has ", choices.size(),
              " choices, but must have one for each prompt of the sample, ", n);
      for (std::size_t i = 0; i < n; ++i) {
        require(choices[i] < columns(s.difference), function, ": a choice of rule ", c, " is ", choices[i],
                ", but must be below the number of models, ", columns(s.difference));
        of(i, c) = s.difference(i, choices[i]);
      }
    }
    s.difference = std::move(of);
    s.cells.assign(n, 0);
    s.count = 1;
  } else {
    s.count = comparators.clustering.size();
    require<not_fitted>(s.count != 0, function, ": the comparators' clustering has no cells: fit must come first");
    s.cells = comparators.clustering.assign(x);
  }
}

}  // namespace detail

}  // namespace uniroute
