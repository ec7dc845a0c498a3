// Convolution and its gradients against plain loops in double, on every instruction set that this processor has.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/conv/conv.h"
#include "hwaro/backend/cpu/conv/geometry.h"
#include "hwaro/backend/cpu/conv/kernels.h"
#include "hwaro/base/parallel.h"

namespace {

using namespace hwaro;
using std::int64_t;

const ConvKernels* table_of(int level) {
  const ConvKernels* tables[] = HWARO_TABLES(conv_kernels);
  return tables[level];
}

template <class F>
void on_each_isa(F body) {
  for (int level = 0; level <= static_cast<int>(detect_cpu_capability()); ++level) {
    const std::string isa = cpu_capability_name(static_cast<CpuCapability>(level));
    CAPTURE(isa);
    set_active_conv_kernels(table_of(level));
    body();
  }
  set_active_conv_kernels(nullptr);
}

// Multiples of 2^-16, for which a plain loop in double is exact: 100,000 products of two of them add up to 49 bits.
template <class T>
std::vector<T> random_values(int64_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> uniform(-65536, 65536);
  std::vector<T> out(static_cast<std::size_t>(count));
  for (T& x : out) x = static_cast<T>(uniform(engine) * 0x1p-16);
  return out;
}

struct Extra {
  int64_t stride = 1, padding = 0, dilation = 1;
};

// The same kernel, stride, padding and dilation in every dimension unless changed afterwards.
ConvShape shape_of(int64_t batch, int64_t in_channels, int64_t out_channels, int64_t groups, std::vector<int64_t> in,
                   std::vector<int64_t> kernel, Extra e = {}) {
  ConvShape s{};
  s.batch = batch, s.in_channels = in_channels, s.out_channels = out_channels, s.groups = groups;
  s.spatial_dims = static_cast<int>(in.size());
  for (int d = 0; d < s.spatial_dims; ++d) {
    s.in[d] = in[d], s.kernel[d] = kernel[d], s.stride[d] = e.stride, s.padding[d] = e.padding,
    s.dilation[d] = e.dilation;
    s.out[d] = (in[d] + 2 * e.padding - e.dilation * (kernel[d] - 1) - 1) / e.stride + 1;
  }
  return s;
}

int64_t product(const int64_t* sizes, int count) {
  int64_t p = 1;
  for (int d = 0; d < count; ++d) p *= sizes[d];
  return p;
}

// Calls visit(x index, w index, y index) for every multiplication of the convolution.
template <class F>
void for_each_term(const ConvShape& s, F visit) {
  const int dims = s.spatial_dims;
  const int64_t inputs = product(s.in, dims), taps = product(s.kernel, dims), outputs = product(s.out, dims);
  const int64_t channels = s.in_channels / s.groups, per_group = s.out_channels / s.groups;
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t t = 0; t < taps; ++t) {
      int64_t at = 0, rest_o = o, rest_t = t, scale = 1;
      bool inside = true;
      for (int d = dims - 1; d >= 0; --d) {
        const int64_t i = rest_o % s.out[d] * s.stride[d] - s.padding[d] + rest_t % s.kernel[d] * s.dilation[d];
        inside = inside && i >= 0 && i < s.in[d];
        at += i * scale, scale *= s.in[d];
        rest_o /= s.out[d], rest_t /= s.kernel[d];
      }
      if (!inside) continue;
      for (int64_t n = 0; n < s.batch; ++n)
        for (int64_t k = 0; k < s.out_channels; ++k)
          for (int64_t c = 0; c < channels; ++c)
            visit((n * s.in_channels + k / per_group * channels + c) * inputs + at, (k * channels + c) * taps + t,
                  (n * s.out_channels + k) * outputs + o);
    }
}

template <class T>
bool close(const std::vector<T>& got, const std::vector<double>& want, int64_t terms) {
  const double bound = std::numeric_limits<T>::epsilon() * (8.0 + double(terms));
  for (std::size_t i = 0; i < got.size(); ++i)
    if (!(std::abs(double(got[i]) - want[i]) <= bound)) return false;
  return true;
}

