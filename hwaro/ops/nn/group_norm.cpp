// Group normalisation (Wu and He, 2018): a group of channels of one sample is one run of memory, so its moments are those of a
// row; scale and shift differ from channel to channel.
#include <cmath>
#include <vector>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/nn/norm.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Groups {
  int64_t batch, channels, plane, groups;
  int64_t depth() const { return channels / groups; }
  int64_t size() const { return depth() * plane; }
  int64_t count() const { return batch * groups; }
};

template <class T>
void forward(const Groups& g, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean, T* rstd) {
  const auto& k = norm_kernels().of<T>();
  parallel_for(g.count(), 1 + kGrain / (g.size() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * g.size();
      T squares;
      k.moments(g.size(), x + at, mean + i, &squares);
      rstd[i] = T(1) / std::sqrt(squares / T(g.size()) + eps);
      for (int64_t d = 0; d < g.depth(); ++d) {
        const int64_t c = i % g.groups * g.depth() + d;
        const T scale = weight ? rstd[i] * weight[c] : rstd[i], shift = (bias ? bias[c] : T(0)) - mean[i] * scale;
        k.affine(g.plane, x + at + d * g.plane, scale, shift, y + at + d * g.plane);
      }
    }
  });
}

template <class T>
void backward(const Groups& g, const T* dy, const T* x, const T* mean, const T* rstd, const T* weight, T* dx,
              T* dweight, T* dbias) {
  const auto& k = norm_kernels().of<T>();
  std::vector<double> sums(2 * std::size_t(g.batch * g.channels));
  double *sum = sums.data(), *dot = sum + g.batch * g.channels;
  parallel_for(g.count(), 1 + kGrain / (g.size() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = i * g.size();
      double total = 0, products = 0;
      for (int64_t d = 0; d < g.depth(); ++d) {
        T s, p;
        k.grad_sums(g.plane, dy + at + d * g.plane, x + at + d * g.plane, mean[i], &s, &p);
        const int64_t c = i % g.groups * g.depth() + d;
        const double w = weight ? double(weight[c]) : 1;
        total += w * double(s);
        products += w * double(p);
        sum[i * g.depth() + d] = double(s);
        dot[i * g.depth() + d] = double(p) * double(rstd[i]);
      }
      if (!dx) continue;
      const double r = double(rstd[i]), n = double(g.size());
      const T b = T(-r * r * r * products / n), shift = T(-r * total / n);
      for (int64_t d = 0; d < g.depth(); ++d) {
        const T a = weight ? rstd[i] * weight[i % g.groups * g.depth() + d] : rstd[i];
        k.grad_input(g.plane, dy + at + d * g.plane, x + at + d * g.plane, mean[i], a, b, shift, dx + at + d * g.plane);
      }
    }
  });
  for (int64_t c = 0; c < g.channels; ++c) {
    double s = 0, p = 0;
    for (int64_t n = 0; n < g.batch; ++n) s += sum[n * g.channels + c], p += dot[n * g.channels + c];
    if (dweight) dweight[c] = T(p);
    if (dbias) dbias[c] = T(s);
  }
}

// Everything in recorded operators: for gradients of gradients, and where mean and rstd have gradients of their own.
void backward_formula(Backward& b, const Tensor& x, const Tensor& weight, const Groups& g, double eps) {
  const Dims grouped = {g.batch, g.groups, g.size()}, planes = {g.batch, g.channels, g.plane},
             channels = {1, g.channels, 1}, stats = {g.batch, g.groups, 1};
  const int64_t dim = 2;
  const IntSpan last(&dim, 1);
  const Tensor xg = reshape(x, grouped), centred = sub(xg, mean(xg, last, true));
  const Tensor rstd = rsqrt(add(mean(square(centred), last, true), eps)), z = mul(centred, rstd);
  const Tensor dy = b.g(0).defined() ? reshape(b.g(0), planes) : make_zeros(planes, x.dtype(), x.device());
  const Tensor zc = reshape(z, planes);
  const Dims others = {0, 2};
  if (b.needs(0)) {
    const Tensor h = reshape(weight.defined() ? mul(dy, reshape(weight, channels)) : dy, grouped);
    Tensor dx = mul(rstd, sub(h, add(mean(h, last, true), mul(z, mean(mul(h, z), last, true)))));
    const double n = double(g.size());
    if (b.g(1).defined()) dx = add(dx, div(reshape(b.g(1), stats), n));
    if (b.g(2).defined()) dx = sub(dx, mul(mul(centred, pow(rstd, 3)), div(reshape(b.g(2), stats), n)));
    b.set(0, reshape(dx, x.sizes()));
  }
  if (b.needs(1)) b.set(1, sum(mul(dy, zc), IntSpan(others)));
  if (b.needs(2)) b.set(2, sum(dy, IntSpan(others)));
}

void backward_fast(Backward& b, const Tensor& input, const Tensor& weight, const Tensor& mean, const Tensor& rstd,
                   const Groups& g) {
  const DType type = compute_type(input.dtype()), parameter = weight.defined() ? weight.dtype() : input.dtype();
  const Tensor dy = dense_as(b.g(), type), x = dense_as(input, type), w = as_type(weight, type);
  const Dims channels = {g.channels};
  const Tensor dx = b.needs(0) ? make_tensor(input.sizes(), type) : Tensor(),
               dw = b.needs(1) ? make_tensor(channels, type) : Tensor(),
               db = b.needs(2) ? make_tensor(channels, type) : Tensor();
  visit<bit(DType::Float) | bit(DType::Double)>(type, "GroupNormBackwardKernelImpl", [&](auto tag) {
    using T = typename decltype(tag)::type;
    backward<T>(g, dy->read_as<T>(), x->read_as<T>(), mean->read_as<T>(), rstd->read_as<T>(), pointer<T>(w),
                writable<T>(dx), writable<T>(dw), writable<T>(db));
  });
  if (dx.defined()) b.set(0, in_layout_of(dense_as(dx, input.dtype()), input));
  if (dw.defined()) b.set(1, dense_as(dw, parameter));
  if (db.defined()) b.set(2, dense_as(db, parameter));
}

