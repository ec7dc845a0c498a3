// Conversion of contiguous arrays between any two storage types; included by convert.h.
// Every result equals cast_scalar's. Runs of 64 elements are converted at a time: narrow types and halves through L1
// buffers of int32, int64 or float, int64 to floating point through the bits of 1.5 * 2^52, and what the compiler
// vectorises by itself as plain loops.
#pragma once

#include "hwaro/math/convert.h"

namespace hwaro {
inline namespace HWARO_ISA {

// Runs of 64 elements have a constant length, which lets the compiler vectorise them without a tail.
inline constexpr int kConvertRun = 64;

// float and double to an integer type, 64 elements.
template <class To, class From>
HWARO_INLINE void truncate_run(To* out, const From* in) {
  constexpr int N = HWARO_VECTOR_BYTES / int(sizeof(From));
  constexpr bool through_32 = sizeof(To) < 8 && (sizeof(To) == 2 || !native::kIsUnsigned<To> || sizeof(To) == 1);
  if constexpr (through_32) {
    // For uint8 PyTorch goes through int64; the low bits agree wherever the value fits 32 bits.
    std::int32_t lanes[kConvertRun];
    Mask<From, N> wide(false);
    for (int i = 0; i < kConvertRun; i += N) {
      const auto x = Vec<From, N>::load(in + i);
      truncate_to_int32(x).store(lanes + i);
      if constexpr (sizeof(To) == 1 && native::kIsUnsigned<To>) wide = wide | !(abs(x) < Vec<From, N>(0x1p31));
    }
    if (wide.any()) [[unlikely]] {
      for (int i = 0; i < kConvertRun; ++i) out[i] = cast_scalar<To>(in[i]);
    } else {
      for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(lanes[i]);
    }
  } else if constexpr (native::kSame<From, double> && (!native::kIsUnsigned<To> || sizeof(To) == 4)) {
    std::int64_t lanes[kConvertRun];
    for (int i = 0; i < kConvertRun; i += N) truncate_to_int64(Vec<From, N>::load(in + i)).store(lanes + i);
    for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(lanes[i]);
  } else if constexpr (native::kSame<From, float> && (!native::kIsUnsigned<To> || sizeof(To) == 4)) {
    double wide[kConvertRun];
    for (int i = 0; i < kConvertRun; ++i) wide[i] = in[i];
    truncate_run(out, static_cast<const double*>(wide));
  } else {
    for (int i = 0; i < kConvertRun; ++i) out[i] = cast_scalar<To>(in[i]);
  }
}

// int64 to float and double, 64 elements: below 2^51 through the bits of 1.5 * 2^52 + x, exactly.
template <class To>
HWARO_INLINE void int64_run(To* out, const std::int64_t* in) {
#if defined(__AVX512DQ__)
  for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(in[i]);
#else
  constexpr int N = HWARO_VECTOR_BYTES / 8;
  constexpr std::int64_t limit = std::int64_t(1) << 51;
  const Vec<double, N> magic(0x1.8p52);
  double wide[kConvertRun];
  Mask<std::int64_t, N> large(false);
  for (int i = 0; i < kConvertRun; i += N) {
    const auto x = Vec<std::int64_t, N>::load(in + i);
    large = large | (x >= Vec<std::int64_t, N>(limit)) | (x <= Vec<std::int64_t, N>(-limit));
    ((x + magic.template bits_as<std::int64_t>()).template bits_as<double>() - magic).store(wide + i);
  }
  if (large.any()) [[unlikely]] {
    for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(in[i]);
  } else {
    for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(wide[i]);
  }
#endif
}

template <class To, class From>
HWARO_INLINE void convert_run(To* out, const From* in) {
  if constexpr (native::kSame<From, bool>) {
    convert_run(out, reinterpret_cast<const std::uint8_t*>(in));
  } else if constexpr (kIsComplex<To> && kIsHalf<From>) {
    float wide[kConvertRun];
    convert_run(wide, in);
    convert_run(out, static_cast<const float*>(wide));
  } else if constexpr (kIsHalf<To> && kIsComplex<From>) {
    float wide[kConvertRun];
    convert_run(wide, in);
    convert_run(out, static_cast<const float*>(wide));
  } else if constexpr (kIsComplex<To> || kIsComplex<From>) {
    for (int i = 0; i < kConvertRun; ++i) out[i] = cast_scalar<To>(in[i]);
  } else if constexpr (kIsHalf<From>) {
    float wide[kConvertRun];
    for (int i = 0; i < kConvertRun; i += kFloatLanes) load_as_float(in + i).store(wide + i);
    convert_run(out, static_cast<const float*>(wide));
  } else if constexpr (kIsHalf<To>) {
    float wide[kConvertRun];
    const float* source = wide;
    if constexpr (native::kSame<From, float>) source = in;
    else convert_run(wide, in);
    for (int i = 0; i < kConvertRun; i += kFloatLanes) store_from_float(Vec<float>::load(source + i), out + i);
  } else if constexpr (native::kSame<To, bool>) {
    constexpr int N = HWARO_VECTOR_BYTES / int(sizeof(From));
    auto* bytes = reinterpret_cast<std::uint8_t*>(out);
    for (int i = 0; i < kConvertRun; i += N) (Vec<From, N>::load(in + i) != Vec<From, N>(0)).store_bool(bytes + i);
  } else if constexpr (native::kIsFloating<From> && !native::kIsFloating<To>) {
    truncate_run(out, in);
  } else if constexpr (native::kSame<From, std::int64_t> && native::kIsFloating<To>) {
    int64_run(out, in);
  } else {
    for (int i = 0; i < kConvertRun; ++i) out[i] = static_cast<To>(in[i]);
  }
}

// Converts n adjacent elements. From and To are storage types: bool, integers, Half, BFloat16, float, double, Complex.
template <class To, class From>
void convert_contiguous(To* out, const From* in, std::int64_t n) {
  if constexpr (native::kSame<To, From>) {
    __builtin_memmove(out, in, static_cast<std::size_t>(n) * sizeof(To));
  } else {
    const std::int64_t runs = n / kConvertRun;
    const int rest = static_cast<int>(n - runs * kConvertRun);
    for (std::int64_t r = 0; r < runs; ++r) convert_run(out + r * kConvertRun, in + r * kConvertRun);
    out += runs * kConvertRun;
    in += runs * kConvertRun;
    for (int i = 0; i < rest; ++i) out[i] = cast_scalar<To>(in[i]);
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro
