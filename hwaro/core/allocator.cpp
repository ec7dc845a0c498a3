// Small blocks. Algorithm:
//   Sizes are rounded up to one of 36 classes (multiples of 64 up to 1 KiB, then four per doubling up to 32 KiB). Each
//   thread keeps a stack of free blocks per class and touches nothing shared until a stack runs empty or too full; then
//   a batch moves from or to the class's central list, or is cut from a slab. Larger blocks go to BlockCache. No block
//   has a header: the class follows from the size that the caller gives back.
#include "hwaro/core/allocator.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

#include "hwaro/base/error.h"
#include "hwaro/core/block_cache.h"

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
namespace {

constexpr std::size_t kLine = 64;
constexpr std::size_t kMaxSmall = 32 << 10;
constexpr int kClasses = 36;
constexpr std::size_t kSlab = 128 << 10;
constexpr std::size_t kRegion = 1 << 20;
constexpr std::size_t kMaxBytes = std::size_t{1} << (HWARO_CACHING_ALLOWED ? 46 : 39);  // address sanitizer aborts on 2^40
constexpr std::int64_t kFlushBytes = 256 << 10;

std::size_t round_up_line(std::size_t bytes) { return (bytes + kLine - 1) & ~(kLine - 1); }

int class_of(std::size_t capacity) {  // of a multiple of 64 in [64, kMaxSmall]
  if (capacity <= 1024) return static_cast<int>(capacity / kLine) - 1;
  const int log = 63 - __builtin_clzll(capacity - 1);
  return 12 + (log - 10) * 4 + static_cast<int>((capacity - 1) >> (log - 2));
}
constexpr std::size_t class_size(int index) {
  if (index < 16) return kLine * static_cast<std::size_t>(index + 1);
  const int log = 10 + (index - 16) / 4;
  return (std::size_t{5} + static_cast<std::size_t>((index - 16) % 4)) << (log - 2);
}
static_assert(class_size(kClasses - 1) == kMaxSmall);
constexpr int batch_size(int index) {
  const std::size_t by_bytes = (32 << 10) / class_size(index);
  return static_cast<int>(by_bytes > 64 ? 64 : by_bytes < 2 ? 2 : by_bytes);
}

struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_batch;  // these two only in the first block of a batch in a central list
  std::int64_t batch_count;
};

