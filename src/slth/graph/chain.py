"""Chains: f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L, σ = ReLU, the networks that version 1 of the file knows."""

from collections.abc import Sequence

from slth._errors import InputError
from slth.graph.bases import Dense
from slth.graph.nodes import INPUT, Graph, Node
from slth.graph.ops import Linear, Pointwise
from slth.graph.values import Affine, Target


def dense_chain(widths: Sequence[int], biases: Sequence[bool]) -> Graph:
    """Maps `layers/0`, `layers/1`, ... between widths d_0, ..., d_L, ReLU between them.

    >>> [node.name for node in dense_chain((3, 4, 2), (True, False)).nodes]
    ['layers/0', 'relu/0', 'layers/1']
    """
    nodes: list[Node] = []
    before = INPUT
    for i, bias in enumerate(biases):
        if i:
            nodes.append(Node(f"relu/{i - 1}", Pointwise("Relu"), (before,)))
            before = nodes[-1].name
        nodes.append(Node(f"layers/{i}", Linear(f"layers/{i}", Dense(widths[i], widths[i + 1]), bias), (before,)))
        before = nodes[-1].name
    return Graph(tuple(nodes))


def chain(
    layers: Sequence[Affine], *, names: Sequence[tuple[str, str | None]] | None = None, assumed: tuple[str, ...] = ()
) -> Target:
    """A target of dense layers with ReLU between them.

    Args:
        names: the tensors of each layer's weight and bias; default "0.weight", "0.bias", "2.weight", ...

    Raises:
        InputError: no layer, layers that do not chain, more than one tap.
    """
    if not layers:
        raise InputError("the target has no layers; expected at least one weight matrix")
    before = layers[0].shape[1]
    for i, layer in enumerate(layers):
        outputs, inputs, taps = layer.shape
        if inputs != before:
            raise InputError(f"the layers do not chain: layer {i} takes {inputs} inputs, the one before gives {before}")
        if taps != 1:
            raise InputError(f"layer {i}: a dense layer has one tap, got {taps}")
        before = outputs
    if names is None:
        names = [(f"{2 * i}.weight", None if layer.bias is None else f"{2 * i}.bias") for i, layer in enumerate(layers)]
    widths = [layers[0].shape[1], *(layer.shape[0] for layer in layers)]
    graph = dense_chain(widths, [layer.bias is not None for layer in layers])
    return Target(
        graph=graph,
        coefficients=dict(zip(graph.maps, layers, strict=True)),
        names=dict(zip(graph.maps, names, strict=True)),
        assumed=assumed,
    )


def chain_of(graph: Graph) -> tuple[list[int], list[bool]] | None:
    """Widths and biases of a graph that is such a chain; None if it is another one."""
    ops = list(graph.maps.values())
    if not all(isinstance(op.basis, Dense) for op in ops):
        return None
    widths = [ops[0].basis.inputs, *(op.basis.outputs for op in ops)]
    biases = [op.bias for op in ops]
    return (widths, biases) if dense_chain(widths, biases) == graph else None
