// The life of a pointwise call: see ARCHITECTURE.md, "The life of c = a + b". Nothing here depends on the operator; what
// differs between operators is in their PointwiseInfo.
#include "hwaro/ops/kinds/pointwise_info.h"

#include <memory>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/core/promotion.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

namespace pointwise_detail {

// Not a wrapped number: two of those together would be computed in the default type.
Tensor formula_number(const Scalar& value, const Tensor& g) {
  if (value.is_none()) return {};
  return make_full({}, value, is_complex(g.dtype()) ? DType::ComplexDouble : DType::Double);
}

}  // namespace pointwise_detail

namespace {

// What was decided about one call before the first byte is touched.
struct Call {
  DType common, compute, result, loop_out;
  InnerLoop loop;
  Device device;
};

[[noreturn, gnu::cold]] void raise_unsupported(const PointwiseInfo& info, DType type) {
  const std::string name = info.kernel_name ? info.kernel_name : std::string(info.schema->name_str()) + "_cpu";
  raise<NotImplementedError>('"', name, "\" not implemented for '", scalar_type_name(type), '\'');
}

DType result_type(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars) {
  ResultType type;
  for (int i = 0; i < info.operands; ++i) {
    if (info.not_promoted & (1u << i)) continue;
    if (operands[i].is_tensor()) type.add(*operands[i].tensor);
    else type.add(operands[i].scalar);
  }
  if (info.promotes_scalars)
    for (int i = 0; i < info.scalars; ++i)
      if (!scalars[i].is_none()) type.add(scalars[i]);
  return type.get();
}

// The rule for `out=` holds for self in place too, but for types that must be the same: there they are. Limits that take
// part in promotion make PyTorch say what C++ calls the type.
void check_inplace_type(const PointwiseInfo& info, DType result, DType self) {
  static constexpr OutRule kNative = out_castable("result type %R can't be cast to the desired output type %o");
  const bool own = info.out_rule.fits == OutRule::Fits::Castable && info.out_rule.given();
  check_out_type(own ? info.out_rule : info.promotes_scalars ? kNative : OutRule{}, result, self);
}

// target: of the tensor that the result goes into, if there is one. That it cannot hold the result is said before that
// there is no kernel.
void fill_types(const PointwiseInfo& info, Call& call, const DType* target = nullptr) {
  if (info.rule.bool_to_int && call.common == DType::Bool) call.common = DType::Int64;
  if (info.rule.int_to_float && is_integral(call.common, true)) call.common = default_dtype();
  if (!contains(info.rule.set, call.common)) {
    if (target && info.rule.out != DTypeRule::Out::Bool) check_inplace_type(info, call.common, *target);
    raise_unsupported(info, call.common);
  }
  call.compute = compute_type(call.common);
  switch (info.rule.out) {
    case DTypeRule::Out::Same: call.result = call.common, call.loop_out = call.compute; break;
    case DTypeRule::Out::Bool: call.result = call.loop_out = DType::Bool; break;
    case DTypeRule::Out::Real: call.result = to_real(call.common), call.loop_out = to_real(call.compute); break;
  }
}

Dims broadcast_operands(const PointwiseInfo& info, const Operand* operands) {
  Dims shape;
  bool first = true;
  for (int i = 0; i < info.operands; ++i) {
    if (!operands[i].is_tensor()) continue;
    if (first) shape = operands[i].tensor->sizes;
    else broadcast_into(shape, operands[i].tensor->sizes);
    first = false;
  }
  return shape;
}

// Numbers beside integers must be such integers.
void check_numbers(const PointwiseInfo& info, const Scalar* scalars, DType compute) {
  for (int i = 0; i < info.scalars && is_integral(compute); ++i)
    if (!scalars[i].is_none()) check_fits(scalars[i], compute);
}

// Types first, then shapes, then whether there is a kernel: the order of PyTorch's complaints.
Call decide(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, Dims& shape,
            const DType* target = nullptr, const Tensor* written = nullptr) {
  Call call;
  call.device = common_device(operands, info.operands);
  call.common = result_type(info, operands, scalars);
  if (info.check) info.check(info, operands, scalars, call.common);
  const bool types_first = info.promotes_scalars;  // clamp
  if (written && !types_first) check_no_overlap(*written, operands, info.operands);
  shape = broadcast_operands(info, operands);
  for (int i = 0; written && i < info.operands; ++i)  // an operand is not resized
    HWARO_CHECK(operands[i].tensor != written->impl() || IntSpan(shape) == written->sizes(), "output with shape ",
                sizes_str(written->sizes()), " doesn't match the broadcast shape ", sizes_str(shape));
  fill_types(info, call, target);
  check_numbers(info, scalars, call.compute);
  if (written && types_first) check_no_overlap(*written, operands, info.operands);
  const PointwiseKernels* kernels = info.kernels_on(call.device.type);
  call.loop = kernels ? kernels->forward[int(call.compute)] : nullptr;
  HWARO_CHECK(call.loop || call.device.is_meta(), "no kernel of ", info.schema->name_str(), " for ", call.device.str());
  return call;
}

class PointwiseNode final : public Node {
 public:
  PointwiseNode(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common, IntSpan shape)
      : info_(info), common_(common) {
    for (int i = 0; i < info.operands; ++i) {
      const Operand& x = operands[i];
      edge_of_[i] = -1;
      if (info.uses[i] == kNoGradient || (!x.is_tensor() && info.drops_numbers)) continue;
      if (info.uses[i] == kRaises && !(x.is_tensor() && is_tracked(x.get()))) continue;
      edge_of_[i] = std::int8_t(edges.size());
      add_edge(x.is_tensor() ? gradient_edge(x.get()) : Edge{});
      if (wanted(i)) {
        if (info.uses[i] < kPassThrough) reads_ |= info.uses[i];
        if (x.tensor->sizes.size() != shape.size() || IntSpan(x.tensor->sizes) != shape) {
          if (!sizes_) sizes_ = std::make_unique<Dims[]>(kMaxOperands);
          sizes_[i] = x.tensor->sizes;
          reduce_ |= 1u << i;
        }
      }
      dtypes_[i] = x.is_tensor() ? x.tensor->dtype : common;
    }
    for (int i = 0; i < info.operands; ++i) {
      if (!operands[i].is_tensor()) {
        numbers_.resize(kMaxOperands);
        numbers_[i] = operands[i].scalar;
        is_number_ |= 1u << i;
      }
    }
    for (int i = 0; i < info.scalars; ++i) scalars_.push_back(scalars[i]);
    number_ = info.grad_number ? info.grad_number(operands, scalars) : 0;
  }

