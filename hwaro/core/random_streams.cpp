// Words are drawn in order, in bulk; what turns words into numbers runs in parallel where it costs more than drawing
// them. Each number depends on its own words only, so the thread count cannot be seen in the result.
#include "hwaro/core/random_streams.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <type_traits>

#include "hwaro/base/parallel.h"
#include "hwaro/core/allocator.h"
#include "hwaro/core/random_kernels.h"
#include "hwaro/math/half.h"

namespace hwaro {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::int64_t kStackElements = 1024;
constexpr std::int64_t kParallelFrom = 8192;      // elements; below, waking a thread costs more than it saves
constexpr std::int64_t kElementsPerDraw = 65536;  // words of one draw stay in the second-level cache
constexpr std::int64_t kHeavyGrain = 2048;

template <class T>
inline constexpr bool kIsReduced = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <class T, class X>
T cast(X x) {
  if constexpr (kIsReduced<T>) {
    return T(static_cast<float>(x));
  } else if constexpr (std::is_integral_v<T> && std::is_floating_point_v<X>) {
    constexpr X kEdge = static_cast<X>(0x1p63);  // outside, x86's conversion gives the lowest number
    const bool fits = x >= -kEdge && x < kEdge;
    return static_cast<T>(fits ? static_cast<std::int64_t>(x) : std::numeric_limits<std::int64_t>::min());
  } else {
    return static_cast<T>(x);
  }
}

std::uint64_t word64(const std::uint32_t* words) { return static_cast<std::uint64_t>(words[0]) << 32 | words[1]; }
double fraction53(const std::uint32_t* words) {
  return static_cast<double>(word64(words) & ((std::uint64_t{1} << 53) - 1)) * 0x1p-53;
}

// The generator's lock for one fill; the interpreter lock, if any, is let go before and taken again after.
class Fill {
 public:
  Fill(Generator& generator, std::int64_t n) : work_(n >= kParallelFrom), lock_(generator.mutex()) {}

 private:
  LongWork work_;
  std::lock_guard<ForkSafeMutex> lock_;
};

// 0 or 1 without a branch, which would be mispredicted every second time.
template <class T>
T cast_bool(bool set) {
  if constexpr (kIsReduced<T>) {
    return T::from_bits(static_cast<std::uint16_t>(T(1.0f).bits & -static_cast<int>(set)));
  } else {
    return static_cast<T>(static_cast<int>(set));
  }
}

class Scratch {
 public:
  explicit Scratch(std::size_t bytes) : bytes_(bytes), data_(allocate(bytes)) {}
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  void* data() const { return data_; }

 private:
  std::size_t bytes_;
  void* data_;
};

// Draws `Words` words per element and calls convert(words, begin, end), words being those of element `begin`.
template <int Words, class Convert>
void draw(Generator& generator, std::int64_t n, Convert convert) {
  std::uint32_t words[Words * kStackElements];
  for (std::int64_t begin = 0; begin < n; begin += kStackElements) {
    const std::int64_t end = std::min(n, begin + kStackElements);
    generator.fill_words(words, Words * (end - begin));
    convert(words, begin, end);
  }
}

// The same with convert in parallel: for transcendental functions.
template <int Words, class Convert>
void draw_heavy(Generator& generator, std::int64_t n, Convert convert) {
  if (n < kParallelFrom) return draw<Words>(generator, n, convert);
  Scratch scratch(static_cast<std::size_t>(std::min(n, kElementsPerDraw)) * Words * sizeof(std::uint32_t));
  auto* words = static_cast<std::uint32_t*>(scratch.data());
  for (std::int64_t begin = 0; begin < n; begin += kElementsPerDraw) {
    const std::int64_t count = std::min(n - begin, kElementsPerDraw);
    generator.fill_words(words, Words * count);
    parallel_for(count, kHeavyGrain,
                 [&](std::int64_t from, std::int64_t to) { convert(words + Words * from, begin + from, begin + to); });
  }
}

// Draws a fraction of 53 bits per element; out[i] = function(fraction).
template <class T, class Function>
void fill_from_fraction(Generator& generator, T* out, std::int64_t n, Function function) {
  const Fill fill(generator, n);
  draw_heavy<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i, words += 2) out[i] = cast<T>(function(fraction53(words)));
  });
}

}  // namespace

// ---- uniform -------------------------------------------------------------------------------------------------------

