"""Losses on top of compiled operators. Shapes: (N, *) unless said otherwise; reduction is none, mean or sum."""
import math

import hwaro as torch
from hwaro._C.nn_functional import logsigmoid, pairwise_distance
from hwaro.nn._reduction import chosen, get_enum, reduced


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None,
                     reduction="mean"):
    """Negative log likelihood of Poisson counts; full adds Stirling's term for target > 1."""
    reduction = chosen(reduction, size_average, reduce)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not a valid value for reduction")
    if log_input:
        loss = input.exp() - target * input
    else:
        loss = input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """Negative log likelihood of normal values with mean input and variance var (at least eps)."""
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * torch.ones_like(input)
    elif torch.any(var < 0):
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = torch.unsqueeze(var, -1)
        elif not (input.ndim == var.ndim and all(v in (1, i) for i, v in zip(input.size(), var.size()))
                  and any(v == 1 for v in var.size())):
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    var = var.clone()
    with torch.no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (torch.log(var) + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1."""
    reduction = chosen(reduction, size_average, reduce)
    zero = torch.zeros((), dtype=input.dtype, device=input.device)
    loss = (torch.where(target != 1, (margin - input).clamp_min(0), zero)
            + torch.where(target != -1, input, zero))
    return reduced(loss, reduction)


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes of max(0, margin - x[y] + x[i])^p: input (N, C) or (C), target (N) or ()."""
    reduction = chosen(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    rows = input if input.dim() == 2 else input.unsqueeze(0)
    index = target.reshape(-1, 1)
    if index.numel() and not bool(((index >= 0) & (index < rows.size(1))).all()):
        raise RuntimeError("target out of range")
    loss = (margin - rows.gather(1, index) + rows).clamp_min(0)
    if p == 2:
        loss = loss * loss
    if weight is not None:
        loss = loss * weight[index]
    own = torch.zeros_like(rows, dtype=torch.bool, requires_grad=False).scatter_(1, index, True)
    loss = loss.masked_fill(own, 0).sum(1) / rows.size(1)
    if input.dim() < 2:
        loss = loss.squeeze(0)
    return reduced(loss, reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """Mean over classes of max(0, 1 - (x[y_j] - x[i])); targets end at the first -1: input, target (N, C) or (C)."""
    reduction = chosen(reduction, size_average, reduce)
    rows = input if input.dim() == 2 else input.reshape(1, -1)
    labels = target.reshape(rows.shape)
    classes = rows.size(1)
    used = torch.cumsum((labels < 0).long(), 1) == 0
    safe = torch.where(used, labels, torch.zeros_like(labels))
    is_target = torch.zeros_like(rows, requires_grad=False).scatter_add_(1, safe, used.to(rows.dtype)) > 0
    gaps = (1 - (rows.gather(1, safe).unsqueeze(2) - rows.unsqueeze(1))).clamp_min(0)
    counted = used.unsqueeze(2) & ~is_target.unsqueeze(1)
    loss = (gaps * counted).sum((1, 2)) / classes
    if input.dim() < 2:
        loss = loss.squeeze(0)
    return reduced(loss, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)) for targets of 1 and -1."""
    return reduced((-target * input).exp().log1p(), chosen(reduction, size_average, reduce))


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Mean over the last dimension of the logistic loss of each label."""
    reduction = chosen(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    loss = loss.sum(dim=-1) / input.size(-1)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return reduced(loss, reduction)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1: inputs (N, D) or (D), target (N) or ()."""
    reduction = chosen(reduction, size_average, reduce)
    if target.dim() not in (0, 1):
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    dim = target.dim()
    if input1.dim() != dim + 1 or input2.dim() != dim + 1:
        raise RuntimeError(f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    small = 1e-12
    product = (input1 * input2).sum(dim)
    lengths = ((input1 * input1).sum(dim) + small) * ((input2 * input2).sum(dim) + small)
    cos = product / lengths.sqrt()
    zero = torch.zeros_like(cos, requires_grad=False)
    loss = torch.where(target == 1, 1 - cos, zero) + torch.where(target == -1, (cos - margin).clamp_min(0), zero)
    return reduced(loss, reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin)."""
    reduction = chosen(reduction, size_average, reduce)
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError("margin_ranking_loss : All input tensors should have same dimension but got sizes: "
                           f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} ")
    return reduced((-target * (input1 - input2) + margin).clamp_min(0), reduction)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None,
                        reduce=None, reduction="mean"):
    """max(0, |a - p| - |a - n| + margin) with p-norms along the last dimension; swap uses |p - n| where smaller."""
    reduction = chosen(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the same number of "
                           f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and negative "
                           f"{negative.dim()}D inputs")
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = torch.min(far, pairwise_distance(positive, negative, p, eps))
    return reduced((margin + near - far).clamp_min(0), reduction)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):
    """triplet_margin_loss with any distance."""
    distance = pairwise_distance if distance_function is None else distance_function
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the same number of "
                           f"dimensions, but got: anchor {anchor.ndim}D, positive {positive.ndim}D, and negative "
                           f"{negative.ndim}D inputs")
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    return reduced(torch.clamp_min(margin + near - far, 0), reduction)


