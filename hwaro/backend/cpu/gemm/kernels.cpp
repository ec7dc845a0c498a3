// Real matrix products of one instruction set (compiled once for each).
// `block`: the depth is cut into panels of at most kDepth; of each, b is packed whole (it stays in the second cache) and
// a strip by strip (a strip stays in the first cache while the strips of b stream past it).
// `small`: nothing of a is packed, b only where it is stored transposed: up to 64 columns packing costs more than it
// saves. `gemv`: rows are dot products four at a time, columns are sums of scaled rows four at a time.
#include "hwaro/backend/cpu/gemm/kernels.h"

#include "hwaro/backend/cpu/gemm/micro.h"
#include "hwaro/backend/cpu/gemm/pack.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

constexpr std::int64_t kDepth = 256;

template <class T>
struct MicroTable {
  MicroKernel<T> at[kTileRows][kTileVectors];
};
template <class T, int MR>
constexpr void fill_row(MicroTable<T>& table) {
  table.at[MR - 1][0] = micro_kernel<T, MR, 1>;
  table.at[MR - 1][1] = micro_kernel<T, MR, 2>;
  if constexpr (MR > 1) fill_row<T, MR - 1>(table);
}
template <class T>
constexpr MicroTable<T> make_micro_table() {
  MicroTable<T> table{};
  fill_row<T, kTileRows>(table);
  return table;
}
template <class T>
constexpr MicroTable<T> kMicro = make_micro_table<T>();

template <class T>
std::int64_t padded_columns(std::int64_t n) {
  return (n + simd::kLanes<T> - 1) / simd::kLanes<T> * simd::kLanes<T>;
}

template <class T>
std::int64_t block_workspace(std::int64_t n, std::int64_t k) {
  const std::int64_t depth = k < kDepth ? k : kDepth;
  return depth * (padded_columns<T>(n) + kTileRows) + 2 * simd::kLanes<T>;
}

// Strips of kTileColumns (the last one of whole vectors), each as [depth][columns].
template <class T>
void pack_b(MatrixView<T> b, std::int64_t n, std::int64_t depth, T* dst) {
  constexpr std::int64_t W = kTileColumns<T>;
  for (std::int64_t j = 0; j < n; j += W) {
    const std::int64_t columns = n - j < W ? n - j : W, width = padded_columns<T>(columns);
    const T* src = b.data + j * b.col;
    if (b.col == 1) {
      pack_rows(src, b.row, columns, depth, dst, width);
    } else {
      pack_transposed(src, b.col, columns, depth, dst, width);
      if (columns < width)
        for (std::int64_t p = 0; p < depth; ++p)
          for (std::int64_t i = columns; i < width; ++i) dst[p * width + i] = T(0);
    }
    dst += depth * width;
  }
}

template <class T>
void block(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, T* c, std::int64_t ldc,
           Epilogue<T> epilogue, T* work) {
  constexpr std::int64_t W = kTileColumns<T>;
  const Strips panels(k, kDepth), strips(m, kTileRows);
  T* packed_a = work;
  T* packed_b = work + ((kTileRows * (k < kDepth ? k : kDepth) + simd::kLanes<T> - 1) / simd::kLanes<T>)*simd::kLanes<T>;
  for (std::int64_t panel = 0; panel < panels.count; ++panel) {
    const std::int64_t p = panels.begin(panel), depth = panels.rows(panel);
    pack_b<T>({b.data + p * b.row, b.row, b.col}, n, depth, packed_b);
    for (std::int64_t strip = 0; strip < strips.count; ++strip) {
      const std::int64_t i = strips.begin(strip), rows = strips.rows(strip);
      const T* src = a.data + i * a.row + p * a.col;
      if (a.col == 1)
        pack_transposed(src, a.row, rows, depth, packed_a, rows);
      else
        pack_narrow(src, a.col, rows, depth, packed_a);
      const T* strip_b = packed_b;
      for (std::int64_t j = 0; j < n; j += W) {
        const std::int64_t columns = n - j < W ? n - j : W, width = padded_columns<T>(columns);
        const int vectors = static_cast<int>(width / simd::kLanes<T>);
        const Epilogue<T> e{epilogue.alpha, epilogue.beta, epilogue.bias ? epilogue.bias + j : nullptr};
        kMicro<T>.at[rows - 1][vectors - 1](depth, packed_a, strip_b, c + i * ldc + j, ldc,
                                            static_cast<int>(columns - (width - simd::kLanes<T>)), e);
        strip_b += depth * width;
      }
    }
    epilogue.beta = T(1);
    epilogue.bias = nullptr;
  }
}

// ---- products without packing ----------------------------------------------------------------------------------------
#if defined(__AVX512F__)
constexpr int kSmallRows = 6, kSmallVectors = 4;
#else
constexpr int kSmallRows = kTileRows < 6 ? kTileRows : 6, kSmallVectors = 2;
#endif

template <class T>
using SmallKernel = void (*)(std::int64_t depth, MatrixView<T> a, const T* b, std::int64_t ldb, T* c, std::int64_t ldc,
                             int lanes, const Epilogue<T>& epilogue);