template <class T>
void fill_uniform(Generator& generator, T* out, std::int64_t n, double from, double to) {
  const Fill fill(generator, n);
  const RandomKernels& kernels = random_kernels();
  if constexpr (std::is_same_v<T, double>) {
    draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      kernels.uniform_double(words, out + begin, end - begin, from, to);
    });
  } else {
    const auto low = static_cast<float>(from), high = static_cast<float>(to);
    const T low_t = cast<T>(from), high_t = cast<T>(to);
    float buffer[kStackElements];
    draw<1>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      if constexpr (!kIsReduced<T>) {
        kernels.uniform_float(words, out + begin, end - begin, low, high);
      } else {
        kernels.uniform_float(words, buffer, end - begin, low, high);
        for (std::int64_t i = begin; i < end; ++i) {  // rounding to T may reach the upper end, which is excluded
          const T value(buffer[i - begin]);
          out[i] = static_cast<float>(value) == static_cast<float>(high_t) ? low_t : value;
        }
      }
    });
  }
}

// ---- normal --------------------------------------------------------------------------------------------------------

namespace {

constexpr std::int64_t kBlock = 16;

// Draws uniforms for `n` elements and turns whole blocks into normals; what does not fill a block stays uniform.
void normal_float(Generator& generator, float* out, std::int64_t n, float mean, float std) {
  const RandomKernels& kernels = random_kernels();
  constexpr std::int64_t kGrain = 512;  // blocks
  for (std::int64_t begin = 0; begin < n; begin += kElementsPerDraw) {
    const std::int64_t count = std::min(n - begin, kElementsPerDraw);
    float* data = out + begin;
    draw<1>(generator, count, [&](const std::uint32_t* words, std::int64_t from, std::int64_t to) {
      kernels.uniform_float(words, data + from, to - from, 0, 1);
    });
    parallel_for(count / kBlock, kGrain, [&](std::int64_t from, std::int64_t to) {
      kernels.normal_blocks(data + kBlock * from, to - from, mean, std);
    });
  }
}

void normal_double_block(double* data, double mean, double std) {
  for (int i = 0; i < kBlock / 2; ++i) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - data[i]));
    const double angle = 2.0 * kPi * data[i + kBlock / 2];
    data[i] = std::fma(radius * std::cos(angle), std, mean);
    data[i + kBlock / 2] = std::fma(radius * std::sin(angle), std, mean);
  }
}

void normal_double(Generator& generator, double* out, std::int64_t n, double mean, double std) {
  const RandomKernels& kernels = random_kernels();
  for (std::int64_t begin = 0; begin < n; begin += kElementsPerDraw) {
    const std::int64_t count = std::min(n - begin, kElementsPerDraw);
    double* data = out + begin;
    draw<2>(generator, count, [&](const std::uint32_t* words, std::int64_t from, std::int64_t to) {
      kernels.uniform_double(words, data + from, to - from, 0, 1);
    });
    parallel_for(count / kBlock, kHeavyGrain / kBlock, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t block = from; block < to; ++block) normal_double_block(data + kBlock * block, mean, std);
    });
  }
}

template <class T>
void normal_blocks(Generator& generator, T* out, std::int64_t n, double mean, double std) {
  if constexpr (std::is_same_v<T, double>) {
    normal_double(generator, out, n, mean, std);
  } else if constexpr (std::is_same_v<T, float>) {
    normal_float(generator, out, n, static_cast<float>(mean), static_cast<float>(std));
  } else {
    float buffer[kStackElements];
    for (std::int64_t begin = 0; begin < n; begin += kStackElements) {
      const std::int64_t count = std::min(n - begin, kStackElements);
      normal_float(generator, buffer, count, static_cast<float>(mean), static_cast<float>(std));
      for (std::int64_t i = 0; i < count; ++i) out[begin + i] = T(buffer[i]);
    }
  }
}

// Box-Muller in double, a pair from four words, the angle first. The second value of a pair that is only half used
// waits in the generator. Calls put(i, value) for each i once, in any order, from several threads.
template <class Put>
void serial_normals(Generator& generator, std::int64_t n, double mean, double std, Put put) {
  const auto scaled = [=](double x) { return std::fma(x, std, mean); };
  const auto make_pair = [](const std::uint32_t* words, double& first, double& second) {
    const double angle = 2.0 * kPi * fraction53(words);
    const double radius = std::sqrt(-2.0 * std::log1p(-fraction53(words + 2)));
    first = radius * std::cos(angle);
    second = radius * std::sin(angle);
  };
  std::int64_t start = 0;
  if (n > 0) {
    if (const auto cached = generator.take_cached_normal()) put(start++, scaled(*cached));
  }
  const std::int64_t pairs = (n - start) / 2;
  draw_heavy<4>(generator, pairs, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
    for (std::int64_t pair = begin; pair < end; ++pair, words += 4) {
      double first, second;
      make_pair(words, first, second);
      put(start + 2 * pair, scaled(first));
      put(start + 2 * pair + 1, scaled(second));
    }
  });
  if (start + 2 * pairs < n) {
    std::uint32_t words[4];
    generator.fill_words(words, 4);
    double first, second;
    make_pair(words, first, second);
    put(n - 1, scaled(first));
    generator.cache_normal(second);
  }
}

}  // namespace

