// Functions that make tensors.
//
// What may be left out is a struct with named members, so that a call reads hwaro::zeros({2, 3}, {.dtype = kFloat64,
// .requires_grad = true}); a type alone may be given as it is. Designated initialisers rather than a builder
// (TensorOptions().dtype(…)): the names are checked when compiling, they cost nothing, and there is nothing to learn.
#pragma once

#include "hwaro/tensor.h"

namespace hwaro {

struct Options {
  std::optional<DType> dtype = std::nullopt;  // left out: the default type, or that of the values
  Device device = {};
  bool requires_grad = false;
  Generator* generator = nullptr;  // of random numbers; null: the default one
};

Tensor zeros(IntSpan size, Options options = {});
Tensor ones(IntSpan size, Options options = {});
Tensor empty(IntSpan size, Options options = {});
Tensor full(IntSpan size, const Scalar& value, Options options = {});
// One number, 0-d.
Tensor scalar_tensor(const Scalar& value, Options options = {});
// Uniform in [0, 1), standard normal, and integers in [low, high): PyTorch's numbers for the same seed.
Tensor rand(IntSpan size, Options options = {});
Tensor randn(IntSpan size, Options options = {});
Tensor randint(std::int64_t low, std::int64_t high, IntSpan size, Options options = {});
Tensor randint(std::int64_t high, IntSpan size, Options options = {});
Tensor randperm(std::int64_t n, Options options = {});
Tensor arange(const Scalar& end, Options options = {});
Tensor arange(const Scalar& start, const Scalar& end, Options options = {});
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, Options options = {});
Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps, Options options = {});
// base ** start to base ** end, evenly spaced exponents.
Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base = 10, Options options = {});
Tensor eye(std::int64_t n, Options options = {});
Tensor eye(std::int64_t n, std::int64_t m, Options options = {});
// Of another tensor's shape, and of its type and device unless given.
struct LikeOptions {
  std::optional<DType> dtype = std::nullopt;
  std::optional<Device> device = std::nullopt;
  bool requires_grad = false;
};
Tensor zeros_like(const Tensor& t, LikeOptions options = {});
Tensor ones_like(const Tensor& t, LikeOptions options = {});
Tensor empty_like(const Tensor& t, LikeOptions options = {});
Tensor full_like(const Tensor& t, const Scalar& value, LikeOptions options = {});
Tensor rand_like(const Tensor& t, LikeOptions options = {});
Tensor randn_like(const Tensor& t, LikeOptions options = {});

inline Tensor zeros(IntSpan size, DType dtype) { return zeros(size, Options{.dtype = dtype}); }
inline Tensor ones(IntSpan size, DType dtype) { return ones(size, Options{.dtype = dtype}); }
inline Tensor empty(IntSpan size, DType dtype) { return empty(size, Options{.dtype = dtype}); }
inline Tensor full(IntSpan size, const Scalar& value, DType dtype) {
  return full(size, value, Options{.dtype = dtype});
}
inline Tensor rand(IntSpan size, DType dtype) { return rand(size, Options{.dtype = dtype}); }
inline Tensor randn(IntSpan size, DType dtype) { return randn(size, Options{.dtype = dtype}); }
inline Tensor arange(const Scalar& end, DType dtype) { return arange(end, Options{.dtype = dtype}); }
inline Tensor arange(const Scalar& start, const Scalar& end, DType dtype) {
  return arange(start, end, Options{.dtype = dtype});
}

// Values written out: hwaro::tensor(3.0), hwaro::tensor({1, 2, 3}), hwaro::tensor({{1.5, 2}, {3, 4}}). The type is
// PyTorch's: bool, int64 or the default floating type, whichever holds them all. Errors: ValueError for ragged lists.
class Values {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  Values(T v) : number(v) {}                // NOLINT
  Values(Complex<double> v) : number(v) {}  // NOLINT
  // std::complex, without its header.
  template <class T>
    requires requires(const T& v) { double(v.real()), double(v.imag()); }
  Values(const T& v) : number(Complex<double>(double(v.real()), double(v.imag()))) {}  // NOLINT
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // meant for the arguments of one call, where the lists live on
#endif
  Values(std::initializer_list<Values> items) : list(items.begin()), count(items.size()), is_list(true) {}  // NOLINT
#pragma GCC diagnostic pop

  Scalar number;
  const Values* list = nullptr;
  std::size_t count = 0;
  bool is_list = false;
};
Tensor tensor(const Values& values, Options options = {});
Tensor tensor(std::initializer_list<Values> values, Options options = {});
inline Tensor tensor(const Values& values, DType dtype) { return tensor(values, Options{.dtype = dtype}); }
inline Tensor tensor(std::initializer_list<Values> values, DType dtype) {
  return tensor(values, Options{.dtype = dtype});
}
namespace detail {
Tensor copy_values(const void* data, std::size_t count, DType type, const Options& options);
}
template <class T>
Tensor tensor(const std::vector<T>& values, Options options = {}) {
  static_assert(!std::is_same_v<T, bool>, "std::vector<bool> has no elements to copy; use std::vector<std::uint8_t>");
  return detail::copy_values(values.data(), values.size(), dtype_of<T>, options);
}

// A tensor over memory that belongs to the caller, who keeps it alive.
Tensor from_blob(void* data, IntSpan size, Options options = {});

// Seeds the default generator, as torch.manual_seed does.
void manual_seed(std::uint64_t seed);
// The seed that the default generator was given last.
std::uint64_t initial_seed();
// The default generator's state as 5,056 bytes, PyTorch's own; set_rng_state goes on from there. Errors: TypeError for
// another type, RuntimeError for another length.
Tensor get_rng_state();
void set_rng_state(const Tensor& state);

}  // namespace hwaro
