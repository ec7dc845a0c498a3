// Matrix products on plain pointers. All matrices are row-major: element (i, j) of a stored matrix lies at
// data[i * ld + j]. Work is spread over the thread pool with borders that depend on the shape only, so the bits never
// depend on the number of threads.
#pragma once

#include <concepts>
#include <cstdint>

namespace hwaro {

// How an operand is stored: as it is used, transposed, or transposed and conjugated.
enum class Trans : std::uint8_t { kNo, kTranspose, kConjTranspose };

// c (m, n) = alpha * op(a) (m, k) @ op(b) (k, n) + beta * c. With beta == 0, c is written without being read.
// This template: float and double. Overloads below: complex structs of two members re and im; integers (they wrap
// around); Half and BFloat16 (summed in float and rounded once). Callers name one function, gemm<T>, for all of them.
template <class T>
void gemm(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

// The same for complex numbers as pairs of T; leading dimensions count pairs.
template <class T>
void gemm_complex(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, T alpha_re, T alpha_im,
                  const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta_re, T beta_im, T* c,
                  std::int64_t ldc);

template <class T>
void gemm_integer(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
                  std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

template <class H>
void gemm_half(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const H* a,
               std::int64_t lda, const H* b, std::int64_t ldb, float beta, H* c, std::int64_t ldc);

template <class C>
concept ComplexPair = requires(C z) {
  z.re;
  z.im;
} && sizeof(C) == 2 * sizeof(C::re);
template <class H>
concept SixteenBitFloat = requires(H h) {
  h.bits;
  static_cast<float>(h);
} && sizeof(H) == 2;

template <ComplexPair C>
void gemm(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, C alpha, const C* a,
          std::int64_t lda, const C* b, std::int64_t ldb, C beta, C* c, std::int64_t ldc) {
  using T = decltype(C::re);
  gemm_complex<T>(a_trans, b_trans, m, n, k, alpha.re, alpha.im, reinterpret_cast<const T*>(a), lda,
                  reinterpret_cast<const T*>(b), ldb, beta.re, beta.im, reinterpret_cast<T*>(c), ldc);
}
template <std::integral T>
void gemm(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  gemm_integer<T>(a_trans, b_trans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
template <SixteenBitFloat H>
void gemm(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, H alpha, const H* a,
          std::int64_t lda, const H* b, std::int64_t ldb, H beta, H* c, std::int64_t ldc) {
  gemm_half<H>(a_trans, b_trans, m, n, k, static_cast<float>(alpha), a, lda, b, ldb, static_cast<float>(beta), c, ldc);
}

// How many products of a batch make one task, and the loop over them; part of gemm_batched.
void for_each_product(std::int64_t batch, std::int64_t work, void (*one)(const void*, std::int64_t),
                      const void* context);

// `batch` products; operand number i starts at data + i * stride, and a stride of 0 repeats one operand. Any T of gemm.
template <class T>
void gemm_batched(Trans a_trans, Trans b_trans, std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k,
                  T alpha, const T* a, std::int64_t lda, std::int64_t stride_a, const T* b, std::int64_t ldb,
                  std::int64_t stride_b, T beta, T* c, std::int64_t ldc, std::int64_t stride_c) {
  const auto one = [&](std::int64_t i) {
    gemm<T>(a_trans, b_trans, m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b, ldb, beta, c + i * stride_c,
            ldc);
  };
  for_each_product(
      batch, m * n * k, [](const void* context, std::int64_t i) { (*static_cast<const decltype(one)*>(context))(i); },
      &one);
}

// c (m, n) = op(a) @ op(b) + bias (n): a linear layer in one pass. T: float, double.
template <class T>
void gemm_bias(Trans a_trans, Trans b_trans, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
               std::int64_t lda, const T* b, std::int64_t ldb, const T* bias, T* c, std::int64_t ldc);

// y (m) = alpha * op(a) (m, n) @ x (n) + beta * y, with increments between the elements of x and y. T: float, double.
template <class T>
void gemv(Trans a_trans, std::int64_t m, std::int64_t n, T alpha, const T* a, std::int64_t lda, const T* x,
          std::int64_t incx, T beta, T* y, std::int64_t incy);

// Sum of x[i] * y[i]. T: float, double.
template <class T>
T dot(std::int64_t n, const T* x, std::int64_t incx, const T* y, std::int64_t incy);

}  // namespace hwaro
