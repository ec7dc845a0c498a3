#include "hwaro/ops/linalg/products.h"

#include "hwaro/core/type_names.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro {

static constinit const ProductKernels* g_products = nullptr;
const ProductKernels& product_kernels() { return *g_products; }
void set_product_kernels(const ProductKernels* table) { g_products = table; }

namespace engine {

using std::int64_t;

static int64_t at_least_one(int64_t n) { return n > 1 ? n : 1; }

// A matrix with unit stride along rows or columns is read in place, any other is copied. A conjugated one is read in place
// only where it is transposed too: products conjugate while they transpose.
Matrix as_matrix(const Tensor& t) {
  const int d = t.dim();
  Matrix m;
  m.rows = t.sizes()[d - 2];
  m.cols = t.sizes()[d - 1];
  const int64_t down = t.strides()[d - 2], across = t.strides()[d - 1];
  const bool plain = !t.is_conj() && (m.cols <= 1 || across == 1) && (m.rows <= 1 || down >= at_least_one(m.cols));
  const bool transposed = (m.rows <= 1 || down == 1) && (m.cols <= 1 || across >= at_least_one(m.rows));
  if (plain) {
    m.tensor = t;
    m.ld = m.rows <= 1 ? at_least_one(m.cols) : down;
  } else if (transposed) {
    m.tensor = t;
    m.form = t.is_conj() ? MatrixForm::ConjTransposed : MatrixForm::Transposed;
    m.ld = m.cols <= 1 ? at_least_one(m.rows) : across;
  } else {
    m.tensor = dense(t);
    m.ld = at_least_one(m.cols);
  }
  m.batch_stride = d > 2 ? m.tensor.strides()[0] : 0;
  return m;
}

// The half types compute in float, which is what their factors are.
static void check_factors(DType type, const Scalar& alpha, const Scalar& beta) {
  if (is_reduced_float(type)) return;
  check_fits(alpha, type);
  check_fits(beta, type);
}

void product_into(const Tensor& out, const Tensor& a, const Tensor& b, const char* name, const Scalar& alpha,
                  const Scalar& beta) {
  const auto kernel = product_kernels().gemm[int(out.dtype())];
  if (out.numel() == 0) return;
  check_factors(out.dtype(), alpha, beta);
  if (a.size(-1) == 0 && beta.to_double() == 0) return fill_elements(*out.impl(), 0);
  HWARO_CHECK_AS(NotImplementedError, kernel, '"', name, "\" not implemented for '", scalar_type_name(out.dtype()),
                 '\'');
  const Matrix ma = as_matrix(a), mb = as_matrix(b);
  ProductArgs p;
  p.a_form = ma.form;
  p.b_form = mb.form;
  p.m = ma.rows;
  p.n = mb.cols;
  p.k = ma.cols;
  p.a = ma.tensor->read();
  p.b = mb.tensor->read();
  p.lda = ma.ld;
  p.ldb = mb.ld;
  p.c = out->write();
  p.ldc = at_least_one(p.n);
  if (out.dim() > 2) {
    p.batch = out.sizes()[0];
    p.stride_a = ma.batch_stride;
    p.stride_b = mb.batch_stride;
    p.stride_c = p.m * p.n;
  }
  p.alpha = alpha;
  p.beta = beta;
  kernel(p);
}

void matvec_into(const Tensor& out, const Tensor& mat, const Tensor& vec, const Scalar& alpha, const Scalar& beta) {
  const auto& table = product_kernels();
  const int type = int(out.dtype());
  HWARO_CHECK_AS(NotImplementedError, table.gemm[type], "\"addmv_impl_cpu\" not implemented for '",
                 scalar_type_name(out.dtype()), '\'');
  if (out.numel() == 0) return;
  check_factors(out.dtype(), alpha, beta);
  const Matrix m = as_matrix(mat);
  const Tensor x = vec.is_conj() || (vec.numel() > 1 && vec.strides()[0] <= 0) ? dense(vec) : vec;
  const int64_t incx = vec.numel() > 1 ? x.strides()[0] : 1;
  if (table.gemv[type]) {
    table.gemv[type](m.form, m.rows, m.cols, alpha.to_double(), m.tensor->read(), m.ld, x->read(), incx,
                     beta.to_double(), out->write(), 1);
    return;
  }
  ProductArgs p;
  p.a_form = m.form;
  p.m = m.rows;
  p.n = 1;
  p.k = m.cols;
  p.a = m.tensor->read();
  p.lda = m.ld;
  p.b = x->read();
  p.ldb = incx;
  p.c = out->write();
  p.alpha = alpha;
  p.beta = beta;
  table.gemm[type](p);
}

void check_batch_types(const Tensor& batch1, const Tensor& batch2, const char* name) {
  const DType a = batch1.dtype(), b = batch2.dtype();
  if (a == b) return;
  if (batch1.size(1) * batch1.size(2) * batch2.size(2) < 400) {  // PyTorch's plain loop
    HWARO_CHECK_AS(NotImplementedError, a != DType::Bool, "\"", name, "\" not implemented for 'Bool'");
    raise("expected scalar type ", scalar_type_name(a), " but found ", scalar_type_name(b));
  }
  if (is_complex(b) || b == DType::Float || b == DType::Double)  // a batched product of a library
    raise("expected scalar type ", scalar_type_name(b), " but found ", scalar_type_name(a));
  raise("expected m1 and m2 to have the same dtype, but got: ", c_type_name(a), " != ", c_type_name(b));
}

Tensor unsafe_view(const Tensor& t, IntSpan shape) {
  const Tensor out = alias(t, shape, contiguous_strides(shape), t->offset);
  if (recording(t))
    record("UnsafeViewBackward0", {t}, out, {},
           [sizes = Dims(t.sizes())](Backward& b) { b.set(0, reshape(b.g(), sizes)); });
  return out;
}

Tensor maybe_multiply(const Tensor& t, const Scalar& alpha) {
  if (!alpha.is_complex() && alpha.to_double() == 1) return t;
  return mul(t, alpha);
}

Scalar conj(const Scalar& s) { return s.is_complex() ? Scalar(Complex<double>{s.re(), -s.im()}) : s; }

Tensor multiply_scalar(const Tensor& t, const Scalar& factor) {
  Tensor out;
  {
    NoGradGuard guard;
    out = mul(t, factor);
  }
  if (recording(t)) record("MulBackward1", {t}, out, {}, [factor](Backward& b) { b.set(0, mul(b.g(), conj(factor))); });
  return out;
}

Tensor divide_scalar(const Tensor& t, const Scalar& divisor) {
  Tensor out;
  {
    NoGradGuard guard;
    out = div(t, divisor);
  }
  if (recording(t))
    record("DivBackward1", {t}, out, {}, [divisor](Backward& b) { b.set(0, div(b.g(), conj(divisor))); });
  return out;
}

Tensor finish_inplace(const Tensor& self, const Tensor& result) {
  const bool recorded = grad_enabled() && is_tracked(result);
  check_inplace(self, recorded);
  check_internal_overlap(self);
  HWARO_CHECK(self.sizes() == result.sizes(), "Bad in-place call: input tensor size ", sizes_str(self.sizes()),
              " and output tensor size ", sizes_str(result.sizes()), " should match");
  if (!self.device().is_meta()) copy_raw(self, result);
  self->bump_version();
  if (recorded) rebase_history(self, grad_fn(result));
  return self;
}

void check_product_devices(std::initializer_list<const Tensor*> tensors) {
  Device device;
  bool first = true, mixed = false;
  for (const Tensor* t : tensors) {
    if (!t->defined()) continue;
    if (first) device = t->device();
    else if (!(t->device() == device)) mixed = true;
    first = false;
  }
  if (!mixed) return;
  for (const Tensor* t : tensors) {
    if (!t->defined()) continue;
    HWARO_CHECK(!t->device().is_meta(), "Tensor on device meta is not on the expected device ",
                device.is_meta() ? "cpu" : device.str(), "!");
    HWARO_CHECK(t->device() == device,
                "Expected all tensors to be on the same device, but found at least two devices, ", device.str(),
                " and ", t->device().str(), "!");
  }
}

}  // namespace engine
}  // namespace hwaro
