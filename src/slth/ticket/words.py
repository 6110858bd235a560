"""Networks and maps in words, for people."""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from slth.graph import Attention, Conv, ConvTranspose, Embedding, Graph, Linear, Op, Pointwise


def kernel_of(op: Linear) -> tuple[int, ...]:
    """The sides of a convolution's kernel, whose positions in C order are the taps; () of another map."""
    return op.basis.kernel if isinstance(op.basis, Conv | ConvTranspose) else ()


def map_words(op: Linear) -> str:
    """A linear map.

    >>> from slth.graph import Dense
    >>> map_words(Linear("fc", Dense(784, 500), True))
    'dense 784 -> 500, bias'
    >>> map_words(Linear("conv", Conv(6, 16, (5, 5), (2, 2), (0, 0, 0, 0), (1, 1), groups=2), False))
    'conv 5 x 5, 6 -> 16, stride 2, 2 groups'
    """
    basis, parts = op.basis, [f"{op.basis.inputs:,} -> {op.basis.outputs:,}"]
    if isinstance(basis, Conv | ConvTranspose):
        for name, sizes in (("stride", basis.stride), ("dilation", basis.dilation)):
            parts += [f"{name} {_sides(sizes)}"] if set(sizes) != {1} else []
        parts += [f"{basis.groups} groups"] if basis.groups > 1 else []
    parts += ["bias"] if op.bias else []
    kernel = kernel_of(op)
    head = f"{_kind(op)} {' x '.join(map(str, kernel))}, " if kernel else f"{_kind(op)} "
    return head + ", ".join(parts)


def with_steps(name: str, steps: Iterable[str]) -> str:
    """A map, and the steps of the target whose numbers are in its own.

    >>> with_steps("conv1", ["bn1"]), with_steps("fc", [])
    ('conv1 (with bn1)', 'fc')
    """
    listed = ", ".join(steps)
    return f"{name} (with {listed})" if listed else name


def op_words(op: Op) -> str:
    """An op by its name; a function by its own.

    >>> op_words(Pointwise("Relu"))
    'Relu'
    """
    match op:
        case Linear():
            return _kind(op)
        case Pointwise():
            return op.function
        case Embedding(tied=True):
            return "tied Embedding"
        case Attention(causal=True):
            return "causal Attention"
        case _:
            return type(op).__name__


def carried_words(graph: Graph, carried: Mapping[str, np.ndarray], parameters: int) -> str:
    """How much is carried beside maps of so many parameters, and the tables of it, which are looked up.

    >>> from slth.graph import INPUT, Dense, Node
    >>> head = Node("head", Linear("head", Dense(2, 3), False), ("rows",))
    >>> graph = Graph((Node("rows", Embedding("words.weight"), (INPUT,)), head))
    >>> carried_words(graph, {"words.weight": np.ones((3, 2))}, 6)
    '6 numbers in 1 array, 50 % of all numbers, among them the table words.weight (3 x 2)'
    """
    count = sum(array.size for array in carried.values())
    tables = {node.op.table: None for node in graph.nodes if isinstance(node.op, Embedding) and not node.op.tied}
    listed = [f"{name} ({' x '.join(f'{size:,}' for size in carried[name].shape)})" for name in tables]
    shown = ", ".join(listed[:3])[:300] + (", ..." if len(listed) > 3 else "")
    among = f", among them the {'table' if len(listed) == 1 else 'tables'} {shown}" if listed else ""
    arrays = "1 array" if len(carried) == 1 else f"{len(carried):,} arrays"
    return f"{count:,} numbers in {arrays}, {100 * count / (count + parameters):.3g} % of all numbers{among}"


def ops_words(graph: Graph) -> str:
    """How often each op stands in a network, in the order in which they first come."""
    return _counted(op_words(node.op) for node in graph.nodes)


def maps_words(graph: Graph) -> str:
    """How many maps of each kind there are: '19 conv, 1 dense'."""
    return _counted(_kind(op) for op in graph.maps.values())


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in Counter(names).items())


def _kind(op: Linear) -> str:
    known = {"Conv": "conv", "ConvTranspose": "transposed conv", "OneHot": "one-hot"}
    name = type(op.basis).__name__
    return known.get(name, name.lower())


def _sides(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else " x ".join(map(str, sizes))
