"""How indices become a batch, in this process or in a worker."""
import hwaro as torch
from hwaro.utils.data._collate import default_collate
from hwaro.utils.data.dataset import TensorDataset


class MapFetcher:
    """Samples by index."""

    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.dataset, self.auto_collation, self.collate_fn = dataset, auto_collation, collate_fn
        # Whole rows of tensors can be picked at once; stacking them one by one gives the same batch.
        self.whole = (type(dataset) is TensorDataset and auto_collation and collate_fn is default_collate
                      and all(type(tensor) is torch.Tensor for tensor in dataset.tensors))

    def fetch(self, indices):
        if self.whole:
            rows = torch.tensor(indices, dtype=torch.int64)
            return [tensor.index_select(0, rows) for tensor in self.dataset.tensors]
        if not self.auto_collation:
            return self.collate_fn(self.dataset[indices])
        if getattr(self.dataset, "__getitems__", None):
            return self.collate_fn(self.dataset.__getitems__(indices))
        return self.collate_fn([self.dataset[index] for index in indices])


class IterableFetcher:
    """As many samples as indices are asked for."""

    def __init__(self, dataset, auto_collation, collate_fn, drop_last):
        self.stream = iter(dataset)
        self.auto_collation, self.collate_fn, self.drop_last = auto_collation, collate_fn, drop_last
        self.ended = False

    def fetch(self, indices):
        if self.ended:
            raise StopIteration
        if not self.auto_collation:
            return self.collate_fn(next(self.stream))
        batch = []
        for _ in indices:
            try:
                batch.append(next(self.stream))
            except StopIteration:
                self.ended = True
                break
        if len(batch) == 0 or (self.drop_last and len(batch) < len(indices)):
            raise StopIteration
        return self.collate_fn(batch)
