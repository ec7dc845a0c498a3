// Taking the interpreter's lock on threads that may outlive the interpreter.
#include <cxxabi.h>
#include <unistd.h>

#include "python/src/binding.h"

namespace hwaro::python {

// Once it is finalizing, CPython up to 3.13 ends a thread that asks for the lock by unwinding its stack, and a frame
// that is noexcept, as every destructor, would end the process instead. Such a thread waits here for the end.
template <class Take>
static auto take_or_wait_forever(Take take) {
  try {
    return take();
  } catch (abi::__forced_unwind&) {
    for (;;) pause();
  }
}

PyGILState_STATE acquire_interpreter() {
  return take_or_wait_forever([] { return PyGILState_Ensure(); });
}

void restore_interpreter(PyThreadState* state) {
  take_or_wait_forever([state] { PyEval_RestoreThread(state); });
}

}  // namespace hwaro::python
