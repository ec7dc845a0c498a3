// Sliding windows over one dimension.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

struct Unfold {
  static constexpr Schema schema = "unfold(Tensor(a) self, int dimension, int size, int step) -> Tensor(a)";
  static constexpr Doc doc =
      "All windows of a size along a dimension, step apart, as a view; a window is the new last dimension.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
    const int64_t d = wrap_dim(dimension, self.dim());
    const int64_t whole = self.dim() ? self.sizes()[d] : 1, stride = self.dim() ? self.strides()[d] : 1;
    HWARO_CHECK(size >= 0, "size is ", size, " but must be >= 0");
    HWARO_CHECK(size <= whole, "maximum size for tensor at dimension ", d, " is ", whole, " but size is ", size);
    HWARO_CHECK(step > 0, "step is ", step, " but must be > 0");
    Dims sizes(self.sizes()), strides(self.strides());
    if (self.dim() > 0) {
      sizes[d] = (whole - size) / step + 1;
      strides[d] = stretched(strides[d], step);
    }
    sizes.push_back(size);
    strides.push_back(stride);
    // The gradient's geometry is that of the same windows over contiguous memory.
    const Dims base(self.sizes()), base_strides = contiguous_strides(base);
    Dims windows(base_strides);
    if (self.dim() > 0) windows[d] = stretched(windows[d], step);
    windows.push_back(self.dim() ? base_strides[d] : 1);
    return record_view("UnfoldBackward0", self, sizes, strides, self->offset,
                       [base, base_strides, sizes, windows](const Tensor& g) {
                         return as_strided_backward(g, base, base_strides, 0, sizes, windows, 0);
                       });
  }
};

struct UnfoldCopy {
  static constexpr Schema schema = "unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor";
  static constexpr Doc doc = "A copy of all windows of a size along a dimension, step apart.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dimension, int64_t size, int64_t step) {
    const Tensor out = clone(Unfold::call(detach(self), dimension, size, step), MemoryFormat::Contiguous);
    if (recording(self))
      record("UnfoldBackward0_copy", {self}, out, {}, [base = Dims(self.sizes()), dimension, step](Backward& b) {
        Dims strides = contiguous_strides(base), windows(strides);
        const int64_t d = wrap_dim(dimension, int64_t(base.size()));
        windows.push_back(base.empty() ? 1 : windows[d]);
        if (!base.empty()) windows[d] = stretched(windows[d], step);
        b.set(0, as_strided_backward(b.g(), base, strides, 0, b.g().sizes(), windows, 0));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/windows.inc"
