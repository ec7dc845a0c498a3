// Layer normalisation (Ba, Kiros and Hinton, 2016) over the last dimensions: rows of adjacent elements. Gradients of weight and
// bias are summed over blocks of rows whose borders depend on the shape only, and the blocks in order.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/norm.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Rows per task.
int64_t block_of(int64_t n) { return 1 + kGrain / (n + 1); }

// The last dimensions of x, as many as `count`.
Dims last_dims(const Tensor& x, std::size_t count) {
  Dims dims;
  for (int d = x.dim() - int(count); d < x.dim(); ++d) dims.push_back(d);
  return dims;
}

struct Gradients {
  Tensor input, weight, bias;
};

// Everything in recorded operators: for gradients of gradients.
Gradients backward_formula(const Tensor& g, const Tensor& x, const Tensor& weight, IntSpan shape, double eps) {
  const Dims over = last_dims(x, shape.size());
  const IntSpan dims(over);
  const Tensor centred = sub(x, mean(x, dims, true));
  const Tensor rstd = rsqrt(add(mean(square(centred), dims, true), eps));
  const Tensor z = mul(centred, rstd), h = weight.defined() ? mul(g, weight) : g;
  return {mul(rstd, sub(h, add(mean(h, dims, true), mul(z, mean(mul(h, z), dims, true))))),
          sum_to_size(mul(g, z), shape), sum_to_size(g, shape)};
}

Gradients backward_fast(const Tensor& g, const Tensor& input, const Tensor& weight, const Tensor& mean,
                        const Tensor& rstd, IntSpan shape, bool want_input, bool want_weight, bool want_bias) {
  const DType type = compute_type(input.dtype());
  const int64_t n = product(shape), rows = mean.numel(), block = block_of(n), blocks = (rows + block - 1) / block;
  const Tensor dy = dense_as(g, type), x = dense_as(input, type), w = as_type(weight, type);
  Gradients out;
  if (want_input) out.input = make_tensor(input.sizes(), type);
  const Tensor dw = want_weight ? make_zeros({blocks, n}, type) : Tensor(),
               db = want_bias ? make_zeros({blocks, n}, type) : Tensor();
  visit<bit(DType::Float) | bit(DType::Double)>(type, "LayerNormBackwardKernelImpl", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *dyp = dy->read_as<T>(), *xp = x->read_as<T>(), *m = mean->read_as<T>(), *s = rstd->read_as<T>(),
            *wp = pointer<T>(w);
    T *dx = writable<T>(out.input), *dwp = writable<T>(dw), *dbp = writable<T>(db);
    parallel_for(blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const int64_t r = b * block, count = rows - r < block ? rows - r : block;
        norm_kernels().of<T>().row_backward(count, n, dyp + r * n, xp + r * n, m + r, s + r, wp,
                                            dx ? dx + r * n : nullptr, dwp ? dwp + b * n : nullptr,
                                            dbp ? dbp + b * n : nullptr);
      }
    });
  });
  const int64_t first = 0;
  const auto total = [&](const Tensor& parts) {
    return reshape(blocks == 1 ? select(parts, 0, 0) : sum(parts, IntSpan(&first, 1)), shape);
  };
  if (want_input) out.input = dense_as(out.input, input.dtype());
  if (want_weight) out.weight = total(dw);
  if (want_bias) out.bias = total(db);
  return out;
}

// `comma`: what follows the star where the message spells out the expected shape.
void check_layer_norm(const Tensor& input, IntSpan shape, const Tensor& weight, const Tensor& bias,
                      const char* comma = ", ") {
  HWARO_CHECK(!shape.empty(),
              "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
              "normalized_shape = ",
              sizes_str(shape));
  HWARO_CHECK(!weight.defined() || weight.sizes() == shape,
              "Expected weight to be of same shape as normalized_shape, but got weight of shape ",
              weight.defined() ? sizes_str(weight.sizes()) : "", " and normalized_shape = ", sizes_str(shape));
  HWARO_CHECK(!bias.defined() || bias.sizes() == shape,
              "Expected bias to be of same shape as normalized_shape, but got bias of shape ",
              bias.defined() ? sizes_str(bias.sizes()) : "", " and normalized_shape = ", sizes_str(shape));
  const std::size_t dims = input.sizes().size();
  if (dims < shape.size() || IntSpan(input.sizes().data() + (dims - shape.size()), shape.size()) != shape) {
    std::string rest;
    for (std::size_t i = 0; i < shape.size(); ++i) rest += concat(i == 0 ? comma : ", ", shape[i]);
    raise("Given normalized_shape=", sizes_str(shape), ", expected input with shape [*", rest,
          "], but got input of size", sizes_str(input.sizes()));
  }
}

}  // namespace

