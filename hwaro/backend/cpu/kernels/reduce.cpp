// Reductions of rows (contiguous runs) and of columns (many runs added to each other).
//
// Rows: four vector accumulators take blocks of 128 vectors; blocks are added up 16 at a time, and those sums in turn,
// so that no chain of additions is long. (Callers cut rows of more than 2^16 elements.) Columns: four rows at a time
// are added into a tile that stays in L1, and every 128 rows the tile is added to the result. Lanes of a column never
// mix, so whole vectors and single lanes give the same bits.
#include "hwaro/ops/reduce/reduce_kernels.h"

#include "hwaro/backend/cpu/kernels/reduce_parts.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;
using namespace reduce_parts;

// Width 2: complex numbers, as pairs.
template <class Op, class T, class A, int Width = 1>
void rows(void* out, const void* in, int64_t rows, int64_t stride, int64_t n) {
  A* o = static_cast<A*>(out);
  const T* x = static_cast<const T*>(in);
  for (int64_t r = 0; r < rows; ++r)
    reduce_lanes<Op, A, Width>(reduce_run<Op, T, A>(x + r * stride * Width, n * Width), o + r * Width);
}

#if defined(__SSE2__)
// Sums of bytes: the instruction that adds absolute differences adds eight bytes at a time; signed ones are moved to 0
// … 255.
template <class T>
int64_t sum_bytes(const T* x, int64_t n) {
  constexpr int N = HWARO_VECTOR_BYTES;
  using V = Vec<std::uint8_t, N>;
  const V shift(std::uint8_t(native::kIsUnsigned<T> ? 0 : 0x80));
  Vec<int64_t> total(0);
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    V v;
    __builtin_memcpy(&v.v, x + i, N);
    v = v ^ shift;
#if defined(__AVX512BW__)
    total += Vec<int64_t>::from_raw((typename Vec<int64_t>::Raw)_mm512_sad_epu8((__m512i)v.v, _mm512_setzero_si512()));
#elif defined(__AVX2__)
    total += Vec<int64_t>::from_raw((typename Vec<int64_t>::Raw)_mm256_sad_epu8((__m256i)v.v, _mm256_setzero_si256()));
#else
    total += Vec<int64_t>::from_raw((typename Vec<int64_t>::Raw)_mm_sad_epu8((__m128i)v.v, _mm_setzero_si128()));
#endif
  }
  int64_t sum;
  reduce_lanes<Sum, int64_t, 1>(total, &sum);
  if (!native::kIsUnsigned<T>) sum -= 128 * i;
  for (; i < n; ++i) sum += x[i];
  return sum;
}
#endif

// Sums of 8- and 16-bit integers: 32-bit lanes take up to 2^15 elements each before they are widened.
template <class T>
void sum_rows_small(void* out, const void* in, int64_t rows, int64_t stride, int64_t n) {
  constexpr int N = kLanes<std::int32_t>;
  using V = Vec<std::int32_t>;
  int64_t* o = static_cast<int64_t*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = static_cast<const T*>(in) + r * stride;
#if defined(__SSE2__)
    if constexpr (sizeof(T) == 1) {
      o[r] = sum_bytes(x, n);
      continue;
    }
#endif
    int64_t total = 0, i = 0;
    while (n - i >= 2 * N) {
      const int64_t end = n - i < (int64_t(2) << 15) * N ? n : i + (int64_t(2) << 15) * N;
      V a(0), b(0);
      for (; end - i >= 2 * N; i += 2 * N) {
        a += convert_lanes<std::int32_t>(Vec<T, N>::load(x + i));
        b += convert_lanes<std::int32_t>(Vec<T, N>::load(x + i + N));
      }
      for (int l = 0; l < N; ++l) total += int64_t(a[l]) + b[l];
    }
    for (; i < n; ++i) total += x[i];
    o[r] = total;
  }
}

constexpr int kTileColumns = 512;

// Reduces a strip of at most kTileColumns columns (a multiple of N) into out.
template <class Op, class T, class A, int N>
HWARO_INLINE void reduce_strip(A* out, const T* in, int64_t rows, int64_t stride, int64_t width) {
  constexpr int64_t kLevel = 128;
  A tile[kTileColumns];
  for (int64_t r0 = 0; r0 < rows; r0 += kLevel) {
    const int64_t end = rows - r0 < kLevel ? rows : r0 + kLevel;
    A* level = r0 == 0 ? out : tile;
    int64_t r = r0;
    {
      const int lead = int((end - r0) % 4 ? (end - r0) % 4 : 4);
      const T* x = in + r * stride;
      for (int64_t j = 0; j < width; j += N) {
        auto v = Op::map(load_lanes<T, A, N>(x + j));
        if (lead > 1) v = Op::combine(v, Op::map(load_lanes<T, A, N>(x + stride + j)));
        if (lead > 2) {
          auto w = Op::map(load_lanes<T, A, N>(x + 2 * stride + j));
          if (lead > 3) w = Op::combine(w, Op::map(load_lanes<T, A, N>(x + 3 * stride + j)));
          v = Op::combine(v, w);
        }
        v.store(level + j);
      }
      r += lead;
    }
    for (; r < end; r += 4) {
      const T* x = in + r * stride;
      for (int64_t j = 0; j < width; j += N) {
        const auto a = Op::combine(Op::map(load_lanes<T, A, N>(x + j)), Op::map(load_lanes<T, A, N>(x + stride + j)));
        const auto b = Op::combine(Op::map(load_lanes<T, A, N>(x + 2 * stride + j)),
                                   Op::map(load_lanes<T, A, N>(x + 3 * stride + j)));
        Op::combine(Vec<A, N>::load(level + j), Op::combine(a, b)).store(level + j);
      }
    }
    if (r0 > 0)
      for (int64_t j = 0; j < width; j += N)
        Op::combine(Vec<A, N>::load(out + j), Vec<A, N>::load(tile + j)).store(out + j);
  }
}

