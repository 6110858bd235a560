"""Version 1: what is claimed of the layers and of the network. Frozen; see FORMAT.md."""

from collections.abc import Mapping
from typing import Any

from slth.certificate import Certificate, MapClaim
from slth.graph import Graph
from slth.ticket.format.fields import TicketError
from slth.ticket.format.schema import BOUND, SIZE, Kind, Table, integer, optional, tuple_of
from slth.ticket.inputs import Inputs

MOST_LAYERS = 10_000

CLAIM = Table(
    tolerance=BOUND,
    weight_error=BOUND,
    bias_error=BOUND,
    misses=integer(0, 2**63),
    operator_error=BOUND,
    sup_error=optional(BOUND),
    l2_error=optional(BOUND),
)
BOUNDS = Table(
    layers=tuple_of(Kind(CLAIM.read, CLAIM.write_record), MOST_LAYERS),
    sup_error=optional(BOUND),
    l2_error=optional(BOUND),
    output_error=optional(tuple_of(BOUND, SIZE)),
)


def claims_as_data(claims: Certificate) -> dict[str, Any]:
    """What `BOUNDS` writes."""
    totals = {key: getattr(claims, key) for key in ("sup_error", "l2_error", "output_error")}
    return {"layers": claims.maps.values(), **totals}


def claims_of(bounds: Mapping[str, Any], graph: Graph, inputs: Inputs, problems: Mapping[str, int]) -> Certificate:
    """Claims about these layers and this domain; whether they are true needs the target."""
    if len(bounds["layers"]) != len(graph.maps):
        raise TicketError(f"ticket.bounds: expected {len(graph.maps)} layers; got {len(bounds['layers'])}")
    claims = Certificate(
        maps={path: MapClaim(**claim) for path, claim in zip(graph.maps, bounds["layers"], strict=True)},
        sup_error=bounds["sup_error"],
        l2_error=bounds["l2_error"],
        output_error=bounds["output_error"],
    )
    for path, claim in claims.maps.items():
        integer(0, problems[path]).read(claim.misses, f"bounds.{path}.misses")
    if claims.output_error is not None:
        if inputs.lower is None:
            raise TicketError("ticket.bounds: errors are bounded over a domain, yet `domain` states no range")
        outputs = list(graph.maps.values())[-1].basis.outputs
        if len(claims.output_error) != outputs:
            raise TicketError(f"ticket.bounds: expected {outputs} values in `output_error`, one per output")
    return claims
