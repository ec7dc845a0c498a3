// Masks: how many bytes are set, and packing what stands at them; rows added, filled and reversed. Compiled once per
// instruction set.
//
// Packing eight lanes at a time: the eight mask bytes, spread to 0x00 or 0xFF, pick from the bytes 0 to 7 the numbers
// of the lanes that stay (pext), and those numbers drive a permutation; the store is a whole vector, of which the tail
// is overwritten by the next one. AVX-512 has the packing as one instruction (the form that stores directly is slow on
// some machines, so it packs in a register). Near the end of the room left, and without these instructions, every element is
// stored and the position moves on only where the mask is set, which needs no branch.
#include "hwaro/ops/index/index_kernels.h"

#include "hwaro/base/isa.h"
#include "hwaro/math/convert.h"
#include "hwaro/math/math.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;
using std::uint8_t;

#if defined(__AVX2__)
// 0xFF for each of eight mask bytes that is set.
inline std::uint64_t spread(const uint8_t* mask) {
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(mask));
  return ~std::uint64_t(_mm_cvtsi128_si64(_mm_cmpeq_epi8(bytes, _mm_setzero_si128())));
}
constexpr std::uint64_t kByteNumbers = 0x0706050403020100;
#endif

int64_t count(const uint8_t* mask, int64_t n) {
  int64_t total = 0, i = 0;
#if defined(__AVX2__)
  for (; i + 32 <= n; i += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(mask + i));
    const unsigned zero = unsigned(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256())));
    total += 32 - __builtin_popcount(zero);
  }
#endif
  for (; i < n; ++i) total += mask[i] != 0;
  return total;
}

// One sign bit tells: set in a negative index, or in the distance of one that is too large.
bool in_range(const int64_t* index, int64_t n, int64_t size) {
  using V = Vec<int64_t>;
  const V last = V::from_raw(V::broadcast(size - 1));
  V signs = V::from_raw(V::broadcast(0));
  int64_t i = 0, rest = 0;
  for (; i + V::size() <= n; i += V::size()) {
    const V at = V::load(index + i);
    signs = V::from_raw(signs.v | at.v | (last - at).v);
  }
  for (; i < n; ++i) rest |= index[i] | int64_t(std::uint64_t(size) - 1 - std::uint64_t(index[i]));
  for (int k = 0; k < V::size(); ++k) rest |= signs[k];
  return rest >= 0;
}

// The plain way, for the rest of a row: writes at most `room` elements.
template <class Put>
void pack_tail(const uint8_t* mask, int64_t i, int64_t n, int64_t k, int64_t room, Put put) {
  for (; i < n && k < room; ++i) {
    put(k, i);
    k += mask[i] != 0;
  }
}

void positions(int64_t* out, const uint8_t* mask, int64_t n, int64_t base, int64_t room) {
  int64_t i = 0, k = 0;
#if defined(__AVX2__)
  for (; i + 8 <= n && k + 8 <= room; i += 8) {
    const std::uint64_t set = spread(mask + i);
    const __m128i lanes = _mm_cvtsi64_si128(int64_t(_pext_u64(kByteNumbers, set)));
    const __m256i start = _mm256_set1_epi64x(base + i);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k), _mm256_add_epi64(start, _mm256_cvtepu8_epi64(lanes)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k + 4),
                        _mm256_add_epi64(start, _mm256_cvtepu8_epi64(_mm_srli_si128(lanes, 4))));
    k += __builtin_popcountll(set) / 8;
  }
#endif
  pack_tail(mask, i, n, k, room, [&](int64_t to, int64_t from) { out[to] = base + from; });
}

template <class T>
void compress(void* out_, const void* in_, const uint8_t* mask, int64_t n, int64_t room) {
  T* out = static_cast<T*>(out_);
  const T* in = static_cast<const T*>(in_);
  int64_t i = 0, k = 0;
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    for (; i + 16 <= n && k + 16 <= room; i += 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(mask + i));
      const __mmask16 set = _mm_test_epi8_mask(bytes, bytes);
      _mm512_storeu_si512(out + k, _mm512_maskz_compress_epi32(set, _mm512_loadu_si512(in + i)));
      k += __builtin_popcount(set);
    }
  } else if constexpr (sizeof(T) == 8) {
    for (; i + 8 <= n && k + 8 <= room; i += 8) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(mask + i));
      const __mmask8 set = __mmask8(_mm_test_epi8_mask(bytes, bytes));
      _mm512_storeu_si512(out + k, _mm512_maskz_compress_epi64(set, _mm512_loadu_si512(in + i)));
      k += __builtin_popcount(set);
    }
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    for (; i + 8 <= n && k + 8 <= room; i += 8) {
      const std::uint64_t set = spread(mask + i);
      const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(int64_t(_pext_u64(kByteNumbers, set))));
      const __m256i data = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k), _mm256_permutevar8x32_epi32(data, order));
      k += __builtin_popcountll(set) / 8;
    }
  } else if constexpr (sizeof(T) == 8) {
    for (; i + 4 <= n && k + 4 <= room; i += 4) {
      // Four lanes as eight halves: each mask byte stands for two neighbours.
      std::uint64_t set = 0;
      for (int j = 0; j < 4; ++j) set |= (mask[i + j] ? std::uint64_t(0xFFFF) : 0) << (16 * j);
      const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(int64_t(_pext_u64(kByteNumbers, set))));
      const __m256i data = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + k), _mm256_permutevar8x32_epi32(data, order));
      k += __builtin_popcountll(set) / 16;
    }
  }
