#include <catch2/catch.hpp>
#include <cstdint>
#include <new>
#include <support/allocation_counter.hpp>
#include <vector>

namespace {

struct alignas(64) wide {
  double values[8];
};

// The compiler may leave out a pair of new and delete whose block nobody sees.
void show(const void* block) { asm volatile("" : : "g"(block) : "memory"); }

}  // namespace

TEST_CASE("the allocation counter sees every form of new") {
  const uniroute_tests::allocation_counter counter;
  const std::size_t none = counter.count();
  auto* one = new int(1);
  show(one);
  const std::size_t scalar = counter.count();
  auto* many = new int[8];
  show(many);
  const std::size_t array = counter.count();
  auto* aligned = new wide;
  show(aligned);
  const bool at_64 = reinterpret_cast<std::uintptr_t>(aligned) % 64 == 0;
  const std::size_t over_aligned = counter.count();
  auto* quiet = new (std::nothrow) int(2);
  show(quiet);
  const std::size_t nothrow = counter.count();
  delete quiet;
  delete aligned;
  delete[] many;
  delete one;
  const std::size_t after = counter.count();
  CHECK(none == 0);
  CHECK(scalar == 1);
  CHECK(array == 2);
  CHECK(over_aligned == 3);
  CHECK(at_64);
  CHECK(nothrow == 4);
  CHECK(after == 4);
}

TEST_CASE("the allocation counter sees a growing vector, and none that has room") {
  std::vector<double> values;
  values.reserve(4);
  const uniroute_tests::allocation_counter counter;
  values.assign(4, 1.0);
  const std::size_t room = counter.count();
  values.resize(5);
  const std::size_t grown = counter.count();
  CHECK(room == 0);
  CHECK(grown == 1);
}
