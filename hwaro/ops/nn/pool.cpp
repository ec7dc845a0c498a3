// Max and average pooling over windows of one, two or three dimensions.
#include <algorithm>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/nn/pick.h"
#include "hwaro/ops/nn/pool_kernels.h"
#include "hwaro/ops/nn/tensor_or_pair.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const PoolKernels* g_pool = nullptr;
const PoolKernels& pool_kernels() { return *g_pool; }
void set_pool_kernels(const PoolKernels* table) { g_pool = table; }

namespace engine {

using std::int64_t;

namespace {

const char* number_word(int n) { return n == 1 ? "one" : n == 2 ? "two" : "three"; }

// One value per dimension, from one for all or a full list.
void per_dim(int64_t (&to)[3], IntSpan v, int dims, const char* op, const char* what) {
  if (!(v.size() == 1 || int(v.size()) == dims)) {
    const bool optional = what[0] == 's';  // stride
    if (op[0] == 'a' && dims == 3 && !optional)
      raise(op, ": ", what, " must be a single int, or a tuple of three ints");
    raise(op, ": ", what,
          optional ? " must either be omitted, a single int, or a tuple of "
                   : " must either be a single int, or a tuple of ",
          number_word(dims), " ints");
  }
  for (int d = 0; d < dims; ++d) to[3 - dims + d] = v[v.size() == 1 ? 0 : d];
  for (int64_t x : v) HWARO_CHECK(x == std::int32_t(x), "value cannot be converted to type int without overflow");
}

using Wide = __int128;  // holds all sums and products of 64-bit arguments

// Windows that start inside the input or its left padding.
int64_t window_count(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceil_mode) {
  const Wide room = Wide(in) + 2 * Wide(padding) - Wide(dilation) * (kernel - 1) - 1 + (ceil_mode ? stride - 1 : 0);
  Wide n = (room < 0 ? -((-room + stride - 1) / stride) : room / stride) + 1;
  if (ceil_mode && (n - 1) * stride >= Wide(in) + padding) --n;
  return int64_t(std::clamp<Wide>(n, INT64_MIN, INT64_MAX));
}

struct PoolCall {
  const char* op;
  int dims;
  IntSpan kernel, stride, padding, dilation;
  bool ceil_mode = false;
  bool average = false;
};

// Checks the call and fills in the geometry; the shape of the result.
Dims pool_shape(const Tensor& input, const PoolCall& c, PoolGeometry& g) {
  const int n = c.dims, d = input.dim();
  per_dim(g.kernel, c.kernel, n, c.op, "kernel_size");
  per_dim(g.stride, c.stride.empty() ? c.kernel : c.stride, n, c.op, "stride");
  per_dim(g.padding, c.padding, n, c.op, "padding");
  per_dim(g.dilation, c.dilation, n, c.op, "dilation");
  if (c.average && n == 2) input.size(-3);  // raises for a tensor of too few dimensions
  HWARO_CHECK(d == n + 1 || d == n + 2, "non-empty ", n + 1, "D or ", n + 2,
              "D (batch mode) tensor expected for input");
  for (int i = 3 - n; i < 3; ++i) HWARO_CHECK(g.stride[i] != 0, "stride should not be zero");
  for (int i = 3 - n; i < 3; ++i) {
    HWARO_CHECK(g.padding[i] >= 0, "pad must be non-negative, but got pad: ", g.padding[i]);
    HWARO_CHECK(g.padding[i] <= ((g.kernel[i] - 1) * g.dilation[i] + 1) / 2,
                "pad should be at most half of effective kernel size, but got pad=", g.padding[i],
                ", kernel_size=", g.kernel[i], " and dilation=", g.dilation[i]);
  }
  const auto positive = [&](const int64_t (&v)[3], const char* what, const char* prefix) {
    static constexpr const char* suffix[] = {"T", "H", "W"};
    bool good = true;
    for (int i = 3 - n; i < 3; ++i) good = good && v[i] > 0;
    if (good) return;
    std::string text = concat(what, " should be greater than zero, but got");
    for (int i = 3 - n; i < 3; ++i) text += concat(' ', prefix, suffix[i], ": ", v[i]);
    raise(text);
  };
  positive(g.kernel, "kernel size", "k");
  positive(g.stride, "stride", "d");
  positive(g.dilation, "dilation", "dilation");
  if (n == 3)
    for (int i = d - 4; i < d; ++i)
      HWARO_CHECK(input.sizes()[i] != 0, c.average ? "avg_pool3d" : "max_pool3d_with_indices_out_cpu_template",
                  "(): Expected input's non-batch dimensions to have positive length, but input has a shape of ",
                  sizes_str(input.sizes()), " and non-batch dimension 0 has length zero!");
  bool filled = true;
  for (int i = d - n - 1; i < d; ++i) filled = filled && input.sizes()[i] != 0;
  HWARO_CHECK(filled, "Expected ", n + 1, "D or ", n + 2,
              "D (batch mode) tensor with optional 0 dim batch size for input, but got:", sizes_str(input.sizes()));
  Dims shape(input.sizes());
  bool large = true;
  for (int i = 0; i < n; ++i) {
    const int at = 3 - n + i;
    g.in[at] = input.sizes()[d - n + i];
    g.out[at] = window_count(g.in[at], g.kernel[at], g.stride[at], g.padding[at], g.dilation[at], c.ceil_mode);
    shape[d - n + i] = g.out[at];
    large = large && g.out[at] >= 1;
  }
  if (!large && c.average && n == 3)
    raise("input image (T: ", g.in[0], " H: ", g.in[1], " W: ", g.in[2],
          ") smaller than kernel size (kT: ", g.kernel[0], " kH: ", g.kernel[1], " kW: ", g.kernel[2], ')');
  if (!large) {
    const int64_t planes = input.sizes()[d - n - 1];
    std::string in = concat(planes), out = concat(planes);
    for (int i = 3 - n; i < 3; ++i) in += concat('x', g.in[i]), out += concat('x', g.out[i]);
    raise("Given input size: (", in, "). Calculated output size: (", out, "). Output size is too small");
  }
  return shape;
}

int64_t plane_grain(const PoolGeometry& g) { return 1 + 16384 / (g.in_size() + 1); }

// ---- max ----

// Values, and (where wanted) positions as int32.
void run_max(const PoolGeometry& g, const Tensor& input, const Tensor& out, const Tensor& index, const char* name) {
  const auto kernel = pool_kernels().max_forward[int(input.dtype())];
  HWARO_CHECK_AS(NotImplementedError, kernel, '"', name, "\" not implemented for '", scalar_type_name(input.dtype()),
                 '\'');
  HWARO_CHECK(g.in_size() < (int64_t(1) << 31), "max pooling over planes of more than 2^31 elements is not supported");
  if (out.numel() == 0) return;
  const Tensor x = dense(input);
  const char* from = static_cast<const char*>(x->read());
  char* to = static_cast<char*>(out->write());
  std::int32_t* at = index.defined() ? index->write_as<std::int32_t>() : nullptr;
  const int64_t size = int64_t(input.element_size());
  parallel_for(out.numel() / g.out_size(), plane_grain(g), [&](int64_t begin, int64_t end) {
    kernel(g, end - begin, from + begin * g.in_size() * size, to + begin * g.out_size() * size,
           at ? at + begin * g.out_size() : nullptr);
  });
}

struct MaxNames {
  const char *node, *kernel;
};
constexpr MaxNames kMaxNames[] = {{"MaxPool2DWithIndicesBackward0", "max_pool2d"},
                                  {"MaxPool2DWithIndicesBackward0", "max_pool2d"},
                                  {"MaxPool3DWithIndicesBackward0", "max_pool3d"}};

TensorOrPair max_pool(const Tensor& input, const PoolCall& c, bool return_indices) {
  PoolGeometry g;
  const Dims shape = pool_shape(input, c, g);
  const bool recorded = recording(input) && is_differentiable(input.dtype());
  Tensor out = make_tensor(shape, input.dtype(), input.device());
  Tensor index = recorded || return_indices ? make_tensor(shape, kInt32, input.device()) : Tensor();
  if (!input.device().is_meta()) run_max(g, input, out, index, kMaxNames[c.dims - 1].kernel);
  out = in_layout_of(out, input);
  Tensor wide = return_indices ? in_layout_of(dense_as(index, kInt64), input) : Tensor();
  if (recorded) record_pick(kMaxNames[c.dims - 1].node, input, out, index, c.dims, wide);
  return {out, wide};
}

// One dimension goes through two, as PyTorch's does (it shows in grad_fn).
TensorOrPair max_pool1d(const Tensor& input, IntSpan kernel, IntSpan stride, IntSpan padding, IntSpan dilation,
                        bool ceil_mode, bool return_indices) {
  const auto single = [](IntSpan v, const char* what) {
    HWARO_CHECK(v.size() == 1, "max_pool1d() ", what,
                " must be an int, list of ints or tuple of ints of size 1 but got size ", v.size());
    return v[0];
  };
  const int d = input.dim();
  HWARO_CHECK(!return_indices || d == 2 || d == 3, "Expected 2 to 3 dimensions, but got ", d,
              "-dimensional tensor for argument #1 'self' (while checking arguments for max_pool1d)");
  HWARO_CHECK((d == 2 || d == 3) && input.sizes()[d - 1] != 0 && input.sizes()[d - 2] != 0,
              "max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:",
              sizes_str(input.sizes()));
  const int64_t k = single(kernel, "kernel_size"), s = stride.empty() ? k : single(stride, "stride"),
                p = single(padding, "padding"), dil = single(dilation, "dilation");
  // With indices PyTorch leaves the checks to pooling in two dimensions.
  if (!return_indices) {
    HWARO_CHECK(k > 0, "max_pool1d() kernel_size must be greater than zero, but got ", k);
    HWARO_CHECK(s > 0, "max_pool1d() stride must be greater than zero, but got ", s);
    HWARO_CHECK(p >= 0, "max_pool1d() padding must be non-negative, but got ", p);
    HWARO_CHECK(p <= k / 2, "max_pool1d() padding should be at most half of kernel size, but got padding=", p,
                " and kernel_size=", k);
    HWARO_CHECK(dil > 0, "max_pool1d() dilation must be greater than zero, but got ", dil);
    const int64_t n = window_count(input.sizes()[d - 1], k, s, p, dil, ceil_mode);
    HWARO_CHECK(n > 0, "max_pool1d() Invalid computed output size: ", n);
    HWARO_CHECK_AS(NotImplementedError, recording(input) || is_floating(input.dtype()),
                   "\"max_pool1d_impl\" not implemented for '", scalar_type_name(input.dtype()), '\'');
  }
  // Two dimensions take no step beyond 31 bits. Where there is one window only, its length says nothing.
  const int64_t step = return_indices ? s : int64_t(std::min<Wide>(s, input.sizes()[d - 1] + 2 * Wide(p) + 1));
  TensorOrPair r =
      max_pool(unsqueeze(input, -2), {"max_pool2d", 2, {1, k}, {1, step}, {0, p}, {1, dil}, ceil_mode}, return_indices);
  if (!recording(input) && !return_indices) r.values = dense(r.values);
  return {squeeze(r.values, -2), r.indices.defined() ? squeeze(r.indices, -2) : Tensor()};
}

IntSpan or_empty(const OptIntSpan& v) { return v ? *v : IntSpan(); }

}  // namespace

struct MaxPool1d {
  static constexpr Schema schema =
      "max_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, int[1] dilation=1, bool "
      "ceil_mode=False, "
      "bool return_indices=False) -> Tensor";
  static constexpr Doc doc = "The largest element of each window of input (N, C, L), with its index if asked for.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding,
                           IntSpan dilation, bool ceil_mode, bool return_indices) {
    return max_pool1d(input, kernel_size, or_empty(stride), padding, dilation, ceil_mode, return_indices);
  }
};

