"""An attention with the maps around it: which outputs of a map each head reads, and which inputs it becomes.

Heads are made by views around the op: between a map and the attention stand Reshape, Permute and Slice alone. What they
do is traced, not recognised: the entries of the map's value are numbered, and it is looked at where the numbers end up.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.graph.bases import Dense, Shape
from slth.graph.evaluation import EVALUATE
from slth.graph.nodes import Graph, Node
from slth.graph.ops import Linear, Permute, Reshape, Slice

INSTEAD = "take the gadget two-layer, which makes every projection by itself"
Part = tuple[str, bytes]  # a map, and which of its outputs or inputs
_VIEWS = {Reshape, Permute, Slice}


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Rows of a map that are one side of an attention, or columns of the map behind it."""

    node: Node  # of the map
    path: str
    indices: np.ndarray  # (head, i): which output of the map, or which of its inputs

    def key(self, head: int) -> Part:
        """What tells a head's part of a map from others."""
        return self.path, self.indices[head].tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Projections:
    """The maps around an attention."""

    node: Node
    queries: Heads
    keys: Heads
    values: Heads
    output: Heads
    lead: Shape  # axes before the heads
    heads: int | None  # None: there is no axis of heads

    @property
    def group(self) -> int:
        """Query heads that read one key head."""
        return (self.heads or 1) // len(self.keys.indices)


def projections_of(graph: Graph, node: Node, known: Mapping[str, Shape]) -> Projections:
    """The four maps around an attention; `known`: the shape of every node's value.

    Raises:
        InputError: something else stands there, or positions are moved on the way.
    """
    queries, keys, values = (_before(graph, node, known, side) for side in range(3))
    shape = known[node.name]
    heads = shape[-3] if len(shape) > 2 else None
    return Projections(node, queries, keys, values, _behind(graph, node, known), shape[:-3], heads)


def _before(graph: Graph, attention: Node, known: Mapping[str, Shape], side: int) -> Heads:
    """The map that makes the queries, keys or values, and which of its outputs each head reads."""
    what = ("queries", "keys", "values")[side]
    by_name = {node.name: node for node in graph.nodes}
    views: list[Node] = []
    node = by_name.get(attention.inputs[side])
    while node is not None and type(node.op) in _VIEWS:
        views.append(node)
        node = by_name.get(node.inputs[0])
    if node is None or not isinstance(node.op, Linear) or not isinstance(node.op.basis, Dense):
        passed = "the network's input" if node is None else f"{type(node.op).__name__} ({node.name[:60]})"
        raise InputError(
            f"{attention.name}: its {what} are no dense map's outputs but those of {passed}, such as rotary positions "
            f"or a normalisation; merged projections are single matrices: {INSTEAD}"
        )
    found = _traced(views[::-1], known[node.name])
    return Heads(node, node.op.map, _of_heads(found, known[node.name][-1], f"{attention.name}: its {what}"))


def _traced(views: list[Node], shape: Shape) -> np.ndarray:
    """Where each entry comes from, after some views of a value: the place of an entry of that."""
    entries = np.arange(np.prod(shape), dtype=np.float64).reshape(1, *shape)
    for node in views:
        entries = EVALUATE[type(node.op)](node.op, (entries,), {})
    return entries[0].astype(np.int64)


def _of_heads(entries: np.ndarray, channels: int, who: str) -> np.ndarray:
    """Channels (head, i) of entries (..., head, t, i), if each position reads its own, and all of them alike."""
    entries = entries if entries.ndim > 2 else entries[None]
    lead, (heads, length, width) = entries.shape[:-3], entries.shape[-3:]
    place, channel = np.divmod(entries.reshape(-1, heads, length, width), channels)
    own = np.arange(len(place) * length).reshape(-1, 1, length, 1)
    if (place != own).any() or (channel != channel[:1, :, :1]).any():
        raise InputError(
            f"{who} are moved between positions on their way; expected heads along an axis before the positions, after "
            f"{len(lead)} other axes: {INSTEAD}"
        )
    return np.ascontiguousarray(channel[0, :, 0])


def _behind(graph: Graph, attention: Node, known: Mapping[str, Shape]) -> Heads:
    """The map that reads what the heads attended, and which of its inputs each of them is."""
    node, views = attention, list[Node]()
    while True:
        readers = [other for other in graph.nodes if node.name in other.inputs]
        if len(readers) == 1 and type(readers[0].op) in _VIEWS - {Slice}:
            node = readers[0]
            views.append(node)
            continue
        op = readers[0].op if len(readers) == 1 else None
        if not isinstance(op, Linear) or not isinstance(op.basis, Dense):
            read = f"{len(readers)} nodes read" if op is None else f"{type(op).__name__} ({readers[0].name[:60]}) reads"
            raise InputError(
                f"{attention.name}: {read} what its heads give; expected one dense map, to be merged with the values: "
                f"{INSTEAD}"
            )
        break
    shape = known[attention.name]
    entries = _traced(views, shape)
    length, width, heads = shape[-2], shape[-1], shape[-3] if len(shape) > 2 else 1
    rows = entries.reshape(-1, length, heads * width)
    head, place = np.divmod(rows % (heads * length * width), length * width)
    place, channel = np.divmod(place, width)
    lead = rows // (heads * length * width)
    own = head[:1, :1] * width + channel[:1, :1]
    apart = (lead != np.arange(len(rows))[:, None, None]).any() or (place != np.arange(length)[:, None]).any()
    if apart or entries.shape[-1] != heads * width or (head * width + channel != own).any():
        raise InputError(f"{attention.name}: what its heads give is moved between positions: {INSTEAD}")
    return Heads(readers[0], op.map, np.argsort(own[0, 0]).reshape(heads, width))
