"""Gadgets of two and three stages: each coefficient one problem of every stage, and their sum rounded once.

In rational arithmetic, from candidates and masks as anyone can read them.
"""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from references import version2

import slth
from slth.certificate import certify
from slth.construction import Request, construct
from slth.graph import INPUT, Affine, Conv, ConvTranspose, Dense, Graph, Linear, Node, Target, chain
from slth.network import realised, source
from slth.ticket import (
    Inputs,
    Provenance,
    Stage,
    TwoLayer,
    constructed_ticket,
    empty_masks,
    realise,
    realised_digest,
    target_digest,
)

SEED, PATH = 7, "blocks.0/fc"
GAINS = ((0.5, 2.0), (2.0**-11, 2.0**-9), (2.0**-24, 2.0**-30))  # of weights, of biases


def staged(basis, count, *, signed=(), bias=True):
    """So many stages, each narrower than the one before."""
    stages = tuple(
        Stage(5 - s, (4 if bias else 0), 0, g, g_b if bias else 1.0) for s, (g, g_b) in enumerate(GAINS[:count])
    )
    op = Linear(PATH, basis, bias)
    return TwoLayer(stages, signed).fitted(PATH, op, SEED), op


def conv(inputs, outputs, kernel, groups=1, *, transposed=False):
    axes = len(kernel)
    plain = (inputs, outputs, kernel, (2,) * axes, (1,) * 2 * axes, (1,) * axes, groups)
    return ConvTranspose(*plain, (0,) * axes) if transposed else Conv(*plain)


EXAMPLES = {
    "dense, two": staged(Dense(3, 4), 2, signed=((1, 3),)),
    "dense, three": staged(Dense(3, 4), 3),
    "no bias": staged(Dense(2, 3), 3, signed=((0, 2),), bias=False),
    "convolution": staged(conv(4, 6, (2, 2), 2), 3, signed=((1, 3),)),
    "transposed": staged(conv(2, 4, (2, 3), 2, transposed=True), 2, signed=((0, 2),)),
}
every_example = pytest.mark.parametrize(("gadget", "op"), EXAMPLES.values(), ids=EXAMPLES)


def coins(gadget, op, density=0.5):
    masks, rng = empty_masks(gadget, PATH, op), np.random.default_rng(0)
    for block in gadget.problems(PATH, op, SEED):
        shape = len(block.inputs), len(block.pairs), block.columns.shape[1]
        block.write(rng.random(shape) < density, masks)
    return masks


@every_example
def test_every_coefficient_is_one_problem_of_each_stage_and_every_bit_one_candidate(gadget, op):
    rows, inputs, taps = op.coefficients
    pairs = range(rows * taps)
    wanted = {("positive", j, pair) for j in range(inputs) for pair in pairs}
    wanted |= {("negative", j, pair) for j in np.flatnonzero(gadget.signed(op)).tolist() for pair in pairs}
    wanted |= {("bias", g, row * taps) for g in range(op.basis.groups) for row in range(rows) if op.bias}
    for stage in range(gadget.stage_count):
        problems, written = Counter(), Counter()
        for block in gadget.problems(PATH, op, SEED, stage=stage):
            assert block.stage == stage
            problems.update((block.half, int(j), pair) for j in block.inputs for pair in block.pairs)
            masks = empty_masks(gadget, PATH, op)
            block.write(np.ones((len(block.inputs), len(block.pairs), block.columns.shape[1]), np.bool_), masks)
            assert block.kept(masks).all()
            written.update(np.flatnonzero(np.unpackbits(masks[block.tensor], bitorder="little")).tolist())
            assert not any(bits.any() for tensor, bits in masks.items() if tensor != block.tensor)
        assert problems == Counter(wanted)
        assert written == Counter(range(gadget.mask_bits(PATH, op)[block.tensor]))
    assert gadget.cost(op).problems == gadget.stage_count * len(wanted)


@every_example
def test_what_is_written_is_read_again_and_nothing_beside_it_changes(gadget, op):
    masks, rng = coins(gadget, op), np.random.default_rng(1)
    for block in list(gadget.problems(PATH, op, SEED))[::2]:
        before = {tensor: bits.copy() for tensor, bits in masks.items()}
        own = block.of_slots(np.array([0]))
        kept = rng.random((1, len(own.pairs), own.columns.shape[1])) < 0.5
        was = own.kept(masks)
        own.write(kept, masks)
        assert (own.kept(masks) == kept).all()
        own.write(was, masks)
        assert all((masks[tensor] == before[tensor]).all() for tensor in masks)


def exact_sums(gadget, op, masks):
    """P, N and b as fractions."""
    rows, inputs, taps = op.coefficients
    found = {half: np.zeros((rows, inputs, taps), object) for half in ("positive", "negative")}
    found["bias"] = np.zeros((rows, op.basis.groups, taps), object)
    for block in gadget.problems(PATH, op, SEED):
        candidates, kept = block.candidates(), block.kept(masks)
        for slot, w, k in zip(*np.nonzero(kept), strict=True):
            row, tap = divmod(block.pairs[w], taps)
            value = Fraction(float(candidates[slot, w, k])) * Fraction(block.gain)
            found[block.half][row, int(block.inputs[slot]), tap] += value
    return found["positive"], found["negative"], found["bias"][:, :, 0].T.reshape(-1)


