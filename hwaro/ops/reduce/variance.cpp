// Variances and standard deviations.
#include <cmath>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

Tensor imag(const Tensor& self);

namespace {

struct Moments {
  Tensor mean, m2;  // float64
};

// Of a real tensor. Long rows and high columns are cut into chunks that are merged in order.
Moments moments_of(const Tensor& self, DimMask mask, IntSpan shape) {
  const ReducedBlock block = reduced_block(self, mask);
  const int64_t n = block.size, inner = block.inner, results = block.outer * inner;
  const Moments out{make_tensor(shape, DType::Double), make_tensor(shape, DType::Double)};
  const int type = int(block.dense.dtype());
  const MomentLoop rows = arg_kernels().moment_rows[type], columns = arg_kernels().moment_columns[type];
  const int64_t size = size_of(block.dense.dtype());
  const char* in = static_cast<const char*>(block.dense->read());
  double* mean = out.mean->write_as<double>();
  double* m2 = out.m2->write_as<double>();
  constexpr int64_t kTile = 256;
  const int64_t tile = inner < kTile ? inner : kTile, tiles = (inner + tile - 1) / tile;
  const int64_t per_chunk = kGrain / tile > 64 ? kGrain / tile / 64 * 64 : 64;
  const int64_t chunks = n > 2 * per_chunk ? (n + per_chunk - 1) / per_chunk : 1;
  // Where to put the moments of a chunk: the results themselves, or a line of partial ones.
  const Tensor partial = chunks > 1 ? make_tensor({2, chunks, results}, DType::Double) : Tensor();
  double* part_mean = chunks > 1 ? partial->write_as<double>() : mean;
  double* part_m2 = chunks > 1 ? part_mean + chunks * results : m2;
  const int64_t rows_per_task = chunks > 1 ? per_chunk : n;
  parallel_for(block.outer * chunks * tiles, kGrain / (rows_per_task * tile) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t o = t / (chunks * tiles), chunk = t / tiles % chunks, j = t % tiles * tile;
      const int64_t row = chunk * per_chunk, count = chunks > 1 && n - row > per_chunk ? per_chunk : n - row;
      const int64_t width = inner - j < tile ? inner - j : tile, at = chunk * results + o * inner + j;
      const char* x = in + ((o * n + row) * inner + j) * size;
      if (inner == 1) rows(part_mean + at, part_m2 + at, x, 1, 0, count);
      else columns(part_mean + at, part_m2 + at, x, count, inner, width);
    }
  });
  if (chunks > 1) {
    for (int64_t r = 0; r < results; ++r) {
      double m = part_mean[r], q = part_m2[r], total = double(per_chunk);
      for (int64_t c = 1; c < chunks; ++c) {
        const double k = double(n - c * per_chunk < per_chunk ? n - c * per_chunk : per_chunk);
        const double delta = part_mean[c * results + r] - m;
        m += delta * k / (total + k);
        q += part_m2[c * results + r] + delta * delta * total * k / (total + k);
        total += k;
      }
      mean[r] = m;
      m2[r] = q;
    }
  }
  return out;
}

struct Statistics {
  Tensor var, mean;
};

// The mask of dim, once the type is known to be one that has a variance.
DimMask checked_mask(const char* name, const Tensor& self, OptIntSpan dim) {
  HWARO_CHECK(is_differentiable(self.dtype()), name, " only support floating point and complex dtypes");
  return dim ? dim_mask(dim, self.dim()) : all_dims(self.dim());
}

