"""Numbers at and beyond the ends of their types, where an engine's own arithmetic overflows; recorded from PyTorch."""

import math

import pytest
from recorded import recorded_test
from shown import expression_cases


def names(torch):
    def ints(value=1, dtype=torch.int64):
        return torch.full((2,), value, dtype=dtype)

    return {
        "F": torch.nn.functional,
        "nan": math.nan,
        "inf": math.inf,
        "big": 2**63 - 1,
        "low": -(2**63),
        "ints": ints,
        "int8": ints(dtype=torch.int8),
        "square": torch.ones(2, 2, dtype=torch.int64),
        "plane": torch.arange(25.0).reshape(1, 1, 5, 5),
        "line": torch.arange(5.0).reshape(1, 1, 5),
        "kernel": torch.ones(1, 1, 2),
    }


CASES = expression_cases(
    """
# a number that the type does not hold
torch.threshold(ints(),1,nan)
torch.threshold(int8,1,300)
F.threshold(ints(),nan,2)
F.hardtanh(ints(),-inf,inf)
F.hardtanh(int8,0.5,2.5)
torch.addcmul(ints(),ints(),ints(),value=inf)
torch.addcmul(int8,int8,int8,value=300)
int8.add(int8,alpha=300)
int8.sub(int8,alpha=-300)
int8.clamp(max=300)
ints()+inf
ints()<inf
ints()==nan
ints().index_fill(0,torch.tensor([0]),nan)
int8.index_fill(0,torch.tensor([0]),300)
ints().scatter(0,torch.tensor([0]),nan)
int8.scatter(0,torch.tensor([0]),300)
int8.scatter(0,torch.tensor([0]),3.5)
int8.scatter(0,torch.tensor([0]),300,reduce='add')
F.pad(ints(),(1,1),value=nan)
F.pad(int8,(1,1),value=300)
F.pad(int8,(1,1),value=3.5)
ints().masked_fill(torch.tensor([True,False]),1e30)
ints(0).index_add(0,torch.tensor([0]),torch.tensor([5]),alpha=nan)
torch.zeros(3).index_add(0,torch.tensor([0]),torch.tensor([5.]),alpha=1e300)
torch.addmm(square,square,square,alpha=nan)
torch.addmm(square,square,square,beta=1e30)
torch.addmm(torch.ones(2,2),torch.ones(2,2),torch.ones(2,2),alpha=1e300)
torch.addmm(square.to(torch.int8),square.to(torch.int8),square.to(torch.int8),alpha=300)
torch.addmv(ints(),square,ints(),beta=inf)
torch.baddbmm(square[None],square[None],square[None],alpha=inf)
torch.addbmm(square,square[None],square[None],alpha=nan)
torch.addr(ints(),ints(),ints(),beta=inf)
torch.addr(ints(),ints(),ints(),alpha=1.5)
torch.addr(ints(),ints(),ints(),beta=True)
torch.addr(torch.ones(2),torch.ones(2),torch.ones(2),beta=1j)
torch.special.chebyshev_polynomial_t(torch.tensor([0.5,2.]),torch.tensor([inf,1e30]))
torch.special.laguerre_polynomial_l(torch.tensor([0.5,0.5]),torch.tensor([-inf,-0.5]))
# conversions
torch.tensor([nan,inf,-inf,1e30]).to(torch.int64)
torch.tensor([nan,inf,-inf,1e30]).to(torch.int32)
torch.tensor([nan,inf,-inf,1e30,300.]).to(torch.int8)
torch.tensor([nan,inf,-inf,1e30]).to(torch.uint8)
torch.tensor([1e19])[0].long()
torch.tensor([nan],dtype=torch.int64)
torch.full((2,),1e300,dtype=torch.int64)
# integers wrap around
torch.tensor([big])+1
-torch.tensor([low])
torch.tensor([low]).abs()
torch.tensor([low])//-1
torch.tensor([low]).fmod(-1)
torch.tensor([-2**31],dtype=torch.int32)//-1
torch.tensor([big,1]).sum()
torch.tensor([big,3]).cumprod(0)
torch.tensor([1])<<64
torch.tensor([-1])>>64
torch.tensor([1])<<-1
torch.lcm(torch.tensor([low]),torch.tensor([3]))
torch.full((3,3),2**62)@torch.full((3,3),3)
torch.diff(torch.tensor([low,big]))
# ranges
torch.arange(0,1e300,1e299,dtype=torch.int64)
torch.arange(0,3,nan)
torch.arange(0,3,nan,dtype=torch.int32)
torch.arange(0,3,inf,dtype=torch.int64)
torch.arange(0,2,0.4,dtype=torch.int32)
torch.arange(0,2,0.4,dtype=torch.int64)
torch.arange(low,big,2**62)
torch.arange(big,low,-2**62)
torch.arange(0,big,2**62)
torch.arange(big-4,big,2)
torch.arange(300,1000,300,dtype=torch.int8)
torch.linspace(-9e18,9e18,4,dtype=torch.int64)
torch.linspace(0,1e19,5,dtype=torch.int64)
torch.logspace(0,30,5,dtype=torch.int64)
torch.logspace(0,5,6,dtype=torch.uint8)
torch.logspace(0,3,4,base=nan,dtype=torch.int32)
torch.logspace(30,30,1,dtype=torch.int64)
torch.logspace(300,300,1,dtype=torch.int8)
# geometry
torch.ones(3)[::2**62]
torch.ones(3)[1::big-1]
torch.ones(3)[2**62:big]
torch.ones(5).unfold(0,2,big).shape
torch.ones(1).expand(2**62,2)
torch.ones(1,1).expand(2**32,2**31)
torch.ones(0,3).reshape(2**62,4)
torch.as_strided(torch.ones(3),(2,),(2**62,))
torch.as_strided(torch.ones(3),(2,),(2**61,))
torch.as_strided(torch.ones(3),(2**32,2**32),(0,0))
torch.as_strided(torch.ones(3),(1,),(1,),2**62)
torch.as_strided(torch.ones(3),(1,),(1,),big)
torch.as_strided(torch.ones(3),(0,),(1,),big).shape
torch.ones(2,2).tril(big)
torch.ones(2,2).tril(low)
torch.ones(2,2).triu(big)
torch.ones(2,2).triu(low)
torch.tril_indices(3,3,2**62)
torch.tril_indices(3,3,-2**62)
torch.triu_indices(2,2,-2**62)
torch.ones(3,3).diagonal(low).shape
torch.ones(3).roll(big)
torch.ones(3).split(big)
F.pad(torch.ones(3),(2**62,2**62))
F.pad(torch.ones(3),(-1,-3))
F.pad(torch.ones(3),(-1,-2)).shape
torch.ones(3).narrow(0,0,big)
torch.ones(3)[torch.tensor([low])]
F.pixel_shuffle(torch.ones(1,4,2,2),2**32)
F.pixel_shuffle(torch.ones(1,4,2,2),3037000500)
F.pixel_unshuffle(torch.ones(1,4,2,2),2**32)
torch.matrix_power(torch.eye(2),big)
# random numbers, of the generator's seed 0
torch.empty(3,dtype=torch.int64).random_(low,None)
torch.empty(3,dtype=torch.int64).random_(low,big)
torch.empty(3,dtype=torch.int32).log_normal_(500,1)
torch.empty(3,dtype=torch.int64).cauchy_(0,1e30)
torch.empty(3,dtype=torch.int64).geometric_(1e-300)
torch.empty(3,dtype=torch.uint8).random_(0,256)
# windows
F.max_pool1d(line,2,big)
F.max_pool2d(plane,2**62)
F.max_pool2d(plane,2,2**62)
F.max_pool2d(plane,2,2**31-1)
F.avg_pool2d(plane,2,2**31-1,1)
F.avg_pool1d(line,2,2**62,1)
F.conv1d(line,kernel,stride=2**62)
F.conv1d(line,kernel,padding=2**62)
F.conv2d(plane,torch.ones(1,1,2,2),stride=2**31)
F.conv1d(line,kernel,stride=6,padding=1)
F.conv1d(line[...,:1],kernel[...,:1],stride=9)
F.interpolate(line,scale_factor=nan)
F.interpolate(line,scale_factor=inf)
F.interpolate(line,scale_factor=1e300)
F.fractional_max_pool2d(plane,2,output_size=3,_random_samples=torch.tensor([[[nan,0.5]]]))
F.fractional_max_pool2d(plane,2,output_size=3,_random_samples=torch.tensor([[[100.,-100.]]]))
""",
    names,
)
test_expression = recorded_test(__file__, CASES)


