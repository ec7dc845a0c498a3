// Batch normalisation (Ioffe and Szegedy, 2015). Every channel is one unit of work: its planes are summed, then normalised
// while they are still in cache. Inputs with channels last, or with one element per plane, run along rows of channels.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/nn/norm.h"
#include "hwaro/ops/registry.h"

#include <cmath>
#include <vector>

namespace hwaro {

static constinit const NormKernels* g_norm = nullptr;
const NormKernels& norm_kernels() { return *g_norm; }
void set_norm_kernels(const NormKernels* table) { g_norm = table; }

namespace engine {

using std::int64_t;

namespace {

// How a tensor's memory is walked: planes of one channel, or rows of all channels.
struct ChannelLayout {
  int64_t batch, channels, plane;
  bool rows;
  int64_t count() const { return batch * plane; }
};

ChannelLayout layout_of(const Tensor& input) {
  ChannelLayout l{input.sizes()[0], input.sizes()[1], 1, false};
  for (int d = 2; d < input.dim(); ++d) l.plane *= input.sizes()[d];
  l.rows = l.plane == 1 || is_channels_last(input);
  return l;
}

// t in the memory order of `like` (dense), as elements of a type.
Tensor in_order_of(const Tensor& t, const Tensor& like, DType type) {
  if (!is_channels_last(like)) return dense_as(t, type);
  if (t.dtype() == type && is_channels_last(t)) return t;
  const Tensor out = make_strided(like.sizes(), channels_last_strides(like.sizes()), type, t.device());
  copy_raw(out, t);
  return out;
}
Tensor make_in_order_of(const Tensor& like, DType type) {
  if (is_channels_last(like))
    return make_strided(like.sizes(), channels_last_strides(like.sizes()), type, like.device());
  return make_tensor(like.sizes(), type, like.device());
}

// Mean and variance of one channel: moments of its planes, merged one by one (Chan, Golub and LeVeque).
template <class T>
void plane_moments(const ChannelLayout& l, const T* x, int64_t c, T* mean, T* variance) {
  double m = 0, squares = 0;
  for (int64_t n = 0; n < l.batch; ++n) {
    T plane_mean, plane_squares;
    norm_kernels().of<T>().moments(l.plane, x + (n * l.channels + c) * l.plane, &plane_mean, &plane_squares);
    const double delta = double(plane_mean) - m, seen = double(n), all = seen + 1;
    m += delta / all;
    squares += double(plane_squares) + delta * delta * double(l.plane) * seen / all;
  }
  *mean = T(m);
  *variance = T(squares / double(l.count()));
}

template <class T>
void row_moments(const ChannelLayout& l, const T* x, T* mean, T* variance) {
  const auto& k = norm_kernels().of<T>();
  std::vector<double> sums(std::size_t(l.channels), 0);
  k.column_sums(l.count(), l.channels, x, sums.data());
  for (int64_t c = 0; c < l.channels; ++c)
    mean[c] = T(sums[std::size_t(c)] / double(l.count())), sums[std::size_t(c)] = 0;
  k.column_squares(l.count(), l.channels, x, mean, sums.data());
  for (int64_t c = 0; c < l.channels; ++c) variance[c] = T(sums[std::size_t(c)] / double(l.count()));
}

template <class T>
void normalise(const ChannelLayout& l, const T* x, const T* mean, const T* invstd, const T* weight, const T* bias,
               T* y) {
  const auto& k = norm_kernels().of<T>();
  std::vector<T> numbers(2 * std::size_t(l.channels));
  T *scale = numbers.data(), *shift = scale + l.channels;
  for (int64_t c = 0; c < l.channels; ++c) {
    scale[c] = weight ? invstd[c] * weight[c] : invstd[c];
    shift[c] = (bias ? bias[c] : T(0)) - mean[c] * scale[c];
  }
  if (l.rows) {
    parallel_for(l.count(), 1 + kGrain / (l.channels + 1), [&](int64_t begin, int64_t end) {
      k.column_affine(end - begin, l.channels, x + begin * l.channels, scale, shift, y + begin * l.channels);
    });
    return;
  }
  parallel_for(l.channels, 1 + kGrain / (l.count() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      for (int64_t n = 0; n < l.batch; ++n) {
        const int64_t at = (n * l.channels + c) * l.plane;
        k.affine(l.plane, x + at, scale[c], shift[c], y + at);
      }
  });
}

// Fused: one channel's moments and its normalisation together, while its planes are in cache.
template <class T>
void train_channels(const ChannelLayout& l, const T* x, const T* weight, const T* bias, T eps, T* mean, T* variance,
                    T* invstd, T* y) {
  const auto& k = norm_kernels().of<T>();
  if (l.rows) {
    row_moments(l, x, mean, variance);
    for (int64_t c = 0; c < l.channels; ++c) invstd[c] = T(1) / std::sqrt(variance[c] + eps);
    return normalise(l, x, mean, invstd, weight, bias, y);
  }
  parallel_for(l.channels, 1 + kGrain / (l.count() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      plane_moments(l, x, c, mean + c, variance + c);
      invstd[c] = T(1) / std::sqrt(variance[c] + eps);
      const T scale = weight ? invstd[c] * weight[c] : invstd[c], shift = (bias ? bias[c] : T(0)) - mean[c] * scale;
      for (int64_t n = 0; n < l.batch; ++n) {
        const int64_t at = (n * l.channels + c) * l.plane;
        k.affine(l.plane, x + at, scale, shift, y + at);
      }
    }
  });
}

// dx, dweight, dbias where not null. In training the statistics depend on x too.
template <class T>
void backward_channels(const ChannelLayout& l, const T* dy, const T* x, const T* mean, const T* invstd, const T* weight,
                       bool training, T* dx, T* dweight, T* dbias) {
  const auto& k = norm_kernels().of<T>();
  const double count = double(l.count());
  struct Numbers {
    T a, b, c;
  };
  const auto numbers = [&](int64_t c, double sum, double dot) {
    const T w = weight ? weight[c] : T(1), s = invstd[c], a = w * s;
    if (dweight) dweight[c] = T(dot * double(s));
    if (dbias) dbias[c] = T(sum);
    if (!training) return Numbers{a, T(0), T(0)};
    return Numbers{a, T(-dot / count * double(s) * double(s)) * a, T(-sum / count) * a};
  };
  if (l.rows) {
    std::vector<double> sums(2 * std::size_t(l.channels), 0);
    std::vector<T> abc(3 * std::size_t(l.channels));
    double *sum = sums.data(), *dot = sum + l.channels;
    T *a = abc.data(), *b = a + l.channels, *c3 = b + l.channels;
    k.column_grad_sums(l.count(), l.channels, dy, x, mean, sum, dot);
    for (int64_t c = 0; c < l.channels; ++c) {
      const Numbers n = numbers(c, sum[c], dot[c]);
      a[c] = n.a, b[c] = n.b, c3[c] = n.c;
    }
    if (!dx) return;
    parallel_for(l.count(), 1 + kGrain / (l.channels + 1), [&](int64_t begin, int64_t end) {
      const int64_t at = begin * l.channels;
      k.column_grad_input(end - begin, l.channels, dy + at, x + at, mean, a, b, c3, dx + at);
    });
    return;
  }
  parallel_for(l.channels, 1 + kGrain / (l.count() + 1), [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      double sum = 0, dot = 0;
      for (int64_t n = 0; n < l.batch; ++n) {
        const int64_t at = (n * l.channels + c) * l.plane;
        T s, d;
        k.grad_sums(l.plane, dy + at, x + at, mean[c], &s, &d);
        sum += double(s);
        dot += double(d);
      }
      const Numbers v = numbers(c, sum, dot);
      if (!dx) continue;
      for (int64_t n = 0; n < l.batch; ++n) {
        const int64_t at = (n * l.channels + c) * l.plane;
        k.grad_input(l.plane, dy + at, x + at, mean[c], v.a, v.b, v.c, dx + at);
      }
    }
  });
}

struct Gradients {
  Tensor input, weight, bias;
};

// Everything in recorded operators: for gradients of gradients.
Gradients backward_formula(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                           const Tensor& var, bool training, double eps) {
  Dims dims = {0}, shape(std::size_t(x.dim()), 1);
  shape[1] = x.sizes()[1];
  for (int d = 2; d < x.dim(); ++d) dims.push_back(d);
  const IntSpan over(dims);
  Tensor centred, invstd;
  if (training) {
    centred = sub(x, engine::mean(x, over, true));
    invstd = rsqrt(add(engine::mean(square(centred), over, true), eps));
  } else {
    centred = sub(x, reshape(mean, shape));
    invstd = rsqrt(add(reshape(var, shape), eps));
  }
  const Tensor z = mul(centred, invstd);
  Gradients out;
  out.bias = sum(g, over);
  out.weight = sum(mul(g, z), over);
  const Tensor scale = weight.defined() ? mul(invstd, reshape(weight, shape)) : invstd;
  if (!training) {
    out.input = mul(g, scale);
  } else {
    const Tensor rest = add(engine::mean(g, over, true), mul(z, engine::mean(mul(g, z), over, true)));
    out.input = mul(scale, sub(g, rest));
  }
  return out;
}

Gradients backward_fast(const Tensor& g, const Tensor& input, const Tensor& weight, const Tensor& mean,
                        const Tensor& invstd, bool training, bool want_input, bool want_weight, bool want_bias) {
  const DType type = compute_type(input.dtype());
  const ChannelLayout l = layout_of(input);
  const Dims channels = {l.channels};
  Gradients out;
  if (want_input) out.input = make_in_order_of(input, type);
  if (want_weight) out.weight = make_zeros(channels, type);
  if (want_bias) out.bias = make_zeros(channels, type);
  const Tensor dy = in_order_of(g, input, type), x = in_order_of(input, input, type), w = as_type(weight, type);
  if (input.numel() > 0)
    visit<bit(DType::Float) | bit(DType::Double)>(type, "batch_norm_backward", [&](auto tag) {
      using T = typename decltype(tag)::type;
      backward_channels<T>(l, dy->read_as<T>(), x->read_as<T>(), mean->read_as<T>(), invstd->read_as<T>(),
                           pointer<T>(w), training, writable<T>(out.input), writable<T>(out.weight),
                           writable<T>(out.bias));
    });
  if (out.input.defined() && out.input.dtype() != input.dtype()) {
    const Tensor narrow = make_in_order_of(input, input.dtype());
    copy_raw(narrow, out.input);
    out.input = narrow;
  }
  return out;
}

void check_size(const Tensor& t, const char* name, int64_t channels) {
  HWARO_CHECK(!t.defined() || t.numel() == channels, name, " should contain ", channels, " elements not ", t.numel());
}
// stat = (1 - momentum) * stat + momentum * fresh, in place.
template <class T>
void update_running(const Tensor& running, const T* fresh, double scale, double momentum) {
  const Tensor work = dense_as(running, dtype_of<T>);
  const T* from = work->read_as<T>();
  const Tensor next = make_tensor(running.sizes(), dtype_of<T>);
  T* to = next->write_as<T>();
  for (int64_t c = 0; c < next.numel(); ++c)
    to[c] = T(momentum) * T(double(fresh[c]) * scale) + T(1 - momentum) * from[c];
  copy_raw(running, next);
  running->bump_version();
}

}  // namespace