template <class Op, class T, class A, int Width = 1>
void columns(void* out, const void* in, int64_t rows, int64_t stride, int64_t n) {
  constexpr int N = kLanes<A>;
  A* o = static_cast<A*>(out);
  const T* x = static_cast<const T*>(in);
  n *= Width;
  stride *= Width;
  const int64_t whole = n - n % N;
  for (int64_t j = 0; j < whole; j += kTileColumns)
    reduce_strip<Op, T, A, N>(o + j, x + j, rows, stride, whole - j < kTileColumns ? whole - j : kTileColumns);
  if (whole < n) reduce_strip<Op, T, A, 1>(o + whole, x + whole, rows, stride, n - whole);
}

// Products of complex numbers.
template <class C>
void product_rows(void* out, const void* in, int64_t rows, int64_t stride, int64_t n) {
  C* o = static_cast<C*>(out);
  for (int64_t r = 0; r < rows; ++r) {
    const C* x = static_cast<const C*>(in) + r * stride;
    C total = x[0];
    for (int64_t i = 1; i < n; ++i) total = total * x[i];
    o[r] = total;
  }
}
template <class C>
void product_columns(void* out, const void* in, int64_t rows, int64_t stride, int64_t n) {
  C* o = static_cast<C*>(out);
  const C* x = static_cast<const C*>(in);
  for (int64_t j = 0; j < n; ++j) o[j] = x[j];
  for (int64_t r = 1; r < rows; ++r)
    for (int64_t j = 0; j < n; ++j) o[j] = o[j] * x[r * stride + j];
}

using U8 = std::uint8_t;
using I8 = std::int8_t;
using I16 = std::int16_t;
using I32 = std::int32_t;
using I64 = std::int64_t;

// Columns of the tables, in the order of DType.
#define HWARO_FLOATS(loop, Op)                                                                                     \
  &loop<Op, Half, float>, &loop<Op, BFloat16, float>, &loop<Op, float, float>, &loop<Op, double, double>, nullptr, \
      nullptr
#define HWARO_WIDE_FLOATS(loop, Op) \
  nullptr, nullptr, &loop<Op, float, float>, &loop<Op, double, double>, nullptr, nullptr
#define HWARO_NO_INTS nullptr, nullptr, nullptr, nullptr, nullptr, nullptr
#define HWARO_SAME_INTS(loop, Op) \
  &loop<Op, U8, U8>, &loop<Op, U8, U8>, &loop<Op, I8, I8>, &loop<Op, I16, I16>, &loop<Op, I32, I32>, &loop<Op, I64, I64>

}  // namespace

extern constinit const ReduceKernels reduce_table = {
    {
        {&sum_rows_small<U8>, &sum_rows_small<U8>, &sum_rows_small<I8>, &sum_rows_small<I16>, &rows<Sum, I32, I64>,
         &rows<Sum, I64, I64>, &rows<Sum, Half, float>, &rows<Sum, BFloat16, float>, &rows<Sum, float, float>,
         &rows<Sum, double, double>, &rows<Sum, float, float, 2>, &rows<Sum, double, double, 2>},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(rows, NanSum)},
        {nullptr, nullptr, nullptr, nullptr, nullptr, &rows<Prod, I64, I64>, nullptr, nullptr,
         &rows<Prod, float, float>, &rows<Prod, double, double>, &product_rows<Complex<float>>,
         &product_rows<Complex<double>>},
        {HWARO_SAME_INTS(rows, Max), HWARO_FLOATS(rows, Max)},
        {HWARO_SAME_INTS(rows, Min), HWARO_FLOATS(rows, Min)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(rows, SumAbs)},
        {HWARO_NO_INTS, HWARO_FLOATS(rows, SumSquares)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(rows, MaxAbs)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(rows, MinAbs)},
    },
    {
        {&columns<Sum, U8, I64>, &columns<Sum, U8, I64>, &columns<Sum, I8, I64>, &columns<Sum, I16, I64>,
         &columns<Sum, I32, I64>, &columns<Sum, I64, I64>, &columns<Sum, Half, float>, &columns<Sum, BFloat16, float>,
         &columns<Sum, float, float>, &columns<Sum, double, double>, &columns<Sum, float, float, 2>,
         &columns<Sum, double, double, 2>},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(columns, NanSum)},
        {nullptr, nullptr, nullptr, nullptr, nullptr, &columns<Prod, I64, I64>, nullptr, nullptr,
         &columns<Prod, float, float>, &columns<Prod, double, double>, &product_columns<Complex<float>>,
         &product_columns<Complex<double>>},
        {HWARO_SAME_INTS(columns, Max), HWARO_FLOATS(columns, Max)},
        {HWARO_SAME_INTS(columns, Min), HWARO_FLOATS(columns, Min)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(columns, SumAbs)},
        {HWARO_NO_INTS, HWARO_FLOATS(columns, SumSquares)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(columns, MaxAbs)},
        {HWARO_NO_INTS, HWARO_WIDE_FLOATS(columns, MinAbs)},
    },
};

}  // namespace HWARO_ISA
}  // namespace hwaro
