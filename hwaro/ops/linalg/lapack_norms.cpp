// Norms of matrices and condition numbers, composed of vector norms and singular values.
#include <cmath>

#include "hwaro/ops/extreme.h"
#include "hwaro/ops/lapack_solve.h"
#include "hwaro/ops/lapack_svd.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/rounding_calls.h"
#include "hwaro/ops/vector_norm.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

std::string order_text(double ord) {
  if (std::isinf(ord)) return ord > 0 ? "inf" : "-inf";
  return concat(ord);
}

Dims check_norm(const Tensor& a, IntSpan dim, OptDType dtype, bool low_precision) {
  constexpr const char* function = "linalg.matrix_norm";
  check_matrix(a, function);
  check_floating(a, function, low_precision);
  std::string list;
  for (int64_t d : dim) list += concat(list.empty() ? "" : " ", d);
  HWARO_CHECK(dim.size() == 2, "linalg.matrix_norm: dim must be a 2-tuple. Got ", list);
  const Dims wrapped = {wrap_dim(dim[0], a.dim()), wrap_dim(dim[1], a.dim())};
  HWARO_CHECK(wrapped[0] != wrapped[1], "linalg.matrix_norm: dims must be different. Got (", wrapped[0], ", ",
              wrapped[1], ")");
  if (dtype) {
    HWARO_CHECK(is_differentiable(*dtype), function, ": dtype should be floating point or complex, but got ",
                scalar_type_name(*dtype));
    HWARO_CHECK(is_complex(*dtype) == is_complex(a.dtype()), function, ": dtype should be ",
                is_complex(a.dtype()) ? "complex for complex" : "real for real", " inputs, but got ",
                scalar_type_name(*dtype));
    HWARO_CHECK(promote_types(a.dtype(), *dtype) == *dtype, function, ": the dtype of the input (",
                scalar_type_name(a.dtype()), ") should be convertible without narrowing to the specified dtype (",
                scalar_type_name(*dtype), ")");
  }
  return wrapped;
}

// Singular values of the matrices in dims, with f applied over them.
template <class F>
Tensor of_values(const Tensor& a, const Dims& dims, bool keepdim, OptDType dtype, F f) {
  Dims order;
  for (int i = 0; i < a.dim(); ++i)
    if (i != dims[0] && i != dims[1]) order.push_back(i);
  order.push_back(dims[0]), order.push_back(dims[1]);
  const Tensor x = dtype ? to_dtype(a, *dtype) : a;
  Tensor out = f(linalg_svdvals(permute(x, order), std::nullopt), keepdim);
  if (!keepdim) return out;
  Dims back(order);
  for (std::size_t i = 0; i < order.size(); ++i) back[std::size_t(order[i])] = int64_t(i);
  return permute(unsqueeze(out, -1), back);
}

Tensor matrix_norm(const Tensor& a, double ord, IntSpan dim, bool keepdim, OptDType dtype) {
  const double size = std::fabs(ord);
  HWARO_CHECK(size == 1 || size == 2 || std::isinf(size), "linalg.matrix_norm: Order ", order_text(ord),
              " not supported.");
  Dims dims = check_norm(a, dim, dtype, size != 2);
  const auto extreme = [&](const Tensor& t, int64_t d, bool keep) {
    return ord > 0 ? amax(t, IntSpan(&d, 1), keep) : amin(t, IntSpan(&d, 1), keep);
  };
  if (size == 2)
    return of_values(a, dims, keepdim, dtype, [&](const Tensor& s, bool keep) { return extreme(s, -1, keep); });
  if (std::isinf(size)) std::swap(dims[0], dims[1]);
  const Tensor sums = linalg_vector_norm(a, 1, IntSpan(&dims[0], 1), keepdim, dtype);
  return extreme(sums, !keepdim && dims[0] < dims[1] ? dims[1] - 1 : dims[1], keepdim);
}

Tensor matrix_norm(const Tensor& a, std::string_view ord, IntSpan dim, bool keepdim, OptDType dtype) {
  HWARO_CHECK(ord == "fro" || ord == "nuc", "linalg.matrix_norm: Order ", ord, " not supported.");
  const Dims dims = check_norm(a, dim, dtype, ord != "nuc");
  if (ord == "fro") return linalg_vector_norm(a, 2, IntSpan(dims), keepdim, dtype);
  return of_values(a, dims, keepdim, dtype, [](const Tensor& s, bool keep) {
    const int64_t last = -1;
    return sum(s, IntSpan(&last, 1), keep);
  });
}

void check_norm_dims(const Tensor& x, OptIntSpan dim, bool has_ord) {
  if (dim)
    HWARO_CHECK(dim->size() == 1 || dim->size() == 2,
                "linalg.norm: If dim is specified, it must be of length 1 or 2. Got ", sizes_str(*dim));
  else if (has_ord)
    HWARO_CHECK(x.dim() == 1 || x.dim() == 2,
                "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ", x.dim(), "D.");
}

bool is_matrix_call(const Tensor& x, OptIntSpan dim) { return dim ? dim->size() == 2 : x.dim() == 2; }

}  // namespace

