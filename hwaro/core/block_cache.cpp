#include "hwaro/core/block_cache.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "hwaro/base/cgroup.h"

namespace hwaro {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kHeader = 64;
constexpr std::uint64_t kIdleSeconds = 10;

int floor_log2(std::size_t x) { return 63 - __builtin_clzll(x); }

// Lengths come in 16 steps per doubling, in whole pages.
std::size_t round_length(std::size_t bytes) {
  const std::size_t step = std::max(kPage, std::size_t{1} << (floor_log2(bytes) - 4));
  return (bytes + step - 1) & ~(step - 1);
}
int bin_of(std::size_t length) {
  const int log = floor_log2(length);
  return log * 16 + static_cast<int>((length >> (log - 4)) & 15);
}

std::uint64_t now_seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

void* map_pages(std::size_t length) {
  void* pages = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

// A mapping aligned to 2 MiB: map too much, cut off both ends.
void* map_huge_pages(std::size_t length) {
  char* pages = static_cast<char*>(map_pages(length + kHugePage));
  if (!pages) return nullptr;
  const std::size_t head = (kHugePage - reinterpret_cast<std::uintptr_t>(pages) % kHugePage) % kHugePage;
  if (head) munmap(pages, head);
  if (head != kHugePage) munmap(pages + head + length, kHugePage - head);
#if defined(MADV_HUGEPAGE)
  madvise(pages + head, length, MADV_HUGEPAGE);  // only advice: ordinary pages work as well
#endif
  return pages + head;
}

}  // namespace

std::int64_t BlockCache::usable_memory() noexcept {
  const std::int64_t physical = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
  return std::min(physical, cgroup_memory_limit());
}

// Lies at the start of the mapping. The word before the data points back to it.
struct BlockCache::Block {
  std::size_t length;
  std::uint64_t idle_since;
  Block* bin_next;
  Block* bin_previous;
  Block* older;
  Block* newer;
  std::size_t offset;  // of the data

  char* data() { return reinterpret_cast<char*>(this) + offset; }
  static Block* of(void* data) { return static_cast<Block**>(data)[-1]; }
};

BlockCache& BlockCache::instance() {
  static constinit BlockCache cache;  // never destroyed: blocks are freed until the very end of the process
  return cache;
}

void* BlockCache::take(std::size_t capacity) noexcept {
  static_assert(sizeof(Block) + sizeof(Block*) <= kHeader);
  if (capacity > std::size_t{1} << 46) return nullptr;
  const std::size_t needed = capacity + kPage;  // header and offset fit into one page
  const std::size_t length = round_length(needed);
  std::lock_guard<std::mutex> guard(mutex_);
  Block* block = find(length, needed + needed / 4);
  if (block) {
    unlink(block);
  } else {
    block = map(length);
  }
  return block ? block->data() : nullptr;
}

void BlockCache::give(void* data) noexcept {
  Block* block = Block::of(data);
  std::lock_guard<std::mutex> guard(mutex_);
  const std::uint64_t now = now_seconds();
  Block*& bin = bins_[bin_of(block->length)];
  block->idle_since = now;
  block->bin_next = bin;
  block->bin_previous = nullptr;
  if (bin) bin->bin_previous = block;
  bin = block;
  block->newer = nullptr;
  block->older = newest_;
  (newest_ ? newest_->newer : oldest_) = block;
  newest_ = block;
  if (now != last_trim_) trim(now);
  if (limit_ > 0 && reserved_.current > limit_) release_oldest_until(limit_);
}

void* BlockCache::take_forever(std::size_t length) noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  return map_and_count(length);
}

BlockCache::Block* BlockCache::find(std::size_t length, std::size_t longest) noexcept {
  const int first = bin_of(length);
  const int last = bin_of(longest);
  for (int bin = first; bin <= last; ++bin) {
    if (bins_[bin]) return bins_[bin];
  }
  return nullptr;
}

