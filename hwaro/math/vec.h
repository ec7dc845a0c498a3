// Vec<T, N>: N lanes of a scalar type, and Mask<T, N>: what comparing two of them gives.
// Operator formulas are written on these. A formula never contains a raw float: every arithmetic literal converts to a
// Vec of the lane type, the scalar is Vec<T, 1>, and operators are hidden friends: `0.5 * x` and `pow(x, 2)` resolve.
// Integers: division truncates, x / 0 is 0 and MIN / -1 wraps (nothing traps); shifts by a negative count or by the
// width and more are defined as in PyTorch (<< gives 0, >> gives the sign).
#pragma once

#include <cstdint>
#include <type_traits>

#include "hwaro/math/native.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T, int N = HWARO_VECTOR_BYTES / static_cast<int>(sizeof(T))>
struct Vec;

// Lanes are all ones or all zeros. Use the members only inside hwaro/math.
template <class T, int N = HWARO_VECTOR_BYTES / static_cast<int>(sizeof(T))>
struct Mask {
  using Lane = native::SignedLike<T>;
  using Raw = native::Raw<Lane, N>;
  Raw v;

  HWARO_INLINE Mask() : v{} {}
  // Exactly bool: were it to take int, where(mask, 1, 0) would be ambiguous.
  template <class B>
    requires std::is_same_v<B, bool>
  HWARO_INLINE Mask(B b) : v(Raw{} - Lane(b)) {}  // NOLINT: literals convert
  HWARO_INLINE static Mask from_raw(Raw raw) {
    Mask m;
    m.v = raw;
    return m;
  }
  static constexpr int size() { return N; }

  HWARO_INLINE friend Mask operator&(Mask a, Mask b) { return from_raw(a.v & b.v); }
  HWARO_INLINE friend Mask operator|(Mask a, Mask b) { return from_raw(a.v | b.v); }
  HWARO_INLINE friend Mask operator^(Mask a, Mask b) { return from_raw(a.v ^ b.v); }
  HWARO_INLINE friend Mask operator~(Mask a) { return from_raw(~a.v); }
  HWARO_INLINE friend Mask operator!(Mask a) { return from_raw(~a.v); }
  HWARO_INLINE friend Mask operator&&(Mask a, Mask b) { return a & b; }
  HWARO_INLINE friend Mask operator||(Mask a, Mask b) { return a | b; }
  HWARO_INLINE friend Mask operator==(Mask a, Mask b) { return ~(a ^ b); }
  HWARO_INLINE friend Mask operator!=(Mask a, Mask b) { return a ^ b; }

  HWARO_INLINE bool any() const { return native::any_lane<Lane, N>(v); }
  HWARO_INLINE bool all() const { return !native::any_lane<Lane, N>(~v); }
  HWARO_INLINE friend bool any(Mask m) { return m.any(); }
  HWARO_INLINE friend bool all(Mask m) { return m.all(); }
  HWARO_INLINE bool operator[](int i) const { return v[i] != 0; }

  // One byte 0 or 1 per lane.
  HWARO_INLINE void store_bool(std::uint8_t* out) const { native::store_mask_bytes<Lane, N>(v, out); }
  HWARO_INLINE static Mask load_bool(const std::uint8_t* in) { return from_raw(native::load_mask_bytes<Lane, N>(in)); }
  // The same mask for lanes of another type of the same width.
  template <class U>
  HWARO_INLINE Mask<U, N> as() const {
    static_assert(sizeof(U) == sizeof(T));
    return Mask<U, N>::from_raw(v);
  }
  // 1 where set, 0 elsewhere.
  HWARO_INLINE Vec<T, N> to_vec() const;

  HWARO_INLINE friend Vec<T, N> where(Mask m, Vec<T, N> a, Vec<T, N> b) { return Vec<T, N>::from_raw(m.v ? a.v : b.v); }
  HWARO_INLINE friend Mask where(Mask m, Mask a, Mask b) { return from_raw((m.v & a.v) | (~m.v & b.v)); }
};

template <class T, int N>
struct Vec {
  using Lane = T;
  using Raw = native::Raw<T, N>;
  using MaskT = Mask<T, N>;
  using Bits = native::Raw<native::UnsignedLike<T>, N>;
  using Ints = native::Raw<native::SignedLike<T>, N>;
  Raw v;

