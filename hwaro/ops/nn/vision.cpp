// Resizing, shuffling of pixels, adaptive maximum pooling.
//
// Every interpolation is linear and separable: one matrix (output size, input size) per dimension holds the weights, and
// resizing is a product with each of them in turn. So are its gradients, to any order.
#include <algorithm>
#include <cmath>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/tensor_or_pair.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor gather(const Tensor& self, std::int64_t dim, const Tensor& index, bool sparse_grad);

using std::int64_t;

namespace {

enum class Mode { Nearest, NearestExact, Linear, Cubic, Area };

// Keys' cubic convolution kernel (1981) with a = -0.75.
double cubic(double t) {
  constexpr double a = -0.75;
  t = std::abs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

// `scale` is input cells per output cell.
Tensor weights(Mode mode, int64_t in, int64_t out, double scale, bool align_corners, DType dtype) {
  const Tensor m = make_zeros({out, in}, DType::Double);
  double* w = m->write_as<double>();
  auto add_to = [&](int64_t i, int64_t k, double v) { w[i * in + std::clamp<int64_t>(k, 0, in - 1)] += v; };
  if (align_corners) scale = out > 1 ? double(in - 1) / double(out - 1) : 0;
  for (int64_t i = 0; i < out; ++i) {
    const float nearest = float(scale);
    switch (mode) {
      case Mode::Nearest: add_to(i, std::min(int64_t(std::floor(float(i) * nearest)), in - 1), 1); break;
      case Mode::NearestExact: add_to(i, std::min(int64_t(std::floor((float(i) + 0.5f) * nearest)), in - 1), 1); break;
      case Mode::Linear: {
        const double at = align_corners ? scale * double(i) : std::max(0.0, scale * (double(i) + 0.5) - 0.5);
        const int64_t k = std::min(int64_t(at), in - 1);
        const double t = k + 1 < in ? at - double(k) : 0;
        add_to(i, k, 1 - t);
        add_to(i, k + 1, t);
        break;
      }
      case Mode::Cubic: {
        const double at = align_corners ? scale * double(i) : scale * (double(i) + 0.5) - 0.5;
        const double k = std::floor(at);
        for (int d = -1; d <= 2; ++d) add_to(i, int64_t(k) + d, cubic(at - k - d));
        break;
      }
      case Mode::Area: {
        const int64_t from = i * in / out, to = ((i + 1) * in + out - 1) / out;
        for (int64_t k = from; k < to; ++k) add_to(i, k, 1.0 / double(to - from));
        break;
      }
    }
  }
  return dense_as(m, dtype);
}

Tensor resize(const Tensor& input, int64_t dim, const Tensor& matrix) {
  const int64_t last = input.dim() - 1;
  return transpose(matmul(transpose(input, dim, last), t(matrix)), dim, last);
}

}  // namespace

struct Interpolate {
  static constexpr Schema schema =
      "interpolate(Tensor input, int[]? size=None, float[]? scale_factor=None, str mode='nearest', bool? "
      "align_corners=None, "
      "bool? recompute_scale_factor=None, bool antialias=False) -> Tensor";
  static constexpr Doc doc =
      "Resizes the spatial dimensions of (N, C, …): nearest, nearest-exact, linear, bilinear, bicubic, trilinear or "
      "area.";
  static constexpr unsigned expose = 0;  // torch.nn.functional.interpolate takes single numbers too: see below
  static Tensor call(const Tensor& input, std::optional<IntSpan> size, std::optional<Span<double>> factors,
                     std::string_view mode, std::optional<bool> align, std::optional<bool> recompute, bool antialias) {
    const int spatial = input.dim() - 2;
    HWARO_CHECK_AS(NotImplementedError, !antialias, "interpolate: antialias=True is not supported");
    HWARO_CHECK_AS(NotImplementedError, spatial >= 1 && spatial <= 3,
                   "Input Error: Only 3D, 4D and 5D input Tensors supported (got ", input.dim(),
                   "D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ",
                   mode, ")");
    const bool corners_allowed = mode == "linear" || mode == "bilinear" || mode == "bicubic" || mode == "trilinear";
    HWARO_CHECK_AS(
        ValueError, corners_allowed || !align,
        "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
    HWARO_CHECK_AS(ValueError, !(size && factors), "only one of size or scale_factor should be defined");
    HWARO_CHECK_AS(ValueError, size || factors, "either size or scale_factor should be defined");
    Mode m;
    if (mode == "nearest") m = Mode::Nearest;
    else if (mode == "nearest-exact") m = Mode::NearestExact;
    else if (mode == "area") m = Mode::Area;
    else if ((mode == "linear" && spatial == 1) || (mode == "bilinear" && spatial == 2) ||
             (mode == "trilinear" && spatial == 3))
      m = Mode::Linear;
    else if (mode == "bicubic" && spatial == 2) m = Mode::Cubic;
    else if (corners_allowed)
      raise<NotImplementedError>("Got ", input.dim(), "D input, but ", mode, " mode needs ",
                                 mode == "linear"      ? 3
                                 : mode == "trilinear" ? 5
                                                       : 4,
                                 "D input");
    else
      raise<NotImplementedError>(
          "Input Error: Only 3D, 4D and 5D input Tensors supported (got ", input.dim(),
          "D) for the modes: nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact (got ", mode,
          ")");
    Tensor out = input;
    for (int d = 0; d < spatial; ++d) {
      const int64_t in = input.sizes()[2 + d];
      const double factor = factors ? (*factors)[factors->size() == 1 ? 0 : std::size_t(d)] : 0;
      const int64_t want =
          size ? (*size)[size->size() == 1 ? 0 : std::size_t(d)] : int64_t(std::floor(double(in) * factor));
      HWARO_CHECK(want > 0 && in > 0, "Input and output sizes should be greater than 0, but got input (H: ", in,
                  ") output (H: ", want, ")");
      // A scale that was given counts as it is, unless the sizes are to decide.
      const double scale =
          factors && !recompute.value_or(false) && m != Mode::Area ? 1 / factor : double(in) / double(want);
      out = resize(out, 2 + d, weights(m, in, want, scale, align.value_or(false), input.dtype()));
    }
    return contiguous(out);
  }
};

struct FunctionalInterpolate {
  static constexpr Schema schema =
      "interpolate.functional(Tensor input, int[1]? size=None, float[1]? scale_factor=None, str mode='nearest', bool? "
      "align_corners=None, "
      "bool? recompute_scale_factor=None, bool antialias=False) -> Tensor";
  static constexpr Doc doc =
      "Resizes the spatial dimensions of (N, C, …): nearest, nearest-exact, linear, bilinear, bicubic, trilinear or "
      "area.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, std::optional<IntSpan> size, std::optional<Span<double>> factors,
                     std::string_view mode, std::optional<bool> align, std::optional<bool> recompute, bool antialias) {
    return Interpolate::call(input, size, factors, mode, align, recompute, antialias);
  }
};

struct PixelShuffle {
  static constexpr Schema schema = "pixel_shuffle(Tensor self, int upscale_factor) -> Tensor";
  static constexpr Doc doc = "(…, C r r, H, W) to (…, C, H r, W r) (Shi et al., 2016).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t r) {
    HWARO_CHECK(self.dim() >= 3, "pixel_shuffle expects input to have at least 3 dimensions, but got input with ",
                self.dim(), " dimension(s)");
    HWARO_CHECK(r > 0, "pixel_shuffle expects a positive upscale_factor, but got ", r);
    const int n = self.dim();
    const int64_t c = self.sizes()[n - 3], h = self.sizes()[n - 2], w = self.sizes()[n - 1];
    HWARO_CHECK(c % (r * r) == 0,
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                "upscale_factor, but input.size(-3)=",
                c, " is not divisible by ", r * r);
    Dims split(IntSpan(self.sizes().data(), std::size_t(n - 3))), out(split), order;
    for (int d = 0; d < n - 3; ++d) order.push_back(d);
    for (int64_t s : {c / (r * r), r, r, h, w}) split.push_back(s);
    for (int64_t d : {0, 3, 1, 4, 2}) order.push_back(n - 3 + d);
    for (int64_t s : {c / (r * r), h * r, w * r}) out.push_back(s);
    return reshape(permute(reshape(self, split), order), out);
  }
};

