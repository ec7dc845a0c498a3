// The CPU's columns of the tables of products and convolutions: typed calls behind type-erased arguments.
#include "hwaro/backend/cpu/products.h"

#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/gemm/gemm.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/conv_kernels.h"

namespace hwaro {
namespace {

using std::int64_t;

constexpr Trans trans_of(MatrixForm form) { return Trans(int(form)); }
static_assert(trans_of(MatrixForm::Plain) == Trans::kNo && trans_of(MatrixForm::Transposed) == Trans::kTranspose &&
              trans_of(MatrixForm::ConjTransposed) == Trans::kConjTranspose);

template <class T>
void product(const ProductArgs& p) {
  const T* a = static_cast<const T*>(p.a);
  const T* b = static_cast<const T*>(p.b);
  T* c = static_cast<T*>(p.c);
  const T alpha = p.alpha.to<T>(), beta = p.beta.to<T>();
  if (p.batch == 1)
    gemm<T>(trans_of(p.a_form), trans_of(p.b_form), p.m, p.n, p.k, alpha, a, p.lda, b, p.ldb, beta, c, p.ldc);
  else
    gemm_batched<T>(trans_of(p.a_form), trans_of(p.b_form), p.batch, p.m, p.n, p.k, alpha, a, p.lda, p.stride_a, b,
                    p.ldb, p.stride_b, beta, c, p.ldc, p.stride_c);
}

template <class T>
void product_bias(const ProductArgs& p, const void* bias) {
  gemm_bias<T>(trans_of(p.a_form), trans_of(p.b_form), p.m, p.n, p.k, static_cast<const T*>(p.a), p.lda,
               static_cast<const T*>(p.b), p.ldb, static_cast<const T*>(bias), static_cast<T*>(p.c), p.ldc);
}

template <class T>
void matrix_vector(MatrixForm form, int64_t m, int64_t n, double alpha, const void* a, int64_t lda, const void* x,
                   int64_t incx, double beta, void* y, int64_t incy) {
  gemv<T>(trans_of(form), m, n, T(alpha), static_cast<const T*>(a), lda, static_cast<const T*>(x), incx, T(beta),
          static_cast<T*>(y), incy);
}

template <class T>
void inner_product(int64_t n, const void* x, int64_t incx, const void* y, int64_t incy, void* out) {
  *static_cast<T*>(out) = dot<T>(n, static_cast<const T*>(x), incx, static_cast<const T*>(y), incy);
}

constexpr ProductKernels make_table() {
  ProductKernels t = {};
  t.gemm[int(DType::UInt8)] = product<std::uint8_t>;
  t.gemm[int(DType::Int8)] = product<std::int8_t>;
  t.gemm[int(DType::Int16)] = product<std::int16_t>;
  t.gemm[int(DType::Int32)] = product<std::int32_t>;
  t.gemm[int(DType::Int64)] = product<std::int64_t>;
  t.gemm[int(DType::Half)] = product<Half>;
  t.gemm[int(DType::BFloat16)] = product<BFloat16>;
  t.gemm[int(DType::Float)] = product<float>;
  t.gemm[int(DType::Double)] = product<double>;
  t.gemm[int(DType::ComplexFloat)] = product<Complex<float>>;
  t.gemm[int(DType::ComplexDouble)] = product<Complex<double>>;
  t.gemm_bias[int(DType::Float)] = product_bias<float>;
  t.gemm_bias[int(DType::Double)] = product_bias<double>;
  t.gemv[int(DType::Float)] = matrix_vector<float>;
  t.gemv[int(DType::Double)] = matrix_vector<double>;
  t.dot[int(DType::Float)] = inner_product<float>;
  t.dot[int(DType::Double)] = inner_product<double>;
  return t;
}
constinit const ProductKernels kProducts = make_table();

ConvShape shape_of(const ConvGeometry& g) {
  ConvShape s = {};
  s.batch = g.batch;
  s.in_channels = g.in_channels;
  s.out_channels = g.out_channels;
  s.groups = g.groups;
  s.spatial_dims = g.dims;
  for (int d = 0; d < g.dims; ++d) {
    s.in[d] = g.in[d];
    s.kernel[d] = g.kernel[d];
    s.stride[d] = g.stride[d];
    s.padding[d] = g.padding[d];
    s.dilation[d] = g.dilation[d];
    s.out[d] = g.out[d];
  }
  return s;
}

template <class T>
void forward(const ConvGeometry& g, const void* x, const void* w, const void* bias, void* y) {
  conv_forward<T>(shape_of(g), static_cast<const T*>(x), static_cast<const T*>(w), static_cast<const T*>(bias),
                  static_cast<T*>(y));
}
template <class T>
void backward_input(const ConvGeometry& g, const void* dy, const void* w, void* dx) {
  conv_backward_input<T>(shape_of(g), static_cast<const T*>(dy), static_cast<const T*>(w), static_cast<T*>(dx));
}
template <class T>
void backward_weight(const ConvGeometry& g, const void* x, const void* dy, void* dw, void* dbias) {
  conv_backward_weight<T>(shape_of(g), static_cast<const T*>(x), static_cast<const T*>(dy), static_cast<T*>(dw),
                          static_cast<T*>(dbias));
}

constexpr ConvKernels make_conv_table() {
  ConvKernels t = {};
  t.forward[int(DType::Float)] = forward<float>;
  t.forward[int(DType::Double)] = forward<double>;
  t.backward_input[int(DType::Float)] = backward_input<float>;
  t.backward_input[int(DType::Double)] = backward_input<double>;
  t.backward_weight[int(DType::Float)] = backward_weight<float>;
  t.backward_weight[int(DType::Double)] = backward_weight<double>;
  return t;
}
constinit const ConvKernels kConvolutions = make_conv_table();

}  // namespace

void load_products() {
  set_product_kernels(&kProducts);
  set_conv_kernels(&kConvolutions);
}

}  // namespace hwaro
