// t[…] for reading and assignment, hooks, options by name, and calls that must mean one thing.
#include <doctest/doctest.h>
#include <hwaro/hwaro.h>

#include <cstdio>
#include <sstream>
#include <string>
#include <vector>

using hwaro::Ellipsis;
using hwaro::None;
using hwaro::Slice;
using hwaro::Tensor;

namespace {

std::string text(const Tensor& t) { return hwaro::to_string(t); }

template <class E, class F>
std::string thrown(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

template <class T>
concept AssignableRow = requires(T t, Tensor x) { t.narrow(0, 0, 1) = x; };

}  // namespace

TEST_CASE("t[…] reads: numbers, slices, None, Ellipsis, masks, lists of indices") {
  const Tensor t = hwaro::arange(12).reshape({3, 4});
  CHECK(text(t[1]) == "tensor([4, 5, 6, 7])");
  CHECK(text(t[std::size_t(1)][2]) == "tensor(6)");
  CHECK(text(t[{Slice(1, None), -1}]) == "tensor([ 7, 11])");
  CHECK(text(t[{Slice(None, None, 2), 0}]) == "tensor([0, 8])");
  CHECK(text(t[{Ellipsis, 3}]) == "tensor([ 3,  7, 11])");
  CHECK(t[None].shape() == hwaro::IntSpan({1, 3, 4}));
  CHECK(t[{Slice(), None}].shape() == hwaro::IntSpan({3, 1, 4}));
  CHECK(t[true].shape() == hwaro::IntSpan({1, 3, 4}));  // a truth value is no number
  CHECK(text(t[t > 9]) == "tensor([10, 11])");
  CHECK(text(t[{hwaro::tensor({2, 0}), hwaro::tensor({1, 3})}]) == "tensor([9, 3])");
  CHECK(text(t[hwaro::tensor(2)]) == "tensor([ 8,  9, 10, 11])");
  CHECK(t[hwaro::tensor(2)].storage_offset() == 8);  // a view
  CHECK(thrown<hwaro::IndexError>([&] { t[{0, 0, 0}]; }) == "too many indices for tensor of dimension 2");
  CHECK(thrown<hwaro::IndexError>([&] { t[3]; }) == "index 3 is out of bounds for dimension 0 with size 3");
}

TEST_CASE("t[…] = value writes through views, masks and lists") {
  const Tensor t = hwaro::zeros({3, 3}, hwaro::kInt64);
  t[0] = 1;
  t[{1, Slice(1, None)}] = hwaro::tensor({5, 6});
  t[{Ellipsis, 0}] = hwaro::tensor({7, 8, 9});
  CHECK(text(t) == "tensor([[7, 1, 1],\n        [8, 5, 6],\n        [9, 0, 0]])");
  t[t == 0] = -1;
  t[{hwaro::tensor({0, 1}), hwaro::tensor({0, 1})}] = 0;
  CHECK(text(t) == "tensor([[ 0,  1,  1],\n        [ 8,  0,  6],\n        [ 9, -1, -1]])");
  t[2] = t[1];
  t[0] = 2.9;  // converted to the type of the tensor
  CHECK(text(t) == "tensor([[2, 2, 2],\n        [8, 0, 6],\n        [8, 0, 6]])");
  CHECK(thrown<hwaro::Error>([&] { t[0] = hwaro::ones({2}); }) ==
        "The expanded size of the tensor (3) must match the existing size (2) at non-singleton dimension 0.  Target "
        "sizes: "
        "[3].  Tensor sizes: [2]");
  CHECK(thrown<hwaro::IndexError>([&] { t[5] = 1; }) == "index 5 is out of bounds for dimension 0 with size 3");
}

TEST_CASE("t[…] += value adds where it was read, once per place") {
  const Tensor t = hwaro::arange(4);
  t[0] += 10;
  t[t > 2] *= 2;
  t[{hwaro::tensor({1, 1})}] -= 1;  // as in Python: read, compute, write
  CHECK(text(t) == "tensor([20,  0,  2,  6])");
  auto row = t[hwaro::tensor({0})];
  row += 1;  // a variable is a tensor of its own
  CHECK(t[0].item<int>() == 20);
}

TEST_CASE("what a function returned cannot be assigned to") {
  static_assert(!AssignableRow<Tensor>);
  static_assert(!std::is_assignable_v<hwaro::Indexed&, const hwaro::Indexed&>);
}

TEST_CASE("assignment is recorded") {
  const Tensor x = hwaro::ones({3}, {.requires_grad = true});
  const Tensor y = x * 2;
  y[1] = 0;
  y[hwaro::tensor({true, false, false})] = 5;
  CHECK(y.requires_grad());
  y.sum().backward();
  CHECK(text(x.grad()) == "tensor([0., 0., 2.])");
  CHECK(thrown<hwaro::Error>([&] { x[0] = 1; }) ==
        "a view of a leaf Variable that requires grad is being used in an in-place operation.");
}

TEST_CASE("hooks see and replace gradients, and can be removed") {
  const Tensor x = hwaro::tensor({1.0, 2.0}, {.requires_grad = true});
  std::string seen;
  hwaro::HookHandle looks = x.register_hook([&](const Tensor& grad) { seen += text(grad); });
  hwaro::HookHandle tenfold = x.register_hook([](const Tensor& grad) { return 10 * grad; });
  hwaro::HookHandle after =
      x.register_post_accumulate_grad_hook([&](const Tensor& leaf) { seen += text(leaf.grad()); });
  (x * x).sum().backward();
  CHECK(seen == "tensor([2., 4.])tensor([20., 40.])");
  for (hwaro::HookHandle* handle : {&looks, &tenfold, &after, &tenfold}) handle->remove();
  x.set_grad(Tensor());
  (x * x).sum().backward();
  CHECK(text(x.grad()) == "tensor([2., 4.])");
  CHECK(seen == "tensor([2., 4.])tensor([20., 40.])");

  const Tensor middle = x * 3;
  middle.register_hook([](const Tensor& grad) { return hwaro::zeros_like(grad); });
  x.set_grad(Tensor());
  middle.sum().backward();
  CHECK(text(x.grad()) == "tensor([0., 0.])");
  CHECK(thrown<hwaro::Error>([] { hwaro::ones({1}).register_hook([](const Tensor&) {}); }) ==
        "cannot register a hook on a tensor that doesn't require gradient");
  CHECK(thrown<hwaro::Error>([&] { middle.register_post_accumulate_grad_hook([](const Tensor&) {}); }) ==
        "post accumulate grad hooks cannot be registered on non-leaf tensors");
}

TEST_CASE("retain_grad does not write into a tensor that is gone") {
  const Tensor x = hwaro::ones({2}, {.requires_grad = true});
  Tensor loss;
  {
    const Tensor middle = x * 2;
    middle.retain_grad();
    loss = middle.sum();
  }
  loss.backward();
  CHECK(text(x.grad()) == "tensor([2., 2.])");
}

TEST_CASE("a number for dim is a dimension, also where PyTorch has a truth value in its place") {
  const Tensor t = hwaro::tensor({{1.0, 3.0}, {2.0, 0.0}});
  CHECK(text(hwaro::var(t, 0)) == "tensor([0.5000, 4.5000])");
  CHECK(text(hwaro::std(t)) == "tensor(1.2910)");
  CHECK(text(t.var(std::nullopt, 0)) == "tensor(1.2500)");
  CHECK(text(t.argsort(0)) == "tensor([[0, 1],\n        [1, 0]])");
  CHECK(text(hwaro::embedding(hwaro::tensor({1, 0}), t)) == "tensor([[2., 0.],\n        [1., 3.]])");
  CHECK(text(hwaro::conv1d(t.reshape({1, 1, 4}), hwaro::ones({1, 1, 2}))) == "tensor([[[4., 5., 2.]]])");
  CHECK(text(t.clamp(std::nullopt, 2)) == "tensor([[1., 2.],\n        [2., 0.]])");
}

TEST_CASE("arguments by name: those given are used, the others keep their defaults, and plain lists stay lists") {
  const Tensor x = hwaro::arange(16.0).reshape({1, 1, 4, 4}), w = hwaro::ones({1, 1, 3, 3});
  CHECK(text(hwaro::conv2d(x, w, {.stride = 2, .padding = {0, 1}})) == "tensor([[[[27., 54.]]]])");
  CHECK(hwaro::equal(hwaro::conv2d(x, w, {}), hwaro::conv2d(x, w)));
  CHECK(hwaro::max_pool2d(x, 2, {1, 1}).shape() == hwaro::IntSpan({1, 1, 3, 3}));
  CHECK(text(hwaro::max_pool2d(x, 2, {.padding = 1})[{0, 0, 0}]) == "tensor([0., 2., 3.])");
  CHECK(text(hwaro::max_pool2d(x, 2, {.stride = {2, 1}, .padding = {0, 1}})[{0, 0, 0}]) ==
        "tensor([4., 5., 6., 7., 7.])");
  CHECK(text(hwaro::amax(x, 3)[{0, 0}]) == "tensor([ 3.,  7., 11., 15.])");
  CHECK(hwaro::amax(x, {2, 3}, true).shape() == hwaro::IntSpan({1, 1, 1, 1}));
  CHECK(text(hwaro::nansum(x, {.dim = {0, 1, 2}, .keepdim = false})) == "tensor([24., 28., 32., 36.])");
  CHECK(hwaro::nansum(x, {.keepdim = true}).shape() == hwaro::IntSpan({1, 1, 1, 1}));
  CHECK(hwaro::equal(hwaro::dropout(x, {.training = false}), x));
  const auto [values, indices] = hwaro::topk(hwaro::tensor({3, 1, 2}), 2, {.largest = false});
  CHECK(text(values) == "tensor([1, 2])");
  CHECK(text(indices) == "tensor([1, 2])");
  CHECK(text(hwaro::var(hwaro::tensor({1.0, 3.0}), {.correction = 0})) == "tensor(1.)");
  CHECK(text(hwaro::quantile(hwaro::arange(5.0), 0.3, {.interpolation = "lower"})) == "tensor(1.)");
  CHECK(text(hwaro::cross_entropy(hwaro::zeros({1, 2}), hwaro::tensor({0}), {.reduction = "none"})) ==
        "tensor([0.6931])");
}

TEST_CASE("factories by hand: logspace, scalar_tensor") {
  CHECK(text(hwaro::logspace(0, 2, 3)) == "tensor([  1.,  10., 100.])");
  CHECK(text(hwaro::logspace(0, 3, 4, 2, {.dtype = hwaro::kInt64})) == "tensor([1, 2, 4, 8])");
  CHECK(text(hwaro::scalar_tensor(3)) == "tensor(3.)");
}

TEST_CASE("number / tensor and number - tensor are what they are in Python") {
  const Tensor x = hwaro::tensor({3.0, 7.0}, {.requires_grad = true});
  CHECK((1 / x).grad_fn_name() == "MulBackward0");
  CHECK((1 - x).grad_fn_name() == "RsubBackward1");
  CHECK(hwaro::equal(5 / x, 5 * x.reciprocal()));
}

TEST_CASE("unique: values, inverse and counts by name") {
  const Tensor t = hwaro::tensor({3, 1, 3});
  CHECK(text(hwaro::unique(t)) == "tensor([1, 3])");
  const auto [values, inverse, counts] = hwaro::unique(t, {.return_inverse = true, .return_counts = true});
  CHECK(text(values) == "tensor([1, 3])");
  CHECK(text(inverse) == "tensor([1, 0, 1])");
  CHECK(text(counts) == "tensor([1, 2])");
  CHECK(text(hwaro::unique(hwaro::tensor({{1, 2}, {1, 2}}), {.dim = 0}).values) == "tensor([[1, 2]])");
  CHECK(text(hwaro::unique_consecutive(hwaro::tensor({1, 1, 2, 1}))) == "tensor([1, 2, 1])");
}

TEST_CASE("types, devices and sizes print") {
  std::ostringstream out;
  out << hwaro::kFloat32 << ' ' << hwaro::Device("cuda:1") << ' ' << hwaro::ones({2, 3}).shape();
  CHECK(out.str() == "torch.float32 cuda:1 [2, 3]");
}

TEST_CASE("save and load: a module's state") {
  namespace nn = hwaro::nn;
  const std::string path = "test_public_indexing.safetensors";
  nn::Sequential net{nn::Embedding(4, 3), nn::LayerNorm(3), nn::Linear(3, 2), nn::Tanh()};
  hwaro::save(net.state_dict(), path);
  nn::Sequential other{nn::Embedding(4, 3), nn::LayerNorm(3), nn::Linear(3, 2), nn::Tanh()};
  const Tensor x = hwaro::tensor({{0, 3}, {1, 1}});
  CHECK_FALSE(hwaro::equal(net(x), other(x)));
  other.load_state_dict(hwaro::load(path));
  std::remove(path.c_str());
  CHECK(hwaro::equal(net(x), other(x)));
  CHECK(net(x).shape() == hwaro::IntSpan({2, 2, 2}));
}

namespace {

struct Classifier : hwaro::nn::Module {
  hwaro::nn::Conv2d conv = register_module("conv", hwaro::nn::Conv2d(1, 2, {3, 1}, {.padding = {1, 0}}));
  hwaro::nn::Linear fc = register_module("fc", hwaro::nn::Linear(2, 3));
  Tensor forward(const Tensor& x) { return fc(hwaro::nn::AdaptiveAvgPool2d(1)(conv(x)).flatten(1)); }
  void replace(const std::string& name) { fc = replace_module(name, hwaro::nn::Linear(2, 5)); }
};

}  // namespace

TEST_CASE("a module can take the place of another") {
  Classifier net;
  net.replace("fc");
  CHECK(net.forward(hwaro::ones({1, 1, 4, 4})).shape() == hwaro::IntSpan({1, 5}));
  CHECK(net.named_parameters()[2].second.shape() == hwaro::IntSpan({5, 2}));
  CHECK(thrown<hwaro::ValueError>([&] { net.replace("head"); }) == "there is no module 'head' to replace");
}

TEST_CASE("modules print as in Python") {
  namespace nn = hwaro::nn;
  const nn::Sequential net{
      nn::Conv2d(1, 4, 3, {.padding = 1}),
      nn::Conv2d(4, 4, {3, 5}, {.stride = 2, .padding = {0, 1}, .dilation = 2, .groups = 2, .bias = false}),
      nn::BatchNorm2d(4),
      nn::BatchNorm2d(4, {.eps = 1e-3, .momentum = 1, .affine = false}),
      nn::ReLU(),
      nn::MaxPool2d(2),
      nn::MaxPool2d(3, {.stride = 2, .padding = 1}),
      nn::AvgPool2d(2),
      nn::AdaptiveAvgPool2d({1, 2}),
      nn::Flatten(),
      nn::Dropout(0.5),
      nn::LayerNorm(3),
      nn::LayerNorm({2, 3}, {.elementwise_affine = false}),
      nn::Embedding(4, 3),
      nn::GELU(),
      nn::Sequential{nn::Linear(64, 2, {.bias = false}), Classifier()}};
  std::ostringstream out;
  out << net;
  CHECK(
      out.str() ==
      "Sequential(\n"
      "  (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))\n"
      "  (1): Conv2d(4, 4, kernel_size=(3, 5), stride=(2, 2), padding=(0, 1), dilation=(2, 2), groups=2, bias=False)\n"
      "  (2): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)\n"
      "  (3): BatchNorm2d(4, eps=0.001, momentum=1.0, affine=False, bias=False, track_running_stats=True)\n"
      "  (4): ReLU()\n"
      "  (5): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
      "  (6): MaxPool2d(kernel_size=3, stride=2, padding=1, dilation=1, ceil_mode=False)\n"
      "  (7): AvgPool2d(kernel_size=2, stride=2, padding=0)\n"
      "  (8): AdaptiveAvgPool2d(output_size=(1, 2))\n"
      "  (9): Flatten(start_dim=1, end_dim=-1)\n"
      "  (10): Dropout(p=0.5, inplace=False)\n"
      "  (11): LayerNorm((3,), eps=1e-05, elementwise_affine=True, bias=True)\n"
      "  (12): LayerNorm((2, 3), eps=1e-05, elementwise_affine=False, bias=False)\n"
      "  (13): Embedding(4, 3)\n"
      "  (14): GELU(approximate='none')\n"
      "  (15): Sequential(\n"
      "    (0): Linear(in_features=64, out_features=2, bias=False)\n"
      "    (1): Classifier(\n"
      "      (conv): Conv2d(1, 2, kernel_size=(3, 1), stride=(1, 1), padding=(1, 0))\n"
      "      (fc): Linear(in_features=2, out_features=3, bias=True)\n"
      "    )\n"
      "  )\n"
      ")");
}
