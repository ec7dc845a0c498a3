// Tensors, gradients, a module and a file, in fifty lines.
#include <hwaro/hwaro.h>

#include <cstdio>

using hwaro::Tensor;

namespace {

// y = x^2 + 1 with a gradient written by hand.
struct Parabola : hwaro::Function<Parabola> {
  static Tensor forward(Context& ctx, const Tensor& x) {
    ctx.save_for_backward({x});
    return x * x + 1;
  }
  static std::vector<Tensor> backward(Context& ctx, const std::vector<Tensor>& grads) {
    return {2 * ctx.saved()[0] * grads[0]};
  }
};

struct Line : hwaro::nn::Module {
  hwaro::nn::Linear layer = register_module("layer", hwaro::nn::Linear(1, 1));
  Tensor forward(const Tensor& x) { return layer(x); }
};

}  // namespace

int main() {
  // Tensors are written out or made; numbers stand on either side of an operator.
  const Tensor a = hwaro::tensor({{1.0, 2.0}, {3.0, 4.0}});
  std::printf("sum of 2 * a + 1: %g\n", (2 * a + 1).sum().item<double>());
  std::printf("a[1][0]: %g, last column: %g %g\n", a[1][0].item<double>(),
              a.index({hwaro::Ellipsis, -1})[0].item<double>(), a.index({hwaro::Slice(), -1})[1].item<double>());

  // Gradients.
  const Tensor x = hwaro::tensor({3.0}, {.requires_grad = true});
  Parabola::apply(x).sum().backward();
  std::printf("the slope of x^2 + 1 at 3: %g\n", x.grad().item<double>());

  // A line through noisy points.
  hwaro::manual_seed(0);
  const Tensor points = hwaro::rand({100, 1}), heights = 3 * points - 1 + 0.01 * hwaro::randn({100, 1});
  Line line;
  hwaro::optim::SGD optimizer(line.parameters(), {.lr = 0.5, .momentum = 0.9});
  for (int step = 0; step < 100; ++step) {
    optimizer.zero_grad();
    (line.forward(points) - heights).square().mean().backward();
    optimizer.step();
  }
  std::printf("fitted: %.2f x + %.2f\n", line.layer.weight.item<double>(), line.layer.bias.item<double>());

  // What was learned, in a file that any reader of safetensors understands.
  hwaro::io::save_safetensors("line.safetensors", line.state_dict());
  Line loaded;
  loaded.load_state_dict(hwaro::io::load_safetensors("line.safetensors").tensors);
  std::printf("loaded: %.2f x + %.2f\n", loaded.layer.weight.item<double>(), loaded.layer.bias.item<double>());

  try {
    a + hwaro::ones({3});
  } catch (const hwaro::Error& error) {
    std::printf("caught: %s\n", error.what());
  }
}
