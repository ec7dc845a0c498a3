// Vector norms.
#include <cmath>
#include <limits>

#include "hwaro/ops/kinds/out_types.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/lapack_norms.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value);

using std::int64_t;

namespace {

// The norm of a real tensor in accumulation type, without conversion of the result.
Tensor raw_norm(const Tensor& x, double p, DimMask mask, bool keepdim) {
  if (p == 0) return dense_as(reduce(ReduceOp::Sum, dense_as(x, DType::Bool), mask, keepdim), compute_type(x.dtype()));
  if (p == 1) return reduce(ReduceOp::SumAbs, x, mask, keepdim);
  if (std::isinf(p)) return reduce(p > 0 ? ReduceOp::MaxAbs : ReduceOp::MinAbs, x, mask, keepdim);
  Tensor out;
  if (p == 2) {
    out = reduce(ReduceOp::SumSquares, x, mask, keepdim);
  } else {
    NoGradGuard guard;
    out = reduce(ReduceOp::Sum, pow(abs(dense_as(x, compute_type(x.dtype()))), Scalar(p)), mask, keepdim);
  }
  if (out.device().is_meta()) return out;
  visit<bit(DType::Float) | bit(DType::Double)>(out.dtype(), "norm", [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* y = out->write_as<T>();
    for (int64_t i = 0; i < out.numel(); ++i) y[i] = p == 2 ? std::sqrt(y[i]) : T(std::pow(double(y[i]), 1 / p));
  });
  return out;
}

Tensor norm_gradient(const Tensor& grad, const Tensor& x, const Tensor& result, double p, DimMask mask, bool keepdim) {
  const Tensor g = restore_dims(grad, x.dim(), mask, keepdim), norm = restore_dims(result, x.dim(), mask, keepdim);
  const Tensor zero = make_zeros({}, norm.dtype(), x.device());
  if (p == 0) return make_zeros(x.sizes(), x.dtype(), x.device());
  if (p == 1) return mul(sgn(x), g);
  // In this order the second derivative is no number where the norm is zero, which is right.
  if (p == 2) return mul(g, masked_fill(div(x, norm), eq(norm, 0), 0));
  if (std::isinf(p)) {
    // The gradient is shared by all elements whose magnitude is the norm.
    const Tensor hit = logical_or(eq(abs(x), norm), logical_and(isnan(x), isnan(norm)));
    Dims dims;
    for (int d = 0; d < x.dim(); ++d)
      if (mask >> d & 1) dims.push_back(d);
    const Tensor count = x.dim() ? sum(hit, IntSpan(dims), true) : sum_all(hit);
    return mul(sgn(x), mul(div(g, count), to_dtype(hit, g.dtype())));
  }
  if (p < 1) {
    const Tensor none = make_zeros({}, to_real(x.dtype()), x.device());
    const Tensor scaled = mul(sgn(x), where(eq(x, 0), none, pow(abs(x), Scalar(p - 1))));
    return mul(mul(scaled, g), pow(norm, Scalar(1 - p)));
  }
  const Tensor scale = where(eq(norm, 0), zero, div(g, pow(norm, Scalar(p - 1))));
  if (p < 2) return mul(mul(sgn(x), pow(abs(x), Scalar(p - 1))), scale);
  return mul(mul(x, pow(abs(x), Scalar(p - 2))), scale);
}

std::string order_str(double p) {
  if (std::isinf(p)) return p > 0 ? "inf" : "-inf";
  return concat(p);
}

// The order of a norm as a number.
double order_of(const Scalar& order) {
  HWARO_CHECK(!order.is_complex(), "linalg.vector_norm: Expected a non-complex scalar as the order of norm.");
  return order.to_double();
}

Tensor vector_norm(const Tensor& self, double p, OptIntSpan dim, bool keepdim, OptDType dtype) {
  HWARO_CHECK(is_differentiable(self.dtype()),
              "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
              scalar_type_name(self.dtype()));
  if (dtype) {
    HWARO_CHECK(is_differentiable(*dtype), "linalg.vector_norm: dtype should be floating point or complex, but got ",
                scalar_type_name(*dtype));
    HWARO_CHECK(is_complex(*dtype) == is_complex(self.dtype()), "linalg.vector_norm: dtype should be ",
                is_complex(self.dtype()) ? "complex for complex" : "real for real", " inputs, but got ",
                scalar_type_name(*dtype));
    HWARO_CHECK(promote_types(self.dtype(), *dtype) == *dtype, "linalg.vector_norm: the dtype of the input (",
                scalar_type_name(self.dtype()), ") should be convertible without narrowing to the specified dtype (",
                scalar_type_name(*dtype), ")");
  }
  const DimMask mask = dim_mask(dim, self.dim());
  if (self.numel() == 0 && (p < 0 || std::isinf(p))) {
    HWARO_CHECK(dim && !dim->empty(), "linalg.vector_norm cannot compute the ", order_str(p),
                " norm on an empty tensor because the operation does not have an identity");
    for (int64_t d : *dim)
      HWARO_CHECK(self.size(d) != 0, "linalg.vector_norm cannot compute the ", order_str(p), " norm on the dimension ",
                  d, "because this dimension is empty and the operation does not have an identity");
  }
  const DType type = dtype.value_or(self.dtype());
  Tensor x = type != self.dtype() ? dense_as(self, type) : self;
  if (is_complex(type)) x = abs(detach(x));
  const Tensor out = dense_as(raw_norm(x, p, mask, keepdim), to_real(type));
  if (recording(self))
    record("LinalgVectorNormBackward0", {self}, out, {save(self), save_output(out)}, [p, mask, keepdim](Backward& b) {
      if (p == 0) return;  // no gradient rather than zeros, as in PyTorch
      const Tensor input = b.saved(0), result = b.saved(1);
      b.set(0, to_dtype(
                   norm_gradient(
                       b.g(), to_dtype(input, is_complex(input.dtype()) ? to_complex(result.dtype()) : result.dtype()),
                       result, p, mask, keepdim),
                   input.dtype()));
    });
  return out;
}

}  // namespace

