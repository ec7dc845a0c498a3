// A mutex that a forked child finds free, whoever held it in the parent: of all threads only the one that forked goes on
// in the child, so nobody else is left to unlock it. What the lock guards may be half-written then, like everything that
// other threads were writing. For locks that are held for longer than a few instructions.
#pragma once

#include <atomic>
#include <cstdint>

namespace hwaro {

class ForkSafeMutex {
 public:
  constexpr ForkSafeMutex() = default;
  ForkSafeMutex(const ForkSafeMutex&) = delete;
  ForkSafeMutex& operator=(const ForkSafeMutex&) = delete;

  bool try_lock() noexcept {
    std::uint32_t word = word_.load(std::memory_order_relaxed);
    const std::uint32_t held = held_word();
    return word != held && word_.compare_exchange_strong(word, held, std::memory_order_acquire);
  }
  void lock() noexcept {
    while (!try_lock()) word_.wait(held_word(), std::memory_order_relaxed);
  }
  void unlock() noexcept {
    word_.store(0, std::memory_order_release);
    word_.notify_one();
  }

 private:
  // Another one in every child: a word from before the fork means free.
  static std::uint32_t held_word() noexcept;

  std::atomic<std::uint32_t> word_{0};
};

}  // namespace hwaro
