"""Layers whose number of inputs is found at their first call: LazyLinear(10) becomes a Linear(n, 10)."""
import hwaro as torch
from hwaro.nn.modules.batchnorm import BatchNorm1d, BatchNorm2d, BatchNorm3d
from hwaro.nn.modules.conv import Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from hwaro.nn.modules.instancenorm import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from hwaro.nn.modules.linear import Linear
from hwaro.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

__all__ = ["LazyModuleMixin", "LazyLinear", "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d",
           "LazyConvTranspose2d", "LazyConvTranspose3d", "LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d",
           "LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d"]


class LazyModuleMixin:
    """Before the first forward, initialize_parameters(*args) gives the parameters their shapes; then the module becomes
    one of class cls_to_become."""

    cls_to_become = None

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _own(self):
        return [*self._parameters.items(), *self._buffers.items()]

    def has_uninitialized_params(self):
        """Whether a parameter or buffer of this module has no shape yet."""
        return any(is_lazy(value) for _, value in self._own())

    def initialize_parameters(self, *args, **kwargs):
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def _infer_parameters(self, module, args, kwargs):
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        del module._initialize_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, value in self._own():
            if value is not None and not (name in self._non_persistent_buffers_set):
                destination[prefix + name] = value if is_lazy(value) or keep_vars else value.detach()

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                              error_msgs):
        for name, value in self._own():
            given = state_dict.get(prefix + name)
            if not is_lazy(value) or given is None or is_lazy(given):
                continue
            if isinstance(value, UninitializedParameter):
                value.materialize(given.shape)
            else:
                self._buffers[name] = torch.empty(given.shape, dtype=value.dtype, device=value.device)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
                                      error_msgs)


class LazyLinear(LazyModuleMixin, Linear):
    """A Linear whose in_features is the size of the last dimension of its first input."""

    cls_to_become = Linear

    def __init__(self, out_features, bias=True, device=None, dtype=None):
        super().__init__(0, 0, False, device, dtype)
        self.out_features = out_features
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input):
        if not self.has_uninitialized_params():
            self.in_features = self.weight.shape[-1]
            return
        self.in_features = input.shape[-1]
        self.weight.materialize((self.out_features, self.in_features))
        if self.bias is not None:
            self.bias.materialize((self.out_features,))
        self.reset_parameters()


class _LazyConv(LazyModuleMixin):
    """What all lazy convolutions share; `dims` is the number of spatial dimensions."""

    _dims = None

    def _make_lazy(self, out_channels, bias, device, dtype):
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        if not self.has_uninitialized_params():
            return
        dims = self._dims
        if input.dim() not in (dims + 1, dims + 2):
            raise RuntimeError(f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to "
                               f"{self.__class__.__name__}, but got input of size: {input.shape}")
        self.in_channels = input.shape[input.dim() - dims - 1]
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        outer, inner = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        self.weight.materialize((outer, inner // self.groups, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


def _lazy_conv(base, dims):
    class Lazy(_LazyConv, base):
        cls_to_become = base
        _dims = dims

        def __init__(self, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                     padding_mode="zeros", device=None, dtype=None):
            super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
            self._make_lazy(out_channels, bias, device, dtype)

    return _named(Lazy, base)


def _lazy_conv_transpose(base, dims):
    class Lazy(_LazyConv, base):
        cls_to_become = base
        _dims = dims

        def __init__(self, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
                     dilation=1, padding_mode="zeros", device=None, dtype=None):
            super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode,
                             device, dtype)
            self._make_lazy(out_channels, bias, device, dtype)

    return _named(Lazy, base)


def _lazy_norm(base, affine_by_default, stats_by_default):
    class Lazy(LazyModuleMixin, base):
        cls_to_become = base

        def __init__(self, eps=1e-5, momentum=0.1, affine=affine_by_default, track_running_stats=stats_by_default,
                     device=None, dtype=None, *, bias=True):
            super().__init__(0, eps, momentum, False, False, device, dtype)
            self.affine = affine
            self.track_running_stats = track_running_stats
            if affine:
                self.weight = UninitializedParameter(device=device, dtype=dtype)
                if bias:
                    self.bias = UninitializedParameter(device=device, dtype=dtype)
            if track_running_stats:
                self.register_buffer("running_mean", UninitializedBuffer(device=device, dtype=dtype))
                self.register_buffer("running_var", UninitializedBuffer(device=device, dtype=dtype))
                self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long, device=device))

        def reset_parameters(self):
            if not self.has_uninitialized_params() and self.num_features != 0:
                super().reset_parameters()

        def initialize_parameters(self, input):
            if not self.has_uninitialized_params():
                return
            self.num_features = input.shape[1]
            for name, value in self._own():
                if isinstance(value, UninitializedParameter):
                    value.materialize((self.num_features,))
                elif is_lazy(value):  # a plain tensor takes its place
                    self._buffers[name] = torch.empty(self.num_features, dtype=value.dtype, device=value.device)
            self.reset_parameters()

    return _named(Lazy, base)


def _named(cls, base):
    cls.__name__ = cls.__qualname__ = "Lazy" + base.__name__
    cls.__doc__ = f"A {base.__name__} whose number of channels is that of its first input."
    return cls


LazyConv1d, LazyConv2d, LazyConv3d = (_lazy_conv(base, n + 1) for n, base in enumerate((Conv1d, Conv2d, Conv3d)))
LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d = (
    _lazy_conv_transpose(base, n + 1) for n, base in enumerate((ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))
LazyBatchNorm1d, LazyBatchNorm2d, LazyBatchNorm3d = (
    _lazy_norm(base, True, True) for base in (BatchNorm1d, BatchNorm2d, BatchNorm3d))
LazyInstanceNorm1d, LazyInstanceNorm2d, LazyInstanceNorm3d = (
    _lazy_norm(base, False, False) for base in (InstanceNorm1d, InstanceNorm2d, InstanceNorm3d))
