// Drawing categories with given weights.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Sums of weights in the type that PyTorch sums them in.
template <class T>
using SumType = std::conditional_t<std::is_same_v<T, double>, double, float>;

// With replacement: a fraction of 53 bits is looked up in the normalised running sums.
template <class T>
void draw_with_replacement(const T* weights, int64_t rows, int64_t categories, int64_t samples, int64_t* out,
                           Generator& generator) {
  using S = SumType<T>;
  std::vector<S> sums(static_cast<std::size_t>(categories));
  std::lock_guard lock(generator.mutex());
  for (int64_t r = 0; r < rows; ++r, weights += categories, out += samples) {
    S sum = 0;
    for (int64_t c = 0; c < categories; ++c) {
      const S w = S(weights[c]);
      HWARO_CHECK(w >= 0, "invalid multinomial distribution (encountering probability entry < 0)");
      HWARO_CHECK(std::isfinite(w),
                  "invalid multinomial distribution (encountering probability entry = infinity or NaN)");
      sums[c] = sum += w;
    }
    HWARO_CHECK(sum > 0, "invalid multinomial distribution (sum of probabilities <= 0)");
    for (S& s : sums) s /= sum;
    for (int64_t k = 0; k < samples; ++k) {
      const double u = double(generator.random64() & ((std::uint64_t(1) << 53) - 1)) * 0x1p-53;
      const auto at = std::partition_point(sums.begin(), sums.end(), [u](S s) { return double(s) < u; });
      out[k] = at - sums.begin();
    }
  }
}

// Without replacement: weight / Exp(1) is largest for category c with probability proportional to its weight, and the
// order of the rest follows likewise.
template <class T>
void draw_without_replacement(const T* weights, const T* waits, int64_t rows, int64_t categories, int64_t samples,
                              int64_t* out) {
  using S = SumType<T>;
  std::vector<S> score(static_cast<std::size_t>(categories));
  std::vector<int64_t> order(static_cast<std::size_t>(categories));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < categories; ++c) {
      score[c] = S(T(S(weights[r * categories + c]) / S(waits[r * categories + c])));
      order[c] = c;
    }
    std::partial_sort(order.begin(), order.begin() + samples, order.end(),
                      [&](int64_t a, int64_t b) { return score[a] != score[b] ? score[a] > score[b] : a < b; });
    std::copy_n(order.begin(), samples, out + r * samples);
  }
}

template <class T>
void check_weights(const T* weights, int64_t rows, int64_t categories) {
  bool valid = true, positive = true;
  for (int64_t r = 0; r < rows; ++r) {
    SumType<T> sum = 0;
    for (int64_t c = 0; c < categories; ++c) {
      const auto w = SumType<T>(weights[r * categories + c]);
      valid = valid && w >= 0 && std::isfinite(w);
      sum += w;
    }
    positive = positive && sum != 0;
  }
  HWARO_CHECK(valid, "probability tensor contains either `inf`, `nan` or element < 0");
  HWARO_CHECK(positive, "invalid multinomial distribution (sum of probabilities <= 0)");
}

}  // namespace

struct Multinomial {
  static constexpr Schema schema =
      "multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Indices of num_samples categories per row of weights (categories) or (rows, categories).";
  static constexpr auto out_rule = out_same("multinomial expects %R tensor out, got: %O");
  static Tensor call(const Tensor& self, int64_t samples, bool replacement, Generator* generator) {
    HWARO_CHECK(self.dim() > 0 && self.dim() <= 2, "prob_dist must be 1 or 2 dim");
    HWARO_CHECK(is_floating(self.dtype()),
                "multinomial only supports floating-point dtypes for input, got: ", scalar_type_name(self.dtype()));
    HWARO_CHECK(samples > 0, "cannot sample n_sample <= 0 samples");
    const int64_t categories = self.size(-1), rows = self.dim() == 1 ? 1 : self.sizes()[0];
    HWARO_CHECK(replacement || samples <= categories,
                "cannot sample n_sample > prob_dist.size(-1) samples without replacement");
    HWARO_CHECK(categories <= int64_t(1) << 24, "number of categories cannot exceed 2^24");
    const Tensor out = self.dim() == 1 ? make_tensor({samples}, DType::Int64, self.device())
                                       : make_tensor({rows, samples}, DType::Int64, self.device());
    if (self.device().is_meta() || out.numel() == 0) return out;
    const Tensor weights = dense(self);
    int64_t* to = out->write_as<int64_t>();
    visit_if<kFloatSet>(self.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* w = weights->read_as<T>();
      if (replacement && samples > 1)
        return draw_with_replacement(w, rows, categories, samples, to, generator_or_default(generator));
      check_weights(w, rows, categories);
      const Tensor waits = make_like(self);
      exponential_raw(waits, 1, generator);
      const Tensor plain = dense(waits);
      draw_without_replacement(w, plain->read_as<T>(), rows, categories, samples, to);
    });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/multinomial.inc"
