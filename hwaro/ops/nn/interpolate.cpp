// Resizing of the spatial dimensions. Every mode is linear and separable: nearest neighbours are a gather, the others a few
// weighted taps per dimension (index_map.h), and gradients are their transposes. Positions and weights are computed in the
// precision PyTorch computes them in, so that the same neighbours are chosen.
#include <cmath>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/adaptive_pool.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/index_map.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

enum class Mode { Nearest, NearestExact, Linear, Cubic, Lanczos, Area };

struct Resize {
  Mode mode = Mode::Nearest;
  Dims in, out;           // spatial sizes
  double factor[3] = {};  // given scale factors, or 0
  bool align_corners = false, antialias = false, channels_last = false;
  DType dtype = DType::Float;
};

// Input elements per output element.
template <class T>
T step(const Resize& r, std::size_t d) {
  if (r.align_corners) return r.out[d] > 1 ? T(r.in[d] - 1) / T(r.out[d] - 1) : T(0);
  return r.factor[d] > 0 ? T(1.0 / r.factor[d]) : T(r.in[d]) / T(r.out[d]);
}

IndexMaps nearest_maps(const Resize& r) {
  IndexMaps maps(r.in.size());
  for (std::size_t d = 0; d < r.in.size(); ++d) {
    const float scale = step<float>(r, d), shift = r.mode == Mode::NearestExact ? 0.5f : 0.0f;
    for (int64_t o = 0; o < r.out[d]; ++o) {
      const int64_t i = int64_t(std::floor((float(o) + shift) * scale));
      maps[d].push_back(i < r.in[d] ? i : r.in[d] - 1);
    }
  }
  return maps;
}

// Keys' cubic convolution (1981).
template <class T>
T cubic(T x, T a) {
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}
double sinc(double x) {
  constexpr double pi = 3.14159265358979323846;
  return x == 0 ? 1 : std::sin(pi * x) / (pi * x);
}

int64_t clamped(int64_t i, int64_t n) { return i < 0 ? 0 : i < n ? i : n - 1; }

template <class T>
Taps taps_of(const Resize& r, std::size_t d) {
  Taps t;
  t.in = r.in[d];
  t.out = r.out[d];
  t.count = r.mode == Mode::Linear ? 2 : 4;
  const T scale = step<T>(r, d);
  for (int64_t o = 0; o < t.out; ++o) {
    T at = r.align_corners ? scale * T(o) : scale * (T(o) + T(0.5)) - T(0.5);
    if (r.mode == Mode::Linear) {
      if (at < 0) at = 0;
      const int64_t i = clamped(int64_t(at), t.in);
      T w = at - T(i);
      w = w < 0 ? T(0) : w > 1 ? T(1) : w;
      t.index.push_back(i);
      t.index.push_back(clamped(i + 1, t.in));
      t.weight.push_back(double(T(1) - w));
      t.weight.push_back(double(w));
    } else {
      const T floor = std::floor(at), w = at - floor;
      for (int k = -1; k <= 2; ++k) {
        t.index.push_back(clamped(int64_t(floor) + k, t.in));
        t.weight.push_back(double(cubic(w - T(k), T(-0.75))));
      }
    }
  }
  return t;
}

// With antialiasing the filter grows with the step, so that no input element is skipped.
template <class T>
Taps filter_taps(const Resize& r, std::size_t d) {
  Taps t;
  t.in = r.in[d];
  t.out = r.out[d];
  const T scale = step<T>(r, d), radius = r.mode == Mode::Linear ? T(1) : r.mode == Mode::Cubic ? T(2) : T(3);
  const T support = scale >= 1 ? radius * scale : radius, inverse = scale >= 1 ? T(1) / scale : T(1);
  t.count = int64_t(std::ceil(double(support))) * 2 + 1;
  for (int64_t o = 0; o < t.out; ++o) {
    const T centre = scale * (T(o) + T(0.5));
    int64_t first = int64_t(centre - support + T(0.5)), last = int64_t(centre + support + T(0.5));
    first = first < 0 ? 0 : first;
    last = last < t.in ? last : t.in;
    std::vector<double> w;
    double total = 0;
    for (int64_t i = first; i < last; ++i) {
      const T x = (T(i) - centre + T(0.5)) * inverse;
      double v = 0;
      if (r.mode == Mode::Linear) v = std::abs(x) < 1 ? double(T(1) - std::abs(x)) : 0;
      else if (r.mode == Mode::Cubic) v = double(cubic(x, T(-0.5)));
      else v = std::abs(double(x)) < 3 ? sinc(double(x)) * sinc(double(x) / 3) : 0;
      w.push_back(v);
      total += v;
    }
    for (int64_t k = 0; k < t.count; ++k) {
      const bool used = k < int64_t(w.size());
      t.index.push_back(used ? first + k : 0);
      t.weight.push_back(used && total != 0 ? w[std::size_t(k)] / total : 0);
    }
  }
  return t;
}

