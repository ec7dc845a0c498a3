#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"

#include <atomic>
#include <mutex>
#include <set>
#include <cstdio>

#include "hwaro/ops/kinds/out_types.h"

namespace hwaro::engine {

Device common_device(const Operand* operands, int count) {
  Device device;
  bool found = false;
  for (int i = 0; i < count; ++i) {
    if (!operands[i].is_tensor()) continue;
    const TensorImpl& t = *operands[i].tensor;
    if (t.device.is_cpu() && t.sizes.empty()) continue;
    if (!found) {
      device = t.device;
      found = true;
      continue;
    }
    HWARO_CHECK(t.device == device || !(t.device.is_meta() || device.is_meta()), "Tensor on device ", t.device.str(),
                " is not on the expected device ", device.str(), "!");
    HWARO_CHECK(t.device == device, "Expected all tensors to be on the same device, but found at least two devices, ",
                device.str(), " and ", t.device.str(), "!");
  }
  return device;
}

void check_internal_overlap(const Tensor& out) {
  HWARO_CHECK(
      !has_internal_overlap(*out.impl()),
      "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
      "Please clone() the tensor before performing the operation.");
}

// First and one past the last byte that a tensor's elements occupy.
static std::pair<const char*, const char*> extent(const TensorImpl& t) {
  const char* low = static_cast<const char*>(t.read());
  std::int64_t last = 0;
  for (int i = 0; i < t.dim(); ++i) last += (t.sizes[i] - 1) * t.strides[i];
  return {low, low + (last + 1) * std::int64_t(size_of(t.dtype))};
}

// How two tensors meet in memory. Where either has gaps that is too hard to say; they are then taken as apart.
enum class Overlap : std::uint8_t { None, Partial, Full };
static Overlap overlap_of(const TensorImpl& a, const TensorImpl& b) {
  if (&a == &b) return Overlap::Full;
  if (a.numel == 0 || b.numel == 0 || a.device.is_meta() || a.storage.get() != b.storage.get()) return Overlap::None;
  if (!is_dense_non_overlapping(a.sizes, a.strides) || !is_dense_non_overlapping(b.sizes, b.strides))
    return Overlap::None;
  const auto x = extent(a), y = extent(b);
  if (x == y && a.strides == b.strides) return Overlap::Full;
  return x.second <= y.first || y.second <= x.first ? Overlap::None : Overlap::Partial;
}

[[noreturn, gnu::cold]] static void raise_overlap() {
  raise(
      "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
      "location. Please clone() the tensor before performing the operation.");
}

void check_no_overlap(const Tensor& out, const Operand* operands, int count) {
  check_internal_overlap(out);
  if (out.numel() == 0 || out.device().is_meta()) return;
  for (int i = 0; i < count; ++i)
    if (const TensorImpl* t = operands[i].tensor; t && overlap_of(*out.impl(), *t) == Overlap::Partial) raise_overlap();
}

void check_apart(const Tensor& out, const Tensor& other) {
  if (!other.defined() || other.is_conj()) return;  // PyTorch resolves a lazy conjugate first
  if (overlap_of(*out.impl(), *other.impl()) != Overlap::None) raise_overlap();
}

void resize_tensor(const Tensor& t, IntSpan shape) {
  if (t.sizes() == shape) return;
  TensorImpl& impl = *t.impl();
  std::int64_t numel = 1, bytes = 0;
  bool overflow = false;
  for (std::int64_t s : shape) overflow = __builtin_mul_overflow(numel, s, &numel) || overflow;
  HWARO_CHECK(!overflow, "numel: integer multiplication overflow");
  overflow = __builtin_add_overflow(impl.offset, numel, &bytes) ||
             __builtin_mul_overflow(bytes, std::int64_t(size_of(impl.dtype)), &bytes);
  HWARO_CHECK(!overflow, "Storage size calculation overflowed with sizes=", sizes_str(shape));
  // The memory first: where there is none, the tensor stays as it is.
  if (numel > 0 && impl.storage->nbytes() < std::size_t(bytes)) impl.storage->resize(std::size_t(bytes));
  impl.sizes = Dims(shape);
  impl.strides = contiguous_strides(shape);
  impl.refresh_geometry();
}

void resize_out(const Tensor& out, IntSpan shape) {
  if (out.sizes() == shape) return;
  if (out.numel() != 0)
    warn(concat(
        "An output with one or more elements was resized since it had shape ", sizes_str(out.sizes()),
        ", which does not match the required output shape ", sizes_str(shape),
        ". This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they have "
        "zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
        "t.resize_(0)."));
  resize_tensor(out, shape);
}

[[noreturn, gnu::cold]] static void raise_out_type(const char* words, DType result, DType out) {
  raise(out_type_text(words, result, out, [result](char) { return result == DType::Int32 ? "True" : "False"; }));
}

void check_out_type(const OutRule& rule, DType result, DType out, std::size_t position) {
  using Fits = OutRule::Fits;
  if (rule.fits == Fits::Any || (rule.fits == Fits::Same ? result == out : can_cast(result, out))) return;
  const char* words = position == 1 && rule.second ? rule.second : rule.words;
  raise_out_type(words ? words : "result type %R can't be cast to the desired output type %O", result, out);
}

void store_out(const Tensor& out, const Tensor& result, const OutRule& rule, std::size_t position) {
  check_out_type(rule, result.dtype(), out.dtype(), position);
  HWARO_CHECK(out.device() == result.device(),
              "Expected all tensors to be on the same device, but found at least two devices, ", result.device().str(),
              " and ", out.device().str(), "!");
  resize_out(out, result.sizes());
  check_internal_overlap(out);
  if (!out.device().is_meta()) copy_raw(out, result);
  out->bump_version();
}

std::string camel_case(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper && c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c;
    upper = c >= '0' && c <= '9';
  }
  return out;
}

static void (*g_warning_handler)(const std::string&, const char*) = nullptr;
void set_warning_handler(void (*handler)(const std::string&, const char*)) { g_warning_handler = handler; }
void warn(const std::string& text, const char* category) {
  if (g_warning_handler) g_warning_handler(text, category);
  else std::fprintf(stderr, "%s: %s\n", category, text.c_str());
}

static std::atomic<bool> g_warn_always = false;
void set_warn_always(bool always) { g_warn_always = always; }
bool warn_always() { return g_warn_always; }
void warn_once(const std::string& text, const char* category) {
  static std::mutex mutex;
  static std::set<std::string> given;
  bool first;
  {
    std::lock_guard lock(mutex);
    first = given.insert(text).second;
  }
  if (first || g_warn_always) warn(text, category);
}

}  // namespace hwaro::engine