struct LinalgVectorNorm {
  static constexpr Schema schema =
      "linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) "
      "-> Tensor";
  static constexpr Doc doc = "The vector norm of order ord over the given dimensions.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Scalar& ord, OptIntSpan dim, bool keepdim, OptDType dtype) {
    return vector_norm(self, order_of(ord), dim, keepdim, dtype);
  }
};

struct NormNamed {
  static constexpr Schema schema =
      "norm.str(Tensor self, str p='fro', int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The Frobenius norm ('fro') over the given dimensions.";
  static Tensor call(const Tensor& self, std::string_view p, OptIntSpan dim, bool keepdim, OptDType dtype) {
    if (p != "fro" || (dim && dim->size() > 2)) {
      Dims all;
      for (int d = 0; d < self.dim(); ++d) all.push_back(d);
      return linalg_matrix_norm(self, p, dim ? *dim : IntSpan(all), keepdim, dtype);
    }
    return vector_norm(self, 2, dim, keepdim, dtype);
  }
  static void call_out(const Tensor& out, const Tensor& self, std::string_view p, OptIntSpan dim, bool keepdim,
                       OptDType dtype) {
    static constexpr Schema matrix_norm = "linalg_matrix_norm(Tensor self) -> Tensor";
    store_result(p == "fro" ? schema : matrix_norm, 0, out, call(self, p, dim, keepdim, dtype));
  }
};

struct Norm {
  static constexpr Schema schema =
      "norm.Scalar(Tensor self, Scalar? p, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The vector norm of order p over the given dimensions.";
  static Tensor call(const Tensor& self, const std::optional<Scalar>& p, OptIntSpan dim, bool keepdim, OptDType dtype) {
    return vector_norm(self, p ? order_of(*p) : 2, dim, keepdim, dtype);
  }
};

struct Dist {
  static constexpr Schema schema = "dist(Tensor self, Tensor other, Scalar p=2) -> Tensor";
  static constexpr Doc doc = "The vector norm of order p of self - other.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& other, const Scalar& p) {
    const double order = order_of(p);
    Tensor out;
    {
      NoGradGuard guard;
      out = vector_norm(sub(self, other), order, std::nullopt, false, std::nullopt);
    }
    if (recording(self, other))
      record("DistBackward0", {self, other}, out, {save(self), save(other), save_output(out)}, [order](Backward& b) {
        const Tensor a = b.saved(0), c = b.saved(1), difference = sub(a, c);
        const Tensor g = norm_gradient(b.g(), difference, b.saved(2), order, all_dims(difference.dim()), false);
        if (b.needs(0)) b.set(0, sum_to_size(g, a.sizes()));
        if (b.needs(1)) b.set(1, sum_to_size(neg(g), c.sizes()));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/vector_norm.inc"
