// What hwaro::Tensor adds by hand to the generated methods.
#include "hwaro/tensor.h"

#include "hwaro/autograd/engine.h"
#include "hwaro/autograd/grad_mode.h"
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

std::vector<engine::Index> engine_indices(std::initializer_list<TensorIndex> indices) {
  std::vector<engine::Index> out;
  for (const TensorIndex& i : indices) {
    switch (i.kind) {
      case TensorIndex::Kind::None: out.push_back(engine::Index::none()); break;
      case TensorIndex::Kind::Ellipsis: out.push_back(engine::Index::ellipsis()); break;
      case TensorIndex::Kind::Int: out.emplace_back(i.number); break;
      case TensorIndex::Kind::Bool: out.emplace_back(i.number != 0); break;
      case TensorIndex::Kind::Slice:
        out.push_back(engine::Index::slice(i.slice.start, i.slice.stop, i.slice.step.value_or(1)));
        break;
      case TensorIndex::Kind::Tensor: out.emplace_back(engine::Tensor(i.tensor)); break;
    }
  }
  return out;
}

// Keeps the gradient of a tensor that is not a leaf.
class KeepGradient final : public Hook {
 public:
  explicit KeepGradient(TensorImpl* t) : t_(t) {}
  void call(engine::Tensor* grads, std::size_t, const engine::Tensor*, std::size_t) override {
    autograd_meta(*t_).grad = engine::clone(grads[0]);
  }

 private:
  TensorImpl*
      t_;  // alive: the hook hangs on the tensor's own grad_fn, which is only reached through graphs that hold it
};

}  // namespace

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

Tensor Tensor::operator[](std::int64_t i) const {
  const engine::Index index(i);
  return engine::get_item(*this, Span<engine::Index>(&index, 1));
}
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
void Tensor::backward(const Tensor& gradient, bool retain_graph, bool create_graph) const {
  BackwardOptions options;
  options.retain_graph = retain_graph || create_graph;
  options.create_graph = create_graph;
  const engine::Tensor root = *this, grad = gradient;
  run_backward({&root, 1}, {&grad, 1}, {}, options);
}
const Tensor& Tensor::retain_grad() const {
  HWARO_CHECK(requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  const NodePtr node = hwaro::grad_fn(*this);
  AutogradMeta& meta = autograd_meta(*impl());
  if (!node || meta.retain_grad) return *this;
  meta.retain_grad = true;
  node->make_hooks().tensor_hooks.push_back({(*this)->output_nr, HookPtr::adopt(new KeepGradient(impl())), true});
  return *this;
}

const Tensor& Tensor::operator+=(const Operand& other) const { return inplace(&engine::Add_inplace, *this, other); }
const Tensor& Tensor::operator-=(const Operand& other) const { return inplace(&engine::Sub_inplace, *this, other); }
const Tensor& Tensor::operator*=(const Operand& other) const { return inplace(&engine::Mul_inplace, *this, other); }
const Tensor& Tensor::operator/=(const Operand& other) const { return inplace(&engine::Div_inplace, *this, other); }

}  // namespace hwaro
