// Triangular systems (BLAS trsm). Gradients: M. Giles, "Collected matrix derivative results for forward and reverse mode
// algorithmic differentiation" (2008), 2.3.1; of the matrix only the triangle that is read has one.
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Tensor solve_triangles(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular) {
  NoGradGuard guard;
  const Tensor x = column_copy(expand(b, with_sizes(common_batch(a, b), {b.size(-2), b.size(-1)})));
  if (x.device().is_meta() || x.numel() == 0) return x;
  const Tensor factors = column_copy(a);
  const Matrices m(x);
  const int n = int(a.size(-1));
  const std::vector<int64_t> from = broadcast_index(batch_sizes(a), batch_sizes(x));
  for (int64_t i = 0; i < m.count; ++i)
    lapack().trsm(x.dtype(), left ? 'L' : 'R', upper ? 'U' : 'L', 'N', unitriangular ? 'U' : 'N', m.rows, m.cols,
                  block_of(factors, from[std::size_t(i)], int64_t(n) * n), n, block_of(x, i, int64_t(m.rows) * m.cols),
                  m.rows);
  return x;
}

Tensor read_triangle(const Tensor& g, bool upper, bool unitriangular) {
  return upper ? triu(g, unitriangular ? 1 : 0) : tril(g, unitriangular ? -1 : 0);
}

}  // namespace

struct LinalgSolveTriangular {
  static constexpr Schema schema =
      "linalg_solve_triangular(Tensor self, Tensor B, *, bool upper, bool left=True, bool unitriangular=False) -> "
      "Tensor";
  static constexpr Doc doc =
      "X of A X = B, or of X A = B with left=False, for a triangular A; the other triangle is not read.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& a, const Tensor& b, bool upper, bool left, bool unitriangular) {
    constexpr const char* function = "linalg.solve_triangular";
    check_floating(a, function);
    HWARO_CHECK(a.dtype() == b.dtype(), function, ": Expected A and B to have the same dtype, but found A of type ",
                scalar_type_name(a.dtype()), " and B of type ", scalar_type_name(b.dtype()), " instead");
    check_square(a, function);
    check_matrix(b, function, "B");
    HWARO_CHECK(a.size(-1) == b.size(left ? -2 : -1), function, ": Incompatible shapes of A and B for the equation ",
                left ? "AX = B" : "XA = B", " (", a.size(-2), "x", a.size(-1), " and ", b.size(-2), "x", b.size(-1),
                ")");
    const Tensor x = solve_triangles(a, b, upper, left, unitriangular);
    if (recording(a, b))
      record("LinalgSolveTriangularBackward0", {a, b}, x, {save(a), save_output(x)},
             [upper, left, unitriangular, sizes_a = Dims(a.sizes()), sizes_b = Dims(b.sizes())](Backward& back) {
               const Tensor matrix = back.saved(0), result = back.saved(1);
               const Tensor gb = call(adjoint(matrix), back.g(), !upper, left, unitriangular);
               if (back.needs(0)) {
                 const Tensor g = neg(left ? matmul(gb, adjoint(result)) : matmul(adjoint(result), gb));
                 back.set(0, sum_to_size(read_triangle(g, upper, unitriangular), sizes_a));
               }
               if (back.needs(1)) back.set(1, sum_to_size(gb, sizes_b));
             });
    return x;
  }
};

struct TriangularSolve {
  static constexpr Schema schema =
      "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> "
      "(Tensor "
      "solution, Tensor cloned_coefficient)";
  static constexpr Doc doc = "linalg.solve_triangular with the right-hand side first, and a copy of A.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, const Tensor& a, bool upper, bool transposed,
                                         bool unitriangular) {
    HWARO_CHECK(self.dim() >= 2, "torch.triangular_solve: Expected b to have at least 2 dimensions, but it has ",
                self.dim(), " dimensions instead");
    HWARO_CHECK(a.dim() >= 2, "torch.triangular_solve: Expected A to have at least 2 dimensions, but it has ", a.dim(),
                " dimensions instead");
    check_square(a, "triangular_solve");
    HWARO_CHECK(a.size(-1) == self.size(-2), "Incompatible matrix sizes for triangular_solve: each A matrix is ",
                a.size(-1), " by ", a.size(-1), " but each b matrix is ", self.size(-2), " by ", self.size(-1));
    Tensor x, copy;
    {
      NoGradGuard guard;
      const Tensor matrix = transposed ? transpose(a, -2, -1) : a;
      x = solve_triangles(matrix, self, upper != transposed, true, unitriangular);
      copy = column_copy(expand(a, with_sizes(common_batch(a, self), {a.size(-2), a.size(-1)})));
    }
    if (recording(self, a))
      record("TriangularSolveBackward0", {self, a}, {x, copy}, {save(a), save_output(x)},
             [upper, transposed, unitriangular, sizes_a = Dims(a.sizes()), sizes_b = Dims(self.sizes())](Backward& b) {
               const Tensor matrix = b.saved(0), result = b.saved(1);
               Tensor ga;
               if (b.g(0).defined()) {
                 const Tensor read = transposed ? transpose(matrix, -2, -1) : matrix;
                 const Tensor gb =
                     LinalgSolveTriangular::call(adjoint(read), b.g(0), upper == transposed, true, unitriangular);
                 if (b.needs(0)) b.set(0, sum_to_size(gb, sizes_b));
                 ga = transposed ? neg(conj(matmul(result, adjoint(gb)))) : neg(matmul(gb, adjoint(result)));
                 ga = read_triangle(ga, upper, unitriangular);
               }
               if (b.g(1).defined()) ga = ga.defined() ? add(ga, b.g(1)) : b.g(1);
               if (b.needs(1) && ga.defined()) b.set(1, sum_to_size(ga, sizes_a));
             });
    return {x, copy};
  }
};

}  // namespace hwaro::engine

#include "families/lapack_triangular.inc"