Statistics statistics(const char* name, const Tensor& self, DimMask mask, double correction, bool keepdim,
                      bool take_root, bool want_mean) {
  const Dims shape = reduced_sizes(self.sizes(), mask, keepdim);
  const int64_t n = product(shape) == 0 ? 0 : reduced_numel(self.sizes(), mask);
  if (double(n) - correction <= 0)
    warn(concat(
        name,
        "(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
        "divided by output numel)."));
  const DType real_type = to_real(self.dtype());
  if (self.device().is_meta())
    return {make_tensor(shape, real_type, self.device()),
            want_mean ? make_tensor(shape, self.dtype(), self.device()) : Tensor()};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (self.numel() == 0)
    return {make_full(shape, nan, real_type),
            want_mean ? make_full(shape, is_complex(self.dtype()) ? Scalar(Complex<double>(nan, nan)) : Scalar(nan),
                                  self.dtype())
                      : Tensor()};

  Moments moments;
  Tensor mean;
  if (is_complex(self.dtype())) {
    const Tensor x = detach(self);
    const Moments re = moments_of(dense(real(x)), mask, shape), im = moments_of(dense(imag(x)), mask, shape);
    moments = {re.mean, add(re.m2, im.m2)};
    if (want_mean) {
      mean = make_tensor(shape, self.dtype());
      visit<kComplexSet>(self.dtype(), "var_mean", [&](auto tag) {
        using C = typename decltype(tag)::type;
        using R = decltype(C{}.re);
        for (int64_t i = 0; i < mean.numel(); ++i)
          mean->write_as<C>()[i] = C{R(re.mean->read_as<double>()[i]), R(im.mean->read_as<double>()[i])};
      });
    }
  } else {
    moments = moments_of(self, mask, shape);
    if (want_mean) mean = dense_as(moments.mean, self.dtype());
  }
  const double divisor = double(n) - correction > 0 ? double(n) - correction : 0;
  double* p = moments.m2->write_as<double>();
  for (int64_t i = 0; i < moments.m2.numel(); ++i) {
    p[i] /= divisor;
    if (take_root) p[i] = std::sqrt(p[i]);
  }
  return {dense_as(moments.m2, real_type), mean};
}

// The gradient of the variance: 2 / (n - correction) * g * (x - mean).
Tensor variance_gradient(const Tensor& g, const Tensor& x, DimMask mask, double correction, bool keepdim) {
  Dims dims;
  for (int d = 0; d < x.dim(); ++d)
    if (mask >> d & 1) dims.push_back(d);
  const Tensor grad = restore_dims(g, x.dim(), mask, keepdim);
  const Tensor distance = sub(x, x.dim() ? mean(x, IntSpan(dims), true) : mean(x, std::nullopt));
  const double dof = double(reduced_numel(x.sizes(), mask)) - correction;
  if (dof <= 0) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
    const Tensor none = make_full({}, nan, to_real(x.dtype()), x.device()),
                 all = make_full({}, inf, to_real(x.dtype()), x.device());
    return mul(grad, where(eq(distance, 0), none, all));
  }
  return mul(mul(grad, Scalar(2.0 / dof)), distance);
}
Tensor deviation_gradient(const Tensor& g, const Tensor& x, const Tensor& result, DimMask mask, double correction,
                          bool keepdim) {
  const Tensor scaled = where(eq(result, 0), make_zeros({}, g.dtype(), g.device()), div(g, mul(result, 2)));
  return variance_gradient(scaled, x, mask, correction, keepdim);
}

double correction_of(const std::optional<Scalar>& correction) { return correction ? correction->to_double() : 1; }

Tensor variance(const Tensor& self, DimMask mask, double correction, bool keepdim) {
  const Tensor out = statistics("var", self, mask, correction, keepdim, false, false).var;
  if (recording(self))
    record("VarBackward0", {self}, out, {save(self)}, [mask, correction, keepdim](Backward& b) {
      b.set(0, variance_gradient(b.g(), b.saved(0), mask, correction, keepdim));
    });
  return out;
}
Tensor deviation(const Tensor& self, DimMask mask, double correction, bool keepdim) {
  const Tensor out = statistics("std", self, mask, correction, keepdim, true, false).var;
  if (recording(self))
    record("StdBackward0", {self}, out, {save(self), save_output(out)}, [mask, correction, keepdim](Backward& b) {
      b.set(0, deviation_gradient(b.g(), b.saved(0), b.saved(1), mask, correction, keepdim));
    });
  return out;
}

std::tuple<Tensor, Tensor> with_mean(bool root, const Tensor& self, DimMask mask, double correction, bool keepdim) {
  const Statistics s = statistics(root ? "std_mean" : "var_mean", self, mask, correction, keepdim, root, true);
  if (recording(self))
    record(root ? "StdMeanBackward0" : "VarMeanBackward0", {self}, {s.var, s.mean},
           {save(self), root ? save_output(s.var) : Save{}}, [root, mask, correction, keepdim](Backward& b) {
             const Tensor x = b.saved(0);
             Tensor total;
             if (b.g(0).defined())
               total = root ? deviation_gradient(b.g(0), x, b.saved(1), mask, correction, keepdim)
                            : variance_gradient(b.g(0), x, mask, correction, keepdim);
             if (b.g(1).defined()) {
               const Tensor g = expand_reduced(div(b.g(1), reduced_numel(x.sizes(), mask)), x.sizes(), mask, keepdim);
               total = total.defined() ? add(total, g) : g;
             }
             b.set(0, total);
           });
  return {s.var, s.mean};
}

}  // namespace

