// hwaro::Tensor, as C++ programs use it: what the engine's tensor is, with every operator as a method.
//
// Copies are cheap and share everything (a counted pointer), so functions take `const Tensor&` and methods are const even
// where they write elements. Methods that end in `_` write in place and return the tensor.
#pragma once

#include <initializer_list>
#include <limits>
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
class TensorIndex;

class Tensor : public engine::Tensor {
 public:
  Tensor() = default;
  Tensor(engine::Tensor t) : engine::Tensor(std::move(t)) {}  // NOLINT: the same tensor

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

  // x[i] and x.index({0, Slice(1, 3), None, mask}): a view where PyTorch gives one. Errors: IndexError.
  Tensor operator[](std::int64_t i) const;
  Tensor index(std::initializer_list<TensorIndex> indices) const;
  const Tensor& index_put_(std::initializer_list<TensorIndex> indices, const Tensor& value) const;
  const Tensor& index_put_(std::initializer_list<TensorIndex> indices, const Scalar& value) const;

  // ---- type and device ----

  Tensor to(DType dtype, bool copy = false) const;
  Tensor to(Device device, bool copy = false) const;
  Tensor to(Device device, DType dtype, bool copy = false) const;
  Tensor cpu() const { return to(Device()); }

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
  void backward(const Tensor& gradient = Tensor(), bool retain_graph = false, bool create_graph = false) const;
  const Tensor& retain_grad() const;

  // ---- in place with operators ----

  const Tensor& operator+=(const Operand& other) const;
  const Tensor& operator-=(const Operand& other) const;
  const Tensor& operator*=(const Operand& other) const;
  const Tensor& operator/=(const Operand& other) const;

#include "hwaro/tensor_methods.h"  // generated: every operator whose first argument is called self

 private:
  void* data_of(DType expected) const;
};

// What may stand in index(): a number, a slice, None (a new dimension), Ellipsis, or a tensor of indices or truth values.
struct Slice {
  std::optional<std::int64_t> start, stop, step;
  Slice(std::optional<std::int64_t> start = std::nullopt, std::optional<std::int64_t> stop = std::nullopt,
        std::optional<std::int64_t> step = std::nullopt)
      : start(start), stop(stop), step(step) {}
};
enum class EllipsisType { Ellipsis };
inline constexpr EllipsisType Ellipsis = EllipsisType::Ellipsis;
inline constexpr std::nullopt_t None = std::nullopt;

class TensorIndex {
 public:
  enum class Kind { None, Ellipsis, Int, Bool, Slice, Tensor };
  TensorIndex(std::nullopt_t) : kind(Kind::None) {}                    // NOLINT
  TensorIndex(EllipsisType) : kind(Kind::Ellipsis) {}                  // NOLINT
  TensorIndex(std::int64_t i) : kind(Kind::Int), number(i) {}          // NOLINT
  TensorIndex(int i) : kind(Kind::Int), number(i) {}                   // NOLINT
  TensorIndex(bool b) : kind(Kind::Bool), number(b) {}                 // NOLINT
  TensorIndex(Slice s) : kind(Kind::Slice), slice(s) {}                // NOLINT
  TensorIndex(Tensor t) : kind(Kind::Tensor), tensor(std::move(t)) {}  // NOLINT

  Kind kind;
  std::int64_t number = 0;
  Slice slice;
  Tensor tensor;
};

}  // namespace hwaro
