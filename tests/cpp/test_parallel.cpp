#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hwaro/base/error.h"
#include "hwaro/base/parallel.h"

using namespace hwaro;

namespace {

class Threads {  // sets the thread count for one test
 public:
  explicit Threads(int count) : before_(get_num_threads()) { set_num_threads(count); }
  ~Threads() { set_num_threads(before_); }

 private:
  int before_;
};

std::set<std::pair<std::int64_t, std::int64_t>> chunks_of(std::int64_t n, std::int64_t grain) {
  std::set<std::pair<std::int64_t, std::int64_t>> chunks;
  std::mutex mutex;
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    std::lock_guard<std::mutex> lock(mutex);
    CHECK(chunks.emplace(begin, end).second);
  });
  return chunks;
}

// Runs chunks that take a while until another thread than the caller has taken one.
bool another_thread_joins() {
  const auto before = parallel_chunks_stolen();
  for (int attempt = 0; attempt < 2000; ++attempt) {
    parallel_for(8, 1, [](std::int64_t, std::int64_t) { std::this_thread::sleep_for(std::chrono::microseconds(200)); });
    if (parallel_chunks_stolen() > before) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("parallel_for covers every index exactly once") {
  for (int threads : {1, 2, 3, 8}) {
    Threads set(threads);
    for (std::int64_t n : {0, 1, 2, 7, 64, 1000, 100003}) {
      for (std::int64_t grain : {1, 3, 64, 4096}) {
        std::vector<std::atomic<int>> seen(static_cast<std::size_t>(n));
        parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) seen[static_cast<std::size_t>(i)]++;
        });
        std::int64_t once = 0;
        for (auto& count : seen) once += count == 1;
        CHECK(once == n);
      }
    }
  }
}

TEST_CASE("a call returns when all its chunks have ended, those of other threads too") {
  Threads threads(4);
  const auto caller = std::this_thread::get_id();
  for (int repeat = 0; repeat < 5; ++repeat) {
    std::vector<std::atomic<int>> ended(16);
    // The caller has done all the other chunks long before a worker has done its first.
    parallel_for(16, 1, [&](std::int64_t begin, std::int64_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(std::this_thread::get_id() == caller ? 1 : 100));
      ended[std::size_t(begin)] = 1;
    });
    int count = 0;
    for (const auto& e : ended) count += e;
    CHECK(count == 16);
  }
}

TEST_CASE("chunk borders do not depend on the number of threads") {
  if (std::getenv("HWARO_GRAIN")) return;  // replaces the grain that this test asks for
  for (std::int64_t n : {1, 5, 100, 1001}) {
    std::set<std::pair<std::int64_t, std::int64_t>> expected;
    for (std::int64_t begin = 0; begin < n; begin += 7) expected.emplace(begin, std::min<std::int64_t>(begin + 7, n));
    for (int threads : {1, 2, 5}) {
      Threads set(threads);
      CHECK(chunks_of(n, 7) == expected);
    }
  }
}

TEST_CASE("other threads take part") {
  Threads set(2);
  CHECK(another_thread_joins());
}

TEST_CASE("the first failed chunk's exception reaches the caller and the pool stays usable") {
  for (int threads : {1, 2, 4}) {
    Threads set(threads);
    for (int round = 0; round < 50; ++round) {
      std::string message;
      try {
        parallel_for(100, 1, [](std::int64_t begin, std::int64_t) {
          if (begin >= 3) throw ValueError("chunk " + std::to_string(begin));
        });
      } catch (const ValueError& error) {
        message = error.what();
      }
      CHECK(message.substr(0, 6) == "chunk ");
      std::atomic<int> sum{0};
      parallel_for(100, 1, [&](std::int64_t begin, std::int64_t) { sum += static_cast<int>(begin); });
      CHECK(sum == 4950);
    }
  }
}

TEST_CASE("calls nest") {
  for (int threads : {1, 2, 4}) {
    Threads set(threads);
    std::atomic<std::int64_t> sum{0};
    parallel_for(10, 1, [&](std::int64_t i, std::int64_t) {
      parallel_for(10, 2, [&](std::int64_t begin, std::int64_t end) {
        parallel_for(end - begin, 1, [&](std::int64_t k, std::int64_t) { sum += 100 * i + begin + k; });
      });
    });
    CHECK(sum == 45 * 100 * 10 + 45 * 10);
  }
}

TEST_CASE("many threads call at once") {
  Threads set(3);
  std::vector<std::thread> users;
  std::atomic<int> wrong{0};
  for (int user = 0; user < 6; ++user) {
    users.emplace_back([&, user] {
      for (int round = 0; round < 300; ++round) {
        std::vector<std::int64_t> out(257);
        parallel_for(257, 16, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) out[static_cast<std::size_t>(i)] = i * user;
        });
        wrong += std::accumulate(out.begin(), out.end(), std::int64_t{0}) != 257 * 128 * user;
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(wrong == 0);
}

TEST_CASE("many threads make nested calls, and the number of threads changes meanwhile") {
  Threads set(3);
  std::atomic<bool> stop{false};
  std::thread changes([&stop] {
    for (int k = 0; !stop; ++k) {
      set_num_threads(1 + k % 5);
      std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
  });
  std::vector<std::thread> users;
  std::atomic<int> wrong{0};
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&wrong] {
      for (int round = 0; round < 100; ++round) {
        std::atomic<std::int64_t> sum{0};
        parallel_for(20, 1, [&sum](std::int64_t i, std::int64_t) {
          parallel_for(30, 4, [&sum, i](std::int64_t begin, std::int64_t end) {
            for (std::int64_t k = begin; k < end; ++k) sum += i * k;
          });
        });
        wrong += sum != 190 * 435;
      }
    });
  }
  for (auto& user : users) user.join();
  stop = true;
  changes.join();
  CHECK(wrong == 0);
}

