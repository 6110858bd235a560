r"""Predictions that provably do not change when a target network is replaced by its realisation.

A class c of the target stays ahead of r if $z_c - z_r > e_c + e_r$ (bounds per output), or if
$z_c - z_r > \sqrt2\,a$ (a bound on ‖ẑ - z‖₂, since $|v_c - v_r| \le \sqrt2 \lVert v\rVert_2$). Either will do, for
each r by itself; a tie is never certified. Predictions are those of real arithmetic, the largest output.

Per input, the target's activations are known numbers instead of intervals, and the argument of `reach` gives far
smaller bounds. The only new term is ρ ≥ ‖x_computed - x‖₂, what float64 itself loses on the way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth._shapes import Inputs, Outputs, Verdicts
from slth.certificate.claims import Certificate
from slth.certificate.errors import MapErrors, check_signs, errors_of
from slth.graph import Graph, Linear, Node, Realised, Target, fold
from slth.numerics import above, matmul_bound, norm_bound, product_bound, slack, spectral_norm_bound

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


def rounded_logits(target: Target, realised: Mapping[str, Realised], inputs: Inputs) -> tuple[Outputs, Outputs]:
    """The target's outputs as float64 computes them, and bounds on what rounding did to them; both (batch, out)."""
    networks, inputs = _prepared(target, realised, inputs)
    found = [networks.run(block) for block in networks.blocks(inputs)]
    return np.concatenate([z.value for z in found]), np.concatenate([z.rounding for z in found])


def per_input_error(target: Target, realised: Mapping[str, Realised], inputs: Inputs) -> Outputs:
    r"""A bound on $|\hat f(x) - f(x)|$ for each input and output, in real arithmetic.

    Map by map, at the target's own values x of that input, with S and m as in `reach`,

    $$e \leftarrow |E^+x^+ + E^-x^- + \Delta b| + \min(S\,e,\ \lVert S_o\rVert_2\,a), \qquad
    a \leftarrow \min(\lVert\text{fresh}\rVert_2 + m\,a,\ \lVert e\rVert_2).$$

    Args:
        target, realised: both networks, as for `certify`.
        inputs: x, (batch, inp), finite.

    Returns:
        (batch, out), infinite where it overflows. For one layer it is the exact error, up to rounding.

    Raises:
        InputError: shapes that do not fit, infinity or NaN, or a negative input without a negative half to read it.

    Cost: three matrix products per map; blocks of inputs bound the memory.

    >>> from slth.graph import Affine, chain
    >>> target = chain([Affine(np.ones((1, 2, 1)), None)])
    >>> realised = {"layers/0": Realised(np.full((1, 2, 1), 0.75), None, None, np.zeros(2, bool))}
    >>> per_input_error(target, realised, np.array([[1.0, 0.0], [1.0, 1.0]])).round(9)
    array([[0.25],
           [0.5 ]])
    """
    networks, inputs = _prepared(target, realised, inputs)
    error = np.concatenate([networks.run(block).error for block in networks.blocks(inputs)])
    return np.where(np.isnan(error), np.inf, error)


