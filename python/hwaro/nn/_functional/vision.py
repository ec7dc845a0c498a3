"""Resampling of images."""
import warnings

import hwaro as torch
from hwaro._C.nn_functional import interpolate


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The deprecated name of interpolate."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """interpolate(mode='nearest') by its deprecated name."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.",
                  stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """interpolate(mode='bilinear', align_corners=True) by its deprecated name."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.",
                  stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


def _axis(size, align_corners, like):
    """Normalised coordinates of the pixels along one dimension."""
    if size <= 1:
        return torch.zeros(1, dtype=like.dtype, device=like.device)
    axis = torch.linspace(-1, 1, size, dtype=like.dtype, device=like.device)
    return axis if align_corners else axis * ((size - 1) / size)


def affine_grid(theta, size, align_corners=None):
    """Sampling positions of affine maps: theta (N, 2, 3) or (N, 3, 4), size of the output -> (N, *, 2 or 3)."""
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
                      "Please specify align_corners=True if the old behavior is desired. See the documentation of "
                      "grid_sample for details.", stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    spatial = len(size) - 2
    if spatial not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
                                  f"respectively. Got size {size}.")
    if theta.dim() != 3 or theta.shape[-2:] != (spatial, spatial + 1):
        shape = "Nx2x3" if spatial == 2 else "Nx3x4"
        raise ValueError(f"Expected a batch of {spatial}D affine matrices of shape {shape} for size {size}. "
                         f"Got {theta.shape}.")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    # Homogeneous coordinates (x, y[, z], 1), x along the last dimension.
    axes = torch.meshgrid(*[_axis(extent, align_corners, theta) for extent in size[2:]], indexing="ij")
    base = torch.stack([*reversed(axes), torch.ones_like(axes[0])], -1).reshape(1, -1, spatial + 1)
    return base.matmul(theta.transpose(1, 2)).view(size[0], *size[2:], spatial)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """input (N, C, *) sampled at the normalised positions grid (N, *out, 2 or 3) -> (N, C, *out)."""
    if mode not in ("bilinear", "nearest", "bicubic"):
        raise ValueError("nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', "
                         f"but got: '{mode}'")
    if padding_mode not in ("zeros", "border", "reflection"):
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', "
                         f"but got: '{padding_mode}'")
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. "
                      "Please specify align_corners=True if the old behavior is desired. See the documentation of "
                      "grid_sample for details.", stacklevel=2)
        align_corners = False
    return torch.grid_sampler(input, grid, ("bilinear", "nearest", "bicubic").index(mode),
                              ("zeros", "border", "reflection").index(padding_mode), align_corners)
