// Elements chosen by a mask: masked_fill, masked_select, masked_scatter.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/masks.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value);
Tensor masked_select(const Tensor& self, const Tensor& mask);

Scalar number_of(const Tensor& t) {
  if (is_complex(t.dtype())) return *dense_as(t, DType::ComplexDouble)->read_as<Complex<double>>();
  if (is_integral(t.dtype(), true)) return *dense_as(t, DType::Int64)->read_as<int64_t>();
  return *dense_as(t, DType::Double)->read_as<double>();
}

namespace {

Dims together(const Tensor& self, const Tensor& mask) {
  Dims shape(mask.sizes());
  broadcast_into(shape, self.sizes());
  return shape;
}

void check_inplace_shape(const Tensor& self, const Dims& shape) {
  HWARO_CHECK(self.sizes() == IntSpan(shape), "output with shape ", sizes_str(self.sizes()),
              " doesn't match the broadcast shape ", sizes_str(shape));
}

// A view of t in a larger shape, not recorded.
Tensor spread(const Tensor& t, IntSpan shape) {
  if (t.sizes() == shape) return t;
  NoGradGuard guard;
  return expand(t, shape);
}

// value: one element of target's type.
void fill_places(const Tensor& target, const Tensor& mask, const Tensor& value) {
  const Tensor work = dense(target);
  fill_masked(work, dense(spread(mask, target.sizes())), value);
  if (work.impl() != target.impl()) copy_raw(target, work);
}

void check_fill_mask(const Tensor& mask) {
  HWARO_CHECK(mask.dtype() == DType::Bool, "masked_fill_ only supports boolean masks, but got mask with dtype ",
              c_type_name(mask.dtype()));
}

// The shape of the result. Which mistake is told first depends on the form, as in PyTorch.
Dims fill_shape(bool inplace, const Tensor& self, const Tensor& mask) {
  if (inplace) check_fill_mask(mask);
  const Dims shape = together(self, mask);
  if (inplace) check_inplace_shape(self, shape);
  else check_fill_mask(mask);
  return shape;
}

Tensor fill(bool inplace, const Tensor& self, const Tensor& mask, const Scalar& value) {
  const Dims shape = fill_shape(inplace, self, mask);
  check_fits(value, self.dtype());
  return write_into(
      inplace, "MaskedFillBackward0", self, {self}, {save(mask)},
      [&](const Tensor& target) { fill_places(target, mask, make_full({}, value, self.dtype())); },
      [sizes = Dims(self.sizes())](Backward& b) { b.set(0, sum_to_size(masked_fill(b.g(), b.saved(0), 0), sizes)); },
      MemoryFormat::Contiguous, false, IntSpan(shape));
}

Tensor fill(bool inplace, const Tensor& self, const Tensor& mask, const Tensor& value) {
  Dims shape;
  if (!inplace) shape = fill_shape(false, self, mask);
  HWARO_CHECK(value.dim() == 0, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
              value.dim(), " dimension(s).");
  if (inplace) shape = fill_shape(true, self, mask);
  if (!value.device().is_meta()) check_fits(number_of(value), self.dtype(), 1);
  return write_into(
      inplace, "MaskedFillBackward1", self, {self, value}, {save(mask)},
      [&](const Tensor& target) { fill_places(target, mask, dense_as(value, self.dtype())); },
      [type = value.dtype(), sizes = Dims(self.sizes())](Backward& b) {
        const Tensor m = b.saved(0);
        if (b.needs(0)) b.set(0, sum_to_size(masked_fill(b.g(), m, 0), sizes));
        if (b.needs(1)) b.set(1, to_dtype(sum_all(where(m, b.g(), 0)), type));
      },
      MemoryFormat::Contiguous, false, IntSpan(shape));
}

Tensor scatter(bool inplace, const Tensor& self, const Tensor& mask, const Tensor& source) {
  HWARO_CHECK(self.dtype() == source.dtype(), "masked_scatter: expected self and source to have same dtypes but got",
              scalar_type_name(self.dtype()), " and ", scalar_type_name(source.dtype()));
  HWARO_CHECK(mask.dtype() == DType::Bool, "masked_scatter_ only supports boolean masks, but got mask with dtype ",
              scalar_type_name(mask.dtype()));
  HWARO_CHECK(!inplace || mask.dim() <= self.dim(), "expand(CPUBoolType{", sizes_str(mask.sizes()),
              "}, size=", sizes_str(self.sizes()), "): the number of sizes provided (", self.dim(),
              ") must be greater or equal to the number of dimensions in the tensor (", mask.dim(), ")");
  const Dims shape = inplace ? Dims(self.sizes()) : together(self, mask);
  if (inplace) check_internal_overlap(self);
  return write_into(
      inplace, "MaskedScatterBackward0", self, {self, source}, {save(mask)},
      [&](const Tensor& target) {
        const Tensor m = dense(spread(mask, shape)), values = dense(apart_from(source, self)), work = dense(target);
        HWARO_CHECK(values.numel() >= count_set(m), "Number of elements of source < number of ones in mask");
        uncompress(work, m, values);
        if (work.impl() != target.impl()) copy_raw(target, work);
      },
      [sizes = Dims(source.sizes()), own = Dims(self.sizes())](Backward& b) {
        const Tensor m = b.saved(0);
        if (b.needs(0)) b.set(0, sum_to_size(masked_fill(b.g(), m, 0), own));
        if (b.needs(1)) {
          Tensor taken = masked_select(b.g(), m);
          const int64_t rest = product(sizes) - taken.numel();
          if (rest > 0) {
            const Tensor parts[] = {taken, make_zeros({rest}, taken.dtype(), taken.device())};
            taken = cat({parts, 2}, 0);
          }
          b.set(1, reshape(taken, sizes));
        }
      },
      MemoryFormat::Contiguous, false, IntSpan(shape));
}

}  // namespace

