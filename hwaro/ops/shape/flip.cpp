// Reversal and rotation of dimensions.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Row-major, with the last dimension reversed: row by row, in the order that the other flags ask for.
void reverse_rows(const Tensor& out, const Tensor& self, const Dims& flags) {
  const int64_t last = self.dim() - 1, width = self.sizes()[last], size = int64_t(self.element_size());
  const auto reverse = index_kernels().reverse[log2_size(std::size_t(size))];
  const char* from = static_cast<const char*>(self->read());
  char* to = static_cast<char*>(out->write());
  parallel_for(self.numel() / width, (kGrain + width - 1) / width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      int64_t rest = row, source = 0, stride = 1;
      for (int64_t d = last; d-- > 0;) {
        const int64_t n = self.sizes()[d], i = rest % n;
        source += (flags[d] ? n - 1 - i : i) * stride;
        stride *= n;
        rest /= n;
      }
      reverse(to + row * width * size, from + source * width * size, width);
    }
  });
}

// A copy read backwards along some dimensions: a walk with negative strides.
Tensor flipped(const Tensor& self, const Dims& flags) {
  const Tensor out = make_like(self);
  if (self.device().is_meta() || self.numel() == 0) return out;
  Dims strides(self.strides());
  int64_t offset = self->offset;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (!flags[d]) continue;
    offset += (self.sizes()[d] - 1) * strides[d];
    strides[d] = -strides[d];
  }
  const int64_t last = self.dim() - 1;
  if (last >= 0 && flags[last] && self.is_contiguous() && !self.is_conj() && self.sizes()[last] >= 8)
    reverse_rows(out, self, flags);
  else copy_raw(out, alias(self, self.sizes(), strides, offset));
  return out;
}

// Two copies: what stays in order, and what wraps around.
Tensor rolled(const Tensor& self, int64_t shift, int64_t dim) {
  const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
  const int64_t n = self.sizes()[dim];
  if (self.device().is_meta() || self.numel() == 0) return out;
  shift %= n;
  if (shift < 0) shift += n;
  auto part = [&](const Tensor& t, int64_t start, int64_t length) {
    Dims sizes(t.sizes());
    sizes[dim] = length;
    return alias(t, sizes, t.strides(), t->offset + start * t.strides()[dim]);
  };
  copy_raw(part(out, shift, n - shift), part(self, 0, n - shift));
  if (shift > 0) copy_raw(part(out, 0, shift), part(self, n - shift, shift));
  return out;
}

}  // namespace

struct Flip {
  static constexpr Schema schema = "flip(Tensor self, int[] dims) -> Tensor";
  static constexpr Doc doc = "A copy with the order of elements reversed along dims.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan dims) {
    Dims flags(self.sizes().size() + 1, 0);
    for (int64_t d : dims) {
      const int64_t w = wrap_dim(d, self.dim());
      HWARO_CHECK(!flags[w], "dim ", w, " appears multiple times in the list of dims");
      flags[w] = 1;
    }
    const Tensor out = flipped(self, flags);
    if (recording(self))
      record("FlipBackward0", {self}, out, {}, [dims = Dims(dims)](Backward& b) { b.set(0, call(b.g(), dims)); });
    return out;
  }
};

struct Fliplr {
  static constexpr Schema schema = "fliplr(Tensor self) -> Tensor";
  static constexpr Doc doc = "A copy with dimension 1 reversed.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(self.dim() >= 2, "Input must be >= 2-d.");
    return Flip::call(self, {1});
  }
};

struct Flipud {
  static constexpr Schema schema = "flipud(Tensor self) -> Tensor";
  static constexpr Doc doc = "A copy with dimension 0 reversed.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(self.dim() >= 1, "Input must be >= 1-d.");
    return Flip::call(self, {0});
  }
};

struct Roll {
  static constexpr Schema schema = "roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor";
  static constexpr Doc doc = "A copy with elements moved along dims; what leaves at one end comes in at the other.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan shifts, IntSpan dims) {
    HWARO_CHECK(!shifts.empty(), "`shifts` required");
    if (dims.empty() && shifts.size() == 1) {
      const Tensor flat = dense(self);
      const Tensor line = rolled(alias(flat, {flat.numel()}, {1}, flat->offset), shifts[0], 0);
      return recorded(self, alias(line, self.sizes(), contiguous_strides(self.sizes()), 0), shifts, dims);
    }
    HWARO_CHECK(shifts.size() == dims.size(), "shifts and dimensions must align. shifts: ", shifts.size(),
                ", dims:", dims.size());
    if (self.numel() == 0) return recorded(self, clone(detach(self)), shifts, dims);  // along any dimension
    Tensor out = self;
    for (std::size_t i = 0; i < dims.size(); ++i) out = rolled(out, shifts[i], wrap_dim(dims[i], self.dim(), false));
    return recorded(self, out, shifts, dims);
  }
  static Tensor recorded(const Tensor& self, const Tensor& out, IntSpan shifts, IntSpan dims) {
    if (recording(self))
      record("RollBackward0", {self}, out, {}, [shifts = Dims(shifts), dims = Dims(dims)](Backward& b) {
        Dims back;
        for (int64_t s : shifts) back.push_back(-s);
        b.set(0, call(b.g(), back, dims));
      });
    return out;
  }
};

struct Rot90 {
  static constexpr Schema schema = "rot90(Tensor self, int k=1, int[] dims=[0,1]) -> Tensor";
  static constexpr Doc doc =
      "A copy rotated k times by a right angle, from the first of two dimensions towards the second.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t k, IntSpan dims) {
    const int64_t n = self.dim();
    HWARO_CHECK(dims.size() == 2, "expected total rotation dims == 2, but got dims = ", dims.size());
    HWARO_CHECK(n >= 2, "expected total dims >= 2, but got total dims = ", n);
    HWARO_CHECK(dims[0] != dims[1] && (dims[0] - dims[1] != n && dims[1] - dims[0] != n),
                "expected rotation dims to be different, but got dim0 = ", dims[0], " and dim1 = ", dims[1]);
    const int64_t d0 = wrap_dim(dims[0], n), d1 = wrap_dim(dims[1], n);
    const int64_t turns = (k % 4 + 4) % 4;
    Dims flags(std::size_t(n), 0);
    if (turns == 1 || turns == 2) flags[d1] = 1;
    if (turns == 2 || turns == 3) flags[d0] = 1;
    Tensor out = turns == 0 ? clone(detach(self), MemoryFormat::Contiguous) : flipped(self, flags);
    if (turns % 2 == 1) {
      Dims sizes(out.sizes()), strides(out.strides());
      std::swap(sizes[d0], sizes[d1]);
      std::swap(strides[d0], strides[d1]);
      out = alias(out, sizes, strides, out->offset);
    }
    if (recording(self))
      record("Rot90Backward0", {self}, out, {},
             [k, dims = Dims(dims)](Backward& b) { b.set(0, call(b.g(), -k, dims)); });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/flip.inc"
