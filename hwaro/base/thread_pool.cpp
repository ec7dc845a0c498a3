#include "hwaro/base/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <system_error>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace hwaro {
namespace {

constexpr int kMaxSlots = 64;
// Long enough to bridge the gap between two operators of a training step, far shorter than a scheduler tick.
constexpr std::chrono::microseconds kSpin{30};

// One word, in the static TLS block, so that loading the library late never fails for lack of TLS space.
[[gnu::tls_model("initial-exec")]] thread_local int region_depth = 0;

// Rounding and flush-to-zero bits belong to a thread; workers take over the caller's, so that results do not depend
// on which thread ran a chunk.
#if defined(__x86_64__)
using FloatMode = unsigned;
FloatMode float_mode() { return _mm_getcsr(); }
void set_float_mode(FloatMode mode) {
  constexpr unsigned kStatusFlags = 0x3f;
  if ((_mm_getcsr() ^ mode) & ~kStatusFlags) _mm_setcsr(mode);
}
#elif defined(__aarch64__)
using FloatMode = std::uint64_t;
FloatMode float_mode() {
  FloatMode mode;
  __asm__ __volatile__("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
void set_float_mode(FloatMode mode) {
  if (float_mode() != mode) __asm__ __volatile__("msr fpcr, %0" : : "r"(mode));
}
#else
using FloatMode = unsigned;
FloatMode float_mode() { return 0; }
void set_float_mode(FloatMode) {}
#endif

void cpu_relax() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb");
#endif
}

struct alignas(64) Slot {
  std::atomic<std::int64_t> next{0};
  std::int64_t end = 0;
};

}  // namespace

struct Job {
  Job(FunctionRef<void(std::int64_t, std::int64_t)> body_, std::int64_t n_, std::int64_t grain_)
      : body(body_), n(n_), grain(grain_) {}

  void deal(std::int64_t chunks, int participants) {
    slot_count = std::min(participants, kMaxSlots);
    for (int s = 0; s < slot_count; ++s) {
      slots[s].next.store(first_chunk(chunks, s), std::memory_order_relaxed);
      slots[s].end = first_chunk(chunks, s + 1);
    }
  }
  std::int64_t first_chunk(std::int64_t chunks, int slot) const {
    return static_cast<std::int64_t>(static_cast<__int128>(chunks) * slot / slot_count);
  }

  // Runs chunks until none is left (or one failed); returns how many.
  std::uint64_t work(int participant) {
    std::uint64_t ran = 0;
    for (int s = 0; s < slot_count; ++s) {
      Slot& slot = slots[(participant + s) % slot_count];
      while (slot.next.load(std::memory_order_relaxed) < slot.end && !failed.load(std::memory_order_relaxed)) {
        const std::int64_t chunk = slot.next.fetch_add(1, std::memory_order_relaxed);
        if (chunk >= slot.end) break;
        run_chunk(chunk);
        ++ran;
      }
    }
    return ran;
  }

  void run_chunk(std::int64_t chunk) noexcept {
    const std::int64_t begin = chunk * grain;
    const std::int64_t end = n - begin < grain ? n : begin + grain;
    try {
      body(begin, end);
    } catch (...) {
      std::lock_guard<std::mutex> lock(error_mutex);
      if (!error || chunk < error_chunk) {
        error = std::current_exception();
        error_chunk = chunk;
      }
      failed.store(true, std::memory_order_relaxed);
    }
  }

  FunctionRef<void(std::int64_t, std::int64_t)> body;
  const std::int64_t n;
  const std::int64_t grain;
  const FloatMode mode = float_mode();
  int slot_count = 0;

  // Guarded by the pool's mutex.
  std::int64_t tickets = 0;
  int next_participant = 1;
  Job* previous = nullptr;
  Job* next = nullptr;

  std::atomic<int> users{0};  // workers inside; the caller may not return before it is 0
  std::atomic<bool> failed{false};
  std::mutex error_mutex;
  std::exception_ptr error;  // of the lowest-numbered chunk that failed
  std::int64_t error_chunk = 0;
  Slot slots[kMaxSlots];
};

bool in_parallel_region() { return region_depth > 0; }
ParallelRegion::ParallelRegion() { ++region_depth; }
ParallelRegion::~ParallelRegion() { --region_depth; }

// Spinning only helps while every thread of the pool can have a CPU of its own.
template <class Done>
bool ThreadPool::spin_until(Done done) const {
  if (!may_spin_.load(std::memory_order_relaxed)) return done();
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done()) return true;
      cpu_relax();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return done();
}

