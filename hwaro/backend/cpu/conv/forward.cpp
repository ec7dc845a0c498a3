// Forward convolution: weights are packed once, then every task computes a part of the outputs of one image, or all
// outputs of a few small images, from its own padded copy of the inputs. The copy costs one pass over the image and
// frees the inner loops of every border test.
#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace conv {

using std::int64_t;

namespace {

constexpr int64_t kTaskOutputs = 1024;  // outputs of a task, over all its images

// How many images a task takes: enough that the strips of its columns are well filled.
int64_t images_per_task(int64_t batch, int64_t outputs, int64_t strip) {
  if (outputs >= kTaskOutputs) return 1;
  const int64_t most = std::min(batch, std::max<int64_t>(1, kTaskOutputs / outputs));
  int64_t best = 1;
  double best_fill = 0;
  for (int64_t images = 1; images <= most; ++images) {
    const int64_t columns = images * outputs;
    const double fill = static_cast<double>(columns) / static_cast<double>(ceil_div(columns, strip) * strip);
    if (fill > best_fill + 0.02) best = images, best_fill = fill;
  }
  return best;
}

// One input channel and one or two output channels per group: nothing for a register tile of rows to share.
template <class T>
void run_direct(const Forward<T>& f) {
  const Geometry& g = f.g;
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t taps = g.taps(), outputs = g.outputs();
  const OutputPart whole{0, g.out[0], 0, g.out[1]};
  const ImageLayout layout = layout_of(g, 1, whole, true);
  const int64_t slack = 2 * kernels.lanes;
  Workspace<int64_t> offsets(taps);
  fill_offsets(g, layout, offsets.data());
  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 18) / std::max<int64_t>(1, f.m * taps * outputs));
  parallel_for(f.batch * f.groups, grain, [&](int64_t begin, int64_t end) {
    Workspace<T> padded(layout.channel_pitch + slack);
    Workspace<T> weights(taps);
    std::fill_n(padded.data() + layout.channel_pitch, slack, T(0));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t group = task % f.groups;
      kernels.copy_image(image_copy(g, whole, layout, f.x + task * g.inputs(), padded.data()));
      for (int64_t i = 0; i < f.m; ++i) {
        const T* w = f.w + group * f.w_group + i * f.w_row;
        for (int64_t t = 0; t < taps; ++t) weights.data()[t] = w[f.flip ? taps - 1 - t : t];
        kernels.direct({padded.data(), offsets.data(), weights.data(), taps, f.bias ? f.bias[group * f.m + i] : T(0),
                        g.out[0] * g.out[1], g.out[1], g.out[2], g.stride[0] * layout.plane_pitch,
                        g.stride[1] * layout.row_pitch, f.y + (task * f.m + i) * outputs});
      }
    }
  });
}

}  // namespace