struct MaxPool2d {
  static constexpr Schema schema =
      "max_pool2d(Tensor input, int[2] kernel_size, int[2]? stride=None, int[2] padding=0, int[2] dilation=1, bool "
      "ceil_mode=False, "
      "bool return_indices=False) -> Tensor";
  static constexpr Doc doc =
      "The largest element of each window of input (N, C, H, W), with its flat index if asked for.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding,
                           IntSpan dilation, bool ceil_mode, bool return_indices) {
    return max_pool(input, {"max_pool2d", 2, kernel_size, or_empty(stride), padding, dilation, ceil_mode},
                    return_indices);
  }
};

struct MaxPool3d {
  static constexpr Schema schema =
      "max_pool3d(Tensor input, int[3] kernel_size, int[3]? stride=None, int[3] padding=0, int[3] dilation=1, bool "
      "ceil_mode=False, "
      "bool return_indices=False) -> Tensor";
  static constexpr Doc doc =
      "The largest element of each window of input (N, C, D, H, W), with its flat index if asked for.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static TensorOrPair call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding,
                           IntSpan dilation, bool ceil_mode, bool return_indices) {
    return max_pool(input, {"max_pool3d", 3, kernel_size, or_empty(stride), padding, dilation, ceil_mode},
                    return_indices);
  }
};

