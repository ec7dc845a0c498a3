// Padding: with a constant, by reflection, replication or wrapping around.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/index_map.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/copy.h"

namespace hwaro::engine {

using std::int64_t;

struct ConstantPadNd {
  static constexpr Schema schema = "constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor";
  static constexpr Doc doc =
      "self with pad = (before, after) elements of a value around it, last dimension first; negative pads crop.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, IntSpan pad, const Scalar& value) {
    HWARO_CHECK(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size());
    const int d = self.dim(), padded = int(pad.size()) / 2;
    HWARO_CHECK(d >= padded,
                "Length of pad should be no more than twice the number of dimensions of the input. Pad length is ",
                pad.size(), "while the input has ", d, "dimensions.");
    Dims shape(self.sizes()), from(std::size_t(d), 0), to(std::size_t(d), 0), common(self.sizes());
    for (int i = 0; i < padded; ++i) {
      const int dim = d - 1 - i;
      const int64_t before = pad[2 * i], after = pad[2 * i + 1], size = self.sizes()[dim];
      HWARO_CHECK(before >= -size && after >= -size - (before < 0 ? before : 0),
                  "narrow(): length must be non-negative.");
      if (__builtin_add_overflow(size, before, &shape[dim]) || __builtin_add_overflow(shape[dim], after, &shape[dim]))
        shape[dim] = -1;
      HWARO_CHECK(shape[dim] >= 0, "The input size ", size, ", plus negative padding ", before, " and ", after,
                  " resulted in a negative output size, which is invalid. Check dimension ", dim, " of your input.");
      from[dim] = before < 0 ? -before : 0;
      to[dim] = before > 0 ? before : 0;
      common[dim] = size - from[dim] - (after < 0 ? -after : 0);
    }
    bool only_crops = true;
    for (const int64_t p : pad) only_crops = only_crops && p <= 0;
    const Tensor out =
        only_crops ? make_strided(shape, preserved_strides(shape, self.strides()), self.dtype(), self.device())
        : is_channels_last(self) ? make_strided(shape, channels_last_strides(shape), self.dtype(), self.device())
                                 : make_tensor(shape, self.dtype(), self.device());
    check_fits(value, self.dtype(), out.numel());
    if (!self.device().is_meta()) {
      if (shape != common) fill_elements(*out.impl(), value);
      int64_t read = self->offset, write = out->offset;
      bool empty = false;
      for (int i = 0; i < d; ++i) {
        read += from[i] * self.strides()[i];
        write += to[i] * out.strides()[i];
        empty = empty || common[i] == 0;
      }
      if (!empty) copy_raw(alias(out, common, out.strides(), write), alias(self, common, self.strides(), read));
    }
    if (recording(self))
      record("ConstantPadNdBackward0", {self}, out, {}, [pad = Dims(pad)](Backward& b) {
        Dims back(pad);
        for (int64_t& p : back) p = -p;
        b.set(0, call(b.g(), back, 0));
      });
    return out;
  }
};

