// Losses that ask for a margin between the scores of right and wrong classes.
//
// The two losses over classes are loops over rows: each pair of a right class y and a wrong class i costs
// max(0, margin - x[y] + x[i]), divided by the number of classes. Their gradients have none of their own, as in PyTorch.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/with_number.h"
#include "hwaro/ops/nn/reduction.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor clamp_min(const Operand& self, const Scalar& min);
Tensor mean(const Tensor& self, std::optional<DType> dtype);

using std::int64_t;

namespace {

constexpr DTypeSet kPlainFloats = bit(DType::Float) | bit(DType::Double);

struct Rows {
  int64_t count, classes;
};

Rows rows_of(const Tensor& self) {
  HWARO_CHECK((self.dim() == 2 && self.sizes()[1] != 0) || (self.dim() == 1 && self.sizes()[0] != 0) || self.dim() == 0,
              "Expected non-empty vector or matrix with optional 0-dim batch size, but got: ", sizes_str(self.sizes()));
  if (self.dim() == 2) return {self.sizes()[0], self.sizes()[1]};
  return {1, self.numel()};
}

void check_long(const Tensor& target) {
  HWARO_CHECK(target.dtype() == DType::Int64, "expected scalar type Long but found ", scalar_type_name(target.dtype()));
}

int64_t row_grain(int64_t classes) { return 1 + 16384 / (classes + 1); }

// One loss per row, in the shape that a reduction leaves.
Tensor reduce_rows(const Tensor& rows, Reduction r, IntSpan shape) {
  NoGradGuard guard;
  if (r == Reduction::Mean) return mean(rows, OptDType());
  return r == Reduction::Sum ? sum_all(rows) : reshape(rows, shape);
}

// The gradient of each row's loss.
Tensor row_gradients(const Tensor& g, Reduction r, int64_t count) {
  NoGradGuard guard;
  const Tensor each = dense(expand(reshape(g, {-1}), {count}));
  return r == Reduction::Mean ? div(each, double(count)) : each;
}

// Marks a gradient as one that cannot be differentiated.
Tensor final_gradient(const char* op, const Tensor& g, const Tensor& x, const Tensor& out) {
  if (recording(g, x))
    record("NotImplemented", {g, x}, out, {},
           [op](Backward&) { raise<RuntimeError>("derivative for aten::", op, "_backward is not implemented"); });
  return out;
}

// ---- one right class ----

// Calls f(row, right class, other class, margin - x[y] + x[i]) for all pairs of a row.
template <class T, class F>
void each_pair(const T* x, int64_t y, int64_t classes, T margin, F f) {
  for (int64_t i = 0; i < classes; ++i)
    if (i != y) f(i, margin - x[y] + x[i]);
}

Tensor multi_margin_gradient(const Tensor& g, const Tensor& self, const Tensor& target, const Tensor& weight, int p,
                             double margin, Reduction r) {
  const Rows n = rows_of(self);
  const Tensor out = make_zeros(self.sizes(), self.dtype(), self.device());
  if (!self.device().is_meta()) {
    const Tensor x = dense(self), y = dense(target), w = weight.defined() ? dense(weight) : Tensor();
    const Tensor each = row_gradients(g, r, n.count);
    visit<kPlainFloats>(self.dtype(), "multi_margin_loss_backward_cpu_kernel", [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_for(n.count, row_grain(n.classes), [&](int64_t begin, int64_t end) {
        for (int64_t k = begin; k < end; ++k) {
          const int64_t right = y->read_as<int64_t>()[k];
          const T scale = each->read_as<T>()[k] * (w.defined() ? w->read_as<T>()[right] : T(1)) / T(n.classes);
          T* to = out->write_as<T>() + k * n.classes;
          T sum = 0;
          each_pair(x->read_as<T>() + k * n.classes, right, n.classes, T(margin), [&](int64_t i, T z) {
            if (!(z > 0)) return;
            to[i] = scale * (p == 1 ? T(1) : 2 * z);
            sum += to[i];
          });
          to[right] = -sum;
        }
      });
    });
  }
  return final_gradient("multi_margin_loss", g, self, out);
}

}  // namespace