struct MaxPool2dBackward {
  static constexpr Schema schema =
      "max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, int[2] "
      "padding, int[2] dilation, bool ceil_mode, Tensor indices) -> Tensor";
  static constexpr Doc doc = "The gradient of max_pool2d's input self: grad_output added at the indices of the maxima.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& grad_output, const Tensor& self, IntSpan, IntSpan, IntSpan, IntSpan, bool,
                     const Tensor& indices) {
    return picked_backward(kMaxNames[1].node, grad_output, dense_as(indices, kInt32), self.sizes(), 2,
                           is_channels_last(self));
  }
};

// ---- average ----

namespace {

const char* avg_node(int dims, bool backward) {
  return dims == 3 ? (backward ? "AvgPool3DBackwardBackward0" : "AvgPool3DBackward0")
                   : (backward ? "AvgPool2DBackwardBackward0" : "AvgPool2DBackward0");
}

// Runs one pass plane by plane on dense operands of a type that kernels know. f(table, planes, from, to).
template <class F>
void over_planes(const PoolGeometry& g, const Tensor& from, int64_t from_size, const Tensor& to, int64_t to_size, F f) {
  const int64_t size = int64_t(from.element_size());
  const char* source = static_cast<const char*>(from->read());
  char* target = static_cast<char*>(to->write());
  if (from.numel() == 0) return;
  parallel_for(from.numel() / from_size, plane_grain(g), [&](int64_t begin, int64_t end) {
    f(end - begin, source + begin * from_size * size, target + begin * to_size * size);
  });
}

Tensor avg_backward(const Tensor& g, IntSpan sizes, const PoolGeometry& geo, int dims, bool channels_last);

Tensor avg_forward(const Tensor& input, IntSpan shape, const PoolGeometry& geo, int dims, const char* node) {
  const DType type = compute_type(input.dtype());
  Tensor out = make_tensor(shape, type, input.device());
  if (!input.device().is_meta()) {
    const auto kernel = dims == 3 && is_reduced_float(input.dtype()) ? nullptr : pool_kernels().avg_forward[int(type)];
    HWARO_CHECK_AS(NotImplementedError, kernel, '"', dims == 3 ? "avg_pool3d_out_frame" : "avg_pool2d",
                   "\" not implemented for '", scalar_type_name(input.dtype()), '\'');
    over_planes(geo, dense_as(input, type), geo.in_size(), out, geo.out_size(),
                [&](int64_t planes, const void* x, void* y) { kernel(geo, planes, x, y); });
  }
  out = in_layout(dense_as(out, input.dtype()), dims == 2 && is_channels_last(input));
  if (recording(input))
    // PyTorch saves the input, so a second backward raises; an empty place does so without the memory.
    record(node, {input}, out, {Save{}},
           [sizes = Dims(input.sizes()), geo, dims, last = dims == 2 && is_channels_last(input)](Backward& b) {
             b.saved(0);
             b.set(0, avg_backward(b.g(), sizes, geo, dims, last));
           });
  return out;
}

Tensor avg_backward(const Tensor& g, IntSpan sizes, const PoolGeometry& geo, int dims, bool channels_last) {
  const DType type = compute_type(g.dtype());
  Tensor out = make_tensor(sizes, type, g.device());
  if (!g.device().is_meta()) {
    const auto kernel = pool_kernels().avg_backward[int(type)];
    over_planes(geo, dense_as(g, type), geo.out_size(), out, geo.in_size(),
                [&](int64_t planes, const void* dy, void* dx) { kernel(geo, planes, dy, dx); });
    if (g.numel() == 0) fill_elements(*out.impl(), 0);
  }
  out = in_layout(dense_as(out, g.dtype()), channels_last);
  if (recording(g))
    record(avg_node(dims, true), {g}, out, {}, [shape = Dims(g.sizes()), geo, dims](Backward& b) {
      b.set(0, avg_forward(b.g(), shape, geo, dims, avg_node(dims, false)));
    });
  return out;
}

Tensor avg_pool(const Tensor& input, const PoolCall& c, bool count_include_pad, std::optional<int64_t> divisor) {
  PoolGeometry g;
  HWARO_CHECK(!divisor || *divisor != 0, "divisor must be not zero");
  const Dims shape = pool_shape(input, c, g);
  g.count_include_pad = count_include_pad;
  g.divisor = divisor.value_or(0);
  return avg_forward(input, shape, g, c.dims, avg_node(c.dims, false));
}

constexpr int64_t kOne = 1;

}  // namespace

