// ResNet-18 (He et al. 2015, https://arxiv.org/abs/1512.03385, table 1) with torchvision's parameter names: the twin of
// examples/python/resnet18.py.
#pragma once

#include <hwaro/hwaro.h>

#include <optional>
#include <string>

// Two 3x3 convolutions whose result is added to their input; a 1x1 convolution fits the input where shapes differ.
class BasicBlock : public hwaro::nn::Module {
  using Conv2d = hwaro::nn::Conv2d;
  using BatchNorm2d = hwaro::nn::BatchNorm2d;
  using Sequential = hwaro::nn::Sequential;

 public:
  BasicBlock(std::int64_t inplanes, std::int64_t planes, std::int64_t stride = 1)
      : conv1(register_module("conv1", Conv2d(inplanes, planes, 3, {.stride = stride, .padding = 1, .bias = false}))),
        bn1(register_module("bn1", BatchNorm2d(planes))),
        conv2(register_module("conv2", Conv2d(planes, planes, 3, {.padding = 1, .bias = false}))),
        bn2(register_module("bn2", BatchNorm2d(planes))) {
    if (stride == 1 && inplanes == planes) return;
    Conv2d fit(inplanes, planes, 1, {.stride = stride, .bias = false});
    downsample = register_module("downsample", Sequential{fit, BatchNorm2d(planes)});
  }

  hwaro::Tensor forward(const hwaro::Tensor& x) {
    const hwaro::Tensor identity = downsample ? (*downsample)(x) : x;
    const hwaro::Tensor out = hwaro::relu(bn1(conv1(x)));
    return hwaro::relu(bn2(conv2(out)) + identity);
  }

  Conv2d conv1;
  BatchNorm2d bn1;
  Conv2d conv2;
  BatchNorm2d bn2;
  std::optional<Sequential> downsample;
};

// Images (N, 3, H, W) to logits (N, num_classes).
class ResNet18 : public hwaro::nn::Module {
  // Modules in braces are made from left to right, and so draw PyTorch's numbers.
  hwaro::nn::Sequential layer(const std::string& name, std::int64_t inplanes, std::int64_t planes) {
    return register_module(name, hwaro::nn::Sequential{BasicBlock(inplanes, planes, inplanes == planes ? 1 : 2),
                                                       BasicBlock(planes, planes)});
  }

 public:
  hwaro::nn::Conv2d conv1 =
      register_module("conv1", hwaro::nn::Conv2d(3, 64, 7, {.stride = 2, .padding = 3, .bias = false}));
  hwaro::nn::BatchNorm2d bn1 = register_module("bn1", hwaro::nn::BatchNorm2d(64));
  hwaro::nn::MaxPool2d maxpool = register_module("maxpool", hwaro::nn::MaxPool2d(3, {.stride = 2, .padding = 1}));
  hwaro::nn::Sequential layer1 = layer("layer1", 64, 64), layer2 = layer("layer2", 64, 128),
                        layer3 = layer("layer3", 128, 256), layer4 = layer("layer4", 256, 512);
  hwaro::nn::AdaptiveAvgPool2d avgpool = register_module("avgpool", hwaro::nn::AdaptiveAvgPool2d(1));
  hwaro::nn::Linear fc;

  explicit ResNet18(std::int64_t num_classes = 1000) : fc(register_module("fc", hwaro::nn::Linear(512, num_classes))) {
    for (const auto& [name, parameter] : named_parameters())
      if (parameter.dim() == 4) hwaro::nn::init::kaiming_normal_(parameter, 0, hwaro::nn::init::Fan::Out);
  }

  hwaro::Tensor forward(const hwaro::Tensor& images) {
    hwaro::Tensor x = maxpool(hwaro::relu(bn1(conv1(images))));
    x = layer4(layer3(layer2(layer1(x))));
    return fc(hwaro::flatten(avgpool(x), 1));
  }

  // A new last layer, for other classes.
  void replace_fc(std::int64_t num_classes) { fc = replace_module("fc", hwaro::nn::Linear(512, num_classes)); }
};
