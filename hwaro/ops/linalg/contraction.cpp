// Contractions made of products: outer, inner, tensordot, kron, chains and powers of matrices, trace, cross product.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/copy.h"
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/kinds/out_types.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/lapack_solve.h"
#include "hwaro/ops/matmul.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/view.h"

namespace hwaro::engine {

using std::int64_t;

struct Outer {
  static constexpr Schema schema = "outer(Tensor self, Tensor vec2) -> Tensor";
  static constexpr Doc doc = "All products of an element of self with an element of vec2.";
  static Tensor call(const Tensor& self, const Tensor& vec2) {
    HWARO_CHECK(self.dim() == 1, "outer: Expected 1-D argument self, but got ", self.dim(), "-D");
    HWARO_CHECK(vec2.dim() == 1, "outer: Expected 1-D argument vec2, but got ", vec2.dim(), "-D");
    return mul(reshape(self, {self.sizes()[0], 1}), vec2);
  }
};

struct Ger {
  static constexpr Schema schema = "ger(Tensor self, Tensor vec2) -> Tensor";
  static constexpr Doc doc = "outer.";
  static Tensor call(const Tensor& self, const Tensor& vec2) { return Outer::call(self, vec2); }
};

// Sum over pairs of dimensions, by one matrix product.
struct Tensordot {
  static constexpr Schema schema = "tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor";
  static constexpr Doc doc = "Contracts the given dimensions of self with those of other.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& other, IntSpan dims_self, IntSpan dims_other) {
    HWARO_CHECK(dims_self.size() == dims_other.size(), "both dimension lists should have same length");
    HWARO_CHECK(self.dtype() == other.dtype(), "both inputs should have same dtype");
    int64_t depth = 1;
    Tensor a = self, b = other;
    Dims summed_a(std::size_t(self.dim()), 0), summed_b(std::size_t(other.dim()), 0), order_a, order_b, shape;
    for (std::size_t i = 0; i < dims_self.size(); ++i) {
      const int64_t da = wrap_dim(dims_self[i], self.dim()), db = wrap_dim(dims_other[i], other.dim());
      HWARO_CHECK(!summed_a[da], "dim ", da, " appears multiple times in the list of dims");
      HWARO_CHECK(!summed_b[db], "dim ", db, " appears multiple times in the list of dims");
      summed_a[da] = summed_b[db] = 1;
      const int64_t na = a.sizes()[da], nb = b.sizes()[db];
      // A dimension of size 1 goes with any size: the other operand is summed over it beforehand.
      if (nb == 1) a = sum(a, IntSpan(&da, 1), true, a.dtype());
      else if (na == 1) b = sum(b, IntSpan(&db, 1), true, b.dtype());
      else {
        HWARO_CHECK(na == nb, "contracted dimensions need to match, but first has size ", na, " in dim ", dims_self[i],
                    " and second has size ", nb, " in dim ", dims_other[i]);
        depth *= na;
      }
    }
    int64_t rows = 1, cols = 1;
    for (int d = 0; d < a.dim(); ++d)
      if (!summed_a[d]) order_a.push_back(d), shape.push_back(a.sizes()[d]), rows *= a.sizes()[d];
    for (std::size_t i = 0; i < dims_self.size(); ++i) {
      order_a.push_back(wrap_dim(dims_self[i], self.dim()));
      order_b.push_back(wrap_dim(dims_other[i], other.dim()));
    }
    for (int d = 0; d < b.dim(); ++d)
      if (!summed_b[d]) order_b.push_back(d), shape.push_back(b.sizes()[d]), cols *= b.sizes()[d];
    a = permute(a, order_a);
    b = permute(b, order_b);
    if (rows == 1 && cols == 1) {
      int long_dims = 0;
      for (int64_t n : a.sizes()) long_dims += n != 1;
      if (long_dims <= 1) return view(dot(flat(a), flat(b)), shape);
      const Tensor products = mul(squeeze(a), squeeze(b));
      return view(is_differentiable(a.dtype()) ? sum_all(products) : sum(products, OptIntSpan(), false, a.dtype()),
                  shape);
    }
    return view(mm(reshape(a, {rows, depth}), reshape(b, {depth, cols})), shape);
  }
  static Tensor flat(const Tensor& t) { return t.dim() == 1 ? t : reshape(t, {t.numel()}); }
};