struct MaskedFillTensor {
  static constexpr Schema schema = "masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor";
  static constexpr Doc doc = "A copy of self with the value of a 0-dimensional tensor where mask, broadcast, is set.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Tensor& value) {
    return fill(false, self, mask, value);
  }
};
struct MaskedFillScalar {
  static constexpr Schema schema = "masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor";
  static constexpr Doc doc = "A copy of self with a number where mask, broadcast, is set.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Scalar& value) {
    return fill(false, self, mask, value);
  }
};
struct MaskedFillTensorInplace {
  static constexpr Schema schema = "masked_fill_.Tensor(Tensor(a!) self, Tensor mask, Tensor value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes the value of a 0-dimensional tensor where mask, broadcast, is set.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Tensor& value) {
    return fill(true, self, mask, value);
  }
};
struct MaskedFillScalarInplace {
  static constexpr Schema schema = "masked_fill_.Scalar(Tensor(a!) self, Tensor mask, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes a number where mask, broadcast, is set.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Scalar& value) {
    return fill(true, self, mask, value);
  }
};

struct MaskedSelect {
  static constexpr Schema schema = "masked_select(Tensor self, Tensor mask) -> Tensor";
  static constexpr Doc doc = "The elements of self where mask is set, both broadcast to each other, as a vector.";
  static Tensor call(const Tensor& self, const Tensor& mask) {
    HWARO_CHECK(mask.dtype() == DType::Bool, "masked_select: expected BoolTensor for mask");
    check_countable("masked_select", self);
    check_countable("masked_select", mask);
    const Dims shape = together(self, mask);
    const Tensor out = compress(dense(spread(self, shape)), dense(spread(mask, shape)));
    if (recording(self))
      record("MaskedSelectBackward0", {self}, out, {save(mask)}, [shape, sizes = Dims(self.sizes())](Backward& b) {
        const Tensor g = scatter(false, make_zeros(shape, b.g().dtype(), b.g().device()), b.saved(0), b.g());
        b.set(0, sum_to_size(g, sizes));
      });
    return out;
  }
};

struct MaskedScatter {
  static constexpr Schema schema = "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor";
  static constexpr Doc doc = "A copy of self with elements of source, in order, where mask is set.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Tensor& source) {
    return scatter(false, self, mask, source);
  }
};
struct MaskedScatterInplace {
  static constexpr Schema schema = "masked_scatter_(Tensor(a!) self, Tensor mask, Tensor source) -> Tensor(a!)";
  static constexpr Doc doc = "Writes elements of source, in order, where mask is set.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& mask, const Tensor& source) {
    return scatter(true, self, mask, source);
  }
};

}  // namespace hwaro::engine

#include "families/masked.inc"
