// Reads the JSON header of a safetensors file.
//
// By hand rather than by a library: the format allows only strings, whole numbers and lists of them, so a strict reader is
// short, refuses what a general parser would let pass (duplicate names, fractions, deep nesting), and nothing is to be
// installed or compiled for it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hwaro::io {

struct HeaderEntry {
  std::string name, dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};
struct Header {
  std::vector<HeaderEntry> entries;
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Errors: ValueError that says at which byte of the header what was expected.
Header read_header(std::string_view json);

// "text" with quotes, escaped.
std::string quoted(std::string_view text);

}  // namespace hwaro::io
