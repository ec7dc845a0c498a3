"""Changing a whole tree of modules at once: dtype, device, mode, gradients."""
import warnings

import hwaro as torch
from hwaro.nn.parameter import Parameter


class ConvertMixin:
    """The half of Module that changes all parameters and buffers."""

    def apply(self, fn):
        """Call fn on every submodule and then on this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self, fn, recurse=True):
        if recurse:
            for module in self.children():
                module._apply(fn)
        for key, param in self._parameters.items():
            if param is None:
                continue
            with torch.no_grad():
                changed = fn(param)
            # A meta tensor has no data to swap in place, so there the parameter itself is replaced.
            if (changed.device.type == "meta") == (param.device.type == "meta"):
                param.data = changed
                kept = param
            else:
                kept = self._parameters[key] = Parameter(changed, param.requires_grad)
            if param.grad is not None:
                with torch.no_grad():
                    grad = fn(param.grad)
                if kept is param and (grad.device.type == "meta") == (param.grad.device.type == "meta"):
                    param.grad.data = grad
                else:
                    kept.grad = grad.requires_grad_(param.grad.requires_grad)
        for key, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[key] = fn(buffer)
        return self

    def _apply_to_floating(self, change):
        return self._apply(lambda tensor: change(tensor) if tensor.is_floating_point() else tensor)

    def float(self):
        """Floating point parameters and buffers to float32."""
        return self._apply_to_floating(lambda tensor: tensor.float())

    def double(self):
        """Floating point parameters and buffers to float64."""
        return self._apply_to_floating(lambda tensor: tensor.double())

    def half(self):
        """Floating point parameters and buffers to float16."""
        return self._apply_to_floating(lambda tensor: tensor.half())

    def bfloat16(self):
        """Floating point parameters and buffers to bfloat16."""
        return self._apply_to_floating(lambda tensor: tensor.bfloat16())

    def cpu(self):
        """Parameters and buffers to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self, device=None):
        """Parameters and buffers to a CUDA device."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self, dst_type):
        """Parameters and buffers to dst_type."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def to_empty(self, *, device, recurse=True):
        """Parameters and buffers to a device without copying their values."""
        return self._apply(lambda tensor: torch.empty_like(tensor, device=device), recurse=recurse)

    def to(self, *args, **kwargs):
        """to(device=None, dtype=None, non_blocking=False), to(dtype), to(tensor), to(memory_format=...)."""
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None:
            if not (dtype.is_floating_point or dtype.is_complex):
                raise TypeError("nn.Module.to only accepts floating point or complex dtypes, "
                                f"but got desired dtype={dtype}")
            if dtype.is_complex:
                warnings.warn(
                    "Complex modules are a new feature under active development whose design may change, and some "
                    "modules might not work as expected when using complex tensors as parameters or buffers. Please "
                    "file an issue at https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml if a "
                    "complex module does not work as expected.", stacklevel=2)

        def convert(tensor):
            wanted = dtype if tensor.is_floating_point() or tensor.is_complex() else None
            options = {"memory_format": memory_format} if memory_format is not None and tensor.dim() in (4, 5) else {}
            try:
                return tensor.to(device=device, dtype=wanted, non_blocking=non_blocking, **options)
            except NotImplementedError as error:
                if str(error) != "Cannot copy out of meta tensor; no data!":
                    raise
                raise NotImplementedError(f"{error} Please use torch.nn.Module.to_empty() instead of torch.nn.Module.to() "
                                          "when moving module from meta to a different device.") from None

        return self._apply(convert)

    def share_memory(self):
        """Move parameters and buffers to memory that other processes can share."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def train(self, mode=True):
        """Put the module and its submodules into training mode (or out of it)."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self):
        """The same as train(False)."""
        return self.train(False)

    def requires_grad_(self, requires_grad=True):
        """Let the parameters be learnt, or freeze them."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none=True):
        """Drop every parameter's gradient, or fill it with zeros."""
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                else:
                    if param.grad.grad_fn is not None:
                        param.grad.detach_()
                    else:
                        param.grad.requires_grad_(False)
                    param.grad.zero_()


def _parse_to(*args, **kwargs):
    """What `to` was asked for: device, dtype, non_blocking, memory_format."""
    memory_format = kwargs.pop("memory_format", None)
    kwargs.pop("copy", None)
    device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
    non_blocking = kwargs.pop("non_blocking", False)
    other = kwargs.pop("tensor", kwargs.pop("other", None))
    args = list(args)
    if args and isinstance(args[0], torch.Tensor):
        other = args.pop(0)
    elif args and isinstance(args[0], torch.dtype):
        dtype = args.pop(0)
    elif args:
        if not (args[0] is None or isinstance(args[0], (str, int, torch.device))):
            raise TypeError("to() received an invalid combination of arguments - got ("
                            + ", ".join(type(arg).__name__ for arg in args) + ")")
        device = args.pop(0)
        if args and (args[0] is None or isinstance(args[0], torch.dtype)):
            dtype = args.pop(0)
    if other is not None:
        device, dtype = other.device, other.dtype
    if args:
        non_blocking = args.pop(0)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    return None if device is None else torch.device(device), dtype, non_blocking, memory_format
