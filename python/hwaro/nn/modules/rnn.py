"""Recurrent layers and cells: loops over time steps in terms of linear maps."""
import math
import warnings

import hwaro as torch
import hwaro.nn.functional as F
from hwaro.nn import init
from hwaro.nn.modules.module import Module
from hwaro.nn.parameter import Parameter

__all__ = ["RNNBase", "RNN", "LSTM", "GRU", "RNNCellBase", "RNNCell", "LSTMCell", "GRUCell"]

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


# ---- one time step: from the input's gates (already multiplied) and the state to the new state ----------------------
def _tanh_step(gates, h, c, w_hh, b_hh):
    return torch.tanh(gates + F.linear(h, w_hh, b_hh)), c


def _relu_step(gates, h, c, w_hh, b_hh):
    return torch.relu(gates + F.linear(h, w_hh, b_hh)), c


def _gru_step(gates, h, c, w_hh, b_hh):
    reset_x, update_x, new_x = gates.chunk(3, -1)
    reset_h, update_h, new_h = F.linear(h, w_hh, b_hh).chunk(3, -1)
    new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
    return (h - new) * torch.sigmoid(update_x + update_h) + new, c


def _lstm_step(gates, h, c, w_hh, b_hh):
    enter, forget, cell, leave = (gates + F.linear(h, w_hh, b_hh)).chunk(4, -1)
    c = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(cell)
    return torch.sigmoid(leave) * torch.tanh(c), c


_STEPS = {"LSTM": _lstm_step, "GRU": _gru_step, "RNN_TANH": _tanh_step, "RNN_RELU": _relu_step}


def _run_sequence(step, x, h, c, weights, reverse):
    """All steps of one layer and direction over x (L, N, *): outputs (L, N, H), last h, last c."""
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    gates = F.linear(x, w_ih, b_ih).unbind(0)
    outputs = []
    for gate in reversed(gates) if reverse else gates:
        h, c = step(gate, h, c, w_hh, b_hh)
        if w_hr is not None:
            h = F.linear(h, w_hr)
        outputs.append(h)
    if reverse:
        outputs.reverse()
    return torch.stack(outputs), h, c


def _run_packed(step, data, sizes, h, c, weights, reverse):
    """The same over packed data (sum of lengths, *); sizes[t] samples are alive at step t, longest first."""
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    gates = F.linear(data, w_ih, b_ih).split(sizes)
    outputs = [None] * len(sizes)
    if reverse:  # Start with the longest sequences; the others join at their own ends.
        order, live = range(len(sizes) - 1, -1, -1), sizes[-1]
        first_h, first_c = h, c
        h, c = h[:live], None if c is None else c[:live]
    else:
        order, live = range(len(sizes)), sizes[0]
        ended_h, ended_c = [], []
    for t in order:
        size = sizes[t]
        if size > live:
            h = torch.cat([h, first_h[live:size]])
            c = None if c is None else torch.cat([c, first_c[live:size]])
        elif size < live:
            ended_h.append(h[size:])
            ended_c.append(None if c is None else c[size:])
            h, c = h[:size], None if c is None else c[:size]
        live = size
        h, c = step(gates[t], h, c, w_hh, b_hh)
        if w_hr is not None:
            h = F.linear(h, w_hr)
        outputs[t] = h
    if not reverse and ended_h:
        h = torch.cat([h, *reversed(ended_h)])
        c = None if c is None else torch.cat([c, *reversed(ended_c)])
    return torch.cat(outputs), h, c


