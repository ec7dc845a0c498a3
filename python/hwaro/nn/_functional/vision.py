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


def channel_shuffle(input, groups):
    """Deals the channels of (N, C, *) out to groups and collects them across groups."""
    batch, channels = input.shape[:2]
    if groups <= 0:
        raise RuntimeError("Number of groups to divide channels in must be positive. Value of groups:" + str(groups))
    if channels % groups:
        raise RuntimeError("Number of channels must be divisible by groups. Got " + str(channels)
                           + " channels and " + str(groups) + " groups.")
    shaped = input.reshape(batch, groups, channels // groups, *input.shape[2:])
    return shaped.transpose(1, 2).reshape(input.shape)


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


def _to_pixels(coordinate, size, align_corners):
    if align_corners:
        return (coordinate + 1) / 2 * (size - 1)
    return ((coordinate + 1) * size - 1) / 2


def _reflect(x, low2, high2):
    """x folded back into [low2/2, high2/2] as often as needed."""
    if low2 == high2:
        return torch.zeros_like(x)
    low, span = low2 / 2, (high2 - low2) / 2
    x = (x - low).abs()
    extra = torch.fmod(x, span)
    flips = torch.floor(x / span)
    return torch.where(flips % 2 == 0, extra + low, span - extra + low)


def _bounded(x, size, padding_mode, align_corners):
    if padding_mode == "border":
        return x.clamp(0, size - 1)
    if padding_mode == "reflection":
        low2, high2 = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
        return _reflect(x, low2, high2).clamp(0, size - 1)
    return x


def _fetch(image, places):
    """Values of image (N, C, *) at integer positions (one (N, P) tensor per dimension); zero outside."""
    batch, channels, *sizes = image.shape
    flat, inside = 0, None
    for place, size in zip(places, sizes):
        ok = (place >= 0) & (place <= size - 1)
        inside = ok if inside is None else inside & ok
        flat = flat * size + place.clamp(0, size - 1).long()
    values = image.flatten(2).gather(2, flat.unsqueeze(1).expand(batch, channels, flat.size(1)))
    return values * inside.unsqueeze(1)


def _cubic_weights(t):
    """Keys' kernel with a = -0.75 at distances t+1, t, 1-t, 2-t."""
    a = -0.75

    def near(x):
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x):
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return far(t + 1), near(t), near(1 - t), far(2 - t)


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
    dims = input.dim() - 2
    if dims not in (2, 3) or grid.dim() != dims + 2:
        raise RuntimeError("grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got "
                           f"input with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}")
    if grid.size(0) != input.size(0):
        raise RuntimeError("grid_sampler(): expected grid and input to have same batch size, but got input with sizes "
                           f"{list(input.shape)} and grid with sizes {list(grid.shape)}")
    if grid.size(-1) != dims:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {dims} in last dimension, but got grid with "
                           f"sizes {list(grid.shape)}")
    if mode == "bicubic" and dims == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    batch, channels, *sizes = input.shape
    out_shape = (batch, channels, *grid.shape[1:-1])
    # grid's last dimension is (x, y[, z]); input's dimensions are ([z,] y, x).
    positions = [_to_pixels(grid[..., dims - 1 - d].reshape(batch, -1), sizes[d], align_corners) for d in range(dims)]
    if mode == "bicubic":
        return _sample_bicubic(input, positions, padding_mode, align_corners).view(out_shape)
    positions = [_bounded(x, size, padding_mode, align_corners) for x, size in zip(positions, sizes)]
    if mode == "nearest":
        return _fetch(input, [torch.round(x) for x in positions]).view(out_shape)
    floors = [torch.floor(x).detach() for x in positions]
    total = 0
    for corner in range(1 << dims):
        weight, places = 1, []
        for d in range(dims):
            upper = corner >> d & 1
            fraction = positions[d] - floors[d]
            weight = weight * (fraction if upper else 1 - fraction)
            places.append(floors[d] + upper)
        total = total + _fetch(input, places) * weight.unsqueeze(1)
    return total.view(out_shape)


def _sample_bicubic(input, positions, padding_mode, align_corners):
    sizes = input.shape[2:]
    floors = [torch.floor(x).detach() for x in positions]
    weights = [_cubic_weights(x - floor) for x, floor in zip(positions, floors)]
    total = 0
    for i in range(4):
        for j in range(4):
            places = [torch.round(_bounded(floors[d] + offset - 1, sizes[d], padding_mode, align_corners))
                      for d, offset in enumerate((i, j))]
            total = total + _fetch(input, places) * (weights[0][i] * weights[1][j]).unsqueeze(1)
    return total
