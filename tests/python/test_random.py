"""Random operators: PyTorch's numbers for the same seed, and the generator's state afterwards, byte for byte."""
import pytest
from expressions import cases
from recorded import recorded_test

import hwaro as torch


def drawn(t, f):
    """What f draws from the default generator, and the generator's state afterwards."""
    t.manual_seed(7)
    return [f(t), t.get_rng_state()]


def seeded(t, f):
    """The same with a generator of its own."""
    g = t.Generator()
    g.manual_seed(5)
    return [f(t, g), g.get_state()]


NAMES = {"drawn": drawn, "seeded": seeded}
FLOATS = "float16 bfloat16 float32 float64".split()
INTEGERS = "uint8 int8 int16 int32 int64 bool".split()
LAYOUTS = ["t.zeros(4,5).t()", "t.zeros(6,8)[::2,1::2]", "t.zeros(2,3,4,5).permute(0,2,3,1)", "t.zeros(40,50).t()",
           "t.zeros(3,4,2,2).to(memory_format=t.channels_last)"]

CASES = cases("""
drawn(t, lambda t: t.randperm(1))
drawn(t, lambda t: t.randperm(0))
drawn(t, lambda t: t.randperm(10))
drawn(t, lambda t: t.randperm(10,dtype=t.float32))
drawn(t, lambda t: t.randperm(100,dtype=t.int32))
drawn(t, lambda t: t.randperm(100000))
drawn(t, lambda t: t.randn(3,dtype=t.complex64))
drawn(t, lambda t: t.randn(20,dtype=t.complex64))
drawn(t, lambda t: t.rand(20,dtype=t.complex128))
drawn(t, lambda t: t.normal(0.,1.,(20,)))
drawn(t, lambda t: t.normal(t.arange(20.)))
drawn(t, lambda t: t.normal(t.arange(20.),2.))
drawn(t, lambda t: t.normal(1.,t.arange(20.)))
drawn(t, lambda t: t.normal(t.arange(20.),t.arange(20.)))
drawn(t, lambda t: t.normal(t.arange(4.).view(4,1),t.arange(5.)))
drawn(t, lambda t: t.normal(2,3,size=(4,4)))
drawn(t, lambda t: t.multinomial(t.tensor([0.1,0.2,0.3,0.4]),1))
drawn(t, lambda t: t.multinomial(t.tensor([0.1,0.2,0.3,0.4]),4))
drawn(t, lambda t: t.multinomial(t.tensor([0.1,0.2,0.3,0.4]),20,True))
drawn(t, lambda t: t.multinomial(t.ones(5,100),30))
drawn(t, lambda t: t.multinomial(t.ones(5,100),30,True))
drawn(t, lambda t: t.multinomial(t.ones(5,100,dtype=t.float64),30,True))
drawn(t, lambda t: t.multinomial(t.arange(1,13.).view(3,4).t(),2))
drawn(t, lambda t: t.nn.functional.alpha_dropout(t.ones(30),0.3,True))
drawn(t, lambda t: t.nn.functional.dropout2d(t.ones(2,3,4,4),0.3))
drawn(t, lambda t: t.feature_dropout(t.ones(2,3,4,4),0.3,True))
drawn(t, lambda t: t.feature_alpha_dropout(t.ones(2,3,4,4),0.3,True))
drawn(t, lambda t: t.nn.functional.dropout(t.ones(30),0.3,True,True))
drawn(t, lambda t: t.dropout_(t.ones(30),0.3,True))
drawn(t, lambda t: [t.randn(5),t.randn(3),t.rand(2),t.randn(1),t.randn(40)])
seeded(t, lambda t,g: t.rand(5,generator=g))
seeded(t, lambda t,g: t.randn(50,generator=g))
seeded(t, lambda t,g: t.randint(5,(5,),generator=g))
seeded(t, lambda t,g: t.randperm(5,generator=g))
seeded(t, lambda t,g: t.zeros(5).uniform_(generator=g))
seeded(t, lambda t,g: t.bernoulli(t.full((5,),0.5),generator=g))
seeded(t, lambda t,g: t.multinomial(t.ones(5),2,generator=g))
seeded(t, lambda t,g: t.normal(t.ones(5),2.,generator=g))
t.rand(2,dtype=t.int64)
t.randn(2,dtype=t.int64)
t.randint(0,(2,))
t.randint(5,3,(2,))
t.randint(0,300,(2,),dtype=t.uint8)
t.randint(-1,3,(2,),dtype=t.uint8)
t.randint(3,(2,),dtype=t.bool)
t.randint(3,(2,),dtype=t.complex64)
t.randperm(-1)
t.randperm(500,dtype=t.uint8)
t.randperm(3000,dtype=t.float16)
t.randperm(5,dtype=t.bool)
t.rand(2,-1)
t.zeros(3).uniform_(2,1)
t.zeros(3).uniform_(float('nan'),1)
t.zeros(3,dtype=t.int64).uniform_()
t.zeros(3).half().uniform_(0,1e6)
t.zeros(3).uniform_(-3e38,3e38)
t.zeros(3).normal_(0,-1)
t.zeros(3,dtype=t.int64).normal_()
t.zeros(3).exponential_(0)
t.zeros(3).exponential_(-1)
t.zeros(3,dtype=t.int64).exponential_()
t.zeros(3).geometric_(0)
t.zeros(3).geometric_(1)
t.zeros(3).cauchy_(0,-1)
t.zeros(3,dtype=t.int64).cauchy_()
t.zeros(3).log_normal_(0,-1)
t.zeros(3,dtype=t.int64).log_normal_()
t.zeros(3).bernoulli_(2)
t.zeros(3).bernoulli_(t.tensor([0.5,0.5]))
t.zeros(3).bernoulli_(t.tensor([0.5,2.,0.5]))
t.zeros(3).bernoulli_(t.tensor([1,0,1]))
t.bernoulli(t.tensor([1,0]))
t.bernoulli(t.tensor([0.5,1.5]))
t.zeros(3,dtype=t.int64).random_(5,3)
t.zeros(3,dtype=t.int64).random_(0)
t.zeros(2,dtype=t.uint8).random_(0,300)
t.zeros(2,dtype=t.complex64).random_()
t.zeros(2,dtype=t.complex64).bernoulli_(0.5)
t.normal(t.tensor([0.,1.]),t.tensor([1.,-1.]))
t.normal(t.tensor([0.,1.]),t.tensor([1.,2.,3.]))
t.normal(t.tensor([0.,1.]),-1.)
t.normal(t.tensor([0,1]),1.)
t.normal(t.zeros(2,requires_grad=True),1.)
t.normal(0.,t.ones(2,requires_grad=True))
t.normal(t.zeros(2,requires_grad=True),t.ones(2))
t.normal(t.zeros(2,dtype=t.float64),t.ones(2)).dtype
t.normal(0,1,(2,),dtype=t.int64)
t.multinomial(t.tensor([0.,1.]),0)
t.multinomial(t.tensor([0.,1.]),2)
t.multinomial(t.tensor([0.,1.]),3)
t.multinomial(t.tensor([-1.,1.]),1)
t.multinomial(t.tensor([0.,0.]),1)
t.multinomial(t.tensor([float('inf'),1.]),1)
t.multinomial(t.tensor([1,1]),1)
t.multinomial(t.ones(2,2,2),1)
t.multinomial(t.tensor(1.),1)
t.multinomial(t.tensor([-1.,1.]),3,True)
t.multinomial(t.tensor([0.,0.]),3,True)
t.multinomial(t.ones(2,0),1)
t.multinomial(t.ones(0,3),1)
t.nn.functional.dropout(t.ones(4,requires_grad=True))
t.nn.functional.dropout(t.ones(4,requires_grad=True),0.)
t.nn.functional.dropout(t.ones(4,requires_grad=True),1.)
t.nn.functional.dropout(t.ones(4,requires_grad=True),2.)
t.nn.functional.dropout(t.ones(4,requires_grad=True),-0.5)
t.dropout(t.ones(4,requires_grad=True),2.,True)
t.nn.functional.dropout(t.ones(3,dtype=t.int64))
t.nn.functional.alpha_dropout(t.ones(4,requires_grad=True),0.5,True)
t.nn.functional.dropout2d(t.ones(1,2,2,2,requires_grad=True))
t.feature_dropout(t.ones(2),0.5,True)
t.zeros(3,requires_grad=True).clone().uniform_()
t.zeros(3,requires_grad=True).clone().normal_()
t.zeros(3,requires_grad=True).clone().exponential_()
t.zeros(3,requires_grad=True).clone().geometric_(0.5)
t.zeros(3,requires_grad=True).clone().cauchy_()
t.zeros(3,requires_grad=True).clone().log_normal_()
t.zeros(3,requires_grad=True).clone().bernoulli_(0.5)
t.zeros(3,requires_grad=True).clone().bernoulli_(t.full((3,),0.5))
t.zeros(3,requires_grad=True).clone().random_()
t.zeros(3,requires_grad=True).clone().random_(5)
t.zeros(3,requires_grad=True).clone().random_(1,5)
t.bernoulli(t.zeros(3,requires_grad=True))
t.bernoulli(t.zeros(3,requires_grad=True),0.5)
t.zeros(3,requires_grad=True).uniform_()
t.rand(2,device='meta').device
t.rand(3,requires_grad=True)
t.rand(3,out=t.zeros(3))
t.randint_like(t.zeros(2),1,5).dtype
drawn(t, lambda t: t.poisson(t.full((50,),3.)))
drawn(t, lambda t: t.poisson(t.full((50,),30.)))
drawn(t, lambda t: t.poisson(t.arange(40.).view(5,8).t()))
t.poisson(t.tensor([1,2]))
t.poisson(t.tensor([-1.]))
t.poisson(t.zeros(3,requires_grad=True))
""", NAMES)
for d in FLOATS:
    for n in (1, 7, 15, 16, 17, 31, 1000, 65536):
        CASES |= cases(f"""
            drawn(t, lambda t: t.rand({n},dtype=t.{d}))
            drawn(t, lambda t: t.randn({n},dtype=t.{d}))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).exponential_())
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).uniform_(-2,3))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).normal_(1,2))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).bernoulli_(0.3))
            drawn(t, lambda t: t.bernoulli(t.full(({n},),0.3,dtype=t.{d})))
            drawn(t, lambda t: t.nn.functional.dropout(t.ones({n},dtype=t.{d}),0.3))""", NAMES)
    for n in (1, 17, 1000):
        CASES |= cases(f"""
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).cauchy_(1,2))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).log_normal_(0,1))""", NAMES)
for d in FLOATS + INTEGERS:
    for n in (1, 17, 1000):
        CASES |= cases(f"""
            drawn(t, lambda t: t.randint(0,2,({n},),dtype=t.{d}))
            drawn(t, lambda t: t.randint(-5,100,({n},),dtype=t.{d}))
            drawn(t, lambda t: t.randint(0,2**28-1,({n},),dtype=t.{d}))
            drawn(t, lambda t: t.randint(0,2**28,({n},),dtype=t.{d}))
            drawn(t, lambda t: t.randint(0,2**40,({n},),dtype=t.{d}))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).random_())
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).random_(10))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).random_(3,None))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).random_(-2**63,None))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).bernoulli_(0.5))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).bernoulli_(t.full(({n},),0.25)))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).bernoulli_(t.full(({n},),0.25,dtype=t.float64)))
            drawn(t, lambda t: t.empty({n},dtype=t.{d}).geometric_(0.2))""", NAMES)