template <class T>
void check_shape(const ConvShape& s) {
  const int dims = s.spatial_dims;
  const int64_t channels = s.in_channels / s.groups, taps = product(s.kernel, dims), outputs = product(s.out, dims);
  const int64_t x_size = s.batch * s.in_channels * product(s.in, dims), w_size = s.out_channels * channels * taps;
  const int64_t y_size = s.batch * s.out_channels * outputs;
  // Exactly as large as the tensors: the address sanitizer sees every access beyond them.
  const auto x = random_values<T>(x_size, 1), w = random_values<T>(w_size, 2),
             bias = random_values<T>(s.out_channels, 3);
  const auto dy = random_values<T>(y_size, 4);
  std::vector<double> y_want(y_size), dx_want(x_size), dw_want(w_size), db_want(s.out_channels);
  for (int64_t i = 0; i < y_size; ++i) {
    y_want[i] = bias[i / outputs % s.out_channels];
    db_want[i / outputs % s.out_channels] += dy[i];
  }
  for_each_term(s, [&](int64_t xi, int64_t wi, int64_t yi) {
    y_want[yi] += double(x[xi]) * w[wi];
    dx_want[xi] += double(dy[yi]) * w[wi];
    dw_want[wi] += double(x[xi]) * dy[yi];
  });
  std::string text = "batch " + std::to_string(s.batch) + ", channels " + std::to_string(s.in_channels) + " -> " +
                     std::to_string(s.out_channels) + ", groups " + std::to_string(s.groups);
  for (int d = 0; d < dims; ++d)
    text += "; in " + std::to_string(s.in[d]) + " kernel " + std::to_string(s.kernel[d]) + " stride " +
            std::to_string(s.stride[d]) + " padding " + std::to_string(s.padding[d]) + " dilation " +
            std::to_string(s.dilation[d]) + " out " + std::to_string(s.out[d]);
  CAPTURE(text);
  on_each_isa([&] {
    const T nan = std::numeric_limits<T>::quiet_NaN();
    std::vector<T> y(y_size, nan), dx(x_size, nan), dw(w_size, nan), db(s.out_channels, nan);
    conv_forward<T>(s, x.data(), w.data(), bias.data(), y.data());
    CHECK(close(y, y_want, channels * taps));
    conv_backward_input<T>(s, dy.data(), w.data(), dx.data());
    CHECK(close(dx, dx_want, s.out_channels / s.groups * taps));
    conv_backward_weight<T>(s, x.data(), dy.data(), dw.data(), db.data());
    CHECK(close(dw, dw_want, s.batch * outputs));
    CHECK(close(db, db_want, s.batch * outputs));
  });
}

}  // namespace

TEST_CASE_TEMPLATE("two-dimensional convolution and its gradients match plain loops", T, float, double) {
  for (int64_t channels : {1, 3, 9})
    for (int64_t out_channels : {1, 4, 17, 33})
      for (int64_t kernel : {1, 3, 5})
        for (int64_t padding : {0, 1, 3})
          check_shape<T>(shape_of(2, channels, out_channels, 1, {7, 9}, {kernel, kernel}, {1, padding, 1}));
}

TEST_CASE_TEMPLATE("strides and dilations reach every input that they should", T, float, double) {
  for (int64_t stride : {1, 2, 3})
    for (int64_t dilation : {1, 2})
      for (int64_t padding : {0, 2})
        for (int64_t kernel : {1, 2, 3})
          for (int64_t channels : {1, 8})
            check_shape<T>(shape_of(2, channels, 5, 1, {12, 11}, {kernel, 3}, {stride, padding, dilation}));
}

TEST_CASE_TEMPLATE("groups and depthwise layers", T, float, double) {
  for (int64_t groups : {2, 6})
    for (int64_t per_group : {1, 2, 3})
      for (int64_t stride : {1, 2})
        for (int64_t padding : {0, 1})
          for (int64_t size : {5, 20})
            check_shape<T>(shape_of(3, 6, groups * per_group, groups, {size, size + 1}, {3, 3}, {stride, padding, 1}));
  check_shape<T>(shape_of(2, 24, 24, 2, {9, 9}, {3, 3}, {1, 1, 1}));
  for (int64_t stride : {2, 3, 4})
    for (int64_t dilation : {1, 2, 3})
      for (int64_t padding : {0, 1, 4})
        check_shape<T>(shape_of(2, 5, 5, 5, {13, 10}, {3, 2}, {stride, padding, dilation}));
}

