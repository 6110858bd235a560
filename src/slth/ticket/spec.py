"""What a ticket says, as plain data: the random network's layers, the input domain, where it came from."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from slth._errors import InputError
from slth.certificate import Box
from slth.numerics import Law
from slth.ticket.lift import MOST_CANDIDATES, LiftSpec

NETWORKS = ("relu_mlp",)  # networks rebuilt by name: Linear, ReLU, Linear, ..., Linear


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One random tensor of the source network."""

    path: str  # names the stream
    shape: tuple[int, ...]
    law: Law
    scale: float
    mask: str  # "lift": follows from the scan and costs no bits; "bits": stored


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """One target layer as two random ones: a lift and a mixing layer, all entries U[−1, 1).

    Realised, with u ≥ ½ the lift's value of a neuron and m its mask bit, sums over the neurons of one slot:

        P[o, j, t] = g Σ m v u        N[o, j, t] = g Σ m v u        b[o] = g_b Σ m v β
    """

    path: str  # "layers/0"
    outputs: int
    taps: int
    lift: LiftSpec
    neurons: int  # H, width of the random lift
    gain: float  # g, a power of two
    bias_gain: float  # g_b, a power of two

    @property
    def weights(self) -> int:
        """Target parameters of this layer, biases included."""
        return self.outputs * self.lift.inputs * self.taps + (self.outputs if self.lift.constants else 0)

    @property
    def source_parameters(self) -> int:
        """Every entry of lift, lift bias and mixing matrix, dead and off-block included."""
        bias = self.neurons if self.lift.constants else 0
        return self.neurons * self.lift.inputs + bias + self.neurons * self.outputs * self.taps

    @property
    def mask_bits(self) -> int:
        """One bit per (output, tap, live neuron), in this order."""
        return self.outputs * self.taps * self.lift.live

    @property
    def problems(self) -> int:
        """Subset-sum problems: one for each half of a weight, and one for each bias."""
        return self.outputs * self.taps * self.lift.slots

    @property
    def work(self) -> int:
        """Bytes of memory that regenerating this layer takes, at most: what a file asks of its reader."""
        slot = self.outputs * self.taps * max(self.lift.candidates, self.lift.constants)
        return 2 * self.mask_bits + 64 * self.lift.live + 64 * self.problems + 32 * slot

    @property
    def mask_bytes(self) -> int:
        """Bytes of the packed mask: bit i is bit (i mod 8), least significant first, of byte i div 8."""
        return -(-self.mask_bits // 8)

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The random tensors, all neuron-major: a wider source never changes a value."""
        bias = TensorSpec(f"{self.path}/lift_bias", (self.neurons,), "uniform", 1.0, "lift")
        return (
            TensorSpec(f"{self.path}/lift", (self.neurons, self.lift.inputs), "uniform", 1.0, "lift"),
            *([bias] if self.lift.constants else []),
            TensorSpec(f"{self.path}/mixing", (self.neurons, self.outputs, self.taps), "uniform", 1.0, "bits"),
        )


@dataclass(frozen=True, slots=True)
class Domain:
    """The inputs a ticket speaks of, after x -> (x − mean) / std: a box, or all of R^d where no range is known.

    `lower` and `upper` hold one number for all coordinates, or one for each.
    """

    lower: tuple[float, ...] | None = None
    upper: tuple[float, ...] | None = None
    normalize: tuple[float, float] | None = None  # mean, std applied to the raw data

    def __post_init__(self) -> None:
        if (self.lower is None) != (self.upper is None):
            raise InputError("an input range needs both ends, lower and upper, such as 0,1; one of them is missing")
        if self.lower is not None and self.upper is not None:
            if not self.lower or len(self.lower) != len(self.upper):
                raise InputError(
                    f"an input range has as many lower ends as upper ones, got {len(self.lower)}, {len(self.upper)}"
                )
            for lower, upper in zip(self.lower, self.upper, strict=True):
                if not (math.isfinite(lower) and math.isfinite(upper) and lower <= upper):
                    raise InputError(f"an input range needs finite lower <= upper such as 0,1, got {lower:g},{upper:g}")
        if self.normalize is not None:
            mean, std = self.normalize
            if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
                raise InputError(f"a normalisation needs a finite mean and std > 0, got {mean:g},{std:g}")

    def box(self, inputs: int) -> Box | None:
        """The box of this domain in `inputs` dimensions, or None where no range is known."""
        if self.lower is None or self.upper is None:
            return None
        if len(self.lower) not in (1, inputs):
            raise InputError(f"an input range needs 1 or {inputs} numbers for {inputs} inputs, got {len(self.lower)}")
        ends = (np.broadcast_to(np.asarray(end, np.float64), (inputs,)) for end in (self.lower, self.upper))
        return Box(*(np.array(end) for end in ends))

    def signed(self, inputs: int) -> Bool[np.ndarray, " inp"]:
        """True where an input can be negative: everywhere, if no range is known."""
        box = self.box(inputs)
        return np.ones(inputs, np.bool_) if box is None else box.lower < 0


@dataclass(frozen=True, slots=True)
class Miss:
    """A coefficient that no subset of its candidates reaches within the tolerance."""

    layer: int
    output: int
    input: int  # −1 for a bias
    half: str  # "positive", "negative" or "bias"
    error: float


@dataclass(frozen=True, slots=True)
class Asked:
    """What a construction was asked for: a tolerance of every weight, or an error of the whole network."""

    tolerance: float | None  # τ of every coefficient
    epsilon: float | None = None  # error of the network over its domain; the layers' tolerances follow from it
    failure_probability: float | None = None  # δ the width was planned for; None: not planned
    candidates: int | None = None  # n, if it was given

    def __post_init__(self) -> None:
        if (self.tolerance is None) == (self.epsilon is None):
            raise InputError("ask for a tolerance of every weight or for an error of the network, one of the two")
        for name, value in (("tolerance", self.tolerance), ("error of the network", self.epsilon)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"the {name} must be a positive number such as 1e-4, got {value:g}")
        if self.failure_probability is not None and not 0 < self.failure_probability < 1:
            raise InputError(f"a failure probability lies between 0 and 1, got {self.failure_probability:g}")
        if self.candidates is not None and not 1 <= self.candidates <= MOST_CANDIDATES:
            raise InputError(f"the number of candidates must be from 1 to {MOST_CANDIDATES}, got {self.candidates}")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a ticket came from: what was asked, of which target, by which version. No times, no measurements."""

    version: str
    method: str
    asked: Asked
    attempts: int
    target: str  # SHA-256 of the target's coefficients
    names: tuple[tuple[str, str | None], ...]  # per layer: the target's tensor names of weight and bias
    misses: tuple[Miss, ...]  # the first of them; the certificate counts all