struct Inner {
  static constexpr Schema schema = "inner(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Sums of products over the last dimensions.";
  static Tensor call(const Tensor& self, const Tensor& other) {
    if (self.dim() == 0 || other.dim() == 0) return mul(self, other);
    HWARO_CHECK(self.sizes()[self.dim() - 1] == other.sizes()[other.dim() - 1],
                "inner() the last dimension must match on both input tensors but got shapes ", sizes_str(self.sizes()),
                " and ", sizes_str(other.sizes()));
    return Tensordot::call(self, other, {-1}, {-1});
  }
  static void call_out(const Tensor& out, const Tensor& self, const Tensor& other) {
    const bool product = self.dim() > 0 && other.dim() > 0;
    store_result(product ? Tensordot::schema : schema, 0, out, call(self, other));
  }
};

struct Kron {
  static constexpr Schema schema = "kron(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Kronecker product.";
  static Tensor call(const Tensor& self, const Tensor& other) {
    const int d = self.dim() > other.dim() ? self.dim() : other.dim();
    Dims a(2 * std::size_t(d), 1), b(2 * std::size_t(d), 1), shape(std::size_t(d), 1);
    for (int i = 0; i < d; ++i) {
      const int ia = i - (d - self.dim()), ib = i - (d - other.dim());
      a[2 * i] = ia >= 0 ? self.sizes()[ia] : 1;
      b[2 * i + 1] = ib >= 0 ? other.sizes()[ib] : 1;
      shape[i] = a[2 * i] * b[2 * i + 1];
    }
    return seen_as(mul(seen_as(self, a), seen_as(other, b)), shape);
  }
  // The same elements in another shape without a copy where that is possible; not known as a view.
  static Tensor seen_as(const Tensor& t, IntSpan shape) {
    Dims strides;
    HWARO_CHECK(view_strides(t.sizes(), t.strides(), shape, strides),
                "view size is not compatible with input tensor's size and stride (at least one dimension spans across "
                "two contiguous subspaces). Use .reshape(...) instead.");
    const Tensor out = alias(t, shape, strides, t->offset);
    if (recording(t))
      record("UnsafeViewBackward0", {t}, out, {},
             [sizes = Dims(t.sizes())](Backward& b) { b.set(0, reshape(b.g(), sizes)); });
    return out;
  }
};

// The cheapest order of a chain of products, by dynamic programming over its sub-chains. Reference: Cormen et al.,
// Introduction to Algorithms, 15.2.
static Tensor multiply_chain(const std::vector<Tensor>& m) {
  const std::size_t n = m.size();
  if (n == 1) return m[0];
  if (n == 2) return mm(m[0], m[1]);
  std::vector<double> cost(n * n, 0);
  std::vector<std::size_t> cut(n * n, 0);
  const auto size = [&](std::size_t i) { return double(i < n ? m[i].sizes()[0] : m[n - 1].sizes()[1]); };
  for (std::size_t length = 2; length <= n; ++length)
    for (std::size_t i = 0; i + length <= n; ++i) {
      const std::size_t j = i + length - 1;
      cost[i * n + j] = -1;
      for (std::size_t k = i; k < j; ++k) {
        const double c = cost[i * n + k] + cost[(k + 1) * n + j] + size(i) * size(k + 1) * size(j + 1);
        if (cost[i * n + j] < 0 || c < cost[i * n + j]) cost[i * n + j] = c, cut[i * n + j] = k;
      }
    }
  struct Walk {
    const std::vector<Tensor>& m;
    const std::vector<std::size_t>& cut;
    Tensor operator()(std::size_t i, std::size_t j) const {
      if (i == j) return m[i];
      const std::size_t k = cut[i * m.size() + j];
      return mm((*this)(i, k), (*this)(k + 1, j));
    }
  };
  return Walk{m, cut}(0, n - 1);
}

