"""Helpers for gradients, parameters, sequences and reparametrisation; each file loads at its first use."""
import importlib

_FILES = {
    "clip_grad": "clip_grad_norm clip_grad_norm_ clip_grad_value_ get_total_norm clip_grads_with_norm_",
    "convert_parameters": "parameters_to_vector vector_to_parameters",
    "_weight_norm": "weight_norm remove_weight_norm",
    "_spectral_norm": "spectral_norm remove_spectral_norm",
    "parametrize": "",
    "parametrizations": "",
    "rnn": "",
}
_HOME = {name: home for home, names in _FILES.items() for name in names.split()}
__all__ = sorted(_HOME)


def __getattr__(name):
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _FILES:
        value = importlib.import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__, *_FILES})
