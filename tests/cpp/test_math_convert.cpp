// Half precision and conversions between storage types.
#include "tests/cpp/test_math_support.h"

namespace hwaro {
inline namespace HWARO_ISA {

MATH_TEST("every half and bfloat16 survives the way through float") {
  int wrong = 0;
  for (int i = 0; i < 65536; ++i) {
    const Half h = Half::from_bits(static_cast<std::uint16_t>(i));
    const BFloat16 b = BFloat16::from_bits(static_cast<std::uint16_t>(i));
    const float hf = h, bf = b;
    // NaN comes back quiet.
    if (std::isnan(hf)) wrong += Half(hf).bits != (h.bits | 0x200);
    else wrong += Half(hf).bits != h.bits;
    if (std::isnan(bf)) wrong += BFloat16(bf).bits != (b.bits | 0x40);
    else wrong += BFloat16(bf).bits != b.bits;
  }
  CHECK(wrong == 0);
  static_assert(Half(1.0f).bits == 0x3c00 && float(Half::from_bits(1)) == 0x1p-24f);
  static_assert(BFloat16(1.0f).bits == 0x3f80);
}

MATH_TEST("half rounds to nearest even, into subnormals and to infinity") {
  CHECK(Half(65519.9f).bits == 0x7bff);
  CHECK(Half(65520.0f).bits == 0x7c00);
  CHECK(Half(1.0f + 0x1p-11f).bits == 0x3c00);
  CHECK(Half(1.0f + 3 * 0x1p-11f).bits == 0x3c02);
  CHECK(Half(0x1p-25f).bits == 0);
  CHECK(Half(0x1.000002p-25f).bits == 1);
  CHECK(Half(-0.0f).bits == 0x8000);
  CHECK(BFloat16(1.0f + 0x1p-8f).bits == 0x3f80);
  CHECK(BFloat16(1.0f + 3 * 0x1p-8f).bits == 0x3f82);
}

template <class H>
void check_lanes_against_scalars() {
  constexpr int N = Vec<float>::size();
  std::mt19937 random(9);
  int wrong = 0;
  for (int i = 0; i < 65536; i += N) {
    H in[N];
    float out[N];
    for (int j = 0; j < N; ++j) in[j] = H::from_bits(static_cast<std::uint16_t>(i + j));
    load_as_float(in).store(out);
    for (int j = 0; j < N; ++j) wrong += !math_test::same_bits(out[j], float(in[j]));
  }
  for (int i = 0; i < 20000; ++i) {
    float in[N];
    H out[N];
    for (int j = 0; j < N; ++j) {
      const std::uint32_t bits = random();
      std::memcpy(&in[j], &bits, 4);
      // Dense around the halves: few exponent bits, and ties.
      if (i % 2) in[j] = std::ldexp(float(random() >> 8), int(random() % 45) - 52);
      if (i % 4 == 3) in[j] = float(H(in[j])) * (1 + 0x1p-11f);
    }
    store_from_float(Vec<float>::load(in), out);
    for (int j = 0; j < N; ++j) wrong += out[j].bits != H(in[j]).bits;
    store_from_float(Vec<float, 1>(in[0]), out);
    wrong += out[0].bits != H(in[0]).bits;
  }
  CHECK(wrong == 0);
}
MATH_TEST("vectors of halves convert as scalars do") {
  check_lanes_against_scalars<Half>();
  check_lanes_against_scalars<BFloat16>();
}

MATH_TEST("float to integer is defined as in PyTorch") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    double from;
    int u8, i8, i16;
    std::int64_t i32, i64;
  };
  const std::int64_t min32 = INT32_MIN, min64 = INT64_MIN;
  const Row rows[] = {{nan, 0, 0, 0, min32, min64},          {inf, 0, 0, 0, min32, min64},
                      {-inf, 0, 0, 0, min32, min64},         {-1, 255, -1, -1, -1, -1},
                      {300, 44, 44, 300, 300, 300},          {-129.7, 127, 127, -129, -129, -129},
                      {70000, 112, 112, 4464, 70000, 70000}, {-70000, 144, -112, -4464, -70000, -70000},
                      {3e9, 0, 0, 0, min32, 3000000000},     {4294967297.0, 1, 0, 0, min32, 4294967297},
                      {1e20, 0, 0, 0, min32, min64}};
  for (const Row& row : rows) {
    CAPTURE(row.from);
    CHECK(cast_scalar<std::uint8_t>(row.from) == row.u8);
    CHECK(cast_scalar<std::int8_t>(row.from) == row.i8);
    CHECK(cast_scalar<std::int16_t>(row.from) == row.i16);
    CHECK(cast_scalar<std::int32_t>(row.from) == row.i32);
    CHECK(cast_scalar<std::int64_t>(row.from) == row.i64);
  }
  CHECK(cast_scalar<bool>(nan));
  CHECK_FALSE(cast_scalar<bool>(-0.0));
  CHECK(cast_scalar<std::uint64_t>(9.3e18) == 9300000000000000000u);
  CHECK(cast_scalar<std::uint32_t>(-1.0) == 4294967295u);
  CHECK(cast_scalar<std::uint8_t>(Complex<float>(300.5f, 2.0f)) == 44);
  CHECK(cast_scalar<bool>(Complex<double>(0.0, 1.0)));
}