struct PixelUnshuffle {
  static constexpr Schema schema = "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor";
  static constexpr Doc doc = "(…, C, H r, W r) to (…, C r r, H, W): the inverse of pixel_shuffle.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t r) {
    HWARO_CHECK(self.dim() >= 3, "pixel_unshuffle expects input to have at least 3 dimensions, but got input with ",
                self.dim(), " dimension(s)");
    HWARO_CHECK(r > 0, "pixel_unshuffle expects a positive downscale_factor, but got ", r);
    const int n = self.dim();
    const int64_t c = self.sizes()[n - 3], h = self.sizes()[n - 2], w = self.sizes()[n - 1];
    HWARO_CHECK(h % r == 0,
                "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=", h,
                " is not divisible by ", r);
    HWARO_CHECK(w % r == 0, "pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=", w,
                " is not divisible by ", r);
    Dims split(IntSpan(self.sizes().data(), std::size_t(n - 3))), out(split), order;
    for (int d = 0; d < n - 3; ++d) order.push_back(d);
    for (int64_t s : {c, h / r, r, w / r, r}) split.push_back(s);
    for (int64_t d : {0, 2, 4, 1, 3}) order.push_back(n - 3 + d);
    for (int64_t s : {c * r * r, h / r, w / r}) out.push_back(s);
    return reshape(permute(reshape(self, split), order), out);
  }
};

