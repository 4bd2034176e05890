#pragma once

// What a promise remembers of the pool that it was tested with.

#include <cstdint>
#include <string>

namespace uniroute {

/// One LLM of a pool, by its name and by hashes of what its profile and its cost were made of.
struct pool_member {
  std::string name;
  std::uint64_t outcomes = 0;  ///< of the losses (and weights) it was enrolled with
  std::uint64_t cost = 0;      ///< of its cost or costs

  bool operator==(const pool_member&) const = default;
};

}  // namespace uniroute
