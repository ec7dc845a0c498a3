// Connectionist temporal classification (Graves et al., 2006): the negative log likelihood of a sequence of labels, summed
// over all ways to stretch it with repetitions and blanks. State s of a sample stands for a blank (even s) or label s / 2;
// alpha runs forward over time, beta backward, both as logarithms.
//
// The gradient is the one for log_probs that come out of log_softmax, as PyTorch defines it: exp(log_probs) minus the
// probability that the label is emitted at that time.
#include <cmath>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

template <class T>
T log_add(T a, T b) {
  const T best = a > b ? a : b;
  if (best == -std::numeric_limits<T>::infinity()) return best;
  return std::log(std::exp(a - best) + std::exp(b - best)) + best;
}

// One sample: its log probabilities by time and class, and its labels.
template <class T>
struct Sample {
  const T* log_probs;
  int64_t stride, steps, length;  // stride: between times
  const int64_t* labels;
  int64_t blank;
  int64_t states() const { return 2 * length + 1; }
  int64_t label(int64_t s) const { return s % 2 ? labels[s / 2] : blank; }
  T at(int64_t t, int64_t s) const { return log_probs[t * stride + label(s)]; }
  // Between different labels the blank may be left out.
  bool jumps(int64_t s) const { return s >= 2 && s % 2 && label(s) != label(s - 2); }
};

// alpha: width numbers per time, -inf where nothing leads.
template <class T>
T forward(const Sample<T>& x, T* alpha, int64_t width) {
  const T never = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < x.steps * width; ++i) alpha[i] = never;
  if (x.steps == 0) return x.length == 0 ? -T(0) : -never;
  for (int64_t s = 0; s < 2 && s < x.states(); ++s) alpha[s] = x.at(0, s);
  for (int64_t t = 1; t < x.steps; ++t)
    for (int64_t s = 0; s < x.states(); ++s) {
      const T* before = alpha + (t - 1) * width;
      T sum = before[s];
      if (s >= 1) sum = log_add(sum, before[s - 1]);
      if (x.jumps(s)) sum = log_add(sum, before[s - 2]);
      alpha[t * width + s] = sum + x.at(t, s);
    }
  const T* end = alpha + (x.steps - 1) * width;
  return -(x.length > 0 ? log_add(end[x.states() - 1], end[x.states() - 2]) : end[0]);
}

// to: laid out as log_probs; loss: what forward gave.
template <class T>
void backward(const Sample<T>& x, const T* alpha, int64_t width, T loss, T g, int64_t classes, T* to) {
  const T never = -std::numeric_limits<T>::infinity();
  std::vector<T> beta(std::size_t(x.states()), never), next(beta), by_label(static_cast<std::size_t>(classes));
  for (int64_t t = x.steps; t-- > 0;) {
    const bool last = t + 1 == x.steps;
    for (int64_t s = 0; s < x.states(); ++s) {
      T sum = last ? (s >= x.states() - 2 ? T(0) : never) : next[s];
      if (!last && s + 1 < x.states()) sum = log_add(sum, next[s + 1]);
      if (!last && s + 2 < x.states() && x.jumps(s + 2)) sum = log_add(sum, next[s + 2]);
      beta[s] = sum + x.at(t, s);
    }
    by_label.assign(by_label.size(), never);
    for (int64_t s = 0; s < x.states(); ++s) {
      T& sum = by_label[std::size_t(x.label(s))];
      sum = log_add(sum, alpha[t * width + s] + beta[s]);
    }
    for (int64_t c = 0; c < classes; ++c) {
      const T lp = x.log_probs[t * x.stride + c];
      to[t * x.stride + c] = (std::exp(lp) - std::exp(by_label[std::size_t(c)] + loss - lp)) * g;
    }
    beta.swap(next);
  }
}

// Where each sample's labels begin.
std::vector<int64_t> label_starts(const Tensor& targets, IntSpan lengths) {
  std::vector<int64_t> starts;
  int64_t next = 0;
  for (std::size_t b = 0; b < lengths.size(); ++b) {
    starts.push_back(targets.dim() == 1 ? next : int64_t(b) * targets.sizes()[1]);
    next += lengths[b];
  }
  return starts;
}

void check_lengths(const Tensor& log_probs, const Tensor& targets, IntSpan inputs, IntSpan lengths) {
  const char* const where = " (while checking arguments for ctc_loss_allocate_outputs)";
  int64_t total = 0, longest = 0;
  for (int64_t n : inputs) {
    HWARO_CHECK(n >= 0, "Expected input_lengths to have value at least 0, but got value ", n, where);
    HWARO_CHECK(n <= log_probs.sizes()[0], "Expected input_lengths to have value at most ", log_probs.sizes()[0],
                ", but got value ", n, where);
  }
  for (int64_t n : lengths) {
    HWARO_CHECK(n >= 0, "Expected target_lengths to have value at least 0, but got value ", n, where);
    total += n;
    longest = n > longest ? n : longest;
  }
  if (targets.dim() == 1)
    HWARO_CHECK(targets.sizes()[0] == total, "Expected tensor to have size ", total, " at dimension 0, but got size ",
                targets.sizes()[0], " for argument #2 'targets'", where);
  else
    HWARO_CHECK(targets.sizes()[1] >= longest, "Expected tensor to have size at least ", longest,
                " at dimension 1, but got size ", targets.sizes()[1], " for argument #2 'targets'", where);
}

}  // namespace

