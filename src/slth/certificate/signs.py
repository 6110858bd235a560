"""Inputs that a realisation has no half for are refused: its coefficients and its random network would differ there."""

from collections.abc import Mapping

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.graph import INPUT, Box, Dense, Linear, Shape, Target, shapes, signed_inputs


def check_shape(target: Target, box: Box) -> None:
    """Refuse a box of inputs that the network does not take."""
    try:
        shapes(target.graph, box.shape, target.carried)
    except InputError as error:
        size = " x ".join(map(str, box.shape))
        raise InputError(f"the box has {size} coordinates, which do not fit: {error}") from error


def check_signs(target: Target, signed: Mapping[str, Signed], lower: np.ndarray, shape: Shape) -> None:
    """Refuse inputs that make a map read a negative number where its realisation has no negative half.

    Args:
        signed: by map, the input channels that it has one for.
        lower: the smallest that each entry of an input of this shape can be; broadcasts.
    """
    needed = signed_inputs(target.graph, shape, lower < 0, target.carried)
    first = {node.op.map for node in target.graph.nodes if isinstance(node.op, Linear) and node.inputs == (INPUT,)}
    for path, negative in needed.items():
        missing = np.flatnonzero(negative & ~signed[path])
        if not missing.size:
            continue
        who = f"input {missing[0]} of {path} can be negative"
        if path in first:
            channel = -1 if isinstance(target.graph.maps[path].basis, Dense) else 0
            lowest = np.moveaxis(np.broadcast_to(lower, shape), channel, 0)[missing[0]].min()
            who = f"input {missing[0]} can be {lowest:g}" if lowest < 0 else who
        raise InputError(
            f"{who}, but its realisation has no negative half: "
            "state a non-negative range, or construct the ticket with this input signed"
        )
