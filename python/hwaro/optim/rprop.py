"""Resilient backpropagation (Riedmiller & Braun, 1993)."""
import hwaro as torch
from hwaro.optim.optimizer import ParameterRule, _check_lr, _new_step, _number, _zeros_like

__all__ = ["Rprop"]


class Rprop(ParameterRule):
    """Each element has a step of its own that grows while the gradient keeps its sign and shrinks when it flips."""

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False, foreach=None,
                 maximize=False, differentiable=False):
        _check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, dict(lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
                                      differentiable=differentiable, capturable=capturable))

    def _start(self, group, param, state):
        lr = _number(group["lr"])
        state["step"] = _new_step()
        state["prev"] = _zeros_like(param)
        state["step_size"] = torch.full_like(param.grad, complex(lr, lr) if param.is_complex() else lr)

    def _update(self, group, param, grad, state):
        (shrink, grow), (low, high) = group["etas"], group["step_sizes"]
        previous, size, counter = state["prev"], state["step_size"], state["step"]
        counter += 1
        agreement = grad.mul(previous).sign()
        one = torch.ones_like(agreement)
        factor = torch.where(agreement.gt(0), one * grow, torch.where(agreement.lt(0), one * shrink, one))
        size.mul_(factor).clamp_(low, high)
        # Where the sign flipped, the element stays put for this step.
        grad = torch.where(agreement.lt(0), torch.zeros_like(grad), grad)
        param.addcmul_(grad.sign(), size, value=-1)
        previous.copy_(grad)
