// Products added to a tensor: beta * self + alpha * product, and the linear layer.
#include "hwaro/core/promotion.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/out_types.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

static bool is_one(const Scalar& s) { return !s.is_complex() && s.to_double() == 1; }
static bool is_zero(const Scalar& s) { return s.re() == 0 && s.im() == 0; }

static bool is_column_major(const Tensor& t) {
  return t.strides()[0] == 1 && t.strides()[1] == t.sizes()[0] && t.sizes()[1] != 1;
}

// Fresh memory of the given shape that holds self, broadcast, where the sum reads it. Errors: those of Tensor.expand.
static Tensor start_from(const Tensor& self, IntSpan shape, const Scalar& beta) {
  const Tensor out = make_tensor(shape, self.dtype(), self.device());
  if (self.sizes() != shape) {
    NoGradGuard guard;
    const Tensor wide = expand(self, shape);  // checked even where self is not read
    if (!is_zero(beta) && !self.device().is_meta()) copy_raw(out, wide);
  } else if (!is_zero(beta) && !self.device().is_meta()) {
    copy_raw(out, self);
  }
  return out;
}

struct Addmm {
  static constexpr Schema schema =
      "addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "beta * self + alpha * (mat1 @ mat2).";
  static Tensor call(const Tensor& self, const Tensor& mat1, const Tensor& mat2, const Scalar& beta,
                     const Scalar& alpha) {
    HWARO_CHECK(mat1.dim() == 2, "mat1 must be a matrix, got ", mat1.dim(), "-D tensor");
    HWARO_CHECK(mat2.dim() == 2, "mat2 must be a matrix, got ", mat2.dim(), "-D tensor");
    const int64_t m = mat1.sizes()[0], k = mat1.sizes()[1], n = mat2.sizes()[1];
    HWARO_CHECK(self.dtype() == mat2.dtype(), "self and mat2 must have the same dtype, but got ",
                scalar_type_name(self.dtype()), " and ", scalar_type_name(mat2.dtype()));
    HWARO_CHECK(mat1.dtype() == mat2.dtype(), "mat1 and mat2 must have the same dtype, but got ",
                scalar_type_name(mat1.dtype()), " and ", scalar_type_name(mat2.dtype()));
    HWARO_CHECK(k == mat2.sizes()[0], "mat1 and mat2 shapes cannot be multiplied (", m, "x", k, " and ",
                mat2.sizes()[0], "x", n, ")");
    if (!(mat1.device() == mat2.device() && mat1.device() == self.device()))
      check_product_devices({&self, &mat1, &mat2});
    const Tensor out = compute(self, mat1, mat2, {m, n}, beta, alpha);
    if (recording(self, mat1, mat2))
      record("AddmmBackward0", {self, mat1, mat2}, out,
             {save_if(is_tracked(mat2), mat1), save_if(is_tracked(mat1), mat2)},
             [beta, alpha, sizes = Dims(self.sizes()), a_columns = is_column_major(mat1),
              b_columns = is_column_major(mat2)](Backward& b) {
               const Tensor& g = b.g();
               if (b.needs(0)) b.set(0, sum_to_size(maybe_multiply(g, conj(beta)), sizes));
               if (b.needs(1)) {
                 const Tensor mat2 = b.saved(1);
                 b.set(1, maybe_multiply(a_columns ? t(mm(conj(mat2), t(g))) : mm(g, conj(t(mat2))), conj(alpha)));
               }
               if (b.needs(2)) {
                 const Tensor mat1 = b.saved(0);
                 b.set(2, maybe_multiply(b_columns ? t(mm(t(g), conj(mat1))) : mm(conj(t(mat1)), g), conj(alpha)));
               }
             });
    return out;
  }
  static Tensor compute(const Tensor& self, const Tensor& mat1, const Tensor& mat2, IntSpan shape, const Scalar& beta,
                        const Scalar& alpha) {
    const int64_t n = shape[1];
    const auto bias_kernel = product_kernels().gemm_bias[int(self.dtype())];
    if (bias_kernel && self.dim() == 1 && self.sizes()[0] == n && (n == 1 || self.strides()[0] == 1) && is_one(beta) &&
        is_one(alpha) && !self.device().is_meta()) {
      const Tensor out = make_tensor(shape, self.dtype(), self.device());
      if (out.numel() == 0) return out;
      const Matrix a = as_matrix(mat1), b = as_matrix(mat2);
      ProductArgs p;
      p.a_form = a.form;
      p.b_form = b.form;
      p.m = a.rows;
      p.n = n;
      p.k = a.cols;
      p.a = a.tensor->read();
      p.b = b.tensor->read();
      p.lda = a.ld;
      p.ldb = b.ld;
      p.c = out->write();
      p.ldc = n;
      bias_kernel(p, self->read());
      return out;
    }
    const Tensor out = start_from(self, shape, beta);
    if (!self.device().is_meta()) product_into(out, mat1, mat2, "addmm_impl_cpu_", alpha, beta);
    return out;
  }
};

