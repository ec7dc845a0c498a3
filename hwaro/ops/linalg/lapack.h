// What decompositions share: the backend's table of LAPACK routines, batches of column-major matrices, and checks.
#pragma once

#include <string>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro {

// Routines on one column-major matrix of float, double or their complex types, named as in LAPACK; lda and so on are
// leading dimensions. They return LAPACK's `info`. Errors: RuntimeError where there is no library that has them.
struct LapackKernels {
  int (*getrf)(DType t, int m, int n, void* a, int lda, int* pivots);
  int (*getrs)(DType t, char trans, int n, int nrhs, const void* lu, int lda, const int* pivots, void* b, int ldb);
  int (*potrf)(DType t, char uplo, int n, void* a, int lda);
  int (*potri)(DType t, char uplo, int n, void* a, int lda);
  int (*potrs)(DType t, char uplo, int n, int nrhs, const void* a, int lda, void* b, int ldb);
  int (*geqrf)(DType t, int m, int n, void* a, int lda, void* tau);
  int (*orgqr)(DType t, int m, int n, int k, void* a, int lda, const void* tau);  // ungqr for complex types
  int (*ormqr)(DType t, char side, bool adjoint, int m, int n, int k, const void* a, int lda, const void* tau, void* c,
               int ldc);
  int (*gesdd)(DType t, char job, int m, int n, void* a, int lda, void* s, void* u, int ldu, void* vh, int ldvh);
  int (*syevd)(DType t, char job, char uplo, int n, void* a, int lda, void* w);  // heevd for complex types
  // Eigenvalues and, unless null, right eigenvectors (n by n, dense), both of the complex type.
  int (*geev)(DType t, int n, void* a, int lda, void* w, void* v);
  // Least squares by gels, gelsy, gelsd or gelss ('l', 'y', 'd', 's'); s is for the last two.
  int (*gels)(DType t, char driver, int m, int n, int nrhs, void* a, int lda, void* b, int ldb, double rcond, int* rank,
              void* s);
  int (*trsm)(DType t, char side, char uplo, char trans, char diag, int m, int n, const void* a, int lda, void* b,
              int ldb);
  int (*sytrf)(DType t, bool hermitian, char uplo, int n, void* a, int lda, int* pivots);
  int (*sytrs)(DType t, bool hermitian, char uplo, int n, int nrhs, const void* a, int lda, const int* pivots, void* b,
               int ldb);
};
const LapackKernels& lapack();
void set_lapack_kernels(const LapackKernels* table);  // called once at load by the backend

namespace engine {

// ---- batches of matrices ----

// Number of matrices, and size of the last two dimensions.
struct Matrices {
  std::int64_t count = 1;
  int rows = 0, cols = 0;
  explicit Matrices(const Tensor& t);
};
Dims batch_sizes(const Tensor& t, int last = 2);  // the sizes without the last dimensions
Dims with_sizes(Dims batch, std::initializer_list<std::int64_t> sizes);
Dims column_strides(IntSpan sizes);
// A fresh tensor whose matrices are column-major, one after the other.
Tensor make_columns(IntSpan sizes, DType dtype, Device device);
// A fresh copy like that. Not recorded.
Tensor column_copy(const Tensor& t);
// Memory of matrix i (or of row i of a (batch, n) tensor) of a fresh result.
template <class T = char>
T* block_of(const Tensor& t, std::int64_t i, std::int64_t elements) {
  return reinterpret_cast<T*>(static_cast<char*>(t->write()) + i * elements * std::int64_t(t.element_size()));
}
inline Tensor adjoint(const Tensor& t) { return conj(transpose(t, -2, -1)); }
// A view of the vectors as diagonal matrices' content: d(..., n) -> diag(d) (..., n, n). Recorded.
Tensor diagonal_matrix(const Tensor& d);
Tensor diagonal_of(const Tensor& t);
Tensor identity(std::int64_t n, DType dtype, Device device);

// LU factors with row exchanges of every matrix of `a` (column-major, overwritten); pivots (…, min(m, n)) and info (…) are
// of int32. Not recorded.
struct Factors {
  Tensor lu, pivots, info;
};
Factors factor_lu(const Tensor& a);
// Overwrites the column-major x with the solution of op(A) X = x, op being 'N', 'T' or 'C'. The factors' batch broadcasts.
void solve_factored(const Factors& f, char op, const Tensor& x);
// For every element of a batch which element of a smaller one it is broadcast from.
std::vector<std::int64_t> broadcast_index(IntSpan from, IntSpan to);

// ---- checks, in PyTorch's words ----

void check_matrix(const Tensor& t, const char* function, const char* name = "A");
void check_square(const Tensor& t, const char* function, const char* name = "A");
void check_floating(const Tensor& t, const char* function, bool low_precision = false);
// Raises LinAlgError for the first matrix whose info is not zero.
void check_info(const Tensor& info, const char* function, bool single);
// The batch that both broadcast to.
Dims common_batch(const Tensor& a, const Tensor& b);

}  // namespace engine
}  // namespace hwaro
