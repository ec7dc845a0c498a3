// Adaptive pooling: output cell i of n covers the input cells floor(i * size / n) to ceil((i + 1) * size / n). Where n divides
// the size these are ordinary windows, and the kernels of ordinary pooling do the work.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/nn/pick.h"
#include "hwaro/ops/nn/pool_kernels.h"
#include "hwaro/ops/nn/tensor_or_pair.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Planes of three dimensions; missing ones have size 1.
struct Cells {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  int dims = 0;
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
  int64_t first(int d, int64_t i) const { return i * in[d] / out[d]; }
  int64_t last(int d, int64_t i) const { return ((i + 1) * in[d] + out[d] - 1) / out[d]; }
  bool even() const {
    for (int d = 0; d < 3; ++d)
      if (out[d] == 0 || in[d] % out[d] != 0) return false;
    return true;
  }
  PoolGeometry windows() const {
    PoolGeometry g;
    for (int d = 0; d < 3; ++d) {
      g.in[d] = in[d];
      g.out[d] = out[d];
      g.kernel[d] = g.stride[d] = in[d] / out[d];
    }
    return g;
  }
};

Cells cells_of(IntSpan in, IntSpan out, int dims) {
  Cells c;
  c.dims = dims;
  for (int d = 0; d < dims; ++d) {
    c.in[3 - dims + d] = in[in.size() - std::size_t(dims - d)];
    c.out[3 - dims + d] = out[out.size() - std::size_t(dims - d)];
  }
  return c;
}

Dims pooled_shape(const Tensor& input, IntSpan size) {
  Dims shape(input.sizes());
  for (std::size_t d = 0; d < size.size(); ++d) shape[shape.size() - size.size() + d] = size[d];
  return shape;
}

void check_filled(const char* op, const Tensor& input, int dims) {
  for (int d = input.dim() - dims; d < input.dim(); ++d)
    HWARO_CHECK(input.sizes()[d] != 0, op,
                "(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ",
                sizes_str(input.sizes()), " with dimension ", d, " being empty");
}

void check_gradient(const std::string& op, const Tensor& g, int dims) {
  for (int d = g.dim() - dims; d < g.dim(); ++d)
    HWARO_CHECK(g.sizes()[d] != 0, op,
                "(): Expected grad_output to have non-zero size for non-batch dimensions, but grad_output has sizes ",
                sizes_str(g.sizes()), " with dimension ", d, " being empty");
}

// Calls f(output index, first and last input positions per dimension) for every cell.
template <class F>
void each_cell(const Cells& c, F f) {
  int64_t o = 0, a[3], b[3];
  for (int64_t i = 0; i < c.out[0]; ++i)
    for (int64_t j = 0; j < c.out[1]; ++j)
      for (int64_t k = 0; k < c.out[2]; ++k, ++o) {
        const int64_t at[3] = {i, j, k};
        for (int d = 0; d < 3; ++d) a[d] = c.first(d, at[d]), b[d] = c.last(d, at[d]);
        f(o, a, b);
      }
}

// Runs f(plane of in, plane of out) over all planes.
template <class T, class F>
void each_plane(const Cells& c, int64_t planes, const T* in, T* out, int64_t in_size, int64_t out_size, F f) {
  parallel_for(planes, 1 + 16384 / (c.in_size() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) f(in + p * in_size, out + p * out_size);
  });
}

// ---- average ----

const char* node_name(int dims, bool backward) {
  return dims == 3 ? (backward ? "AdaptiveAvgPool3DBackwardBackward0" : "AdaptiveAvgPool3DBackward0")
                   : (backward ? "AdaptiveAvgPool2DBackwardBackward0" : "AdaptiveAvgPool2DBackward0");
}

Tensor average_backward(const Tensor& g, IntSpan in_sizes, const Cells& c, bool channels_last);

Tensor average(const Tensor& input, IntSpan shape, const Cells& c) {
  const DType type = compute_type(input.dtype());
  Tensor out = make_tensor(shape, type, input.device());
  HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), '"',
                 c.dims == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", "\" not implemented for '",
                 scalar_type_name(input.dtype()), '\'');
  if (!input.device().is_meta() && out.numel() > 0) {
    const Tensor x = dense_as(input, type);
    visit<bit(DType::Float) | bit(DType::Double)>(type, "adaptive_avg_pool", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const PoolGeometry windows = c.even() ? c.windows() : PoolGeometry();
      each_plane<T>(c, out.numel() / c.out_size(), x->read_as<T>(), out->write_as<T>(), c.in_size(), c.out_size(),
                    [&](const T* from, T* to) {
                      if (c.even()) return pool_kernels().avg_forward[int(type)](windows, 1, from, to);
                      each_cell(c, [&](int64_t o, const int64_t* a, const int64_t* b) {
                        T sum = 0;
                        for (int64_t i = a[0]; i < b[0]; ++i)
                          for (int64_t j = a[1]; j < b[1]; ++j)
                            for (int64_t k = a[2]; k < b[2]; ++k) sum += from[(i * c.in[1] + j) * c.in[2] + k];
                        to[o] = sum / T((b[0] - a[0]) * (b[1] - a[1]) * (b[2] - a[2]));
                      });
                    });
    });
  }
  out = in_layout(dense_as(out, input.dtype()), c.dims == 2 && is_channels_last(input));
  if (recording(input))
    // PyTorch saves the input, so a second backward raises; an empty place does so without the memory.
    record(node_name(c.dims, false), {input}, out, {Save{}},
           [sizes = Dims(input.sizes()), c, last = c.dims == 2 && is_channels_last(input)](Backward& b) {
             b.saved(0);
             b.set(0, average_backward(b.g(), sizes, c, last));
           });
  return out;
}