@pytest.fixture
def torch():
    import hwaro

    return hwaro


# Where PyTorch crashes, hangs or reads what is not there.


def test_quotients_of_the_lowest_integer_wrap_around(torch):
    low = torch.tensor([-(2**63)])
    assert torch.div(low, -1, rounding_mode="trunc").item() == -(2**63)


def test_powers_of_the_lowest_exponent(torch):
    assert torch.matrix_power(torch.eye(2), -(2**63)).tolist() == torch.eye(2).tolist()


@pytest.mark.parametrize("sample", [1e9, -1e9, 1e30, math.inf])
def test_random_pools_stay_inside_whatever_the_samples(torch, sample):
    plane = torch.arange(25.0).reshape(1, 1, 5, 5)
    samples = torch.full((1, 1, 2), sample)
    out = torch.nn.functional.fractional_max_pool2d(plane, 2, output_size=3, _random_samples=samples)
    assert all(value in plane for value in out.flatten().tolist())


@pytest.mark.parametrize(
    "name, arguments",
    [
        ("conv_transpose1d", {"stride": 2**62}),
        ("conv_transpose1d", {"dilation": 2**62}),
        ("conv_transpose1d", {"padding": 2**62}),
        ("conv1d", {"dilation": 2**63 - 1}),
        ("conv1d", {"dilation": 2**62}),
    ],
)
def test_convolutions_of_absurd_parameters_raise(torch, name, arguments):
    convolution = getattr(torch.nn.functional, name)
    with pytest.raises(RuntimeError):
        convolution(torch.ones(1, 1, 5), torch.ones(1, 1, 3), **arguments)


