// Products of two tensors: mm, bmm, mv, dot, vdot, and matmul, which is made of them.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/out_types.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

static bool is_column_major(IntSpan sizes, IntSpan strides) {
  return strides[0] == 1 && strides[1] == sizes[0] && sizes[1] != 1;
}

struct Mm {
  static constexpr Schema schema = "mm(Tensor self, Tensor mat2) -> Tensor";
  static constexpr Doc doc = "Product of two matrices.";
  static Tensor call(const Tensor& self, const Tensor& mat2) {
    HWARO_CHECK(self.dim() == 2, "self must be a matrix");
    HWARO_CHECK(mat2.dim() == 2, "mat2 must be a matrix");
    const int64_t m = self.sizes()[0], k = self.sizes()[1], n = mat2.sizes()[1];
    HWARO_CHECK(k == mat2.sizes()[0], "mat1 and mat2 shapes cannot be multiplied (", m, "x", k, " and ",
                mat2.sizes()[0], "x", n, ")");
    HWARO_CHECK(self.dtype() == mat2.dtype(),
                "expected m1 and m2 to have the same dtype, but got: ", c_type_name(self.dtype()),
                " != ", c_type_name(mat2.dtype()));
    if (!(self.device() == mat2.device())) check_product_devices({&self, &mat2});
    const Tensor out = make_tensor({m, n}, self.dtype(), self.device());
    if (!self.device().is_meta()) product_into(out, self, mat2, "addmm_impl_cpu_");
    if (recording(self, mat2)) {
      // A gradient takes the layout of its operand, so that x @ w.t() gives w a row-major gradient without a copy.
      record("MmBackward0", {self, mat2}, out, {save_if(is_tracked(mat2), self), save_if(is_tracked(self), mat2)},
             [a_columns = is_column_major(self.sizes(), self.strides()),
              b_columns = is_column_major(mat2.sizes(), mat2.strides())](Backward& b) {
               if (b.needs(0)) b.set(0, left_gradient(b.g(), b.saved(1), a_columns));
               if (b.needs(1)) b.set(1, right_gradient(b.g(), b.saved(0), b_columns));
             });
    }
    return out;
  }
  static Tensor left_gradient(const Tensor& g, const Tensor& mat2, bool columns) {
    return columns ? t(mm(conj(mat2), t(g))) : mm(g, conj(t(mat2)));
  }
  static Tensor right_gradient(const Tensor& g, const Tensor& self, bool columns) {
    return columns ? t(mm(t(g), conj(self))) : mm(conj(t(self)), g);
  }
};

struct Bmm {
  static constexpr Schema schema = "bmm(Tensor self, Tensor mat2) -> Tensor";
  static constexpr Doc doc = "Products of two batches of matrices.";
  static Tensor call(const Tensor& self, const Tensor& mat2) {
    HWARO_CHECK(self.dim() == 3, "batch1 must be a 3D tensor");
    HWARO_CHECK(mat2.dim() == 3, "batch2 must be a 3D tensor");
    const int64_t batch = self.sizes()[0], k = self.sizes()[2];
    HWARO_CHECK(mat2.sizes()[0] == batch && mat2.sizes()[1] == k,
                "Expected size for first two dimensions of batch2 tensor to be: [", batch, ", ", k, "] but got: [",
                mat2.sizes()[0], ", ", mat2.sizes()[1], "].");
    check_batch_types(self, mat2, "bmm");
    if (!(self.device() == mat2.device())) check_product_devices({&self, &mat2});
    const Tensor out = make_tensor({batch, self.sizes()[1], mat2.sizes()[2]}, self.dtype(), self.device());
    if (!self.device().is_meta()) product_into(out, self, mat2, "bmm");
    if (recording(self, mat2))
      record("BmmBackward0", {self, mat2}, out, {save_if(is_tracked(mat2), self), save_if(is_tracked(self), mat2)},
             [](Backward& b) {
               if (b.needs(0)) b.set(0, bmm(b.g(), conj(transpose(b.saved(1), 1, 2))));
               if (b.needs(1)) b.set(1, bmm(conj(transpose(b.saved(0), 1, 2)), b.g()));
             });
    return out;
  }
};

