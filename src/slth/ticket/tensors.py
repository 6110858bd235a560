"""Random tensors: numbers that a seed and a path name, and what a ticket keeps of them."""

import math
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.numerics import LAWS, source_law
from slth.ticket.inputs import MOST_SIZE

MOST = 2.0**40  # of scales, gains and moves; scales and gains are at least its inverse, so that no float32 overflows


@dataclass(frozen=True, slots=True)
class RandomTensor:
    """One tensor of the random network: weights = draw · scale. Effective weights: see `slth.ticket.effective`.

    Raises:
        InputError: a shape, law, factor or count that no ticket can hold.
    """

    path: str  # of the parameter in the module, such as "1.weight", or of a gadget's tensor, "layers/0/mixing"
    shape: tuple[int, ...]
    law: str  # of `numerics.LAWS`, or of a source
    scale: float = 1.0  # a float32
    kept: int = 0  # entries that are not pruned
    binary: bool = False  # kept weights count as their sign, with sign(0) = +1
    gain: float = 1.0  # a float32 that multiplies what is kept, last
    moved: bool = False  # a Δ of every kept weight is stored
    stream: str = ""  # path of the stream, if not `path`: a redraw is path@1
    aliases: tuple[str, ...] = ()  # other paths of the same, tied parameter

    def __post_init__(self) -> None:
        for path in (self.path, *self.aliases, *([self.stream] if self.stream else [])):
            check_text(path, "a tensor's path", 1000)
        if self.stream == self.path:
            raise InputError(f"{self.path}: the stream is named only if it is another path")
        if len(self.shape) > 8 or min(self.shape, default=1) < 1:
            raise InputError(f"{self.path}: expected a shape of at most 8 axes, all at least 1, got {self.shape}")
        if self.law not in LAWS:
            source_law(self.law)
        _check_factor(self.scale, f"{self.path}: the scale")
        _check_factor(abs(self.gain), f"{self.path}: the gain")
        if not 0 <= self.kept <= self.size:
            raise InputError(f"{self.path}: expected from 0 to {self.size} kept weights, got {self.kept}")
        if self.moved and not self.kept:
            raise InputError(f"{self.path}: nothing is kept, so nothing can have moved")

    @property
    def size(self) -> int:
        """Entries, pruned ones included."""
        return math.prod(self.shape)

    @property
    def stream_path(self) -> str:
        """The path of the stream."""
        return self.stream or self.path

    @property
    def mask_bits(self) -> int:
        """Bits of a mask of its own, in C order; none where everything is kept."""
        return 0 if self.kept == self.size else self.size


def check_trained(tensor: RandomTensor) -> None:
    """A tensor that is a parameter of a network is not larger than a file may say.

    Raises:
        InputError: its shape is.
    """
    if tensor.size > MOST_SIZE:
        raise InputError(f"{tensor.path}: expected a shape of at most 2**40 numbers, got {tensor.shape}")


def check_text(text: str, what: str, most: int) -> None:
    """A printable text of a bounded length.

    Raises:
        InputError: it is none.
    """
    if not (0 < len(text) <= most and text.isprintable()):
        raise InputError(f"{what}: expected a printable text of 1 to {most} characters, got {ascii(text)[:80]}")


def _check_factor(value: float, what: str) -> None:
    if not (math.isfinite(value) and 1 / MOST <= value <= MOST and float(np.float32(value)) == value):
        raise InputError(
            f"{what} must be a float32 of size {1 / MOST:g} to {MOST:g}, got {value!r}; round it to float32"
        )