  bool reads(unsigned bit) const { return reads_ & bit; }
  void save_operand(int i, const Tensor& t) { saved_[i] = SavedTensor(t, false); }
  void save_result(const Tensor& t) { saved_[3] = SavedTensor(t, true); }

  void apply(Tensor* grads, Tensor* out) override {
    const Tensor g = std::move(grads[0]);
    if (!g.defined()) return;
    Tensor tensors[kMaxOperands], result;
    // A number that is read is a saved tensor in PyTorch: there is none to unpack here, but it raises once freed.
    for (int i = 0; i < info_.operands; ++i)
      if (reads_ & (1u << i) && !(info_.drops_numbers && is_number_ & (1u << i))) tensors[i] = saved_[i].unpack(this);
    if (reads_ & kResult) result = saved_[3].unpack(this);
    for (int i = 0; i < info_.operands; ++i) {
      if (!wanted(i)) continue;
      if (info_.uses[i] == kRaises) raise_missing();
      Tensor grad;
      if (info_.uses[i] == kPassThrough) grad = g;
      else if (grad_enabled() || g.device().is_meta()) grad = recorded_gradient(i, g, tensors, result);
      else grad = fused_gradient(i, g, tensors, result);
      if (is_complex(grad.dtype()) && !is_complex(dtypes_[i])) grad = real(grad);
      if (reduce_ & (1u << i)) grad = sum_to_size(grad, sizes_[i]);
      if (grad.dtype() != dtypes_[i]) grad = to_dtype(grad, dtypes_[i]);
      out[edge_of_[i]] = std::move(grad);
    }
  }