namespace {

enum class PadMode { Reflect, Replicate, Circular };

// Where output o of a wrapped dimension comes from. A negative pad crops first; what wraps around is what is left.
int64_t wrapped(int64_t o, int64_t n, int64_t before, int64_t after) {
  const int64_t left = before > 0 ? before : 0, right = after > 0 ? after : 0, size = n + before + after,
                inner = size - left - right;
  const int64_t skip = before < 0 ? -before : 0;
  if (o < left) o += inner;
  else if (o >= size - right) o -= inner;
  return o - left + skip;
}

IndexMaps pad_maps(IntSpan sizes, IntSpan pad, PadMode mode) {
  const std::size_t dims = pad.size() / 2;
  IndexMaps maps(dims);
  for (std::size_t i = 0; i < dims; ++i) {
    const int64_t n = sizes[sizes.size() - dims + i], before = pad[2 * (dims - 1 - i)],
                  after = pad[2 * (dims - 1 - i) + 1];
    for (int64_t o = 0; o < n + before + after; ++o) {
      int64_t at = o - before;
      if (mode == PadMode::Replicate) at = at < 0 ? 0 : at >= n ? n - 1 : at;
      else if (mode == PadMode::Circular) at = wrapped(o, n, before, after);
      else at = at < 0 ? -at : at >= n ? 2 * (n - 1) - at : at;
      maps[i].push_back(at);
    }
  }
  return maps;
}

const char* node_name(PadMode mode, std::size_t dims, bool backward) {
  static constexpr const char* names[2][3][2] = {{{"ReflectionPad1DBackward0", "ReflectionPad1DBackwardBackward0"},
                                                  {"ReflectionPad2DBackward0", "ReflectionPad2DBackwardBackward0"},
                                                  {"ReflectionPad3DBackward0", "ReflectionPad3DBackwardBackward0"}},
                                                 {{"ReplicationPad1DBackward0", "ReplicationPad1DBackwardBackward0"},
                                                  {"ReplicationPad2DBackward0", "ReplicationPad2DBackwardBackward0"},
                                                  {"ReplicationPad3DBackward0", "ReplicationPad3DBackwardBackward0"}}};
  return names[mode == PadMode::Replicate][dims - 1][backward];
}

Tensor pad_backward(const Tensor& g, IntSpan sizes, IntSpan pad, PadMode mode);

Tensor pad_forward(const Tensor& self, IntSpan pad, PadMode mode) {
  Tensor out = gather_map(self, pad_maps(self.sizes(), pad, mode));
  if (mode != PadMode::Circular) out = in_layout_of(out, self);
  if (recording(self))
    // PyTorch saves the input, so a second backward raises; an empty place does so without the memory.
    record(node_name(mode, pad.size() / 2, false), {self}, out, {Save{}},
           [sizes = Dims(self.sizes()), pad = Dims(pad), mode](Backward& b) {
             b.saved(0);
             b.set(0, pad_backward(b.g(), sizes, pad, mode));
           });
  return out;
}

Tensor pad_backward(const Tensor& g, IntSpan sizes, IntSpan pad, PadMode mode) {
  const Tensor out = scatter_map(g, sizes, pad_maps(sizes, pad, mode));
  if (recording(g))
    record(node_name(mode, pad.size() / 2, true), {g}, out, {},
           [pad = Dims(pad), mode](Backward& b) { b.set(0, pad_forward(b.g(), pad, mode)); });
  return out;
}

// Where gradients are recorded, wrapping around is a sequence of copies between parts of the result, as in PyTorch: it shows
// in the graph.
Tensor pad_circular_recorded(const Tensor& self, IntSpan pad) {
  const auto inside = [](int64_t p) { return p > 0 ? p : 0; };
  Dims shape(self.sizes());
  for (std::size_t i = 0; i < pad.size() / 2; ++i)
    shape[std::size_t(self.dim() - 1) - i] += pad[2 * i] + pad[2 * i + 1];
  const Tensor out = make_tensor(shape, self.dtype(), self.device());
  Tensor target = out, source = self;
  for (std::size_t i = 0; i < pad.size() / 2; ++i) {
    const int64_t dim = self.dim() - 1 - int64_t(i), before = pad[2 * i], after = pad[2 * i + 1];
    target = slice(target, dim, inside(before), shape[dim] - inside(after));
    source = slice(source, dim, inside(-before), self.sizes()[dim] - inside(-after));
  }
  copy_(target, source, false);
  for (std::size_t i = pad.size() / 2; i-- > 0;) {
    const int64_t dim = self.dim() - 1 - int64_t(i), before = pad[2 * i], after = pad[2 * i + 1], n = shape[dim];
    if (before > 0)
      copy_(slice(out, dim, 0, before), slice(out, dim, n - before - inside(after), n - inside(after)), false);
    if (after > 0) copy_(slice(out, dim, n - after, n), slice(out, dim, inside(before), inside(before) + after), false);
  }
  return out;
}

Tensor pad_by_index(const Tensor& self, IntSpan pad, PadMode mode) {
  const std::size_t dims = pad.size() / 2;
  for (std::size_t i = 0; i < dims; ++i) {
    const int dim = self.dim() - 1 - int(i);
    const int64_t n = self.sizes()[dim], before = pad[2 * i], after = pad[2 * i + 1];
    if (mode == PadMode::Reflect)
      HWARO_CHECK(before < n && after < n, "Argument #", 4 + 2 * i,
                  ": Padding size should be less than the corresponding input dimension, but got: padding (", before,
                  ", ", after, ") at dimension ", dim, " of input ", sizes_str(self.sizes()));
    if (mode == PadMode::Circular) {
      HWARO_CHECK(before <= n && after <= n, "Padding value causes wrapping around more than once.");
      HWARO_CHECK(n + before + after >= 0, "Negative padding value is resulting in an empty dimension");
    }
    HWARO_CHECK(n + before + after >= 0, "Trying to create tensor with negative dimension ", n + before + after, ": ",
                sizes_str(self.sizes()));
    HWARO_CHECK(n > 0 || (before == 0 && after == 0),
                "Expected 2D or 3D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
                "input, but got: ",
                sizes_str(self.sizes()));
  }
  if (mode == PadMode::Circular && recording(self)) return pad_circular_recorded(self, pad);
  return pad_forward(self, pad, mode);
}

}  // namespace

struct Pad {
  static constexpr Schema schema = "pad(Tensor input, int[] pad, str mode='constant', float? value=None) -> Tensor";
  static constexpr Doc doc = "Pads the last dimensions; mode is constant, reflect, replicate or circular.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan pad, std::string_view mode, std::optional<double> value) {
    HWARO_CHECK(pad.size() % 2 == 0, "Padding length must be divisible by 2");
    HWARO_CHECK(int(pad.size()) <= 2 * input.dim(),
                "Padding length should be less than or equal to two times the input dimension but got padding length ",
                pad.size(), " and input of dimension ", input.dim());
    if (mode == "constant") return ConstantPadNd::call(input, pad, value.value_or(0.0));
    HWARO_CHECK(!value || *value == 0, "Padding mode \"", mode, "\" doesn't take in value argument");
    const int dims = int(pad.size()) / 2;
    const bool known = mode == "reflect" || mode == "replicate" || mode == "circular";
    if (dims >= 1 && dims <= 3 && (input.dim() == dims + 1 || input.dim() == dims + 2)) {
      HWARO_CHECK_AS(NotImplementedError, known, "Unrecognised padding mode ", mode);
      return pad_by_index(input, pad,
                          mode == "reflect"     ? PadMode::Reflect
                          : mode == "replicate" ? PadMode::Replicate
                                                : PadMode::Circular);
    }
    HWARO_CHECK_AS(NotImplementedError, known, "Unrecognised padding mode ", mode);
    raise<NotImplementedError>("Padding size ", pad.size(), " is not supported for ", input.dim(), "D input tensor.");
  }
};

}  // namespace hwaro::engine

#include "families/pad.inc"
