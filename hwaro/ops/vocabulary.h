// The operators that formulas and the engine's own code are written with, on engine::Tensor. These are declarations of
// operators that are defined like every other one (the generated files of their families contain the definitions); they
// stand here, and not in a generated header, so that a new operator does not recompile the engine. A line that does not
// fit its operator's schema fails to link.
#pragma once

#include <optional>
#include <tuple>
#include <vector>

#include "hwaro/core/tensor.h"
#include "hwaro/loops/elementwise.h"

namespace hwaro {
class Generator;
}

namespace hwaro::engine {

using TensorSpan = Span<Tensor>;
using OptIntSpan = std::optional<IntSpan>;
using OptDType = std::optional<DType>;

// arithmetic
Tensor add(const Operand& self, const Operand& other, const Scalar& alpha = 1);
Tensor sub(const Operand& self, const Operand& other, const Scalar& alpha = 1);
Tensor mul(const Operand& self, const Operand& other);
Tensor div(const Operand& self, const Operand& other);
Tensor neg(const Operand& self);
Tensor pow(const Operand& self, const Operand& exponent);
Tensor reciprocal(const Operand& self);
Tensor conj(const Tensor& self);  // lazy view for complex, the tensor itself otherwise
Tensor maximum(const Operand& self, const Operand& other);
Tensor minimum(const Operand& self, const Operand& other);
Tensor where(const Operand& condition, const Operand& self, const Operand& other);
inline Tensor fmax_like(const Operand& a, const Operand& b) { return maximum(a, b); }
// comparison and logic
Tensor eq(const Operand& self, const Operand& other);
Tensor ne(const Operand& self, const Operand& other);
Tensor lt(const Operand& self, const Operand& other);
Tensor le(const Operand& self, const Operand& other);
Tensor gt(const Operand& self, const Operand& other);
Tensor ge(const Operand& self, const Operand& other);
Tensor logical_and(const Operand& self, const Operand& other);
Tensor logical_or(const Operand& self, const Operand& other);
Tensor logical_not(const Operand& self);
Tensor isnan(const Operand& self);
// functions
Tensor abs(const Operand& self);
Tensor sgn(const Operand& self);
Tensor sign(const Operand& self);
Tensor exp(const Operand& self);
Tensor exp2(const Operand& self);
Tensor expm1(const Operand& self);
Tensor log(const Operand& self);
Tensor log1p(const Operand& self);
Tensor sqrt(const Operand& self);
Tensor rsqrt(const Operand& self);
Tensor square(const Operand& self);
Tensor sin(const Operand& self);
Tensor cos(const Operand& self);
Tensor tan(const Operand& self);
Tensor sinh(const Operand& self);
Tensor cosh(const Operand& self);
Tensor tanh(const Operand& self);
Tensor atan(const Operand& self);
Tensor sigmoid(const Operand& self);
Tensor erf(const Operand& self);
Tensor erfc(const Operand& self);
Tensor digamma(const Operand& self);
Tensor floor(const Operand& self);
Tensor trunc(const Operand& self);
Tensor round(const Operand& self);

inline Tensor operator-(const Tensor& a) { return neg(a); }
#define HWARO_BINARY(symbol, name)                                                       \
  inline Tensor operator symbol(const Tensor& a, const Tensor& b) { return name(a, b); } \
  inline Tensor operator symbol(const Tensor& a, const Scalar& b) { return name(a, b); } \
  inline Tensor operator symbol(const Scalar& a, const Tensor& b) { return name(a, b); }
HWARO_BINARY(+, add)
HWARO_BINARY(-, sub)
HWARO_BINARY(*, mul)
HWARO_BINARY(/, div)
HWARO_BINARY(==, eq)
HWARO_BINARY(!=, ne)
HWARO_BINARY(<, lt)
HWARO_BINARY(<=, le)
HWARO_BINARY(>, gt)
HWARO_BINARY(>=, ge)
#undef HWARO_BINARY
inline Tensor operator&(const Tensor& a, const Tensor& b) { return logical_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return logical_or(a, b); }
inline Tensor operator!(const Tensor& a) { return logical_not(a); }

// shape
Tensor view(const Tensor& self, IntSpan size);
Tensor reshape(const Tensor& self, IntSpan shape);
Tensor expand(const Tensor& self, IntSpan size, bool implicit = false);
Tensor permute(const Tensor& self, IntSpan dims);
Tensor transpose(const Tensor& self, std::int64_t dim0, std::int64_t dim1);
Tensor t(const Tensor& self);
Tensor squeeze(const Tensor& self, std::int64_t dim);
Tensor unsqueeze(const Tensor& self, std::int64_t dim);
Tensor select(const Tensor& self, std::int64_t dim, std::int64_t index);
Tensor slice(const Tensor& self, std::int64_t dim, std::optional<std::int64_t> start, std::optional<std::int64_t> end,
             std::int64_t step = 1);
Tensor narrow(const Tensor& self, std::int64_t dim, std::int64_t start, std::int64_t length);
Tensor as_strided(const Tensor& self, IntSpan size, IntSpan stride,
                  std::optional<std::int64_t> storage_offset = std::nullopt);
Tensor detach(const Tensor& self);
Tensor contiguous(const Tensor& self, MemoryFormat memory_format = MemoryFormat::Contiguous);
Tensor clone(const Tensor& self, std::optional<MemoryFormat> memory_format = std::nullopt);
Tensor cat(TensorSpan tensors, std::int64_t dim = 0);
Tensor stack(TensorSpan tensors, std::int64_t dim = 0);
Tensor to_dtype(const Tensor& self, DType dtype, bool copy = false);  // recorded as ToCopyBackward0
Tensor real(const Tensor& self);
// reductions
Tensor sum(const Tensor& self, OptIntSpan dim, bool keepdim = false, OptDType dtype = std::nullopt);
Tensor sum_all(const Tensor& self);
Tensor mean(const Tensor& self, OptIntSpan dim, bool keepdim = false, OptDType dtype = std::nullopt);
Tensor sum_to_size(const Tensor& self, IntSpan size);
// products
Tensor mm(const Tensor& self, const Tensor& mat2);
Tensor bmm(const Tensor& self, const Tensor& mat2);
Tensor mv(const Tensor& self, const Tensor& vec);
Tensor matmul(const Tensor& self, const Tensor& other);

// ---- making tensors (not operators; never recorded) ----

// Fresh memory with undefined contents.
Tensor make_tensor(IntSpan sizes, DType dtype, Device device = {});
Tensor make_strided(IntSpan sizes, IntSpan strides, DType dtype, Device device = {});
// Like t (its order of dimensions kept), of another type if given.
Tensor make_like(const Tensor& t, OptDType dtype = std::nullopt);
Tensor make_zeros(IntSpan sizes, DType dtype, Device device = {});
Tensor make_full(IntSpan sizes, const Scalar& value, DType dtype, Device device = {});
// A 0-dim tensor that counts as a Python number in promotion; undefined for an absent scalar.
Tensor wrap_number(const Scalar& value);
// t itself, or a copy of it in row-major order without the conj flag. Not recorded: for kernels.
Tensor dense(const Tensor& t);
// dense() converted to a type. Not recorded.
Tensor dense_as(const Tensor& t, DType dtype);
// A view of the same storage with other geometry; not recorded, not known as a view.
Tensor alias(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset);
// dst <- src with broadcasting and conversion; not recorded, no version bump.
void copy_raw(const Tensor& dst, const Tensor& src);

}  // namespace hwaro::engine
