// Files of named tensors, such as the state of a module:
//
//   hwaro::save(net.state_dict(), "net.safetensors");
//   net.load_state_dict(hwaro::load("net.safetensors"));
//
// The format is safetensors, which PyTorch's users read and write, too, and which can hold no code.
#pragma once

#include "hwaro/io/safetensors.h"

namespace hwaro {

// Replaces the file as a whole, or leaves it as it was. Errors: as io::save_safetensors.
inline void save(const std::vector<std::pair<std::string, Tensor>>& tensors, const std::string& path) {
  io::save_safetensors(path, tensors, {{"format", "pt"}});
}
// All tensors of a file, in its order. Errors: as io::load_safetensors.
inline std::vector<std::pair<std::string, Tensor>> load(const std::string& path) {
  return io::load_safetensors(path).tensors;
}

}  // namespace hwaro
