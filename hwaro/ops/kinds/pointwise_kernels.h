// The inner loops of a pointwise operator, made from its formula for one element type and one instruction set. Included by
// the generated kernel file of each family, which is compiled once per instruction set.
//
// A loop runs over whole vectors; the last, partial one goes through a buffer, so that every element is computed by the
// same instructions wherever it stands and whatever the length.
#pragma once

#include "hwaro/math/math.h"
#include "hwaro/math/complex.h"
#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace pointwise_loops {

// How elements of type T are loaded into lanes.
template <class T>
struct Lane {
  using V = Vec<T>;
  static constexpr std::int64_t count = V::size();
  HWARO_INLINE static V load(const void* p, std::int64_t i) { return V::load(static_cast<const T*>(p) + i); }
  HWARO_INLINE static V splat(const Attr& a) {
    if constexpr (std::is_floating_point_v<T>) return V(static_cast<T>(a.re));
    else return V(static_cast<T>(a.i));
  }
};
template <>
struct Lane<bool> {
  using V = Vec<std::uint8_t>;
  static constexpr std::int64_t count = V::size();
  HWARO_INLINE static V load(const void* p, std::int64_t i) { return V::load(static_cast<const std::uint8_t*>(p) + i); }
  HWARO_INLINE static V splat(const Attr& a) { return V(static_cast<std::uint8_t>(a.i)); }
};
template <class T>
struct Lane<Complex<T>> {
  using V = Complex<Vec<T>>;
  static constexpr std::int64_t count = Vec<T>::size();
  HWARO_INLINE static V load(const void* p, std::int64_t i) {
    const T* from = static_cast<const T*>(p) + 2 * i;
    T re[count], im[count];
    for (int k = 0; k < count; ++k) re[k] = from[2 * k], im[k] = from[2 * k + 1];
    return V{Vec<T>::load(re), Vec<T>::load(im)};
  }
  HWARO_INLINE static V splat(const Attr& a) { return V{Vec<T>(static_cast<T>(a.re)), Vec<T>(static_cast<T>(a.im))}; }
};

// How lanes are stored: real, complex, and truth values as bytes 0 and 1.
template <class T, class U, int N>
HWARO_INLINE void store(void* p, std::int64_t i, Vec<U, N> v) {
  if constexpr (std::is_same_v<T, bool>) (v != Vec<U, N>(0)).store_bool(static_cast<std::uint8_t*>(p) + i);
  else v.store(static_cast<U*>(p) + i);
}
template <class T, class U, int N>
HWARO_INLINE void store(void* p, std::int64_t i, Mask<U, N> m) {
  m.store_bool(static_cast<std::uint8_t*>(p) + i);
}
template <class T, class U, int N>
HWARO_INLINE void store(void* p, std::int64_t i, Complex<Vec<U, N>> v) {
  U re[N], im[N];
  v.re.store(re);
  v.im.store(im);
  U* to = static_cast<U*>(p) + 2 * i;
  for (int k = 0; k < N; ++k) to[2 * k] = re[k], to[2 * k + 1] = im[k];
}
// Bytes per stored element.
template <class T, class R>
inline constexpr std::int64_t stored_size = sizeof(T);
template <class T, class U, int N>
inline constexpr std::int64_t stored_size<T, Mask<U, N>> = 1;
template <class T, class U, int N>
inline constexpr std::int64_t stored_size<Complex<T>, Vec<U, N>> = sizeof(U);

// out[i] = body(in…[i]) for i in [0, n). `Used` says which inputs exist; in[] holds those alone, in order.
template <class T, int Inputs, class Body>
HWARO_INLINE void loop(void* out, const void* const* in, std::int64_t n, const Body& body) {
  using L = Lane<T>;
  constexpr std::int64_t step = L::count;
  auto compute = [&]<std::size_t... K>(std::index_sequence<K...>, const void* const* from, std::int64_t i)
                     __attribute__((always_inline)) { return body(L::load(from[K], i)...); };
  using Indices = std::make_index_sequence<Inputs>;
  using R = decltype(compute(Indices{}, in, 0));
  std::int64_t i = 0;
  for (; i + step <= n; i += step) store<T>(out, i, compute(Indices{}, in, i));
  if (i < n) {
    const std::int64_t left = n - i;
    alignas(64) char buffer[Inputs > 0 ? Inputs : 1][step * std::int64_t(sizeof(T))] = {};
    const void* part[Inputs > 0 ? Inputs : 1];
    for (int k = 0; k < Inputs; ++k) {
      __builtin_memcpy(buffer[k], static_cast<const char*>(in[k]) + i * std::int64_t(sizeof(T)),
                       std::size_t(left) * sizeof(T));
      part[k] = buffer[k];
    }
    alignas(64) char result[step * std::int64_t(sizeof(T))];
    store<T>(result, 0, compute(Indices{}, part, 0));
    constexpr std::int64_t size = stored_size<T, R>;
    __builtin_memcpy(static_cast<char*>(out) + i * size, result, std::size_t(left * size));
  }
}

