#include "hwaro/io/header_reader.h"

#include "hwaro/base/error.h"

namespace hwaro::io {

namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Header header() {
    Header h;
    object([&](std::string name) {
      if (name == "__metadata__") {
        object([&](std::string key) {
          std::string value = string();
          h.metadata.emplace_back(std::move(key), std::move(value));
        });
        return;
      }
      h.entries.push_back(entry(std::move(name)));
    });
    space();
    if (at_ != text_.size()) fail("the end");
    return h;
  }

 private:
  [[noreturn]] void fail(const char* expected) const {
    raise<ValueError>("invalid header: expected ", expected, " at byte ", at_);
  }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, const char* name) {
    if (!take(c)) fail(name);
  }

  // Calls member(name) at each value; names may not repeat.
  template <class F>
  void object(F&& member) {
    std::vector<std::string> seen;
    expect('{', "'{'");
    if (take('}')) return;
    do {
      std::string name = string();
      for (const std::string& s : seen)
        if (s == name) raise<ValueError>("invalid header: the name ", quoted(name), " occurs twice");
      seen.push_back(name);
      expect(':', "':'");
      member(std::move(name));
    } while (take(','));
    expect('}', "',' or '}'");
  }
  std::uint64_t number() {
    space();
    const std::size_t begin = at_;
    std::uint64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const auto digit = std::uint64_t(text_[at_] - '0');
      if (value > (std::uint64_t(1) << 62) / 10) fail("a number below 2^62");
      value = value * 10 + digit;
      ++at_;
    }
    if (at_ == begin || (text_[begin] == '0' && at_ > begin + 1)) fail("a whole number");
    return value;
  }
  std::vector<std::uint64_t> numbers() {
    std::vector<std::uint64_t> out;
    expect('[', "'['");
    if (take(']')) return out;
    do out.push_back(number());
    while (take(','));
    expect(']', "',' or ']'");
    return out;
  }
  HeaderEntry entry(std::string name) {
    HeaderEntry e;
    e.name = std::move(name);
    int known = 0;
    object([&](const std::string& key) {
      if (key == "dtype") {
        e.dtype = string();
      } else if (key == "shape") {
        for (const std::uint64_t n : numbers()) e.shape.push_back(std::int64_t(n));
      } else if (key == "data_offsets") {
        const std::vector<std::uint64_t> offsets = numbers();
        if (offsets.size() != 2) fail("two offsets");
        e.begin = offsets[0];
        e.end = offsets[1];
      } else {
        fail("dtype, shape or data_offsets");
      }
      ++known;
    });
    if (known != 3) fail("dtype, shape and data_offsets");
    return e;
  }

  std::string string() {
    expect('"', "a string");
    std::string out;
    while (at_ < text_.size() && text_[at_] != '"') {
      const char c = text_[at_++];
      if (static_cast<unsigned char>(c) < 0x20) fail("no control character");
      if (c != '\\') {
        out += c;
        continue;
      }
      if (at_ == text_.size()) break;
      switch (text_[at_++]) {
        case '"': out += '"'; break;
        case '\\': out += '\\'; break;
        case '/': out += '/'; break;
        case 'b': out += '\b'; break;
        case 'f': out += '\f'; break;
        case 'n': out += '\n'; break;
        case 'r': out += '\r'; break;
        case 't': out += '\t'; break;
        case 'u': unicode(out); break;
        default: fail("an escape sequence");
      }
    }
    expect_quote();
    return out;
  }
  void expect_quote() {
    if (at_ >= text_.size()) fail("'\"'");
    ++at_;
  }
  std::uint32_t hex4() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = at_ < text_.size() ? text_[at_++] : '\0';
      if (c >= '0' && c <= '9') value = value * 16 + std::uint32_t(c - '0');
      else if (c >= 'a' && c <= 'f') value = value * 16 + std::uint32_t(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F') value = value * 16 + std::uint32_t(c - 'A' + 10);
      else fail("four hexadecimal digits");
    }
    return value;
  }
  void unicode(std::string& out) {
    std::uint32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (at_ + 1 >= text_.size() || text_[at_] != '\\' || text_[at_ + 1] != 'u')
        fail("the second half of a surrogate pair");
      at_ += 2;
      const std::uint32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail("the second half of a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      fail("a character");
    }
    if (code < 0x80) {
      out += char(code);
    } else if (code < 0x800) {
      out += char(0xC0 | code >> 6);
      out += char(0x80 | (code & 63));
    } else if (code < 0x10000) {
      out += char(0xE0 | code >> 12);
      out += char(0x80 | (code >> 6 & 63));
      out += char(0x80 | (code & 63));
    } else {
      out += char(0xF0 | code >> 18);
      out += char(0x80 | (code >> 12 & 63));
      out += char(0x80 | (code >> 6 & 63));
      out += char(0x80 | (code & 63));
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Header read_header(std::string_view json) { return Reader(json).header(); }

std::string quoted(std::string_view text) {
  static const char* const kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += "\\u00";
      out += kHex[c >> 4 & 15];
      out += kHex[c & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace hwaro::io
