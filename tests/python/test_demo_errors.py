"""The Fashion-MNIST example: every broken data file is one line on stderr and exit status 2."""
import gzip
import importlib.util
import os
import pathlib
import signal
import struct
import subprocess
import sys
import time

import pytest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python" / "fashion_mnist.py"


def images(count, magic=2051, rows=28, columns=28, missing=0, announced=None):
    header = struct.pack(">4I", magic, count if announced is None else announced, rows, columns)
    pixels = bytes((17 * i + 3) % 256 for i in range(count * rows * columns))
    return (header + pixels)[:len(header) + len(pixels) - missing]


def labels(count, magic=2049, missing=0, announced=None, value=None):
    header = struct.pack(">2I", magic, count if announced is None else announced)
    values = bytes(i % 10 if value is None else value for i in range(count))
    return (header + values)[:len(header) + count - missing]


def write(directory, **files):
    """A complete small data set, with the given files replaced (None: left out)."""
    contents = {
        "train-images-idx3-ubyte": gzip.compress(images(40)), "train-labels-idx1-ubyte": gzip.compress(labels(40)),
        "t10k-images-idx3-ubyte": gzip.compress(images(20)), "t10k-labels-idx1-ubyte": gzip.compress(labels(20)),
    }
    contents.update({name.replace("_", "-"): data for name, data in files.items()})
    for name, data in contents.items():
        if data is not None:
            (directory / f"{name}.gz").write_bytes(data)
    return directory


def start(directory, *arguments):
    command = [sys.executable, "-m", "hwaro", str(EXAMPLE), "--data", str(directory), "--out", str(directory / "out"),
               *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


whole = gzip.compress(images(40))
BROKEN = {
    "missing": ({"train_images_idx3_ubyte": None}, "train-images", "no such file"),
    "empty": ({"train_images_idx3_ubyte": b""}, "train-images", "an empty file"),
    "not gzip": ({"train_labels_idx1_ubyte": labels(40)}, "train-labels", "begins with 00 00"),
    "cut short": ({"train_images_idx3_ubyte": whole[:-1]}, "train-images", "a broken one"),
    "flipped bits": ({"train_images_idx3_ubyte": whole[:30] + bytes(b ^ 255 for b in whole[30:60]) + whole[60:]},
                     "train-images", "a broken one"),
    "no header": ({"t10k_images_idx3_ubyte": gzip.compress(images(20)[:10])}, "t10k-images", "10 bytes in all"),
    "wrong magic": ({"t10k_labels_idx1_ubyte": gzip.compress(labels(20, magic=2051))}, "expected magic number 2049",
                    "found 2051"),
    "one byte short": ({"train_images_idx3_ubyte": gzip.compress(images(40, missing=1))},
                       "expected 31376 bytes for 40 items", "found 31375 bytes"),
    "one byte more": ({"train_labels_idx1_ubyte": gzip.compress(labels(40) + b"\0")},
                      "expected 48 bytes for 40 items", "found 49 bytes"),
    "wrong count": ({"train_images_idx3_ubyte": gzip.compress(images(40, announced=41))},
                    "expected 32160 bytes for 41 items", "found 31376 bytes"),
    "wrong size": ({"train_images_idx3_ubyte": gzip.compress(images(40, rows=27))}, "expected items of shape (28, 28)",
                   "found (27, 28)"),
    "no items": ({"t10k_labels_idx1_ubyte": gzip.compress(labels(0))}, "expected at least one item", "found none"),
    "fewer labels": ({"train_labels_idx1_ubyte": gzip.compress(labels(39))}, "expected 40 labels", "found 39"),
    "label too large": ({"train_labels_idx1_ubyte": gzip.compress(labels(40, value=11))},
                        "expected labels from 0 to 9", "found 11"),
}


@pytest.fixture(scope="module")
def example():
    """The example as a module, on top of Hwaro."""
    from hwaro import _alias
    _alias.install()
    try:
        spec = importlib.util.spec_from_file_location("fashion_mnist_example", EXAMPLE)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        _alias.uninstall()
    return module


@pytest.mark.parametrize("name", BROKEN)
def test_broken_data_is_one_line_and_exit_status_2(name, example, tmp_path, capsys):
    files, *parts = BROKEN[name]
    write(tmp_path, **files)
    assert example.main(["--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert len(err.splitlines()) == 1 and err.startswith(f"fashion_mnist: {tmp_path}{os.sep}")
    for part in ("expected", "found", *parts):
        if part != "no such file":
            assert part in err
    assert not (tmp_path / "out").exists()


def test_exit_status_2_without_a_traceback_from_outside(tmp_path):
    process = start(write(tmp_path, t10k_images_idx3_ubyte=b""))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1 and "Traceback" not in err


def test_a_whole_run_writes_weights_and_picture(tmp_path):
    for module in ("matplotlib", "safetensors", "tqdm"):
        pytest.importorskip(module)
    record = tmp_path / "losses.json"
    process = start(write(tmp_path), "--epochs", "2", "--batch-size", "16", "--losses", str(record))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "loaded back: equal" in out
    assert (tmp_path / "out" / "weights.safetensors").stat().st_size > 4 * 20490
    assert (tmp_path / "out" / "fashion_mnist.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    import json
    found = json.loads(record.read_text())
    assert len(found["losses"]) == 6 and len(found["accuracies"]) == 2


def test_an_interrupt_keeps_the_last_checkpoint_and_says_where(tmp_path):
    for module in ("safetensors", "tqdm"):
        pytest.importorskip(module)
    process = start(write(tmp_path), "--epochs", "1000000", "--batch-size", "8")
    checkpoint = tmp_path / "out" / "weights.safetensors"
    end = time.monotonic() + 120
    while not checkpoint.exists() and time.monotonic() < end and process.poll() is None:
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert f"the last checkpoint is {checkpoint}" in err and "Traceback" not in err
    assert checkpoint.stat().st_size > 4 * 20490
