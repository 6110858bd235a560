"""A-posteriori certificates for dense networks: how far a realised network can be from its target.

The argument is in `reach`, its rounding in `rounding`. Pensia et al. (2020) bound ‖P - W‖ for networks without biases;
with biases, leaving out Δb and b is unsound. Coefficients are all it needs, not how the ticket was found.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np

from slth._errors import InputError
from slth.certificate.claims import Certificate, LayerClaim
from slth.certificate.layers import Affine, Box, Realised, pair_up
from slth.certificate.norms import spectral_norm_bound
from slth.certificate.reach import at_inputs, through_affine, through_relu
from slth.certificate.rounding import above
from slth.numerics import stored_bound

BOUNDS = (
    "weight_error",
    "bias_error",
    "operator_error",
    "sup_error",
    "l2_error",
)  # of a layer, rounded up to be stored
LARGEST = 1e300  # a larger bound counts as overflow


def certify(
    target: Sequence[Affine], realised: Sequence[Realised], *, tolerances: Sequence[float], box: Box | None
) -> Certificate:
    r"""Bound $\sup_{x \in \text{box}} |\hat z_L - z_L|$, and every layer on the way, from the coefficients.

    The claims hold in real arithmetic. They are computed in float64 with rounding allowances and stored rounded up by
    2⁻²⁰ relative, so that a checker on another machine, whose sums round differently, agrees.

    Args:
        target: layers of the target; ReLU between them, none after the last.
        realised: the layers of the realised network, as many.
        tolerances: τ_i ≥ 0, one per layer, in the unit of the weights: coefficients further off count as misses.
        box: the inputs the bound speaks of, or None to claim nothing about outputs.

    Returns:
        The certificate; `failed_claims` rechecks it. For one layer, `output_error` is the supremum, up to rounding.

    Raises:
        InputError: shapes that do not fit, more than one tap, a box that is negative where the realisation has no
            negative half, or a bound that overflows.

    Cost: three Gram matrices with eigenvalues per layer; 784-500-10 takes about 0.2 s. Memory of a few layers.

    Source: Pensia et al. (2020) for the layer-by-layer argument, extended as in `reach`.

    >>> target = [Affine(np.ones((1, 2, 1)), np.zeros(1))]
    >>> realised = [Realised(np.full((1, 2, 1), 0.75), None, np.full(1, 0.125), np.zeros(2, bool))]
    >>> box = Box.uniform(0.0, 1.0, 2)
    >>> round(certify(target, realised, tolerances=[0.25], box=box).sup_error, 3)  # at (1, 1): -1/4 - 1/4 + 1/8
    0.375
    """
    raw = evaluate(target, realised, tolerances=tolerances, box=box)
    return Certificate(
        layers=tuple(
            replace(layer, **{name: _stored(getattr(layer, name)) for name in BOUNDS}) for layer in raw.layers
        ),
        sup_error=_stored(raw.sup_error),
        l2_error=_stored(raw.l2_error),
        output_error=None if raw.output_error is None else tuple(stored_bound(bound) for bound in raw.output_error),
    )


@np.errstate(over="ignore", invalid="ignore")  # an overflowing bound is refused, not warned about
def evaluate(
    target: Sequence[Affine], realised: Sequence[Realised], *, tolerances: Sequence[float], box: Box | None
) -> Certificate:
    """The bounds as computed, before they are rounded up to be stored: already sound. Arguments as for `certify`."""
    pairs = pair_up(target, realised)
    if len(tolerances) != len(pairs):
        raise InputError(f"expected one tolerance per layer, {len(pairs)}, got {len(tolerances)}")
    reach = None if box is None else at_inputs(box, pairs[0])
    layers: list[LayerClaim] = []
    output_error: tuple[float, ...] | None = None
    for layer, (pair, tolerance) in enumerate(zip(pairs, tolerances, strict=True)):
        errors = pair.errors()
        eta = spectral_norm_bound(errors)
        sup_error = l2_error = None
        if reach is not None:
            z = through_affine(pair, reach, eta=eta)
            output_error = tuple(float(bound) for bound in z.error)
            sup_error, l2_error = max(output_error), z.error_norm
            reach = through_relu(z)
        if not np.max([eta, l2_error or 0.0, *(output_error or ())]) < LARGEST:  # NaN is not smaller, either
            raise InputError(f"layer {layer}: the bound overflows float64; rescale the weights or the input range")
        layers.append(
            LayerClaim(
                tolerance=float(tolerance),
                weight_error=above(float(np.abs(errors).max()), 1),
                bias_error=above(float(np.abs(pair.bias_error).max()), 1),
                misses=pair.misses(tolerance),
                operator_error=eta,
                sup_error=sup_error,
                l2_error=l2_error,
            )
        )
    return Certificate(tuple(layers), layers[-1].sup_error, layers[-1].l2_error, output_error)


def failed_claims(
    stored: Certificate, target: Sequence[Affine], realised: Sequence[Realised], *, box: Box | None
) -> list[str]:
    """Recompute every claim: one sentence for each that does not hold, none if all hold.

    A claim holds if the recomputed bound is at most the stored one. `stored.layers[i].tolerance` says what `misses`
    counts; whether it is the tolerance that was asked for is the caller's to compare.

    Raises:
        InputError: the certificate bounds errors over a box and none is given, or input as for `certify`.
    """
    if len(stored.layers) != len(target):
        return [f"the certificate speaks of {len(stored.layers)} layers, the target has {len(target)}"]
    if stored.sup_error is not None and box is None:
        raise InputError("this certificate bounds the error over a box of inputs: state the box to check it")
    found = evaluate(
        target,
        realised,
        tolerances=[layer.tolerance for layer in stored.layers],
        box=None if stored.sup_error is None else box,
    )
    failed: list[str] = []
    for index, (claim, fact) in enumerate(zip(stored.layers, found.layers, strict=True)):
        for field in fields(LayerClaim):
            failed += _compared(f"layer {index}: {field.name}", getattr(fact, field.name), getattr(claim, field.name))
    failed += _compared("network: sup_error", found.sup_error, stored.sup_error)
    failed += _compared("network: l2_error", found.l2_error, stored.l2_error)
    facts, claims = found.output_error or (), stored.output_error or ()
    if len(facts) != len(claims):
        return [*failed, f"the certificate speaks of {len(claims)} outputs, the network has {len(facts)}"]
    for index, (fact, claim) in enumerate(zip(facts, claims, strict=True)):
        failed += _compared(f"output {index}: error", fact, claim)
    return failed


def _compared(name: str, fact: float | int | None, claim: float | int | None) -> list[str]:
    if fact is None or claim is None or fact <= claim:
        return []
    return [f"{name.replace('_', ' ')} is {fact}, the ticket claims at most {claim}"]


def _stored(value: float | None) -> float | None:
    return None if value is None else stored_bound(value)
