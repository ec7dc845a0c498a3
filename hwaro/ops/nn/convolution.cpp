// Convolution and its transpose over one to three spatial dimensions, as one operator with one backward operator.
// The kernels know float and double. The half types are computed in float, complex numbers as real and imaginary parts,
// and integers by plain loops that wrap around. A transposed convolution is the gradient of the input of an ordinary one.
#include <algorithm>

#include "hwaro/base/parallel.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/conv_kernels.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const ConvKernels* g_conv = nullptr;
const ConvKernels& conv_kernels() { return *g_conv; }
void set_conv_kernels(const ConvKernels* table) { g_conv = table; }

namespace engine {

using std::int64_t;

namespace {

using Wide = __int128;  // holds all sums and products of 64-bit arguments

struct ConvParams {
  Dims stride, padding, dilation, output_padding;
  bool transposed = false;
  int64_t groups = 1;
};

enum class Pass { Forward, BackwardInput, BackwardWeight };

// The operands of one pass over the ordinary convolution `g`: out receives y, dx or dw.
struct PassArgs {
  const ConvGeometry& g;
  Pass pass;
  const Tensor& a;  // x, dy, x
  const Tensor& b;  // w, w, dy
  Tensor out;
  Tensor bias;  // bias of the forward pass, or the sum over dy that the weight pass also gives; may be undefined
};

template <class T>
void plain_loops(const PassArgs& p) {
  // Visits every (output element, weight element, input element) triple once; out is zero at the start.
  const ConvGeometry& g = p.g;
  const T* a = p.a->read_as<T>();
  const T* b = p.b->read_as<T>();
  T* out = p.out->write_as<T>();
  int64_t in[3] = {1, 1, 1}, k[3] = {1, 1, 1}, o[3] = {1, 1, 1}, s[3] = {1, 1, 1}, pad[3] = {}, dil[3] = {1, 1, 1};
  for (int d = 0, to = 3 - g.dims; d < g.dims; ++d, ++to)
    in[to] = g.in[d], k[to] = g.kernel[d], o[to] = g.out[d], s[to] = g.stride[d], pad[to] = g.padding[d],
    dil[to] = g.dilation[d];
  const int64_t cg = g.in_channels / g.groups, kg = g.out_channels / g.groups;
  const int64_t in_size = in[0] * in[1] * in[2], out_size = o[0] * o[1] * o[2], k_size = k[0] * k[1] * k[2];
  for (int64_t n = 0; n < g.batch; ++n)
    for (int64_t oc = 0; oc < g.out_channels; ++oc)
      for (int64_t pos = 0; pos < out_size; ++pos) {
        const int64_t at[3] = {pos / (o[1] * o[2]), pos / o[2] % o[1], pos % o[2]};
        const int64_t y = (n * g.out_channels + oc) * out_size + pos;
        for (int64_t c = 0; c < cg; ++c)
          for (int64_t q = 0; q < k_size; ++q) {
            const int64_t kq[3] = {q / (k[1] * k[2]), q / k[2] % k[1], q % k[2]};
            int64_t x = (n * g.in_channels + oc / kg * cg + c) * in_size, inside = true;
            for (int d = 0, step = 0; d < 3; ++d, ++step) {
              const int64_t i = at[d] * s[d] - pad[d] + kq[d] * dil[d];
              inside = inside && i >= 0 && i < in[d];
              x += i * (d == 0 ? in[1] * in[2] : d == 1 ? in[2] : 1);
            }
            if (!inside) continue;
            const int64_t w = (oc * cg + c) * k_size + q;
            const auto add = [](T& to, T u, T v) {
              to = T(std::make_unsigned_t<T>(std::uint64_t(std::make_unsigned_t<T>(to)) +
                                             std::uint64_t(std::make_unsigned_t<T>(u)) *
                                                 std::uint64_t(std::make_unsigned_t<T>(v))));
            };
            if (p.pass == Pass::Forward) add(out[y], a[x], b[w]);
            else if (p.pass == Pass::BackwardInput) add(out[x], a[y], b[w]);
            else add(out[w], a[x], b[y]);
          }
      }
}

void run_pass(const PassArgs& p);

Tensor part(const Tensor& t, bool imaginary) {
  // Complex numbers in memory are pairs: one part is a strided view of real numbers.
  const Tensor d = dense(t);
  Dims strides(d.strides());
  for (int64_t& s : strides) s *= 2;
  Tensor view = alias(d, d.sizes(), strides, 2 * d->offset + imaginary);
  view->dtype = to_real(t.dtype());
  return dense(view);
}

// (a + ib)(c + id), part by part.
void complex_parts(const PassArgs& p) {
  const DType real_type = to_real(p.out.dtype());
  const Tensor a[2] = {part(p.a, false), part(p.a, true)}, b[2] = {part(p.b, false), part(p.b, true)};
  const auto pass = [&](int i, int j) {
    const Tensor out = make_tensor(p.out.sizes(), real_type);
    run_pass({p.g, p.pass, a[i], b[j], out, {}});
    return out;
  };
  NoGradGuard guard;
  const Tensor results[2] = {pass(0, 0) - pass(1, 1), pass(0, 1) + pass(1, 0)};
  for (int i = 0; i < 2; ++i) {
    Dims strides(p.out.strides());
    for (int64_t& s : strides) s *= 2;
    Tensor view = alias(p.out, p.out.sizes(), strides, 2 * p.out->offset + i);
    view->dtype = real_type;
    copy_raw(view, results[i]);
  }
}

// Fills out (a dense tensor) from dense operands. The bias is left to the caller where the kernel cannot take it.
void run_pass(const PassArgs& p) {
  const DType type = p.out.dtype();
  if (p.out.numel() == 0) return;
  if (p.a.numel() == 0 || p.b.numel() == 0) {
    fill_elements(*p.out.impl(), 0);
    return;
  }
  if (conv_kernels().forward[int(type)]) {
    const Tensor a = dense(p.a), b = dense(p.b);
    const int i = int(type);
    switch (p.pass) {
      case Pass::Forward:
        return conv_kernels().forward[i](p.g, a->read(), b->read(), p.bias.defined() ? p.bias->read() : nullptr,
                                         p.out->write());
      case Pass::BackwardInput: return conv_kernels().backward_input[i](p.g, a->read(), b->read(), p.out->write());
      case Pass::BackwardWeight:
        return conv_kernels().backward_weight[i](p.g, a->read(), b->read(), p.out->write(),
                                                 p.bias.defined() ? p.bias->write() : nullptr);
    }
  }
  if (is_reduced_float(type)) {
    const Tensor wide = make_tensor(p.out.sizes(), kFloat32);
    const Tensor bias = !p.bias.defined()         ? Tensor()
                        : p.pass == Pass::Forward ? dense_as(p.bias, kFloat32)
                                                  : make_tensor(p.bias.sizes(), kFloat32);
    run_pass({p.g, p.pass, dense_as(p.a, kFloat32), dense_as(p.b, kFloat32), wide, bias});
    copy_raw(p.out, wide);
    if (p.pass == Pass::BackwardWeight && bias.defined()) copy_raw(p.bias, bias);
    return;
  }
  if (is_complex(type)) return complex_parts(p);
  fill_elements(*p.out.impl(), 0);
  const Tensor a = dense(p.a), b = dense(p.b);
  visit<kIntSet>(type, "slow_conv2d_cpu",
                 [&](auto tag) { plain_loops<typename decltype(tag)::type>({p.g, p.pass, a, b, p.out, {}}); });
}

bool kernel_takes_bias(DType t) { return t == DType::Float || t == DType::Double || is_reduced_float(t); }

// The ordinary convolution between `small` (N, K, out…) and `large` (N, C, in…) by weight (K, C / groups, kernel…).
ConvGeometry geometry(IntSpan large, IntSpan small, IntSpan weight, const ConvParams& p) {
  ConvGeometry g;
  g.batch = large[0];
  g.in_channels = large[1];
  g.out_channels = small[1];
  g.groups = p.groups;
  g.dims = int(large.size()) - 2;
  for (int d = 0; d < g.dims; ++d) {
    g.in[d] = large[2 + d];
    g.out[d] = small[2 + d];
    g.kernel[d] = weight[2 + d];
    // Where there is one step only, its length says nothing; kernels plan for tiles that grow with it.
    g.stride[d] =
        g.out[d] > 1 ? p.stride[d] : int64_t(std::min<Wide>(p.stride[d], g.in[d] + 2 * Wide(p.padding[d]) + 1));
    g.padding[d] = p.padding[d];
    g.dilation[d] = p.dilation[d];
  }
  return g;
}

Dims output_shape(const Tensor& input, const Tensor& weight, const ConvParams& p) {
  Dims shape = {input.sizes()[0], p.transposed ? weight.sizes()[1] * p.groups : weight.sizes()[0]};
  for (int d = 2; d < input.dim(); ++d) {
    const Wide in = input.sizes()[d], stride = p.stride[d - 2], padding = p.padding[d - 2];
    const Wide reach = Wide(p.dilation[d - 2]) * (weight.sizes()[d] - 1);
    const Wide out = p.transposed ? (in - 1) * stride - 2 * padding + reach + p.output_padding[d - 2] + 1
                                  : (in + 2 * padding - reach - 1) / stride + 1;
    HWARO_CHECK(out <= INT64_MAX, "Calculated output size per channel is 2^63 or more in dimension ", d - 2);
    shape.push_back(int64_t(std::max<Wide>(out, INT64_MIN)));
  }
  return shape;
}

bool any_below(IntSpan v, int64_t least) {
  for (int64_t x : v)
    if (x < least) return true;
  return false;
}

std::string times(IntSpan sizes) {
  std::string s = "(";
  for (std::size_t i = 0; i < sizes.size(); ++i) s += (i ? " x " : "") + std::to_string(sizes[i]);
  return s + ")";
}

void check_shapes(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvParams& p) {
  HWARO_CHECK(!any_below(p.padding, 0), "negative padding is not supported");
  HWARO_CHECK(!any_below(p.output_padding, 0), "negative output_padding is not supported");
  for (std::size_t d = 0; d < p.padding.size(); ++d)
    HWARO_CHECK(p.padding[d] <= INT64_MAX / 2, "Given padding=", p.padding[d], " at dimension ", d,
                " , expected padding to be at most ", INT64_MAX / 2);
  HWARO_CHECK(!any_below(p.stride, 1), "non-positive stride is not supported");
  HWARO_CHECK(!any_below(p.dilation, 1), "dilation should be greater than zero");
  HWARO_CHECK(p.groups > 0, "non-positive groups is not supported");
  const int k = weight.dim();
  const IntSpan w = weight.sizes();
  HWARO_CHECK(input.dim() == k, "Expected ", k, "-dimensional input for ", k, "-dimensional weight ", sizes_str(w),
              ", but got ", input.dim(), "-dimensional input of size ", sizes_str(input.sizes()), " instead");
  HWARO_CHECK(p.transposed || w[0] >= p.groups, "Given groups=", p.groups, ", expected weight to be at least ",
              p.groups, " at dimension 0, but got weight of size ", sizes_str(w), " instead");
  HWARO_CHECK(w[0] % p.groups == 0, "Given groups=", p.groups, ", expected weight to be divisible by ", p.groups,
              " at dimension 0, but got weight of size [", sizes_str(w), "] instead");
  const int64_t channels = p.transposed ? w[0] : w[1] * p.groups, out_channels = p.transposed ? w[1] * p.groups : w[0];
  if (p.transposed)
    HWARO_CHECK(input.sizes()[1] == channels, "Given transposed=1, weight of size ", sizes_str(w), ", expected input",
                sizes_str(input.sizes()), " to have ", channels, " channels, but got ", input.sizes()[1],
                " channels instead");
  else
    HWARO_CHECK(input.sizes()[1] == channels, "Given groups=", p.groups, ", weight of size ", sizes_str(w),
                ", expected input", sizes_str(input.sizes()), " to have ", channels, " channels, but got ",
                input.sizes()[1], " channels instead");
  if (bias.defined()) {
    if (p.transposed)
      HWARO_CHECK(bias.dim() == 1 && bias.sizes()[0] == out_channels, "Given transposed=1, weight of size ",
                  sizes_str(w), ", expected bias to be 1-dimensional with ", out_channels,
                  " elements, but got bias of size ", sizes_str(bias.sizes()), " instead");
    else
      HWARO_CHECK(bias.dim() == 1 && bias.sizes()[0] == out_channels, "Given weight of size ", sizes_str(w),
                  ", expected bias to be 1-dimensional with ", out_channels, " elements, but got bias of size ",
                  sizes_str(bias.sizes()), " instead");
  }
  if (p.transposed) return;
  Dims padded, kernel;
  bool fits = true;
  for (int d = 2; d < k; ++d) {
    const Wide room = input.sizes()[d] + 2 * Wide(p.padding[d - 2]), reach = Wide(p.dilation[d - 2]) * (w[d] - 1) + 1;
    padded.push_back(int64_t(std::min<Wide>(room, INT64_MAX)));
    kernel.push_back(int64_t(std::min<Wide>(reach, INT64_MAX)));
    fits = fits && room >= reach;
  }
  HWARO_CHECK(fits, "Calculated padded input size per channel: ", times(padded), ". Kernel size: ", times(kernel),
              ". Kernel size can't be greater than actual input size");
}

std::string tensor_type(const Tensor& t) {
  const DType type = t.dtype();
  if (is_complex(type) || type == DType::BFloat16) return concat("CPU", scalar_type_name(type), "Type");
  return concat("torch.", kDTypeInfos[int(type)].tensor_type_name);
}

// Whether PyTorch gives a convolution to oneDNN, which has its own words for operands of different types.
bool goes_to_onednn(const Tensor& input, const Tensor& weight, const ConvParams& p) {
  if (input.dtype() == DType::BFloat16) return true;
  if (input.dtype() != DType::Float) return false;
  const IntSpan w = weight.sizes(), x = input.sizes();
  if (p.groups > 1 || x[0] > 1 || (w.size() > 3 && w[w.size() - 1] > 3 && w[w.size() - 2] > 3)) return true;
  return product(x.size() > 4 ? IntSpan(x.data(), 4) : x) > 20480;
}

void check_types(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvParams& p) {
  const bool onednn = goes_to_onednn(input, weight, p);
  if (input.dtype() != weight.dtype() && (onednn || is_complex(input.dtype())))
    raise<RuntimeError>("Input type (", tensor_type(input), ") and weight type (", tensor_type(weight),
                        ") should be the same",
                        onednn ? " or input should be a MKLDNN tensor and weight is a dense tensor" : "");
  HWARO_CHECK(input.dtype() == weight.dtype(), "expected scalar type ", scalar_type_name(input.dtype()), " but found ",
              scalar_type_name(weight.dtype()));
  HWARO_CHECK(!bias.defined() || bias.dtype() == input.dtype(), "Input type (", tensor_type(input), ") and bias type (",
              bias.defined() ? tensor_type(bias) : "", ") should be the same",
              onednn ? " or input should be a MKLDNN tensor and bias is a dense tensor" : "");
  check_product_devices({&input, &weight, &bias});
}

// A parameter of one value per spatial dimension; one value stands for all.
Dims per_dim(IntSpan values, const char* name, int dims) {
  if (values.size() == 1) return Dims(std::size_t(dims), values[0]);
  HWARO_CHECK(int(values.size()) == dims, "expected ", name, " to be a single integer value or a list of ", dims,
              " values to match the convolution dimensions, but got ", name, "=", sizes_str(values));
  return Dims(values);
}

// (N, C, L) laid out with channels last: what one dimension looks like seen as two.
bool is_channels_last_1d(const Tensor& t) {
  return t.dim() == 3 && !t.is_contiguous() && t.strides()[1] == 1 && t.strides()[2] == t.sizes()[1] &&
         t.strides()[0] == t.sizes()[1] * t.sizes()[2];
}

// Whether PyTorch gives a transposed convolution of three dimensions to oneDNN, which keeps the operands' layout; its own
// code answers row-major.
bool keeps_layout(const Tensor& input, const Tensor& weight, const ConvParams& p) {
  if (input.dtype() == DType::BFloat16) return true;
  const IntSpan x = input.sizes(), w = weight.sizes();
  const auto above_one = [](const Dims& values) {
    for (int64_t v : values)
      if (v > 1) return true;
    return false;
  };
  for (std::size_t d = 0; d < p.stride.size(); ++d)
    if (p.output_padding[d] >= p.stride[d]) return false;
  const bool spread = above_one(p.stride) || above_one(p.dilation) || x[0] >= 16 || w[3] != 1 || w[4] != 1;
  return input.dtype() == DType::Float && spread &&
         (p.groups > 1 || (w[3] > 3 && w[4] > 3) || x[0] > 1 || x[0] * x[1] * x[2] * x[3] > 20480);
}

// The layout that convolutions give for these operands: channels last if either has them last; in one dimension only if the
// weight has.
Tensor in_layout_of(const Tensor& t, const Tensor& input, const Tensor& weight, const ConvParams& p) {
  if (t.dim() == 3) {
    if (!is_channels_last_1d(weight)) return t;
    const int64_t c = t.sizes()[1];
    const Tensor out = make_strided(t.sizes(), {c * t.sizes()[2], 1, c}, t.dtype(), t.device());
    if (!t.device().is_meta()) copy_raw(out, t);
    return out;
  }
  if (p.transposed && t.dim() == 5 && !keeps_layout(input, weight, p)) return t;
  return engine::in_layout_of(t, is_channels_last(input) ? input : weight);
}

}  // namespace

struct ConvolutionBackward {
  static constexpr Schema schema =
      "_convolution_backward(Tensor grad_output, Tensor input, Tensor weight, int[] stride, int[] padding, int[] "
      "dilation, "
      "bool transposed, int[] output_padding, int groups, bool want_input, bool want_weight, bool want_bias) -> "
      "(Tensor, Tensor, Tensor)";
  static constexpr Doc doc = "Those gradients of convolution for input, weight and bias that are wanted.";
  static constexpr unsigned expose = kInternal;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& grad_output, const Tensor& input, const Tensor& weight,
                                                 IntSpan stride, IntSpan padding, IntSpan dilation, bool transposed,
                                                 IntSpan output_padding, int64_t groups, bool want_input,
                                                 bool want_weight, bool want_bias) {
    const ConvParams p{Dims(stride), Dims(padding), Dims(dilation), Dims(output_padding), transposed, groups};
    return backward(grad_output, input, weight, p, want_input, want_weight, want_bias);
  }
  static std::tuple<Tensor, Tensor, Tensor> backward(const Tensor& g, const Tensor& input, const Tensor& weight,
                                                     const ConvParams& p, bool want_input, bool want_weight,
                                                     bool want_bias) {
    Tensor dx, dw, db;
    const bool meta = g.device().is_meta();
    const DType type = input.dtype();
    const Tensor dy = dense(g);
    const auto& large = p.transposed ? g : input;
    const auto& small = p.transposed ? input : g;
    const ConvGeometry geo = geometry(large.sizes(), small.sizes(), weight.sizes(), p);
    {
      NoGradGuard guard;
      if (want_input) {
        dx = make_tensor(input.sizes(), type, input.device());
        if (!meta) run_pass({geo, p.transposed ? Pass::Forward : Pass::BackwardInput, dy, dense(conj(weight)), dx, {}});
        dx = in_layout_of(dx, input, weight, p);
      }
      if (want_bias) db = make_tensor({g.sizes()[1]}, type, g.device());
      bool bias_done = meta || !want_bias;
      if (want_weight) {
        dw = make_tensor(weight.sizes(), type, weight.device());
        const bool with_bias =
            want_bias && !p.transposed && kernel_takes_bias(type) && input.numel() > 0 && dw.numel() > 0;
        const Tensor x = dense(conj(input));
        if (!meta)
          run_pass(
              {geo, Pass::BackwardWeight, p.transposed ? dy : x, p.transposed ? x : dy, dw, with_bias ? db : Tensor()});
        bias_done = bias_done || with_bias;
        dw = in_layout_of(dw, input, weight, p);
      }
      if (!bias_done) {
        Dims dims = {0};
        for (int d = 2; d < g.dim(); ++d) dims.push_back(d);
        db = sum(dy, IntSpan(dims));
      }
    }
    if (recording(g, input, weight)) record_double(g, input, weight, p, dx, dw, db);
    return {dx, dw, db};
  }

