// Sliding blocks of images as columns (unfold), and columns summed back into an image (fold): each the other's transpose.
#include <algorithm>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Blocks {
  int64_t size[2], kernel[2], dilation[2], padding[2], stride[2], count[2];
};

void two(int64_t (&to)[2], IntSpan v, const char* name) {
  HWARO_CHECK(v.size() == 1 || v.size() == 2, "It is expected ", name, " equals to 2, but got size ", v.size());
  to[0] = v[0];
  to[1] = v[v.size() - 1];
}

Blocks blocks_of(IntSpan size, IntSpan kernel, IntSpan dilation, IntSpan padding, IntSpan stride) {
  Blocks b;
  two(b.size, size, "output_size");
  two(b.kernel, kernel, "kernel_size");
  two(b.dilation, dilation, "dilation");
  two(b.padding, padding, "padding");
  two(b.stride, stride, "stride");
  HWARO_CHECK(b.kernel[0] > 0 && b.kernel[1] > 0,
              "kernel size should be greater than zero, but got kernel_height: ", b.kernel[0],
              " kernel_width: ", b.kernel[1]);
  HWARO_CHECK(b.dilation[0] > 0 && b.dilation[1] > 0,
              "dilation should be greater than zero, but got dilation_height: ", b.dilation[0],
              " dilation_width: ", b.dilation[1]);
  HWARO_CHECK(b.padding[0] >= 0 && b.padding[1] >= 0,
              "padding should be non-negative, but got pad_height: ", b.padding[0], " pad_width: ", b.padding[1]);
  HWARO_CHECK(b.stride[0] > 0 && b.stride[1] > 0,
              "stride should be greater than zero, but got stride_height: ", b.stride[0],
              " stride_width: ", b.stride[1]);
  for (int d = 0; d < 2; ++d) {
    using Wide = __int128;
    const Wide stride = b.stride[d];
    const Wide room = Wide(b.size[d]) + 2 * Wide(b.padding[d]) - Wide(b.dilation[d]) * (b.kernel[d] - 1) - 1;
    const Wide count = room < 0 ? -((-room + stride - 1) / stride) + 1 : room / stride + 1;
    b.count[d] = int64_t(std::clamp<Wide>(count, INT64_MIN, INT64_MAX));
  }
  return b;
}

std::string pair(const int64_t (&v)[2]) { return concat('(', v[0], ", ", v[1], ')'); }

// Calls f(row of a column matrix, its position in the image) for rows that are runs of one kernel element.
template <bool kToImage, class T>
void copy_blocks(const Blocks& b, int64_t channels, std::conditional_t<kToImage, T*, const T*> image,
                 std::conditional_t<kToImage, const T*, T*> columns) {
  const int64_t k = b.kernel[0] * b.kernel[1], length = b.count[0] * b.count[1];
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t q = 0; q < k; ++q) {
      const int64_t kh = q / b.kernel[1], kw = q % b.kernel[1];
      auto* row = columns + (c * k + q) * length;
      for (int64_t i = 0; i < b.count[0]; ++i) {
        const int64_t y = i * b.stride[0] - b.padding[0] + kh * b.dilation[0];
        for (int64_t j = 0; j < b.count[1]; ++j) {
          const int64_t x = j * b.stride[1] - b.padding[1] + kw * b.dilation[1];
          const bool inside = y >= 0 && y < b.size[0] && x >= 0 && x < b.size[1];
          const int64_t at = (c * b.size[0] + y) * b.size[1] + x;
          if constexpr (kToImage) {
            if (inside) image[at] = T(image[at] + row[i * b.count[1] + j]);
          } else {
            row[i * b.count[1] + j] = inside ? image[at] : T{};
          }
        }
      }
    }
}

Tensor fold_of(const Tensor& columns, IntSpan size, IntSpan kernel, IntSpan dilation, IntSpan padding, IntSpan stride);

