// Trains a small convolutional network on Fashion-MNIST: the C++ twin of examples/python/fashion_mnist.py.
//
//   fashion_mnist [--data DIR] [--epochs N] [--batch-size N] [--lr X] [--seed N] [--limit N]
#include <hwaro/hwaro.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "idx.h"

namespace nn = hwaro::nn;
using hwaro::Tensor;

namespace {

struct Options {
  std::string data = "/usr/share/datasets/fashion-mnist";
  long epochs = 3;
  long batch_size = 64;
  double lr = 1e-3;
  long seed = 0;
  long limit = 0;  // 0: all training images
};

// (N, 1, 28, 28) -> (N, 10): two convolutions, each halved by pooling, and a linear layer.
struct Net : nn::Module {
  nn::Conv2d conv1 = register_module("conv1", nn::Conv2d(1, 16, 3));
  nn::Conv2d conv2 = register_module("conv2", nn::Conv2d(16, 32, 3));
  nn::Linear fc = register_module("fc", nn::Linear(32 * 5 * 5, 10));

  Tensor forward(const Tensor& images) {
    Tensor x = hwaro::max_pool2d(hwaro::relu(conv1(images)), 2);
    x = hwaro::max_pool2d(hwaro::relu(conv2(x)), 2);
    return fc(hwaro::flatten(x, 1));
  }
};

// Share of images whose largest logit is at their label.
double accuracy(Net& net, const Dataset& data) {
  hwaro::NoGradGuard no_grad;
  constexpr long kBatch = 1000;
  long right = 0;
  const long count = data.labels.size(0);
  for (long start = 0; start < count; start += kBatch) {
    const long size = std::min(kBatch, count - start);
    const Tensor guess = net.forward(data.images.narrow(0, start, size)).argmax(1);
    right += guess.eq(data.labels.narrow(0, start, size)).sum().item<std::int64_t>();
  }
  return static_cast<double>(right) / static_cast<double>(count);
}

void train(const Options& options) {
  hwaro::manual_seed(static_cast<std::uint64_t>(options.seed));
  Dataset training = load_split(options.data, "train");
  const Dataset held_out = load_split(options.data, "t10k");
  if (options.limit > 0 && options.limit < training.labels.size(0)) {
    training = {training.images.narrow(0, 0, options.limit), training.labels.narrow(0, 0, options.limit)};
  }
  const long count = training.labels.size(0);

  Net net;
  hwaro::optim::Adam optimizer(net.parameters(), {.lr = options.lr});
  for (long epoch = 1; epoch <= options.epochs; ++epoch) {
    const auto begin = std::chrono::steady_clock::now();
    const Tensor order = hwaro::randperm(count);
    double loss_sum = 0;
    for (long start = 0; start < count; start += options.batch_size) {
      const long size = std::min(options.batch_size, count - start);
      const Tensor index = order.narrow(0, start, size);
      optimizer.zero_grad();
      Tensor loss = hwaro::cross_entropy(net.forward(training.images.index_select(0, index)),
                                         training.labels.index_select(0, index));
      loss.backward();
      optimizer.step();
      loss_sum += loss.item<double>() * static_cast<double>(size);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("epoch %ld  loss %.4f  held-out accuracy %.2f %%  (%.1f s)\n", epoch,
                loss_sum / static_cast<double>(count), 100 * accuracy(net, held_out), seconds.count());
    std::fflush(stdout);
  }
}

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "fashion_mnist: %s\n", problem.c_str());
  std::exit(2);
}

// A whole number of at least `least`, or an error that names the option.
long whole(const std::string& option, const char* text, long least) {
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < least) {
    usage(option + " takes a whole number of at least " + std::to_string(least) + ", not '" + text + "'");
  }
  return value;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) usage(option + " needs a value");
    const char* value = argv[i + 1];
    if (option == "--data") {
      options.data = value;
    } else if (option == "--epochs") {
      options.epochs = whole(option, value, 1);
    } else if (option == "--batch-size") {
      options.batch_size = whole(option, value, 1);
    } else if (option == "--seed") {
      options.seed = whole(option, value, 0);
    } else if (option == "--limit") {
      options.limit = whole(option, value, 1);
    } else if (option == "--lr") {
      char* end = nullptr;
      options.lr = std::strtod(value, &end);
      if (*value == '\0' || *end != '\0' || !(options.lr > 0)) usage("--lr takes a number above 0");
    } else {
      usage("unknown option " + option);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    train(options);
  } catch (const IdxError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const hwaro::Error& error) {
    std::fprintf(stderr, "fashion_mnist: %s\n", error.what());
    return 1;
  }
}