struct NativeLayerNorm {
  static constexpr Schema schema =
      "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, "
      "Tensor, Tensor)";
  static constexpr Doc doc = "Layer normalisation, with the mean and the inverse standard deviation of each row.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& input, IntSpan shape, const Tensor& weight,
                                                 const Tensor& bias, double eps) {
    check_layer_norm(input, shape, weight, bias);
    check_product_devices({&input, &weight, &bias});
    check_parameter_types(input, {&weight, &bias});
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"LayerNormKernelImpl\" not implemented for '",
                   scalar_type_name(input.dtype()), '\'');
    const DType type = compute_type(input.dtype());
    const int64_t n = product(shape);
    Dims stats(input.sizes());
    for (std::size_t i = 0; i < shape.size(); ++i) stats[stats.size() - 1 - i] = 1;
    Tensor out = make_tensor(input.sizes(), type, input.device());
    const Tensor mean = make_tensor(stats, type, input.device()), rstd = make_tensor(stats, type, input.device());
    if (!input.device().is_meta()) {
      const Tensor x = dense_as(input, type), w = as_type(weight, type), b = as_type(bias, type);
      visit<bit(DType::Float) | bit(DType::Double)>(type, "LayerNormKernelImpl", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T *xp = x->read_as<T>(), *wp = pointer<T>(w), *bp = pointer<T>(b);
        T *y = out->write_as<T>(), *m = mean->write_as<T>(), *s = rstd->write_as<T>();
        parallel_for(mean.numel(), block_of(n), [&](int64_t begin, int64_t end) {
          norm_kernels().of<T>().row_forward(end - begin, n, xp + begin * n, wp, bp, T(eps), y + begin * n, m + begin,
                                             s + begin);
        });
      });
      out = dense_as(out, input.dtype());
    }
    if (recording(input, weight, bias))
      record("NativeLayerNormBackward0", {input, weight, bias}, out,
             {save(input), save_if(weight.defined(), weight), save(mean), save(rstd)},
             [shape = Dims(shape), eps](Backward& b) {
               const Tensor x = b.saved(0), w = b.has_saved(1) ? b.saved(1) : Tensor();
               const Gradients out = recording(b.g(), x, w) ? backward_formula(b.g(), x, w, shape, eps)
                                                            : backward_fast(b.g(), x, w, b.saved(2), b.saved(3), shape,
                                                                            b.needs(0), b.needs(1), b.needs(2));
               const DType type = w.defined() ? w.dtype() : x.dtype();
               if (b.needs(0)) b.set(0, out.input);
               if (b.needs(1)) b.set(1, to_dtype(out.weight, type));
               if (b.needs(2)) b.set(2, to_dtype(out.bias, type));
             });
    const DType kept = has_wide_parameters(input, {&weight, &bias}) ? type : input.dtype();
    return {out, dense_as(mean, kept), dense_as(rstd, kept)};
  }
};

struct LayerNorm {
  static constexpr Schema schema =
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool "
      "cudnn_enable=True) -> Tensor";
  static constexpr Doc doc = "(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps, bool) {
    return std::get<0>(NativeLayerNorm::call(input, shape, weight, bias, eps));
  }
};

struct LayerNormFunctional {
  static constexpr Schema schema =
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05) -> "
      "Tensor";
  static constexpr Doc doc = "(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps) {
    return std::get<0>(NativeLayerNorm::call(input, shape, weight, bias, eps));
  }
};

struct RmsNorm {
  static constexpr Schema schema =
      "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor";
  static constexpr Doc doc =
      "input / sqrt(mean of squares + eps) * weight over the last dimensions (Zhang and Sennrich, 2019).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& input, IntSpan shape, const Tensor& weight, std::optional<double> eps) {
    check_layer_norm(input, shape, weight, {}, "");
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()) || is_complex(input.dtype()),
                   "\"rms_norm\" not implemented for '", scalar_type_name(input.dtype()), '\'');
    const DType type = compute_type(input.dtype());
    const double least = eps.value_or(to_real(type) == DType::Double ? 0x1p-52 : 0x1p-23);
    const Dims dims = last_dims(input, shape.size());
    const Tensor x = contiguous(to_dtype(input, type));
    Tensor out = mul(x, rsqrt(add(mean(pow(x, 2), IntSpan(dims), true), least)));
    if (weight.defined()) out = mul(out, weight);
    return to_dtype(out, input.dtype());
  }
};

}  // namespace hwaro::engine

#include "families/layer_norm.inc"
