#include "hwaro/autograd/anomaly.h"

#include "hwaro/autograd/grad_mode.h"

namespace hwaro {

using engine::Tensor;

AnomalyHooks g_anomaly_hooks;

void remember_origin(Node& node) {
  if (g_anomaly_hooks.trace) node.make_hooks().origin = g_anomaly_hooks.trace();
}

namespace {

template <class T>
bool is_nan(T v) {
  if constexpr (std::is_same_v<T, Complex<float>> || std::is_same_v<T, Complex<double>>)
    return v.re != v.re || v.im != v.im;
  else return static_cast<double>(v) != static_cast<double>(v);
}
template <>
bool is_nan(Half v) {
  return is_nan(static_cast<float>(v));
}
template <>
bool is_nan(BFloat16 v) {
  return is_nan(static_cast<float>(v));
}

template <class T>
bool any_nan(const TensorImpl& t, int dim, const T* p) {
  if (dim == t.dim()) return is_nan(*p);
  for (std::int64_t i = 0; i < t.sizes[dim]; ++i)
    if (any_nan(t, dim + 1, p + i * t.strides[dim])) return true;
  return false;
}

bool has_nan(const Tensor& t) {
  if (!t.defined() || t.device().is_meta()) return false;
  bool found = false;
  visit_if<kFloatSet | kComplexSet>(t.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    found = any_nan(*t.impl(), 0, t->read_as<T>());
  });
  return found;
}

}  // namespace

void apply_watched(Node& node, Tensor* grads, Tensor* out) {
  try {
    node.apply(grads, out);
    if (t_modes.anomaly_nan)
      for (std::size_t i = 0; i < node.edges.size(); ++i)
        HWARO_CHECK(!has_nan(out[i]), "Function '", node.name(), "' returned nan values in its ", i, "th output.");
  } catch (...) {
    if (g_anomaly_hooks.report) g_anomaly_hooks.report(node, node.hooks ? node.hooks->origin.get() : nullptr);
    throw;
  }
}

}  // namespace hwaro
