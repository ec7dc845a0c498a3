// Sampling of images at positions that a grid names (Jaderberg et al., "Spatial Transformer Networks", 2015).
//
// A position has a few weighted taps per dimension: one for the nearest pixel, two for linear, four for cubic
// interpolation (Keys, 1981, with a = -0.75); their products weigh the pixels, and with one weight replaced by its slope
// they give the gradient of that coordinate. Where the gradients are to be differentiated again, the same is composed of
// recorded operators.
#include <cmath>

#include "hwaro/autograd/engine.h"
#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/scatter.h"
#include "hwaro/ops/slicing.h"

namespace hwaro::engine {

using std::int64_t;

Tensor clamp(const Operand& self, const std::optional<Scalar>& min, const std::optional<Scalar>& max);
Tensor fmod(const Operand& self, const Operand& other);

namespace {

enum Mode { kLinear, kNearest, kCubic };
enum Padding { kZeros, kBorder, kReflection };

struct Sampling {
  int dims = 2;
  int64_t mode = kLinear, padding = kZeros;
  bool align = false;
};

constexpr double kKeys = -0.75;

// ---- taps of one dimension ----

template <class T>
struct Taps {
  int count = 1;
  int64_t index[4] = {0, 0, 0, 0};  // -1: outside, zero
  T weight[4] = {1, 0, 0, 0}, slope[4] = {0, 0, 0, 0};
};

// The pixel coordinate of c in [-1, 1]; scale: its derivative.
template <class T>
T to_pixels(T c, int64_t size, bool align, T& scale) {
  scale = align ? T(size - 1) / 2 : T(size) / 2;
  return align ? (c + 1) / 2 * T(size - 1) : ((c + 1) * T(size) - 1) / 2;
}

// A pixel coordinate brought back inside; NaN becomes 0.
template <class T>
T bounded(T u, int64_t size, const Sampling& s, T& scale) {
  if (s.padding == kZeros) return u;
  if (s.padding == kReflection) {
    const T low = s.align ? T(0) : T(-0.5), span = s.align ? T(size - 1) : T(size);
    if (span == 0) {
      scale = 0;
      return 0;
    }
    u -= low;
    if (u < 0) u = -u, scale = -scale;
    const T extra = std::fmod(u, span);
    const bool flipped = std::fmod(std::floor(u / span), T(2)) != 0;
    if (flipped) scale = -scale;
    u = (flipped ? span - extra : extra) + low;
  }
  if (!(u > 0)) {
    scale = 0;
    return 0;
  }
  if (u >= T(size - 1)) {
    scale = 0;
    return T(size - 1);
  }
  return u;
}

template <class T>
int64_t pixel(T u, int64_t size) {
  return u > T(-1) && u < T(size) ? int64_t(u) : -1;
}

template <class T>
Taps<T> taps_at(T c, int64_t size, const Sampling& s) {
  Taps<T> t;
  T scale, u = to_pixels(c, size, s.align, scale);
  if (s.mode == kNearest) {
    t.index[0] = pixel(std::nearbyint(bounded(u, size, s, scale)), size);
    return t;
  }
  if (s.mode == kLinear) {
    u = bounded(u, size, s, scale);
    const T first = std::floor(u), f = u - first;
    t.count = 2;
    for (int i = 0; i < 2; ++i) t.index[i] = pixel(first + T(i), size);
    t.weight[0] = 1 - f, t.weight[1] = f;
    t.slope[0] = -scale, t.slope[1] = scale;
    return t;
  }
  const T a = T(kKeys), first = std::floor(u), f = u - first;
  const auto far = [a](T x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  const auto near = [a](T x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far_slope = [a](T x) { return (3 * a * x - 10 * a) * x + 8 * a; };
  const auto near_slope = [a](T x) { return (3 * (a + 2) * x - 2 * (a + 3)) * x; };
  t.count = 4;
  for (int i = 0; i < 4; ++i) {
    T unused = 1;
    t.index[i] = pixel(bounded(first + T(i - 1), size, s, unused), size);
  }
  const T weights[4] = {far(f + 1), near(f), near(1 - f), far(2 - f)};
  const T slopes[4] = {far_slope(f + 1), near_slope(f), -near_slope(1 - f), -far_slope(2 - f)};
  for (int i = 0; i < 4; ++i) t.weight[i] = weights[i], t.slope[i] = slopes[i] * scale;
  return t;
}

// All pixels that a position reads. slope[d]: the derivative of the weight by coordinate d of the image (z, y, x).
template <class T>
struct Stencil {
  int count = 0;
  int64_t place[16];
  T weight[16], slope[3][16];
};

struct Sizes {
  int64_t batch, channels, points, plane, size[3] = {1, 1, 1};
};

template <class T>
Stencil<T> stencil_at(const T* position, const Sizes& z, const Sampling& s) {
  Taps<T> taps[3];
  for (int d = 0; d < s.dims; ++d)
    taps[2 - d] = taps_at(position[d], z.size[2 - d], s);  // the grid begins with x, the last dimension
  Stencil<T> out;
  for (int i = 0; i < taps[0].count; ++i)
    for (int j = 0; j < taps[1].count; ++j)
      for (int k = 0; k < taps[2].count; ++k) {
        const int64_t a = taps[0].index[i], b = taps[1].index[j], c = taps[2].index[k];
        const int n = out.count++;
        out.place[n] = a < 0 || b < 0 || c < 0 ? -1 : (a * z.size[1] + b) * z.size[2] + c;
        out.weight[n] = taps[0].weight[i] * taps[1].weight[j] * taps[2].weight[k];
        out.slope[0][n] = taps[0].slope[i] * taps[1].weight[j] * taps[2].weight[k];
        out.slope[1][n] = taps[0].weight[i] * taps[1].slope[j] * taps[2].weight[k];
        out.slope[2][n] = taps[0].weight[i] * taps[1].weight[j] * taps[2].slope[k];
      }
  return out;
}

Sizes sizes_of(const Tensor& input, const Tensor& grid, int dims) {
  Sizes z{input.sizes()[0], input.sizes()[1], 1, 1};
  for (int d = 0; d < dims; ++d) {
    z.size[3 - dims + d] = input.sizes()[std::size_t(2 + d)];
    z.plane *= input.sizes()[std::size_t(2 + d)];
    z.points *= grid.sizes()[std::size_t(1 + d)];
  }
  return z;
}

template <class T>
void sample(const Sizes& z, const Sampling& s, const T* x, const T* grid, T* out) {
  parallel_for(z.batch * z.points, 1 + 4096 / (z.channels + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / z.points, p = i % z.points;
      const Stencil<T> at = stencil_at(grid + i * s.dims, z, s);
      for (int64_t c = 0; c < z.channels; ++c) {
        const T* plane = x + (n * z.channels + c) * z.plane;
        T sum = 0;
        for (int k = 0; k < at.count; ++k) sum += at.weight[k] * (at.place[k] < 0 ? T(0) : plane[at.place[k]]);
        out[(n * z.channels + c) * z.points + p] = sum;
      }
    }
  });
}

// Either gradient may be null. Threads share the images of the batch: positions of one image meet in its pixels.
template <class T>
void sample_backward(const Sizes& z, const Sampling& s, const T* g, const T* x, const T* grid, T* to_x, T* to_grid) {
  parallel_for(z.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n)
      for (int64_t p = 0; p < z.points; ++p) {
        const Stencil<T> at = stencil_at(grid + (n * z.points + p) * s.dims, z, s);
        T slopes[3] = {0, 0, 0};
        for (int64_t c = 0; c < z.channels; ++c) {
          const int64_t image = (n * z.channels + c) * z.plane;
          const T by = g[(n * z.channels + c) * z.points + p];
          for (int k = 0; k < at.count; ++k) {
            if (at.place[k] < 0) continue;
            if (to_x) to_x[image + at.place[k]] += by * at.weight[k];
            if (!to_grid) continue;
            const T v = by * x[image + at.place[k]];
            for (int d = 3 - s.dims; d < 3; ++d) slopes[d] += v * at.slope[d][k];
          }
        }
        for (int d = 0; d < s.dims && to_grid; ++d) to_grid[(n * z.points + p) * s.dims + d] = slopes[2 - d];
      }
  });
}

// ---- the same, of recorded operators ----

Tensor composed_pixels(const Tensor& c, int64_t size, bool align) {
  return align ? (c + 1) * (double(size - 1) / 2) : (c + 1) * (double(size) / 2) - 0.5;
}

Tensor composed_bounded(const Tensor& u, int64_t size, const Sampling& s) {
  if (s.padding == kZeros) return u;
  const double low = s.align ? 0 : -0.5, span = s.align ? double(size - 1) : double(size);
  Tensor inside = u;
  if (s.padding == kReflection) {
    if (span == 0) return u * 0;
    const Tensor from = abs(u - low), extra = fmod(from, span);
    inside = where(fmod(floor(from / span), 2) == 0, extra + low, span - extra + low);
  }
  return clamp(inside, Scalar(0), Scalar(double(size - 1)));
}

// Values of the image (N, C, plane) at integer pixel coordinates (N, P) per dimension; zero outside.
Tensor fetched(const Tensor& x, const std::vector<Tensor>& at, const Sizes& z, const Sampling& s) {
  Tensor place, inside;
  {
    NoGradGuard guard;
    for (int d = 0; d < s.dims; ++d) {
      const int64_t size = z.size[3 - s.dims + d];
      const Tensor ok = (at[d] >= 0) & (at[d] <= size - 1);
      const Tensor index = to_dtype(clamp(at[d], Scalar(0), Scalar(double(size - 1))), kInt64);
      inside = d ? inside & ok : ok;
      place = d ? place * size + index : index;
    }
    place = contiguous(expand(unsqueeze(place, 1), {z.batch, z.channels, z.points}));
  }
  const Tensor flat = reshape(x, {z.batch, z.channels, z.plane});
  return where(unsqueeze(inside, 1), gather(flat, 2, place), 0);
}

Tensor composed(const Tensor& x, const Tensor& grid, const Sampling& s) {
  const Sizes z = sizes_of(x, grid, s.dims);
  const Tensor flat = reshape(grid, {z.batch, z.points, s.dims});
  std::vector<std::vector<Tensor>> places, weights;
  for (int d = 0; d < s.dims; ++d) {
    const int64_t size = z.size[3 - s.dims + d];
    Tensor u = composed_pixels(select(flat, 2, s.dims - 1 - d), size, s.align);
    if (s.mode != kCubic) u = composed_bounded(u, size, s);
    if (s.mode == kNearest) {
      places.push_back({round(detach(u))});
      weights.push_back({u * 0 + 1});
      continue;
    }
    const Tensor first = floor(detach(u)), f = u - first;
    if (s.mode == kLinear) {
      places.push_back({first, first + 1});
      weights.push_back({1 - f, f});
      continue;
    }
    const double a = kKeys;
    const auto far = [a](const Tensor& t) { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a; };
    const auto near = [a](const Tensor& t) { return ((a + 2) * t - (a + 3)) * t * t + 1; };
    places.emplace_back();
    for (int i = 0; i < 4; ++i) places.back().push_back(round(composed_bounded(first + double(i - 1), size, s)));
    weights.push_back({far(f + 1), near(f), near(1 - f), far(2 - f)});
  }
  Tensor sum;
  std::vector<std::size_t> at(std::size_t(s.dims), 0);
  for (bool more = true; more;) {
    std::vector<Tensor> place;
    Tensor weight;
    for (int d = 0; d < s.dims; ++d) {
      place.push_back(places[d][at[d]]);
      weight = d ? weight * weights[d][at[d]] : weights[d][at[d]];
    }
    const Tensor part = fetched(x, place, z, s) * unsqueeze(weight, 1);
    sum = sum.defined() ? sum + part : part;
    more = false;
    for (int d = 0; d < s.dims && !more; ++d) {
      more = ++at[d] < places[d].size();
      if (!more) at[d] = 0;
    }
  }
  return sum;
}

// Gradients that can be differentiated again.
void composed_gradients(Backward& b, const Tensor& g, const Tensor& x, const Tensor& grid, const Sampling& s) {
  // Views of their own: were the grid computed from the image, the way through it would be counted twice.
  const Tensor inputs[] = {alias(x), alias(grid)};
  std::vector<Tensor> wanted;
  for (int i = 0; i < 2; ++i)
    if (b.needs(std::size_t(i))) wanted.push_back(inputs[i]);
  const Tensor out = composed(inputs[0], inputs[1], s), start = reshape(g, out.sizes());
  BackwardOptions options;
  options.retain_graph = options.create_graph = options.allow_unused = true;
  options.accumulate = false;
  const std::vector<Tensor> grads = run_backward({&out, 1}, {&start, 1}, wanted, options);
  std::size_t next = 0;
  for (std::size_t i = 0; i < 2; ++i)
    if (b.needs(i)) b.set(i, grads[next++]);
}

// ---- the operator ----

Tensor sampled(const Tensor& input, const Tensor& grid, const Sampling& s) {
  HWARO_CHECK(input.dtype() == grid.dtype(), "expected scalar type ", scalar_type_name(input.dtype()), " but found ",
              scalar_type_name(grid.dtype()));
  HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"grid_sampler_", s.dims, "d_cpu",
                 s.dims == 2 ? "_kernel_impl" : "", "\" not implemented for '", scalar_type_name(input.dtype()), "'");
  check_has_data(input, {grid});
  const Sizes z = sizes_of(input, grid, s.dims);
  Dims shape{z.batch, z.channels};
  for (int d = 0; d < s.dims; ++d) shape.push_back(grid.sizes()[std::size_t(1 + d)]);
  const DType type = compute_type(input.dtype());
  Tensor out = make_tensor(shape, type, input.device());
  if (!input.device().is_meta()) {
    const Tensor x = dense_as(input, type), at = dense_as(grid, type);
    visit<bit(DType::Float) | bit(DType::Double)>(type, "grid_sampler", [&](auto tag) {
      using T = typename decltype(tag)::type;
      sample<T>(z, s, x->read_as<T>(), at->read_as<T>(), out->write_as<T>());
    });
  }
  out = dense_as(out, input.dtype());
  if (recording(input, grid))
    record(s.dims == 2 ? "GridSampler2DBackward0" : "GridSampler3DBackward0", {input, grid}, out,
           {save(input), save(grid)}, [s](Backward& b) {
             const Tensor input = b.saved(0), grid = b.saved(1);
             if (grad_enabled()) return composed_gradients(b, b.g(), input, grid, s);
             const DType type = compute_type(input.dtype());
             const Tensor x = dense_as(input, type), at = dense_as(grid, type), g = dense_as(b.g(), type);
             const Tensor to_x = b.needs(0) ? make_zeros(input.sizes(), type, input.device()) : Tensor();
             const Tensor to_grid = b.needs(1) ? make_zeros(grid.sizes(), type, input.device()) : Tensor();
             if (!input.device().is_meta())
               visit<bit(DType::Float) | bit(DType::Double)>(type, "grid_sampler_backward", [&](auto tag) {
                 using T = typename decltype(tag)::type;
                 sample_backward<T>(sizes_of(input, grid, s.dims), s, g->read_as<T>(), x->read_as<T>(),
                                    at->read_as<T>(), to_x.defined() ? to_x->write_as<T>() : nullptr,
                                    to_grid.defined() ? to_grid->write_as<T>() : nullptr);
               });
             if (to_x.defined()) b.set(0, dense_as(to_x, input.dtype()));
             if (to_grid.defined()) b.set(1, dense_as(to_grid, grid.dtype()));
           });
  return out;
}