static Tensor multi_dot(Span<Tensor> tensors) {
  const std::size_t n = tensors.size();
  HWARO_CHECK(n >= 2, "multi_dot(): expected at least 2 tensors but got ", n);
  std::vector<Tensor> m(tensors.begin(), tensors.end());
  Dims shape;
  if (m[0].dim() == 1) m[0] = unsqueeze(m[0], 0);
  else {
    HWARO_CHECK(m[0].dim() == 2, "multi_dot(): the first tensor must be 1D or 2D but got ", m[0].dim(), "D");
    shape.push_back(m[0].sizes()[0]);
  }
  if (m[n - 1].dim() == 1) m[n - 1] = unsqueeze(m[n - 1], -1);
  else {
    HWARO_CHECK(m[n - 1].dim() == 2, "multi_dot(): the last tensor must be 1D or 2D but got ", m[n - 1].dim(), "D");
    shape.push_back(m[n - 1].sizes()[1]);
  }
  for (std::size_t i = 1; i + 1 < n; ++i)
    HWARO_CHECK(m[i].dim() == 2, "multi_dot(): tensor ", i, " must be 2D but got ", m[i].dim(), "D");
  for (std::size_t i = 1; i < n; ++i) {
    HWARO_CHECK(m[i].dtype() == m[0].dtype(), "multi_dot(): all tensors must have be the same dtype but tensor 0 is ",
                c_type_name(m[0].dtype()), " and tensor ", i, " ", c_type_name(m[i].dtype()));
    HWARO_CHECK(m[i - 1].sizes()[1] == m[i].sizes()[0], "multi_dot(): tensors ", i - 1, " and ", i, " with shapes ",
                sizes_str(m[i - 1].sizes()), " and ", sizes_str(m[i].sizes()), " cannot be multiplied");
  }
  return view(multiply_chain(m), shape);
}

struct LinalgMultiDot {
  static constexpr Schema schema = "linalg_multi_dot(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc =
      "Product of a chain of matrices in the cheapest order; the first and the last may be vectors.";
  static Tensor call(Span<Tensor> tensors) { return multi_dot(tensors); }
};

struct ChainMatmul {
  static constexpr Schema schema = "chain_matmul(Tensor[] matrices) -> Tensor";
  static constexpr Doc doc = "Product of a chain of matrices in the cheapest order.";
  static Tensor call(Span<Tensor> matrices) {
    for (std::size_t i = 0; i < matrices.size(); ++i)
      HWARO_CHECK(matrices[i].dim() == 2, "Tensor ", i, " has to be 2-dimensional, but got ", matrices[i].dim(), "D");
    HWARO_CHECK(!matrices.empty(), "chain_matmul(): Expected one or more matrices");
    if (matrices.size() == 1) return clone(matrices[0]);
    return multi_dot(matrices);
  }
};

static Tensor matrix_power_of(const Tensor& base, int64_t n) {
  const int d = base.dim();
  Tensor a = base;
  HWARO_CHECK(d >= 2, "linalg.matrix_power: The input tensor A must have at least 2 dimensions.");
  HWARO_CHECK(a.sizes()[d - 1] == a.sizes()[d - 2],
              "linalg.matrix_power: A must be batches of square matrices, but they are ", a.sizes()[d - 2], " by ",
              a.sizes()[d - 1], " matrices");
  if (n == -1) return linalg_inv(a);
  if (n < 0) a = linalg_inv(a);
  auto left = n < 0 ? 0 - std::uint64_t(n) : std::uint64_t(n);
  if (n == 0) {
    const Tensor out = clone(a), one = make_zeros(a.sizes(), a.dtype(), a.device());
    if (!a.device().is_meta()) fill_elements(*diagonal(one, 0, -2, -1).impl(), 1);
    return copy_(out, one, false);
  }
  if (left == 1) return clone(a);
  if (left == 2) return matmul(a, a);
  if (left == 3) return matmul(matmul(a, a), a);
  // Square and multiply, lowest bit first.
  Tensor square, out;
  for (; left > 0; left >>= 1) {
    square = square.defined() ? matmul(square, square) : a;
    if (left & 1) out = out.defined() ? matmul(out, square) : square;
  }
  return out;
}

