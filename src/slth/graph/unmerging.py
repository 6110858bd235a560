"""The attention that realises merged maps: the same graph with four projections again, of other head sizes.

M of every head becomes two maps, `M/query` of the queries' value and `M/key` of the keys'; U becomes `U/value` of the
values' and `U/output` of what the head attended. This is the architecture that was merged, see `merging`, with n_K and
n_V where the target had d_head: that of the widest head, for all are as wide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from slth.graph.bases import Dense, Shape
from slth.graph.merging import QUERY_KEY, VALUE_OUTPUT, read_nodes
from slth.graph.nodes import Graph, Node
from slth.graph.ops import Attention, Concat, Linear, Reshape, Slice
from slth.graph.shapes import Carried, shapes
from slth.graph.values import Product

# What the two projections are called that a merged map stands for.
HALVES: Mapping[str, tuple[str, str]] = {QUERY_KEY: ("query", "key"), VALUE_OUTPUT: ("value", "output")}


def with_projections(
    graph: Graph, merged: Mapping[str, Product], widths: Mapping[str, int], *, shape: Shape, carried: Carried
) -> Graph:
    """A graph in which every merged map is two again; one that is not part of an attention stays as it is.

    Args:
        widths: by merged map, how wide its two maps are between them, at least.
        shape: of the network's input.
    """
    split = _Split(graph, merged, widths, shapes(graph, shape, carried), _around(graph, merged))
    return Graph(tuple(read_nodes([new for node in graph.nodes for new in split.step(node)])))


def _around(graph: Graph, merged: Mapping[str, Product]) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """By attention the maps of its queries and those behind it, in the order of heads, where all of them are merged.

    Nothing, if a merged map is used elsewhere, too.
    """
    by_name = {node.name: node for node in graph.nodes}

    def queries(name: str) -> Iterator[Node | None]:
        node = by_name.get(name)
        if node is not None and isinstance(node.op, Reshape | Concat):
            for read in node.inputs:
                yield from queries(read)
        else:
            yield node

    def outputs(name: str) -> Iterator[Node | None]:
        for node in graph.nodes:
            if name in node.inputs:
                if isinstance(node.op, Reshape | Slice):
                    yield from outputs(node.name)
                else:
                    yield node

    def paths(nodes: Iterator[Node | None], part: str) -> tuple[str, ...]:
        maps = [node.op.map if node is not None and isinstance(node.op, Linear) else "" for node in nodes]
        return tuple(maps) if all(path in merged and merged[path].part == part for path in maps) else ()

    found: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for node in graph.nodes:
        if isinstance(node.op, Attention):
            sides = paths(queries(node.inputs[0]), QUERY_KEY), paths(outputs(node.name), VALUE_OUTPUT)
            if sides[0] and sides[1]:
                found[node.name] = sides
    uses = [node.op.map for node in graph.nodes if isinstance(node.op, Linear) and node.op.map in merged]
    met = [path for sides in found.values() for side in sides for path in side]
    return found if sorted(uses) == sorted(met) else {}


@dataclass(slots=True)
class _Split:
    """One walk over the nodes; `width`: values whose last axis is n_K or n_V wide, by node."""

    graph: Graph
    merged: Mapping[str, Product]
    widths: Mapping[str, int]
    known: Mapping[str, Shape]
    around: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    width: dict[str, int] = field(default_factory=dict[str, int])

    def step(self, node: Node) -> Iterator[Node]:
        """What stands in place of a node."""
        op = node.op
        if self.around and isinstance(op, Linear) and op.map in self.merged:
            yield self._map(node, op)
        elif node.name in self.around:
            yield from self._attention(node)
        elif isinstance(op, Reshape | Concat | Slice) and node.inputs[0] in self.width:
            self.width[node.name] = self.width[node.inputs[0]]
            yield self._reshaped(node, op) if isinstance(op, Reshape) else node
        else:
            yield node

    def _map(self, node: Node, op: Linear) -> Node:
        """M/query, or U/output."""
        if self.merged[op.map].part == QUERY_KEY:
            self.width[node.name] = self._width(op.map)
            basis = Dense(op.basis.inputs, self.width[node.name])
            return replace(node, op=Linear(f"{op.map}/query", basis, op.bias))
        basis = Dense(self.width[node.inputs[0]], op.basis.outputs)
        return replace(node, op=Linear(f"{op.map}/output", basis, False))

    def _reshaped(self, node: Node, op: Reshape) -> Node:
        """The same view of a value whose last axis has another length."""
        return replace(node, op=Reshape((*op.shape[:-1], self.width[node.name])))

    def _attention(self, node: Node) -> Iterator[Node]:
        """Keys and values of every head get maps of their own."""
        made = [node.inputs[0]]
        for half, paths, read in zip(("key", "value"), self.around[node.name], node.inputs[1:], strict=True):
            width, heads = self._width(paths[0]), [f"{node.name}/{half}/{h}" for h in range(len(paths))]
            for name, path in zip(heads, paths, strict=True):
                bias = self.graph.maps[path].bias and half == "value"
                yield Node(name, Linear(f"{path}/{half}", Dense(self.known[read][-1], width), bias), (read,))
            if len(heads) > 1:
                yield Node(f"{node.name}/{half}s of heads", Concat(len(self.known[read]) - 3), tuple(heads))
                heads = [f"{node.name}/{half}s of heads"]
            made += heads
            self.width[node.name] = width  # that of the values in the end
        yield replace(node, inputs=tuple(made))

    def _width(self, path: str) -> int:
        """n_K or n_V: of all maps of this shape, so of all heads of an attention, and wherever a map is used."""
        part, basis, maps = self.merged[path].part, self.graph.maps[path].basis, self.graph.maps
        alike = [other for other in self.merged if (self.merged[other].part, maps[other].basis) == (part, basis)]
        return max(self.widths[other] for other in alike)
