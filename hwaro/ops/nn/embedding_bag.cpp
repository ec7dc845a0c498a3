// Bags of embeddings: the sum, mean or maximum of the rows that each bag names.
//
// Forward, threads share bags; for the gradient of the table they share its columns, for two bags may name one row.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

enum class Mode { Sum, Mean, Max };

// Which rows belong to which bag, in dense int64 tensors.
struct Bags {
  Tensor rows, starts;  // starts: count + 1
  int64_t count = 0, padding = -1;
  const int64_t* row() const { return rows->read_as<int64_t>(); }
  const int64_t* start() const { return starts->read_as<int64_t>(); }
};

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

int64_t grain_of(int64_t work) { return 1 + 16384 / (work + 1); }

void check_type(const char* what, const Tensor& t) {
  HWARO_CHECK(t.dtype() == kInt64 || t.dtype() == kInt32, "Expected tensor for argument #1 '", what,
              "' to have one of the following scalar types: Long, Int; but got torch.",
              kDTypeInfos[int(t.dtype())].tensor_type_name, " instead (while checking arguments for embedding_bag)");
}

Bags bags_of(const Tensor& weight, const Tensor& indices, const Tensor& offsets, bool include_last, int64_t padding) {
  Bags b;
  b.padding = padding;
  b.rows = dense_as(indices, kInt64);
  const Tensor from = dense_as(offsets, kInt64);
  const int64_t given = from.numel(), length = indices.numel();
  HWARO_CHECK(!include_last || given >= 1, "include_last_offset: number of offset should be at least 1");
  b.count = given - (include_last ? 1 : 0);
  b.starts = make_tensor({b.count + 1}, kInt64);
  int64_t* to = b.starts->write_as<int64_t>();
  const int64_t* at = from->read_as<int64_t>();
  if (given > 0) {
    HWARO_CHECK(at[0] == 0,
                "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                "However, got ",
                at[0]);
    HWARO_CHECK(at[given - 1] <= length, "offsets[-1] can not be greater than input's length ", length,
                " but got offsets[-1] of ", at[given - 1]);
  }
  for (int64_t i = 0; i < b.count; ++i) {
    HWARO_CHECK(at[i] >= 0 && at[i] <= length, "offsets must lie within the input's length ", length, ", but got ",
                at[i]);
    to[i] = at[i];
  }
  to[b.count] = include_last ? at[given - 1] : length;
  for (int64_t i = 0; i < length; ++i)
    HWARO_CHECK(b.row()[i] >= 0 && b.row()[i] < weight.sizes()[0], "Index ", i, " of input takes value ", b.row()[i],
                " which is not in the valid range [0, ", weight.sizes()[0], ")");
  return b;
}

// Fills out (bags, width), how many rows each bag has, and for the maximum which row each element came from.
template <class T>
void reduce_bags(const Bags& bags, const T* table, const T* scale, Mode mode, int64_t width, T* out, int64_t* sizes,
                 int64_t* places) {
  using W = Wide<T>;
  parallel_for(bags.count, grain_of(width * (bags.rows.numel() / (bags.count + 1) + 1)),
               [&](int64_t begin, int64_t end) {
                 std::vector<W> sum(static_cast<std::size_t>(width));
                 for (int64_t k = begin; k < end; ++k) {
                   std::fill(sum.begin(), sum.end(), W(0));
                   int64_t count = 0;
                   for (int64_t i = bags.start()[k]; i < bags.start()[k + 1]; ++i) {
                     const int64_t r = bags.row()[i];
                     if (r == bags.padding) continue;
                     const T* row = table + r * width;
                     const W by = scale ? W(scale[i]) : W(1);
                     for (int64_t d = 0; d < width; ++d) {
                       const W v = W(row[d]);
                       if (mode != Mode::Max) sum[d] += scale ? by * v : v;
                       else if (count == 0 || v > sum[d]) sum[d] = v, places[k * width + d] = r;
                     }
                     ++count;
                   }
                   sizes[k] = count;
                   const W divisor = mode == Mode::Mean && count > 0 ? W(count) : W(1);
                   for (int64_t d = 0; d < width; ++d) out[k * width + d] = T(sum[d] / divisor);
                 }
               });
}

