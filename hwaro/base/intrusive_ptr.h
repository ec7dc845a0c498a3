// Reference counting inside the object: one word per pointer, no control block.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace hwaro {

// Base of everything held by an IntrusivePtr. `release` of the last reference calls T::destroy(T*).
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
  // True if this was the last reference.
  bool drop() const noexcept {
    if (count_.load(std::memory_order_acquire) == 1) return true;  // sole owner: nobody else can add one
    return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  // Takes a reference unless the object is already on its way out (count 0); for weak look-ups under a lock.
  bool try_retain() const noexcept {
    std::uint32_t count = count_.load(std::memory_order_relaxed);
    while (count != 0)
      if (count_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    return false;
  }
  std::uint32_t use_count() const noexcept { return count_.load(std::memory_order_relaxed); }

 protected:
  ~RefCounted() = default;

 private:
  mutable std::atomic<std::uint32_t> count_{1};
};

template <class T>
class IntrusivePtr {
 public:
  constexpr IntrusivePtr() noexcept = default;
  constexpr IntrusivePtr(std::nullptr_t) noexcept {}  // NOLINT
  // Takes over one existing reference.
  static IntrusivePtr adopt(T* p) noexcept {
    IntrusivePtr out;
    out.p_ = p;
    return out;
  }
  // Adds a reference.
  static IntrusivePtr share(T* p) noexcept {
    if (p) p->retain();
    return adopt(p);
  }
  IntrusivePtr(const IntrusivePtr& other) noexcept : p_(other.p_) {
    if (p_) p_->retain();
  }
  IntrusivePtr(IntrusivePtr&& other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
  IntrusivePtr& operator=(IntrusivePtr other) noexcept {
    std::swap(p_, other.p_);
    return *this;
  }
  ~IntrusivePtr() {
    if (p_ && p_->drop()) T::destroy(p_);
  }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  T* release() noexcept { return std::exchange(p_, nullptr); }
  void reset() noexcept { *this = IntrusivePtr(); }
  friend bool operator==(const IntrusivePtr& a, const IntrusivePtr& b) noexcept { return a.p_ == b.p_; }

 private:
  T* p_ = nullptr;
};

}  // namespace hwaro
