r"""Predictions that provably do not change when a target network is replaced by its realisation.

A class c of the target stays ahead of r if $z_c - z_r > e_c + e_r$ (bounds per output), or if
$z_c - z_r > \sqrt2\,a$ (a bound on ‖ẑ - z‖₂, since $|v_c - v_r| \le \sqrt2 \lVert v\rVert_2$). Either will do, for
each r by itself; a tie is never certified. Predictions are those of real arithmetic, the largest output.

Per input, the target's activations are known numbers instead of intervals, and the argument of `reach` gives far
smaller bounds. The only new term is ρ ≥ ‖x_computed - x‖₂, what float64 itself loses on the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Inputs, Outputs, Verdicts
from slth.certificate.claims import Certificate
from slth.certificate.layers import Affine, Pair, Realised, check_signs, pair_up
from slth.certificate.norms import spectral_norm_bound
from slth.certificate.rounding import above, matmul_bound, norm_bound, product_bound, slack

BLOCK = 2**20  # float64 numbers per array of a block of inputs


def unchanged_on_box(logits: Outputs, certificate: Certificate, *, logit_error: float | Outputs = 0.0) -> Verdicts:
    """Which predictions the certificate proves unchanged, for inputs in its box.

    Args:
        logits: outputs z_L of the target, (batch, out).
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
    error = np.array(certificate.output_error)
    if logits.ndim != 2 or logits.shape[1:] != error.shape or not np.isfinite(logits).all():
        raise InputError(f"expected finite logits of shape (batch, {error.size}), got shape {logits.shape}")
    if not (np.isfinite(logit_error).all() and np.min(logit_error) >= 0):
        raise InputError(f"logit_error must be finite and at least 0, got {logit_error}")
    batch = len(logits)
    return _stays_ahead(
        logits,
        np.broadcast_to(np.asarray(logit_error, np.float64), logits.shape),
        np.broadcast_to(error, logits.shape),
        np.full(batch, certificate.l2_error),
    )


def rounded_logits(target: Sequence[Affine], realised: Sequence[Realised], inputs: Inputs) -> tuple[Outputs, Outputs]:
    """The target's outputs z_L as float64 computes them, and bounds on what rounding did to them; both (batch, out)."""
    layers, inputs = _prepared(target, realised, inputs)
    found = [_propagate(layers, block) for block in _blocks(layers, inputs)]
    return np.concatenate([z.value for z in found]), np.concatenate([z.rounding for z in found])


def per_input_error(target: Sequence[Affine], realised: Sequence[Realised], inputs: Inputs) -> Outputs:
    r"""A bound on $|\hat z_L - z_L|$ for each input and output, in real arithmetic.

    Layer by layer, at the target's own activation x of that input,

    $$e \leftarrow |E^+x^+ + E^-x^- + \Delta b| + \min(|P|\,e,\ \lVert P_o\rVert_2\,a), \qquad
    a \leftarrow \min(\lVert\text{fresh}\rVert_2 + \lVert P\rVert_2\,a,\ \lVert e\rVert_2).$$

    Args:
        target, realised: the layers of both networks, as for `certify`.
        inputs: x_0, (batch, inp), finite.

    Returns:
        (batch, out), infinite where it overflows. For one layer it is the exact error, up to rounding.

    Raises:
        InputError: shapes that do not fit, infinity or NaN, or a negative input without a negative half to read it.

    Cost: three matrix products per layer; blocks of inputs bound the memory.

    >>> target = [Affine(np.ones((1, 2, 1)), None)]
    >>> realised = [Realised(np.full((1, 2, 1), 0.75), None, None, np.zeros(2, bool))]
    >>> per_input_error(target, realised, np.array([[1.0, 0.0], [1.0, 1.0]])).round(9)
    array([[0.25],
           [0.5 ]])
    """
    layers, inputs = _prepared(target, realised, inputs)
    error = np.concatenate([_propagate(layers, block).error for block in _blocks(layers, inputs)])
    return np.where(np.isnan(error), np.inf, error)