void check_call(const Tensor& input, const Tensor& grid, int dims) {
  HWARO_CHECK_AS(IndexError, input.dim() > 0 && grid.dim() > 0,
                 "Dimension specified as 0 but tensor has no dimensions");
  HWARO_CHECK(input.sizes()[0] == grid.sizes()[0],
              "grid_sampler(): expected grid and input to have same batch size, but got input with sizes ",
              sizes_str(input.sizes()), " and grid with sizes ", sizes_str(grid.sizes()));
  HWARO_CHECK(grid.sizes().back() == input.dim() - 2, "grid_sampler(): expected grid to have size ", input.dim() - 2,
              " in last dimension, but got grid with sizes ", sizes_str(grid.sizes()));
  for (int d = 2; d < input.dim(); ++d)
    HWARO_CHECK(input.sizes()[d] > 0,
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ",
                sizes_str(input.sizes()), " with dimension ", d, " being empty");
  HWARO_CHECK(input.dim() == dims + 2 && grid.dim() == dims + 2, "grid_sampler(): expected ", dims + 2,
              "D input and grid with same number of dimensions, but got input with sizes ", sizes_str(input.sizes()),
              " and grid with sizes ", sizes_str(grid.sizes()));
}

Sampling sampling_of(int dims, int64_t mode, int64_t padding, bool align) {
  HWARO_CHECK(mode >= kLinear && mode <= kCubic, "grid_sampler(): expected interpolation mode 0, 1 or 2, but got ",
              mode);
  HWARO_CHECK(padding >= kZeros && padding <= kReflection, "grid_sampler(): expected padding mode 0, 1 or 2, but got ",
              padding);
  HWARO_CHECK(dims == 2 || mode != kCubic, "grid_sampler(): bicubic interpolation only supports 4D input");
  return {dims, mode, padding, align};
}

}  // namespace

