"""Of every field of a ticket's file: another value is refused, or fails a check, or is shown as what the file says.

The liar knows the format: the value is plausible, and the digest is computed again. Fields are listed by walking real
files, so that one that is added to the format and not to this table fails the first test.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from attacks import learned, sealing
from attacks.fields import fields_of, other, value_at
from attacks.forging import certified, consistent
from attacks.graph_specimens import branches, proved
from helpers import version2_files
from helpers.learned import any_learned, mlp_ticket
from helpers.tickets import any_ticket

from slth.certificate import Statistical
from slth.evidence import verify
from slth.records import Verdict
from slth.ticket import Inputs, TicketError, decode, encode

RANGE = Inputs((3,), (0.5,), (0.25,), (-1.0, 0.0, -0.5), (1.0, 2.0, 0.5))


def _version_1():
    ticket, target = any_ticket()
    return certified(consistent(ticket, inputs=RANGE), target), target


def _version_2():
    ticket, target = proved(branches())
    share = Statistical.from_counts("digits", changed=1, examples=100)
    claims = replace(ticket.claims, statistical=(share,))
    return replace(ticket, assumed=("activation: relu",), claims=claims), target


def _seal_constructed(meta, data):
    return sealing.sealed(meta, sealing.parts(data)[1])


def _seal_learned(meta, data):
    return learned.sealed_runs(meta, learned.parts_of(data)[1])


def _seal_version_2(meta, data):
    return version2_files.sealed(meta, *version2_files.parts(data)[1:])


SPECIMENS: dict[str, tuple[Callable, Callable, Callable]] = {
    "version 1, constructed": (_version_1, sealing.parts, _seal_constructed),
    "version 1, learned": (lambda: (mlp_ticket(), None), learned.parts_of, _seal_learned),
    "version 1, bound": (lambda: (any_learned(), None), learned.parts_of, _seal_learned),
    "version 2, constructed": (_version_2, version2_files.parts, _seal_version_2),
    "version 2, learned": (
        lambda: (replace(mlp_ticket(), assumed=("a thing",)), None),
        version2_files.parts,
        _seal_version_2,
    ),
}

# what is written where there is nothing, or where no value of the same type is close by
VALUES: dict[str, Any] = {
    "assumed": ["x"],
    "carried": ["x"],
    "claims": {},
    "claims.bound.stops": ["n0"],
    "epsilon": 1e-9,
    "gadgets": {"x": {}},
    "gadgets.*.law": "sign",
    "gadgets.*.stages.*.kept": [1, 1],
    "inputs.lower": [0.25],
    "inputs.upper": [0.5],
    "layers.*.lift.signed": [[0, 1]],
    "move_bound": 1e-9,
    "network.nodes.*.op.shift": "array.0",
    "provenance.asked.candidates": 7,
    "provenance.asked.data": "digitx",
    "provenance.asked.epsilon": 1e-9,
    "provenance.asked.failure_probability": 0.125,
    "provenance.data": "digitx",
    "provenance.folded": {"x": ["y"]},
    "provenance.misses": [["x", 0, 0, 0, "positive", 1.0]],
    "provenance.names": {"x": ["y", None]},
    "provenance.target": "0" * 64,
    "seed": "6",
    "tensors.*.aliases": ["another"],
    "tensors.*.law": "sign",
    "tensors.*.mask": {"encoding": "bits", "bytes": 1},
    "tensors.*.stream": "another",
    "tensors.*.weights": "0" * 64,
}
NOT_CLOSE_BY = ("epsilon", "seed", "gadgets.*.law", "tensors.*.law")  # whatever stands there


@cache
def made(name):
    """Ticket, target, how its file is taken apart and sealed again."""
    make, parts, seal = SPECIMENS[name]
    return (*make(), parts, seal)


def outcome(name, which):
    """("refused", its sentence), ("fails", the names of the checks) or ("holds", all checks)."""
    ticket, target, parts, seal = made(name)
    data = encode(ticket)
    meta = parts(data)[0]
    place = fields_of(meta)[which]
    value = value_at(meta, place)
    value = VALUES[which] if which in NOT_CLOSE_BY or value in (None, [], {}, "") else other(value)
    assert value != value_at(meta, place)
    try:
        forged = decode(seal(version2_files.changed(meta, place, value), data))
    except TicketError as error:
        return "refused", str(error)
    checks = verify(forged, target=target).checks
    failed = {check.name for check in checks if check.verdict is Verdict.FAILS}
    return ("fails", failed) if failed else ("holds", checks)


@dataclass(frozen=True)
class Expected:
    """Fields whose other value is refused; fails, by checks; is said, by the text that `verify` shows; is true."""

    refused: str
    fails: dict[str, str]
    says: dict[str, str]
    true: str = ""  # nothing moved, so that any bound on moves holds

    @property
    def fields(self) -> list[str]:
        return " ".join([self.refused, *self.fails.values(), *self.says, self.true]).split()


TABLE = {
    "version 1, constructed": Expected(
        refused="""
            carried format layers.*.lift.candidates layers.*.lift.neurons layers.*.lift.signed
            layers.*.lift.signed.* layers.*.lift.threshold layers.*.mask.bytes layers.*.mask.encoding
            network.arguments.bias network.arguments.widths network.kind network.name provenance.asked.epsilon
            stream tensors.*.law tensors.*.mask tensors.*.path tensors.*.scale tensors.*.shape
        """,
        fails={
            "claims": """
                bounds.l2_error bounds.layers.*.bias_error bounds.layers.*.l2_error bounds.layers.*.misses
                bounds.layers.*.operator_error bounds.layers.*.sup_error bounds.layers.*.tolerance
                bounds.layers.*.weight_error bounds.output_error bounds.sup_error provenance.asked.candidates
                provenance.asked.tolerance provenance.misses.*.*
            """,
            "claims coefficients": """
                layers.*.bias_gain layers.*.gain layers.*.lift.constants
            """,
            "coefficients": """
                layers.*.realised
            """,
            "target": """
                provenance.target
            """,
            "claims layout streams": """
                seed
            """,
            "streams": """
                tensors.*.head
            """,
        },
        says={
            "domain.normalize": "[-1, 1] x [0, 2] x [-0.5, 0.5], (x - 0.25) / 0.25",
            "domain.range.*": "[-0.5, 1] x [0, 2] x [-0.5, 0.5], (x - 0.5) / 0.25",
            "provenance.asked.failure_probability": "0.125",
            "provenance.attempts": "attempts 2",
            "provenance.method": "made by coin flipx",
            "provenance.names.*.*": "0.weighx",
            "provenance.version": "slth 0.0.tesx",
        },
    ),
    "version 1, learned": Expected(
        refused="""
            carried.*.dtype carried.*.shape format inputs.shape kind network.kind stream tensors.*.kept
            tensors.*.mask.bytes tensors.*.mask.encoding tensors.*.moved tensors.*.path tensors.*.shape
        """,
        fails={
            "network": """
                network.arguments.classes network.arguments.hidden network.arguments.inputs network.name
                tensors.*.aliases
            """,
            "streams weights": """
                seed tensors.*.law tensors.*.scale tensors.*.stream
            """,
            "weights": """
                tensors.*.binary tensors.*.gain tensors.*.weights
            """,
            "streams": """
                tensors.*.head
            """,
        },
        says={
            "inputs.mean": "1 x 8 x 8, (x - 0.15) / 0.4",
            "inputs.std": "1 x 8 x 8, (x - 0.3) / 0.2",
            "provenance.asked.data": "digitx",
            "provenance.asked.method.density": "0.25",
            "provenance.asked.method.name": "coin flipx",
            "provenance.asked.policy.skip.*": "fx",
            "provenance.asked.seed": "10000000000000000000000000000000000000001",
            "provenance.data": "data digitx",
            "provenance.method": "made by coin flipx",
            "provenance.version": "slth 0.0.tesx",
        },
        true="epsilon",
    ),
    "version 1, bound": Expected(
        refused="""
            carried.*.dtype carried.*.shape format inputs.shape kind network.kind stream tensors.*.kept
            tensors.*.mask tensors.*.mask.bytes tensors.*.mask.encoding tensors.*.moved tensors.*.path
            tensors.*.shape
        """,
        fails={
            "moves": """
                epsilon
            """,
            "streams weights": """
                seed tensors.*.law tensors.*.stream
            """,
            "weights": """
                tensors.*.binary tensors.*.gain tensors.*.weights
            """,
            "streams": """
                tensors.*.head tensors.*.scale
            """,
        },
        says={
            "inputs.mean": "2 x 1 x 3, (x - [0.25, 0.25]) / [0.5, 2]",
            "inputs.std": "2 x 1 x 3, (x - [0.5, 0.25]) / [0.25, 2]",
            "provenance.asked.data": "digitx",
            "provenance.asked.method.density": "0.25",
            "provenance.asked.method.name": "coin flipx",
            "provenance.asked.policy.skip.*": "fx",
            "provenance.asked.seed": "10000000000000000000000000000000000000001",
            "provenance.data": "data digitx",
            "provenance.method": "made by coin flipx",
            "provenance.version": "slth 0.0.tesx",
            "tensors.*.aliases": "another with 0.weight",
            "tensors.*.aliases.*": "tied.x with 2.weight",
        },
    ),
    "version 2, constructed": Expected(
        refused="""
            carried.*.dtype carried.*.shape claims.bound.stops claims.coefficients.*.norms
            claims.statistical.*.at_most claims.statistical.*.changed format gadgets.*.centred gadgets.*.groups
            gadgets.*.kind gadgets.*.law gadgets.*.lift gadgets.*.shape gadgets.*.signed.*
            gadgets.*.stages.*.candidates gadgets.*.stages.*.constants gadgets.*.stages.*.kept
            gadgets.*.stages.*.neurons gadgets.*.threshold inputs.shape
            network.kind network.nodes.*.inputs.* network.nodes.*.name network.nodes.*.op.axes.*.axis
            network.nodes.*.op.axes.*.count network.nodes.*.op.axes.*.kind network.nodes.*.op.axes.*.length
            network.nodes.*.op.axes.*.stride network.nodes.*.op.axis network.nodes.*.op.basis.dilation
            network.nodes.*.op.basis.groups network.nodes.*.op.basis.inputs network.nodes.*.op.basis.kernel
            network.nodes.*.op.basis.kind network.nodes.*.op.basis.outputs network.nodes.*.op.basis.stride
            network.nodes.*.op.bias network.nodes.*.op.dilation network.nodes.*.op.function
            network.nodes.*.op.kernel network.nodes.*.op.kind network.nodes.*.op.map network.nodes.*.op.padding
            network.nodes.*.op.scale network.nodes.*.op.shape network.nodes.*.op.stride provenance.asked.epsilon
            provenance.misses.*.* stream tensors.*.aliases tensors.*.binary tensors.*.gain tensors.*.kept
            tensors.*.law tensors.*.mask tensors.*.mask.bytes tensors.*.mask.encoding tensors.*.moved
            tensors.*.path tensors.*.scale tensors.*.shape tensors.*.stream tensors.*.weights
        """,
        fails={
            "claims": """
                claims.bound.l2_error claims.bound.maps.*.l2_error claims.bound.maps.*.sup_error
                claims.bound.output_error claims.bound.sup_error claims.coefficients.*.bias_error
                claims.coefficients.*.misses claims.coefficients.*.operator_error
                claims.coefficients.*.tolerance claims.coefficients.*.weight_error provenance.asked.candidates
                provenance.asked.tolerance
            """,
            "coefficients": """
                gadgets.*.realised
            """,
            "claims coefficients": """
                gadgets.*.stages.*.bias_gain gadgets.*.stages.*.gain
            """,
            "target": """
                network.nodes.*.op.axes.*.kernel network.nodes.*.op.axes.*.padding
                network.nodes.*.op.basis.padding network.nodes.*.op.coefficients network.nodes.*.op.high
                network.nodes.*.op.low network.nodes.*.op.shift provenance.target
            """,
            "claims layout streams": """
                seed
            """,
            "streams": """
                tensors.*.head
            """,
        },
        says={
            "assumed.*": "activation: relx",
            "claims.statistical.*.confidence": "49.5 % confidence",
            "claims.statistical.*.data": "digitx",
            "claims.statistical.*.examples": "1 of 101",
            "inputs.lower": "a box in 10 coordinates, within [-1, 1], (x - 0.5) / 0.25",
            "inputs.mean": "a box in 10 coordinates, within [-1, 1], (x - 0.25) / 0.25",
            "inputs.std": "a box in 10 coordinates, within [-1, 1], (x - 0.5) / 0.125",
            "inputs.upper": "a box in 10 coordinates, within [-1, 0.5], (x - 0.5) / 0.25",
            "provenance.asked.failure_probability": "0.125",
            "provenance.attempts": "attempts 3",
            "provenance.data": "data digitx",
            "provenance.folded.*.*": "block.norx",
            "provenance.method": "made by coin flipx",
            "provenance.names.*.*": "conv.weighx",
            "provenance.version": "slth 0.0.tesx",
        },
        true="move_bound",
    ),
    "version 2, learned": Expected(
        refused="""
            carried.*.dtype carried.*.shape claims format gadgets inputs.lower inputs.upper network.kind
            provenance.folded provenance.misses provenance.names provenance.target stream tensors.*.kept
            tensors.*.mask.bytes tensors.*.mask.encoding tensors.*.moved tensors.*.path tensors.*.shape
        """,
        fails={
            "network": """
                inputs.shape network.arguments.classes network.arguments.hidden network.arguments.inputs
                network.name tensors.*.aliases
            """,
            "streams weights": """
                seed tensors.*.law tensors.*.scale tensors.*.stream
            """,
            "weights": """
                tensors.*.binary tensors.*.gain tensors.*.weights
            """,
            "streams": """
                tensors.*.head
            """,
        },
        says={
            "assumed.*": "a thinx",
            "inputs.mean": "1 x 8 x 8, (x - 0.15) / 0.4",
            "inputs.std": "1 x 8 x 8, (x - 0.3) / 0.2",
            "provenance.asked.data": "digitx",
            "provenance.asked.method.density": "0.25",
            "provenance.asked.method.name": "coin flipx",
            "provenance.asked.policy.skip.*": "fx",
            "provenance.asked.seed": "10000000000000000000000000000000000000001",
            "provenance.attempts": "attempts 2",
            "provenance.data": "data digitx",
            "provenance.method": "made by coin flipx",
            "provenance.version": "slth 0.0.tesx",
        },
        true="move_bound",
    ),
}


@pytest.mark.parametrize("name", SPECIMENS)
def test_the_table_has_every_field_once(name):
    """The digest apart, which anybody computes again."""
    ticket, target, parts, seal = made(name)
    data = encode(ticket)
    meta = parts(data)[0]
    assert seal(meta, data) == data
    assert verify(ticket, target=target).holds
    assert sorted([*TABLE[name].fields, "digest"]) == sorted(fields_of(meta))


@pytest.mark.parametrize("name", SPECIMENS)
def test_another_value_is_refused_when_the_file_is_read(name):
    assert [(which, outcome(name, which)[0]) for which in TABLE[name].refused.split()] == [
        (which, "refused") for which in TABLE[name].refused.split()
    ]


@pytest.mark.parametrize("name", SPECIMENS)
def test_another_value_fails_the_check_that_recomputes_it(name):
    for checks, fields in TABLE[name].fails.items():
        for which in fields.split():
            assert (which, outcome(name, which)) == (which, ("fails", set(checks.split())))


@pytest.mark.parametrize("name", SPECIMENS)
def test_another_value_is_shown_as_what_the_file_says(name):
    """Never as holding; a range, which a claim that holds is about, beside it, too."""
    ticket, target, *_ = made(name)
    honest = {check.detail for check in verify(ticket, target=target).checks}
    for which, text in TABLE[name].says.items():
        ended, checks = outcome(name, which)
        assert (which, ended) == (which, "holds")
        assert any(text in check.detail for check in checks if check.verdict is Verdict.SAYS), which
        holding = [c for c in checks if c.verdict is Verdict.HOLDS and text in c.detail and c.detail not in honest]
        boxes = ("domain.", "inputs.", "assumed")
        assert not [check for check in holding if check.name != "claims" or not which.startswith(boxes)], which
    for which in TABLE[name].true.split():
        assert outcome(name, which)[0] == "holds"
