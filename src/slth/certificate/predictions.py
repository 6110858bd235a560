r"""Predictions that provably do not change when a target network is replaced by its realisation.

A class c of the target stays ahead of r if $z_c - z_r > e_c + e_r$ (bounds per output), or if
$z_c - z_r > \sqrt2\,a$ (a bound on ‖ẑ - z‖₂, since $|v_c - v_r| \le \sqrt2 \lVert v\rVert_2$). Either will do, for
each r by itself; a tie is never certified. Predictions are those of real arithmetic, the largest output.

Per input both networks are evaluated, and what float64 itself loses on the way is bounded, see `rounded`: their outputs
are known to about 10⁻¹⁰ in networks of a few maps, 10⁻³ in a ResNet-20, and a prediction is proved wherever rounding
does not decide it.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Outputs, Verdicts
from slth.certificate.claims import Certificate
from slth.certificate.errors import errors_of
from slth.certificate.rounded import MapOf, Rounded, map_of, run
from slth.certificate.signs import check_signs
from slth.graph import INPUT, Carried, Graph, Realised, Target, shapes, spread
from slth.numerics import above

BLOCK = 2**20  # float64 numbers per array of a block of inputs


def unchanged_on_box(logits: np.ndarray, certificate: Certificate, *, logit_error: float | Outputs = 0.0) -> Verdicts:
    """Which predictions the certificate proves unchanged, for inputs in its box.

    Args:
        logits: outputs z_L of the target, (batch, out), or with all axes of the network's outputs.
        certificate: one that bounds the error over a box.
        logit_error: a bound on |logits - z_L|, for logits that were computed with rounding; see `rounded_logits`.

    Returns:
        (batch,), True where the target and its realisation provably agree on the largest output.

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
    shape, flat = logits.shape, (len(logits), math.prod(logits.shape[1:]))
    rounding = np.broadcast_to(np.asarray(logit_error, np.float64), shape).reshape(flat)
    error = np.broadcast_to(spread.over(certificate.output_error, shape[1:]), shape).reshape(flat)
    return _stays_ahead(logits.reshape(flat), rounding, error, np.full(len(logits), certificate.l2_error))


def rounded_logits(target: Target, realised: Mapping[str, Realised], inputs: np.ndarray) -> tuple[Outputs, Outputs]:
    """The target's outputs as float64 computes them, and bounds on what rounding did to them; both (batch, out)."""
    networks, inputs = _prepared(target, realised, inputs)
    found = [networks.target(block) for block in networks.blocks(inputs)]
    return np.concatenate([z.value for z in found]), np.concatenate([z.off for z in found])


def per_input_error(target: Target, realised: Mapping[str, Realised], inputs: np.ndarray) -> Outputs:
    r"""A bound on $|\hat f(x) - f(x)|$ for each input and output, in real arithmetic.

    Both networks are evaluated at x in float64, and what each of them loses by rounding is added:

    $$|\hat f(x) - f(x)| \le |\hat y - y| + \rho + \hat\rho.$$

    Args:
        target, realised: both networks, as for `certify`.
        inputs: x, (batch, *shape), finite.

    Returns:
        (batch, out), in C order for outputs of several axes; infinite where it overflows.

    Raises:
        InputError: shapes that do not fit, infinity or NaN, or a negative input without a negative half to read it.

    Cost: two evaluations of each network, three of maps with a negative half, and their norms; blocks of inputs bound
    the memory.

    >>> from slth.graph import Affine, chain
    >>> target = chain([Affine(np.ones((1, 2, 1)), None)])
    >>> realised = {"layers/0": Realised(np.full((1, 2, 1), 0.75), None, None, np.zeros(2, bool))}
    >>> per_input_error(target, realised, np.array([[1.0, 0.0], [1.0, 1.0]])).round(9)
    array([[0.25],
           [0.5 ]])
    """
    networks, inputs = _prepared(target, realised, inputs)
    errors: list[np.ndarray] = []
    for block in networks.blocks(inputs):
        z, z_hat = networks.target(block), networks.realised(block)
        with np.errstate(over="ignore", invalid="ignore"):  # ∞ - ∞: nothing is known
            errors.append(above(np.abs(z_hat.value - z.value) + (z.off + z_hat.off), 2))
    error = np.concatenate(errors)
    return np.where(np.isnan(error), np.inf, error)


