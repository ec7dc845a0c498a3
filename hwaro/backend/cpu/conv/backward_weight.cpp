// Gradient of the weight: a sum over all outputs of all images. The batch is cut into at most kChunks pieces, a number
// that depends on the shape only; each has sums of its own, which are added pairwise at the end. So the bits do not
// depend on the number of threads. Where the weight is large, its input channels are cut instead of the batch.
#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace conv {

using std::int64_t;

namespace {

constexpr int64_t kChunks = 16;
constexpr int64_t kSumValues = int64_t{1} << 20;  // values of all sums together, unless one alone is larger
constexpr int64_t kBlockOutputs = 1024;           // outputs that weight_wide takes at a time, over several images

template <class T>
struct WeightGradient {
  Geometry g;
  int64_t batch, groups, channels, k;  // channels and k: input and output channels of one group
  const T* x;
  const T* dy;
  T* dw;
  T* dbias;

  int64_t m() const { return channels * g.taps(); }
};

template <class T>
void sum_bias(const WeightGradient<T>& f) {
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t outputs = f.g.outputs(), all = f.groups * f.k;
  const int64_t grain = std::max<int64_t>(1, 262144 / std::max<int64_t>(1, f.batch * outputs));
  parallel_for(all, grain, [&](int64_t begin, int64_t end) {
    for (int64_t channel = begin; channel < end; ++channel) {
      double sum = 0;
      for (int64_t image = 0; image < f.batch; ++image)
        sum += static_cast<double>(kernels.sum(f.dy + (image * all + channel) * outputs, outputs));
      f.dbias[channel] = static_cast<T>(sum);
    }
  });
}

template <class T>
void run_weight(const WeightGradient<T>& f) {
  const Geometry& g = f.g;
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t taps = g.taps(), m = f.m(), outputs = g.outputs(), output_rows = g.out[0] * g.out[1];
  const bool dot = m <= 32 || 2 * f.k <= kernels.lanes;
  const int64_t pitch = dot ? f.k : kernels.padded_k(f.k);

  const int64_t fit = std::max<int64_t>(1, kSumValues / (f.groups * m * pitch));
  const int64_t chunk = ceil_div(f.batch, std::min({f.batch, kChunks, fit})), chunks = ceil_div(f.batch, chunk);
  // Parts of at least 128 rows: each of them transposes dy again.
  const int64_t wanted = std::min(ceil_div(8, chunks * f.groups), std::max<int64_t>(1, m / 128));
  const int64_t part = ceil_div(f.channels, dot ? 1 : wanted), parts = ceil_div(f.channels, part);

  const OutputPart whole{0, g.out[0], 0, g.out[1]};
  const bool in_place = g.unpadded() && (!dot || g.stride[2] == 1);
  const ImageLayout layout = in_place ? layout_in_place(g, part) : layout_of(g, part, whole, dot);
  Workspace<int64_t> offsets(part * taps);
  fill_offsets(g, layout, offsets.data());

  const int64_t sums_size = f.groups * m * pitch;
  Workspace<T> sums(chunks * sums_size);
  const int64_t rows = dot ? output_rows : std::clamp<int64_t>(kBlockOutputs / g.out[2], 1, output_rows);
  // Small images are taken together: every block reads and writes all sums once.
  const int64_t images = dot ? 1 : std::clamp<int64_t>(kBlockOutputs / outputs, 1, chunk);
  const int64_t copy_size = in_place ? 0 : part * layout.channel_pitch;
  const int64_t dot_size = dot ? kernels.weight_dot_sums(part * taps, f.k) : 0;
  const int64_t tasks = chunks * f.groups * parts,
                task_work = std::max<int64_t>(1, chunk * part * taps * f.k * outputs);

  parallel_for(tasks, std::max<int64_t>(1, (int64_t{1} << 19) / task_work), [&](int64_t begin, int64_t end) {
    Workspace<T> padded(images * copy_size);
    Workspace<T> work(dot ? dot_size : images * rows * g.out[2] * pitch);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t p = task % parts, group = task / parts % f.groups, number = task / parts / f.groups;
      const int64_t used = std::min(part, f.channels - p * part);
      T* out = sums.data() + number * sums_size + (group * m + p * part * taps) * pitch;
      ImageLayout to = layout;
      to.channels = used;
      WeightBlock<T> b;
      b.offsets = offsets.data(), b.m = used * taps;
      b.dy_channel_pitch = outputs, b.k = f.k;
      b.height = g.out[1], b.width = g.out[2];
      b.plane_step = g.stride[0] * layout.plane_pitch, b.row_step = g.stride[1] * layout.row_pitch;
      b.column_step = dot ? 1 : g.stride[2];
      b.sums = dot ? work.data() : out, b.work = work.data();
      std::fill_n(b.sums, dot ? dot_size : used * taps * pitch, T(0));
      const int64_t x_pitch = f.groups * f.channels * g.inputs(), last = std::min(f.batch, (number + 1) * chunk);
      b.image_pitch = in_place ? x_pitch : copy_size, b.dy_image_pitch = f.groups * f.k * outputs;
      for (int64_t image = number * chunk; image < last; image += images) {
        const T* source = f.x + image * x_pitch + (group * f.channels + p * part) * g.inputs();
        const T* dy = f.dy + (image * f.groups + group) * f.k * outputs;
        b.images = std::min(images, last - image);
        if (!in_place)
          for (int64_t i = 0; i < b.images; ++i)
            kernels.copy_image(image_copy(g, whole, to, source + i * x_pitch, padded.data() + i * copy_size));
        b.image = in_place ? source : padded.data();
        for (int64_t row = 0; row < output_rows; row += rows) {
          b.dy = dy + row * g.out[2], b.first_row = row, b.rows = std::min(rows, output_rows - row);
          if (dot) kernels.weight_dot(b);
          else kernels.weight_wide(b);
        }
      }
      if (dot) kernels.weight_dot_finish(used * taps, f.k, work.data(), out, pitch);
    }
  });