template <class To, class From>
void check_contiguous() {
  constexpr int n = 64 * 5 + 37;
  std::mt19937_64 random(11);
  From in[n];
  To out[n + 1];
  for (int kind = 0; kind < 3; ++kind) {
    for (int i = 0; i < n; ++i) {
      double x = (random() >> 11) * 0x1p-53 * 200 - 100;
      if (kind == 1) x *= 1e8;
      if (kind == 2 && i % 16 == 0) x = std::ldexp(x, int(random() % 120));
      if (kind == 2 && i % 50 == 0) x = std::numeric_limits<double>::quiet_NaN();
      const int shift = kind == 2 ? 0 : int(random() % 64);
      if constexpr (std::is_same_v<From, bool>) in[i] = random() & 1;
      else if constexpr (std::is_integral_v<From>) in[i] = static_cast<From>(random() >> shift);
      else if constexpr (kIsComplex<From>) in[i] = From(cast_scalar<decltype(From{}.re)>(x), 2);
      else in[i] = cast_scalar<From>(x);
    }
    std::memset(static_cast<void*>(&out[n]), 0x5a, sizeof(To));
    convert_contiguous(out, in, n);
    int wrong = 0;
    for (int i = 0; i < n; ++i) {
      const To want = cast_scalar<To>(in[i]);
      wrong += std::memcmp(&out[i], &want, sizeof(To)) != 0;
    }
    CHECK(wrong == 0);
    unsigned char guard;
    std::memcpy(&guard, &out[n], 1);
    CHECK(guard == 0x5a);
  }
}
template <class From>
void check_from() {
  check_contiguous<bool, From>();
  check_contiguous<std::uint8_t, From>();
  check_contiguous<std::int8_t, From>();
  check_contiguous<std::int16_t, From>();
  check_contiguous<std::int32_t, From>();
  check_contiguous<std::int64_t, From>();
  check_contiguous<Half, From>();
  check_contiguous<BFloat16, From>();
  check_contiguous<float, From>();
  check_contiguous<double, From>();
  check_contiguous<Complex<float>, From>();
  check_contiguous<Complex<double>, From>();
}
MATH_TEST("arrays convert as single values do, for every pair of types") {
  check_from<bool>();
  check_from<std::uint8_t>();
  check_from<std::int8_t>();
  check_from<std::int16_t>();
  check_from<std::int32_t>();
  check_from<std::int64_t>();
  check_from<Half>();
  check_from<BFloat16>();
  check_from<float>();
  check_from<double>();
  check_from<Complex<float>>();
  check_from<Complex<double>>();
}

}  // namespace HWARO_ISA
}  // namespace hwaro