struct GridSampler2d {
  static constexpr Schema schema =
      "grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> "
      "Tensor";
  static constexpr Doc doc = "input (N, C, H, W) at the positions (x, y) of grid (N, h, w, 2): (N, C, h, w).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& grid, int64_t mode, int64_t padding, bool align_corners) {
    check_call(input, grid, 2);
    return sampled(input, grid, sampling_of(2, mode, padding, align_corners));
  }
};

struct GridSampler3d {
  static constexpr Schema schema =
      "grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> "
      "Tensor";
  static constexpr Doc doc = "input (N, C, D, H, W) at the positions (x, y, z) of grid (N, d, h, w, 3).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& grid, int64_t mode, int64_t padding, bool align_corners) {
    check_call(input, grid, 3);
    return sampled(input, grid, sampling_of(3, mode, padding, align_corners));
  }
};

struct GridSampler {
  static constexpr Schema schema =
      "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor";
  static constexpr Doc doc =
      "input at the positions of grid; modes: 0 linear, 1 nearest, 2 cubic; padding: 0 zeros, 1 border, 2 reflection.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& grid, int64_t mode, int64_t padding, bool align_corners) {
    const int dims = input.dim() == 4 ? 2 : 3;
    check_call(input, grid, dims);
    return sampled(input, grid, sampling_of(dims, mode, padding, align_corners));
  }
};

}  // namespace hwaro::engine

#include "families/grid_sample.inc"
