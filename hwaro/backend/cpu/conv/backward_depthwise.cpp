// Gradient of the input of a depthwise layer with a stride. Inputs whose coordinates leave the same remainders form a
// phase; within it the gradient is an ordinary convolution of dy with those taps that reach the phase. Each phase is
// computed by the direct kernel and then put between the others.
#include <algorithm>

#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace conv {

using std::int64_t;

namespace {

int64_t floor_div(int64_t a, int64_t b) { return a >= 0 ? a / b : -ceil_div(-a, b); }

// Input i = phase + q * stride of one dimension is reached by tap r where phase + padding - r * dilation is a multiple
// of the stride, from output q + shift.
bool reaches(const Geometry& g, int d, int64_t phase, int64_t tap, int64_t* shift) {
  const int64_t distance = phase + g.padding[d] - tap * g.dilation[d];
  *shift = floor_div(distance, g.stride[d]);
  return distance == *shift * g.stride[d];
}
int64_t phase_size(const Geometry& g, int d, int64_t phase) {
  return phase < g.in[d] ? ceil_div(g.in[d] - phase, g.stride[d]) : 0;
}

struct Margins {
  int64_t before[3] = {}, after[3] = {};
};
Margins margins_of(const Geometry& g) {
  Margins m;
  for (int d = 0; d < 3; ++d)
    for (int64_t phase = 0; phase < g.stride[d]; ++phase)
      for (int64_t tap = 0; tap < g.kernel[d]; ++tap) {
        int64_t shift;
        const int64_t size = phase_size(g, d, phase);
        if (size == 0 || !reaches(g, d, phase, tap, &shift)) continue;
        m.before[d] = std::max(m.before[d], -shift);
        m.after[d] = std::max(m.after[d], size - 1 + shift - (g.out[d] - 1));
      }
  return m;
}

// Copies a phase (rows x width, contiguous) between the others.
template <class T>
void put_phase(const Geometry& g, const int64_t (&phase)[3], const int64_t (&size)[3], const T* from, T* dx) {
  for (int64_t z = 0; z < size[0]; ++z)
    for (int64_t y = 0; y < size[1]; ++y) {
      T* row = dx + ((phase[0] + z * g.stride[0]) * g.in[1] + phase[1] + y * g.stride[1]) * g.in[2] + phase[2];
      for (int64_t x = 0; x < size[2]; ++x) row[x * g.stride[2]] = *from++;
    }
}

}  // namespace

template <class T>
void run_depthwise_strided(const Geometry& g, int64_t batch, int64_t groups, const T* dy, const T* w, T* dx) {
  const auto& kernels = active_conv_kernels().real<T>();
  const Margins margins = margins_of(g);
  ImageLayout layout{1, 0, 0, 0, 1, 1, 0, 0, 0};
  layout.planes = g.out[0] + margins.before[0] + margins.after[0];
  layout.rows = g.out[1] + margins.before[1] + margins.after[1];
  layout.columns = layout.row_pitch = g.out[2] + margins.before[2] + margins.after[2];
  layout.plane_pitch = layout.rows * layout.row_pitch;
  layout.channel_pitch = layout.planes * layout.plane_pitch;
  const int64_t taps = g.taps(), inputs = g.inputs(), outputs = g.outputs(), slack = 2 * kernels.lanes;
  const int64_t largest = phase_size(g, 0, 0) * phase_size(g, 1, 0) * phase_size(g, 2, 0);

  const int64_t grain = std::max<int64_t>(1, (int64_t{1} << 18) / std::max<int64_t>(1, taps * outputs + inputs));
  parallel_for(batch * groups, grain, [&](int64_t begin, int64_t end) {
    Workspace<T> padded(layout.channel_pitch + slack), result(largest), weights(taps);
    Workspace<int64_t> offsets(taps);
    std::fill_n(padded.data() + layout.channel_pitch, slack, T(0));
    for (int64_t task = begin; task < end; ++task) {
      const ImageCopy<T> copy{dy + task * outputs,
                              {g.out[0], g.out[1], g.out[2]},
                              {-margins.before[0], -margins.before[1], -margins.before[2]},
                              layout,
                              padded.data()};
      kernels.copy_image(copy);
      const T* kernel = w + task % groups * taps;
      int64_t phase[3], size[3], shift[3];
      for (phase[0] = 0; phase[0] < g.stride[0]; ++phase[0])
        for (phase[1] = 0; phase[1] < g.stride[1]; ++phase[1])
          for (phase[2] = 0; phase[2] < g.stride[2]; ++phase[2]) {
            for (int d = 0; d < 3; ++d) size[d] = phase_size(g, d, phase[d]);
            if (size[0] * size[1] * size[2] == 0) continue;
            int64_t count = 0;
            for (int64_t t = 0; t < taps; ++t) {
              const int64_t tap[3] = {t / (g.kernel[1] * g.kernel[2]), t / g.kernel[2] % g.kernel[1], t % g.kernel[2]};
              bool reached = true;
              for (int d = 0; d < 3; ++d) reached = reaches(g, d, phase[d], tap[d], &shift[d]) && reached;
              if (!reached) continue;
              offsets.data()[count] = (shift[0] + margins.before[0]) * layout.plane_pitch +
                                      (shift[1] + margins.before[1]) * layout.row_pitch + shift[2] + margins.before[2];
              weights.data()[count++] = kernel[t];
            }
            kernels.direct({padded.data(), offsets.data(), weights.data(), count, T(0), size[0] * size[1], size[1],
                            size[2], layout.plane_pitch, layout.row_pitch, result.data()});
            put_phase(g, phase, size, result.data(), dx + task * inputs);
          }
    }
  });
}

template void run_depthwise_strided<float>(const Geometry&, int64_t, int64_t, const float*, const float*, float*);
template void run_depthwise_strided<double>(const Geometry&, int64_t, int64_t, const double*, const double*, double*);

}  // namespace conv
}  // namespace hwaro
