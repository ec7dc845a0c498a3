// Fused optimizer steps: what torch.optim's SGD, Adam and AdamW call. Not recorded; versions of what is written go up.
#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/optim_kernels.h"
#include "hwaro/ops/registry.h"

namespace hwaro {

static constinit const OptimKernels* g_optim = nullptr;
const OptimKernels& optim_kernels() { return *g_optim; }
void set_optim_kernels(const OptimKernels* table) { g_optim = table; }

namespace engine {

using std::int64_t;

namespace {

// The tensors of one parameter's update as contiguous arrays of its type (float for the 16-bit types). What is not laid out
// like that is copied, and written back afterwards.
class Arrays {
 public:
  explicit Arrays(DType type) : type_(compute_type(type)) {}
  // Returns the array's first byte; null for an undefined tensor.
  char* add(const Tensor& t, bool written) {
    if (!t.defined()) return nullptr;
    const bool direct = t.is_contiguous() && t.dtype() == type_ && !t.is_conj();
    const Tensor work = direct ? t : dense_as(t, type_);
    if (!direct && written) back_.push_back({t, work});
    keep_.push_back(work);
    if (written) t->bump_version();
    return static_cast<char*>(work->write());
  }
  void finish() {
    for (auto& [to, from] : back_) copy_raw(to, from);
  }

 private:
  DType type_;
  std::vector<Tensor> keep_;
  std::vector<std::pair<Tensor, Tensor>> back_;
};

void check_parameter(const Tensor& p) {
  HWARO_CHECK(is_floating(p.dtype()), "optimizer step: parameters must be floating point, got ",
              scalar_type_name(p.dtype()));
}
// A loaded state may hold anything.
void check_pair(const Tensor& p, const Tensor& other, const char* what) {
  HWARO_CHECK(p.sizes() == other.sizes() && p.device() == other.device(), "optimizer step: ", what, " of shape ",
              sizes_str(other.sizes()), " for a parameter of shape ", sizes_str(p.sizes()));
  HWARO_CHECK(is_floating(other.dtype()), "optimizer step: ", what, " must be floating point, got ",
              scalar_type_name(other.dtype()));
}

// Runs f(first byte offset, elements) over a parameter in pieces.
template <class F>
void in_pieces(const Tensor& p, F f) {
  const int64_t size = int64_t(size_of(compute_type(p.dtype())));
  parallel_for(p.numel(), kGrain, [&](int64_t begin, int64_t end) { f(begin * size, end - begin); });
}

char* at(char* p, int64_t offset) { return p ? p + offset : nullptr; }

}  // namespace

struct SgdStepOp {
  static constexpr Schema schema =
      "sgd_step_(Tensor[] params, Tensor[] grads, Tensor[] momentum_buffers, float lr, float momentum, float "
      "dampening, "
      "float weight_decay, bool nesterov, bool maximize, bool first_step=False) -> ()";
  static constexpr Doc doc = "One step of stochastic gradient descent for each parameter, in place.";
  static constexpr unsigned expose = kInternal;
  static void call(Span<Tensor> params, Span<Tensor> grads, Span<Tensor> buffers, double lr, double momentum,
                   double dampening, double weight_decay, bool nesterov, bool maximize, bool first_step) {
    const SgdStep s = {lr, momentum, dampening, weight_decay, nesterov, maximize, first_step};
    HWARO_CHECK(grads.size() == params.size() && (buffers.empty() || buffers.size() == params.size()),
                "optimizer step: lists of different lengths");
    for (std::size_t i = 0; i < params.size(); ++i) {
      const Tensor& p = params[i];
      check_parameter(p);
      check_pair(p, grads[i], "gradient");
      if (!buffers.empty()) check_pair(p, buffers[i], "momentum buffer");
      if (p.device().is_meta()) continue;
      Arrays arrays(p.dtype());
      char *x = arrays.add(p, true), *g = arrays.add(grads[i], false),
           *b = arrays.add(buffers.empty() ? Tensor() : buffers[i], true);
      const auto kernel = optim_kernels().sgd[p.dtype() == DType::Double];
      in_pieces(p, [&](int64_t o, int64_t n) { kernel(x + o, g + o, at(b, o), n, s); });
      arrays.finish();
    }
  }
};

struct AdamStepOp {
  static constexpr Schema schema =
      "adam_step_(Tensor[] params, Tensor[] grads, Tensor[] exp_avgs, Tensor[] exp_avg_sqs, Tensor[] max_exp_avg_sqs, "
      "float step, "
      "float lr, float beta1, float beta2, float weight_decay, float eps, bool amsgrad, bool maximize, bool decoupled) "
      "-> ()";
  static constexpr Doc doc = "One step of Adam (decoupled: AdamW) for each parameter, in place.";
  static constexpr unsigned expose = kInternal;
  static void call(Span<Tensor> params, Span<Tensor> grads, Span<Tensor> means, Span<Tensor> squares,
                   Span<Tensor> largest, double step, double lr, double beta1, double beta2, double weight_decay,
                   double eps, bool amsgrad, bool maximize, bool decoupled) {
    const AdamStep s = {step, lr, beta1, beta2, weight_decay, eps, amsgrad, maximize, decoupled};
    HWARO_CHECK(grads.size() == params.size() && means.size() == params.size() && squares.size() == params.size() &&
                    (!amsgrad || largest.size() == params.size()),
                "optimizer step: lists of different lengths");
    for (std::size_t i = 0; i < params.size(); ++i) {
      const Tensor& p = params[i];
      check_parameter(p);
      check_pair(p, grads[i], "gradient");
      check_pair(p, means[i], "exp_avg");
      check_pair(p, squares[i], "exp_avg_sq");
      if (amsgrad) check_pair(p, largest[i], "max_exp_avg_sq");
      if (p.device().is_meta()) continue;
      Arrays arrays(p.dtype());
      char *x = arrays.add(p, true), *g = arrays.add(grads[i], false), *m = arrays.add(means[i], true),
           *v = arrays.add(squares[i], true), *top = arrays.add(amsgrad ? largest[i] : Tensor(), true);
      const auto kernel = optim_kernels().adam[p.dtype() == DType::Double];
      in_pieces(p, [&](int64_t o, int64_t n) { kernel(x + o, g + o, m + o, v + o, at(top, o), n, s); });
      arrays.finish();
    }
  }
};

}  // namespace engine
}  // namespace hwaro

#include "families/optim.inc"
