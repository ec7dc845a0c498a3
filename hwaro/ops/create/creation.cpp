// Tensors of one value or of none: zeros, ones, full, empty, and the same with the type and place of another tensor.
#include "hwaro/core/availability.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Device target(const std::optional<Device>& device) {
  if (!device) return {};
  check_can_create_on(*device);
  return *device;
}

Tensor like(const Tensor& self, OptDType dtype, const std::optional<Device>& device,
            std::optional<MemoryFormat> format) {
  if (device) check_can_create_on(*device);
  return make_in_format(self, format.value_or(MemoryFormat::Preserve), dtype.value_or(self.dtype()),
                        device.value_or(self.device()));
}

Tensor full_like(const Tensor& self, const Scalar& value, OptDType dtype, const std::optional<Device>& device,
                 std::optional<MemoryFormat> format) {
  check_fits(value, dtype.value_or(self.dtype()), self.numel());
  const Tensor out = like(self, dtype, device, format);
  if (!out.device().is_meta()) fill_elements(*out.impl(), value);
  return out;
}

DType inferred(const Scalar& value, OptDType dtype) { return dtype ? *dtype : value.dtype(); }

}  // namespace

struct Zeros {
  static constexpr Schema schema =
      "zeros(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) "
      "-> Tensor";
  static constexpr Doc doc = "A tensor of zeros.";
  static Tensor call(IntSpan size, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>) {
    for (int64_t s : size) HWARO_CHECK(s >= 0, "zeros: Dimension size must be non-negative.");
    return fresh_zeros(size, dtype ? *dtype : default_dtype(), target(device));
  }
};

struct Ones {
  static constexpr Schema schema =
      "ones(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> "
      "Tensor";
  static constexpr Doc doc = "A tensor of ones.";
  static Tensor call(IntSpan size, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>) {
    return fresh_full(size, 1, dtype ? *dtype : default_dtype(), target(device));
  }
};

struct Empty {
  static constexpr Schema schema =
      "empty.memory_format(int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None, "
      "MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "A tensor with undefined contents.";
  static Tensor call(IntSpan size, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>,
                     std::optional<MemoryFormat> format) {
    const DType type = dtype ? *dtype : default_dtype();
    const MemoryFormat wanted = format.value_or(MemoryFormat::Contiguous);
    HWARO_CHECK(wanted != MemoryFormat::Preserve, "unsupported memory format Preserve");
    if (wanted == MemoryFormat::Contiguous) return make_tensor(size, type, target(device));
    check_format_rank(int(size.size()), wanted);
    return make_strided(size, channels_last_strides(size), type, target(device));
  }
};

struct EmptyStrided {
  static constexpr Schema schema =
      "empty_strided(int[] size, int[] stride, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "A tensor with undefined contents and the given strides.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(IntSpan size, IntSpan stride, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    HWARO_CHECK(size.size() == stride.size(), "dimensionality of sizes (", size.size(),
                ") must match dimensionality of strides (", stride.size(), ")");
    for (int64_t s : stride)
      HWARO_CHECK(s >= 0, "Storage size calculation overflowed with sizes=", sizes_str(size),
                  " and strides=", sizes_str(stride));
    return make_strided(size, stride, dtype ? *dtype : default_dtype(), target(device));
  }
};

struct EmptyPermuted {
  static constexpr Schema schema =
      "empty_permuted(int[] size, int[] physical_layout, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc =
      "A dense tensor with undefined contents whose dimensions lie in memory in the given order.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(IntSpan size, IntSpan layout, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    const std::size_t n = layout.size();
    HWARO_CHECK(size.size() == n,
                "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ",
                size.size(), " is not equal to len(physical_layout) = ", n);
    Dims strides(n, -1);
    int64_t stride = 1;
    for (std::size_t k = n; k-- > 0;) {
      const int64_t d = layout[k];
      HWARO_CHECK(d >= 0 && d < int64_t(n), "Dimension out of range (expected to be between 0 and ", n - 1,
                  ", but got ", d, " at index ", k,
                  ").  NB: negative dims not currently supported; file an issue if you want it.");
      HWARO_CHECK(strides[d] < 0, "Duplicate dim not allowed");
      strides[d] = stride;
      stride *= size[d] > 1 ? size[d] : 1;
    }
    return make_strided(size, strides, dtype ? *dtype : default_dtype(), target(device));
  }
};

