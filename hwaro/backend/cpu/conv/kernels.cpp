// Convolution as a matrix product whose right-hand matrix is never formed (compiled once per instruction set).
// y (m, outputs) = w (m, depth) @ columns (depth, outputs), depth = (channel, kernel tap). Strips of two vectors of
// outputs are packed straight from the padded image through a table of offsets, and stay in the second cache while all
// strips of packed weight rows pass over them in the register tile of gemm/micro.h.
#include "hwaro/backend/cpu/conv/kernels.h"

#include "hwaro/backend/cpu/conv/kernel_parts.h"
#include "hwaro/backend/cpu/gemm/pack.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

// Columns q in [first, last) of a phase lie inside a row of `width` inputs, at x0 + q * step.
struct Inside {
  std::int64_t first, last;
  HWARO_INLINE Inside(std::int64_t x0, std::int64_t width, std::int64_t step, std::int64_t columns) {
    first = x0 >= 0 ? 0 : (-x0 + step - 1) / step;
    last = x0 >= width ? 0 : (width - x0 + step - 1) / step;
    if (last > columns) last = columns;
    if (first > last) first = last;
  }
};

// Rows are often shorter than a call of memcpy is long.
template <class T>
HWARO_INLINE void copy(T* to, const T* from, std::int64_t count) {
  constexpr int L = simd::kLanes<T>;
  std::int64_t i = 0;
  for (; i + L <= count; i += L) simd::store(to + i, simd::load(from + i));
  if (i < count) {
    const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(count - i));
    simd::store_masked(to + i, simd::load_masked(from + i, mask), mask);
  }
}

template <class T>
HWARO_INLINE void zero(T* row, std::int64_t begin, std::int64_t end) {
  for (std::int64_t q = begin; q < end; ++q) row[q] = T(0);
}

// Both phases of step 2 at once. Whole pairs of vectors go through shuffles, the rest one by one.
template <class T>
HWARO_INLINE void copy_pairs(const T* src, std::int64_t x0, std::int64_t width, std::int64_t columns, T* row) {
  constexpr int L = simd::kLanes<T>;
  const Inside even(x0, width, 2, columns), odd(x0 + 1, width, 2, columns);
  T* other = row + columns;
  zero(row, 0, even.first), zero(row, even.last, columns);
  zero(other, 0, odd.first), zero(other, odd.last, columns);
  std::int64_t q = even.first > odd.first ? even.first : odd.first;
  const std::int64_t end = even.last < odd.last ? even.last : odd.last;
  for (std::int64_t i = even.first; i < q && i < even.last; ++i) row[i] = src[x0 + 2 * i];
  for (std::int64_t i = odd.first; i < q && i < odd.last; ++i) other[i] = src[x0 + 1 + 2 * i];
  for (; q + L <= end; q += L) {
    const T* s = src + x0 + 2 * q;
    simd::Vector<T> e, o;
    simd::split_pairs<T>(simd::load(s), simd::load(s + L), &e, &o);
    simd::store(row + q, e), simd::store(other + q, o);
  }
  for (std::int64_t i = q; i < even.last; ++i) row[i] = src[x0 + 2 * i];
  for (std::int64_t i = q; i < odd.last; ++i) other[i] = src[x0 + 1 + 2 * i];
}

template <class T>
HWARO_INLINE void copy_phase(const T* src, std::int64_t x0, std::int64_t width, std::int64_t step, std::int64_t columns,
                             T* row) {
  const Inside in(x0, width, step, columns);
  zero(row, 0, in.first);
  if (step == 1) copy(row + in.first, src + x0 + in.first, in.last - in.first);
  else
    for (std::int64_t q = in.first; q < in.last; ++q) row[q] = src[x0 + q * step];
  zero(row, in.last, columns);
}

template <class T>
void copy_image(const ImageCopy<T>& image) {
  const ImageLayout& to = image.layout;
  for (std::int64_t c = 0; c < to.channels; ++c)
    for (std::int64_t z = 0; z < to.planes; ++z)
      for (std::int64_t y = 0; y < to.rows; ++y) {
        T* row = image.target + c * to.channel_pitch + z * to.plane_pitch + y * to.row_pitch;
        const std::int64_t in_z = image.start[0] + z, in_y = image.start[1] + y;
        if (in_z < 0 || in_z >= image.in[0] || in_y < 0 || in_y >= image.in[1]) {
          zero(row, 0, to.phases * to.columns);
          continue;
        }
        const T* src = image.source + ((c * image.in[0] + in_z) * image.in[1] + in_y) * image.in[2];
        if (to.phases == 2) {
          copy_pairs(src, image.start[2], image.in[2], to.columns, row);
          continue;
        }
        for (std::int64_t phase = 0; phase < to.phases; ++phase, row += to.columns)
          copy_phase(src, image.start[2] + phase, image.in[2], to.step, to.columns, row);
      }
}

