"""A tour of tensors, from devices to gradients: every step prints what it computed.

Run it with `python -m hwaro examples/python/tour.py`; it says `import torch` and nothing of ours.
examples/cpp/tour.cpp is the same tour in C++ and prints the same text.
"""

import numpy as np
import torch
from resnet18 import ResNet18


def section(title):
    print(f"\n== {title} ==")


def error_of(function):
    """How a mistake is reported: the class of the exception and the first line of its text."""
    try:
        function()
    except Exception as error:
        first_line = str(error).splitlines()[0]
        return f"{type(error).__name__}: {first_line}"


def devices():
    section("devices")
    print("cuda:", torch.cuda.is_available(), "cpu:", torch.cpu.is_available(), "mps:", torch.backends.mps.is_available())
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    print("device:", device)

    # to() copies to another device; where the tensor is there already, it gives the tensor itself.
    x = torch.Tensor([[1, 2], [3, 4]])
    z = x.to(device)
    print(x.device, z.device, z is x)
    print(x.to(torch.float32).dtype, x.to(device, dtype=torch.float64).dtype)
    print(x.to(device, dtype=torch.float64))

    # Operands must share a device. This machine may have one only: "meta" tensors have a shape and no elements.
    a = torch.tensor([[1.0, 1.0], [2.0, 2.0]]).to("meta")
    print(a)
    print(error_of(lambda: torch.ones(2, 2).to("cuda")))
    print(error_of(lambda: torch.device("gpu")))


def attributes():
    section("attributes")
    torch.manual_seed(0)
    tensor = torch.rand(2, 2)
    print(tensor)
    print(f"shape: {tensor.shape}")
    print(f"type: {tensor.dtype}")
    print(f"device: {tensor.device}")
    print("dimensions:", tensor.dim(), "elements:", tensor.numel(), "bytes:", tensor.nbytes, "strides:", tensor.stride())


def creation():
    section("creation")
    rows = [[1, 2], [3, 4]]
    print(torch.Tensor(rows))
    print(torch.DoubleTensor(rows))
    print(torch.IntTensor(rows))
    print(torch.tensor(rows))  # the type is that of the values
    print(torch.tensor([1.5, 2, 3]), torch.tensor([True, False]), torch.tensor(3.5))

    # tensor() copies; as_tensor() and from_numpy() share memory.
    array = np.array([1.0, 2.0, 3.0])
    copied, shared = torch.tensor(array), torch.from_numpy(array)
    array[0] = 10
    print(copied)
    print(shared)
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    print("as_tensor gives the same tensor:", torch.as_tensor(x) is x, "clone().detach():", x.clone().detach())

    print(torch.zeros(2, 3))
    print(torch.ones(2, 2, dtype=torch.int64))
    x = torch.tensor(rows)
    print(torch.zeros_like(x))
    print(torch.ones_like(x, dtype=torch.float32))
    print("empty:", torch.empty(2, 3, dtype=torch.int32).shape)
    a = torch.full(size=(2, 2), fill_value=5, dtype=torch.float64)
    print(a)
    print(torch.full_like(a, fill_value=10))

    print(torch.arange(5))
    print(torch.arange(1, 4))
    print(torch.arange(0, 2.5, 0.5))
    print(torch.linspace(3, 10, 5))
    print(torch.eye(2))

    torch.manual_seed(42)
    print(torch.rand(2, 3))  # uniform in [0, 1)
    print(torch.randn(2, 3))  # normal with mean 0 and deviation 1
    print(torch.randint(3, 10, (2, 2)))  # whole numbers from 3 to 9
    print(torch.randperm(6))
    print(torch.rand_like(a))

    print(error_of(lambda: torch.tensor([[1, 2], [3]])))
    print(error_of(lambda: torch.zeros(2, -1)))
    print(error_of(lambda: torch.arange(5, 0)))


def joining():
    section("joining")
    x, y = torch.ones(2, 2), torch.zeros(2, 2)
    print(torch.cat((x, y), dim=0))
    print(torch.cat((x, y), dim=1))
    print(torch.cat((torch.ones(2, 3), torch.zeros(2, 4)), dim=1))
    print(error_of(lambda: torch.cat((torch.ones(2, 3), torch.zeros(2, 4)), dim=0)))

    # stack() makes a new dimension, as long as the list.
    a = torch.ones(3, 4)
    for dim in range(3):
        print("stack, dim", dim, torch.stack([a, a, a, a, a], dim=dim).shape)
    print(error_of(lambda: torch.stack([a, a.T])))
    print("vstack", torch.vstack((torch.ones(2, 3), torch.ones(3, 3))).shape)
    print("hstack", torch.hstack((torch.ones(1, 2, 3), torch.ones(1, 5, 3))).shape)
    print("dstack", torch.dstack((torch.ones(1, 2), torch.ones(1, 2))).shape)