void ThreadPool::run(std::int64_t n, std::int64_t grain, std::int64_t chunks, int threads,
                     FunctionRef<void(std::int64_t, std::int64_t)> body) {
  const int helpers = static_cast<int>(std::min<std::int64_t>(chunks, threads)) - 1;
  Job job(body, n, grain);
  job.deal(chunks, helpers + 1);
  int wake = 0;
  bool listed = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!stopped_) {
      listed = true;
      if (static_cast<int>(workers_.size()) < threads - 1) start_workers(threads - 1);
      job.tickets = helpers;
      job.previous = last_;
      (last_ ? last_->next : first_) = &job;
      last_ = &job;
      tickets_.fetch_add(helpers, std::memory_order_relaxed);
      wake = std::min(helpers, sleepers_);
      if (wake == sleepers_ && wake > 1) {
        work_available_.notify_all();
        wake = 0;
      }
    }
  }
  for (; wake > 0; --wake) work_available_.notify_one();

  {
    ParallelRegion region;
    job.work(0);
  }

  if (listed) {
    std::lock_guard<std::mutex> lock(mutex_);
    tickets_.fetch_sub(job.tickets, std::memory_order_relaxed);
    (job.previous ? job.previous->next : first_) = job.next;
    (job.next ? job.next->previous : last_) = job.previous;
  }
  auto done = [&job] { return job.users.load(std::memory_order_acquire) == 0; };
  if (!done() && !spin_until(done)) {
    std::unique_lock<std::mutex> lock(mutex_);
    waiting_callers_.fetch_add(1);
    job_done_.wait(lock, [&job] { return job.users.load() == 0; });
    waiting_callers_.fetch_sub(1);
  }
  if (job.error) std::rethrow_exception(job.error);
}

// With mutex_ held. Where the system refuses another thread, the work runs on the threads there are.
void ThreadPool::start_workers(int count) {
  if (cpus_ == 0) cpus_ = available_cpus();
  may_spin_.store(count < cpus_, std::memory_order_relaxed);
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);  // signals are for the program's own threads
  try {
    workers_.reserve(static_cast<std::size_t>(count));
    while (static_cast<int>(workers_.size()) < count) {
      workers_.emplace_back([this] { worker_main(); });
#if defined(__linux__)
      pthread_setname_np(workers_.back().native_handle(), "hwaro-worker");
#endif
    }
  } catch (const std::system_error&) {
  }
  pthread_sigmask(SIG_SETMASK, &old, nullptr);
}

void ThreadPool::worker_main() {
  ParallelRegion region;
  for (;;) {
    auto ready = [this] {
      return tickets_.load(std::memory_order_relaxed) > 0 || stopping_.load(std::memory_order_relaxed);
    };
    if (!ready()) spin_until(ready);
    int participant = 0;
    Job* job = join_some_job(&participant);
    if (!job) return;
    set_float_mode(job->mode);
    const std::uint64_t ran = job->work(participant);
    chunks_stolen_.fetch_add(ran, std::memory_order_relaxed);
    leave(job);
  }
}

// Sleeps until there is a job to join; null when the pool stops.
Job* ThreadPool::join_some_job(int* participant) {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (stopped_) return nullptr;
    for (Job* job = first_; job; job = job->next) {
      if (job->tickets <= 0) continue;
      --job->tickets;
      tickets_.fetch_sub(1, std::memory_order_relaxed);
      job->users.fetch_add(1, std::memory_order_relaxed);
      *participant = job->next_participant++;
      return job;
    }
    ++sleepers_;
    work_available_.wait(lock);
    --sleepers_;
  }
}

void ThreadPool::leave(Job* job) {
  // After the decrement the job may be gone. Sequentially consistent with waiting_callers_: either the caller sees the
  // count reach zero, or this thread sees the caller wait.
  if (job->users.fetch_sub(1) == 1 && waiting_callers_.load() > 0) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
    }
    job_done_.notify_all();
  }
}

void ThreadPool::stop() {
  std::vector<std::thread> workers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    stopping_.store(true, std::memory_order_relaxed);
    workers.swap(workers_);
    work_available_.notify_all();
  }
  for (std::thread& worker : workers) {
    if (worker.get_id() == std::this_thread::get_id()) {
      worker.detach();  // a chunk called exit()
    } else {
      worker.join();
    }
  }
}

namespace {

std::mutex create_mutex;
std::atomic<ThreadPool*> current_pool{nullptr};
bool exiting = false;               // guarded by create_mutex, as the next
ThreadPool* left_behind = nullptr;  // by forks; kept reachable, so that leak checkers stay quiet

// Workers do not survive a fork. The child leaves the old pool behind, locks and all, and starts its own when needed.
void before_fork() { create_mutex.lock(); }
void after_fork_in_parent() { create_mutex.unlock(); }
void after_fork_in_child() {
  if (ThreadPool* pool = current_pool.exchange(nullptr, std::memory_order_relaxed)) {
    pool->set_older(left_behind);
    left_behind = pool;
  }
  create_mutex.unlock();
}

struct StopAtExit {
  StopAtExit() { pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child); }
  ~StopAtExit() {
    ThreadPool* pool;
    {
      std::lock_guard<std::mutex> lock(create_mutex);
      exiting = true;
      pool = current_pool.load(std::memory_order_relaxed);
    }
    if (pool) pool->stop();  // neither deleted nor replaced: a thread of the program may still be inside run()
  }
};
// Made at load, not at first use: a fork while another thread is in such an initialisation would hang the child.
StopAtExit stop_at_exit;

}  // namespace

ThreadPool* ThreadPool::instance() {
  if (ThreadPool* pool = current_pool.load(std::memory_order_acquire)) return pool;
  std::lock_guard<std::mutex> lock(create_mutex);
  ThreadPool* pool = current_pool.load(std::memory_order_acquire);
  if (!pool && !exiting) {
    pool = new ThreadPool;
    current_pool.store(pool, std::memory_order_release);
  }
  return pool;
}

}  // namespace hwaro
