// softmax, log_softmax and logsumexp.
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/softmax_kernels.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const SoftmaxKernels* g_softmax = nullptr;
const SoftmaxKernels& softmax_kernels() { return *g_softmax; }
void set_softmax_kernels(const SoftmaxKernels* table) { g_softmax = table; }

namespace engine {

using std::int64_t;

namespace {

constexpr int64_t kTile = 128;  // columns per task

// Runs rows(first row, rows) or columns(offset, columns) over a dense tensor seen along dim.
template <class R, class C>
void run_along(const AlongDim& at, R rows, C columns) {
  if (at.inner == 1) {
    parallel_for(at.outer, kGrain / 4 / (at.size > 0 ? at.size : 1) + 1,
                 [&](int64_t begin, int64_t end) { rows(begin, end - begin); });
    return;
  }
  const int64_t tiles = (at.inner + kTile - 1) / kTile;
  parallel_for(at.outer * tiles, kGrain / 4 / (at.size * kTile) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t j = t % tiles * kTile;
      columns(t / tiles * at.size * at.inner + j, at.inner - j < kTile ? at.inner - j : kTile);
    }
  });
}

Tensor forward(bool log, const Tensor& self, int64_t dim) {
  const Tensor result = make_tensor(self.sizes(), self.dtype(), self.device());
  if (!contains(kFloatSet, self.dtype()) && self.numel() > 0) {
    const bool last = self.dim() == 0 || dim == self.dim() - 1;
    raise<NotImplementedError>('"',
                               log ? (last ? "log_softmax_lastdim_kernel_impl" : "log_softmax_kernel_impl")
                                   : (last ? "softmax_lastdim_kernel_impl" : "softmax_kernel_impl"),
                               "\" not implemented for '", scalar_type_name(self.dtype()), '\'');
  }
  if (!self.device().is_meta() && self.numel() > 0) {
    const Tensor x = dense(self);
    const SoftmaxLoops& loops = softmax_kernels().of(log, self.dtype());
    const int64_t size = size_of(result.dtype());
    const AlongDim at(self.sizes(), dim);
    const char* in = static_cast<const char*>(x->read());
    char* out = static_cast<char*>(result->write());
    run_along(
        at,
        [&](int64_t row, int64_t rows) {
          loops.rows(out + row * at.size * size, in + row * at.size * size, rows, at.size);
        },
        [&](int64_t i, int64_t columns) { loops.columns(out + i * size, in + i * size, columns, at.inner, at.size); });
  }
  return result;
}

Tensor backward(bool log, const Tensor& grad, const Tensor& output, int64_t dim) {
  const DType type = output.dtype();
  HWARO_CHECK(grad.sizes() == output.sizes(), "Expected tensor for argument #1 'grad' to have same size as tensor for ",
              "argument #2 'output'; but ", sizes_str(grad.sizes()), " does not equal ", sizes_str(output.sizes()),
              " (while checking arguments for ", log ? "log_" : "", "softmax_backward)");
  HWARO_CHECK_AS(NotImplementedError, is_floating(type), '"', log ? "log_" : "",
                 "softmax_backward_lastdim_kernel_impl\" not implemented for '", scalar_type_name(type), '\'');
  const Tensor result = make_tensor(output.sizes(), type, output.device());
  if (!output.device().is_meta() && output.numel() > 0) {
    const Tensor g = dense_as(grad, type), y = dense(output);
    const SoftmaxLoops& loops = softmax_kernels().of(log, type);
    const int64_t size = size_of(type);
    const AlongDim at(output.sizes(), dim);
    const char* a = static_cast<const char*>(g->read());
    const char* b = static_cast<const char*>(y->read());
    char* out = static_cast<char*>(result->write());
    run_along(
        at,
        [&](int64_t row, int64_t rows) {
          const int64_t i = row * at.size * size;
          loops.backward_rows(out + i, a + i, b + i, rows, at.size);
        },
        [&](int64_t k, int64_t columns) {
          const int64_t i = k * size;
          loops.backward_columns(out + i, a + i, b + i, columns, at.inner, at.size);
        });
  }
  return result;
}

Tensor sum_keep(const Tensor& t, int64_t dim) { return t.dim() ? sum(t, IntSpan{dim}, true) : t; }

Tensor run(bool log, const Tensor& self, int64_t dim, OptDType dtype);

}  // namespace

struct SoftmaxBackwardData {
  static constexpr Schema schema =
      "_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor";
  static constexpr Doc doc = "The gradient of softmax from that of its output and the output.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& grad, const Tensor& output, int64_t dim, DType) {
    dim = wrap_dim(dim, output.dim());
    const Tensor out = backward(false, grad, output, dim);
    if (recording(grad, output))
      record("SoftmaxBackwardDataBackward0", {grad, output}, out, {save(grad), save(output)}, [dim](Backward& b) {
        const Tensor g = b.saved(0), y = b.saved(1);
        if (b.needs(0)) b.set(0, call(b.g(), y, dim, y.dtype()));
        if (b.needs(1)) {
          const Tensor gg = b.g();
          b.set(1, sub(sub(mul(gg, g), mul(gg, sum_keep(mul(g, y), dim))), mul(g, sum_keep(mul(gg, y), dim))));
        }
      });
    return out;
  }
};

struct LogSoftmaxBackwardData {
  static constexpr Schema schema =
      "_log_softmax_backward_data(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor";
  static constexpr Doc doc = "The gradient of log_softmax from that of its output and the output.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& grad, const Tensor& output, int64_t dim, DType) {
    dim = wrap_dim(dim, output.dim());
    const Tensor out = backward(true, grad, output, dim);
    if (recording(grad, output))
      record("LogSoftmaxBackwardDataBackward0", {grad, output}, out, {save(grad), save(output)}, [dim](Backward& b) {
        const Tensor g = b.saved(0), p = exp(b.saved(1)), gg = b.g();
        const Tensor weighted = mul(gg, p);
        if (b.needs(0)) b.set(0, sub(gg, sum_keep(weighted, dim)));
        if (b.needs(1)) b.set(1, neg(mul(weighted, sum_keep(g, dim))));
      });
    return out;
  }
};

