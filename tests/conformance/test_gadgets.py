"""Every gadget: each coefficient is one problem, each mask bit one candidate, and what is kept adds up, exactly.

A further gadget is a line of `EXAMPLES`: the gadget at its width, and the map it makes.
"""

import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers.gadgets import counts, doubling, grid, merged, one_stage, plain, single, single_plain, staged

from slth import InputError
from slth.certificate import certify
from slth.graph import (
    INPUT,
    Affine,
    Conv,
    ConvTranspose,
    Dense,
    Graph,
    Linear,
    Node,
    Permutation,
    Realised,
    Steerable,
    Target,
)
from slth.network import realised, source
from slth.numerics import draw, source_law
from slth.ticket import (
    GADGETS,
    Copies,
    Doubling,
    Edges,
    Inputs,
    Lifted,
    Neurons,
    Provenance,
    Sums,
    TwoLayer,
    constructed_ticket,
    pack,
    realise,
    realised_digest,
    target_digest,
)
from slth.ticket.format.v2_gadgets import RANKED
from slth.ticket.gadgets import bit_groups, two_layer
from slth.ticket.gadgets import blocks as shared_blocks
from slth.ticket.gadgets import gadget as interface

SEED, PATH = 7, "blocks.0/fc"
MIXING = f"{PATH}/mixing"


def dense(inputs, outputs, *, signed=(), bias=True, candidates=5, constants=6, **source):
    """A dense map and what its gadget is to have."""
    return Dense(inputs, outputs), signed, bias, candidates, constants, source


def conv(
    inputs, outputs, kernel, *, groups=1, signed=(), bias=True, candidates=4, constants=5, transposed=False, **source
):
    """A convolution with stride 2 and some padding, in place of the dense map."""
    axes = len(kernel)
    plain = (inputs, outputs, kernel, (2,) * axes, (1,) * 2 * axes, (1,) * axes, groups)
    basis = ConvTranspose(*plain, (0,) * axes) if transposed else Conv(*plain)
    return basis, signed, bias, candidates, constants, source


def fitted(make, basis, signed, bias, candidates, constants, source):
    """The gadget that one of `helpers.gadgets` makes, as wide as the scan of SEED needs it, and its map."""
    op = Linear(PATH, basis, bias)
    gadget = replace(make(candidates, constants if bias else 0, 0, signed, 0.5, 2.0), **source)
    return gadget.fitted(PATH, op, SEED), op


def whole_neurons(basis, size, *, signed=(), bias=True, candidates=4, constants=5):
    """Two random layers whose neurons serve `size` outputs at once."""
    op = Linear(PATH, basis, bias)
    gadget = Neurons(size, candidates, constants if bias else 0, 0, 0.5, 2.0 if bias else 1.0, signed)
    return gadget.fitted(PATH, op, SEED), op


def plain_conv(inputs, outputs, kernel, *, transposed=False):
    return conv(inputs, outputs, kernel, transposed=transposed)[0]


def copied(basis, *, copies, signed=(), bias=True, constants=6):
    """A map that reads copies of its channels: as many inputs as the basis has."""
    op = Linear(PATH, basis, bias)
    gadget = Copies(copies, constants if bias else 0, 0, signed, 0.5, 2.0 if bias else 1.0)
    return gadget.fitted(PATH, op, SEED), op


def conv_of(inputs, outputs, kernel, groups=1):
    axes = len(kernel)
    return Conv(inputs, outputs, kernel, (2,) * axes, (1,) * 2 * axes, (1,) * axes, groups)


