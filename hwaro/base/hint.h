// What helps beside an error's text: one line that says what to do. English, or Korean where HWARO_LANG=ko or the locale
// says so.
#pragma once

#include <string>
#include <string_view>

namespace hwaro {

// The hint for an error of this text, e.g. "hint: move b to the same device: b = b.to(a.device)"; "" where there is none.
// `call` is what was called with which arguments, and is shown at the end if it is not empty.
std::string hint_for(std::string_view what, std::string_view call = {});

}  // namespace hwaro