def splitting():
    section("splitting")
    x = torch.randn(5, 16)
    print("by 3:", *[part.shape for part in torch.split(x, 3, dim=1)])
    print("1, 3, 5, 7:", *[part.shape for part in torch.split(x, [1, 3, 5, 7], dim=1)])
    print(error_of(lambda: torch.split(x, [1, 5, 11], dim=1)))
    print("chunks:", *torch.chunk(torch.arange(7), 3))
    print("hsplit:", *[part.shape for part in torch.hsplit(x, 4)])
    first, second = torch.arange(4).reshape(2, 2)  # a tensor is a sequence of its rows
    print(first, second)


def casting():
    section("casting")
    x = torch.ones(2, 3)
    x_int = x.type(torch.int32)
    print(x.dtype, x_int.dtype, x_int.float().dtype, x.type())
    print(torch.tensor([1.9, -1.9]).int(), torch.tensor([0.0, 2.0]).bool(), torch.tensor([300.0]).byte())
    print((x_int + 1.5).dtype, (x_int / 2).dtype, (x_int + True).dtype)


def indexing():
    section("indexing")
    x = torch.IntTensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
    indices = torch.tensor([0, 2])
    print(torch.index_select(x, dim=0, index=indices))
    print(torch.index_select(x, dim=1, index=indices))
    print(error_of(lambda: torch.index_select(x, 0, torch.tensor([3]))))

    print(x[0])
    print(x[-1, 1:3])
    print(x[:, ::2])
    print(x[..., 0])
    print(x[None].shape, x[:, None].shape)
    print(x[[0, 2], [1, 3]])
    print(x[x > 9])
    print(error_of(lambda: x[3]))
    print(error_of(lambda: x[0, 0, 0]))

    x = x.clone()
    x[0] = 0
    x[1:, :2] = torch.tensor([-1, -2])
    x[x > 10] = 10
    x[1, 3] += 100
    print(x)
    print(torch.gather(x, 1, torch.tensor([[0], [1], [3]])))


def shapes():
    section("shapes")
    x = torch.arange(8.0)
    y = torch.reshape(x, (1, 8))
    z = torch.reshape(y, (-1, 4))
    print(x.shape, y.shape, z.shape)
    z[0, 0] = 100  # a view: the elements are those of x
    print(x)
    print(error_of(lambda: x.reshape(3, -1)))

    # view() never copies, so the elements must lie in order.
    t = x.view(2, 4).t()
    print(t.shape, t.stride(), t.is_contiguous(), t.contiguous().is_contiguous())
    print(error_of(lambda: t.view(8)))
    print(t.contiguous().view(8))

    x = torch.randn(2, 3, 4)
    print("transpose", torch.transpose(x, 0, 2).shape, "permute", x.permute(2, 0, 1).shape, "flatten", x.flatten(1).shape)
    x = torch.randn(2, 1, 4)
    print("squeeze", *[torch.squeeze(x, dim).shape for dim in range(3)])
    print("unsqueeze", *[torch.unsqueeze(x, dim).shape for dim in range(4)])
    print(torch.arange(3).expand(2, 3))
    print(torch.arange(3).repeat(2, 2))


