#include "hwaro/backend/cpu/gemm/blas.h"

#include <dlfcn.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "hwaro/base/error.h"
#include "hwaro/base/fork_safe_mutex.h"

namespace hwaro {
namespace {

struct Library {
  ForkSafeMutex mutex;
  bool searched = false;
  void* handle = nullptr;
  std::string path;
};

Library& library() {
  static Library* const the_library = new Library;  // never closed: other threads may be inside it at exit
  return *the_library;
}

void* symbol(void* handle, const char* name) {
  const std::string prefixed = std::string("scipy_") + name;
  if (void* found = dlsym(handle, prefixed.c_str())) return found;
  return dlsym(handle, name);
}

bool open(Library& lib, const std::string& path) {
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return false;
  if (symbol(handle, "cblas_sgemm") == nullptr) {
    dlclose(handle);
    return false;
  }
  if (void* set_threads = symbol(handle, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set_threads)(1);
  lib.handle = handle, lib.path = path;
  return true;
}

std::vector<std::string> candidates() {
  std::vector<std::string> paths;
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&blas_symbol), &info) != 0 && info.dli_fname != nullptr) {
    const std::string self = info.dli_fname;
    const auto slash = self.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : self.substr(0, slash);
    for (const char* place : {"/", "/../scipy_openblas32/lib/"})
      paths.push_back(folder + place + "libscipy_openblas.so");
  }
  paths.push_back("libscipy_openblas.so");  // by the run path of a program that holds this library itself
#if defined(HWARO_BLAS_DEFAULT)
  paths.push_back(HWARO_BLAS_DEFAULT);
#endif
  paths.push_back("libopenblas.so.0");
  return paths;
}

void search(Library& lib) {
  if (lib.searched) return;
  if (const char* wanted = std::getenv("HWARO_BLAS"); wanted != nullptr && *wanted != '\0') {
    HWARO_CHECK(open(lib, wanted), "HWARO_BLAS names '", wanted, "', which cannot be opened as a BLAS library");
    lib.searched = true;
    return;
  }
  lib.searched = true;
  for (const std::string& path : candidates())
    if (open(lib, path)) return;
}

}  // namespace

void* blas_symbol(const char* name) {
  Library& lib = library();
  std::lock_guard lock(lib.mutex);
  search(lib);
  return lib.handle == nullptr ? nullptr : symbol(lib.handle, name);
}

const char* blas_library() {
  Library& lib = library();
  std::lock_guard lock(lib.mutex);
  search(lib);
  return lib.handle == nullptr ? nullptr : lib.path.c_str();
}

void set_blas_library(const char* path) {
  Library& lib = library();
  std::lock_guard lock(lib.mutex);
  HWARO_CHECK(lib.handle == nullptr, "a BLAS library is open already: ", lib.path);
  HWARO_CHECK(open(lib, path), "'", path, "' cannot be opened as a BLAS library");
  lib.searched = true;
}

}  // namespace hwaro
