// What reduction kernels are made of: the operations on lanes, and one row reduced with them.
#pragma once

#include "hwaro/math/convert.h"
#include "hwaro/math/lanes.h"
#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace reduce_parts {

using std::int64_t;

template <class T, class A, int N>
HWARO_INLINE Vec<A, N> load_lanes(const T* p) {
  if constexpr (native::kSame<T, A>) return Vec<A, N>::load(p);
  else if constexpr (kIsHalf<T>) return load_as_float<N>(p);
  else return convert_lanes<A>(Vec<T, N>::load(p));
}

// ---- the operations: map one element, combine two results, and what combines with nothing changed ----
struct Sum {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return x;
  }
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return a + b;
  }
  template <class A>
  HWARO_INLINE static A identity() {
    return A(0);
  }
};
struct NanSum : Sum {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return where(x == x, x, V(0));
  }
};
struct SumAbs : Sum {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return abs(x);
  }
};
struct SumSquares : Sum {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return x * x;
  }
};
struct Prod {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return x;
  }
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return a * b;
  }
  template <class A>
  HWARO_INLINE static A identity() {
    return A(1);
  }
};
struct Max {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return x;
  }
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return maximum(a, b);
  }
  template <class A>
  HWARO_INLINE static A identity() {
    if constexpr (native::kIsFloating<A>) return -FloatTraits<A>::kInfinity;
    else return native::kIsUnsigned<A> ? A(0) : A(A(1) << (8 * sizeof(A) - 1));
  }
};
struct Min {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return x;
  }
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return minimum(a, b);
  }
  template <class A>
  HWARO_INLINE static A identity() {
    if constexpr (native::kIsFloating<A>) return FloatTraits<A>::kInfinity;
    else return A(~Max::identity<A>());
  }
};
struct MaxAbs : Max {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return abs(x);
  }
};
struct MinAbs : Min {
  template <class V>
  HWARO_INLINE static V map(V x) {
    return abs(x);
  }
};

template <class A>
inline constexpr int kLanes = HWARO_VECTOR_BYTES / int(sizeof(A));

// One row into one vector; lane l holds what elements of index l modulo the vector's length gave.
template <class Op, class T, class A>
HWARO_INLINE Vec<A> reduce_run(const T* p, int64_t n) {
  constexpr int N = kLanes<A>, kSteps = 32, kBlock = 4 * kSteps * N;
  using V = Vec<A>;
  const V none(Op::template identity<A>());
  V total = none;
  auto take = [&](V& a, V& b, V& c, V& d, const T* q) {
    a = Op::combine(a, Op::map(load_lanes<T, A, N>(q)));
    b = Op::combine(b, Op::map(load_lanes<T, A, N>(q + N)));
    c = Op::combine(c, Op::map(load_lanes<T, A, N>(q + 2 * N)));
    d = Op::combine(d, Op::map(load_lanes<T, A, N>(q + 3 * N)));
  };
  while (n >= 2 * kBlock) {
    V a2 = none, b2 = none, c2 = none, d2 = none;
    for (int block = 0; block < 16 && n >= kBlock; ++block, n -= kBlock, p += kBlock) {
      V a = none, b = none, c = none, d = none;
      for (int s = 0; s < kSteps; ++s) take(a, b, c, d, p + s * 4 * N);
      a2 = Op::combine(a2, a);
      b2 = Op::combine(b2, b);
      c2 = Op::combine(c2, c);
      d2 = Op::combine(d2, d);
    }
    total = Op::combine(total, Op::combine(Op::combine(a2, b2), Op::combine(c2, d2)));
  }
  if (n >= 4 * N) {
    V a = none, b = none, c = none, d = none;
    for (; n >= 4 * N; n -= 4 * N, p += 4 * N) take(a, b, c, d, p);
    total = Op::combine(total, Op::combine(Op::combine(a, b), Op::combine(c, d)));
  }
  V rest = none;
  for (; n >= N; n -= N, p += N) rest = Op::combine(rest, Op::map(load_lanes<T, A, N>(p)));
  if (n > 0) {
    A lanes[N];
    for (int i = 0; i < N; ++i) lanes[i] = i < n ? Op::map(load_lanes<T, A, 1>(p + i))[0] : Op::template identity<A>();
    rest = Op::combine(rest, V::load(lanes));
  }
  return Op::combine(total, rest);
}

// Lanes combined in halves, down to `Width` of them.
template <class Op, class A, int Width, int N>
HWARO_INLINE void reduce_lanes(Vec<A, N> v, A* out) {
  const auto folded = fold_lanes<Width>(v, [](auto a, auto b) { return Op::combine(a, b); });
  for (int i = 0; i < Width; ++i) out[i] = folded[i];
}

}  // namespace reduce_parts
}  // namespace HWARO_ISA
}  // namespace hwaro
