#include "hwaro/ops/kinds/record.h"

#include "hwaro/autograd/meta.h"

namespace hwaro::engine {

Tensor make_view(const Tensor& base, IntSpan sizes, IntSpan strides, std::int64_t offset, bool multi_output) {
  Tensor out = alias(base, sizes, strides, offset);
  TensorImpl& t = *out.impl();
  t.view_base = base->is(kIsView) ? base->view_base : base.ptr();
  t.flags |= kIsView;
  t.view_version = t.version();
  ViewOrigin origin = ViewOrigin::Default;
  const bool inferred = base->is(kIsView) && ViewOrigin(base->view_origin) == ViewOrigin::Inference;
  if (inference_enabled() || inferred) origin = ViewOrigin::Inference;
  else if (!grad_enabled()) origin = ViewOrigin::NoGrad;
  else if (multi_output) origin = ViewOrigin::MultiOutput;
  else if (base->is(kIsView)) origin = ViewOrigin(base->view_origin);
  t.view_origin = std::uint8_t(origin);
  if (base->autograd && base->autograd->view_steps) add_view_step(base, out, ViewStep::Kind::Strided);
  return out;
}

}  // namespace hwaro::engine