struct Mv {
  static constexpr Schema schema = "mv(Tensor self, Tensor vec) -> Tensor";
  static constexpr Doc doc = "Product of a matrix and a vector.";
  static Tensor call(const Tensor& self, const Tensor& vec) {
    HWARO_CHECK(self.dim() == 2 && vec.dim() == 1, "vector + matrix @ vector expected, got 1, ", self.dim(), ", ",
                vec.dim());
    HWARO_CHECK(self.sizes()[1] == vec.sizes()[0], "size mismatch, got input (", self.sizes()[0], "), mat (",
                self.sizes()[0], "x", self.sizes()[1], "), vec (", vec.sizes()[0], ")");
    HWARO_CHECK(self.dtype() == vec.dtype(), "addmv input tensors must have the same dtype, but got ",
                scalar_type_name(vec.dtype()), ", ", scalar_type_name(self.dtype()), ", and ",
                scalar_type_name(vec.dtype()));
    if (!(self.device() == vec.device())) check_product_devices({&self, &vec});
    const Tensor out = make_tensor({self.sizes()[0]}, self.dtype(), self.device());
    if (!self.device().is_meta()) matvec_into(out, self, vec, 1, 0);
    if (recording(self, vec))
      record("MvBackward0", {self, vec}, out, {save_if(is_tracked(vec), self), save_if(is_tracked(self), vec)},
             [](Backward& b) {
               if (b.needs(0)) b.set(0, mul(unsqueeze(b.g(), 1), unsqueeze(conj(b.saved(1)), 0)));
               if (b.needs(1)) b.set(1, mv(conj(t(b.saved(0))), b.g()));
             });
    return out;
  }
};

static void check_dot(const Tensor& a, const Tensor& b, const char* name) {
  HWARO_CHECK(a.dim() == 1 && b.dim() == 1, "1D tensors expected, but got ", a.dim(), "D and ", b.dim(), "D tensors");
  HWARO_CHECK(a.dtype() == b.dtype(), name, " : expected both vectors to have same dtype, but found ",
              scalar_type_name(a.dtype()), " and ", scalar_type_name(b.dtype()));
  HWARO_CHECK(a.numel() == b.numel(), "inconsistent tensor size, expected tensor ", sizes_str(a.sizes()), " and src ",
              sizes_str(b.sizes()), " to have the same number of elements, but got ", a.numel(), " and ", b.numel(),
              " elements respectively");
  check_product_devices({&a, &b});
}

// Sum of op(a[i]) * b[i], where op is the identity or conj. The operands' lazy conjugates are resolved.
static Tensor dot_raw(const Tensor& a, const Tensor& b, bool conjugate, const char* name) {
  if (a.is_conj() && b.is_conj() && !conjugate) {  // the lazy conjugate of the product of what memory holds
    NoGradGuard guard;
    const Tensor out = dot_raw(conj(a), conj(b), false, name);
    out->flags |= kConj;
    return out;
  }
  const Tensor out = make_tensor({}, a.dtype(), a.device());
  if (a.device().is_meta()) return out;
  const auto& table = product_kernels();
  const int type = int(a.dtype());
  HWARO_CHECK_AS(NotImplementedError, table.gemm[type], '"', name, "\" not implemented for '",
                 scalar_type_name(a.dtype()), '\'');
  const auto strided = [](const Tensor& t) { return !t.is_conj() && (t.numel() <= 1 || t.strides()[0] > 0); };
  const Tensor x = strided(a) ? a : dense(a), y = strided(b) ? b : dense(b);
  const int64_t n = a.numel(), incx = n > 1 ? x.strides()[0] : 1, incy = n > 1 ? y.strides()[0] : 1;
  if (table.dot[type]) {
    table.dot[type](n, x->read(), incx, y->read(), incy, out->write());
    return out;
  }
  ProductArgs p;
  p.a_form = conjugate ? MatrixForm::ConjTransposed : MatrixForm::Transposed;
  p.m = p.n = 1;
  p.k = n;
  p.a = x->read();
  p.b = y->read();
  p.lda = incx;
  p.ldb = incy;
  p.c = out->write();
  table.gemm[type](p);
  return out;
}