def unchanged_per_input(target: Sequence[Affine], realised: Sequence[Realised], inputs: Inputs) -> Verdicts:
    """Which inputs the two networks provably classify alike: (batch,). Arguments and cost as `per_input_error`."""
    layers, inputs = _prepared(target, realised, inputs)
    verdicts: list[np.ndarray] = []
    for block in _blocks(layers, inputs):
        z = _propagate(layers, block)
        verdicts.append(_stays_ahead(z.value, z.rounding, z.error, z.error_norm))
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
class _Layer:
    """What does not depend on the input: the pair and its norms, row by row."""

    pair: Pair
    weight_rows: np.ndarray  # ‖W_o‖₂
    error_rows: np.ndarray  # ‖max(|E⁺_o|, |E⁻_o|)‖₂, a Lipschitz constant of the fresh error
    positive_rows: np.ndarray  # ‖P_o‖₂
    positive_norm: float  # ‖P‖₂

    @property
    def width(self) -> int:
        return max(self.pair.weight.shape)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of v = x or z for each input of a block."""

    value: np.ndarray  # v as float64 computes it (batch, n)
    rounding: np.ndarray  # ρ ≥ |value - v| (batch, n)
    error: np.ndarray  # e ≥ |v̂ - v| (batch, n)
    error_norm: np.ndarray  # a ≥ ‖v̂ - v‖₂ (batch,)


def _prepared(
    target: Sequence[Affine], realised: Sequence[Realised], inputs: np.ndarray
) -> tuple[list[_Layer], np.ndarray]:
    pairs = pair_up(target, realised)
    inputs = np.asarray(inputs, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[1] != pairs[0].weight.shape[1] or not np.isfinite(inputs).all():
        raise InputError(
            f"expected finite inputs of shape (batch, {pairs[0].weight.shape[1]}), got shape {inputs.shape}"
        )
    check_signs(inputs.min(axis=0, initial=0.0), pairs[0].signed)
    return [_layer(pair) for pair in pairs], inputs


def _layer(pair: Pair) -> _Layer:
    slopes = np.abs(pair.error)
    if pair.negative_error is not None:
        slopes = np.maximum(slopes, np.abs(pair.negative_error))
    return _Layer(
        pair, norm_bound(pair.weight), norm_bound(slopes), norm_bound(pair.positive), spectral_norm_bound(pair.positive)
    )


def _blocks(layers: list[_Layer], inputs: np.ndarray) -> Iterator[np.ndarray]:
    """At least one block, so that no inputs give no verdicts."""
    rows = max(1, BLOCK // max(layer.width for layer in layers))
    return (inputs[start : start + rows] for start in range(0, max(len(inputs), 1), rows))


@np.errstate(over="ignore", invalid="ignore")  # an overflow makes the bound infinite or NaN: nothing is certified
def _propagate(layers: list[_Layer], inputs: np.ndarray) -> _Known:
    z = x = _Known(inputs, np.zeros_like(inputs), np.zeros_like(inputs), np.zeros(len(inputs)))
    for layer in layers:
        z = _through_affine(layer, x)
        x = _through_relu(z)
    return z


def _through_affine(layer: _Layer, x: _Known) -> _Known:
    pair, terms = layer.pair, layer.pair.weight.shape[1] + 2
    size, rho = norm_bound(x.value)[:, None], norm_bound(x.rounding)[:, None]

    value = x.value @ pair.weight.T + pair.bias
    summing = slack(product_bound(size, layer.weight_rows) + np.abs(pair.bias), terms)
    rounding = above(summing + product_bound(rho, layer.weight_rows), 3)

    fresh = np.maximum(x.value, 0.0) @ pair.error.T + pair.bias_error
    if pair.negative_error is not None:
        fresh += np.maximum(-x.value, 0.0) @ pair.negative_error.T
    summing = slack(product_bound(size, layer.error_rows) + np.abs(pair.bias_error), terms)
    fresh = above(np.abs(fresh) + summing + product_bound(rho, layer.error_rows), 3)

    a = x.error_norm
    moved = product_bound(a[:, None], layer.positive_rows)
    if moved.any():
        moved = np.minimum(moved, matmul_bound(x.error, np.abs(pair.positive).T))
    error = above(fresh + moved, 1)
    error_norm = above(norm_bound(fresh) + product_bound(a, layer.positive_norm), 1)
    error_norm = np.minimum(error_norm, norm_bound(error))
    return _Known(value, rounding, np.minimum(error, error_norm[:, None]), error_norm)


def _through_relu(z: _Known) -> _Known:
    """As `reach.through_relu`, with value + ρ for the upper end; ρ has room for the rounding of value + e."""
    woken = above(np.maximum(z.value + z.error + z.rounding, 0.0), 1)
    error = np.minimum(z.error, woken)
    return _Known(np.maximum(z.value, 0.0), z.rounding, error, np.minimum(z.error_norm, norm_bound(error)))
