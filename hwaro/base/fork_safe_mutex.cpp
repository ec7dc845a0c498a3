#include "hwaro/base/fork_safe_mutex.h"

#include <pthread.h>

namespace hwaro {
namespace {

constinit std::atomic<std::uint32_t> current_word{1};

void after_fork_in_child() {
  const std::uint32_t word = current_word.load(std::memory_order_relaxed) + 1;
  current_word.store(word == 0 ? 1 : word, std::memory_order_relaxed);  // 0 is free
}

[[gnu::constructor(101)]] void set_up() { pthread_atfork(nullptr, nullptr, after_fork_in_child); }

}  // namespace

std::uint32_t ForkSafeMutex::held_word() noexcept { return current_word.load(std::memory_order_relaxed); }

}  // namespace hwaro
