// What the pointwise machinery knows of one operator at run time. Made from the operator's struct by pointwise.h.
#pragma once

#include "hwaro/core/schema.h"
#include "hwaro/loops/elementwise.h"
#include "hwaro/ops/kinds/rules.h"

namespace hwaro::engine {

inline constexpr int kMaxOperands = 3;
inline constexpr int kMaxScalars = 4;

// The inner loops of one operator on one backend, by the type they compute in (null where there is none).
struct PointwiseKernels {
  InnerLoop forward[kDTypes];
  InnerLoop backward[kMaxOperands][kDTypes];
};

// The gradient of one operand from public operators, for create_graph: g * conj(derivative).
using Formula = Tensor (*)(const Tensor& g, const Tensor* operands, const Tensor& result, const Scalar* scalars);

struct PointwiseInfo {
  const Schema* schema;
  DTypeRule rule;
  std::uint8_t operands, scalars;
  std::uint8_t numbers_for;   // operands that may be plain numbers (OperandBits)
  bool promotes_scalars;      // scalars take part in promotion (clamp)
  std::uint8_t not_promoted;  // operands that do not take part in promotion (the condition of where)
  bool drops_numbers;  // a number leaves no trace in the graph (PyTorch's overloads for Scalar), not even an empty edge
  std::uint8_t uses[kMaxOperands];  // what the gradient of operand i reads, or kPassThrough, kNoGradient, kRaises
  const PointwiseKernels* const* kernels[kDeviceTypes];  // set at load by each backend; indexed by `index`
  std::uint16_t index;
  Formula formula[kMaxOperands];
  // Another operator that computes this call (add with alpha != 1, clamp without max, an alias), or null: this one.
  const PointwiseInfo* (*select)(const Operand* operands, const Scalar* scalars);
  // Raises for arguments that the types alone do not rule out (bool subtraction, division by zero).
  void (*check)(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
  int (*grad_number)(const Operand* operands, const Scalar* scalars);  // PowBackward1: the 1; null: 0
  const char* grad_name;    // without "Backward0"; null: from the schema's name
  const char* kernel_name;  // as errors name it: "exp_vml_cpu"; null: name + "_cpu"
  OutRule out_rule;

  bool differentiable() const { return uses[0] != kNoGradient || uses[1] != kNoGradient || uses[2] != kNoGradient; }
  const PointwiseKernels* kernels_on(DeviceType device) const {
    return kernels[int(device)] && *kernels[int(device)] ? *kernels[int(device)] + index : nullptr;
  }
};

// The three ways to call a pointwise operator.
Tensor pointwise(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars);
void pointwise_inplace(const PointwiseInfo& info, const Operand* operands,
                       const Scalar* scalars);  // writes operands[0]
void pointwise_out(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, const Tensor& out);

}  // namespace hwaro::engine
