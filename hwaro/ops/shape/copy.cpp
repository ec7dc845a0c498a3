// Copies: clone, contiguous, conversion, and writing one tensor into another.
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

void check_format_rank(int dim, MemoryFormat format) {
  const int dims = format == MemoryFormat::ChannelsLast ? 4 : 5;
  HWARO_CHECK(dim == dims, "required rank ", dims, " tensor to use channels_last", dims == 5 ? "_3d" : "", " format");
}

Tensor make_in_format(const Tensor& t, MemoryFormat format, DType dtype, Device device) {
  switch (format) {
    case MemoryFormat::Contiguous: break;
    case MemoryFormat::Preserve:
      if (!t.is_contiguous()) return make_strided(t.sizes(), preserved_strides(t.sizes(), t.strides()), dtype, device);
      break;
    default:
      check_format_rank(t.dim(), format);
      return make_strided(t.sizes(), channels_last_strides(t.sizes()), dtype, device);
  }
  return make_tensor(t.sizes(), dtype, device);
}

struct Clone {
  static constexpr Schema schema = "clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "A copy of self; gradients flow through it.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, std::optional<MemoryFormat> format) {
    const Tensor out = make_in_format(self, format.value_or(MemoryFormat::Preserve), self.dtype(), self.device());
    if (!self.device().is_meta()) copy_raw(out, self);
    if (recording(self)) record("CloneBackward0", {self}, out, {}, [](Backward& b) { b.set(0, b.g()); });
    return out;
  }
};

struct Contiguous {
  static constexpr Schema schema =
      "contiguous(Tensor(a) self, *, MemoryFormat memory_format=contiguous_format) -> Tensor(a)";
  static constexpr Doc doc = "self if it is laid out in the memory format already, else a copy that is.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, MemoryFormat format) {
    HWARO_CHECK(format != MemoryFormat::Preserve, "preserve memory format is unsupported by the contiguous operator");
    if (self.is_contiguous(format)) return self;
    return clone(self, format);
  }
};

static void warn_of_lost_part(DType from, DType to) {
  if (is_complex(from) && !is_complex(to) && to != DType::Bool)
    warn_once("Casting complex values to real discards the imaginary part");
}

struct ToCopy {
  static constexpr Schema schema =
      "_to_copy(Tensor self, *, ScalarType? dtype=None, Device? device=None, MemoryFormat? memory_format=None) -> "
      "Tensor";
  static constexpr Doc doc = "A copy of self with another type, device or memory format.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self, OptDType dtype, std::optional<Device> device,
                     std::optional<MemoryFormat> format) {
    const Device target = device.value_or(self.device());
    check_device_available(target);
    HWARO_CHECK_AS(NotImplementedError, !(self.device().is_meta() && !target.is_meta()),
                   "Cannot copy out of meta tensor; no data!");
    const DType type = dtype.value_or(self.dtype());
    warn_of_lost_part(self.dtype(), type);
    const Tensor out = make_in_format(self, format.value_or(MemoryFormat::Preserve), type, target);
    if (!target.is_meta() && !self.device().is_meta()) copy_raw(out, self);
    if (recording(self) && is_differentiable(type))
      record("ToCopyBackward0", {self}, out, {}, [from = self.dtype(), device = self.device()](Backward& b) {
        const Tensor g = is_complex(b.g().dtype()) && !is_complex(from) ? real(b.g()) : b.g();
        b.set(0, call(g, from, device, std::nullopt));
      });
    return out;
  }
};

Tensor to_dtype(const Tensor& self, DType dtype, bool copy) {
  if (self.dtype() == dtype && !copy) return self;
  return ToCopy::call(self, dtype, std::nullopt, std::nullopt);
}

struct Copy {
  static constexpr Schema schema = "copy_(Tensor(a!) self, Tensor other, bool non_blocking=False) -> Tensor(a!)";
  static constexpr Doc doc = "Writes src, broadcast and converted, into self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& src, bool) {
    const bool recorded = recording(self, src) && is_differentiable(self.dtype());
    check_inplace(self, recorded);
    const bool itself = self.is_same(src) || (self->storage == src->storage && self->offset == src->offset &&
                                              self.sizes() == src.sizes() && self.strides() == src.strides() &&
                                              self.dtype() == src.dtype() && self.is_conj() == src.is_conj());
    if (const Operand from = src; !itself) check_no_overlap(self, &from, 1);
    Dims shape(self.sizes());
    broadcast_into(shape, src.sizes());
    HWARO_CHECK(IntSpan(shape) == self.sizes(), "output with shape ", sizes_str(self.sizes()),
                " doesn't match the broadcast shape ", sizes_str(shape));
    warn_of_lost_part(src.dtype(), self.dtype());
    const Tensor source = recorded ? history_of(src) : src;
    if (!itself && !self.device().is_meta()) {
      HWARO_CHECK_AS(NotImplementedError, !src.device().is_meta(), "Cannot copy out of meta tensor; no data!");
      // Source and target may be overlapping views of one storage: then the source is read whole before it is written.
      const bool shared = self->storage == src->storage;
      copy_raw(self, shared ? clone(detach(src)) : src);
    }
    self->bump_version();
    if (recorded)
      record_inplace("CopyBackwards", self, {self, source}, {},
                     [sizes = Dims(src.sizes()), from = src.dtype()](Backward& b) {
                       if (b.needs(0)) b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device()));
                       if (b.needs(1)) {
                         Tensor g = sum_to_size(b.g(), sizes);
                         if (is_complex(g.dtype()) && !is_complex(from)) g = real(g);
                         b.set(1, to_dtype(g, from));
                       }
                     });
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/copy.inc"
