"""out=: which types it may have, in whose words others are refused, and what is written."""

import hwaro as torch
import pytest

X = torch.tensor([1.5, -2.0, 0.5])
REFUSED = {
    "Found dtype Long but expected Float": [torch.abs, torch.neg, torch.floor, torch.sign, torch.trunc],
    "Expected out tensor to have dtype float, but got long int instead": [
        torch.msort,
        lambda x, out: torch.softmax(x, 0, out=out),
        lambda x, out: torch.cumsum(x, 0, dtype=torch.float32, out=out),
    ],
    "result type Float can't be cast to the desired output type Long": [torch.exp, torch.square],
    "ldexp can't be cast to the desired output type Long": [lambda x, out: torch.ldexp(x, x, out=out)],
    "Expected the dtype for input and out to match, but got Float for input's dtype and Long for out's dtype.": [
        torch.amax,
        torch.amin,
    ],
    "all only supports bool tensor for result, got: Long": [torch.all],
    "mean.dtype_out(): input types can't be cast to the desired output type Long": [torch.mean],
    "dtype Float does not match dtype of out parameter (Long)": [
        lambda x, out: torch.zeros(3, dtype=torch.float32, out=out),
        lambda x, out: torch.arange(3, dtype=torch.float32, out=out),
    ],
}


@pytest.mark.parametrize("text", REFUSED)
def test_other_types_are_refused_in_pytorchs_words(text):
    for function in REFUSED[text]:
        out = torch.full((3,), 7)
        with pytest.raises(RuntimeError) as caught:
            function(X, out=out)
        assert str(caught.value).splitlines()[0] == text
        assert out.tolist() == [7, 7, 7]


def test_in_place_ldexp_has_the_same_words():
    with pytest.raises(RuntimeError, match="ldexp can't be cast to the desired output type Long"):
        torch.tensor([1]).ldexp_(torch.tensor([1]))


def test_sums_take_their_type_from_out():
    out = torch.zeros((), dtype=torch.int64)
    assert torch.sum(torch.tensor([1.9, 1.9]), 0, out=out).item() == 2
    assert torch.cumsum(torch.tensor([1.9, 1.9]), 0, out=torch.zeros(2, dtype=torch.int64)).tolist() == [1, 2]


def test_factories_take_type_and_device_from_out():
    assert torch.arange(0, 1, 0.5, out=torch.empty(0, dtype=torch.float64)).dtype is torch.float64
    assert torch.zeros(3, out=torch.empty(0, device="meta")).device.type == "meta"
    with pytest.raises(ValueError, match="step must be nonzero"):
        torch.arange(0, 64, 0.5, out=torch.empty(0, dtype=torch.int64))


def test_several_results():
    values, indices = torch.zeros(2), torch.zeros(2, dtype=torch.int64)
    result = torch.topk(X, 2, out=(values, indices))
    assert result.values is values and result.indices is indices
    assert values.tolist() == [1.5, 0.5] and indices.tolist() == [0, 2]
    for function in (torch.sort, torch.cummax, torch.cummin):
        values, indices = torch.zeros(0), torch.zeros(0, dtype=torch.int64)
        expected = function(X, 0) if function is not torch.sort else torch.sort(X)
        function(X, 0, out=(values, indices))
        assert torch.equal(values, expected[0]) and torch.equal(indices, expected[1])
    low, high = torch.zeros(()), torch.zeros(())
    torch.aminmax(X, out=(low, high))
    assert (low.item(), high.item()) == (-2, 1.5)


def test_no_result_is_stored_where_the_second_type_is_wrong():
    values = torch.zeros(1)
    with pytest.raises(RuntimeError, match="output indices must be of scalar type Long"):
        torch.kthvalue(X, 1, out=(values, torch.zeros(1)))
    assert values.tolist() == [0]


def test_random_numbers_are_drawn_into_out_as_it_lies():
    buffer = torch.zeros(4, 9)
    torch.manual_seed(0)
    torch.randn(4, 4, out=buffer[:, 1::2])
    # a strided tensor is filled by the serial algorithm, unlike a dense one of at least 16 elements
    torch.manual_seed(0)
    assert not torch.equal(torch.randn(4, 4), buffer[:, 1::2])
    torch.manual_seed(0)
    assert torch.equal(torch.empty(4, 9)[:, 1::2].normal_(), buffer[:, 1::2])


MET = "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory"
FOLDED = "unsupported operation: more than one element of the written-to tensor refers to a single memory location."


