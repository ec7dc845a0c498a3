"""Rectified Adam (Liu et al., 2019)."""
from hwaro.optim.optimizer import (ParameterRule, _check_betas, _check_lr, _check_not_negative, _new_step, _number,
                                   _zeros_like)

__all__ = ["RAdam"]


class RAdam(ParameterRule):
    """Adam that leaves the second moment out while its estimate is poor."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *,
                 foreach=None, maximize=False, capturable=False, differentiable=False):
        _check_lr(lr)
        _check_not_negative(eps, "epsilon value")
        _check_betas(betas)
        _check_not_negative(weight_decay, "weight_decay value")
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize,
                                      foreach=foreach, capturable=capturable,
                                      decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["exp_avg"] = _zeros_like(param)
        state["exp_avg_sq"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        lr, (beta1, beta2), decay = _number(group["lr"]), group["betas"], group["weight_decay"]
        mean, square, counter = state["exp_avg"], state["exp_avg_sq"], state["step"]
        counter += 1
        step = counter.item()
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction1, correction2 = 1 - beta1**step, 1 - beta2**step
        corrected = mean / correction1
        # The length of the simple moving average that the second moment amounts to, at the end and now.
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * step * (beta2**step) / correction2
        if rho > 5.0:
            rectified = ((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) ** 0.5
            scale = square.sqrt()
            scale = scale.add(group["eps"]) if group["differentiable"] else scale.add_(group["eps"])
            param.add_(corrected * lr * ((correction2**0.5) / scale) * rectified, alpha=-1.0)
        else:
            param.add_(corrected * lr, alpha=-1.0)
