// What hwaro::Tensor adds by hand to the generated methods.
#include "hwaro/tensor.h"

#include "hwaro/autograd/engine.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/meta.h"
#include "hwaro/autograd/tensor_hooks.h"
#include "hwaro/ops/index/indexing.h"
#include "hwaro/ops/kinds/pointwise_info.h"
#include "hwaro/ops/vocabulary.h"

#include "hwaro/ops/arithmetic.h"
#include "hwaro/ops/copy.h"

namespace hwaro {

namespace {

const Tensor& inplace(void (*op)(const Operand*, const Scalar*), const Tensor& self, const Operand& other) {
  const Operand operands[] = {self, other};
  const Scalar one[] = {1};
  op(operands, one);
  return self;
}

engine::Index engine_index(const TensorIndex& i) {
  switch (i.kind) {
    case TensorIndex::Kind::None: return engine::Index::none();
    case TensorIndex::Kind::Ellipsis: return engine::Index::ellipsis();
    case TensorIndex::Kind::Int: return engine::Index(i.number);
    case TensorIndex::Kind::Bool: return engine::Index(i.number != 0);
    case TensorIndex::Kind::Slice: return engine::Index::slice(i.slice.start, i.slice.stop, i.slice.step.value_or(1));
    case TensorIndex::Kind::Tensor: break;
  }
  // As in Python, a tensor of one whole number is a number.
  if (i.tensor.dim() == 0 && is_integral(i.tensor.dtype()) && i.tensor.dtype() != DType::UInt8 &&
      !i.tensor.device().is_meta())
    return engine::Index(i.tensor.item<std::int64_t>());
  return engine::Index(engine::Tensor(i.tensor));
}
std::vector<engine::Index> engine_indices(Span<TensorIndex> indices) {
  std::vector<engine::Index> out;
  out.reserve(indices.size());
  for (const TensorIndex& i : indices) out.push_back(engine_index(i));
  return out;
}

// A user's function as a hook of the engine.
class FunctionHook final : public Hook {
 public:
  FunctionHook(std::unique_ptr<hooks_detail::Function> f, bool only_looks)
      : f_(std::move(f)), only_looks_(only_looks) {}
  void call(engine::Tensor* grads, std::size_t, const engine::Tensor*, std::size_t) override {
    const Tensor result = f_->call(grads[0]);
    if (!result.defined() || only_looks_) return;
    HWARO_CHECK(grads[0].defined(), "can't replace a None gradient with a non-None value");
    HWARO_CHECK(result.sizes() == grads[0].sizes(), "hook 'function' has changed the size of value");
    grads[0] = result;
  }

 private:
  std::unique_ptr<hooks_detail::Function> f_;
  bool only_looks_;
};

}  // namespace

Tensor Tensor::where(const Tensor& condition, const Tensor& other) const {
  return engine::where(condition, *this, other);
}

Scalar Tensor::item() const {
  HWARO_CHECK(numel() == 1, "a Tensor with ", numel(), " elements cannot be converted to Scalar");
  HWARO_CHECK(!device().is_meta(), "Tensor.item() cannot be called on meta tensors");
  const engine::Tensor t = engine::dense(*this);
  Scalar out;
  visit_if<kAllSet>(dtype(), [&](auto tag) { out = Scalar(*t->read_as<typename decltype(tag)::type>()); });
  return out;
}

void* Tensor::data_ptr() const {
  return static_cast<char*>((*this)->storage->escape()) + storage_offset() * std::int64_t(element_size());
}
void* Tensor::data_of(DType expected) const {
  HWARO_CHECK(dtype() == expected, "expected scalar type ", scalar_type_name(expected), " but found ",
              scalar_type_name(dtype()));
  return data_ptr();
}

struct Indexed::Place {
  Tensor base;
  std::vector<engine::Index> indices;
};

Indexed Tensor::operator[](const TensorIndex& index) const { return indexed(*this, Span<TensorIndex>(&index, 1)); }
Indexed Tensor::operator[](std::initializer_list<TensorIndex> indices) const { return indexed(*this, indices); }
Indexed Tensor::indexed(const Tensor& t, Span<TensorIndex> indices) {
  std::vector<engine::Index> list = engine_indices(indices);
  Tensor part = engine::get_item(t, list);
  bool is_view = true;
  for (const engine::Index& i : list)
    is_view = is_view && i.kind != engine::Index::Kind::Tensor && i.kind != engine::Index::Kind::Bool;
  if (is_view) return Indexed(std::move(part), nullptr);
  return Indexed(std::move(part), std::make_shared<Indexed::Place>(Indexed::Place{t, std::move(list)}));
}

void Indexed::write_back(const Tensor& value) const {
  if (place_) return engine::set_item(place_->base, place_->indices, value);
  const engine::Index all = engine::Index::ellipsis();
  engine::set_item(*this, Span<engine::Index>(&all, 1), value);
}
void Indexed::operator=(const Tensor& value) && { write_back(value); }
void Indexed::operator=(const Scalar& value) && { write_back(engine::make_full({}, value, dtype(), device())); }
// A copy is computed with and written back whole; a view is written to as it is.
#define HWARO_INDEXED_OPERATOR(symbol)                     \
  void Indexed::operator symbol(const Operand& other) && { \
    Tensor::operator symbol(other);                        \
    if (place_) write_back(*this);                         \
  }
HWARO_INDEXED_OPERATOR(+=)
HWARO_INDEXED_OPERATOR(-=)
HWARO_INDEXED_OPERATOR(*=)
HWARO_INDEXED_OPERATOR(/=)
#undef HWARO_INDEXED_OPERATOR

Tensor Tensor::index(std::initializer_list<TensorIndex> indices) const {
  return engine::get_item(*this, engine_indices(indices));
}
const Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> indices, const Tensor& value) const {
  engine::set_item(*this, engine_indices(indices), value);
  return *this;
}
const Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> indices, const Scalar& value) const {
  engine::set_item(*this, engine_indices(indices), engine::make_full({}, value, dtype(), device()));
  return *this;
}

