// Differences of neighbours, sums of trapezoids, and slices brought to a maximal norm.
#include <cmath>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/scan.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/copy.h"

namespace hwaro::engine {

using std::int64_t;

Tensor logical_xor(const Operand& self, const Operand& other);
Tensor linalg_vector_norm(const Tensor& self, const Scalar& ord, OptIntSpan dim, bool keepdim, OptDType dtype);

struct Diff {
  static constexpr Schema schema =
      "diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor";
  static constexpr Doc doc = "The differences of neighbours along dim, taken n times.";
  static Tensor call(const Tensor& self, int64_t n, int64_t dim, const Tensor& prepend, const Tensor& append) {
    HWARO_CHECK(self.dim() >= 1, "diff expects input to be at least one-dimensional");
    HWARO_CHECK(n >= 0, "order must be non-negative but got ", n);
    dim = wrap_dim(dim, self.dim());
    if (n == 0) {
      const Tensor same = make_zeros(self.sizes(), self.dtype(), self.device());
      return copy_(same, self, false);
    }
    Tensor x = self;
    if (prepend.defined() || append.defined()) {
      Tensor parts[3];
      std::size_t count = 0;
      for (const Tensor* t : {&prepend, &self, &append})
        if (t->defined()) parts[count++] = *t;
      x = cat(TensorSpan(parts, count), dim);
    }
    if (n > x.sizes()[dim]) n = x.sizes()[dim];
    for (int64_t i = 0; i < n; ++i) {
      const int64_t size = x.sizes()[dim];
      const Tensor later = narrow(x, dim, 1, size - 1), earlier = narrow(x, dim, 0, size - 1);
      x = x.dtype() == DType::Bool ? logical_xor(later, earlier) : sub(later, earlier);
    }
    return x;
  }
  static void call_out(const Tensor& out, const Tensor& self, int64_t n, int64_t dim, const Tensor& prepend,
                       const Tensor& append) {
    store_out(out, call(self, n, dim, prepend, append),
              n == 0 ? out_same("expected scalar_type %R but found %O") : OutRule{});
  }
};

namespace {

// x * by and x / by as PyTorch records them for plain numbers: with one edge.
Tensor scaled(const Tensor& x, double by) {
  Tensor out;
  {
    NoGradGuard guard;
    out = mul(x, by);
  }
  if (recording(x)) record("MulBackward1", {x}, out, {}, [by](Backward& b) { b.set(0, mul(b.g(), by)); });
  return out;
}
// Sums of integers are int64.
Tensor widened(const Tensor& x) { return is_integral(x.dtype(), true) ? to_dtype(x, DType::Int64) : x; }
Tensor halved(const Tensor& x) {
  Tensor out;
  {
    NoGradGuard guard;
    out = div(x, 2);
  }
  if (recording(x)) record("DivBackward1", {x}, out, {}, [](Backward& b) { b.set(0, div(b.g(), 2)); });
  return out;
}

struct Sides {
  Tensor sum, width;  // of neighbours; width only with points
};
// y_i + y_{i+1}, and x_{i+1} - x_i where points are given.
Sides sides(const char* name, const Tensor& y, const Tensor& x, int64_t dim) {
  const int64_t n = y.sizes()[dim];
  const Tensor left = slice(y, dim, 0, n > 0 ? n - 1 : 0), right = slice(y, dim, n > 0 ? 1 : 0, n);
  HWARO_CHECK(y.dtype() != DType::Bool && (!x.defined() || x.dtype() != DType::Bool), name,
              ": received a bool input for `", x.defined() ? "x` or `y" : "y", "`, but bool is not supported");
  Sides s{add(left, right), {}};
  if (!x.defined()) return s;
  Tensor points = x;
  int64_t along = dim;
  if (x.dim() == 1) {
    HWARO_CHECK(x.sizes()[0] == n, name, ": There must be one `x` value for each sample point");
    Dims shape(y.sizes().size(), 1);
    shape[dim] = n;
    points = view(x, shape);
  } else {
    along = wrap_dim(dim - y.dim(), x.dim());
  }
  s.width = sub(slice(points, along, n > 0 ? 1 : 0, n), slice(points, along, 0, n > 0 ? n - 1 : 0));
  return s;
}

Tensor trapezoids(const char* name, const Tensor& y, const Tensor& x, const Scalar& dx, int64_t dim, bool cumulative) {
  dim = wrap_dim(dim, y.dim());
  const Dims along{dim};
  if (x.defined() || cumulative) {
    const Sides s = sides(name, y, x, dim);
    if (cumulative)
      return x.defined() ? halved(running_sum(widened(mul(s.width, s.sum)), dim))
                         : running_sum(scaled(s.sum, dx.to_double() / 2), dim);
    return halved(sum(mul(s.sum, s.width), IntSpan(along)));
  }
  HWARO_CHECK(y.dtype() != DType::Bool, name, ": received a bool input for `y`, but bool is not supported");
  if (y.sizes()[dim] == 0) return make_zeros(reduced_sizes(y.sizes(), DimMask(1) << dim, false), y.dtype(), y.device());
  const Tensor ends = halved(add(select(y, dim, 0), select(y, dim, -1)));
  return scaled(sub(sum(y, IntSpan(along)), ends), dx.to_double());
}

}  // namespace

struct TrapezoidAt {
  static constexpr Schema schema = "trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor";
  static constexpr Doc doc = "The integral of y over the points x along dim by the trapezoidal rule.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, const Tensor& x, int64_t dim) {
    return trapezoids("trapezoid", y, x, 1, dim, false);
  }
};

struct Trapezoid {
  static constexpr Schema schema = "trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor";
  static constexpr Doc doc = "The integral of y along dim by the trapezoidal rule, with points dx apart.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, const Scalar& dx, int64_t dim) {
    return trapezoids("trapezoid", y, {}, dx, dim, false);
  }
};