struct AvgPool1d {
  static constexpr Schema schema =
      "avg_pool1d(Tensor input, int[1] kernel_size, int[1]? stride=None, int[1] padding=0, bool ceil_mode=False, bool "
      "count_include_pad=True) -> Tensor";
  static constexpr Doc doc = "The mean of each window of input (N, C, L).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding, bool ceil_mode,
                     bool count_include_pad) {
    HWARO_CHECK(input.dim() == 2 || input.dim() == 3, "Expected 2 to 3 dimensions, but got ", input.dim(),
                "-dimensional tensor for argument #1 'self' (while checking arguments for avg_pool1d)");
    const IntSpan s = or_empty(stride);
    HWARO_CHECK(kernel_size.size() == 1, "avg_pool1d() argument 'kernel_size' should contain one int (got ",
                kernel_size.size(), ")");
    HWARO_CHECK(s.size() <= 1, "avg_pool1d() argument 'stride' should contain one int (got ", s.size(), ")");
    HWARO_CHECK(padding.size() == 1, "avg_pool1d() argument 'padding' should contain one int (got ", padding.size(),
                ")");
    const int64_t k = kernel_size[0], step = s.empty() ? k : s[0];
    return squeeze(avg_pool(unsqueeze(input, -2),
                            {"avg_pool2d", 2, {1, k}, {1, step}, {0, padding[0]}, IntSpan(&kOne, 1), ceil_mode, true},
                            count_include_pad, std::nullopt),
                   -2);
  }
};