struct AddmmInplace {
  static constexpr Schema schema =
      "addmm_(Tensor(a!) self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "self becomes beta * self + alpha * (mat1 @ mat2).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& mat1, const Tensor& mat2, const Scalar& beta,
                     const Scalar& alpha) {
    return finish_inplace(self, Addmm::call(self, mat1, mat2, beta, alpha));
  }
};

struct Addmv {
  static constexpr Schema schema =
      "addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "beta * self + alpha * (mat @ vec).";
  static Tensor call(const Tensor& self, const Tensor& mat, const Tensor& vec, const Scalar& beta,
                     const Scalar& alpha) {
    HWARO_CHECK(mat.dim() == 2 && vec.dim() == 1 && self.dim() <= 1, "vector + matrix @ vector expected, got ",
                self.dim(), ", ", mat.dim(), ", ", vec.dim());
    const int64_t m = mat.sizes()[0];
    HWARO_CHECK(mat.sizes()[1] == vec.sizes()[0] && (self.numel() == m || self.numel() == 1),
                "size mismatch, got input (", self.dim() ? self.sizes()[0] : 1, "), mat (", m, "x", mat.sizes()[1],
                "), vec (", vec.sizes()[0], ")");
    HWARO_CHECK(self.dtype() == mat.dtype() && mat.dtype() == vec.dtype(),
                "addmv input tensors must have the same dtype, but got ", scalar_type_name(self.dtype()), ", ",
                scalar_type_name(mat.dtype()), ", and ", scalar_type_name(vec.dtype()));
    check_product_devices({&self, &mat, &vec});
    const Tensor out = start_from(self, {m}, beta);
    if (!self.device().is_meta()) matvec_into(out, mat, vec, alpha, beta);
    if (recording(self, mat, vec))
      record("AddmvBackward0", {self, mat, vec}, out, {save_if(is_tracked(vec), mat), save_if(is_tracked(mat), vec)},
             [beta, alpha, sizes = Dims(self.sizes())](Backward& b) {
               if (b.needs(0)) b.set(0, sum_to_size(maybe_multiply(b.g(), conj(beta)), sizes));
               if (b.needs(1))
                 b.set(1, maybe_multiply(mul(unsqueeze(b.g(), 1), unsqueeze(conj(b.saved(1)), 0)), conj(alpha)));
               if (b.needs(2)) b.set(2, maybe_multiply(mv(conj(t(b.saved(0))), b.g()), conj(alpha)));
             });
    return out;
  }
};

struct AddmvInplace {
  static constexpr Schema schema =
      "addmv_(Tensor(a!) self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "self becomes beta * self + alpha * (mat @ vec).";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& mat, const Tensor& vec, const Scalar& beta,
                     const Scalar& alpha) {
    return finish_inplace(self, Addmv::call(self, mat, vec, beta, alpha));
  }
};

static void check_factor(const Scalar& factor, const char* name, DType type) {
  HWARO_CHECK(!factor.is_bool() || type == DType::Bool, "Boolean ", name, " only supported for Boolean results.");
  HWARO_CHECK(!is_integral(type, true) || factor.is_integral(true), "For integral input tensors, argument ", name,
              " must not be a floating point number.");
  check_fits(factor, type);
}

