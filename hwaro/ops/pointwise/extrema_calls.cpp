// clamp with tensors as limits, and its in-place forms.
#include <limits>

#include "hwaro/core/promotion.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/extrema.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

namespace {

// A limit that is not there, as a number that limits nothing in the type of the call.
Scalar no_limit(DType type, bool above) {
  if (!is_integral(type)) return (above ? 1 : -1) * std::numeric_limits<double>::infinity();
  Scalar limit;
  visit_if<kIntSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    limit = above ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
  });
  return limit;
}

void limits(const Tensor& self, const Tensor& min, const Tensor& max, Operand* operands) {
  HWARO_CHECK(min.defined() || max.defined(), "torch.clamp: At least one of 'min' or 'max' must not be None");
  ResultType type;
  type.add(*self.impl());
  if (min.defined()) type.add(*min.impl());
  if (max.defined()) type.add(*max.impl());
  operands[0] = self;
  operands[1] = min.defined() ? Operand(min) : Operand(no_limit(type.get(), false));
  operands[2] = max.defined() ? Operand(max) : Operand(no_limit(type.get(), true));
}
Tensor clamp_to(const Tensor& self, const Tensor& min, const Tensor& max) {
  Operand operands[3];
  limits(self, min, max, operands);
  return pointwise(pointwise_info<ClampTensors>, operands, nullptr);
}
Tensor clamp_to_inplace(const Tensor& self, const Tensor& min, const Tensor& max) {
  Operand operands[3];
  limits(self, min, max, operands);
  pointwise_inplace(pointwise_info<ClampTensors>, operands, nullptr);
  return self;
}

}  // namespace

struct ClampTensor {
  static constexpr Schema schema = "clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor";
  static constexpr Doc doc = "Each element, but at least that of min and at most that of max.";
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) { return clamp_to(self, min, max); }
};
struct ClampTensorInplace {
  static constexpr Schema schema = "clamp_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of clamp.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) { return clamp_to_inplace(self, min, max); }
};
struct ClipTensor {
  static constexpr Schema schema = "clip.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor";
  static constexpr Doc doc = "Alias of clamp.";
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) { return clamp_to(self, min, max); }
};
struct ClipTensorInplace {
  static constexpr Schema schema = "clip_.Tensor(Tensor(a!) self, Tensor? min=None, Tensor? max=None) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of clip.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) { return clamp_to_inplace(self, min, max); }
};

}  // namespace hwaro::engine

#include "families/extrema_calls.inc"
