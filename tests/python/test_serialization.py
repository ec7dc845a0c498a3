"""save, load, pickling and deepcopy. The files in test_serialization.json were written by PyTorch 2.13."""

import base64
import collections
import copy
import io
import json
import os
import pathlib
import pickle
import struct
import zipfile

import pytest

import hwaro as torch

RECORDED = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())


def recorded(name):
    return io.BytesIO(base64.b64decode(RECORDED[name]))


def objects():
    t = torch.arange(12.0).view(3, 4)
    return collections.OrderedDict(
        a=t,
        row=t[1],
        turned=t.t(),
        p=torch.nn.Parameter(torch.ones(2)),
        i=torch.tensor([1, 2]),
        b=torch.tensor([True]),
        h=torch.ones(3, dtype=torch.bfloat16),
        half=torch.tensor([0.5], dtype=torch.float16),
        c=torch.tensor([1 + 2j]),
        conj=torch.tensor([1 + 2j]).conj(),
        n=3,
        f=2.5,
        s="text",
        none=None,
        tup=(1, 2),
        lst=[1, [2]],
        by=b"abc",
        st={1, 2},
        e=torch.empty(0, 3),
        big=10**30,
        neg=-5,
        flag=True,
        grad=torch.ones(1, requires_grad=True),
        dtype=torch.float32,
        size=torch.Size([2, 3]),
        dev=torch.device("cpu"),
        meta=torch.ones(2, 3, device="meta"),
    )


def saved(obj, **options):
    buffer = io.BytesIO()
    torch.save(obj, buffer, **options)
    buffer.seek(0)
    return buffer


def check(found, expected):
    assert list(found) == list(expected)
    for key, want in expected.items():
        got = found[key]
        assert type(got) is type(want), key
        if isinstance(want, torch.Tensor):
            assert (got.dtype, got.shape, got.stride(), got.requires_grad) == (
                want.dtype,
                want.shape,
                want.stride(),
                want.requires_grad,
            ), key
            assert repr(got) == repr(want), key
        else:
            assert got == want, key
    assert found["row"].data_ptr() == found["a"].data_ptr() + 16 and found["turned"].data_ptr() == found["a"].data_ptr()


@pytest.mark.parametrize("name", ["zip", "legacy"])
def test_reads_what_pytorch_wrote(name):
    check(torch.load(recorded(name)), objects())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_round_trip(protocol):
    check(torch.load(saved(objects(), pickle_protocol=protocol)), objects())


def test_round_trip_through_a_path_and_a_map(tmp_path):
    path = tmp_path / "model.pt"
    torch.save(objects(), path)
    check(torch.load(path), objects())
    mapped = torch.load(str(path), mmap=True)
    check(mapped, objects())
    mapped["a"].add_(1)  # the map is private
    assert torch.load(path)["a"][0, 0] == 0


