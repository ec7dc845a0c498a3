// hwaro::Tensor, as C++ programs use it: what the engine's tensor is, with every operator as a method.
//
// Copies are cheap and share everything (a counted pointer), so functions take `const Tensor&` and methods are const even
// where they write elements. Methods that end in `_` write in place and return the tensor.
#pragma once

#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "hwaro/core/tensor.h"
#include "hwaro/int_array.h"
#include "hwaro/loops/elementwise.h"

namespace hwaro {

class Generator;
namespace autograd {
struct GradOptions {
  bool retain_graph = false;
  bool create_graph = false;  // the gradients can be differentiated again
  bool allow_unused = false;  // undefined gradients for inputs that the outputs do not depend on, instead of an error
};
}  // namespace autograd
class HookHandle;
class Indexed;
struct UniqueOptions;
struct UniqueResult;
class TensorIndex;
namespace hooks_detail {
struct Function;
}

class Tensor : public engine::Tensor {
 public:
  Tensor() = default;
  Tensor(engine::Tensor t) : engine::Tensor(std::move(t)) {}  // NOLINT: the same tensor
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) = default;
  // Another tensor for a variable. Not for what a function returned (t.narrow(0, 0, 2) = x would write nothing); elements
  // are written by t[…] = x and copy_.
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & = default;

  // As in Python: sizes() by its other name.
  IntSpan shape() const { return sizes(); }

  // ---- elements ----

  // The value of a tensor with one element. Errors: RuntimeError for any other number of elements.
  Scalar item() const;
  template <class T>
  T item() const {
    return item().to<T>();
  }
  // First element, for reading and writing behind the engine's back for as long as the tensor lives. Errors:
  // RuntimeError where T is not the type of the elements.
  template <class T>
  T* data_ptr() const {
    return static_cast<T*>(data_of(dtype_of<T>));
  }
  void* data_ptr() const;

  // x[0], x[mask], x[{0, Slice(1, 3), None, Ellipsis}]: a view where PyTorch gives one (numbers, slices, None), a copy where
  // a tensor selects. x[…] = value and x[…] += value write to x. Errors: IndexError. (hwaro/indexing.h)
  Indexed operator[](const TensorIndex& index) const;
  Indexed operator[](std::initializer_list<TensorIndex> indices) const;
  // The same by name. Errors: IndexError.
  Tensor index(std::initializer_list<TensorIndex> indices) const;
  const Tensor& index_put_(std::initializer_list<TensorIndex> indices, const Tensor& value) const;
  const Tensor& index_put_(std::initializer_list<TensorIndex> indices, const Scalar& value) const;

  // ---- type and device ----

  Tensor to(DType dtype, bool copy = false) const;
  Tensor to(Device device, bool copy = false) const;
  Tensor to(Device device, DType dtype, bool copy = false) const;
  Tensor cpu() const { return to(Device()); }
  // Of another tensor's type and device.
  Tensor type_as(const Tensor& other) const { return to(other.device(), other.dtype()); }
  Tensor half() const { return to(kFloat16); }
  Tensor bfloat16() const { return to(kBFloat16); }
  bool is_complex() const { return hwaro::is_complex(dtype()); }
  bool is_floating_point() const { return is_floating(dtype()); }
  // As in Python: dim() and numel() by their other names.
  std::int64_t ndimension() const { return dim(); }
  std::int64_t nelement() const { return numel(); }

  // ---- operators whose first argument is not self, or with results of their own ----

  // This tensor where condition holds, the other one elsewhere.
  Tensor where(const Tensor& condition, const Tensor& other) const;
  // The distinct elements in ascending order; without those that repeat their neighbour. (hwaro/unique.h)
  Tensor unique() const;
  UniqueResult unique(UniqueOptions options) const;
  Tensor unique_consecutive() const;
  UniqueResult unique_consecutive(UniqueOptions options) const;

  // ---- autograd ----

  bool requires_grad() const;
  const Tensor& requires_grad_(bool on = true) const;
  bool is_leaf() const;
  // The gradient that backward() has summed up for a leaf; undefined if there is none.
  Tensor grad() const;
  const Tensor& set_grad(const Tensor& grad) const;
  // "MulBackward0", or an empty string for a leaf.
  std::string grad_fn_name() const;
  // Adds the gradient of this tensor to .grad() of every leaf it was computed from. `gradient` may only be left out of a
  // tensor with one element. Errors: RuntimeError.
  void backward(const Tensor& gradient = Tensor(), autograd::GradOptions options = {}) const;
  void backward(autograd::GradOptions options) const { backward(Tensor(), options); }
  // Keeps the gradient of a tensor that is not a leaf, too. Errors: RuntimeError unless it requires grad.
  const Tensor& retain_grad() const;
  // f(grad) runs each time the gradient of this tensor is ready; what it returns, if it returns a Tensor, takes its place.
  // Errors: RuntimeError unless the tensor requires grad. (hwaro/hooks.h)
  template <class F>
  HookHandle register_hook(F f) const;
  // f(leaf) runs after a gradient has been added to .grad(). Errors: RuntimeError unless this is a leaf that requires grad.
  template <class F>
  HookHandle register_post_accumulate_grad_hook(F f) const;

  // ---- in place with operators ----

  const Tensor& operator+=(const Operand& other) const;
  const Tensor& operator-=(const Operand& other) const;
  const Tensor& operator*=(const Operand& other) const;
  const Tensor& operator/=(const Operand& other) const;

#include "hwaro/tensor_methods.h"  // generated: every operator whose first argument is called self

 private:
  static Indexed indexed(const Tensor& t, Span<TensorIndex> indices);
  void* data_of(DType expected) const;
  HookHandle add_hook(std::unique_ptr<hooks_detail::Function> f) const;
  HookHandle add_post_accumulate_hook(std::unique_ptr<hooks_detail::Function> f) const;
};

}  // namespace hwaro

#include "hwaro/hooks.h"
#include "hwaro/indexing.h"
