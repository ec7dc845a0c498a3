// Sorting along a dimension.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/selection.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/sort/order.h"

namespace hwaro::engine {

using std::int64_t;

static std::tuple<Tensor, Tensor> sorted(const char* name, const Tensor& self, int64_t dim, bool descending) {
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK(!is_complex(self.dtype()), " Sort does not support complex dtypes on CPU");
  const auto [values, indices] = sort_along(self, dim, descending);
  if (recording(self)) record_selection(name, self, values, indices, dim, true);
  return {values, indices};
}

struct Sort {
  static constexpr Schema schema =
      "sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc =
      "The elements along dim in order, and the indices they had; equal elements keep their order.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool descending) {
    return sorted("SortBackward0", self, dim, descending);
  }
};

struct SortStable {
  static constexpr Schema schema =
      "sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "As sort; every sort here is stable.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, std::optional<bool>, int64_t dim, bool descending) {
    return sorted("SortBackward1", self, dim, descending);
  }
};

struct Argsort {
  static constexpr Schema schema = "argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor";
  static constexpr Doc doc = "The indices that sort the elements along dim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, bool descending) {
    NoGradGuard guard;
    return std::get<1>(sorted("", self, dim, descending));
  }
};

struct ArgsortStable {
  static constexpr Schema schema =
      "argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor";
  static constexpr Doc doc = "As argsort; every sort here is stable.";
  static Tensor call(const Tensor& self, bool, int64_t dim, bool descending) {
    return Argsort::call(self, dim, descending);
  }
};

struct Msort {
  static constexpr Schema schema = "msort(Tensor self) -> Tensor";
  static constexpr Doc doc = "The elements along the first dimension in order.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self) { return std::get<0>(sorted("SortBackward0", self, 0, false)); }
};

}  // namespace hwaro::engine

#include "families/sort.inc"