struct MatrixPower {
  static constexpr Schema schema = "matrix_power(Tensor self, int n) -> Tensor";
  static constexpr Doc doc = "Square matrices raised to a power n >= 0.";
  static Tensor call(const Tensor& self, int64_t n) { return matrix_power_of(self, n); }
};

struct LinalgMatrixPower {
  static constexpr Schema schema = "linalg_matrix_power(Tensor self, int n) -> Tensor";
  static constexpr Doc doc = "Square matrices raised to a power n >= 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t n) { return matrix_power_of(self, n); }
};

struct Trace {
  static constexpr Schema schema = "trace(Tensor self) -> Tensor";
  static constexpr Doc doc = "Sum of a matrix's diagonal.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK_AS(NotImplementedError, self.dtype() != DType::Bool, "\"trace\" not implemented for '",
                   scalar_type_name(self.dtype()), '\'');
    HWARO_CHECK(self.dim() == 2, "trace: expected a matrix, but got tensor with dim ", self.dim());
    Tensor out;
    {
      NoGradGuard guard;
      out = sum_all(diagonal(self, 0, 0, 1));
    }
    if (recording(self))
      record("TraceBackward0", {self}, out, {}, [sizes = Dims(self.sizes()), device = self.device()](Backward& b) {
        const Tensor mask = make_zeros(sizes, kBool, device);
        if (!device.is_meta()) fill_elements(*diagonal(mask, 0, 0, 1).impl(), true);
        b.set(0, where(mask, b.g(), 0));
      });
    return out;
  }
};

// ---- cross product ----

static Tensor cross_of(const Tensor& a, const Tensor& b, int64_t dim) {
  const int d = a.dim();
  HWARO_CHECK(d == b.dim(), "linalg.cross: inputs must have the same number of dimensions.");
  const int64_t w = wrap_dim(dim, d);
  HWARO_CHECK(a.sizes()[w] == 3 && b.sizes()[w] == 3, "linalg.cross: inputs dimension ", dim,
              " must have length 3. Got ", a.sizes()[w], " and ", b.sizes()[w]);
  Tensor out;
  {
    NoGradGuard guard;
    Tensor parts[3];
    for (int i = 0; i < 3; ++i) {
      const int j = (i + 1) % 3, k = (i + 2) % 3;
      parts[i] = select(a, w, j) * select(b, w, k) - select(a, w, k) * select(b, w, j);
    }
    out = stack({parts[0], parts[1], parts[2]}, w);
  }
  if (recording(a, b))
    record("LinalgCrossBackward0", {a, b}, out, {save_if(is_tracked(b), a), save_if(is_tracked(a), b)},
           [w, sizes_a = Dims(a.sizes()), sizes_b = Dims(b.sizes())](Backward& back) {
             if (back.needs(0)) back.set(0, sum_to_size(cross_of(conj(back.saved(1)), back.g(), w), sizes_a));
             if (back.needs(1)) back.set(1, sum_to_size(cross_of(back.g(), conj(back.saved(0)), w), sizes_b));
           });
  return out;
}

struct LinalgCross {
  static constexpr Schema schema = "linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor";
  static constexpr Doc doc = "Cross product of vectors of length 3 along dim; batches broadcast.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& other, int64_t dim) { return cross_of(self, other, dim); }
};

struct Cross {
  static constexpr Schema schema = "cross(Tensor self, Tensor other, int? dim=None) -> Tensor";
  static constexpr Doc doc =
      "Cross product of vectors of length 3 along dim (by default the first dimension of size 3).";
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<int64_t> dim) {
    if (dim) return cross_of(self, other, *dim);
    warn_once(
        "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
        "simply use "
        "torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in a future "
        "release.");
    for (int d = 0; d < self.dim(); ++d)
      if (self.sizes()[d] == 3) return cross_of(self, other, d);
    raise("no dimension of size 3 in input");
  }
};

}  // namespace hwaro::engine

#include "families/contraction.inc"
