r"""Predictions that provably do not change when a target network is replaced by its realisation.

What a prediction is, and when it is certain, `decisions` says: the largest output, or the sign. Predictions are those
of real arithmetic.

Per input both networks are evaluated, and what float64 itself loses on the way is bounded, see `rounded`: their outputs
are known to about 10⁻¹⁰ in networks of a few maps, 10⁻³ in a ResNet-20, and a prediction is proved wherever rounding
does not decide it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Outputs, OutputValues, Signed, Verdicts
from slth.certificate.claims import Certificate
from slth.certificate.decisions import Decision, Largest
from slth.certificate.errors import Norms, map_errors
from slth.certificate.rounded import MapOf, Rounded, map_of, run
from slth.certificate.signs import check_signs
from slth.graph import INPUT, Realised, Target, most_entries, shapes, spread
from slth.numerics import above

BLOCK = 2**20  # float64 numbers per array of a block of inputs
KEPT = 2**29  # bytes of a realisation's coefficients, and of what is prepared of both networks, that are kept
HELD = 2**27  # bytes of values and their errors that wait for the next map
Progress = Callable[[int, int], None]
_LARGEST = Largest()


def unchanged_on_box(
    logits: np.ndarray,
    certificate: Certificate,
    *,
    decision: Decision = _LARGEST,
    logit_error: float | OutputValues = 0.0,
) -> Verdicts:
    """Which predictions the certificate proves unchanged, for inputs in its box.

    Args:
        logits: outputs z_L of the target, (batch, out), or with all axes of the network's outputs.
        certificate: one that bounds the error over a box.
        decision: what a prediction is.
        logit_error: a bound on |logits - z_L|, for logits that were computed with rounding; see `PerInput`.

    Returns:
        Of the shape of the predictions, True where the target and its realisation provably agree.

    Raises:
        InputError: a certificate without a box, or logits that do not fit it.
    """
    if certificate.output_error is None or certificate.l2_error is None:
        raise InputError("this certificate bounds no error over inputs: certify with a box")
    logits = np.asarray(logits, dtype=np.float64)
    count = len(certificate.output_error)
    if logits.ndim < 2 or count not in spread.counts(logits.shape[1:]) or not np.isfinite(logits).all():
        raise InputError(f"expected finite logits of shape (batch, {count}), got shape {logits.shape}")
    if not (np.isfinite(logit_error).all() and np.min(logit_error) >= 0):
        raise InputError(f"logit_error must be finite and at least 0, got {logit_error}")
    return decision.certain(
        logits,
        rounding=np.broadcast_to(np.asarray(logit_error, np.float64), logits.shape),
        error=np.broadcast_to(spread.over(certificate.output_error, logits.shape[1:]), logits.shape),
        error_norm=np.full(len(logits), certificate.l2_error),
    )


@dataclass(frozen=True, slots=True, eq=False)
class PerInput:
    """What evaluating both networks at each input shows."""

    unchanged: Verdicts  # where their predictions provably agree
    logits: OutputValues  # the target's outputs as float64 computes them, with all their axes
    rounding: OutputValues  # bounds on what rounding did to them


def per_input_error(
    target: Target,
    realised: Callable[[str], Realised],
    inputs: np.ndarray,
    *,
    norms: Norms | None = None,
    progress: Progress | None = None,
) -> Outputs:
    r"""A bound on $|\hat f(x) - f(x)|$ for each input and output, in real arithmetic.

    Both networks are evaluated at x in float64, and what each of them loses by rounding is added:

    $$|\hat f(x) - f(x)| \le |\hat y - y| + \rho + \hat\rho.$$

    Args:
        target, realised: both networks, as for `certify`; but a map may be asked for more than once.
        inputs: x, (batch, *shape), finite.
        norms: those known already; new ones are added.
        progress: called with (inputs done, inputs in all).

    Returns:
        (batch, out), in C order for outputs of several axes; infinite where it overflows.

    Raises:
        InputError: shapes that do not fit, infinity or NaN, or a negative input without a negative half to read it.

    Cost: two evaluations of each network, three of maps with a negative half, and their norms. Memory: at most `KEPT`
    bytes of coefficients beside the target's and one map, blocks of inputs, and `HELD` bytes of their values. Where
    the realisation is larger, its maps are asked for again for every `HELD` bytes.

    >>> from slth.graph import Affine, chain
    >>> target = chain([Affine(np.ones((1, 2, 1)), None)])
    >>> realised = {"layers/0": Realised(np.full((1, 2, 1), 0.75), None, None, np.zeros(2, bool))}
    >>> per_input_error(target, realised.__getitem__, np.array([[1.0, 0.0], [1.0, 1.0]])).round(9)
    array([[0.25],
           [0.5 ]])
    """
    errors: list[np.ndarray] = []
    for z, z_hat in _Networks(target, realised, norms).outputs(inputs, progress):
        with np.errstate(over="ignore", invalid="ignore"):  # ∞ - ∞: nothing is known
            found = above(np.abs(z_hat.value - z.value) + (z.off + z_hat.off), 2)
        errors.append(found.reshape(len(found), math.prod(found.shape[1:])))
    error = np.concatenate(errors)
    return np.where(np.isnan(error), np.inf, error)


def proved_per_input(
    target: Target,
    realised: Callable[[str], Realised],
    inputs: np.ndarray,
    *,
    decision: Decision = _LARGEST,
    norms: Norms | None = None,
    progress: Progress | None = None,
) -> PerInput:
    """Which inputs the two networks provably classify alike. Other arguments, cost and errors as `per_input_error`.

    Args:
        decision: what a prediction is.
    """
    verdicts: list[np.ndarray] = []
    logits: list[Rounded] = []
    for z, z_hat in _Networks(target, realised, norms).outputs(inputs, progress):
        sure = [
            decision.certain(v.value, rounding=np.zeros_like(v.off), error=v.off, error_norm=v.off_norm)
            for v in (z, z_hat)
        ]
        verdicts.append(sure[0] & sure[1] & (decision.classes(z.value) == decision.classes(z_hat.value)))
        logits.append(z)
    values, off = (np.concatenate(parts) for parts in ([z.value for z in logits], [z.off for z in logits]))
    return PerInput(np.concatenate(verdicts), values, off)


class _Networks:
    """Target and realisation, map by map: what fits is kept, the rest is asked for again where it is needed."""

    def __init__(self, target: Target, realised: Callable[[str], Realised], norms: Norms | None = None) -> None:
        self.target, self.realised = target, realised
        self.norms = Norms() if norms is None else norms
        weights = target.graph.weights
        self.keeps = 16 * weights <= KEPT  # two halves
        self.prepares = 32 * weights <= KEPT  # and slopes of both networks
        self.kept: dict[str, Realised] = {}
        self.prepared: dict[str, tuple[MapOf, MapOf]] = {}
        self.sizes: dict[str, tuple[float, float]] = {}  # by map: Lipschitz constants, of the target and of the other

    def outputs(self, inputs: np.ndarray, progress: Progress | None = None) -> Iterator[tuple[Rounded, Rounded]]:
        """The outputs of both, block by block; at least one block, so that no inputs give no verdicts."""
        inputs = np.asarray(inputs)
        if inputs.ndim < 2 or not np.isfinite(inputs).all():
            raise InputError(f"expected finite inputs of shape (batch, ...), got shape {inputs.shape}")
        graph, carried, shape = self.target.graph, self.target.carried, inputs.shape[1:]
        known = shapes(graph, shape, carried)
        check_signs(self.target, self._read(), inputs.min(axis=0, initial=0.0).astype(np.float64), shape)
        rows = max(1, BLOCK // max(int(np.prod(known[name])) for name in (INPUT, *known)))
        blocks = [inputs[start : start + rows] for start in range(0, max(len(inputs), 1), rows)]
        together = 1 if self.prepares else max(1, HELD // (16 * rows * most_entries(graph, shape, carried)))
        for first in range(0, len(blocks), together):
            some = blocks[first : first + together]
            done = _Done(progress, first * rows, sum(map(len, some)), len(inputs), 2 * len(graph.nodes))
            both = [run(graph, self._maps(i), some, carried, done=done.step) for i in (0, 1)]
            yield from zip(*both, strict=True)

    def _read(self) -> dict[str, Signed]:
        """Every map once, in order: its norms, and what is kept. By map, the inputs that it has a negative half for."""
        signed: dict[str, Signed] = {}
        for path, op in self.target.graph.maps.items():
            part = self.realised(path)
            errors = map_errors(path, op, self.target.coefficients[path], part, norms=self.norms)
            self.sizes[path], signed[path] = (errors.size, errors.norm(errors.eta)), part.signed
            if self.keeps:
                self.kept[path] = part
            if self.prepares:
                self.prepared[path] = self._map(path, 0), self._map(path, 1)
        return signed

    def _maps(self, which: int) -> Callable[[str], MapOf]:
        """The maps of the target, 0, or of the realisation, 1."""
        return lambda path: self.prepared[path][which] if self.prepares else self._map(path, which)

    def _map(self, path: str, which: int) -> MapOf:
        if which == 0:
            numbers = self.target.coefficients[path]
        else:
            numbers = self.kept[path] if self.keeps else self.realised(path)
        return map_of(self.target.graph.maps[path], numbers, self.sizes[path][which])


@dataclass(slots=True)
class _Done:
    """Progress within a group of inputs: every step of both networks counts alike."""

    progress: Progress | None
    before: int
    inputs: int
    total: int
    steps: int
    taken: int = 0

    def step(self) -> None:
        """One node more."""
        self.taken += 1
        if self.progress is not None:
            self.progress(self.before + self.inputs * self.taken // self.steps, self.total)
