"""Three readings of a graph: the shapes of its values, the signs of a map's inputs, its values in float64."""

from collections.abc import Mapping

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.graph.bases.basis import Shape
from slth.graph.nodes import Graph, Node, fold
from slth.graph.ops import Linear
from slth.graph.values import Affine, Realised


def shapes(graph: Graph, inputs: Shape) -> dict[str, Shape]:
    """The shape of every node's value, without the batch.

    Raises:
        InputError: values that do not fit, by the name of the node.
    """
    found: dict[str, Shape] = {}

    def step(node: Node, values: tuple[Shape, ...]) -> Shape:
        (shape,) = values
        if isinstance(node.op, Linear):
            try:
                shape = node.op.basis.shape(shape)
            except InputError as error:
                raise InputError(f"{node.name}: {error}") from error
        found[node.name] = shape
        return shape

    fold(graph, inputs, step)
    return found


def signed_inputs(graph: Graph, signed: Signed) -> dict[str, Signed]:
    """Which inputs of each map can be negative, from the kinds of ops and the signs of the network's inputs alone.

    Never from coefficients: if the realisation gave x̂ < 0 where x ≥ 0, its lift would give 0 and its coefficients P x̂.

    Args:
        signed: (inp,), the inputs of the network that can be negative.
    """
    found: dict[str, Signed] = {}

    def step(node: Node, values: tuple[np.ndarray, ...]) -> np.ndarray:  # of its inputs, and of its outputs
        (negative,) = values
        if isinstance(node.op, Linear):
            found[node.op.map] = found.get(node.op.map, False) | negative
            return np.ones(node.op.basis.outputs, np.bool_)
        return np.zeros_like(negative)  # relu

    fold(graph, signed, step)
    return found


def evaluate(graph: Graph, maps: Mapping[str, Affine] | Mapping[str, Realised], x: np.ndarray) -> np.ndarray:
    """The network's outputs in float64, of a target's coefficients or of realised ones; x (batch, *shape).

    What every other interpreter is tested against.
    """

    def step(node: Node, values: tuple[np.ndarray, ...]) -> np.ndarray:
        (value,) = values
        if isinstance(node.op, Linear):
            return maps[node.op.map].apply(node.op.basis, value)
        return np.maximum(value, 0.0)

    return fold(graph, np.asarray(x, np.float64), step)