struct NativeBatchNorm {
  static constexpr Schema schema =
      "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
      "training, "
      "float momentum, float eps) -> (Tensor, Tensor, Tensor)";
  static constexpr Doc doc =
      "Batch normalisation, with the mean and the inverse standard deviation that training used.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                 const Tensor& running_mean, const Tensor& running_var, bool training,
                                                 double momentum, double eps) {
    const int64_t channels = input.size(1);
    check_size(running_mean, "running_mean", channels);
    HWARO_CHECK(running_mean.defined() || training, "running_mean must be defined in evaluation mode");
    check_size(running_var, "running_var", channels);
    HWARO_CHECK(running_var.defined() || training, "running_var must be defined in evaluation mode");
    check_size(weight, "weight", channels);
    check_size(bias, "bias", channels);
    check_product_devices({&input, &weight, &bias, &running_mean, &running_var});
    const DType type = compute_type(input.dtype());
    const bool meta = input.device().is_meta();
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"batch_norm\" not implemented for '",
                   scalar_type_name(input.dtype()), '\'');
    check_parameter_types(input, {&weight, &bias, &running_mean, &running_var});

    const ChannelLayout l = layout_of(input);
    const Dims shape = {channels};
    Tensor out = make_in_order_of(input, type);
    // In evaluation these are the running statistics; what is handed out then is empty.
    const Tensor mean = make_tensor(shape, type, input.device()), invstd = make_tensor(shape, type, input.device());
    if (!meta)
      visit<bit(DType::Float) | bit(DType::Double)>(type, "batch_norm", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const Tensor x = in_order_of(input, input, type), w = as_type(weight, type), b = as_type(bias, type);
        T *m = mean->write_as<T>(), *s = invstd->write_as<T>(), *y = out->write_as<T>();
        if (training) {
          const Tensor variance = make_tensor(shape, type);
          T* v = variance->write_as<T>();
          train_channels<T>(l, x->read_as<T>(), pointer<T>(w), pointer<T>(b), T(eps), m, v, s, y);
          if (l.count() > 0) {
            const double n = double(l.count());
            if (running_mean.defined()) update_running<T>(running_mean, m, 1, momentum);
            if (running_var.defined()) update_running<T>(running_var, v, n / (n - 1), momentum);
          }
        } else {
          const Tensor rm = dense_as(running_mean, type), rv = dense_as(running_var, type);
          for (int64_t c = 0; c < channels; ++c)
            m[c] = rm->read_as<T>()[c], s[c] = T(1) / std::sqrt(rv->read_as<T>()[c] + T(eps));
          normalise<T>(l, x->read_as<T>(), m, s, pointer<T>(w), pointer<T>(b), y);
        }
      });
    if (out.dtype() != input.dtype()) {
      const Tensor narrow = make_in_order_of(input, input.dtype());
      if (!meta) copy_raw(narrow, out);
      out = narrow;
    }
    if (recording(input, weight, bias))
      record("NativeBatchNormBackward0", {input, weight, bias}, out,
             {save(input), save_if(weight.defined(), weight), save_if(!training, running_mean),
              save_if(!training, running_var), save(mean), save(invstd)},
             [training, eps](Backward& b) {
               const Tensor x = b.saved(0), w = b.has_saved(1) ? b.saved(1) : Tensor();
               Gradients out;
               if (recording(b.g(), x, w)) {
                 out = backward_formula(b.g(), x, w, training ? Tensor() : b.saved(2), training ? Tensor() : b.saved(3),
                                        training, eps);
               } else {
                 out = backward_fast(b.g(), x, w, b.saved(4), b.saved(5), training, b.needs(0), b.needs(1), b.needs(2));
               }
               if (b.needs(0)) b.set(0, out.input);
               if (b.needs(1)) b.set(1, to_dtype(out.weight, w.dtype()));
               if (b.needs(2)) b.set(2, w.defined() ? to_dtype(out.bias, w.dtype()) : out.bias);
             });
    const DType stats =
        has_wide_parameters(input, {&weight, &bias, &running_mean, &running_var}) ? type : input.dtype();
    const Dims none = {0};
    if (!training) return {out, make_tensor(none, stats, input.device()), make_tensor(none, stats, input.device())};
    return {out, dense_as(mean, stats), dense_as(invstd, stats)};
  }
};

