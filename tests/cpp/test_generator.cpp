#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hwaro/backend/cpu/random.h"
#include "hwaro/base/error.h"
#include "hwaro/base/parallel.h"
#include "hwaro/core/generator.h"
#include "hwaro/core/random_streams.h"
#include "hwaro/math/half.h"
#include "tests/cpp/generator_expected.h"

using namespace hwaro;
using namespace hwaro_test;

namespace {

constexpr std::uint64_t kHashStart = 0xcbf29ce484222325u;

std::uint64_t hash_bytes(std::uint64_t hash, const void* data, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, static_cast<const char*>(data) + at, std::min<std::size_t>(8, bytes - at));
    hash = (hash ^ word) * 0x100000001b3u;
  }
  return hash;
}

std::uint64_t state_hash(const Generator& generator) {
  const Generator::State state = generator.get_state();
  return hash_bytes(kHashStart, state.data(), state.size());
}

template <class T>
struct Buffer {  // std::vector<bool> has no data()
  explicit Buffer(std::int64_t n) : storage(static_cast<std::size_t>(n) * sizeof(T)) {}
  T* data() { return reinterpret_cast<T*>(storage.data()); }
  std::vector<unsigned char> storage;
};

std::vector<double> probabilities(std::int64_t n) {
  std::vector<double> p(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) p[static_cast<std::size_t>(i)] = static_cast<double>(i * 37 % 101) / 100;
  return p;
}

template <class T>
inline constexpr bool kFloating = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16> || std::is_floating_point_v<T>;

template <class T>
void run(const std::string& function, Generator& g, T* out, std::int64_t n) {
  if (function == "random") return fill_random(g, out, n);
  if (function == "random_100") return fill_random_from_to(g, out, n, 100, 0);
  if (function == "random_2") return fill_random_from_to(g, out, n, 2, 0);
  if (function == "random_signed") return fill_random_from_to(g, out, n, 77, -50);
  if (function == "random_below_2p28") return fill_random_from_to(g, out, n, (1u << 28) - 1, -3);
  if (function == "random_2p28") return fill_random_from_to(g, out, n, 1u << 28, -3);
  if (function == "random_2p40") return fill_random_from_to(g, out, n, (std::uint64_t{1} << 40) + 7, 0);
  if (function == "random_2p63") return fill_random_from_to(g, out, n, (std::uint64_t{1} << 63) - 1, 0);
  if (function == "bernoulli") return fill_bernoulli(g, out, n, 0.3);
  if (function == "bernoulli_double") return fill_bernoulli(g, out, probabilities(n).data(), n);
  if (function == "bernoulli_float") {
    const std::vector<double> wide = probabilities(n);
    const std::vector<float> p(wide.begin(), wide.end());
    return fill_bernoulli(g, out, p.data(), n);
  }
  if constexpr (kFloating<T>) {
    if (function == "uniform") return fill_uniform(g, out, n);
    if (function == "uniform_range") return fill_uniform(g, out, n, -0.3, 1.9);
    if (function == "normal") return fill_normal(g, out, n);
    if (function == "normal_scaled") return fill_normal(g, out, n, 1.7, 2.3);
    if (function == "exponential") return fill_exponential(g, out, n, 1.7);
    if (function == "cauchy") return fill_cauchy(g, out, n, 1.7, 2.3);
    if (function == "log_normal") return fill_log_normal(g, out, n, 0.7, 0.3);
  }
  if constexpr (!std::is_same_v<T, bool>) {
    if (function == "geometric") return fill_geometric(g, out, n, 0.03);
    if (function == "permutation") return fill_permutation(g, out, n);
  }
  if constexpr (std::is_same_v<T, std::int64_t> || std::is_same_v<T, BFloat16> || std::is_floating_point_v<T>) {
    if (function == "random_full") return fill_random_full_range(g, out, n);
  }
  FAIL("no such function for this type: ", function);
}

template <class F>
void visit(const std::string& dtype, F f) {
  if (dtype == "bool") return f(bool{});
  if (dtype == "uint8") return f(std::uint8_t{});
  if (dtype == "int8") return f(std::int8_t{});
  if (dtype == "int16") return f(std::int16_t{});
  if (dtype == "int32") return f(std::int32_t{});
  if (dtype == "int64") return f(std::int64_t{});
  if (dtype == "Half") return f(Half{});
  if (dtype == "BFloat16") return f(BFloat16{});
  if (dtype == "float") return f(float{});
  if (dtype == "double") return f(double{});
  FAIL("no such type: ", dtype);
}

