"""Version 2: the gadgets `plain` and `single-plain` as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.schema import POWER_OF_TWO, Table, integer
from slth.ticket.format.v2_lifted import check_constants
from slth.ticket.format.v2_two_layer import SIGNED, check_signed
from slth.ticket.gadgets import MOST_CANDIDATES, MOST_LONG, Edges, Plain, SinglePlain


class EdgesCodec:
    """The members are the fields, but for the ranges, which are called as in `two-layer`."""

    def __init__(self, make: type[Edges], most: int) -> None:
        self.make, self.most = make, most
        self.TABLE = Table(
            signed=SIGNED,
            candidates=integer(1, most),
            constants=integer(0, most),
            gain=POWER_OF_TWO,
            bias_gain=POWER_OF_TWO,
        )

    def data_of(self, gadget: Edges) -> dict[str, Any]:
        """Plain data, before it is written by its table."""
        own = {key: getattr(gadget, key) for key in self.TABLE.kinds if key != "signed"}
        return {"signed": gadget.signed_ranges, **own}

    def gadget_of(self, data: Mapping[str, Any], op: Linear, where: str) -> Edges:
        """The gadget, if it is one for this map.

        Raises:
            TicketError: a bias without candidates, candidates without a bias, ranges that are no ranges.
        """
        check_signed(data["signed"], op, where)
        check_constants(data, op, where, self.most)
        own = {key: data[key] for key in self.TABLE.kinds if key != "signed"}
        return self.make(signed_ranges=data["signed"], **own)


PLAIN = EdgesCodec(Plain, MOST_CANDIDATES)
SINGLE_PLAIN = EdgesCodec(SinglePlain, MOST_LONG)
