"""hwaro.draw: the pictures are well-formed and show what they claim."""

import re
import xml.etree.ElementTree as xml

import hwaro as torch
import pytest

NS = "{http://www.w3.org/2000/svg}"


def parsed(picture):
    root = xml.fromstring(picture.svg)
    texts = [t.text for t in root.iter(f"{NS}text")]
    titled = [t for t in root.iter(f"{NS}rect") if t.find(f"{NS}title") is not None]
    boxes = {t.find(f"{NS}title").text: t.get("fill") for t in titled}
    return root, texts, boxes


def test_a_view_marks_the_elements_that_it_sees():
    x = torch.arange(12.0).reshape(3, 4)
    _, texts, boxes = parsed(torch.draw(x[:, 1:].t()))
    assert texts[0] == "shape (3, 3), stride (1, 4), storage offset 1, torch.float32, cpu"
    assert texts[1] == "sees 9 of the 12 elements of its storage; not contiguous"
    cells = {title: fill for title, fill in boxes.items() if title.startswith("element ")}
    assert [t for t in cells if " is " not in t] == ["element 0", "element 4", "element 8"]
    assert cells["element 6 is [1, 1]"] == boxes["[1, 1] is element 6"] != cells["element 0"]
    assert {"dim 0: +1", "dim 1: +4"} <= set(texts)


@pytest.mark.parametrize(
    "make, seen",
    [
        (lambda: torch.tensor(3.5), "sees 1 of the 1 elements"),
        (lambda: torch.empty(0, 3), "sees 0 of the 0 elements"),
        (lambda: torch.tensor([[1], [2]]).expand(2, 3), "sees 2 of the 2 elements of its storage; not contig"),
        (lambda: torch.arange(6).unfold(0, 3, 1), "sees 6 of the 6 elements of its storage; not contiguous; several"),
        (lambda: torch.zeros(100, 100), "sees 10000 of the 10000"),
        (lambda: torch.zeros(6, 2, 3, 3), "sees 108 of the 108"),
        (lambda: torch.tensor([1 + 2j, complex("nan+infj")]), "sees 2 of the 2"),
        (lambda: torch.tensor([True, False]), "sees 2 of the 2"),
        (lambda: torch.tensor([0.1, float("inf")], dtype=torch.bfloat16), "sees 2 of the 2"),
        (lambda: torch.zeros(2, 3, device="meta"), "sees 6 of the 6"),
        (lambda: torch.zeros(3, requires_grad=True), "sees 3 of the 3"),
        (lambda: torch.arange(400)[300:310:3], "sees 4 of the 400"),
    ],
)
def test_every_sort_of_tensor(make, seen):
    _, texts, boxes = parsed(torch.draw(make()))
    assert texts[1].startswith(seen)
    assert len(boxes) < 700


@pytest.mark.parametrize("make", [
    lambda: torch.arange(24).view(4, 6)[1:3, ::2], lambda: torch.arange(24).view(2, 3, 4).transpose(0, 2),
    lambda: torch.arange(81).view(3, 3, 3, 3).permute(3, 1, 0, 2), lambda: torch.arange(4).view(2, 2),
])
def test_names_of_strides_lie_under_no_arc(make):
    root, _, _ = parsed(torch.draw(make()))
    names = [(float(t.get("x")), float(t.get("y")), t.text) for t in root.iter(f"{NS}text") if t.text.startswith("dim ")]
    right = [x + 8 * len(text) for x, _, text in names]
    assert names and all(end < x for end, (x, _, _) in zip(right, names[1:]))  # side by side
    peaks = []
    for path in root.iter(f"{NS}path"):
        found = re.fullmatch(r"M\S+ (\S+)Q\S+ (\S+) \S+ (\S+)", path.get("d"))
        if found:
            peaks.append((float(found[1]) + float(found[2])) / 2)
    assert peaks and max(y for _, y, _ in names) < min(peaks)


def test_large_tensors_say_what_is_left_out():
    _, texts, _ = parsed(torch.draw(torch.arange(400)[300:310:3]))
    assert "elements 288 to 399 of 400 are drawn" in texts
    _, texts, _ = parsed(torch.draw(torch.zeros(100, 100)))
    assert "… 100 rows" in texts and "…" in texts


def test_the_graph_behind_a_loss_has_its_leaves_by_name():
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    loss = torch.nn.functional.cross_entropy(model(torch.rand(5, 4)), torch.tensor([0, 1, 0, 1, 1]))
    root, texts, _ = parsed(torch.draw(loss, names=model))
    assert {"0.weight", "0.bias", "2.weight", "2.bias", "(8, 4)", "Relu", "LogSoftmax", "NllLoss"} <= set(texts)
    assert texts.count("Addmm") == 2 and texts[-1] == "result ()"
    assert {"(5, 8)", "(5, 2)", "saves mat1 (5, 4)"} <= set(texts)
    assert len([p for p in root.iter(f"{NS}path") if p.get("class") == "edge"]) == 11


def test_boxes_of_a_graph_do_not_overlap():
    x = torch.rand(3, requires_grad=True)
    y = x * 2
    for _ in range(12):
        y = (y + x) * y.exp() + x.sin()
    root, _, _ = parsed(torch.draw(y.sum()))
    drawn = [r for r in root.iter(f"{NS}rect") if r.get("x")]
    boxes = [tuple(float(r.get(k)) for k in ("x", "y", "width", "height")) for r in drawn]
    assert len(boxes) > 60
    for i, (x0, y0, w0, h0) in enumerate(boxes):
        for x1, y1, w1, h1 in boxes[:i]:
            assert x0 + w0 <= x1 + 0.1 or x1 + w1 <= x0 + 0.1 or y0 + h0 <= y1 or y1 + h1 <= y0


def test_a_limit_says_that_nodes_are_missing():
    y = torch.rand(3, requires_grad=True)
    for _ in range(50):
        y = y + 1
    picture = torch.draw(y, limit=10)
    assert "1 edges lead to nodes that are not drawn" in parsed(picture)[1]
    assert repr(picture) == "<Picture of a graph of 10 nodes; show it in a notebook, or save('picture.svg')>"


def test_kind_chooses(tmp_path):
    y = torch.rand(3, requires_grad=True) * 2
    assert torch.draw(y, "storage").svg != torch.draw(y).svg
    path = torch.draw(y).save(tmp_path / "y.svg")
    assert re.match("<svg ", path.read_text()) and torch.draw(y)._repr_svg_() == path.read_text()


def test_mistakes_are_told():
    with pytest.raises(TypeError, match=re.escape("draw(): expected a Tensor, got list")):
        torch.draw([1])
    with pytest.raises(ValueError, match="so there is no graph behind it"):
        torch.draw(torch.rand(3), "graph")
    with pytest.raises(ValueError, match="kind is 'graph' or 'storage', not 'x'"):
        torch.draw(torch.rand(3), "x")