template <class Op, class T, std::size_t... K, std::size_t... S>
void forward_loop(void* out, const void* const* in, std::int64_t n, [[maybe_unused]] const Attr* attrs,
                  std::index_sequence<K...>, std::index_sequence<S...>) {
  using V = typename Lane<T>::V;
  [[maybe_unused]] const V scalars[sizeof...(S) + 1] = {Lane<T>::splat(attrs[S])..., V{}};
  loop<T, int(sizeof...(K))>(
      out, in, n, [&](auto... x) __attribute__((always_inline)) { return Op::forward(x..., scalars[S]...); });
}
template <class Op, class T>
void forward(void* out, const void* const* in, std::int64_t n, const Attr* attrs) {
  forward_loop<Op, T>(out, in, n, attrs, std::make_index_sequence<Op::schema.tensor_count()>(),
                      std::make_index_sequence<Op::schema.scalar_count()>());
}

// Picks operand K out of the inputs that are there (those whose bit is in Mask); others are never read.
template <unsigned Mask, unsigned Bit, class V>
HWARO_INLINE V pick(const V* used) {
  if constexpr ((Mask & Bit) != 0) return used[__builtin_popcount(Mask & (Bit - 1))];
  else return V{};
}

template <class Op, int I, class T, std::size_t... K, std::size_t... S>
void backward_loop(void* out, const void* const* in, std::int64_t n, [[maybe_unused]] const Attr* attrs,
                   std::index_sequence<K...>, std::index_sequence<S...>) {
  using V = typename Lane<T>::V;
  constexpr unsigned mask = engine::pointwise_detail::uses_mask<Op, I>();
  [[maybe_unused]] const V scalars[sizeof...(S) + 1] = {Lane<T>::splat(attrs[S])..., V{}};
  loop<T, 1 + __builtin_popcount(mask)>(out, in, n, [&](V g, auto... used) __attribute__((always_inline)) {
    const V inputs[] = {used..., V{}};
    return engine::pointwise_detail::gradient<Op, I>(g, pick<mask, (1u << K)>(inputs)...,
                                                     pick<mask, engine::kResult>(inputs), scalars[S]...);
  });
}
template <class Op, int I, class T>
void backward(void* out, const void* const* in, std::int64_t n, const Attr* attrs) {
  backward_loop<Op, I, T>(out, in, n, attrs, std::make_index_sequence<Op::schema.tensor_count()>(),
                          std::make_index_sequence<Op::schema.scalar_count()>());
}

template <class Op, DType D>
constexpr bool computes_in() {
  return contains(Op::dtypes.set, D) || (D == DType::Float && (Op::dtypes.set & kHalfSet));
}

template <class Op, DType D, class T>
constexpr InnerLoop forward_pointer() {
  if constexpr (!is_reduced_float(D) && computes_in<Op, D>()) return &forward<Op, T>;
  else return nullptr;
}
template <class Op, int I, DType D, class T>
constexpr InnerLoop backward_pointer() {
  constexpr unsigned mask = engine::pointwise_detail::uses_mask<Op, I>();
  if constexpr (is_differentiable(D) && !is_reduced_float(D) && computes_in<Op, D>() && mask < engine::kPassThrough)
    return &backward<Op, I, T>;
  else return nullptr;
}

#define HWARO_EACH_DTYPE(P)                                                                                          \
  P(Bool, bool), P(UInt8, std::uint8_t), P(Int8, std::int8_t), P(Int16, std::int16_t), P(Int32, std::int32_t),       \
      P(Int64, std::int64_t), nullptr, nullptr, P(Float, float), P(Double, double), P(ComplexFloat, Complex<float>), \
      P(ComplexDouble, Complex<double>)

}  // namespace pointwise_loops

template <class Op>
constexpr engine::PointwiseKernels pointwise_kernels() {
  using namespace pointwise_loops;
#define HWARO_FORWARD(D, T) forward_pointer<Op, DType::D, T>()
#define HWARO_BACKWARD_0(D, T) backward_pointer<Op, 0, DType::D, T>()
#define HWARO_BACKWARD_1(D, T) backward_pointer<Op, 1, DType::D, T>()
#define HWARO_BACKWARD_2(D, T) backward_pointer<Op, 2, DType::D, T>()
  return {{HWARO_EACH_DTYPE(HWARO_FORWARD)},
          {{HWARO_EACH_DTYPE(HWARO_BACKWARD_0)},
           {HWARO_EACH_DTYPE(HWARO_BACKWARD_1)},
           {HWARO_EACH_DTYPE(HWARO_BACKWARD_2)}}};
#undef HWARO_FORWARD
#undef HWARO_BACKWARD_0
#undef HWARO_BACKWARD_1
#undef HWARO_BACKWARD_2
}

}  // namespace HWARO_ISA
}  // namespace hwaro