struct CtcLoss {
  static constexpr Schema schema =
      "_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool "
      "zero_infinity=False) -> (Tensor, Tensor)";
  static constexpr Doc doc =
      "Negative log likelihoods of label sequences (N) under log_probs (T, N, C), and the forward table of each.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor> call(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths,
                                         IntSpan target_lengths, int64_t blank, bool zero_infinity) {
    HWARO_CHECK_AS(NotImplementedError, log_probs.dtype() == DType::Float || log_probs.dtype() == DType::Double,
                   "\"ctc_loss_cpu\" not implemented for '", scalar_type_name(log_probs.dtype()), "'");
    HWARO_CHECK(targets.dtype() == kInt64 || targets.dtype() == kInt32,
                "Expected tensor for argument #2 'targets' to have scalar type Long; but got torch.",
                kDTypeInfos[int(targets.dtype())].tensor_type_name, " instead (while checking arguments for ctc_loss)");
    HWARO_CHECK(log_probs.dim() == 3 && (targets.dim() == 1 || targets.dim() == 2),
                "Expected log_probs with 3 dimensions and targets with 1 or 2, but got ", log_probs.dim(), " and ",
                targets.dim());
    const int64_t batch = log_probs.sizes()[1], classes = log_probs.sizes()[2];
    HWARO_CHECK(blank >= 0 && blank < classes, "blank must be in label range");
    HWARO_CHECK(int64_t(input_lengths.size()) == batch, "input_lengths must be of size batch_size");
    HWARO_CHECK(int64_t(target_lengths.size()) == batch, "target_lengths must be of size batch_size");
    check_lengths(log_probs, targets, input_lengths, target_lengths);
    check_has_data(log_probs, {targets});
    int64_t steps = log_probs.sizes()[0], longest = 0;
    for (int64_t n : target_lengths) longest = n > longest ? n : longest;
    const Tensor loss = make_tensor({batch}, log_probs.dtype(), log_probs.device());
    const Tensor alpha = make_tensor({batch, steps, 2 * longest + 1}, log_probs.dtype(), log_probs.device());
    const Tensor labels = log_probs.device().is_meta() ? targets : dense_as(targets, kInt64);
    if (!log_probs.device().is_meta()) {
      const std::vector<int64_t> starts = label_starts(targets, target_lengths);
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t s = 0; s < target_lengths[b]; ++s) {
          const int64_t label = labels->read_as<int64_t>()[starts[b] + s];
          HWARO_CHECK(label >= 0 && label < classes, "Expected targets to lie within the ", classes,
                      " classes, but got ", label);
        }
      each(log_probs, labels, input_lengths, target_lengths, blank, [&](int64_t b, const auto& x) {
        using T = std::remove_cvref_t<decltype(x.at(0, 0))>;
        loss->write_as<T>()[b] = forward(x, alpha->write_as<T>() + b * steps * (2 * longest + 1), 2 * longest + 1);
      });
    }
    if (recording(log_probs))
      record("CtcLossBackward0", {log_probs}, {loss, alpha},
             {save(log_probs), save(labels), save_output(loss), save_output(alpha)},
             [inputs = Dims(input_lengths), lengths = Dims(target_lengths), blank, zero_infinity](Backward& b) {
               if (b.g(0).defined()) b.set(0, gradient(b, inputs, lengths, blank, zero_infinity));
             });
    return {loss, alpha};
  }
  static Tensor gradient(Backward& b, IntSpan inputs, IntSpan lengths, int64_t blank, bool zero_infinity) {
    const Tensor log_probs = dense(b.saved(0)), labels = b.saved(1), loss = b.saved(2), alpha = b.saved(3);
    const Tensor g = dense(b.g(0)), out = make_zeros(log_probs.sizes(), log_probs.dtype(), log_probs.device());
    const int64_t width = alpha.sizes()[2], steps = log_probs.sizes()[0], classes = log_probs.sizes()[2];
    if (!log_probs.device().is_meta())
      each(log_probs, labels, inputs, lengths, blank, [&](int64_t k, const auto& x) {
        using T = std::remove_cvref_t<decltype(x.at(0, 0))>;
        const T l = loss->read_as<T>()[k];
        if (zero_infinity && l == std::numeric_limits<T>::infinity()) return;
        backward(x, alpha->read_as<T>() + k * steps * width, width, l, g->read_as<T>()[k], classes,
                 out->write_as<T>() + k * classes);
      });
    if (recording(b.g(0), b.saved(0)))
      record("NotImplemented", {b.g(0), b.saved(0)}, out, {},
             [](Backward&) { raise<RuntimeError>("derivative for aten::_ctc_loss_backward is not implemented"); });
    return out;
  }
  // Calls f(index, Sample) for every sample.
  template <class F>
  static void each(const Tensor& log_probs, const Tensor& labels, IntSpan inputs, IntSpan lengths, int64_t blank, F f) {
    const Tensor dense_probs = dense(log_probs);
    const std::vector<int64_t> starts = label_starts(labels, lengths);
    const int64_t batch = log_probs.sizes()[1], classes = log_probs.sizes()[2];
    visit<bit(DType::Float) | bit(DType::Double)>(log_probs.dtype(), "ctc_loss_cpu", [&](auto tag) {
      using T = typename decltype(tag)::type;
      parallel_for(batch, 1, [&](int64_t begin, int64_t end) {
        for (int64_t b = begin; b < end; ++b)
          f(b, Sample<T>{dense_probs->read_as<T>() + b * classes, batch * classes, inputs[b], lengths[b],
                         labels->read_as<int64_t>() + starts[b], blank});
      });
    });
  }
};

}  // namespace hwaro::engine

#include "families/ctc.inc"