struct Var {
  static constexpr Schema schema = "var(Tensor self, bool unbiased=True) -> Tensor";
  static constexpr Doc doc = "The variance of all elements; divides by n - 1 unless unbiased is False.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, bool unbiased) {
    return variance(self, checked_mask("std and var", self, {}), unbiased, false);
  }
};

struct VarDim {
  static constexpr Schema schema =
      "var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The variance over the given dimensions; divides by n - 1 unless unbiased is False.";
  static Tensor call(const Tensor& self, OptIntSpan dim, bool unbiased, bool keepdim) {
    return variance(self, checked_mask("std and var", self, dim), unbiased, keepdim);
  }
};

struct VarCorrection {
  static constexpr Schema schema =
      "var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The variance over the given dimensions; divides by n - correction.";
  static Tensor call(const Tensor& self, OptIntSpan dim, const std::optional<Scalar>& correction, bool keepdim) {
    return variance(self, checked_mask("std and var", self, dim), correction_of(correction), keepdim);
  }
};

struct Std {
  static constexpr Schema schema = "std(Tensor self, bool unbiased=True) -> Tensor";
  static constexpr Doc doc = "The standard deviation of all elements; divides by n - 1 unless unbiased is False.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, bool unbiased) {
    return deviation(self, checked_mask("std and var", self, {}), unbiased, false);
  }
};

struct StdDim {
  static constexpr Schema schema =
      "std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor";
  static constexpr Doc doc =
      "The standard deviation over the given dimensions; divides by n - 1 unless unbiased is False.";
  static Tensor call(const Tensor& self, OptIntSpan dim, bool unbiased, bool keepdim) {
    return deviation(self, checked_mask("std and var", self, dim), unbiased, keepdim);
  }
};

struct StdCorrection {
  static constexpr Schema schema =
      "std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The standard deviation over the given dimensions; divides by n - correction.";
  static Tensor call(const Tensor& self, OptIntSpan dim, const std::optional<Scalar>& correction, bool keepdim) {
    return deviation(self, checked_mask("std and var", self, dim), correction_of(correction), keepdim);
  }
};

struct VarMean {
  static constexpr Schema schema = "var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)";
  static constexpr Doc doc = "The variance and the mean of all elements.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, bool unbiased) {
    return with_mean(false, self, checked_mask("var_mean", self, {}), unbiased, false);
  }
};

struct VarMeanDim {
  static constexpr Schema schema =
      "var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)";
  static constexpr Doc doc = "The variance and the mean over the given dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, OptIntSpan dim, bool unbiased, bool keepdim) {
    return with_mean(false, self, checked_mask("var_mean", self, dim), unbiased, keepdim);
  }
};

struct VarMeanCorrection {
  static constexpr Schema schema =
      "var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, "
      "Tensor)";
  static constexpr Doc doc = "The variance, with n - correction as divisor, and the mean over the given dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, OptIntSpan dim, const std::optional<Scalar>& correction,
                                         bool keepdim) {
    return with_mean(false, self, checked_mask("var_mean", self, dim), correction_of(correction), keepdim);
  }
};

struct StdMean {
  static constexpr Schema schema = "std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)";
  static constexpr Doc doc = "The standard deviation and the mean of all elements.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, bool unbiased) {
    return with_mean(true, self, checked_mask("std_mean", self, {}), unbiased, false);
  }
};

struct StdMeanDim {
  static constexpr Schema schema =
      "std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)";
  static constexpr Doc doc = "The standard deviation and the mean over the given dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, OptIntSpan dim, bool unbiased, bool keepdim) {
    return with_mean(true, self, checked_mask("std_mean", self, dim), unbiased, keepdim);
  }
};

struct StdMeanCorrection {
  static constexpr Schema schema =
      "std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, "
      "Tensor)";
  static constexpr Doc doc =
      "The standard deviation, with n - correction as divisor, and the mean over the given dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, OptIntSpan dim, const std::optional<Scalar>& correction,
                                         bool keepdim) {
    return with_mean(true, self, checked_mask("std_mean", self, dim), correction_of(correction), keepdim);
  }
};

}  // namespace hwaro::engine

#include "families/variance.inc"