  static void record_double(const Tensor& g, const Tensor& input, const Tensor& weight, const ConvParams& p,
                            const Tensor& dx, const Tensor& dw, const Tensor& db);
};

struct Convolution {
  static constexpr Schema schema =
      "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool "
      "transposed, "
      "int[] output_padding, int groups) -> Tensor";
  static constexpr Doc doc =
      "Convolution (or its transpose) of a batch; conv1d, conv2d, conv3d and conv_transpose* are made of it.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                     IntSpan dilation, bool transposed, IntSpan output_padding, int64_t groups) {
    const int dims = weight.dim() - 2;
    HWARO_CHECK(dims > 0, "weight should have at least three dimensions");
    return compute(
        input, weight, bias,
        {per_dim(stride, "stride", dims), per_dim(padding, "padding", dims), per_dim(dilation, "dilation", dims),
         per_dim(output_padding, "output_padding", dims), transposed, groups});
  }

  static Tensor compute(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvParams& p) {
    check_shapes(input, weight, bias, p);
    check_types(input, weight, bias, p);
    HWARO_CHECK(input.dim() <= 5, "unsupported ConvNd parameters");
    const Dims shape = output_shape(input, weight, p);
    if (p.transposed) {
      check_output_padding(p);
      HWARO_CHECK(!any_below(IntSpan(shape.data() + 2, shape.size() - 2), 1),
                  "Given input size per channel: ", times(IntSpan(input.sizes().data() + 2, shape.size() - 2)),
                  ". Calculated output size per channel: ", times(IntSpan(shape.data() + 2, shape.size() - 2)),
                  ". Output size is too small");
    }
    HWARO_CHECK_AS(NotImplementedError, input.dtype() != DType::Bool, "\"slow_conv2d_cpu\" not implemented for 'Bool'");
    Tensor out = make_tensor(shape, input.dtype(), input.device());
    if (!input.device().is_meta()) run_forward(input, weight, bias, p, out);
    out = in_layout_of(out, input, weight, p);
    if (recording(input, weight, bias))
      record("ConvolutionBackward0", {input, weight, bias}, out, {save(input), save(weight)}, [p](Backward& b) {
        auto [dx, dw, db] =
            ConvolutionBackward::backward(b.g(), b.saved(0), b.saved(1), p, b.needs(0), b.needs(1), b.needs(2));
        if (b.needs(0)) b.set(0, dx);
        if (b.needs(1)) b.set(1, dw);
        if (b.needs(2)) b.set(2, db);
      });
    return out;
  }

  static void run_forward(const Tensor& input, const Tensor& weight, const Tensor& bias, const ConvParams& p,
                          const Tensor& out) {
    if (p.transposed && is_reduced_float(out.dtype())) {  // rounded once, after the bias
      const Tensor wide = make_tensor(out.sizes(), kFloat32);
      run_forward(dense_as(input, kFloat32), dense_as(weight, kFloat32),
                  bias.defined() ? dense_as(bias, kFloat32) : Tensor(), p, wide);
      return copy_raw(out, wide);
    }
    const Tensor x = dense(input), w = dense(weight);
    Tensor b = bias.defined() ? dense(bias) : Tensor();
    if (!p.transposed) {
      const bool with_bias = kernel_takes_bias(input.dtype()) && x.numel() > 0 && w.numel() > 0;
      run_pass({geometry(x.sizes(), out.sizes(), w.sizes(), p), Pass::Forward, x, w, out, with_bias ? b : Tensor()});
      if (with_bias) b = {};
    } else {
      run_pass({geometry(out.sizes(), x.sizes(), w.sizes(), p), Pass::BackwardInput, x, w, out, {}});
    }
    if (!b.defined() || out.numel() == 0) return;
    NoGradGuard guard;
    Dims shape(std::size_t(out.dim()), 1);
    shape[1] = b.numel();
    copy_raw(out, add(out, view(b, shape)));
  }

  static void check_output_padding(const ConvParams& p) {
    static constexpr const char* names[3][3] = {{"width"}, {"height", "width"}, {"depth", "height", "width"}};
    bool good = true;
    for (std::size_t d = 0; d < p.stride.size(); ++d)
      good = good && (p.output_padding[d] < p.stride[d] || p.output_padding[d] < p.dilation[d]);
    if (good) return;
    std::string text;
    for (const auto& [what, values] : {std::pair<const char*, const Dims&>{"output_padding", p.output_padding},
                                       {"stride", p.stride},
                                       {"dilation", p.dilation}})
      for (std::size_t d = 0; d < values.size(); ++d)
        text += concat(' ', what, '_', names[values.size() - 1][d], ": ", values[d]);
    raise("output padding must be smaller than either stride or dilation, but got", text);
  }
};