struct LinalgMatrixNormNamed {
  static constexpr Schema schema =
      "linalg_matrix_norm.str_ord(Tensor self, str ord=\"fro\", int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? "
      "dtype=None) -> Tensor";
  static constexpr Doc doc = "The Frobenius or (\"nuc\") nuclear norm of matrices.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::string_view ord, IntSpan dim, bool keepdim, OptDType dtype) {
    return matrix_norm(self, ord, dim, keepdim, dtype);
  }
};

struct LinalgMatrixNorm {
  static constexpr Schema schema =
      "linalg_matrix_norm(Tensor self, Scalar ord, int[] dim=[-2, -1], bool keepdim=False, *, ScalarType? dtype=None) "
      "-> "
      "Tensor";
  static constexpr Doc doc =
      "Norms of matrices: 1 and inf of column and row sums, 2 of singular values; negative for the least.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Scalar& ord, IntSpan dim, bool keepdim, OptDType dtype) {
    return matrix_norm(self, ord.to_double(), dim, keepdim, dtype);
  }
};

struct LinalgNorm {
  static constexpr Schema schema =
      "linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> "
      "Tensor";
  static constexpr Doc doc = "A vector norm, or a matrix norm where ord is given for two dimensions.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const std::optional<Scalar>& ord, OptIntSpan dim, bool keepdim,
                     OptDType dtype) {
    check_norm_dims(self, dim, ord.has_value());
    if (ord && is_matrix_call(self, dim))
      return matrix_norm(self, ord->to_double(), dim ? *dim : IntSpan({0, 1}), keepdim, dtype);
    return linalg_vector_norm(self, ord ? *ord : Scalar(2), dim, keepdim, dtype);
  }
};

struct LinalgNormNamed {
  static constexpr Schema schema =
      "linalg_norm.ord_str(Tensor self, str ord, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> "
      "Tensor";
  static constexpr Doc doc = "The Frobenius or (\"nuc\") nuclear norm.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::string_view ord, OptIntSpan dim, bool keepdim, OptDType dtype) {
    if (dim)
      HWARO_CHECK(dim->size() == 1 || dim->size() == 2,
                  "linalg.norm: If dim is specified, it mut be of length 1 or 2. Got ", sizes_str(*dim));
    else
      HWARO_CHECK(self.dim() == 1 || self.dim() == 2,
                  "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got ", self.dim(),
                  "D.");
    return matrix_norm(self, ord, dim ? *dim : IntSpan({0, 1}), keepdim, dtype);
  }
};

struct NuclearNorm {
  static constexpr Schema schema = "nuclear_norm(Tensor self, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The sum of a matrix's singular values.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, bool keepdim) {
    return matrix_norm(self, "nuc", {-2, -1}, keepdim, std::nullopt);
  }
};

struct NuclearNormDim {
  static constexpr Schema schema = "nuclear_norm.dim(Tensor self, int[2] dim, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The sums of the singular values of the matrices in two dimensions.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan dim, bool keepdim) {
    return matrix_norm(self, "nuc", dim, keepdim, std::nullopt);
  }
};

// ---- condition numbers ----

namespace {

Tensor infinite_like_batch(const Tensor& a) { return make_zeros(batch_sizes(a), to_real(a.dtype()), a.device()); }

template <class Ord>
Tensor cond_of(const Tensor& a, const Ord& ord) {
  check_square(a, "linalg.cond");
  const Tensor inverse = std::get<0>(linalg_inv_ex(a));
  const Tensor product =
      mul(matrix_norm(a, ord, {-2, -1}, false, std::nullopt), matrix_norm(inverse, ord, {-2, -1}, false, std::nullopt));
  return nan_to_num(product, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity(),
                    -std::numeric_limits<double>::infinity());
}

}  // namespace

struct LinalgCond {
  static constexpr Schema schema = "linalg_cond(Tensor self, Scalar? p=None) -> Tensor";
  static constexpr Doc doc = "The norm of a matrix times the norm of its inverse.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const std::optional<Scalar>& p) {
    check_matrix(self, "linalg.cond");
    const double ord = p ? p->to_double() : 2;
    if (self.numel() == 0) return infinite_like_batch(self);
    if (std::fabs(ord) == 2) {
      const Tensor s = linalg_svdvals(self, std::nullopt);
      const Tensor most = narrow(s, -1, 0, 1), least = narrow(s, -1, s.size(-1) - 1, 1);
      return squeeze(ord > 0 ? div(most, least) : div(least, most), -1);
    }
    HWARO_CHECK(std::fabs(ord) == 1 || std::isinf(ord), "linalg.cond got an invalid norm type: ", order_text(ord));
    return cond_of(self, ord);
  }
};

struct LinalgCondNamed {
  static constexpr Schema schema = "linalg_cond.p_str(Tensor self, str p) -> Tensor";
  static constexpr Doc doc = "The Frobenius or nuclear norm of a matrix times that of its inverse.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::string_view p) {
    check_matrix(self, "linalg.cond");
    HWARO_CHECK(p == "fro" || p == "nuc", "linalg.cond got an invalid norm type: ", p);
    if (self.numel() == 0) return infinite_like_batch(self);
    return cond_of(self, p);
  }
};

}  // namespace hwaro::engine

#include "families/lapack_norms.inc"