std::uint64_t values_hash(const StreamHash& row, Generator& generator) {
  std::uint64_t hash = kHashStart;
  visit(row.dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<std::int64_t> sizes = {1, 7, 15, 16, 17, 31, 1000};
    if (row.length == kBlocks) sizes = {16, 17, 31, 1000};
    if (row.length == kMillion) sizes = {1 << 20};
    for (std::int64_t n : sizes) {
      Buffer<T> out(n);
      run(row.function, generator, out.data(), n);
      hash = hash_bytes(hash, out.data(), out.storage.size());
    }
  });
  return hash;
}

// Runs the test once per instruction set that this processor has.
template <class F>
void for_each_kernel_table(F f) {
  const RandomKernels* before = &random_kernels();
  for (int level = 0; level <= static_cast<int>(detect_cpu_capability()); ++level) {
    const auto capability = static_cast<CpuCapability>(level);
    INFO("instruction set ", cpu_capability_name(capability));
    set_random_kernels(random_kernels_for(capability));
    f();
  }
  set_random_kernels(before);
}

}  // namespace

TEST_CASE("streams equal PyTorch's bit for bit, and so does the state afterwards") {
  for_each_kernel_table([] {
    for (const StreamHash& row : kStreams) {
      INFO(row.function, " ", row.dtype, row.length == kMillion ? " 2^20" : "");
      Generator generator(row.length == kMillion ? 7 : 42);
      const std::uint64_t hash = values_hash(row, generator);
      CHECK(hash == row.values);
      CHECK(state_hash(generator) == row.state);
    }
  });
}

TEST_CASE("streams that go through the C library's functions equal PyTorch's to 1e-6") {
  for_each_kernel_table([] {
    for (const StreamValues& row : kValues) {
      INFO(row.function, " ", row.dtype);
      visit(row.dtype, [&](auto zero) {
        using T = decltype(zero);
        Generator generator(11);
        Buffer<T> three(3), more(18);
        run(row.function, generator, three.data(), 3);
        run(row.function, generator, more.data(), 18);
        for (int i = 0; i < 11; ++i) {
          const double value = static_cast<double>(i < 3 ? three.data()[i] : more.data()[i < 7 ? i - 3 : i + 7]);
          const double tolerance = std::is_same_v<T, double> ? 1e-13 : 1e-6;
          CHECK(std::abs(value - row.values[i]) <= tolerance * (1 + std::abs(row.values[i])));
        }
        // A normal kept for later is part of the state, and its last bit is the C library's.
        if (std::string(row.function).find("normal") == std::string::npos) CHECK(state_hash(generator) == row.state);
      });
    }
  });
}

TEST_CASE("strided normals come one by one, in order, and leave the second of a pair in the generator") {
  Generator generator(11);
  std::vector<double> values;
  normal_serial(generator, 9, 0.5, 1.5, [&](std::int64_t i, double value) {
    CHECK(i == static_cast<std::int64_t>(values.size()));
    values.push_back(value);
  });
  REQUIRE(values.size() == 9);
  for (std::size_t i = 0; i < 9; ++i) CHECK(std::abs(values[i] - kStrided[i]) <= 1e-13);
  // 9 = 4 pairs and a half: the next serial normal draws nothing.
  Generator twin(11);
  std::vector<double> ten;
  normal_serial(twin, 10, 0.5, 1.5, [&](std::int64_t, double value) { ten.push_back(value); });
  double next = 0;
  normal_serial(generator, 1, 0.5, 1.5, [&](std::int64_t, double value) { next = value; });
  CHECK(next == ten[9]);
  CHECK(state_hash(generator) == state_hash(twin));
}

TEST_CASE("long serial normals equal short ones drawn one after the other") {
  Generator once(5), pieces(5);
  std::vector<double> a, b;
  normal_serial(once, 150001, 0, 1, [&](std::int64_t, double value) { a.push_back(value); });
  for (std::int64_t left = 150001; left > 0; left -= 777) {
    const std::int64_t n = std::min<std::int64_t>(left, 777);
    normal_serial(pieces, n, 0, 1, [&](std::int64_t, double value) { b.push_back(value); });
  }
  CHECK(a == b);
  CHECK(state_hash(once) == state_hash(pieces));
}

