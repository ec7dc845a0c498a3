"""None among the inputs of a backward pass is an error, not a crash."""

a = torch.ones(2, requires_grad=True)
b = a * 2
b.sum().backward(inputs=[None])
b.sum().backward(inputs=[a, 1])
torch.autograd.backward([b.sum()], inputs=[a, None])
c = torch.autograd.grad(b.sum(), [a, None], allow_unused=True)
b.sum().backward(inputs=[a])
