// Fractional max pooling (Graham, 2014): the largest element of windows at random places. With a sample u in [0, 1) per
// plane and dimension, window i starts at floor((i + u) alpha) - floor(u alpha), alpha = (size - kernel) / (windows - 1),
// and the last one ends where the plane does.
#include <algorithm>
#include <cmath>

#include "hwaro/base/parallel.h"
#include "hwaro/math/convert.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/nn/pick.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Three dimensions; missing leading ones have size 1. `sample` says which sample belongs to a dimension.
struct Fraction {
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, kernel[3] = {1, 1, 1};
  int sample[3] = {0, 1, 2};
  int dims = 3;
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
};

// In the arithmetic of T, step by step, so that the windows are PyTorch's for every type.
template <class T>
void window_starts(T u, int64_t size, int64_t windows, int64_t kernel, int64_t* starts) {
  using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const auto rounded = [](W v) { return W(T(v)); };
  if (windows > 1) {
    const W wide(u), alpha = rounded(W(size - kernel) / W(windows - 1));
    const auto whole = [](W v) { return std::uint64_t(cast_scalar<int64_t>(v)); };
    const std::uint64_t shift = whole(rounded(wide * alpha));
    // Samples lie in [0, 1), where this stays inside; what a user passes need not.
    for (int64_t i = 0; i + 1 < windows; ++i)
      starts[i] = std::clamp<int64_t>(int64_t(whole(rounded(rounded(W(i) + wide) * alpha)) - shift), 0, size - kernel);
  }
  if (windows > 0) starts[windows - 1] = size - kernel;
}

template <class T>
void pool_plane(const Fraction& f, const T* x, const T* samples, T* out, std::int32_t* index, int64_t* starts) {
  using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
  int64_t* at[3] = {starts, starts + f.out[0], starts + f.out[0] + f.out[1]};
  for (int d = 0; d < 3; ++d) {
    if (d < 3 - f.dims) at[d][0] = 0;
    else window_starts<T>(samples[f.sample[d]], f.in[d], f.out[d], f.kernel[d], at[d]);
  }
  for (int64_t i = 0; i < f.out[0]; ++i)
    for (int64_t j = 0; j < f.out[1]; ++j)
      for (int64_t k = 0; k < f.out[2]; ++k) {
        const int64_t first = (at[0][i] * f.in[1] + at[1][j]) * f.in[2] + at[2][k];
        int64_t best = first;
        for (int64_t a = 0; a < f.kernel[0]; ++a)
          for (int64_t b = 0; b < f.kernel[1]; ++b)
            for (int64_t c = 0; c < f.kernel[2]; ++c) {
              const int64_t p = first + (a * f.in[1] + b) * f.in[2] + c;
              if (W(x[p]) > W(x[best]) || std::isnan(W(x[p]))) best = p;
            }
        *out++ = x[best];
        *index++ = std::int32_t(best);
      }
}

