// What operators that multiply matrices share: the backend's table of products, and matrices as products read them.
#pragma once

#include "hwaro/core/type_names.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro {

// How a stored row-major matrix is read.
enum class MatrixForm : std::uint8_t { Plain, Transposed, ConjTransposed };

// batch x { c (m, n) = alpha * a (m, k) @ b (k, n) + beta * c }. Leading dimensions and batch strides in elements; with
// beta == 0, c is written without being read.
struct ProductArgs {
  MatrixForm a_form = MatrixForm::Plain, b_form = MatrixForm::Plain;
  std::int64_t batch = 1, m = 0, n = 0, k = 0;
  const void* a = nullptr;
  const void* b = nullptr;
  void* c = nullptr;
  std::int64_t lda = 1, ldb = 1, ldc = 1, stride_a = 0, stride_b = 0, stride_c = 0;
  Scalar alpha = 1, beta = 0;
};

struct ProductKernels {
  void (*gemm[kDTypes])(const ProductArgs&);  // null for bool
  // c (m, n) = a @ b + bias (n); float and double, null elsewhere. alpha, beta and batch are not read.
  void (*gemm_bias[kDTypes])(const ProductArgs&, const void* bias);
  // y (m) = alpha * a (m, n) @ x (n) + beta * y; float and double.
  void (*gemv[kDTypes])(MatrixForm form, std::int64_t m, std::int64_t n, double alpha, const void* a, std::int64_t lda,
                        const void* x, std::int64_t incx, double beta, void* y, std::int64_t incy);
  // *out = sum of x[i] * y[i]; float and double.
  void (*dot[kDTypes])(std::int64_t n, const void* x, std::int64_t incx, const void* y, std::int64_t incy, void* out);
};
const ProductKernels& product_kernels();
void set_product_kernels(const ProductKernels* table);  // called once at load by the backend

namespace engine {

// The last two dimensions of a tensor as a product reads them; `tensor` is t itself or a row-major copy of it.
struct Matrix {
  Tensor tensor;
  MatrixForm form = MatrixForm::Plain;
  std::int64_t rows = 0, cols = 0, ld = 1, batch_stride = 0;
};
Matrix as_matrix(const Tensor& t);

// out = alpha * a @ b + beta * out, for 2-d or 3-d tensors of one type; out is row-major. Not recorded. `name` is the kernel's
// name in the error for a type that has no products.
void product_into(const Tensor& out, const Tensor& a, const Tensor& b, const char* name, const Scalar& alpha = 1,
                  const Scalar& beta = 0);
// out (m) = alpha * mat (m, n) @ vec (n) + beta * out. Not recorded.
void matvec_into(const Tensor& out, const Tensor& mat, const Tensor& vec, const Scalar& alpha, const Scalar& beta);

// Raises where two batches (N, m, k) and (N, k, n) differ in type. PyTorch says so in three ways, by size and type.
void check_batch_types(const Tensor& batch1, const Tensor& batch2, const char* name);

// The same elements in another shape, not known as a view: for fresh results of composite operators. Recorded as `name`.
Tensor unsafe_view(const Tensor& t, IntSpan shape);
// alpha * t, or t itself for 1.
Tensor maybe_multiply(const Tensor& t, const Scalar& alpha);
Scalar conj(const Scalar& s);
// t times a number, recorded as MulBackward1: what PyTorch's C++ code gives where Python gives MulBackward0.
Tensor multiply_scalar(const Tensor& t, const Scalar& factor);
// t divided by a number, recorded as DivBackward1 for the same reason.
Tensor divide_scalar(const Tensor& t, const Scalar& divisor);
// self <- result, for an in-place operator whose result was computed (and recorded with self as its first input).
Tensor finish_inplace(const Tensor& self, const Tensor& result);
// Raises where a product mixes tensors of the meta device with tensors that have data.
void check_product_devices(std::initializer_list<const Tensor*> tensors);

}  // namespace engine
}  // namespace hwaro