TEST_CASE("the thread count cannot be seen in the numbers") {
  const int before = get_num_threads();
  for (const char* function : {"normal", "exponential", "log_normal", "bernoulli", "cauchy"}) {
    for (const char* dtype : {"float", "double", "BFloat16"}) {
      std::uint64_t hashes[3];
      for (int i = 0; i < 3; ++i) {
        set_num_threads(i + 1);
        Generator generator(3);
        visit(dtype, [&](auto zero) {
          Buffer<decltype(zero)> out(200003);
          run(function, generator, out.data(), 200003);
          hashes[i] = hash_bytes(state_hash(generator), out.data(), out.storage.size());
        });
      }
      CHECK(hashes[0] == hashes[1]);
      CHECK(hashes[0] == hashes[2]);
    }
  }
  set_num_threads(before);
}

TEST_CASE("uniform never reaches its upper end") {
  Generator generator(0);
  Buffer<BFloat16> out(100000);
  fill_uniform(generator, out.data(), 100000);  // rounding to 8 bits would give 1 about once in 512
  int ones = 0;
  for (int i = 0; i < 100000; ++i) ones += static_cast<float>(out.data()[i]) >= 1.0f;
  CHECK(ones == 0);
}

TEST_CASE("single words, seeds and states") {
  Generator generator;
  CHECK(generator.initial_seed() == Generator::kDefaultSeed);
  CHECK(state_hash(generator) == kDefaultState);
  generator.manual_seed(~std::uint64_t{0});
  CHECK(generator.initial_seed() == ~std::uint64_t{0});
  CHECK(generator.random64() == 0x18fe69a31c924122u);
  CHECK(generator.random64() == static_cast<std::uint64_t>(-0x166e13f36ff353b9));

  const Generator::State state = generator.get_state();
  const std::uint64_t next = generator.random64();
  generator.manual_seed(1);
  generator.set_state(state.data(), Generator::kStateBytes);
  CHECK(generator.get_state() == state);
  CHECK(generator.random64() == next);

  const std::uint64_t seed = generator.seed();
  CHECK(generator.initial_seed() == seed);
  CHECK(generator.seed() != seed);
  CHECK(&default_generator() == &default_generator());

  // Words one by one and in bulk are the same stream, across block borders.
  Generator a(9), b(9);
  std::vector<std::uint32_t> bulk(2000);
  b.fill_words(bulk.data(), 7);
  b.fill_words(bulk.data() + 7, 1993);
  bool same = true;
  for (std::uint32_t word : bulk) same = same && word == a.random();
  CHECK(same);
  CHECK(a.get_state() == b.get_state());
}

TEST_CASE("invalid states raise PyTorch's errors and change nothing") {
  Generator generator(4);
  generator.random();
  const Generator::State good = generator.get_state();
  Generator::State bad = good;
  CHECK_THROWS_WITH_AS(generator.set_state(good.data(), 10),
                       "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 10",
                       Error);
  const auto set = [&](std::size_t at, std::uint32_t value) {
    bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
  };
  using Change = std::pair<std::size_t, std::uint32_t>;
  for (auto [at, value] : {Change{8, 0}, Change{8, 625}, Change{8, 0x80000000u}, Change{12, 0}, Change{16, 625}}) {
    set(at, value);
    CHECK_THROWS_WITH_AS(generator.set_state(bad.data(), Generator::kStateBytes), "Invalid mt19937 state", Error);
  }
  CHECK(generator.get_state() == good);
  set(16, 624);  // words left, but none behind the index: must not read past the block
  generator.set_state(bad.data(), Generator::kStateBytes);
  for (int i = 0; i < 2000; ++i) generator.random();
  CHECK(generator.get_state() != bad);
}

TEST_CASE("several threads may draw from one generator; each fill is one piece of the stream") {
  Generator shared(6), serial(6);
  constexpr int kFills = 40;
  constexpr std::int64_t kCount = 3000;
  std::vector<std::vector<float>> fills(kFills, std::vector<float>(kCount));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = t; i < kFills; i += 4) fill_uniform(shared, fills[static_cast<std::size_t>(i)].data(), kCount);
    });
  }
  for (auto& thread : threads) thread.join();
  std::vector<std::vector<float>> expected(kFills, std::vector<float>(kCount));
  for (auto& fill : expected) fill_uniform(serial, fill.data(), kCount);
  std::sort(fills.begin(), fills.end());
  std::sort(expected.begin(), expected.end());
  CHECK(fills == expected);
  CHECK(shared.get_state() == serial.get_state());
}
