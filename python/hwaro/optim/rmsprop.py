"""RMSprop (Hinton, 2012)."""
from hwaro.optim.optimizer import ParameterRule, _check_lr, _check_not_negative, _new_step, _number, _zeros_like

__all__ = ["RMSprop"]


class RMSprop(ParameterRule):
    """p -= lr * grad / (sqrt(v) + eps) with a running mean v of the squared gradient."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False,
                 capturable=False, foreach=None, maximize=False, differentiable=False):
        _check_lr(lr)
        _check_not_negative(eps, "epsilon value")
        _check_not_negative(momentum, "momentum value")
        _check_not_negative(weight_decay, "weight_decay value")
        _check_not_negative(alpha, "alpha value")
        super().__init__(params, dict(lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered,
                                      weight_decay=weight_decay, capturable=capturable, foreach=foreach,
                                      maximize=maximize, differentiable=differentiable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["square_avg"] = _zeros_like(param)
        if group["momentum"] > 0:
            state["momentum_buffer"] = _zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        lr, alpha, momentum, square = _number(group["lr"]), group["alpha"], group["momentum"], state["square_avg"]
        counter = state["step"]
        counter += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            scale = square.addcmul(mean, mean, value=-1).sqrt_()
        else:
            scale = square.sqrt()
        scale = scale.add(group["eps"]) if group["differentiable"] else scale.add_(group["eps"])
        if momentum > 0:
            buffer = state["momentum_buffer"]
            buffer.mul_(momentum).addcdiv_(grad, scale)
            param.add_(buffer, alpha=-lr)
        else:
            param.addcdiv_(grad, scale, value=-lr)
