// Batch, layer and group normalisation.
//
// Statistics are taken in two passes (mean, then squared deviations), so that they are accurate whatever the mean. Work is
// split by channel or by row; the sums over the batch have a fixed order, so the bits do not depend on the threads.
#include <cmath>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/norm_kernels.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const NormKernels* g_norm = nullptr;
const NormKernels& norm_kernels() { return *g_norm; }
void set_norm_kernels(const NormKernels* table) { g_norm = table; }

namespace engine {

using std::int64_t;

namespace {

DType work_type(DType t) { return t == DType::Double ? DType::Double : DType::Float; }
const NormLoops& loops_for(DType t) { return norm_kernels().loops[t == DType::Double]; }
char* at(void* base, int64_t i, int64_t size) { return static_cast<char*>(base) + i * size; }
const char* at(const void* base, int64_t i, int64_t size) { return static_cast<const char*>(base) + i * size; }
double read_double(const Tensor& t, int64_t i) {
  return t.dtype() == DType::Double ? t->read_as<double>()[i] : double(t->read_as<float>()[i]);
}
void write_double(const Tensor& t, int64_t i, double v) {
  if (t.dtype() == DType::Double) t->write_as<double>()[i] = v;
  else t->write_as<float>()[i] = float(v);
}

// ---- batch norm: input N x C x S ----

struct Planes {
  int64_t batch, channels, inner;
  explicit Planes(const Tensor& x) : batch(x.sizes()[0]), channels(x.sizes()[1]), inner(1) {
    for (int d = 2; d < x.dim(); ++d) inner *= x.sizes()[d];
  }
  int64_t count() const { return batch * inner; }
};

struct BatchStats {
  Tensor mean, rstd;  // per channel, in the work type
};

// A matrix N x C is walked by columns as C rows of N, transposed: runs of one element would be slow.
Tensor as_planes(const Tensor& x, DType type, bool transposed) {
  return dense_as(transposed ? transpose(detach(x), 0, 1) : x, type);
}

// Calls f(first element, run length) for the runs of one channel.
template <class F>
void runs(const Planes& p, int64_t channel, bool transposed, F f) {
  if (transposed) return f(channel * p.batch, p.batch);
  for (int64_t n = 0; n < p.batch; ++n) f((n * p.channels + channel) * p.inner, p.inner);
}

template <class F>
void each_channel(const Planes& p, F f) {
  parallel_for(p.channels, kGrain / (p.count() + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) f(c);
  });
}

BatchStats batch_stats(const Tensor& x, const Planes& p, bool transposed, double eps, Tensor& variance) {
  const DType type = x.dtype();
  BatchStats s{make_tensor({p.channels}, type), make_tensor({p.channels}, type)};
  variance = make_tensor({p.channels}, DType::Double);
  const NormLoops& loops = loops_for(type);
  const int64_t size = int64_t(size_of(type));
  const void* data = x->read();
  const Tensor means = make_tensor({p.channels}, DType::Double);
  each_channel(p, [&](int64_t c) {
    double sum = 0, squares = 0;
    runs(p, c, transposed, [&](int64_t i, int64_t n) { sum += loops.sum(at(data, i, size), n); });
    const double mean = sum / double(p.count());
    runs(p, c, transposed, [&](int64_t i, int64_t n) { squares += loops.sum_squares(at(data, i, size), mean, n); });
    write_double(s.mean, c, mean);
    variance->write_as<double>()[c] = squares / double(p.count());
    write_double(s.rstd, c, 1 / std::sqrt(squares / double(p.count()) + eps));
  });
  return s;
}

Tensor batch_norm_backward_reduced(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                   const Tensor& rstd, bool training, bool need_x, bool need_w, bool need_b, Tensor& dw,
                                   Tensor& db) {
  const Planes p(x);
  const DType type = work_type(x.dtype());
  const bool transposed = p.inner == 1;
  const Tensor gx = as_planes(g, type, transposed), xx = as_planes(x, type, transposed);
  const Tensor w = weight.defined() ? dense_as(weight, type) : Tensor();
  const NormLoops& loops = loops_for(type);
  const int64_t size = int64_t(size_of(type));
  Tensor dx = need_x ? make_tensor(xx.sizes(), type) : Tensor();
  if (need_w) dw = make_tensor({p.channels}, type);
  if (need_b) db = make_tensor({p.channels}, type);
  const void *gp = gx->read(), *xp = xx->read();
  void* to = need_x ? dx->write() : nullptr;
  each_channel(p, [&](int64_t c) {
    const double m = read_double(mean, c), r = read_double(rstd, c);
    double sum_g = 0, sum_gx = 0;
    runs(p, c, transposed, [&](int64_t i, int64_t n) {
      double a, b;
      loops.sum_products(at(gp, i, size), at(xp, i, size), m, n, &a, &b);
      sum_g += a;
      sum_gx += b;
    });
    if (need_w) write_double(dw, c, sum_gx * r);
    if (need_b) write_double(db, c, sum_g);
    if (!need_x) return;
    const double k = (w.defined() ? read_double(w, c) : 1) * r, count = double(p.count());
    // dx = k (g - mean(g) - xhat mean(g xhat)), or k g with fixed statistics.
    const double b = training ? -k * r * r * sum_gx / count : 0, shift = training ? -k * sum_g / count - b * m : 0;
    runs(p, c, transposed, [&](int64_t i, int64_t n) {
      loops.combine(at(to, i, size), at(gp, i, size), at(xp, i, size), k, b, shift, n);
    });
  });
  if (!need_x) return {};
  if (transposed) dx = dense(alias(dx, x.sizes(), IntSpan({1, p.batch}), dx->offset));
  return to_dtype(dx, x.dtype());
}

// The gradient in recorded operators, for create_graph.
void batch_norm_backward_recorded(Backward& b, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                  const Tensor& rstd, bool training, double eps) {
  Dims shape(x.sizes().size(), 1), dims;
  shape[1] = x.sizes()[1];
  for (int d = 0; d < x.dim(); ++d)
    if (d != 1) dims.push_back(d);
  const Tensor g = b.g();
  Tensor m = reshape(mean, shape), r = reshape(rstd, shape);
  if (training) {  // the statistics depend on x
    m = engine::mean(x, IntSpan(dims), true);
    r = rsqrt(add(engine::mean(square(sub(x, m)), IntSpan(dims), true), eps));
  }
  const Tensor xhat = mul(sub(x, m), r);
  const Tensor gw = weight.defined() ? mul(g, reshape(weight, shape)) : g;
  if (b.needs(0)) {
    Tensor dx = mul(gw, r);
    if (training)
      dx = mul(r, sub(sub(gw, engine::mean(gw, IntSpan(dims), true)),
                      mul(xhat, engine::mean(mul(gw, xhat), IntSpan(dims), true))));
    b.set(0, to_dtype(dx, x.dtype()));
  }
  if (b.needs(1)) b.set(1, sum(mul(g, xhat), IntSpan(dims)));
  if (b.needs(2)) b.set(2, sum(g, IntSpan(dims)));
}

void check_per_channel(const Tensor& t, int64_t channels, const char* name) {
  HWARO_CHECK(!t.defined() || t.numel() == channels, name, " should contain ", channels, " elements not ",
              t.defined() ? t.numel() : 0);
}

std::tuple<Tensor, Tensor, Tensor> batch_norm_forward(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                      const Tensor& running_mean, const Tensor& running_var,
                                                      bool training, double momentum, double eps) {
  HWARO_CHECK_AS(ValueError, input.dim() >= 2, "Expected at least 2 dimensions (got ", input.dim(), ")");
  const Planes p(input);
  check_per_channel(running_mean, p.channels, "running_mean");
  check_per_channel(running_var, p.channels, "running_var");
  check_per_channel(weight, p.channels, "weight");
  check_per_channel(bias, p.channels, "bias");
  HWARO_CHECK(training || (running_mean.defined() && running_var.defined()),
              "Expected running_mean and running_var to be defined when training=False");
  const DType type = work_type(input.dtype());
  if (input.device().is_meta()) {
    const Tensor s = make_tensor({p.channels}, type, input.device());
    return {make_like(input), s, s};
  }
  const bool transposed = p.inner == 1;
  const Tensor x = as_planes(input, type, transposed);
  BatchStats s;
  if (training) {
    Tensor variance;
    s = batch_stats(x, p, transposed, eps, variance);
    const double unbias = double(p.count()) / double(p.count() - 1);
    auto follow = [&](const Tensor& running, auto value) {
      if (!running.defined()) return;
      const Tensor now = dense_as(running, DType::Double);
      for (int64_t c = 0; c < p.channels; ++c)
        now->write_as<double>()[c] = (1 - momentum) * now->read_as<double>()[c] + momentum * value(c);
      if (now.impl() != running.impl()) copy_raw(running, now);
      running->bump_version();
    };
    follow(running_mean, [&](int64_t c) { return read_double(s.mean, c); });
    follow(running_var, [&](int64_t c) { return variance->read_as<double>()[c] * unbias; });
  } else {
    s.mean = clone(detach(dense_as(running_mean, type)));
    s.rstd = make_tensor({p.channels}, type);
    const Tensor var = dense_as(running_var, DType::Double);
    for (int64_t c = 0; c < p.channels; ++c) write_double(s.rstd, c, 1 / std::sqrt(var->read_as<double>()[c] + eps));
  }
  const Tensor w = weight.defined() ? dense_as(weight, type) : Tensor(),
               b = bias.defined() ? dense_as(bias, type) : Tensor();
  Tensor y = make_tensor(x.sizes(), type);
  const NormLoops& loops = loops_for(type);
  const int64_t size = int64_t(size_of(type));
  const void* from = x->read();
  void* to = y->write();
  each_channel(p, [&](int64_t c) {
    const double a = read_double(s.rstd, c) * (w.defined() ? read_double(w, c) : 1);
    const double shift = (b.defined() ? read_double(b, c) : 0) - read_double(s.mean, c) * a;
    runs(p, c, transposed, [&](int64_t i, int64_t n) { loops.scale(at(to, i, size), at(from, i, size), a, shift, n); });
  });
  if (transposed) y = dense(alias(y, input.sizes(), IntSpan({1, p.batch}), y->offset));
  y = to_dtype(y, input.dtype());
  return {y, s.mean, s.rstd};
}

}  // namespace