TEST_CASE_TEMPLATE("one and three dimensions", T, float, double) {
  for (int64_t stride : {1, 2})
    for (int64_t padding : {0, 2}) {
      check_shape<T>(shape_of(2, 3, 4, 1, {40}, {5}, {stride, padding, 1}));
      check_shape<T>(shape_of(2, 9, 4, 1, {33}, {3}, {stride, padding, 2}));
      check_shape<T>(shape_of(2, 3, 4, 1, {5, 6, 7}, {3, 2, 3}, {stride, padding, 1}));
      check_shape<T>(shape_of(1, 9, 10, 1, {4, 5, 6}, {3, 3, 1}, {stride, padding, 1}));
      check_shape<T>(shape_of(2, 4, 4, 4, {5, 6, 7}, {3, 3, 3}, {stride, padding, 1}));
    }
}

TEST_CASE_TEMPLATE("sizes that differ by dimension", T, float, double) {
  ConvShape s = shape_of(2, 4, 6, 2, {13, 18}, {3, 5}, {});
  s.stride[0] = 2, s.stride[1] = 3, s.padding[0] = 4, s.padding[1] = 1, s.dilation[0] = 3, s.dilation[1] = 2;
  for (int d = 0; d < 2; ++d)
    s.out[d] = (s.in[d] + 2 * s.padding[d] - s.dilation[d] * (s.kernel[d] - 1) - 1) / s.stride[d] + 1;
  check_shape<T>(s);
}

TEST_CASE_TEMPLATE("edges: one pixel, one output, padding around nothing, many small images", T, float, double) {
  check_shape<T>(shape_of(1, 1, 1, 1, {1, 1}, {1, 1}));
  check_shape<T>(shape_of(5, 3, 4, 1, {1, 1}, {3, 3}, {1, 1, 1}));
  check_shape<T>(shape_of(3, 9, 4, 1, {4, 4}, {4, 4}));
  check_shape<T>(shape_of(3, 9, 4, 1, {1, 1}, {1, 1}, {1, 2, 1}));
  check_shape<T>(shape_of(3, 9, 4, 1, {2, 2}, {1, 1}, {3, 4, 1}));
  check_shape<T>(shape_of(40, 8, 15, 1, {3, 3}, {3, 3}, {1, 1, 1}));
  check_shape<T>(shape_of(40, 8, 15, 1, {2, 2}, {1, 1}));
  check_shape<T>(shape_of(2, 3, 2, 1, {3, 3}, {2, 2}, {5, 0, 1}));
}

TEST_CASE_TEMPLATE("several parts, several tasks, deep sums", T, float, double) {
  check_shape<T>(shape_of(1, 2, 3, 1, {70, 40}, {3, 3}, {1, 1, 1}));
  check_shape<T>(shape_of(2, 3, 20, 1, {60, 62}, {7, 7}, {2, 3, 1}));
  check_shape<T>(shape_of(2, 300, 16, 1, {6, 6}, {3, 3}, {1, 1, 1}));
  check_shape<T>(shape_of(2, 20, 270, 1, {5, 5}, {3, 3}, {1, 1, 1}));
  check_shape<T>(shape_of(1, 2, 2, 1, {40, 8, 8}, {3, 3, 3}, {1, 1, 1}));
}

TEST_CASE_TEMPLATE("many padded images, which lie in the lanes of one vector", T, float, double) {
  for (int64_t batch : {16, 21, 40})
    for (int64_t padding : {1, 3}) {
      check_shape<T>(shape_of(batch, 24, 30, 1, {5, 6}, {3, 3}, {1, padding, 1}));
      check_shape<T>(shape_of(batch, 16, 36, 2, {7, 5}, {3, 5}, {2, padding, 1}));
      check_shape<T>(shape_of(batch, 12, 20, 1, {3, 3, 4}, {3, 3, 3}, {1, padding, 1}));
      check_shape<T>(shape_of(batch, 12, 20, 1, {9, 6}, {3, 3}, {1, padding, 2}));
    }
}

