"""The largest difference |f − f̂| that a search finds on a box: random inputs, corners, data, gradient ascent from them.

What is found is a lower bound on the supremum. Both networks are evaluated in float64 from their exact coefficients, so
rounding moves what is found by about 1e-13 of the outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from slth.graph import Box, Realised, Target
from slth.network import target_module
from slth.network.build import Network
from slth.network.maps import RealisedMap


@dataclass(frozen=True, slots=True)
class Found:
    """The largest errors found, by the way they were found, and of any output and in norm."""

    by: Mapping[str, float]
    each: np.ndarray  # of each output
    norm: float

    @property
    def worst(self) -> float:
        return max(self.by.values())


def attack(
    target: Target,
    realised: Mapping[str, Realised],
    box: Box,
    *,
    data: np.ndarray | None = None,
    points: int = 500,
    goals: int = 10,
    starts: int = 4,
    steps: int = 100,
    batch: int = 250,
) -> Found:
    """Search from `points` random inputs, as many corners, and all data; ascent on the `goals` largest outputs.

    Each goal is followed from its `starts` worst inputs: steps along the sign of the gradient, from a fifth of the box
    down to nothing.
    """
    mine = {path: RealisedMap(op.basis, realised[path], torch.float64) for path, op in target.graph.maps.items()}
    networks = target_module(target, torch.float64), Network(target.graph, mine, target.carried, torch.float64)
    low, high = (torch.from_numpy(np.broadcast_to(end, box.shape).copy()) for end in (box.lower, box.upper))
    rng = np.random.default_rng(0)
    tried = {
        "random": low + torch.from_numpy(rng.random((points, *box.shape))) * (high - low),
        "corners": torch.where(torch.from_numpy(rng.random((points, *box.shape)) < 0.5), low, high),
    }
    if data is not None:
        tried["data"] = torch.from_numpy(data.astype(np.float64))

    def gap(x: torch.Tensor) -> torch.Tensor:
        return (networks[1](x) - networks[0](x)).reshape(len(x), -1)

    with torch.no_grad():
        gaps = {name: torch.cat([gap(part) for part in x.split(batch)]) for name, x in tried.items()}
    by = {name: float(found.abs().max()) for name, found in gaps.items()}
    pool, found = torch.cat(list(tried.values())), torch.cat(list(gaps.values()))
    each, norm = found.abs().amax(0), float(found.norm(dim=1).max())
    chosen = each.argsort(descending=True)[:goals]
    first = torch.stack([found[:, goal].abs().argsort(descending=True)[:starts] for goal in chosen])  # (goal, start)
    x, goal = pool[first.ravel()], chosen.repeat_interleave(first.shape[1])
    rows, climbed = torch.arange(len(x)), 0.0
    for step in range(steps):
        x = x.detach().requires_grad_()
        slopes, seen = [], []
        for part, at in zip(x.split(batch), rows.split(batch), strict=True):
            difference = gap(part)
            (slope,) = torch.autograd.grad(difference[torch.arange(len(at)), goal[at]].abs().sum(), part)
            slopes.append(slope)
            seen.append(difference.detach())
        values = torch.cat(seen)
        climbed, norm = max(climbed, float(values.abs().max())), max(norm, float(values.norm(dim=1).max()))
        each = torch.maximum(each, values.abs().amax(0))
        x = torch.clamp(x.detach() + 0.2 * (1 - step / steps) * (high - low) * torch.cat(slopes).sign(), low, high)
    return Found({**by, "gradient": climbed}, each.numpy(), norm)
