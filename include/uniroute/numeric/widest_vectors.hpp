#pragma once

// Runs a loop compiled for the widest vectors of the machine it finds itself on, in a program built for any x86-64.
//
// Only for bodies whose bits do not depend on the width: lanes of a fixed number, nothing fused (-ffp-contract=off).

namespace uniroute::detail {

#if defined(__x86_64__) && defined(__GNUC__)

template <class Body>
[[gnu::target("avx512f")]] void with_avx512(Body& body) {
  body();
}

template <class Body>
[[gnu::target("avx2")]] void with_avx2(Body& body) {
  body();
}

/// Calls body(), a lambda marked __attribute__((always_inline)), as must be what it calls in its loops.
template <class Body>
void widest_vectors(Body&& body) {
  static const int width = __builtin_cpu_supports("avx512f") ? 512 : __builtin_cpu_supports("avx2") ? 256 : 128;
  if (width == 512) return with_avx512(body);
  if (width == 256) return with_avx2(body);
  body();
}

#else

template <class Body>
void widest_vectors(Body&& body) {
  body();
}

#endif

}  // namespace uniroute::detail