  std::string name() const override {
    if (info_.uses[0] == kRaises && !info_.grad_name) return "NotImplemented";
    std::string base = info_.grad_name ? info_.grad_name : camel_case(info_.schema->name_str());
    return base + "Backward" + std::to_string(number_);
  }
  void release_saved() override {
    for (SavedTensor& s : saved_) s.release();
  }
  std::vector<std::pair<std::string, SavedTensor*>> saved() override {
    std::vector<std::pair<std::string, SavedTensor*>> list;
    for (int i = 0; i < info_.operands; ++i)
      if (reads_ & (1u << i) && !(is_number_ & (1u << i)))
        list.push_back({std::string(info_.schema->str(info_.schema->args[i].name)), &saved_[i]});
    if (reads_ & kResult) list.push_back({"result", &saved_[3]});
    return list;
  }

 private:
  Tensor recorded_gradient(int i, const Tensor& g, Tensor* tensors, const Tensor& result) {
    for (int k = 0; k < info_.operands; ++k)
      if (is_number_ & (1u << k)) tensors[k] = pointwise_detail::formula_number(numbers_[k], g);
    return info_.formula[i](g, tensors, result, scalars_.data());
  }

  Tensor fused_gradient(int i, const Tensor& g, const Tensor* tensors, const Tensor& result) {
    Operand in[kMaxInputs];
    int count = 0;
    in[count++] = g;
    for (int k = 0; k < info_.operands; ++k) {
      if (!(info_.uses[i] & (1u << k))) continue;
      if (is_number_ & (1u << k)) in[count++] = numbers_[k];
      else in[count++] = tensors[k];
    }
    if (info_.uses[i] & kResult) in[count++] = result;
    const DType compute = compute_type(common_);
    const InnerLoop loop = info_.kernels_on(g.device().type)->backward[i][int(compute)];
    Attr attrs[kMaxScalars];
    for (int k = 0; k < info_.scalars; ++k) attrs[k] = scalars_[k];
    const TensorImpl* inputs[kMaxInputs];
    int tensor_count = 0;
    for (int k = 0; k < count; ++k)
      if (in[k].is_tensor()) inputs[tensor_count++] = in[k].tensor;
    const Dims shape = broadcast_shapes({inputs, std::size_t(tensor_count)});
    const Tensor grad =
        make_strided(shape, output_strides(shape, {inputs, std::size_t(tensor_count)}), common_, g.device());
    run_elementwise(loop, *grad.impl(), true, {in, std::size_t(count)}, compute, compute, attrs);
    return grad;
  }

  // In PyTorch's words, which differ between operators without any derivative and those that lack one of several.
  [[noreturn]] void raise_missing() const {
    const std::string_view name = info_.schema->name_str();
    if (!info_.grad_name) raise("derivative for aten::", name, " is not implemented");
    if (name.starts_with("special_"))
      raise<NotImplementedError>("the derivative for '", name.substr(8), "' is not implemented.");
    raise<NotImplementedError>("the derivative for '", name, ": input' is not implemented.");
  }
  bool wanted(int i) const { return edge_of_[i] >= 0 && needs(std::size_t(edge_of_[i])); }

