"""Version 1: where a constructed ticket came from. Frozen; see FORMAT.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from slth.graph import Graph
from slth.ticket.format.fields import TicketError, fail
from slth.ticket.format.schema import (
    DIGEST,
    SIZE,
    Kind,
    Table,
    integer,
    number,
    one_of,
    optional,
    row_of,
    text,
    tuple_of,
)
from slth.ticket.format.v1_claims import MOST_LAYERS
from slth.ticket.gadgets import MOST_CANDIDATES
from slth.ticket.provenance import MOST_MISSES, Miss, Provenance

ASKED = Table(
    tolerance=optional(number(0.0)),
    epsilon=optional(number(0.0)),
    failure_probability=optional(number(0.0)),
    candidates=optional(integer(1, MOST_CANDIDATES)),
)
_MISS = row_of(
    integer(0, SIZE),
    integer(0, SIZE),
    integer(-1, SIZE),
    one_of("positive", "negative", "bias"),
    number(0.0),
    expected="[layer, output, input, half, error]",
)
PROVENANCE = Table(
    version=text(100),
    method=text(200),
    asked=Kind(ASKED.read, ASKED.write),
    attempts=integer(1, 10**6),
    target=DIGEST,
    names=tuple_of(
        row_of(text(), optional(text()), expected="the names of weight and bias of every layer"), MOST_LAYERS
    ),
    misses=tuple_of(_MISS, MOST_MISSES),
)


def says_asked(asked: Mapping[str, Any]) -> bool:
    """A tolerance or an error of the network, and nothing that only a later version knows."""
    given = {key for key, value in asked.items() if value is not None}
    return given <= set(ASKED.kinds) and len(given & {"tolerance", "epsilon"}) == 1


def provenance_as_data(origin: Provenance, paths: Sequence[str]) -> dict[str, Any]:
    """What `PROVENANCE` writes; maps are numbered."""
    index = {path: i for i, path in enumerate(paths)}
    return {
        **{key: getattr(origin, key) for key in ("version", "method", "attempts", "target")},
        "asked": {key: origin.asked.get(key) for key in ASKED.kinds},
        "names": [origin.names[path] for path in paths],
        "misses": [(index[m.map], m.output, m.input, m.half, m.error) for m in origin.misses],
    }


def provenance_of(data: Mapping[str, Any], graph: Graph) -> Provenance:
    """Whose names and misses fit these maps."""
    maps = list(graph.maps.items())
    if len(data["names"]) != len(maps):
        raise TicketError(f"provenance.names: expected {len(maps)} pairs; got {len(data['names'])}")
    for (_, op), pair in zip(maps, data["names"], strict=True):
        if (pair[1] is None) == op.bias:
            fail("provenance.names", "the names of weight and bias of every layer", list(pair))
    used = [name for pair in data["names"] for name in pair if name is not None]
    if len(set(used)) != len(used) or "__metadata__" in used:
        raise TicketError("provenance.names: two tensors have one name, or one is called __metadata__")
    misses: list[Miss] = []
    for layer, output, input, half, error in data["misses"]:
        integer(0, len(maps) - 1).read(layer, "provenance.misses")
        path, op = maps[layer]
        integer(0, op.basis.outputs - 1).read(output, "provenance.misses")
        integer(-1, op.basis.inputs - 1).read(input, "provenance.misses")
        misses.append(Miss(path, output, input, half, error))
    if len({(miss.map, miss.output, miss.input, miss.half) for miss in misses}) != len(misses):
        raise TicketError("provenance.misses: one coefficient is listed twice")
    _check_asked(data["asked"])
    return Provenance(
        version=data["version"],
        method=data["method"],
        asked=data["asked"],
        attempts=data["attempts"],
        target=data["target"],
        names=dict(zip(graph.maps, data["names"], strict=True)),
        misses=tuple(misses),
    )


def _check_asked(asked: Mapping[str, Any]) -> None:
    """A tolerance of every weight or an error of the network, and a chance that is one."""
    if (asked["tolerance"] is None) == (asked["epsilon"] is None):
        raise TicketError("ask for a tolerance of every weight or for an error of the network, one of the two")
    for name, key in (("tolerance", "tolerance"), ("error of the network", "epsilon")):
        if asked[key] is not None and asked[key] <= 0:
            raise TicketError(f"the {name} must be a positive number such as 1e-4, got {asked[key]:g}")
    chance = asked["failure_probability"]
    if chance is not None and not 0 < chance < 1:
        raise TicketError(f"a failure probability lies between 0 and 1, got {chance:g}")
