"""LeNet-5, trained."""

import io
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from slth._files import write_atomically
from slth.data import Examples
from slth.network import build_architecture
from slth.reproductions._reproduction import Means
from slth.reproductions.networks._targets import made_once
from slth.ticket import Inputs


def trained_lenet(means: Means, examples: Examples, *, data: str, epochs: int, seed: int) -> nn.Sequential:
    """LeNet-5 trained by Adam, rate 1e-3, batch 64; made once."""
    path = means.shared / f"lenet-{data}-{epochs}-{seed}.pt"
    torch.manual_seed(seed)
    model: Any = build_architecture("lenet_5", {"inputs": list(examples.shape), "classes": examples.classes})

    def make() -> None:
        _fit(model, examples, epochs)
        held = io.BytesIO()
        torch.save(model.state_dict(), held)
        write_atomically(path, held.getvalue())

    model.load_state_dict(torch.load(made_once(path, make)))
    return model.eval().requires_grad_(False)


def _fit(model: nn.Module, examples: Examples, epochs: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.from_numpy(Inputs(examples.shape).normalised(examples.train_x)), torch.from_numpy(examples.train_y)
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
