// The random number generator: the 32-bit Mersenne Twister mt19937 (Matsumoto and Nishimura, 1998), with PyTorch's
// seeding, word order and state layout, so that equal seeds give PyTorch's numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hwaro/base/fork_safe_mutex.h"

namespace hwaro {

class Generator {
 public:
  static constexpr std::uint64_t kDefaultSeed = 67280421310721;
  static constexpr std::int64_t kStateBytes = 5056;
  using State = std::array<std::uint8_t, kStateBytes>;

  explicit Generator(std::uint64_t seed = kDefaultSeed);
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // These five take the lock themselves.
  void manual_seed(std::uint64_t seed);
  std::uint64_t seed();  // seeds from the operating system's entropy; returns the seed
  std::uint64_t initial_seed() const;
  State get_state() const;  // byte for byte PyTorch's get_state()
  void set_state(const void* state, std::int64_t bytes);

  // For several draws that belong together, hold mutex() around them. What follows does not take it.
  ForkSafeMutex& mutex() const { return mutex_; }

  std::uint32_t random();
  std::uint64_t random64();  // two words, the high half first
  void fill_words(std::uint32_t* out, std::int64_t n);

  // The second value of the last normal pair drawn serially, if it is still unused.
  std::optional<double> take_cached_normal();
  void cache_normal(double value) { cached_normal_ = value; }

 private:
  static constexpr int kWords = 624;

  void start(std::uint64_t seed);
  int available();  // words left in the block, at least 1: makes the next block when there is none

  mutable ForkSafeMutex mutex_;
  std::uint64_t seed_ = 0;
  std::int32_t left_ = 1;   // words left in the block, plus one
  std::uint32_t next_ = 0;  // the next word's index
  std::array<std::uint32_t, kWords> words_;
  std::optional<double> cached_normal_;
  std::optional<float> cached_float_normal_;  // only travels through states
};

// The generator that operators use when none is given; seeded from entropy at start.
Generator& default_generator();

// A seed from the operating system.
std::uint64_t nondeterministic_seed();

}  // namespace hwaro
