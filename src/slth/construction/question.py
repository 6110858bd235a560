"""What a construction was asked for, as plain data: two questions that are equal have tickets of the same bytes."""

import hashlib
import json
from dataclasses import fields
from typing import Any

from slth._version import __version__
from slth.construction.compensation import Calibration
from slth.construction.plan import Request
from slth.graph import Linear, Target
from slth.ticket import Inputs, Ticket, network_digest

_FORMAT = 1  # of the folder that keeps finished maps
_FEW = 8  # numbers of one end of a range that are spelled out


def question(
    target: Target, request: Request, inputs: Inputs, calibration: Calibration | None = None
) -> dict[str, Any]:
    """All that decides the masks of a ticket: the target, the request, the inputs, the version of slth.

    Cost: one digest of the target.
    """
    options = {
        part.name: getattr(request, part.name) for part in fields(request) if part.name not in ("source", "recipe")
    }
    return {
        "format": _FORMAT,
        "slth": __version__,
        "target": network_digest(target, inputs.shape),
        "names": _names(target),
        **options,
        **request.asked,
        "source": None if request.source is None else _random_network(request.source),
        "calibration": None if calibration is None else calibration.digest,
        "shape": list(inputs.shape),
        **{name: _numbers(getattr(inputs, name)) for name in ("mean", "std", "lower", "upper")},
    }


def _names(target: Target) -> str:
    """Digest of the names of nodes and maps: those of maps name random numbers, and the digest of a target has none."""
    graph = target.graph
    return _digest([[n.name, list(n.inputs), n.op.map if isinstance(n.op, Linear) else None] for n in graph.nodes])


def _random_network(source: Ticket) -> str:
    return _digest([source.seed, {path: repr(gadget) for path, gadget in source.gadgets.items()}])


def _numbers(values: tuple[float, ...] | None) -> Any:
    """A few numbers as they are, many as a digest."""
    if values is None or len(values) <= _FEW:
        return None if values is None else list(values)
    return _digest(list(values))


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data).encode()).hexdigest()
