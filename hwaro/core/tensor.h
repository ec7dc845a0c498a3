// Tensor: a counted pointer to sizes, strides, an offset, a type and a storage, plus what autograd hangs on it.
#pragma once

#include <atomic>
#include <optional>

#include "hwaro/base/intrusive_ptr.h"
#include "hwaro/base/small_vector.h"
#include "hwaro/core/device.h"
#include "hwaro/core/dtype.h"
#include "hwaro/core/scalar.h"
#include "hwaro/core/storage.h"

namespace hwaro {

struct AutogradMeta;  // autograd/node.h

// What core needs to know of a node of the autograd graph: that it can be counted and let go of.
class GraphNode : public RefCounted {
 public:
  static void destroy(GraphNode* n) noexcept { n->dispose(); }

 protected:
  virtual ~GraphNode() = default;
  virtual void dispose() noexcept = 0;
};

enum class MemoryFormat : std::uint8_t { Contiguous, Preserve, ChannelsLast, ChannelsLast3d };

enum TensorFlags : std::uint32_t {
  kContiguous = 1u << 0,     // row-major without gaps (also true of empty and one-element tensors)
  kTracked = 1u << 1,        // requires_grad is set or there is a grad_fn
  kConj = 1u << 2,           // a lazy conjugate view: elements are the conjugates of what storage holds
  kWrappedNumber = 1u << 3,  // a 0-dim tensor that came from a Python number
  kInference = 1u << 4,      // made under inference_mode
  kIsView = 1u << 5,         // made by a view operator: view_base says of what
};

// Counts writes for tensors that do not share their storage's counter: what .data returns, tensors that were given other
// memory, and all views of them.
class VersionCounter final : public RefCounted {
 public:
  static IntrusivePtr<VersionCounter> create(std::uint32_t version);
  static void destroy(VersionCounter* counter) noexcept;
  std::atomic<std::uint32_t> version;

 private:
  explicit VersionCounter(std::uint32_t version) : version(version) {}
};

class TensorImpl final : public RefCounted {
 public:
  static TensorImpl* create();  // refcount 1, all fields default
  static void destroy(TensorImpl* t) noexcept;

  StoragePtr storage;
  std::int64_t offset = 0;  // in elements
  std::int64_t numel = 0;
  std::uint32_t flags = 0;
  DType dtype = DType::Float;
  Device device;
  bool requires_grad = false;  // the user's flag on a leaf
  std::uint32_t output_nr = 0;
  std::uint32_t view_version = 0;  // of a view: the version for which grad_fn is right (Note [In-place on views])
  std::uint8_t view_origin = 0;    // of a view: ViewOrigin, under which grad mode it was made
  bool owns_pyobj = false;         // true while only this tensor keeps its Python object alive
  IntrusivePtr<GraphNode> grad_fn;
  IntrusivePtr<TensorImpl> view_base;    // of a view: the tensor at the root of the chain of views
  IntrusivePtr<VersionCounter> counter;  // where it is not the storage's
  AutogradMeta* autograd = nullptr;      // owned; made on demand
  void* pyobj = nullptr;                 // the Python object that wraps this tensor, if there is one
  Dims sizes, strides;

  int dim() const { return static_cast<int>(sizes.size()); }
  bool is(std::uint32_t f) const { return flags & f; }
  void set(std::uint32_t f, bool on) { flags = on ? flags | f : flags & ~f; }
  // Recomputes numel and the contiguous flag; to be called after sizes or strides changed.
  void refresh_geometry();

  std::uint32_t version() const {
    if (counter) [[unlikely]]
      return counter->version.load(std::memory_order_relaxed);
    return storage ? storage->version() : 0;
  }
  void bump_version() {
    if (counter) [[unlikely]]
      counter->version.fetch_add(1, std::memory_order_relaxed);
    else if (storage) storage->bump_version();
  }
  void set_version(std::uint32_t v) {
    if (counter) counter->version.store(v, std::memory_order_relaxed);
    else storage->set_version(v);
  }
  // From now on the writes to this tensor and its future views are counted apart from those to its memory.
  void count_apart() {
    if (!counter) counter = VersionCounter::create(version());
  }

  // First element. `write` is for fresh results and for in-place operators that bump the version themselves.
  const void* read() const { return static_cast<const char*>(storage->read()) + offset * std::int64_t(size_of(dtype)); }
  void* write() const { return static_cast<char*>(storage->write()) + offset * std::int64_t(size_of(dtype)); }
  template <class T>
  const T* read_as() const {
    return static_cast<const T*>(read());
  }
  template <class T>
  T* write_as() const {
    return static_cast<T*>(write());
  }

 private:
  TensorImpl() = default;
  ~TensorImpl() = default;
};

// Called by TensorImpl::destroy for parts that core does not know. Set once at load by the layers that own them.
struct TensorHooks {
  void (*destroy_autograd)(AutogradMeta*) = nullptr;
  void (*destroy_pyobj)(TensorImpl*) = nullptr;
};
extern TensorHooks g_tensor_hooks;

// The tensor as the engine sees it: what it is by itself, without a method per operator. hwaro::Tensor, which users see,
// derives from it and adds those; so a new operator does not recompile the engine.
namespace engine {

class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(IntrusivePtr<TensorImpl> impl) : impl_(std::move(impl)) {}

  bool defined() const { return bool(impl_); }
  TensorImpl* impl() const { return impl_.get(); }
  TensorImpl* operator->() const { return impl_.get(); }
  const IntrusivePtr<TensorImpl>& ptr() const { return impl_; }
  IntrusivePtr<TensorImpl>& ptr() { return impl_; }

  int dim() const { return impl_->dim(); }
  std::int64_t numel() const { return impl_->numel; }
  IntSpan sizes() const { return impl_->sizes; }
  IntSpan strides() const { return impl_->strides; }
  std::int64_t storage_offset() const { return impl_->offset; }
  // Negative dims count from the end. Errors: IndexError.
  std::int64_t size(std::int64_t dim) const;
  std::int64_t stride(std::int64_t dim) const;
  DType dtype() const { return impl_->dtype; }
  Device device() const { return impl_->device; }
  std::size_t element_size() const { return size_of(dtype()); }
  std::size_t nbytes() const { return element_size() * std::size_t(numel()); }
  bool is_contiguous() const { return impl_->is(kContiguous); }
  bool is_contiguous(MemoryFormat format) const;
  bool is_conj() const { return impl_->is(kConj); }
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }
  std::uint32_t version() const { return impl_->version(); }

 protected:
  IntrusivePtr<TensorImpl> impl_;
};

}  // namespace engine

// ---- geometry ----

// Wraps a negative dim. Errors: IndexError "Dimension out of range (expected to be in range of [-d, d-1], but got x)".
std::int64_t wrap_dim(std::int64_t dim, std::int64_t ndim, bool wrap_scalar = true);
Dims contiguous_strides(IntSpan sizes);
Dims channels_last_strides(IntSpan sizes);  // 4-d and 5-d
std::int64_t product(IntSpan sizes);
bool is_contiguous_geometry(IntSpan sizes, IntSpan strides);
// Whether the elements fill a block of memory without gaps or overlap, in some order of dimensions.
bool is_dense_non_overlapping(IntSpan sizes, IntSpan strides);
// Strides of a fresh tensor that keeps the order of dimensions of `like` (memory_format=preserve).
Dims preserved_strides(IntSpan sizes, IntSpan strides);
// Whether two elements may share memory (an expanded dimension of size > 1).
bool has_internal_overlap(const TensorImpl& t);
std::string sizes_str(IntSpan sizes);  // "[2, 3]"

}  // namespace hwaro
