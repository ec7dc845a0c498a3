// The engine's headers come first: their inline operators must not see the public functions of the same names.
#include "hwaro/ops/vocabulary.h"

#include "hwaro/nn/module.h"

#include <charconv>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/functions.h"

namespace hwaro::nn {

struct ModuleState {
  NamedTensors parameters;
  struct Buffer {
    std::string name;
    Tensor value;
    bool persistent;
  };
  std::vector<Buffer> buffers;
  std::vector<std::pair<std::string, Module>> children;
  bool training = true;
  std::string class_name, extra;  // how it prints; the name is that under which it was registered

  void check_name(const std::string& name) const {
    HWARO_CHECK_AS(ValueError, name.find('.') == std::string::npos, "a name can't contain \".\": ", name);
    HWARO_CHECK_AS(ValueError, !name.empty(), "a name can't be empty");
    bool taken = false;
    for (const auto& p : parameters) taken = taken || p.first == name;
    for (const auto& b : buffers) taken = taken || b.name == name;
    for (const auto& c : children) taken = taken || c.first == name;
    HWARO_CHECK_AS(ValueError, !taken, "attribute '", name, "' already exists");
  }
};

namespace {

// Puts other contents under the same tensor, which whoever holds it then sees.
void replace_contents(const Tensor& t, const Tensor& with) {
  t->storage = with->storage;
  t->offset = with->offset;
  t->dtype = with->dtype;
  t->device = with->device;
  t->sizes = with->sizes;
  t->strides = with->strides;
  t->refresh_geometry();
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& n : names) out += (out.empty() ? "\"" : ", \"") + n + "\"";
  return out;
}

}  // namespace

Module::Module() : state_(std::make_shared<ModuleState>()) {}

Tensor Module::register_parameter(const std::string& name, Tensor value, bool requires_grad) {
  state_->check_name(name);
  if (requires_grad) value.requires_grad_();
  state_->parameters.emplace_back(name, value);
  return value;
}
Tensor Module::register_buffer(const std::string& name, Tensor value, bool persistent) {
  state_->check_name(name);
  state_->buffers.push_back({name, value, persistent});
  return value;
}
void Module::add_child(const std::string& name, const Module& child, std::string class_name) {
  state_->check_name(name);
  state_->children.emplace_back(name, child);
  child.state_->class_name = std::move(class_name);
}
void Module::replace_child(const std::string& name, const Module& child, std::string class_name) {
  for (auto& [own, module] : state_->children)
    if (own == name) {
      module = child;
      child.state_->class_name = std::move(class_name);
      return;
    }
  raise<ValueError>("there is no module '", name, "' to replace");
}

void Module::describe(std::string extra) { state_->extra = std::move(extra); }
std::string Module::to_string(const std::string& class_name) const {
  if (state_->children.empty()) return class_name + "(" + state_->extra + ")";
  std::string out = class_name + "(\n";
  if (!state_->extra.empty()) out += "  " + state_->extra + "\n";
  for (const auto& [name, child] : state_->children) {
    out += "  (" + name + "): ";
    for (const char c : child.to_string(child.state_->class_name))
      out += c == '\n' ? std::string("\n  ") : std::string(1, c);
    out += "\n";
  }
  return out + ")";
}
std::string detail::python_number(double x) {
  char out[32];
  std::string text(out, std::to_chars(out, out + sizeof out, x).ptr);
  return text.find_first_not_of("-0123456789") == text.npos ? text + ".0" : text;
}
std::string detail::class_name_in(const char* pretty_function) {
  const std::string_view text = pretty_function;
  const std::size_t begin = text.find("M = ");
  if (begin == text.npos) return "Module";
  std::string_view name = text.substr(begin + 4);
  name = name.substr(0, name.find_first_of(";]<"));
  const std::size_t colon = name.rfind("::");
  return std::string(colon == name.npos ? name : name.substr(colon + 2));
}

std::vector<std::pair<std::string, Module>> Module::named_children() const { return state_->children; }

NamedTensors Module::named_parameters() const {
  NamedTensors out = state_->parameters;
  for (const auto& [name, child] : state_->children)
    for (auto& [inner, value] : child.named_parameters()) out.emplace_back(name + "." + inner, std::move(value));
  return out;
}
std::vector<Tensor> Module::parameters() const {
  std::vector<Tensor> out;
  for (auto& [name, value] : named_parameters()) {
    bool seen = false;  // shared by two modules: once
    for (const Tensor& t : out) seen = seen || t.is_same(value);
    if (!seen) out.push_back(std::move(value));
  }
  return out;
}
NamedTensors Module::named_buffers() const {
  NamedTensors out;
  for (const auto& b : state_->buffers) out.emplace_back(b.name, b.value);
  for (const auto& [name, child] : state_->children)
    for (auto& [inner, value] : child.named_buffers()) out.emplace_back(name + "." + inner, std::move(value));
  return out;
}

NamedTensors Module::state_dict() const {
  NamedTensors out;
  for (const auto& [name, value] : state_->parameters) out.emplace_back(name, value.detach());
  for (const auto& b : state_->buffers)
    if (b.persistent) out.emplace_back(b.name, b.value.detach());
  for (const auto& [name, child] : state_->children)
    for (auto& [inner, value] : child.state_dict()) out.emplace_back(name + "." + inner, std::move(value));
  return out;
}

void Module::load_state_dict(const NamedTensors& state, bool strict) {
  const NoGradGuard no_grad;
  std::vector<std::string> missing, unexpected;
  std::string problems;
  const NamedTensors own = state_dict();
  for (const auto& [name, target] : own) {
    const Tensor* source = nullptr;
    for (const auto& [other, value] : state)
      if (other == name) source = &value;
    if (!source) missing.push_back(name);
    else if (source->sizes() != target.sizes())
      problems += "\n\tsize mismatch for " + name + ": copying a param with shape torch.Size(" +
                  sizes_str(source->sizes()) + ") from checkpoint, the shape in current model is torch.Size(" +
                  sizes_str(target.sizes()) + ").";
  }
  for (const auto& [name, value] : state) {
    bool known = false;
    for (const auto& [other, target] : own) known = known || other == name;
    if (!known) unexpected.push_back(name);
  }
  if (strict && !missing.empty()) problems = "\n\tMissing key(s) in state_dict: " + joined(missing) + ". " + problems;
  if (strict && !unexpected.empty())
    problems = "\n\tUnexpected key(s) in state_dict: " + joined(unexpected) + ". " + problems;
  HWARO_CHECK(problems.empty(), "Error(s) in loading state_dict for Module:", problems);
  for (const auto& [name, target] : own)
    for (const auto& [other, value] : state)
      if (other == name) target.copy_(value);
}

void Module::train(bool on) {
  state_->training = on;
  for (auto& [name, child] : state_->children) child.train(on);
}
bool Module::is_training() const { return state_->training; }

void Module::zero_grad() {
  for (const Tensor& p : parameters()) p.set_grad(Tensor());
}

void Module::to(DType dtype) {
  HWARO_CHECK_AS(TypeError, is_floating(dtype) || is_complex(dtype),
                 "nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.",
                 name_of(dtype));
  const NoGradGuard no_grad;
  for (const auto& list : {named_parameters(), named_buffers()})
    for (const auto& [name, value] : list)
      if (is_floating(value.dtype()) && value.dtype() != dtype) {
        replace_contents(value, value.detach().to(dtype));
        if (value.grad().defined()) value.set_grad(value.grad().to(dtype));
      }
}

}  // namespace hwaro::nn
