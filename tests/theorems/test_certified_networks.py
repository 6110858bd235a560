"""The whole road on small networks: no input found by any attack errs more than the certificate says."""

import itertools

import numpy as np
import pytest
import torch
from helpers.networks import forward, forward_realised, inputs_of, random_target, realised_maps

from slth.construction import Request, construct
from slth.network import outputs, realised, source, target_module

NETWORKS = [
    # widths, bias, range
    ((3, 5, 2), True, (-1.0, 1.0)),
    ((6, 7, 7, 3), True, (-2.0, 1.5)),
    ((5, 8, 4), False, (0.0, 1.0)),
    ((4, 6, 6, 6, 6, 2), True, ((-1.0, 0.0, 0.5, -3.0), (1.0, 1.0, 2.0, -1.0))),
    ((8, 10, 3), True, (0.0, 1.0)),
]


def attack(target, parts, box, *, points=10_000, steps=200, seed=0):
    """Largest |f − f̂| of one output in float64: corners, random points, projected gradient ascent from the worst."""
    rng = np.random.default_rng(seed)
    inputs = next(iter(target.graph.maps.values())).basis.inputs
    corners = np.array(list(itertools.product([0.0, 1.0], repeat=inputs)))
    unit = np.concatenate([corners, rng.random((points // 2, inputs)), rng.integers(0, 2, (points // 2, inputs))])
    x = box.lower + unit * (box.upper - box.lower)
    error = np.abs(forward(target, x) - forward_realised(parts, x))
    worst = float(error.max())
    weights = [
        (torch.from_numpy(t.weight[:, :, 0]), None if t.bias is None else torch.from_numpy(t.bias))
        for t in target.coefficients.values()
    ]
    halves = [
        (
            torch.from_numpy(p.positive[:, :, 0]),
            None if n is None else torch.from_numpy(n[:, :, 0]),
            None if p.bias is None else torch.from_numpy(p.bias),
        )
        for p in parts.values()
        for n in [-p.positive if p.linear else p.negative]
    ]
    low, high = (torch.from_numpy(np.broadcast_to(end, inputs).copy()) for end in (box.lower, box.upper))
    for output in range(error.shape[1]):
        at = torch.from_numpy(x[np.argsort(error[:, output])[-20:]].copy()).requires_grad_()
        for step in range(steps):
            y, z = at, at
            for i, ((w, b), (p, n, c)) in enumerate(zip(weights, halves, strict=True)):
                y, z = (torch.relu(y), torch.relu(z)) if i else (y, z)
                y = torch.nn.functional.linear(y, w, b)
                z = torch.nn.functional.linear(z.clamp(min=0), p, c) + (0 if n is None else (-z).clamp(min=0) @ n.T)
            gap = (y - z)[:, output].abs()
            worst = max(worst, float(gap.detach().max()))
            (slope,) = torch.autograd.grad(gap.sum(), at)
            size = 0.2 * (1 - step / steps) * (high - low)
            at = torch.minimum(torch.maximum(at.detach() + size * slope.sign(), low), high).requires_grad_()
    return worst


LIFTS = ["relu", "linear"]


@pytest.mark.parametrize(
    ("seed", "lift"),
    [
        pytest.param(seed, lift, marks=() if (seed + linear) % 2 else pytest.mark.slow)
        for seed in range(5)
        for linear, lift in enumerate(LIFTS)
    ],
)
@pytest.mark.parametrize(("widths", "bias", "ends"), NETWORKS)
def test_no_attack_finds_an_error_above_the_bound(widths, bias, ends, seed, lift):
    """25 networks, tolerances from 0.3 to 1e-4, each with two kinds of lifts."""
    target = random_target(widths, bias=bias, seed=seed, scale=1.5)
    tolerance = [0.3, 0.1, 0.01, 1e-3, 1e-4][seed]
    ticket = construct(target, Request(tolerance=tolerance, seed=seed, lift=lift), inputs=inputs_of(target, *ends))
    worst = attack(target, realised_maps(ticket), ticket.inputs.box, points=2000, seed=seed)
    assert 0 < worst <= ticket.claims.sup_error
    assert ticket.claims.sup_error < 400 * worst  # a bound, not a platitude


@pytest.mark.parametrize("lift", LIFTS)
@pytest.mark.parametrize(("widths", "bias", "ends"), NETWORKS)
def test_the_two_views_agree_to_float32_rounding(widths, bias, ends, lift):
    """Both round sums of up to `live` products; the difference is at most their number times 2^-24 times the mass."""
    target = random_target(widths, bias=bias)
    ticket = construct(target, Request(tolerance=1e-3, lift=lift), inputs=inputs_of(target, *ends))
    box = ticket.inputs.box
    x = (box.lower + np.random.default_rng(1).random((500, widths[0])) * (box.upper - box.lower)).astype(np.float32)
    pruned, short = outputs(source(ticket), x), outputs(realised(ticket), x)
    exact = forward_realised(realised_maps(ticket), x.astype(np.float64))
    scale = np.abs(exact).max()
    assert np.abs(pruned - exact).max() < 2e-5 * scale
    assert np.abs(short - exact).max() < 2e-6 * scale
    assert np.abs(outputs(target_module(target), x) - forward(target, x.astype(np.float64))).max() < 2e-6 * scale
