"""Every construction on the same two targets, one row each; and what pruning the target first does to the source.

    python benchmarks/constructions.py [--tolerance 0.02] [--rows NAME,NAME] [--pruned]

Targets: an MLP 64-32-10 and a small convolutional network, trained here on the embedded digits. A row has the
parameters of the random source, those that are kept, its random layers for each layer of the target, bits of the file
for each weight, the largest error of a weight, the certified and the measured largest error of an output, accuracy,
and the processor time of `construct`. A construction that a theorem does not cover says so.

--pruned: magnitude pruning of the dense target to a density, without training again, and m, the size of the source,
over the parameters that are left.
"""

import argparse
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import slth
from slth.data import load
from slth.records import environment

CONSTRUCTIONS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "two-layer, within": ("2", {}),
    "two-layer, fewest": ("2", {"objective": "fewest"}),
    "two-layer, closest": ("2", {"objective": "closest"}),
    "two-layer, exactly 0.2": ("2", {"objective": "exactly", "density": 0.2}),
    "two-layer, moved 0.01": ("2", {"objective": "moved", "most_move": 0.01}),
    "two-layer, centred": ("2", {"centred": True}),
    "two-layer, normal": ("2", {"law": "normal/20"}),
    "two-layer, three stages": ("2", {"tolerance": 1e-13}),
    "exact": ("2", {"exact": True}),
    "single": ("2", {"gadget": "single"}),
    "single-plain": ("1", {"gadget": "single-plain"}),
    "plain": ("1", {"gadget": "plain"}),
    "copies": ("1 + 1/layers", {"gadget": "copies"}),
    "neurons, groups of 2": ("2", {"gadget": "neurons", "group_size": 2, "tolerance": 0.2}),
    "counts": ("2", {"gadget": "counts"}),
    "doubling": ("p + 1", {"gadget": "doubling"}),
}

COLUMNS = ("source", "kept", "depth", "bits a weight", "error", "misses", "claim", "measured", "accuracy", "time")


def dense() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def convolutional() -> nn.Module:
    first = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(first, nn.Flatten(), nn.Linear(96, 10))


def trained(model: nn.Module, epochs: int = 40) -> nn.Module:
    """On the digits, by Adam."""
    data = load("digits")
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    optimiser = torch.optim.Adam(model.parameters(), 3e-3, weight_decay=1e-4)
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(64):
            optimiser.zero_grad()
            functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimiser.step()
    return model.eval()


def row(model: nn.Module, name: str, tolerance: float, weights: int) -> str:
    depth, options = CONSTRUCTIONS[name]
    asked = {"tolerance": tolerance, **options}
    if options.get("exact"):
        del asked["tolerance"]
    data = load("digits", train=False)
    start = time.process_time()
    try:
        ticket = slth.construct(model, input_shape=(1, 8, 8), input_range=(0, 1), threads=1, **asked)
    except (slth.InputError, TypeError) as error:
        return f"| {name} | not covered: {error} |"
    seconds = time.process_time() - start
    found = slth.evaluate(ticket, (data.test_x, data.test_y), target=model)
    bits = 8 * len(slth.ticket.encode(ticket)) / weights
    claims = ticket.claims
    bound = "none" if claims.sup_error is None else f"{claims.sup_error:.3g}"
    cells = [
        f"{ticket.size:,} ({ticket.size / weights:,.0f} x)",
        f"{ticket.kept_parameters():,}",
        depth,
        f"{bits:.1f}",
        f"{claims.weight_error:.2g}",
        f"{ticket.misses}",
        bound,
        f"{found.measured_error:.2g}",
        f"{found.accuracy.value:.2%}",
        f"{seconds:.2f} s",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def pruned(model: nn.Module, tolerance: float) -> None:
    """m over the parameters that are left."""
    print(
        "| density of the target | parameters left | candidates | m | m / left | m / all |\n|---|---|---|---|---|---|"
    )
    whole = {name: value.detach().clone() for name, value in model.state_dict().items()}
    for density in (1.0, 0.5, 0.1, 0.02):
        state, left, total = {}, 0, 0
        for name, value in whole.items():
            kept = max(1, round(density * value.numel()))
            least = value.abs().flatten().topk(kept).values.min()
            state[name] = value * (value.abs() >= least)
            left, total = left + int((state[name] != 0).sum()), total + value.numel()
        model.load_state_dict(state)
        found = slth.plan(model, input_shape=(1, 8, 8), input_range=(0, 1), tolerance=tolerance)
        m, n = found.source_parameters, [part.candidates for part in found.maps]
        print(f"| {density:g} | {left:,} | {n} | {m:,} | {m / left:,.0f} | {m / total:,.0f} |")
    model.load_state_dict(whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tolerance", type=float, default=0.02)
    parser.add_argument("--rows", default=",".join(CONSTRUCTIONS).replace(", ", "; "))
    parser.add_argument("--pruned", action="store_true")
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread\n")
    torch.manual_seed(0)
    names = [name.replace("; ", ", ") for name in options.rows.split(",")]
    for kind, model in (("dense, 64-32-10", trained(dense())), ("convolutional", trained(convolutional()))):
        weights = sum(value.numel() for value in model.parameters())
        test = load("digits", train=False)
        right = np.mean(model(torch.from_numpy(test.test_x)).argmax(1).numpy() == test.test_y)
        print(f"\n{kind}: {weights:,} parameters, accuracy {right:.2%}, tolerance {options.tolerance:g}\n")
        print(f"| construction | {' | '.join(COLUMNS)} |")
        print("|---" * (len(COLUMNS) + 1) + "|")
        for name in names:
            print(row(model, name, options.tolerance, weights), flush=True)
        if options.pruned and kind.startswith("dense"):
            print()
            pruned(model, options.tolerance)


if __name__ == "__main__":
    main()
