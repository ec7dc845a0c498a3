// OpenBLAS, opened when something of it is first needed (LAPACK; the products here do without). It runs with one
// thread: the pool above it spreads the work.
#pragma once

namespace hwaro {

// The function `name` of BLAS, CBLAS or LAPACK, for instance "dgesv_" or "LAPACKE_dgesv", with or without the "scipy_"
// that the build on PyPI puts in front of names. Null where no library was found, or none that has the function.
//
// Looked for in this order: set_blas_library, the environment variable HWARO_BLAS, beside this library and in
// ../scipy_openblas32/lib, along the run path, the path that the build was given, libopenblas.so.0 of the system.
void* blas_symbol(const char* name);

// The library that was opened (this opens it), or null.
const char* blas_library();

// Names the library to open. Throws Error where one is open already, or where this one cannot be opened.
void set_blas_library(const char* path);

}  // namespace hwaro
