"""Finite precision: weights on a grid are hit exactly, or it is proved that no subset hits them."""

import math

import numpy as np
import pytest

import slth
from slth import InputError
from slth.construction.sizes import sizes_of
from slth.evidence.verify import Verdict
from slth.numerics import finest_bit
from slth.subsetsum import Status, closest_integer
from slth.ticket import decode, encode, summary


def on_grid(bits, seed=0):
    rng = np.random.default_rng(seed)
    rounded = lambda shape, size: (np.rint(rng.normal(0, size, shape) * 2**bits) / 2**bits).astype(np.float32)  # noqa: E731
    return {"0.weight": rounded((6, 5), 0.2), "0.bias": rounded(6, 0.1), "1.weight": rounded((3, 6), 0.2)}


@pytest.mark.parametrize("bits", [4, 8, 12])
def test_every_weight_is_hit_exactly(bits):
    target = on_grid(bits)
    ticket = slth.construct(target, gadget="grid", input_range=(-1, 1))
    assert ticket.misses == 0
    for (path, gadget), weight in zip(ticket.gadgets.items(), (target["0.weight"], target["1.weight"]), strict=True):
        part = ticket.realised(path)
        assert (part.positive[:, :, 0] == weight).all()
        assert part.negative is None or (part.negative[:, :, 0] == -weight).all()
        assert gadget.step <= 2.0**-bits < 4 * gadget.step or gadget.size == 4
    assert all(claim.tolerance == claim.weight_error == claim.bias_error == 0 for claim in ticket.claims.maps.values())
    found = slth.verify(decode(encode(ticket)), target=target)
    assert not [check for check in found.checks if check.verdict is Verdict.FAILS]


def test_too_few_candidates_miss_and_the_integers_prove_it():
    """Whatever is listed as missed has no subset at all, in integer arithmetic."""
    target = on_grid(6)
    ticket = slth.construct(target, gadget="grid", input_range=(0, 1), candidates=9)
    path, op = next(iter(ticket.maps.items()))
    missed = {(m.output, m.input) for m in ticket.provenance.misses if m.map == path and m.half == "positive"}
    assert missed
    assert "each proved" in dict(summary(ticket))["misses"]
    scale = 4.0 ** ticket.gadgets[path].size
    for block in ticket.gadgets[path].problems(path, op, ticket.seed):
        if block.half != "positive":
            continue
        candidates = block.candidates() * scale
        assert (candidates == np.rint(candidates)).all()
        for slot, w in np.ndindex(candidates.shape[:2]):
            row, column = block.rows[w], int(block.inputs[slot])
            z = int(target["0.weight"][row, column] / block.gain * scale)
            status = closest_integer(candidates[slot, w].astype(np.int64), z).status
            assert (status is Status.INFEASIBLE) == ((row, column) in missed)


def test_what_lies_on_no_grid_is_refused_by_name():
    target = on_grid(8)
    target["0.weight"][2, 3] = np.float32(2.0**-60)
    with pytest.raises(InputError, match=r"layers/0: weight number 13 is .* no multiple of .* round the target"):
        slth.construct(target, gadget="grid", input_range=(0, 1))
    with pytest.raises(InputError, match="hits every weight exactly"):
        slth.construct(on_grid(8), gadget="grid", input_range=(0, 1), tolerance=0.1)
    with pytest.raises(InputError, match="hits weights exactly"):
        slth.construct(on_grid(8), gadget="grid", input_range=(0, 1), objective="closest")


def test_the_finest_bit_of_numbers():
    assert finest_bit(np.array([0.75, -3.0])) == 0.25
    assert finest_bit(np.zeros(3)) == math.inf
    assert sizes_of(np.array([[0.5, 2.0**-60]])).step() == 2.0**-60


@pytest.mark.parametrize(("values", "half"), [("integers", 12), ("products", 13), ("halves", 8)])
def test_half_of_the_targets_are_hit_where_theory_says(values, half):
    """log2 M + 1.4 for integers up to M = 2^b (Borgs, Chayes, Pittel, 2001), 2 k + 1 for products on the grid 2^-2k,
    k + 2 with u in {1/2, 1}: within two candidates; four more miss an eighth as often, or less.
    """
    k, rng = 6, np.random.default_rng(0)

    def missed(n, count=200):
        v = rng.integers(-(2**k), 2**k, (count, n), endpoint=True)
        if values == "integers":
            rows, z = rng.integers(-(2**10), 2**10, (count, n), endpoint=True), rng.integers(0, 2**9, count)
        elif values == "products":
            u = rng.integers(2 ** (k - 1), 2**k, (count, n), endpoint=True)
            rows, z = u * v, rng.integers(0, 4**k // 2, count)
        else:
            rows, z = v * rng.integers(1, 2, (count, n), endpoint=True), rng.integers(0, 2**k, count)
        found = [closest_integer(row, int(target)).status for row, target in zip(rows, z, strict=True)]
        return np.mean([status is Status.INFEASIBLE for status in found])

    rates = {n: missed(n) for n in range(half - 2, half + 7)}
    crossing = min(n for n in rates if rates[n] <= 0.5)
    assert abs(crossing - half) <= 2
    assert rates[half + 6] <= 0.1
