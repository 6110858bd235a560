r"""Output-aware rounding: what a coefficient is off by is made up for in those that are not solved yet.

The outputs of a map are off by $E f$, with f the features of an input: $x^+$, $x^-$ where weights have two halves, else
x, taps included, and 1 for the bias. On calibration data $H = \overline{f f^T}$, and the mean square of an output's
error is $E_r H E_r^T$. Coefficients of a row are solved one after another; with $H^{-1} = U^T U$, U upper triangular,
an error $e$ of coefficient q is least felt if those behind it are asked for

$$w_{q'} - e\, U_{qq'} / U_{qq}, \qquad q' > q.$$

Every coefficient is still a subset sum of its own candidates, within the tolerance of what it is asked for. That is
another number than the target's: how far off it is from that one, is counted at the end, and claimed.

Source: Frantar, Ashkboos, Hoefler and Alistarh (2023), *GPTQ*, after Hassibi and Stork (1993).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from jaxtyping import Float64, Int64

from slth._errors import InputError
from slth._shapes import Bits, Signed
from slth.construction.objectives import Objective
from slth.construction.recipe import USUAL, Recipe
from slth.graph import Affine, Basis, Conv, Dense, Linear, Realised, Target, evaluate, signed_inputs
from slth.ticket import Inputs, Problems, Sums

_DAMPING = 0.01  # of the mean of H's diagonal is added to it
_MOST_FEATURES = 5000  # of a map: H is inverted
_SAMPLES = 256  # positions of the inputs of a batch that are looked at, evenly spread
_BATCH = 32


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Inputs like those that the network will be given, which decide which errors are felt.

    Raises:
        InputError: none, of another shape than the network takes, or numbers that are none.
    """

    name: str  # of the data
    examples: np.ndarray  # (count, ...), as they enter the network

    def check(self, shape: tuple[int, ...]) -> None:
        """They fit a network that takes inputs of this shape."""
        if self.examples.ndim < 2 or not len(self.examples) or self.examples.shape[1:] != shape:
            wanted = " x ".join(map(str, shape))
            raise InputError(
                f"calibration: expected inputs of shape {wanted}, at least one; got {self.examples.shape}; give the "
                "data that the network is made for"
            )
        if not np.isfinite(self.examples).all():
            raise InputError("calibration: the data holds NaN or infinite values; clean it first")

    @property
    def digest(self) -> str:
        """SHA-256 of the examples."""
        return hashlib.sha256(np.ascontiguousarray(self.examples, np.float64).tobytes()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """U of one map, and its features in the order in which coefficients are solved: x⁺ or x, x⁻, the constant."""

    factor: Float64[np.ndarray, "q q"]
    inputs: int
    taps: int
    split: Int64[np.ndarray, " split"]  # inputs with a negative half, ascending

    def first(self, half: str, input: int) -> int:
        """The feature of an input's first tap; of a bias the last one."""
        if half in ("positive", "whole"):
            return input * self.taps
        k = int(np.searchsorted(self.split, input)) if half == "negative" else len(self.split)
        return (self.inputs + k) * self.taps


def check_compensable(recipe: Recipe, *, exact: bool) -> None:
    """Errors can be made up for where a weight is a sum of independent candidates, within a tolerance.

    Raises:
        InputError: another gadget, objective or source.
    """
    usual = recipe.gadget == USUAL.gadget and recipe.centred == USUAL.centred
    if exact or not usual or recipe.objective not in ("within", "fewest", "closest"):
        raise InputError(
            "calibration makes up for errors of two-layer maps with the objectives within, fewest and closest, not "
            "exact and not centred; leave it out"
        )


def orders(
    target: Target, inputs: Inputs, examples: np.ndarray, *, linear: frozenset[str] = frozenset()
) -> dict[str, Order]:
    """U of every map that is dense or a convolution in one group, and has not too many features; by path.

    Args:
        examples: (count, ...), as they enter the network.
        linear: maps without a sign split.

    Cost: the target in float64 on all examples, and the inverse of a matrix for each map.
    """
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    recorded = {
        path: _Recorded(affine, target.graph.maps[path], signed[path], path in linear)
        for path, affine in target.coefficients.items()
    }
    for start in range(0, len(examples), _BATCH):
        batch = examples[start : start + _BATCH].astype(np.float64)
        evaluate(target.graph, cast("Mapping[str, Affine]", recorded), batch, target.carried)
    return {path: part.order for path, part in recorded.items() if part.moments.size}


def compensated(
    blocks: Iterable[Problems],
    op: Linear,
    affine: Affine,
    *,
    signed: Signed,
    linear: bool,
    order: Order,
    objective: Objective,
    tolerance: float,
    masks: Mapping[str, Bits],
) -> Realised:
    """Solve the blocks of a map of one stage in their order; the packed masks are written, the coefficients returned.

    Cost: for every row as many multiplications as H has entries, and one call of the objective for every input and tap
    of a block.
    """
    sums, u = Sums(op, signed, linear=linear), order.factor
    wanted = _rows(Realised.of(affine, signed, linear=linear))
    for block in blocks:
        candidates = block.candidates()
        slots, pairs, n = candidates.shape
        taps = 1 if block.half == "bias" else block.taps
        rows = slice(block.rows.start, block.rows.stop)
        packed = np.zeros((slots, pairs, -(-n // 64)), np.uint64)
        found = np.zeros((slots, pairs))
        for s, t in np.ndindex(slots, taps):
            q = order.first(block.half, int(block.inputs[s])) + t
            own = np.ascontiguousarray(candidates[s, t::taps])
            answer = objective(own, wanted[rows, q] / block.gain, tol=tolerance / block.gain)
            packed[s, t::taps] = answer.packed
            found[s, t::taps] = block.chosen(own[None], answer.packed)[0]
            error = (wanted[rows, q] - found[s, t::taps]) / u[q, q]
            wanted[rows, q + 1 :] -= error[:, None] * u[q, q + 1 :]
        block.keep(packed.reshape(slots * pairs, -1), masks)
        sums.add(block, found)
    return sums.realised


@dataclass(slots=True, eq=False)
class _Recorded:
    """A map that adds up the second moments of its features while it is applied."""

    affine: Affine
    op: Linear
    signed: Signed
    linear: bool
    moments: np.ndarray = field(init=False)
    samples: int = 0

    def __post_init__(self) -> None:
        _, inputs, taps = self.op.coefficients
        count = (inputs + len(self._split)) * taps + self.op.bias
        legal = isinstance(self.op.basis, Dense | Conv) and self.op.basis.groups == 1 and count <= _MOST_FEATURES
        self.moments = np.zeros((count, count) if legal else (0, 0))

    def apply(self, basis: Basis, x: np.ndarray) -> np.ndarray:
        """As the map does."""
        if self.moments.size:
            features = _features(basis, x)
            some = features[:: max(1, len(features) // _SAMPLES)]
            parts = [some if self.linear else np.maximum(some, 0.0), np.maximum(-some[:, self._split], 0.0)]
            flat = [part.reshape(len(some), -1) for part in parts] + [np.ones((len(some), 1))] * self.op.bias
            both = np.concatenate(flat, axis=1)
            self.moments += both.T @ both
            self.samples += len(both)
        return self.affine.apply(basis, x)

    @property
    def order(self) -> Order:
        """U of what was seen."""
        h = self.moments / self.samples
        h[np.diag_indices_from(h)] += _DAMPING * max(float(np.trace(h)) / len(h), 1e-300)
        lower = np.linalg.cholesky(np.linalg.inv(h))
        _, inputs, taps = self.op.coefficients
        return Order(np.ascontiguousarray(lower.T), inputs, taps, self._split)

    @property
    def _split(self) -> np.ndarray:
        """Inputs with a negative half."""
        return np.flatnonzero(self.signed & (not self.linear))


def _features(basis: Any, x: np.ndarray) -> Float64[np.ndarray, "sample inp tap"]:
    """What each coefficient of a map in one group is multiplied with, at all positions of its outputs."""
    if isinstance(basis, Dense):
        return x.reshape(-1, basis.inputs, 1)
    alone = replace(basis, outputs=basis.inputs, groups=basis.inputs)  # each input by itself
    found = np.empty(0)
    for tap in range(basis.taps):
        only = np.zeros((1, basis.inputs, basis.taps))
        only[:, :, tap] = 1.0
        own = np.moveaxis(alone.apply(only, x), 1, -1).reshape(-1, basis.inputs)
        found = np.empty((*own.shape, basis.taps)) if not found.size else found
        found[:, :, tap] = own
    return found


def _rows(part: Realised) -> Float64[np.ndarray, "row q"]:
    """The coefficients of each row in the order of the features."""
    rows = len(part.positive)
    parts = [part.positive.reshape(rows, -1)]
    if part.negative is not None:
        parts.append(part.negative[:, part.signed].reshape(rows, -1))
    if part.bias is not None:
        parts.append(part.bias[:, None])
    return np.concatenate(parts, axis=1)
