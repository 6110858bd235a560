"""The claim that a ticket is its target: every number of its maps, rounded to the target's own format, is the target's.

An identity, not a bound. A map's number is P, and −N at signed channels, and b̂, as float64 has them, rounded to the
format (ties to even); of whole numbers q, where the target computes with scale · (q − zero), it is the nearest q. What
random numbers cannot say is carried: the sign of a zero, and, if that was asked for, a number that no subset reaches.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64

from slth._errors import InputError
from slth.graph import Affine, Carried, Linear, Realised, Stored
from slth.numerics import FORMATS, half_gap, rounded_to

WHOLE: Mapping[str, tuple[int, int]] = {"I8": (-128, 127), "U8": (0, 255)}  # formats of whole numbers; least, largest
_TYPES = {"F32": np.float32, "BF16": np.float32, "F16": np.float16, "I8": np.int8, "U8": np.uint8}  # of carried numbers
STRICT = 1 - 2.0**-20  # of half a gap: P was rounded once, to float64, which must not put it on the border
Flat = Float64[np.ndarray, " number"]  # the weight (row, inp, tap) in C order, then the bias


@dataclass(frozen=True, slots=True)
class ExactMap:
    """Of one map all numbers but `differ` are the target's, bit for bit.

    format, bias: number formats of the weight and the bias, None if there is none. scale, zero: of whole numbers,
    carried, one for all or one for each output; without a zero it is 0. zeros: carried bits, one for each number that
    is 0, weight, then bias: 1 for −0; None: there is no −0. rest, places: carried numbers, and where they stand.
    """

    format: str
    bias: str | None
    differ: int
    scale: str | None = None
    zero: str | None = None
    zeros: str | None = None
    rest: str | None = None
    places: str | None = None

    def __post_init__(self) -> None:
        if self.format not in (*FORMATS, *WHOLE) or self.bias not in (None, *FORMATS):
            raise InputError(f"an exact map has formats {', '.join((*FORMATS, *WHOLE))}; got {self.format!r}")
        if (self.scale is None) != (self.format in FORMATS) or (self.scale is None and self.zero is not None):
            raise InputError("a weight of whole numbers has a scale, and no other has one")
        if (self.rest is None) != (self.places is None):
            raise InputError("numbers that are carried and their places stand or fall together: state both or neither")

    @property
    def carried_names(self) -> tuple[str, ...]:
        """The carried arrays that say its numbers."""
        found = (self.scale, self.zero, self.zeros, self.rest, self.places)
        return tuple(name for name in found if name is not None)


@dataclass(frozen=True, slots=True)
class Exact:
    """What an exact ticket claims of every map, and which tensors of the target its numbers are, by their names."""

    maps: Mapping[str, ExactMap]
    tensors: Mapping[str, Stored]

    @property
    def differ(self) -> int:
        """Numbers that are not the target's."""
        return sum(claim.differ for claim in self.maps.values())


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Which numbers of a map, rounded, are not the target's."""

    positive: Bool[np.ndarray, "row inp tap"]
    negative: Bool[np.ndarray, "row inp tap"] | None
    bias: Bool[np.ndarray, " out"] | None

    @property
    def count(self) -> int:
        """Of P, −N at signed channels, b̂; a channel without signs has P alone."""
        return sum(
            int(np.count_nonzero(part)) for part in (self.positive, self.negative, self.bias) if part is not None
        )

    @property
    def places(self) -> np.ndarray:
        """Where a number, in either half, is not the target's."""
        either = self.positive if self.negative is None else self.positive | self.negative
        return np.flatnonzero(either.ravel() if self.bias is None else np.concatenate([either.ravel(), self.bias]))


def tolerances(op: Linear, wanted: Affine, claim: ExactMap, carried: Carried) -> tuple[np.ndarray, np.ndarray | None]:
    """How far each number of a weight and a bias may be off and be the target's: a little less than half a gap."""
    if claim.format in FORMATS:
        weight = half_gap(wanted.weight, claim.format) * STRICT
    else:
        weight = np.broadcast_to(0.5 * STRICT * _scale(op, claim, carried), wanted.shape)
    if wanted.bias is None or claim.bias is None:
        return weight, None
    return weight, half_gap(wanted.bias, claim.bias) * STRICT


def prove(
    path: str,
    op: Linear,
    *,
    wanted: Affine,
    found: Realised,
    kinds: ExactMap,
    carried: Carried,
    carry_rest: bool = False,
) -> tuple[ExactMap, dict[str, np.ndarray]]:
    """The claim of a map, and what it carries: the signs of its zeros if any is −0, on request what no subset reaches.

    Beside whole numbers, whose step says how close to come, a real bias is carried where it is not reached.

    Args:
        kinds: its formats, and the scale of whole numbers.
    """
    target = _flat(_rounded(op, wanted.weight, kinds, carried), wanted.bias)
    numbers = _flat(*exact_numbers(op, found.positive, found.bias, claim=kinds, carried=carried))
    off = compared(op, wanted, found, claim=kinds, carried=carried, signs=False).places
    claim, extra = kinds, dict[str, np.ndarray]()
    off = off if carry_rest else off[(off >= math.prod(wanted.shape)) & (kinds.format in WHOLE)]
    if len(off):
        claim = replace(claim, rest=f"{path}/rest", places=f"{path}/places")
        numbers_type = _TYPES[kinds.format] if kinds.bias in (None, kinds.format) else np.float32
        extra = {f"{path}/rest": target[off].astype(numbers_type), f"{path}/places": off.astype(np.int64)}
        numbers[off] = target[off]
    zeros = numbers == 0
    signs = zeros & np.signbit(target) & (target == 0)
    if signs.any():
        claim = replace(claim, zeros=f"{path}/zeros")
        extra[f"{path}/zeros"] = np.packbits(signs[zeros], bitorder="little")
    differ = compared(op, wanted, found, claim=claim, carried={**carried, **extra}).count
    return replace(claim, differ=differ), extra


