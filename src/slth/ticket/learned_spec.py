"""What a learned ticket says, as plain data: the network, its inputs, the masked parameters, where they came from."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32

from slth._errors import InputError
from slth.numerics import LAWS, Law
from slth.ticket._plain import plain
from slth.ticket.spec import TensorSpec

MOST = 2.0**40  # of scales, gains and moves; scales and gains are at least its inverse, so that no float32 overflows
MOST_SIZE = 2**40  # numbers in one tensor


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network takes: (x − mean) / std, channel by channel; uint8 images are divided by 255 first."""

    shape: tuple[int, ...]  # (C, H, W) or (features,)
    mean: tuple[float, ...]  # one per channel; one for flat features
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        channels = self.shape[0] if len(self.shape) > 1 else 1
        if not 1 <= len(self.shape) <= 8 or min(self.shape) < 1 or math.prod(self.shape) > MOST_SIZE:
            raise InputError(f"inputs: expected a shape such as (3, 32, 32) or (784,), got {self.shape}")
        if not len(self.mean) == len(self.std) == channels:
            raise InputError(f"inputs: expected mean and std of {channels} channels, got {self.mean} and {self.std}")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise InputError(f"inputs: expected a finite mean and std > 0, got {self.mean} and {self.std}")

    def normalised(self, x: np.ndarray) -> Float32[np.ndarray, "count ..."]:
        """What the network takes, float32, of uint8 images or floats (count, *shape); in float32, as in training."""
        x = x.astype(np.float32) / np.float32(255) if x.dtype == np.uint8 else x.astype(np.float32)
        if self.mean == (0.0,) and self.std == (1.0,):
            return x
        shape = (1, -1, *(1 for _ in x.shape[2:]))
        mean, std = (np.asarray(values, np.float32).reshape(shape) for values in (self.mean, self.std))
        return (x - mean) / std


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """How the network around the masked tensors comes about."""

    kind: str  # "builtin": rebuilt by name; "bound": the user brings it
    name: str | None
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])  # plain JSON

    def __post_init__(self) -> None:
        if self.kind == "bound" and (self.name is not None or self.arguments):
            raise InputError("a bound network has neither name nor arguments: the user brings it")
        if self.kind not in ("builtin", "bound") or (self.kind == "builtin" and not self.name):
            raise InputError(f"a network is builtin, with a name, or bound; got {self.kind!r} and {self.name!r}")
        if self.name is not None:
            check_text(self.name, "network.name", 100)
            if self.name == "relu_mlp":
                raise InputError("network.name: relu_mlp is the network of constructed tickets; use mlp")
        object.__setattr__(self, "arguments", plain(self.arguments, "network.arguments"))


@dataclass(frozen=True, slots=True)
class LearnedProvenance:
    """Where a ticket came from. No times, no measurements: those are records."""

    version: str
    method: str  # its name, such as "edge-popup"
    asked: dict[str, Any]  # plain JSON: everything that was asked
    data: str | None  # name of the data

    def __post_init__(self) -> None:
        check_text(self.version, "provenance.version", 100)
        check_text(self.method, "provenance.method", 200)
        if self.data is not None:
            check_text(self.data, "provenance.data", 1000)
        object.__setattr__(self, "asked", plain(self.asked, "provenance.asked"))


@dataclass(frozen=True, slots=True)
class MaskedTensor:
    """One parameter whose values come from a stream. Effective weights: see `slth.ticket.effective`."""

    path: str  # of the parameter in the module, e.g. "1.weight"
    shape: tuple[int, ...]
    law: Law
    scale: float  # a float32; weights = draw · scale
    kept: int  # ones in the mask; == size: no mask is stored
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
        if len(self.shape) > 8 or min(self.shape, default=1) < 1 or math.prod(self.shape) > MOST_SIZE:
            raise InputError(f"{self.path}: expected a shape of at most 8 axes, all at least 1, got {self.shape}")
        if self.law not in LAWS:
            raise InputError(f"{self.path}: expected a law, one of {', '.join(LAWS)}; got {self.law!r}")
        _check_factor(self.scale, f"{self.path}: the scale", least=1 / MOST)
        _check_factor(abs(self.gain), f"{self.path}: the gain", least=1 / MOST)
        if not 0 <= self.kept <= self.size:
            raise InputError(f"{self.path}: expected from 0 to {self.size} kept weights, got {self.kept}")
        if self.moved and not self.kept:
            raise InputError(f"{self.path}: nothing is kept, so nothing can have moved")

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def source(self) -> str:
        """The path of the stream."""
        return self.stream or self.path

    @property
    def mask_bits(self) -> int:
        """Bits of the mask, in C order; none where everything is kept."""
        return 0 if self.kept == self.size else self.size

    @property
    def spec(self) -> TensorSpec:
        """The random tensor behind it."""
        return TensorSpec(self.source, self.shape, self.law, self.scale, "bits")


def _check_factor(value: float, what: str, *, least: float) -> None:
    if not (math.isfinite(value) and least <= value <= MOST and float(np.float32(value)) == value):
        raise InputError(f"{what} must be a float32 of size {least:g} to {MOST:g}, got {value!r}; round it to float32")


def check_text(text: str, what: str, most: int) -> None:
    if not (0 < len(text) <= most and text.isprintable()):
        raise InputError(f"{what}: expected a printable text of 1 to {most} characters, got {ascii(text)[:80]}")