  HWARO_INLINE Vec() : v{} {}
  template <class A>
    requires std::is_arithmetic_v<A>
  HWARO_INLINE Vec(A a) : v(broadcast(static_cast<T>(a))) {}  // NOLINT: literals convert
  HWARO_INLINE explicit Vec(MaskT m) : v(where(m, Vec(1), Vec(0)).v) {}
  HWARO_INLINE static Vec from_raw(Raw raw) {
    Vec out;
    out.v = raw;
    return out;
  }
  HWARO_INLINE static Raw broadcast(T a) {
    Raw out;
    for (int i = 0; i < N; ++i) out[i] = a;
    return out;
  }
  static constexpr int size() { return N; }
  HWARO_INLINE static Vec load(const T* p) {
    Vec out;
    __builtin_memcpy(&out.v, p, sizeof(Raw));
    return out;
  }
  HWARO_INLINE void store(T* p) const { __builtin_memcpy(p, &v, sizeof(Raw)); }
  HWARO_INLINE T operator[](int i) const { return v[i]; }
  HWARO_INLINE void set(int i, T a) { v[i] = a; }
  // 0, 1, 2, …
  HWARO_INLINE static Vec iota() {
    Raw out;
    for (int i = 0; i < N; ++i) out[i] = static_cast<T>(i);
    return from_raw(out);
  }
  // The same bits as lanes of another type of the same width.
  template <class U>
  HWARO_INLINE Vec<U, N> bits_as() const {
    static_assert(sizeof(U) == sizeof(T));
    return Vec<U, N>::from_raw((native::Raw<U, N>)v);
  }

  HWARO_INLINE friend Vec operator+(Vec a, Vec b) {
    if constexpr (native::kIsFloating<T>) return from_raw(a.v + b.v);
    else return from_raw((Raw)((Bits)a.v + (Bits)b.v));
  }
  HWARO_INLINE friend Vec operator-(Vec a, Vec b) {
    if constexpr (native::kIsFloating<T>) return from_raw(a.v - b.v);
    else return from_raw((Raw)((Bits)a.v - (Bits)b.v));
  }
  HWARO_INLINE friend Vec operator*(Vec a, Vec b) {
    if constexpr (native::kIsFloating<T>) return from_raw(a.v * b.v);
    else return from_raw((Raw)((Bits)a.v * (Bits)b.v));
  }
  HWARO_INLINE friend Vec operator/(Vec a, Vec b) {
    if constexpr (native::kIsFloating<T>) return from_raw(a.v / b.v);
    else return integer_divide(a, b);
  }
  HWARO_INLINE friend Vec operator-(Vec a) {
    if constexpr (native::kIsFloating<T>) return from_raw(-a.v);
    else return from_raw((Raw)(Bits{} - (Bits)a.v));
  }
  HWARO_INLINE friend Vec operator+(Vec a) { return a; }
  HWARO_INLINE friend Vec operator&(Vec a, Vec b) { return from_raw((Raw)((Bits)a.v & (Bits)b.v)); }
  HWARO_INLINE friend Vec operator|(Vec a, Vec b) { return from_raw((Raw)((Bits)a.v | (Bits)b.v)); }
  HWARO_INLINE friend Vec operator^(Vec a, Vec b) { return from_raw((Raw)((Bits)a.v ^ (Bits)b.v)); }
  HWARO_INLINE friend Vec operator~(Vec a) { return from_raw((Raw)(~(Bits)a.v)); }
  HWARO_INLINE friend Vec operator<<(Vec a, Vec b)
    requires(!native::kIsFloating<T>)
  {
    constexpr int width = 8 * sizeof(T);
    const Bits count = (Bits)b.v, room = count & native::UnsignedLike<T>(width - 1);
    const Bits shifted = (Bits)a.v << room;
    return from_raw((Raw)(count < native::UnsignedLike<T>(width) ? shifted : Bits{}));
  }
  HWARO_INLINE friend Vec operator>>(Vec a, Vec b)
    requires(!native::kIsFloating<T>)
  {
    constexpr int width = 8 * sizeof(T);
    const Bits count = (Bits)b.v, room = count & native::UnsignedLike<T>(width - 1);
    const auto fits = count < native::UnsignedLike<T>(width);
    if constexpr (native::kIsUnsigned<T>) return from_raw(fits ? a.v >> room : Raw{});
    else return from_raw(a.v >> (Raw)(fits ? room : Bits{} + native::UnsignedLike<T>(width - 1)));
  }

  HWARO_INLINE Vec& operator+=(Vec b) { return *this = *this + b; }
  HWARO_INLINE Vec& operator-=(Vec b) { return *this = *this - b; }
  HWARO_INLINE Vec& operator*=(Vec b) { return *this = *this * b; }
  HWARO_INLINE Vec& operator/=(Vec b) { return *this = *this / b; }