struct ChannelShuffle {
  static constexpr Schema schema = "channel_shuffle(Tensor self, int groups) -> Tensor";
  static constexpr Doc doc = "Channels (N, g n, …) regrouped as (N, n g, …) (Zhang et al., ShuffleNet, 2018).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t groups) {
    HWARO_CHECK(self.dim() > 2, "channel_shuffle expects input with > 2 dims, but got input with sizes ",
                sizes_str(self.sizes()));
    HWARO_CHECK(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:", groups);
    const int64_t c = self.sizes()[1];
    HWARO_CHECK(c % groups == 0, "Number of channels must be divisible by groups. Got ", c, " channels and ", groups,
                " groups.");
    return reshape(transpose(reshape(self, {self.sizes()[0], groups, c / groups, -1}), 1, 2), self.sizes());
  }
};

// ---- adaptive maximum pooling ----

namespace {

// The flat position of each window's maximum among the pooled dimensions; NaN wins, then the first.
Tensor window_argmax(const Tensor& input, IntSpan out_sizes) {
  const int spatial = int(out_sizes.size()), n = input.dim();
  const Tensor x = dense_as(input, DType::Double);
  Dims shape(IntSpan(input.sizes().data(), std::size_t(n - spatial)));
  for (int64_t s : out_sizes) shape.push_back(s);
  const Tensor index = make_tensor(shape, DType::Int64);
  Dims in(IntSpan(input.sizes().data() + (n - spatial), std::size_t(spatial)));
  const int64_t plane = product(in), cells = product(out_sizes), planes = plane ? input.numel() / plane : 0;
  const double* p = x->read_as<double>();
  int64_t* to = index->write_as<int64_t>();
  for (int64_t q = 0; q < planes; ++q)
    for (int64_t cell = 0; cell < cells; ++cell) {
      int64_t begin[3] = {0, 0, 0}, end[3] = {1, 1, 1}, rest = cell;
      for (int d = spatial; d-- > 0;) {
        const int64_t i = rest % out_sizes[d], slot = 3 - spatial + d;
        rest /= out_sizes[d];
        begin[slot] = i * in[d] / out_sizes[d];
        end[slot] = ((i + 1) * in[d] + out_sizes[d] - 1) / out_sizes[d];
      }
      const int64_t h = spatial > 1 ? in[spatial - 2] : 1, w = in[spatial - 1];
      int64_t best = -1;
      for (int64_t a = begin[0]; a < end[0]; ++a)
        for (int64_t b = begin[1]; b < end[1]; ++b)
          for (int64_t c = begin[2]; c < end[2]; ++c) {
            const int64_t at = (a * h + b) * w + c;
            if (best < 0 || p[q * plane + at] > p[q * plane + best] ||
                (std::isnan(p[q * plane + at]) && !std::isnan(p[q * plane + best])))
              best = at;
          }
      to[q * cells + cell] = best;
    }
  return index;
}

TensorOrPair adaptive_max(const Tensor& input, IntSpan sizes, bool return_indices) {
  const int spatial = int(sizes.size()), n = input.dim();
  HWARO_CHECK(n == spatial + 1 || n == spatial + 2, "adaptive_max_pool", spatial, "d(): Expected ", spatial + 1,
              "D or ", spatial + 2, "D tensor, but got ", sizes_str(input.sizes()));
  Dims out_sizes;
  for (int d = 0; d < spatial; ++d) {
    HWARO_CHECK(sizes[d] >= -1, "adaptive_max_pool", spatial,
                "d: elements of output_size must be greater than or equal to 0 but received ", sizes[d]);
    out_sizes.push_back(sizes[d] == -1 ? input.sizes()[n - spatial + d] : sizes[d]);
  }
  const Tensor index = window_argmax(input, out_sizes);
  Dims flat(IntSpan(input.sizes().data(), std::size_t(n - spatial))), flat_out(flat);
  flat.push_back(product(IntSpan(input.sizes().data() + (n - spatial), std::size_t(spatial))));
  flat_out.push_back(product(out_sizes));
  return {reshape(gather(reshape(input, flat), -1, reshape(index, flat_out), false), index.sizes()),
          return_indices ? index : Tensor()};
}

}  // namespace

struct AdaptiveMaxPool1d {
  static constexpr Schema schema =
      "adaptive_max_pool1d(Tensor input, int[1] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc = "Maxima of windows of the last dimension, with their flat indices if asked for.";
  static constexpr unsigned expose = kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    return adaptive_max(input, size, return_indices);
  }
};

struct AdaptiveMaxPool2d {
  static constexpr Schema schema =
      "adaptive_max_pool2d(Tensor input, int[2] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc = "Maxima of windows of the last two dimensions, with their flat indices if asked for.";
  static constexpr unsigned expose = kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    return adaptive_max(input, size, return_indices);
  }
};

struct AdaptiveMaxPool3d {
  static constexpr Schema schema =
      "adaptive_max_pool3d(Tensor input, int[3] output_size, bool return_indices=False) -> Tensor";
  static constexpr Doc doc = "Maxima of windows of the last three dimensions, with their flat indices if asked for.";
  static constexpr unsigned expose = kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan size, bool return_indices) {
    return adaptive_max(input, size, return_indices);
  }
};

}  // namespace hwaro::engine

#include "families/vision.inc"
