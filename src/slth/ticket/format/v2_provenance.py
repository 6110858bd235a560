"""Version 2: where a ticket came from, as JSON."""

from collections.abc import Mapping
from typing import Any

from slth.graph import Linear
from slth.ticket.format.fields import TicketError, as_ticket_errors, fail
from slth.ticket.format.schema import (
    DIGEST,
    NAME,
    OBJECT,
    SIZE,
    Table,
    integer,
    mapping_of,
    name_of,
    number,
    optional,
    row_of,
    text,
    tuple_of,
)
from slth.ticket.format.v2_claims import check_asked
from slth.ticket.provenance import MOST_MISSES, Miss, Provenance

_NAMES = row_of(NAME, optional(NAME), expected="the names of weight and bias")
_MOST_FOLDED = 100_000  # steps in one map
_MISS = row_of(
    NAME,
    integer(0, SIZE),
    integer(-1, SIZE),
    integer(0, SIZE),
    name_of("positive", "negative", "bias"),
    number(0.0),
    expected="[map, output, input, tap, half, error]",
)
PROVENANCE = Table(
    version=text(100),
    method=text(200),
    asked=OBJECT,
    attempts=integer(1, 10**6),
    target=optional(DIGEST),
    names=mapping_of(_NAMES, SIZE),
    folded=mapping_of(tuple_of(NAME, _MOST_FOLDED), SIZE),
    misses=tuple_of(_MISS, MOST_MISSES),
    data=optional(NAME),
)


def provenance_data(origin: Provenance) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    misses = [(m.map, m.output, m.input, m.tap, m.half, m.error) for m in origin.misses]
    return {key: getattr(origin, key) for key in PROVENANCE.kinds if key != "misses"} | {"misses": misses}


def provenance_of(data: Mapping[str, Any], maps: Mapping[str, Linear], *, claimed: bool) -> Provenance:
    """The origin of a ticket with these maps.

    Args:
        claimed: whether something is claimed of them.

    Raises:
        TicketError: names, steps or misses of a map or a coefficient that is not there; a step that is listed twice; a
            target without a network that is spelled out; claims without a question that they answer.
    """
    _check_names(data["names"], maps)
    for path in data["folded"]:
        if path not in maps:
            raise TicketError(f"provenance.folded: {path[:200]!r} is no such map")
    misses = tuple(Miss(path, out, inp, half, error, tap) for path, out, inp, tap, half, error in data["misses"])
    if misses and not claimed:
        raise TicketError("provenance.misses: a miss is listed, yet no tolerance is claimed")
    for miss in misses:
        _check_miss(miss, maps)
    if len({(m.map, m.output, m.input, m.tap, m.half) for m in misses}) != len(misses):
        raise TicketError("provenance.misses: one coefficient is listed twice")
    if data["target"] is not None and not maps:
        raise TicketError("provenance.target: a network that is not spelled out stands for no target")
    members: dict[str, Any] = {**data, "misses": misses}
    with as_ticket_errors():
        provenance = Provenance(**members)
    if claimed:
        check_asked(provenance.asked)
    return provenance


def _check_names(names: Mapping[str, tuple[str, str | None]], maps: Mapping[str, Linear]) -> None:
    """Tensors of the target, of some maps; two maps may share one."""
    for path, (_, bias) in names.items():
        if path not in maps or (bias is not None and not maps[path].bias):
            what = "no such map" if path not in maps else "a map without a bias"
            raise TicketError(f"provenance.names: {path[:200]!r} is {what}")
    if any("__metadata__" in pair for pair in names.values()):
        raise TicketError("provenance.names: no tensor of a state dict is called __metadata__")


def _check_miss(miss: Miss, maps: Mapping[str, Linear]) -> None:
    """A miss is a bias, or a coefficient of an input and an output of one group."""
    if miss.map not in maps:
        raise TicketError(f"provenance.misses: {miss.map[:200]!r} is no such map")
    op = maps[miss.map]
    rows, inputs, taps = op.coefficients
    if miss.half == "bias":
        there = op.bias and miss.output < op.basis.outputs and (miss.input, miss.tap) == (-1, 0)
    else:
        group = miss.input * op.basis.groups // inputs
        there = 0 <= miss.input < inputs and miss.output // rows == group and miss.tap < taps
    if not there:
        fail("provenance.misses", f"a coefficient of {miss.map[:100]}", (miss.output, miss.input, miss.tap, miss.half))
