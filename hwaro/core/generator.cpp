#include "hwaro/core/generator.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <mutex>
#include <random>

#include "hwaro/base/error.h"
#include "hwaro/core/random_kernels.h"

namespace hwaro {
namespace {

// The layout of a saved state. 64 bits per word and the unused fields are history; checkpoints depend on them.
struct SavedState {
  std::uint64_t seed;
  std::int32_t left;
  std::int32_t seeded;
  std::uint64_t next;
  std::uint64_t words[624];
  double unused_x;
  double normal;
  double unused_rho;
  std::int32_t normal_is_valid;
  std::int32_t padding;
  float float_normal;
  std::uint8_t float_normal_is_valid;
  std::uint8_t more_padding[3];
};
static_assert(sizeof(SavedState) == Generator::kStateBytes);

}  // namespace

Generator::Generator(std::uint64_t seed) { start(seed); }

void Generator::start(std::uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<std::uint32_t>(seed);
  for (std::uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  left_ = 1;
  next_ = 0;
  cached_normal_.reset();
  cached_float_normal_.reset();
}

void Generator::manual_seed(std::uint64_t seed) {
  std::lock_guard<ForkSafeMutex> lock(mutex_);
  start(seed);
}

std::uint64_t Generator::seed() {
  const std::uint64_t seed = nondeterministic_seed();
  manual_seed(seed);
  return seed;
}

std::uint64_t Generator::initial_seed() const {
  std::lock_guard<ForkSafeMutex> lock(mutex_);
  return seed_;
}

Generator::State Generator::get_state() const {
  std::lock_guard<ForkSafeMutex> lock(mutex_);
  SavedState saved{};
  saved.seed = seed_;
  saved.left = left_;
  saved.seeded = 1;
  saved.next = next_;
  std::copy(words_.begin(), words_.end(), saved.words);
  saved.normal_is_valid = cached_normal_.has_value();
  saved.normal = cached_normal_.value_or(0.0);
  saved.float_normal_is_valid = cached_float_normal_.has_value();
  saved.float_normal = cached_float_normal_.value_or(0.0f);
  State state;
  std::memcpy(state.data(), &saved, sizeof saved);
  return state;
}

void Generator::set_state(const void* state, std::int64_t bytes) {
  HWARO_CHECK(bytes == kStateBytes, "Expected a CPUGeneratorImplState of size ", kStateBytes,
              " but found the input RNG state size to be ", bytes);
  SavedState saved;
  std::memcpy(&saved, state, sizeof saved);
  const auto next = static_cast<std::uint32_t>(saved.next);
  HWARO_CHECK(saved.seeded != 0 && saved.left > 0 && saved.left <= kWords && next <= kWords, "Invalid mt19937 state");
  std::lock_guard<ForkSafeMutex> lock(mutex_);
  seed_ = saved.seed;
  left_ = saved.left;
  next_ = next;
  for (int i = 0; i < kWords; ++i) words_[i] = static_cast<std::uint32_t>(saved.words[i]);
  cached_normal_ = saved.normal_is_valid ? std::optional<double>(saved.normal) : std::nullopt;
  cached_float_normal_ = saved.float_normal_is_valid ? std::optional<float>(saved.float_normal) : std::nullopt;
}

int Generator::available() {
  // A foreign state may hold a `left_` and a `next_` that contradict each other; no word beyond the block is ever read.
  int words = std::min(left_ - 1, kWords - static_cast<int>(next_));
  if (words == 0) {
    random_kernels().twist(words_.data());
    left_ = kWords + 1;
    next_ = 0;
    words = kWords;
  }
  return words;
}

std::uint32_t Generator::random() {
  available();
  std::uint32_t y = words_[next_++];
  --left_;
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  y ^= y >> 18;
  return y;
}

std::uint64_t Generator::random64() {
  const std::uint64_t high = random();
  return high << 32 | random();
}

void Generator::fill_words(std::uint32_t* out, std::int64_t n) {
  while (n > 0) {
    const int count = static_cast<int>(std::min<std::int64_t>(n, available()));
    random_kernels().temper(words_.data() + next_, out, count);
    next_ += static_cast<std::uint32_t>(count);
    left_ -= count;
    out += count;
    n -= count;
  }
}

std::optional<double> Generator::take_cached_normal() {
  const std::optional<double> value = cached_normal_;
  cached_normal_.reset();
  return value;
}

Generator& default_generator() {
  // Never destroyed. Not a function-local static: a fork in the middle of making it would leave the child waiting.
  static constinit std::atomic<Generator*> current{nullptr};
  Generator* generator = current.load(std::memory_order_acquire);
  if (!generator) {
    auto* fresh = new Generator(nondeterministic_seed());
    if (current.compare_exchange_strong(generator, fresh)) return *fresh;
    delete fresh;
  }
  return *generator;
}

std::uint64_t nondeterministic_seed() {
  std::random_device device;
  const std::uint64_t high = device();
  return high << 32 | device();
}

}  // namespace hwaro
