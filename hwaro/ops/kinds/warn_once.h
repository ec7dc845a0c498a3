// Warnings that come once per process.
#pragma once

#include <string>

namespace hwaro::engine {

// As warn(), but once per text, which is PyTorch's way with deprecations; set_warn_always(true) ends that.
void warn_once(const std::string& text, const char* category = "UserWarning");
void set_warn_always(bool always);
bool warn_always();

}  // namespace hwaro::engine
