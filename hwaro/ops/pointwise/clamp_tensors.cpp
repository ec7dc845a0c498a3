// clamp with tensors as limits, and its in-place forms.
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/extrema.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

namespace {

const PointwiseInfo& limits(const Tensor& self, const Tensor& min, const Tensor& max, Operand* operands) {
  HWARO_CHECK(min.defined() || max.defined(), "torch.clamp: At least one of 'min' or 'max' must not be None");
  operands[0] = self;
  operands[1] = min.defined() ? Operand(min) : Operand(false);
  operands[2] = max.defined() ? Operand(max) : Operand(false);
  if (!max.defined()) return pointwise_info<ClampTensorsBelow>;
  return min.defined() ? pointwise_info<ClampTensors> : pointwise_info<ClampTensorsAbove>;
}
Tensor clamp_to(const Tensor& self, const Tensor& min, const Tensor& max) {
  Operand operands[3];
  const PointwiseInfo& info = limits(self, min, max, operands);
  return pointwise(info, operands, nullptr);
}
Tensor clamp_to_inplace(const Tensor& self, const Tensor& min, const Tensor& max) {
  Operand operands[3];
  const PointwiseInfo& info = limits(self, min, max, operands);
  pointwise_inplace(info, operands, nullptr);
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
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) {
    return clamp_to_inplace(self, min, max);
  }
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
  static Tensor call(const Tensor& self, const Tensor& min, const Tensor& max) {
    return clamp_to_inplace(self, min, max);
  }
};

}  // namespace hwaro::engine

#include "families/clamp_tensors.inc"