for z in LAYOUTS:
    CASES |= cases(f"""
        drawn(t, lambda t: {z}.uniform_())
        drawn(t, lambda t: {z}.normal_())
        drawn(t, lambda t: {z}.random_(100))
        drawn(t, lambda t: {z}.exponential_())
        drawn(t, lambda t: {z}.bernoulli_(0.5))
        drawn(t, lambda t: {z}.bernoulli_(t.rand({z}.shape)))
        drawn(t, lambda t: {z}.log_normal_())
        drawn(t, lambda t: t.rand_like({z}))
        drawn(t, lambda t: t.randn_like({z}))
        drawn(t, lambda t: t.randint_like({z},10))
        drawn(t, lambda t: t.nn.functional.dropout({z}+1,0.4))""", NAMES)

test_random = recorded_test(__file__, CASES)


@pytest.mark.parametrize("draw", [
    lambda: torch.randn(1 << 18), lambda: torch.rand(1 << 18), lambda: torch.empty(1 << 18).exponential_(),
    lambda: torch.randint(0, 1000, (1 << 18,)), lambda: torch.randperm(1 << 18), lambda: torch.nn.functional.dropout(torch.ones(1 << 18)),
], ids=["randn", "rand", "exponential_", "randint", "randperm", "dropout"])
def test_thread_count_does_not_show(draw):
    threads = torch.get_num_threads()
    results = []
    try:
        for n in (1, 2, 3):
            torch.set_num_threads(n)
            torch.manual_seed(3)
            results.append(draw())
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1]) and torch.equal(results[0], results[2])
