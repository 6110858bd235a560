"""Wrong rules of the ops of transformers, each in one place as one would get it wrong: the search notices every one."""

import math
from dataclasses import replace

import numpy as np
import pytest
from conformance.op_rules import plant, trials, violations
from conformance.test_ops_rules import OPS

from slth.certificate import rounded
from slth.certificate.reach import Reach
from slth.certificate.rules import RULES, attention, standardise
from slth.graph import Attention, MatMul, Standardise

HONEST = dict(RULES)
SIDES = ("lower", "upper", "error")


def changed(op, **change):
    """The rule of an op with one of its bounds replaced, by a function of (op, inputs, facts)."""

    def rule(node, inputs, facts):
        found = HONEST[op](node, inputs, facts)
        return replace(found, **{k: make(node, inputs, facts) for k, make in change.items()})

    return [(RULES, op, rule)]


def full(x: Reach, side):
    return np.broadcast_to(x.sizes if side == "sizes" else getattr(x, side), x.shape)


def error_of_attention(*, both=True, twice=2.0, quarter=4.0, scaled=True, apart=1.0, values=True, heads=np.repeat):
    """The error of attention from scratch, entry by entry, with one of its parts as one would get it wrong."""

    def error(op, inputs, facts):
        q, k, v = inputs
        repeats = q.shape[-3] // k.shape[-3] if len(q.shape) > 2 else 1
        k, v = ({s: full(x, s) if repeats == 1 else heads(full(x, s), repeats, -3) for s in SIDES} for x in (k, v))
        wide = k["upper"].max(-2, keepdims=True) - k["lower"].min(-2, keepdims=True)
        size = full(q, "sizes") + both * full(q, "error")
        osc = (full(q, "error") * wide + twice * size * k["error"].max(-2, keepdims=True)).sum(-1, keepdims=True)
        osc = osc * (abs(op.scale) if scaled else 1.0)
        far = apart * (v["upper"].max(-2, keepdims=True) - v["lower"].min(-2, keepdims=True))
        return np.tanh(osc / quarter) * far + values * v["error"].max(-2, keepdims=True)

    return changed(Attention, error=error)


def in_turn(numbers, repeats, axis):
    """Query head h reads key head h mod G."""
    return np.concatenate([numbers] * repeats, axis=axis)


def half_a(op, inputs, facts):
    return HONEST[Attention](op, inputs, facts).error_norm / 2


def product_error(op, x, _):
    return full(x[0], "sizes") @ full(x[1], "error") + full(x[0], "error") @ full(x[1], "sizes")


def product_norm(op, x, _):
    return x[0].norm * x[1].error_norm + x[0].error_norm * x[1].norm


def interval_of_ends(x, y, terms):
    return full(x, "lower") @ full(y, "lower"), full(x, "upper") @ full(y, "upper")


def shared_once(left, right, terms, honest=attention.dot):
    """Entries that are shared along the axis that is summed, counted once."""
    return left @ right if left.shape[-1] == right.shape[-2] == 1 else honest(left, right, terms)


def floor_by_one(nearest, op, count):
    """s by the entry that is furthest from 0, as if all were."""
    return np.sqrt((nearest * nearest).max(axis=op.axes, keepdims=True) + op.epsilon)


def with_entry(op, x, _):
    return x[0].error / math.sqrt(op.epsilon) / 2


def mean_stays(x, axes, count, honest=standardise._without_mean):
    """Entries as if they moved without their mean."""
    low, high, _ = honest(x, axes, count)
    return low, high, x.error


def mean_of_the_box(x, axes, count):
    """Less the mean of the middle of the box, which the mean need not be."""
    middle = np.mean((x.lower + x.upper) / 2, axis=axes, keepdims=True)
    return x.lower - middle, x.upper - middle, 2 * x.error


