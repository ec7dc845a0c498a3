"""Creation operators: values, types, strides, refusals: against PyTorch's results."""
from expressions import cases
from recorded import recorded_test

TYPES = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 bool".split()
VALUES = "1e300 128 -129 -1.5 255.9 65519 65520 2**62 1+0j 1e39".split()

CASES = cases("""
t.zeros(2,3)
t.zeros((2,3),dtype=t.int32)
t.zeros(())
t.zeros(2,-1)
t.zeros(4,out=t.ones(2))
t.ones(3,dtype=t.bool)
t.ones(2,3,dtype=t.complex64)
t.full((2,),300,dtype=t.uint8)
t.full((2,),-1,dtype=t.uint8)
t.full((2,),1e10,dtype=t.float16)
t.full((1,),1e10,dtype=t.float16)
t.full((2,),1e300,dtype=t.float32)
t.full((2,),float('inf'))
t.full((2,),float('nan'),dtype=t.int32)
t.full((2,),1j,dtype=t.float32)
t.full((2,),1j)
t.full((2,),True)
t.full((2,),7)
t.full((2,),2.5)
t.full((2,),2.5,dtype=t.int64)
t.full((2,3),1,requires_grad=True)
t.empty(2,3).shape
t.empty(2,3,4,5,memory_format=t.channels_last).stride()
t.empty(2,3,4,5,memory_format=t.preserve_format).stride()
t.empty(2,memory_format=t.channels_last).stride()
t.empty_strided((2,3),(1,2)).stride()
t.empty_strided((2,3),(1,)).stride()
t.empty_strided((2,3),(1,-1)).stride()
t.empty_permuted((2,3,4),(2,0,1)).stride()
t.scalar_tensor(3)
t.zeros_like(t.ones(2,3).t()).stride()
t.zeros_like(t.ones(2,3,4,5).permute(0,2,3,1)).stride()
t.ones_like(t.zeros(2,dtype=t.int64))
t.ones_like(t.zeros(2),dtype=t.int64)
t.empty_like(t.zeros(2,3,4),memory_format=t.channels_last).stride()
t.full_like(t.zeros(2),3)
t.full_like(t.zeros(2,dtype=t.int32),3.7)
t.zeros_like(t.zeros(3,1).expand(3,4)).stride()
t.zeros(2).new_zeros((2,3))
t.zeros(2,dtype=t.int16).new_ones(3)
t.zeros(2).new_full((2,),True)
t.zeros(2).new_full((2,),7,dtype=t.int8)
t.zeros(2).new_empty((2,0))
t.zeros(2).new_zeros((2,-1))
t.arange(5)
t.arange(5.)
t.arange(1,5)
t.arange(1,10,3)
t.arange(1,2,0.25)
t.arange(5,0)
t.arange(5,0,-1)
t.arange(5,0,0)
t.arange(0,float('inf'))
t.arange(0,float('nan'))
t.arange(0,1e30)
t.arange(0,5,dtype=t.bool)
t.arange(0,5,dtype=t.complex64)
t.arange(0,10,0.5,dtype=t.int64)
t.arange(0.9,5,dtype=t.int64)
t.arange(0,1,0.3)
t.arange(3,dtype=t.float16)
t.arange(2**53,2**53+3)
t.arange(end=3)
t.arange(start=1,end=3)
t.arange(1,step=2,end=6)
t.arange(True)
t.arange(0,300,dtype=t.uint8)
t.arange(-3,3,dtype=t.int8)
t.arange(0,0)
t.arange(3,out=t.zeros(3))
t.arange(3,requires_grad=True)
t.arange(3.,requires_grad=True)
t.linspace(0,1,5)
t.linspace(0,1,-1)
t.linspace(0,1,0)
t.linspace(3,7,1)
t.linspace(0,10,5,dtype=t.int64)
t.linspace(3,-7,7,dtype=t.int64)
t.linspace(3,-7,7,dtype=t.uint8)
t.linspace(3,300,7,dtype=t.uint8)
t.linspace(0,10,4,dtype=t.bool)
t.linspace(0,10j,3)
t.linspace(0,1,3,dtype=t.float16)
t.linspace(t.tensor(0),t.tensor(5),3)
t.linspace(t.zeros(2),t.tensor(5),3)
t.linspace(-1,1,1001)
t.linspace(-1,1,1001,dtype=t.float64)
t.logspace(0,10,3,base=2)
t.logspace(0,5,6,dtype=t.int64)
t.logspace(3,-7,7,dtype=t.int64)
t.logspace(0,1,4,dtype=t.complex64)
t.logspace(-2,2,50)
t.eye(3)
t.eye(3,2)
t.eye(2,3,dtype=t.bool)
t.eye(0)
t.eye(-1)
t.eye(2,-1)
t.tril_indices(3,3,-1)
t.tril_indices(4,3,1)
t.tril_indices(3,-3)
t.triu_indices(3,4,1)
t.triu_indices(3,4,-5)
t.triu_indices(0,4)
t.tril_indices(3,3,dtype=t.float32)
t.tril_indices(3,3,dtype=t.int32)
t.complex(t.ones(2),t.ones(2,dtype=t.float64))
t.complex(t.ones(2,dtype=t.int64),t.ones(2,dtype=t.int64))
t.complex(t.ones(2,1),t.ones(1,3))
t.complex(t.ones(2,requires_grad=True),t.ones(2))
t.polar(t.ones(2),t.tensor([1.,2.]))
t.zeros(2).fill_(1j)
t.zeros(2).fill_(t.ones(2))
t.zeros(2,dtype=t.int32).fill_(t.tensor(3.5))
t.zeros(2,requires_grad=True).clone().fill_(3)
t.zeros(2,requires_grad=True).clone().fill_(t.tensor(3.,requires_grad=True))
t.zeros(2,requires_grad=True).clone().zero_()
t.zeros(2,requires_grad=True).fill_(3)
t.zeros(2,3).t().fill_(2)
t.zeros(3,4)[:,::2].fill_(2)
t.zeros(2,device='meta')
t.full((2,),3,device='meta')
t.arange(3,device='meta')
t.zeros(2,device='cuda')
t.range(0,4)
t.fill(t.zeros(2,requires_grad=True),3)
t.fill(t.zeros(2,requires_grad=True),t.tensor(3.))
t.complex(t.ones(2),t.ones(2)).conj().fill_(1+2j)
t.zeros(3).expand(2,3).fill_(1)
""")
for dtype in TYPES:
    for value in VALUES:
        CASES |= cases(f"""
            t.full((2,),{value},dtype=t.{dtype})
            t.full((1,),{value},dtype=t.{dtype})
            t.zeros(3,dtype=t.{dtype}).fill_({value})""")
    CASES |= cases(f"""
        t.arange(2,9,3,dtype=t.{dtype})
        t.linspace(2,9,4,dtype=t.{dtype})
        t.eye(2,dtype=t.{dtype})
        t.zeros(2,dtype=t.{dtype})
        t.ones(2,dtype=t.{dtype})""")

