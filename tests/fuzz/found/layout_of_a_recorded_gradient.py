"""With create_graph, too, .grad is laid out as its leaf."""

a = torch.rand(2, 3, requires_grad=True)
(a.mT * 1).sum().backward(create_graph=True)