struct MultiMarginLoss {
  static constexpr Schema schema =
      "multi_margin_loss(Tensor self, Tensor target, Scalar p=1, Scalar margin=1, Tensor? weight=None, str "
      "reduction='mean') -> Tensor";
  static constexpr Doc doc = "Mean over classes i other than y of max(0, margin - x[y] + x[i])^p: (N, C) or (C).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& self, const Tensor& target, const Scalar& power, const Scalar& margin,
                     const Tensor& weight, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    const Rows n = rows_of(self);
    const double p = power.re(), gap = margin.re();
    HWARO_CHECK_AS(ValueError, p == 1 || p == 2, "only p == 1 and p == 2 supported");
    HWARO_CHECK(target.dim() <= 1 && target.numel() == n.count,
                "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
                "size). Expected target size [",
                n.count, "], but got ", sizes_str(target.sizes()), ". Input has shape ", sizes_str(self.sizes()), ".");
    HWARO_CHECK(!weight.defined() || (weight.dim() <= 1 && weight.numel() == n.classes),
                "inconsistent weight size, expected ", n.classes, " but got ",
                weight.defined() ? sizes_str(weight.sizes()) : std::string());
    check_has_data(self, {target, weight});
    const Tensor rows = make_tensor({n.count}, self.dtype(), self.device());
    HWARO_CHECK_AS(NotImplementedError, contains(kPlainFloats, self.dtype()),
                   "\"multi_margin_loss_cpu_kernel\" not implemented for '", scalar_type_name(self.dtype()), "'");
    check_long(target);
    HWARO_CHECK(!weight.defined() || weight.dtype() == self.dtype(), "expected scalar type ",
                scalar_type_name(self.dtype()), " but found ",
                weight.defined() ? scalar_type_name(weight.dtype()) : "Undefined");
    if (!self.device().is_meta()) {
      const Tensor x = dense(self), y = dense(target), w = weight.defined() ? dense(weight) : Tensor();
      for (int64_t k = 0; k < n.count; ++k)
        HWARO_CHECK(y->read_as<int64_t>()[k] >= 0 && y->read_as<int64_t>()[k] < n.classes, "target out of range");
      visit<kPlainFloats>(self.dtype(), "multi_margin_loss_cpu_kernel", [&](auto tag) {
        using T = typename decltype(tag)::type;
        parallel_for(n.count, row_grain(n.classes), [&](int64_t begin, int64_t end) {
          for (int64_t k = begin; k < end; ++k) {
            const int64_t right = y->read_as<int64_t>()[k];
            T sum = 0;
            each_pair(x->read_as<T>() + k * n.classes, right, n.classes, T(gap), [&](int64_t, T z) {
              if (z > 0) sum += p == 1 ? z : z * z;
            });
            rows->write_as<T>()[k] = sum * (w.defined() ? w->read_as<T>()[right] : T(1)) / T(n.classes);
          }
        });
      });
    }
    const Tensor out = reduce_rows(rows, r, target.sizes());
    if (recording(self))
      record("MultiMarginLossBackward0", {self}, out, {save(self), save(target), save(weight)},
             [p = int(p), gap, r](Backward& b) {
               b.set(0, multi_margin_gradient(b.g(), b.saved(0), b.saved(1), b.has_saved(2) ? b.saved(2) : Tensor(), p,
                                              gap, r));
             });
    return out;
  }
};

// ---- several right classes: those that target lists before its first -1 ----