Tensor average_backward(const Tensor& g, IntSpan in_sizes, const Cells& c, bool channels_last) {
  check_gradient(concat("adaptive_avg_pool", c.dims, "d_backward"), g, c.dims);
  const DType type = compute_type(g.dtype());
  Tensor out = make_zeros(in_sizes, type, g.device());
  if (!g.device().is_meta() && g.numel() > 0) {
    const Tensor grad = dense_as(g, type);
    visit<bit(DType::Float) | bit(DType::Double)>(type, "adaptive_avg_pool_backward", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const PoolGeometry windows = c.even() ? c.windows() : PoolGeometry();
      each_plane<T>(c, g.numel() / c.out_size(), grad->read_as<T>(), out->write_as<T>(), c.out_size(), c.in_size(),
                    [&](const T* from, T* to) {
                      if (c.even()) return pool_kernels().avg_backward[int(type)](windows, 1, from, to);
                      each_cell(c, [&](int64_t o, const int64_t* a, const int64_t* b) {
                        const T part = from[o] / T((b[0] - a[0]) * (b[1] - a[1]) * (b[2] - a[2]));
                        for (int64_t i = a[0]; i < b[0]; ++i)
                          for (int64_t j = a[1]; j < b[1]; ++j)
                            for (int64_t k = a[2]; k < b[2]; ++k) to[(i * c.in[1] + j) * c.in[2] + k] += part;
                      });
                    });
    });
  }
  out = in_layout(dense_as(out, g.dtype()), channels_last);
  if (recording(g))
    record(node_name(c.dims, true), {g}, out, {},
           [shape = Dims(g.sizes()), c](Backward& b) { b.set(0, average(b.g(), shape, c)); });
  return out;
}

std::string braces(IntSpan v) {
  std::string s = "{";
  for (std::size_t i = 0; i < v.size(); ++i) s += (i ? ", " : "") + std::to_string(v[i]);
  return s + "}";
}

Tensor adaptive_avg(const Tensor& input, IntSpan size, int dims) {
  const std::string op = concat("adaptive_avg_pool", dims, 'd');
  HWARO_CHECK(int(size.size()) == dims, op, ": output_size must be ", dims);
  bool good = true, single = true;
  for (int64_t s : size) good = good && s >= 0, single = single && s == 1;
  HWARO_CHECK(good, op, ": elements of output_size must be greater than or equal to 0 but received ",
              dims == 3 ? concat('{', size[0], ", ", size[1], ',', size[2], '}') : braces(size));
  if (single && input.dim() >= dims) {
    // A mean over everything, laid out as the input.
    Dims last;
    for (int d = 0; d < dims; ++d) last.push_back(d - dims);
    return mean(input, IntSpan(last), true);
  }
  HWARO_CHECK(input.dim() == dims + 1 || input.dim() == dims + 2, op, "(): Expected ", dims + 1, "D or ", dims + 2,
              "D tensor, but got ", sizes_str(input.sizes()));
  check_filled(op.c_str(), input, dims);
  return average(input, pooled_shape(input, size), cells_of(input.sizes(), size, dims));
}

// ---- maximum ----

