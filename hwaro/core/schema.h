// The signature of an operator, in ATen's schema language, parsed while the program is compiled: a typo is an error at the
// operator. Offsets into the text rather than string_views keep the tables small and free of relocations.
//
//   "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"
#pragma once

#include <cstdint>
#include <string_view>

namespace hwaro {

enum class ArgType : std::uint8_t {
  Tensor,
  Scalar,
  Int,
  Float,
  Bool,
  DType,
  Layout,
  Device,
  MemoryFormat,
  Str,
  Generator
};

struct TextRange {
  std::uint16_t begin = 0, length = 0;
};

struct ArgSchema {
  ArgType type = ArgType::Tensor;
  bool optional = false;
  bool list = false;
  bool keyword_only = false;
  bool has_default = false;
  bool written = false;        // Tensor(a!)
  std::uint8_t list_size = 0;  // int[2]: a single int stands for two
  TextRange name, default_text;
};

inline constexpr int kMaxArgs = 18;
inline constexpr int kMaxReturns = 6;

struct Schema {
  const char* text;
  TextRange name, overload, returns;
  ArgSchema args[kMaxArgs] = {};
  TextRange return_names[kMaxReturns] = {};
  std::uint8_t arg_count = 0, positional_count = 0, return_count = 0;
  bool returns_list = false;  // "-> Tensor[]"

  template <std::size_t N>
  consteval Schema(const char (&literal)[N]) : text(literal) {  // NOLINT: written as "…" in the operator
    parse(N - 1);
  }
  constexpr std::string_view str(TextRange r) const { return {text + r.begin, r.length}; }
  constexpr std::string_view name_str() const { return str(name); }

  // Number of leading arguments of type Tensor, and of Scalars anywhere: what a pointwise operator is made of.
  constexpr int tensor_count() const {
    int n = 0;
    while (n < arg_count && args[n].type == ArgType::Tensor && !args[n].list) ++n;
    return n;
  }
  constexpr int scalar_count() const {
    int n = 0;
    for (int i = 0; i < arg_count; ++i) n += args[i].type == ArgType::Scalar;
    return n;
  }

 private:
  static consteval void expect(bool good) {
    if (!good) throw "schema: syntax error";  // not a constant expression: the compiler points here and at the operator
  }
  static constexpr bool word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }
  consteval TextRange take_word(std::size_t& i, std::size_t n) {
    const std::size_t begin = i;
    while (i < n && word(text[i])) ++i;
    return {std::uint16_t(begin), std::uint16_t(i - begin)};
  }
  consteval ArgType type_of(std::string_view w) {
    if (w == "Tensor") return ArgType::Tensor;
    if (w == "Scalar") return ArgType::Scalar;
    if (w == "int" || w == "SymInt") return ArgType::Int;
    if (w == "float") return ArgType::Float;
    if (w == "bool") return ArgType::Bool;
    if (w == "ScalarType") return ArgType::DType;
    if (w == "Layout") return ArgType::Layout;
    if (w == "Device") return ArgType::Device;
    if (w == "MemoryFormat") return ArgType::MemoryFormat;
    if (w == "str") return ArgType::Str;
    if (w == "Generator") return ArgType::Generator;
    throw "schema: unknown type";
  }
  consteval void parse(std::size_t n) {
    std::size_t i = 0;
    auto skip = [&] {
      while (i < n && text[i] == ' ') ++i;
    };
    name = take_word(i, n);
    expect(name.length > 0);
    if (i < n && text[i] == '.') {
      ++i;
      overload = take_word(i, n);
    }
    expect(i < n && text[i] == '(');
    ++i;
    bool keyword_only = false;
    skip();
    while (i < n && text[i] != ')') {
      if (text[i] == '*') {
        keyword_only = true;
        ++i;
      } else {
        expect(arg_count < kMaxArgs);
        ArgSchema& a = args[arg_count++];
        a.keyword_only = keyword_only;
        if (!keyword_only) ++positional_count;
        a.type = type_of(str(take_word(i, n)));
        if (i < n && text[i] == '(') {
          while (i < n && text[i] != ')') a.written = a.written || text[i++] == '!';
          ++i;
        }
        if (i < n && text[i] == '[') {
          a.list = true;
          ++i;
          while (i < n && text[i] >= '0' && text[i] <= '9')
            a.list_size = std::uint8_t(a.list_size * 10 + (text[i++] - '0'));
          expect(text[i] == ']');
          ++i;
        }
        if (i < n && text[i] == '?') {
          a.optional = true;
          ++i;
        }
        skip();
        a.name = take_word(i, n);
        expect(a.name.length > 0);
        if (i < n && text[i] == '=') {
          ++i;
          const std::size_t begin = i;
          int depth = 0;
          while (i < n && (depth > 0 || (text[i] != ',' && text[i] != ')'))) {
            depth += text[i] == '[' ? 1 : text[i] == ']' ? -1 : 0;
            ++i;
          }
          a.has_default = true;
          a.default_text = {std::uint16_t(begin), std::uint16_t(i - begin)};
        }
      }
      skip();
      if (text[i] == ',') {
        ++i;
        skip();
      } else {
        expect(text[i] == ')');
      }
    }
    ++i;
    skip();
    expect(i + 1 < n && text[i] == '-' && text[i + 1] == '>');
    i += 2;
    skip();
    returns = {std::uint16_t(i), std::uint16_t(n - i)};
    const bool tuple = text[i] == '(';
    if (tuple) ++i;
    while (i < n && text[i] != ')') {
      expect(return_count < kMaxReturns);
      take_word(i, n);
      if (i < n && text[i] == '(') {
        while (text[i] != ')') ++i;
        ++i;
      }
      if (i < n && text[i] == '[') {
        expect(text[i + 1] == ']');
        returns_list = true;
        i += 2;
      }
      skip();
      if (i < n && word(text[i])) return_names[return_count] = take_word(i, n);
      ++return_count;
      if (i < n && text[i] == ',') ++i;
      skip();
    }
  }
};

}  // namespace hwaro
