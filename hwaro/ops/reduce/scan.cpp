// Running sums, products, extremes and log-sums along a dimension.
#include "hwaro/ops/reduce/scan.h"

#include <cmath>
#include <limits>
#include <vector>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/scan_kernels.h"
#include "hwaro/ops/reduce/selection.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const ScanKernels* g_scan = nullptr;
const ScanKernels& scan_kernels() { return *g_scan; }
void set_scan_kernels(const ScanKernels* table) { g_scan = table; }

namespace engine {

using std::int64_t;

namespace {

// The type that a scan's kernels work in.
DType scan_type(DType t) { return is_integral(t, true) ? DType::Int64 : compute_type(t); }

// Runs body(first element, outer) over groups of rows of a dense tensor.
template <class F>
void each_outer(const AlongDim& at, F body) {
  const int64_t row = at.size * at.inner;
  parallel_for(at.outer, kGrain / row + 1, [&](int64_t begin, int64_t end) { body(begin * row, end - begin); });
}

Tensor raw_scan(ScanOp op, const Tensor& self, int64_t dim, bool reverse) {
  const DType type = scan_type(self.dtype());
  const Tensor out = make_tensor(self.sizes(), type, self.device());
  if (!self.device().is_meta() && self.numel() > 0) {
    const Tensor x = dense_as(self, type);
    const ScanLoop loop = scan_kernels().scan[int(op)][reverse][int(type)];
    const AlongDim at(self.sizes(), dim);
    const char* in = static_cast<const char*>(x->read());
    char* to = static_cast<char*>(out->write());
    const int64_t size = size_of(type);
    each_outer(at, [&](int64_t i, int64_t outer) { loop(to + i * size, in + i * size, outer, at.size, at.inner); });
  }
  return dense_as(out, self.dtype());
}

// out = scan(x): the gradient of a running sum is the running sum from the other end.
void record_sum(const char* name, const Tensor& self, const Tensor& out, int64_t dim, bool reverse) {
  record(name, {self}, out, {}, [dim, reverse, type = self.dtype()](Backward& b) {
    const Tensor g = to_dtype(b.g(), type);
    b.set(0, g.numel() <= 1 || g.sizes()[dim] == 1 ? g : running_sum(g, dim, !reverse));
  });
}

// As below, for a gradient that is differentiated again: with several zeros the products that vanish have derivatives
// that do not. Every element's own factor is left out in turn, which takes n^2 steps.
Tensor product_gradient_by_element(const Tensor& g, const Tensor& x, int64_t dim, bool reverse) {
  const int64_t n = x.sizes()[dim];
  std::vector<Tensor> parts;
  for (int64_t k = 0; k < n; ++k) {
    // Elements that come before k in the scan, and those after it.
    const int64_t start = reverse ? k + 1 : 0, count = reverse ? n - 1 - k : k, rest = n - 1 - count;
    const Tensor own = select(g, dim, k);
    Tensor total = own;
    if (rest > 0) {
      const Tensor later = narrow(x, dim, reverse ? 0 : k + 1, rest),
                   weights = narrow(g, dim, reverse ? 0 : k + 1, rest);
      total = add(own, sum(mul(weights, conj(running_product(later, dim, reverse))), IntSpan{dim}));
    }
    if (count > 0) {
      const Tensor products = running_product(narrow(x, dim, start, count), dim, reverse);
      total = mul(total, conj(select(products, dim, reverse ? 0 : count - 1)));
    }
    parts.push_back(total);
  }
  return stack(parts, dim);
}

// With y the running product, element k gets sum over i >= k of g_i * y_i / x_k. From the first zero on y is zero:
// there the element itself gets the sum with its own factor left out, and later ones get nothing.
Tensor product_gradient(const Tensor& g, const Tensor& x, const Tensor& y, int64_t dim, bool reverse) {
  const Tensor cx = conj(x), total = running_sum(mul(g, conj(y)), dim, !reverse);
  const Tensor zero = eq(x, 0);
  if (x.device().is_meta() || !reduce(ReduceOp::Max, zero, all_dims(x.dim()), false)->read_as<bool>()[0])
    return div(total, cx);
  if (grad_enabled() && recording(g, x)) return product_gradient_by_element(g, x, dim, reverse);
  const Tensor one = make_full({}, 1, x.dtype(), x.device()), none = make_zeros({}, x.dtype(), x.device());
  const Tensor first = logical_and(zero, eq(running_sum(to_dtype(zero, DType::Int64), dim, reverse), 1));
  const Tensor without = running_product(where(first, one, x), dim, reverse);
  const Tensor at_zero = running_sum(mul(g, conj(without)), dim, !reverse);
  return where(first, at_zero, where(zero, none, div(total, where(zero, one, cx))));
}
void record_product(const char* name, const Tensor& self, const Tensor& out, int64_t dim, bool reverse) {
  record(name, {self}, out, {save(self), save_output(out)}, [dim, reverse](Backward& b) {
    const Tensor x = b.saved(0), y = b.saved(1);
    if (x.numel() <= 1) b.set(0, to_dtype(b.g(), x.dtype()));
    else b.set(0, product_gradient(to_dtype(b.g(), x.dtype()), x, to_dtype(y, x.dtype()), dim, reverse));
  });
}

DType result_type(const Tensor& self, OptDType dtype) {
  return dtype ? *dtype : is_integral(self.dtype(), true) ? DType::Int64 : self.dtype();
}

Tensor scanned(ScanOp op, const Tensor& self, int64_t dim, OptDType dtype) {
  dim = wrap_dim(dim, self.dim());
  const DType type = result_type(self, dtype);
  check_differentiable(self, type);
  const Tensor out = raw_scan(op, type == self.dtype() ? self : dense_as(self, type), dim, false);
  if (recording(self)) {
    if (op == ScanOp::Sum) record_sum("CumsumBackward0", self, out, dim, false);
    else record_product("CumprodBackward0", self, out, dim, false);
  }
  return out;
}

Tensor scanned_inplace(ScanOp op, const Tensor& self, int64_t dim, OptDType dtype) {
  const bool recorded = recording(self);
  check_inplace(self, recorded);
  check_internal_overlap(self);
  HWARO_CHECK(!dtype || *dtype == self.dtype(), "Bad in-place call: input tensor dtype ",
              scalar_type_name(self.dtype()), " and output tensor dtype ", scalar_type_name(*dtype), " should match");
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK_AS(NotImplementedError, self.dtype() != DType::Bool || self.dim() == 0 || self.numel() == 0, '"',
                 op == ScanOp::Sum ? "cumsum" : "cumprod", "_out_cpu\" not implemented for 'Bool'");
  const Tensor before = recorded && op == ScanOp::Prod ? clone(self) : Tensor();
  if (!self.device().is_meta()) copy_raw(self, raw_scan(op, self, dim, false));
  self->bump_version();
  if (recorded) {
    if (op == ScanOp::Sum)
      record_inplace("CumsumBackward0", self, {self}, {},
                     [dim](Backward& b) { b.set(0, running_sum(b.g(), dim, true)); });
    else
      record_inplace("CumprodBackward0", self, {self}, {save(before)}, [dim](Backward& b) {
        const Tensor x = b.saved(0);
        b.set(0, product_gradient(b.g(), x, running_product(x, dim), dim, false));
      });
  }
  return self;
}

std::tuple<Tensor, Tensor> running_extreme(bool min, const Tensor& self, int64_t dim) {
  // Of nothing, PyTorch finds the extremes along any dimension and of any type.
  dim = self.numel() ? wrap_dim(dim, self.dim()) : 0;
  if (is_complex(self.dtype()) && self.numel())
    raise<NotImplementedError>('"', min ? "cummin_cpu" : "cummax_cpu", "\" not implemented for '",
                               scalar_type_name(self.dtype()), '\'');
  const DType type = scan_type(self.dtype());
  const Tensor values = make_tensor(self.sizes(), type, self.device()),
               indices = make_tensor(self.sizes(), DType::Int64, self.device());
  if (!self.device().is_meta() && self.numel() > 0) {
    const Tensor x = dense_as(self, type);
    const ArgScanLoop loop = scan_kernels().extreme[min][int(type)];
    const AlongDim at(self.sizes(), dim);
    const char* in = static_cast<const char*>(x->read());
    char* to = static_cast<char*>(values->write());
    int64_t* index = indices->write_as<int64_t>();
    const int64_t size = size_of(type);
    each_outer(
        at, [&](int64_t i, int64_t outer) { loop(to + i * size, index + i, in + i * size, outer, at.size, at.inner); });
  }
  const Tensor out = dense_as(values, self.dtype());
  HWARO_CHECK(!(recording(self) && is_complex(self.dtype())), min ? "cummin" : "cummax",
              " does not support automatic differentiation for outputs with complex dtype.");
  if (recording(self)) record_selection(min ? "CumminBackward0" : "CummaxBackward0", self, out, indices, dim, true);
  return {out, indices};
}

// log(exp(a) + exp(b)), also for infinities.
double log_add(double a, double b) {
  const double low = std::isnan(b) || b < a ? b : a, high = std::isnan(b) || b > a ? b : a;
  if (std::isnan(a)) return a;
  return low != high || std::isfinite(low) ? std::log1p(std::exp(low - high)) + high : a;
}
// The same for complex numbers, ordered by their real parts.
Complex<double> log_add(Complex<double> a, Complex<double> b) {
  if (std::isnan(a.re) || std::isnan(a.im)) return a;
  if (std::isnan(b.re) || std::isnan(b.im)) return b;
  const Complex<double> low = a.re < b.re ? a : b, high = a.re < b.re ? b : a;
  if (low.re == -std::numeric_limits<double>::infinity()) return high;
  if (low.re == high.re && std::isinf(low.re)) return high;
  const double magnitude = std::exp(low.re - high.re), angle = low.im - high.im;
  const double re = 1 + magnitude * std::cos(angle), im = magnitude * std::sin(angle);
  return {high.re + std::log(std::hypot(re, im)), high.im + std::atan2(im, re)};
}

Tensor raw_log_sum(const Tensor& self, int64_t dim, bool reverse) {
  const DType type = compute_type(self.dtype());
  const Tensor out = make_tensor(self.sizes(), type, self.device());
  visit<kFloatSet | kComplexSet>(self.dtype(), "logcumsumexp_out_cpu", [](auto) {});
  if (self.device().is_meta() || self.numel() == 0) return dense_as(out, self.dtype());
  const Tensor x = dense_as(self, type);
  const AlongDim at(self.sizes(), dim);
  visit<bit(DType::Float) | bit(DType::Double) | kComplexSet>(type, "logcumsumexp_out_cpu", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* in = x->read_as<T>();
    T* to = out->write_as<T>();
    parallel_for(at.outer * at.inner, kGrain / 8 / at.size + 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t start = row / at.inner * at.size * at.inner + row % at.inner;
        constexpr double kNone = -std::numeric_limits<double>::infinity();
        auto scan_row = [&](auto total) {
          for (int64_t s = 0; s < at.size; ++s) {
            const int64_t i = start + (reverse ? at.size - 1 - s : s) * at.inner;
            if constexpr (is_complex(dtype_of<T>)) {
              using R = decltype(T{}.re);
              total = log_add(Complex<double>{double(in[i].re), double(in[i].im)}, total);
              to[i] = T{R(total.re), R(total.im)};
            } else {
              total = log_add(double(in[i]), total);
              to[i] = T(total);
            }
          }
        };
        if constexpr (is_complex(dtype_of<T>)) scan_row(Complex<double>{kNone, 0});
        else scan_row(kNone);
      }
    });
  });
  return dense_as(out, self.dtype());
}