def test_windows_of_absurd_parameters_raise(torch):
    F = torch.nn.functional
    for call in (
        lambda: F.max_pool1d(torch.ones(1, 1, 5), 2**62),
        lambda: F.max_pool1d(torch.ones(1, 1, 5), 2, 1, 0, 2**62),
        lambda: F.unfold(torch.ones(1, 1, 4, 4), 2, padding=2**62),
        lambda: F.unfold(torch.ones(1, 1, 4, 4), 2, dilation=2**62),
        lambda: F.fold(torch.ones(1, 4, 4), (3, 3), 2, dilation=2**62),
        lambda: F.fold(torch.ones(1, 4, 4), (2**62, 2), 2, padding=2**62),
        lambda: F.interpolate(torch.ones(1, 1, 3, 3), scale_factor=(0.4, 1e15), mode="bicubic", antialias=True),
    ):
        with pytest.raises(RuntimeError):
            call()


@pytest.mark.filterwarnings("ignore:.* is out of bounds")
def test_random_floats_of_bounds_that_floats_do_not_hold(torch):
    torch.manual_seed(0)
    assert repr(torch.empty(3).random_(0, 2**63 - 1)) == "tensor([9.0045e+17, 3.9695e+18, 1.8956e+18])"
    assert torch.empty(3).random_(-(2**63), 1 - 2**63).tolist() == 3 * [-(2.0**63)]


def test_sums_of_sizes_that_wrap_around_raise(torch):
    x, many = torch.ones(4), [2**62] * 4
    for call in (
        lambda: x.repeat(2**62 + 1),
        lambda: x[:3].repeat(6148914691236517206),  # three times this is 2^64 + 2
        lambda: x.split([*many, 4]),
        lambda: x.repeat_interleave(torch.tensor(many)),
        lambda: torch.nn.functional.pad(x, (2**63 - 1, 2**63 - 1)),
        lambda: torch.diag_embed(x, 2**63 - 1),
        lambda: torch.diag_embed(x, -(2**63)),
    ):
        with pytest.raises(RuntimeError):
            call()
    assert [part.tolist() for part in x.chunk(2**63 - 1)] == [[1], [1], [1], [1]]


def test_gradients_through_steps_out_of_the_tensor(torch):
    x = torch.ones(3, requires_grad=True)
    x[1 :: 2**62].sum().backward()
    assert x.grad.tolist() == [0, 1, 0]
    x = torch.ones(1, 1, 5, requires_grad=True)
    w = torch.ones(1, 1, 2, requires_grad=True)
    torch.nn.functional.conv1d(x, w, stride=2**62).sum().backward()
    assert x.grad.flatten().tolist() == [1, 1, 0, 0, 0]
    assert w.grad.flatten().tolist() == [1, 1]
