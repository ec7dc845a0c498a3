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

template <class T>
void copy_image(const ImageCopy<T>& copy) {
  const ImageLayout& to = copy.layout;
  for (std::int64_t c = 0; c < to.channels; ++c)
    for (std::int64_t z = 0; z < to.planes; ++z)
      for (std::int64_t y = 0; y < to.rows; ++y) {
        T* row = copy.target + c * to.channel_pitch + z * to.plane_pitch + y * to.row_pitch;
        const std::int64_t in_z = copy.start[0] + z, in_y = copy.start[1] + y;
        if (in_z < 0 || in_z >= copy.in[0] || in_y < 0 || in_y >= copy.in[1]) {
          for (std::int64_t i = 0; i < to.phases * to.columns; ++i) row[i] = T(0);
          continue;
        }
        const T* src = copy.source + ((c * copy.in[0] + in_z) * copy.in[1] + in_y) * copy.in[2];
        for (std::int64_t phase = 0; phase < to.phases; ++phase, row += to.columns) {
          // Columns q in [first, last) lie inside the image.
          const std::int64_t x0 = copy.start[2] + phase;
          std::int64_t first = x0 >= 0 ? 0 : (-x0 + to.step - 1) / to.step;
          std::int64_t last = x0 >= copy.in[2] ? 0 : (copy.in[2] - x0 + to.step - 1) / to.step;
          if (last > to.columns) last = to.columns;
          if (first > last) first = last;
          for (std::int64_t q = 0; q < first; ++q) row[q] = T(0);
          if (to.step == 1)
            __builtin_memcpy(row + first, src + x0 + first, static_cast<std::size_t>(last - first) * sizeof(T));
          else
            for (std::int64_t q = first; q < last; ++q) row[q] = src[x0 + q * to.step];
          for (std::int64_t q = last; q < to.columns; ++q) row[q] = T(0);
        }
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

// ---- forward ---------------------------------------------------------------------------------------------------------
constexpr std::int64_t kPanelDepth = 2304;

template <class T>
std::int64_t forward_workspace(std::int64_t depth, std::int64_t m) {
  constexpr std::int64_t W = kTileColumns<T>;
  const std::int64_t panel = depth < kPanelDepth ? depth : kPanelDepth;
  return (panel + 2) * W + m * W;
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
HWARO_INLINE void pack_strip(const T* image, const std::int64_t* offsets, std::int64_t depth, const Run* runs, int count,
                             std::int64_t width, T* dst) {
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

template <class T>
void forward(const ForwardBlock<T>& b) {
  constexpr std::int64_t L = simd::kLanes<T>, W = kTileColumns<T>;
  const std::int64_t per_image = b.rows * b.width, total = b.images * per_image;
  const Strips strips(b.m, kTileRows), panels(b.depth, kPanelDepth);
  T* partial = b.work;
  T* packed = b.work + b.m * W;
  Run runs[W];
  for (std::int64_t column = 0; column < total; column += W) {
    const std::int64_t columns = total - column < W ? total - column : W;
    const std::int64_t vectors = (columns + L - 1) / L, width = vectors * L;
    const int count = find_runs(b, column, columns, runs);
    const std::int64_t image = column / per_image;
    const bool crosses = (column + columns - 1) / per_image != image;
    T* y = b.y + image * b.y_image_pitch + column % per_image;
    for (std::int64_t panel = 0; panel < panels.count; ++panel) {
      const std::int64_t p = panels.begin(panel), depth = panels.rows(panel);
      const bool last = panel == panels.count - 1;
      pack_strip(b.image, b.offsets + p, depth, runs, count, width, packed);
      const T* weights = b.weights;
      for (std::int64_t s = 0; s < strips.count; ++s) {
        const std::int64_t i = strips.begin(s), rows = strips.rows(s);
        const StripOutput<T> out{last && !crosses ? y + i * b.y_channel_pitch : nullptr,
                                 b.y_channel_pitch,
                                 partial + i * width,
                                 last && b.bias ? b.bias + i : nullptr,
                                 panel == 0,
                                 static_cast<int>(columns - (vectors - 1) * L)};
        kConvMicro<T>.at[rows - 1][vectors - 1](depth, weights + p * rows, packed, out);
        weights += rows * b.depth;
      }
    }
    if (crosses) scatter_strip(b, column, columns, width, partial);
  }
}

template <class T>
constexpr RealConvKernels<T> kReal{simd::kLanes<T>,
                                   kTileRows,
                                   copy_image<T>,
                                   pack_weights<T>,
                                   forward<T>,
                                   forward_workspace<T>,
                                   scatter_columns<T>,
                                   scatter_workspace<T>,
                                   direct<T>,
                                   weight_wide<T>,
                                   padded_k<T>,
                                   weight_dot<T>,
                                   weight_dot_sums<T>,
                                   weight_dot_finish<T>,
                                   sum_values<T>};

}  // namespace

extern constinit const ConvKernels conv_kernels{kReal<float>, kReal<double>};

}  // namespace HWARO_ISA
}  // namespace hwaro
