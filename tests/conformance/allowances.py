"""Where agreement means something else than equal results within a few roundings, each with its reason."""

import torch

from carry import flat_tensors

# Results whose elements are whatever the memory held: types, shapes and strides are compared, not values.
UNINITIALISED = set(
    "empty empty_like empty_strided empty_permuted new_empty new_empty_strided resize_ resize_as_".split()
)
# Factors on the tolerances.
SCALE = {
    # Long sums of rounded terms.
    **dict.fromkeys("logcumsumexp cdist nn.functional.multi_head_attention_forward".split(), 10),
    # Samples with conditions above 10.
    **dict.fromkeys("linalg.inv linalg.pinv pinverse linalg.matrix_power".split(), 50),
    # Elements much smaller than the largest, whose rounding (PyTorch squares in float) is in them.
    "matrix_exp": 50,
    # PyTorch has its constants in float here, also for float64 tensors.
    **dict.fromkeys("special.bessel_j0 special.bessel_j1 special.bessel_y0 special.bessel_y1".split(), 1000),
    "nn.functional.hardsigmoid": 100,
}
# Factors for float16 and bfloat16, where PyTorch rounds between the steps and sums in another order.
SCALE_OF_HALVES = dict.fromkeys(
    "addbmm addmm addr addmv baddbmm matmul mm bmm einsum nn.functional.bilinear nn.functional.hinge_embedding_loss "
    "nn.functional.conv_transpose1d nn.functional.conv_transpose2d "
    "nn.functional.embedding_bag nn.functional.instance_norm nn.functional.interpolate "
    "nn.functional.scaled_dot_product_attention".split(),
    8,
)
# Steps that PyTorch rounds to 16 bits: positions of pixels (another pixel may be the nearest then), powers of matrices (they
# overflow), sums over a kernel. Compared is what it gives for float32, rounded once.
ROUNDED_BY_STEPS = set(
    "grid_sampler_2d grid_sampler_3d nn.functional.grid_sample matrix_exp nn.functional.conv_transpose3d".split()
)
# A strided out= that PyTorch fills as if it were dense, or not at all (gelu by oneDNN): compared is what it returns without.
STRIDED_OUT = {"narrow_copy", "nn.functional.avg_pool3d", "nn.functional.gelu"}
# PyTorch's gradient is wrong: the elements that src replaces get one, the others none. Compared are differences of results,
# which say it exactly, the operator being linear.
WRONG_GRADIENT = {"as_strided_scatter"}
# Samples of float64 with operands of float32, whose rounding is magnified: they become float64 on both sides.
WIDENED = {"cov"}
# Results with indices where equal elements may come in any order (the elements at the indices are compared), and the
# names of their arguments after the first.
TIES = {
    "sort": ("dim",),
    "argsort": ("dim",),
    "topk": ("k", "dim"),
    "kthvalue": ("k", "dim", "keepdim"),
    "mode": ("dim", "keepdim"),
    "median": ("dim", "keepdim"),
    "nanmedian": ("dim", "keepdim"),
}
# Where expanded operands say nothing about Hwaro.
NOT_EXPANDED = {
    "median",  # PyTorch selects in place, in memory that its rows share
    "nanmedian",
    "masked.median",
    "nn.functional.embedding",  # with max_norm, rows that share memory are scaled once each
    "nn.functional.batch_norm",  # the variance is zero: rounding noise divided by a small eps
    "native_batch_norm",
    "native_group_norm",  # PyTorch reads weights as if they were dense
    # Rows or columns that are equal: what should be zero is rounding noise, which directions and orders follow from.
    "linalg.eig",
    "linalg.eigvals",
    "linalg.eigh",
    "geqrf",
    "linalg.qr",
    "lu",
    "qr",
    "linalg.svd",
    "svd",
    "linalg.solve_triangular",
    "linalg.pinv",
    "linalg.lstsq",
    "linalg.cond",
    "linalg.inv",
    "linalg.inv_ex",
    "linalg.matrix_rank",
    "pinverse",
}
# Eigenvectors, unique up to a sign or phase each, which LAPACK libraries choose differently: their products with themselves
# are compared, which say all the rest.
EIGENVECTORS = {"linalg.eig", "linalg.eigh"}
# The same of singular vectors: their product is compared.
SINGULAR_VECTORS = {"svd_lowrank", "pca_lowrank"}


def scale_of(entry, parts):
    halves = any(t.dtype in (torch.float16, torch.bfloat16) for t in flat_tensors(list(parts)))
    return max(SCALE.get(entry.name, 1), SCALE_OF_HALVES.get(entry.name, 1) if halves else 1)


def untied(entry, parts, result):
    """Instead of indices, the elements they name, where the order of equal elements is not promised; and see EIGENVECTORS."""
    if entry.name in EIGENVECTORS and isinstance(result, (tuple, list)) and result[1].dim() >= 2:
        vectors = result[1]
        return [result[0], vectors.unsqueeze(-2) * vectors.conj().unsqueeze(-3)]
    if entry.name in SINGULAR_VECTORS and isinstance(result, tuple):
        return [result[1], result[0] * result[1].unsqueeze(-2) @ result[2].mH]
    tied = entry.name in TIES and (entry.name == "argsort" or isinstance(result, tuple))
    if not tied or parts[2].get("stable") or not parts[0].dim():
        return result
    words = {"dim": -1, **dict(zip(TIES[entry.name], parts[1])), **parts[2]}
    dim, dropped = words["dim"], "keepdim" in TIES[entry.name] and not words.get("keepdim")

    def elements(index):
        return parts[0].gather(dim, index.unsqueeze(dim)).squeeze(dim) if dropped else parts[0].gather(dim, index)

    return elements(result) if entry.name == "argsort" else [result[0], elements(result[1])]