def arithmetic():
    section("arithmetic")
    a = torch.tensor([[1, 2], [3, 4]])
    b = torch.tensor([[5, 6], [7, 8]])
    print(a + b)
    print(a - b)
    print(a * b)
    print(a / b)
    print(b // a)
    print(b % a)
    print(a**2)
    print(a > 2)
    print(1 - a, 1 / a)
    print(a + torch.tensor([10, 20]))  # broadcast: the row is added to every row
    print(error_of(lambda: a + torch.ones(3)))
    a += b
    a *= 2
    print(a)
    print(error_of(lambda: a.add_(0.5)))


def functions():
    section("functions")
    t = torch.Tensor([[1, 3], [2, 0]])
    print(torch.sum(t), torch.sum(t, dim=0), torch.sum(t, dim=1))
    print(torch.mean(t, dim=1))
    print(torch.argmax(t, dim=0))
    print(torch.max(t, dim=1))
    print(torch.sort(t, dim=0, descending=False))
    print(torch.clamp(t, min=2, max=10))
    print(torch.any(t), torch.all(t))
    print(torch.exp(t))
    print(torch.softmax(t, dim=1))
    print(torch.std(t), torch.var(t, dim=0), torch.cumsum(t, dim=1))
    print(error_of(lambda: torch.mean(torch.tensor([1, 2]))))
    print(error_of(lambda: torch.sum(t, dim=2)))

    t = torch.arange(1, 11)
    print(t[[0, 2]])
    print(t[(t > 2) & (t < 8)])
    print(t[t.remainder(2) == 0])
    print(torch.where(t > 5, t * 2, 0))
    print(torch.tensor([0, 0, 1, 1, 1, 2]).unique())


def products():
    section("products")
    A = torch.Tensor([[2, 3], [4, 5]])
    B = torch.Tensor([[1, 3], [2, 4]])
    print(A @ B)
    print(torch.equal(A @ B, torch.matmul(A, B)), torch.equal(A.mm(B), A.matmul(B)))
    print(A * B)
    vec_A, vec_B = torch.ravel(A), torch.ravel(B)
    print(torch.dot(vec_A, vec_B), torch.outer(vec_A[:2], vec_B[:2]))
    print(torch.bmm(torch.rand(32, 10, 20), torch.rand(32, 20, 30)).shape)
    print(torch.einsum("ij,kj->ik", A, B))
    print(error_of(lambda: A @ torch.ones(3, 2)))
    print(error_of(lambda: torch.mm(A, torch.ones(2))))
    print(error_of(lambda: torch.mm(A, B.long())))


def autograd_quickstart():
    section("autograd: a layer and its loss")
    # https://tutorials.pytorch.kr/beginner/basics/autogradqs_tutorial.html
    torch.manual_seed(0)
    x = torch.ones(5)
    y = torch.zeros(3)
    w = torch.randn(5, 3, requires_grad=True)
    b = torch.randn(3, requires_grad=True)
    z = torch.matmul(x, w) + b
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
    print("made by", z.grad_fn.name(), "and", loss.grad_fn.name())
    print(loss)
    loss.backward()
    print(w.grad)
    print(b.grad)
    print(error_of(lambda: loss.backward()))

    with torch.no_grad():
        print((torch.matmul(x, w) + b).requires_grad)
    print(z.requires_grad, z.detach().requires_grad, w.is_leaf, z.is_leaf)

    inp = torch.eye(4, 5, requires_grad=True)
    out = (inp + 1).pow(2).t()
    out.backward(torch.ones_like(out), retain_graph=True)
    print(f"First call\n{inp.grad}")
    out.backward(torch.ones_like(out), retain_graph=True)
    print(f"Second call\n{inp.grad}")
    inp.grad.zero_()
    out.backward(torch.ones_like(out), retain_graph=True)
    print(f"Call after zeroing gradients\n{inp.grad}")
    print(error_of(lambda: out.backward()))


def autograd_vectors():
    section("autograd: vectors and hooks")
    # https://tutorials.pytorch.kr/beginner/blitz/autograd_tutorial.html
    a = torch.tensor([2.0, 3.0], requires_grad=True)
    b = torch.tensor([6.0, 4.0], requires_grad=True)
    Q = 3 * a**3 - b**2
    print(Q)
    Q.backward(gradient=torch.tensor([1.0, 1.0]))
    print(9 * a**2 == a.grad, -2 * b == b.grad)

    z = torch.rand((5, 5), requires_grad=True)
    print((torch.rand(5, 5) + torch.rand(5, 5)).requires_grad, (torch.rand(5, 5) + z).requires_grad)

    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    handle = x.register_hook(lambda grad: grad * 10)
    (x * x).sum().backward()
    print(x.grad)
    handle.remove()
    (first,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    print(first, second)
    print(error_of(lambda: x.add_(1)))
    y = x.exp()
    y.mul_(2)
    print(error_of(lambda: y.sum().backward())[:94])


class Exp(torch.autograd.Function):
    """exp with a gradient written by hand."""

    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        (result,) = ctx.saved_tensors
        return grad_output * result


def own_function():
    section("autograd: a function of one's own")
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    y = Exp.apply(x)
    print(y)
    y.sum().backward()
    print(x.grad)


def model():
    section("a step of training")
    torch.manual_seed(1)
    model = ResNet18()
    print("parameters:", sum(p.numel() for p in model.parameters()), "tensors:", len(model.state_dict()))
    print(*list(model.state_dict())[:7])
    data = torch.rand(1, 3, 64, 64)
    labels = torch.rand(1, 1000)
    prediction = model(data)  # forward
    loss = (prediction - labels).sum()
    loss.backward()  # backward: gradients in .grad
    print(prediction.shape, model.conv1.weight.grad.shape, f"{loss.item():.1f}")
    optim = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    optim.step()  # gradient descent
    print(f"{(model(data) - labels).sum().item():.0f}")

    # Fine-tuning: everything is frozen but a new last layer.
    for p in model.parameters():
        p.requires_grad = False
    model.fc = torch.nn.Linear(512, 10)
    print("to train:", *[name for name, p in model.named_parameters() if p.requires_grad])
    optim = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    optim.zero_grad()
    torch.nn.functional.cross_entropy(model(data), torch.tensor([3])).backward()
    optim.step()
    print("gradients:", [name for name, p in model.named_parameters() if p.grad is not None])


if __name__ == "__main__":
    print("A tour of tensors")
    devices()
    attributes()
    creation()
    joining()
    splitting()
    casting()
    indexing()
    shapes()
    arithmetic()
    functions()
    products()
    autograd_quickstart()
    autograd_vectors()
    own_function()
    model()