struct AvgPool2d {
  static constexpr Schema schema =
      "avg_pool2d(Tensor input, int[2] kernel_size, int[2]? stride=None, int[2] padding=0, bool ceil_mode=False, bool "
      "count_include_pad=True, "
      "int? divisor_override=None) -> Tensor";
  static constexpr Doc doc = "The mean of each window of input (N, C, H, W).";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding, bool ceil_mode,
                     bool count_include_pad, std::optional<int64_t> divisor_override) {
    return avg_pool(input,
                    {"avg_pool2d", 2, kernel_size, or_empty(stride), padding, IntSpan(&kOne, 1), ceil_mode, true},
                    count_include_pad, divisor_override);
  }
};

struct AvgPool3d {
  static constexpr Schema schema =
      "avg_pool3d(Tensor input, int[3] kernel_size, int[3]? stride=None, int[3] padding=0, bool ceil_mode=False, bool "
      "count_include_pad=True, "
      "int? divisor_override=None) -> Tensor";
  static constexpr Doc doc = "The mean of each window of input (N, C, D, H, W).";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& input, IntSpan kernel_size, OptIntSpan stride, IntSpan padding, bool ceil_mode,
                     bool count_include_pad, std::optional<int64_t> divisor_override) {
    return avg_pool(input,
                    {"avg_pool3d", 3, kernel_size, or_empty(stride), padding, IntSpan(&kOne, 1), ceil_mode, true},
                    count_include_pad, divisor_override);
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/pool.inc"
