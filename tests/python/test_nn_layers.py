"""Every layer: printed form, names and initial values of its state, outputs, gradients, and the draws it takes."""
import math

from recorded import recorded_test


def ramp(torch, *shape):
    """Values that need no random numbers: sines at irregular places."""
    count = math.prod(shape)
    return torch.tensor([math.sin(1.7 * i + 0.3 * (i % 7)) for i in range(count)]).reshape(shape)


def mat(t):
    return [ramp(t, 3, 4)]


def two(t):
    return [ramp(t, 3, 4), ramp(t, 4, 3).t() * 0.7]


def seq(t):
    return [ramp(t, 2, 4, 8)]


def img(t):
    return [ramp(t, 2, 4, 6, 6)]


def vol(t):
    return [ramp(t, 2, 4, 4, 4, 4)]


def ids(t):
    return [t.tensor([[0, 3, 6, 2, 2], [1, 1, 5, 4, 0], [6, 2, 3, 0, 1]])]


def steps(t):
    return [ramp(t, 6, 3, 4)]


def tokens(t):
    return [ramp(t, 5, 3, 8)]


def self_tokens(t):
    x = ramp(t, 5, 3, 8)
    return [x, x, x]


def cross_tokens(t):
    y = ramp(t, 4, 3, 8) * 0.5
    return [ramp(t, 5, 3, 8), y, y]


def classes(t):
    return [ramp(t, 3, 4), t.tensor([1, 0, 3])]


def log_classes(t):
    return [ramp(t, 3, 4).log_softmax(1), t.tensor([1, 0, 3])]


def probs(t):
    return [ramp(t, 3, 4).sigmoid(), (ramp(t, 4, 3).t() * 2).sigmoid().contiguous()]


def signs(t):
    return [ramp(t, 3, 4), t.tensor([[1., -1, 1, 1], [-1, -1, 1, -1], [1, 1, -1, -1]])]


def pairs(t):
    return [ramp(t, 3, 4), ramp(t, 3, 4).cos(), t.tensor([1., -1, 1])]


def triple(t):
    return [ramp(t, 3, 4), ramp(t, 3, 4).cos(), ramp(t, 3, 4) * 0.3]


SPEC = []


def case(name, *args, inputs=None, train=True, **kwargs):
    SPEC.append((name, args, kwargs, inputs, train))


for act in ("ReLU Hardtanh ReLU6 Sigmoid Hardsigmoid Tanh SiLU Mish Hardswish ELU CELU SELU GLU GELU Hardshrink "
            "LeakyReLU "
            "LogSigmoid Softplus Softshrink PReLU Softsign Tanhshrink Softmin Softmax LogSoftmax RReLU").split():
    case(act, inputs=mat)
for act in "ReLU Hardtanh ReLU6 Hardsigmoid SiLU Mish Hardswish ELU CELU SELU LeakyReLU".split():
    case(act, inplace=True, inputs=mat, train="no grad")
case("RReLU", 0.1, 0.3, inputs=mat, train=False)
case("Softmax", dim=-1, inputs=img)
case("Softmax2d", inputs=img)
case("Threshold", 0.1, 20.0, inputs=mat)
case("GELU", approximate="tanh", inputs=mat)
case("PReLU", 4, inputs=img)
case("Linear", 4, 5, inputs=mat)
case("Linear", 4, 5, False, inputs=mat)
case("Identity", 3, x=4, inputs=mat)
case("Bilinear", 4, 4, 2, inputs=two)
case("Flatten", inputs=img)
case("Flatten", 0, 1, inputs=img)
case("Unflatten", 1, (2, 2), inputs=img)
for d, x in ((1, seq), (2, img), (3, vol)):
    for kw in ({}, {"stride": 2, "padding": 1}, {"padding": "same", "dilation": 2}, {"padding": "valid", "bias": False},
               {"groups": 2, "padding": 1, "padding_mode": "circular"}, {"padding": 1, "padding_mode": "reflect"}):
        case(f"Conv{d}d", 4, 6, 3, **kw, inputs=x)
    for kw in ({}, {"stride": 2, "padding": 1, "output_padding": 1}, {"groups": 2, "bias": False, "dilation": 2}):
        case(f"ConvTranspose{d}d", 4, 6, 3, **kw, inputs=x)
    for mode in (True, False):
        for kw in ({}, {"affine": False}, {"track_running_stats": False}, {"momentum": None}, {"bias": False}):
            case(f"BatchNorm{d}d", 4, **kw, inputs=x, train=mode)
        for kw in ({}, {"affine": True, "track_running_stats": True}):
            case(f"InstanceNorm{d}d", 4, **kw, inputs=x, train=mode)
    case(f"MaxPool{d}d", 2, inputs=x)
    case(f"MaxPool{d}d", 3, 2, 1, 1, True, True, inputs=x)
    case(f"AvgPool{d}d", 2, inputs=x)
    case(f"AvgPool{d}d", 3, 2, 1, True, False, inputs=x)
    case(f"LPPool{d}d", 2, 2, inputs=x)
    case(f"AdaptiveAvgPool{d}d", 2, inputs=x)
    case(f"AdaptiveMaxPool{d}d", 2, True, inputs=x)
    for pad in ("Reflection", "Replication", "Circular", "Zero"):
        case(f"{pad}Pad{d}d", (2, 1) * d, inputs=x)
    case(f"ConstantPad{d}d", 1, 3.5, inputs=x)
    case(f"Dropout{d}d", 0.4, inputs=x)
    case(f"Dropout{d}d", 0.4, inputs=x, train=False)
