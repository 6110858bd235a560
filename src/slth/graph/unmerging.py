"""The attention that realises merged maps: the same graph with four projections again, of other head sizes.

M of every head becomes two maps, `M/query` of the queries' value and `M/key` of the keys'; U becomes `U/value` of the
values' and `U/output` of what the head attended. This is the architecture that was merged, see `merging`, with n_K and
n_V where the target had d_head: of the widest head, for all heads of an attention are as wide.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from slth.graph.bases import Dense, Shape
from slth.graph.merging import QUERY_KEY, VALUE_OUTPUT, read_nodes
from slth.graph.nodes import Graph, Node
from slth.graph.ops import Attention, Concat, Linear, Reshape, Slice
from slth.graph.shapes import Carried, shapes
from slth.graph.values import Product

HALVES: Mapping[str, tuple[str, str]] = {QUERY_KEY: ("query", "key"), VALUE_OUTPUT: ("value", "output")}


def with_projections(
    graph: Graph, merged: Mapping[str, Product], widths: Mapping[str, int], *, shape: Shape, carried: Carried
) -> Graph:
    """A graph in which every merged map is two again.

    Args:
        widths: by merged map, how wide its two maps are between them, at least.
        shape: of the network's input.
    """
    split = _Split(graph, merged, widths, shapes(graph, shape, carried))
    return Graph(tuple(read_nodes([new for node in graph.nodes for new in split.step(node)])))


@dataclass(slots=True)
class _Split:
    """One walk over the nodes; `width`: values whose last axis is n_K or n_V wide, by node."""

    graph: Graph
    merged: Mapping[str, Product]
    widths: Mapping[str, int]
    known: Mapping[str, Shape]
    width: dict[str, int] = field(default_factory=dict[str, int])
    queries: dict[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )  # maps of the heads, by node

    def step(self, node: Node) -> Iterator[Node]:
        """What stands in place of a node."""
        op = node.op
        if isinstance(op, Linear) and op.map in self.merged:
            yield self._map(node, op)
        elif isinstance(op, Attention) and node.inputs[0] in self.queries:
            yield from self._attention(node)
        elif isinstance(op, Reshape | Concat | Slice) and node.inputs[0] in self.width:
            yield self._view(node)
        else:
            yield node

    def _map(self, node: Node, op: Linear) -> Node:
        """M/query, or U/output."""
        if self.merged[op.map].part == QUERY_KEY:
            self.queries[node.name], self.width[node.name] = (op.map,), self._width(op.map)
            basis = Dense(op.basis.inputs, self.width[node.name])
            return replace(node, op=Linear(f"{op.map}/query", basis, op.bias))
        basis = Dense(self.width[node.inputs[0]], op.basis.outputs)
        return replace(node, op=Linear(f"{op.map}/output", basis, False))

    def _view(self, node: Node) -> Node:
        """The same view of a value whose last axis has another length."""
        self.width[node.name] = self.width[node.inputs[0]]
        if all(name in self.queries for name in node.inputs):
            self.queries[node.name] = tuple(path for name in node.inputs for path in self.queries[name])
        if not isinstance(node.op, Reshape):
            return node
        return replace(node, op=Reshape((*node.op.shape[:-1], self.width[node.name])))

    def _attention(self, node: Node) -> Iterator[Node]:
        """Keys and values of every head get maps of their own."""
        made: list[str] = [node.inputs[0]]
        maps = {"key": self.queries[node.inputs[0]], "value": self._outputs(node.name)}
        for (half, paths), read in zip(maps.items(), node.inputs[1:], strict=True):
            width = self._width(paths[0])
            source, heads = self._before(read), list[str]()
            for h, path in enumerate(paths):
                op = self.graph.maps[path]
                inputs = self.known[source][-1]
                heads.append(f"{node.name}/{half}/{h}")
                linear = Linear(f"{path}/{half}", Dense(inputs, width), op.bias and half == "value")
                yield Node(heads[-1], linear, (source,))
                if len(self.known[node.name]) > 2:
                    shape = self.known[source]
                    yield Node(f"{heads[-1]}/head", Reshape((*shape[:-2], 1, shape[-2], width)), (heads[-1],))
                    heads[-1] += "/head"
            if len(heads) > 1:
                yield Node(f"{node.name}/{half}s of heads", Concat(len(self.known[node.name]) - 3), tuple(heads))
                heads = [f"{node.name}/{half}s of heads"]
            made += heads
            self.width[node.name] = width
        yield replace(node, inputs=tuple(made))

    def _before(self, name: str) -> str:
        """The value whose one head is read."""
        if len(self.known[name]) < 3:
            return name
        return next(node.inputs[0] for node in self.graph.nodes if node.name == name)

    def _width(self, path: str) -> int:
        """n_K or n_V: of all maps of this shape, so of all heads of an attention, and wherever a map is used."""
        part, basis, maps = self.merged[path].part, self.graph.maps[path].basis, self.graph.maps
        alike = [other for other in self.merged if (self.merged[other].part, maps[other].basis) == (part, basis)]
        return max(self.widths[other] for other in alike)

    def _outputs(self, name: str) -> tuple[str, ...]:
        """The merged maps that read the heads of an attention, in order."""
        ahead, found = {name}, list[str]()
        for node in self.graph.nodes:
            if ahead & set(node.inputs):
                if isinstance(node.op, Linear):
                    found.append(node.op.map)
                elif isinstance(node.op, Reshape | Slice):
                    ahead.add(node.name)
        return tuple(found)
