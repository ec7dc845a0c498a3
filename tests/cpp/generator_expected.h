// What PyTorch 2.13.0 (CPU, AVX2) gives. Hashes are FNV-1a over 64-bit little-endian words, zero padded per tensor.
#pragma once

#include <cstdint>

namespace hwaro_test {

enum Length { kSizes, kBlocks, kMillion };

// kSizes: seed 42, the sizes 1, 7, 15, 16, 17, 31, 1000 one after the other from one generator, hashed as one stream.
// kBlocks: the same from 16 on. kMillion: seed 7, 2^20 elements. `state` is the hash of get_state() afterwards.
struct StreamHash {
  const char* function;
  const char* dtype;
  Length length;
  std::uint64_t values, state;
};
inline constexpr StreamHash kStreams[] = {
    {"uniform", "Half", kSizes, 0x1cb044f9a13613bbu, 0xe70af6e365642401u},
    {"uniform", "BFloat16", kSizes, 0x12809c56f4b8e5d0u, 0xe70af6e365642401u},
    {"uniform", "float", kSizes, 0x95534597c5c6e5fau, 0xe70af6e365642401u},
    {"uniform", "double", kSizes, 0x8bf70df73df4ea9du, 0x56a30ffd0127cf73u},
    {"uniform_range", "Half", kSizes, 0x6861e756d016bf7eu, 0xe70af6e365642401u},
    {"uniform_range", "BFloat16", kSizes, 0x356a58f6fafa1128u, 0xe70af6e365642401u},
    {"uniform_range", "float", kSizes, 0xf5ea3a781228b5f0u, 0xe70af6e365642401u},
    {"uniform_range", "double", kSizes, 0x5d03ad9887d3f0dau, 0x56a30ffd0127cf73u},
    {"normal", "Half", kBlocks, 0x47e7f34791f8ecf5u, 0x3ce552cfce6864f3u},
    {"normal", "BFloat16", kBlocks, 0x983372824acd45edu, 0x3ce552cfce6864f3u},
    {"normal", "float", kBlocks, 0xb5b2890fe5eda803u, 0xf32f06837a799423u},
    {"normal_scaled", "Half", kBlocks, 0x88148135eca326f8u, 0x3ce552cfce6864f3u},
    {"normal_scaled", "BFloat16", kBlocks, 0x1c45b8761f3d31c3u, 0x3ce552cfce6864f3u},
    {"normal_scaled", "float", kBlocks, 0x87b4de9de2ff0562u, 0xf32f06837a799423u},
    {"random", "bool", kSizes, 0xebe57d60ff0c9b4cu, 0xe70af6e365642401u},
    {"random", "uint8", kSizes, 0x8708f08bf01a571eu, 0xe70af6e365642401u},
    {"random", "int8", kSizes, 0xcdc3a1410d758c1eu, 0xe70af6e365642401u},
    {"random", "int16", kSizes, 0x001a05f38da80120u, 0xe70af6e365642401u},
    {"random", "int32", kSizes, 0xec4f07ec7c8203b0u, 0xe70af6e365642401u},
    {"random", "int64", kSizes, 0x32b008a5030753d3u, 0x56a30ffd0127cf73u},
    {"random", "Half", kSizes, 0xe39770e95b95220au, 0xe70af6e365642401u},
    {"random", "BFloat16", kSizes, 0x7ca3468dbbe40ceeu, 0xe70af6e365642401u},
    {"random", "float", kSizes, 0xd2ecab1fa7ced067u, 0xe70af6e365642401u},
    {"random", "double", kSizes, 0xda1b2e5543de9710u, 0x56a30ffd0127cf73u},
    {"random_100", "uint8", kSizes, 0xa3effd4753a0dcaeu, 0xe70af6e365642401u},
    {"random_100", "int8", kSizes, 0xa3effd4753a0dcaeu, 0xe70af6e365642401u},
    {"random_100", "int16", kSizes, 0x7f35e16b132c7630u, 0xe70af6e365642401u},
    {"random_100", "int32", kSizes, 0x11a7bec2c9e5d28cu, 0xe70af6e365642401u},
    {"random_100", "int64", kSizes, 0x956b5793b7a062f7u, 0xe70af6e365642401u},
    {"random_100", "Half", kSizes, 0x3f1c7a668bfc495du, 0xe70af6e365642401u},
    {"random_100", "BFloat16", kSizes, 0xd3e401919ba6a78bu, 0xe70af6e365642401u},
    {"random_100", "float", kSizes, 0xdd12cfb4602e0e6du, 0xe70af6e365642401u},
    {"random_100", "double", kSizes, 0x002b6ae1f4e6e2c7u, 0xe70af6e365642401u},
    {"random_2", "bool", kSizes, 0xebe57d60ff0c9b4cu, 0xe70af6e365642401u},
    {"random_signed", "int8", kSizes, 0x5f92b9d50c78bd5au, 0xe70af6e365642401u},
    {"random_signed", "int16", kSizes, 0xdf6422a95338f9a3u, 0xe70af6e365642401u},
    {"random_signed", "int32", kSizes, 0xe99a4b07287aedfbu, 0xe70af6e365642401u},
    {"random_signed", "int64", kSizes, 0x4a94f1c64b22443bu, 0xe70af6e365642401u},
    {"random_signed", "Half", kSizes, 0x82cc6d9918f98dadu, 0xe70af6e365642401u},
    {"random_signed", "BFloat16", kSizes, 0x6537011ab4884fc5u, 0xe70af6e365642401u},
    {"random_signed", "float", kSizes, 0x58c889c18dda0e6du, 0xe70af6e365642401u},
    {"random_signed", "double", kSizes, 0x2b03aae1f4e6e2c7u, 0xe70af6e365642401u},
    {"random_below_2p28", "int32", kSizes, 0xb11812b96273725bu, 0xe70af6e365642401u},
    {"random_below_2p28", "int64", kSizes, 0x50bb24b253db00dfu, 0xe70af6e365642401u},
    {"random_2p28", "int32", kSizes, 0xfe03ee0f7b3d9dadu, 0x56a30ffd0127cf73u},
    {"random_2p28", "int64", kSizes, 0xf73ffd40a164ea6au, 0x56a30ffd0127cf73u},
    {"random_2p40", "int64", kSizes, 0xe4e3e6605c474820u, 0x56a30ffd0127cf73u},
    {"random_2p63", "int64", kSizes, 0xc6a8ea8a0d96bfabu, 0x56a30ffd0127cf73u},
    {"random_full", "int64", kSizes, 0x32b008a5030753d3u, 0x56a30ffd0127cf73u},
    {"random_full", "BFloat16", kSizes, 0x648bd69654c50324u, 0x56a30ffd0127cf73u},
    {"random_full", "float", kSizes, 0xa0651d5a7e2a9a0eu, 0x56a30ffd0127cf73u},
    {"random_full", "double", kSizes, 0xa27898e8e75f5765u, 0x56a30ffd0127cf73u},
    {"bernoulli", "bool", kSizes, 0xd4cfb0e9219cdb78u, 0x56a30ffd0127cf73u},
    {"bernoulli", "uint8", kSizes, 0xd4cfb0e9219cdb78u, 0x56a30ffd0127cf73u},
    {"bernoulli", "int8", kSizes, 0xd4cfb0e9219cdb78u, 0x56a30ffd0127cf73u},
    {"bernoulli", "int16", kSizes, 0xcdb730bc9c38178bu, 0x56a30ffd0127cf73u},
    {"bernoulli", "int32", kSizes, 0x86804d8ddff85f99u, 0x56a30ffd0127cf73u},
    {"bernoulli", "int64", kSizes, 0x6ba104e4f428ce1au, 0x56a30ffd0127cf73u},
    {"bernoulli", "Half", kSizes, 0xd02f5e079dd5ef2du, 0x56a30ffd0127cf73u},
    {"bernoulli", "BFloat16", kSizes, 0x9198a03d38d92c2du, 0x56a30ffd0127cf73u},
    {"bernoulli", "float", kSizes, 0x8a982501daea0e6du, 0x56a30ffd0127cf73u},
    {"bernoulli", "double", kSizes, 0x09a9aae1f4e6e2c7u, 0x56a30ffd0127cf73u},
    {"bernoulli_float", "bool", kSizes, 0x2a18d836338eeb2bu, 0xe70af6e365642401u},
    {"bernoulli_float", "float", kSizes, 0xb0110ae3936a0e6du, 0xe70af6e365642401u},
    {"bernoulli_double", "bool", kSizes, 0x76ac8472b9769879u, 0x56a30ffd0127cf73u},
    {"bernoulli_double", "float", kSizes, 0x42784dc7f7ea0e6du, 0x56a30ffd0127cf73u},
    {"permutation", "int16", kSizes, 0x47dc607b8157b796u, 0x0965df7562d46aa3u},
    {"permutation", "int32", kSizes, 0xd8bc61ef7c63d8e5u, 0x0965df7562d46aa3u},
    {"permutation", "int64", kSizes, 0x7ecdf810f7cd1572u, 0x0965df7562d46aa3u},
    {"permutation", "float", kSizes, 0xccf4565423548e6du, 0x0965df7562d46aa3u},
    {"permutation", "double", kSizes, 0x6db04ae1f4e6e2c7u, 0x0965df7562d46aa3u},
    {"uniform", "float", kMillion, 0x770b7eb267966a19u, 0xa50a435d1281635du},
    {"uniform", "double", kMillion, 0x80146252eb5c4fa4u, 0x5d681234cd9ef946u},
    {"normal", "float", kMillion, 0xf5757b48c98f0f2bu, 0xa50a435d1281635du},
    {"normal", "BFloat16", kMillion, 0xa202095a55c00229u, 0xa50a435d1281635du},
    {"random_100", "int64", kMillion, 0x8478e05fbfad603du, 0xa50a435d1281635du},
    {"bernoulli", "float", kMillion, 0x401319b024422325u, 0x5d681234cd9ef946u},
    {"permutation", "int64", kMillion, 0xf2596a65f305ecf1u, 0xe52036d9d9a4a80bu},
};

// Seed 11: three elements, then 18 of which the first four and the last four are kept.
struct StreamValues {
  const char* function;
  const char* dtype;
  double values[11];
  std::uint64_t state;
};
inline constexpr StreamValues kValues[] = {
    {"normal",
     "float",
     {0.7376294732093811, 1.9459291696548462, -0.6995416283607483, 1.041983962059021, 0.1428171843290329,
      0.7960367798805237, 0.9592342972755432, 0.9240058064460754, 0.22552748024463654, 0.7127705812454224,
      -0.743821918964386},
     0xa0c060c240af4f31u},
    {"normal",
     "double",
     {0.7376294517619426, 1.945929152496269, -0.6995416095669132, -0.28024234096141765, -0.5534924027429814,
      -1.1830647945389863, -1.1383773971753897, 1.4444980526335587, -1.9953509520815504, -0.19219485315289647,
      1.2066453004393594},
     0xa17ddeac1d113b6du},
    {"normal_scaled",
     "float",
     {3.396547794342041, 6.175637245178223, 0.09105429798364639, 4.096563339233398, 2.02847957611084,
      3.5308845043182373, 3.9062387943267822, 3.8252134323120117, 2.2187132835388184, 3.339372396469116,
      -0.010790330357849598},
     0xa0c060c240af4f31u},
    {"normal_scaled",
     "double",
     {3.3965477390524677, 6.175637050741418, 0.09105429799609961, 1.0554426157887393, 0.42696747369114285,
      -1.0210490274396682, -0.918268013503396, 5.022345521057185, -2.8893071897875657, 1.257951837748338,
      4.475284191010526},
     0xa17ddeac1d113b6du},
    {"exponential",
     "float",
     {0.1256507933139801, 1.273746371269226, 0.654919445514679, 0.6427461504936218, 0.5060814619064331,
      0.09886258840560913, 0.11323212087154388, 0.04771529510617256, 1.487548589706421, 0.30482742190361023,
      0.29095232486724854},
     0x8f42112d83de299cu},
    {"exponential",
     "double",
     {0.1256507876502743, 1.2737463160710212, 0.6549194498281365, 0.6427461556679914, 0.5060814483426322,
      0.09886258772468093, 0.11323212009211352, 0.04771529541683146, 1.4875485464546525, 0.3048274111231699,
      0.29095231508448816},
     0x8f42112d83de299cu},
    {"cauchy",
     "float",
     {-1.6315423250198364, 7.803722858428955, 3.075352430343628, 3.008829355239868, 2.2673439979553223,
      -2.6537857055664062, -2.0505809783935547, -7.508095741271973, 10.686962127685547, 0.9877763986587524,
      0.8735547065734863},
     0x8f42112d83de299cu},
    {"cauchy",
     "double",
     {-1.631542288150947, 7.803722647646726, 3.0753524400460743, 3.0088292573030966, 2.2673439669917603,
      -2.653785817021753, -2.0505809777062383, -7.508095654846557, 10.686962352570811, 0.9877763932896052,
      0.8735547119957353},
     0x8f42112d83de299cu},
    {"log_normal",
     "float",
     {2.512526512145996, 3.6102561950683594, 1.6325407028198242, 1.3624857664108276, 1.7263706922531128,
      1.857282042503357, 2.168109178543091, 1.9405573606491089, 2.632317066192627, 1.7389529943466187,
      1.3045964241027832},
     0x54679566337739a3u},
    {"log_normal",
     "double",
     {2.51252653752541, 3.6102562230811737, 1.6325407068321205, 1.3624857462367688, 1.7263706928551459,
      1.8572820025663983, 2.168109089508657, 1.9405573805355072, 2.6323170140307233, 1.7389529647216049,
      1.304596470157074},
     0x54679566337739a3u},
    {"geometric", "float", {55.0, 5.0, 14.0, 14.0, 19.0, 62.0, 58.0, 84.0, 3.0, 30.0, 31.0}, 0x8f42112d83de299cu},
    {"geometric", "double", {55.0, 5.0, 14.0, 14.0, 19.0, 62.0, 58.0, 84.0, 3.0, 30.0, 31.0}, 0x8f42112d83de299cu},
};

// Seed 11: nine elements of a double tensor with stride 2, mean 0.5, std 1.5.
inline constexpr double kStrided[9] = {1.606444177642914,  3.4188937287444032,   -0.5493124143503698,
                                       -1.453446069885302, -0.26989330247015175, 0.09557065029178122,
                                       0.8692770017526914, 1.2258879443396578,   1.175626699770392};

// State of a new Generator().
inline constexpr std::uint64_t kDefaultState = 0xfb62b0a91fa075ddu;

}  // namespace hwaro_test