def unchanged_per_input(target: Target, realised: Mapping[str, Realised], inputs: Inputs) -> Verdicts:
    """Which inputs the two networks provably classify alike: (batch,). Arguments and cost as `per_input_error`."""
    networks, inputs = _prepared(target, realised, inputs)
    verdicts: list[np.ndarray] = []
    for block in networks.blocks(inputs):
        z = networks.run(block)
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
class _Map:
    """What does not depend on the input: errors and norms, row by row."""

    errors: MapErrors
    weight_rows: np.ndarray  # ‖W_o‖₂
    error_rows: np.ndarray  # ‖max(|E⁺_o|, |E⁻_o|)‖₂, a Lipschitz constant of the fresh error
    slopes: np.ndarray  # S
    slope_rows: np.ndarray  # ‖S_o‖₂
    norm: float  # m


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of a value v for each input of a block."""

    value: np.ndarray  # v as float64 computes it (batch, n)
    rounding: np.ndarray  # ρ ≥ |value - v| (batch, n)
    error: np.ndarray  # e ≥ |v̂ - v| (batch, n)
    error_norm: np.ndarray  # a ≥ ‖v̂ - v‖₂ (batch,)


@dataclass(frozen=True, slots=True, eq=False)
class _Networks:
    """Target and realisation, ready to be run on blocks of inputs."""

    graph: Graph
    maps: Mapping[str, _Map]

    def blocks(self, inputs: np.ndarray) -> Iterator[np.ndarray]:
        """At least one block, so that no inputs give no verdicts."""
        rows = max(1, BLOCK // max(max(part.errors.weight.shape) for part in self.maps.values()))
        return (inputs[start : start + rows] for start in range(0, max(len(inputs), 1), rows))

    @np.errstate(over="ignore", invalid="ignore")  # an overflow makes the bound infinite or NaN: nothing is certified
    def run(self, inputs: np.ndarray) -> _Known:
        """What is known of the outputs."""

        def step(node: Node, values: tuple[_Known, ...]) -> _Known:
            (x,) = values
            return _through_linear(self.maps[node.op.map], x) if isinstance(node.op, Linear) else _through_relu(x)

        zero = np.zeros_like(inputs)
        return fold(self.graph, _Known(inputs, zero, zero, np.zeros(len(inputs))), step)


def _prepared(target: Target, realised: Mapping[str, Realised], inputs: np.ndarray) -> tuple[_Networks, np.ndarray]:
    maps = errors_of(target, realised)
    first = next(iter(maps.values()))
    inputs = np.asarray(inputs, dtype=np.float64)
    if inputs.ndim != 2 or inputs.shape[1] != first.weight.shape[1] or not np.isfinite(inputs).all():
        raise InputError(f"expected finite inputs of shape (batch, {first.weight.shape[1]}), got shape {inputs.shape}")
    return _Networks(target.graph, {path: _map(errors) for path, errors in maps.items()}), inputs


def _map(errors: MapErrors) -> _Map:
    sizes = np.abs(errors.error)
    if errors.negative_error is not None:
        sizes = np.maximum(sizes, np.abs(errors.negative_error))
    slopes = errors.slopes
    norm = errors.norm(spectral_norm_bound(errors.all()))
    return _Map(errors, norm_bound(errors.weight), norm_bound(sizes), slopes, norm_bound(slopes), norm)


def _through_linear(part: _Map, x: _Known) -> _Known:
    errors, terms = part.errors, part.errors.weight.shape[1] + 2
    check_signs(x.value.min(axis=0, initial=0.0), errors.signed)
    size, rho = norm_bound(x.value)[:, None], norm_bound(x.rounding)[:, None]

    value = x.value @ errors.weight.T + errors.bias
    summing = slack(product_bound(size, part.weight_rows) + np.abs(errors.bias), terms)
    rounding = above(summing + product_bound(rho, part.weight_rows), 3)

    fresh = np.maximum(x.value, 0.0) @ errors.error.T + errors.bias_error
    if errors.negative_error is not None:
        fresh += np.maximum(-x.value, 0.0) @ errors.negative_error.T
    summing = slack(product_bound(size, part.error_rows) + np.abs(errors.bias_error), terms)
    fresh = above(np.abs(fresh) + summing + product_bound(rho, part.error_rows), 3)

    a = x.error_norm
    moved = product_bound(a[:, None], part.slope_rows)
    if moved.any():
        moved = np.minimum(moved, matmul_bound(x.error, part.slopes.T))
    error = above(fresh + moved, 1)
    error_norm = above(norm_bound(fresh) + product_bound(a, part.norm), 1)
    error_norm = np.minimum(error_norm, norm_bound(error))
    return _Known(value, rounding, np.minimum(error, error_norm[:, None]), error_norm)


def _through_relu(z: _Known) -> _Known:
    """As `reach.through_relu`, with value + ρ for the upper end; ρ has room for the rounding of value + e."""
    woken = above(np.maximum(z.value + z.error + z.rounding, 0.0), 1)
    error = np.minimum(z.error, woken)
    return _Known(np.maximum(z.value, 0.0), z.rounding, error, np.minimum(z.error_norm, norm_bound(error)))