TensorOrPair adaptive_max(const Tensor& input, IntSpan size, int dims, bool return_indices) {
  const std::string op = concat("adaptive_max_pool", dims, 'd');
  HWARO_CHECK(input.dim() == dims + 1 || input.dim() == dims + 2, op, "(): Expected ", dims + 1, "D or ", dims + 2,
              "D tensor, but got: ", sizes_str(input.sizes()));
  check_filled(op.c_str(), input, dims);
  HWARO_CHECK(int(size.size()) == dims, op, "(): internal error: output_size.size() must be ", dims);
  const Cells c = cells_of(input.sizes(), size, dims);
  HWARO_CHECK(c.in_size() < (int64_t(1) << 31), "max pooling over planes of more than 2^31 elements is not supported");
  const Dims shape = pooled_shape(input, size);
  Tensor out = make_tensor(shape, input.dtype(), input.device());
  const Tensor index = make_tensor(shape, kInt32, input.device());
  HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"adaptive_max_pool", dims,
                 dims == 3 ? "d_cpu" : "d", "\" not implemented for '", scalar_type_name(input.dtype()), '\'');
  if (!input.device().is_meta() && out.numel() > 0) {
    const Tensor x = dense(input);
    visit<kFloatSet>(input.dtype(), "adaptive_max_pool", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* from = x->read_as<T>();
      T* to = out->write_as<T>();
      std::int32_t* at = index->write_as<std::int32_t>();
      parallel_for(out.numel() / c.out_size(), 1 + 16384 / c.in_size(), [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p) {
          const T* plane = from + p * c.in_size();
          each_cell(c, [&](int64_t o, const int64_t* a, const int64_t* b) {
            int64_t best = (a[0] * c.in[1] + a[1]) * c.in[2] + a[2];
            using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
            Wide top = -std::numeric_limits<Wide>::infinity();
            for (int64_t i = a[0]; i < b[0]; ++i)
              for (int64_t j = a[1]; j < b[1]; ++j)
                for (int64_t k = a[2]; k < b[2]; ++k) {
                  const int64_t q = (i * c.in[1] + j) * c.in[2] + k;
                  const Wide v = static_cast<Wide>(plane[q]);
                  if (v > top || v != v) top = v, best = q;
                }
            to[p * c.out_size() + o] = plane[best];
            at[p * c.out_size() + o] = std::int32_t(best);
          });
        }
      });
    });
  }
  if (c.dims == 2) out = in_layout_of(out, input);
  const Tensor wide =
      return_indices ? in_layout(dense_as(index, kInt64), c.dims == 2 && is_channels_last(input)) : Tensor();
  if (recording(input))
    record_pick(dims == 3 ? "AdaptiveMaxPool3DBackward0" : "AdaptiveMaxPool2DBackward0", input, out, index, dims, wide);
  return {out, wide};
}

void check_rank_1d(const Tensor& input, const char* op) {
  HWARO_CHECK(input.dim() == 2 || input.dim() == 3, "Expected 2 to 3 dimensions, but got ", input.dim(),
              "-dimensional tensor for argument #1 'self' (while checking arguments for ", op, ')');
}

}  // namespace

struct AdaptiveAvgPool1d {
  static constexpr Schema schema = "adaptive_avg_pool1d(Tensor input, int[1] output_size) -> Tensor";
  static constexpr Doc doc = "Means of windows that divide the last dimension into the given number of cells.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan size) {
    check_rank_1d(input, "adaptive_avg_pool1d");
    HWARO_CHECK(size.size() == 1, "adaptive_avg_pool1d() argument 'output_size' should contain one int (got ",
                size.size(), ')');
    return squeeze(adaptive_avg(unsqueeze(input, -2), {1, size[0]}, 2), -2);
  }
};

struct AdaptiveAvgPool2d {
  static constexpr Schema schema = "adaptive_avg_pool2d(Tensor input, int[2] output_size) -> Tensor";
  static constexpr Doc doc = "Means of windows that divide the last two dimensions into the given numbers of cells.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan size) { return adaptive_avg(input, size, 2); }
};

struct AdaptiveAvgPool3d {
  static constexpr Schema schema = "adaptive_avg_pool3d(Tensor input, int[3] output_size) -> Tensor";
  static constexpr Doc doc = "Means of windows that divide the last three dimensions into the given numbers of cells.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan size) { return adaptive_avg(input, size, 3); }
};

struct AdaptiveMaxPool1d {
  static constexpr Schema schema =
      "adaptive_max_pool1d(Tensor input, int[1] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc = "Maxima of windows that divide the last dimension, with their indices if asked for.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    check_rank_1d(input, "adaptive_max_pool1d");
    check_filled("adaptive_max_pool1d", input, 1);
    HWARO_CHECK(size.size() == 1, "adaptive_max_pool1d() argument 'output_size' should contain one int (got ",
                size.size(), ')');
    TensorOrPair r = adaptive_max(unsqueeze(input, -2), {1, size[0]}, 2, return_indices);
    return {squeeze(r.values, -2), r.indices.defined() ? squeeze(r.indices, -2) : Tensor()};
  }
};

struct AdaptiveMaxPool2d {
  static constexpr Schema schema =
      "adaptive_max_pool2d(Tensor input, int[2] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc =
      "Maxima of windows that divide the last two dimensions, with their flat indices if asked for.";
  static constexpr unsigned expose = kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    return adaptive_max(input, size, 2, return_indices);
  }
};

struct AdaptiveMaxPool3d {
  static constexpr Schema schema =
      "adaptive_max_pool3d(Tensor input, int[3] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc =
      "Maxima of windows that divide the last three dimensions, with their flat indices if asked for.";
  static constexpr unsigned expose = kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    return adaptive_max(input, size, 3, return_indices);
  }
};

}  // namespace hwaro::engine

#include "families/adaptive_pool.inc"
