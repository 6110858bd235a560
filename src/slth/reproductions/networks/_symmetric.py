"""Small networks with a symmetry and their data: rotated digits, sets, pairs of nodes, a graph of citations."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth.data import load, load_cora
from slth.graph import group_order
from slth.layers import GraphLinear, GroupConv2d, PermutationLinear, SetLinear, adjacency, equivariance
from slth.reproductions._reproduction import Means


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network that commutes with a group, trained.

    `score`: of outputs on x, accuracy or RMSE; `off`: how far a module is from commuting, over elements of the group.
    """

    model: nn.Module
    x: Tensor
    score: Callable[[Tensor], float]
    off: Callable[[nn.Module], float]
    accuracy: bool = True  # what `score` is


def rotated(images: np.ndarray, seed: int) -> Tensor:
    """14 x 14 grey values in [0, 1], each image turned by an angle of its own, bilinear."""
    grey = images.astype(np.float32) / 255 if images.dtype == np.uint8 else images
    x = functional.interpolate(torch.from_numpy(grey), (14, 14), mode="area" if grey.shape[2] > 14 else "bilinear")
    angle = torch.from_numpy(np.random.default_rng(seed).uniform(0, 2 * math.pi, len(x)).astype(np.float32))
    turn = torch.stack([angle.cos(), -angle.sin(), 0 * angle, angle.sin(), angle.cos(), 0 * angle], 1).view(-1, 2, 3)
    grid = functional.affine_grid(turn, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, align_corners=False).clamp(0, 1)


def group_network(group: str, width: int) -> nn.Sequential:
    """Three group convolutions; the largest value over grid and group is invariant."""
    order = group_order(group)
    return nn.Sequential(
        GroupConv2d(1, width, 5, group=group, lifting=True, padding=2), nn.BatchNorm3d(width), nn.ReLU(),
        nn.MaxPool3d((1, 2, 2)),
        GroupConv2d(width, 2 * width, 3, group=group, padding=1), nn.BatchNorm3d(2 * width), nn.ReLU(),
        GroupConv2d(2 * width, 2 * width, 3, group=group, stride=2, padding=1), nn.BatchNorm3d(2 * width), nn.ReLU(),
        nn.MaxPool3d((order, 4, 4)), nn.Flatten(), nn.Linear(2 * width, 10),
    )  # fmt: skip


def fit(model: nn.Module, x: Tensor, y: Tensor, loss: Any, *, epochs: int, lr: float = 3e-3, batch: int = 64) -> None:
    """Adam with a cosine rate."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * (len(x) // batch))
    rng = np.random.default_rng(0)
    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - batch + 1, batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            loss(model(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    model.eval().requires_grad_(False)


def digits(means: Means, *, group: str, width: int, data: str, train: int, epochs: int, seed: int) -> Trained:
    """Rotated images, their class."""
    examples: Any = load(data, data_dir=means.data_dir)
    x, test = rotated(examples.train_x[:train], seed), rotated(examples.test_x[:2000], seed + 1)
    y, labels = torch.from_numpy(examples.train_y[: len(x)]), torch.from_numpy(examples.test_y[: len(test)])
    torch.manual_seed(seed)
    model = group_network(group, width)
    fit(model, x, y, functional.cross_entropy, epochs=epochs)
    return Trained(model, test, _correct(labels), lambda module: equivariance(module, test[:200], group=group).largest)


class Largest(nn.Module):
    """Over the members."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, members, features) -> (batch, features)."""
        return x.amax(1)


def sets(means: Means, *, epochs: int, seed: int) -> Trained:
    """16 numbers; their mean, largest, and deviation."""
    draws = torch.Generator().manual_seed(seed)
    x = torch.rand(6000, 16, 1, generator=draws) * torch.rand(6000, 1, 1, generator=draws)
    y = torch.stack([x.mean(1), x.amax(1), x.std(1)], 1)[..., 0]
    torch.manual_seed(seed)
    model = nn.Sequential(SetLinear(1, 24), nn.ReLU(), SetLinear(24, 24), nn.ReLU(), Largest(), nn.Linear(24, 3))
    fit(model, x[:4000], y[:4000], functional.mse_loss, epochs=epochs)
    return _permuted(model, x[4000:], y[4000:])


def pairs(means: Means, *, epochs: int, seed: int) -> Trained:
    """Graphs of 8 nodes; their edges and triangles, as shares."""
    draws = torch.Generator().manual_seed(seed)
    edges = (torch.rand(6000, 8, 8, generator=draws) < torch.rand(6000, 1, 1, generator=draws)).float().triu(1)
    a = edges + edges.mT
    x, y = a[..., None], torch.stack([a.mean((1, 2)), torch.einsum("zij,zjk,zki->z", a, a, a) / 336], 1)
    torch.manual_seed(seed)
    model = nn.Sequential(
        PermutationLinear(1, 8, reads=2, writes=2), nn.ReLU(), PermutationLinear(8, 8, reads=2, writes=2), nn.ReLU(),
        PermutationLinear(8, 16, reads=2, writes=0), nn.ReLU(), nn.Linear(16, 2),
    )  # fmt: skip
    fit(model, x[:4000], y[:4000], functional.mse_loss, epochs=epochs)
    return _permuted(model, x[4000:], y[4000:])


def citations(means: Means, *, steps: int, seed: int) -> Trained:
    """The papers of Cora, their field; nodes with other numbers are the group."""
    cora = load_cora(means.data_dir)
    nodes = len(cora.labels)
    x = torch.from_numpy(cora.features / np.maximum(cora.features.sum(1, keepdims=True), 1))[None]
    labels, train, test = map(torch.from_numpy, (cora.labels, cora.train, cora.test))

    def network(edges: np.ndarray) -> nn.Sequential:
        entries = adjacency(torch.from_numpy(edges), nodes)
        torch.manual_seed(seed)
        layers = [GraphLinear(x.shape[2], 16, entries, nodes), nn.ReLU(), nn.Dropout(0.5)]
        return nn.Sequential(*layers, GraphLinear(16, cora.classes, entries, nodes))

    model = network(cora.edges)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(functional.dropout(x, 0.5))[0, train], labels[train]).backward()
        optimizer.step()
    model.eval().requires_grad_(False)
    order = np.random.default_rng(seed).permutation(nodes)  # node i is called order[i]
    state = model.state_dict()

    def relabelled(module: Any) -> float:
        """The network on the graph whose nodes have other numbers; of the ticket with its own coefficients."""
        other = network(order[cora.edges]).eval().requires_grad_(False)
        parts: dict[str, Any] = state if module is model else {
            name: part
            for path, own in zip(module.paths, module.maps, strict=True)
            for name, part in ((f"{path}.weight", own.positive), (f"{path}.bias", own.bias))
            if part is not None
        }  # fmt: skip
        other.load_state_dict(parts)
        moved = torch.empty_like(x)
        moved[:, order] = x
        return float((other(moved)[:, order] - module(x)).abs().max())

    correct = _correct(labels[test])
    return Trained(model, x, lambda y: correct(y[0, test]), relabelled)


def _permuted(model: nn.Module, x: Tensor, y: Tensor) -> Trained:
    def deviation(found: Tensor) -> float:
        return float((found - y).square().mean().sqrt())

    return Trained(model, x, deviation, lambda module: equivariance(module, x[:200], group="S").largest, accuracy=False)


def _correct(labels: Tensor) -> Callable[[Tensor], float]:
    return lambda y: float((y.argmax(-1) == labels).float().mean())