case("FractionalMaxPool2d", 3, output_size=2, inputs=img)
case("FractionalMaxPool3d", 2, output_size=(2, 1, 2), inputs=vol)
case("Dropout", 0.3, inputs=mat)
case("AlphaDropout", 0.3, inputs=mat)
case("FeatureAlphaDropout", 0.3, inputs=img)
case("LayerNorm", 6, inputs=img)
case("LayerNorm", (6, 6), eps=1e-3, bias=False, inputs=img)
case("LayerNorm", 6, elementwise_affine=False, inputs=img)
case("RMSNorm", 6, inputs=img)
case("RMSNorm", (6, 6), eps=1e-3, elementwise_affine=False, inputs=img)
case("GroupNorm", 2, 4, inputs=img)
case("GroupNorm", 4, 4, affine=False, inputs=seq)
case("LocalResponseNorm", 2, inputs=img)
case("Embedding", 7, 3, inputs=ids)
case("Embedding", 7, 3, padding_idx=-1, inputs=ids)
for mode in ("sum", "mean", "max"):
    case("EmbeddingBag", 7, 3, mode=mode, inputs=ids)
case("CosineSimilarity", inputs=two)
case("PairwiseDistance", inputs=two)
case("Upsample", scale_factor=2, inputs=img)
case("Upsample", size=(3, 5), mode="bilinear", inputs=img)
case("UpsamplingBilinear2d", scale_factor=2, inputs=img)
case("PixelShuffle", 2, inputs=img)
case("PixelUnshuffle", 2, inputs=img)
case("ChannelShuffle", 2, inputs=img)
case("Unfold", 2, 1, 1, 2, inputs=img)
case("Fold", (4, 4), 2, inputs=lambda t: [ramp(t, 2, 8, 9)])
for red in ("mean", "sum", "none"):
    for loss in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss"):
        case(loss, reduction=red, inputs=two)
    case("CrossEntropyLoss", reduction=red, inputs=classes)
    case("CrossEntropyLoss", label_smoothing=0.1, ignore_index=1, reduction=red, inputs=classes)
    case("NLLLoss", reduction=red, inputs=log_classes)
    case("PoissonNLLLoss", False, True, reduction=red, inputs=lambda t: [probs(t)[0], probs(t)[1] * 5])
    case("GaussianNLLLoss", full=True, reduction=red, inputs=lambda t: [*two(t), probs(t)[0].detach()])
    case("KLDivLoss", reduction=red, inputs=lambda t: [two(t)[0].log_softmax(1), two(t)[1].softmax(1)])
    case("BCELoss", reduction=red, inputs=probs)
    case("BCEWithLogitsLoss", reduction=red, inputs=lambda t: [ramp(t, 3, 4), probs(t)[1]])
    case("HingeEmbeddingLoss", reduction=red, inputs=signs)
    case("SoftMarginLoss", reduction=red, inputs=lambda t: [signs(t)[0], signs(t)[1].long()])
    case("MultiLabelMarginLoss", reduction=red,
         inputs=lambda t: [ramp(t, 3, 4), t.tensor([[1, 2, -1, 0], [-1, 1, 2, 3], [0, 1, 2, 3]])])
    case("MultiLabelSoftMarginLoss", reduction=red, inputs=lambda t: [ramp(t, 3, 4), probs(t)[1].round()])
    case("CosineEmbeddingLoss", 0.2, reduction=red, inputs=pairs)
    case("MarginRankingLoss", 0.3, reduction=red,
         inputs=lambda t: [ramp(t, 5), ramp(t, 5).cos(), t.tensor([1., -1, 1, 1, -1])])
    for p in (1, 2):
        case("MultiMarginLoss", p, 0.7, reduction=red, inputs=classes)
    case("TripletMarginLoss", swap=True, reduction=red, inputs=triple)
    case("TripletMarginWithDistanceLoss", reduction=red, inputs=triple)
    case("CTCLoss", reduction=red,
         inputs=lambda t: [ramp(t, 9, 2, 5).log_softmax(2), t.tensor([[1, 1, 3], [2, 4, 1]]), (9, 8), (3, 2)])