std::vector<Taps> taps_for(const Resize& r) {
  std::vector<Taps> taps;
  for (std::size_t d = 0; d < r.in.size(); ++d) {
    if (r.dtype == DType::Double) taps.push_back(r.antialias ? filter_taps<double>(r, d) : taps_of<double>(r, d));
    else taps.push_back(r.antialias ? filter_taps<float>(r, d) : taps_of<float>(r, d));
  }
  return taps;
}

std::string node_name(const Resize& r, bool backward) {
  static constexpr const char* linear[] = {"Linear1D", "Bilinear2D", "Trilinear3D"};
  const std::size_t n = r.in.size();
  std::string kind;
  switch (r.mode) {
    case Mode::Nearest: kind = concat("Nearest", n, 'D'); break;
    case Mode::NearestExact: kind = concat("NearestExact", n, 'D'); break;
    case Mode::Linear: kind = linear[n - 1]; break;
    case Mode::Cubic: kind = "Bicubic2D"; break;
    default: kind = "Lanczos2D"; break;
  }
  return concat("Upsample", kind, r.antialias ? "Aa" : "", backward ? "BackwardBackward0" : "Backward0");
}

Tensor resize_backward(const Tensor& g, const Resize& r);

// ---- uint8 images: weights as 16-bit integers with as many fractional bits as the largest one leaves room for (the way of
// Pillow), one dimension after the other, rounded to uint8 in between, the last dimension first ----

struct FixedTaps {
  int64_t in = 0, out = 0, count = 0;
  std::vector<int64_t> index;
  std::vector<std::int32_t> weight;
  int bits = 0;
};

FixedTaps fixed_taps(const Taps& t) {
  FixedTaps f{t.in, t.out, t.count, t.index, {}, 0};
  // Taps that were moved to the border count as one.
  std::vector<double> merged(t.weight);
  double largest = 0;
  for (int64_t o = 0; o < t.out; ++o)
    for (int64_t k = o * t.count; k < (o + 1) * t.count; ++k) {
      if (k + 1 < (o + 1) * t.count && t.index[k] == t.index[k + 1]) merged[k + 1] += merged[k], merged[k] = 0;
      largest = std::max(largest, merged[k]);
    }
  while (f.bits < 22 && int64_t(0.5 + largest * double(int64_t(1) << (f.bits + 1))) < (1 << 15)) ++f.bits;
  const double one = double(int64_t(1) << f.bits);
  for (double w : merged) f.weight.push_back(std::int32_t(w < 0 ? w * one - 0.5 : w * one + 0.5));
  return f;
}

// (outer, in, inner) -> (outer, out, inner)
Tensor apply_fixed(const Tensor& input, const FixedTaps& t, int64_t dim) {
  const Tensor from = dense(input);
  Dims shape(from.sizes());
  shape[dim] = t.out;
  const Tensor out = make_tensor(shape, input.dtype(), input.device());
  if (input.device().is_meta()) return out;
  int64_t inner = 1;
  for (int64_t d = dim + 1; d < from.dim(); ++d) inner *= from.sizes()[d];
  const std::uint8_t* x = from->read_as<std::uint8_t>();
  std::uint8_t* to = out->write_as<std::uint8_t>();
  const std::int32_t half = t.bits > 0 ? 1 << (t.bits - 1) : 0;
  parallel_for(out.numel() / inner, 1 + 4096 / inner, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t o = row % t.out, base = row / t.out * t.in;
      for (int64_t i = 0; i < inner; ++i) {
        std::int32_t sum = half;
        for (int64_t k = o * t.count; k < (o + 1) * t.count; ++k)
          sum += t.weight[k] * std::int32_t(x[(base + t.index[k]) * inner + i]);
        sum >>= t.bits;
        to[row * inner + i] = std::uint8_t(sum < 0 ? 0 : sum > 255 ? 255 : sum);
      }
    }
  });
  return out;
}

