// Errors on their way to Python with a note (PEP 678): what was called with which tensors, and what to do.
#pragma once

#include <string_view>

#include "python/src/binding.h"

namespace hwaro::python {

// "float32 [2, 3] cpu"; for what is no tensor its type, for numbers the number.
std::string shown_argument(PyObject* o);
// Sets the Python error for the C++ exception that is being handled, with a note if there is something to say.
void set_error_with_note(std::string_view call) noexcept;
// The same where a slot such as + was called: operands self and other (which may be null).
void set_error_from_slot(const char* name, PyObject* self, PyObject* other) noexcept;

}  // namespace hwaro::python
