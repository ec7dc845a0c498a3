// Embedding tables and one-hot vectors.
#include <cmath>
#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

void check_indices(const Tensor& indices) {
  HWARO_CHECK(
      indices.dtype() == DType::Int64 || indices.dtype() == DType::Int32,
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.",
      kDTypeInfos[int(indices.dtype())].tensor_type_name, " instead (while checking arguments for embedding)");
}

Tensor gather_rows(const Tensor& weight, const Tensor& indices) {
  const int64_t rows = weight.sizes()[0], width = weight.sizes()[1];
  Dims shape(indices.sizes());
  shape.push_back(width);
  const Tensor out = make_tensor(shape, weight.dtype(), weight.device());
  if (out.device().is_meta()) return out;
  const Tensor w = dense(weight), index = dense_as(indices, DType::Int64);
  const int64_t* p = index->read_as<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i)
    HWARO_CHECK_AS(IndexError, p[i] >= 0 && p[i] < rows, "index out of range in self");
  const std::size_t bytes = std::size_t(width) * size_of(weight.dtype());
  const char* from = static_cast<const char*>(w->read());
  char* to = static_cast<char*>(out->write());
  parallel_for(index.numel(), kGrain / (width + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(to + std::size_t(i) * bytes, from + std::size_t(p[i]) * bytes, bytes);
  });
  return out;
}

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;

}  // namespace

struct Embedding {
  static constexpr Schema schema =
      "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) "
      "-> Tensor";
  static constexpr Doc doc = "Rows of weight (V, D) picked by indices (…): a tensor (…, D).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& weight, const Tensor& indices, int64_t padding_idx, bool scale_grad_by_freq,
                     bool sparse) {
    HWARO_CHECK(weight.dim() == 2, "'weight' must be 2-D");
    HWARO_CHECK_AS(NotImplementedError, !sparse, "embedding: sparse gradients are not supported; use sparse=False");
    check_indices(indices);
    const Tensor out = gather_rows(weight, indices);
    if (recording(weight))
      record("EmbeddingBackward0", {weight}, out, {save(indices)},
             [rows = weight.sizes()[0], padding_idx, scale_grad_by_freq](Backward& b) {
               b.set(0, backward(b.g(), b.saved(0), rows, padding_idx, scale_grad_by_freq));
             });
    return out;
  }
  // Rows of the gradient are added in the order of the indices, each column by one thread: the same bits for any number.
  static Tensor backward(const Tensor& grad, const Tensor& indices, int64_t rows, int64_t padding_idx,
                         bool scale_by_frequency) {
    const int64_t width = grad.sizes().back(), count = indices.numel();
    const Tensor out = make_zeros({rows, width}, grad.dtype(), grad.device());
    if (!grad.device().is_meta() && count > 0) {
      const Tensor g = dense(grad), index = dense_as(indices, DType::Int64);
      const int64_t* p = index->read_as<int64_t>();
      std::vector<double> share(std::size_t(scale_by_frequency ? rows : 0), 0.0);
      if (scale_by_frequency)
        for (int64_t i = 0; i < count; ++i) share[std::size_t(p[i])] += 1;
      visit<kFloatSet>(grad.dtype(), "embedding_dense_backward_cpu", [&](auto tag) {
        using T = typename decltype(tag)::type;
        using S = Sum<T>;
        const Tensor wide = compute_type(out.dtype()) == out.dtype() ? out : make_zeros(out.sizes(), DType::Float);
        const T* from = g->read_as<T>();
        S* to = wide->write_as<S>();
        constexpr int64_t kStrip = 128;
        parallel_for((width + kStrip - 1) / kStrip, kGrain / (count * kStrip) + 1, [&](int64_t begin, int64_t end) {
          const int64_t c0 = begin * kStrip, c1 = end * kStrip < width ? end * kStrip : width;
          for (int64_t i = 0; i < count; ++i) {
            if (p[i] == padding_idx) continue;
            S* row = to + p[i] * width;
            const T* source = from + i * width;
            if (scale_by_frequency) {
              const S factor = S(1 / share[std::size_t(p[i])]);
              for (int64_t c = c0; c < c1; ++c) row[c] += S(source[c]) * factor;
            } else {
              for (int64_t c = c0; c < c1; ++c) row[c] += S(source[c]);
            }
          }
        });
        if (wide.impl() != out.impl()) copy_raw(out, wide);
      });
    }
    if (recording(grad))
      record("EmbeddingDenseBackwardBackward0", {grad}, out, {save(indices)},
             [padding_idx, scale_by_frequency](Backward& b) {
               HWARO_CHECK_AS(NotImplementedError, !scale_by_frequency,
                              "the second derivative of embedding with scale_grad_by_freq is not supported");
               const Tensor index = b.saved(0);
               const Tensor picked = Embedding::call(b.g(), index, -1, false, false);
               Dims shape(index.sizes());
               shape.push_back(1);
               b.set(0, padding_idx >= 0 ? where(eq(reshape(index, shape), padding_idx), 0, picked) : picked);
             });
    return out;
  }
};

