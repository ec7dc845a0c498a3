// The pool behind parallel_for. Algorithm:
//   A call is a Job on its caller's stack: chunks are dealt into one slot (a range of chunk numbers) per participant,
//   who empties its own slot first and then takes from the others. Dealing whole ranges keeps a thread on the same part
//   of memory from one operator to the next; taking chunk by chunk evens out what the dealing got wrong.
//   Jobs wait in a list; a free worker joins the oldest job that still has a ticket. Callers never wait for a free
//   worker, only for chunks already begun, so nested and concurrent calls cannot deadlock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "hwaro/base/function_ref.h"

namespace hwaro {

struct Job;

class ThreadPool {
 public:
  // The process's pool, started on first use; null if that comes when the process is exiting already.
  static ThreadPool* instance();

  // Runs chunks [0, chunks) of `grain` elements each on up to `threads` threads, the caller included.
  void run(std::int64_t n, std::int64_t grain, std::int64_t chunks, int threads,
           FunctionRef<void(std::int64_t, std::int64_t)> body);

  std::uint64_t chunks_stolen() const { return chunks_stolen_.load(std::memory_order_relaxed); }

  // Chains pools that forks left behind.
  void set_older(ThreadPool* pool) { older_ = pool; }

  // Ends and joins the workers; calls that are under way finish on their callers.
  void stop();

 private:
  void start_workers(int count);
  void worker_main();
  Job* join_some_job(int* participant);
  void leave(Job* job);
  template <class Done>
  bool spin_until(Done done) const;

  std::mutex mutex_;
  std::condition_variable work_available_;
  std::condition_variable job_done_;
  std::vector<std::thread> workers_;
  Job* first_ = nullptr;  // jobs that workers may join, oldest first
  Job* last_ = nullptr;
  ThreadPool* older_ = nullptr;
  int cpus_ = 0;  // 0: not looked up yet
  int sleepers_ = 0;
  bool stopped_ = false;
  std::atomic<std::int64_t> tickets_{0};  // over all listed jobs; what idle workers spin on
  std::atomic<int> waiting_callers_{0};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> may_spin_{true};
  std::atomic<std::uint64_t> chunks_stolen_{0};
};

// CPUs this process may use: the affinity mask, cut down to the cgroup (v1 or v2) CPU quota; at least 1.
int available_cpus();

// True on a pool worker and, on any thread, inside a chunk of a parallel_for.
bool in_parallel_region();

// Marks the current thread as inside a chunk for its lifetime.
class ParallelRegion {
 public:
  ParallelRegion();
  ~ParallelRegion();
  ParallelRegion(const ParallelRegion&) = delete;
  ParallelRegion& operator=(const ParallelRegion&) = delete;
};

}  // namespace hwaro