for rnn in ("RNN", "LSTM", "GRU"):
    for kw in ({}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True, "bias": False}):
        case(rnn, 4, 5, **kw, inputs=steps)
    case(rnn, 4, 5, num_layers=2, dropout=0.5, inputs=steps)
    case(rnn + "Cell", 4, 5, inputs=mat)
case("RNN", 4, 5, nonlinearity="relu", inputs=steps)
case("LSTM", 4, 5, proj_size=3, inputs=steps)
for kw in ({}, {"bias": False}, {"add_bias_kv": True, "add_zero_attn": True}, {"kdim": 8, "vdim": 8}, {"dropout": 0.3}):
    case("MultiheadAttention", 8, 2, **kw, inputs=cross_tokens)
case("MultiheadAttention", 8, 2, batch_first=True, inputs=self_tokens)
case("TransformerEncoderLayer", 8, 2, 16, inputs=tokens)
case("TransformerEncoderLayer", 8, 2, 16, activation="gelu", norm_first=True, batch_first=True, inputs=tokens)
case("TransformerDecoderLayer", 8, 2, 16, inputs=lambda t: cross_tokens(t)[:2])
case("Transformer", 8, 2, 1, 1, 16, batch_first=True, train=False,
     inputs=lambda t: [ramp(t, 3, 5, 8), ramp(t, 3, 4, 8) * 0.5])
case("AdaptiveLogSoftmaxWithLoss", 8, 20, [5, 10],
     inputs=lambda t: [ramp(t, 6, 8), t.tensor([0, 7, 19, 12, 4, 3])])


def tensors_of(value, torch):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for item in value for t in tensors_of(item, torch)] if isinstance(value, (tuple, list)) else []


def run(torch, name, args, kwargs, inputs, train):
    torch.manual_seed(0)
    layer = getattr(torch.nn, name)(*args, **kwargs)
    state = layer.state_dict()
    found = {"printed": repr(layer), "state": {key: value.clone() for key, value in state.items()},
             "draws": torch.get_rng_state()}
    layer.train(bool(train))
    values, made = [], {}
    for value in inputs(torch):
        if isinstance(value, torch.Tensor):
            if id(value) not in made:
                leaf = value.detach().clone()
                made[id(value)] = leaf.requires_grad_(train != "no grad") if leaf.is_floating_point() else leaf
            value = made[id(value)]
        values.append(value)
    torch.manual_seed(1)
    with torch.set_grad_enabled(train != "no grad"):
        outputs = tensors_of(layer(*values), torch)
    found["outputs"] = outputs
    found["draws after forward"] = torch.get_rng_state()
    total = sum(((out * ramp(torch, *out.shape)).sum() for out in outputs if out.requires_grad), torch.zeros(()))
    if total.requires_grad:
        total.backward()
        found["gradients of inputs"] = [v.grad for v in values if isinstance(v, torch.Tensor) and v.grad is not None]
        found["gradients"] = {key: p.grad for key, p in layer.named_parameters() if p.grad is not None}
    found["buffers"] = [buffer for buffer in layer.buffers()]
    return found


CASES = {}
for spec in SPEC:
    arguments = [*map(repr, spec[1]), *(f"{key}={value!r}" for key, value in spec[2].items())]
    key = f"{spec[0]}({', '.join(arguments)})" + {True: "", False: " eval"}.get(spec[4], " " + str(spec[4]))
    while key in CASES:
        key += "'"
    CASES[key] = lambda torch, spec=spec: run(torch, *spec)

test_layer_agrees_with_pytorch = recorded_test(__file__, CASES)
