// Functions with a gradient of their own.
//
//   struct Cube : hwaro::Function<Cube> {
//     static Tensor forward(Context& ctx, const Tensor& x) {
//       ctx.save_for_backward({x});
//       return x * x * x;
//     }
//     static std::vector<Tensor> backward(Context& ctx, const std::vector<Tensor>& grads) {
//       const Tensor x = ctx.saved()[0];
//       return {3 * x * x * grads[0]};
//     }
//   };
//   Tensor y = Cube::apply(x);
#pragma once

#include <memory>
#include <vector>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/tensor.h"

namespace hwaro {

// What forward leaves for backward. Other values (sizes, numbers) are members of a class derived from it, if need be.
class Context {
 public:
  virtual ~Context() = default;
  // Inputs or results of forward; checked against changes in place when backward reads them.
  void save_for_backward(std::vector<Tensor> tensors) { to_save_ = std::move(tensors); }
  std::vector<Tensor> saved() const;
  // Whether the gradient of an input will be used.
  bool needs_input_grad(std::size_t input) const;

 private:
  friend class FunctionNode;
  std::vector<Tensor> to_save_;
  void* node_ = nullptr;
};

namespace function_detail {
using BackwardFunction = std::vector<Tensor> (*)(Context&, const std::vector<Tensor>&);
// Makes the outputs results of a node that calls `backward`, where one of the inputs is tracked.
void record(const char* name, std::shared_ptr<Context> context, const std::vector<Tensor>& inputs,
            std::vector<Tensor>& outputs, BackwardFunction backward);
template <class T>
void collect(std::vector<Tensor>& out, const T& argument) {
  if constexpr (std::is_convertible_v<const T&, Tensor>) out.push_back(argument);
}
}  // namespace function_detail

// Derive with the class itself as argument. forward(Context&, arguments…) returns a Tensor or a std::vector<Tensor>;
// backward returns one gradient per Tensor among the arguments, undefined where there is none.
template <class Self, class ContextType = Context>
class Function {
 public:
  using Context = ContextType;
  template <class... Args>
  static auto apply(const Args&... arguments) {
    auto context = std::make_shared<ContextType>();
    std::vector<Tensor> inputs;
    (function_detail::collect(inputs, arguments), ...);
    auto result = [&] {
      const NoGradGuard no_grad;
      return Self::forward(*context, arguments...);
    }();
    const auto backward = [](hwaro::Context& c, const std::vector<Tensor>& grads) {
      return Self::backward(static_cast<ContextType&>(c), grads);
    };
    if constexpr (std::is_same_v<decltype(result), Tensor>) {
      std::vector<Tensor> outputs{result};
      function_detail::record(__PRETTY_FUNCTION__, std::move(context), inputs, outputs, backward);
      return outputs[0];
    } else {
      function_detail::record(__PRETTY_FUNCTION__, std::move(context), inputs, result, backward);
      return result;
    }
  }
};

// By PyTorch's name.
namespace autograd {
using hwaro::Context;
using hwaro::Function;
}  // namespace autograd

}  // namespace hwaro
