"""A network as plain data: nodes in an order in which they can run, and `fold`, the one loop over them.

Everything that must know a network is an interpreter: shapes, signs, float64 values, bounds, tensors. Each is a `step`
for `fold`, in an algebra of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeVar

from slth._errors import InputError
from slth.graph.bases import Dense
from slth.graph.ops import Constant, Embedding, Linear, Op, map_of_op

INPUT = "input"  # the name of the network's input
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a network: `op` applied to the values of earlier nodes."""

    name: str  # unique
    op: Op
    inputs: tuple[str, ...]  # earlier nodes, or "input"


@dataclass(frozen=True, slots=True)
class Graph:
    """A network without its numbers. The last node is the output.

    Raises:
        InputError: no node, a name twice, an input that comes later or never, one map used in two ways.
    """

    nodes: tuple[Node, ...]
    joined: bool = True  # False: how the maps are joined is not known; each is a node that reads the input
    transposed: tuple[str, ...] = ()  # of such a network, the maps whose weight the target stores as (inputs, outputs)
    maps: Mapping[str, Linear] = field(init=False, repr=False, compare=False)  # by path, in the order of first use

    def __post_init__(self) -> None:
        known, maps, order = {INPUT}, dict[str, Linear](), dict[str, None]()
        for node in self.nodes:
            missing = [name for name in node.inputs if name not in known]
            if missing or not (node.inputs or isinstance(node.op, Constant)):
                what = f"{missing[0]!r}, which is no earlier node" if missing else "nothing"
                raise InputError(f"node {node.name!r} reads {what}; expected earlier nodes or {INPUT!r}")
            if node.name in known:
                raise InputError(f"two nodes are called {node.name!r}; every name stands once")
            known.add(node.name)
            path = map_of_op(node.op)
            order |= {} if path is None else {path: None}
            if isinstance(node.op, Linear) and maps.setdefault(node.op.map, node.op) != node.op:
                raise InputError(
                    f"the map {node.op.map!r} is used with two bases, or with and without a bias; its uses must agree"
                )
        for node in self.nodes:
            if isinstance(node.op, Embedding) and node.op.tied:
                head = maps.get(node.op.table)
                if head is None or not isinstance(head.basis, Dense):
                    raise InputError(
                        f"{node.name!r} looks up rows of {node.op.table!r}; expected a dense map of the network"
                    )
        if not maps:
            raise InputError("the network has no linear map; expected at least one")
        if not self.joined and self.nodes != _apart(maps.values()):
            raise InputError("a network whose maps are not joined has one node for each of them, and no other")
        strange = set(self.transposed) - {path for path, op in maps.items() if isinstance(op.basis, Dense)}
        if strange or (self.joined and self.transposed):
            raise InputError(
                f"only a dense map that is not joined is stored the other way round; got {self.transposed}"
            )
        object.__setattr__(self, "maps", MappingProxyType({path: maps[path] for path in order}))

    @classmethod
    def unjoined(cls, maps: Iterable[Linear], transposed: Iterable[str] = ()) -> "Graph":
        """The maps of a network of which nothing else is known."""
        return cls(_apart(maps), False, tuple(transposed))

    def __reduce__(self) -> tuple[type["Graph"], tuple[tuple[Node, ...], bool, tuple[str, ...]]]:
        """Copies and pickles are made of the nodes, and checked again."""
        return Graph, (self.nodes, self.joined, self.transposed)

    @property
    def output(self) -> str:
        """The name of the last node."""
        return self.nodes[-1].name

    @property
    def weights(self) -> int:
        """Parameters of all maps, biases included."""
        return sum(op.weights for op in self.maps.values())


def _apart(maps: Iterable[Linear]) -> tuple[Node, ...]:
    return tuple(Node(f"layer/{op.map}", op, (INPUT,)) for op in maps)


def fold(graph: Graph, start: T, step: Callable[[Node, tuple[T, ...]], T]) -> T:
    """Run a graph in any algebra: T = shape, sign, float64 array, bound, tensor. The value of the last node.

    A value is dropped after its last use.

    Raises:
        InputError: how the maps are joined is not known.
    """
    if not graph.joined:
        raise InputError(
            "how the maps of this network are joined is not known, so there is nothing that could be computed, bounded "
            "or drawn: slth.apply(ticket, model) loads them into the model that they are of"
        )
    last = {name: index for index, node in enumerate(graph.nodes) for name in node.inputs}
    values = {INPUT: start}
    for index, node in enumerate(graph.nodes):
        inputs = tuple(values[name] for name in node.inputs)
        for name in set(node.inputs):
            if last[name] == index:
                del values[name]
        values[node.name] = step(node, inputs)
    return values[graph.output]
