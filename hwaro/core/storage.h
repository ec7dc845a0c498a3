// The bytes behind one or more tensors, and the only door to them.
//
// Nobody holds a raw pointer of their own: kernels, printing and exports ask read(), write() or escape() each time, so
// that copy-on-write, device moves and deferred work can later be decided in one place.
#pragma once

#include <atomic>
#include <cstddef>

#include "hwaro/base/intrusive_ptr.h"
#include "hwaro/core/device.h"

namespace hwaro {

class Storage final : public RefCounted {
 public:
  // Memory of the given size from the allocator; its contents are undefined. At least 64 readable and writable bytes
  // follow the last one (kernels run whole vectors over the end). Errors: OutOfMemoryError.
  static IntrusivePtr<Storage> create(std::size_t bytes, Device device = {});
  // Memory that belongs to somebody else; `release(context)` is called when the last tensor lets go of it.
  static IntrusivePtr<Storage> borrow(void* data, std::size_t bytes, void (*release)(void*), void* context);
  static void destroy(Storage* s) noexcept;

  const void* read() const { return raw_; }
  void* write() { return raw_; }
  // For pointers that outlive the call (NumPy, DLPack, data_ptr): from now on somebody else may read and write.
  void* escape() {
    escaped_ = true;
    return raw_;
  }

  std::size_t nbytes() const { return nbytes_; }
  Device device() const { return device_; }
  // Whether whole vectors may be read past the end (see create).
  bool padded() const { return padded_; }
  bool resizable() const { return release_ == nullptr; }
  bool escaped() const { return escaped_; }
  // Grows or shrinks, keeping the common prefix. Errors: RuntimeError for borrowed memory.
  void resize(std::size_t bytes);

  std::uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void bump_version() { version_.fetch_add(1, std::memory_order_relaxed); }
  void set_version(std::uint32_t v) { version_.store(v, std::memory_order_relaxed); }

 private:
  Storage() = default;
  ~Storage() = default;

  void* raw_ = nullptr;
  std::size_t nbytes_ = 0;
  void (*release_)(void*) = nullptr;
  void* context_ = nullptr;
  std::size_t block_bytes_ = 0;  // what this header and the data behind it were allocated with; 0: header alone
  std::atomic<std::uint32_t> version_{0};
  Device device_;
  bool padded_ = true;
  bool separate_ = false;  // data was moved to a block of its own by resize()
  bool escaped_ = false;
};
using StoragePtr = IntrusivePtr<Storage>;

}  // namespace hwaro
