"""Every module of torch.nn: the numbers it starts with for a seed, its result, gradients, repr and state."""

import pytest

from both import assert_same

IMAGE, LINE, VOLUME, ROWS = (2, 4, 8, 8), (2, 4, 12), (2, 4, 4, 6, 6), (3, 6)
# name, arguments, keyword arguments, shapes of the inputs
MODULES = [
    ("Linear", (6, 5), {}, [ROWS]),
    ("Linear", (6, 5), {"bias": False}, [ROWS]),
    ("Bilinear", (6, 5, 4), {}, [ROWS, (3, 5)]),
    ("Identity", (), {}, [ROWS]),
    ("Conv1d", (4, 6, 3), {}, [LINE]),
    ("Conv2d", (4, 6, 3), {"stride": 2, "padding": 1}, [IMAGE]),
    ("Conv2d", (4, 8, 3), {"groups": 2, "bias": False}, [IMAGE]),
    ("Conv2d", (4, 4, 3), {"padding": "same", "dilation": 2}, [IMAGE]),
    ("Conv2d", (4, 4, 3), {"padding": 1, "padding_mode": "reflect"}, [IMAGE]),
    ("Conv2d", (4, 4, 3), {"padding": 1, "padding_mode": "circular"}, [IMAGE]),
    ("Conv3d", (4, 3, 2), {}, [VOLUME]),
    ("ConvTranspose1d", (4, 3, 3), {"stride": 2}, [LINE]),
    ("ConvTranspose2d", (4, 3, 3), {"stride": 2, "padding": 1, "output_padding": 1}, [IMAGE]),
    ("ConvTranspose3d", (4, 3, 2), {}, [VOLUME]),
    ("MaxPool1d", (2,), {}, [LINE]),
    ("MaxPool2d", (3,), {"stride": 2, "padding": 1}, [IMAGE]),
    ("MaxPool3d", (2,), {}, [VOLUME]),
    ("AvgPool1d", (2,), {}, [LINE]),
    ("AvgPool2d", (3,), {"padding": 1, "count_include_pad": False}, [IMAGE]),
    ("AvgPool3d", (2,), {}, [VOLUME]),
    ("LPPool1d", (2, 3), {}, [LINE]),
    ("LPPool2d", (2, 3), {}, [IMAGE]),
    ("AdaptiveAvgPool1d", (5,), {}, [LINE]),
    ("AdaptiveAvgPool2d", ((3, 5),), {}, [IMAGE]),
    ("AdaptiveAvgPool3d", (2,), {}, [VOLUME]),
    ("AdaptiveMaxPool1d", (5,), {}, [LINE]),
    ("AdaptiveMaxPool2d", (3,), {}, [IMAGE]),
    ("AdaptiveMaxPool3d", (2,), {}, [VOLUME]),
    ("BatchNorm1d", (4,), {}, [LINE]),
    ("BatchNorm2d", (4,), {}, [IMAGE]),
    ("BatchNorm2d", (4,), {"affine": False, "momentum": None}, [IMAGE]),
    ("BatchNorm3d", (4,), {}, [VOLUME]),
    ("InstanceNorm1d", (4,), {"affine": True}, [LINE]),
    ("InstanceNorm2d", (4,), {"track_running_stats": True}, [IMAGE]),
    ("InstanceNorm3d", (4,), {}, [VOLUME]),
    ("LayerNorm", (6,), {}, [ROWS]),
    ("LayerNorm", ((8, 8),), {"elementwise_affine": False}, [IMAGE]),
    ("GroupNorm", (2, 4), {}, [IMAGE]),
    ("RMSNorm", (6,), {}, [ROWS]),
    ("LocalResponseNorm", (3,), {}, [IMAGE]),
    ("ReLU", (), {}, [ROWS]),
    ("ReLU", (True,), {}, [ROWS]),
    ("ReLU6", (), {}, [ROWS]),
    ("LeakyReLU", (0.2,), {}, [ROWS]),
    ("PReLU", (), {}, [ROWS]),
    ("PReLU", (4,), {}, [IMAGE]),
    ("RReLU", (), {}, [ROWS]),
    ("ELU", (0.5,), {}, [ROWS]),
    ("CELU", (0.7,), {}, [ROWS]),
    ("SELU", (), {}, [ROWS]),
    ("GELU", (), {}, [ROWS]),
    ("GELU", (), {"approximate": "tanh"}, [ROWS]),
    ("SiLU", (), {}, [ROWS]),
    ("Mish", (), {}, [ROWS]),
    ("Sigmoid", (), {}, [ROWS]),
    ("Tanh", (), {}, [ROWS]),
    ("Hardtanh", (-0.5, 0.5), {}, [ROWS]),
    ("Hardsigmoid", (), {}, [ROWS]),
    ("Hardswish", (), {}, [ROWS]),
    ("Hardshrink", (), {}, [ROWS]),
    ("Softshrink", (), {}, [ROWS]),
    ("Tanhshrink", (), {}, [ROWS]),
    ("Softplus", (2,), {}, [ROWS]),
    ("Softsign", (), {}, [ROWS]),
    ("LogSigmoid", (), {}, [ROWS]),
    ("Threshold", (0.1, 20), {}, [ROWS]),
    ("Softmax", (1,), {}, [ROWS]),
    ("LogSoftmax", (1,), {}, [ROWS]),
    ("Softmin", (1,), {}, [ROWS]),
    ("Softmax2d", (), {}, [IMAGE]),
    ("GLU", (), {}, [ROWS]),
    ("Dropout", (0.4,), {}, [ROWS]),
    ("Dropout1d", (), {}, [LINE]),
    ("Dropout2d", (), {}, [IMAGE]),
    ("Dropout3d", (), {}, [VOLUME]),
    ("AlphaDropout", (), {}, [ROWS]),
    ("FeatureAlphaDropout", (), {}, [IMAGE]),
    ("Flatten", (), {}, [IMAGE]),
    ("Unflatten", (1, (2, 3)), {}, [ROWS]),
    ("Upsample", (), {"scale_factor": 2}, [IMAGE]),
    ("Upsample", (), {"size": (5, 11), "mode": "bilinear", "align_corners": True}, [IMAGE]),
    ("Upsample", (), {"scale_factor": 1.5, "mode": "bicubic"}, [IMAGE]),
    ("UpsamplingNearest2d", (), {"scale_factor": 2}, [IMAGE]),
    ("UpsamplingBilinear2d", (), {"scale_factor": 2}, [IMAGE]),
    ("PixelShuffle", (2,), {}, [IMAGE]),
    ("PixelUnshuffle", (2,), {}, [IMAGE]),
    ("ChannelShuffle", (2,), {}, [IMAGE]),
    ("Fold", ((4, 4), 2), {}, [(2, 8, 9)]),
    ("Unfold", (3,), {}, [IMAGE]),
    ("ZeroPad2d", (1,), {}, [IMAGE]),
    ("ReflectionPad1d", (2,), {}, [LINE]),
    ("ReflectionPad2d", (2,), {}, [IMAGE]),
    ("ReplicationPad2d", (2,), {}, [IMAGE]),
    ("ReplicationPad3d", (1,), {}, [VOLUME]),
    ("ConstantPad1d", (2, 3.5), {}, [LINE]),
    ("CircularPad2d", (1,), {}, [IMAGE]),
    ("CosineSimilarity", (), {}, [ROWS, ROWS]),
    ("PairwiseDistance", (), {}, [ROWS, ROWS]),
    ("RNN", (6, 5), {"num_layers": 2}, [(4, 3, 6)]),
    ("RNN", (6, 5), {"nonlinearity": "relu", "batch_first": True}, [(4, 3, 6)]),
    ("LSTM", (6, 5), {"num_layers": 2, "bidirectional": True}, [(4, 3, 6)]),
    ("LSTM", (6, 5), {"proj_size": 3}, [(4, 3, 6)]),
    ("GRU", (6, 5), {"bias": False}, [(4, 3, 6)]),
    ("GRU", (6, 5), {"num_layers": 2, "dropout": 0.3}, [(4, 3, 6)]),
    ("RNNCell", (6, 5), {}, [ROWS]),
    ("LSTMCell", (6, 5), {}, [ROWS]),
    ("GRUCell", (6, 5), {}, [ROWS]),
    ("MultiheadAttention", (8, 2), {}, [(4, 3, 8)] * 3),
    ("MultiheadAttention", (8, 2), {"batch_first": True, "kdim": 6, "vdim": 5}, [(3, 4, 8), (3, 7, 6), (3, 7, 5)]),
    ("TransformerEncoderLayer", (8, 2, 16), {"dropout": 0.0}, [(4, 3, 8)]),
    ("TransformerEncoderLayer", (8, 2, 16), {"norm_first": True, "activation": "gelu"}, [(4, 3, 8)]),
    ("TransformerDecoderLayer", (8, 2, 16), {}, [(4, 3, 8), (5, 3, 8)]),
    ("Transformer", (8, 2, 1, 1, 16), {"dropout": 0.0}, [(5, 3, 8), (4, 3, 8)]),
]
LOSSES = [
    ("MSELoss", {}, "same"),
    ("L1Loss", {}, "same"),
    ("SmoothL1Loss", {"beta": 0.5}, "same"),
    ("HuberLoss", {"delta": 0.7}, "same"),
    ("BCELoss", {}, "unit"),
    ("BCEWithLogitsLoss", {}, "unit"),
    ("KLDivLoss", {"reduction": "batchmean"}, "unit"),
    ("PoissonNLLLoss", {"full": True}, "unit"),
    ("SoftMarginLoss", {}, "sign"),
    ("CrossEntropyLoss", {"label_smoothing": 0.1}, "class"),
    ("CrossEntropyLoss", {}, "unit"),
    ("NLLLoss", {"ignore_index": 2}, "class"),
    ("MultiMarginLoss", {}, "class"),
    ("MultiLabelSoftMarginLoss", {}, "unit"),
    ("MultiLabelMarginLoss", {}, "labels"),
    ("HingeEmbeddingLoss", {}, "sign"),
]