struct NativeBatchNorm {
  static constexpr Schema schema =
      "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
      "training, "
      "float momentum, float eps) -> (Tensor, Tensor, Tensor)";
  static constexpr Doc doc =
      "Batch normalisation of (N, C, …) (Ioffe & Szegedy, 2015) with the statistics used: mean and 1 / deviation.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& input, const Tensor& weight, const Tensor& bias,
                                                 const Tensor& running_mean, const Tensor& running_var, bool training,
                                                 double momentum, double eps) {
    Tensor out, mean, rstd;
    {
      NoGradGuard guard;
      std::tie(out, mean, rstd) =
          batch_norm_forward(input, weight, bias, running_mean, running_var, training, momentum, eps);
    }
    if (recording(input, weight, bias))
      record("NativeBatchNormBackward0", {input, weight, bias}, out,
             {save(input), save(weight), save(mean), save(rstd)}, [training, eps](Backward& b) {
               const Tensor x = b.saved(0), weight = b.has_saved(1) ? b.saved(1) : Tensor(), mean = b.saved(2),
                            rstd = b.saved(3);
               if (grad_enabled()) return batch_norm_backward_recorded(b, x, weight, mean, rstd, training, eps);
               Tensor dw, db;
               const Tensor dx = batch_norm_backward_reduced(b.g(), x, weight, mean, rstd, training, b.needs(0),
                                                             b.needs(1), b.needs(2), dw, db);
               if (b.needs(0)) b.set(0, dx);
               if (b.needs(1)) b.set(1, to_dtype(dw, weight.dtype()));
               if (b.needs(2)) b.set(2, weight.defined() ? to_dtype(db, weight.dtype()) : db);
             });
    return {out, mean, rstd};
  }
};