struct TrapzAt {
  static constexpr Schema schema = "trapz.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor";
  static constexpr Doc doc = "The same as trapezoid.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, const Tensor& x, int64_t dim) { return TrapezoidAt::call(y, x, dim); }
};

struct Trapz {
  static constexpr Schema schema = "trapz.dx(Tensor y, *, float dx=1.0, int dim=-1) -> Tensor";
  static constexpr Doc doc = "The same as trapezoid.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, double dx, int64_t dim) { return Trapezoid::call(y, dx, dim); }
};

struct CumulativeTrapezoidAt {
  static constexpr Schema schema = "cumulative_trapezoid.x(Tensor y, Tensor x, *, int dim=-1) -> Tensor";
  static constexpr Doc doc = "The integral of y over x up to each point along dim by the trapezoidal rule.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, const Tensor& x, int64_t dim) {
    return trapezoids("cumulative_trapezoid", y, x, 1, dim, true);
  }
};

struct CumulativeTrapezoid {
  static constexpr Schema schema = "cumulative_trapezoid.dx(Tensor y, *, Scalar dx=1, int dim=-1) -> Tensor";
  static constexpr Doc doc =
      "The integral of y up to each point along dim by the trapezoidal rule, with points dx apart.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& y, const Scalar& dx, int64_t dim) {
    return trapezoids("cumulative_trapezoid", y, {}, dx, dim, true);
  }
};

namespace {

// The factor of each slice along dim, shaped to multiply self: 1, or what brings its norm down to `limit`.
Tensor renorm_factor(const Tensor& self, double p, int64_t dim, double limit) {
  HWARO_CHECK(p > 0, "renorm: non-positive-norm not supported");
  HWARO_CHECK(self.dim() > 1, "renorm: input needs at least 2 dimensions, got ", self.dim(), " dimensions");
  HWARO_CHECK(limit >= 0, "renorm: expected maxnorm to be >= 0 but got ", limit);
  Dims others;
  for (int64_t d = 0; d < self.dim(); ++d)
    if (d != dim) others.push_back(d);
  const DType type = compute_type(to_real(self.dtype()));
  const Tensor norm = linalg_vector_norm(to_dtype(self, is_complex(self.dtype()) ? self.dtype() : type), Scalar(p),
                                         OptIntSpan(others), true, std::nullopt);
  return where(gt(norm, limit), div(limit, add(norm, 1e-7)), make_full({}, 1, type, self.device()));
}

// The gradient of the composition, differentiable in both.
Tensor renorm_gradient(const Tensor& g, const Tensor& x, double order, int64_t dim, double limit) {
  Dims others;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != dim) others.push_back(d);
  const Tensor norm = linalg_vector_norm(x, Scalar(order), OptIntSpan(others), true, std::nullopt);
  const Tensor factor = renorm_factor(x, order, dim, limit), bound = add(norm, 1e-7);
  const Tensor through = sum(is_complex(x.dtype()) ? real(mul(conj(x), g)) : mul(x, g), IntSpan(others), true);
  // d norm / d x = sgn(x) |x|^(p-1) / norm^(p-1)
  const Tensor size = abs(x), one = make_full({}, 1, norm.dtype(), x.device());
  Tensor direction;
  if (std::isinf(order)) {
    const Tensor hit = to_dtype(eq(size, norm), norm.dtype());
    direction = div(mul(sgn(x), hit), sum(hit, IntSpan(others), true));
  } else {
    direction = div(mul(sgn(x), pow(size, Scalar(order - 1))), pow(where(eq(norm, 0), one, norm), Scalar(order - 1)));
  }
  const Tensor zero = make_zeros({}, norm.dtype(), x.device());
  const Tensor slope = where(gt(norm, limit), neg(div(mul(limit, through), mul(bound, bound))), zero);
  return to_dtype(add(mul(g, factor), mul(slope, direction)), x.dtype());
}

}  // namespace

struct Renorm {
  static constexpr Schema schema = "renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor";
  static constexpr Doc doc = "self with every slice along dim whose p-norm exceeds maxnorm scaled down to it.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self, const Scalar& p, int64_t dim, const Scalar& maxnorm) {
    dim = wrap_dim(dim, self.dim());
    const double order = p.to_double(), limit = maxnorm.to_double();
    Tensor out;
    {
      NoGradGuard guard;
      out = dense_as(mul(self, renorm_factor(self, order, dim, limit)), self.dtype());
    }
    if (recording(self))
      record("RenormBackward0", {self}, out, {save(self)},
             [order, dim, limit](Backward& b) { b.set(0, renorm_gradient(b.g(), b.saved(0), order, dim, limit)); });
    return out;
  }
};

struct RenormInplace {
  static constexpr Schema schema = "renorm_(Tensor(a!) self, Scalar p, int dim, Scalar maxnorm) -> Tensor(a!)";
  static constexpr Doc doc = "Scales down in place every slice along dim whose p-norm exceeds maxnorm.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Scalar& p, int64_t dim, const Scalar& maxnorm) {
    const bool recorded = recording(self);
    check_inplace(self, recorded);
    check_internal_overlap(self);
    dim = wrap_dim(dim, self.dim());
    const Tensor before = recorded ? clone(self) : Tensor();
    {
      NoGradGuard guard;
      copy_raw(self, Renorm::call(self, p, dim, maxnorm));
    }
    self->bump_version();
    if (recorded)
      record_inplace("RenormBackward0", self, {self}, {save(before)},
                     [order = p.to_double(), dim, limit = maxnorm.to_double()](Backward& b) {
                       b.set(0, renorm_gradient(b.g(), b.saved(0), order, dim, limit));
                     });
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/difference.inc"
