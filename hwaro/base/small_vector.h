// A vector of trivially copyable elements with the first N inline, and a non-owning view of such a sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>
#include <vector>

namespace hwaro {

// A view of consecutive elements; like std::span<const T>, and also made from an initializer_list.
template <class T>
class Span {
 public:
  constexpr Span() = default;
  constexpr Span(const T* data, std::size_t size) : data_(data), size_(size) {}
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // meant for arguments of one call, where the array lives on
#endif
  constexpr Span(std::initializer_list<T> list) : data_(list.begin()), size_(list.size()) {}  // NOLINT
#pragma GCC diagnostic pop
  Span(const std::vector<T>& v) : data_(v.data()), size_(v.size()) {}  // NOLINT
  template <class C>
    requires(!std::is_same_v<std::remove_cvref_t<C>, Span> &&
             requires(const C& c) {
               { c.data() } -> std::convertible_to<const T*>;
               c.size();
             })
  constexpr Span(const C& c) : data_(c.data()), size_(c.size()) {}  // NOLINT
  constexpr const T* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }
  constexpr const T& operator[](std::size_t i) const { return data_[i]; }
  constexpr const T& back() const { return data_[size_ - 1]; }
  friend bool operator==(Span a, Span b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.data_[i] == b.data_[i])) return false;
    return true;
  }

 private:
  const T* data_ = nullptr;
  std::size_t size_ = 0;
};

using IntSpan = Span<std::int64_t>;

template <class T, std::size_t N>
class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SmallVector() = default;
  explicit SmallVector(std::size_t size, T value = T()) {
    reserve(size);
    size_ = static_cast<std::uint32_t>(size);
    for (auto& x : *this) x = value;
  }
  SmallVector(Span<T> other) { assign(other); }                 // NOLINT
  SmallVector(std::initializer_list<T> list) { assign(list); }  // NOLINT
  SmallVector(const SmallVector& other) { assign(other); }
  SmallVector(SmallVector&& other) noexcept { steal(other); }
  SmallVector& operator=(const SmallVector& other) {
    if (this != &other) assign(other);
    return *this;
  }
  SmallVector& operator=(SmallVector&& other) noexcept {
    if (this != &other) {
      if (heap_) delete[] heap_;
      heap_ = nullptr;
      capacity_ = N;
      steal(other);
    }
    return *this;
  }
  ~SmallVector() {
    if (heap_) delete[] heap_;
  }

  void assign(Span<T> other) {
    if (other.size() > capacity_) {
      SmallVector fresh;
      fresh.reserve(other.size());
      fresh.assign(other);
      *this = std::move(fresh);
      return;
    }
    if (!other.empty()) std::memmove(data(), other.data(), other.size() * sizeof(T));
    size_ = static_cast<std::uint32_t>(other.size());
  }
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    T* grown = new T[capacity];
    if (size_) std::memcpy(grown, data(), size_ * sizeof(T));
    if (heap_) delete[] heap_;
    heap_ = grown;
    capacity_ = static_cast<std::uint32_t>(capacity);
  }
  void resize(std::size_t size, T value = T()) {
    reserve(size);
    for (std::size_t i = size_; i < size; ++i) data()[i] = value;
    size_ = static_cast<std::uint32_t>(size);
  }
  void push_back(T value) {
    if (size_ == capacity_) reserve(2 * capacity_);
    data()[size_++] = value;
  }
  void pop_back() { --size_; }
  void insert(std::size_t at, T value) {
    push_back(value);
    for (std::size_t i = size_ - 1; i > at; --i) data()[i] = data()[i - 1];
    data()[at] = value;
  }
  void erase(std::size_t at) {
    for (std::size_t i = at; i + 1 < size_; ++i) data()[i] = data()[i + 1];
    --size_;
  }
  void clear() { size_ = 0; }

  T* data() { return heap_ ? heap_ : inline_; }
  const T* data() const { return heap_ ? heap_ : inline_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](std::size_t i) { return data()[i]; }
  const T& operator[](std::size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }
  friend bool operator==(const SmallVector& a, const SmallVector& b) { return Span<T>(a) == Span<T>(b); }

 private:
  void steal(SmallVector& other) noexcept {
    size_ = other.size_;
    if (other.heap_) {
      heap_ = other.heap_;
      capacity_ = other.capacity_;
      other.heap_ = nullptr;
      other.capacity_ = N;
    } else if (size_) {
      std::memcpy(inline_, other.inline_, size_ * sizeof(T));
    }
    other.size_ = 0;
  }

  T* heap_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = N;
  T inline_[N];
};

// Sizes, strides and other lists of dimensions.
using Dims = SmallVector<std::int64_t, 6>;

}  // namespace hwaro
