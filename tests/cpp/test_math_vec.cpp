// The vocabulary itself: literals, masks, selection, bits, and the usage of arguments.
#include "hwaro/math/usage.h"
#include "tests/cpp/test_math_support.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
void check_vector() {
  using V = Vec<T>;
  T in[V::size() + 1], out[V::size()];
  for (int i = 0; i <= V::size(); ++i) in[i] = static_cast<T>(i * 5 % 7);
  const V x = V::load(in + 1);  // unaligned
  (2 * x + 1).store(out);
  for (int i = 0; i < V::size(); ++i) CHECK(out[i] == static_cast<T>(2 * in[i + 1] + 1));
  where(x > 3, x, 0).store(out);
  for (int i = 0; i < V::size(); ++i) CHECK(out[i] == (in[i + 1] > 3 ? in[i + 1] : T(0)));
  where(x > 3, 1, 0).store(out);
  std::uint8_t bytes[V::size()];
  ((x > 3) & (x != 5)).store_bool(bytes);
  for (int i = 0; i < V::size(); ++i) {
    CHECK(out[i] == T(in[i + 1] > 3));
    CHECK(bytes[i] == (in[i + 1] > 3 && in[i + 1] != 5));
  }
  const auto again = Mask<T>::load_bool(bytes);
  for (int i = 0; i < V::size(); ++i) CHECK(again[i] == (bytes[i] != 0));
  CHECK((x <= 6).all());
  CHECK_FALSE((x > 6).any());
  CHECK((!(x > 6)).all());
  CHECK((x >= 0).to_vec()[0] == T(1));
  CHECK(V::iota()[V::size() - 1] == static_cast<T>(V::size() - 1));
}
MATH_TEST("vectors load, store, compare, select and mix with literals") {
  check_vector<float>();
  check_vector<double>();
  check_vector<std::uint8_t>();
  check_vector<std::int8_t>();
  check_vector<std::int16_t>();
  check_vector<std::int32_t>();
  check_vector<std::int64_t>();
}

MATH_TEST("any and all look at every lane") {
  for (int lane = 0; lane < Vec<float>::size(); ++lane) {
    Vec<float> x(0);
    x.set(lane, 1.0f);
    CHECK((x == 1).any());
    CHECK_FALSE((x == 1).all());
    CHECK_FALSE((x == 0).all());
    CHECK_FALSE((x == 2).any());
  }
  for (int lane = 0; lane < Vec<std::uint8_t>::size(); ++lane) {
    Vec<std::uint8_t> x(0);
    x.set(lane, 1);
    CHECK((x == 1).any());
    CHECK_FALSE((x == 0).all());
  }
  CHECK((Vec<double, 1>(1) == 1).all());
  CHECK_FALSE((Vec<double, 1>(1) == 2).any());
}

MATH_TEST("bitwise operators") {
  CHECK((Vec<std::int16_t>(12) & 10)[0] == 8);
  CHECK((Vec<std::int16_t>(12) | 3)[0] == 15);
  CHECK((Vec<std::int16_t>(12) ^ 10)[0] == 6);
  CHECK((~Vec<std::uint8_t>(1))[0] == 254);
}

MATH_TEST("fma rounds once") {
  const double a = 1 + 0x1p-30;
  CHECK(fma(Vec<double>(a), a, -1.0)[0] == 0x1p-29 + 0x1p-60);
  CHECK(fma(Vec<float>(1 + 0x1p-12f), 1 + 0x1p-12f, -1.0f)[0] == 0x1p-11f + 0x1p-24f);
}

#if defined(__SIZEOF_FLOAT128__)
using Quad = __float128;
#else
using Quad = long double;  // on ARM it has 113 bits
#endif

MATH_TEST("two products and two sums are exact") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 1000; ++i) {
    const double a = std::ldexp(double(random() >> 11), int(random() % 40) - 60), b = double(random() >> 11) - 0x1p52;
    const auto p = two_product(Vec<double, 1>(a), Vec<double, 1>(b));
    const auto s = two_sum(Vec<double, 1>(a), Vec<double, 1>(b));
    CHECK(std::fma(a, b, -p.hi[0]) == p.lo[0]);
    CHECK(s.hi[0] == a + b);
    CHECK(static_cast<Quad>(a) + b == static_cast<Quad>(s.hi[0]) + s.lo[0]);
  }
}

// What a formula reads, found at type level.
template <unsigned A>
using U = Uses<A>;
auto tanh_derivative(auto, auto y) { return 1 - y * y; }
auto relu_backward(auto g, auto, auto y) { return where(y > 0, g, 0); }
auto mixed(auto x, auto y, auto z) { return clamp(pow(x, 2) + fma(y, 2.0, 1), 0, 1) * sigmoid(z) + where(true, 1, x); }
MATH_TEST("Uses tells which arguments a formula reads") {
  CHECK(decltype(tanh_derivative(U<1>{}, U<2>{}))::mask == 2);
  CHECK(decltype(relu_backward(U<1>{}, U<2>{}, U<4>{}))::mask == 5);
  CHECK(decltype(mixed(U<1>{}, U<2>{}, U<4>{}))::mask == 7);
  CHECK(decltype(where(U<4>{}, 1, 0))::mask == 4);
  CHECK(decltype(2 * exp(U<8>{}))::mask == 8);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
