// Forward convolution with images in the lanes, see kernels_batch.cpp: when it pays, and how it is cut into tasks.
// Images are taken a vector at a time, as many vectors as fit a fixed amount of memory; their inputs are brought into
// order first, then tasks compute parts of the output positions. Within a part, positions with the same valid taps are
// computed in pairs.
#include <algorithm>

#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace conv {

using std::int64_t;

namespace {

constexpr int64_t kInterleavedBytes = int64_t{32} << 20;
constexpr int64_t kPartPositions = 32;  // at least that many positions make a part, where there are so many

// For each dimension: which taps are inside the image, by output coordinate.
struct ValidTaps {
  int64_t first, last;  // [first, last)
};
ValidTaps valid_taps(const Geometry& g, int d, int64_t out) {
  const int64_t start = out * g.stride[d] - g.padding[d];
  const int64_t first = start >= 0 ? 0 : ceil_div(-start, g.dilation[d]);
  const int64_t last = start >= g.in[d] ? 0 : std::min(g.kernel[d], ceil_div(g.in[d] - start, g.dilation[d]));
  return {std::min(first, g.kernel[d]), std::max(last, std::min(first, g.kernel[d]))};
}
int64_t valid_terms(const Geometry& g, int d) {
  int64_t sum = 0;
  for (int64_t o = 0; o < g.out[d]; ++o) {
    const ValidTaps v = valid_taps(g, d, o);
    sum += v.last - v.first;
  }
  return sum;
}

// The valid taps of an output position as one number, and its first input.
struct Position {
  ValidTaps v[3];
  int64_t first_input;
  int64_t kind(const Geometry& g) const {
    int64_t k = 0;
    for (int d = 0; d < 3; ++d) k = (k * (g.kernel[d] + 1) + v[d].first) * (g.kernel[d] + 1) + v[d].last;
    return k;
  }
};
Position position_of(const Geometry& g, int64_t p) {
  const int64_t o[3] = {p / (g.out[1] * g.out[2]), p / g.out[2] % g.out[1], p % g.out[2]};
  Position at;
  int64_t input = 0;
  for (int d = 0; d < 3; ++d) {
    at.v[d] = valid_taps(g, d, o[d]);
    input = input * g.in[d] + o[d] * g.stride[d] - g.padding[d];
  }
  at.first_input = input;
  return at;
}

template <class T>
void compute_part(const Geometry& g, const RealConvKernels<T>& kernels, const BatchBlock<T>& block, int64_t begin,
                  int64_t end, int64_t* taps, T* out) {
  struct Item {
    int64_t kind, position;
  };
  Workspace<Item> items(end - begin);
  for (int64_t p = begin; p < end; ++p) items.data()[p - begin] = {position_of(g, p).kind(g), p};
  std::stable_sort(items.data(), items.data() + (end - begin),
                   [](const Item& a, const Item& b) { return a.kind < b.kind; });
  int64_t *valid = taps, *shift = taps + g.taps();
  for (int64_t i = 0; i < end - begin;) {
    const Item* item = items.data() + i;
    const Position at = position_of(g, item->position);
    BatchOutputs<T> o;
    o.valid = valid, o.shift = shift, o.count = 0;
    for (int64_t d = at.v[0].first; d < at.v[0].last; ++d)
      for (int64_t r = at.v[1].first; r < at.v[1].last; ++r)
        for (int64_t s = at.v[2].first; s < at.v[2].last; ++s, ++o.count) {
          valid[o.count] = (d * g.kernel[1] + r) * g.kernel[2] + s;
          shift[o.count] = (d * g.dilation[0] * g.in[1] + r * g.dilation[1]) * g.in[2] + s * g.dilation[2];
        }
    const bool pair = i + 1 < end - begin && item[1].kind == item[0].kind;
    const int64_t slot = block.m * kernels.lanes;
    o.first_input[0] = at.first_input, o.y[0] = out + (item->position - begin) * slot;
    o.first_input[1] = pair ? position_of(g, item[1].position).first_input : 0;
    o.y[1] = pair ? out + (item[1].position - begin) * slot : nullptr;
    kernels.batch(block, o);
    i += pair ? 2 : 1;
  }
}

}  // namespace

