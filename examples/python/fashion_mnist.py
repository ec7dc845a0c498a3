#!/usr/bin/env python3
"""Train a small convolutional network on Fashion-MNIST.

    python -m hwaro fashion_mnist.py        # with Hwaro
    python fashion_mnist.py                 # with PyTorch

Writes to --out: weights.safetensors after each epoch, and fashion_mnist.png at the end. The data directory is --data,
or the environment's FASHION_MNIST_DIR, or where Debian's package dataset-fashion-mnist puts it.
"""
import argparse
import gzip
import json
import math
import os
import sys
import time
import zlib

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

NAMES = ["T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
DEFAULT_DATA = "/usr/share/datasets/fashion-mnist"


class DataError(Exception):
    """A data file that is not what it should be; the message is one line with path, expected and found."""


def read_idx(path, magic, item_shape):
    """The items of a gzipped IDX file of bytes: (count, *item_shape)."""
    def fail(expected, found):
        raise DataError(f"{path}: expected {expected}, found {found}")

    try:
        with open(path, "rb") as file:
            packed = file.read()
    except FileNotFoundError:
        fail("a gzipped IDX file", "no such file")
    except OSError as error:
        fail("a gzipped IDX file", f"an error on reading it ({error.strerror})")
    if not packed:
        fail("a gzipped IDX file", "an empty file")
    if packed[:2] != b"\x1f\x8b":
        fail("gzip data, which begin with bytes 1f 8b", f"a file that begins with {packed[:2].hex(' ')}")
    try:
        data = gzip.decompress(packed)
    except (EOFError, OSError, zlib.error) as error:
        fail("a complete gzip stream", f"a broken one ({error})")
    header = 4 * (2 + len(item_shape))
    if len(data) < header:
        fail(f"a header of {header} bytes", f"{len(data)} bytes in all")
    found = int.from_bytes(data[:4], "big")
    if found != magic:
        fail(f"magic number {magic}", str(found))
    count, *shape = (int.from_bytes(data[at:at + 4], "big") for at in range(4, header, 4))
    if tuple(shape) != item_shape:
        fail(f"items of shape {item_shape}", str(tuple(shape)))
    size = header + count * math.prod(item_shape)
    if len(data) != size:
        fail(f"{size} bytes for {count} items", f"{len(data)} bytes")
    if count == 0:
        fail("at least one item", "none")
    return torch.frombuffer(bytearray(data), dtype=torch.uint8, offset=header).reshape(count, *item_shape)


def load_split(directory, split):
    """Images (N, 1, 28, 28) as bytes and labels (N,) of one split."""
    image_path = os.path.join(directory, split + "-images-idx3-ubyte.gz")
    label_path = os.path.join(directory, split + "-labels-idx1-ubyte.gz")
    images, labels = read_idx(image_path, 2051, (28, 28)), read_idx(label_path, 2049, ())
    if len(images) != len(labels):
        raise DataError(f"{label_path}: expected {len(images)} labels, one for each image, found {len(labels)}")
    largest = int(labels.max())
    if largest >= len(NAMES):
        raise DataError(f"{label_path}: expected labels from 0 to {len(NAMES) - 1}, found {largest}")
    return images.unsqueeze(1), labels.long()


class Net(nn.Module):
    """Two convolutions, each halved by pooling, and a linear layer: (N, 1, 28, 28) -> (N, 10)."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.head = nn.Linear(32 * 7 * 7, len(NAMES))

    def forward(self, images):
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.head(x.flatten(1))


def prepare(images):
    """Bytes to numbers with mean 0 and deviation 1 over the training images."""
    return (images.float() / 255 - 0.2860) / 0.3530


@torch.no_grad()
def predict(model, images, batch_size=1000):
    """Logits (N, 10)."""
    model.eval()
    logits = torch.cat([model(prepare(part)) for part in images.split(batch_size)])
    model.train()
    return logits


def accuracy(model, images, labels):
    """Share of images whose largest logit is at their label."""
    return (predict(model, images).argmax(1) == labels).float().mean().item()


def save_weights(model, path):
    from safetensors.numpy import save_file
    weights = {name: tensor.detach().contiguous().numpy() for name, tensor in model.state_dict().items()}
    save_file(weights, path + ".part")
    os.replace(path + ".part", path)  # A checkpoint is whole or not there.


def load_weights(model, path):
    from safetensors.numpy import load_file
    model.load_state_dict({name: torch.from_numpy(array) for name, array in load_file(path).items()})


def draw(path, losses, accuracies, model, images, labels):
    """Loss and accuracy curves over twelve labelled predictions."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure = plt.figure(figsize=(11, 7), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=[3, 2.6])
    left, right = top.subplots(1, 2)
    window = max(1, len(losses) // 50)
    smooth = [sum(losses[max(0, i - window + 1):i + 1]) / min(i + 1, window) for i in range(len(losses))]
    left.plot(losses, color="0.8", linewidth=0.8, label="each step")
    left.plot(smooth, color="tab:blue", label=f"mean of {window}")
    left.set(title="Training loss", xlabel="step", ylabel="cross entropy", ylim=(0, max(losses) * 1.05))
    left.legend()
    right.plot(range(1, len(accuracies) + 1), [100 * value for value in accuracies], marker="o", color="tab:green")
    right.set(title="Held-out accuracy", xlabel="epoch", ylabel="%", xticks=range(1, len(accuracies) + 1))
    right.margins(x=0.1, y=0.2)
    for number, value in enumerate(accuracies, 1):
        right.annotate(f"{100 * value:.2f}", (number, 100 * value), textcoords="offset points", xytext=(0, 7),
                       ha="center")
    guesses = predict(model, images[:12]).softmax(1)
    for axis, image, guess, label in zip(bottom.subplots(2, 6).flat, images, guesses, labels):
        best = int(guess.argmax())
        axis.imshow(image[0].numpy(), cmap="gray_r")
        text = f"{NAMES[best]} {100 * float(guess[best]):.0f}%"
        if best != int(label):
            text += f"\n(is {NAMES[int(label)]})"
        axis.set_title(text, fontsize=9, color="black" if best == int(label) else "tab:red")
        axis.axis("off")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def train(options, progress):
    """Run the whole demonstration. progress['checkpoint'] is the last checkpoint's path, for whoever interrupts."""
    from tqdm import tqdm
    images, labels = load_split(options.data, "train")
    test_images, test_labels = load_split(options.data, "t10k")
    if options.limit:
        images, labels = images[:options.limit], labels[:options.limit]
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    model = Net()
    print(model)
    print(f"{sum(param.numel() for param in model.parameters()):,} parameters, {len(labels):,} training images, "
          f"{len(test_labels):,} held out, {torch.get_num_threads()} threads")
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    loader = DataLoader(TensorDataset(images, labels), batch_size=options.batch_size, shuffle=True)
    os.makedirs(options.out, exist_ok=True)
    checkpoint = os.path.join(options.out, "weights.safetensors")
    losses, accuracies, seconds = [], [], 0.0
    for epoch in range(1, options.epochs + 1):
        start = time.perf_counter()
        bar = tqdm(loader, desc=f"epoch {epoch}/{options.epochs}", unit="batch", mininterval=0.5)
        for batch, targets in bar:
            loss = F.cross_entropy(model(prepare(batch)), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
            if len(losses) == options.steps:
                break
        bar.close()
        took = time.perf_counter() - start
        seconds += took
        scheduler.step()
        accuracies.append(accuracy(model, test_images, test_labels))
        save_weights(model, checkpoint)
        progress["checkpoint"] = checkpoint
        print(f"epoch {epoch}: held-out accuracy {100 * accuracies[-1]:.2f} %, {took:.1f} s", flush=True)
        if len(losses) == options.steps:
            break

    again = Net()
    load_weights(again, checkpoint)
    for (name, ours), theirs in zip(model.state_dict().items(), again.state_dict().values()):
        if not torch.equal(ours, theirs):
            raise RuntimeError(f"{checkpoint}: {name} differs from the weights that were saved")
    if accuracy(again, test_images, test_labels) != accuracies[-1]:
        raise RuntimeError(f"{checkpoint}: the loaded network has another accuracy than the saved one")
    picture = os.path.join(options.out, "fashion_mnist.png")
    draw(picture, losses, accuracies, again, test_images, test_labels)
    if options.losses:
        with open(options.losses, "w") as file:
            json.dump({"losses": losses, "accuracies": accuracies, "seconds": seconds}, file)
    print(f"{len(losses)} steps in {seconds:.1f} s; weights in {checkpoint} (loaded back: equal), "
          f"curves in {picture}")


def parse(arguments):
    parser = argparse.ArgumentParser(description="Train a small convolutional network on Fashion-MNIST.")
    parser.add_argument("--data", default=os.environ.get("FASHION_MNIST_DIR", DEFAULT_DATA), metavar="DIR",
                        help="directory with the four .gz files (default: %(default)s)")
    parser.add_argument("--out", default="runs/fashion_mnist", metavar="DIR", help="default: %(default)s")
    parser.add_argument("--epochs", type=int, default=4, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=128, help="default: %(default)s")
    parser.add_argument("--lr", type=float, default=2e-3, help="learning rate (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="use the first N training images only")
    parser.add_argument("--steps", type=int, default=0, metavar="N", help="stop after N steps")
    parser.add_argument("--losses", metavar="FILE", help="write the loss of every step there, as JSON")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="number of threads")
    options = parser.parse_args(arguments)
    for name in ("epochs", "batch_size"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be at least 1")
    for name in ("limit", "steps", "threads"):
        if getattr(options, name) < 0:
            parser.error(f"--{name} must not be negative")
    return options


def main(arguments=None):
    options, progress = parse(arguments), {}
    try:
        train(options, progress)
    except DataError as error:
        print(f"fashion_mnist: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = progress.get("checkpoint")
        print(f"\ninterrupted; the last checkpoint is {kept}" if kept else
              "\ninterrupted before the first checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