struct Dot {
  static constexpr Schema schema = "dot(Tensor self, Tensor tensor) -> Tensor";
  static constexpr Doc doc = "Sum of the products of two vectors' elements.";
  static Tensor call(const Tensor& self, const Tensor& tensor) {
    check_dot(self, tensor, "dot");
    const Tensor out = dot_raw(self, tensor, false, "dot");
    if (recording(self, tensor))
      record("DotBackward0", {self, tensor}, out,
             {save_if(is_tracked(tensor), self), save_if(is_tracked(self), tensor)}, [](Backward& b) {
               if (b.needs(0)) b.set(0, mul(b.g(), conj(b.saved(1))));
               if (b.needs(1)) b.set(1, mul(b.g(), conj(b.saved(0))));
             });
    return out;
  }
};

struct Vdot {
  static constexpr Schema schema = "vdot(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Dot product of the conjugate of self with other.";
  static Tensor call(const Tensor& self, const Tensor& other) {
    const bool conjugates = is_complex(self.dtype());
    check_dot(self, other, conjugates ? "vdot" : "dot");
    const Tensor out = dot_raw(self, other, conjugates, conjugates ? "vdot" : "dot");
    if (recording(self, other))
      record("VdotBackward0", {self, other}, out, {save_if(is_tracked(other), self), save_if(is_tracked(self), other)},
             [](Backward& b) {
               if (b.needs(0)) b.set(0, mul(conj(b.g()), b.saved(1)));
               if (b.needs(1)) b.set(1, mul(b.g(), b.saved(0)));
             });
    return out;
  }
};

// ---- matmul ----

// A fresh matrix without its row or column dimension, as the in-place squeeze of PyTorch's matmul records it.
static Tensor drop_dim(const Tensor& matrix, int64_t dim) {
  const int64_t n = matrix.sizes()[1 - dim];
  const Tensor out = alias(matrix, {n}, {1}, matrix->offset);
  if (recording(matrix))
    record("SqueezeBackward4", {matrix}, out, {}, [dim](Backward& b) { b.set(0, unsqueeze(b.g(), dim)); });
  return out;
}

// Whether the larger operand's leading dimensions become rows of one matrix, so that one large product serves the whole batch.
static bool should_fold(const Tensor& a, const Tensor& b) {
  const bool a_larger = a.dim() >= b.dim();
  const Tensor& large = a_larger ? a : b;
  const Tensor& small = a_larger ? b : a;
  if (large.dim() < 3 || small.dim() > 2) return false;
  // Expanding the small one would give its gradient a batch that is only summed again.
  if (requires_grad(small)) return true;
  if (a.dim() == 2) return false;
  if (large.numel() == 0) return true;
  const int d = large.dim();
  Dims sizes(large.sizes()), strides(large.strides());
  if (!a_larger) std::swap(sizes[d - 1], sizes[d - 2]), std::swap(strides[d - 1], strides[d - 2]);
  for (int i = 0; i < d - 2; ++i)
    if (strides[i] != strides[i + 1] * sizes[i + 1]) return false;
  return true;
}

static Tensor matmul_folded(const Tensor& a, const Tensor& b) {
  const bool swapped = b.dim() > a.dim();
  const Tensor large = swapped ? transpose(b, -2, -1) : a;
  const Tensor small = !swapped ? b : a.dim() == 2 ? t(a) : a;
  const int d = large.dim();
  Dims shape(large.sizes());
  const int64_t k = shape[d - 1];
  shape.pop_back();
  const Tensor folded = reshape(large, {product(shape), k});
  if (small.dim() == 1) return unsafe_view(mv(folded, small), shape);
  shape.push_back(small.sizes()[1]);
  const Tensor out = unsafe_view(mm(folded, small), shape);
  return swapped ? contiguous(transpose(out, -2, -1)) : out;
}

