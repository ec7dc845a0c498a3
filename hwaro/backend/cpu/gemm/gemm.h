// Matrix products on plain pointers. All matrices are row-major: element (i, j) of a stored matrix lies at
// data[i * ld + j]. Work is spread over the thread pool with borders that depend on the shape only, so the bits never
// depend on the number of threads.
#pragma once

#include <cstdint>

namespace hwaro {

// How an operand is stored: as it is used, transposed, or transposed and conjugated.
enum class Trans : std::uint8_t { kNo, kTranspose, kConjTranspose };

// c (m, n) = alpha * op(a) (m, k) @ op(b) (k, n) + beta * c. With beta == 0, c is written without being read.
// T: float, double, Complex<float>, Complex<double>.
template <class T>
void gemm(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

// `batch` products; operand number i starts at data + i * stride, and a stride of 0 repeats one operand.
template <class T>
void gemm_batched(Trans a_trans, Trans b_trans, std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k,
                  T alpha, const T* a, std::int64_t lda, std::int64_t stride_a, const T* b, std::int64_t ldb,
                  std::int64_t stride_b, T beta, T* c, std::int64_t ldc, std::int64_t stride_c);

// c (m, n) = op(a) @ op(b) + bias (n): a linear layer in one pass. T: float, double.
template <class T>
void gemm_bias(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
               std::int64_t lda, const T* b, std::int64_t ldb, const T* bias, T* c, std::int64_t ldc);

// y (m) = alpha * op(a) (m, n) @ x (n) + beta * y, with increments between the elements of x and y.
// T: float, double, Complex<float>, Complex<double>.
template <class T>
void gemv(Trans a_trans, std::int64_t m, std::int64_t n, T alpha, const T* a, std::int64_t lda, const T* x,
          std::int64_t incx, T beta, T* y, std::int64_t incy);

// Sum of x[i] * y[i]. T: float, double.
template <class T>
T dot(std::int64_t n, const T* x, std::int64_t incx, const T* y, std::int64_t incy);

}  // namespace hwaro
