"""Version 2: the gadgets of a network's maps as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.fields import TicketError, fail
from slth.ticket.format.schema import (
    DIGEST,
    POWER_OF_TWO,
    SIZE,
    Kind,
    Table,
    fixed,
    integer,
    mapping_of,
    name_of,
    row_of,
    tuple_of,
    whole,
)
from slth.ticket.gadgets import MOST_CANDIDATES, THRESHOLD, TwoLayer

MOST_STAGES = 16
KIND = "two-layer"

STAGE = Table(
    candidates=integer(1, MOST_CANDIDATES),
    constants=integer(0, MOST_CANDIDATES),
    neurons=integer(1, 2**50),
    gain=POWER_OF_TWO,
    bias_gain=POWER_OF_TWO,
)
GADGET = Table(
    kind=name_of(KIND),
    shape=row_of(integer(1, SIZE), integer(1, SIZE), integer(1, SIZE), expected="[rows, inputs, taps]"),
    groups=integer(1, SIZE),
    signed=tuple_of(row_of(integer(0, SIZE), integer(0, SIZE), expected="pairs [start, stop]"), SIZE),
    lift=name_of("relu"),
    threshold=fixed(THRESHOLD),
    stages=tuple_of(whole(STAGE), MOST_STAGES),
    realised=DIGEST,
)


def gadgets_kind(most: int) -> Kind:
    """The gadgets of so many maps at most, by path."""
    return mapping_of(whole(GADGET), most)


def gadget_data(gadget: TwoLayer, op: Linear, realised: str) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    return {
        "kind": KIND,
        "shape": op.coefficients,
        "groups": op.basis.groups,
        "signed": gadget.signed_ranges,
        "lift": "relu",
        "threshold": THRESHOLD,
        "stages": [{key: getattr(gadget, key) for key in STAGE.kinds}],
        "realised": realised,
    }


def gadget_of(data: Mapping[str, Any], path: str, op: Linear) -> TwoLayer:
    """The gadget of a map, if it is one for it.

    Raises:
        TicketError: another shape, a bias without candidates, candidates without a bias, ranges that are no ranges, a
            lift too narrow for what it serves, or more than one stage.
    """
    where = f"gadgets.{path[:100]}"
    if (data["shape"], data["groups"]) != (op.coefficients, op.basis.groups):
        fail(f"{where}.shape", f"{op.coefficients} in {op.basis.groups} groups", (data["shape"], data["groups"]))
    if len(data["stages"]) != 1:
        raise TicketError(
            f"{where}: {len(data['stages'])} stages are not known to this slth, which has one: update slth"
        )
    stage = data["stages"][0]
    if (stage["constants"] > 0) != op.bias or (not op.bias and stage["bias_gain"] != 1.0):
        wanted = (
            f"constants from 1 to {MOST_CANDIDATES}" if op.bias else "no constants and bias_gain 1.0, without a bias"
        )
        fail(where, wanted, f"{stage['constants']} and {stage['bias_gain']:g}")
    last = -1
    for start, stop in data["signed"]:
        if not last < start < stop <= op.basis.inputs:
            expected = f"ascending ranges, apart from each other, within {op.basis.inputs} inputs"
            fail(f"{where}.signed", expected, [start, stop])
        last = stop
    gadget = TwoLayer(signed_ranges=data["signed"], **stage)
    live = gadget.live(op)
    if gadget.neurons < live:
        fail(f"{where}.neurons", f"an integer from {live} to {2**50}", gadget.neurons)
    return gadget