test_create = recorded_test(__file__, CASES)


def test_bounds_may_be_tensors():
    import hwaro as torch

    one, three = torch.tensor(1), torch.tensor(3.0)
    for call in (lambda: torch.linspace(one, three, 3), lambda: torch.linspace(1, three, 3)):
        assert call().tolist() == [1, 2, 3]
    assert torch.logspace(one, 3, 3).tolist() == [10, 100, 1000]
    for call, text in (
        (lambda: torch.linspace(one.view(1), 3, 2), "linspace only supports 0-dimensional start and end tensors, but "
                                                    "got start with 1 dimension(s)."),
        (lambda: torch.logspace(1, one.view(1), 2), "logspace only supports 0-dimensional start and end tensors, but "
                                                    "got end with 1 dimension(s)."),
    ):
        try:
            call()
        except RuntimeError as error:
            assert str(error).splitlines()[0] == text
        else:
            raise AssertionError(text)


def test_powers_between_complex_bounds():
    import cmath

    import hwaro as torch

    found = torch.logspace(1 + 1j, 2 - 1j, 4, base=2.0, dtype=torch.complex128).tolist()
    step = ((2 - 1j) - (1 + 1j)) / 3
    for i, value in enumerate(found):
        assert cmath.isclose(value, cmath.exp((1 + 1j + i * step) * cmath.log(2)), rel_tol=1e-12)
