// The table through which the drivers of convolution reach the kernels of one instruction set, and the plain structs
// that they share. All geometry has three spatial dimensions here; missing ones are of size 1.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hwaro/base/isa.h"

namespace hwaro {

// A copy of (a part of) one image, padded with zeros. With a step along the columns, columns that leave the same
// remainder lie side by side ("phases"), so that the inputs of neighbouring outputs are neighbours for every step.
struct ImageLayout {
  std::int64_t channels, planes, rows;  // of the padded part
  std::int64_t columns;                 // per phase
  std::int64_t phases, step;            // column = q * step + phase; phases is 1 or step
  std::int64_t row_pitch, plane_pitch, channel_pitch;
};

template <class T>
struct ImageCopy {
  const T* source;  // first channel of the unpadded image
  std::int64_t in[3];
  std::int64_t start[3];  // position of the part's first element in the image; negative inside the padding
  ImageLayout layout;
  T* target;
};

// Columns of the matrix that is never formed: outputs of `images` images, each of `rows` x `width`; output row r of an
// image reads its inputs at (r / height) * plane_step + (r % height) * row_step + offsets[k] + column.
template <class T>
struct ForwardBlock {
  const T* image;
  std::int64_t image_pitch, images, rows, height, width, plane_step, row_step;
  const std::int64_t* offsets;  // one per depth: channel and kernel tap
  std::int64_t depth;
  const T* weights;  // packed strips of rows, see pack_weights
  std::int64_t m;    // output channels
  const T* bias;     // one per output channel, or null
  T* y;              // first output of the block
  std::int64_t y_image_pitch, y_channel_pitch;
  T* work;  // forward_workspace(depth, m)
};

// Element (i, c, t) of a weight lies at data[i * row + c * channel + t]; packed depth runs over (c, t), t backwards
// where flip is set.
template <class T>
struct WeightView {
  const T* data;
  std::int64_t row, channel, channels, taps;
  bool flip;
};

// Gradient of the input from `rows` rows of outputs: row j of the product weights (m, depth) @ dy (depth, outputs) is
// added, one output row after the other, to the padded gradient at offsets[j].
template <class T>
struct ScatterBlock {
  const T* dy;  // first output of the block
  std::int64_t dy_channel_pitch, depth;
  const T* weights;  // packed
  std::int64_t m;    // (input channel, kernel tap)
  const std::int64_t* offsets;
  std::int64_t first_row, rows, height, width, plane_step, row_step;  // as in ForwardBlock, counted in the image
  T* dx;
  T* work;  // scatter_workspace(depth, m, rows * width)
};

// Outputs of one channel that reads one input channel: y = bias + sum over taps of weights[t] * image shifted by t.
template <class T>
struct DirectBlock {
  const T* image;
  const std::int64_t* offsets;
  const T* weights;
  std::int64_t taps;
  T bias;
  std::int64_t rows, height, width, plane_step, row_step;  // as in ForwardBlock
  T* y;
};

// Gradient of the weight from `rows` rows of outputs of each of `images` images, counted from first_row of the image:
// sums (m, k) += image at offsets (m, outputs) @ dy^T (outputs, k), m = (input channel, kernel tap).
template <class T>
struct WeightBlock {
  const T* image;
  const std::int64_t* offsets;
  std::int64_t m;
  const T* dy;  // first row of the block
  std::int64_t dy_channel_pitch, k;
  std::int64_t images, image_pitch, dy_image_pitch;
  std::int64_t first_row, rows, height, width, plane_step, row_step, column_step;
  T* sums;
  T* work;
};

// Outputs of `lanes` images side by side: every input position is a row of channels x lanes values, so an output
// position is a product over (valid tap, channel) of vectors of images, and taps inside the padding are left out.
template <class T>
struct BatchBlock {
  const T* image;  // [position][channel][lane]
  std::int64_t channels, taps;
  const T* weights;  // packed strips of rows: [tap][channel][row]
  std::int64_t m;
  const T* bias;  // or null
};
// One or two output positions that have the same valid taps.
template <class T>
struct BatchOutputs {
  const std::int64_t* valid;  // numbers of the taps
  const std::int64_t* shift;  // of each of them: input position relative to the output's first one
  std::int64_t count;
  std::int64_t first_input[2];
  T* y[2];  // [channel][lane]; the second is null for a single position
};

template <class T>
struct RealConvKernels {
  int lanes, tile_rows;
  void (*copy_image)(const ImageCopy<T>& copy);
  void (*pack_weights)(const WeightView<T>& w, std::int64_t m, T* packed);
  void (*forward)(const ForwardBlock<T>& block);
  std::int64_t (*forward_workspace)(std::int64_t depth, std::int64_t m);
  void (*scatter)(const ScatterBlock<T>& block);
  std::int64_t (*scatter_workspace)(std::int64_t depth, std::int64_t m, std::int64_t columns);
  void (*direct)(const DirectBlock<T>& block);
  void (*pack_weights_by_tap)(const WeightView<T>& w, std::int64_t m, T* packed);
  void (*batch)(const BatchBlock<T>& block, const BatchOutputs<T>& outputs);
  // Positions [begin, end) of `images` <= lanes images, as BatchBlock wants them.
  void (*interleave)(const T* x, std::int64_t image_pitch, std::int64_t images, std::int64_t channels,
                     std::int64_t positions, std::int64_t begin, std::int64_t end, T* target);
  // target[j * target_ld + i] = source[i * ld + j] for i < rows, j < columns.
  void (*transpose)(const T* source, std::int64_t ld, std::int64_t rows, std::int64_t columns, T* target,
                    std::int64_t target_ld);
  // Output channels in the lanes: sums are (m, padded k), work holds images * rows * width * padded k values.
  void (*weight_wide)(const WeightBlock<T>& block);
  std::int64_t (*padded_k)(std::int64_t k);
  // Outputs in the lanes: sums are weight_dot_sums(m, k) values in an order of its own, read with weight_dot_finish.
  void (*weight_dot)(const WeightBlock<T>& block);
  std::int64_t (*weight_dot_sums)(std::int64_t m, std::int64_t k);
  void (*weight_dot_finish)(std::int64_t m, std::int64_t k, const T* sums, T* out, std::int64_t out_pitch);
  T (*sum)(const T* x, std::int64_t n);
};

struct ConvKernels {
  RealConvKernels<float> f32;
  RealConvKernels<double> f64;
  template <class T>
  const RealConvKernels<T>& real() const {
    if constexpr (sizeof(T) == sizeof(float)) return f32;
    else return f64;
  }
};

HWARO_DECLARE_TABLES(ConvKernels, conv_kernels)

const ConvKernels& active_conv_kernels();
// For tests that walk through all instruction sets. Null restores the choice by cpu_capability().
void set_active_conv_kernels(const ConvKernels* kernels);

}  // namespace hwaro
