// The public C++ interface, as programs write it.
#include <doctest/doctest.h>
#include <hwaro/hwaro.h>

#include <cmath>
#include <complex>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

using hwaro::Tensor;

namespace {

std::vector<double> values(const Tensor& t) {
  const Tensor flat = t.detach().to(hwaro::kFloat64).contiguous().view({-1});
  std::vector<double> out;
  for (std::int64_t i = 0; i < flat.numel(); ++i) out.push_back(flat[i].item<double>());
  return out;
}
using List = std::vector<double>;

template <class E, class F>
std::string thrown(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("factories: shape, type, options") {
  CHECK(hwaro::zeros({2, 3}).sizes() == hwaro::IntSpan({2, 3}));
  CHECK(hwaro::zeros({2}, hwaro::kInt64).dtype() == hwaro::kInt64);
  const Tensor t = hwaro::ones({2, 2}, {.dtype = hwaro::kFloat64, .requires_grad = true});
  CHECK(t.dtype() == hwaro::kFloat64);
  CHECK(t.requires_grad());
  CHECK(values(hwaro::arange(3)) == List{0, 1, 2});
  CHECK(hwaro::arange(3).dtype() == hwaro::kInt64);
  CHECK(values(hwaro::arange(1, 2, 0.5)) == List{1, 1.5});
  CHECK(values(hwaro::full({2}, 7)) == List{7, 7});
  CHECK(values(hwaro::eye(2)) == List{1, 0, 0, 1});
}

TEST_CASE("tensor: nested lists, inferred types, ragged lists") {
  const Tensor t = hwaro::tensor({{1, 2}, {3, 4}});
  CHECK(t.sizes() == hwaro::IntSpan({2, 2}));
  CHECK(t.dtype() == hwaro::kInt64);
  CHECK(hwaro::tensor({1.5, 2}).dtype() == hwaro::kFloat32);
  CHECK(hwaro::tensor(true).dtype() == hwaro::kBool);
  CHECK(hwaro::tensor(3).dim() == 0);
  CHECK(values(hwaro::tensor({1, 0}, hwaro::kFloat64)) == List{1, 0});
  CHECK(values(hwaro::tensor(std::vector<float>{1, 2})) == List{1, 2});
  CHECK(thrown<hwaro::ValueError>([] { hwaro::tensor({{1, 2}, {3}}); }) ==
        "expected sequence of length 2 at dim 1 (got 1)");
}

TEST_CASE("tensor: complex numbers of the standard library") {
  const Tensor z = hwaro::tensor({std::complex<double>(1, 2), std::complex<double>(0, -1)});
  CHECK(z.dtype() == hwaro::kComplex64);
  CHECK(hwaro::equal(hwaro::imag(z), hwaro::tensor({2.0, -1.0})));
}

TEST_CASE("random numbers: PyTorch's for the same seed") {
  hwaro::manual_seed(0);
  CHECK(hwaro::rand({1}).item<float>() == 0.49625658988952637f);
  CHECK(hwaro::randint(10, {3}).dtype() == hwaro::kInt64);
  hwaro::manual_seed(0);
  CHECK(values(hwaro::randperm(4)) == List{0, 1, 3, 2});
}

TEST_CASE("random numbers: the state goes on where it was taken") {
  hwaro::manual_seed(7);
  CHECK(hwaro::initial_seed() == 7);
  const Tensor state = hwaro::get_rng_state();
  CHECK(state.numel() == 5056);
  const Tensor first = hwaro::rand({3});
  hwaro::set_rng_state(state);
  CHECK(hwaro::equal(hwaro::rand({3}), first));
  CHECK(thrown<hwaro::TypeError>([&] { hwaro::set_rng_state(first); }) == "RNG state must be a torch.ByteTensor");
}

TEST_CASE("methods for operators whose first argument is not self, and of several results") {
  const Tensor x = hwaro::tensor({3, 1, 3, 3});
  CHECK(hwaro::equal(x.where(x > 2, hwaro::zeros_like(x)), hwaro::tensor({3, 0, 3, 3})));
  CHECK(hwaro::equal(x.unique(), hwaro::tensor({1, 3})));
  CHECK(hwaro::equal(x.unique_consecutive({.return_counts = true}).counts, hwaro::tensor({1, 1, 2})));
  CHECK(hwaro::equal(x.unique({.return_inverse = true}).inverse, hwaro::tensor({1, 0, 1, 1})));
  CHECK(x.type_as(hwaro::zeros({1}, hwaro::kFloat64)).dtype() == hwaro::kFloat64);
  CHECK(x.half().is_floating_point());
  CHECK(!x.is_complex());
  Tensor m = hwaro::zeros({7, 2});
  m.fill_diagonal_(1, true);
  CHECK(hwaro::equal(m.sum(1), hwaro::tensor({1., 1., 0., 1., 1., 0., 1.})));
}

TEST_CASE("losses made of other operators have named options") {
  const Tensor x = hwaro::tensor({1.0, 2.0}), y = hwaro::tensor({1.0, -1.0});
  CHECK(hwaro::poisson_nll_loss(x, x.abs(), {.log_input = false, .reduction = "sum"}).item<double>() ==
        doctest::Approx(3 - 2 * std::log(2.0)));
  CHECK(hwaro::hinge_embedding_loss(x, y, 3.0).item<double>() == doctest::Approx(1.0));
  CHECK(hwaro::normalize(hwaro::tensor({{3.0, 4.0}}))[{0, 1}].item<double>() == doctest::Approx(0.8));
  CHECK(thrown<hwaro::ValueError>([&] { hwaro::hinge_embedding_loss(x, y, 1.0, "avg"); }) ==
        "avg is not a valid value for reduction");
}

TEST_CASE("operators: tensors and numbers on both sides, in place") {
  const Tensor a = hwaro::tensor({1.0, 2.0, 4.0});
  CHECK(values(a + a) == List{2, 4, 8});
  CHECK(values(a * 2) == List{2, 4, 8});
  CHECK(values(1 - a) == List{0, -1, -3});
  CHECK(values(8 / a) == List{8, 4, 2});
  CHECK(values(-a) == List{-1, -2, -4});
  CHECK(values(a > 1.5) == List{0, 1, 1});
  CHECK((a == a).dtype() == hwaro::kBool);
  const Tensor b = a.clone();
  b += 1;
  b *= a;
  CHECK(values(b) == List{2, 6, 20});
  b.sub_(a).sqrt_();
  CHECK(values(b) == List{1, 2, 4});
  CHECK(values(hwaro::where(a > 1.5, a, 0)) == List{0, 2, 4});
  CHECK(values(a.clamp(1.5, 3)) == List{1.5, 2, 3});
}

TEST_CASE("sizes: a number stands for a list") {
  const Tensor t = hwaro::arange(6, hwaro::kFloat32).reshape({2, 3});
  CHECK(values(t.sum(0)) == List{3, 5, 7});
  CHECK(values(t.sum({0, 1})) == List{15});
  CHECK(values(t.sum()) == List{15});
  CHECK(t.sum(1, true).sizes() == hwaro::IntSpan({2, 1}));
}

TEST_CASE("indexing: numbers, slices, None, Ellipsis, masks; assignment") {
  using hwaro::Ellipsis;
  using hwaro::None;
  using hwaro::Slice;
  const Tensor t = hwaro::arange(12).reshape({3, 4});
  CHECK(values(t[1]) == List{4, 5, 6, 7});
  CHECK(t[1][2].item<int>() == 6);
  CHECK(values(t.index({Slice(0, 2), 1})) == List{1, 5});
  CHECK(values(t.index({Ellipsis, -1})) == List{3, 7, 11});
  CHECK(t.index({None, 0}).sizes() == hwaro::IntSpan({1, 4}));
  CHECK(values(t.index({t > 9})) == List{10, 11});
  CHECK(values(t.index({hwaro::tensor({2, 0}), 0})) == List{8, 0});
  t.index_put_({0}, -1);
  CHECK(values(t[0]) == List{-1, -1, -1, -1});
  CHECK(thrown<hwaro::IndexError>([&] { t[3]; }) == "index 3 is out of bounds for dimension 0 with size 3");
}

TEST_CASE("item and data_ptr check what they are asked for") {
  const Tensor t = hwaro::tensor({1.0, 2.0});
  CHECK(thrown<hwaro::Error>([&] { t.item(); }) == "a Tensor with 2 elements cannot be converted to Scalar");
  t.data_ptr<float>()[1] = 5;
  CHECK(values(t) == List{1, 5});
  CHECK(thrown<hwaro::Error>([&] { t.data_ptr<double>(); }) == "expected scalar type Double but found Float");
}

TEST_CASE("errors are typed") {
  CHECK(thrown<hwaro::Error>([] { hwaro::ones({2}) + hwaro::ones({3}); }) ==
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0");
  CHECK(thrown<hwaro::NotImplementedError>([] { hwaro::bitwise_not(hwaro::ones({2})); }) ==
        "\"bitwise_not_cpu\" not implemented for 'Float'");
  CHECK(thrown<hwaro::IndexError>([] { hwaro::ones({2}).size(1); }) ==
        "Dimension out of range (expected to be in range of [-1, 0], but got 1)");
}

TEST_CASE("autograd: backward, grad, names, no_grad") {
  const Tensor x = hwaro::tensor({1.0, 2.0}).requires_grad_();
  const Tensor y = (x * x).sum();
  CHECK(y.grad_fn_name() == "SumBackward0");
  y.backward();
  CHECK(values(x.grad()) == List{2, 4});
  (x * 3).sum().backward();
  CHECK(values(x.grad()) == List{5, 7});
  const Tensor g = hwaro::autograd::grad({(x * x * x).sum()}, {x}, {}, {.create_graph = true})[0];
  CHECK(values(g) == List{3, 12});
  CHECK(values(hwaro::autograd::grad({g.sum()}, {x})[0]) == List{6, 12});
  {
    hwaro::NoGradGuard no_grad;
    CHECK_FALSE((x * 2).requires_grad());
  }
  const Tensor middle = x * 2;
  middle.retain_grad();
  middle.sum().backward();
  CHECK(values(middle.grad()) == List{1, 1});
  const Tensor w = hwaro::tensor({2.0}, {.requires_grad = true}), square = w * w;
  square.backward({.retain_graph = true});
  square.backward();
  CHECK(w.grad().item<double>() == 8.0);
}

namespace {

struct Cube : hwaro::Function<Cube> {
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save_for_backward({x});
    return x * x * x;
  }
  static std::vector<Tensor> backward(Context& ctx, const std::vector<Tensor>& grads) {
    const Tensor x = ctx.saved()[0];
    return {3 * x * x * grads[0]};
  }
};

}  // namespace

TEST_CASE("Function: a gradient of one's own") {
  const Tensor x = hwaro::tensor({2.0}).requires_grad_();
  const Tensor y = Cube::apply(x);
  CHECK(y.grad_fn_name() == "CubeBackward");
  y.sum().backward();
  CHECK(values(x.grad()) == List{12});
  CHECK_FALSE(Cube::apply(hwaro::ones({1})).requires_grad());
  const Tensor z = hwaro::tensor({2.0}).requires_grad_();
  const Tensor w = z * 1;
  const Tensor cubed = Cube::apply(w);
  w.mul_(2);
  CHECK(thrown<hwaro::Error>([&] { cubed.sum().backward(); }).find("modified by an inplace operation") !=
        std::string::npos);
}

namespace {

struct Net : hwaro::nn::Module {
  hwaro::nn::Linear hidden = register_module("hidden", hwaro::nn::Linear(3, 4));
  hwaro::nn::Linear out = register_module("out", hwaro::nn::Linear(4, 1, {.bias = false}));
  Tensor forward(const Tensor& x) { return out(hwaro::relu(hidden(x))); }
};

}  // namespace

TEST_CASE("Module: parameters, names, state, training flag") {
  Net net;
  std::string names;
  for (const auto& [name, value] : net.named_parameters()) names += name + " ";
  CHECK(names == "hidden.weight hidden.bias out.weight ");
  CHECK(net.parameters().size() == 3);
  net.eval();
  CHECK_FALSE(net.hidden.is_training());
  Net other;
  other.load_state_dict(net.state_dict());
  CHECK(hwaro::equal(net.hidden.weight, other.hidden.weight));
  auto state = net.state_dict();
  state[0].first = "wrong";
  const std::string text = thrown<hwaro::Error>([&] { other.load_state_dict(state); });
  CHECK(text.find("Missing key(s) in state_dict: \"hidden.weight\"") != std::string::npos);
  CHECK(text.find("Unexpected key(s) in state_dict: \"wrong\"") != std::string::npos);
  net.to(hwaro::kFloat64);
  CHECK(net.hidden.weight.dtype() == hwaro::kFloat64);
  CHECK(net.parameters()[0].dtype() == hwaro::kFloat64);
}

TEST_CASE("layers start with PyTorch's numbers") {
  hwaro::manual_seed(0);
  const hwaro::nn::Linear linear(3, 2);
  // torch.manual_seed(0); torch.nn.Linear(3, 2).weight[0], .bias
  CHECK(std::abs(linear.weight[0][0].item<float>() - -0.004322529f) < 1e-6f);
  CHECK(std::abs(linear.bias[1].item<float>() - 0.45777494f) < 1e-6f);
}

TEST_CASE("optimizers follow PyTorch's path from the same seed") {
  // The loss before the 20th step in PyTorch 2.13: SGD, Nesterov, Adam, AdamW.
  const double expected[] = {2.222224473953247, 2.041477918624878, 2.1856679916381836, 2.184159278869629};
  for (int kind = 0; kind < 4; ++kind) {
    hwaro::manual_seed(1);
    Net net;
    std::unique_ptr<hwaro::optim::Optimizer> optimizer;
    if (kind == 0)
      optimizer = std::make_unique<hwaro::optim::SGD>(net.parameters(), hwaro::optim::SGD::Options{.lr = 0.05});
    if (kind == 1)
      optimizer = std::make_unique<hwaro::optim::SGD>(
          net.parameters(), hwaro::optim::SGD::Options{.lr = 0.02, .momentum = 0.9, .nesterov = true});
    if (kind == 2)
      optimizer = std::make_unique<hwaro::optim::Adam>(net.parameters(), hwaro::optim::Adam::Options{.lr = 0.1});
    if (kind == 3)
      optimizer = std::make_unique<hwaro::optim::AdamW>(net.parameters(), hwaro::optim::AdamW::Options{.lr = 0.1});
    const Tensor x = hwaro::randn({64, 3}), y = x.sum(1, true);
    double last = 0;
    for (int i = 0; i < 20; ++i) {
      optimizer->zero_grad();
      const Tensor loss = (net.forward(x) - y).square().mean();
      loss.backward();
      optimizer->step();
      last = loss.item<double>();
    }
    CAPTURE(kind);
    CHECK(std::abs(last - expected[kind]) < 1e-5 * expected[kind]);
  }
}

TEST_CASE("layers for images: shapes, and what training mode changes") {
  namespace nn = hwaro::nn;
  nn::Sequential net(nn::Conv2d(1, 4, 3, {.padding = {1, 1}}), nn::BatchNorm2d(4), nn::ReLU(), nn::MaxPool2d(2),
                     nn::Flatten(), nn::Dropout(0.5), nn::Linear(4 * 4 * 4, 2));
  CHECK(net.parameters().size() == 6);
  CHECK(net.named_parameters()[2].first == "1.weight");
  const Tensor x = hwaro::randn({3, 1, 8, 8});
  CHECK(net(x).sizes() == hwaro::IntSpan({3, 2}));
  CHECK(net.state_dict().size() == 9);
  net.eval();
  CHECK(hwaro::equal(net(x), net(x)));
  const nn::Dropout dropout(0.5);
  const Tensor kept = dropout(hwaro::ones({1000}));
  const double share = (kept == 0).sum().item<double>();
  CHECK(share > 400);
  CHECK(share < 600);
  CHECK(kept.max().item<float>() == 2.0f);
  nn::BatchNorm2d norm(4);
  const Tensor y = norm(hwaro::randn({8, 4, 5, 5}) * 3 + 1);
  CHECK(std::abs(y.mean().item<double>()) < 1e-5);
  CHECK(norm.num_batches_tracked.item<int>() == 1);
}

TEST_CASE("schedules") {
  const Tensor p = hwaro::ones({1}).requires_grad_();
  hwaro::optim::SGD sgd({p}, {.lr = 1.0});
  hwaro::optim::StepLR steps(sgd, 2, 0.1);
  List rates;
  for (int i = 0; i < 4; ++i) {
    rates.push_back(sgd.lr());
    steps.step();
  }
  CHECK(rates[1] == 1.0);
  CHECK(std::abs(rates[2] - 0.1) < 1e-12);
  hwaro::optim::SGD other({p}, {.lr = 1.0});
  hwaro::optim::CosineAnnealingLR cosine(other, 4);
  for (int i = 0; i < 2; ++i) cosine.step();
  CHECK(std::abs(other.lr() - 0.5) < 1e-12);
  for (int i = 0; i < 2; ++i) cosine.step();
  CHECK(std::abs(other.lr()) < 1e-12);
}

TEST_CASE("safetensors: what is saved comes back; broken files are named") {
  const std::string path = "test_public_api.safetensors";
  const Tensor a = hwaro::arange(6, hwaro::kFloat32).reshape({2, 3}).t(), b = hwaro::tensor({true, false});
  hwaro::io::save_safetensors(path, {{"a", a}, {"b \"q\"", b}}, {{"format", "pt"}});
  const auto read = hwaro::io::load_safetensors(path);
  REQUIRE(read.tensors.size() == 2);
  CHECK(read.tensors[0].first == "a");
  CHECK(hwaro::equal(read.tensors[0].second, a));
  CHECK(read.tensors[1].first == "b \"q\"");
  CHECK(hwaro::equal(read.tensors[1].second, b));
  CHECK(read.metadata[0].second == "pt");
  std::FILE* f = std::fopen(path.c_str(), "r+b");
  std::fputc('x', f);  // the header's length is wrong now
  std::fclose(f);
  CHECK(thrown<hwaro::Error>([&] { hwaro::io::load_safetensors(path); }).find(path + ": not a safetensors file: ") ==
        0);
  std::remove(path.c_str());
  CHECK(thrown<hwaro::Error>([&] { hwaro::io::load_safetensors(path); }) == path + ": No such file or directory");
  CHECK(thrown<hwaro::ValueError>([&] {
          hwaro::io::save_safetensors(path, {{"c", hwaro::zeros({1}, hwaro::kComplex64)}});
        }).find("safetensors has no type for complex64") == 0);
}