struct BatchNorm {
  static constexpr Schema schema =
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool "
      "training, float momentum, "
      "float eps, bool cudnn_enabled) -> Tensor";
  static constexpr Doc doc = "Batch normalisation of (N, C, …); running statistics are updated in training.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool training, double momentum, double eps, bool) {
    return std::get<0>(NativeBatchNorm::call(input, weight, bias, running_mean, running_var, training, momentum, eps));
  }
};

struct FunctionalBatchNorm {
  static constexpr Schema schema =
      "batch_norm.functional(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight=None, Tensor? "
      "bias=None, "
      "bool training=False, float momentum=0.1, float eps=1e-05) -> Tensor";
  static constexpr Doc doc = "Batch normalisation of (N, C, …); running statistics are updated in training.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& running_mean, const Tensor& running_var, const Tensor& weight,
                     const Tensor& bias, bool training, double momentum, double eps) {
    if (training && input.dim() >= 2) {
      int64_t per_channel = input.sizes()[0];
      for (int d = 2; d < input.dim(); ++d) per_channel *= input.sizes()[d];
      HWARO_CHECK_AS(ValueError, per_channel != 1,
                     "Expected more than 1 value per channel when training, got input size torch.Size(",
                     sizes_str(input.sizes()), ")");
    }
    return std::get<0>(NativeBatchNorm::call(input, weight, bias, running_mean, running_var, training, momentum, eps));
  }
};

