// Embedding tables and one-hot vectors.
#include <cmath>
#include <cstring>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// `place`: which argument of which operator the indices are.
void check_indices(const Tensor& indices, const char* place, const char* op) {
  const DType type = indices.dtype();
  if (type == DType::Int64 || type == DType::Int32) return;
  const std::string name =
      type == DType::Bool ? "CPUBoolType" : concat("torch.", kDTypeInfos[int(type)].tensor_type_name);
  raise("Expected tensor for argument ", place,
        " 'indices' to have one of the following scalar types: Long, Int; but got ", name,
        " instead (while checking arguments for ", op, ")");
}

// Indices as int64 in row-major order, each of them a row.
Tensor rows_of(const Tensor& indices, int64_t rows) {
  const Tensor index = dense_as(indices, DType::Int64);
  HWARO_CHECK(rows > 0 || index.numel() == 0, "index_select(): self indexing axis dim should be positive");
  HWARO_CHECK_AS(IndexError, index_kernels().in_range(index->read_as<int64_t>(), index.numel(), rows),
                 "index out of range in self");
  return index;
}

Tensor gather_rows(const Tensor& weight, const Tensor& indices) {
  const int64_t rows = weight.sizes()[0], width = weight.sizes()[1];
  Dims shape(indices.sizes());
  shape.push_back(width);
  const Tensor out = make_tensor(shape, weight.dtype(), weight.device());
  if (out.device().is_meta()) return out;
  const Tensor w = dense(weight), index = rows_of(indices, rows);
  const int64_t* p = index->read_as<int64_t>();
  const std::size_t bytes = std::size_t(width) * size_of(weight.dtype());
  const char* from = static_cast<const char*>(w->read());
  char* to = static_cast<char*>(out->write());
  parallel_for(index.numel(), kGrain / (width + 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      std::memcpy(to + std::size_t(i) * bytes, from + std::size_t(p[i]) * bytes, bytes);
  });
  return out;
}

// 1 / how often each row is used, as a column.
Tensor inverse_frequencies(const Tensor& index, int64_t rows) {
  const Tensor out = make_zeros({rows, 1}, DType::Double);
  double* count = out->write_as<double>();
  const int64_t* p = index->read_as<int64_t>();
  for (int64_t i = 0; i < index.numel(); ++i) count[p[i]] += 1;
  for (int64_t r = 0; r < rows; ++r) count[r] = count[r] > 0 ? 1 / count[r] : 0;
  return out;
}