def case_name(case):
    return (
        f"{case[0]}({', '.join(map(str, case[1]))}{', ' if case[2] else ''}{case[2] or ''})"
        if len(case) > 3
        else str(case[0])
    )


def parts(value):
    return [p for v in value if v is not None for p in parts(v)] if isinstance(value, (tuple, list)) else [value]


@pytest.mark.parametrize("case", MODULES, ids=case_name)
def test_module(case):
    name, args, kwargs, shapes = case

    def program(lib):
        lib.manual_seed(7)
        module = getattr(lib.nn, name)(*args, **kwargs)
        inputs = [lib.randn(shape).requires_grad_() for shape in shapes]
        start = [(key, value.clone()) for key, value in module.state_dict().items()]
        results = parts(module(*[x.clone() for x in inputs]))
        sum(((r * r).sum() + r.sum() for r in results), lib.zeros(())).backward()
        grads = [p.grad for p in module.parameters()] + [x.grad for x in inputs]
        module.eval()
        evaluated = parts(module(*[x.detach().clone() for x in inputs]))
        return [
            repr(module),
            start,
            [r.detach() for r in results],
            [g for g in grads if g is not None],
            [r.detach() for r in evaluated],
            list(module.state_dict().items()),
            [type(r.grad_fn).__name__ for r in results],
        ]

    assert_same(program, scale=20)  # sums over a whole layer, forward and backward


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("case", LOSSES, ids=lambda case: f"{case[0]}-{case[2]}")
def test_loss(case, reduction):
    name, kwargs, kind = case

    def program(lib):
        lib.manual_seed(11)
        x = lib.rand(6, 5) if name == "BCELoss" else lib.randn(6, 5)
        x.requires_grad_()
        target = {
            "same": lambda: lib.randn(6, 5),
            "unit": lambda: lib.rand(6, 5),
            "sign": lambda: lib.randn(6, 5).sign(),
            "class": lambda: lib.randint(0, 5, (6,)),
            "labels": lambda: lib.tensor([[3, 0, -1, 1, 2]] * 6),
        }[kind]()
        loss = getattr(lib.nn, name)(**{"reduction": reduction, **kwargs})(x, target)
        loss.sum().backward()
        return [loss.detach(), x.grad, type(loss.grad_fn).__name__]

    assert_same(program)