// The gradient of the table. counts: how often each row is named, or null.
template <class T>
void table_gradient(const Bags& bags, const T* g, const T* scale, const int64_t* counts, const int64_t* sizes,
                    const int64_t* places, Mode mode, int64_t width, Wide<T>* out) {
  using W = Wide<T>;
  parallel_for(width, grain_of(bags.rows.numel()), [&](int64_t begin, int64_t end) {
    for (int64_t k = 0; k < bags.count; ++k) {
      if (mode == Mode::Max) {
        for (int64_t d = begin; d < end && sizes[k] > 0; ++d)
          out[places[k * width + d] * width + d] += W(g[k * width + d]);
        continue;
      }
      for (int64_t i = bags.start()[k]; i < bags.start()[k + 1]; ++i) {
        const int64_t r = bags.row()[i];
        if (r == bags.padding) continue;
        W by = scale ? W(scale[i]) : W(1);
        if (mode == Mode::Mean) by /= W(sizes[k]);
        if (counts) by /= W(counts[r]);
        for (int64_t d = begin; d < end; ++d) out[r * width + d] += by * W(g[k * width + d]);
      }
    }
  });
}

// The gradient of the rows' weights: products of rows with their bag's gradient.
template <class T>
void scale_gradient(const Bags& bags, const T* g, const T* table, int64_t width, T* out) {
  using W = Wide<T>;
  for (int64_t k = 0; k < bags.count; ++k)
    for (int64_t i = bags.start()[k]; i < bags.start()[k + 1]; ++i) {
      const int64_t r = bags.row()[i];
      W sum = 0;
      if (r != bags.padding)
        for (int64_t d = 0; d < width; ++d) sum += W(g[k * width + d]) * W(table[r * width + d]);
      out[i] = T(sum);
    }
}

Tensor final_gradient(const Tensor& g, const Tensor& out) {
  if (recording(g))
    record("NotImplemented", {g}, out, {}, [](Backward&) {
      raise<RuntimeError>("derivative for aten::_embedding_bag_dense_backward is not implemented");
    });
  return out;
}

}  // namespace

