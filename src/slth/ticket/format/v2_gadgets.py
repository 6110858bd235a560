"""Version 2: the gadgets of a network's maps as JSON. One codec for each kind, one line here."""

from collections.abc import Mapping
from typing import Any, Protocol

from slth.graph import Linear
from slth.ticket.format import v2_copies, v2_doubling, v2_lifted, v2_merged, v2_neurons, v2_plain, v2_two_layer
from slth.ticket.format.fields import fail
from slth.ticket.format.schema import DIGEST, SIZE, Choice, Kind, Table, integer, mapping_of, row_of, whole
from slth.ticket.gadgets import Gadget


class Codec(Protocol):
    """Plain data of the gadgets of one kind, beside what all of them state."""

    TABLE: Table

    def data_of(self, gadget: Any) -> dict[str, Any]:
        """Plain data, before it is written by its table."""
        ...

    def gadget_of(self, data: Mapping[str, Any], op: Linear, where: str) -> Gadget:
        """The gadget, if it is one for this map; raises `TicketError`."""
        ...


CODECS: Mapping[str, Any] = {
    "two-layer": v2_two_layer,
    "merged": v2_merged,
    "copies": v2_copies,
    "neurons": v2_neurons,
    "single": v2_lifted.SINGLE,
    "single-plain": v2_plain.SINGLE_PLAIN,
    "plain": v2_plain.PLAIN,
    "counts": v2_lifted.COUNTS,
    "doubling": v2_doubling,
    "grid": v2_lifted.GRID,
}  # modules and objects that are a `Codec`
RANKED = ("two-layer", "merged")  # whose mask bits are, each, one candidate of one subset: see `BitGroups`
_COMMON: Mapping[str, Kind] = {
    "shape": row_of(integer(1, SIZE), integer(1, SIZE), integer(1, SIZE), expected="[rows, inputs, taps]"),
    "groups": integer(1, SIZE),
    "realised": DIGEST,
}


class _Tagged:
    """The members of one kind, as a mapping that says which."""

    def __init__(self, kind: str) -> None:
        self.kind, self.table = kind, Table(**_COMMON, **CODECS[kind].TABLE.kinds)

    def read(self, data: Any, where: str) -> dict[str, Any]:
        """With the kind."""
        return {"kind": self.kind, **self.table.read(data, where)}

    def write(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Without it."""
        return self.table.write({key: value for key, value in record.items() if key != "kind"})


GADGET = Choice("kind", {kind: _Tagged(kind) for kind in CODECS}, kind_of=lambda data: data["kind"])


def gadgets_kind(most: int) -> Kind:
    """The gadgets of so many maps at most, by path."""
    return mapping_of(whole(GADGET), most)


def says_gadget(gadget: Gadget) -> bool:
    """There is a codec for it."""
    return gadget.kind in CODECS


def gadget_data(gadget: Gadget, op: Linear, realised: str) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    own = CODECS[gadget.kind].data_of(gadget)
    return {"kind": gadget.kind, "shape": op.coefficients, "groups": op.basis.groups, "realised": realised, **own}


def gadget_of(data: Mapping[str, Any], path: str, op: Linear) -> Gadget:
    """The gadget of a map, if it is one for it.

    Raises:
        TicketError: another shape, or what its codec refuses.
    """
    where = f"gadgets.{path[:100]}"
    if (data["shape"], data["groups"]) != (op.coefficients, op.basis.groups):
        fail(f"{where}.shape", f"{op.coefficients} in {op.basis.groups} groups", (data["shape"], data["groups"]))
    return CODECS[data["kind"]].gadget_of(data, op, where)