struct Addr {
  static constexpr Schema schema =
      "addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "beta * self + alpha * outer(vec1, vec2).";
  static Tensor call(const Tensor& self, const Tensor& vec1, const Tensor& vec2, const Scalar& beta,
                     const Scalar& alpha) {
    HWARO_CHECK(vec1.dim() == 1, "addr: Expected 1-D argument vec1, but got ", vec1.dim(), "-D");
    HWARO_CHECK(vec2.dim() == 1, "addr: Expected 1-D argument vec2, but got ", vec2.dim(), "-D");
    const Dims shape = {vec1.sizes()[0], vec2.sizes()[0]};
    const DType type = promote_types(self.dtype(), promote_types(vec1.dtype(), vec2.dtype()));
    check_factor(beta, "beta", type);
    check_factor(alpha, "alpha", type);
    Tensor out;
    {
      NoGradGuard guard;
      const Tensor wide = expand(self, shape);
      const Tensor pairs = maybe_multiply(mul(unsqueeze(vec1, 1), unsqueeze(vec2, 0)), alpha);
      out = is_zero(beta) ? pairs : add(maybe_multiply(wide, beta), pairs);
      out = to_dtype(out, type);
    }
    if (recording(self, vec1, vec2))
      record("AddrBackward0", {self, vec1, vec2}, out,
             {save_if(is_tracked(vec2), vec1), save_if(is_tracked(vec1), vec2)},
             [beta, alpha, sizes = Dims(self.sizes())](Backward& b) {
               if (b.needs(0)) b.set(0, sum_to_size(maybe_multiply(b.g(), conj(beta)), sizes));
               if (b.needs(1)) b.set(1, maybe_multiply(mv(b.g(), conj(b.saved(1))), conj(alpha)));
               if (b.needs(2)) b.set(2, maybe_multiply(mv(t(b.g()), conj(b.saved(0))), conj(alpha)));
             });
    return out;
  }
};

struct AddrInplace {
  static constexpr Schema schema =
      "addr_(Tensor(a!) self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "self becomes beta * self + alpha * outer(vec1, vec2).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& vec1, const Tensor& vec2, const Scalar& beta,
                     const Scalar& alpha) {
    HWARO_CHECK(self.dim() == 2, "2D tensor expected, got ", self.dim(), "D tensor for input");
    return finish_inplace(self, Addr::call(self, vec1, vec2, beta, alpha));
  }
};

struct Baddbmm {
  static constexpr Schema schema =
      "baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "beta * self + alpha * bmm(batch1, batch2).";
  static Tensor call(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                     const Scalar& alpha) {
    const Dims shape = {batch1.size(0), batch1.size(1), batch2.size(2)};
    HWARO_CHECK(batch1.dim() == 3, "batch1 must be a 3D tensor");
    HWARO_CHECK(batch2.dim() == 3, "batch2 must be a 3D tensor");
    const int64_t k = batch1.sizes()[2];
    HWARO_CHECK(batch2.sizes()[0] == shape[0] && batch2.sizes()[1] == k,
                "Expected size for first two dimensions of batch2 tensor to be: [", shape[0], ", ", k, "] but got: [",
                batch2.sizes()[0], ", ", batch2.sizes()[1], "].");
    check_product_devices({&self, &batch1, &batch2});
    HWARO_CHECK(self.dtype() == batch1.dtype(), "Input dtypes must be the same, got: input ", c_type_name(self.dtype()),
                ", batch1: ", c_type_name(batch1.dtype()), ", batch2: ", c_type_name(batch2.dtype()));
    check_batch_types(batch1, batch2, "baddbmm");
    const Tensor out = start_from(self, shape, beta);
    if (!self.device().is_meta()) product_into(out, batch1, batch2, "baddbmm", alpha, beta);
    if (recording(self, batch1, batch2))
      record("BaddbmmBackward0", {self, batch1, batch2}, out,
             {save_if(is_tracked(batch2), batch1), save_if(is_tracked(batch1), batch2)},
             [beta, alpha, sizes = Dims(self.sizes())](Backward& b) {
               if (b.needs(0)) b.set(0, sum_to_size(maybe_multiply(b.g(), conj(beta)), sizes));
               if (b.needs(1)) b.set(1, maybe_multiply(bmm(b.g(), conj(transpose(b.saved(1), 1, 2))), conj(alpha)));
               if (b.needs(2)) b.set(2, maybe_multiply(bmm(conj(transpose(b.saved(0), 1, 2)), b.g()), conj(alpha)));
             });
    return out;
  }
};