Tensor resize_bytes(const Tensor& input, const Resize& r) {
  Tensor out = input;
  for (std::size_t d = r.in.size(); d-- > 0;)
    if (r.in[d] != r.out[d])
      out =
          apply_fixed(out, fixed_taps(r.antialias ? filter_taps<double>(r, d) : taps_of<double>(r, d)), int64_t(2 + d));
  return out.impl() == input.impl() ? clone(detach(input), MemoryFormat::Contiguous) : out;
}

Tensor resize(const Tensor& input, const Resize& r) {
  Tensor out;
  {  // Memory for the result, before tables as long as that are filled.
    Dims shape(input.sizes());
    for (std::size_t d = 0; d < r.out.size(); ++d) shape[2 + d] = r.out[d];
    make_tensor(shape, input.dtype(), input.device());
  }
  if (r.mode == Mode::Nearest || r.mode == Mode::NearestExact) out = gather_map(input, nearest_maps(r));
  else if (input.dtype() == DType::UInt8) out = resize_bytes(input, r);
  else out = apply_taps(input, taps_for(r));
  out = in_layout(out, r.channels_last);
  if (recording(input))
    record(node_name(r, false), {input}, out, {}, [r](Backward& b) { b.set(0, resize_backward(b.g(), r)); });
  return out;
}

Tensor resize_backward(const Tensor& g, const Resize& r) {
  Dims sizes(g.sizes());
  for (std::size_t d = 0; d < r.in.size(); ++d) sizes[2 + d] = r.in[d];
  Tensor out = r.mode == Mode::Nearest || r.mode == Mode::NearestExact ? scatter_map(g, sizes, nearest_maps(r))
                                                                       : apply_taps_transposed(g, taps_for(r));
  out = in_layout(out, r.channels_last);
  if (recording(g)) record(node_name(r, true), {g}, out, {}, [r](Backward& b) { b.set(0, resize(b.g(), r)); });
  return out;
}

// ---- arguments ----

template <class T>
std::string tuple_text(Span<T> v) {
  std::string s = "(";
  for (std::size_t i = 0; i < v.size(); ++i) s += concat(i ? ", " : "", v[i]);
  return s + (v.size() == 1 ? ",)" : ")");
}

void check_sizes(const Resize& r) {
  static constexpr const char* letters[] = {"D", "H", "W"};
  bool good = true;
  std::string in, out;
  const std::size_t n = r.in.size();
  for (std::size_t d = 0; d < n; ++d) {
    good = good && r.in[d] > 0 && r.out[d] > 0;
    in += concat(d ? ", " : "", letters[3 - n + d], ": ", r.in[d]);
    out += concat(d ? ", " : "", letters[3 - n + d], ": ", r.out[d]);
  }
  HWARO_CHECK(good, "Input and output sizes should be greater than 0, but got input (", in,
              n == 1 ? ") and output (" : ") output (", out, ")");
}

void check_types(const Tensor& input, const Resize& r) {
  const bool planar = r.in.size() == 2, nearest = r.mode == Mode::Nearest || r.mode == Mode::NearestExact;
  if (is_floating(input.dtype()) || (input.dtype() == DType::UInt8 && (nearest || planar))) return;
  const char* name = nearest ? (planar ? "upsample_nearest2d_channels_last" : "compute_indices_weights_nearest")
                     : r.mode == Mode::Linear
                         ? (planar ? "upsample_bilinear2d_channels_last" : "compute_indices_weights_linear")
                         : "compute_indices_weights_cubic";
  raise<NotImplementedError>('"', name, "\" not implemented for '", scalar_type_name(input.dtype()), '\'');
}

}  // namespace

