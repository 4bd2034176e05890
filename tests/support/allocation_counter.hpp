#pragma once

// How often a piece of code asks the heap for memory. support/allocation_counter.cpp, which is part of every unit-test
// program, replaces the global operator new; AddressSanitizer still sees each block, as they come from malloc.

#include <cstddef>

namespace uniroute_tests {

/// Calls of any operator new in this process so far, on all threads. (BLAS and malloc called directly do not count.)
std::size_t allocations() noexcept;

/// While one lives, the n-th call of operator new from its construction on throws std::bad_alloc, n from 0, once; what
/// comes after succeeds. For tests that nothing is lost or half-done.
class failing_allocation {
 public:
  explicit failing_allocation(std::size_t n) noexcept;
  ~failing_allocation();
  failing_allocation(const failing_allocation&) = delete;
  failing_allocation& operator=(const failing_allocation&) = delete;
};

/// Counts from its construction on.
///
///     router.route(x);  // the first call may grow its workspace
///     const allocation_counter counter;
///     router.route(x);
///     CHECK(counter.count() == 0);
///
/// Read count() into a variable or compare it directly, as above: CHECK itself allocates, but only afterwards.
class allocation_counter {
 public:
  std::size_t count() const noexcept { return allocations() - start_; }

 private:
  std::size_t start_ = allocations();
};

}  // namespace uniroute_tests