struct BaddbmmInplace {
  static constexpr Schema schema =
      "baddbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "self becomes beta * self + alpha * bmm(batch1, batch2).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                     const Scalar& alpha) {
    return finish_inplace(self, Baddbmm::call(self, batch1, batch2, beta, alpha));
  }
};

struct Addbmm {
  static constexpr Schema schema =
      "addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "beta * self + alpha * the sum of bmm(batch1, batch2) over the batch.";
  static Tensor call(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                     const Scalar& alpha) {
    const Dims shape = {batch1.size(1), batch2.size(2)};
    HWARO_CHECK(batch1.dim() == 3 && batch2.dim() == 3, "Batch tensors should be 3D, got dimensions ", batch1.dim(),
                " and ", batch2.dim());
    const int64_t batch = batch1.sizes()[0], k = batch1.sizes()[2];
    HWARO_CHECK(batch == batch2.sizes()[0], "batch1 and batch2 must have same number of batches, got ", batch, " and ",
                batch2.sizes()[0]);
    HWARO_CHECK(k == batch2.sizes()[1], "Incompatible matrix sizes for bmm (", batch1.sizes()[1], "x", k, " and ",
                batch2.sizes()[1], "x", batch2.sizes()[2], ")");
    HWARO_CHECK(self.dtype() == batch2.dtype(), "self and mat2 must have the same dtype, but got ",
                scalar_type_name(self.dtype()), " and ", scalar_type_name(batch2.dtype()));
    HWARO_CHECK(batch1.dtype() == batch2.dtype(),
                "expected m1 and m2 to have the same dtype, but got: ", c_type_name(batch1.dtype()),
                " != ", c_type_name(batch2.dtype()));
    check_product_devices({&self, &batch1, &batch2});
    const Tensor out = start_from(self, shape, beta);
    if (!self.device().is_meta()) {
      NoGradGuard guard;
      if (is_reduced_float(self.dtype())) {  // PyTorch rounds after each matrix of the batch
        for (int64_t i = 0; i < batch; ++i)
          product_into(out, select(batch1, 0, i), select(batch2, 0, i), "addmm_impl_cpu_", alpha,
                       i > 0 ? Scalar(1) : beta);
      } else {  // one product of depth batch * k: columns of the batch side by side
        const Tensor left = reshape(permute(batch1, {1, 0, 2}), {shape[0], batch * k});
        const Tensor right = reshape(batch2, {batch * k, shape[1]});
        product_into(out, left, right, "addmm_impl_cpu_", alpha, beta);
      }
    }
    if (recording(self, batch1, batch2))
      record("AddbmmBackward0", {self, batch1, batch2}, out,
             {save_if(is_tracked(batch2), batch1), save_if(is_tracked(batch1), batch2)},
             [beta, alpha, batch, sizes = Dims(self.sizes()), shape](Backward& b) {
               if (b.needs(0)) b.set(0, sum_to_size(maybe_multiply(b.g(), conj(beta)), sizes));
               const Tensor g = expand(unsqueeze(b.g(), 0), {batch, shape[0], shape[1]});
               if (b.needs(1)) b.set(1, maybe_multiply(bmm(g, conj(transpose(b.saved(1), 1, 2))), conj(alpha)));
               if (b.needs(2)) b.set(2, maybe_multiply(bmm(conj(transpose(b.saved(0), 1, 2)), g), conj(alpha)));
             });
    return out;
  }
};

