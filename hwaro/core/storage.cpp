#include "hwaro/core/storage.h"

#include <cstring>
#include <new>

#include "hwaro/base/error.h"
#include "hwaro/core/allocator.h"

namespace hwaro {

// Header and data share one block: one trip to the allocator per tensor, and the data stay 64-byte aligned.
static constexpr std::size_t kHeader = 128;
static_assert(sizeof(Storage) <= kHeader);

StoragePtr Storage::create(std::size_t bytes, Device device) {
  const bool meta = device.is_meta();
  const std::size_t block = kHeader + (meta ? 0 : bytes);
  void* memory = block < kHeader ? nullptr : try_allocate(block);  // less: the sum wrapped around
  if (!memory) raise_out_of_memory(bytes);
  auto* s = new (memory) Storage();
  s->raw_ = meta ? nullptr : static_cast<char*>(memory) + kHeader;
  s->nbytes_ = bytes;
  s->block_bytes_ = block;
  s->device_ = device;
  return StoragePtr::adopt(s);
}

StoragePtr Storage::borrow(void* data, std::size_t bytes, void (*release)(void*), void* context) {
  auto* s = new (allocate(kHeader)) Storage();
  s->raw_ = data;
  s->nbytes_ = bytes;
  s->release_ = release ? release : [](void*) {};
  s->context_ = context;
  s->block_bytes_ = kHeader;
  s->padded_ = false;
  return StoragePtr::adopt(s);
}

void Storage::destroy(Storage* s) noexcept {
  if (s->release_) s->release_(s->context_);
  if (s->separate_) deallocate(s->raw_, s->nbytes_);
  const std::size_t block = s->block_bytes_;
  s->~Storage();
  deallocate(s, block);
}

void Storage::resize(std::size_t bytes) {
  HWARO_CHECK(resizable(), "Trying to resize storage that is not resizable");
  if (bytes == nbytes_) return;
  if (!device_.is_meta()) {
    void* fresh = allocate(bytes);
    std::memcpy(fresh, raw_, bytes < nbytes_ ? bytes : nbytes_);
    if (separate_) deallocate(raw_, nbytes_);
    raw_ = fresh;
    separate_ = true;
  }
  nbytes_ = bytes;
}

}  // namespace hwaro
