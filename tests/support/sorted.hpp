#pragma once

// Samples in the order of real tables: a statement that holds for a sample must hold however its rows are sorted.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <uniroute/arrays.hpp>
#include <uniroute/data/loss_order.hpp>
#include <vector>

namespace sorted {

template <class T>
std::vector<T> take(const std::vector<T>& values, const std::vector<std::size_t>& order) {
  std::vector<T> out;
  for (const std::size_t i : order) out.push_back(values[i]);
  return out;
}

inline uniroute::matrix<double> take(const uniroute::matrix<double>& m, const std::vector<std::size_t>& order) {
  return uniroute::take_rows(m, std::span(order));
}

/// Rows of all that is given by the mean of the first's rows, where `on`; else nothing happens.
template <class... Others>
void rows(bool on, uniroute::matrix<double>& by, Others&... others) {
  if (!on) return;
  const auto order = uniroute::loss_order(by);
  by = take(by, order);
  ((others = take(others, order)), ...);
}

}  // namespace sorted
