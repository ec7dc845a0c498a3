"""Normalisations on top of compiled ones."""
import math

import hwaro as torch
from hwaro._C import nn_functional as compiled
from hwaro._C.nn_functional import avg_pool2d, avg_pool3d, batch_norm, pad


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """input divided by its p-norm along dim, which counts as at least eps."""
    if out is None:
        return compiled.normalize(input, p, dim, eps)
    norm = input.norm(p, dim, keepdim=True)
    return torch.div(input, norm.clamp_min_(eps).expand_as(input), out=out)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True,
                  momentum=0.1, eps=1e-5):
    """Batch normalisation of every sample and channel by itself: (N, C, *)."""
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError("Expected more than 1 spatial element when training, got input size " + str(input.size()))
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    batch, channels = input.shape[:2]

    def repeat(tensor):
        return None if tensor is None else tensor.repeat(batch)

    mean, var = repeat(running_mean), repeat(running_var)
    flat = input.contiguous().view(1, batch * channels, *input.shape[2:])
    out = batch_norm(flat, mean, var, repeat(weight), repeat(bias), use_input_stats, momentum, eps)
    if use_input_stats:
        with torch.no_grad():
            if running_mean is not None:
                running_mean.copy_(mean.view(batch, channels).mean(0))
            if running_var is not None:
                running_var.copy_(var.view(batch, channels).mean(0))
    return out.view(input.shape)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """input / (k + alpha * mean of squares over size neighbouring channels)^beta: (N, C, *)."""
    dims = input.dim()
    if dims < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {dims} dimensions)")
    if input.numel() == 0:
        return input
    squares = input.mul(input)
    if dims == 3:
        squares = pad(squares.unsqueeze(1), (0, 0, size // 2, (size - 1) // 2))
        means = avg_pool2d(squares, (size, 1), stride=1).squeeze(1)
    else:
        shape = input.size()
        squares = squares.view(shape[0], 1, shape[1], shape[2], -1)
        squares = pad(squares, (0, 0, 0, 0, size // 2, (size - 1) // 2))
        means = avg_pool3d(squares, (size, 1, 1), stride=1).squeeze(1).view(shape)
    return input / means.mul(alpha).add(k).pow(beta)
