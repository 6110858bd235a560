"""Networks with symmetry as tickets: C4 and D4 on rotated MNIST, sets and pairs of generated data, a graph on Cora.

    python benchmarks/symmetry.py --data-dir DIR
    python benchmarks/symmetry.py --only sets

Every network is trained here, in float32 on one thread. Printed of each: what target and ticket reach on test data, the
largest |f(g x) − g f(x)| over the group of both (of sets over 120 random permutations, of the graph over relabelled
ones), coefficients against those of an unconstrained map between the same values, the certificate over all inputs, the
largest bound per input on the first 200 (of the graph: on its features), the worst difference that was seen, bits per
parameter, seconds of processor.
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

import slth
from slth.certificate import per_input_error
from slth.data import load, load_cora
from slth.graph import Steerable, group_order, shapes
from slth.layers import GraphLinear, GroupConv2d, PermutationLinear, SetLinear, adjacency, equivariance
from slth.network import read_target
from slth.records import environment

RELATIVE = 0.001  # tolerance, in gains of each map
Act = Callable[[Tensor], Tensor]


def rotated(images: np.ndarray, seed: int) -> Tensor:
    """14 x 14 means of 2 x 2 grey values in [0, 1], each image turned by an angle of its own, bilinear."""
    x = functional.avg_pool2d(torch.from_numpy(images.astype(np.float32) / 255), 2)
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


def measured(name: str, model: nn.Module, x: Tensor, score: Callable[[Tensor], str], error: Callable[..., str]) -> None:
    """One network: target and ticket, side by side. `error` says how far a module is from commuting."""
    shape = tuple(x.shape[1:])
    start = time.process_time()
    ticket = slth.construct(model, input_shape=shape, input_range=(0, 1), relative_tolerance=RELATIVE)
    spent = time.process_time() - start
    realised = slth.realised(ticket)
    y, z = model(x), realised(x)
    holds = slth.verify(ticket, target=model).holds
    each = per_input_error(read_target(model, input_shape=shape), ticket.realised, x[:200].numpy()).max()
    coefficients = sum(math.prod(op.coefficients) for op in ticket.maps.values())
    bound = ticket.claims.sup_error
    print(
        f"| {name} | {score(y)} | {score(z)} | {error(model)} | {error(realised)} | {coefficients:,} | "
        f"{unconstrained(ticket):,} | {bound:.3g} ({'holds' if holds else 'FAILS'}) | {each:.2g} | "
        f"{float((y - z).abs().max()):.2g} | {ticket.mask_bits / ticket.target_parameters:.1f} | {spent:.1f} s |",
        flush=True,
    )


def unconstrained(ticket: slth.Ticket) -> int:
    """Coefficients without the symmetry: of a convolution of all (channel, element), else a matrix of all entries."""
    known = shapes(ticket.network, ticket.inputs.shape, ticket.carried)
    total = 0
    for node in ticket.network.nodes:
        basis = getattr(node.op, "basis", None)
        if isinstance(basis, Steerable):
            total += basis.unconstrained
        elif basis is not None:
            total += math.prod(known[node.name]) * math.prod(known[node.inputs[0]])
    return total


def correct(labels: Tensor) -> Callable[[Tensor], str]:
    return lambda y: f"{float((y.argmax(-1) == labels).float().mean()):.2%}"


def deviation(wanted: Tensor) -> Callable[[Tensor], str]:
    return lambda y: f"RMSE {float((y - wanted).square().mean().sqrt()):.4f}"


def off(x: Tensor, group: str) -> Callable[[nn.Module], str]:
    def error(module: nn.Module) -> str:
        found = equivariance(module, x, group=group)
        return "0" if found.exact else f"{found.largest:.1e}"

    return error


def digits(options: argparse.Namespace) -> None:
    data = load("mnist", data_dir=options.data_dir)
    x, test = rotated(data.train_x[: options.train], 0), rotated(data.test_x[: options.test], 1)
    y, labels = torch.from_numpy(data.train_y[: len(x)]), torch.from_numpy(data.test_y[: len(test)])
    for group, width in (("C4", 8), ("D4", 6)):
        torch.manual_seed(0)
        model = group_network(group, width)
        fit(model, x, y, functional.cross_entropy, epochs=options.epochs)
        measured(f"{group}, rotated MNIST", model, test, correct(labels), off(test[:200], group))


class Largest(nn.Module):
    """Over the members."""

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(1)


def sets(_: argparse.Namespace) -> None:
    """Of 16 numbers: their mean, largest, and deviation. Of a graph of 8 nodes: edges and triangles, as shares."""
    draws = torch.Generator().manual_seed(0)
    x = torch.rand(6000, 16, 1, generator=draws) * torch.rand(6000, 1, 1, generator=draws)
    y = torch.stack([x.mean(1), x.amax(1), x.std(1)], 1)[..., 0]
    torch.manual_seed(0)
    model = nn.Sequential(SetLinear(1, 24), nn.ReLU(), SetLinear(24, 24), nn.ReLU(), Largest(), nn.Linear(24, 3))
    fit(model, x[:4000], y[:4000], functional.mse_loss, epochs=20)
    measured("sets of 16 numbers", model, x[4000:], deviation(y[4000:]), off(x[4000:4200], "S"))

    edges = (torch.rand(6000, 8, 8, generator=draws) < torch.rand(6000, 1, 1, generator=draws)).float().triu(1)
    a = edges + edges.mT
    y = torch.stack([a.mean((1, 2)), torch.einsum("zij,zjk,zki->z", a, a, a) / 336], 1)
    x = a[..., None]
    torch.manual_seed(0)
    model = nn.Sequential(
        PermutationLinear(1, 8, reads=2, writes=2), nn.ReLU(), PermutationLinear(8, 8, reads=2, writes=2), nn.ReLU(),
        PermutationLinear(8, 16, reads=2, writes=0), nn.ReLU(), nn.Linear(16, 2),
    )  # fmt: skip
    fit(model, x[:4000], y[:4000], functional.mse_loss, epochs=10)
    measured("pairs of 8 nodes", model, x[4000:], deviation(y[4000:]), off(x[4000:4200], "S"))


def citations(options: argparse.Namespace) -> None:
    cora = load_cora(options.data_dir)
    nodes = len(cora.labels)
    x = torch.from_numpy(cora.features / np.maximum(cora.features.sum(1, keepdims=True), 1))[None]
    labels, train, test = map(torch.from_numpy, (cora.labels, cora.train, cora.test))

    def network(edges: np.ndarray) -> nn.Sequential:
        entries = adjacency(torch.from_numpy(edges), nodes)
        torch.manual_seed(0)
        layers = [GraphLinear(x.shape[2], 16, entries, nodes), nn.ReLU(), nn.Dropout(0.5)]
        return nn.Sequential(*layers, GraphLinear(16, cora.classes, entries, nodes))

    model = network(cora.edges)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-3)
    for _ in range(options.steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(functional.dropout(x, 0.5))[0, train], labels[train]).backward()
        optimizer.step()
    model.eval().requires_grad_(False)
    order = np.random.default_rng(0).permutation(nodes)  # node i is called order[i]
    state = model.state_dict()

    def relabelled(module: nn.Module) -> str:
        """The network on the graph whose nodes have other numbers; of the ticket with its own coefficients."""
        other = network(order[cora.edges]).eval().requires_grad_(False)
        parts = state if module is model else {
            name: part
            for path, own in zip(module.paths, module.maps, strict=True)
            for name, part in ((f"{path}.weight", own.positive), (f"{path}.bias", own.bias))
            if part is not None
        }  # fmt: skip
        other.load_state_dict(parts)
        moved = torch.empty_like(x)
        moved[:, order] = x
        return f"{float((other(moved)[:, order] - module(x)).abs().max()):.1e}"

    measured("graph, Cora", model, x, lambda y: correct(labels[test])(y[0, test]), relabelled)


PARTS = {"digits": digits, "sets": sets, "cora": citations}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--train", type=int, default=6000, help="training images")
    parser.add_argument("--test", type=int, default=2000, help="test images")
    parser.add_argument("--epochs", type=int, default=6, help="over the training images")
    parser.add_argument("--steps", type=int, default=100, help="of training on Cora")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(environment())
    print(
        "| network | target | ticket | off, target | off, ticket | coefficients | unconstrained | certified | "
        "per input | seen | bits | time |\n" + "| --- " * 12 + "|"
    )
    for name in [options.only] if options.only else PARTS:
        PARTS[name](options)


if __name__ == "__main__":
    main()
