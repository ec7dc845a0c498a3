// Gradient of the input. With unit stride it is itself a convolution, of dy with the kernel turned around; with few
// input channels or a larger stride it is a product whose rows are added where they belong (see kernels_scatter.cpp).
#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace conv {

using std::int64_t;

namespace {

// With fewer input channels the forward scheme packs as much as it multiplies (one channel of 28 x 28, 32 outputs: 24
// GFLOPS, added rows 56; three: 63 and 72; groups of four: 30 and 16).
constexpr int64_t kFlipChannels = 4;

Geometry transposed(const Geometry& g) {
  Geometry t = g;
  for (int d = 0; d < 3; ++d) {
    t.in[d] = g.out[d], t.out[d] = g.in[d];
    t.padding[d] = g.dilation[d] * (g.kernel[d] - 1) - g.padding[d];
  }
  return t;
}

// Takes the gradient out of its padded copy; inputs that no output reads get zero.
template <class T>
void copy_back(const Geometry& g, const ImageLayout& from, const T* padded, T* dx) {
  for (int64_t c = 0; c < from.channels; ++c)
    for (int64_t z = 0; z < g.in[0]; ++z)
      for (int64_t y = 0; y < g.in[1]; ++y, dx += g.in[2]) {
        const int64_t at_z = z + g.padding[0], at_y = y + g.padding[1];
        if (at_z >= from.planes || at_y >= from.rows) {
          std::fill_n(dx, g.in[2], T(0));
          continue;
        }
        const T* row = padded + c * from.channel_pitch + at_z * from.plane_pitch + at_y * from.row_pitch;
        if (from.step == 1) {
          const int64_t count = std::clamp<int64_t>(from.columns - g.padding[2], 0, g.in[2]);
          std::copy_n(row + g.padding[2], count, dx);
          std::fill_n(dx + count, g.in[2] - count, T(0));
          continue;
        }
        int64_t phase = g.padding[2] % from.step, q = g.padding[2] / from.step;
        for (int64_t x = 0; x < g.in[2]; ++x) {
          dx[x] = phase < from.phases && q < from.columns ? row[phase * from.columns + q] : T(0);
          if (++phase == from.step) phase = 0, ++q;
        }
      }
}

template <class T>
void run_scatter(const Geometry& g, int64_t batch, int64_t groups, int64_t channels, int64_t depth, const T* dy,
                 const T* w, T* dx) {
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t taps = g.taps(), outputs = g.outputs(), output_rows = g.out[0] * g.out[1];
  // Channels of a task, and rows of outputs that are multiplied at a time: the product takes 64 K values at most.
  const int64_t parts = ceil_div(channels * taps, 512), part = ceil_div(channels, parts);
  const int64_t part_count = ceil_div(channels, part), m = part * taps;
  const int64_t rows = std::clamp<int64_t>(65536 / (m * g.out[2]), 1, output_rows);
  const ImageLayout layout = layout_of(g, part, {0, g.out[0], 0, g.out[1]}, true);

  Workspace<int64_t> offsets(m);
  fill_offsets(g, layout, offsets.data());
  // The weights of a part, transposed: packed depth runs over output channels.
  Workspace<T> weights(groups * channels * taps * depth);
  const auto weights_of = [&](int64_t group, int64_t p) {
    return weights.data() + (group * channels + p * part) * taps * depth;
  };
  for (int64_t group = 0; group < groups; ++group)
    for (int64_t p = 0; p < part_count; ++p) {
      const int64_t used = std::min(part, channels - p * part) * taps;
      const T* source = w + group * depth * channels * taps + p * m;
      kernels.pack_weights({source, 1, channels * taps, depth, 1, false}, used, weights_of(group, p));
    }

  const int64_t tasks = batch * groups * part_count, task_work = m * depth * outputs;
  parallel_for(
      tasks, std::max<int64_t>(1, (int64_t{1} << 19) / std::max<int64_t>(1, task_work)),
      [&](int64_t begin, int64_t end) {
        Workspace<T> work(kernels.scatter_workspace(depth, m, rows * g.out[2]));
        Workspace<T> padded(part * layout.channel_pitch);
        for (int64_t task = begin; task < end; ++task) {
          const int64_t p = task % part_count, group = task / part_count % groups, image = task / part_count / groups;
          ImageLayout used = layout;
          used.channels = std::min(part, channels - p * part);
          std::fill_n(padded.data(), used.channels * used.channel_pitch, T(0));
          for (int64_t row = 0; row < output_rows; row += rows) {
            ScatterBlock<T> b;
            b.dy = dy + (image * groups + group) * depth * outputs + row * g.out[2];
            b.dy_channel_pitch = outputs, b.depth = depth;
            b.weights = weights_of(group, p), b.m = used.channels * taps;
            b.offsets = offsets.data();
            b.first_row = row, b.rows = std::min(rows, output_rows - row);
            b.height = g.out[1], b.width = g.out[2];
            b.plane_step = g.stride[0] * layout.plane_pitch, b.row_step = g.stride[1] * layout.row_pitch;
            b.dx = padded.data(), b.work = work.data();
            kernels.scatter(b);
          }
          copy_back(g, used, padded.data(), dx + ((image * groups + group) * channels + p * part) * g.inputs());
        }
      });
}

}  // namespace
}  // namespace conv

template <class T>
void conv_backward_input(const ConvShape& shape, const T* dy, const T* w, T* dx) {
  const conv::Geometry g = conv::geometry_of(shape);
  const std::int64_t channels = shape.in_channels / shape.groups, depth = shape.out_channels / shape.groups;
  const std::int64_t size = shape.batch * shape.in_channels * g.inputs();
  if (size == 0) return;
  if (depth == 0 || g.outputs() == 0) {
    std::fill_n(dx, size, T(0));
    return;
  }
  if (channels * depth == 1 && !g.unit_stride())
    conv::run_depthwise_strided<T>(g, shape.batch, shape.groups, dy, w, dx);
  else if (g.unit_stride() && (channels >= conv::kFlipChannels || channels * depth == 1))
    conv::run_forward<T>({conv::transposed(g), shape.batch, shape.groups, depth, channels, dy, w,
                          depth * channels * g.taps(), g.taps(), channels * g.taps(), true, nullptr, dx});
  else conv::run_scatter<T>(g, shape.batch, shape.groups, channels, depth, dy, w, dx);
}

template void conv_backward_input<float>(const ConvShape&, const float*, const float*, float*);
template void conv_backward_input<double>(const ConvShape&, const double*, const double*, double*);

}  // namespace hwaro