std::tuple<Tensor, Tensor> fractional(const char* name, const char* node, const Tensor& self, const Tensor& samples,
                                      const Fraction& f) {
  const int dims = f.dims;
  const std::string op = concat(name, dims == 3 ? "_out()" : "()");
  HWARO_CHECK(self.dim() == dims + 1 || self.dim() == dims + 2, op, ": Expected ", dims + 1, "D or ", dims + 2,
              "D tensor, but got: ", sizes_str(self.sizes()));
  for (int d = self.dim() == dims + 2; d < self.dim(); ++d)
    HWARO_CHECK(self.sizes()[d] > 0, op, ": Expected input to have non-zero size for non-batch dimensions, but got",
                sizes_str(self.sizes()), " with dimension ", d, " being empty.");
  HWARO_CHECK(samples.dtype() == self.dtype(), "Expect _random_samples to have the same dtype as input");
  HWARO_CHECK(samples.dim() == 3, "Expect _random_samples to have 3 dimensions, got ", samples.dim());
  const int64_t batch = self.dim() == dims + 2 ? self.sizes()[0] : 1, channels = self.size(-1 - dims);
  HWARO_CHECK(samples.sizes()[0] >= batch, "Expect _random_samples.size(0) no less then input batch size.");
  HWARO_CHECK(samples.sizes()[1] == channels, "Expect _random_samples.size(1) equals to input channel size.");
  HWARO_CHECK(samples.sizes()[2] == dims, "Expect _random_samples.size(2) equals to ", dims, "; got ",
              samples.sizes()[2], ".");
  const char* const axes[] = {"time", "height", "width"};
  for (int d = 3 - dims; d < 3; ++d)
    // Windows may reach the border in two dimensions, and not in three.
    HWARO_CHECK(f.out[d] + f.kernel[d] - 1 < f.in[d] + (dims == 2), op, ": pool ", axes[d], " ", f.kernel[d],
                " too large relative to input ", axes[d], " ", f.in[d]);
  Dims shape(IntSpan(self.sizes().data(), std::size_t(self.dim() - dims)));
  for (int d = 3 - dims; d < 3; ++d) shape.push_back(f.out[d]);
  check_has_data(self, {samples});
  const Tensor out = make_tensor(shape, self.dtype(), self.device()), index = make_tensor(shape, kInt32, self.device());
  HWARO_CHECK_AS(NotImplementedError, is_floating(self.dtype()), "\"", name, "_out_frame\" not implemented for '",
                 scalar_type_name(self.dtype()), "'");
  if (!self.device().is_meta()) {
    const Tensor x = dense(self), u = dense(samples);
    visit<kFloatSet>(self.dtype(), name, [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_for(batch * channels, 1 + 16384 / (f.in_size() + 1), [&](int64_t begin, int64_t end) {
        std::vector<int64_t> starts(std::size_t(f.out[0] + f.out[1] + f.out[2]));
        for (int64_t p = begin; p < end; ++p)
          pool_plane<T>(f, x->read_as<T>() + p * f.in_size(), u->read_as<T>() + p * dims,
                        out->write_as<T>() + p * f.out_size(), index->write_as<std::int32_t>() + p * f.out_size(),
                        starts.data());
      });
    });
  }
  const Tensor wide = dense_as(index, kInt64);
  if (recording(self)) record_pick(node, self, out, index, dims, wide);
  return {out, wide};
}

Fraction fraction_of(const Tensor& self, IntSpan kernel, IntSpan out, int dims) {
  Fraction f;
  f.dims = dims;
  for (int d = 0; d < dims; ++d) {
    const int at = 3 - dims + d;
    f.kernel[at] = kernel[std::size_t(d)];
    f.out[at] = out[std::size_t(d)];
    if (self.dim() >= dims) f.in[at] = self.size(d - dims);
  }
  // In two dimensions the first sample is the width's.
  if (dims == 2) f.sample[1] = 1, f.sample[2] = 0;
  return f;
}

}  // namespace

struct FractionalMaxPool2d {
  static constexpr Schema schema =
      "fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples) -> (Tensor "
      "output, Tensor indices)";
  static constexpr Doc doc = "The largest element, and its place, of windows at random places: (N, C, H, W).";
  static constexpr unsigned expose = kNnFunctional;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, IntSpan kernel_size, IntSpan output_size,
                                         const Tensor& random_samples) {
    HWARO_CHECK(kernel_size.size() == 2,
                "fractional_max_pool2d: kernel_size must either be a single Int or tuple of Ints");
    HWARO_CHECK(output_size.size() == 2,
                "fractional_max_pool2d: output_size must either be a single Int or tuple of Ints");
    return fractional("fractional_max_pool2d", "FractionalMaxPool2DBackward0", self, random_samples,
                      fraction_of(self, kernel_size, output_size, 2));
  }
};

struct FractionalMaxPool3d {
  static constexpr Schema schema =
      "fractional_max_pool3d(Tensor self, int[3] kernel_size, int[3] output_size, Tensor random_samples) -> (Tensor "
      "output, Tensor indices)";
  static constexpr Doc doc = "The largest element, and its place, of windows at random places: (N, C, D, H, W).";
  static constexpr unsigned expose = kNnFunctional;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, IntSpan kernel_size, IntSpan output_size,
                                         const Tensor& random_samples) {
    HWARO_CHECK(kernel_size.size() == 3,
                "fractional_max_pool3d: kernel_size must either be a single Int or tuple of three Ints");
    HWARO_CHECK(output_size.size() == 3,
                "fractional_max_pool3d: output_size must either be a single Int or tuple of three Ints");
    return fractional("fractional_max_pool3d", "FractionalMaxPool3DBackward0", self, random_samples,
                      fraction_of(self, kernel_size, output_size, 3));
  }
};

}  // namespace hwaro::engine

#include "families/fractional_pool.inc"