void ConvolutionBackward::record_double(const Tensor& g, const Tensor& input, const Tensor& weight, const ConvParams& p,
                                        const Tensor& dx, const Tensor& dw, const Tensor& db) {
  record("ConvolutionBackwardBackward0", {g, input, weight}, {dx, dw, db}, {save(g), save(input), save(weight)},
         [p](Backward& b) {
           // The backward pass is linear in each of its operands, so its own gradients are convolutions again.
           const Tensor grad = b.saved(0), x = b.saved(1), w = b.saved(2);
           const Tensor ggx = b.g(0), ggw = b.g(1), ggb = b.g(2);
           if (b.needs(0)) {
             Tensor out;
             const auto plus = [&](const Tensor& term) { out = out.defined() ? add(out, term) : term; };
             if (ggx.defined()) plus(Convolution::compute(ggx, w, {}, p));
             if (ggw.defined()) plus(Convolution::compute(x, ggw, {}, p));
             if (ggb.defined()) {
               Dims shape(std::size_t(grad.dim()), 1);
               shape[1] = ggb.numel();
               plus(expand(reshape(ggb, shape), grad.sizes()));
             }
             if (out.defined()) b.set(0, out);
           }
           if (b.needs(1) && ggw.defined()) b.set(1, std::get<0>(backward(grad, x, ggw, p, true, false, false)));
           if (b.needs(2) && ggx.defined()) b.set(2, std::get<1>(backward(grad, ggx, w, p, false, true, false)));
         });
}

}  // namespace engine
}  // namespace hwaro

#include "families/convolution.inc"
