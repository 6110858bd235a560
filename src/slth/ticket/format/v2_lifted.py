"""Version 2: gadgets that are two random layers with a rule of their own, `single`, `counts` and `grid`, as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import FLOAT32, POWER_OF_TWO, Kind, Table, integer
from slth.ticket.format.v2_two_layer import SIGNED, check_signed
from slth.ticket.gadgets import MOST_CANDIDATES, MOST_LONG, MOST_SIZE_OF_GRID, Counts, Grid, Lifted, Single


class LiftedCodec:
    """The members are the fields, but for the ranges, which are called as in `two-layer`."""

    def __init__(self, make: type[Lifted], gain: Kind, most: int, **more: Kind) -> None:
        self.make, self.most = make, most
        self.TABLE = Table(
            signed=SIGNED,
            candidates=integer(1, most),
            constants=integer(0, most),
            neurons=integer(1, 2**50),
            gain=gain,
            bias_gain=gain,
            **more,
        )

    def data_of(self, gadget: Lifted) -> dict[str, Any]:
        """Plain data, before it is written by its table."""
        own = {key: getattr(gadget, key) for key in self.TABLE.kinds if key != "signed"}
        return {"signed": gadget.signed_ranges, **own}

    def gadget_of(self, data: Mapping[str, Any], op: Linear, where: str) -> Lifted:
        """The gadget, if it is one for this map.

        Raises:
            TicketError: a bias without candidates, candidates without a bias, ranges that are no ranges, a lift too
                narrow for what it serves.
        """
        check_signed(data["signed"], op, where)
        check_constants(data, op, where, self.most)
        own = {key: data[key] for key in self.TABLE.kinds if key != "signed"}
        gadget = self.make(signed_ranges=data["signed"], **own)
        live = gadget.live(op)
        if gadget.neurons < live:
            fail(f"{where}.neurons", f"an integer from {live} to {2**50}", gadget.neurons)
        return gadget


def check_constants(data: Mapping[str, Any], op: Linear, where: str, most: int) -> None:
    """Constants for a bias, and none without one."""
    if (data["constants"] > 0) != op.bias or (not op.bias and data["bias_gain"] != 1.0):
        bias, none = f"constants from 1 to {most}", "no constants and bias_gain 1.0, without a bias"
        fail(where, bias if op.bias else none, f"{data['constants']} and {data['bias_gain']:g}")


SINGLE = LiftedCodec(Single, POWER_OF_TWO, MOST_LONG)
COUNTS = LiftedCodec(Counts, FLOAT32, MOST_LONG)
GRID = LiftedCodec(Grid, POWER_OF_TWO, MOST_CANDIDATES, size=integer(1, MOST_SIZE_OF_GRID))
