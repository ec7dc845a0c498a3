"""Softmax over many classes, rare ones in clusters (Grave et al., 2016)."""
from collections import namedtuple

import hwaro as torch
import hwaro.nn.functional as F
from hwaro.nn.modules.container import ModuleList, Sequential
from hwaro.nn.modules.linear import Linear
from hwaro.nn.modules.module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]

_ASMoutput = namedtuple("_ASMoutput", ["output", "loss"])


class AdaptiveLogSoftmaxWithLoss(Module):
    """The target's log-probability and the mean loss: (N, in_features), (N) -> (N), ()."""

    def __init__(self, in_features, n_classes, cutoffs, div_value=4.0, head_bias=False, device=None, dtype=None):
        super().__init__()
        cutoffs = list(cutoffs)
        if len(cutoffs) == 0:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (cutoffs != sorted(cutoffs) or min(cutoffs) <= 0 or max(cutoffs) > n_classes - 1
                or len(set(cutoffs)) != len(cutoffs) or any(int(c) != c for c in cutoffs)):
            raise ValueError("cutoffs should be a sequence of unique, positive integers sorted in an increasing order, "
                             "where each value is between 1 and n_classes-1")
        options = {"device": device, "dtype": dtype}
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = cutoffs + [n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, **options)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // (div_value ** (i + 1)))
            out = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(Sequential(Linear(in_features, hidden, bias=False, **options),
                                        Linear(hidden, out, bias=False, **options)))

    def reset_parameters(self):
        """New initial values everywhere."""
        self.head.reset_parameters()
        for to_hidden, to_out in self.tail:
            to_hidden.reset_parameters()
            to_out.reset_parameters()

    def forward(self, input_, target_):
        target_dim = target_.dim()
        if target_dim == 1:
            if input_.size(0) != target_.size(0):
                raise RuntimeError("Input and target should have the same size in the batch dimension.")
            if input_.dim() != 2:
                raise RuntimeError("1D target tensor expects 2D input tensors, but found inputs with size",
                                   input_.size())
        elif target_dim == 0:
            if input_.dim() != 1:
                raise RuntimeError("0D target tensor expects 1D input tensors, but found inputs with size",
                                   input_.size())
        else:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        batched = target_dim > 0
        rows = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        found = 0
        head_index = target.new_empty(target.size(0))
        output = rows.new_zeros(target.size(0))
        bounds = [0, *self.cutoffs]
        for i in range(len(bounds) - 1):
            where = ((target >= bounds[i]) & (target < bounds[i + 1])).nonzero().squeeze(-1)
            if where.numel() == 0:
                continue
            if i == 0:
                head_index = head_index.index_copy(0, where, target[where])
            else:
                relative = target[where] - bounds[i]
                logprob = F.log_softmax(self.tail[i - 1](rows.index_select(0, where)), dim=1)
                head_index = head_index.index_fill(0, where, self.shortlist_size + i - 1)
                output = output.index_copy(0, where, logprob.gather(1, relative.unsqueeze(1)).squeeze(1))
            found += where.numel()
        if found != target.size(0):
            raise RuntimeError(f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                               f"[{target.min().item()}, {target.max().item()}] were found. ")
        head = F.log_softmax(self.head(rows), dim=1)
        output = output + head.gather(1, head_index.unsqueeze(1)).squeeze()
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _full_log_prob(self, input, head_output):
        out = input.new_empty((head_output.size(0), self.n_classes))
        head = F.log_softmax(head_output, dim=1)
        out[:, :self.shortlist_size] = head[:, :self.shortlist_size]
        for i, (start, stop) in enumerate(zip(self.cutoffs, self.cutoffs[1:])):
            cluster = F.log_softmax(self.tail[i](input), dim=1)
            out[:, start:stop] = cluster + head[:, self.shortlist_size + i].unsqueeze(1)
        return out

    def log_prob(self, input):
        """Log-probabilities of all classes: (N, in_features) -> (N, n_classes)."""
        return self._full_log_prob(input, self.head(input))

    def predict(self, input):
        """The most probable class: (N, in_features) -> (N)."""
        head = self.head(input)
        output = torch.argmax(head, dim=1)
        unsure = output >= self.shortlist_size
        if not unsure.any():
            return output
        if unsure.all():
            return torch.argmax(self._full_log_prob(input, head), dim=1)
        output[unsure] = torch.argmax(self._full_log_prob(input[unsure], head[unsure]), dim=1)
        return output
