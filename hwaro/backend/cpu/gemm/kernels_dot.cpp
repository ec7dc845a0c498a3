// Products that are sums along both operands' rows, and matrix times vector (compiled once per instruction set).
// `dots`: both operands run along the depth, so vectors of depth are multiplied without any packing; a tile of sums
// stays in registers, and its lanes are added up at the end. Worth it where the depth is long and one side short.
// `gemv_rows`: the same for one column. `gemv_columns`: panels of y in registers, columns of a scaled and added.
#include "hwaro/backend/cpu/gemm/kernel_parts.h"
#include "hwaro/backend/cpu/gemm/micro.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kDotRows = 4, kDotColumns = 6;
#elif defined(__AVX2__)
constexpr int kDotRows = 3, kDotColumns = 4;
#else
constexpr int kDotRows = 2, kDotColumns = 4;
#endif

template <int N>
struct Count {
  static constexpr int value = N;
};

template <class T, int R>
HWARO_INLINE void dot_rows(std::int64_t n, const T* a, std::int64_t lda, const T* x, T (&out)[R]) {
  constexpr int L = simd::kLanes<T>, U = R == 1 ? 4 : 2;
  simd::Vector<T> acc[R][U] = {};
  std::int64_t j = 0;
  for (; j + U * L <= n; j += U * L) {
    HWARO_UNROLL
    for (int u = 0; u < U; ++u) {
      const simd::Vector<T> xv = simd::load(x + j + u * L);
      HWARO_UNROLL
      for (int r = 0; r < R; ++r) acc[r][u] = simd::fma(simd::load(a + r * lda + j + u * L), xv, acc[r][u]);
    }
  }
  for (; j < n; j += L) {
    const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(n - j < L ? n - j : L));
    const simd::Vector<T> xv = simd::load_masked(x + j, mask);
    HWARO_UNROLL
    for (int r = 0; r < R; ++r) acc[r][0] = simd::fma(simd::load_masked(a + r * lda + j, mask), xv, acc[r][0]);
  }
  HWARO_UNROLL
  for (int r = 0; r < R; ++r) {
    HWARO_UNROLL
    for (int u = 1; u < U; ++u) acc[r][0] += acc[r][u];
    out[r] = simd::sum<T>(acc[r][0]);
  }
}

template <class T>
HWARO_INLINE void finish_one(T* y, T value, const Epilogue<T>& e, std::int64_t i) {
  T v = e.alpha * value;
  if (e.beta != T(0)) v += e.beta * *y;
  if (e.bias != nullptr) v += e.bias[i];
  *y = v;
}

template <class T, int R, int C>
void dot_tile(std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T* c, std::int64_t ldc,
              const Epilogue<T>& e) {
  constexpr int L = simd::kLanes<T>;
  simd::Vector<T> acc[R][C];
  HWARO_UNROLL
  for (int i = 0; i < R; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < C; ++j) acc[i][j] = simd::Vector<T>{};
  }
  const auto step = [&](auto get) {
    simd::Vector<T> x[R];
    HWARO_UNROLL
    for (int i = 0; i < R; ++i) x[i] = get(a + i * lda);
    HWARO_UNROLL
    for (int j = 0; j < C; ++j) {
      const simd::Vector<T> y = get(b + j * ldb);
      HWARO_UNROLL
      for (int i = 0; i < R; ++i) acc[i][j] = simd::fma(x[i], y, acc[i][j]);
    }
  };
  std::int64_t p = 0;
  for (; p + L <= k; p += L, a += L, b += L) step([](const T* from) { return simd::load(from); });
  if (p < k) {
    const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(k - p));
    step([&](const T* from) { return simd::load_masked(from, mask); });
  }
  HWARO_UNROLL
  for (int i = 0; i < R; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < C; ++j) finish_one(c + i * ldc + j, simd::sum<T>(acc[i][j]), e, j);
  }
}

template <class T>
using DotTile = void (*)(std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T* c,
                         std::int64_t ldc, const Epilogue<T>& e);
template <class T>
struct DotTable {
  DotTile<T> at[kDotRows][kDotColumns];
};
template <class T, int R, int C>
constexpr void fill_dots(DotTable<T>& table) {
  table.at[R - 1][C - 1] = dot_tile<T, R, C>;
  if constexpr (C > 1) fill_dots<T, R, C - 1>(table);
  else if constexpr (R > 1) fill_dots<T, R - 1, kDotColumns>(table);
}
template <class T>
constexpr DotTable<T> make_dot_table() {
  DotTable<T> table{};
  fill_dots<T, kDotRows, kDotColumns>(table);
  return table;
}
template <class T>
constexpr DotTable<T> kDots = make_dot_table<T>();

}  // namespace