DENSE = [
    dense(3, 4),
    dense(3, 4, bias=False),
    dense(3, 4, signed=((0, 3),)),
    dense(5, 2, signed=((1, 2), (3, 5)), bias=False, candidates=3),
    dense(1, 1, signed=((0, 1),), candidates=1, constants=1),
    dense(2, 7, signed=((1, 2),), candidates=64, constants=64),
]
CONV = [
    conv(2, 3, (3, 3), signed=((0, 1),)),
    conv(4, 6, (2, 2), groups=2, signed=((1, 3),)),
    conv(3, 3, (3,), groups=3, signed=((0, 3),), bias=False),
    conv(2, 4, (2, 3), groups=2, signed=((0, 2),), transposed=True),
]
LINEAR = [
    dense(3, 4, signed=((0, 3),), linear=True),
    dense(5, 2, signed=((1, 2), (3, 5)), bias=False, candidates=3, linear=True),
    dense(3, 4, linear=True),
    dense(1, 1, signed=((0, 1),), candidates=1, constants=1, linear=True),
    dense(2, 7, signed=((1, 2),), candidates=64, constants=64, linear=True),
    conv(2, 3, (3, 3), signed=((0, 1),), linear=True),
    conv(4, 6, (2, 2), groups=2, signed=((1, 3),), linear=True),
    conv(2, 4, (2, 3), groups=2, signed=((0, 2),), transposed=True, linear=True),
    dense(3, 4, signed=((0, 2),), law="normal/20", linear=True),
    dense(3, 4, signed=((0, 2),), law="mixture/0.5/grid/3", linear=True),
    conv(4, 6, (2, 2), groups=2, signed=((1, 3),), law="pruned/0.5", linear=True),
    dense(3, 4, signed=((0, 2),), centred=True, linear=True),
    conv(2, 4, (2, 3), groups=2, signed=((0, 2),), transposed=True, centred=True, linear=True),
]
LONG = [dense(2, 3, signed=((0, 1),), candidates=150, constants=70), conv(2, 2, (2,), candidates=130, constants=65)]
SOURCES = [
    *(
        dense(3, 4, signed=((0, 2),), law=law)
        for law in ("sign", "normal/20", "grid/2", "hyperbolic/8", "pruned/0.5", "mixture/0.5/sign")
    ),
    dense(2, 3, signed=((1, 2),), candidates=64, constants=64, law="normal/20"),
    conv(4, 6, (2, 2), groups=2, signed=((1, 3),), law="pruned/0.5"),
    dense(3, 4, signed=((0, 2),), centred=True),
    dense(2, 3, signed=((1, 2),), candidates=64, constants=64, centred=True),
    conv(4, 6, (2, 2), groups=2, signed=((1, 3),), centred=True),
    conv(2, 4, (2, 3), groups=2, signed=((0, 2),), transposed=True, centred=True),
]
SYMMETRIC = [  # a gadget knows coefficients alone: what it does to those of a convolution, it does to these
    (Steerable(2, 3, "C4", 2, 1, 0, True), ((1, 2),), True, 4, 5, {}),
    (Steerable(2, 2, "C4", 1, 1, 0, False), ((0, 1),), True, 4, 5, {}),
    (Permutation(2, 3, 1, 2, 3), ((1, 2),), True, 4, 5, {}),
]
MAKERS = {
    "two-layer": (one_stage, DENSE + CONV + SOURCES + LINEAR + SYMMETRIC),
    "merged": (merged, [LINEAR[0], LINEAR[1], LINEAR[3]]),
    "single": (single, DENSE + CONV + LONG),
    "single-plain": (single_plain, DENSE + CONV + LONG),
    "plain": (plain, DENSE + CONV),
    "counts": (counts, DENSE + CONV + LONG),
    "doubling": (doubling, DENSE[:-1]),
    "grid": (grid, DENSE + CONV),
}
EXAMPLES = {name: [fitted(make, *shape) for shape in shapes] for name, (make, shapes) in MAKERS.items()} | {
    "copies": [
        copied(Dense(15, 4), copies=3),
        copied(Dense(12, 5), copies=4, bias=False, signed=((4, 8),)),
        copied(Dense(5, 2), copies=5, signed=((0, 5),), constants=1),
        copied(Dense(64, 2), copies=64, constants=64),
        copied(conv_of(8, 6, (3, 2), groups=2), copies=2, signed=((0, 4),)),
        copied(conv_of(6, 6, (3,), groups=3), copies=2, bias=False),
        copied(Permutation(6, 4, 1, 1, 5), copies=2, signed=((0, 2),)),
        copied(Steerable(6, 4, "C4", 2, 1, 0, False), copies=3, signed=((3, 6),)),
        copied(ConvTranspose(8, 4, (2, 3), (2, 2), (1,) * 4, (1, 1), 2, (0, 0)), copies=4, signed=((4, 8),)),
    ],
    "neurons": [
        whole_neurons(Dense(3, 4), 2),
        whole_neurons(Dense(5, 7), 3, signed=((1, 2), (3, 5))),  # a last group of one
        whole_neurons(Dense(4, 3), 3, signed=((0, 4),), bias=False),  # one group of all outputs
        whole_neurons(Dense(2, 5), 1, signed=((1, 2),), candidates=64, constants=64),
        whole_neurons(Dense(1, 1), 1, candidates=1, constants=1),
        whole_neurons(plain_conv(2, 3, (1, 1)), 2, signed=((0, 1),)),
        whole_neurons(plain_conv(2, 3, (3, 3)), 1, signed=((0, 1),)),
        whole_neurons(plain_conv(2, 3, (2,)), 2),
        whole_neurons(Permutation(2, 3, 2, 0, 4), 2, signed=((0, 1),)),
        whole_neurons(Steerable(2, 3, "D4", 1, 1, 0, False), 2, signed=((0, 1),)),
        whole_neurons(plain_conv(2, 4, (1, 2), transposed=True), 3, signed=((0, 2),)),
    ],
}
EVERY = [pytest.param(*example, id=f"{name}-{i}") for name in EXAMPLES for i, example in enumerate(EXAMPLES[name])]
every_gadget = pytest.mark.parametrize(("gadget", "op"), EVERY)