template <class T>
void pack_weights(const WeightView<T>& w, std::int64_t m, T* packed) {
  const Strips strips(m, kTileRows);
  const std::int64_t depth = w.channels * w.taps;
  for (std::int64_t s = 0; s < strips.count; ++s) {
    const std::int64_t rows = strips.rows(s);
    const T* src = w.data + strips.begin(s) * w.row;
    if (!w.flip && w.channel == w.taps) {
      pack_transposed(src, w.row, rows, depth, packed, rows);
    } else {
      for (std::int64_t c = 0; c < w.channels; ++c)
        for (std::int64_t i = 0; i < rows; ++i)
          for (std::int64_t t = 0; t < w.taps; ++t)
            packed[(c * w.taps + t) * rows + i] = src[i * w.row + c * w.channel + (w.flip ? w.taps - 1 - t : t)];
    }
    packed += rows * depth;
  }
}

// ---- forward --------------------------------------------------------------------------------------------------------
// Several strips are packed and multiplied together, so that the image is read in longer pieces (7x7 stem of three
// channels: 91 -> 99 GFLOPS); the packed strips of a panel take at most a quarter of a 1 MiB second cache.
constexpr std::int64_t kPanelDepth = 1152, kGroupStrips = 8, kPackedBytes = 256 * 1024;

template <class T>
std::int64_t strips_per_group(std::int64_t depth) {
  const std::int64_t panel = depth < kPanelDepth ? depth : kPanelDepth;
  const std::int64_t fit = kPackedBytes / (panel * kTileColumns<T> * static_cast<std::int64_t>(sizeof(T)));
  return fit < 1 ? 1 : fit < kGroupStrips ? fit : kGroupStrips;
}

template <class T>
std::int64_t forward_workspace(std::int64_t depth, std::int64_t m) {
  constexpr std::int64_t W = kTileColumns<T>;
  const std::int64_t panel = depth < kPanelDepth ? depth : kPanelDepth;
  return (panel * W + W + m * W) * strips_per_group<T>(depth);
}

// A piece of a strip that lies side by side in the image.
struct Run {
  std::int64_t source;  // offset in the image
  int target, length;
};

template <class T>
HWARO_INLINE int find_runs(const ForwardBlock<T>& b, std::int64_t column, std::int64_t columns, Run* runs) {
  const std::int64_t per_image = b.rows * b.width;
  std::int64_t image = column / per_image, row = column % per_image / b.width, x = column % b.width;
  int count = 0;
  for (std::int64_t done = 0; done < columns;) {
    const std::int64_t left = columns - done, length = b.width - x < left ? b.width - x : left;
    runs[count++] = {image * b.image_pitch + row / b.height * b.plane_step + row % b.height * b.row_step + x,
                     static_cast<int>(done), static_cast<int>(length)};
    done += length;
    x = 0;
    if (++row == b.rows) row = 0, ++image;
  }
  return count;
}

// Whole vectors are copied: what is too much is overwritten by the next run or the next depth.
template <class T>
HWARO_INLINE void pack_strip(const T* image, const std::int64_t* offsets, std::int64_t depth, const Run* runs,
                             int count, std::int64_t width, T* dst) {
  constexpr int L = simd::kLanes<T>;
  if (count == 1 && width == kTileColumns<T>) {
    const T* src = image + runs[0].source;
    for (std::int64_t p = 0; p < depth; ++p, dst += width) {
      HWARO_UNROLL
      for (int j = 0; j < kTileVectors; ++j) simd::store(dst + j * L, simd::load(src + offsets[p] + j * L));
    }
    return;
  }
  for (std::int64_t p = 0; p < depth; ++p, dst += width) {
    const T* src = image + offsets[p];
    for (int r = 0; r < count; ++r)
      for (int j = 0; j < runs[r].length; j += L)
        simd::store(dst + runs[r].target + j, simd::load(src + runs[r].source + j));
  }
}

