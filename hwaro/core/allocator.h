// Memory for tensors and for small objects of the engine.
// Every tensor block is 64-byte aligned and padded: at least round_up(bytes, 64) + 64 bytes may be read and written, so
// that kernels work in whole vectors past the end. The padding behind `bytes` is zero when the block is handed out.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hwaro {

// Throws OutOfMemoryError; everything that was allocated before stays intact. allocate(0) gives a valid block.
void* allocate(std::size_t bytes);

// The two halves of allocate(), for callers who ask for more than their user did: null when there is no memory, and
// the error that says how much the user asked for.
void* try_allocate(std::size_t bytes) noexcept;
[[noreturn]] void raise_out_of_memory(std::size_t bytes);

// `bytes` as asked for; any thread may free what another thread allocated.
void deallocate(void* block, std::size_t bytes) noexcept;

// For small C++ objects (tensor headers, graph nodes): no padding, 64-byte aligned, fast up to 512 bytes.
void* allocate_node(std::size_t bytes);
void deallocate_node(void* node, std::size_t bytes) noexcept;

// Base class that puts objects of a class and of its subclasses into node memory. Deleting through a base pointer needs
// a virtual destructor, as always.
struct NodeAllocated {
  static void* operator new(std::size_t bytes) { return allocate_node(bytes); }
  static void* operator new(std::size_t, void* place) noexcept { return place; }
  static void operator delete(void* node, std::size_t bytes) noexcept { deallocate_node(node, bytes); }
  static void operator delete(void*, void*) noexcept {}
};

// "allocated" counts bytes as asked for by allocate(); "reserved" what was taken from the system, nodes included.
// Totals count since the start, or since reset_accumulated_memory_stats().
struct MemoryStats {
  std::int64_t allocated_current = 0;
  std::int64_t allocated_peak = 0;  // exact for one thread; up to 256 KiB too low for each further one
  std::int64_t allocated_total = 0;
  std::int64_t freed_total = 0;
  std::int64_t reserved_current = 0;
  std::int64_t reserved_peak = 0;
  std::int64_t reserved_total = 0;
  std::int64_t unreserved_total = 0;
  std::int64_t allocation_current = 0;  // blocks
  std::int64_t allocation_count = 0;
  std::int64_t freed_count = 0;
  std::int64_t segment_current = 0;  // mappings
  std::int64_t segment_count = 0;
  std::int64_t segment_freed = 0;
  std::int64_t retries = 0;        // times that idle blocks went back to the system to make room
  std::int64_t out_of_memory = 0;  // times that OutOfMemoryError was thrown
};
MemoryStats memory_stats();
void reset_peak_memory_stats();
void reset_accumulated_memory_stats();

// Gives cached large blocks back to the system.
void empty_cache();

// Upper bound for reserved bytes; 0 means none. HWARO_MEMORY_LIMIT sets it at start (bytes, or with k, m, g behind).
void set_memory_limit(std::int64_t bytes);
std::int64_t memory_limit();

// Bytes that the machine, or the control group of the process, has.
std::int64_t usable_memory();

}  // namespace hwaro
