// The end of the graph at a leaf: adds what arrives to the leaf's .grad.
#pragma once

#include "hwaro/autograd/node.h"

namespace hwaro {

class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(engine::Tensor leaf);
  void apply(engine::Tensor* grads, engine::Tensor* out) override;
  std::string name() const override { return "AccumulateGrad"; }
  bool is_accumulate() const override { return true; }

  const engine::Tensor variable;

 protected:
  void dispose() noexcept override;
};

}  // namespace hwaro
