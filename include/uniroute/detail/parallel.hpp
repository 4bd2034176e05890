#pragma once

// One loop over independent tasks on a few threads. What a task computes depends on its index alone, so results
// do not depend on the number of threads.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace uniroute::detail {

/// The number of threads for a request: 0 means all that the machine has.
inline std::size_t thread_count(std::size_t requested) noexcept {
  if (requested != 0) return requested;
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

/// What parallel_for does with a body of any type, so that threads are compiled once and not for every body.
inline void run_parallel(std::size_t count, std::size_t workers, void* body,
                         void (*call)(void* body, std::size_t index, std::size_t worker)) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::mutex guard;
  std::exception_ptr error;
  std::size_t error_index = std::numeric_limits<std::size_t>::max();
  const auto work = [&](std::size_t worker) {
    while (!stopped) {  // what is taken is run, so that all below an index that throws are
      const std::size_t index = next++;
      if (index >= count) return;
      try {
        call(body, index, worker);
      } catch (...) {
        const std::lock_guard lock(guard);
        if (index < error_index) {
          error_index = index;
          error = std::current_exception();
        }
        stopped = true;
      }
    }
  };
  {
    std::vector<std::jthread> crew;
    crew.reserve(workers - 1);
    for (std::size_t worker = 1; worker < workers; ++worker) crew.emplace_back(work, worker);
    work(0);
  }
  if (error) std::rethrow_exception(error);
}

/// Calls body(index, worker) for every index below count, on at most `threads` threads (0: all of the machine).
/// `worker` is below thread_count(threads) and names scratch space. The exception of the lowest index is rethrown.
template <class Body>
void parallel_for(std::size_t count, std::size_t threads, Body&& body) {
  const std::size_t workers = std::min(thread_count(threads), count);
  if (workers <= 1) {
    for (std::size_t index = 0; index < count; ++index) body(index, std::size_t{0});
    return;
  }
  using type = std::remove_reference_t<Body>;
  run_parallel(
      count, workers, const_cast<void*>(static_cast<const void*>(std::addressof(body))),
      [](void* erased, std::size_t index, std::size_t worker) { (*static_cast<type*>(erased))(index, worker); });
}

/// Calls body(i) for every i below count, neighbours in blocks of 64: for tasks that are too small for one each.
template <class Body>
void parallel_in_blocks(std::size_t count, std::size_t threads, Body&& body) {
  constexpr std::size_t block = 64;
  parallel_for((count + block - 1) / block, threads, [&](std::size_t b, std::size_t) {
    const std::size_t end = std::min(count, (b + 1) * block);
    for (std::size_t i = b * block; i < end; ++i) body(i);
  });
}

}  // namespace uniroute::detail