  HWARO_INLINE friend MaskT operator==(Vec a, Vec b) { return MaskT::from_raw(a.v == b.v); }
  HWARO_INLINE friend MaskT operator!=(Vec a, Vec b) { return MaskT::from_raw(a.v != b.v); }
  HWARO_INLINE friend MaskT operator<(Vec a, Vec b) { return MaskT::from_raw(a.v < b.v); }
  HWARO_INLINE friend MaskT operator<=(Vec a, Vec b) { return MaskT::from_raw(a.v <= b.v); }
  HWARO_INLINE friend MaskT operator>(Vec a, Vec b) { return MaskT::from_raw(a.v > b.v); }
  HWARO_INLINE friend MaskT operator>=(Vec a, Vec b) { return MaskT::from_raw(a.v >= b.v); }

  // Functions of several arguments are friends, so that literals convert; the work is done by `*_of` templates.
  HWARO_INLINE friend Vec maximum(Vec a, Vec b) { return maximum_of(a, b); }
  HWARO_INLINE friend Vec minimum(Vec a, Vec b) { return minimum_of(a, b); }
  HWARO_INLINE friend Vec fmax(Vec a, Vec b) { return fmax_of(a, b); }
  HWARO_INLINE friend Vec fmin(Vec a, Vec b) { return fmin_of(a, b); }
  HWARO_INLINE friend Vec clamp(Vec x, Vec lo, Vec hi) { return minimum_of(maximum_of(x, lo), hi); }
  HWARO_INLINE friend Vec fma(Vec a, Vec b, Vec c) { return fma_of(a, b, c); }
  HWARO_INLINE friend Vec mul_add(Vec a, Vec b, Vec c) { return mul_add_of(a, b, c); }
  HWARO_INLINE friend Vec copysign(Vec a, Vec b) { return copysign_of(a, b); }
  HWARO_INLINE friend Vec nextafter(Vec a, Vec b) { return nextafter_of(a, b); }
  HWARO_INLINE friend Vec pow(Vec a, Vec b) { return pow_of(a, b); }
  HWARO_INLINE friend Vec atan2(Vec y, Vec x) { return atan2_of(y, x); }
  HWARO_INLINE friend Vec hypot(Vec a, Vec b) { return hypot_of(a, b); }
  HWARO_INLINE friend Vec fmod(Vec a, Vec b) { return fmod_of(a, b); }
  HWARO_INLINE friend Vec remainder(Vec a, Vec b) { return remainder_of(a, b); }
  HWARO_INLINE friend Vec floor_divide(Vec a, Vec b) { return floor_divide_of(a, b); }
  HWARO_INLINE friend Vec trunc_divide(Vec a, Vec b) { return trunc_divide_of(a, b); }
  HWARO_INLINE friend Vec logaddexp(Vec a, Vec b) { return logaddexp_of(a, b); }
  HWARO_INLINE friend Vec logaddexp2(Vec a, Vec b) { return logaddexp2_of(a, b); }
  HWARO_INLINE friend Vec xlogy(Vec a, Vec b) { return xlogy_of(a, b); }
  HWARO_INLINE friend Vec xlog1py(Vec a, Vec b) { return xlog1py_of(a, b); }
  HWARO_INLINE friend Vec ldexp(Vec a, Vec b) { return ldexp_of(a, b); }
  HWARO_INLINE friend Vec heaviside(Vec a, Vec b) { return where(a == Vec(0), b, where(a > Vec(0), Vec(1), Vec(0))); }
};

template <class T, int N>
HWARO_INLINE Vec<T, N> Mask<T, N>::to_vec() const {
  return where(*this, Vec<T, N>(1), Vec<T, N>(0));
}

// A mask of one type selecting between vectors of another type of the same width.
template <class U, class T, int N>
  requires(!native::kSame<U, T> && sizeof(U) == sizeof(T))
HWARO_INLINE Vec<T, N> where(Mask<U, N> m, Vec<T, N> a, Vec<T, N> b) {
  return where(m.template as<T>(), a, b);
}

template <class T, int N>
using IntsOf = Vec<native::SignedLike<T>, N>;

// Lane-by-lane value conversion, by the compiler; hwaro/math/convert.h has the defined and the fast ones.
template <class U, class T, int N>
HWARO_INLINE Vec<U, N> convert_lanes(Vec<T, N> x) {
  return Vec<U, N>::from_raw(__builtin_convertvector(x.v, native::Raw<U, N>));
}

}  // namespace HWARO_ISA
}  // namespace hwaro