@every_example
def test_coefficients_are_the_exact_sums_over_all_stages_rounded_once(gadget, op):
    masks = coins(gadget, op)
    part = realise(gadget, PATH, op, seed=SEED, masks=masks)
    positive, negative, bias = exact_sums(gadget, op, masks)
    once = np.vectorize(float, otypes=[np.float64])
    assert part.rounded
    assert (part.positive == once(positive)).all()
    assert (part.negative is None) == (not gadget.signed(op).any())
    assert part.negative is None or (part.negative == once(negative)).all()
    assert part.bias is None or (part.bias == once(bias)).all()
    if gadget.stage_count == 3:
        assert any(Fraction(float(p)) != q for p, q in zip(part.positive.flat, positive.flat, strict=True))


def ticket_of(gadget, op, masks):
    shape = (op.basis.inputs, *range(5, 5 + len(getattr(op.basis, "kernel", ()))))
    rng = np.random.default_rng(1)
    affine = Affine(rng.normal(size=op.coefficients), rng.normal(size=op.basis.outputs) if op.bias else None)
    graph = Graph((Node("only", op, (INPUT,)),))
    target = Target(graph, {PATH: affine}, input_shape=shape)
    part = realise(gadget, PATH, op, seed=SEED, masks=masks)
    lower = np.broadcast_to(np.where(gadget.signed(op), -1.0, 0.0).reshape(-1, *(1,) * (len(shape) - 1)), shape)
    ends = tuple(lower.reshape(-1).tolist()), (1.0,)
    return constructed_ticket(
        seed=SEED,
        graph=graph,
        gadgets={PATH: gadget},
        inputs=Inputs(shape, None, None, *ends),
        masks=masks,
        digests={PATH: realised_digest(part)},
        claims=certify(target, {PATH: part}.__getitem__, tolerances={PATH: 0.5}, box=None),
        provenance=Provenance("0.0.test", "coin flips", {"tolerance": 0.5}, target=target_digest(target.coefficients)),
    )


@every_example
def test_the_pruned_network_computes_what_is_realised(gadget, op):
    """Neurons of all stages side by side, each with its gain; float32, so that the last stage is below its noise."""
    ticket = ticket_of(gadget, op, coins(gadget, op))
    x = np.random.default_rng(3).uniform(-1, 1, (50, *ticket.inputs.shape))
    signed = gadget.signed(op).reshape(-1, *(1,) * (x.ndim - 2))
    x = torch.from_numpy(np.where(signed, x, np.abs(x)).astype(np.float32))
    with torch.no_grad():
        pruned, function = source(ticket)(x), realised(ticket)(x)
    assert torch.allclose(pruned, function, atol=2e-5, rtol=1e-5)


@every_example
def test_a_file_is_read_again_by_this_reader_and_by_another(gadget, op, tmp_path):
    ticket = ticket_of(gadget, op, coins(gadget, op))
    slth.save(ticket, tmp_path / "staged.slth")
    assert slth.load(tmp_path / "staged.slth").gadgets == ticket.gadgets
    found = version2.read((tmp_path / "staged.slth").read_bytes())[PATH]
    assert found.digest(bool(gadget.signed(op).any())) == ticket.digests[PATH]
    assert found.widths == [stage.neurons for stage in gadget.stages]


@pytest.mark.parametrize("bits", [22, 37.3, 48])
@pytest.mark.parametrize("lower", [0.0, -1.0])
def test_a_construction_keeps_its_promise_in_rational_arithmetic(bits, lower):
    """Every real coefficient is within the tolerance, not only the one that is rounded."""
    rng = np.random.default_rng(int(bits))
    target = chain([Affine(rng.normal(size=(3, 4, 1)), rng.normal(size=3)), Affine(rng.normal(size=(2, 3, 1)), None)])
    inputs = Inputs((4,), lower=(lower,), upper=(1.0,))
    ticket = construct(target, Request(relative_tolerance=2.0 ** (-bits - 1)), inputs=inputs)
    assert ticket.misses == 0
    for path, op in target.graph.maps.items():
        gadget, affine = ticket.gadgets[path], target.coefficients[path]
        assert gadget.stage_count > 1
        tolerance = Fraction(ticket.claims.maps[path].tolerance)
        totals = {}
        for block in gadget.problems(path, op, ticket.seed):
            candidates, kept = block.candidates(), block.kept(ticket.masks)
            for slot, w in np.ndindex(kept.shape[:2]):
                chosen = (Fraction(float(x)) for x in candidates[slot, w][kept[slot, w]])
                at = block.half, int(block.inputs[slot]), block.pairs[w]
                totals[at] = totals.get(at, Fraction(0)) + Fraction(block.gain) * sum(chosen, Fraction(0))
        for (half, j, row), total in totals.items():
            wanted = affine.bias[row] if half == "bias" else affine.weight[row, j, 0]
            sign = -1 if half == "negative" else 1
            assert abs(total - sign * Fraction(float(wanted))) <= tolerance
    assert slth.verify(ticket, target=target).holds