WRONG = {  # name: the op that must notice, and what is replaced
    "a product of first order": ("products", changed(MatMul, error=product_error)),
    "a product in norm of first order": ("products", changed(MatMul, error_norm=product_norm)),
    "the larger norm": ("products", changed(MatMul, norm=lambda op, x, _: max(x[0].norm, x[1].norm) / 2)),
    "an interval of ends": ("products", [(attention, "_interval", interval_of_ends)]),
    "shared terms once": ("products", [(attention, "dot", shared_once)]),
    "attention of first order": ("attention, small, wide", error_of_attention(both=False)),
    "one key moves": ("attention, small", error_of_attention(twice=1.0)),
    "tanh(osc/8)": ("attention, small", error_of_attention(quarter=8.0)),
    "no scale": ("attention, negative scale", error_of_attention(scaled=False)),
    "half of the values' distance": ("attention, small", error_of_attention(apart=0.5)),
    "values without their errors": ("attention", error_of_attention(values=False)),
    "key heads in turn": ("attention, four heads", error_of_attention(heads=in_turn)),
    "keys in norm without √2": ("attention, small", [(attention, "_ROOT", 0.7)]),
    "a without repeats": ("attention to one key", changed(Attention, error_norm=lambda op, x, _: x[2].error_norm)),
    "r without repeats": ("attention to one key", changed(Attention, norm=lambda op, x, _: x[2].norm)),
    "a of attention halved": ("attention", changed(Attention, error_norm=half_a)),
    "causal is one key": ("attention, two queries, causal", [(attention, "_seen", lambda *_: (None, True))]),
    "the first key alone": (
        "attention, hidden keys",
        [(attention, "_seen", lambda *_: (np.array([[True, False, False]]), False))],
    ),
    "half of an entry's way": ("standardise, two", changed(Standardise, error=with_entry)),
    "a without ε": ("root mean square, small", changed(Standardise, error_norm=lambda op, x, _: x[0].error_norm)),
    "s by one entry": ("root mean square, far", [(standardise, "_floor", floor_by_one)]),
    "ŝ as large as s": ("root mean square, far", [(standardise, "_floor_moved", lambda floor, *_: 2 * floor)]),
    "the mean stays": ("standardise, near 0", [(standardise, "_without_mean", mean_stays)]),
    "the mean of the box": ("standardise, two", [(standardise, "_without_mean", mean_of_the_box)]),
    "one group": ("standardise, groups", changed(Standardise, norm=lambda op, x, _: 2.0)),
}


def steps(op, change):
    """The step of an op with what it moves changed, entry by entry and in norm."""
    honest = rounded.STEPS[op]
    return [(rounded.STEPS, op, lambda *known: change(*honest(*known)))]


AT_A_POINT = {
    "products": ("products", steps(MatMul, lambda off, norm, own: (off / 2, norm, own))),
    "products in norm": ("products", steps(MatMul, lambda off, norm, own: (off, norm / 3, own))),
    "attention": ("attention", steps(Attention, lambda off, norm, own: (off / 2, norm, own))),
    "standardise": ("root mean square, small", steps(Standardise, lambda off, norm, own: (off / 2, norm, own))),
    "standardise in norm": ("root mean square", steps(Standardise, lambda off, norm, own: (off, norm / 4, own))),
}
EVERY = [(wrong, *WRONG[wrong], False) for wrong in WRONG] + [(w, *AT_A_POINT[w], True) for w in AT_A_POINT]
CASES = [case if i % 4 == 0 else pytest.param(*case, marks=pytest.mark.slow) for i, case in enumerate(EVERY)]


@pytest.mark.parametrize(
    ("wrong", "name", "changes", "point"), CASES, ids=lambda case: case if type(case) is str else ""
)
def test_a_wrong_rule_is_noticed(wrong, name, changes, point, monkeypatch):
    plant(changes, monkeypatch)
    found = next((v for seed in range(4) for v in violations(trials(OPS[name], seed=seed, point=point))), None)
    print(f"{wrong}: {found}")
    assert found is not None
