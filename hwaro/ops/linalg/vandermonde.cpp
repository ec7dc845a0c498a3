// Small neighbours of the decompositions: matrices of powers, diagonals under linalg's name.
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/scan.h"

namespace hwaro::engine {

using std::int64_t;

struct LinalgVander {
  static constexpr Schema schema = "linalg_vander(Tensor x, *, int? N=None) -> Tensor";
  static constexpr Doc doc = "The powers 0 to N - 1 of each element, along a new last dimension.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& x, std::optional<int64_t> count) {
    HWARO_CHECK(x.dtype() != DType::Bool, "Does not support x with bool dtype");
    if (x.dim() == 0) return call(unsqueeze(x, -1), count);
    const int64_t n = count ? *count : x.size(-1);
    HWARO_CHECK(n > 1, "N must be greater than 1.");
    const Dims shape = with_sizes(Dims(x.sizes()), {n - 1});
    const Tensor ones =
        make_full(with_sizes(Dims(x.sizes()), {1}), 1, is_integral(x.dtype()) ? kInt64 : x.dtype(), x.device());
    return cat({ones, cumprod(expand(unsqueeze(x, -1), shape), -1, std::nullopt)}, -1);
  }
};

struct LinalgDiagonal {
  static constexpr Schema schema =
      "linalg_diagonal(Tensor(a) A, *, int offset=0, int dim1=-2, int dim2=-1) -> Tensor(a)";
  static constexpr Doc doc = "A view of the diagonals of matrices: diagonal over the last two dimensions.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& a, int64_t offset, int64_t dim1, int64_t dim2) {
    return diagonal(a, offset, dim1, dim2);
  }
};

}  // namespace hwaro::engine

#include "families/vandermonde.inc"
