#include "hwaro/io/safetensors.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "hwaro/factories.h"
#include "hwaro/functions.h"
#include "hwaro/io/header_reader.h"

namespace hwaro::io {

namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // as in the reference implementation

struct TypeName {
  const char* name;
  DType dtype;
};
constexpr TypeName kTypes[] = {{"BOOL", DType::Bool}, {"U8", DType::UInt8},      {"I8", DType::Int8},
                               {"I16", DType::Int16}, {"I32", DType::Int32},     {"I64", DType::Int64},
                               {"F16", DType::Half},  {"BF16", DType::BFloat16}, {"F32", DType::Float},
                               {"F64", DType::Double}};

struct Close {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void broken(const std::string& path, const std::string& what) {
  raise(path, ": not a safetensors file: ", what);
}

void check_entry(const std::string& path, const HeaderEntry& e, DType dtype, std::uint64_t expected_begin) {
  const auto problem = [&](const char* what) { broken(path, concat("tensor ", quoted(e.name), ": ", what)); };
  std::uint64_t bytes = size_of(dtype);
  for (const std::int64_t n : e.shape)
    if (__builtin_mul_overflow(bytes, std::uint64_t(n), &bytes)) problem("its shape is too large");
  if (e.begin != expected_begin) problem("its data do not follow those of the tensor before");
  if (e.end < e.begin || e.end - e.begin != bytes) problem("its shape and its number of bytes differ");
}

}  // namespace

SafeTensors load_safetensors(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) raise(path, ": ", std::strerror(errno));
  std::fseek(file.get(), 0, SEEK_END);
  const long end = std::ftell(file.get());
  std::fseek(file.get(), 0, SEEK_SET);
  const auto size = std::uint64_t(end < 0 ? 0 : end);
  unsigned char prefix[8];
  if (std::fread(prefix, 1, 8, file.get()) != 8)
    broken(path, concat("it has ", size, " bytes, and the header's length takes 8"));
  std::uint64_t header_size = 0;
  for (int i = 7; i >= 0; --i) header_size = header_size << 8 | prefix[i];
  if (header_size > kMaxHeader || header_size > size - 8)
    broken(path, concat("its header would have ", header_size, " bytes, and ", size - 8, " follow"));
  std::string json(std::size_t(header_size), '\0');
  if (std::fread(json.data(), 1, json.size(), file.get()) != json.size()) broken(path, "its header cannot be read");

  Header header;
  try {
    header = read_header(json);
  } catch (const ValueError& e) {
    broken(path, e.what());
  }
  // Data lie in the order of their offsets; the result keeps the order of the header.
  std::vector<const HeaderEntry*> order;
  for (const HeaderEntry& e : header.entries) order.push_back(&e);
  std::stable_sort(order.begin(), order.end(), [](const HeaderEntry* a, const HeaderEntry* b) {
    return a->begin < b->begin || (a->begin == b->begin && a->end < b->end);
  });
  std::vector<DType> types(order.size());
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const TypeName& t) { return order[i]->dtype == t.name; });
    if (type == std::end(kTypes))
      broken(path, concat("tensor ", quoted(order[i]->name), " has the unknown type ", quoted(order[i]->dtype)));
    types[i] = type->dtype;
    check_entry(path, *order[i], types[i], at);
    at = order[i]->end;
  }
  if (at != size - 8 - header_size)
    broken(path, concat("its tensors take ", at, " bytes, and ", size - 8 - header_size, " follow the header"));

  SafeTensors out;
  out.metadata = std::move(header.metadata);
  for (const HeaderEntry& e : header.entries) out.tensors.emplace_back(e.name, Tensor());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Tensor t = empty(order[i]->shape, types[i]);
    if (std::fread(t->write(), 1, t.nbytes(), file.get()) != t.nbytes()) broken(path, "its data cannot be read");
    if (types[i] == DType::Bool)  // any byte may be in the file, and truth values are 0 and 1
      for (std::size_t k = 0; k < t.nbytes(); ++k)
        static_cast<unsigned char*>(t->write())[k] = static_cast<const unsigned char*>(t->read())[k] != 0;
    out.tensors[std::size_t(order[i] - header.entries.data())].second = t;
  }
  return out;
}

void save_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& tensors,
                      const std::vector<std::pair<std::string, std::string>>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata)
      json += (json.back() == '{' ? "" : ",") + quoted(key) + ":" + quoted(value);
    json += "}";
  }
  std::uint64_t at = 0;
  for (const auto& [name, t] : tensors) {
    const auto* type =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeName& k) { return k.dtype == t.dtype(); });
    HWARO_CHECK_AS(ValueError, type != std::end(kTypes), "safetensors has no type for ", name_of(t.dtype()),
                   " (tensor ", quoted(name), ")");
    json += (json.size() == 1 ? "" : ",") + quoted(name) + ":{\"dtype\":\"" + type->name + "\",\"shape\":[";
    for (std::size_t i = 0; i < t.sizes().size(); ++i) json += (i ? "," : "") + std::to_string(t.sizes()[i]);
    json += "],\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + t.nbytes()) + "]}";
    at += t.nbytes();
  }
  json += "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');  // so that the data are aligned
  const std::string partial = path + ".partial";
  const auto failed = [&] {
    const int error = errno;
    std::remove(partial.c_str());
    raise(path, ": ", std::strerror(error));
  };
  File file(std::fopen(partial.c_str(), "wb"));
  if (!file) failed();
  unsigned char prefix[8];
  for (int i = 0; i < 8; ++i) prefix[i] = static_cast<unsigned char>(std::uint64_t(json.size()) >> (8 * i));
  bool good =
      std::fwrite(prefix, 1, 8, file.get()) == 8 && std::fwrite(json.data(), 1, json.size(), file.get()) == json.size();
  for (const auto& [name, t] : tensors) {
    const Tensor dense = t.detach().cpu().resolve_conj().contiguous();
    good = good && std::fwrite(dense->read(), 1, dense.nbytes(), file.get()) == dense.nbytes();
  }
  good = good && std::fflush(file.get()) == 0;
  if (!good) failed();
  file.reset();
  if (std::rename(partial.c_str(), path.c_str()) != 0) failed();
}

}  // namespace hwaro::io
