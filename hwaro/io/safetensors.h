// Files of named tensors in the safetensors format: an 8-byte length, a JSON header and the bytes. They hold nothing that
// could be executed. See https://github.com/huggingface/safetensors for the format.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hwaro/tensor.h"

namespace hwaro::io {

struct SafeTensors {
  std::vector<std::pair<std::string, Tensor>> tensors;  // in the order of the file
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Reads a whole file. Errors: Error with the path and what is wrong with it, for a file that cannot be read or whose header
// is not valid in every respect (lengths, types, shapes, offsets without gaps or overlap).
SafeTensors load_safetensors(const std::string& path);

// Writes through a temporary file beside the target, so that a failure leaves an older file as it was. Errors: Error;
// ValueError for complex tensors, which the format lacks.
void save_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& tensors,
                      const std::vector<std::pair<std::string, std::string>>& metadata = {});

}  // namespace hwaro::io