// The scheme is chosen by an estimate; forcing it covers shapes for which the estimate says no.
TEST_CASE_TEMPLATE("images in the lanes give what plain loops give for any shape", T, float, double) {
  for (const ConvShape& s :
       {shape_of(1, 1, 1, 1, {1, 1}, {1, 1}), shape_of(3, 2, 3, 1, {9, 8}, {3, 2}),
        shape_of(18, 3, 17, 1, {7, 7}, {3, 3}, {2, 1, 1}), shape_of(5, 4, 6, 2, {30, 40}, {5, 5}, {1, 2, 1}),
        shape_of(5, 2, 2, 1, {2, 2}, {1, 1}, {3, 4, 1}), shape_of(9, 3, 2, 1, {6}, {3}, {1, 2, 3})}) {
    const int dims = s.spatial_dims;
    const conv::Geometry g = conv::geometry_of(s);
    const int64_t channels = s.in_channels / s.groups, m = s.out_channels / s.groups;
    const auto x = random_values<T>(s.batch * s.in_channels * product(s.in, dims), 1);
    const auto w = random_values<T>(s.out_channels * channels * g.taps(), 2),
               bias = random_values<T>(s.out_channels, 3);
    std::vector<double> want(s.batch * s.out_channels * g.outputs());
    for (std::size_t i = 0; i < want.size(); ++i) want[i] = bias[i / g.outputs() % s.out_channels];
    for_each_term(s, [&](int64_t xi, int64_t wi, int64_t yi) { want[yi] += double(x[xi]) * w[wi]; });
    on_each_isa([&] {
      std::vector<T> y(want.size(), std::numeric_limits<T>::quiet_NaN());
      conv::run_forward_batch<T>({g, s.batch, s.groups, channels, m, x.data(), w.data(), m * channels * g.taps(),
                                  channels * g.taps(), g.taps(), false, bias.data(), y.data()});
      CHECK(close(y, want, channels * g.taps()));
    });
  }
}

TEST_CASE("an empty batch writes nothing but zero gradients of the weight") {
  const ConvShape s = shape_of(0, 3, 4, 1, {5, 5}, {3, 3});
  std::vector<float> w(4 * 3 * 9, 1.0f), dw(w.size(), 7.0f), db(4, 7.0f);
  conv_forward<float>(s, nullptr, w.data(), nullptr, nullptr);
  conv_backward_input<float>(s, nullptr, w.data(), nullptr);
  conv_backward_weight<float>(s, nullptr, nullptr, dw.data(), db.data());
  for (float v : dw) CHECK(v == 0.0f);
  for (float v : db) CHECK(v == 0.0f);
}

TEST_CASE("a convolution without bias leaves none") {
  const ConvShape s = shape_of(1, 2, 2, 1, {4, 4}, {3, 3});
  const std::vector<float> x(2 * 16, 1.0f), w(2 * 2 * 9, 1.0f);
  std::vector<float> y(2 * 4, -1.0f);
  conv_forward<float>(s, x.data(), w.data(), nullptr, y.data());
  for (float v : y) CHECK(v == 18.0f);
}

TEST_CASE("the bits do not depend on the number of threads") {
  const int before = get_num_threads();
  for (const ConvShape& s :
       {shape_of(6, 16, 24, 1, {14, 14}, {3, 3}, {1, 1, 1}), shape_of(9, 1, 8, 1, {28, 28}, {3, 3}),
        shape_of(5, 3, 16, 1, {40, 40}, {7, 7}, {2, 3, 1}), shape_of(4, 12, 12, 12, {9, 9}, {3, 3})}) {
    const int64_t x_size = s.batch * s.in_channels * s.in[0] * s.in[1];
    const int64_t w_size = s.out_channels * s.in_channels / s.groups * s.kernel[0] * s.kernel[1];
    const int64_t y_size = s.batch * s.out_channels * s.out[0] * s.out[1];
    const auto x = random_values<float>(x_size, 1), w = random_values<float>(w_size, 2),
               dy = random_values<float>(y_size, 3);
    std::vector<float> results[2];
    for (int round = 0; round < 2; ++round) {
      set_num_threads(round == 0 ? 1 : 4);
      std::vector<float>& all = results[round];
      all.resize(y_size + x_size + w_size + s.out_channels);
      float* out = all.data();
      conv_forward<float>(s, x.data(), w.data(), nullptr, out);
      conv_backward_input<float>(s, dy.data(), w.data(), out + y_size);
      conv_backward_weight<float>(s, x.data(), dy.data(), out + y_size + x_size, out + y_size + x_size + w_size);
    }
    CHECK(results[0] == results[1]);
  }
  set_num_threads(before);
}