// ---- layer norm ----

struct LayerNorm {
  static constexpr Schema schema =
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> "
      "Tensor";
  static constexpr Doc doc =
      "Normalisation over the last dimensions (Ba et al., 2016): (x - mean) / sqrt(var + eps) * weight + bias.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps) {
    HWARO_CHECK(!shape.empty(),
                "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but "
                "got normalized_shape = ",
                sizes_str(shape));
    const std::size_t skip = input.sizes().size() - shape.size();
    const bool fits =
        input.sizes().size() >= shape.size() && IntSpan(input.sizes().data() + skip, shape.size()) == shape;
    if (!fits) {
      std::string tail;
      for (int64_t s : shape) tail += ", " + std::to_string(s);
      raise("Given normalized_shape=", sizes_str(shape), ", expected input with shape [*", tail,
            "], but got input of size", sizes_str(input.sizes()));
    }
    HWARO_CHECK(!weight.defined() || weight.sizes() == shape,
                "Expected weight to be of same shape as normalized_shape, but got weight of shape ",
                sizes_str(weight.defined() ? weight.sizes() : IntSpan()), " and normalized_shape = ", sizes_str(shape));
    HWARO_CHECK(!bias.defined() || bias.sizes() == shape,
                "Expected bias to be of same shape as normalized_shape, but got bias of shape ",
                sizes_str(bias.defined() ? bias.sizes() : IntSpan()), " and normalized_shape = ", sizes_str(shape));
    const int64_t n = product(shape), rows = n ? input.numel() / n : 0;
    const DType type = work_type(input.dtype());
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"LayerNormKernelImpl\" not implemented for '",
                   scalar_type_name(input.dtype()), "'");
    if (input.device().is_meta()) return make_tensor(input.sizes(), input.dtype(), input.device());
    Tensor out, mean = make_tensor({rows}, type), rstd = make_tensor({rows}, type);
    {
      NoGradGuard guard;
      const Tensor x = dense_as(input, type), w = weight.defined() ? dense_as(weight, type) : Tensor(),
                   b = bias.defined() ? dense_as(bias, type) : Tensor();
      const Tensor y = make_tensor(input.sizes(), type);
      const NormLoops& loops = loops_for(type);
      const int64_t size = int64_t(size_of(type));
      const void *from = x->read(), *wp = w.defined() ? w->read() : nullptr, *bp = b.defined() ? b->read() : nullptr;
      void* to = y->write();
      parallel_for(rows, kGrain / (n + 1) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          const double m = loops.sum(at(from, i * n, size), n) / double(n);
          const double r = 1 / std::sqrt(loops.sum_squares(at(from, i * n, size), m, n) / double(n) + eps);
          write_double(mean, i, m);
          write_double(rstd, i, r);
          loops.row(at(to, i * n, size), at(from, i * n, size), wp, bp, m, r, n);
        }
      });
      out = to_dtype(y, input.dtype());
    }
    if (recording(input, weight, bias))
      record("NativeLayerNormBackward0", {input, weight, bias}, out,
             {save(input), save(weight), save(mean), save(rstd)}, [n, eps, shape = Dims(shape)](Backward& b) {
               const Tensor x = b.saved(0), weight = b.has_saved(1) ? b.saved(1) : Tensor();
               if (grad_enabled()) recorded_backward(b, x, weight, shape, eps);
               else fused_backward(b, x, weight, b.saved(2), b.saved(3), n, shape);
             });
    return out;
  }

  // Rows are summed into dw and db chunk by chunk, the chunks in order.
  static void fused_backward(Backward& b, const Tensor& input, const Tensor& weight, const Tensor& mean,
                             const Tensor& rstd, int64_t n, const Dims& shape) {
    const DType type = mean.dtype();
    const Tensor g = dense_as(b.g(), type), x = dense_as(input, type),
                 w = weight.defined() ? dense_as(weight, type) : Tensor();
    const int64_t rows = mean.numel(), size = int64_t(size_of(type)), per_chunk = kGrain / (n + 1) + 1,
                  chunks = (rows + per_chunk - 1) / per_chunk;
    const Tensor dx = b.needs(0) ? make_tensor(input.sizes(), type) : Tensor();
    const Tensor dw = b.needs(1) ? make_zeros({chunks, n}, type) : Tensor(),
                 db = b.needs(2) ? make_zeros({chunks, n}, type) : Tensor();
    const NormLoops& loops = loops_for(type);
    const void *gp = g->read(), *xp = x->read(), *wp = w.defined() ? w->read() : nullptr;
    void *to = dx.defined() ? dx->write() : nullptr, *dwp = dw.defined() ? dw->write() : nullptr,
         *dbp = db.defined() ? db->write() : nullptr;
    parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c)
        for (int64_t i = c * per_chunk; i < (c + 1) * per_chunk && i < rows; ++i)
          loops.row_backward(to ? at(to, i * n, size) : nullptr, dwp ? at(dwp, c * n, size) : nullptr,
                             dbp ? at(dbp, c * n, size) : nullptr, at(gp, i * n, size), at(xp, i * n, size), wp,
                             read_double(mean, i), read_double(rstd, i), n);
    });
    if (b.needs(0)) b.set(0, to_dtype(dx, input.dtype()));
    const DType parameter = weight.defined() ? weight.dtype() : input.dtype();
    if (b.needs(1)) b.set(1, to_dtype(reshape(sum(dw, IntSpan({0})), shape), parameter));
    if (b.needs(2)) b.set(2, to_dtype(reshape(sum(db, IntSpan({0})), shape), parameter));
  }

  static void recorded_backward(Backward& b, const Tensor& x, const Tensor& weight, const Dims& shape, double eps) {
    Dims dims;
    for (int64_t d = x.dim() - int64_t(shape.size()); d < x.dim(); ++d) dims.push_back(d);
    const Tensor g = b.g(), m = engine::mean(x, IntSpan(dims), true);
    const Tensor r = rsqrt(add(engine::mean(square(sub(x, m)), IntSpan(dims), true), eps)), xhat = mul(sub(x, m), r);
    const Tensor gw = weight.defined() ? mul(g, weight) : g;
    if (b.needs(0))
      b.set(0, mul(r, sub(sub(gw, engine::mean(gw, IntSpan(dims), true)),
                          mul(xhat, engine::mean(mul(gw, xhat), IntSpan(dims), true)))));
    if (b.needs(1)) b.set(1, sum_to_size(mul(g, xhat), shape));
    if (b.needs(2)) b.set(2, sum_to_size(g, shape));
  }
};

