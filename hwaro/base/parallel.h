// The thread pool: one per process, sized by CPU affinity and cgroup quota. The calling thread takes part in the work.
#pragma once

#include <cstdint>

#include "hwaro/base/function_ref.h"

namespace hwaro {

// Runs body(begin, end) over [0, n) in chunks of `grain` elements. Where the chunk borders lie depends on n and grain
// only, never on the number of threads: a body that computes each chunk on its own gives the same bits for any number.
// HWARO_GRAIN replaces `grain` where the environment sets it (1 makes every sample parallel, for tests).
// An exception thrown by a chunk is rethrown on the caller once all started chunks are done. Calls may nest, and any
// number of user threads may call at once.
void parallel_for(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body);

// Number of threads that take part, the caller included; at least 1.
int get_num_threads();
void set_num_threads(int threads);

// How many chunks other threads than the caller have run so far: lets a test assert that the pool really ran.
std::uint64_t parallel_chunks_stolen();

// A hook around long work: `enter` runs on the calling thread before a parallel_for whose work does not fit one chunk,
// and what it returns is passed to `leave` afterwards. The Python binding releases the interpreter lock with it.
struct LongWorkHooks {
  void* (*enter)() = nullptr;
  void (*leave)(void*) = nullptr;
};
void set_long_work_hooks(LongWorkHooks hooks);

// Runs the hooks around its own lifetime, and keeps every parallel_for inside from running them again. Whoever takes a
// lock around a parallel_for makes one of these first: taking the interpreter lock again while holding another lock
// could deadlock. With worthwhile = false it only keeps the hooks from running.
class LongWork {
 public:
  explicit LongWork(bool worthwhile = true);
  ~LongWork();
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

 private:
  void* token_ = nullptr;
  void (*leave_)(void*) = nullptr;
};

}  // namespace hwaro