#endif
  pack_tail(mask, i, n, k, room, [&](int64_t to, int64_t from) { out[to] = in[from]; });
}

// Lanes by element size only: the bits are moved, never computed with.
template <int Bytes>
struct LaneOf;
template <>
struct LaneOf<1> {
  using type = uint8_t;
};
template <>
struct LaneOf<2> {
  using type = std::int16_t;
};
template <>
struct LaneOf<4> {
  using type = float;
};
template <>
struct LaneOf<8> {
  using type = double;
};

template <int Bytes>
void fill_masked(void* to_, const void* value_, const uint8_t* mask, int64_t n) {
  using T = typename LaneOf<Bytes>::type;
  using V = Vec<T>;
  T* to = static_cast<T*>(to_);
  T value;
  __builtin_memcpy(&value, value_, Bytes);
  const V fill = V::from_raw(V::broadcast(value));
  int64_t i = 0;
  for (; i + V::size() <= n; i += V::size()) where(Mask<T>::load_bool(mask + i), fill, V::load(to + i)).store(to + i);
  for (; i < n; ++i)
    if (mask[i]) __builtin_memcpy(to + i, &value, Bytes);
}
void fill_masked_16(void* to_, const void* value, const uint8_t* mask, int64_t n) {
  char* to = static_cast<char*>(to_);
  for (int64_t i = 0; i < n; ++i)
    if (mask[i]) __builtin_memcpy(to + 16 * i, value, 16);
}

// Blocks of 16 bytes turned around in a register.
template <class T, int N>
HWARO_INLINE void reverse_block(T* to, const T* from) {
  typedef T Block __attribute__((vector_size(16)));
  Block in, out;
  __builtin_memcpy(&in, from, 16);
  if constexpr (N == 16) out = __builtin_shufflevector(in, in, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  else if constexpr (N == 8) out = __builtin_shufflevector(in, in, 7, 6, 5, 4, 3, 2, 1, 0);
  else if constexpr (N == 4) out = __builtin_shufflevector(in, in, 3, 2, 1, 0);
  else out = __builtin_shufflevector(in, in, 1, 0);
  __builtin_memcpy(to, &out, 16);
}
template <class T>
void reverse(void* to_, const void* from_, int64_t n) {
  constexpr int N = 16 / int(sizeof(T));
  T* to = static_cast<T*>(to_);
  const T* from = static_cast<const T*>(from_);
  int64_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N)
    for (int k = 0; k < 4; ++k) reverse_block<T, N>(to + i + k * N, from + n - i - (k + 1) * N);
  for (; i < n; ++i) to[i] = from[n - 1 - i];
}
void reverse_16(void* to, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    __builtin_memcpy(static_cast<char*>(to) + 16 * i, static_cast<const char*>(from) + 16 * (n - 1 - i), 16);
}

template <class T>
void add(void* to_, const void* from_, int64_t n) {
  using V = Vec<T>;
  T* to = static_cast<T*>(to_);
  const T* from = static_cast<const T*>(from_);
  int64_t i = 0;
  for (; i + V::size() <= n; i += V::size()) (V::load(to + i) + V::load(from + i)).store(to + i);
  for (; i < n; ++i) to[i] = T(to[i] + from[i]);
}
template <class T>
void add_complex(void* to, const void* from, int64_t n) {
  add<T>(to, from, 2 * n);
}
template <class T>
void add_half(void* to_, const void* from_, int64_t n) {
  T* to = static_cast<T*>(to_);
  const T* from = static_cast<const T*>(from_);
  for (int64_t i = 0; i < n; ++i) to[i] = cast_scalar<T>(cast_scalar<float>(to[i]) + cast_scalar<float>(from[i]));
}
void add_bool(void* to_, const void* from_, int64_t n) {
  uint8_t* to = static_cast<uint8_t*>(to_);
  const uint8_t* from = static_cast<const uint8_t*>(from_);
  for (int64_t i = 0; i < n; ++i) to[i] = uint8_t((to[i] | from[i]) != 0);
}

}  // namespace

extern constinit const IndexKernels index_table = {
    &in_range,
    &count,
    &positions,
    {&compress<uint8_t>, &compress<std::uint16_t>, &compress<std::uint32_t>, &compress<std::uint64_t>,
     &compress<Complex<double>>},
    {&fill_masked<1>, &fill_masked<2>, &fill_masked<4>, &fill_masked<8>, &fill_masked_16},
    {&reverse<uint8_t>, &reverse<std::int16_t>, &reverse<std::int32_t>, &reverse<int64_t>, &reverse_16},
    {&add_bool, &add<uint8_t>, &add<std::int8_t>, &add<std::int16_t>, &add<std::int32_t>, &add<int64_t>,
     &add_half<Half>, &add_half<BFloat16>, &add<float>, &add<double>, &add_complex<float>, &add_complex<double>},
};

}  // namespace HWARO_ISA
}  // namespace hwaro