std::tuple<Tensor, Tensor, Tensor> group_norm_of(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                 const Groups& g, double eps) {
  check_parameter_types(input, {&weight, &bias});
  check_product_devices({&input, &weight, &bias});
  HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"GroupNormKernelImpl\" not implemented for '",
                 scalar_type_name(input.dtype()), '\'');
  const DType type = compute_type(input.dtype());
  const Dims stats = {g.batch, g.groups};
  Tensor out = make_tensor(input.sizes(), type, input.device());
  const Tensor mean = make_tensor(stats, type, input.device()), rstd = make_tensor(stats, type, input.device());
  if (!input.device().is_meta()) {
    const Tensor x = dense_as(input, type), w = as_type(weight, type), b = as_type(bias, type);
    visit<bit(DType::Float) | bit(DType::Double)>(type, "GroupNormKernelImpl", [&](auto tag) {
      using T = typename decltype(tag)::type;
      forward<T>(g, x->read_as<T>(), pointer<T>(w), pointer<T>(b), T(eps), out->write_as<T>(), mean->write_as<T>(),
                 rstd->write_as<T>());
    });
  }
  out = in_layout_of(dense_as(out, input.dtype()), input);
  const DType kept = has_wide_parameters(input, {&weight, &bias}) ? type : input.dtype();
  const Tensor mean_out = dense_as(mean, kept), rstd_out = dense_as(rstd, kept);
  if (recording(input, weight, bias)) {
    // What is also a result is saved as one: the node must not keep itself alive.
    const bool own = kept == type;
    record("NativeGroupNormBackward0", {input, weight, bias}, {out, mean_out, rstd_out},
           {save(input), save_if(weight.defined(), weight), own ? save_output(mean) : save(mean),
            own ? save_output(rstd) : save(rstd)},
           [g, eps](Backward& b) {
             const Tensor x = b.saved(0), w = b.has_saved(1) ? b.saved(1) : Tensor();
             const bool more = b.g(1).defined() || b.g(2).defined();
             if (!more && !b.g(0).defined()) return;
             if (more || recording(b.g(0), x, w)) backward_formula(b, x, w, g, eps);
             else backward_fast(b, x, w, detach(b.saved(2)), detach(b.saved(3)), g);
           });
  }
  return {out, mean_out, rstd_out};
}

Tensor checked(const Tensor& input, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  const int64_t channels = input.size(1);
  HWARO_CHECK(groups > 0, "Expected num groups to be greater than 0, got ", groups);
  HWARO_CHECK(channels % groups == 0,
              "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
              sizes_str(input.sizes()), " and num_groups=", groups);
  HWARO_CHECK(
      !weight.defined() || (weight.dim() == 1 && weight.numel() == channels),
      "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape ",
      weight.defined() ? sizes_str(weight.sizes()) : "", " and input of shape ", sizes_str(input.sizes()));
  HWARO_CHECK(!bias.defined() || (bias.dim() == 1 && bias.numel() == channels),
              "Expected bias to be a vector of size equal to the number of channels in input, but got bias of shape ",
              weight.defined() ? sizes_str(weight.sizes()) : sizes_str(bias.sizes()), " and input of shape ",
              sizes_str(input.sizes()));
  int64_t plane = 1;
  for (int d = 2; d < input.dim(); ++d) plane *= input.sizes()[d];
  return std::get<0>(group_norm_of(input, weight, bias, {input.sizes()[0], channels, plane, groups}, eps));
}

}  // namespace

struct NativeGroupNorm {
  static constexpr Schema schema =
      "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps) -> "
      "(Tensor, Tensor, Tensor)";
  static constexpr Doc doc = "Group normalisation, with the mean and the inverse standard deviation of each group.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                 int64_t n, int64_t c, int64_t plane, int64_t group, double eps) {
    HWARO_CHECK(n >= 0 && c >= 0 && plane >= 0 && group > 0 && c % group == 0 && n * c * plane == input.numel(),
                "native_group_norm: sizes do not fit the input");
    HWARO_CHECK((!weight.defined() || weight.numel() == c) && (!bias.defined() || bias.numel() == c),
                "native_group_norm: weight and bias need one element per channel");
    return group_norm_of(input, weight, bias, {n, c, plane, group}, eps);
  }
};

struct GroupNorm {
  static constexpr Schema schema =
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool "
      "cudnn_enabled=True) -> Tensor";
  static constexpr Doc doc = "Normalisation over groups of channels of input (N, C, *).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, int64_t groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
    return checked(input, groups, weight, bias, eps);
  }
};

struct GroupNormFunctional {
  static constexpr Schema schema =
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> Tensor";
  static constexpr Doc doc = "Normalisation over groups of channels of input (N, C, *).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
    HWARO_CHECK(input.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", input.dim());
    HWARO_CHECK(groups > 0, "Expected num groups to be greater than 0, got ", groups);
    // As in PyTorch's Python: one value per group cannot be normalised.
    int64_t values = input.sizes()[0] * input.sizes()[1] / groups;
    for (int d = 2; d < input.dim(); ++d) values *= input.sizes()[d];
    HWARO_CHECK_AS(ValueError, values != 1, "Expected more than 1 value per channel when training, got input size ",
                   sizes_str(input.sizes()));
    return checked(input, groups, weight, bias, eps);
  }
};

}  // namespace hwaro::engine

#include "families/group_norm.inc"