Tensor running_log_sum(const Tensor& self, int64_t dim, bool reverse) {
  const Tensor out = raw_log_sum(self, dim, reverse);
  if (recording(self))
    record("LogcumsumexpBackward0", {self}, out, {save(self), save_output(out)}, [dim, reverse](Backward& b) {
      const Tensor x = b.saved(0), y = b.saved(1), g = b.g();
      if (is_complex(x.dtype())) {
        // sum over i >= k of g_i * conj(exp(x_k - y_i)), in logarithms.
        const Tensor inner = conj(running_log_sum(sub(conj(log(g)), y), dim, !reverse));
        b.set(0, exp(add(inner, conj(x))));
        return;
      }
      const double lowest = is_reduced_float(x.dtype()) ? (x.dtype() == DType::Half ? -65504.0 : -0x1.fep127)
                            : x.dtype() == DType::Float ? double(std::numeric_limits<float>::lowest())
                                                        : std::numeric_limits<double>::lowest();
      const Tensor low = make_full({}, lowest, x.dtype(), x.device()), size = log(abs(g));
      const Tensor positive = exp(add(running_log_sum(sub(where(gt(g, 0), size, low), y), dim, !reverse), x));
      const Tensor negative = exp(add(running_log_sum(sub(where(lt(g, 0), size, low), y), dim, !reverse), x));
      b.set(0, sub(positive, negative));
    });
  return out;
}

}  // namespace