  const PointwiseInfo& info_;
  DType common_;
  DType dtypes_[kMaxOperands];
  std::int8_t edge_of_[kMaxOperands];
  std::uint8_t reads_ = 0, reduce_ = 0, is_number_ = 0, number_ = 0;
  SavedTensor saved_[kMaxOperands + 1];
  SmallVector<Scalar, 1> numbers_, scalars_;
  std::unique_ptr<Dims[]> sizes_;
};

bool any_tracked(const PointwiseInfo& info, const Operand* operands) {
  for (int i = 0; i < info.operands; ++i) {
    const TensorImpl* t = operands[i].tensor;
    if (t && info.uses[i] != kNoGradient && (t->flags & kTracked || (t->is(kIsView) && t->view_base->is(kTracked))))
      return true;
  }
  return false;
}

// Follows aliases and special cases to the operator that computes this call.
const PointwiseInfo& selected(const PointwiseInfo& called, const Operand* operands, const Scalar* scalars) {
  const PointwiseInfo* info = &called;
  while (info->select) {
    const PointwiseInfo* next = info->select(operands, scalars);
    if (!next) break;
    info = next;
  }
  return *info;
}

// The node for a call whose operands are tracked; saves what the gradients read, except the result.
PointwiseNode* record(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common,
                      IntSpan shape, bool writes_self) {
  auto* node = new PointwiseNode(info, operands, scalars, common, shape);
  const NodePtr guard = NodePtr::share(node);
  for (int i = 0; i < info.operands; ++i)
    if (node->reads(1u << i) && operands[i].is_tensor()) {
      const Tensor x = operands[i].get();
      // What is about to be overwritten is kept as a copy, with its history for gradients of gradients.
      node->save_operand(i, writes_self && i == 0 ? clone(x) : x);
    }
  return node;
}

void run(const Call& call, const PointwiseInfo& info, const Tensor& out, bool fresh, const Operand* operands,
         const Scalar* scalars, bool rounded = false);

// Halves are compared with what a number is worth as a half, though the loop computes in float32.
[[gnu::cold]] void run_rounded(const Call& call, const PointwiseInfo& info, const Tensor& out, bool fresh,
                               const Operand* operands, const Scalar* scalars) {
  Operand used[kMaxOperands];
  Tensor held[kMaxOperands];
  for (int i = 0; i < info.operands; ++i) {
    used[i] = operands[i];
    if (operands[i].is_tensor() && operands[i].tensor->dtype == call.common) continue;
    held[i] = operands[i].is_tensor() ? dense_as(operands[i].get(), call.common)
                                      : make_full({}, operands[i].scalar, call.common);
    used[i] = held[i];
  }
  run(call, info, out, fresh, used, scalars, true);
}

void run(const Call& call, const PointwiseInfo& info, const Tensor& out, bool fresh, const Operand* operands,
         const Scalar* scalars, bool rounded) {
  if (call.device.is_meta()) return;
  if (info.rule.out == DTypeRule::Out::Bool && is_reduced_float(call.common) && !rounded) [[unlikely]]
    return run_rounded(call, info, out, fresh, operands, scalars);
  Attr attrs[kMaxScalars];
  for (int i = 0; i < info.scalars; ++i) {
    HWARO_CHECK(!scalars[i].is_complex() || is_complex(call.compute), "value cannot be converted to type ",
                c_type_name(compute_type(call.compute)), " without overflow");
    attrs[i] = scalars[i];
  }
  if (out.is_conj()) {  // loops write plain values: through a buffer, and the copy conjugates
    const Tensor plain = make_tensor(out.sizes(), out.dtype());
    run_elementwise(call.loop, *plain.impl(), true, {operands, info.operands}, call.compute, call.loop_out, attrs);
    copy_raw(out, plain);
    return;
  }
  run_elementwise(call.loop, *out.impl(), fresh, {operands, info.operands}, call.compute, call.loop_out, attrs);
}

}  // namespace