// Written by its own thread only; read by others for statistics.
class Counter {
 public:
  std::int64_t get() const { return value_.load(std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

struct ThreadCache {
  struct Stack {
    FreeBlock* head = nullptr;
    int count = 0;
    int limit = 0;
  };
  Stack stacks[kClasses];
  Counter net;       // bytes allocated less freed since the last flush
  Counter net_peak;  // the highest value `net` had since then
  Counter total;     // bytes ever allocated
  Counter count;     // blocks ever allocated
  ThreadCache* next = nullptr;
  ThreadCache* previous = nullptr;
};

struct Central {
  std::mutex mutex;
  FreeBlock* batches = nullptr;
  char* slab = nullptr;
  char* slab_end = nullptr;
};

// Everything shared. Never destroyed, so that blocks can be freed until the very end of the process.
struct Shared {
  std::mutex registry;  // guards the list of thread caches and the counters of ended threads
  ThreadCache* caches = nullptr;
  std::int64_t ended_total = 0;
  std::int64_t ended_count = 0;
  Central central[kClasses];
  std::mutex region_mutex;
  char* region = nullptr;
  char* region_end = nullptr;
  std::atomic<std::int64_t> current{0};  // without what threads have not flushed yet
  std::atomic<std::int64_t> peak{0};
  pthread_key_t thread_end = 0;
};
constinit Shared shared;

[[gnu::tls_model("initial-exec")]] thread_local ThreadCache* thread_cache = nullptr;

void raise_peak(std::int64_t value) {
  std::int64_t peak = shared.peak.load(std::memory_order_relaxed);
  while (value > peak && !shared.peak.compare_exchange_weak(peak, value, std::memory_order_relaxed)) {
  }
}

void add_to_current(std::int64_t bytes) {
  raise_peak(shared.current.fetch_add(bytes, std::memory_order_relaxed) + bytes);
}

void flush_counters(ThreadCache* cache) {
  const std::int64_t net = cache->net.get();
  const std::int64_t before = shared.current.fetch_add(net, std::memory_order_relaxed);
  raise_peak(before + cache->net_peak.get());
  cache->net.set(0);
  cache->net_peak.set(0);
}

void count_allocation(ThreadCache* cache, std::size_t bytes) {
  const auto size = static_cast<std::int64_t>(bytes);
  const std::int64_t net = cache->net.get() + size;
  cache->net.set(net);
  cache->total.set(cache->total.get() + size);
  cache->count.set(cache->count.get() + 1);
  if (net > cache->net_peak.get()) {
    cache->net_peak.set(net);
    if (net > kFlushBytes) [[unlikely]] flush_counters(cache);
  }
}

void count_release(ThreadCache* cache, std::size_t bytes) {
  const std::int64_t net = cache->net.get() - static_cast<std::int64_t>(bytes);
  cache->net.set(net);
  if (net < -kFlushBytes) [[unlikely]] flush_counters(cache);
}

// ---- central lists -------------------------------------------------------------------------------------------------

char* new_slab() {
  std::lock_guard<std::mutex> lock(shared.region_mutex);
  if (shared.region == shared.region_end) {
    char* region = static_cast<char*>(BlockCache::instance().take_forever(kRegion));
    if (!region) return nullptr;
    shared.region = region;
    shared.region_end = region + kRegion;
  }
  char* slab = shared.region;
  shared.region += kSlab;
  return slab;
}

// Fills an empty stack; false when memory ran out.
bool refill(ThreadCache::Stack& stack, int index) {
  Central& central = shared.central[index];
  std::lock_guard<std::mutex> lock(central.mutex);
  if (FreeBlock* batch = central.batches) {
    central.batches = batch->next_batch;
    stack.head = batch;
    stack.count = static_cast<int>(batch->batch_count);
    return true;
  }
  const std::size_t size = class_size(index);
  if (static_cast<std::size_t>(central.slab_end - central.slab) < size) {
    char* slab = new_slab();
    if (!slab) return false;
    central.slab = slab;
    central.slab_end = slab + kSlab;
  }
  const auto left = static_cast<std::size_t>(central.slab_end - central.slab) / size;
  const int count = static_cast<int>(std::min<std::size_t>(left, static_cast<std::size_t>(batch_size(index))));
  FreeBlock* head = nullptr;
  for (int i = count - 1; i >= 0; --i) {  // lowest address on top
    auto* block = reinterpret_cast<FreeBlock*>(central.slab + static_cast<std::size_t>(i) * size);
    block->next = head;
    head = block;
  }
  central.slab += static_cast<std::size_t>(count) * size;
  stack.head = head;
  stack.count = count;
  return true;
}

// Moves the top `count` blocks of a stack to the central list.
void drain(ThreadCache::Stack& stack, int index, int count) {
  FreeBlock* first = stack.head;
  FreeBlock* last = first;
  for (int i = 1; i < count; ++i) last = last->next;
  stack.head = last->next;
  stack.count -= count;
  last->next = nullptr;
  first->batch_count = count;
  Central& central = shared.central[index];
  std::lock_guard<std::mutex> lock(central.mutex);
  first->next_batch = central.batches;
  central.batches = first;
}

// ---- thread caches -------------------------------------------------------------------------------------------------

void end_thread(void* argument) {
  auto* cache = static_cast<ThreadCache*>(argument);
  for (int index = 0; index < kClasses; ++index) {
    ThreadCache::Stack& stack = cache->stacks[index];
    while (stack.count > 0) drain(stack, index, std::min(stack.count, batch_size(index)));
  }
  {
    std::lock_guard<std::mutex> lock(shared.registry);
    flush_counters(cache);
    shared.ended_total += cache->total.get();
    shared.ended_count += cache->count.get();
    (cache->previous ? cache->previous->next : shared.caches) = cache->next;
    if (cache->next) cache->next->previous = cache->previous;
  }
  thread_cache = nullptr;
  delete cache;
}

// A fork may come while other threads hold locks; the child gets them all released and consistent. What other threads
// had in their caches is lost to the child.
void before_fork() {
  shared.registry.lock();
  for (Central& central : shared.central) central.mutex.lock();
  shared.region_mutex.lock();
  BlockCache::instance().lock();
}
void after_fork() {
  BlockCache::instance().unlock();
  shared.region_mutex.unlock();
  for (Central& central : shared.central) central.mutex.unlock();
  shared.registry.unlock();
}

bool caching() {
#if HWARO_CACHING_ALLOWED
  static const bool enabled = [] {
    const char* text = std::getenv("HWARO_NO_CACHE");
    return !text || !*text || std::strcmp(text, "0") == 0;
  }();
  return enabled;
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

void set_up_once() {
  static const bool done = [] {
    BlockCache::instance().set_limit(limit_from_environment());
    if (pthread_key_create(&shared.thread_end, end_thread) != 0) throw std::bad_alloc();
    pthread_atfork(before_fork, after_fork, after_fork);
    return true;
  }();
  (void)done;
}

// The calling thread's cache, made on first use; null where caching is off.
[[gnu::noinline, gnu::cold]] ThreadCache* make_thread_cache() {
  set_up_once();
  if (!caching()) return nullptr;
  auto* cache = new ThreadCache;
  for (int index = 0; index < kClasses; ++index) cache->stacks[index].limit = 2 * batch_size(index);
  {
    std::lock_guard<std::mutex> lock(shared.registry);
    cache->next = shared.caches;
    if (shared.caches) shared.caches->previous = cache;
    shared.caches = cache;
  }
  pthread_setspecific(shared.thread_end, cache);
  thread_cache = cache;
  return cache;
}

ThreadCache* current_cache() {
  ThreadCache* cache = thread_cache;
  if (!cache) [[unlikely]] cache = make_thread_cache();
  return cache;
}

// ---- blocks --------------------------------------------------------------------------------------------------------

[[noreturn, gnu::cold, gnu::noinline]] void out_of_memory(std::size_t bytes) {
  raise<OutOfMemoryError>("DefaultCPUAllocator: not enough memory: you tried to allocate ", bytes, " bytes.");
}

std::atomic<std::int64_t> uncached_total{0};
std::atomic<std::int64_t> uncached_count{0};

void* allocate_uncached(std::size_t capacity) {
  const std::int64_t limit = BlockCache::instance().limit();
  const std::int64_t current = shared.current.load(std::memory_order_relaxed);
  if (limit > 0 && current + static_cast<std::int64_t>(capacity) > limit) return nullptr;
  return std::aligned_alloc(kLine, capacity);
}

// Two lines always, in one constant-size store each: the last one in use and the one behind it.
void zero_tail(void* block, std::size_t bytes, std::size_t capacity) {
  std::memset(static_cast<char*>(block) + (bytes & ~(kLine - 1)), 0, kLine);
  std::memset(static_cast<char*>(block) + capacity - kLine, 0, kLine);
}

void* pop(ThreadCache* cache, std::size_t capacity) {
  const int index = class_of(capacity);
  ThreadCache::Stack& stack = cache->stacks[index];
  if (!stack.head) [[unlikely]] {
    if (!refill(stack, index)) return nullptr;
  }
  FreeBlock* block = stack.head;
  stack.head = block->next;
  --stack.count;
  return block;
}

void push(ThreadCache* cache, void* memory, std::size_t capacity) {
  const int index = class_of(capacity);
  ThreadCache::Stack& stack = cache->stacks[index];
  auto* block = static_cast<FreeBlock*>(memory);
  block->next = stack.head;
  stack.head = block;
  if (++stack.count > stack.limit) [[unlikely]] drain(stack, index, batch_size(index));
}

}  // namespace

void* allocate(std::size_t bytes) {
  if (bytes > kMaxBytes) out_of_memory(bytes);
  const std::size_t capacity = round_up_line(bytes) + kLine;
  ThreadCache* cache = current_cache();
  void* block;
  if (cache && capacity <= kMaxSmall) [[likely]] {
    block = pop(cache, capacity);
    if (!block) out_of_memory(bytes);
    count_allocation(cache, bytes);
  } else if (cache) {
    block = BlockCache::instance().take(capacity);
    if (!block) out_of_memory(bytes);
    count_allocation(cache, bytes);
  } else {
    block = allocate_uncached(capacity);
    if (!block) out_of_memory(bytes);
    add_to_current(static_cast<std::int64_t>(bytes));
    uncached_total.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    uncached_count.fetch_add(1, std::memory_order_relaxed);
  }
  zero_tail(block, bytes, capacity);
  return block;
}

void deallocate(void* block, std::size_t bytes) noexcept {
  if (!block) return;
  const std::size_t capacity = round_up_line(bytes) + kLine;
  ThreadCache* cache = current_cache();
  if (!cache) {
    shared.current.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
    std::free(block);
    return;
  }
  if (capacity <= kMaxSmall) [[likely]] {
    push(cache, block, capacity);
  } else {
    BlockCache::instance().give(block);
  }
  count_release(cache, bytes);
}

void* allocate_node(std::size_t bytes) {
  const std::size_t capacity = bytes == 0 ? kLine : round_up_line(bytes);
  ThreadCache* cache = current_cache();
  void* node = !cache                  ? std::aligned_alloc(kLine, capacity)
               : capacity <= kMaxSmall ? pop(cache, capacity)
                                       : BlockCache::instance().take(capacity);
  if (!node) out_of_memory(bytes);
  return node;
}

void deallocate_node(void* node, std::size_t bytes) noexcept {
  if (!node) return;
  const std::size_t capacity = bytes == 0 ? kLine : round_up_line(bytes);
  ThreadCache* cache = current_cache();
  if (!cache) {
    std::free(node);
  } else if (capacity <= kMaxSmall) {
    push(cache, node, capacity);
  } else {
    BlockCache::instance().give(node);
  }
}

// ---- statistics ----------------------------------------------------------------------------------------------------

MemoryStats memory_stats() {
  set_up_once();
  if (thread_cache) flush_counters(thread_cache);
  MemoryStats stats;
  std::lock_guard<std::mutex> lock(shared.registry);
  stats.allocated_current = shared.current.load(std::memory_order_relaxed);
  stats.allocated_total = shared.ended_total + uncached_total.load(std::memory_order_relaxed);
  stats.allocation_count = shared.ended_count + uncached_count.load(std::memory_order_relaxed);
  for (ThreadCache* cache = shared.caches; cache; cache = cache->next) {
    stats.allocated_current += cache->net.get();
    stats.allocated_total += cache->total.get();
    stats.allocation_count += cache->count.get();
  }
  raise_peak(stats.allocated_current);
  stats.allocated_peak = shared.peak.load(std::memory_order_relaxed);
  stats.freed_total = stats.allocated_total - stats.allocated_current;
  if (caching()) {
    BlockCache::instance().reserved(&stats.reserved_current, &stats.reserved_peak);
  } else {
    stats.reserved_current = stats.allocated_current;
    stats.reserved_peak = stats.allocated_peak;
  }
  return stats;
}

void reset_peak_memory_stats() {
  const MemoryStats stats = memory_stats();
  shared.peak.store(stats.allocated_current, std::memory_order_relaxed);
  BlockCache::instance().reset_peak();
}

void empty_cache() {
  set_up_once();
  BlockCache::instance().release_all();
}

void set_memory_limit(std::int64_t bytes) {
  set_up_once();
  HWARO_CHECK_AS(ValueError, bytes >= 0, "the memory limit must not be negative, but got ", bytes);
  BlockCache::instance().set_limit(bytes);
}

std::int64_t memory_limit() {
  set_up_once();
  return BlockCache::instance().limit();
}

}  // namespace hwaro
