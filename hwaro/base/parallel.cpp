#include "hwaro/base/parallel.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "hwaro/base/cgroup.h"
#include "hwaro/base/error.h"
#include "hwaro/base/thread_pool.h"

namespace hwaro {
namespace {

int affinity_cpus() {
#if defined(__linux__)
  for (int capacity = 1024; capacity <= (1 << 20); capacity *= 2) {
    cpu_set_t* set = CPU_ALLOC(capacity);
    if (!set) break;
    const std::size_t size = CPU_ALLOC_SIZE(capacity);
    const bool ok = sched_getaffinity(0, size, set) == 0;
    const int error = errno;
    const int count = ok ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (ok) return count;
    if (error != EINVAL) break;  // EINVAL: the kernel's mask is wider than ours
  }
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? static_cast<int>(online) : 1;
}

// A positive integer from the environment; 0 where it is not set. A list ("4,2", OpenMP's nested form) gives its head.
std::int64_t positive_from_environment(const char* name, bool strict) {
  const char* text = std::getenv(name);
  if (!text || !*text) return 0;
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(text, &end, 10);
  const bool clean = end != text && errno == 0 && (*end == '\0' || (!strict && *end == ','));
  if (clean && value > 0) return value;
  if (strict) raise<ValueError>(name, " must be a positive integer, but got '", text, "'");
  return 0;  // OMP_NUM_THREADS belongs to others, who may allow more than we do
}

constexpr int kMaxThreads = 4096;
std::atomic<int> thread_count{0};  // 0: not decided yet

int decide_thread_count() {
  std::int64_t count = positive_from_environment("HWARO_NUM_THREADS", true);
  if (count == 0) count = positive_from_environment("OMP_NUM_THREADS", false);
  if (count == 0) count = available_cpus();
  int expected = 0;
  const int decided = static_cast<int>(std::min<std::int64_t>(count, kMaxThreads));
  return thread_count.compare_exchange_strong(expected, decided) ? decided : expected;
}

// HWARO_GRAIN, or 0. (Not a function-local static: a fork in the middle of its initialisation would hang the child.)
std::int64_t grain_override() {
  static constinit std::atomic<std::int64_t> cached{-1};
  std::int64_t grain = cached.load(std::memory_order_relaxed);
  if (grain < 0) [[unlikely]] {
    grain = positive_from_environment("HWARO_GRAIN", true);
    cached.store(grain, std::memory_order_relaxed);
  }
  return grain;
}

std::atomic<void* (*)()> enter_hook{nullptr};
std::atomic<void (*)(void*)> leave_hook{nullptr};

// One word, in the static TLS block, so that loading the library late never fails for lack of TLS space.
[[gnu::tls_model("initial-exec")]] thread_local int long_work_depth = 0;

}  // namespace

int available_cpus() {
  const int cpus = affinity_cpus();
  const double quota = cgroup_cpu_limit();
  if (quota >= cpus) return std::max(cpus, 1);
  return std::max(static_cast<int>(quota + 0.999), 1);  // a fraction of a CPU still needs a thread to use it
}

int get_num_threads() {
  const int count = thread_count.load(std::memory_order_relaxed);
  return count > 0 ? count : decide_thread_count();
}

void set_num_threads(int threads) {
  HWARO_CHECK(threads > 0, "set_num_threads expects a positive integer");
  thread_count.store(std::min(threads, kMaxThreads), std::memory_order_relaxed);
}

std::uint64_t parallel_chunks_stolen() {
  ThreadPool* pool = ThreadPool::instance();
  return pool ? pool->chunks_stolen() : 0;
}

void set_long_work_hooks(LongWorkHooks hooks) {
  enter_hook.store(hooks.enter, std::memory_order_release);
  leave_hook.store(hooks.leave, std::memory_order_release);
}

LongWork::LongWork(bool worthwhile) {
  if (long_work_depth++ > 0 || !worthwhile || in_parallel_region()) return;
  auto* leave = leave_hook.load(std::memory_order_acquire);
  auto* enter = enter_hook.load(std::memory_order_acquire);
  if (!enter || !leave) return;
  token_ = enter();
  leave_ = leave;
}

LongWork::~LongWork() {
  --long_work_depth;
  if (leave_) leave_(token_);
}

void parallel_for(std::int64_t n, std::int64_t grain, FunctionRef<void(std::int64_t, std::int64_t)> body) {
  if (n <= 0) return;
  if (const std::int64_t replaced = grain_override()) grain = replaced;
  if (grain < 1) grain = 1;
  if (n <= grain) return body(0, n);

  LongWork long_work;
  const std::int64_t chunks = (n - 1) / grain + 1;
  const int threads = get_num_threads();
  ThreadPool* pool = threads > 1 ? ThreadPool::instance() : nullptr;
  if (pool) return pool->run(n, grain, chunks, threads, body);
  ParallelRegion region;
  for (std::int64_t begin = 0; begin < n; begin += grain) body(begin, n - begin < grain ? n : begin + grain);
}

}  // namespace hwaro