static Tensor moved(const Tensor& t, Device device, DType dtype, bool copy) {
  if (!copy && t.device() == device && t.dtype() == dtype) return t;
  return engine::_to_copy(t, dtype, device, std::nullopt);
}
Tensor Tensor::to(DType dtype, bool copy) const { return moved(*this, device(), dtype, copy); }
Tensor Tensor::to(Device device, bool copy) const { return moved(*this, device, dtype(), copy); }
Tensor Tensor::to(Device device, DType dtype, bool copy) const { return moved(*this, device, dtype, copy); }

bool Tensor::requires_grad() const { return hwaro::requires_grad(*this); }
const Tensor& Tensor::requires_grad_(bool on) const {
  set_requires_grad(*this, on);
  return *this;
}
bool Tensor::is_leaf() const { return !hwaro::grad_fn(*this); }
Tensor Tensor::grad() const { return (*this)->autograd ? (*this)->autograd->grad : engine::Tensor(); }
const Tensor& Tensor::set_grad(const Tensor& grad) const {
  if (grad.defined()) {
    HWARO_CHECK(grad.sizes() == sizes(), "assigned grad has data of a different size");
    HWARO_CHECK(grad.dtype() == dtype(), "assigned grad has data of a different type");
    HWARO_CHECK(grad.device() == device(), "assigned grad has data located on a different device");
  }
  if (grad.defined() || (*this)->autograd) autograd_meta(*impl()).grad = grad;
  return *this;
}
std::string Tensor::grad_fn_name() const {
  const NodePtr node = hwaro::grad_fn(*this);
  return node ? node->name() : std::string();
}
void Tensor::backward(const Tensor& gradient, autograd::GradOptions o) const {
  BackwardOptions options;
  options.retain_graph = o.retain_graph || o.create_graph;
  options.create_graph = o.create_graph;
  const engine::Tensor root = *this, grad = gradient;
  run_backward({&root, 1}, {&grad, 1}, {}, options);
}
const Tensor& Tensor::retain_grad() const {
  hwaro::retain_grad(*this);
  return *this;
}

struct HookHandle::Place : HookPlace {};
void HookHandle::remove() {
  if (place_) place_->remove();
  place_.reset();
}
HookHandle Tensor::add_hook(std::unique_ptr<hooks_detail::Function> f) const {
  const HookPtr hook = HookPtr::adopt(new FunctionHook(std::move(f), false));
  return HookHandle(std::make_shared<HookHandle::Place>(HookHandle::Place{add_tensor_hook(*this, hook)}));
}
HookHandle Tensor::add_post_accumulate_hook(std::unique_ptr<hooks_detail::Function> f) const {
  const HookPtr hook = HookPtr::adopt(new FunctionHook(std::move(f), true));
  return HookHandle(
      std::make_shared<HookHandle::Place>(HookHandle::Place{hwaro::add_post_accumulate_hook(*this, hook)}));
}

const Tensor& Tensor::operator+=(const Operand& other) const { return inplace(&engine::Add_inplace, *this, other); }
const Tensor& Tensor::operator-=(const Operand& other) const { return inplace(&engine::Sub_inplace, *this, other); }
const Tensor& Tensor::operator*=(const Operand& other) const { return inplace(&engine::Mul_inplace, *this, other); }
const Tensor& Tensor::operator/=(const Operand& other) const { return inplace(&engine::Div_inplace, *this, other); }

}  // namespace hwaro