struct Interpolate {
  static constexpr Schema schema =
      "interpolate(Tensor input, int[1]? size=None, float[1]? scale_factor=None, str mode='nearest', bool? "
      "align_corners=None, "
      "bool? recompute_scale_factor=None, bool antialias=False) -> Tensor";
  static constexpr Doc doc =
      "Resizes the spatial dimensions of input (N, C, *): nearest, nearest-exact, linear, bilinear, bicubic, "
      "trilinear, area, lanczos.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, OptIntSpan size, std::optional<Span<double>> factors, std::string_view mode,
                     std::optional<bool> align_corners, std::optional<bool> recompute, bool antialias) {
    const bool smooth = mode == "linear" || mode == "bilinear" || mode == "bicubic" || mode == "trilinear";
    const bool hard = mode == "nearest" || mode == "area" || mode == "nearest-exact";
    HWARO_CHECK_AS(
        ValueError, !hard || !align_corners,
        "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear");
    const std::size_t dims = input.dim() > 2 ? std::size_t(input.dim() - 2) : 0;
    Resize r;
    for (std::size_t d = 0; d < dims; ++d) r.in.push_back(input.sizes()[2 + d]);
    HWARO_CHECK_AS(ValueError, !(size && factors), "only one of size or scale_factor should be defined");
    HWARO_CHECK_AS(ValueError, size || factors, "either size or scale_factor should be defined");
    HWARO_CHECK_AS(
        ValueError, !size || size->size() == 1 || size->size() == dims,
        "Input and output must have the same number of spatial dimensions, but got input with spatial dimensions of ",
        sizes_str(r.in), " and output size of ", size ? tuple_text(*size) : "",
        ". Please provide input tensor in (N, C, d1, d2, ...,dK) format and output size in (o1, o2, ...,oK) format.");
    HWARO_CHECK_AS(
        ValueError, !factors || factors->size() == 1 || factors->size() == dims,
        "Input and scale_factor must have the same number of spatial dimensions, but got input with spatial dimensions "
        "of ",
        sizes_str(r.in), " and scale_factor of shape ", factors ? tuple_text(*factors) : "",
        ". Please provide input tensor in (N, C, d1, d2, ...,dK) format and scale_factor in (s1, s2, ...,sK) format.");
    HWARO_CHECK_AS(ValueError, !(recompute.value_or(false) && size),
                   "recompute_scale_factor is not meaningful with an explicit size.");
    for (std::size_t d = 0; d < dims; ++d) {
      if (size) {
        r.out.push_back((*size)[size->size() == 1 ? 0 : d]);
      } else {
        const double f = (*factors)[factors->size() == 1 ? 0 : d];
        r.out.push_back(Scalar(std::floor(double(r.in[d]) * f)).to_int());
        if (!recompute.value_or(false) && d < 3) r.factor[d] = f;
      }
    }
    HWARO_CHECK_AS(
        ValueError, !antialias || ((mode == "bilinear" || mode == "bicubic" || mode == "lanczos") && dims == 2),
        "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input");
    HWARO_CHECK_AS(ValueError, mode != "lanczos" || antialias, "Lanczos mode requires antialias=True");
    const bool ranks = dims >= 1 && dims <= 3;
    if (ranks && mode == "area") return area(input, r.out);
    static constexpr struct {
      const char* name;
      std::size_t dims;
    } wanted[] = {{"linear", 1}, {"bilinear", 2}, {"trilinear", 3}, {"bicubic", 2}, {"lanczos", 2}};
    bool known = ranks && hard;
    for (const auto& w : wanted) {
      if (mode != w.name || !ranks) continue;
      known = w.dims == dims;
      if (!known && mode != "bicubic" && mode != "lanczos")
        raise<NotImplementedError>("Got ", input.dim(), "D input, but ", mode, " mode needs ", w.dims + 2, "D input");
    }
    HWARO_CHECK_AS(
        NotImplementedError, known, "Input Error: Only 3D, 4D and 5D input Tensors supported (got ", input.dim(),
        "D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | area | nearest-exact (got ",
        mode, ")");
    check_sizes(r);
    HWARO_CHECK(input.sizes()[1] != 0, "Non-empty ", input.dim(), "D data tensor expected but got a tensor with sizes ",
                sizes_str(input.sizes()));
    r.mode = mode == "nearest"         ? Mode::Nearest
             : mode == "nearest-exact" ? Mode::NearestExact
             : mode == "bicubic"       ? Mode::Cubic
             : mode == "lanczos"       ? Mode::Lanczos
                                       : Mode::Linear;
    r.align_corners = smooth && align_corners.value_or(false);
    r.antialias = antialias;
    r.channels_last = is_channels_last(input);
    r.dtype = input.dtype();
    check_types(input, r);
    return resize(input, r);
  }
  static Tensor area(const Tensor& input, IntSpan size) {
    if (size.size() == 1) return adaptive_avg_pool1d(input, size);
    return size.size() == 2 ? adaptive_avg_pool2d(input, size) : adaptive_avg_pool3d(input, size);
  }
};

}  // namespace hwaro::engine

#include "families/interpolate.inc"