def exact_numbers(
    op: Linear, weight: np.ndarray, bias: np.ndarray | None, *, claim: ExactMap, carried: Carried
) -> tuple[np.ndarray, np.ndarray | None]:
    """The numbers that a map is in the target's own format, of what it realises; whole ones as they are stored.

    Raises:
        InputError: what is carried does not fit.
    """
    rounded = None if bias is None or claim.bias is None else rounded_to(bias, claim.bias)
    numbers = _flat(_rounded(op, weight, claim, carried), rounded) + 0.0
    if claim.places is not None and claim.rest is not None:
        places, rest = carried[claim.places], carried[claim.rest]
        if places.dtype != np.int64 or places.ndim != 1 or places.shape != rest.shape or (np.diff(places) <= 0).any():
            raise InputError(f"{claim.places}: expected the places of numbers, in order, one for each of {claim.rest}")
        if len(places) and not 0 <= places[0] <= places[-1] < numbers.size:
            raise InputError(f"{claim.places}: expected places of {numbers.size:,} numbers; got {int(places[-1])}")
        numbers[places] = rest.astype(np.float64) + 0.0
    if claim.zeros is not None:
        zeros = np.flatnonzero(numbers == 0)
        bits = carried[claim.zeros]
        if bits.dtype != np.uint8 or bits.shape != (-(-len(zeros) // 8),):
            raise InputError(f"{claim.zeros}: expected {-(-len(zeros) // 8):,} bytes, a bit for each zero")
        signs = np.unpackbits(bits, bitorder="little").astype(np.bool_)
        if signs[len(zeros) :].any():
            raise InputError(f"{claim.zeros}: expected padding bits that are 0")
        numbers[zeros[signs[: len(zeros)]]] = -0.0
    size = weight.size
    return numbers[:size].reshape(weight.shape), None if bias is None else numbers[size:]


def real_numbers(op: Linear, whole: np.ndarray, *, claim: ExactMap, carried: Carried) -> np.ndarray:
    """scale · (q − zero)."""
    zero = 0.0 if claim.zero is None else _per_output(op, carried[claim.zero], claim.zero)
    return _scale(op, claim, carried) * (whole - zero)


def compared(
    op: Linear, wanted: Affine, found: Realised, *, claim: ExactMap, carried: Carried, signs: bool = True
) -> Compared:
    """What a map realises beside the target's numbers, both in the target's format, bit by bit, or but for −0 and 0.

    Raises:
        InputError: what is carried does not fit.
    """
    target = _rounded(op, wanted.weight, claim, carried)
    weight, bias = exact_numbers(op, found.positive, found.bias, claim=claim, carried=carried)
    negative = None
    if found.negative is not None:  # a zero of −N has no sign of its own
        halves = np.where(found.signed[:, None], -found.negative, found.positive)
        own = replace(claim, zeros=None)
        negative = (exact_numbers(op, halves, found.bias, claim=own, carried=carried)[0] != target) & found.signed[
            :, None
        ]
    biases = None if wanted.bias is None or bias is None else _differ(bias, wanted.bias, signs=signs)
    return Compared(_differ(weight, target, signs=signs), negative, biases)


def _differ(first: np.ndarray, second: np.ndarray, *, signs: bool) -> np.ndarray:
    return (first != second) | (signs & (np.signbit(first) != np.signbit(second)))


def _flat(weight: np.ndarray, bias: np.ndarray | None) -> Flat:
    return weight.ravel() if bias is None else np.concatenate([weight.ravel(), bias])


def _rounded(op: Linear, weight: np.ndarray, claim: ExactMap, carried: Carried) -> np.ndarray:
    """In the format: the nearest numbers, or the nearest whole numbers of steps."""
    if claim.format in FORMATS:
        return rounded_to(weight, claim.format)
    least, largest = WHOLE[claim.format]
    zero = 0.0 if claim.zero is None else _per_output(op, carried[claim.zero], claim.zero)
    steps = np.rint(weight / _scale(op, claim, carried))
    return np.clip(steps + zero, least, largest) + 0.0


def _scale(op: Linear, claim: ExactMap, carried: Carried) -> np.ndarray:
    assert claim.scale is not None
    scale = _per_output(op, carried[claim.scale], claim.scale)
    if not (scale > 0).all():
        raise InputError(f"{claim.scale}: expected scales > 0")
    return scale


def _per_output(op: Linear, numbers: np.ndarray, name: str) -> np.ndarray:
    """One number for each output, or one for all, against coefficients (row, inp, tap)."""
    numbers = numbers.astype(np.float64).reshape(-1)
    if numbers.size not in (1, op.basis.outputs):
        raise InputError(f"{name}: expected one number, or one for each of {op.basis.outputs} outputs")
    groups, inputs = op.basis.groups, op.basis.inputs
    rows = np.broadcast_to(numbers, (op.basis.outputs,)).reshape(groups, -1)
    return rows[np.arange(inputs) * groups // inputs].T[:, :, None]
