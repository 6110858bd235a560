"""Every gadget: each coefficient is one problem, each mask bit one candidate, and what is kept adds up, exactly."""

import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from conformance.gadget_examples import (
    EXAMPLES,
    MIXING,
    PATH,
    SEED,
    blocks,
    coins,
    copies_of,
    every_gadget,
    groups,
    is_centred,
    law_of,
    packed_rows,
    ticket_of,
)
from helpers.gadgets import staged

from slth import InputError
from slth.graph import Affine, Realised
from slth.numerics import draw, source_law
from slth.ticket import GADGETS, Doubling, Edges, Lifted, Sums, TwoLayer, realise, realised_digest
from slth.ticket.gadgets import blocks as shared_blocks
from slth.ticket.gadgets import gadget as interface
from slth.ticket.gadgets import two_layer


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
