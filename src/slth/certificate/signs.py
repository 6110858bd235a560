"""Inputs that a realisation has no half for are refused: its coefficients and its random network would differ there."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Signed
from slth.graph import INPUT, Box, Linear, Shape, Target, shapes, signed_inputs


def check_shape(target: Target, box: Box) -> None:
    """Refuse a box of inputs that the network does not take."""
    try:
        shapes(target.graph, box.shape, target.carried)
    except InputError as error:
        size = " x ".join(map(str, box.shape))
        raise InputError(f"the box has {size} coordinates, which do not fit: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Signs:
    """What each map of a network reads that can be negative."""

    needed: Mapping[str, Signed]  # by map, the channels that can be
    first: Mapping[str, np.ndarray]  # of maps that read the input, the smallest number of each channel

    @classmethod
    def of(cls, target: Target, lower: np.ndarray, shape: Shape) -> "Signs":
        """Of inputs of this shape; `lower` is the smallest that each entry can be, and broadcasts."""
        first: dict[str, np.ndarray] = {}
        for node in target.graph.nodes:
            if isinstance(node.op, Linear) and node.inputs == (INPUT,):
                channel = node.op.basis.channel_axis % len(shape)
                others = tuple(axis for axis in range(len(shape)) if axis != channel)
                first[node.op.map] = np.broadcast_to(lower, shape).min(others)
        return cls(signed_inputs(target.graph, shape, lower < 0, target.carried), first)

    def check(self, path: str, signed: Signed) -> None:
        """Refuse a map that can read a negative number where its realisation has no negative half."""
        missing = np.flatnonzero(self.needed[path] & ~signed)
        if not missing.size:
            return
        who = f"input {missing[0]} of {path} can be negative"
        lowest = self.first[path][missing[0]] if path in self.first else 0.0
        who = f"input {missing[0]} can be {lowest:g}" if lowest < 0 else who
        raise InputError(
            f"{who}, but its realisation has no negative half: "
            "state a non-negative range, or construct the ticket with this input signed"
        )


def check_signs(target: Target, signed: Mapping[str, Signed], lower: np.ndarray, shape: Shape) -> None:
    """`Signs.check` for every map; `signed` are the channels that a realisation has negative halves for."""
    signs = Signs.of(target, lower, shape)
    for path in target.graph.maps:
        signs.check(path, signed[path])
