#include "hwaro/core/small_blocks.h"

#include <pthread.h>

#include <algorithm>
#include <mutex>
#include <new>

#include "hwaro/core/block_cache.h"

namespace hwaro {
namespace small_blocks {

// What a free block holds while it is in a central list. `next_batch` counts in the first block of a batch.
struct FreeBlock {
  FreeBlock* next;
  FreeBlock* next_batch;
};

constinit thread_local ThreadCache* thread_cache = nullptr;
constinit std::atomic<std::int64_t> current_bytes{0};
constinit std::atomic<std::int64_t> peak_bytes{0};

namespace {

constexpr std::size_t kSlab = 128 << 10;
constexpr std::size_t kRegion = 1 << 20;

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
  std::int64_t ended_freed = 0;
  Central central[kClasses];
  std::mutex region_mutex;
  char* region = nullptr;
  char* region_end = nullptr;
  pthread_key_t thread_end = 0;
  bool ready = false;
};
constinit Shared shared;

void put_batch(FreeBlock* first, int index) {
  Central& central = shared.central[index];
  std::lock_guard<std::mutex> lock(central.mutex);
  first->next_batch = central.batches;
  central.batches = first;
}

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

void end_thread(void* argument) {
  auto* cache = static_cast<ThreadCache*>(argument);
  for (int index = 0; index < kClasses; ++index) {
    ThreadCache::Stack& stack = cache->stacks[index];
    FreeBlock** const base = stack.end - stack_capacity(index);
    while (stack.top > base) drain(stack, index, std::min(static_cast<int>(stack.top - base), batch_size(index)));
  }
  {
    std::lock_guard<std::mutex> lock(shared.registry);
    flush_counters(cache);
    shared.ended_total += cache->total.get();
    shared.ended_count += cache->count.get();
    shared.ended_freed += cache->freed.get();
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

// At load, before any other initialiser of the library may allocate.
[[gnu::constructor(101)]] void set_up() {
  shared.ready = pthread_key_create(&shared.thread_end, end_thread) == 0 &&
                 pthread_atfork(before_fork, after_fork, after_fork) == 0;
}

}  // namespace

ThreadCache::ThreadCache() {
  FreeBlock** at = slots;
  for (int index = 0; index < kClasses; ++index) {
    *at++ = nullptr;
    stacks[index].top = at;
    at += stack_capacity(index);
    stacks[index].end = at;
  }
}

ThreadCache* make_thread_cache() noexcept {
  auto* cache = shared.ready ? new (std::nothrow) ThreadCache : nullptr;
  if (!cache) return nullptr;
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

FreeBlock* refill(ThreadCache::Stack& stack, int index) noexcept {
  Central& central = shared.central[index];
  std::lock_guard<std::mutex> lock(central.mutex);
  if (FreeBlock* block = central.batches) {
    central.batches = block->next_batch;
    for (; block; block = block->next) *stack.top++ = block;
    return *--stack.top;
  }
  const std::size_t size = class_size(index);
  if (static_cast<std::size_t>(central.slab_end - central.slab) < size) {
    char* slab = new_slab();
    if (!slab) return nullptr;
    central.slab = slab;
    central.slab_end = slab + kSlab;
  }
  const auto left = static_cast<std::size_t>(central.slab_end - central.slab) / size;
  const std::size_t count = std::min<std::size_t>(left, static_cast<std::size_t>(batch_size(index)));
  for (std::size_t i = count; i-- > 0;) {  // lowest address on top
    *stack.top++ = reinterpret_cast<FreeBlock*>(central.slab + i * size);
  }
  central.slab += count * size;
  return *--stack.top;
}

void drain(ThreadCache::Stack& stack, int index, int count) noexcept {
  FreeBlock** base = stack.end - stack_capacity(index);
  for (int i = 0; i + 1 < count; ++i) base[i]->next = base[i + 1];
  base[count - 1]->next = nullptr;
  FreeBlock* first = base[0];
  std::move(base + count, stack.top, base);
  stack.top -= count;
  put_batch(first, index);
}

void give_to_central(void* block, int index) noexcept {
  auto* batch = static_cast<FreeBlock*>(block);
  batch->next = nullptr;
  put_batch(batch, index);
}

void raise_peak(std::int64_t value) noexcept {
  std::int64_t peak = peak_bytes.load(std::memory_order_relaxed);
  while (value > peak && !peak_bytes.compare_exchange_weak(peak, value, std::memory_order_relaxed)) {
  }
}

void flush_counters(ThreadCache* cache) noexcept {
  const std::int64_t before = current_bytes.fetch_add(cache->net.get(), std::memory_order_relaxed);
  raise_peak(before + cache->net_peak.get());
  cache->net.set(0);
  cache->net_peak.set(0);
}

Totals count_all() {
  std::lock_guard<std::mutex> lock(shared.registry);
  Totals totals{current_bytes.load(std::memory_order_relaxed), shared.ended_total, shared.ended_count,
                shared.ended_freed};
  for (ThreadCache* cache = shared.caches; cache; cache = cache->next) {
    totals.current += cache->net.get();
    totals.allocated += cache->total.get();
    totals.count += cache->count.get();
    totals.freed += cache->freed.get();
  }
  return totals;
}

}  // namespace small_blocks
}  // namespace hwaro