def _ctc_targets(targets, lengths, batch):
    """Targets as (N, S), whatever form they came in."""
    if targets.dim() == 2:
        return targets
    longest = max(max(lengths, default=0), 1)
    padded = targets.new_zeros((batch, longest))
    start = 0
    for row, length in enumerate(lengths):
        padded[row, :length] = targets[start:start + length]
        start += length
    return padded


def _log_add(*terms):
    """log of the sum of exp(terms), with gradient 0 where nothing is reachable."""
    best = terms[0].detach()
    for term in terms[1:]:
        best = torch.maximum(best, term.detach())
    reachable = best > float("-inf")
    base = torch.where(reachable, best, torch.zeros_like(best))
    total = sum((torch.where(reachable, term, torch.zeros_like(term)) - base).exp() for term in terms)
    return torch.where(reachable, total.log() + base, best)


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Connectionist temporal classification (Graves et al., 2006): log_probs (T, N, C), targets (N, S) or (sum,).

    The forward recursion runs over all samples at once; gradients come from autograd through it.
    """
    get_enum(reduction)
    single = log_probs.dim() == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
        targets = targets.reshape(1, -1)
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")

    def as_list(lengths):
        return [int(n) for n in (lengths.reshape(-1).tolist() if isinstance(lengths, torch.Tensor) else lengths)]

    input_lengths, target_lengths = as_list(input_lengths), as_list(target_lengths)
    if len(input_lengths) != batch:
        raise RuntimeError("input_lengths must be of size batch_size")
    if len(target_lengths) != batch:
        raise RuntimeError("target_lengths must be of size batch_size")
    targets = _ctc_targets(targets.long(), target_lengths, batch)
    symbols = targets.size(1)
    states = 2 * symbols + 1
    extended = targets.new_full((batch, states), blank)
    extended[:, 1::2] = targets
    emitted = log_probs.gather(2, extended.unsqueeze(0).expand(steps, batch, states))
    # A jump over a blank is allowed between different symbols only.
    jump = torch.zeros((batch, states), dtype=torch.bool)
    jump[:, 2:] = (extended[:, 2:] != blank) & (extended[:, 2:] != extended[:, :-2])
    never = float("-inf")
    start = torch.full((batch, states), never, dtype=log_probs.dtype)
    alpha = torch.where(torch.arange(states) < 2, emitted[0], start)
    alphas = [alpha]
    column = start[:, :1]
    for step in range(1, steps):
        one = torch.cat([column, alpha[:, :-1]], 1)
        two = torch.cat([column, column, alpha[:, :-2]], 1)[:, :states].masked_fill(~jump, never)
        alpha = _log_add(alpha, one, two) + emitted[step]
        alphas.append(alpha)
    ends = torch.stack([alphas[max(length, 1) - 1][row] for row, length in enumerate(input_lengths)])
    length = torch.tensor(target_lengths)
    last = ends.gather(1, (2 * length).unsqueeze(1)).squeeze(1)
    before = ends.gather(1, (2 * length - 1).clamp(min=0).unsqueeze(1)).squeeze(1).masked_fill(length == 0, never)
    loss = -_log_add(last, before)
    # PyTorch's gradient is the one for log_probs that come out of log_softmax: it has a further term exp(log_probs).
    used = (torch.arange(steps).unsqueeze(1) < torch.tensor(input_lengths)).unsqueeze(2)
    probs = torch.where(used, log_probs, torch.full_like(log_probs, never)).exp()
    loss = loss + (probs - probs.detach()).sum((0, 2))
    if zero_infinity:
        loss = torch.where(loss == float("inf"), torch.zeros_like(loss), loss)
    if reduction == "mean":
        return (loss / length.clamp(min=1).to(loss.dtype)).mean()
    if reduction == "sum":
        return loss.sum()
    return loss.squeeze(0) if single else loss
