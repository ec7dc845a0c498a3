"""x.sum without a call: an object that prints as PyTorch's, can be called later, copied and collected."""
import copy
import gc
import pickle
import re
import weakref

import hwaro as torch


def test_it_prints_without_the_elements():
    x = torch.zeros(1000)
    assert re.fullmatch(r"<built-in method sum of Tensor object at 0x[0-9a-f]+>", repr(x.sum))
    assert "of Parameter object" in repr(torch.nn.Parameter(x).add)
    assert x.sum.__name__ == "sum" and x.sum.__self__ is x and x.sum.__doc__


def test_it_is_called_like_the_method():
    x = torch.ones(2, 3)
    later = x.sum
    assert later().item() == 6 and later(0).tolist() == [2, 2, 2] and later(dim=1, keepdim=True).shape == (2, 1)
    assert [y[0, 0].item() for y in map(x.add, [1, 2])] == [2, 3]
    assert copy.copy(later)().item() == 6 and pickle.loads(pickle.dumps(later))().item() == 6


def test_it_compares_by_operator_and_tensor():
    x, y = torch.ones(1), torch.ones(1)
    assert x.sum == x.sum and hash(x.sum) == hash(x.sum)
    assert x.sum != y.sum and x.sum != x.mean


def test_a_tensor_that_holds_its_own_method_is_collected():
    x = torch.ones(1)
    x.me = x.add
    alive = weakref.ref(x)
    del x
    gc.collect()
    assert alive() is None
