// Reads the IDX files of MNIST and Fashion-MNIST, compressed with gzip as they are published.
#pragma once

#include <hwaro/hwaro.h>

#include <stdexcept>
#include <string>

// What a file was expected to be and what it is; what() is one line.
struct IdxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Dataset {
  hwaro::Tensor images;  // (N, 1, H, W) float32 in [0, 1]
  hwaro::Tensor labels;  // (N,) int64
};

// `split` is "train" or "t10k". Errors: IdxError for a file that is missing, damaged, or does not fit the other one.
Dataset load_split(const std::string& folder, const std::string& split);
