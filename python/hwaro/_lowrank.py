"""Decompositions of nearly low rank, by random projections.

Source: N. Halko, P.-G. Martinsson, J. Tropp, "Finding structure with randomness" (2009), algorithms 4.4 and 5.1.
"""

from hwaro import _C


def get_approximate_basis(A, q, niter=2, M=None):
    """q orthonormal columns whose span nearly holds the columns of A - M."""
    dtype = A.dtype if A.is_floating_point() or A.is_complex() else _C.get_default_dtype()

    def product(matrix, columns, mean):
        return matrix @ columns if mean is None else matrix @ columns - mean @ columns

    Q = _C.linalg.qr(product(A, _C.functions["randn"](A.shape[-1], q, dtype=dtype, device=A.device), M))[0]
    for _ in range(2 if niter is None else niter):
        Q = _C.linalg.qr(product(A.mH, Q, None if M is None else M.mH))[0]
        Q = _C.linalg.qr(product(A, Q, M))[0]
    return Q


def svd_lowrank(A, q=6, niter=2, M=None):
    """About the q largest singular values of A (or of A - M) with their vectors: (U, S, V)."""
    M = None if M is None else M.broadcast_to(A.size())
    wide = A.shape[-2] < A.shape[-1]
    if wide:
        A, M = A.mH, None if M is None else M.mH
    Q = get_approximate_basis(A, 6 if q is None else q, niter, M)
    B = Q.mH @ A if M is None else Q.mH @ A - Q.mH @ M
    U, S, Vh = _C.linalg.svd(B, full_matrices=False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(A, q=None, center=True, niter=2):
    """Principal components: svd_lowrank of A, by default without the mean of its rows."""
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(dim=(-2,), keepdim=True) if center else A, q, niter=niter)