def test_losses_of_several_inputs():
    def program(lib):
        lib.manual_seed(12)
        a, b, c = (lib.randn(6, 5, requires_grad=True) for _ in range(3))
        sign = lib.tensor([1.0, -1, 1, 1, -1, -1])
        losses = [
            lib.nn.TripletMarginLoss()(a, b, c),
            lib.nn.CosineEmbeddingLoss(margin=0.2)(a, b, sign),
            lib.nn.MarginRankingLoss(margin=0.1)(a[:, 0], b[:, 0], sign),
            lib.nn.GaussianNLLLoss()(a, b, c.exp()),
            lib.nn.TripletMarginWithDistanceLoss(swap=True)(a, b, c),
        ]
        logits = a.reshape(3, 2, 5).log_softmax(2)
        losses.append(lib.nn.CTCLoss()(logits, lib.tensor([[1, 2], [3, 1]]), lib.tensor([3, 3]), lib.tensor([2, 1])))
        sum(losses).backward()
        return [[loss.detach() for loss in losses], a.grad, b.grad, c.grad]

    assert_same(program)


@pytest.mark.parametrize(
    "init",
    [
        "uniform_",
        "normal_",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
        "trunc_normal_",
        "orthogonal_",
        "sparse_",
        "eye_",
        "dirac_",
    ],
)
def test_initialisers(init):
    def program(lib):
        lib.manual_seed(3)
        target = lib.empty((6, 4, 3) if init == "dirac_" else (6, 4))
        return getattr(lib.nn.init, init)(target, **({"sparsity": 0.4} if init == "sparse_" else {}))

    assert_same(program)


@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"padding_idx": 2},
        {"max_norm": 1.0},
        {"scale_grad_by_freq": True},
        {"padding_idx": -1, "norm_type": 1.0, "max_norm": 0.5},
    ],
    ids=str,
)
def test_embedding(kwargs):
    def program(lib):
        lib.manual_seed(4)
        module = lib.nn.Embedding(7, 3, **kwargs)
        start = module.weight.detach().clone()
        out = module(lib.tensor([[1, 2, 2], [6, 0, 1]]))
        (out * out).sum().backward()
        return [repr(module), start, out.detach(), module.weight.detach(), module.weight.grad]

    assert_same(program)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode):
    def program(lib):
        lib.manual_seed(4)
        module = lib.nn.EmbeddingBag(7, 3, mode=mode)
        out = module(lib.tensor([1, 2, 2, 6, 0, 1]), lib.tensor([0, 3, 3]))
        out.sum().backward()
        return [repr(module), out.detach(), module.weight.grad]

    assert_same(program)