void normal_serial(Generator& generator, std::int64_t n, double mean, double std,
                   FunctionRef<void(std::int64_t, double)> put) {
  const Fill fill(generator, n);
  Scratch scratch(static_cast<std::size_t>(std::min(n, kElementsPerDraw)) * sizeof(double));
  auto* values = static_cast<double*>(scratch.data());
  for (std::int64_t begin = 0; begin < n; begin += kElementsPerDraw) {
    const std::int64_t count = std::min(n - begin, kElementsPerDraw);
    serial_normals(generator, count, mean, std, [values](std::int64_t i, double x) { values[i] = x; });
    for (std::int64_t i = 0; i < count; ++i) put(begin + i, values[i]);
  }
}

template <class T>
void fill_normal(Generator& generator, T* out, std::int64_t n, double mean, double std) {
  const Fill fill(generator, n);
  const auto put = [out](std::int64_t i, double x) { out[i] = cast<T>(x); };
  if (n < kBlock) return serial_normals(generator, n, mean, std, put);
  // Half and bfloat16 draw for whole blocks only, float and double for every element first.
  normal_blocks(generator, out, kIsReduced<T> ? n / kBlock * kBlock : n, mean, std);
  if (n % kBlock != 0) normal_blocks(generator, out + n - kBlock, kBlock, mean, std);
}

template <class T>
void fill_log_normal(Generator& generator, T* out, std::int64_t n, double mean, double std) {
  const Fill fill(generator, n);
  serial_normals(generator, n, mean, std, [out](std::int64_t i, double x) { out[i] = cast<T>(std::exp(x)); });
}

// ---- integers ------------------------------------------------------------------------------------------------------

template <class T>
void fill_random_from_to(Generator& generator, T* out, std::int64_t n, std::uint64_t range, std::int64_t base) {
  const Fill fill(generator, n);
  const auto shifted = [base](std::uint64_t value) {
    return cast<T>(static_cast<std::int64_t>(value + static_cast<std::uint64_t>(base)));
  };
  if (range == 0) {
    draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, words += 2) out[i] = shifted(word64(words));
    });
  } else if (range >= std::uint64_t{1} << 28) {
    draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, words += 2) out[i] = shifted(word64(words) % range);
    });
  } else {
    // word % range by two multiplications (Lemire, Kaser and Kurz, 2019): the fraction of word / range times range.
    const std::uint64_t inverse = ~std::uint64_t{0} / range + 1;
    draw<1>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, ++words) {
        const std::uint64_t fraction = inverse * *words;
        out[i] = shifted(static_cast<std::uint64_t>(static_cast<unsigned __int128>(fraction) * range >> 64));
      }
    });
  }
}

template <class T>
void fill_random(Generator& generator, T* out, std::int64_t n) {
  const Fill fill(generator, n);
  if constexpr (std::is_same_v<T, double> || std::is_same_v<T, std::int64_t>) {
    draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, words += 2) {
        if constexpr (std::is_same_v<T, double>) {
          out[i] = cast<T>(word64(words) % ((std::uint64_t{1} << 53) + 1));
        } else {
          out[i] = static_cast<T>(word64(words) & (~std::uint64_t{0} >> 1));
        }
      }
    });
  } else {
    constexpr std::uint32_t kRange = std::is_same_v<T, bool>       ? 2
                                     : std::is_same_v<T, Half>     ? (1u << 11) + 1
                                     : std::is_same_v<T, BFloat16> ? (1u << 8) + 1
                                     : std::is_same_v<T, float>
                                         ? (1u << 24) + 1
                                         : static_cast<std::uint32_t>(std::numeric_limits<T>::max()) + 1u;
    draw<1>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, ++words) out[i] = cast<T>(*words % kRange);
    });
  }
}

template <class T>
void fill_random_full_range(Generator& generator, T* out, std::int64_t n) {
  fill_random_from_to(generator, out, n, 0, 0);
}

template <class T>
void fill_permutation(Generator& generator, T* out, std::int64_t n) {
  const Fill fill(generator, n);
  for (std::int64_t i = 0; i < n; ++i) out[i] = cast<T>(i);
  const auto swap = [out](std::int64_t i, std::int64_t j) {
    const T value = out[i];
    out[i] = out[j];
    out[j] = value;
  };
  // One word leaves a bias of up to 5 % in how often an index is drawn at this length; beyond, two are drawn.
  if (n < std::numeric_limits<std::uint32_t>::max() / 20) {
    draw<1>(generator, n - 1, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, ++words) swap(i, i + *words % static_cast<std::uint32_t>(n - i));
    });
  } else {
    draw<2>(generator, n - 1, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, words += 2) {
        swap(i, i + static_cast<std::int64_t>(word64(words) % static_cast<std::uint64_t>(n - i)));
      }
    });
  }
}