struct AddbmmInplace {
  static constexpr Schema schema =
      "addbmm_(Tensor(a!) self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "self becomes beta * self + alpha * the sum of bmm(batch1, batch2) over the batch.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& batch1, const Tensor& batch2, const Scalar& beta,
                     const Scalar& alpha) {
    const Tensor result = Addbmm::call(self, batch1, batch2, beta, alpha);
    if (!grad_enabled() || !is_tracked(result)) resize_out(self, result.sizes());
    return finish_inplace(self, result);
  }
};

struct Linear {
  static constexpr Schema schema = "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor";
  static constexpr Doc doc = "input @ weight.t() + bias, for input (..., in) and weight (out, in).";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias) {
    const int d = input.dim();
    HWARO_CHECK(d != 0 && weight.dim() != 0, "both arguments to linear need to be at least 1D, but they are ", d,
                "D and ", weight.dim(), "D");
    if (d == 2 && fits_direct(input, weight, bias)) return direct(input, weight, bias);
    if (d == 2 && bias.defined()) return Addmm::call(bias, input, t(weight), 1, 1);
    if (bias.defined() && (d == 1 || input.is_contiguous()) && bias.dim() == 1) {
      // One product for all leading dimensions, its bias added in the same pass.
      Dims shape(input.sizes());
      const int64_t k = shape[d - 1];
      shape.pop_back();
      const Tensor out = Addmm::call(bias, view(input, {product(shape), k}), t(weight), 1, 1);
      shape.push_back(out.sizes()[1]);
      return view(out, shape);
    }
    const Tensor out = matmul(input, t(weight));
    return bias.defined() ? add(out, bias) : out;
  }

  // A vector with a bias is a matrix of one row to PyTorch, and out= shows it: it is resized to that first.
  static void call_out(const Tensor& out, const Tensor& input, const Tensor& weight, const Tensor& bias) {
    const Tensor result = call(input, weight, bias);
    if (input.dim() != 1 || !bias.defined()) return store_result(schema, 0, out, result);
    check_out_type(out_expected, result.dtype(), out.dtype());
    resize_out(out, {1, result.sizes()[0]});
    out->strides = out->sizes = Dims{result.sizes()[0]};
    out->strides[0] = 1;
    out->refresh_geometry();
    store_result(schema, 0, out, result);
  }

  // Small unrecorded layers go to the kernel without a view of the weight and without plans.
  static bool fits_direct(const Tensor& input, const Tensor& weight, const Tensor& bias) {
    const TensorImpl &x = *input.impl(), &w = *weight.impl();
    const std::uint32_t flags = x.flags & w.flags & (bias.defined() ? bias->flags : ~0u);
    const std::uint32_t any = x.flags | w.flags | (bias.defined() ? bias->flags : 0u);
    if (!(flags & kContiguous) || any & kConj || !product_kernels().gemm_bias[int(x.dtype)] || w.dtype != x.dtype ||
        w.dim() != 2)
      return false;
    if (!x.device.is_cpu() || !w.device.is_cpu() || w.sizes[1] != x.sizes[1] || x.numel == 0 || w.numel == 0)
      return false;
    if (bias.defined() &&
        (bias->dtype != x.dtype || bias->dim() != 1 || bias->sizes[0] != w.sizes[0] || !bias->device.is_cpu()))
      return false;
    return !recording(input, weight, bias);
  }
  static Tensor direct(const Tensor& input, const Tensor& weight, const Tensor& bias) {
    ProductArgs p;
    p.m = input->sizes[0];
    p.k = input->sizes[1];
    p.n = weight->sizes[0];
    const Tensor out = make_tensor({p.m, p.n}, input->dtype);
    p.a = input->read();
    p.b = weight->read();
    p.c = out->write();
    p.lda = p.ldb = p.k;
    p.ldc = p.n;
    p.b_form = MatrixForm::Transposed;
    const auto& table = product_kernels();
    if (bias.defined()) table.gemm_bias[int(input->dtype)](p, bias->read());
    else table.gemm[int(input->dtype)](p);
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/addmm.inc"
