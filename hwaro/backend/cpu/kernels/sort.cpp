// From elements to sort keys, a vector at a time: keys (hwaro/ops/sort/keys.h) are unsigned integers in the order of
// sorting, NaN last and both zeros equal. A key and its index form one 64-bit entry, which in memory is the index
// followed by the key; so interleaving two vectors makes entries.
#include <utility>

#include "hwaro/math/convert.h"
#include "hwaro/math/math.h"
#include "hwaro/ops/sort/sort_kernels.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;
using U32 = std::uint32_t;

constexpr U32 kTop = 0x80000000u;

template <int N>
HWARO_INLINE Vec<U32, N> float_keys(Vec<float, N> x) {
  using V = Vec<U32, N>;
  const V bits = (x + Vec<float, N>(0)).template bits_as<U32>();  // -0 becomes +0
  const Vec<std::int32_t, N> sign = bits.template bits_as<std::int32_t>() >> Vec<std::int32_t, N>(31);
  const V keys = bits ^ (sign.template bits_as<U32>() | V(kTop));
  return where((x != x).template as<U32>(), V(~U32(0)), keys);
}
template <int N, class T>
HWARO_INLINE Vec<U32, N> load_keys(const T* p) {
  if constexpr (native::kSame<T, float> || kIsHalf<T>) return float_keys(load_as_float<N>(p));
  else if constexpr (native::kIsUnsigned<T>) return convert_lanes<U32>(Vec<T, N>::load(p));
  else if constexpr (native::kSame<T, std::int32_t>)
    return Vec<T, N>::load(p).template bits_as<U32>() ^ Vec<U32, N>(kTop);
  else return convert_lanes<std::int32_t>(Vec<T, N>::load(p)).template bits_as<U32>() ^ Vec<U32, N>(kTop);
}

constexpr int kLanes = HWARO_VECTOR_BYTES / 4;

template <int... I>
HWARO_INLINE void store_entries(std::uint64_t* out, Vec<U32> index, Vec<U32> key, std::integer_sequence<int, I...>) {
  constexpr int N = kLanes;
  const auto low = __builtin_shufflevector(index.v, key.v, (I / 2 + I % 2 * N)...);
  const auto high = __builtin_shufflevector(index.v, key.v, (N / 2 + I / 2 + I % 2 * N)...);
  __builtin_memcpy(out, &low, sizeof low);
  __builtin_memcpy(out + N / 2, &high, sizeof high);
}

template <class T>
void pack(std::uint64_t* entries, const void* from, int64_t n, bool descending) {
  constexpr int N = kLanes;
  const T* x = static_cast<const T*>(from);
  const U32 flip = descending ? ~U32(0) : 0;
  Vec<U32> index = Vec<U32>::iota();
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    store_entries(entries + i, index, load_keys<N>(x + i) ^ Vec<U32>(flip), std::make_integer_sequence<int, N>());
    index += Vec<U32>(U32(N));
  }
  for (; i < n; ++i) entries[i] = std::uint64_t(load_keys<1>(x + i)[0] ^ flip) << 32 | std::uint64_t(i);
}

template <class T>
int64_t next_below(const void* from, int64_t begin, int64_t end, U32 bound, bool descending) {
  constexpr int N = kLanes;
  const T* x = static_cast<const T*>(from);
  const U32 flip = descending ? ~U32(0) : 0;
  int64_t i = begin;
  for (; i + N <= end; i += N)
    if (((load_keys<N>(x + i) ^ Vec<U32>(flip)) < Vec<U32>(bound)).any()) break;
  for (; i < end; ++i)
    if ((load_keys<1>(x + i)[0] ^ flip) < bound) return i;
  return end;
}

#define HWARO_EACH(f)                                                                                \
  {&f<std::uint8_t>, &f<std::uint8_t>, &f<std::int8_t>, &f<std::int16_t>, &f<std::int32_t>, nullptr, \
   &f<Half>,         &f<BFloat16>,     &f<float>,       nullptr,          nullptr,          nullptr}

}  // namespace

extern constinit const SortKernels sort_table = {HWARO_EACH(pack), HWARO_EACH(next_below)};

}  // namespace HWARO_ISA
}  // namespace hwaro
