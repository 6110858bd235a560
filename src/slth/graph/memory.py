"""What a network holds on its way, in integers: entries of values, of what an op pads, of matrices along axes."""

import math
from collections.abc import Sequence
from typing import Any

from slth.graph.bases import Conv, ConvTranspose, Shape, Steerable
from slth.graph.nodes import Graph
from slth.graph.ops import Attention, AxisMap, Linear, MaxPool
from slth.graph.shapes import Carried, Shapes, shapes


def formed(op: Any, values: Shapes, output: Shape, carried: Carried) -> list[Shape]:
    """Shapes of what an op forms beside its value.

    x with its padding; the output of a transposed convolution before its ends are cut off; matrices along axes, and the
    values between them.

    >>> from slth.graph import Conv
    >>> formed(Linear("c", Conv(1, 1, (2,), (8,), (6, 6), (7,)), False), ((1, 1),), (1, 1), {})
    [(1, 13)]
    """
    if isinstance(op, Linear) and isinstance(op.basis, Conv):
        return [_surrounded(values[0], op.basis.padding)]
    if isinstance(op, Linear) and isinstance(op.basis, ConvTranspose):
        return [_surrounded(output, op.basis.padding)]
    if isinstance(op, Linear) and isinstance(op.basis, Steerable):
        return [_surrounded(values[0], (op.basis.padding,) * 4)]
    if isinstance(op, MaxPool):
        return [_surrounded(values[0], op.padding)]
    if isinstance(op, Attention):
        return [(*values[0][:-1], values[1][-2])]  # the logits
    found: list[Shape] = []
    if isinstance(op, AxisMap):
        shape = list(values[0])
        for matrix in op.axes:
            length, shape[matrix.axis] = shape[matrix.axis], matrix.rows(shape[matrix.axis], carried)
            beside = (shape[matrix.axis], length)
            if matrix.kind == "sparse":  # a term for each entry
                beside = (len(carried[matrix.value or ""]), *shape[: matrix.axis], *shape[matrix.axis + 1 :])
            found += [beside, tuple(shape)]
    return found


def most_entries(graph: Graph, inputs: Shape, carried: Carried) -> int:
    """The most numbers that a network holds at once for one input: values that are still read, and what ops form.

    What is formed counts four times: matrices are made in float64, of arrays of indices.
    """
    known = shapes(graph, inputs, carried)
    last = {name: i for i, node in enumerate(graph.nodes) for name in node.inputs}
    alive = most = math.prod(inputs)
    for i, node in enumerate(graph.nodes):
        read = tuple(known[name] for name in node.inputs)
        alive += math.prod(known[node.name])
        beside = sum(math.prod(shape) for shape in formed(node.op, read, known[node.name], carried))
        most = max(most, alive + 4 * beside)
        alive -= sum(math.prod(known[name]) for name in set(node.inputs) if last[name] == i)
    return most


def _surrounded(shape: Shape, padding: Sequence[int]) -> Shape:
    """With padding before and behind its last axes."""
    axes = len(padding) // 2
    fixed = len(shape) - axes
    ends = zip(shape[fixed:], padding[:axes], padding[axes:], strict=True)
    return (*shape[:fixed], *(length + before + behind for length, before, behind in ends))
