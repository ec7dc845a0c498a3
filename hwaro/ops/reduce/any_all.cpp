// Questions to all elements: whether any, or all, are true, and how many are not zero.
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

// uint8 is the one type other than bool that any() and all() answer in.
static Tensor truth(ReduceOp op, const Tensor& self, DimMask mask, bool keepdim) {
  const Tensor out = reduce(op, dense_as(self, DType::Bool), mask, keepdim);
  return self.dtype() == DType::UInt8 ? dense_as(out, DType::UInt8) : out;
}
static DimMask one_dim(const Tensor& self, int64_t dim) {
  dim = wrap_dim(dim, self.dim());
  return self.dim() ? DimMask(1) << dim : 0;
}

struct Any {
  static constexpr Schema schema = "any(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether any element is true.";
  static constexpr auto out_rule = out_same("any only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self) { return truth(ReduceOp::Max, self, all_dims(self.dim()), false); }
};

struct AnyDim {
  static constexpr Schema schema = "any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "Whether any element along dim is true.";
  static constexpr auto out_rule = out_same("any only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self, int64_t dim, bool keepdim) {
    return truth(ReduceOp::Max, self, one_dim(self, dim), keepdim);
  }
};

struct AnyDims {
  static constexpr Schema schema = "any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "Whether any element over the given dimensions is true.";
  static constexpr auto out_rule = out_same("any only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim) {
    return truth(ReduceOp::Max, self, dim_mask(dim, self.dim(), false), keepdim);
  }
};

struct All {
  static constexpr Schema schema = "all(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether all elements are true.";
  static constexpr auto out_rule = out_same("all only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self) { return truth(ReduceOp::Min, self, all_dims(self.dim()), false); }
};

struct AllDim {
  static constexpr Schema schema = "all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "Whether all elements along dim are true.";
  static constexpr auto out_rule = out_same("all only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self, int64_t dim, bool keepdim) {
    return truth(ReduceOp::Min, self, one_dim(self, dim), keepdim);
  }
};

struct AllDims {
  static constexpr Schema schema = "all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "Whether all elements over the given dimensions are true.";
  static constexpr auto out_rule = out_same("all only supports bool tensor for result, got: %O");
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim) {
    return truth(ReduceOp::Min, self, dim_mask(dim, self.dim(), false), keepdim);
  }
};

struct CountNonzero {
  static constexpr Schema schema = "count_nonzero(Tensor self, int? dim=None) -> Tensor";
  static constexpr Doc doc = "How many elements are not zero, along dim or in all.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, std::optional<int64_t> dim) {
    return reduce(ReduceOp::Sum, dense_as(self, DType::Bool), dim ? one_dim(self, *dim) : all_dims(self.dim()), false);
  }
};

struct CountNonzeroDims {
  static constexpr Schema schema = "count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor";
  static constexpr Doc doc = "How many elements over the given dimensions are not zero.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan dim) {
    return reduce(ReduceOp::Sum, dense_as(self, DType::Bool), dim_mask(dim, self.dim()), false);
  }
};

}  // namespace hwaro::engine

#include "families/any_all.inc"
