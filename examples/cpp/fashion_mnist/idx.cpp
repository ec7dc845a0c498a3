// An IDX file is a big-endian header (two zero bytes, the element type, the number of dimensions, their sizes) and the
// elements. Every field is checked before it is used, and the length of the data against the sizes.
#include "idx.h"

#include <zlib.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace {

constexpr std::uint32_t kImageMagic = 0x803, kLabelMagic = 0x801;
constexpr std::int64_t kSide = 28;

[[noreturn]] void fail(const std::string& path, const std::string& expected, const std::string& found) {
  throw IdxError(path + ": expected " + expected + ", found " + found);
}

// zlib's own words for what went wrong, without the path that it puts in front of some of them.
std::string reason(gzFile file, const std::string& path) {
  int code = Z_OK;
  const std::string text = gzerror(file, &code);
  const std::string prefix = path + ": ";
  return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : text;
}

std::vector<std::uint8_t> read_gzip(const std::string& path) {
  errno = 0;
  std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) fail(path, "a gzip file", errno ? std::strerror(errno) : "no memory to open it");

  std::vector<std::uint8_t> bytes;
  constexpr std::size_t kStep = 1 << 20;
  for (;;) {
    const std::size_t size = bytes.size();
    bytes.resize(size + kStep);
    const int count = gzread(file.get(), bytes.data() + size, kStep);
    if (count < 0) fail(path, "a gzip file", reason(file.get(), path));
    bytes.resize(size + static_cast<std::size_t>(count));
    if (static_cast<std::size_t>(count) < kStep) break;
  }
  // zlib passes a file through that is not compressed, and reports a cut one only here.
  if (bytes.empty()) fail(path, "a gzip file", "an empty one");
  if (gzdirect(file.get())) fail(path, "a gzip file", "one that is not compressed");
  int code = Z_OK;
  gzerror(file.get(), &code);
  if (code != Z_OK) fail(path, "a complete gzip file", reason(file.get(), path));
  return bytes;
}

std::uint32_t big_endian(const std::uint8_t* p) {
  return std::uint32_t{p[0]} << 24 | std::uint32_t{p[1]} << 16 | std::uint32_t{p[2]} << 8 | p[3];
}

// The elements of a file with the given magic number as a uint8 tensor of the header's sizes.
hwaro::Tensor read_idx(const std::string& path, std::uint32_t magic) {
  const std::vector<std::uint8_t> bytes = read_gzip(path);
  const std::size_t dims = magic & 0xff, header = 4 + 4 * dims;
  if (bytes.size() < header) {
    fail(path, "a header of " + std::to_string(header) + " bytes", std::to_string(bytes.size()) + " bytes");
  }
  if (const std::uint32_t found = big_endian(bytes.data()); found != magic) {
    fail(path, "magic number " + std::to_string(magic), std::to_string(found));
  }
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; i < dims; ++i) sizes.push_back(big_endian(bytes.data() + 4 + 4 * i));
  if (dims == 3 && (sizes[1] != kSide || sizes[2] != kSide)) {
    fail(path, "images of 28x28", std::to_string(sizes[1]) + "x" + std::to_string(sizes[2]));
  }
  const std::size_t elements = static_cast<std::size_t>(sizes[0]) * (dims == 3 ? kSide * kSide : 1);
  if (bytes.size() - header != elements) {
    fail(path, std::to_string(elements) + " bytes of data", std::to_string(bytes.size() - header));
  }
  hwaro::Tensor tensor = hwaro::empty(sizes, hwaro::kUInt8);
  std::memcpy(tensor.data_ptr<std::uint8_t>(), bytes.data() + header, elements);
  return tensor;
}

}  // namespace

Dataset load_split(const std::string& folder, const std::string& split) {
  const std::string images_path = folder + "/" + split + "-images-idx3-ubyte.gz";
  const std::string labels_path = folder + "/" + split + "-labels-idx1-ubyte.gz";
  const hwaro::Tensor images = read_idx(images_path, kImageMagic);
  const hwaro::Tensor labels = read_idx(labels_path, kLabelMagic);
  if (images.size(0) != labels.size(0)) {
    fail(labels_path, std::to_string(images.size(0)) + " labels, one per image", std::to_string(labels.size(0)));
  }
  return {images.unsqueeze(1).to(hwaro::kFloat32) / 255.0, labels.to(hwaro::kInt64)};
}
