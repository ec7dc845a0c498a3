"""Adamax (Kingma & Ba, 2014)."""
import hwaro as torch
from hwaro.optim.optimizer import (ParameterRule, _check_betas, _check_lr, _check_not_negative, _new_step, _number,
                                   _zeros_like)

__all__ = ["Adamax"]


class Adamax(ParameterRule):
    """p -= lr * m / u with the running mean m and the decaying largest magnitude u of the gradient."""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *, maximize=False,
                 differentiable=False, capturable=False):
        _check_lr(lr)
        _check_not_negative(eps, "epsilon value")
        _check_betas(betas)
        _check_not_negative(weight_decay, "weight_decay value")
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach,
                                      maximize=maximize, differentiable=differentiable, capturable=capturable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["exp_avg"] = _zeros_like(param)
        state["exp_inf"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        beta1, beta2 = group["betas"]
        mean, largest, counter = state["exp_avg"], state["exp_inf"], state["step"]
        counter += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        mean.lerp_(grad, 1 - beta1)
        largest.copy_(torch.maximum(largest * beta2, grad.abs().add_(group["eps"])))
        param.addcdiv_(mean, largest, value=-_number(group["lr"]) / (1 - beta1 ** counter.item()))