def test_the_archive_is_laid_out_like_pytorchs(tmp_path):
    path = tmp_path / "name.pt"
    torch.save({"x": torch.ones(3), "y": torch.ones(2)}, path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [
            f"name/{n}"
            for n in (
                "data.pkl",
                ".format_version",
                ".storage_alignment",
                "byteorder",
                "data/0",
                "data/1",
                "version",
                ".data/serialization_id",
            )
        ]
        assert archive.read("name/version") == b"3\n" and archive.read("name/byteorder") == b"little"
        data = path.read_bytes()
        for info in archive.infolist():
            name, extra = struct.unpack("<HH", data[info.header_offset + 26 : info.header_offset + 30])
            assert (info.header_offset + 30 + name + extra) % 64 == 0
        pickled = archive.read("name/data.pkl")
    assert (
        b"ctorch._utils\n_rebuild_tensor_v2\n" in pickled
        and b"ctorch\nFloatStorage\n" in pickled
        and b"hwaro" not in pickled
    )


def test_a_storage_is_written_once():
    t = torch.zeros(100000)
    assert len(saved({"a": t, "b": t[10:], "c": t.view(100, 1000)}).getvalue()) < 450000


def test_training_state_goes_on():
    state = torch.load(recorded("training"))
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    assert str(net.load_state_dict(state["model"])) == "<All keys matched successfully>"
    optimizer = torch.optim.Adam(net.parameters())
    optimizer.load_state_dict(state["optimizer"])
    assert optimizer.state[net[0].weight]["step"] == 1 and optimizer.state[net[0].weight]["exp_avg"].abs().sum() > 0
    assert torch.allclose(net.eval()(torch.ones(1, 3)), torch.tensor(RECORDED["after"]))
    again = torch.load(saved({"model": net.state_dict(), "optimizer": optimizer.state_dict()}))
    assert again["model"]._metadata == state["model"]._metadata


class Plain:
    def __init__(self):
        self.x = 1


class Evil:
    def __reduce__(self):
        return os.system, ("echo run > /dev/null",)


def archive_of(pickled):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/version", "3\n")
    buffer.seek(0)
    return buffer


@pytest.mark.parametrize("protocol", range(6))
def test_files_cannot_run_code(protocol):
    with pytest.raises(
        pickle.UnpicklingError,
        match=r"^Weights only load failed(.|\n)*Unsupported global: GLOBAL (posix|nt|os)\.system",
    ):
        torch.load(archive_of(pickle.dumps(Evil(), protocol)))
    if protocol < 3:
        with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
            torch.load(io.BytesIO(pickle.dumps(Evil(), protocol)))


@pytest.mark.parametrize(
    "pickled",
    [
        b"cbuiltins\neval\n(S'1+1'\ntR.",
        b"ctorch._utils\n__builtins__\n.",
        b"ctorch\nload\n(S'x'\ntR.",
        b"chwaro.serialization\nos.system\n.",
        b"(S'a'\nS'b'\ni.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(N}X\x0c\x00\x00\x00__defaults__(tsb.",
        b"ctorch._utils\n_rebuild_tensor_v2\n}X\x01\x00\x00\x00aK\x01sb.",
        b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x06\x00\x00\x00rot_13tR.",
        b"X\x01\x00\x00\x00a)R.",
        b"]K\x01)R.",
        b"\x82\x01.",
    ],
)
def test_odd_pickles_are_refused(pickled):
    with pytest.raises((pickle.UnpicklingError, EOFError, ValueError)):
        torch.load(archive_of(pickled))


def test_classes_can_be_allowed():
    with pytest.raises(pickle.UnpicklingError, match="add_safe_globals"):
        torch.load(saved(Plain()))
    with torch.serialization.safe_globals([Plain]):
        assert torch.load(saved(Plain())).x == 1
    with pytest.raises(pickle.UnpicklingError):
        torch.load(saved(Plain()))
    assert torch.load(saved(Plain()), weights_only=False).x == 1
    names = torch.serialization.get_unsafe_globals_in_checkpoint(saved(Plain()))
    assert len(names) == 2 and names[0].endswith("Plain") or "Plain" in " ".join(names)


def test_whole_modules_with_weights_only_false():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    found = torch.load(saved(net), weights_only=False)
    assert repr(found) == repr(net) and torch.equal(found[0].weight, net[0].weight)


def with_record(buffer, name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w") as new:
        for n in old.namelist():
            if data is not None or n != name:
                new.writestr(n, data if n == name else old.read(n))
    out.seek(0)
    return out


def test_damaged_files():
    good = saved({"a": torch.ones(4)}).getvalue()
    with pytest.raises(EOFError):
        torch.load(io.BytesIO(b""))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(io.BytesIO(b"hello world"))
    with pytest.raises(RuntimeError, match="failed finding central directory"):
        torch.load(io.BytesIO(good[:-30]))
    with pytest.raises(RuntimeError, match="16 bytes|8 bytes"):
        torch.load(with_record(io.BytesIO(good), "archive/data/0", b"12345678"))
    with pytest.raises(RuntimeError, match="file not found"):
        torch.load(with_record(io.BytesIO(good), "archive/data/0", None))
    with pytest.raises(RuntimeError, match="failed locating file data.pkl"):
        torch.load(with_record(io.BytesIO(good), "archive/data.pkl", None))
    at = good.index(struct.pack("<f", 1.0) * 4)
    with pytest.raises(RuntimeError, match="failed reading file data/0"):
        torch.load(io.BytesIO(good[:at] + b"\x01" + good[at + 1 :]))
    for length in range(0, len(good), 37):
        with pytest.raises((RuntimeError, EOFError, pickle.UnpicklingError)):
            torch.load(io.BytesIO(good[:length]))


def test_geometry_from_a_file_cannot_reach_outside_its_storage():
    pickled = saved({"a": torch.ones(4)})
    with zipfile.ZipFile(pickled) as archive:
        data = archive.read("archive/data.pkl")
    # (storage, offset 0, size (4,), stride (1,)): make the size 100, then the offset 100.
    for old, new in ((b"K\x04\x85", b"K\x64\x85"), (b"QK\x00", b"QK\x64")):
        assert data.count(old) == 1
        with pytest.raises(RuntimeError, match="out of bounds for storage of size 16"):
            torch.load(with_record(pickled, "archive/data.pkl", data.replace(old, new)))


def test_other_byte_order():
    swapped = with_record(saved({"a": torch.tensor([1.0, 2.0]), "i": torch.tensor([3])}), "archive/byteorder", b"big")
    with zipfile.ZipFile(swapped) as archive:
        records = {n: archive.read(n) for n in archive.namelist()}
    swapped = with_record(swapped, "archive/data/0", struct.pack(">2f", 1.0, 2.0))
    swapped = with_record(swapped, "archive/data/1", struct.pack(">q", 3))
    found = torch.load(swapped)
    assert found["a"].tolist() == [1.0, 2.0] and found["i"].tolist() == [3] and len(records) == 8


def test_map_location():
    buffer = saved({"a": torch.ones(2, 3)})
    assert repr(torch.load(buffer, map_location="meta")["a"]) == "tensor(..., device='meta', size=(2, 3))"
    buffer.seek(0)
    assert torch.load(buffer, map_location={"cpu": "cpu"})["a"].sum() == 6
    buffer.seek(0)
    seen = []
    torch.load(buffer, map_location=lambda storage, location: seen.append(location) or storage)
    assert seen == ["cpu"]
    with zipfile.ZipFile(buffer) as archive:
        data = archive.read("archive/data.pkl")
    cuda = with_record(buffer, "archive/data.pkl", data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    with pytest.raises(
        RuntimeError, match="Attempting to deserialize object on a CUDA device but torch.cuda.is_available"
    ):
        torch.load(cuda)
    cuda.seek(0)
    assert torch.load(cuda, map_location="cpu")["a"].sum() == 6


def test_errors_of_arguments(tmp_path):
    with pytest.raises(AttributeError, match="You can only torch.load from a file that is seekable"):
        torch.load(3)
    with pytest.raises(
        AttributeError, match="expected 'f' to be string, path, or a file-like object with a 'write' attribute"
    ):
        torch.save({}, 3)
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist."):
        torch.save({}, tmp_path / "missing" / "x.pt")
    with pytest.raises(FileNotFoundError):
        torch.load(tmp_path / "missing.pt")
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        t = torch.ones(2)
        torch.save([t, t.view(torch.int32)], io.BytesIO())


def test_pickle_and_deepcopy_keep_sharing():
    t = torch.arange(4.0)
    for made in (copy.deepcopy([t, t[1:]]), pickle.loads(pickle.dumps([t, t[1:]]))):
        made[0][1] = 9
        assert made[1][0] == 9 and t[1] == 1
    x = torch.ones(2, requires_grad=True)
    x.note = [1]
    (x * 2).sum().backward()
    y = copy.deepcopy(x)
    assert (
        y.requires_grad
        and y.note == [1]
        and y.note is not x.note
        and torch.equal(y.grad, x.grad)
        and y.grad is not x.grad
    )
    assert pickle.loads(pickle.dumps(x)).note == [1]


def test_subclasses_keep_their_class():
    found = pickle.loads(pickle.dumps(Mine([1.0, 2.0])))
    assert type(found) is Mine and found.tolist() == [1.0, 2.0]
    assert type(copy.deepcopy(Mine([1.0]))) is Mine


class Mine(torch.Tensor):
    pass


def test_storages():
    x = torch.arange(3.0)
    storage = x.untyped_storage()
    assert storage is x[1:].untyped_storage() and storage.data_ptr() == x.data_ptr()
    assert (len(storage), storage.nbytes(), storage.element_size()) == (12, 12, 1)
    storage.fill_(0)
    assert x.tolist() == [0.0, 0.0, 0.0]
    assert repr(torch.UntypedStorage(0)).endswith("[torch.storage.UntypedStorage(device=cpu) of size 0]")
    torch.storage._warned.clear()  # once per process
    with pytest.warns(UserWarning, match="TypedStorage is deprecated"):
        typed = x.storage()
    typed[1] = 5
    assert x.tolist() == [0.0, 5.0, 0.0] and typed.tolist() == [0.0, 5.0, 0.0] and len(typed) == 3
    assert torch.FloatStorage([1, 2]).tolist() == [1.0, 2.0]
    assert torch.is_storage(storage) and not torch.is_storage(x)


def test_shared_memory_is_seen_by_a_forked_process():
    x = torch.zeros(4)
    assert not x.is_shared()
    assert x.share_memory_() is x and x.is_shared()
    child = os.fork()
    if child == 0:
        x.fill_(7)
        os._exit(0)
    os.waitpid(child, 0)
    assert x.tolist() == [7.0] * 4