namespace {

// What both functions named batch_norm do. An empty input is scaled by hand, as in PyTorch, and leaves the statistics alone.
Tensor batch_norm_of(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool training, double momentum, double eps) {
  if (input.numel() > 0) {
    input.size(1);
    HWARO_CHECK(training || running_mean.defined(), "running_mean must be defined in evaluation mode");
    return std::get<0>(NativeBatchNorm::call(input, weight, bias, running_mean, running_var, training, momentum, eps));
  }
  Tensor out = clone(input);
  if (weight.defined()) out = mul(out, select(weight, 0, 0));
  if (bias.defined()) out = add(out, select(bias, 0, 0));
  return out;
}

}  // namespace

struct BatchNorm {
  static constexpr Schema schema =
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
      "training, float momentum, "
      "float eps, bool cudnn_enabled) -> Tensor";
  static constexpr Doc doc = "Batch normalisation over all dimensions but the second.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool training, double momentum, double eps, bool) {
    return batch_norm_of(input, weight, bias, running_mean, running_var, training, momentum, eps);
  }
};

struct BatchNormFunctional {
  static constexpr Schema schema =
      "batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? bias=None, "
      "bool training=False, "
      "float momentum=0.1, float eps=1e-05) -> Tensor";
  static constexpr Doc doc =
      "Batch normalisation over all dimensions but the second; training updates the running statistics.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                     const Tensor& bias, bool training, double momentum, double eps) {
    if (training && input.dim() > 0) {
      int64_t count = input.sizes()[0];
      for (int d = 2; d < input.dim(); ++d) count *= input.sizes()[d];
      HWARO_CHECK_AS(ValueError, count != 1,
                     "Expected more than 1 value per channel when training, got input size torch.Size(",
                     sizes_str(input.sizes()), ")");
    }
    HWARO_CHECK_AS(ValueError, !training || running_mean.defined() == running_var.defined(),
                   "running_mean and running_var must either both be None or neither be None");
    return batch_norm_of(input, weight, bias, running_mean, running_var, training, momentum, eps);
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/batch_norm.inc"