// Pages from the system, or null. Where it refuses, idle blocks go back to it before the second try.
void* BlockCache::map_and_count(std::size_t length) noexcept {
  if (!make_room(length)) return nullptr;
  auto pages = [length] { return length >= kHugePage ? map_huge_pages(length) : map_pages(length); };
  void* base = pages();
  if (!base && oldest_) {
    ++reserved_.retries;
    release_oldest_until(0);
    base = pages();
  }
  if (!base) return nullptr;
  reserved_.current += static_cast<std::int64_t>(length);
  reserved_.peak = std::max(reserved_.peak, reserved_.current);
  reserved_.mapped_total += static_cast<std::int64_t>(length);
  ++reserved_.mappings;
  ++reserved_.mappings_total;
  return base;
}

BlockCache::Block* BlockCache::map(std::size_t length) noexcept {
  void* base = map_and_count(length);
  if (!base) return nullptr;
  auto* block = static_cast<Block*>(base);
  block->length = length;
  // Steps of 11 lines through the 63 a page has room for: 11 and 63 share no factor, neighbours end up far apart.
  next_offset_ = (next_offset_ + 11) % 63;
  block->offset = kHeader + 64 * next_offset_;
  reinterpret_cast<Block**>(block->data())[-1] = block;
  return block;
}

void BlockCache::unmap(Block* block) noexcept {
  reserved_.current -= static_cast<std::int64_t>(block->length);
  --reserved_.mappings;
  munmap(block, block->length);
}

void BlockCache::unlink(Block* block) noexcept {
  (block->bin_previous ? block->bin_previous->bin_next : bins_[bin_of(block->length)]) = block->bin_next;
  if (block->bin_next) block->bin_next->bin_previous = block->bin_previous;
  (block->newer ? block->newer->older : newest_) = block->older;
  (block->older ? block->older->newer : oldest_) = block->newer;
}

void BlockCache::trim(std::uint64_t now) noexcept {
  last_trim_ = now;
  while (oldest_ && oldest_->idle_since + kIdleSeconds < now) {
    Block* block = oldest_;
    unlink(block);
    unmap(block);
  }
}

// Below the soft limit (80 % of what the machine or the container has) idle blocks may stay; above it they make room.
bool BlockCache::make_room(std::size_t length) noexcept {
  if (soft_limit_ == 0) soft_limit_ = std::max<std::int64_t>(usable_memory() / 10 * 8, 1);
  const std::int64_t wanted = static_cast<std::int64_t>(length);
  const std::int64_t bound = limit_ > 0 ? std::min(limit_, soft_limit_) : soft_limit_;
  if (reserved_.current + wanted > bound && oldest_) {
    ++reserved_.retries;
    release_oldest_until(bound - wanted);
  }
  return limit_ == 0 || reserved_.current + wanted <= limit_;
}

void BlockCache::release_oldest_until(std::int64_t reserved) noexcept {
  while (oldest_ && reserved_.current > reserved) {
    Block* block = oldest_;
    unlink(block);
    unmap(block);
  }
}

void BlockCache::release_all() noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  release_oldest_until(0);
}

void BlockCache::set_limit(std::int64_t bytes) noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  limit_ = bytes;
  limit_was_set_ = true;
  if (limit_ > 0) release_oldest_until(limit_);
}

void BlockCache::set_first_limit(std::int64_t bytes) noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  if (!limit_was_set_) limit_ = bytes;
  limit_was_set_ = true;
}

std::int64_t BlockCache::limit() const noexcept {
  std::lock_guard<std::mutex> guard(const_cast<std::mutex&>(mutex_));
  return limit_;
}

BlockCache::Reserved BlockCache::reserved() noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  return reserved_;
}

void BlockCache::reset_peak() noexcept {
  std::lock_guard<std::mutex> guard(mutex_);
  reserved_.peak = reserved_.current;
}

}  // namespace hwaro