template <class T>
void run_forward(const Forward<T>& f) {
  if (f.channels == 1 && f.m <= 2) return run_direct(f);
  if (batch_pays(f)) return run_forward_batch(f);
  const Geometry& g = f.g;
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t depth = f.channels * g.taps(), outputs = g.outputs();
  const OutputCut cut(g, kTaskOutputs);
  const int64_t images = cut.count > 1 ? 1 : images_per_task(f.batch, outputs, kernels.lanes);
  const bool whole = cut.count == 1;
  const ImageLayout copied = layout_of(g, f.channels, cut.part(g, 0), true);
  // Strips read a little past their last input; only copies have room there, so the last images are always copied.
  const bool in_place_fits = g.stride[2] == 1 && g.unpadded() && whole;
  const ImageLayout in_place = layout_in_place(g, f.channels);
  const int64_t source_pitch = f.groups * f.channels * g.inputs();
  const int64_t slack = 4 * kernels.lanes, copy_size = copied.channels * copied.channel_pitch;

  Workspace<int64_t> offsets(2 * depth);
  fill_offsets(g, copied, offsets.data());
  if (in_place_fits) fill_offsets(g, in_place, offsets.data() + depth);

  Workspace<T> weights(f.groups * f.m * depth);
  parallel_for(f.groups, std::max<int64_t>(1, 65536 / std::max<int64_t>(1, f.m * depth)),
               [&](int64_t begin, int64_t end) {
                 for (int64_t i = begin; i < end; ++i)
                   kernels.pack_weights({f.w + i * f.w_group, f.w_row, f.w_channel, f.channels, g.taps(), f.flip}, f.m,
                                        weights.data() + i * f.m * depth);
               });

  const int64_t batches = ceil_div(f.batch, images), tasks = batches * f.groups * cut.count;
  const int64_t task_work = f.m * depth * std::min(kTaskOutputs, outputs * images);
  parallel_for(
      tasks, std::max<int64_t>(1, (int64_t{1} << 20) / std::max<int64_t>(1, task_work)),
      [&](int64_t begin, int64_t end) {
        Workspace<T> work(kernels.forward_workspace(depth, f.m));
        Workspace<T> copies(images * copy_size + slack);
        for (int64_t i = 0; i < slack; ++i) copies.data()[images * copy_size + i] = T(0);
        for (int64_t task = begin; task < end; ++task) {
          const int64_t part_index = task % cut.count, group = task / cut.count % f.groups;
          const int64_t image = task / cut.count / f.groups * images, count = std::min(images, f.batch - image);
          const OutputPart part = cut.part(g, part_index);
          const bool copy = !in_place_fits || (f.batch - image - count) * source_pitch < slack;
          ImageLayout layout = in_place;
          if (copy) {
            layout = layout_of(g, f.channels, part, true);
            layout.row_pitch = copied.row_pitch, layout.plane_pitch = copied.plane_pitch;
            layout.channel_pitch = copied.channel_pitch;
          }
          ForwardBlock<T> b;
          const T* source = f.x + (image * f.groups + group) * f.channels * g.inputs();
          if (copy)
            for (int64_t i = 0; i < count; ++i)
              kernels.copy_image(image_copy(g, part, layout, source + i * source_pitch, copies.data() + i * copy_size));
          b.image = copy ? copies.data() : source;
          b.image_pitch = copy ? copy_size : source_pitch;
          b.images = count;
          b.rows = part.output_rows(), b.height = part.rows, b.width = g.out[2];
          b.plane_step = g.stride[0] * layout.plane_pitch, b.row_step = g.stride[1] * layout.row_pitch;
          b.offsets = copy ? offsets.data() : offsets.data() + depth;
          b.depth = depth;
          b.weights = weights.data() + group * f.m * depth, b.m = f.m;
          b.bias = f.bias ? f.bias + group * f.m : nullptr;
          b.y_channel_pitch = outputs, b.y_image_pitch = f.groups * f.m * outputs;
          b.y = f.y + image * b.y_image_pitch + group * f.m * outputs + (part.plane * g.out[1] + part.row) * g.out[2];
          b.work = work.data();
          kernels.forward(b);
        }
      });
}

template void run_forward<float>(const Forward<float>&);
template void run_forward<double>(const Forward<double>&);

}  // namespace conv

template <class T>
void conv_forward(const ConvShape& shape, const T* x, const T* w, const T* bias, T* y) {
  const conv::Geometry g = conv::geometry_of(shape);
  const std::int64_t channels = shape.in_channels / shape.groups, m = shape.out_channels / shape.groups;
  if (shape.batch == 0 || m == 0 || g.outputs() == 0) return;
  if (channels == 0) {
    for (std::int64_t i = 0; i < shape.batch * shape.out_channels; ++i)
      std::fill_n(y + i * g.outputs(), g.outputs(), bias ? bias[i % shape.out_channels] : T(0));
    return;
  }
  conv::run_forward<T>({g, shape.batch, shape.groups, channels, m, x, w, m * channels * g.taps(), channels * g.taps(),
                        g.taps(), false, bias, y});
}

template void conv_forward<float>(const ConvShape&, const float*, const float*, const float*, float*);
template void conv_forward<double>(const ConvShape&, const double*, const double*, const double*, double*);

}  // namespace hwaro
