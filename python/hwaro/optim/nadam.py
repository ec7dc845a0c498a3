"""Adam with Nesterov momentum (Dozat, 2016)."""
import hwaro as torch
from hwaro.optim.optimizer import (ParameterRule, _check_betas, _check_lr, _check_not_negative, _new_step, _number,
                                   _step_dtype, _zeros_like)

__all__ = ["NAdam"]


class NAdam(ParameterRule):
    """Adam that looks one step ahead along its momentum."""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3,
                 decoupled_weight_decay=False, *, foreach=None, maximize=False, capturable=False,
                 differentiable=False):
        _check_lr(lr)
        _check_not_negative(eps, "epsilon value")
        _check_betas(betas)
        _check_not_negative(weight_decay, "weight_decay value")
        _check_not_negative(momentum_decay, "momentum_decay value")
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay,
                                      momentum_decay=momentum_decay, decoupled_weight_decay=decoupled_weight_decay,
                                      maximize=maximize, foreach=foreach, capturable=capturable,
                                      differentiable=differentiable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["mu_product"] = torch.ones((), dtype=_step_dtype())
        state["exp_avg"] = _zeros_like(param)
        state["exp_avg_sq"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        lr, (beta1, beta2), decay = _number(group["lr"]), group["betas"], group["weight_decay"]
        mean, square, product, counter = state["exp_avg"], state["exp_avg_sq"], state["mu_product"], state["step"]
        counter += 1
        step = counter.item()
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mu = beta1 * (1.0 - 0.5 * (0.96 ** (step * group["momentum_decay"])))
        mu_next = beta1 * (1.0 - 0.5 * (0.96 ** ((step + 1) * group["momentum_decay"])))
        product *= mu
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        scale = square.div(1 - beta2**step).sqrt().add_(group["eps"])
        so_far = product.item()
        param.addcdiv_(grad, scale, value=(-lr * (1.0 - mu) / (1.0 - so_far)))
        param.addcdiv_(mean, scale, value=(-lr * mu_next) / (1.0 - so_far * mu_next))