// The p-norm of a row; the limits of p as PyTorch's norm has them.
double row_norm(const double* x, int64_t n, double p) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool largest = p == kInfinity, smallest = p == -kInfinity;
  double total = smallest ? kInfinity : 0;
  for (int64_t i = 0; i < n; ++i) {
    const double a = std::abs(x[i]);
    if (largest) total = a > total || a != a ? a : total;
    else if (smallest) total = a < total || a != a ? a : total;
    else total += p == 0 ? a != 0 : std::pow(a, p);
  }
  return largest || smallest || p == 0 ? total : std::pow(total, 1 / p);
}

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
    HWARO_CHECK_AS(NotImplementedError, !(sparse && recording(weight)),
                   "embedding: sparse gradients are not supported; use sparse=False");
    check_indices(indices, "#1", "embedding");
    const Tensor out = gather_rows(weight, indices);
    if (recording(weight))
      record("EmbeddingBackward0", {weight}, out, {save(indices)},
             [rows = weight.sizes()[0], padding_idx, scale_grad_by_freq](Backward& b) {
               b.set(0, backward(b.g(), b.saved(0), rows, padding_idx, scale_grad_by_freq));
             });
    return out;
  }
  // Rows of the gradient are added in the order of the indices, each column by one thread: the same bits for any number
  // of threads. The 16-bit types are added in float.
  static Tensor backward(const Tensor& grad, const Tensor& indices, int64_t rows, int64_t padding_idx,
                         bool scale_by_frequency) {
    HWARO_CHECK_AS(NotImplementedError, is_floating(grad.dtype()), "\"embedding_backward\" not implemented for '",
                   scalar_type_name(grad.dtype()), '\'');
    const int64_t width = grad.sizes().back(), count = indices.numel();
    const DType type = compute_type(grad.dtype());
    Tensor out = make_zeros({rows, width}, type, grad.device());
    if (!grad.device().is_meta() && count > 0) {
      const Tensor g = dense_as(grad, type), index = rows_of(indices, rows);
      const int64_t* p = index->read_as<int64_t>();
      const auto add = index_kernels().add[int(type)];
      const char* from = static_cast<const char*>(g->read());
      char* to = static_cast<char*>(out->write());
      const int64_t size = int64_t(size_of(type));
      constexpr int64_t kStrip = 64;
      parallel_for((width + kStrip - 1) / kStrip, kGrain / (count * kStrip) + 1, [&](int64_t begin, int64_t end) {
        const int64_t column = begin * kStrip, n = (end * kStrip < width ? end * kStrip : width) - column;
        for (int64_t i = 0; i < count; ++i)
          if (p[i] != padding_idx) add(to + (p[i] * width + column) * size, from + (i * width + column) * size, n);
      });
      NoGradGuard guard;
      if (scale_by_frequency) out = mul(out, to_dtype(inverse_frequencies(index, rows), type));
    }
    out = dense_as(out, grad.dtype());
    if (recording(grad))
      record("EmbeddingDenseBackwardBackward0", {grad}, out, {save(indices)},
             // As in PyTorch, the frequencies play no part here.
             [padding_idx](Backward& b) {
               const Tensor index = b.saved(0);
               const Tensor picked = Embedding::call(b.g(), index, -1, false, false);
               Dims shape(index.sizes());
               shape.push_back(1);
               b.set(0, padding_idx >= 0 ? where(eq(reshape(index, shape), padding_idx), 0, picked) : picked);
             });
    return out;
  }
};

struct EmbeddingRenorm {
  static constexpr Schema schema =
      "embedding_renorm_(Tensor(a!) self, Tensor indices, float max_norm, float norm_type) -> Tensor(a!)";
  static constexpr Doc doc = "Scales the rows of self that indices name down to a norm of at most max_norm, in place.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Tensor& indices, double max_norm, double norm_type) {
    HWARO_CHECK(self.dim() == 2, "Expected 2-dimensional tensor, but got ", self.dim(),
                "-dimensional tensor for argument #1 'self' (while checking arguments for embedding_renorm_)");
    check_indices(indices, "#2", "embedding_renorm_");
    check_inplace(self, recording(self));
    HWARO_CHECK_AS(NotImplementedError, !recording(self), "the derivative for 'embedding_renorm' is not implemented.");
    HWARO_CHECK(is_floating(self.dtype()), "norm(): input dtype should be either floating point or complex. Got ",
                scalar_type_name(self.dtype()), " instead.");
    if (!self.device().is_meta()) {
      const int64_t width = self.sizes()[1], rows = self.sizes()[0];
      const Tensor index = rows_of(indices, rows), w = dense_as(self, DType::Double);
      const int64_t* at = index->read_as<int64_t>();
      double* p = w->write_as<double>();
      std::vector<bool> seen(std::size_t(rows), false);
      for (int64_t i = 0; i < index.numel(); ++i) {
        if (seen[std::size_t(at[i])]) continue;
        seen[std::size_t(at[i])] = true;
        double* row = p + at[i] * width;
        const double norm = row_norm(row, width, norm_type);
        if (norm > max_norm)
          for (int64_t c = 0; c < width; ++c) row[c] *= max_norm / (norm + 1e-7);
      }
      if (w.impl() != self.impl()) copy_raw(self, w);
    }
    self->bump_version();
    return self;
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
    if (max_norm) {
      NoGradGuard guard;
      EmbeddingRenorm::call(weight, input, *max_norm, norm_type);
    }
    return Embedding::call(weight, input, padding, scale_grad_by_freq, sparse);
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
      HWARO_CHECK(num_classes == -1 || p[i] < num_classes, "Class values must be smaller than num_classes.");
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
