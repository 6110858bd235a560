"""Networks and maps in words, for people."""

from collections import Counter
from collections.abc import Iterable

from slth.graph import AxisMap, Conv, ConvTranspose, Graph, Linear, Op, Permutation, Pointwise, Steerable


def kernel_of(op: Linear) -> tuple[int, ...]:
    """The sides of a convolution's kernel, whose positions in C order are the taps; () of another map.

    Of a regular group convolution the group comes first.
    """
    match op.basis:
        case Conv(kernel=kernel) | ConvTranspose(kernel=kernel):
            return kernel
        case Steerable(lifting=lifting, order=order, kernel=side):
            return (side, side) if lifting else (order, side, side)
        case _:
            return ()


def map_words(op: Linear) -> str:
    """A linear map.

    >>> from slth.graph import Dense
    >>> map_words(Linear("fc", Dense(784, 500), True))
    'dense 784 -> 500, bias'
    >>> map_words(Linear("conv", Conv(6, 16, (5, 5), (2, 2), (0, 0, 0, 0), (1, 1), groups=2), False))
    'conv 5 x 5, 6 -> 16, stride 2, 2 groups'
    >>> map_words(Linear("lift", Steerable(1, 8, "C4", 5, 1, 2, True), True))
    'C4 lifting 5 x 5, 1 -> 8, bias'
    >>> map_words(Linear("sets", Permutation(3, 16, 1, 1, 20), False))
    'sets 3 -> 16, 20 members'
    """
    basis, parts = op.basis, [f"{op.basis.inputs:,} -> {op.basis.outputs:,}"]
    if isinstance(basis, Conv | ConvTranspose):
        for name, sizes in (("stride", basis.stride), ("dilation", basis.dilation)):
            parts += [f"{name} {_sides(sizes)}"] if set(sizes) != {1} else []
        parts += [f"{basis.groups} groups"] if basis.groups > 1 else []
    parts += [f"{basis.members:,} members"] if isinstance(basis, Permutation) else []
    if isinstance(basis, Steerable) and basis.stride > 1:
        parts += [f"stride {basis.stride}"]
    parts += ["bias"] if op.bias else []
    kernel = kernel_of(op)[-2:] if isinstance(basis, Steerable) else kernel_of(op)
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
    """An op by its name; a function by its own; a sparse matrix along an axis is the aggregation of a graph.

    >>> op_words(Pointwise("Relu"))
    'Relu'
    """
    if isinstance(op, AxisMap) and any(matrix.kind == "sparse" for matrix in op.axes):
        return "Aggregation"
    return _kind(op) if isinstance(op, Linear) else op.function if isinstance(op, Pointwise) else type(op).__name__


def ops_words(graph: Graph) -> str:
    """How often each op stands in a network, in the order in which they first come."""
    return _counted(op_words(node.op) for node in graph.nodes)


def maps_words(graph: Graph) -> str:
    """How many maps of each kind there are: '19 conv, 1 dense'."""
    return _counted(_kind(op) for op in graph.maps.values())


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in Counter(names).items())


def _kind(op: Linear) -> str:
    known = {"Conv": "conv", "ConvTranspose": "transposed conv"}
    if isinstance(op.basis, Steerable):
        return f"{op.basis.group} lifting" if op.basis.lifting else f"{op.basis.group} conv"
    if isinstance(op.basis, Permutation):
        reads, writes = op.basis.reads, op.basis.writes
        return "sets" if reads == writes == 1 else f"order {reads} to {writes}"
    name = type(op.basis).__name__
    return known.get(name, name.lower())


def _sides(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else " x ".join(map(str, sizes))