def whole():
    return torch.arange(6) % 2


@pytest.mark.parametrize(
    "call",
    [
        lambda x: torch.gather(x, 0, torch.tensor([1, 0, 1, 0, 1, 0]), out=x),
        lambda x: torch.gather(x.clone(), 0, x[1:], out=x[:5]),
        lambda x: torch.take(torch.zeros(6, dtype=torch.int64), x, out=x),
        lambda x: torch.index_select(x, 0, torch.tensor([1, 0, 1, 0, 1, 0]), out=x),
        lambda x: torch.masked_select(x, torch.ones(6, dtype=torch.bool), out=x),
        lambda x: torch.cat([x[:3], x[3:]], out=x),
        lambda x: torch.stack([x.view(2, 3)[0], x.view(2, 3)[1]], out=x.view(2, 3)),
        lambda x: torch.kthvalue(x, 2, out=(x, torch.zeros((), dtype=torch.int64))),
        lambda x: torch.scatter(torch.zeros(6, dtype=torch.int64), 0, torch.arange(6), x, out=x),
        lambda x: torch.nonzero(x, out=x),
    ],
)
def test_what_is_read_is_not_written_over(call):
    with pytest.raises(RuntimeError) as caught:
        call(whole())
    assert str(caught.value).startswith(MET)


def test_what_is_written_may_be_what_is_read_before():
    x = whole()
    torch.scatter(x, 0, torch.tensor([0]), 7, out=x)
    assert x.tolist() == [7, 1, 0, 1, 0, 1]
    index = torch.tensor([1, 0, 1])
    torch.gather(torch.tensor([4, 5]), 0, index, out=index)
    assert index.tolist() == [5, 4, 5]


def test_an_expanded_out_is_refused():
    for call in (
        lambda out: torch.index_select(torch.zeros(3, 6), 1, torch.tensor([0, 1]), out=out),
        lambda out: torch.take(torch.zeros(12), torch.zeros(2, 6, dtype=torch.int64), out=out),
    ):
        with pytest.raises(RuntimeError) as caught:
            call(torch.zeros(1, 6).expand(2, 6))
        assert str(caught.value).startswith(FOLDED)


def test_words_of_single_operators():
    F = torch.nn.functional
    square = torch.ones(3, 3)
    cases = [
        (lambda o: torch.diag(X, out=o), "diag: result type Float can't be cast to the desired out= type Long"),
        (lambda o: torch.diag(square, out=o), "Expected out tensor to have dtype float, but got long int instead"),
        (lambda o: F.gelu(X, out=o), "Found dtype Long but expected Float"),
        (lambda o: F.softplus(X, out=o), "Found dtype Long but expected Float"),
        (lambda o: F.softshrink(X, out=o), "Found dtype Long but expected Float"),
        (lambda o: F.logsigmoid(X, out=o), "expected scalar type Float but found Long"),
        (lambda o: torch.nonzero(X, out=o.float()), "nonzero: Expected out tensor to have scalar type Long but got "
                                                    "scalar typeFloat"),
        (lambda o: torch.nonzero(X, as_tuple=True, out=o), "nonzero does not support the out kwarg when as_tuple is "
                                                           "True"),
    ]
    for call, text in cases:
        with pytest.raises(RuntimeError) as caught:
            call(torch.zeros(3, dtype=torch.int64))
        assert str(caught.value).splitlines()[0] == text
    with pytest.raises(TypeError, match=r"nonzero\(\): argument 'out' must be Tensor, not tuple"):
        torch.nonzero(X, out=(X,))


def test_native_batch_norm_writes_three_results():
    x, outs = torch.randn(4, 3, 5), tuple(torch.zeros(0) for _ in range(3))
    results = torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5, out=outs)
    assert type(results) is tuple and all(a is b for a, b in zip(results, outs))
    assert torch.allclose(outs[0], torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)[0])
    with pytest.raises(TypeError, match="expected tuple of 3 elements but got 2"):
        torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5, out=outs[:2])


def test_linear_of_a_vector_leaves_out_dense():
    buffer = torch.zeros(9)
    out = buffer[1::2]
    with pytest.warns(UserWarning, match=r"since it had shape \[4\], which does not match .* \[1, 4\]"):
        torch.nn.functional.linear(torch.ones(3), torch.ones(4, 3), torch.ones(4), out=out)
    assert out.tolist() == [4.0] * 4 and out.stride() == (1,)
    assert buffer.tolist() == [0, 4, 4, 4, 4, 0, 0, 0, 0]
