"""Version 2: the gadget `neurons` as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import POWER_OF_TWO, Table, fixed, integer, name_of
from slth.ticket.format.v2_two_layer import SIGNED, check_signed
from slth.ticket.gadgets import MOST_CANDIDATES, MOST_COORDINATES, THRESHOLD, Neurons

_OWN = ("group_size", "candidates", "constants", "neurons", "gain", "bias_gain")
TABLE = Table(
    signed=SIGNED,
    lift=name_of("relu"),
    threshold=fixed(THRESHOLD),
    group_size=integer(1, MOST_COORDINATES),
    candidates=integer(1, MOST_CANDIDATES),
    constants=integer(0, MOST_CANDIDATES),
    neurons=integer(1, 2**50),
    gain=POWER_OF_TWO,
    bias_gain=POWER_OF_TWO,
)


def data_of(gadget: Neurons) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    own = {name: getattr(gadget, name) for name in _OWN}
    return {"signed": gadget.signed_ranges, "lift": "relu", "threshold": THRESHOLD, **own}


def gadget_of(data: Mapping[str, Any], op: Linear, where: str) -> Neurons:
    """The gadget, if it is one for this map.

    Raises:
        TicketError: outputs that do not share their inputs, a group larger than the outputs or of too many numbers, a
            bias without candidates, candidates without a bias, ranges that are no ranges, or a lift too narrow.
    """
    check_signed(data["signed"], op, where)
    gadget = Neurons(signed_ranges=data["signed"], **{name: data[name] for name in _OWN})
    if op.basis.groups != 1:
        fail(where, "a map in one group, whose outputs share their inputs", f"{op.basis.groups} groups")
    most = min(op.coefficients[0], max(MOST_COORDINATES // op.basis.taps, 1))
    if gadget.group_size > most or op.basis.taps > MOST_COORDINATES:
        expected = f"an integer from 1 to {most}, for {op.coefficients[0]} outputs and {op.basis.taps} taps"
        fail(f"{where}.group_size", expected, gadget.group_size)
    if (gadget.constants > 0) != op.bias or (not op.bias and gadget.bias_gain != 1.0):
        bias, none = f"constants from 1 to {MOST_CANDIDATES}", "no constants and bias_gain 1.0, without a bias"
        fail(where, bias if op.bias else none, f"{gadget.constants} and {gadget.bias_gain:g}")
    if gadget.neurons < gadget.live(op):
        fail(f"{where}.neurons", f"an integer from {gadget.live(op)} to {2**50}", gadget.neurons)
    return gadget
