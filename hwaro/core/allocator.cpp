#include "hwaro/core/allocator.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "hwaro/base/error.h"
#include "hwaro/core/block_cache.h"
#include "hwaro/core/small_blocks.h"

#if defined(__has_feature)
#define HWARO_HAS_FEATURE(x) __has_feature(x)
#else
#define HWARO_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || HWARO_HAS_FEATURE(address_sanitizer) || HWARO_HAS_FEATURE(memory_sanitizer)
#define HWARO_CACHING_ALLOWED 0  // a sanitizer sees misuse only if every block really comes and goes
#else
#define HWARO_CACHING_ALLOWED 1
#endif

namespace hwaro {

using namespace small_blocks;

namespace {

// Larger requests are refused at once; address sanitizer would abort on 2^40.
constexpr std::size_t kMaxBytes = std::size_t{1} << (HWARO_CACHING_ALLOWED ? 46 : 39);

// No function-local statics below: a fork in the middle of such an initialisation would hang the child.
std::atomic<int> caching_state{-1};  // -1: the environment is not read yet

bool caching() {
#if HWARO_CACHING_ALLOWED
  int state = caching_state.load(std::memory_order_relaxed);
  if (state < 0) [[unlikely]] {
    const char* text = std::getenv("HWARO_NO_CACHE");
    state = !text || !*text || std::strcmp(text, "0") == 0;
    caching_state.store(state, std::memory_order_relaxed);
  }
  return state;
#else
  return false;
#endif
}

std::int64_t limit_from_environment() {
  const char* text = std::getenv("HWARO_MEMORY_LIMIT");
  if (!text || !*text) return 0;
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(text, &end, 10);
  const std::string unit = end;
  const int shift = unit == "k" || unit == "K"   ? 10
                    : unit == "m" || unit == "M" ? 20
                    : unit == "g" || unit == "G" ? 30
                    : unit.empty()               ? 0
                                                 : -1;
  if (end == text || errno != 0 || number < 0 || shift < 0 || number > (std::int64_t{1} << (62 - shift))) {
    raise<ValueError>("HWARO_MEMORY_LIMIT must be a number of bytes, as 1000000, 64m or 2g, but got '", text, "'");
  }
  return number << shift;
}

std::atomic<bool> limit_known{false};

void read_limit_once() {
  if (limit_known.load(std::memory_order_acquire)) return;
  BlockCache::instance().set_first_limit(limit_from_environment());
  limit_known.store(true, std::memory_order_release);
}

std::atomic<std::int64_t> out_of_memory_count{0};
std::atomic<std::int64_t> uncached_total{0};
std::atomic<std::int64_t> uncached_count{0};
std::atomic<std::int64_t> uncached_freed{0};

// What the totals were at the last reset_accumulated_memory_stats().
std::mutex reset_mutex;
MemoryStats totals_at_reset;

void* allocate_uncached(std::size_t capacity) {
  const std::int64_t limit = BlockCache::instance().limit();
  const std::int64_t current = current_bytes.load(std::memory_order_relaxed);
  if (limit > 0 && current + static_cast<std::int64_t>(capacity) > limit) return nullptr;
  return std::aligned_alloc(kLine, capacity);
}

void count_uncached(std::size_t bytes) {
  const auto size = static_cast<std::int64_t>(bytes);
  raise_peak(current_bytes.fetch_add(size, std::memory_order_relaxed) + size);
  uncached_total.fetch_add(size, std::memory_order_relaxed);
  uncached_count.fetch_add(1, std::memory_order_relaxed);
}

// Two lines always, in one constant-size store each: the last one in use and the one behind it.
HWARO_HOT void zero_tail(void* block, std::size_t bytes, std::size_t capacity) {
  std::memset(static_cast<char*>(block) + (bytes & ~(kLine - 1)), 0, kLine);
  std::memset(static_cast<char*>(block) + capacity - kLine, 0, kLine);
}

// ---- blocks by capacity, whatever the mode; null when memory ran out ----

void* take(std::size_t capacity) {
  if (!caching()) return allocate_uncached(capacity);
  if (capacity > kMaxSmall) return BlockCache::instance().take(capacity);
  ThreadCache* cache = thread_cache ? thread_cache : make_thread_cache();
  return cache ? pop(cache, capacity) : nullptr;
}

void give(void* block, std::size_t capacity) noexcept {
  if (!caching()) return std::free(block);
  if (capacity > kMaxSmall) return BlockCache::instance().give(block);
  if (ThreadCache* cache = thread_cache ? thread_cache : make_thread_cache()) {
    push(cache, block, capacity);
  } else {
    give_to_central(block, class_of(capacity));
  }
}

[[gnu::noinline]] void* allocate_slowly(std::size_t bytes) {
  read_limit_once();
  if (bytes > kMaxBytes) return nullptr;
  const std::size_t capacity = round_up_line(bytes) + kLine;
  void* block = take(capacity);
  if (!block) return nullptr;
  if (ThreadCache* cache = thread_cache) {
    count_allocation(cache, bytes);
  } else {
    count_uncached(bytes);
  }
  zero_tail(block, bytes, capacity);
  return block;
}

[[gnu::noinline]] void deallocate_slowly(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  give(block, round_up_line(bytes) + kLine);
  if (ThreadCache* cache = thread_cache) {
    count_release(cache, bytes);
  } else {
    current_bytes.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    uncached_freed.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

// PyTorch's text, so that whoever looks for it in a message finds it.
[[gnu::cold, gnu::noinline]] void raise_out_of_memory(std::size_t bytes) {
  out_of_memory_count.fetch_add(1, std::memory_order_relaxed);
  raise<OutOfMemoryError>(
      "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to "
      "allocate ",
      bytes, " bytes. Error code 12 (Cannot allocate memory)");
}

void* try_allocate(std::size_t bytes) noexcept {
  ThreadCache* cache = thread_cache;
  if (!cache || bytes > kMaxSmall - kLine) [[unlikely]]
    return allocate_slowly(bytes);
  const std::size_t capacity = round_up_line(bytes) + kLine;
  void* block = pop(cache, capacity);
  if (!block) [[unlikely]]
    return nullptr;
  count_allocation(cache, bytes);
  zero_tail(block, bytes, capacity);
  return block;
}

void* allocate(std::size_t bytes) {
  void* block = try_allocate(bytes);
  if (!block) [[unlikely]]
    raise_out_of_memory(bytes);
  return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
  ThreadCache* cache = thread_cache;
  if (!cache || !block || bytes > kMaxSmall - kLine) [[unlikely]]
    return deallocate_slowly(block, bytes);
  push(cache, block, round_up_line(bytes) + kLine);
  count_release(cache, bytes);
}

void* allocate_node(std::size_t bytes) {
  const std::size_t capacity = bytes == 0 ? kLine : round_up_line(bytes);
  if (ThreadCache* cache = thread_cache; cache && capacity - 1 < kMaxSmall) [[likely]] {
    if (void* node = pop(cache, capacity)) return node;
    raise_out_of_memory(bytes);
  }
  read_limit_once();
  void* node = bytes > kMaxBytes ? nullptr : take(capacity);
  if (!node) raise_out_of_memory(bytes);
  return node;
}

void deallocate_node(void* node, std::size_t bytes) noexcept {
  if (!node) return;
  const std::size_t capacity = bytes == 0 ? kLine : round_up_line(bytes);
  ThreadCache* cache = thread_cache;
  if (!cache || capacity > kMaxSmall) [[unlikely]]
    return give(node, capacity);
  push(cache, node, capacity);
}

// ---- statistics ----------------------------------------------------------------------------------------------------

static MemoryStats stats_since_start() {
  read_limit_once();
  if (thread_cache) flush_counters(thread_cache);
  MemoryStats stats;
  const Totals totals = count_all();
  stats.allocated_current = totals.current;
  stats.allocated_total = totals.allocated + uncached_total.load(std::memory_order_relaxed);
  stats.allocation_count = totals.count + uncached_count.load(std::memory_order_relaxed);
  stats.freed_count = totals.freed + uncached_freed.load(std::memory_order_relaxed);
  raise_peak(stats.allocated_current);
  stats.allocated_peak = peak_bytes.load(std::memory_order_relaxed);
  stats.freed_total = stats.allocated_total - stats.allocated_current;
  stats.allocation_current = stats.allocation_count - stats.freed_count;
  stats.out_of_memory = out_of_memory_count.load(std::memory_order_relaxed);
  if (caching()) {
    const BlockCache::Reserved reserved = BlockCache::instance().reserved();
    stats.reserved_current = reserved.current;
    stats.reserved_peak = reserved.peak;
    stats.reserved_total = reserved.mapped_total;
    stats.unreserved_total = reserved.mapped_total - reserved.current;
    stats.segment_current = reserved.mappings;
    stats.segment_count = reserved.mappings_total;
    stats.segment_freed = reserved.mappings_total - reserved.mappings;
    stats.retries = reserved.retries;
  } else {  // every block is a mapping of its own
    stats.reserved_current = stats.allocated_current;
    stats.reserved_peak = stats.allocated_peak;
    stats.reserved_total = stats.allocated_total;
    stats.unreserved_total = stats.freed_total;
    stats.segment_current = stats.allocation_current;
    stats.segment_count = stats.allocation_count;
    stats.segment_freed = stats.freed_count;
  }
  return stats;
}

MemoryStats memory_stats() {
  MemoryStats stats = stats_since_start();
  std::lock_guard<std::mutex> lock(reset_mutex);
  for (auto total :
       {&MemoryStats::allocated_total, &MemoryStats::freed_total, &MemoryStats::reserved_total,
        &MemoryStats::unreserved_total, &MemoryStats::allocation_count, &MemoryStats::freed_count,
        &MemoryStats::segment_count, &MemoryStats::segment_freed, &MemoryStats::retries, &MemoryStats::out_of_memory})
    stats.*total -= totals_at_reset.*total;
  return stats;
}

void reset_peak_memory_stats() {
  const MemoryStats stats = stats_since_start();
  peak_bytes.store(stats.allocated_current, std::memory_order_relaxed);
  BlockCache::instance().reset_peak();
}

void reset_accumulated_memory_stats() {
  const MemoryStats stats = stats_since_start();
  std::lock_guard<std::mutex> lock(reset_mutex);
  totals_at_reset = stats;
}

void empty_cache() {
  read_limit_once();
  BlockCache::instance().release_all();
}

void set_memory_limit(std::int64_t bytes) {
  read_limit_once();
  HWARO_CHECK_AS(ValueError, bytes >= 0, "the memory limit must not be negative, but got ", bytes);
  BlockCache::instance().set_limit(bytes);
}

std::int64_t memory_limit() {
  read_limit_once();
  return BlockCache::instance().limit();
}

std::int64_t usable_memory() { return BlockCache::usable_memory(); }

}  // namespace hwaro
