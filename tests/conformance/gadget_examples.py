"""Gadgets at their widths, with the maps that they make: the examples of the conformance suite.

A further gadget is a line of `EXAMPLES`.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers.gadgets import counts, doubling, grid, merged, one_stage, plain, single, single_plain

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
    Steerable,
    Target,
)
from slth.numerics import source_law
from slth.ticket import (
    Copies,
    Doubling,
    Inputs,
    Neurons,
    Provenance,
    constructed_ticket,
    pack,
    realise,
    realised_digest,
    target_digest,
)

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
EVERY = [  # of each kind every second one is tried each time, all in the slow tests
    pytest.param(*example, id=f"{name}-{i}", marks=[pytest.mark.slow] if i % 2 else [])
    for name in EXAMPLES
    for i, example in enumerate(EXAMPLES[name])
]
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