  // dw[k][m] = sum over chunks of sums[m][k]: pairs, pairs of pairs, ...
  const int64_t all = f.groups * m;
  parallel_for(all, std::max<int64_t>(16, 32768 / (pitch * chunks)), [&](int64_t begin, int64_t end) {
    for (int64_t width = 1; width < chunks; width *= 2)
      for (int64_t i = 0; i + width < chunks; i += 2 * width) {
        T* into = sums.data() + i * sums_size;
        const T* from = into + width * sums_size;
        for (int64_t j = begin * pitch; j < end * pitch; ++j) into[j] += from[j];
      }
    for (int64_t row = begin; row < end;) {
      const int64_t group = row / m, count = std::min(end, (group + 1) * m) - row;
      kernels.transpose(sums.data() + row * pitch, pitch, count, f.k, f.dw + group * f.k * m + row % m, m);
      row += count;
    }
  });
}

}  // namespace
}  // namespace conv

template <class T>
void conv_backward_weight(const ConvShape& shape, const T* x, const T* dy, T* dw, T* dbias) {
  const conv::Geometry g = conv::geometry_of(shape);
  const conv::WeightGradient<T> f{
      g,  shape.batch, shape.groups, shape.in_channels / shape.groups, shape.out_channels / shape.groups, x,
      dy, dw,          dbias};
  if (dbias != nullptr) conv::sum_bias(f);
  const std::int64_t size = f.groups * f.k * f.m();
  if (dw == nullptr || size == 0) return;
  if (shape.batch == 0 || g.outputs() == 0) std::fill_n(dw, size, T(0));
  else conv::run_weight(f);
}

template void conv_backward_weight<float>(const ConvShape&, const float*, const float*, float*, float*);
template void conv_backward_weight<double>(const ConvShape&, const double*, const double*, double*, double*);

}  // namespace hwaro