struct EmbeddingBag {
  static constexpr Schema schema =
      "embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool "
      "sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None) -> "
      "(Tensor, Tensor, Tensor, Tensor)";
  static constexpr Doc doc =
      "Sum (mode 0), mean (1) or maximum (2) of the rows of weight that indices name from each offset on; and the bag "
      "of "
      "each index, the sizes of bags, the rows of maxima.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor, Tensor, Tensor> call(const Tensor& weight, const Tensor& indices,
                                                         const Tensor& offsets, bool scale_grad_by_freq,
                                                         int64_t mode_number, bool sparse,
                                                         const Tensor& per_sample_weights, bool include_last_offset,
                                                         std::optional<int64_t> padding_idx) {
    HWARO_CHECK(weight.dim() == 2, "weight has to be a 2D Tensor, but got Tensor of dimension ", weight.dim());
    int64_t padding = padding_idx.value_or(-1);
    const int64_t rows = weight.sizes()[0], width = weight.sizes()[1];
    if (padding_idx) {
      HWARO_CHECK(padding >= -rows && padding < rows, "padding_idx must be within the number of embeddings, -", rows,
                  " through ", rows - 1, ", but got ", padding);
      if (padding < 0) padding += rows;
    }
    check_type("indices", indices);
    check_type("offsets", offsets);
    HWARO_CHECK(is_floating(weight.dtype()),
                "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, "
                "Float, Double; but got torch.",
                kDTypeInfos[int(weight.dtype())].tensor_type_name,
                " instead (while checking arguments for embedding_bag)");
    HWARO_CHECK(mode_number >= 0 && mode_number <= 2, "`mode` must be sum, mean, or max.");
    const Mode mode = Mode(mode_number);
    const bool scaled = per_sample_weights.defined();
    if (scaled) {
      HWARO_CHECK(mode == Mode::Sum, "embedding_bag: per_sample_weights only supported with mode='sum'");
      HWARO_CHECK(per_sample_weights.dtype() == weight.dtype(),
                  "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 "
                  "'per_sample_weights'; but type torch.",
                  kDTypeInfos[int(weight.dtype())].tensor_type_name, " does not equal torch.",
                  kDTypeInfos[int(per_sample_weights.dtype())].tensor_type_name,
                  " (while checking arguments for embedding_bag)");
      HWARO_CHECK(per_sample_weights.numel() == indices.numel(),
                  "Expected per_sample_weights.value().numel() == indices.numel() to be true, but got false.  (Could "
                  "this error message be improved?  If so, please report an enhancement request to PyTorch.)");
    }
    HWARO_CHECK_AS(NotImplementedError, !(sparse && recording(weight)),
                   "embedding_bag: sparse gradients are not supported; use sparse=False");
    check_countable("embedding_bag", weight);
    check_has_data(weight, {indices, offsets, per_sample_weights});
    const Bags bags = bags_of(weight, indices, offsets, include_last_offset, padding);
    const Tensor out = make_tensor({bags.count, width}, weight.dtype()), sizes = make_tensor({bags.count}, kInt64);
    const Tensor places = make_zeros({mode == Mode::Max ? bags.count : 0, width}, kInt64);
    visit<kFloatSet>(weight.dtype(), "embedding_bag", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const Tensor table = dense(weight), scale = scaled ? dense(per_sample_weights) : Tensor();
      reduce_bags<T>(bags, table->read_as<T>(), scaled ? scale->read_as<T>() : nullptr, mode, width, out->write_as<T>(),
                     sizes->write_as<int64_t>(), places->write_as<int64_t>());
    });
    const Tensor bag = make_tensor({indices.numel()}, kInt64);
    for (int64_t k = 0; k < bags.count; ++k)
      for (int64_t i = bags.start()[k]; i < bags.start()[k + 1]; ++i) bag->write_as<int64_t>()[i] = k;
    if (recording(weight, per_sample_weights))
      record("EmbeddingBagBackward0", {weight, per_sample_weights}, {out, bag, sizes, places},
             {save(weight), save(bags.rows), save(bags.starts), save(sizes), save(places), save(per_sample_weights)},
             [mode, padding, scale_grad_by_freq, count = bags.count](Backward& b) {
               if (!b.g(0).defined()) return;
               const Tensor table = dense(b.saved(0)), g = dense(b.g(0));
               const Bags bags{b.saved(1), b.saved(2), count, padding};
               const Tensor sizes = b.saved(3), places = b.saved(4);
               const Tensor scale = b.has_saved(5) ? dense(b.saved(5)) : Tensor();
               const int64_t width = table.sizes()[1];
               visit<kFloatSet>(table.dtype(), "embedding_bag", [&](auto tag) {
                 using T = typename decltype(tag)::type;
                 if (b.needs(0)) {
                   std::vector<int64_t> counts(scale_grad_by_freq ? std::size_t(table.sizes()[0]) : 0);
                   for (int64_t i = 0; i < bags.rows.numel() && scale_grad_by_freq; ++i) ++counts[bags.row()[i]];
                   const Tensor sum = make_zeros(table.sizes(), compute_type(table.dtype()));
                   table_gradient<T>(bags, g->read_as<T>(), scale.defined() ? scale->read_as<T>() : nullptr,
                                     scale_grad_by_freq ? counts.data() : nullptr, sizes->read_as<int64_t>(),
                                     places->read_as<int64_t>(), mode, width, sum->write_as<Wide<T>>());
                   b.set(0, final_gradient(b.g(0), dense_as(sum, table.dtype())));
                 }
                 if (scale.defined() && b.needs(1)) {
                   const Tensor by = make_zeros(scale.sizes(), table.dtype());
                   scale_gradient<T>(bags, g->read_as<T>(), table->read_as<T>(), width, by->write_as<T>());
                   b.set(1, final_gradient(b.g(0), by));
                 }
               });
             });
    return {out, bag, sizes, places};
  }
};

}  // namespace hwaro::engine

#include "families/embedding_bag.inc"
