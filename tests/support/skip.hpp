#pragma once

// Tests that need what is not in the repository (real tables, a model, NumPy, a locale) are tagged [outside] and say so
// where it is absent. ctest then reports them as skipped, not as passed (main.cpp's return code).

#include <string>

namespace uniroute_tests {

/// Says what is absent; the test returns or goes on with the rest.
void skip(const std::string& what);

}  // namespace uniroute_tests