struct Full {
  static constexpr Schema schema =
      "full(int[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "A tensor of one value; its type follows from the value where none is given.";
  static Tensor call(IntSpan size, const Scalar& fill_value, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return fresh_full(size, fill_value, inferred(fill_value, dtype), target(device));
  }
};

struct ScalarTensor {
  static constexpr Schema schema =
      "scalar_tensor(Scalar s, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None) -> Tensor";
  static constexpr Doc doc = "A 0-dimensional tensor of one number.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Scalar& s, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>) {
    return fresh_full({}, s, dtype ? *dtype : default_dtype(), target(device));
  }
};

// ---- like another tensor ----

struct ZerosLike {
  static constexpr Schema schema =
      "zeros_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None, "
      "MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Zeros with the shape, type, device and order of dimensions of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>,
                     std::optional<MemoryFormat> format) {
    if (self.is_contiguous() && !device && !format)
      return fresh_zeros(self.sizes(), dtype.value_or(self.dtype()), self.device());
    return full_like(self, 0, dtype, device, format);
  }
};

struct OnesLike {
  static constexpr Schema schema =
      "ones_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None, "
      "MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Ones with the shape, type, device and order of dimensions of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>,
                     std::optional<MemoryFormat> format) {
    return full_like(self, 1, dtype, device, format);
  }
};

struct EmptyLike {
  static constexpr Schema schema =
      "empty_like(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? "
      "pin_memory=None, "
      "MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Undefined contents with the shape, type, device and order of dimensions of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>,
                     std::optional<MemoryFormat> format) {
    return like(self, dtype, device, format);
  }
};

struct FullLike {
  static constexpr Schema schema =
      "full_like(Tensor self, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "One value with the shape, type, device and order of dimensions of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Scalar& fill_value, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>, std::optional<MemoryFormat> format) {
    return full_like(self, fill_value, dtype, device, format);
  }
};

struct NewZeros {
  static constexpr Schema schema =
      "new_zeros(Tensor self, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Zeros of a given shape with the type and device of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return fresh_zeros(size, dtype.value_or(self.dtype()), device ? target(device) : self.device());
  }
};

struct NewOnes {
  static constexpr Schema schema =
      "new_ones(Tensor self, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Ones of a given shape with the type and device of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return fresh_full(size, 1, dtype.value_or(self.dtype()), device ? target(device) : self.device());
  }
};

struct NewEmpty {
  static constexpr Schema schema =
      "new_empty(Tensor self, int[] size, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Undefined contents of a given shape with the type and device of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return make_tensor(size, dtype.value_or(self.dtype()), device ? target(device) : self.device());
  }
};

struct NewEmptyStrided {
  static constexpr Schema schema =
      "new_empty_strided(Tensor self, int[] size, int[] stride, *, ScalarType? dtype=None, Layout? layout=None, "
      "Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Undefined contents of given shape and strides with the type and device of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, IntSpan stride, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return EmptyStrided::call(size, stride, dtype.value_or(self.dtype()), {}, device.value_or(self.device()), {});
  }
};

struct NewFull {
  static constexpr Schema schema =
      "new_full(Tensor self, int[] size, Scalar fill_value, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "One value of a given shape with the type and device of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, const Scalar& fill_value, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return fresh_full(size, fill_value, dtype.value_or(self.dtype()), device ? target(device) : self.device());
  }
};

}  // namespace hwaro::engine

#include "families/creation.inc"
