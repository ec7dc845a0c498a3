// Adaptive average pooling: output cell i of n averages input cells floor(i * size / n) … ceil((i + 1) * size / n).
#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

int64_t first(int64_t i, int64_t out, int64_t in) { return i * in / out; }
int64_t last(int64_t i, int64_t out, int64_t in) { return ((i + 1) * in + out - 1) / out; }

// The weights of one dimension as a matrix (out, in): 1 / length inside each window. Pooling is a product with it per
// dimension, and so is its gradient.
Tensor window_matrix(int64_t out, int64_t in, DType dtype) {
  const Tensor m = make_zeros({out, in}, DType::Double);
  for (int64_t i = 0; i < out; ++i)
    for (int64_t k = first(i, out, in); k < last(i, out, in); ++k)
      m->write_as<double>()[i * in + k] = 1.0 / double(last(i, out, in) - first(i, out, in));
  return dense_as(m, dtype);
}

Tensor pool(const Tensor& input, IntSpan sizes) {
  const int dims = int(sizes.size()), n = input.dim();
  HWARO_CHECK(n == dims + 1 || n == dims + 2, "adaptive_avg_pool", dims, "d(): Expected ", dims + 1, "D or ", dims + 2,
              "D tensor, but got ", sizes_str(input.sizes()));
  bool single = true;
  Dims last_dims;
  for (int d = 0; d < dims; ++d) {
    single = single && (sizes[d] == 1 || (sizes[d] == -1 && input.sizes()[n - dims + d] == 1));
    last_dims.push_back(n - dims + d);
  }
  if (single) return mean(input, IntSpan(last_dims), true);
  Tensor out = input;
  for (int d = 0; d < dims; ++d) {
    const int64_t in = input.sizes()[n - dims + d], want = sizes[d] == -1 ? in : sizes[d];
    HWARO_CHECK(want >= 0, "adaptive_avg_pool", dims,
                "d: elements of output_size must be greater than or equal to 0 but received ", want);
    if (want == in) continue;
    const Tensor m = window_matrix(want, in, input.dtype());
    out = transpose(matmul(transpose(out, n - dims + d, n - 1), t(m)), n - dims + d, n - 1);
  }
  return out;
}

Tensor recorded_pool(const char* name, const Tensor& input, IntSpan sizes) {
  bool single = true;
  for (int64_t s : sizes) single = single && s == 1;
  if (single || !recording(input)) return contiguous(pool(input, sizes));
  Tensor out;
  {
    NoGradGuard guard;
    out = contiguous(pool(input, sizes));
  }
  record(name, {input}, out, {}, [in = Dims(input.sizes())](Backward& b) {
    // The adjoint: the same products with the matrices transposed.
    Tensor g = b.g();
    const int n = g.dim();
    for (int d = 0; d < n; ++d) {
      if (g.sizes()[d] == in[d]) continue;
      const Tensor m = window_matrix(g.sizes()[d], in[d], g.dtype());
      g = transpose(matmul(transpose(g, d, n - 1), m), d, n - 1);
    }
    b.set(0, contiguous(g));
  });
  return out;
}

}  // namespace

struct AdaptiveAvgPool1d {
  static constexpr Schema schema = "adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor";
  static constexpr Doc doc = "Averages windows of the last dimension to the given output size.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, IntSpan size) { return recorded_pool("SqueezeBackward1", self, size); }
};
struct AdaptiveAvgPool2d {
  static constexpr Schema schema = "adaptive_avg_pool2d(Tensor self, int[2] output_size) -> Tensor";
  static constexpr Doc doc = "Averages windows of the last two dimensions to the given output size.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& self, IntSpan size) {
    return recorded_pool("AdaptiveAvgPool2DBackward0", self, size);
  }
};
struct AdaptiveAvgPool3d {
  static constexpr Schema schema = "adaptive_avg_pool3d(Tensor self, int[3] output_size) -> Tensor";
  static constexpr Doc doc = "Averages windows of the last three dimensions to the given output size.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& self, IntSpan size) {
    return recorded_pool("AdaptiveAvgPool3DBackward0", self, size);
  }
};

}  // namespace hwaro::engine

#include "families/adaptive_pool.inc"
