// Its test is in another file: g++ 12 takes inlined operators for mismatched ones.

#include <atomic>
#include <cstdlib>
#include <new>
#include <support/allocation_counter.hpp>

namespace {

std::atomic<std::size_t> allocation_count{0};
std::atomic<std::size_t> failing{static_cast<std::size_t>(-1)};  // the count at which one fails

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocation_count.fetch_add(1, std::memory_order_relaxed) == failing.load(std::memory_order_relaxed))
    throw std::bad_alloc();
  // aligned_alloc wants a multiple of the alignment, and new must give distinct blocks even for size 0.
  const std::size_t whole = (size / alignment + 1) * alignment;
  void* block = alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__ ? std::malloc(size != 0 ? size : 1)
                                                              : std::aligned_alloc(alignment, whole);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

std::size_t uniroute_tests::allocations() noexcept { return allocation_count.load(std::memory_order_relaxed); }

uniroute_tests::failing_allocation::failing_allocation(std::size_t n) noexcept { failing = allocations() + n; }
uniroute_tests::failing_allocation::~failing_allocation() { failing = static_cast<std::size_t>(-1); }

// The array and nothrow forms of the standard library call these; sanitizers bring their own, so all are replaced.
void* operator new(std::size_t size) { return allocate(size, 1); }
void* operator new[](std::size_t size) { return allocate(size, 1); }
void* operator new(std::size_t size, std::align_val_t a) { return allocate(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return allocate(size, static_cast<std::size_t>(a)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return allocate(size, 1);
  } catch (...) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept { return operator new(size, tag); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete[](void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t) noexcept { std::free(block); }
void operator delete(void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { std::free(block); }
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete[](void* block, const std::nothrow_t&) noexcept { std::free(block); }
