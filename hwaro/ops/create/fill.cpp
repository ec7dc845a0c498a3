// fill_, zero_ and the check that a number fits an element type.
#include "hwaro/ops/create/fill.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

template <class T>
bool integer_fits(const Scalar& value) {
  using Limits = std::numeric_limits<T>;
  if (value.is_integral(true)) {
    const int64_t v = value.to_int();
    // A negative number may wrap into an unsigned type as long as its magnitude fits.
    if constexpr (!Limits::is_signed) return v >= -int64_t(Limits::max()) && v <= int64_t(Limits::max());
    else return v >= int64_t(Limits::min()) && v <= int64_t(Limits::max());
  }
  const double v = value.re();
  if constexpr (sizeof(T) == 8) return v >= -0x1p63 && v < 0x1p63;
  else return v >= double(Limits::lowest()) && v <= double(Limits::max());
}

bool float_fits(double v, double max = double(std::numeric_limits<float>::max())) {
  return !std::isfinite(v) || std::fabs(v) <= max;
}

}  // namespace

void check_fits(const Scalar& value, DType dtype, int64_t numel) {
  bool good = true;
  const char* name = fixed_type_name(dtype);
  if (value.is_complex() && !is_complex(dtype) && dtype != DType::Bool && value.im() != 0) {
    good = false;
    if (is_reduced_float(dtype) && numel == 1) name = "double";
  } else if (is_reduced_float(dtype)) {
    good = numel == 1 || float_fits(value.re(), dtype == DType::Half ? 65504.0 : 0x1.FEp127);
  } else if (is_integral(dtype)) {
    visit_if<kIntSet>(dtype, [&](auto tag) { good = integer_fits<typename decltype(tag)::type>(value); });
  } else if (dtype == DType::Float || dtype == DType::ComplexFloat) {
    good = float_fits(value.re()) && float_fits(value.im());
  }
  HWARO_CHECK(good, "value cannot be converted to type ", name, " without overflow");
}

Tensor fresh_zeros(IntSpan size, DType dtype, Device device) {
  const Tensor out = make_tensor(size, dtype, device);
  if (device.is_meta()) return out;
  char* data = static_cast<char*>(out->write());
  const int64_t bytes = int64_t(out.nbytes());
  constexpr int64_t kGrainBytes = 4 * kGrain;
  if (bytes <= kGrainBytes) std::memset(data, 0, std::size_t(bytes));
  else
    parallel_for(bytes, kGrainBytes,
                 [&](int64_t begin, int64_t end) { std::memset(data + begin, 0, std::size_t(end - begin)); });
  return out;
}

Tensor fresh_full(IntSpan size, const Scalar& value, DType dtype, Device device) {
  const Tensor out = make_tensor(size, dtype, device);
  check_fits(value, dtype, out.numel());
  if (device.is_meta()) return out;
  if (out.numel() > 64) {
    fill_elements(*out.impl(), value);
    return out;
  }
  visit_if<kAllSet>(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T element = value.to<T>();
    T* data = out->write_as<T>();
    for (int64_t i = 0; i < out.numel(); ++i) data[i] = element;
  });
  return out;
}

static Tensor fill_inplace(const Tensor& self, const Scalar& value) {
  const bool recorded = recording(self) && is_differentiable(self.dtype());
  check_inplace(self, recorded);
  check_fits(value, self.dtype(), self.numel());
  // What is stored in a lazy conjugate is the conjugate of what it shows.
  const Scalar stored = self.is_conj() ? Scalar(Complex<double>{value.re(), -value.im()}) : value;
  if (!self.device().is_meta()) fill_elements(*self.impl(), stored);
  self->bump_version();
  return self;
}

struct FillTensor {
  static constexpr Schema schema = "fill_.Tensor(Tensor(a!) self, Tensor value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes the value of a 0-dimensional tensor into every element of self.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& value) {
    check_has_data(self, {value});
    HWARO_CHECK(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
                " dimensions.");
    const bool recorded = recording(self, value) && is_differentiable(self.dtype());
    check_inplace(self, recorded);
    check_internal_overlap(self);
    const Tensor source = recorded ? history_of(value) : value;
    if (!self.device().is_meta()) copy_raw(self, value);
    self->bump_version();
    if (recorded)
      record_inplace("FillBackward3", self, {self, source}, {}, [from = value.dtype()](Backward& b) {
        if (b.needs(0)) b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device()));
        if (b.needs(1)) b.set(1, to_dtype(sum_all(b.g()), from));
      });
    return self;
  }
};

struct Fill {
  static constexpr Schema schema = "fill_.Scalar(Tensor(a!) self, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes one number into every element of self.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Scalar& value) {
    fill_inplace(self, value);
    if (recording(self) && is_differentiable(self.dtype()))
      record_inplace("FillBackward2", self, {self}, {},
                     [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return self;
  }
};

struct FillCopyTensor {
  static constexpr Schema schema = "fill.Tensor(Tensor self, Tensor value) -> Tensor";
  static constexpr Doc doc = "The value of a 0-dimensional tensor in the shape and type of self.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Tensor& value) {
    check_has_data(self, {value});
    HWARO_CHECK(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
                " dimensions.");
    const Tensor out = make_like(self);
    if (!self.device().is_meta()) copy_raw(out, value);
    if (recording(self, value) && is_differentiable(self.dtype()))
      record("FillBackward1", {self, value}, out, {}, [from = value.dtype()](Backward& b) {
        if (b.needs(0)) b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device()));
        if (b.needs(1)) b.set(1, to_dtype(sum_all(b.g()), from));
      });
    return out;
  }
};

struct FillCopy {
  static constexpr Schema schema = "fill.Scalar(Tensor self, Scalar value) -> Tensor";
  static constexpr Doc doc = "One number in the shape and type of self.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Scalar& value) {
    check_fits(value, self.dtype(), self.numel());
    const Tensor out = make_like(self);
    if (!self.device().is_meta()) fill_elements(*out.impl(), value);
    if (recording(self) && is_differentiable(self.dtype()))
      record("FillBackward0", {self}, out, {},
             [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return out;
  }
};

struct Zero {
  static constexpr Schema schema = "zero_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "Writes zero into every element of self.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    fill_inplace(self, 0);
    if (recording(self) && is_differentiable(self.dtype()))
      record_inplace("ZeroBackward0", self, {self}, {},
                     [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/fill.inc"
