// Large blocks: one mapping each, recycled. Algorithm:
//   Lengths are rounded up to 1/16 of a power of two; free blocks lie in one bin per length, newest first, and in one
//   list by age. A request takes the best-fitting free block that is at most a quarter too long, else maps a new one:
//   from 2 MiB on aligned to 2 MiB with huge pages, which cost 1/100 of the page faults. Blocks that lay idle for ten
//   seconds are unmapped. Data starts at a different cache line of the page in each block: a loop over eight arrays at
//   equal offsets keeps hitting the same cache sets (measured 1.2 to 1.3 times slower; no difference for three).
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

namespace hwaro {

class BlockCache {
 public:
  static BlockCache& instance();

  // At least `capacity` usable bytes, 64-byte aligned; null when the system or the limit refuses.
  void* take(std::size_t capacity) noexcept;
  void give(void* data) noexcept;

  // Memory that is never given back, page aligned, length a multiple of the page; null when refused.
  void* take_forever(std::size_t length) noexcept;

  void release_all() noexcept;
  void set_limit(std::int64_t bytes) noexcept;
  void set_first_limit(std::int64_t bytes) noexcept;  // does nothing once a limit was set
  std::int64_t limit() const noexcept;

  // What was taken from the system: bytes, mappings, and how often idle blocks had to be given back to make room.
  struct Reserved {
    std::int64_t current = 0;
    std::int64_t peak = 0;
    std::int64_t mapped_total = 0;  // bytes, since the start
    std::int64_t mappings = 0;
    std::int64_t mappings_total = 0;
    std::int64_t retries = 0;
  };
  Reserved reserved() noexcept;
  void reset_peak() noexcept;

  // Bytes that the machine, or the control group of the process, has.
  static std::int64_t usable_memory() noexcept;

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

  constexpr BlockCache() = default;

 private:
  struct Block;
  static constexpr int kBins = 64 * 16;

  Block* find(std::size_t length, std::size_t longest) noexcept;
  Block* map(std::size_t length) noexcept;
  void unmap(Block* block) noexcept;
  void unlink(Block* block) noexcept;
  void trim(std::uint64_t now) noexcept;
  void* map_and_count(std::size_t length) noexcept;
  bool make_room(std::size_t length) noexcept;
  void release_oldest_until(std::int64_t reserved) noexcept;

  std::mutex mutex_;
  Block* bins_[kBins] = {};
  Block* newest_ = nullptr;
  Block* oldest_ = nullptr;
  Reserved reserved_;
  std::int64_t limit_ = 0;
  std::int64_t soft_limit_ = 0;  // 0: not known yet
  bool limit_was_set_ = false;
  std::uint64_t last_trim_ = 0;
  unsigned next_offset_ = 0;
};

}  // namespace hwaro
