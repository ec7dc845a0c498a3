// Graphs that threads share: leaves, their accumulators, parts of a graph, generators.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "hwaro/base/parallel.h"
#include "hwaro/hwaro.h"

using namespace hwaro;

namespace {

// Runs body(thread) on several threads that start together.
template <class F>
void on_threads(int count, F body) {
  std::atomic<int> waiting{count};
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t) {
    threads.emplace_back([&waiting, &body, t] {
      --waiting;
      while (waiting > 0) std::this_thread::yield();
      body(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

class ThreadCount {
 public:
  explicit ThreadCount(int count) : before_(get_num_threads()) { set_num_threads(count); }
  ~ThreadCount() { set_num_threads(before_); }

 private:
  int before_;
};

}  // namespace

TEST_CASE("threads that use a leaf for the first time at once share one accumulator") {
  for (int round = 0; round < 100; ++round) {
    const Tensor x = ones({8}).requires_grad_();
    on_threads(4, [&x](int) { (x * 2).sum().backward(); });
    CHECK(x.grad().sum().item<double>() == 4 * 2 * 8);
  }
}

TEST_CASE("threads accumulate large gradients into one leaf while the pool works for all of them") {
  const ThreadCount set(3);
  const Tensor x = ones({1 << 16}).requires_grad_();
  on_threads(4, [&x](int) {
    for (int k = 0; k < 10; ++k) (x * 2).sum().backward();
  });
  CHECK(x.grad().sum().item<double>() == 80.0 * (1 << 16));
}

TEST_CASE("threads walk the common part of a graph") {
  const Tensor x = full({100}, 3.0).requires_grad_();
  const Tensor common = (x * x).exp().log();  // x * x
  on_threads(4, [&common](int thread) { (common * (thread + 1)).sum().backward({}, {.retain_graph = true}); });
  CHECK(x.grad().index({0}).item<double>() == doctest::Approx(6.0 * (1 + 2 + 3 + 4)));
}

TEST_CASE("tensors made on one thread are used and freed on another") {
  std::vector<Tensor> made(64);
  on_threads(4, [&made](int thread) {
    for (int k = thread; k < 64; k += 4)
      made[static_cast<std::size_t>(k)] = full({100 + k}, k + 0.5).requires_grad_() * 2;
  });
  on_threads(4, [&made](int thread) {
    for (int k = 3 - thread; k < 64; k += 4) {
      Tensor& t = made[static_cast<std::size_t>(k)];
      t.sum().backward();
      t = Tensor();
    }
  });
}

TEST_CASE("threads draw from the default generator, and no draw is lost or doubled") {
  manual_seed(5);
  const Tensor expected = std::get<0>(rand({4 * 1000}).sort());
  manual_seed(5);
  std::vector<Tensor> drawn(4);
  on_threads(4, [&drawn](int thread) { drawn[static_cast<std::size_t>(thread)] = rand({1000}); });
  CHECK(equal(std::get<0>(cat({drawn[0], drawn[1], drawn[2], drawn[3]}).sort()), expected));
}