// Estimated cycles at 16 multiply-adds each, for both ways of computing the same convolution.
template <class T>
bool batch_pays(const Forward<T>& f) {
  const Geometry& g = f.g;
  const int64_t lanes = active_conv_kernels().real<T>().lanes;
  const double vectors = static_cast<double>(ceil_div(f.batch, lanes) * lanes),
               outputs = static_cast<double>(g.outputs());
  const double weights = static_cast<double>(f.m * f.channels), taps = static_cast<double>(g.taps());
  const double terms =
      static_cast<double>(valid_terms(g, 0) * valid_terms(g, 1)) * static_cast<double>(valid_terms(g, 2));
  const double product = vectors * weights * terms / 16;
  const double order =
      vectors * static_cast<double>(f.channels * g.inputs()) * 1.2 + vectors * static_cast<double>(f.m) * outputs * 1.6;
  const double columns = static_cast<double>(f.batch) * outputs;
  const double usual = columns * weights * taps / 16 + columns * static_cast<double>(f.channels) * taps * 0.2;
  return product + order < 0.98 * usual;
}

template <class T>
void run_forward_batch(const Forward<T>& f) {
  const Geometry& g = f.g;
  const auto& kernels = active_conv_kernels().real<T>();
  const int64_t lanes = kernels.lanes, inputs = g.inputs(), outputs = g.outputs(), taps = g.taps();
  const int64_t unit = inputs * f.channels * lanes;  // the ordered inputs of one vector of images and one group
  const int64_t units = ceil_div(f.batch, lanes) * f.groups;
  const int64_t at_once = std::clamp<int64_t>(kInterleavedBytes / static_cast<int64_t>(sizeof(T)) / unit, 1, units);

  Workspace<T> weights(f.groups * f.m * f.channels * taps);
  for (int64_t group = 0; group < f.groups; ++group)
    kernels.pack_weights_by_tap({f.w + group * f.w_group, f.w_row, f.w_channel, f.channels, taps, f.flip}, f.m,
                                weights.data() + group * f.m * f.channels * taps);

  const int64_t wanted = ceil_div(16, at_once);
  const int64_t part = std::max(ceil_div(outputs, wanted), std::min(kPartPositions, outputs));
  const int64_t parts = ceil_div(outputs, part), input_part = ceil_div(ceil_div(inputs, parts), 16) * 16;
  const int64_t x_pitch = f.groups * f.channels * inputs, y_pitch = f.groups * f.m * outputs;
  Workspace<T> ordered(at_once * unit);
  for (int64_t first = 0; first < units; first += at_once) {
    const int64_t count = std::min(at_once, units - first);
    const auto images_of = [&](int64_t u) { return std::min(lanes, f.batch - (first + u) / f.groups * lanes); };
    const int64_t input_parts = ceil_div(inputs, input_part);
    parallel_for(count * input_parts, 1, [&](int64_t begin, int64_t end) {
      for (int64_t task = begin; task < end; ++task) {
        const int64_t u = task / input_parts, from = task % input_parts * input_part;
        const int64_t image = (first + u) / f.groups * lanes, group = (first + u) % f.groups;
        kernels.interleave(f.x + image * x_pitch + group * f.channels * inputs, x_pitch, images_of(u), f.channels,
                           inputs, from, std::min(inputs, from + input_part), ordered.data() + u * unit);
      }
    });
    parallel_for(count * parts, 1, [&](int64_t begin, int64_t end) {
      Workspace<T> out(part * f.m * lanes);
      Workspace<int64_t> tap_lists(2 * taps);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t u = task / parts, from = task % parts * part, to = std::min(outputs, from + part);
        const int64_t image = (first + u) / f.groups * lanes, group = (first + u) % f.groups;
        const BatchBlock<T> block{ordered.data() + u * unit,
                                  f.channels,
                                  taps,
                                  weights.data() + group * f.m * f.channels * taps,
                                  f.m,
                                  f.bias ? f.bias + group * f.m : nullptr};
        compute_part(g, kernels, block, from, to, tap_lists.data(), out.data());
        T* y = f.y + image * y_pitch + group * f.m * outputs + from;
        for (int64_t i = 0; i < f.m; ++i)
          kernels.transpose(out.data() + i * lanes, f.m * lanes, to - from, images_of(u), y + i * outputs, y_pitch);
      }
    });
  }
}

template bool batch_pays<float>(const Forward<float>&);
template bool batch_pays<double>(const Forward<double>&);
template void run_forward_batch<float>(const Forward<float>&);
template void run_forward_batch<double>(const Forward<double>&);

}  // namespace conv
}  // namespace hwaro