Tensor running_sum(const Tensor& self, int64_t dim, bool reverse) {
  const Tensor out = raw_scan(ScanOp::Sum, self, dim, reverse);
  if (recording(self)) record_sum("CumsumBackward0", self, out, dim, reverse);
  return out;
}
Tensor running_product(const Tensor& self, int64_t dim, bool reverse) {
  const Tensor out = raw_scan(ScanOp::Prod, self, dim, reverse);
  if (recording(self)) record_product("CumprodBackward0", self, out, dim, reverse);
  return out;
}

struct Cumsum {
  static constexpr Schema schema = "cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The sums of the elements up to each one along dim.";
  static constexpr auto out_rule = out_decides;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) { return scanned(ScanOp::Sum, self, dim, dtype); }
};

struct CumsumInplace {
  static constexpr Schema schema = "cumsum_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)";
  static constexpr Doc doc = "Replaces each element by the sum of the elements up to it along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) {
    return scanned_inplace(ScanOp::Sum, self, dim, dtype);
  }
};

struct Cumprod {
  static constexpr Schema schema = "cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The products of the elements up to each one along dim.";
  static constexpr auto out_rule = out_decides;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) {
    return scanned(ScanOp::Prod, self, dim, dtype);
  }
};

struct CumprodInplace {
  static constexpr Schema schema = "cumprod_(Tensor(a!) self, int dim, *, ScalarType? dtype=None) -> Tensor(a!)";
  static constexpr Doc doc = "Replaces each element by the product of the elements up to it along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) {
    return scanned_inplace(ScanOp::Prod, self, dim, dtype);
  }
};

struct Cummax {
  static constexpr Schema schema = "cummax(Tensor self, int dim) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The largest element so far along dim, and the last index of it.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule = out_same("expected scalar_type %R but found %O");
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim) { return running_extreme(false, self, dim); }
};

struct Cummin {
  static constexpr Schema schema = "cummin(Tensor self, int dim) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The smallest element so far along dim, and the last index of it.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule = out_same("expected scalar_type %R but found %O");
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim) { return running_extreme(true, self, dim); }
};

struct Logcumsumexp {
  static constexpr Schema schema = "logcumsumexp(Tensor self, int dim) -> Tensor";
  static constexpr Doc doc = "The logarithm of the sum of the exponentials up to each element along dim.";
  static constexpr auto out_rule = out_same("expected scalar_type %R but found %O");
  static Tensor call(const Tensor& self, int64_t dim) {
    return running_log_sum(self, wrap_dim(dim, self.dim()), false);
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/scan.inc"
