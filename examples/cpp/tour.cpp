// A tour of tensors, from devices to gradients: every step prints what it computed.
//
// The twin of examples/python/tour.py, section by section and line by line; both print the same text.
#include <hwaro/hwaro.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "resnet18.h"

using hwaro::Ellipsis;
using hwaro::None;
using hwaro::Slice;
using hwaro::Tensor;

namespace {

// ---- printing as Python does ----

template <class T>
std::string text(const T& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}
std::string text(bool value) { return value ? "True" : "False"; }

// Everything on one line, with spaces between.
template <class First, class... Rest>
void print(const First& first, const Rest&... rest) {
  std::cout << text(first);
  ((std::cout << ' ' << text(rest)), ...);
  std::cout << '\n';
}

std::string shape(const Tensor& t) { return "torch.Size(" + text(t.shape()) + ")"; }
std::string shapes_of(const std::vector<Tensor>& tensors) {
  std::string out;
  for (const Tensor& t : tensors) out += (out.empty() ? "" : " ") + shape(t);
  return out;
}
std::string strides(const Tensor& t) {
  const std::string list = text(t.strides());
  return "(" + list.substr(1, list.size() - 2) + ")";
}
std::string named(const std::string& name, const std::tuple<Tensor, Tensor>& result) {
  const auto& [values, indices] = result;
  return "torch.return_types." + name + "(\nvalues=" + text(values) + ",\nindices=" + text(indices) + ")";
}
std::string number(const char* format, double value) {
  char out[64];
  std::snprintf(out, sizeof out, format, value);
  return out;
}

void section(const char* title) { std::cout << "\n== " << title << " ==\n"; }

// How a mistake is reported: the class of the exception and the first line of its text.
template <class F>
std::string error_of(F&& function) {
  const auto line = [](const char* name, const hwaro::Error& error) {
    const std::string what = error.what();
    return std::string(name) + ": " + what.substr(0, what.find('\n'));
  };
  try {
    function();
  } catch (const hwaro::AssertionError& error) {
    return line("AssertionError", error);
  } catch (const hwaro::IndexError& error) {
    return line("IndexError", error);
  } catch (const hwaro::ValueError& error) {
    return line("ValueError", error);
  } catch (const hwaro::RuntimeError& error) {
    return line("RuntimeError", error);
  }
  return "nothing was wrong";
}

// ---- the tour ----

void devices() {
  section("devices");
  print("cuda:", hwaro::cuda::is_available(), "cpu:", hwaro::cpu::is_available(), "mps:", hwaro::mps::is_available());
  const hwaro::Device device = hwaro::cuda::is_available() ? "cuda" : hwaro::mps::is_available() ? "mps" : "cpu";
  print("device:", device);

  // to() copies to another device; where the tensor is there already, it gives the tensor itself.
  const Tensor x = hwaro::tensor({{1, 2}, {3, 4}}, hwaro::kFloat32);
  const Tensor z = x.to(device);
  print(x.device(), z.device(), z.is_same(x));
  print(x.to(hwaro::kFloat32).dtype(), x.to(device, hwaro::kFloat64).dtype());
  print(x.to(device, hwaro::kFloat64));

  // Operands must share a device. This machine may have one only: "meta" tensors have a shape and no elements.
  const Tensor a = hwaro::tensor({{1.0, 1.0}, {2.0, 2.0}}).to("meta");
  print(a);
  print(error_of([] { hwaro::ones({2, 2}).to("cuda"); }));
  print(error_of([] { hwaro::Device("gpu"); }));
}

void attributes() {
  section("attributes");
  hwaro::manual_seed(0);
  const Tensor tensor = hwaro::rand({2, 2});
  print(tensor);
  print("shape:", shape(tensor));
  print("type:", tensor.dtype());
  print("device:", tensor.device());
  print("dimensions:", tensor.dim(), "elements:", tensor.numel(), "bytes:", tensor.nbytes(),
        "strides:", strides(tensor));
}

void creation() {
  section("creation");
  const auto rows = [](hwaro::Options options) { return hwaro::tensor({{1, 2}, {3, 4}}, options); };
  print(rows({.dtype = hwaro::kFloat32}));
  print(rows({.dtype = hwaro::kFloat64}));
  print(rows({.dtype = hwaro::kInt32}));
  print(rows({}));  // the type is that of the values
  print(hwaro::tensor({1.5, 2, 3}), hwaro::tensor({true, false}), hwaro::tensor(3.5));

  // tensor() copies; from_blob() shares memory.
  std::vector<double> array = {1.0, 2.0, 3.0};
  const Tensor copied = hwaro::tensor(array, {.dtype = hwaro::kFloat64});
  const Tensor shared = hwaro::from_blob(array.data(), {3}, {.dtype = hwaro::kFloat64});
  array[0] = 10;
  print(copied);
  print(shared);
  const Tensor tracked = hwaro::tensor({1.0, 2.0}, {.requires_grad = true});
  print("as_tensor gives the same tensor:", tracked.to(hwaro::kFloat32).is_same(tracked),
        "clone().detach():", tracked.clone().detach());

  print(hwaro::zeros({2, 3}));
  print(hwaro::ones({2, 2}, hwaro::kInt64));
  const Tensor x = rows({});
  print(hwaro::zeros_like(x));
  print(hwaro::ones_like(x, {.dtype = hwaro::kFloat32}));
  print("empty:", shape(hwaro::empty({2, 3}, hwaro::kInt32)));
  const Tensor a = hwaro::full({2, 2}, 5, hwaro::kFloat64);
  print(a);
  print(hwaro::full_like(a, 10));

  print(hwaro::arange(5));
  print(hwaro::arange(1, 4));
  print(hwaro::arange(0, 2.5, 0.5));
  print(hwaro::linspace(3, 10, 5));
  print(hwaro::eye(2));

  hwaro::manual_seed(42);
  print(hwaro::rand({2, 3}));            // uniform in [0, 1)
  print(hwaro::randn({2, 3}));           // normal with mean 0 and deviation 1
  print(hwaro::randint(3, 10, {2, 2}));  // whole numbers from 3 to 9
  print(hwaro::randperm(6));
  print(hwaro::rand_like(a));

  print(error_of([] { hwaro::tensor({{1, 2}, {3}}); }));
  print(error_of([] { hwaro::zeros({2, -1}); }));
  print(error_of([] { hwaro::arange(5, 0); }));
}

void joining() {
  section("joining");
  const Tensor x = hwaro::ones({2, 2}), y = hwaro::zeros({2, 2});
  print(hwaro::cat({x, y}, 0));
  print(hwaro::cat({x, y}, 1));
  print(hwaro::cat({hwaro::ones({2, 3}), hwaro::zeros({2, 4})}, 1));
  print(error_of([] { hwaro::cat({hwaro::ones({2, 3}), hwaro::zeros({2, 4})}, 0); }));

  // stack() makes a new dimension, as long as the list.
  const Tensor a = hwaro::ones({3, 4});
  for (int dim = 0; dim < 3; ++dim) print("stack, dim", dim, shape(hwaro::stack({a, a, a, a, a}, dim)));
  print(error_of([&] { hwaro::stack({a, a.t()}); }));
  print("vstack", shape(hwaro::vstack({hwaro::ones({2, 3}), hwaro::ones({3, 3})})));
  print("hstack", shape(hwaro::hstack({hwaro::ones({1, 2, 3}), hwaro::ones({1, 5, 3})})));
  print("dstack", shape(hwaro::dstack({hwaro::ones({1, 2}), hwaro::ones({1, 2})})));
}

void splitting() {
  section("splitting");
  const Tensor x = hwaro::randn({5, 16});
  print("by 3:", shapes_of(hwaro::split(x, 3, 1)));
  print("1, 3, 5, 7:", shapes_of(hwaro::split(x, {1, 3, 5, 7}, 1)));
  print(error_of([&] { hwaro::split(x, {1, 5, 11}, 1); }));
  const std::vector<Tensor> chunks = hwaro::chunk(hwaro::arange(7), 3);
  print("chunks:", chunks[0], chunks[1], chunks[2]);
  print("hsplit:", shapes_of(hwaro::hsplit(x, 4)));
  const std::vector<Tensor> rows = hwaro::arange(4).reshape({2, 2}).unbind();
  print(rows[0], rows[1]);
}

void casting() {
  section("casting");
  const Tensor x = hwaro::ones({2, 3});
  const Tensor x_int = x.to(hwaro::kInt32);
  print(x.dtype(), x_int.dtype(), x_int.to(hwaro::kFloat32).dtype(), "torch.FloatTensor");
  print(hwaro::tensor({1.9, -1.9}).to(hwaro::kInt32), hwaro::tensor({0.0, 2.0}).to(hwaro::kBool),
        hwaro::tensor({300.0}).to(hwaro::kUInt8));
  print((x_int + 1.5).dtype(), (x_int / 2).dtype(), (x_int + true).dtype());
}

void indexing() {
  section("indexing");
  Tensor x = hwaro::tensor({{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}}, hwaro::kInt32);
  const Tensor indices = hwaro::tensor({0, 2});
  print(hwaro::index_select(x, 0, indices));
  print(hwaro::index_select(x, 1, indices));
  print(error_of([&] { hwaro::index_select(x, 0, hwaro::tensor({3})); }));

  print(x[0]);
  print(x[{-1, Slice(1, 3)}]);
  print(x[{Slice(), Slice(None, None, 2)}]);
  print(x[{Ellipsis, 0}]);
  print(shape(x[None]), shape(x[{Slice(), None}]));
  print(x[{hwaro::tensor({0, 2}), hwaro::tensor({1, 3})}]);
  print(x[x > 9]);
  print(error_of([&] { x[3]; }));
  print(error_of([&] { x[{0, 0, 0}]; }));

  x = x.clone();
  x[0] = 0;
  x[{Slice(1, None), Slice(None, 2)}] = hwaro::tensor({-1, -2});
  x[x > 10] = 10;
  x[{1, 3}] += 100;
  print(x);
  print(hwaro::gather(x, 1, hwaro::tensor({{0}, {1}, {3}})));
}

void shapes() {
  section("shapes");
  Tensor x = hwaro::arange(8.0);
  const Tensor y = hwaro::reshape(x, {1, 8});
  const Tensor z = hwaro::reshape(y, {-1, 4});
  print(shape(x), shape(y), shape(z));
  z[{0, 0}] = 100;  // a view: the elements are those of x
  print(x);
  print(error_of([&] { x.reshape({3, -1}); }));

  // view() never copies, so the elements must lie in order.
  const Tensor t = x.view({2, 4}).t();
  print(shape(t), strides(t), t.is_contiguous(), t.contiguous().is_contiguous());
  print(error_of([&] { t.view({8}); }));
  print(t.contiguous().view({8}));

  x = hwaro::randn({2, 3, 4});
  print("transpose", shape(hwaro::transpose(x, 0, 2)), "permute", shape(x.permute({2, 0, 1})), "flatten",
        shape(x.flatten(1)));
  x = hwaro::randn({2, 1, 4});
  print("squeeze", shape(hwaro::squeeze(x, 0)), shape(hwaro::squeeze(x, 1)), shape(hwaro::squeeze(x, 2)));
  print("unsqueeze", shape(hwaro::unsqueeze(x, 0)), shape(hwaro::unsqueeze(x, 1)), shape(hwaro::unsqueeze(x, 2)),
        shape(hwaro::unsqueeze(x, 3)));
  print(hwaro::arange(3).expand({2, 3}));
  print(hwaro::arange(3).repeat({2, 2}));
}

void arithmetic() {
  section("arithmetic");
  const Tensor a = hwaro::tensor({{1, 2}, {3, 4}});
  const Tensor b = hwaro::tensor({{5, 6}, {7, 8}});
  print(a + b);
  print(a - b);
  print(a * b);
  print(a / b);
  print(hwaro::floor_divide(b, a));
  print(b % a);
  print(a.pow(2));
  print(a > 2);
  print(1 - a, 1 / a);
  print(a + hwaro::tensor({10, 20}));  // broadcast: the row is added to every row
  print(error_of([&] { a + hwaro::ones({3}); }));
  a += b;
  a *= 2;
  print(a);
  print(error_of([&] { a.add_(0.5); }));
}

void functions() {
  section("functions");
  Tensor t = hwaro::tensor({{1, 3}, {2, 0}}, hwaro::kFloat32);
  print(hwaro::sum(t), hwaro::sum(t, 0), hwaro::sum(t, 1));
  print(hwaro::mean(t, 1));
  print(hwaro::argmax(t, 0));
  print(named("max", hwaro::max(t, 1)));
  print(named("sort", hwaro::sort(t, 0, false)));
  print(hwaro::clamp(t, 2, 10));
  print(hwaro::any(t), hwaro::all(t));
  print(hwaro::exp(t));
  print(hwaro::softmax(t, 1));
  print(hwaro::std(t), hwaro::var(t, 0), hwaro::cumsum(t, 1));
  print(error_of([] { hwaro::mean(hwaro::tensor({1, 2})); }));
  print(error_of([&] { hwaro::sum(t, 2); }));

  t = hwaro::arange(1, 11);
  print(t[hwaro::tensor({0, 2})]);
  print(t[(t > 2) & (t < 8)]);
  print(t[t.remainder(2) == 0]);
  print(hwaro::where(t > 5, t * 2, 0));
  print(hwaro::unique(hwaro::tensor({0, 0, 1, 1, 1, 2})));
}

void products() {
  section("products");
  const Tensor A = hwaro::tensor({{2, 3}, {4, 5}}, hwaro::kFloat32);
  const Tensor B = hwaro::tensor({{1, 3}, {2, 4}}, hwaro::kFloat32);
  print(hwaro::matmul(A, B));
  print(hwaro::equal(A.matmul(B), hwaro::matmul(A, B)), hwaro::equal(A.mm(B), A.matmul(B)));
  print(A * B);
  const Tensor vec_A = hwaro::ravel(A), vec_B = hwaro::ravel(B);
  print(hwaro::dot(vec_A, vec_B), hwaro::outer(vec_A[Slice(None, 2)], vec_B[Slice(None, 2)]));
  const Tensor left = hwaro::rand({32, 10, 20}), right = hwaro::rand({32, 20, 30});
  print(shape(hwaro::bmm(left, right)));
  print(hwaro::einsum("ij,kj->ik", {A, B}));
  print(error_of([&] { A.matmul(hwaro::ones({3, 2})); }));
  print(error_of([&] { hwaro::mm(A, hwaro::ones({2})); }));
  print(error_of([&] { hwaro::mm(A, B.to(hwaro::kInt64)); }));
}

void autograd_quickstart() {
  section("autograd: a layer and its loss");
  // https://tutorials.pytorch.kr/beginner/basics/autogradqs_tutorial.html
  hwaro::manual_seed(0);
  const Tensor x = hwaro::ones({5});
  const Tensor y = hwaro::zeros({3});
  const Tensor w = hwaro::randn({5, 3}, {.requires_grad = true});
  const Tensor b = hwaro::randn({3}, {.requires_grad = true});
  const Tensor z = hwaro::matmul(x, w) + b;
  const Tensor loss = hwaro::binary_cross_entropy_with_logits(z, y);
  print("made by", z.grad_fn_name(), "and", loss.grad_fn_name());
  print(loss);
  loss.backward();
  print(w.grad());
  print(b.grad());
  print(error_of([&] { loss.backward(); }));

  {
    const hwaro::NoGradGuard no_grad;
    print((hwaro::matmul(x, w) + b).requires_grad());
  }
  print(z.requires_grad(), z.detach().requires_grad(), w.is_leaf(), z.is_leaf());

  const Tensor inp = hwaro::eye(4, 5, {.requires_grad = true});
  const Tensor out = (inp + 1).pow(2).t();
  out.backward(hwaro::ones_like(out), {.retain_graph = true});
  print("First call\n" + text(inp.grad()));
  out.backward(hwaro::ones_like(out), {.retain_graph = true});
  print("Second call\n" + text(inp.grad()));
  inp.grad().zero_();
  out.backward(hwaro::ones_like(out), {.retain_graph = true});
  print("Call after zeroing gradients\n" + text(inp.grad()));
  print(error_of([&] { out.backward(); }));
}

void autograd_vectors() {
  section("autograd: vectors and hooks");
  // https://tutorials.pytorch.kr/beginner/blitz/autograd_tutorial.html
  const Tensor a = hwaro::tensor({2.0, 3.0}, {.requires_grad = true});
  const Tensor b = hwaro::tensor({6.0, 4.0}, {.requires_grad = true});
  const Tensor Q = 3 * a.pow(3) - b.pow(2);
  print(Q);
  Q.backward(hwaro::tensor({1.0, 1.0}));
  print(9 * a.pow(2) == a.grad(), -2 * b == b.grad());

  const Tensor z = hwaro::rand({5, 5}, {.requires_grad = true});
  print((hwaro::rand({5, 5}) + hwaro::rand({5, 5})).requires_grad(), (hwaro::rand({5, 5}) + z).requires_grad());

  const Tensor x = hwaro::tensor({1.0, 2.0, 3.0}, {.requires_grad = true});
  hwaro::HookHandle handle = x.register_hook([](const Tensor& grad) { return grad * 10; });
  (x * x).sum().backward();
  print(x.grad());
  handle.remove();
  const Tensor first = hwaro::autograd::grad({x.pow(3).sum()}, {x}, {}, {.create_graph = true})[0];
  const Tensor second = hwaro::autograd::grad({first.sum()}, {x})[0];
  print(first, second);
  print(error_of([&] { x.add_(1); }));
  const Tensor y = x.exp();
  y.mul_(2);
  print(error_of([&] { y.sum().backward(); }).substr(0, 94));
}

// exp with a gradient written by hand.
struct Exp : hwaro::Function<Exp> {
  static Tensor forward(Context& ctx, const Tensor& i) {
    Tensor result = i.exp();
    ctx.save_for_backward({result});
    return result;
  }
  static std::vector<Tensor> backward(Context& ctx, const std::vector<Tensor>& grad_outputs) {
    return {grad_outputs[0] * ctx.saved()[0]};
  }
};

void own_function() {
  section("autograd: a function of one's own");
  const Tensor x = hwaro::tensor({0.0, 1.0}, {.requires_grad = true});
  const Tensor y = Exp::apply(x);
  print(y);
  y.sum().backward();
  print(x.grad());
}

void model() {
  section("a step of training");
  hwaro::manual_seed(1);
  ResNet18 model;
  std::int64_t count = 0;
  for (const Tensor& p : model.parameters()) count += p.numel();
  const hwaro::nn::NamedTensors state = model.state_dict();
  print("parameters:", count, "tensors:", state.size());
  print(state[0].first, state[1].first, state[2].first, state[3].first, state[4].first, state[5].first, state[6].first);
  const Tensor data = hwaro::rand({1, 3, 64, 64});
  const Tensor labels = hwaro::rand({1, 1000});
  const Tensor prediction = model.forward(data);
  const Tensor loss = (prediction - labels).sum();
  loss.backward();  // gradients in .grad()
  print(shape(prediction), shape(model.conv1.weight.grad()), number("%.1f", loss.item<double>()));
  hwaro::optim::SGD optim(model.parameters(), {.lr = 1e-2, .momentum = 0.9});
  optim.step();  // gradient descent
  print(number("%.0f", (model.forward(data) - labels).sum().item<double>()));

  // Fine-tuning: everything is frozen but a new last layer.
  for (const Tensor& p : model.parameters()) p.requires_grad_(false);
  model.replace_fc(10);
  std::string to_train, with_gradient;
  for (const auto& [name, p] : model.named_parameters())
    if (p.requires_grad()) to_train += " " + name;
  std::cout << "to train:" << to_train << '\n';
  hwaro::optim::SGD tune(model.parameters(), {.lr = 1e-2, .momentum = 0.9});
  tune.zero_grad();
  hwaro::cross_entropy(model.forward(data), hwaro::tensor({3})).backward();
  tune.step();
  for (const auto& [name, p] : model.named_parameters())
    if (p.grad().defined()) with_gradient += (with_gradient.empty() ? "'" : ", '") + name + "'";
  print("gradients:", "[" + with_gradient + "]");
}

}  // namespace

int main() {
  print("A tour of tensors");
  devices();
  attributes();
  creation();
  joining();
  splitting();
  casting();
  indexing();
  shapes();
  arithmetic();
  functions();
  products();
  autograd_quickstart();
  autograd_vectors();
  own_function();
  model();
}