// Copies a finished strip (m rows of `width`) that crosses a border between images.
template <class T>
void scatter_strip(const ForwardBlock<T>& b, std::int64_t column, std::int64_t columns, std::int64_t width,
                   const T* strip) {
  const std::int64_t per_image = b.rows * b.width;
  for (std::int64_t i = 0; i < b.m; ++i)
    for (std::int64_t done = 0; done < columns;) {
      const std::int64_t image = (column + done) / per_image, at = (column + done) % per_image;
      const std::int64_t length = per_image - at < columns - done ? per_image - at : columns - done;
      __builtin_memcpy(b.y + image * b.y_image_pitch + i * b.y_channel_pitch + at, strip + i * width + done,
                       static_cast<std::size_t>(length) * sizeof(T));
      done += length;
    }
}

// One strip of a group: where its columns come from and go to.
template <class T>
struct Strip {
  std::int64_t column, columns, vectors, width;
  bool crosses;  // a border between images: its outputs are scattered at the end
  T* y;
  T* packed;
  T* partial;
  int run_count;
  Run runs[kTileColumns<T>];
};

template <class T>
void forward(const ForwardBlock<T>& b) {
  constexpr std::int64_t L = simd::kLanes<T>, W = kTileColumns<T>, kChunk = 64;
  const std::int64_t per_image = b.rows * b.width, total = b.images * per_image;
  const Strips rows(b.m, kTileRows), panels(b.depth, kPanelDepth);
  const std::int64_t panel_depth = b.depth < kPanelDepth ? b.depth : kPanelDepth, most = strips_per_group<T>(b.depth);
  Strip<T> group[kGroupStrips];
  for (std::int64_t first = 0; first < total; first += most * W) {
    int count = 0;
    for (std::int64_t column = first; column < total && count < most; column += W, ++count) {
      Strip<T>& s = group[count];
      s.column = column, s.columns = total - column < W ? total - column : W;
      s.vectors = (s.columns + L - 1) / L, s.width = s.vectors * L;
      s.run_count = find_runs(b, column, s.columns, s.runs);
      const std::int64_t image = column / per_image;
      s.crosses = (column + s.columns - 1) / per_image != image;
      s.y = b.y + image * b.y_image_pitch + column % per_image;
      s.partial = b.work + count * b.m * W;
      s.packed = b.work + most * b.m * W + count * (panel_depth + 1) * W;  // one row more: copies run over the end
    }
    for (std::int64_t panel = 0; panel < panels.count; ++panel) {
      const std::int64_t p = panels.begin(panel), depth = panels.rows(panel);
      const bool last = panel == panels.count - 1;
      for (std::int64_t q = 0; q < depth; q += kChunk)
        for (int s = 0; s < count; ++s)
          pack_strip(b.image, b.offsets + p + q, depth - q < kChunk ? depth - q : kChunk, group[s].runs,
                     group[s].run_count, group[s].width, group[s].packed + q * group[s].width);
      const T* weights = b.weights;
      for (std::int64_t r = 0; r < rows.count; ++r) {
        const std::int64_t i = rows.begin(r), height = rows.rows(r);
        for (int s = 0; s < count; ++s) {
          const Strip<T>& strip = group[s];
          const StripOutput<T> out{last && !strip.crosses ? strip.y + i * b.y_channel_pitch : nullptr,
                                   b.y_channel_pitch,
                                   strip.partial + i * strip.width,
                                   last && b.bias ? b.bias + i : nullptr,
                                   panel == 0,
                                   static_cast<int>(strip.columns - (strip.vectors - 1) * L)};
          kConvMicro<T>.at[height - 1][strip.vectors - 1](depth, weights + p * height, strip.packed, out);
        }
        weights += height * b.depth;
      }
    }
    for (int s = 0; s < count; ++s)
      if (group[s].crosses) scatter_strip(b, group[s].column, group[s].columns, group[s].width, group[s].partial);
  }
}

template <class T>
constexpr RealConvKernels<T> kReal{
    simd::kLanes<T>,      kTileRows,          copy_image<T>,        pack_weights<T>, forward<T>,
    forward_workspace<T>, scatter_columns<T>, scatter_workspace<T>, direct<T>,       pack_weights_by_tap<T>,
    batch_outputs<T>,     interleave<T>,      transpose<T>,         weight_wide<T>,  padded_k<T>,
    weight_dot<T>,        weight_dot_sums<T>, weight_dot_finish<T>, sum_values<T>};

}  // namespace

extern constinit const ConvKernels conv_kernels{kReal<float>, kReal<double>};

}  // namespace HWARO_ISA
}  // namespace hwaro