struct GroupNorm {
  static constexpr Schema schema =
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> Tensor";
  static constexpr Doc doc = "Normalisation over groups of channels of (N, C, …) (Wu & He, 2018).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
    HWARO_CHECK(input.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", input.dim());
    const int64_t channels = input.sizes()[1];
    HWARO_CHECK(groups > 0 && channels % groups == 0,
                "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
                sizes_str(input.sizes()), " and num_groups=", groups);
    check_per_channel(weight, channels, "weight");
    check_per_channel(bias, channels, "bias");
    const int64_t rest = input.numel() / (input.sizes()[0] * groups > 0 ? input.sizes()[0] * groups : 1);
    const Tensor rows = LayerNorm::call(reshape(input, {input.sizes()[0], groups, rest}), IntSpan({rest}), {}, {}, eps);
    Dims shape(input.sizes().size(), 1);
    shape[1] = channels;
    Tensor out = reshape(rows, input.sizes());
    if (weight.defined()) out = mul(out, reshape(weight, shape));
    if (bias.defined()) out = add(out, reshape(bias, shape));
    return out;
  }
};

struct RmsNorm {
  static constexpr Schema schema =
      "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor";
  static constexpr Doc doc = "x / sqrt(mean(x^2) + eps) * weight over the last dimensions (Zhang & Sennrich, 2019).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan shape, const Tensor& weight, std::optional<double> eps) {
    const std::size_t skip = input.sizes().size() - shape.size();
    if (input.sizes().size() < shape.size() || !(IntSpan(input.sizes().data() + skip, shape.size()) == shape)) {
      const std::string sizes = sizes_str(shape);
      raise("Given normalized_shape=", sizes, ", expected input with shape [*", sizes.substr(1),
            ", but got input of size", sizes_str(input.sizes()));
    }
    Dims dims;
    for (int64_t d = input.dim() - int64_t(shape.size()); d < input.dim(); ++d) dims.push_back(d);
    const double tiny = input.dtype() == DType::Double     ? 2.220446049250313e-16
                        : input.dtype() == DType::Half     ? 0.0009765625
                        : input.dtype() == DType::BFloat16 ? 0.0078125
                                                           : 1.1920928955078125e-07;
    const Tensor y = mul(input, rsqrt(add(mean(square(input), IntSpan(dims), true), eps.value_or(tiny))));
    return weight.defined() ? mul(y, weight) : y;
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/norm.inc"