struct FunctionalEmbedding {
  static constexpr Schema schema =
      "embedding.functional(Tensor input, Tensor weight, int? padding_idx=None, float? max_norm=None, float "
      "norm_type=2.0, "
      "bool scale_grad_by_freq=False, bool sparse=False) -> Tensor";
  static constexpr Doc doc =
      "Rows of weight (V, D) picked by input (…): a tensor (…, D). max_norm rescales the rows used, in place.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& weight, std::optional<int64_t> padding_idx,
                     std::optional<double> max_norm, double norm_type, bool scale_grad_by_freq, bool sparse) {
    int64_t padding = -1;
    if (padding_idx) {
      const int64_t rows = weight.sizes()[0];
      HWARO_CHECK_AS(AssertionError, *padding_idx < rows && *padding_idx >= -rows,
                     "Padding_idx must be within num_embeddings");
      padding = *padding_idx < 0 ? rows + *padding_idx : *padding_idx;
    }
    if (max_norm) renormalize(weight, input, *max_norm, norm_type);
    return Embedding::call(weight, input, padding, scale_grad_by_freq, sparse);
  }
  static void renormalize(const Tensor& weight, const Tensor& indices, double max_norm, double norm_type) {
    const Tensor index = dense_as(indices, DType::Int64), w = dense_as(weight, DType::Double);
    const int64_t width = weight.sizes()[1], rows = weight.sizes()[0];
    double* p = w->write_as<double>();
    std::vector<bool> seen(std::size_t(rows), false);
    for (int64_t i = 0; i < index.numel(); ++i) {
      const int64_t row = index->read_as<int64_t>()[i];
      HWARO_CHECK_AS(IndexError, row >= 0 && row < rows, "index out of range in self");
      if (seen[std::size_t(row)]) continue;
      seen[std::size_t(row)] = true;
      double norm = 0;
      for (int64_t c = 0; c < width; ++c) norm += std::pow(std::abs(p[row * width + c]), norm_type);
      norm = std::pow(norm, 1 / norm_type);
      if (norm > max_norm)
        for (int64_t c = 0; c < width; ++c) p[row * width + c] *= max_norm / (norm + 1e-7);
    }
    if (w.impl() != weight.impl()) copy_raw(weight, w);
    weight->bump_version();
  }
};

struct OneHot {
  static constexpr Schema schema = "one_hot(Tensor self, int num_classes=-1) -> Tensor";
  static constexpr Doc doc = "int64 vectors of length num_classes with a 1 at each index.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& self, int64_t num_classes) {
    HWARO_CHECK(self.dtype() == DType::Int64, "one_hot is only applicable to index tensor of type LongTensor.");
    const Tensor index = dense(self);
    const int64_t* p = index->read_as<int64_t>();
    if (index.numel() == 0) HWARO_CHECK(num_classes > 0, "Can not infer total number of classes from empty tensor.");
    int64_t largest = -1;
    for (int64_t i = 0; i < index.numel(); ++i) {
      HWARO_CHECK(p[i] >= 0, "Class values must be non-negative.");
      HWARO_CHECK(num_classes < 0 || p[i] < num_classes, "Class values must be smaller than num_classes.");
      if (p[i] > largest) largest = p[i];
    }
    if (num_classes == -1) num_classes = largest + 1;
    HWARO_CHECK(num_classes >= 1, "num_classes should be positive");
    Dims shape(self.sizes());
    shape.push_back(num_classes);
    const Tensor out = make_zeros(shape, DType::Int64);
    int64_t* to = out->write_as<int64_t>();
    for (int64_t i = 0; i < index.numel(); ++i) to[i * num_classes + p[i]] = 1;
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/embedding.inc"
