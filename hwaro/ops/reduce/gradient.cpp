// Derivatives of functions that are known at points: differences of neighbours, weighted by the points' distances.
//
// Inside, the parabola through three neighbours is differentiated (its coefficients for unequal distances a and b are
// those of Fornberg, "Generation of Finite Difference Formulas on Arbitrarily Spaced Grids", 1988); at the ends the line
// through two points (edge_order 1) or the parabola through three (edge_order 2).
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/with_number.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/difference.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Tensor along_scalar(const Tensor& x, int64_t dim, const Scalar& h, int64_t edge_order) {
  const int64_t n = x.sizes()[dim];
  auto at = [&](int64_t i) { return narrow(x, dim, i < 0 ? n + i : i, 1); };
  Tensor left, right;
  if (edge_order == 1) {
    left = over_number(at(1) - at(0), h);
    right = over_number(at(-1) - at(-2), h);
  } else {
    left = over_number(at(0) * -1.5 + 2 * at(1) - 0.5 * at(2), h);
    right = over_number(at(-1) * 1.5 - 2 * at(-2) + 0.5 * at(-3), h);
  }
  const Tensor middle = over_number(over_number(narrow(x, dim, 2, n - 2) - narrow(x, dim, 0, n - 2), h), 2);
  const Tensor parts[] = {left, middle, right};
  return cat({parts, 3}, dim);
}

// The slope of the parabola through three values at the first (-1), second (0) or third (1) of three points that lie a
// and b apart.
Tensor slope(int where, const Tensor& a, const Tensor& b, const Tensor& x0, const Tensor& x1, const Tensor& x2) {
  const Tensor whole = a + b;
  if (where == 0) return neg(b) / (a * whole) * x0 + (b - a) / (a * b) * x1 + a / (b * whole) * x2;
  if (where < 0) return neg(2 * a + b) / (a * whole) * x0 + whole / (a * b) * x1 + neg(a) / (b * whole) * x2;
  return b / (a * whole) * x0 + neg(whole) / (a * b) * x1 + (a + 2 * b) / (b * whole) * x2;
}

Tensor along_points(const Tensor& x, int64_t dim, const Tensor& points, int64_t edge_order) {
  const int64_t n = x.sizes()[dim];
  const Tensor steps = diff(points, 1, -1, Tensor(), Tensor());
  Dims line(x.sizes().size(), 1);
  line[dim] = -1;
  const Tensor a = reshape(narrow(steps, 0, 0, n - 2), line), b = reshape(narrow(steps, 0, 1, n - 2), line);
  auto from = [&](int64_t start, int64_t length) { return narrow(x, dim, start, length); };
  auto step = [&](int64_t i) { return select(steps, 0, i); };
  const Tensor middle = slope(0, a, b, from(0, n - 2), from(1, n - 2), from(2, n - 2));
  Tensor left, right;
  if (edge_order == 1) {
    left = (from(1, 1) - from(0, 1)) / step(0);
    right = (from(n - 1, 1) - from(n - 2, 1)) / step(n - 2);
  } else {
    left = slope(-1, step(0), step(1), from(0, 1), from(1, 1), from(2, 1));
    right = slope(1, step(n - 3), step(n - 2), from(n - 3, 1), from(n - 2, 1), from(n - 1, 1));
  }
  const Tensor parts[] = {left, middle, right};
  return cat({parts, 3}, dim);
}

Dims wrapped_dims(const Tensor& self, OptIntSpan dims) {
  Dims out;
  if (!dims) {
    for (int64_t d = 0; d < self.dim(); ++d) out.push_back(d);
    return out;
  }
  Dims seen(std::size_t(self.dim()) + 1, 0);
  for (int64_t d : *dims) {
    out.push_back(wrap_dim(d, self.dim()));
    HWARO_CHECK(!seen[out.back()], "dim ", out.back(), " appears multiple times in the list of dims");
    seen[out.back()] = 1;
  }
  return out;
}

// Checks a call. count: of spacings, or -1 where one number serves all dimensions.
Dims checked_dims(const Tensor& self, int64_t count, OptIntSpan dims, int64_t edge_order) {
  HWARO_CHECK(self.dtype() != DType::UInt8, "torch.gradient does not support uint8 input.");
  if (count >= 0 && dims)
    HWARO_CHECK(count == int64_t(dims->size()),
                "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have "
                "the same length, but got a spacing argument of length ",
                count, " and a dim argument of length ", dims->size(), ".");
  else
    HWARO_CHECK(count < 0 || count == self.dim(),
                "torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() "
                "= ",
                self.dim(), "', since dim argument was not given, but got a list of length ", count);
  HWARO_CHECK(edge_order == 1 || edge_order == 2, "torch.gradient only supports edge_order=1 and edge_order=2.");
  const Dims out = wrapped_dims(self, dims);
  for (int64_t d : out)
    HWARO_CHECK(self.sizes()[d] > edge_order,
                "torch.gradient expected each dimension size to be at least edge_order+1");
  return out;
}