// ---- bernoulli -----------------------------------------------------------------------------------------------------

template <class T>
void fill_bernoulli(Generator& generator, T* out, std::int64_t n, double p) {
  const Fill fill(generator, n);
  // bits * 2^-53 < p, in integers.
  const auto bound = static_cast<std::uint64_t>(std::ceil(p * 0x1p53));
  draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i, words += 2) {
      out[i] = cast_bool<T>((word64(words) & ((std::uint64_t{1} << 53) - 1)) < bound);
    }
  });
}

template <class T, class P>
void fill_bernoulli(Generator& generator, T* out, const P* p, std::int64_t n) {
  const Fill fill(generator, n);
  if constexpr (std::is_same_v<P, double>) {
    draw<2>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, words += 2) out[i] = cast_bool<T>(fraction53(words) < p[i]);
    });
  } else {
    draw<1>(generator, n, [&](const std::uint32_t* words, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i, ++words) {
        const float fraction = static_cast<float>(static_cast<std::int32_t>(*words & 0xffffffu)) * 0x1p-24f;
        out[i] = cast_bool<T>(fraction < static_cast<float>(p[i]));
      }
    });
  }
}

// ---- from one fraction ---------------------------------------------------------------------------------------------

template <class T>
void fill_exponential(Generator& generator, T* out, std::int64_t n, double lambda) {
  const double scale = -1.0 / lambda;
  fill_from_fraction(generator, out, n, [scale](double u) { return scale * std::log1p(-u); });
}

template <class T>
void fill_cauchy(Generator& generator, T* out, std::int64_t n, double median, double sigma) {
  fill_from_fraction(generator, out, n, [=](double u) { return std::fma(sigma, std::tan(kPi * (u - 0.5)), median); });
}

template <class T>
void fill_geometric(Generator& generator, T* out, std::int64_t n, double p) {
  const double log_miss = std::log1p(-p);
  fill_from_fraction(generator, out, n, [log_miss](double u) { return std::ceil(std::log(u) / log_miss); });
}

// ---- instantiations ------------------------------------------------------------------------------------------------

#define HWARO_FOR_FLOATS(X) X(Half) X(BFloat16) X(float) X(double)
#define HWARO_FOR_NUMBERS(X) \
  X(std::uint8_t) X(std::int8_t) X(std::int16_t) X(std::int32_t) X(std::int64_t) HWARO_FOR_FLOATS(X)

#define HWARO_INSTANTIATE(T)                                                   \
  template void fill_uniform<T>(Generator&, T*, std::int64_t, double, double); \
  template void fill_normal<T>(Generator&, T*, std::int64_t, double, double);  \
  template void fill_exponential<T>(Generator&, T*, std::int64_t, double);     \
  template void fill_cauchy<T>(Generator&, T*, std::int64_t, double, double);  \
  template void fill_log_normal<T>(Generator&, T*, std::int64_t, double, double);
HWARO_FOR_FLOATS(HWARO_INSTANTIATE)
#undef HWARO_INSTANTIATE

#define HWARO_INSTANTIATE(T)                                             \
  template void fill_geometric<T>(Generator&, T*, std::int64_t, double); \
  template void fill_permutation<T>(Generator&, T*, std::int64_t);
HWARO_FOR_NUMBERS(HWARO_INSTANTIATE)
#undef HWARO_INSTANTIATE

#define HWARO_INSTANTIATE(T)                                                                       \
  template void fill_random_from_to<T>(Generator&, T*, std::int64_t, std::uint64_t, std::int64_t); \
  template void fill_random<T>(Generator&, T*, std::int64_t);                                      \
  template void fill_bernoulli<T>(Generator&, T*, std::int64_t, double);                           \
  template void fill_bernoulli<T, Half>(Generator&, T*, const Half*, std::int64_t);                \
  template void fill_bernoulli<T, BFloat16>(Generator&, T*, const BFloat16*, std::int64_t);        \
  template void fill_bernoulli<T, float>(Generator&, T*, const float*, std::int64_t);              \
  template void fill_bernoulli<T, double>(Generator&, T*, const double*, std::int64_t);
HWARO_INSTANTIATE(bool)
HWARO_FOR_NUMBERS(HWARO_INSTANTIATE)
#undef HWARO_INSTANTIATE

template void fill_random_full_range<std::int64_t>(Generator&, std::int64_t*, std::int64_t);
template void fill_random_full_range<double>(Generator&, double*, std::int64_t);
template void fill_random_full_range<float>(Generator&, float*, std::int64_t);
template void fill_random_full_range<BFloat16>(Generator&, BFloat16*, std::int64_t);

}  // namespace hwaro
