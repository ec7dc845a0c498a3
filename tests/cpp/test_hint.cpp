// Hints beside errors: what() stays PyTorch's text, hint() says what to do.
#include <doctest/doctest.h>
#include <hwaro/hwaro.h>

#include <cstdlib>
#include <string>

#include "hwaro/base/hint.h"

using namespace hwaro;

namespace {

struct Language {
  explicit Language(const char* value) { setenv("HWARO_LANG", value, 1); }
  ~Language() { unsetenv("HWARO_LANG"); }
};

template <class F>
std::string hint_of(F f) {
  try {
    f();
  } catch (const Error& e) {
    CHECK(std::string(e.what()).find("hint") == std::string::npos);
    return e.hint();
  }
  return "no error";
}

}  // namespace

TEST_CASE("an error says what to do") {
  const Language english("en");
  CHECK(hint_of([] { mm(ones({2, 3}), ones({2, 3})); }) ==
        "hint: the inner sizes 3 and 2 must be equal: transpose an operand (b.t()), or give the layer in_features=3");
  CHECK(hint_of([] { ones({2, 3}) + ones({4}); }).find("in dimension 1 the sizes 3 and 4 differ") != std::string::npos);
  CHECK(hint_of([] { ones({6}).view({4, 2}); }).find("the sizes in [4, 2] must multiply to 6") != std::string::npos);
}

TEST_CASE("in Korean") {
  const Language korean("ko");
  CHECK(hint_of([] { mm(ones({2, 3}), ones({2, 3})); }).rfind("도움말: 안쪽 크기가 같아야 합니다(3, 2)", 0) == 0);
}

TEST_CASE("errors without advice have an empty hint") {
  const Language english("en");
  CHECK(Error("something else").hint().empty());
  CHECK(TypeError("").hint().empty());
}

TEST_CASE("a call is shown with or without advice") {
  const Language english("en");
  CHECK(hint_for("something else", "f(x: 1)") == "called as f(x: 1)");
  CHECK(hint_for("Boolean value of Tensor with no values is ambiguous", "f()") ==
        "hint: say what is meant: (x > 0).any(), (x > 0).all(), or x.numel() > 0; called as f()");
}

TEST_CASE("patterns take what stands between their words") {
  const Language english("en");
  CHECK(hint_for("shape '[2, -1]' is invalid for input of size 7").find("the sizes in [2, -1] must multiply to 7;") !=
        std::string::npos);
  CHECK(hint_for("index -9 is out of bounds for dimension 0 with size 3") ==
        "hint: dimension 0 has size 3: an index i must satisfy -3 <= i < 3");
  // A pattern whose words are not all there does not fit.
  CHECK(hint_for("shape '[2, -1]' is fine").empty());
}
