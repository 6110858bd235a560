"""Train a network of `slth.network` on images for a given time, and keep what was reached after every epoch.

    python benchmarks/convolutional_training.py FILE --network resnet_20 --data cifar10 --data-dir DIR --minutes 40

The file holds the state dict, the epochs and the seconds. Inputs are in [0, 1]; what normalises them is the network's
first BatchNorm. A network that ends in a mean over all pixels takes images of any size: --small trains on images of
half the side for the first 35 % of the time and of three quarters up to 70 %, where a step costs a quarter and a half.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from slth.data import Examples, augmented, load
from slth.network import build_architecture

BATCH, WARM_UP, PEAK, DECAY = 128, 0.2, 0.2, 5e-4


def rate(progress: float) -> float:
    """Up to the peak on a line, and down to 0 on a line."""
    return PEAK * min(progress / WARM_UP, (1 - progress) / (1 - WARM_UP))


def moved(batch: np.ndarray, rng: np.random.Generator, side: int) -> torch.Tensor:
    """Shifted by up to four pixels and flipped by chance, in [0, 1], averaged down to a side."""
    shifts, flips = rng.integers(-4, 5, (len(batch), 2)), rng.random(len(batch)) < 0.5
    x = torch.from_numpy(augmented(batch, shifts, flips).astype(np.float32) / 255)
    return x if side == x.shape[-1] else functional.interpolate(x, side, mode="area")


def accuracy(model: nn.Module, x: np.ndarray, y: np.ndarray) -> float:
    model.eval()
    with torch.no_grad():
        found = [
            model(torch.from_numpy(x[i : i + 500].astype(np.float32) / 255)).argmax(1) for i in range(0, len(x), 500)
        ]
    return float((torch.cat(found).numpy() == y).mean())


def train(model: nn.Module, data: Examples, path: Path, *, minutes: float, small: bool) -> None:
    """SGD with Nesterov momentum; the rate follows the share of the time that has passed, 0 at the end."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=0.0, momentum=0.9, nesterov=True)
    rng, start, spent, steps = np.random.default_rng(0), time.perf_counter(), time.process_time(), 0
    side = data.shape[-1]
    per_epoch = len(data.train_x) // BATCH
    order = np.empty(0, int)
    while (elapsed := time.perf_counter() - start) < 60 * minutes:
        if steps % per_epoch == 0:
            if steps:
                print(f"side {side}", end=" ")
                keep(
                    model, data, path, epochs=steps / per_epoch, seconds=elapsed, processor=time.process_time() - spent
                )
            model.train()
            order = rng.permutation(len(data.train_x))
        full = data.shape[-1]
        progress = elapsed / (60 * minutes)
        side = full if not small or progress > 0.7 else full * 3 // 4 if progress > 0.35 else full // 2
        rows = order[steps % per_epoch * BATCH :][:BATCH]
        for group in optimizer.param_groups:
            group["lr"] = rate(progress)
        x, y = moved(data.train_x[rows], rng, side), torch.from_numpy(data.train_y[rows])
        loss = functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
    keep(model, data, path, epochs=steps / per_epoch, seconds=elapsed, processor=time.process_time() - spent)


def keep(model: nn.Module, data: Examples, path: Path, *, epochs: float, seconds: float, processor: float) -> None:
    found = accuracy(model, data.test_x, data.test_y)
    part = path.with_suffix(".part")
    torch.save({"state_dict": model.state_dict(), "epochs": epochs, "seconds": seconds, "accuracy": found}, part)
    os.replace(part, path)
    print(
        f"{epochs:.2f} epochs, {seconds:.0f} s ({processor:.0f} s of processor), test accuracy {found:.2%}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--network", default="resnet_20")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--data-dir")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    data = load(options.data, data_dir=options.data_dir)
    torch.manual_seed(0)
    model = build_architecture(options.network, {"inputs": list(data.shape), "classes": data.classes})
    train(model, data, options.file, minutes=options.minutes, small=options.small)


if __name__ == "__main__":
    main()