namespace {

// Calls f(right class, wrong class) for all pairs of a row. is_right: room for a flag per class.
template <class F>
void each_label_pair(const int64_t* y, int64_t classes, char* is_right, F f) {
  int64_t labels = 0;
  for (int64_t i = 0; i < classes; ++i) is_right[i] = 0;
  for (; labels < classes && y[labels] >= 0; ++labels) is_right[y[labels]] = 1;
  for (int64_t k = 0; k < labels; ++k)
    for (int64_t i = 0; i < classes; ++i)
      if (!is_right[i]) f(y[k], i);
}

Tensor multilabel_gradient(const Tensor& g, const Tensor& self, const Tensor& target, Reduction r) {
  const Rows n = rows_of(self);
  const Tensor out = make_zeros(self.sizes(), self.dtype(), self.device());
  if (!self.device().is_meta()) {
    const Tensor x = dense(self), y = dense(target), each = row_gradients(g, r, n.count);
    visit<kPlainFloats>(self.dtype(), "multilabel_margin_loss_backward_out_frame", [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_for(n.count, row_grain(n.classes), [&](int64_t begin, int64_t end) {
        std::vector<char> flags(std::size_t(n.classes));
        for (int64_t k = begin; k < end; ++k) {
          const T scale = each->read_as<T>()[k] / T(n.classes);
          const T* from = x->read_as<T>() + k * n.classes;
          T* to = out->write_as<T>() + k * n.classes;
          each_label_pair(y->read_as<int64_t>() + k * n.classes, n.classes, flags.data(),
                          [&](int64_t right, int64_t i) {
                            if (!(1 - from[right] + from[i] > 0)) return;
                            to[right] -= scale;
                            to[i] += scale;
                          });
        }
      });
    });
  }
  return final_gradient("multilabel_margin_loss", g, self, out);
}

}  // namespace

struct MultilabelMarginLoss {
  static constexpr Schema schema = "multilabel_margin_loss(Tensor self, Tensor target, str reduction='mean') -> Tensor";
  static constexpr Doc doc =
      "Sum over right classes y and wrong classes i of max(0, 1 - x[y] + x[i]), by the number of classes.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& self, const Tensor& target, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    const Rows n = rows_of(self);
    HWARO_CHECK(self.dim() == 2 ? target.sizes() == self.sizes() : target.dim() <= 1 && target.numel() == n.classes,
                "inconsistent target size: ", sizes_str(target.sizes()),
                " for input of size: ", sizes_str(self.sizes()));
    check_has_data(self, {target});
    const Tensor rows = make_tensor({n.count}, self.dtype(), self.device());
    check_long(target);
    HWARO_CHECK_AS(NotImplementedError, contains(kPlainFloats, self.dtype()),
                   "\"multilabel_margin_loss_forward_out_frame\" not implemented for '", scalar_type_name(self.dtype()),
                   "'");
    if (!self.device().is_meta()) {
      const Tensor x = dense(self), y = dense(target);
      for (int64_t k = 0; k < target.numel(); ++k)
        HWARO_CHECK(y->read_as<int64_t>()[k] >= -1 && y->read_as<int64_t>()[k] < n.classes,
                    "argument #2 'target' is out of range");
      visit<kPlainFloats>(self.dtype(), "multilabel_margin_loss_forward_out_frame", [&](auto tag) {
        using T = typename decltype(tag)::type;
        parallel_for(n.count, row_grain(n.classes), [&](int64_t begin, int64_t end) {
          std::vector<char> flags(std::size_t(n.classes));
          for (int64_t k = begin; k < end; ++k) {
            const T* from = x->read_as<T>() + k * n.classes;
            T sum = 0;
            each_label_pair(y->read_as<int64_t>() + k * n.classes, n.classes, flags.data(),
                            [&](int64_t right, int64_t i) {
                              const T z = 1 - from[right] + from[i];
                              if (z > 0) sum += z;
                            });
            rows->write_as<T>()[k] = sum / T(n.classes);
          }
        });
      });
    }
    const Tensor out = self.dim() < 2 && r != Reduction::None
                           ? reduce_rows(rows, r, {})
                           : reduce_rows(rows, r, self.dim() == 2 ? rows.sizes() : IntSpan());
    if (recording(self))
      record("MultilabelMarginLossBackward0", {self}, out, {save(self), save(target)},
             [r](Backward& b) { b.set(0, multilabel_gradient(b.g(), b.saved(0), b.saved(1), r)); });
    return out;
  }
};

// ---- an order of two inputs ----

struct MarginRankingLoss {
  static constexpr Schema schema =
      "margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, str reduction='mean') -> "
      "Tensor";
  static constexpr Doc doc = "max(0, margin - target * (input1 - input2)) for targets of 1 and -1.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                     std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    const Tensor loss = clamp_min(plus_number(neg(target) * (input1 - input2), margin), 0);
    return r == Reduction::Mean ? mean(loss, OptDType()) : r == Reduction::Sum ? sum_all(loss) : loss;
  }
};

}  // namespace hwaro::engine

#include "families/margin_losses.inc"
