// The table through which the drivers of products reach the kernels of one instruction set.
#pragma once

#include <cstdint>

#include "hwaro/base/isa.h"

namespace hwaro {

// What becomes of a tile's sum: c = alpha * sum + beta * c + bias. beta == 0 leaves c unread.
template <class T>
struct Epilogue {
  T alpha;
  T beta;
  const T* bias;  // one value per column, or null
};

// Strides of an operand seen as a matrix: element (i, j) lies at data[i * row + j * col]. One of the two is 1.
template <class T>
struct MatrixView {
  const T* data;
  std::int64_t row;
  std::int64_t col;
};

template <class T>
struct RealGemmKernels {
  // c (m, n) = epilogue(a (m, k) @ b (k, n)) with both operands packed; `work` holds block_workspace(n, k) values.
  void (*block)(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, T* c,
                std::int64_t ldc, Epilogue<T> epilogue, T* work);
  std::int64_t (*block_workspace)(std::int64_t n, std::int64_t k);
  // The same for products that fit the first cache, without packing a; n <= 64, k <= kSmallDepth.
  void (*small)(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView<T> a, MatrixView<T> b, T* c,
                std::int64_t ldc, Epilogue<T> epilogue);
  // c (m, n) = epilogue(a (m, k) @ b^T), b stored as (n, k): no packing, for a long depth and a short side.
  void (*dots)(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* b,
               std::int64_t ldb, T* c, std::int64_t ldc, Epilogue<T> epilogue);
  // y (m) = alpha * a (m, n) @ x + beta * y, for a with unit column stride (rows) or unit row stride (columns).
  void (*gemv_rows)(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> epilogue,
                    T* y, std::int64_t incy);
  void (*gemv_columns)(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> epilogue,
                       T* y, std::int64_t incy);
  T (*dot)(std::int64_t n, const T* x, const T* y);
};

inline constexpr std::int64_t kSmallColumns = 64;
inline constexpr std::int64_t kSmallDepth = 128;

struct GemmKernels {
  RealGemmKernels<float> f32;
  RealGemmKernels<double> f64;
  template <class T>
  const RealGemmKernels<T>& real() const {
    if constexpr (sizeof(T) == sizeof(float)) return f32;
    else return f64;
  }
};

HWARO_DECLARE_TABLES(GemmKernels, gemm_kernels)

// The table for cpu_capability().
const GemmKernels& active_gemm_kernels();
// Replaces it; for tests that walk through all instruction sets. Null restores the choice.
void set_active_gemm_kernels(const GemmKernels* kernels);

}  // namespace hwaro
