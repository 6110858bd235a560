"""Version 2: the gadget `doubling` as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Dense, Linear
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import POWER_OF_TWO, Table, integer, tuple_of
from slth.ticket.format.v2_two_layer import SIGNED, check_signed
from slth.ticket.gadgets import MOST_COPIES, MOST_DIGITS, MOST_ENTRIES, Doubling

TABLE = Table(
    signed=SIGNED,
    copies=integer(2, MOST_COPIES),
    widths=tuple_of(integer(1, MOST_ENTRIES), MOST_DIGITS),
    gain=POWER_OF_TWO,
    bias_gain=POWER_OF_TWO,
)


def data_of(gadget: Doubling) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    own = {key: getattr(gadget, key) for key in TABLE.kinds if key != "signed"}
    return {"signed": gadget.signed_ranges, **own}


def gadget_of(data: Mapping[str, Any], op: Linear, where: str) -> Doubling:
    """The gadget, if it is one for this map.

    Raises:
        TicketError: a map that is not dense; a gain of biases without one; no layers, or layers too narrow for what
            they serve, or too large.
    """
    check_signed(data["signed"], op, where)
    if not isinstance(op.basis, Dense):
        fail(where, "a dense map", "one of another kind")
    if not op.bias and data["bias_gain"] != 1.0:
        fail(f"{where}.bias_gain", "1.0, without a bias", data["bias_gain"])
    widths = data["widths"]
    if not widths:
        fail(f"{where}.widths", "at least one layer", widths)
    own = {key: data[key] for key in TABLE.kinds if key != "signed"}
    gadget = Doubling(digits=len(widths), signed_ranges=data["signed"], **own)
    for found, least in zip(widths, gadget.narrowest(op).widths, strict=True):
        if found < least:
            fail(f"{where}.widths", f"layers of at least {gadget.narrowest(op).widths} neurons", widths)
    if sum(tensor.size for tensor in gadget.tensors("map", op)) > MOST_ENTRIES:
        fail(f"{where}.widths", f"random matrices of at most {MOST_ENTRIES:,} entries", widths)
    return gadget
