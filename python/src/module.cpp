// hwaro._C: the extension module. Hot parts are added by the files of this folder; the cold functions here use nanobind.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/base/parallel.h"
#include "hwaro/core/allocator.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "python/src/binding.h"
#include "python/src/torch_function.h"

namespace nb = nanobind;

namespace hwaro::python {

namespace {

// Warnings of the engine become Python's, at the caller's line. If a filter turns one into an error, it is raised when the
// operator returns (the engine does not stop half-way).
void python_warning(const std::string& text, const char* category) {
  GilAcquire gil;
  PyObject* type = PyExc_UserWarning;
  Ref numpy_type;
  if (std::string_view(category) == "DeprecationWarning") type = PyExc_DeprecationWarning;
  else if (std::string_view(category) == "FutureWarning") type = PyExc_FutureWarning;
  if (PyErr_WarnEx(type, text.c_str(), 1) < 0) throw_python_error();
}

void* release_gil() { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; }
void restore_gil(void* state) {
  if (state) restore_interpreter(static_cast<PyThreadState*>(state));
}

// Under torch.cuda's names, with the meaning they have there.
nb::dict stats_dict() {
  const MemoryStats s = memory_stats();
  nb::dict d;
  d["num_alloc_retries"] = s.retries;
  d["num_ooms"] = s.out_of_memory;
  d["allocation.all.current"] = s.allocation_current;
  d["allocation.all.allocated"] = s.allocation_count;
  d["allocation.all.freed"] = s.freed_count;
  d["segment.all.current"] = s.segment_current;
  d["segment.all.allocated"] = s.segment_count;
  d["segment.all.freed"] = s.segment_freed;
  d["allocated_bytes.all.current"] = s.allocated_current;
  d["allocated_bytes.all.peak"] = s.allocated_peak;
  d["allocated_bytes.all.allocated"] = s.allocated_total;
  d["allocated_bytes.all.freed"] = s.freed_total;
  d["reserved_bytes.all.current"] = s.reserved_current;
  d["reserved_bytes.all.peak"] = s.reserved_peak;
  d["reserved_bytes.all.allocated"] = s.reserved_total;
  d["reserved_bytes.all.freed"] = s.unreserved_total;
  return d;
}

nb::list operator_list() {
  nb::list out;
  for (const engine::OpFamily& family : engine::op_families())
    for (std::size_t i = 0; i < family.count; ++i) {
      const engine::OpEntry& e = family.entries[i];
      nb::dict d;
      d["family"] = family.name;
      d["schema"] = e.schema->text;
      d["doc"] = e.doc;
      d["expose"] = e.expose;
      d["pointwise"] = e.pointwise != nullptr;
      out.append(d);
    }
  return out;
}

DType dtype_argument(const char* function, const char* name, int position, nb::handle o) {
  if (!is_dtype(o.ptr()))
    raise<TypeError>(function, "(): argument '", name, "' (position ", position, ") must be torch.dtype, not ",
                     Py_TYPE(o.ptr())->tp_name);
  return dtype_of_object(o.ptr());
}

// Puts a function written in Python on the Tensor type, which as a static type does not take attributes from Python.
void add_tensor_method(const char* name, nb::object function) {
  if (PyDict_SetItemString(TensorType.tp_dict, name, function.ptr()) < 0) throw nb::python_error();
  PyType_Modified(&TensorType);
}

}  // namespace

NB_MODULE(_C, m) {
  PyObject* module = m.ptr();
  if (!add_types(module) || !add_tensor_type(module) || !add_random(module) || !add_autograd(module) ||
      !add_creation(module) || !add_interop(module) || !add_operators(module) || !add_display(module) ||
      !add_storage(module) || !add_torch_function(module))
    throw nb::python_error();
  engine::set_warning_handler(&python_warning);
  set_long_work_hooks({&release_gil, &restore_gil});

  m.def("get_num_threads", &get_num_threads, "Number of threads that operators use.");
  m.def("set_num_threads", [](nb::handle n) {
    HWARO_CHECK(PyLong_Check(n.ptr()) && !PyBool_Check(n.ptr()), "set_num_threads expects an int, but got ",
                Py_TYPE(n.ptr())->tp_name);
    int overflow = 0;
    const long count = PyLong_AsLongAndOverflow(n.ptr(), &overflow);
    HWARO_CHECK_AS(ValueError, overflow == 0, "Overflow when unpacking long long");
    HWARO_CHECK_AS(ValueError, count == static_cast<int>(count), "Overflow when unpacking long");
    set_num_threads(static_cast<int>(count));
  });
  m.def("_parallel_chunks_stolen", &parallel_chunks_stolen);
  m.def("_cpu_capability", [] { return std::string(cpu_capability_name(cpu_capability())); });
  m.def("get_default_dtype", [] { return nb::borrow(dtype_object(default_dtype())); });
  m.def("set_default_dtype", [](nb::object d) {
    if (!is_dtype(d.ptr()))
      raise<TypeError>("invalid dtype object: only floating-point types are supported as the default type");
    set_default_dtype(dtype_of_object(d.ptr()));
  });
  m.def(
      "promote_types",
      [](nb::object a, nb::object b) {
        const DType first = dtype_argument("promote_types", "type1", 1, a);
        return nb::borrow(dtype_object(promote_types(first, dtype_argument("promote_types", "type2", 2, b))));
      },
      nb::arg("type1"), nb::arg("type2"));
  m.def(
      "can_cast",
      [](nb::object from, nb::object to) {
        const DType first = dtype_argument("can_cast", "from_", 1, from);
        return can_cast(first, dtype_argument("can_cast", "to", 2, to));
      },
      nb::arg("from_"), nb::arg("to"));
  m.def("is_warn_always_enabled", &engine::warn_always);
  m.def("set_warn_always", &engine::set_warn_always, nb::arg("b"));
  m.def("memory_stats", &stats_dict);
  m.def("memory_allocated", [] { return memory_stats().allocated_current; });
  m.def("max_memory_allocated", [] { return memory_stats().allocated_peak; });
  m.def("memory_reserved", [] { return memory_stats().reserved_current; });
  m.def("max_memory_reserved", [] { return memory_stats().reserved_peak; });
  m.def("reset_peak_memory_stats", &reset_peak_memory_stats);
  m.def("reset_accumulated_memory_stats", &reset_accumulated_memory_stats);
  m.def("empty_cache", &empty_cache);
  m.def("set_memory_limit", &set_memory_limit);
  m.def("get_memory_limit", &memory_limit);
  m.def("_usable_memory", &usable_memory);
  m.def("_operators", &operator_list, "Every operator: schema, documentation, family, where it appears.");
  m.def("_add_tensor_method", &add_tensor_method);
  nb::register_exception_translator([](const std::exception_ptr& p, void*) {
    try {
      std::rethrow_exception(p);
    } catch (const Error&) {
      set_error_from_exception();
    } catch (const PythonError&) {
    }
  });
}

}  // namespace hwaro::python
