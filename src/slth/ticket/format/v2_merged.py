"""Version 2: the gadget `merged` as JSON: that of two layers with a linear lift, and what it stands for."""

from collections.abc import Mapping
from typing import Any

from slth.graph import QUERY_KEY, VALUE_OUTPUT, Dense, Linear
from slth.ticket.format import v2_two_layer
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import SIZE, Table, integer, name_of
from slth.ticket.gadgets import Merged

TABLE = Table(**v2_two_layer.TABLE.kinds, part=name_of(QUERY_KEY, VALUE_OUTPUT), weights=integer(0, SIZE))


def data_of(gadget: Merged) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    return {**v2_two_layer.data_of(gadget), "part": gadget.part, "weights": gadget.weights}


def gadget_of(data: Mapping[str, Any], op: Linear, where: str) -> Merged:
    """The gadget, if it is one for this map.

    Raises:
        TicketError: a map that is not dense, a lift with a ReLU, or what two layers refuse.
    """
    if not isinstance(op.basis, Dense):
        fail(f"{where}.kind", "a gadget for this map, which is not dense", "merged")
    if data["lift"] != "linear":
        fail(f"{where}.lift", "linear, of merged projections", data["lift"])
    found = v2_two_layer.gadget_of(data, op, where)
    return Merged(found.stages, found.signed_ranges, found.law, found.centred, True, data["part"], data["weights"])