std::vector<Tensor> by_scalars(const Tensor& self, Span<Scalar> spacing, bool one, OptIntSpan dims,
                               int64_t edge_order) {
  std::vector<Tensor> out;
  std::size_t i = 0;
  for (int64_t d : checked_dims(self, one ? -1 : int64_t(spacing.size()), dims, edge_order))
    out.push_back(along_scalar(self, d, spacing[one ? 0 : i++], edge_order));
  return out;
}

std::vector<Tensor> by_points(const Tensor& self, TensorSpan spacing, OptIntSpan dims, int64_t edge_order) {
  for (const Tensor& t : spacing) {
    HWARO_CHECK(t.device() == self.device(),
                "torch.gradient expected each tensor to be on the same device, but got "
                "devices ",
                self.device().str(), " and ", t.device().str(), "!");
  }
  const Dims along = checked_dims(self, int64_t(spacing.size()), dims, edge_order);
  std::vector<Tensor> out;
  for (std::size_t i = 0; i < along.size(); ++i) {
    HWARO_CHECK(spacing[i].dim() == 1,
                "torch.gradient expected each element of spacing to have one dimension, but got an element with ",
                spacing[i].dim(), " dimensions!");
    HWARO_CHECK(spacing[i].numel() == self.sizes()[along[i]],
                "torch.gradient expected the points of a dimension of size ", self.sizes()[along[i]], ", but got ",
                spacing[i].numel());
    out.push_back(along_points(self, along[i], spacing[i], edge_order));
  }
  return out;
}

struct OneDim {
  int64_t dim;
  OptIntSpan span;
  explicit OneDim(std::optional<int64_t> d) : dim(d.value_or(0)) {
    if (d) span = IntSpan(&dim, 1);
  }
};

}  // namespace

struct GradientArray {
  static constexpr Schema schema = "gradient.array(Tensor self, *, int[] dim, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives along the given dimensions of a function known at points one apart.";
  static constexpr unsigned expose = kFunction;
  static constexpr bool python_only = true;  // a list right after the tensor is that of the spacings
  static std::vector<Tensor> call(const Tensor& self, IntSpan dim, int64_t edge_order) {
    const Scalar one = 1;
    return by_scalars(self, {&one, 1}, true, dim, edge_order);
  }
};
struct GradientScalarArray {
  static constexpr Schema schema =
      "gradient.scalararray(Tensor self, *, Scalar spacing, int[] dim, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives along the given dimensions of a function known at points spacing apart.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, const Scalar& spacing, IntSpan dim, int64_t edge_order) {
    return by_scalars(self, {&spacing, 1}, true, dim, edge_order);
  }
};
struct GradientScalarInt {
  static constexpr Schema schema =
      "gradient.scalarint(Tensor self, *, Scalar? spacing=None, int? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives along one or all dimensions of a function known at points spacing apart.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, const std::optional<Scalar>& spacing, std::optional<int64_t> dim,
                                  int64_t edge_order) {
    const Scalar step = spacing.value_or(Scalar(1));
    return by_scalars(self, {&step, 1}, true, OneDim(dim).span, edge_order);
  }
};
struct GradientScalarArrayInt {
  static constexpr Schema schema =
      "gradient.scalarrayint(Tensor self, *, Scalar[] spacing, int? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives of a function known at points whose distance is given per dimension.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, Span<Scalar> spacing, std::optional<int64_t> dim,
                                  int64_t edge_order) {
    return by_scalars(self, spacing, false, OneDim(dim).span, edge_order);
  }
};
struct GradientScalarArrayArray {
  static constexpr Schema schema =
      "gradient.scalarrayarray(Tensor self, *, Scalar[] spacing, int[] dim, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives along the given dimensions, each with the distance of its points.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, Span<Scalar> spacing, IntSpan dim, int64_t edge_order) {
    return by_scalars(self, spacing, false, dim, edge_order);
  }
};
struct GradientTensorArrayInt {
  static constexpr Schema schema =
      "gradient.tensorarrayint(Tensor self, *, Tensor[] spacing, int? dim=None, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives of a function known at the given coordinates of one or all dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, TensorSpan spacing, std::optional<int64_t> dim,
                                  int64_t edge_order) {
    return by_points(self, spacing, OneDim(dim).span, edge_order);
  }
};
struct GradientTensorArray {
  static constexpr Schema schema =
      "gradient.tensorarray(Tensor self, *, Tensor[] spacing, int[] dim, int edge_order=1) -> Tensor[]";
  static constexpr Doc doc = "Derivatives along the given dimensions of a function known at the given coordinates.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& self, TensorSpan spacing, IntSpan dim, int64_t edge_order) {
    return by_points(self, spacing, dim, edge_order);
  }
};

}  // namespace hwaro::engine

#include "families/gradient.inc"
