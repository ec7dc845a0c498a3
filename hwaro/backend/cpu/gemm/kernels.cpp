// Real matrix products of one instruction set (compiled once for each).
// `block`: the depth is cut into panels of at most kDepth; of each, b is packed whole (it stays in the second cache)
// and a strip by strip (a strip stays in the first cache while the strips of b stream past it).
// `small`: nothing of a is packed, b only where it is stored transposed: up to 64 columns packing costs more than it
// saves.
#include "hwaro/backend/cpu/gemm/kernels.h"

#include "hwaro/backend/cpu/gemm/kernel_parts.h"
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
  T* packed_b =
      work + ((kTileRows * (k < kDepth ? k : kDepth) + simd::kLanes<T> - 1) / simd::kLanes<T>)*simd::kLanes<T>;
  for (std::int64_t panel = 0; panel < panels.count; ++panel) {
    const std::int64_t p = panels.begin(panel), depth = panels.rows(panel);
    pack_b<T>({b.data + p * b.row, b.row, b.col}, n, depth, packed_b);
    for (std::int64_t strip = 0; strip < strips.count; ++strip) {
      const std::int64_t i = strips.begin(strip), rows = strips.rows(strip);
      const T* src = a.data + i * a.row + p * a.col;
      if (a.col == 1) pack_transposed(src, a.row, rows, depth, packed_a, rows);
      else pack_narrow(src, a.col, rows, depth, packed_a);
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

// ---- products without packing ---------------------------------------------------------------------------------------
// Rows of a tile by its vectors: as many as the registers hold. a is read through one pointer for three rows.
#if defined(__AVX512F__)
constexpr int kSmallVectors = 4, kSmallRows[kSmallVectors] = {14, 14, 8, 6};
#elif defined(__AVX2__)
constexpr int kSmallVectors = 2, kSmallRows[kSmallVectors] = {12, 6};
#else
constexpr int kSmallVectors = 2, kSmallRows[kSmallVectors] = {8, 4};
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
  constexpr int G = (MR + 2) / 3;
  const char* row[G];
  HWARO_UNROLL
  for (int g = 0; g < G; ++g) row[g] = reinterpret_cast<const char*>(a.data + 3 * g * a.row);
  const std::int64_t row_bytes = a.row * static_cast<std::int64_t>(sizeof(T)),
                     col_bytes = a.col * static_cast<std::int64_t>(sizeof(T));
  const auto read = [&](int i) {
    T x;
    __builtin_memcpy(&x, row[i / 3] + i % 3 * row_bytes, sizeof(T));
    return x;
  };
  const auto advance = [&] {
    HWARO_UNROLL
    for (int g = 0; g < G; ++g) row[g] += col_bytes;
    b += ldb;
  };
  if (whole) {
    for (std::int64_t p = 0; p < depth; ++p, advance()) {
      simd::Vector<T> bv[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) bv[j] = simd::load(b + j * L);
      tile.step(read, bv);
    }
  } else {
    for (std::int64_t p = 0; p < depth; ++p, advance()) {
      simd::Vector<T> bv[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) bv[j] = j < NV - 1 ? simd::load(b + j * L) : simd::load_masked(b + j * L, mask);
      tile.step(read, bv);
    }
  }
  tile.finish(c, ldc, lanes, epilogue);
}

template <class T>
struct SmallTable {
  SmallKernel<T> at[kSmallVectors][kSmallRows[0]];
};
template <class T, int MR, int NV>
constexpr void fill_small(SmallTable<T>& table) {
  table.at[NV - 1][MR - 1] = small_kernel<T, MR, NV>;
  if constexpr (MR > 1) fill_small<T, MR - 1, NV>(table);
  else if constexpr (NV > 1) fill_small<T, kSmallRows[NV - 2], NV - 1>(table);
}
template <class T>
constexpr SmallTable<T> make_small_table() {
  SmallTable<T> table{};
  fill_small<T, kSmallRows[kSmallVectors - 1], kSmallVectors>(table);
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
  for (std::int64_t j = 0; j < n; j += W) {
    const std::int64_t columns = n - j < W ? n - j : W;
    const int vectors = static_cast<int>((columns + L - 1) / L);
    const int lanes = static_cast<int>(columns - (vectors - 1) * L);
    const Epilogue<T> e{epilogue.alpha, epilogue.beta, epilogue.bias ? epilogue.bias + j : nullptr};
    const Strips strips(m, kSmallRows[vectors - 1]);
    for (std::int64_t strip = 0; strip < strips.count; ++strip) {
      const std::int64_t i = strips.begin(strip);
      kSmall<T>.at[vectors - 1][strips.rows(strip) - 1](k, {a.data + i * a.row, a.row, a.col}, b.data + j, b.row,
                                                        c + i * ldc + j, ldc, lanes, e);
    }
  }
}

template <class T>
constexpr RealGemmKernels<T> kReal{block<T>,     block_workspace<T>, small<T>, dots<T>,
                                   gemv_rows<T>, gemv_columns<T>,    dot<T>};

}  // namespace

extern constinit const GemmKernels gemm_kernels{kReal<float>, kReal<double>};

}  // namespace HWARO_ISA
}  // namespace hwaro
