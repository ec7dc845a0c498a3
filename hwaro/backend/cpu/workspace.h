// Scratch memory of a kernel's driver: 64-byte aligned, uninitialised, given back at the end of the scope.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hwaro/core/allocator.h"

namespace hwaro {

template <class T>
class Workspace {
 public:
  explicit Workspace(std::int64_t count)
      : bytes_(static_cast<std::size_t>(count > 0 ? count : 1) * sizeof(T)), data_(static_cast<T*>(allocate(bytes_))) {}
  ~Workspace() { deallocate(data_, bytes_); }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace hwaro
