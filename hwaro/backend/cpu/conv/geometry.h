// Sizes and strides that the drivers of the three directions of convolution share.
#pragma once

#include <algorithm>
#include <cstdint>

#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/conv/kernels.h"

namespace hwaro {
namespace conv {

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A convolution with exactly three spatial dimensions. Padding may be negative (the borders are cut off).
struct Geometry {
  std::int64_t in[3], kernel[3], stride[3], padding[3], dilation[3], out[3];

  std::int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  std::int64_t inputs() const { return in[0] * in[1] * in[2]; }
  std::int64_t outputs() const { return out[0] * out[1] * out[2]; }
  bool unit_stride() const { return stride[0] == 1 && stride[1] == 1 && stride[2] == 1; }
  bool unpadded() const { return padding[0] == 0 && padding[1] == 0 && padding[2] == 0; }
};

inline Geometry geometry_of(const ConvShape& shape) {
  Geometry g;
  for (int d = 0; d < 3; ++d) {
    const int s = d - (3 - shape.spatial_dims);
    g.in[d] = s < 0 ? 1 : shape.in[s];
    g.kernel[d] = s < 0 ? 1 : shape.kernel[s];
    g.stride[d] = s < 0 ? 1 : shape.stride[s];
    g.padding[d] = s < 0 ? 0 : shape.padding[s];
    g.dilation[d] = s < 0 ? 1 : shape.dilation[s];
    g.out[d] = s < 0 ? 1 : shape.out[s];
  }
  return g;
}

// A range of outputs that one task computes: whole planes, or rows of a single plane.
struct OutputPart {
  std::int64_t plane, planes, row, rows;
  std::int64_t output_rows() const { return planes * rows; }
};

// Cuts the outputs of one image into parts of about `target` outputs each.
struct OutputCut {
  bool by_plane;
  std::int64_t size, total, count;
  OutputCut(const Geometry& g, std::int64_t target) {
    by_plane = g.out[0] > 1;
    const std::int64_t unit = by_plane ? g.out[1] * g.out[2] : g.out[2];
    total = by_plane ? g.out[0] : g.out[1];
    count = std::max<std::int64_t>(1, total / std::max<std::int64_t>(1, ceil_div(target, unit)));
    size = ceil_div(total, count);
    count = ceil_div(total, size);
  }
  OutputPart part(const Geometry& g, std::int64_t index) const {
    const std::int64_t begin = index * size, length = std::min(size, total - begin);
    if (by_plane) return {begin, length, 0, g.out[1]};
    return {0, 1, begin, length};
  }
};

// The padded inputs that a part of the outputs reads; with `phases`, columns are sorted by their remainder.
inline ImageLayout layout_of(const Geometry& g, std::int64_t channels, const OutputPart& part, bool phases) {
  ImageLayout to;
  to.channels = channels;
  to.planes = (part.planes - 1) * g.stride[0] + (g.kernel[0] - 1) * g.dilation[0] + 1;
  to.rows = (part.rows - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1;
  if (phases) {
    to.step = g.stride[2];
    to.phases = g.kernel[2] > 1 ? to.step : 1;
    to.columns = g.out[2] + (g.kernel[2] - 1) * g.dilation[2] / to.step;
  } else {
    to.step = to.phases = 1;
    to.columns = (g.out[2] - 1) * g.stride[2] + (g.kernel[2] - 1) * g.dilation[2] + 1;
  }
  to.row_pitch = to.phases * to.columns;
  to.plane_pitch = to.rows * to.row_pitch;
  to.channel_pitch = to.planes * to.plane_pitch;
  return to;
}

// The image itself, for convolutions that read it in place.
inline ImageLayout layout_in_place(const Geometry& g, std::int64_t channels) {
  return {channels, g.in[0], g.in[1], g.in[2], 1, 1, g.in[2], g.in[1] * g.in[2], g.inputs()};
}

// offsets[c * taps + t]: where kernel tap t of channel c reads, relative to an output's first input.
inline void fill_offsets(const Geometry& g, const ImageLayout& layout, std::int64_t* offsets) {
  for (std::int64_t c = 0; c < layout.channels; ++c)
    for (std::int64_t d = 0; d < g.kernel[0]; ++d)
      for (std::int64_t r = 0; r < g.kernel[1]; ++r)
        for (std::int64_t s = 0; s < g.kernel[2]; ++s) {
          const std::int64_t column = s * g.dilation[2];
          *offsets++ = c * layout.channel_pitch + d * g.dilation[0] * layout.plane_pitch +
                       r * g.dilation[1] * layout.row_pitch + column % layout.step * layout.columns +
                       column / layout.step;
        }
}

template <class T>
ImageCopy<T> image_copy(const Geometry& g, const OutputPart& part, const ImageLayout& layout, const T* source,
                        T* target) {
  return {source,
          {g.in[0], g.in[1], g.in[2]},
          {part.plane * g.stride[0] - g.padding[0], part.row * g.stride[1] - g.padding[1], -g.padding[2]},
          layout,
          target};
}

// A convolution in the form that the implicit product computes; the gradient of the input takes it too.
template <class T>
struct Forward {
  Geometry g;
  std::int64_t batch, groups, channels, m;  // channels and m: input and output channels of one group
  const T* x;
  const T* w;
  std::int64_t w_group, w_row, w_channel;  // strides of the weight
  bool flip;                               // taps backwards
  const T* bias;
  T* y;
};

template <class T>
void run_forward(const Forward<T>& f);

// Gradient of the input of a depthwise layer with a stride; one kernel per channel, `groups` channels.
template <class T>
void run_depthwise_strided(const Geometry& g, std::int64_t batch, std::int64_t groups, const T* dy, const T* w, T* dx);

// The way with images in the lanes, and whether it is the faster one for a shape.
template <class T>
void run_forward_batch(const Forward<T>& f);
template <class T>
bool batch_pays(const Forward<T>& f);

}  // namespace conv
}  // namespace hwaro
