"""Stochastic gradient descent with momentum (Sutskever et al., 2013)."""
import hwaro as torch
from hwaro.optim.optimizer import Optimizer, _check_lr, _number, _set_grad_enabled

__all__ = ["SGD"]

_fused_step = torch._C.sgd_step_


class SGD(Optimizer):
    """p -= lr * v with v = momentum * v + (1 - dampening) * grad."""

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False,
                 foreach=None, differentiable=False, fused=None):
        _check_lr(lr)
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
                                      nesterov=nesterov, maximize=maximize, foreach=foreach,
                                      differentiable=differentiable, fused=fused))
        if fused:
            if differentiable:
                raise RuntimeError("`fused` does not support `differentiable`")
            if foreach:
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def step(self, closure=None):
        """Change the parameters once; closure, if given, computes the loss again and returns it."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        before = torch.is_grad_enabled()
        _set_grad_enabled(self.defaults["differentiable"])
        try:
            for group in self.param_groups:
                self._step_group(group)
        finally:
            _set_grad_enabled(before)
        return loss

    def _step_group(self, group):
        momentum, lr = group["momentum"], group["lr"]
        params, grads, buffers = [], [], []
        one_by_one = group["differentiable"] or isinstance(lr, torch.Tensor)
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            state = self.state[param] if momentum else None
            buffer = state.get("momentum_buffer") if momentum else None
            # The first step starts the buffer, and complex tensors do not go through the fused loop.
            if one_by_one or (momentum and buffer is None) or param.is_complex():
                self._update(group, param, grad, state)
            else:
                params.append(param)
                grads.append(grad)
                buffers.append(buffer)
        if params:
            _fused_step(params, grads, buffers if momentum else [], lr, momentum, group["dampening"],
                        group["weight_decay"], group["nesterov"], group["maximize"])

    @staticmethod
    def _update(group, param, grad, state):
        momentum, weight_decay, lr = group["momentum"], group["weight_decay"], group["lr"]
        if group["maximize"]:
            grad = -grad
        if weight_decay != 0:
            if isinstance(weight_decay, torch.Tensor) and weight_decay.requires_grad:
                grad = grad + param * weight_decay
            else:
                grad = grad.add(param, alpha=_number(weight_decay))
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - group["dampening"])
            grad = grad.add(buffer, alpha=momentum) if group["nesterov"] else buffer
        if isinstance(lr, torch.Tensor) and lr.requires_grad:
            param.addcmul_(grad, lr, value=-1)
        else:
            param.add_(grad, alpha=-_number(lr))
