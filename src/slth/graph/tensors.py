"""The tensors of a target as its own file holds them, and where in the network the numbers of each stand."""

from dataclasses import dataclass
from typing import Literal

from slth.graph.bases import Shape

Part = Literal["weight", "bias", "carried"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One tensor of a target: its number format as safetensors names it, its shape, and whose numbers it holds.

    A weight has the axes in which PyTorch stores that of such a layer, or, `transposed`, (in, out) of a dense one. One
    of whole numbers q stands for scale · (q − zero).
    """

    format: str
    shape: Shape
    part: Part
    of: str  # path of the map, of several the first; or name of the carried array
    transposed: bool = False
    scale: str | None = None  # of whole numbers: a carried array, one number for all or one for each output
    zero: str | None = None  # likewise; None: 0