def blocks(gadget, op):
    return list(gadget.problems(PATH, op, SEED))


def coins(gadget, op, density=0.5):
    """A mask of the shape that the gadget lays out, with no more candidates of a coefficient than it allows."""
    rng = np.random.default_rng(0)
    if any(block.most_kept < block.columns.shape[1] for block in blocks(gadget, op)):
        bits = np.zeros(-(-gadget.cost(op).mask_bits // 8), np.uint8)
        for block in blocks(gadget, op):
            n = block.columns.shape[1]
            kept = np.eye(n, dtype=bool)[rng.integers(0, n, len(block.inputs) * len(block.pairs))]
            kept[rng.random(len(kept)) >= density] = False
            block.keep(packed_rows(kept), {MIXING: bits})
        return gadget.mask(PATH, op, seed=SEED, bits=bits)
    mask = gadget.mask(PATH, op, seed=SEED, bits=pack(rng.random(gadget.cost(op).mask_bits) < density))
    for block in blocks(gadget, op) if source_law(law_of(gadget)).prunes else ():
        for slot, pair, k in np.argwhere(block.candidates() == 0):  # what was pruned from the start cannot be kept
            mask[block.pairs[pair], block.columns[slot, k]] = False
    return mask


def packed_rows(kept):
    """Masks bool (problem, n) as words."""
    count, n = kept.shape
    bits = np.zeros((count, 64 * -(-n // 64)), np.uint8)
    bits[:, :n] = kept
    return np.packbits(bits, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def copies_of(gadget):
    """Of each channel; all of them are candidates of one problem."""
    return gadget.copies if isinstance(gadget, Copies) else 1


def is_centred(gadget):
    """Of mirrored pairs."""
    return getattr(gadget, "centred", False)


def law_of(gadget):
    """Of its mixing weights."""
    return "sign" if isinstance(gadget, Doubling) else getattr(gadget, "law", "uniform")


def groups(op):
    return op.basis.groups


def input_shape(op):
    """Of one input: channels, and lengths 5, 6, ... where there are axes; of a group convolution a square."""
    if isinstance(op.basis, Steerable):
        return (op.basis.inputs, *(() if op.basis.lifting else (op.basis.order,)), 5, 5)
    if isinstance(op.basis, Permutation):
        return (*(op.basis.members,) * op.basis.reads, op.basis.inputs)
    return (op.basis.inputs, *range(5, 5 + len(getattr(op.basis, "kernel", ()))))


def of_channels(values, op):
    """To broadcast against a batch of inputs."""
    return values if op.basis.channel_axis == -1 else values.reshape(-1, *(1 for _ in input_shape(op)[1:]))


def ticket_of(gadget, op, mask, *, inputs=None):
    """A ticket of one map, and a target that it misses."""
    graph = Graph((Node("only", op, (INPUT,)),))
    rng = np.random.default_rng(1)
    weight, bias = rng.normal(size=op.coefficients), rng.normal(size=op.basis.outputs) if op.bias else None
    target = Target(graph, {PATH: Affine(weight, bias)}, input_shape=input_shape(op))
    bits = gadget.pack(PATH, op, seed=SEED, mask=mask)
    parts = {PATH: realise(gadget, PATH, op, seed=SEED, masks={MIXING: bits})}
    inputs = Inputs(input_shape(op)) if inputs is None else inputs
    return constructed_ticket(
        seed=SEED,
        graph=graph,
        gadgets={PATH: gadget},
        inputs=inputs,
        masks={f"{PATH}/mixing": bits},
        digests={PATH: realised_digest(parts[PATH])},
        claims=certify(target, parts.__getitem__, tolerances={PATH: 0.5}, box=None),
        provenance=Provenance("0.0.test", "coin flips", {}, target=target_digest(target.coefficients)),
    )


def test_every_gadget_has_examples_of_its_own_kind():
    assert set(EXAMPLES) == set(GADGETS)
    for name, examples in EXAMPLES.items():
        assert examples
        assert all(type(gadget) is GADGETS[name] and isinstance(gadget, interface.Gadget) for gadget, _ in examples)


# --- each coefficient, each bit ---


def check_partition(gadget, op):
    """Every (half, input, row, tap) stands in exactly one problem, every bit of the mask in exactly one candidate."""
    signed = np.flatnonzero(gadget.signed(op)).tolist()
    rows, _, taps = op.coefficients
    halves = [("positive", j) for j in range(0, op.basis.inputs, copies_of(gadget))]  # channels, by their first copy
    halves += [("negative", j) for j in signed if copies_of(gadget) == 1]
    if isinstance(gadget, Edges) or gadget.linear:  # one subset for both signs
        halves = [("whole", j) for j in range(op.basis.inputs)]
    wanted = {(half, j, pair) for half, j in halves for pair in range(rows * taps)}
    wanted |= {("bias", group, row * taps) for group in range(groups(op)) for row in range(rows) if op.bias}
    problems, served, written, solved = Counter(), Counter(), Counter(), 0
    for block in blocks(gadget, op):
        assert block.taps == taps
        assert block.columns.shape == block.neurons.shape == block.factors.shape
        assert block.candidates().shape == (len(block.inputs), len(block.pairs), block.columns.shape[1])
        problems.update((block.half, int(j), pair) for j in block.inputs for pair in block.pairs)
        for pair in block.pairs:
            served.update((pair, column) for column in block.columns.reshape(-1).tolist())
        bits = np.zeros(-(-gadget.cost(op).mask_bits // 8), np.uint8)
        block.keep(packed_rows(np.ones((block.count, block.columns.shape[1]), bool)), {MIXING: bits})
        solved += block.count
        assert block.shared or block.count == len(block.inputs) * len(block.pairs)
        written.update(np.flatnonzero(np.unpackbits(bits, bitorder="little")).tolist())
        assert block.kept({MIXING: bits}).all()
    assert problems == Counter(wanted)
    assert max(served.values()) == 1
    assert written == Counter(range(gadget.cost(op).mask_bits))
    assert gadget.cost(op).problems == solved


@every_gadget
def test_every_coefficient_is_one_problem_and_every_bit_one_candidate(gadget, op):
    check_partition(gadget, op)


@every_gadget
def test_blocks_of_another_size_hold_the_same_problems(gadget, op, monkeypatch):
    def listed():
        return {
            (block.half, int(j), pair): (columns.tolist(), neurons.tolist(), factors.tolist(), candidates.tolist())
            for block in blocks(gadget, op)
            for j, columns, neurons, factors, lanes in zip(
                block.inputs, block.columns, block.neurons, block.factors, block.candidates(), strict=True
            )
            for pair, candidates in zip(block.pairs, lanes, strict=True)
        }

    whole, count = listed(), len(blocks(gadget, op))
    mask = coins(gadget, op)
    bits = gadget.pack(PATH, op, seed=SEED, mask=mask)
    part = realised_digest(realise(gadget, PATH, op, seed=SEED, masks={MIXING: bits}))
    for pairs, products in ((1, 1), (2 * op.basis.taps, 3 * gadget.candidates * op.basis.taps)):
        for module in (two_layer, shared_blocks, sys.modules[type(gadget).__module__]):
            monkeypatch.setattr(module, "_PAIRS", pairs, raising=False)  # neurons: no bound on pairs
            monkeypatch.setattr(module, "_BLOCK", products, raising=False)
        check_partition(gadget, op)
        assert listed() == whole
        assert realised_digest(realise(gadget, PATH, op, seed=SEED, masks={MIXING: bits})) == part
    assert len(blocks(gadget, op)) > count or op.basis.inputs // copies_of(gadget) <= 3


@every_gadget
def test_a_wrong_list_of_problems_is_noticed(gadget, op, monkeypatch):
    """One left out, one twice, one candidate in two problems."""
    honest = type(gadget).problems

    def left_out(self, *where):
        return list(honest(self, *where))[1:]

    def twice(self, *where):
        found = list(honest(self, *where))
        return [*found, found[-1]]

    def overlapping(self, *where):
        first, *rest = honest(self, *where)
        first.columns[-1, -1] = rest[-1].columns[0, 0] if rest else first.columns[0, 0]
        return [first, *rest]

    for wrong in (left_out, twice) + ((overlapping,) if gadget.cost(op).mask_bits > op.basis.outputs else ()):
        monkeypatch.setattr(type(gadget), "problems", wrong)
        with pytest.raises(AssertionError):
            check_partition(gadget, op)


# --- what is kept ---


@every_gadget
def test_coefficients_are_the_exact_sums_of_what_is_kept(gadget, op):
    """In rational arithmetic, from the mixing weights written out whole."""
    mask = coins(gadget, op)
    part = realise(gadget, PATH, op, seed=SEED, masks={MIXING: gadget.pack(PATH, op, seed=SEED, mask=mask)})
    rows, inputs, taps = op.coefficients
    found = {half: np.zeros((rows, inputs, taps), object) for half in ("positive", "negative")}
    found["bias"] = np.zeros((rows, groups(op), taps), object)
    for block in blocks(gadget, op):
        mixing = draw(block.mixing, law_of(gadget), (int(block.neurons.max()) + 1, rows, taps))
        for slot, k in np.ndindex(block.columns.shape):
            u = Fraction(float(block.factors[slot, k])) * Fraction(block.gain)
            for r, t in (divmod(pair, taps) for pair in block.pairs):
                kept = mask[r * taps + t, block.columns[slot, k]]
                if not kept and not block.centred:
                    continue
                term = (1 if kept else -1) * u * Fraction(float(mixing[block.neurons[slot, k], r, t]))
                copied = copies_of(gadget) > 1 and block.half == "positive"
                input = int(block.inputs[slot]) + (k if copied else 0)
                found["positive" if block.half == "whole" else block.half][r, input, t] += term
                if (copied or block.half == "whole") and gadget.signed(op)[input] and not gadget.linear:
                    found["negative"][r, input, t] -= term
    assert not found["bias"][:, :, 1:].any()  # a constant acts through tap 0 alone
    exact = np.vectorize(Fraction, otypes=[object])
    assert (exact(part.positive) == found["positive"]).all()
    assert (exact(np.zeros_like(part.positive) if part.negative is None else part.negative) == found["negative"]).all()
    assert (
        exact(np.zeros(op.basis.outputs) if part.bias is None else part.bias) == found["bias"][:, :, 0].T.reshape(-1)
    ).all()
    assert (part.negative is None) == (gadget.linear or not gadget.signed(op).any())
    assert part.linear == gadget.linear
    assert (part.bias is None) == (not op.bias)
    assert (part.signed == gadget.signed(op)).all()


@every_gadget
def test_prover_and_checker_add_up_the_same_candidates(gadget, op):
    """From the candidates and the masks of the subsets, and from the seed and the packed mask: the same numbers."""
    rng = np.random.default_rng(4)
    bits = np.zeros(-(-gadget.cost(op).mask_bits // 8), np.uint8)
    sums = Sums(op, gadget.signed(op), linear=gadget.linear)
    for block in blocks(gadget, op):
        candidates = block.candidates()
        count, n = block.count, candidates.shape[2]
        kept = (
            np.eye(n, dtype=bool)[rng.integers(0, n, count)] if block.most_kept == 1 else rng.random((count, n)) < 0.5
        )
        if source_law(law_of(gadget)).prunes:
            kept &= candidates.reshape(count, n) != 0
        packed = packed_rows(kept)
        block.keep(packed, {MIXING: bits})
        kept = np.broadcast_to(kept.reshape(len(block.inputs), -1, n), candidates.shape)
        assert (block.kept({MIXING: bits}) == kept).all()
        chosen = block.chosen(candidates, packed)
        signs = 2 * kept.astype(np.int64) - 1 if block.centred else kept.astype(np.int64)
        together = chosen.reshape(len(block.inputs), -1, len(block.pairs)).sum(axis=1)  # of copies, one each
        assert (together == (candidates * signs).sum(axis=2) * block.gain).all()
        sums.add(block, chosen)
    assert realised_digest(sums.realised) == realised_digest(realise(gadget, PATH, op, seed=SEED, masks={MIXING: bits}))


@every_gadget
def test_problems_ask_for_the_coefficients_of_a_target(gadget, op):
    """sign · gain · what each subset must sum to is the coefficient; +1 for x⁺ and the constant, -1 for x⁻."""
    rng = np.random.default_rng(2)
    affine = Affine(rng.normal(size=op.coefficients), rng.normal(size=op.basis.outputs) if op.bias else None)
    affine.weight[:, np.arange(op.basis.inputs) % copies_of(gadget) > 0] = 0.0  # a target reads one copy
    for block in blocks(gadget, op):
        ideal = Realised.of(affine, gadget.signed(op), linear=gadget.linear)
        asked = (-1.0 if block.half == "negative" else 1.0) * block.read(ideal)
        rows = slice(block.rows.start, block.rows.stop)
        if block.half == "bias":
            wanted = affine.bias.reshape(groups(op), -1)[block.inputs, rows]
        else:
            wanted = np.moveaxis(affine.weight[rows, block.inputs], 1, 0).reshape(asked.shape)
        assert (asked == wanted).all()


@every_gadget
def test_mask_bits_are_those_of_the_cost(gadget, op):
    mask = coins(gadget, op)
    bits = gadget.pack(PATH, op, seed=SEED, mask=mask)
    rows, _, taps = op.coefficients
    assert mask.shape[0] == rows * taps
    assert len(bits) == -(-gadget.cost(op).mask_bits // 8)
    assert (gadget.mask(PATH, op, seed=SEED, bits=bits) == mask).all()
    every = np.full(len(bits), 255, np.uint8)
    shared = any(block.shared for block in blocks(gadget, op))
    widths = [len(block.pairs) for block in blocks(gadget, op) for _ in block.columns.flat]
    wanted = sum(widths) if shared else gadget.cost(op).mask_bits  # entries of the mixing layer
    assert gadget.mask(PATH, op, seed=SEED, bits=every).sum() == wanted


@every_gadget
@pytest.mark.parametrize("density", [0.0, 0.3, 1.0])
def test_kept_entries_of_the_random_tensors_are_counted(gadget, op, density):
    """Of the lift one entry per neuron that serves and was not removed whole; of the mixing layer those of the mask.

    Of mirrored pairs exactly one is kept: what the mask does not keep, the mirror does.
    """
    mask = coins(gadget, op, density)
    ticket = ticket_of(gadget, op, mask)
    served = Counter()
    for block in blocks(gadget, op):
        if (block.rows.start == 0 or block.shared) and (block.half == "bias" or copies_of(gadget) == 1):
            serves = [not block.shared or mask[:, column].any() for column in block.columns.flat]
            served["lift_bias" if block.half == "bias" else "lift"] += sum(serves)
    if isinstance(gadget, Edges):
        served.clear()  # no lift
    if isinstance(gadget, Doubling):  # p digits of what the lift serves; one edge into each copy, two to double
        served = Counter({name: count // gadget.digits for name, count in served.items()})
        served |= {f"levels/{t}": (t + 2) * served.total() for t in range(1, gadget.digits)}
    kept = {f"{PATH}/{name}": count for name, count in served.items()} | {f"{PATH}/mixing": int(mask.sum())}
    if is_centred(gadget):
        kept |= {f"{PATH}/mirror/{name}": count for name, count in served.items()}
        kept[f"{PATH}/mirror/mixing"] = gadget.cost(op).mask_bits - int(mask.sum())
        assert ticket.candidates_kept == gadget.cost(op).mask_bits == ticket.candidate_count / 2
    assert {tensor.path: tensor.kept for tensor in ticket.tensors} == kept
    assert ticket.kept == sum(kept.values())
    mixing = ticket.tensor(f"{PATH}/mixing")
    assert all(block.neurons.max() < mixing.shape[0] for block in blocks(gadget, op))
    rows, _, taps = op.coefficients
    assert mixing.shape[1:] == (rows, taps)


@every_gadget
def test_the_stated_width_is_checked(gadget, op):
    gadget.check_layout(PATH, op, SEED)
    for other in of_other_widths(gadget):
        with pytest.raises(InputError, match=r"scans? ends? after|width is wrong"):
            other.check_layout(PATH, op, SEED)


def of_other_widths(gadget):
    """One neuron more, and less, wherever there is a width that a scan decides."""
    for change in (1, -1):
        if isinstance(gadget, TwoLayer):
            yield staged(gadget, neurons=gadget.neurons + change)
        if isinstance(gadget, Lifted):
            yield replace(gadget, neurons=gadget.neurons + change)
        if isinstance(gadget, Doubling):
            for t, width in enumerate(gadget.widths):
                yield replace(gadget, widths=(*gadget.widths[:t], width + change, *gadget.widths[t + 1 :]))


# --- linear lifts ---


@pytest.mark.parametrize(("gadget", "op"), [param for param in EVERY if param.values[0].linear])
def test_a_linear_lift_takes_no_more_than_one_of_unsigned_inputs(gadget, op):
    """Whatever the signs: the same problems, mask bits, live neurons as without any; never more neurons in all."""
    unsigned = replace(gadget, signed_ranges=(), linear=False)
    cost, other = gadget.cost(op), unsigned.cost(op)
    assert (cost.mask_bits, cost.problems, cost.live) == (other.mask_bits, other.problems, other.live)
    assert gadget.neurons <= unsigned.fitted(PATH, op, SEED).neurons
    if gadget.signed_ranges:
        relu = replace(gadget, linear=False).cost(op)
        signed = int(gadget.signed(op).sum())
        rows, inputs, taps = op.coefficients
        assert relu.problems - cost.problems == rows * taps * signed
        assert relu.mask_bits - cost.mask_bits == rows * taps * signed * gadget.candidates
        assert signed < inputs or not op.bias or relu.live - cost.live == gadget.candidates * inputs


def test_neurons_of_both_signs_serve_a_linear_lift():
    gadget, op = fitted(one_stage, *dense(2, 7, signed=((1, 2),), candidates=64, constants=64, linear=True))
    values = gadget.lift(PATH, op, SEED).value
    assert (np.abs(values) >= 0.5).all()
    for slot in np.split(values[gadget.lift(PATH, op, SEED).by_slot], 3):  # two inputs, the constant
        assert 16 < (slot < 0).sum() < 48
    assert len(values) / gadget.neurons > len(values) / replace(gadget, linear=False).fitted(PATH, op, SEED).neurons


# --- the two views ---


def rounding(gadget, op):
    """What float32 may lose for inputs in [-1, 1]: 2⁻²⁴ of the sum, once per neuron and tap and a few times."""
    summed = sum(np.abs(block.gain * block.candidates()).sum(axis=(0, 2)).max() for block in blocks(gadget, op))
    taps, copies = op.basis.taps, 2 if is_centred(gadget) else 1
    return 2.0**-24 * (taps * copies * coins(gadget, op).shape[1] + 4) * taps * summed


@every_gadget
def test_the_pruned_network_computes_what_is_realised(gadget, op):
    """Source and realised view, in float32."""
    ticket = ticket_of(gadget, op, coins(gadget, op))
    part = ticket.realised(PATH)
    x = np.random.default_rng(3).uniform(-1, 1, (50, *input_shape(op)))
    x = np.where(of_channels(gadget.signed(op), op), x, np.abs(x)).astype(np.float32)
    exact = part.apply(op.basis, x.astype(np.float64))
    for view in (source, realised):
        with torch.inference_mode():
            found = view(ticket)(torch.from_numpy(x)).numpy()
        assert np.abs(found - exact).max() <= rounding(gadget, op)


@pytest.mark.parametrize(
    ("gadget", "op"), [param for param in EVERY if param.values[0].signed_ranges and copies_of(param.values[0]) == 1]
)
def test_a_view_that_reads_another_half_is_noticed(gadget, op):
    """What the test above must not pass: P in place of N; of edges, whose N is that, and linear lifts its negative."""
    part = ticket_of(gadget, op, coins(gadget, op, 1.0)).realised(PATH)
    x = -np.ones((1, *input_shape(op))) * of_channels(gadget.signed(op), op)
    wrong = part.positive if isinstance(gadget, Edges) or gadget.linear else -part.positive
    swapped = Realised(part.positive, np.where(_by_input(part, op), wrong, 0.0), part.bias, part.signed)
    assert np.abs(swapped.apply(op.basis, x) - part.apply(op.basis, x)).max() > rounding(gadget, op)


def _by_input(part, op):
    return np.broadcast_to(part.signed[None, :, None], op.coefficients)


@pytest.mark.parametrize(("gadget", "op"), [example for example in EVERY if example.values[0].kind in RANKED])
def test_every_bit_is_one_candidate_of_one_subset(gadget, op):
    """Those of a file's ranks are the problems: half by half, pairs outermost, whatever the blocks that list them."""
    groups = bit_groups(gadget, PATH, op, SEED)
    assert list(groups) == list(gadget.mask_bits(PATH, op))
    for tensor, bits in gadget.mask_bits(PATH, op).items():
        places = [
            np.where(start < 0, ~start + part.columns[1], start + part.columns[0])
            for part in groups[tensor]
            for start in part.starts
        ]
        assert sorted(np.concatenate([place.reshape(-1) for place in places])) == list(range(bits))
        rng = np.random.default_rng(0)
        own = [block for block in blocks(gadget, op) if block.tensor == tensor]
        for half, part in zip(dict.fromkeys(block.half for block in own), groups[tensor], strict=True):
            listed = [block for block in own if block.half == half]
            assert part.count == sum(len(block.inputs) * len(block.pairs) for block in listed)
            pairs = range(0, listed[0].places.rows * op.basis.taps, listed[0].pairs.step)
            slots = list(dict.fromkeys(int(i) for block in listed for i in block.inputs))
            for block, bit in ((block, int(bit)) for block in listed for bit in rng.integers(0, bits, 20)):
                mask = np.zeros(-(-bits // 8), np.uint8)
                mask[bit // 8] = 1 << bit % 8
                for s, w, k in zip(*np.nonzero(block.kept({tensor: mask})), strict=True):
                    start, slot = part.starts[pairs.index(block.pairs[w])], slots.index(int(block.inputs[s]))
                    far = int(start < 0)
                    assert (~start if far else start) + part.columns[far, slot, k] == bit
