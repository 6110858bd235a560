"""Version 2: the gadget `copies` as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import POWER_OF_TWO, Table, fixed, integer
from slth.ticket.format.v2_two_layer import SIGNED, check_signed
from slth.ticket.gadgets import MOST_CANDIDATES, THRESHOLD, Copies

_OWN = ("copies", "constants", "neurons", "gain", "bias_gain")
TABLE = Table(
    signed=SIGNED,
    threshold=fixed(THRESHOLD),
    copies=integer(1, MOST_CANDIDATES),
    constants=integer(0, MOST_CANDIDATES),
    neurons=integer(0, 2**50),
    gain=POWER_OF_TWO,
    bias_gain=POWER_OF_TWO,
)


def data_of(gadget: Copies) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    return {"signed": gadget.signed_ranges, "threshold": THRESHOLD, **{key: getattr(gadget, key) for key in _OWN}}


def gadget_of(data: Mapping[str, Any], op: Linear, where: str) -> Copies:
    """The gadget, if it is one for this map.

    Raises:
        TicketError: copies that do not divide the inputs of a group, a bias without constants or constants without a
            bias, ranges that are no ranges, fewer random biases than constants.
    """
    check_signed(data["signed"], op, where)
    gadget = Copies(signed_ranges=data["signed"], **{key: data[key] for key in _OWN})
    own = op.basis.inputs // op.basis.groups
    if own % gadget.copies:
        fail(f"{where}.copies", f"a divisor of the {own} inputs of a group", gadget.copies)
    if (gadget.constants > 0) != op.bias or (not op.bias and (gadget.bias_gain != 1.0 or gadget.neurons)):
        bias, none = (
            f"constants from 1 to {MOST_CANDIDATES}",
            "no constants, no neurons and bias_gain 1.0, without a bias",
        )
        fail(where, bias if op.bias else none, f"{gadget.constants} of {gadget.neurons} and {gadget.bias_gain:g}")
    least = gadget.constants * op.basis.groups
    if gadget.neurons < least:
        fail(f"{where}.neurons", f"an integer from {least} to {2**50}", gadget.neurons)
    return gadget
