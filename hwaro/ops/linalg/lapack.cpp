#include "hwaro/ops/linalg/lapack.h"

#include <climits>

#include "hwaro/base/linalg_error.h"
#include "hwaro/ops/diagonal.h"

namespace hwaro {

static constinit const LapackKernels* g_lapack = nullptr;
const LapackKernels& lapack() { return *g_lapack; }
void set_lapack_kernels(const LapackKernels* table) { g_lapack = table; }

namespace engine {

using std::int64_t;

Matrices::Matrices(const Tensor& t) {
  const int d = t.dim();
  for (int i = 0; i + 2 < d; ++i) count *= t.sizes()[i];
  HWARO_CHECK(t.sizes()[d - 2] <= INT_MAX && t.sizes()[d - 1] <= INT_MAX,
              "LAPACK takes at most 2^31 - 1 rows or columns");
  rows = int(t.sizes()[d - 2]);
  cols = int(t.sizes()[d - 1]);
}

Dims batch_sizes(const Tensor& t, int last) { return Dims(IntSpan(t.sizes().data(), std::size_t(t.dim() - last))); }

Dims with_sizes(Dims batch, std::initializer_list<int64_t> sizes) {
  for (int64_t n : sizes) batch.push_back(n);
  return batch;
}

Dims column_strides(IntSpan sizes) {
  Dims strides = contiguous_strides(sizes);
  const std::size_t d = sizes.size();
  strides[d - 2] = 1;
  strides[d - 1] = sizes[d - 2] > 1 ? sizes[d - 2] : 1;
  return strides;
}

Tensor make_columns(IntSpan sizes, DType dtype, Device device) {
  return make_strided(sizes, column_strides(sizes), dtype, device);
}

Tensor column_copy(const Tensor& t) {
  const Tensor out = make_columns(t.sizes(), t.dtype(), t.device());
  if (!t.device().is_meta()) copy_raw(out, t);
  return out;
}

Tensor diagonal_matrix(const Tensor& d) { return diag_embed(d, 0, -2, -1); }
Tensor diagonal_of(const Tensor& t) { return diagonal(t, 0, -2, -1); }

Tensor identity(int64_t n, DType dtype, Device device) {
  const Tensor out = make_zeros({n, n}, dtype, device);
  if (!device.is_meta()) {
    NoGradGuard guard;
    fill_elements(*diagonal(out, 0, 0, 1).impl(), 1);
  }
  return out;
}

Factors factor_lu(const Tensor& a) {
  NoGradGuard guard;
  const int64_t least = a.size(-2) < a.size(-1) ? a.size(-2) : a.size(-1);
  Factors f{column_copy(a), make_tensor(with_sizes(batch_sizes(a), {least}), kInt32, a.device()),
            make_zeros(batch_sizes(a), kInt32, a.device())};
  if (a.device().is_meta() || a.numel() == 0) return f;
  const Matrices m(a);
  for (int64_t i = 0; i < m.count; ++i)
    f.info->write_as<int>()[i] = lapack().getrf(a.dtype(), m.rows, m.cols, block_of(f.lu, i, int64_t(m.rows) * m.cols),
                                                m.rows, f.pivots->write_as<int>() + i * least);
  return f;
}

std::vector<int64_t> broadcast_index(IntSpan from, IntSpan to) {
  NoGradGuard guard;
  const Tensor numbers = make_tensor(from, kInt64);
  for (int64_t i = 0; i < numbers.numel(); ++i) numbers->write_as<int64_t>()[i] = i;
  const Tensor wide = dense(expand(numbers, to));
  const int64_t* at = wide->read_as<int64_t>();
  return {at, at + wide.numel()};
}

void solve_factored(const Factors& f, char op, const Tensor& x) {
  if (x.device().is_meta() || x.numel() == 0) return;
  const Matrices m(x);
  const std::vector<int64_t> from = broadcast_index(batch_sizes(f.lu), batch_sizes(x));
  for (int64_t i = 0; i < m.count; ++i)
    lapack().getrs(x.dtype(), op, m.rows, m.cols, block_of(f.lu, from[std::size_t(i)], int64_t(m.rows) * m.rows),
                   m.rows, f.pivots->read_as<int>() + from[std::size_t(i)] * m.rows,
                   block_of(x, i, int64_t(m.rows) * m.cols), m.rows);
}

void check_matrix(const Tensor& t, const char* function, const char* name) {
  HWARO_CHECK(t.dim() >= 2, function, ": The input tensor ", name, " must have at least 2 dimensions.");
}

void check_square(const Tensor& t, const char* function, const char* name) {
  check_matrix(t, function, name);
  HWARO_CHECK(t.size(-1) == t.size(-2), function, ": ", name, " must be batches of square matrices, but they are ",
              t.size(-2), " by ", t.size(-1), " matrices");
}

void check_floating(const Tensor& t, const char* function, bool low_precision) {
  HWARO_CHECK(is_differentiable(t.dtype()), function, ": Expected a floating point or complex tensor as input. Got ",
              scalar_type_name(t.dtype()));
  HWARO_CHECK(low_precision || !is_reduced_float(t.dtype()), function, ": Low precision dtypes not supported. Got ",
              scalar_type_name(t.dtype()));
}

void check_info(const Tensor& info, const char* function, bool single) {
  if (info.device().is_meta()) return;
  const std::string_view f = function;
  const auto is = [&](std::string_view part) { return f.find(part) != std::string_view::npos; };
  const int* found = info->read_as<int>();
  for (int64_t i = 0; i < info.numel(); ++i) {
    const int code = found[i];
    if (code == 0) continue;
    const std::string where = concat(function, ": ", single ? std::string() : concat("(Batch element ", i, "): "));
    if (code < 0) {
      HWARO_CHECK_AS(LinAlgError, !is("svd"), where,
                     "The algorithm failed to converge because the input matrix contained non-finite values.");
      raise<RuntimeError>(where, "Argument ", -code,
                          " has illegal value. Most certainly there is a bug in the implementation "
                          "calling the backend library.");
    }
    if (is("inv"))
      raise<LinAlgError>(where, "The diagonal element ", code,
                         " is zero, the inversion could not be completed because the "
                         "input matrix is singular.");
    if (is("solve")) raise<LinAlgError>(where, "The solver failed because the input matrix is singular.");
    if (is("cholesky"))
      raise<LinAlgError>(where,
                         "The factorization could not be completed because the input is not positive-definite (the "
                         "leading minor of order ",
                         code, " is not positive-definite).");
    if (is("svd"))
      raise<LinAlgError>(where,
                         "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
                         "many repeated singular values (error code: ",
                         code, ").");
    if (is("eig"))
      raise<LinAlgError>(where,
                         "The algorithm failed to converge because the input matrix is ill-conditioned or has too "
                         "many repeated eigenvalues (error code: ",
                         code, ").");
    if (is("lstsq"))
      raise<LinAlgError>(where,
                         "The least squares solution could not be computed because the input matrix does not have "
                         "full rank (error code: ",
                         code, ").");
    if (is("lu_factor"))
      raise<RuntimeError>(
          where, "U[", code, ",", code,
          "] is zero and using it on lu_solve would result in a division by "
          "zero. If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or "
          "linalg.lu_factor_ex(A, pivot)");
    raise<LinAlgError>(where, "Unknown error code: ", code, ".");
  }
}

Dims common_batch(const Tensor& a, const Tensor& b) {
  Dims out = batch_sizes(a);
  broadcast_into(out, batch_sizes(b));
  return out;
}

}  // namespace engine
}  // namespace hwaro