TEST_CASE("an exception from a nested call reaches the outermost caller, of many at once") {
  Threads set(3);
  std::vector<std::thread> users;
  std::atomic<int> right{0};
  for (int user = 0; user < 4; ++user) {
    users.emplace_back([&right, user] {
      for (int round = 0; round < 50; ++round) {
        try {
          parallel_for(8, 1, [user](std::int64_t i, std::int64_t) {
            parallel_for(8, 1, [user, i](std::int64_t k, std::int64_t) {
              if (i == 5 && k == 3) throw ValueError("user " + std::to_string(user));
            });
          });
        } catch (const ValueError& e) {
          right += e.what() == "user " + std::to_string(user);
        }
      }
    });
  }
  for (auto& user : users) user.join();
  CHECK(right == 4 * 50);
}

#if !defined(__SANITIZE_THREAD__)  // starting threads after a fork is not supported under ThreadSanitizer
TEST_CASE("the pool works in a forked child and still works in the parent") {
  Threads set(2);
  CHECK(another_thread_joins());
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::atomic<int> sum{0};
    parallel_for(1000, 1, [&](std::int64_t begin, std::int64_t) { sum += static_cast<int>(begin); });
    _exit(sum == 499500 && another_thread_joins() ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(another_thread_joins());
}

TEST_CASE("threads fork while others compute, and every child computes") {
  Threads set(3);
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;
  for (int k = 0; k < 2; ++k) {
    busy.emplace_back([&stop] {
      while (!stop) parallel_for(64, 1, [](std::int64_t, std::int64_t) { std::this_thread::yield(); });
    });
  }
  std::atomic<int> failed{0};
  std::vector<std::thread> forking;
  for (int k = 0; k < 2; ++k) {
    forking.emplace_back([&failed] {
      for (int round = 0; round < 10; ++round) {
        const pid_t child = fork();
        if (child == 0) {
          alarm(60);  // a deadlock ends the child with a signal
          std::atomic<std::int64_t> sum{0};
          parallel_for(1000, 7, [&sum](std::int64_t begin, std::int64_t end) {
            parallel_for(end - begin, 1, [&sum, begin](std::int64_t i, std::int64_t) { sum += begin + i; });
          });
          const pid_t grandchild = fork();
          if (grandchild == 0) {
            parallel_for(100, 1, [&sum](std::int64_t i, std::int64_t) { sum += i; });
            _exit(sum == 499500 + 4950 ? 0 : 2);
          }
          int status = -1;
          const bool ended = waitpid(grandchild, &status, 0) == grandchild;
          _exit(sum == 499500 && ended && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1);
        }
        int status = -1;
        const bool ended = child > 0 && waitpid(child, &status, 0) == child;
        failed += !(ended && WIFEXITED(status) && WEXITSTATUS(status) == 0);
      }
    });
  }
  for (auto& thread : forking) thread.join();
  stop = true;
  for (auto& thread : busy) thread.join();
  CHECK(failed == 0);
  CHECK(another_thread_joins());
}

TEST_CASE("a process exits cleanly while another thread still computes") {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    set_num_threads(2);
    std::atomic<bool> started{false};
    std::thread([&started] {
      for (;;) {
        parallel_for(64, 1, [&](std::int64_t, std::int64_t) { started = true; });
      }
    }).detach();
    while (!started) std::this_thread::yield();
    std::exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("long work hooks run on the calling thread, only around work of more than one chunk") {
  if (std::getenv("HWARO_GRAIN")) return;
  static std::atomic<int> entered{0}, left{0};
  static std::thread::id thread;
  LongWorkHooks hooks;
  hooks.enter = []() -> void* {
    thread = std::this_thread::get_id();
    ++entered;
    return &entered;
  };
  hooks.leave = [](void* token) { left += token == &entered; };
  set_long_work_hooks(hooks);
  for (int threads : {1, 2}) {
    Threads set(threads);
    entered = left = 0;
    parallel_for(10, 10, [](std::int64_t, std::int64_t) {});
    CHECK(entered == 0);
    parallel_for(11, 10, [](std::int64_t, std::int64_t) { parallel_for(2, 1, [](std::int64_t, std::int64_t) {}); });
    CHECK(entered == 1);
    CHECK(left == 1);
    CHECK(thread == std::this_thread::get_id());
    CHECK_THROWS_AS(parallel_for(2, 1, [](std::int64_t, std::int64_t) { throw ValueError("x"); }), ValueError);
    CHECK(entered == 2);
    CHECK(left == 2);
    {  // one pair of calls for everything inside a LongWork, none for one that is not worthwhile
      LongWork work;
      parallel_for(11, 10, [](std::int64_t, std::int64_t) {});
      CHECK(entered == 3);
      CHECK(left == 2);
    }
    CHECK(left == 3);
    {
      LongWork quiet(false);
      parallel_for(11, 10, [](std::int64_t, std::int64_t) {});
    }
    CHECK(entered == 3);
    CHECK(left == 3);
  }
  set_long_work_hooks({});
}

TEST_CASE("set_num_threads") {
  Threads set(5);
  CHECK(get_num_threads() == 5);
  CHECK_THROWS_WITH_AS(set_num_threads(0), "set_num_threads expects a positive integer", Error);
  CHECK(get_num_threads() == 5);
}
