// Included before everything when the tests are compiled with mutants in the headers: says which one is on.
#pragma once

#include <cstdlib>

#include <type_traits>

#include <fcntl.h>
#include <unistd.h>

namespace uniroute_mutants {

/// The number of mutants that a run can hold.
inline constexpr int most = 1 << 16;
inline const int active = std::getenv("UNIROUTE_MUTANT") ? std::atoi(std::getenv("UNIROUTE_MUTANT")) : 0;
inline bool reached[most] = {};

// Written when the program ends: one byte for each mutant, 1 where its place was executed.
struct report {
  ~report() {
    const char* name = std::getenv("UNIROUTE_REACHED");
    if (!name) return;
    const int file = ::open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ::write(file, reached, most) != most) std::abort();
    ::close(file);
  }
};
inline const report at_end;

}  // namespace uniroute_mutants

/// Whether the mutant of this number is on; never while the compiler evaluates.
constexpr bool uniroute_mutant(int number) {
  if (std::is_constant_evaluated()) return false;
  __atomic_store_n(&uniroute_mutants::reached[number], true, __ATOMIC_RELAXED);
  return uniroute_mutants::active == number;
}