Tensor unfold_of(const Tensor& self, IntSpan kernel, IntSpan dilation, IntSpan padding, IntSpan stride) {
  const int d = self.dim();
  const int64_t height = self.size(d == 4 ? 2 : 1), width = self.size(d == 4 ? 3 : 2);
  HWARO_CHECK((d == 3 || d == 4) && self.size(d - 3) != 0 && height != 0 && width != 0,
              "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
              "input, but got: ",
              sizes_str(self.sizes()));
  const Blocks b = blocks_of({height, width}, kernel, dilation, padding, stride);
  HWARO_CHECK(b.count[0] >= 1 && b.count[1] >= 1, "Given input with spatial size ", pair(b.size),
              ", kernel_size=", pair(b.kernel), ", dilation=", pair(b.dilation), ", padding=", pair(b.padding),
              ", calculated shape of the array of sliding blocks as ", pair(b.count),
              ", but its components must be at least one.");
  const int64_t channels = self.size(d - 3), rows = product({channels, b.kernel[0], b.kernel[1]}),
                length = product({b.count[0], b.count[1]});
  const Tensor out =
      make_tensor(d == 4 ? Dims{self.size(0), rows, length} : Dims{rows, length}, self.dtype(), self.device());
  if (!self.device().is_meta()) {
    const Tensor x = dense(self);
    visit<kFloatSet | kComplexSet | kBoolSet>(self.dtype(), "im2col_out_cpu", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const int64_t plane = channels * height * width;
      parallel_for(d == 4 ? self.size(0) : 1, 1, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n)
          copy_blocks<false, T>(b, channels, x->read_as<T>() + n * plane, out->write_as<T>() + n * rows * length);
      });
    });
  }
  if (recording(self))
    record("Im2ColBackward0", {self}, out, {},
           [size = Dims{height, width}, kernel = Dims(kernel), dilation = Dims(dilation), padding = Dims(padding),
            stride = Dims(stride)](Backward& back) {
             back.set(0, fold_of(back.g(), size, kernel, dilation, padding, stride));
           });
  return out;
}

Tensor fold_of(const Tensor& columns, IntSpan size, IntSpan kernel, IntSpan dilation, IntSpan padding, IntSpan stride) {
  const int d = columns.dim();
  const Blocks b = blocks_of(size, kernel, dilation, padding, stride);
  HWARO_CHECK(b.size[0] >= 1 && b.size[1] >= 1,
              "Expected output spatial size to be positive, but got: output_size=", pair(b.size), '.');
  HWARO_CHECK((d == 2 || d == 3) && columns.size(d - 2) != 0 && columns.size(d - 1) != 0,
              "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
              "input, but got: ",
              sizes_str(columns.sizes()));
  const int64_t rows = columns.size(d - 2), length = columns.size(d - 1), k = product({b.kernel[0], b.kernel[1]});
  HWARO_CHECK(
      rows % k == 0,
      "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got input.size(1)=",
      rows, " and kernel_size=", pair(b.kernel), '.');
  const int64_t blocks = product({b.count[0], b.count[1]});
  HWARO_CHECK(length == blocks, "Given output_size=", pair(b.size), ", kernel_size=", pair(b.kernel),
              ", dilation=", pair(b.dilation), ", padding=", pair(b.padding), ", stride=", pair(b.stride),
              ", expected size of input's dimension 2 to match the calculated number of sliding blocks ", b.count[0],
              " * ", b.count[1], " = ", blocks, ", but got input.size(2)=", length, '.');
  const int64_t channels = rows / k;
  const Dims shape =
      d == 3 ? Dims{columns.size(0), channels, b.size[0], b.size[1]} : Dims{channels, b.size[0], b.size[1]};
  Tensor out = make_tensor(shape, columns.dtype(), columns.device());
  if (!columns.device().is_meta()) {
    const DType type = compute_type(columns.dtype());
    const Tensor x = dense_as(columns, type), image = make_zeros(shape, type);
    visit<bit(DType::Float) | bit(DType::Double) | kComplexSet>(type, "col2im_out_cpu", [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_for(d == 3 ? columns.size(0) : 1, 1, [&](int64_t begin, int64_t end) {
        for (int64_t n = begin; n < end; ++n)
          copy_blocks<true, T>(b, channels, image->write_as<T>() + n * channels * b.size[0] * b.size[1],
                               x->read_as<T>() + n * rows * length);
      });
    });
    out = dense_as(image, columns.dtype());
  }
  if (recording(columns))
    record("Col2ImBackward0", {columns}, out, {},
           [kernel = Dims(kernel), dilation = Dims(dilation), padding = Dims(padding), stride = Dims(stride)](
               Backward& back) { back.set(0, unfold_of(back.g(), kernel, dilation, padding, stride)); });
  return out;
}

}  // namespace

struct UnfoldImage {
  static constexpr Schema schema =
      "unfold(Tensor input, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] stride=1) -> Tensor";
  static constexpr Doc doc = "Sliding blocks of input (N, C, H, W) as columns: (N, C * kH * kW, number of blocks).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan kernel, IntSpan dilation, IntSpan padding, IntSpan stride) {
    return unfold_of(input, kernel, dilation, padding, stride);
  }
};

struct FoldImage {
  static constexpr Schema schema =
      "fold(Tensor input, int[2] output_size, int[2] kernel_size, int[2] dilation=1, int[2] padding=0, int[2] "
      "stride=1) -> Tensor";
  static constexpr Doc doc =
      "Sums columns (N, C * kH * kW, number of blocks) into images (N, C, H, W); the transpose of unfold.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan size, IntSpan kernel, IntSpan dilation, IntSpan padding,
                     IntSpan stride) {
    return fold_of(input, size, kernel, dilation, padding, stride);
  }
};

}  // namespace hwaro::engine

#include "families/fold.inc"