def unchanged_per_input(target: Target, realised: Mapping[str, Realised], inputs: np.ndarray) -> Verdicts:
    """Which inputs the two networks provably classify alike: (batch,). Arguments and cost as `per_input_error`."""
    networks, inputs = _prepared(target, realised, inputs)
    verdicts: list[np.ndarray] = []
    for block in networks.blocks(inputs):
        z, z_hat = networks.target(block), networks.realised(block)
        sure = [_stays_ahead(v.value, np.zeros_like(v.off), v.off, v.off_norm) for v in (z, z_hat)]
        verdicts.append(sure[0] & sure[1] & (z.value.argmax(axis=1) == z_hat.value.argmax(axis=1)))
    return np.concatenate(verdicts)


@np.errstate(over="ignore", invalid="ignore")  # a comparison with NaN is False: not certified
def _stays_ahead(logits: np.ndarray, rounding: np.ndarray, error: np.ndarray, error_norm: np.ndarray) -> np.ndarray:
    """Is the largest logit ahead of each other one by more than both can move? `above` also covers the difference."""
    rows, best = np.arange(len(logits)), logits.argmax(axis=1)
    each = error + error[rows, best][:, None]
    joint = above(np.sqrt(2.0) * error_norm, 2)[:, None]
    needed = above(np.minimum(each, joint) + (rounding + rounding[rows, best][:, None]), 4)
    ahead = logits[rows, best][:, None] - logits > needed
    ahead[rows, best] = True
    return np.asarray(ahead.all(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class _Networks:
    """Target and realisation, ready to be run on blocks of inputs."""

    graph: Graph
    carried: Carried
    wanted: Mapping[str, MapOf]
    found: Mapping[str, MapOf]
    largest: int  # numbers in the largest value of one example

    def blocks(self, inputs: np.ndarray) -> Iterator[np.ndarray]:
        """At least one block, so that no inputs give no verdicts."""
        rows = max(1, BLOCK // self.largest)
        return (inputs[start : start + rows] for start in range(0, max(len(inputs), 1), rows))

    def target(self, inputs: np.ndarray) -> Rounded:
        """The target's outputs, flat."""
        return _flat(run(self.graph, self.wanted, inputs, self.carried))

    def realised(self, inputs: np.ndarray) -> Rounded:
        """The realisation's outputs, flat."""
        return _flat(run(self.graph, self.found, inputs, self.carried))


def _flat(z: Rounded) -> Rounded:
    size = int(np.prod(z.value.shape[1:]))
    return Rounded(z.value.reshape(-1, size), z.off.reshape(-1, size), z.off_norm)


def _prepared(target: Target, realised: Mapping[str, Realised], inputs: np.ndarray) -> tuple[_Networks, np.ndarray]:
    errors = errors_of(target, realised)
    inputs = np.asarray(inputs, dtype=np.float64)
    if inputs.ndim < 2 or not np.isfinite(inputs).all():
        raise InputError(f"expected finite inputs of shape (batch, ...), got shape {inputs.shape}")
    shape = inputs.shape[1:]
    known = shapes(target.graph, shape, target.carried)
    signed = {path: part.signed for path, part in errors.items()}
    check_signs(target, signed, inputs.min(axis=0, initial=0.0), shape)
    maps, largest = target.graph.maps, max(int(np.prod(known[name])) for name in (INPUT, *known))
    wanted = {path: map_of(op, target.coefficients[path], errors[path].size) for path, op in maps.items()}
    found = {path: map_of(op, realised[path], errors[path].norm(errors[path].eta)) for path, op in maps.items()}
    return _Networks(target.graph, target.carried, wanted, found, largest), inputs
