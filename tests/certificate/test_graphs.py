"""Certificates of networks of every op: no claim is broken by any input that a search finds.

Such attacks do not test rules (`tests/conformance` does): they test how rules are put together, signs and shapes.
"""

import math

import numpy as np
import pytest
from helpers.ascent import largest
from helpers.graphs import KINDS, Case, random_case, values

from slth.certificate import Certificate, computed
from slth.graph import Linear


def bounds_of(case: Case) -> Certificate:
    return computed(case.target, case.realised.__getitem__, tolerances=dict.fromkeys(case.realised, 0.0), box=case.box)


def attacked(case: Case, seed: int):
    """The largest found of ŷ - y and y - ŷ for each output, then sup and ℓ2 error at each map's node and the output."""
    box, target = case.box, case.target
    nodes = [node.name for node in target.graph.nodes if isinstance(node.op, Linear)]

    def gaps(points):
        x = points.reshape(-1, *box.shape)
        ours, theirs = (values(target, maps, x) for maps in (case.realised, target.coefficients))
        flat = {name: (ours[name] - theirs[name]).reshape(len(x), -1) for name in (*nodes, target.graph.output)}
        found = [flat[target.graph.output], -flat[target.graph.output]]
        for name in (*nodes, target.graph.output):
            found += [np.abs(flat[name]).max(axis=1, keepdims=True), np.linalg.norm(flat[name], axis=1, keepdims=True)]
        return np.hstack(found)

    def project(points):
        return np.clip(points.reshape(-1, *box.shape), box.lower, box.upper).reshape(len(points), -1)

    rng = np.random.default_rng(seed)
    size = math.prod(box.shape)
    ends = np.array([box.lower.min(), box.upper.max(), max(box.lower.min(), 0.0)])
    starts = np.vstack([ends[rng.integers(0, 3, (300, size))], rng.uniform(ends[0], ends[1], (100, size))])
    return nodes, largest(gaps, project, starts, rng=rng, goals=8, rounds=4)


def check(seed: int, *, linear: bool = False) -> tuple[str, float]:
    """Every claim about a random network; the kind, and bound / largest error found (NaN for a constant network)."""
    case = random_case(seed, linear=linear)
    bounds = bounds_of(case)
    nodes, found = attacked(case, seed)
    outputs = len(bounds.output_error)
    room = 1e-12 * (1 + found.max())
    for i, most in enumerate(bounds.output_error):
        assert max(found[i], found[outputs + i]) <= most + room
    rest = found[2 * outputs :]
    maps = {node.name: node.op.map for node in case.target.graph.nodes if isinstance(node.op, Linear)}
    for i, name in enumerate(nodes):
        claim = bounds.maps[maps[name]]
        assert rest[2 * i] <= claim.sup_error + room
        assert rest[2 * i + 1] <= claim.l2_error + room
    assert rest[-2] <= bounds.sup_error + room
    assert rest[-1] <= bounds.l2_error + room
    return case.kind, bounds.sup_error / rest[-2] if rest[-2] > 0 else math.nan


def check_all(seeds, *, linear: bool = False) -> None:
    ratios = {kind: [] for kind in KINDS}
    for seed in seeds:
        kind, ratio = check(seed, linear=linear)
        ratios[kind].append(ratio)
    for kind, found in ratios.items():
        print(f"{kind}: {np.nanmedian(found):.1f}, {np.nanmin(found):.2f} to {np.nanmax(found):.0f}")
    assert np.nanmedian(np.concatenate(list(ratios.values()))) < 10  # bounds are worth having


def test_no_network_errs_more_than_claimed():
    """24 networks, three of each kind."""
    check_all(range(24))


def test_no_network_with_linear_lifts_errs_more_than_claimed():
    check_all(range(100, 108), linear=True)


@pytest.mark.slow
def test_no_network_of_100_with_linear_lifts_errs_more_than_claimed():
    check_all(range(200, 300), linear=True)


@pytest.mark.slow
def test_no_network_of_200_errs_more_than_claimed():
    check_all(range(200))