template <class T, int MR, int NV>
void small_kernel(std::int64_t depth, MatrixView<T> a, const T* b, std::int64_t ldb, T* c, std::int64_t ldc, int lanes,
                  const Epilogue<T>& epilogue) {
  constexpr int L = simd::kLanes<T>;
  const simd::Mask<T> mask = simd::first_lanes<T>(lanes);
  const bool whole = lanes == L;
  Tile<T, MR, NV> tile;
  tile.clear();
  const T* row[MR];
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) row[i] = a.data + i * a.row;
  if (whole) {
    for (std::int64_t p = 0; p < depth; ++p, b += ldb) {
      simd::Vector<T> bv[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) bv[j] = simd::load(b + j * L);
      tile.step([&](int i) { return row[i][p * a.col]; }, bv);
    }
  } else {
    for (std::int64_t p = 0; p < depth; ++p, b += ldb) {
      simd::Vector<T> bv[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) bv[j] = j < NV - 1 ? simd::load(b + j * L) : simd::load_masked(b + j * L, mask);
      tile.step([&](int i) { return row[i][p * a.col]; }, bv);
    }
  }
  tile.finish(c, ldc, lanes, epilogue);
}

template <class T>
struct SmallTable {
  SmallKernel<T> at[kSmallRows][kSmallVectors];
};
template <class T, int MR, int NV>
constexpr void fill_small(SmallTable<T>& table) {
  table.at[MR - 1][NV - 1] = small_kernel<T, MR, NV>;
  if constexpr (NV > 1)
    fill_small<T, MR, NV - 1>(table);
  else if constexpr (MR > 1)
    fill_small<T, MR - 1, kSmallVectors>(table);
}
template <class T>
constexpr SmallTable<T> make_small_table() {
  SmallTable<T> table{};
  fill_small<T, kSmallRows, kSmallVectors>(table);
  return table;
}
template <class T>
constexpr SmallTable<T> kSmall = make_small_table<T>();

template <class T>
void small(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, T* c, std::int64_t ldc,
           Epilogue<T> epilogue) {
  constexpr std::int64_t L = simd::kLanes<T>, W = kSmallVectors * L;
  alignas(64) T transposed[kSmallColumns * kSmallDepth];
  if (b.col != 1) {
    const std::int64_t width = padded_columns<T>(n);
    pack_transposed(b.data, b.col, n, k, transposed, width);
    b = {transposed, width, 1};
  }
  const Strips strips(m, kSmallRows);
  for (std::int64_t j = 0; j < n; j += W) {
    const std::int64_t columns = n - j < W ? n - j : W;
    const int vectors = static_cast<int>((columns + L - 1) / L);
    const int lanes = static_cast<int>(columns - (vectors - 1) * L);
    const Epilogue<T> e{epilogue.alpha, epilogue.beta, epilogue.bias ? epilogue.bias + j : nullptr};
    for (std::int64_t strip = 0; strip < strips.count; ++strip) {
      const std::int64_t i = strips.begin(strip);
      kSmall<T>.at[strips.rows(strip) - 1][vectors - 1](k, {a.data + i * a.row, a.row, a.col}, b.data + j, b.row,
                                                        c + i * ldc + j, ldc, lanes, e);
    }
  }
}

// ---- matrix times vector ---------------------------------------------------------------------------------------------
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
  constexpr int L = simd::kLanes<T>, V = 4;
  // Panels of V vectors of y in registers; element (i, j) of a lies at a[i + j * lda].
  for (std::int64_t i = 0; i < m; i += V * L) {
    alignas(64) T panel[V * L];
    const std::int64_t rows = m - i < V * L ? m - i : V * L;
    simd::Vector<T> acc[V] = {};
    if (rows == V * L) {
      for (std::int64_t j = 0; j < n; ++j) {
        const simd::Vector<T> xv = simd::splat(x[j]);
        HWARO_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = simd::fma(simd::load(a + i + j * lda + v * L), xv, acc[v]);
      }
    } else {
      simd::Mask<T> mask[V];
      HWARO_UNROLL
      for (int v = 0; v < V; ++v) {
        const std::int64_t left = rows - v * L;
        mask[v] = simd::first_lanes<T>(static_cast<int>(left < 0 ? 0 : left < L ? left : L));
      }
      for (std::int64_t j = 0; j < n; ++j) {
        const simd::Vector<T> xv = simd::splat(x[j]);
        HWARO_UNROLL
        for (int v = 0; v < V; ++v) acc[v] = simd::fma(simd::load_masked(a + i + j * lda + v * L, mask[v]), xv, acc[v]);
      }
    }
    HWARO_UNROLL
    for (int v = 0; v < V; ++v) simd::store(panel + v * L, acc[v]);
    for (std::int64_t r = 0; r < rows; ++r) finish_one(y + (i + r) * incy, panel[r], e, i + r);
  }
}

template <class T>
T dot(std::int64_t n, const T* x, const T* y) {
  T out[1];
  dot_rows<T, 1>(n, x, 0, y, out);
  return out[0];
}

template <class T>
constexpr RealGemmKernels<T> kReal{block<T>, block_workspace<T>, small<T>, gemv_rows<T>, gemv_columns<T>, dot<T>};

}  // namespace

extern constinit const GemmKernels gemm_kernels{kReal<float>, kReal<double>};

}  // namespace HWARO_ISA
}  // namespace hwaro
