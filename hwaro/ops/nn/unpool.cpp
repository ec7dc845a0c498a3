// Unpooling by maximum: pooled values go back to where they came from, everything else is zero.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/scatter.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Plane by plane out[index[i]] = x[i]. Of two values for one place the later stays.
void put_planes(const char* kernel, const Tensor& x, const Tensor& index, const Tensor& out, int dims, IntSpan size) {
  int64_t plane = 1, whole = product(size), batch = 1;
  for (int d = 0; d < dims; ++d) plane *= x.size(-1 - d);
  for (int d = 0; d < x.dim() - dims; ++d) batch *= x.sizes()[d];
  visit<kFloatSet>(x.dtype(), kernel, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor values = dense(x), places = dense(index);
    const T* from = values->read_as<T>();
    const int64_t* at = places->read_as<int64_t>();
    T* to = out->write_as<T>();
    parallel_for(batch, 1 + 16384 / (plane + whole + 1), [&](int64_t begin, int64_t end) {
      for (int64_t p = begin; p < end; ++p)
        for (int64_t i = p * plane; i < (p + 1) * plane; ++i) {
          if (at[i] < 0 || at[i] >= whole) {
            std::string shape;
            for (int64_t s : size) shape += (shape.empty() ? "" : "x") + std::to_string(s);
            raise<RuntimeError>("Found an invalid max index: ", at[i], " (output volumes are of size ", shape, ")");
          }
          to[p * whole + at[i]] = from[i];
        }
    });
  });
}

Tensor unpooled(const char* node, const Tensor& self, const Tensor& indices, IntSpan size, int dims) {
  const std::string name = concat("max_unpooling", dims, "d");
  HWARO_CHECK(self.dim() == dims + 1 || self.dim() == dims + 2, "Input to ", name, " should be a ", dims + 1, "d or ",
              dims + 2, "d Tensor, but got a tensor with ", self.dim(), " dimensions.");
  HWARO_CHECK(self.sizes() == indices.sizes(), "Expected shape of indices to be same as that of the input tensor (",
              sizes_str(self.sizes()), ") but got indices tensor with shape: ", sizes_str(indices.sizes()));
  for (int d = self.dim() == dims + 2; d < self.dim(); ++d)
    HWARO_CHECK(self.sizes()[d] > 0, name,
                "_forward_out_cpu(): Expected input to have non-zero size for non-batch "
                "dimensions, but got ",
                sizes_str(self.sizes()), " with dimension ", d, " being empty.");
  Dims shape(IntSpan(self.sizes().data(), std::size_t(self.dim() - dims)));
  for (int64_t s : size) shape.push_back(s);
  check_has_data(self, {indices});
  Tensor out = make_zeros(shape, self.dtype(), self.device());
  if (!self.device().is_meta()) {
    put_planes(dims == 2 ? "max_unpool2d" : "max_unpool3d", self, indices, out, dims, size);
    // A dimension of size 1 says nothing unless its stride fits, too: that of vectors seen as images does not.
    if (dims == 2 && self.dim() == 4 && self.strides()[3] >= self.sizes()[1]) out = in_layout_of(out, self);
  }
  if (recording(self))
    record(node, {self}, out, {save(indices)}, [dims](Backward& b) {
      const Tensor index = b.saved(0);
      Dims planes(IntSpan(index.sizes().data(), std::size_t(index.dim() - dims)));
      planes.push_back(-1);
      b.set(0, reshape(gather(reshape(b.g(), planes), -1, reshape(index, planes)), index.sizes()));
    });
  return out;
}

}  // namespace

struct MaxUnpool2d {
  static constexpr Schema schema = "max_unpool2d(Tensor self, Tensor indices, int[2] output_size) -> Tensor";
  static constexpr Doc doc = "Pooled maxima (N, C, H, W) put back to their places in planes of a size, zero elsewhere.";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& self, const Tensor& indices, IntSpan output_size) {
    HWARO_CHECK(indices.dtype() == DType::Int64,
                "elements in indices should be type int64 but got: ", scalar_type_name(indices.dtype()));
    HWARO_CHECK(output_size.size() == 2,
                "There should be exactly two elements (height, width) in output_size, but got ", output_size.size(),
                " elements.");
    HWARO_CHECK(output_size[0] >= 0 && output_size[1] >= 0,
                "max_unpooling2d(): output_size must contain non-negative spatial dimensions, but got output_size=(",
                output_size[0], ", ", output_size[1], ")");
    return unpooled("MaxUnpool2DBackward0", self, indices, output_size, 2);
  }
};

struct MaxUnpool3d {
  static constexpr Schema schema =
      "max_unpool3d(Tensor self, Tensor indices, int[3] output_size, int[3] stride, int[3] padding) -> Tensor";
  static constexpr Doc doc =
      "Pooled maxima (N, C, D, H, W) put back to their places in volumes of a size, zero elsewhere.";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& self, const Tensor& indices, IntSpan output_size, IntSpan stride, IntSpan) {
    HWARO_CHECK(indices.dtype() == DType::Int64, "elements in indices should be type int64");
    HWARO_CHECK(output_size.size() == 3,
                "There should be exactly three elements (depth, height, width) in output_size, but got ",
                output_size.size(), " elements.");
    for (int64_t s : stride)
      HWARO_CHECK(s > 0, "strides should be greater than zero, but got stride: ", sizes_str(stride));
    return unpooled("MaxUnpool3DBackward0", self, indices, output_size, 3);
  }
};

}  // namespace hwaro::engine

#include "families/unpool.inc"
