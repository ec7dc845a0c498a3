// nn::Module: a tree of named parameters, buffers and modules.
//
//   struct Net : nn::Module {
//     nn::Linear hidden = register_module("hidden", nn::Linear(784, 100));
//     nn::Linear out = register_module("out", nn::Linear(100, 10));
//     Tensor forward(const Tensor& x) { return out(hwaro::relu(hidden(x))); }
//   };
//
// A module is a handle: copies share parameters and the training flag, as copies of a Tensor share elements. That is what
// lets a layer be a plain member that is registered where it is declared.
#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "hwaro/tensor.h"

namespace hwaro::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

struct ModuleState;

namespace detail {
// "Linear" of a text in which "M = hwaro::nn::Linear" stands.
std::string class_name_in(const char* pretty_function);
// As Python writes a float: "1e-05", "0.5", "1.0".
std::string python_number(double x);
template <class M>
std::string class_name() {
  return class_name_in(__PRETTY_FUNCTION__);
}
}  // namespace detail

class Module {
 public:
  Module();

  // Its own and those of all modules below it, in the order of registration; names joined by dots.
  std::vector<Tensor> parameters() const;
  NamedTensors named_parameters() const;
  NamedTensors named_buffers() const;
  std::vector<std::pair<std::string, Module>> named_children() const;

  // Parameters and buffers by name. load_state_dict copies values in. Errors: RuntimeError that lists missing and unexpected
  // names (unless strict is false) and shapes that differ.
  NamedTensors state_dict() const;
  void load_state_dict(const NamedTensors& state, bool strict = true);

  // Switches between the behaviour in training and in evaluation (dropout, batch normalisation).
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const;

  // As print(module) in Python: the class, what it was made with, and the modules inside. std::cout << module writes it.
  std::string to_string(const std::string& class_name) const;

  // Drops the gradients of all parameters.
  void zero_grad();
  // Converts floating-point parameters and buffers; optimizers that hold the parameters keep working.
  void to(DType dtype);

 protected:
  // Return what they are given, so that a member can be registered in its initialiser.
  // Errors: KeyError-like ValueError for a name that is empty, has a dot, or is taken.
  Tensor register_parameter(const std::string& name, Tensor value, bool requires_grad = true);
  Tensor register_buffer(const std::string& name, Tensor value, bool persistent = true);
  template <class M>
  M register_module(const std::string& name, M module) {
    add_child(name, module, detail::class_name<M>());
    return module;
  }
  // Another module under a name that is registered: fc = replace_module("fc", nn::Linear(512, 10)). Errors: ValueError for
  // a name that is not.
  template <class M>
  M replace_module(const std::string& name, M module) {
    replace_child(name, module, detail::class_name<M>());
    return module;
  }

  // What stands between the brackets when the module is printed: "in_features=4, out_features=8, bias=True".
  void describe(std::string extra);

 private:
  void add_child(const std::string& name, const Module& child, std::string class_name);
  void replace_child(const std::string& name, const Module& child, std::string class_name);
  std::shared_ptr<ModuleState> state_;
};

template <class M>
  requires std::is_base_of_v<Module, M>
std::ostream& operator<<(std::ostream& out, const M& module) {
  return out << module.to_string(detail::class_name<M>());
}

// Makes a layer callable: layer(x) is layer.forward(x).
template <class Self>
class Layer : public Module {
 public:
  Tensor operator()(const Tensor& x) const { return static_cast<const Self*>(this)->forward(x); }
};

}  // namespace hwaro::nn
