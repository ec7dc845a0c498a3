// LAPACK behind the engine's table: finds a routine's four versions by name and calls them with Fortran's conventions
// (everything by address, lengths of strings at the end). Workspaces are asked for and allocated per call.
#include "hwaro/backend/cpu/lapack.h"

#include <atomic>
#include <string>
#include <vector>

#include "hwaro/backend/cpu/gemm/blas.h"
#include "hwaro/ops/linalg/lapack.h"

namespace hwaro {
namespace {

using Length = std::size_t;

// The versions of one routine; where the complex ones have another name (ungqr for orgqr) both are given.
class Routine {
 public:
  constexpr explicit Routine(const char* real, const char* complex = nullptr)
      : real_(real), complex_(complex ? complex : real) {}
  template <class... Args>
  void operator()(DType t, Args... args) {
    reinterpret_cast<void (*)(Args...)>(find(t))(args...);
  }

 private:
  void* find(DType t) {
    const int version = t == DType::Float ? 0 : t == DType::Double ? 1 : t == DType::ComplexFloat ? 2 : 3;
    void* found = found_[version].load(std::memory_order_acquire);
    if (found != nullptr) return found;
    const std::string name = std::string(1, "sdcz"[version]) + (version < 2 ? real_ : complex_) + "_";
    found = blas_symbol(name.c_str());
    HWARO_CHECK(found != nullptr, "there is no LAPACK library with ", name,
                ": install scipy-openblas32 or libopenblas0, or name one in HWARO_BLAS");
    found_[version].store(found, std::memory_order_release);
    return found;
  }
  const char* real_;
  const char* complex_;
  std::atomic<void*> found_[4] = {};
};

std::size_t size(DType t) { return size_of(t); }
int length_from(DType t, const void* work) {
  const double n =
      to_real(t) == DType::Float ? double(*static_cast<const float*>(work)) : *static_cast<const double*>(work);
  return n < 1 ? 1 : int(n);
}
// Calls f(work, &lwork): once with -1, which asks for the best length, and once with a workspace of it.
template <class F>
void with_workspace(DType t, F f) {
  alignas(16) char answer[16];
  int length = -1;
  f(static_cast<void*>(answer), &length);
  length = length_from(t, answer);
  std::vector<char> work(std::size_t(length) * size(t));
  f(static_cast<void*>(work.data()), &length);
}

int getrf(DType t, int m, int n, void* a, int lda, int* pivots) {
  static Routine routine("getrf");
  int info = 0;
  routine(t, &m, &n, a, &lda, pivots, &info);
  return info;
}

int getrs(DType t, char trans, int n, int nrhs, const void* lu, int lda, const int* pivots, void* b, int ldb) {
  static Routine routine("getrs");
  int info = 0;
  routine(t, &trans, &n, &nrhs, lu, &lda, pivots, b, &ldb, &info, Length(1));
  return info;
}

int potrf(DType t, char uplo, int n, void* a, int lda) {
  static Routine routine("potrf");
  int info = 0;
  routine(t, &uplo, &n, a, &lda, &info, Length(1));
  return info;
}

int potri(DType t, char uplo, int n, void* a, int lda) {
  static Routine routine("potri");
  int info = 0;
  routine(t, &uplo, &n, a, &lda, &info, Length(1));
  return info;
}

int potrs(DType t, char uplo, int n, int nrhs, const void* a, int lda, void* b, int ldb) {
  static Routine routine("potrs");
  int info = 0;
  routine(t, &uplo, &n, &nrhs, a, &lda, b, &ldb, &info, Length(1));
  return info;
}

int geqrf(DType t, int m, int n, void* a, int lda, void* tau) {
  static Routine routine("geqrf");
  int info = 0;
  with_workspace(t, [&](void* work, int* length) { routine(t, &m, &n, a, &lda, tau, work, length, &info); });
  return info;
}

int orgqr(DType t, int m, int n, int k, void* a, int lda, const void* tau) {
  static Routine routine("orgqr", "ungqr");
  int info = 0;
  with_workspace(t, [&](void* work, int* length) { routine(t, &m, &n, &k, a, &lda, tau, work, length, &info); });
  return info;
}

int ormqr(DType t, char side, bool adjoint, int m, int n, int k, const void* a, int lda, const void* tau, void* c,
          int ldc) {
  static Routine routine("ormqr", "unmqr");
  int info = 0;
  const char trans = !adjoint ? 'N' : is_complex(t) ? 'C' : 'T';
  with_workspace(t, [&](void* work, int* length) {
    routine(t, &side, &trans, &m, &n, &k, a, &lda, tau, c, &ldc, work, length, &info, Length(1), Length(1));
  });
  return info;
}

int gesdd(DType t, char job, int m, int n, void* a, int lda, void* s, void* u, int ldu, void* vh, int ldvh) {
  static Routine routine("gesdd");
  int info = 0;
  const std::size_t least = std::size_t(m < n ? m : n), most = std::size_t(m < n ? n : m);
  std::vector<int> integers(8 * least + 1);
  // Of complex matrices: LAPACK's documented length, the larger of its two bounds.
  std::vector<double> reals(is_complex(t) ? least * std::max(5 * least + 7, 2 * most + 2 * least + 1) + 1 : 0);
  with_workspace(t, [&](void* work, int* length) {
    if (is_complex(t))
      routine(t, &job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, length, static_cast<void*>(reals.data()),
              integers.data(), &info, Length(1));
    else routine(t, &job, &m, &n, a, &lda, s, u, &ldu, vh, &ldvh, work, length, integers.data(), &info, Length(1));
  });
  return info;
}

int syevd(DType t, char job, char uplo, int n, void* a, int lda, void* w) {
  static Routine routine("syevd", "heevd");
  int info = 0, minus = -1, integers_length = 0;
  alignas(16) char work_length[16], reals_length[16];
  if (is_complex(t))
    routine(t, &job, &uplo, &n, a, &lda, w, static_cast<void*>(work_length), &minus, static_cast<void*>(reals_length),
            &minus, &integers_length, &minus, &info, Length(1), Length(1));
  else
    routine(t, &job, &uplo, &n, a, &lda, w, static_cast<void*>(work_length), &minus, &integers_length, &minus, &info,
            Length(1), Length(1));
  int lwork = length_from(t, work_length);
  std::vector<char> work(std::size_t(lwork) * size(t));
  std::vector<int> integers(std::size_t(integers_length > 0 ? integers_length : 1));
  if (is_complex(t)) {
    int lreals = length_from(to_real(t), reals_length);
    std::vector<double> reals(std::size_t(lreals) + 1);
    routine(t, &job, &uplo, &n, a, &lda, w, static_cast<void*>(work.data()), &lwork, static_cast<void*>(reals.data()),
            &lreals, integers.data(), &integers_length, &info, Length(1), Length(1));
  } else {
    routine(t, &job, &uplo, &n, a, &lda, w, static_cast<void*>(work.data()), &lwork, integers.data(), &integers_length,
            &info, Length(1), Length(1));
  }
  return info;
}

// Of a real matrix LAPACK gives conjugate pairs as a real and an imaginary column: they are written out.
template <class T>
void write_pairs(int n, const T* real, const T* imag, const T* columns, Complex<T>* w, Complex<T>* v) {
  for (int j = 0; j < n; ++j) w[j] = {real[j], imag[j]};
  if (v == nullptr) return;
  for (int j = 0; j < n; ++j) {
    const bool pair = imag[j] != T(0) && j + 1 < n;
    for (int i = 0; i < n; ++i) {
      const T re = columns[j * n + i], im = pair ? columns[(j + 1) * n + i] : T(0);
      v[j * n + i] = {re, im};
      if (pair) v[(j + 1) * n + i] = {re, -im};
    }
    if (pair) ++j;
  }
}

int geev(DType t, int n, void* a, int lda, void* w, void* v) {
  static Routine routine("geev");
  int info = 0, one = 1, ldv = n > 1 ? n : 1;
  const char none = 'N', job = v ? 'V' : 'N';
  if (is_complex(t)) {
    std::vector<double> reals(2 * std::size_t(n) + 1);
    with_workspace(t, [&](void* work, int* length) {
      routine(t, &none, &job, &n, a, &lda, w, static_cast<void*>(nullptr), &one, v, &ldv, work, length,
              static_cast<void*>(reals.data()), &info, Length(1), Length(1));
    });
    return info;
  }
  std::vector<double> real(std::size_t(n) + 1), imag(std::size_t(n) + 1), columns(std::size_t(n) * std::size_t(n) + 1);
  with_workspace(t, [&](void* work, int* length) {
    routine(t, &none, &job, &n, a, &lda, static_cast<void*>(real.data()), static_cast<void*>(imag.data()),
            static_cast<void*>(nullptr), &one, static_cast<void*>(columns.data()), &ldv, work, length, &info, Length(1),
            Length(1));
  });
  if (t == DType::Float)
    write_pairs(n, reinterpret_cast<float*>(real.data()), reinterpret_cast<float*>(imag.data()),
                reinterpret_cast<float*>(columns.data()), static_cast<Complex<float>*>(w),
                static_cast<Complex<float>*>(v));
  else
    write_pairs(n, real.data(), imag.data(), columns.data(), static_cast<Complex<double>*>(w),
                static_cast<Complex<double>*>(v));
  return info;
}

int gels(DType t, char driver, int m, int n, int nrhs, void* a, int lda, void* b, int ldb, double rcond, int* rank,
         void* s) {
  static Routine plain("gels"), pivoted("gelsy"), divided("gelsd"), simple("gelss");
  int info = 0;
  const std::size_t least = std::size_t(m < n ? m : n), most = std::size_t(m < n ? n : m);
  const float rcond32 = float(rcond);
  const void* limit = to_real(t) == DType::Float ? static_cast<const void*>(&rcond32) : &rcond;
  if (driver == 'l') {
    const char trans = 'N';
    with_workspace(t, [&](void* work, int* length) {
      plain(t, &trans, &m, &n, &nrhs, a, &lda, b, &ldb, work, length, &info, Length(1));
    });
    return info;
  }
  if (driver == 'y') {
    std::vector<int> order(std::size_t(n) + 1, 0);
    std::vector<double> reals(2 * std::size_t(n) + 1);
    with_workspace(t, [&](void* work, int* length) {
      if (is_complex(t))
        pivoted(t, &m, &n, &nrhs, a, &lda, b, &ldb, order.data(), limit, rank, work, length,
                static_cast<void*>(reals.data()), &info);
      else pivoted(t, &m, &n, &nrhs, a, &lda, b, &ldb, order.data(), limit, rank, work, length, &info);
    });
    return info;
  }
  if (driver == 's') {
    std::vector<double> reals(5 * least + 1);
    with_workspace(t, [&](void* work, int* length) {
      if (is_complex(t))
        simple(t, &m, &n, &nrhs, a, &lda, b, &ldb, s, limit, rank, work, length, static_cast<void*>(reals.data()),
               &info);
      else simple(t, &m, &n, &nrhs, a, &lda, b, &ldb, s, limit, rank, work, length, &info);
    });
    return info;
  }
  // Lengths that hold for every block size up to 64 of the documentation's formulas.
  std::vector<int> integers(least * (3 * 32 + 11) + 1);
  std::vector<double> reals((most + least) * (10 + 2 * 64 + 8 * 32) + std::size_t(nrhs) * 3 * 64 + 65 * 65 +
                            std::size_t(nrhs) * (least + 1) * 2);
  with_workspace(t, [&](void* work, int* length) {
    if (is_complex(t))
      divided(t, &m, &n, &nrhs, a, &lda, b, &ldb, s, limit, rank, work, length, static_cast<void*>(reals.data()),
              integers.data(), &info);
    else divided(t, &m, &n, &nrhs, a, &lda, b, &ldb, s, limit, rank, work, length, integers.data(), &info);
  });
  return info;
}

int trsm(DType t, char side, char uplo, char trans, char diag, int m, int n, const void* a, int lda, void* b, int ldb) {
  static Routine routine("trsm");
  alignas(16) char one[16] = {};
  if (to_real(t) == DType::Float) *reinterpret_cast<float*>(one) = 1;
  else *reinterpret_cast<double*>(one) = 1;
  routine(t, &side, &uplo, &trans, &diag, &m, &n, static_cast<const void*>(one), a, &lda, b, &ldb, Length(1), Length(1),
          Length(1), Length(1));
  return 0;
}

int sytrf(DType t, bool hermitian, char uplo, int n, void* a, int lda, int* pivots) {
  static Routine symmetric("sytrf"), own("sytrf", "hetrf");
  Routine& routine = hermitian ? own : symmetric;
  int info = 0;
  with_workspace(
      t, [&](void* work, int* length) { routine(t, &uplo, &n, a, &lda, pivots, work, length, &info, Length(1)); });
  return info;
}

int sytrs(DType t, bool hermitian, char uplo, int n, int nrhs, const void* a, int lda, const int* pivots, void* b,
          int ldb) {
  static Routine symmetric("sytrs"), own("sytrs", "hetrs");
  Routine& routine = hermitian ? own : symmetric;
  int info = 0;
  routine(t, &uplo, &n, &nrhs, a, &lda, pivots, b, &ldb, &info, Length(1));
  return info;
}

constexpr LapackKernels kTable = {getrf, getrs, potrf, potri, potrs, geqrf, orgqr, ormqr,
                                  gesdd, syevd, geev,  gels,  trsm,  sytrf, sytrs};

}  // namespace

void load_lapack() { set_lapack_kernels(&kTable); }

}  // namespace hwaro
