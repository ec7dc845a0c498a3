#include "hwaro/autograd.h"

#include "hwaro/autograd/engine.h"

namespace hwaro::autograd {

static std::vector<engine::Tensor> run(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                                       const std::vector<Tensor>& grad_outputs, const GradOptions& o, bool accumulate) {
  HWARO_CHECK(grad_outputs.empty() || grad_outputs.size() == outputs.size(), "got ", outputs.size(), " tensors and ",
              grad_outputs.size(), " gradients");
  const std::vector<engine::Tensor> roots(outputs.begin(), outputs.end()), leaves(inputs.begin(), inputs.end());
  std::vector<engine::Tensor> grads(grad_outputs.begin(), grad_outputs.end());
  grads.resize(roots.size());
  BackwardOptions options;
  options.retain_graph = o.retain_graph || o.create_graph;
  options.create_graph = o.create_graph;
  options.allow_unused = o.allow_unused;
  options.accumulate = accumulate;
  return run_backward(roots, grads, leaves, options);
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs, GradOptions options) {
  const std::vector<engine::Tensor> grads = run(outputs, inputs, grad_outputs, options, false);
  return {grads.begin(), grads.end()};
}
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs, GradOptions options) {
  run(outputs, {}, grad_outputs, options, true);
}

}  // namespace hwaro::autograd
