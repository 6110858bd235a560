"""Where an ONNX graph can be cut so that a part of it can be read."""

from collections.abc import Callable
from typing import Any

from slth.network.reading.onnx.cut import Part, needed, reads
from slth.network.reading.words import shown

MAPS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
MOST_TRIES = 8  # places to begin at


def advice(graph: Any, part: Part, refused: Any, refusal: Callable[[str], Any]) -> str:
    """What can be read by itself, in half a sentence, where one node cannot.

    Args:
        refusal: the node that cannot be read of what lies behind a value; None if all of it can.
    """
    found = (
        ("before", "--to", _before(graph, part, refused)),
        ("behind", "--from", _behind(graph, part, refused, refusal)),
    )
    ways = [f"what lies {side} it by {flag} {shown(value)!r}" for side, flag, value in found if value is not None]
    if not ways:
        return "no part with a linear map can be read before or behind it"
    return f"the graph can be cut, {' or '.join(ways)}"


def _before(graph: Any, part: Part, refused: Any) -> str | None:
    """The value that the node reads, if a map leads to it."""
    for name in reads(refused):
        nodes, free = needed(graph, name, [part.start])
        if part.start in free and any(node.op_type in MAPS for node in nodes):
            return name
    return None


def _behind(graph: Any, part: Part, refused: Any, refusal: Callable[[str], Any]) -> str | None:
    """The first value, through which all passes, behind which all can be read, and a map follows."""
    for _ in range(MOST_TRIES):
        start = _passage(graph, part, refused)
        if start is None:
            return None
        refused = refusal(start)
        if refused is None:
            return start
    return None


def _passage(graph: Any, part: Part, refused: Any) -> str | None:
    """The first value behind a node through which all passes, if a map follows."""
    inputs = {own.name for own in graph.input} - set(part.constants)
    first = next((i for i, node in enumerate(part.nodes) if node is refused), len(part.nodes))
    for node in part.nodes[first:]:
        nodes, free = needed(graph, part.end, [node.output[0]])
        maps = any(inner.op_type in MAPS for inner in nodes)
        if maps and node.output[0] in free and not inputs & set(free):
            return node.output[0]
    return None