static Tensor matmul_batched(const Tensor& a, const Tensor& b) {
  const int da = a.dim(), db = b.dim();
  const IntSpan batch_a(a.sizes().data(), da > 2 ? std::size_t(da - 2) : 0),
      batch_b(b.sizes().data(), db > 2 ? std::size_t(db - 2) : 0);
  const int64_t n = da > 1 ? a.sizes()[da - 2] : 1, ka = a.sizes()[da - 1];
  const int64_t kb = db > 1 ? b.sizes()[db - 2] : b.sizes()[0], p = db > 1 ? b.sizes()[db - 1] : 1;
  // A batch of one that needs a gradient is folded: see should_fold.
  if (da == 3 && db == 3 && batch_a[0] != batch_b[0]) {
    if (batch_a[0] == 1 && requires_grad(a)) return matmul(squeeze(a, 0), b);
    if (batch_b[0] == 1 && requires_grad(b)) return matmul(a, squeeze(b, 0));
  }
  Dims shape(batch_a);
  broadcast_into(shape, batch_b);
  const int64_t count = product(shape);
  Dims size_a(shape), size_b(shape);
  size_a.push_back(n), size_a.push_back(ka);
  size_b.push_back(kb), size_b.push_back(p);
  const Tensor left = reshape(expand(a, size_a), {count, n, ka});
  const Tensor right = reshape(expand(db == 1 ? unsqueeze(b, 1) : b, size_b), {count, kb, p});
  if (da > 1) shape.push_back(n);
  if (db > 1) {
    shape.push_back(p);
    return unsafe_view(bmm(left, right), shape);
  }
  return unsafe_view(squeeze(bmm(left, right), -1), shape);
}

struct Matmul {
  static constexpr Schema schema = "matmul(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Product of vectors, matrices or batches of matrices, which broadcast; operator @.";
  static Tensor call(const Tensor& self, const Tensor& other) {
    const int a = self.dim(), b = other.dim();
    if (a == 2 && b == 2) return Mm::call(self, other);
    HWARO_CHECK(a != 0 && b != 0, "both arguments to matmul need to be at least 1D, but they are ", a, "D and ", b,
                "D");
    if (a == 1 && b == 1) return Dot::call(self, other);
    if (a == 2 && b == 1) return Mv::call(self, other);
    if (a == 1 && b == 2) return drop_dim(mm(unsqueeze(self, 0), other), 0);
    return should_fold(self, other) ? matmul_folded(self, other) : matmul_batched(self, other);
  }
  // PyTorch's goes through the out= of the product that it chooses, which shows in messages and strides.
  static void call_out(const Tensor& out, const Tensor& self, const Tensor& other) {
    const Tensor result = call(self, other);
    if (self.dim() == 1 && other.dim() == 1) return store_result(Dot::schema, 0, out, result);
    if (self.dim() == 2 && other.dim() == 1) return store_result(Mv::schema, 0, out, result);
    if (self.dim() == 1 && other.dim() == 2) {
      resize_out(out, {1, other.sizes()[1]});
      TensorImpl& impl = *out.impl();
      impl.sizes = Dims(result.sizes()), impl.strides = {1};
      impl.refresh_geometry();
    }
    store_result(schema, 0, out, result);
  }
};

struct LinalgMatmul {
  static constexpr Schema schema = "linalg_matmul(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "matmul.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& other) { return Matmul::call(self, other); }
};

struct LinalgVecdot {
  static constexpr Schema schema = "linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor";
  static constexpr Doc doc = "Sums of conj(x) * y along a dimension.";
  static Tensor call(const Tensor& x, const Tensor& y, int64_t dim) {
    HWARO_CHECK((is_floating(x.dtype()) || is_complex(x.dtype())),
                "linalg.vecdot: Expected a floating point or complex tensor as input. Got ",
                scalar_type_name(x.dtype()));
    HWARO_CHECK(x.dtype() == y.dtype(), "linalg.vecdot: Expected x and y to have the same dtype, but found x of type ",
                scalar_type_name(x.dtype()), " and y of type ", scalar_type_name(y.dtype()), " instead");
    if (x.dim() == 1 && y.dim() == 1 && dim >= -1 && dim <= 0) return Vdot::call(x, y);
    return sum(mul(conj(x), y), IntSpan(&dim, 1));
  }
};

}  // namespace hwaro::engine

#include "families/matmul.inc"