class RNNBase(Module):
    """Weights, checks and the loop over layers and directions of RNN, LSTM and GRU."""

    __constants__ = ["mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout",
                     "bidirectional", "proj_size"]

    def __init__(self, mode, input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0,
                 bidirectional=False, proj_size=0, device=None, dtype=None):
        super().__init__()
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError("dropout should be a number in range [0, 1] representing the probability of an element "
                             "being zeroed")
        if dropout > 0 and num_layers == 1:
            warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                          f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                          stacklevel=2)
        if not isinstance(hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        gates = _GATES[mode] * hidden_size
        directions = 2 if bidirectional else 1
        out = proj_size or hidden_size
        self._all_weights = []
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else out * directions
            for direction in range(directions):
                suffix = f"l{layer}" + ("_reverse" if direction else "")
                shapes = {"weight_ih_": (gates, inputs), "weight_hh_": (gates, out)}
                if bias:
                    shapes.update({"bias_ih_": (gates,), "bias_hh_": (gates,)})
                if proj_size:
                    shapes["weight_hr_"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    setattr(self, name + suffix, Parameter(torch.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append([name + suffix for name in shapes])
        self.reset_parameters()

    @property
    def all_weights(self):
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self):
        """Weights need no particular place in memory here."""

    def reset_parameters(self):
        """Uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _weights(self, index):
        found = [getattr(self, name) for name in self._all_weights[index]]
        projection = found.pop() if self.proj_size else None
        w_ih, w_hh, *biases = found
        b_ih, b_hh = biases or (None, None)
        return w_ih, w_hh, b_ih, b_hh, projection

    def check_input(self, input, batch_sizes):
        """Raises unless the input has the right number of dimensions and features."""
        dtype = getattr(self, self._all_weights[0][0]).dtype
        if input.dtype != dtype:
            raise ValueError(f"RNN input dtype ({input.dtype}) does not match weight dtype ({dtype}). "
                             f"Convert input: input.to({dtype}), or convert model: model.to({input.dtype})")
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError("input.size(-1) must be equal to input_size. Expected "
                               f"{self.input_size}, got {input.size(-1)}")

    def get_expected_hidden_size(self, input, batch_sizes):
        """(layers * directions, N, H)."""
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        directions = 2 if self.bidirectional else 1
        return (self.num_layers * directions, batch, self.proj_size or self.hidden_size)

    def get_expected_cell_size(self, input, batch_sizes):
        """(layers * directions, N, hidden_size)."""
        layers, batch, _ = self.get_expected_hidden_size(input, batch_sizes)
        return (layers, batch, self.hidden_size)

    def check_hidden_size(self, hx, expected, msg="Expected hidden size {}, got {}"):
        """Raises unless hx has the expected shape."""
        if hx.size() != expected:
            raise RuntimeError(msg.format(expected, list(hx.size())))

    def check_forward_args(self, input, hidden, batch_sizes):
        """Raises unless input and state fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx, permutation):
        """The state's samples in another order."""
        return hx if permutation is None else hx.index_select(1, permutation)

    def _loop(self, x, sizes, h, c):
        """All layers: x is (L, N, *) or packed with sizes; h, c (layers * directions, N, *)."""
        step = _STEPS[self.mode]
        directions = 2 if self.bidirectional else 1
        last_h, last_c = [], []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(directions):
                index = layer * directions + direction
                state = h[index], None if c is None else c[index]
                if sizes is None:
                    out, h_n, c_n = _run_sequence(step, x, *state, self._weights(index), direction == 1)
                else:
                    out, h_n, c_n = _run_packed(step, x, sizes, *state, self._weights(index), direction == 1)
                outputs.append(out)
                last_h.append(h_n)
                last_c.append(c_n)
            x = outputs[0] if directions == 1 else torch.cat(outputs, -1)
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, True)
        return x, torch.stack(last_h), None if c is None else torch.stack(last_c)

    def _forward(self, input, hx, cell):
        """The common part of all forwards; cell says whether the state is (h, c)."""
        from hwaro.nn.utils.rnn import PackedSequence
        packed = isinstance(input, PackedSequence)
        sizes = order = unorder = None
        batched = True
        if packed:
            source = input
            input, sizes, order, unorder = source
        else:
            if input.dim() not in (2, 3):
                kind = "D tensor" if self.mode.startswith("RNN") else "D"
                raise ValueError(f"{self._name()}: Expected input to be 2D or 3D, got {input.dim()}{kind} instead")
            batched = input.dim() == 3
            if not batched:
                input = input.unsqueeze(0 if self.batch_first else 1)
        if hx is None:
            shape = self.get_expected_hidden_size(input, sizes)
            h = torch.zeros(shape, dtype=input.dtype, device=input.device)
            c = torch.zeros(self.get_expected_cell_size(input, sizes), dtype=input.dtype,
                            device=input.device) if cell else None
        else:
            h, c = hx if cell else (hx, None)
            if not packed:
                self._check_state_dims(batched, h, c)
            if not batched:
                h, c = h.unsqueeze(1), None if c is None else c.unsqueeze(1)
            h, c = self.permute_hidden(h, order), None if c is None else self.permute_hidden(c, order)
        self.check_forward_args(input, (h, c) if cell else h, sizes)
        x = input.transpose(0, 1) if self.batch_first and not packed else input
        out, h, c = self._loop(x, None if sizes is None else sizes.tolist(), h, c)
        h, c = self.permute_hidden(h, unorder), None if c is None else self.permute_hidden(c, unorder)
        if packed:
            out = PackedSequence(out, sizes, order, unorder)
        else:
            out = out.transpose_(0, 1) if self.batch_first else out
            if not batched:
                out, h = out.squeeze(0 if self.batch_first else 1), h.squeeze(1)
                c = None if c is None else c.squeeze(1)
        return out, (h, c) if cell else h

    def _name(self):
        return "RNN" if self.mode.startswith("RNN") else self.mode

    def _check_state_dims(self, batched, h, c):
        dims = 3 if batched else 2
        if h.dim() != dims:
            kind = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(f"For {kind} input, hx should also be {dims}-D but got {h.dim()}-D tensor")

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text


class RNN(RNNBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu: (L, N, input_size) -> (L, N, D * hidden_size), h."""

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            self.nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            self.nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if self.nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{self.nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + self.nonlinearity.upper(), *args, **kwargs)

    def forward(self, input, hx=None):
        return self._forward(input, hx, False)


class GRU(RNNBase):
    """Gated recurrent units (Cho et al., 2014): (L, N, input_size) -> (L, N, D * hidden_size), h."""

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input, hx=None):
        return self._forward(input, hx, False)


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997): (L, N, input_size) -> (L, N, D * H), (h, c)."""

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def _check_state_dims(self, batched, h, c):
        dims = 3 if batched else 2
        if h.dim() != dims or c.dim() != dims:
            kind = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(f"For {kind} input, hx and cx should also be {dims}-D but got ({h.dim()}-D, "
                               f"{c.dim()}-D) tensors")

    def check_forward_args(self, input, hidden, batch_sizes):
        """Raises unless input and both states fit."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden[0], self.get_expected_hidden_size(input, batch_sizes),
                               "Expected hidden[0] size {}, got {}")
        self.check_hidden_size(hidden[1], self.get_expected_cell_size(input, batch_sizes),
                               "Expected hidden[1] size {}, got {}")

    def forward(self, input, hx=None):
        return self._forward(input, hx, True)


class RNNCellBase(Module):
    """Weights of one cell."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(self, input_size, hidden_size, bias, num_chunks, device=None, dtype=None):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        rows = num_chunks * hidden_size
        self.weight_ih = Parameter(torch.empty((rows, input_size), device=device, dtype=dtype))
        self.weight_hh = Parameter(torch.empty((rows, hidden_size), device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            if bias:
                setattr(self, name, Parameter(torch.empty(rows, device=device, dtype=dtype)))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self):
        """Uniform in +-1/sqrt(hidden_size)."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self):
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _one_step(self, step, input, h, c):
        """The new (h, c) for input (N, input_size) or (input_size)."""
        name = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{name}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for given in (h, c):
            if given is not None and given.dim() not in (1, 2):
                raise ValueError(f"{name}: Expected hidden to be 1D or 2D, got {given.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            h, c = (None if given is None else given.unsqueeze(0) for given in (h, c))
        if input.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {input.size(1)} expected {self.input_size}")
        if h is None:
            h = torch.zeros(input.size(0), self.hidden_size, dtype=input.dtype, device=input.device)
        if input.size(0) != h.size(0):
            raise RuntimeError(f"Input batch size {input.size(0)} doesn't match hidden0 batch size {h.size(0)}")
        if h.size(1) != self.hidden_size:
            raise RuntimeError(f"hidden0 has inconsistent hidden_size: got {h.size(1)}, expected {self.hidden_size}")
        if c is None and step is _lstm_step:
            c = torch.zeros_like(h)
        h, c = step(F.linear(input, self.weight_ih, self.bias_ih), h, c, self.weight_hh, self.bias_hh)
        if not batched:
            h, c = h.squeeze(0), None if c is None else c.squeeze(0)
        return h, c


class RNNCell(RNNCellBase):
    """One step of an RNN: input (N, input_size), h (N, hidden_size) -> h."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._one_step(_tanh_step if self.nonlinearity == "tanh" else _relu_step, input, hx, None)[0]


class LSTMCell(RNNCellBase):
    """One step of an LSTM: input (N, input_size), (h, c) -> (h, c)."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input, hx=None):
        h, c = (None, None) if hx is None else hx
        return self._one_step(_lstm_step, input, h, c)


class GRUCell(RNNCellBase):
    """One step of a GRU: input (N, input_size), h (N, hidden_size) -> h."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input, hx=None):
        return self._one_step(_gru_step, input, hx, None)[0]