namespace {

Tensor run(bool log, const Tensor& self, int64_t dim, OptDType dtype) {
  dim = wrap_dim(dim, self.dim());
  const Tensor x = dtype ? to_dtype(self, *dtype) : self;
  const Tensor out = forward(log, x, dim);
  if (recording(x)) {
    HWARO_CHECK(!is_complex(x.dtype()), log ? "_log_softmax" : "_softmax",
                " does not support automatic differentiation for outputs with complex dtype.");
    if (log)
      record("LogSoftmaxBackward0", {x}, out, {save_output(out)}, [dim](Backward& b) {
        const Tensor y = b.saved(0);
        b.set(0, LogSoftmaxBackwardData::call(b.g(), y, dim, y.dtype()));
      });
    else
      record("SoftmaxBackward0", {x}, out, {save_output(out)}, [dim](Backward& b) {
        const Tensor y = b.saved(0);
        b.set(0, SoftmaxBackwardData::call(b.g(), y, dim, y.dtype()));
      });
  }
  return out;
}

}  // namespace

struct Softmax {
  static constexpr Schema schema = "softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "Exponentials along dim, scaled to a sum of one.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) { return run(false, self, dim, dtype); }
};

struct LogSoftmax {
  static constexpr Schema schema = "log_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The logarithm of softmax along dim, without the loss of accuracy of the two steps.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) { return run(true, self, dim, dtype); }
};

struct SpecialSoftmax {
  static constexpr Schema schema = "special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The same as softmax.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) { return run(false, self, dim, dtype); }
};

struct SpecialLogSoftmax {
  static constexpr Schema schema = "special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The same as log_softmax.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, int64_t dim, OptDType dtype) { return run(true, self, dim, dtype); }
};

// The dimension that softmax takes where none is given: the first of 0, 1 and 3 dimensions, else the second.
static int64_t implicit_dim(const char* name, int ndim, std::optional<int64_t> dim) {
  if (dim) return *dim;
  warn(concat("Implicit dimension choice for ", name,
              " has been deprecated. Change the call to include dim=X as an argument."));
  return ndim == 0 || ndim == 1 || ndim == 3 ? 0 : 1;
}

struct NnSoftmax {
  static constexpr Schema schema =
      "softmax.nn(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "softmax as torch.nn.functional has it: the dimension may be left out.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, std::optional<int64_t> dim, int64_t, OptDType dtype) {
    return run(false, input, implicit_dim("softmax", input.dim(), dim), dtype);
  }
};

struct NnLogSoftmax {
  static constexpr Schema schema =
      "log_softmax.nn(Tensor input, int? dim=None, int _stacklevel=3, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "log_softmax as torch.nn.functional has it: the dimension may be left out.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, std::optional<int64_t> dim, int64_t, OptDType dtype) {
    return run(true, input, implicit_dim("log_softmax", input.dim(), dim), dtype);
  }
};

// Complex numbers are ordered by their real parts here; an infinite maximum must not turn differences into NaN.
static Tensor raw_logsumexp(const Tensor& self, DimMask mask, bool keepdim) {
  NoGradGuard guard;
  Tensor x = detach(self);
  if (is_integral(x.dtype(), true)) x = dense_as(x, default_dtype());
  if (is_reduced_float(x.dtype())) x = dense_as(x, DType::Float);
  const Dims shape = reduced_sizes(x.sizes(), mask, keepdim);
  if (x.device().is_meta()) return make_tensor(shape, x.dtype(), x.device());
  if (x.numel() == 0) return log(reduce(ReduceOp::Sum, x, mask, keepdim));
  const Tensor parts = is_complex(x.dtype()) ? dense(real(x)) : x;
  Tensor high = reduce(ReduceOp::Max, parts, mask, true);
  high = where(eq(abs(high), std::numeric_limits<double>::infinity()), make_zeros({}, high.dtype()), high);
  const Tensor total = log(reduce(ReduceOp::Sum, exp(sub(x, high)), mask, keepdim));
  return add(total, alias(high, shape, contiguous_strides(shape), high->offset));
}

struct Logsumexp {
  static constexpr Schema schema = "logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor";
  static constexpr Doc doc =
      "The logarithm of the sum of exponentials over the given dimensions, without overflow on the way.";
  static constexpr auto out_rule =
      out_castable("logsumexp(): Expected floating point type for result tensor, but got: %O");
  static Tensor call(const Tensor& self, IntSpan dim, bool keepdim) {
    const DimMask mask = dim_mask(dim, self.dim());
    const DType type = is_integral(self.dtype(), true) ? default_dtype() : self.dtype();
    const Tensor out = dense_as(raw_logsumexp(self, mask, keepdim), type);
    if (recording(self))
      record("LogsumexpBackward0", {self}, out, {save(self), save_output(out)}, [mask, keepdim](Backward& b) {
        const Tensor x = b.saved(0), y = restore_dims(b.saved(1), x.dim(), mask, keepdim);
        b.set(0, mul(restore_dims(b.g(), x.dim(), mask, keepdim), conj(exp(sub(x, y)))));
      });
    return out;
  }
};

struct SpecialLogsumexp {
  static constexpr Schema schema = "special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The same as logsumexp.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan dim, bool keepdim) { return Logsumexp::call(self, dim, keepdim); }
};

}  // namespace engine
}  // namespace hwaro

#include "families/softmax.inc"
