// Functions on gradients of tensors. Included by hwaro/tensor.h.
//
//   hwaro::HookHandle handle = x.register_hook([](const Tensor& grad) { return 2 * grad; });
//   …
//   handle.remove();
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "hwaro/tensor.h"

namespace hwaro {

// Removes a hook. Letting the handle go leaves the hook where it is.
class HookHandle {
 public:
  HookHandle() = default;
  // Does nothing where the hook has been removed before.
  void remove();

 private:
  friend class Tensor;
  struct Place;
  explicit HookHandle(std::shared_ptr<Place> place) : place_(std::move(place)) {}
  std::shared_ptr<Place> place_;
};

namespace hooks_detail {
struct Function {
  virtual ~Function() = default;
  virtual Tensor call(const Tensor& grad) = 0;  // undefined: the gradient stays
};
template <class F>
struct FunctionOf final : Function {
  explicit FunctionOf(F f) : f(std::move(f)) {}
  Tensor call(const Tensor& grad) override {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, const Tensor&>>) {
      f(grad);
      return Tensor();
    } else {
      return f(grad);
    }
  }
  F f;
};
}  // namespace hooks_detail

template <class F>
HookHandle Tensor::register_hook(F f) const {
  return add_hook(std::make_unique<hooks_detail::FunctionOf<F>>(std::move(f)));
}
template <class F>
HookHandle Tensor::register_post_accumulate_grad_hook(F f) const {
  return add_post_accumulate_hook(std::make_unique<hooks_detail::FunctionOf<F>>(std::move(f)));
}

}  // namespace hwaro
