#pragma once

// One loop over independent tasks on a few threads. What a task computes depends on its index alone, so results
// do not depend on the number of threads.

#include <pthread.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <type_traits>
#include <vector>

namespace uniroute::detail {

/// The number of threads for a request: 0 means all that the machine has.
inline std::size_t thread_count(std::size_t requested) noexcept {
  if (requested != 0) return requested;
  return static_cast<std::size_t>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
}

/// Threads that are waited for at the end of the scope: what std::jthread does, of POSIX. (<thread> with its stop
/// tokens, semaphores and clocks would take a tenth of what xtensor takes, in every unit that includes a policy.)
class crew {
 public:
  explicit crew(std::size_t size) { members_.reserve(size); }
  ~crew() {
    for (const pthread_t member : members_) pthread_join(member, nullptr);
  }
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  /// Calls run(argument) on a thread of its own; false if there are no more threads.
  bool start(void* (*run)(void*), void* argument) {
    if (pthread_create(&members_.emplace_back(), nullptr, run, argument) == 0) return true;
    members_.pop_back();
    return false;
  }

 private:
  std::vector<pthread_t> members_;
};

/// One loop of parallel_for over a body of any type, so that threads are compiled once and not for every body.
class parallel_loop {
 public:
  using body_call = void (*)(void* body, std::size_t index, std::size_t worker);

  parallel_loop(std::size_t count, std::size_t workers, void* body, body_call call)
      : count_(count), body_(body), call_(call), workers_(workers) {}

  /// Rethrows the exception of the lowest index.
  void run() {
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i] = {this, i, nullptr, count_};
    {
      crew others(workers_.size() - 1);
      // Where the machine has no more threads, those there are do the work: what comes of it is the same.
      for (std::size_t i = 1; i < workers_.size() && others.start(&parallel_loop::work, &workers_[i]); ++i) {
      }
      work(&workers_[0]);
    }
    const auto first = std::min_element(workers_.begin(), workers_.end(),
                                        [](const worker& a, const worker& b) { return a.failed_at < b.failed_at; });
    if (first->error) std::rethrow_exception(first->error);
  }

 private:
  struct worker {
    parallel_loop* loop;
    std::size_t number;
    std::exception_ptr error;
    std::size_t failed_at;
  };

  static void* work(void* argument) noexcept {
    worker& me = *static_cast<worker*>(argument);
    parallel_loop& loop = *me.loop;
    while (!loop.stopped_) {  // what is taken is run, so that all below an index that throws are
      const std::size_t index = loop.next_++;
      if (index >= loop.count_) break;
      try {
        loop.call_(loop.body_, index, me.number);
      } catch (...) {
        me.error = std::current_exception();
        me.failed_at = index;
        loop.stopped_ = true;
      }
    }
    return nullptr;
  }

  std::size_t count_;
  void* body_;
  body_call call_;
  std::vector<worker> workers_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
};

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
  parallel_loop(
      count, workers, const_cast<void*>(static_cast<const void*>(std::addressof(body))),
      [](void* erased, std::size_t index, std::size_t worker) { (*static_cast<type*>(erased))(index, worker); })
      .run();
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