Tensor pointwise(const PointwiseInfo& called, const Operand* operands, const Scalar* scalars) {
  const PointwiseInfo& info = selected(called, operands, scalars);
  const bool recorded = grad_enabled() && any_tracked(info, operands);
  Call call;
  Tensor out;
  // The short way: tensors of one shape and type in row-major order, or numbers beside them.
  const TensorImpl* first = operands[0].tensor;
  bool plain = first && (first->flags & (kContiguous | kConj | kWrappedNumber)) == kContiguous &&
               first->device.is_cpu() && contains(info.rule.set, first->dtype) && !is_reduced_float(first->dtype);
  for (int i = 1; i < info.operands && plain; ++i) {
    const TensorImpl* t = operands[i].tensor;
    if (t)
      plain = t->dtype == first->dtype && (t->flags & (kContiguous | kConj | kWrappedNumber)) == kContiguous &&
              t->device.is_cpu() && t->sizes == first->sizes;
    else plain = is_floating(first->dtype) && operands[i].scalar.kind() <= Scalar::Kind::Float;
  }
  if (plain && info.promotes_scalars)
    for (int i = 0; i < info.scalars; ++i)
      plain = plain && is_floating(first->dtype) && (scalars[i].kind() <= Scalar::Kind::Float || scalars[i].is_none());
  if (plain) {
    call.common = first->dtype;
    if (info.check) info.check(info, operands, scalars, call.common);
    call.device = first->device;
    fill_types(info, call);
    check_numbers(info, scalars, call.compute);
    call.loop = info.kernels_on(DeviceType::CPU)->forward[int(call.compute)];
    out = make_tensor(first->sizes, call.result);
  } else {
    Dims shape;
    call = decide(info, operands, scalars, shape);
    const TensorImpl* inputs[kMaxOperands];
    std::size_t count = 0;
    for (int i = 0; i < info.operands; ++i)
      if (operands[i].is_tensor()) inputs[count++] = operands[i].tensor;
    out = make_strided(shape, output_strides(shape, {inputs, count}), call.result, call.device);
  }
  run(call, info, out, true, operands, scalars);
  if (recorded && is_differentiable(call.result)) {
    PointwiseNode* node = record(info, operands, scalars, call.common, out.sizes(), false);
    const NodePtr owner = NodePtr::adopt(node);
    set_history(out, owner);
    if (node->reads(kResult)) node->save_result(out);
  }
  return out;
}

void pointwise_inplace(const PointwiseInfo& called, const Operand* operands, const Scalar* scalars) {
  const PointwiseInfo& info = selected(called, operands, scalars);
  const Tensor self = operands[0].get();
  bool recorded = grad_enabled() && any_tracked(info, operands);
  Dims shape;
  const DType target = self.dtype();
  check_inplace(self, recorded);
  const Call call = decide(info, operands, scalars, shape, &target, &self);
  HWARO_CHECK(!(info.rule.out == DTypeRule::Out::Real && is_complex(call.common)), "In-place ", info.schema->name_str(),
              " is not supported for complex tensors.");
  check_inplace_type(info, call.result, target);
  recorded = recorded && is_differentiable(self.dtype());
  NodePtr owner;
  if (recorded) owner = NodePtr::adopt(record(info, operands, scalars, call.common, shape, true));
  run(call, info, self, false, operands, scalars);
  self->bump_version();
  if (recorded) {
    rebase_history(self, owner);
    auto* node = static_cast<PointwiseNode*>(owner.get());
    if (node->reads(kResult)) node->save_result(self);
  }
}

void pointwise_out(const PointwiseInfo& called, const Operand* operands, const Scalar* scalars, const Tensor& out) {
  const PointwiseInfo& info = selected(called, operands, scalars);
  bool differentiable = false;
  for (int i = 0; i < info.operands; ++i) differentiable = differentiable || info.uses[i] != kNoGradient;
  HWARO_CHECK(!(grad_enabled() && differentiable && (any_tracked(info, operands) || is_tracked(out))),
              called.schema->name_str(),
              "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
              "requires grad.");
  Dims shape;
  const DType target = out.dtype();
  const Call call = decide(info, operands, scalars, shape, &target, &out);
  check_out_type(info.out_rule, call.result, target);
  check_inplace(out, false);
  if (out.sizes() != IntSpan(shape)) {  // what is resized takes the layout of a fresh result
    resize_out(out, shape);
    const TensorImpl* inputs[kMaxOperands];
    std::size_t count = 0;
    for (int i = 0; i < info.operands; ++i)
      if (operands[i].is_tensor()) inputs[count++] = operands[i].tensor;
    out->strides = output_strides(shape, {inputs, count});
    out->refresh_geometry();
  }
  run(call, info, out, false, operands, scalars);
  out->bump_version();
}

}  // namespace hwaro::engine
