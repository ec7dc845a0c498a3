"""Decompositions against their defining equations and NumPy, gradients against finite differences, and PyTorch's errors."""

import numpy as np
import pytest

import hwaro as torch

TYPES = [torch.float32, torch.float64, torch.complex64, torch.complex128]
SHAPES = [(3, 3), (5, 3), (3, 5), (2, 4, 4), (2, 1, 3, 4), (0, 3, 3), (2, 0, 0), (4, 0), (0, 4), (1, 1)]
SQUARE = [s for s in SHAPES if s[-1] == s[-2]]


def sample(shape, dtype=torch.float64, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(shape)
    if dtype in (torch.complex64, torch.complex128):
        a = a + 1j * rng.standard_normal(shape)
    return torch.tensor(a).to(dtype)


def positive(shape, dtype=torch.float64):
    a = sample(shape, dtype)
    return a @ a.mH + torch.eye(shape[-1]).to(dtype)


def close(a, b, dtype):
    tolerance = 1e-4 if dtype in (torch.float32, torch.complex64) else 1e-10
    np.testing.assert_allclose(a.resolve_conj().numpy(), b.resolve_conj().numpy(), rtol=tolerance, atol=tolerance)


def eye(n, dtype):
    return torch.eye(n).to(dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr_factors_multiply_to_the_matrix(shape, dtype, mode):
    a = sample(shape, dtype)
    q, r = torch.linalg.qr(a, mode)
    close(q @ r, a, dtype)
    close(q.mH @ q, eye(q.shape[-1], dtype).expand(*shape[:-2], -1, -1), dtype)
    close(r.triu(), r, dtype)
    close(torch.linalg.qr(a, "r").R, torch.linalg.qr(a).R, dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_singular_values_and_vectors(shape, dtype, full):
    a = sample(shape, dtype)
    u, s, vh = torch.linalg.svd(a, full_matrices=full)
    k = s.shape[-1]
    close((u[..., :k] * s.unsqueeze(-2)) @ vh[..., :k, :], a, dtype)
    close(u.mH @ u, eye(u.shape[-1], dtype).expand(*shape[:-2], -1, -1), dtype)
    close(torch.linalg.svdvals(a), s, dtype)
    if k:
        np.testing.assert_allclose(s.numpy(), np.linalg.svd(a.numpy(), compute_uv=False), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_square_matrices(shape, dtype):
    a, b = sample(shape, dtype), sample((*shape[:-1], 2), dtype, 1)
    one = eye(shape[-1], dtype).expand(shape)
    close(torch.linalg.inv(a) @ a, one, dtype)
    close(a @ torch.linalg.solve(a, b), b, dtype)
    close(torch.linalg.solve(a, b.mT, left=False) @ a, b.mT, dtype)
    p, l, u = torch.linalg.lu(a)
    close(p @ l @ u, a, dtype)
    lu, pivots = torch.linalg.lu_factor(a)
    close(a @ torch.linalg.lu_solve(lu, pivots, b), b, dtype)
    close(a.mH @ torch.linalg.lu_solve(lu, pivots, b, adjoint=True), b, dtype)
    close(torch.linalg.lu_solve(lu, pivots, b.mT, left=False) @ a, b.mT, dtype)
    sign, log = torch.linalg.slogdet(a)
    close(sign * log.exp(), torch.linalg.det(a), dtype)
    np.testing.assert_allclose(torch.linalg.det(a).numpy(), np.linalg.det(a.numpy()), rtol=1e-3, atol=1e-5)
    w, v = torch.linalg.eig(a)
    complex_type = torch.complex64 if dtype in (torch.float32, torch.complex64) else torch.complex128
    close(a.to(complex_type) @ v, v * w.unsqueeze(-2), complex_type)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SQUARE)
def test_self_adjoint_matrices(shape, dtype):
    a, b = positive(shape, dtype), sample((*shape[:-1], 2), dtype, 1)
    for uplo in "LU":
        w, v = torch.linalg.eigh(a, UPLO=uplo)
        close((v * w.unsqueeze(-2)) @ v.mH, a, dtype)
        close(torch.linalg.eigvalsh(a, UPLO=uplo), w, dtype)
    for upper in (False, True):
        factor = torch.linalg.cholesky(a, upper=upper)
        close(factor.mH @ factor if upper else factor @ factor.mH, a, dtype)
        close(a @ torch.cholesky_solve(b, factor, upper=upper), b, dtype)
        close(torch.cholesky_inverse(factor, upper=upper) @ a, eye(shape[-1], dtype).expand(shape), dtype)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("unit", [False, True])
def test_triangular_systems_read_one_triangle(upper, left, unit):
    a, b = sample((2, 3, 3)), sample((3, 3), seed=1)
    read = a.triu() if upper else a.tril()
    if unit:
        read = read - torch.diag_embed(read.diagonal(0, -2, -1)) + torch.eye(3, dtype=a.dtype)
    x = torch.linalg.solve_triangular(a, b, upper=upper, left=left, unitriangular=unit)
    close(read @ x if left else x @ read, b.expand(2, 3, 3), a.dtype)


def gauge_free(values):
    """Of vectors that are unique up to a sign or a phase, what does not depend on it."""
    return [v.abs() if v.dim() >= 2 else v for v in values]


CASES = {
    "inv": (torch.linalg.inv, [(2, 3, 3)]),
    "solve": (torch.linalg.solve, [(2, 3, 3), (3, 2)]),
    "solve of vectors": (torch.linalg.solve, [(2, 3, 3), (2, 3)]),
    "solve from the right": (lambda a, b: torch.linalg.solve(a, b, left=False), [(2, 3, 3), (2, 2, 3)]),
    "det": (torch.linalg.det, [(2, 3, 3)]),
    "slogdet": (lambda a: torch.linalg.slogdet(a)[1], [(2, 3, 3)]),
    "qr": (torch.linalg.qr, [(2, 4, 3)]),
    "qr of a wide matrix": (torch.linalg.qr, [(2, 3, 4)]),
    "svd": (lambda a: gauge_free(torch.linalg.svd(a, full_matrices=False)), [(4, 3)]),
    "svd of a wide matrix": (lambda a: gauge_free(torch.linalg.svd(a, full_matrices=False)), [(3, 4)]),
    "svdvals": (torch.linalg.svdvals, [(2, 3, 4)]),
    "eigh": (lambda a: gauge_free(torch.linalg.eigh(a + a.mH)), [(3, 3)]),
    "eig": (lambda a: gauge_free(torch.linalg.eig(a)), [(3, 3)]),
    "cholesky": (lambda a: torch.linalg.cholesky(a @ a.mH + torch.eye(3).to(a.dtype)), [(2, 3, 3)]),
    "lu": (lambda a: torch.linalg.lu(a)[1:], [(2, 3, 3)]),
    "lu of a tall matrix": (lambda a: torch.linalg.lu(a)[1:], [(4, 3)]),
    "lu of a wide matrix": (lambda a: torch.linalg.lu(a)[1:], [(3, 4)]),
    "lu_factor": (lambda a: torch.linalg.lu_factor(a)[0], [(4, 3)]),
    "lu_solve": (lambda a, b: torch.linalg.lu_solve(*torch.linalg.lu_factor(a), b), [(3, 3), (2, 3, 2)]),
    "triangular": (lambda a, b: torch.linalg.solve_triangular(a, b, upper=True), [(3, 3), (2, 3, 2)]),
    "pinv": (torch.linalg.pinv, [(4, 3)]),
    "lstsq": (lambda a, b: torch.linalg.lstsq(a, b)[0], [(4, 3), (4, 2)]),
    "matrix_exp": (torch.linalg.matrix_exp, [(2, 3, 3)]),
    "householder product": (torch.linalg.householder_product, [(2, 4, 3), (2, 3)]),
    "ormqr": (torch.ormqr, [(4, 3), (3,), (4, 2)]),
    "ormqr, adjoint": (lambda a, t, c: torch.ormqr(a, t, c, transpose=True), [(4, 3), (3,), (4, 2)]),
    "ormqr from the right": (lambda a, t, c: torch.ormqr(a, t, c, left=False), [(4, 2), (2,), (3, 4)]),
    "nuclear norm": (lambda a: torch.linalg.matrix_norm(a, "nuc"), [(2, 3, 4)]),
    "cond": (torch.linalg.cond, [(3, 3)]),
}


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("case", CASES)
def test_gradients(case, dtype):
    function, shapes = CASES[case]
    inputs = [sample(shape, dtype, seed).requires_grad_() for seed, shape in enumerate(shapes)]
    assert torch.autograd.gradcheck(function, inputs)
    if "eig" not in case or dtype is torch.float64:
        assert torch.autograd.gradgradcheck(function, inputs)


@pytest.mark.parametrize("rank", [1, 2])
def test_gradient_of_the_determinant_of_a_singular_matrix(rank):
    a = (sample((3, rank)) @ sample((rank, 3), seed=1)).requires_grad_()
    torch.linalg.det(a).backward()
    m = a.detach().numpy()
    cofactors = [
        [(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(m, i, 0), j, 1)) for j in range(3)] for i in range(3)
    ]
    np.testing.assert_allclose(a.grad.numpy(), cofactors, atol=1e-10)


def test_least_squares_and_what_comes_with_them():
    a, b = sample((5, 3)), sample((5, 2), seed=1)
    expected, residuals, _, values = np.linalg.lstsq(a.numpy(), b.numpy(), rcond=None)
    for driver in ("gels", "gelsy", "gelsd", "gelss", None):
        found = torch.linalg.lstsq(a, b, driver=driver)
        np.testing.assert_allclose(found.solution.numpy(), expected, atol=1e-10)
        assert found.rank.tolist() == ([] if driver == "gels" else 3)
        if driver in ("gelsd", "gelss"):
            np.testing.assert_allclose(found.singular_values.numpy(), values, atol=1e-10)
        if driver in ("gels", "gelsd", "gelss"):
            np.testing.assert_allclose(found.residuals.numpy(), residuals, atol=1e-10)
        else:
            assert found.residuals.shape == (0,)


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms_and_condition_numbers(ord):
    a = sample((3, 3))
    np.testing.assert_allclose(torch.linalg.matrix_norm(a, ord).item(), np.linalg.norm(a.numpy(), ord))
    np.testing.assert_allclose(torch.linalg.norm(a, ord).item(), np.linalg.norm(a.numpy(), ord))
    np.testing.assert_allclose(torch.linalg.cond(a, ord).item(), np.linalg.cond(a.numpy(), ord))
    stack = sample((2, 4, 3))
    expected = np.linalg.norm(stack.numpy(), ord, axis=(1, 0), keepdims=True)
    np.testing.assert_allclose(torch.linalg.matrix_norm(stack, ord, dim=(1, 0), keepdim=True).numpy(), expected)


@pytest.mark.parametrize("dtype", TYPES)
def test_reflections_multiply_to_q(dtype):
    a, c = sample((2, 4, 3), dtype), sample((2, 4, 2), dtype, 1)
    reflections, tau = torch.geqrf(a)
    q, r = torch.linalg.qr(a, "complete")
    close(torch.linalg.householder_product(reflections, tau), q[..., :3], dtype)
    close(reflections.triu()[..., :3, :], r[..., :3, :], dtype)
    close(torch.ormqr(reflections, tau, c), q @ c, dtype)
    close(torch.ormqr(reflections, tau, c, transpose=True), q.mH @ c, dtype)
    close(torch.ormqr(reflections, tau, c.mT, left=False), c.mT @ q, dtype)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("hermitian", [False, True])
def test_factors_of_symmetric_matrices(dtype, hermitian):
    a, b = sample((2, 4, 4), dtype), sample((4, 3), dtype, 1)
    a = a + (a.mH if hermitian else a.mT)
    x = torch.linalg.ldl_solve(*torch.linalg.ldl_factor(a, hermitian=hermitian), b, hermitian=hermitian)
    close(a @ x, b.expand(2, 4, 3), dtype)


def test_ranks_and_pseudoinverses():
    a = sample((4, 2)) @ sample((2, 5), seed=1)
    assert torch.linalg.matrix_rank(a).item() == 2
    assert torch.linalg.matrix_rank(a, atol=1e9).item() == 0
    assert torch.linalg.matrix_rank(a @ a.mT, hermitian=True).item() == 2
    np.testing.assert_allclose(torch.linalg.pinv(a).numpy(), np.linalg.pinv(a.numpy()), atol=1e-10)
    close(torch.linalg.pinv(a @ a.mT, hermitian=True), torch.linalg.pinv(a @ a.mT), torch.float32)


def test_exponential_of_a_rotation_and_of_large_entries():
    turn = torch.tensor([[0.0, -40.0], [40.0, 0.0]], dtype=torch.float64)
    c, s = np.cos(40.0), np.sin(40.0)
    np.testing.assert_allclose(torch.linalg.matrix_exp(turn).numpy(), [[c, -s], [s, c]], atol=1e-10)


def test_results_are_column_major_and_out_takes_that_over():
    a = sample((2, 4, 3))
    q, r = torch.linalg.qr(a)
    assert q.stride() == (12, 1, 4) and r.stride() == (9, 1, 3)
    q_out, r_out = torch.empty(0, dtype=a.dtype), torch.empty(0, dtype=a.dtype)
    result = torch.linalg.qr(a, out=(q_out, r_out))
    assert result.Q is q_out and q_out.stride() == (12, 1, 4)
    close(q_out @ r_out, a, a.dtype)


def test_shapes_on_the_meta_device():
    a = torch.empty(2, 4, 3, device="meta")
    assert [t.shape for t in torch.linalg.svd(a, full_matrices=False)] == [(2, 4, 3), (2, 3), (2, 3, 3)]
    assert torch.linalg.inv(torch.empty(2, 3, 3, device="meta")).shape == (2, 3, 3)


ERRORS = [
    (
        lambda: torch.linalg.inv(torch.zeros(2, 3, 3)),
        "linalg.inv: (Batch element 0): The diagonal element 1 is zero, the inversion could not be completed because the "
        "input matrix is singular.",
    ),
    (
        lambda: torch.linalg.solve(torch.zeros(3, 3), torch.ones(3)),
        "torch.linalg.solve: The solver failed because the input matrix is singular.",
    ),
    (
        lambda: torch.linalg.cholesky(-torch.eye(3)),
        "linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading "
        "minor of order 1 is not positive-definite).",
    ),
    (
        lambda: torch.linalg.svd(torch.full((3, 3), float("nan"))),
        "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.",
    ),
]


@pytest.mark.parametrize("call, text", ERRORS)
def test_matrices_without_a_result(call, text):
    with pytest.raises(torch.linalg.LinAlgError) as caught:
        call()
    assert str(caught.value) == text
    assert type(caught.value).__name__ == "_LinAlgError" and isinstance(caught.value, RuntimeError)


def test_errors_in_arguments():
    for call, text in [
        (lambda: torch.linalg.inv(torch.ones(3)), "linalg.inv: The input tensor A must have at least 2 dimensions."),
        (
            lambda: torch.linalg.inv(torch.ones(3, 2)),
            "linalg.inv: A must be batches of square matrices, but they are 3 by 2 matrices",
        ),
        (
            lambda: torch.linalg.qr(torch.ones(3, 3, dtype=torch.int32)),
            "linalg.qr: Expected a floating point or complex tensor as input. Got Int",
        ),
        (lambda: torch.linalg.eigh(torch.eye(3), UPLO="x"), "Expected UPLO argument to be 'L' or 'U', but got x"),
    ]:
        with pytest.raises(RuntimeError) as caught:
            call()
        assert str(caught.value) == text


def test_low_rank_decompositions():
    torch.manual_seed(0)
    a = sample((6, 3)) @ sample((3, 5), seed=1)
    u, s, v = torch.svd_lowrank(a, q=3)
    close(u * s @ v.mT, a, a.dtype)
    u, s, v = torch.pca_lowrank(a, q=3)
    close(u * s @ v.mT, a - a.mean(0), a.dtype)