template <class T>
void dots(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
          T* c, std::int64_t ldc, Epilogue<T> epilogue) {
  const Strips rows(m, kDotRows), columns(n, kDotColumns);
  for (std::int64_t s = 0; s < columns.count; ++s) {
    const std::int64_t j = columns.begin(s);
    const Epilogue<T> e{epilogue.alpha, epilogue.beta, epilogue.bias ? epilogue.bias + j : nullptr};
    for (std::int64_t r = 0; r < rows.count; ++r) {
      const std::int64_t i = rows.begin(r);
      kDots<T>.at[rows.rows(r) - 1][columns.rows(s) - 1](k, a + i * lda, lda, b + j * ldb, ldb, c + i * ldc + j, ldc,
                                                         e);
    }
  }
}

template <class T>
void gemv_rows(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> e, T* y,
               std::int64_t incy) {
  // Groups of four in every case: a row's bits must not depend on how many rows there are.
  for (std::int64_t i = 0; i < m; i += 4) {
    T out[4];
    if (i + 4 <= m) {
      dot_rows<T, 4>(n, a + i * lda, lda, x, out);
    } else {
      for (std::int64_t r = i; r < m; ++r) {
        T four[4];
        dot_rows<T, 4>(n, a + r * lda, 0, x, four);
        out[r - i] = four[0];
      }
    }
    for (std::int64_t r = i; r < m && r < i + 4; ++r) finish_one(y + r * incy, out[r - i], e, r);
  }
}

template <class T>
void gemv_columns(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> e, T* y,
                  std::int64_t incy) {
  // Element (i, j) of a lies at a[i + j * lda]. A panel of y stays in the first cache; two columns are added in one
  // pass over it, so that a is read in long streams (more of them collide in the cache where lda is a power of two).
  constexpr int L = simd::kLanes<T>, C = 2;
  constexpr std::int64_t kPanel = 64 * L;
  alignas(64) T panel[kPanel];
  for (std::int64_t i = 0; i < m; i += kPanel) {
    const std::int64_t rows = m - i < kPanel ? m - i : kPanel, whole = rows / L * L;
    const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(rows - whole));
    for (std::int64_t r = 0; r < rows; r += L) simd::store(panel + r, simd::Vector<T>{});
    const auto add = [&](const T* column, auto count) {
      constexpr int N = decltype(count)::value;
      simd::Vector<T> xv[N];
      HWARO_UNROLL
      for (int c = 0; c < N; ++c) xv[c] = simd::splat(x[c]);
      for (std::int64_t r = 0; r < whole; r += L) {
        simd::Vector<T> sum = simd::load(panel + r);
        HWARO_UNROLL
        for (int c = 0; c < N; ++c) sum = simd::fma(simd::load(column + c * lda + r), xv[c], sum);
        simd::store(panel + r, sum);
      }
      if (whole < rows) {
        simd::Vector<T> sum = simd::load(panel + whole);
        HWARO_UNROLL
        for (int c = 0; c < N; ++c) sum = simd::fma(simd::load_masked(column + c * lda + whole, mask), xv[c], sum);
        simd::store(panel + whole, sum);
      }
      x += N;
    };
    const T* first = x;
    std::int64_t j = 0;
    for (; j + C <= n; j += C) add(a + i + j * lda, Count<C>{});
    for (; j < n; ++j) add(a + i + j * lda, Count<1>{});
    x = first;
    for (std::int64_t r = 0; r < rows; ++r) finish_one(y + (i + r) * incy, panel[r], e, i + r);
  }
}

template <class T>
T dot(std::int64_t n, const T* x, const T* y) {
  T out[1];
  dot_rows<T, 1>(n, x, 0, y, out);
  return out[0];
}

#define HWARO_INSTANTIATE(T)                                                                                          \
  template void dots<T>(std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, const T*, std::int64_t, T*, \
                        std::int64_t, Epilogue<T>);                                                                   \
  template void gemv_rows<T>(std::int64_t, std::int64_t, const T*, std::int64_t, const T*, Epilogue<T>, T*,           \
                             std::int64_t);                                                                           \
  template void gemv_columns<T>(std::int64_t, std::int64_t, const T*, std::int64_t, const T*, Epilogue<T>, T*,        \
                                std::int64_t);                                                                        \
  template T dot<T>(std::int64_t, const T*, const T*);
HWARO_INSTANTIATE(float)
HWARO_INSTANTIATE(double)
#undef HWARO_INSTANTIATE

}  // namespace HWARO_ISA
}  // namespace hwaro
