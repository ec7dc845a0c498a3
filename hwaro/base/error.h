// Typed exceptions. The Python binding maps each class to the Python exception of the same name,
// so the C++ class and the text of what() decide what a user of either face sees.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace hwaro {

// Base class; also what PyTorch reports as RuntimeError.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  // One line that says what to do, e.g. "hint: move b to the same device: b = b.to(a.device)"; "" where there is nothing
  // to say. Korean where HWARO_LANG=ko or the locale says so.
  std::string hint() const;
};
using RuntimeError = Error;

#define HWARO_DEFINE_ERROR(Name) \
  class Name : public Error {    \
   public:                       \
    using Error::Error;          \
  };
HWARO_DEFINE_ERROR(IndexError)
HWARO_DEFINE_ERROR(TypeError)
HWARO_DEFINE_ERROR(ValueError)
HWARO_DEFINE_ERROR(NotImplementedError)
HWARO_DEFINE_ERROR(AssertionError)
HWARO_DEFINE_ERROR(OutOfMemoryError)
#undef HWARO_DEFINE_ERROR

// Concatenates its arguments with operator<<.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class E = Error, class... Parts>
[[noreturn, gnu::cold, gnu::noinline]] void raise(const Parts&... parts) {
  throw E(concat(parts...));
}

}  // namespace hwaro

// HWARO_CHECK(condition, parts...) throws Error (Python: RuntimeError); the message is only built on failure.
#define HWARO_CHECK(condition, ...)                \
  do {                                             \
    if (!(condition)) [[unlikely]]                 \
      ::hwaro::raise<::hwaro::Error>(__VA_ARGS__); \
  } while (0)
#define HWARO_CHECK_AS(ErrorClass, condition, ...)      \
  do {                                                  \
    if (!(condition)) [[unlikely]]                      \
      ::hwaro::raise<::hwaro::ErrorClass>(__VA_ARGS__); \
  } while (0)
