// conv1d to conv3d and conv_transpose1d to conv_transpose3d: checks of rank, named padding, inputs without a batch.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/convolution.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pad.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Runs f on a batch; an input without a batch dimension becomes a batch of one.
template <class F>
Tensor on_batch(const Tensor& input, int dims, const char* name, F f) {
  HWARO_CHECK(input.dim() == dims + 1 || input.dim() == dims + 2, "Expected ", dims + 1, "D (unbatched) or ", dims + 2,
              "D (batched) input to ", name, ", but got input of size: ", sizes_str(input.sizes()));
  if (input.dim() == dims + 2) return f(input);
  return squeeze(f(unsqueeze(input, 0)), 0);
}

Tensor conv_nd(int dims, const char* name, const Tensor& input, const Tensor& weight, const Tensor& bias,
               IntSpan stride, IntSpan padding, IntSpan dilation, int64_t groups) {
  HWARO_CHECK(!bias.defined() || bias.dtype() == input.dtype(), "Input type (", c_type_name(input.dtype()),
              ") and bias type (", bias.defined() ? c_type_name(bias.dtype()) : "", ") should be the same");
  return on_batch(input, dims, name, [&](const Tensor& x) {
    const int64_t none = 0;
    return convolution(x, weight, bias, stride, padding, dilation, false, IntSpan(&none, 1), groups);
  });
}

Tensor conv_nd_named(int dims, const char* name, const Tensor& input, const Tensor& weight, const Tensor& bias,
                     IntSpan stride, std::string_view padding, IntSpan dilation, int64_t groups) {
  return on_batch(input, dims, name, [&](const Tensor& x) {
    const int64_t none = 0;
    if (padding == "valid")
      return convolution(x, weight, bias, stride, IntSpan(&none, 1), dilation, false, IntSpan(&none, 1), groups);
    HWARO_CHECK(padding == "same", "Invalid padding string: '", padding, "'");
    for (int64_t s : stride) HWARO_CHECK(s == 1, "padding='same' is not supported for strided convolutions");
    const int k = weight.dim();
    HWARO_CHECK(x.dim() == k, "Expected ", k, "-dimensional input for ", k, "-dimensional weight",
                sizes_str(weight.sizes()), ", but got ", x.dim(), "-dimensional input of size ", sizes_str(x.sizes()),
                " instead");
    const Dims d = dilation.size() == 1 ? Dims(std::size_t(dims), dilation[0]) : Dims(dilation);
    // What does not divide by two is padded by hand, on the right.
    Dims half, extra(2 * std::size_t(dims), 0);
    bool uneven = false;
    for (int i = 0; i < dims; ++i) {
      const int64_t total = d[i] * (weight.sizes()[2 + i] - 1);
      half.push_back(total / 2);
      extra[2 * std::size_t(dims - 1 - i) + 1] = total % 2;
      uneven = uneven || total % 2;
    }
    return convolution(uneven ? constant_pad_nd(x, extra, 0) : x, weight, bias, stride, half, dilation, false,
                       IntSpan(&none, 1), groups);
  });
}

Tensor conv_transpose_nd(int dims, const char* name, const Tensor& input, const Tensor& weight, const Tensor& bias,
                         IntSpan stride, IntSpan padding, IntSpan output_padding, int64_t groups, IntSpan dilation) {
  return on_batch(input, dims, name, [&](const Tensor& x) {
    return convolution(x, weight, bias, stride, padding, dilation, true, output_padding, groups);
  });
}

}  // namespace

struct Conv1d {
  static constexpr Schema schema =
      "conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] dilation=1, "
      "int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution of input (N, C, L) with weight (K, C / groups, kernel).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan dilation, int64_t groups) {
    return conv_nd(1, "conv1d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct Conv1dPadding {
  static constexpr Schema schema =
      "conv1d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, str padding='valid', int[1] "
      "dilation=1, int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution with padding 'valid' (none) or 'same' (the output has the input's size).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride,
                     std::string_view padding, IntSpan dilation, int64_t groups) {
    return conv_nd_named(1, "conv1d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct Conv2d {
  static constexpr Schema schema =
      "conv2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] dilation=1, "
      "int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution of input (N, C, H, W) with weight (K, C / groups, kH, kW).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan dilation, int64_t groups) {
    return conv_nd(2, "conv2d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct Conv2dPadding {
  static constexpr Schema schema =
      "conv2d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, str padding='valid', int[2] "
      "dilation=1, int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution with padding 'valid' (none) or 'same' (the output has the input's size).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride,
                     std::string_view padding, IntSpan dilation, int64_t groups) {
    return conv_nd_named(2, "conv2d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct Conv3d {
  static constexpr Schema schema =
      "conv3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] dilation=1, "
      "int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution of input (N, C, D, H, W) with weight (K, C / groups, kD, kH, kW).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan dilation, int64_t groups) {
    return conv_nd(3, "conv3d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct Conv3dPadding {
  static constexpr Schema schema =
      "conv3d.padding(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, str padding='valid', int[3] "
      "dilation=1, int groups=1) -> Tensor";
  static constexpr Doc doc = "Convolution with padding 'valid' (none) or 'same' (the output has the input's size).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride,
                     std::string_view padding, IntSpan dilation, int64_t groups) {
    return conv_nd_named(3, "conv3d", input, weight, bias, stride, padding, dilation, groups);
  }
};

struct ConvTranspose1d {
  static constexpr Schema schema =
      "conv_transpose1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] "
      "output_padding=0, "
      "int groups=1, int[1] dilation=1) -> Tensor";
  static constexpr Doc doc = "Transposed convolution of input (N, C, L) with weight (C, K / groups, kernel).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan output_padding, int64_t groups, IntSpan dilation) {
    return conv_transpose_nd(1, "conv_transpose1d", input, weight, bias, stride, padding, output_padding, groups,
                             dilation);
  }
};

struct ConvTranspose2d {
  static constexpr Schema schema =
      "conv_transpose2d(Tensor input, Tensor weight, Tensor? bias=None, int[2] stride=1, int[2] padding=0, int[2] "
      "output_padding=0, "
      "int groups=1, int[2] dilation=1) -> Tensor";
  static constexpr Doc doc = "Transposed convolution of input (N, C, H, W) with weight (C, K / groups, kH, kW).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan output_padding, int64_t groups, IntSpan dilation) {
    return conv_transpose_nd(2, "conv_transpose2d", input, weight, bias, stride, padding, output_padding, groups,
                             dilation);
  }
};

struct ConvTranspose3d {
  static constexpr Schema schema =
      "conv_transpose3d(Tensor input, Tensor weight, Tensor? bias=None, int[3] stride=1, int[3] padding=0, int[3] "
      "output_padding=0, "
      "int groups=1, int[3] dilation=1) -> Tensor";
  static constexpr Doc doc = "Transposed convolution of input (N, C, D, H, W) with weight (C, K / groups, kD, kH, kW).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan output_padding, int64_t groups, IntSpan dilation) {
    return conv_transpose_nd(3, "conv_transpose3d", input, weight, bias, stride, padding, output_padding, groups,
                             dilation);
  }
};

}  // namespace hwaro::engine

#include "families/conv.inc"
