"""A-posteriori certificates: how far a realised network can be from its target.

The argument is in `rules`, one for each op, its rounding in `slth.numerics.bounds`. Pensia et al. (2020) bound ‖P - W‖
for networks without biases; with biases, leaving out Δb and b is unsound. Coefficients are all it needs, not how a
ticket was found.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from slth._errors import InputError
from slth.certificate.claims import Certificate, MapClaim
from slth.certificate.errors import MapErrors, Norms, errors_of
from slth.certificate.reach import Reach, at_inputs
from slth.certificate.rules import RULES, Facts
from slth.certificate.signs import check_shape, check_signs
from slth.graph import Box, Linear, Node, Realised, Shape, Target, fold, shapes, spread
from slth.numerics import above, stored_bound

BOUNDS = ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error")  # of a map, stored rounded up
LARGEST = 1e300  # a larger bound counts as overflow


def certify(
    target: Target,
    realised: Mapping[str, Realised],
    *,
    tolerances: Mapping[str, float],
    box: Box | None,
    norms: Norms | None = None,
) -> Certificate:
    r"""Bound $\sup_{x \in \text{box}} |\hat f(x) - f(x)|$, and every map on the way, from the coefficients.

    The claims hold in real arithmetic. They are computed in float64 with rounding allowances and stored rounded up by
    2⁻²⁰ relative, so that a checker on another machine, whose sums round differently, agrees.

    Args:
        target: the network.
        realised: by map.
        tolerances: τ ≥ 0 of each map, in the unit of the weights: coefficients further off count as misses.
        box: the inputs the bound speaks of, or None to claim nothing about outputs.
        norms: those that an earlier certificate needed; new ones are added.

    Returns:
        The certificate; `failed_claims` rechecks it. For one dense map `output_error` is the supremum, up to rounding.
        Where an op has no rule, claims stop, and the certificate names the node.

    Raises:
        InputError: shapes that do not fit, a box that is negative where the realisation has no negative half, or a
            bound that overflows.

    Cost: three norms per map: Gram matrices with eigenvalues, of convolutions on a grid; the size of images does not
    matter, except behind a Pad. 784-500-10 takes about 0.2 s. Memory of a few maps.

    Source: Pensia et al. (2020) for the layer-by-layer argument, extended as in `rules`.

    >>> from slth.graph import Affine, chain
    >>> target = chain([Affine(np.ones((1, 2, 1)), np.zeros(1))])
    >>> realised = {"layers/0": Realised(np.full((1, 2, 1), 0.75), None, np.full(1, 0.125), np.zeros(2, bool))}
    >>> box = Box.uniform(0.0, 1.0, 2)
    >>> found = certify(target, realised, tolerances={"layers/0": 0.25}, box=box)
    >>> round(found.sup_error, 3)  # at (1, 1): -1/4 - 1/4 + 1/8
    0.375
    """
    raw = computed(target, realised, tolerances=tolerances, box=box, norms=norms)
    return Certificate(
        maps={path: _stored_claim(claim) for path, claim in raw.maps.items()},
        sup_error=_stored(raw.sup_error),
        l2_error=_stored(raw.l2_error),
        output_error=None if raw.output_error is None else tuple(stored_bound(bound) for bound in raw.output_error),
        stops=raw.stops,
    )


@np.errstate(over="ignore", invalid="ignore")  # an overflowing bound is refused, not warned about
def computed(
    target: Target,
    realised: Mapping[str, Realised],
    *,
    tolerances: Mapping[str, float],
    box: Box | None,
    norms: Norms | None = None,
) -> Certificate:
    """The bounds as computed, before they are rounded up to be stored: already sound. Arguments as for `certify`."""
    errors = errors_of(target, realised, norms)
    if set(tolerances) != set(errors):
        raise InputError(f"expected a tolerance of each of {', '.join(errors)}; got one of {', '.join(tolerances)}")
    for path, part in errors.items():
        _check_size(path, part.eta)
    reached: dict[str, list[Reach | None]] = {path: [] for path in errors}
    stops: list[str] = []
    end = None
    if box is not None:
        check_shape(target, box)
        check_signs(target, {path: part.signed for path, part in errors.items()}, box.lower, box.shape)
        facts = Facts(errors, target.carried)

        def step(node: Node, inputs: tuple[Reach | None, ...]) -> Reach | None:
            z = None
            known = [x for x in inputs if x is not None]
            if len(known) == len(inputs):
                if type(node.op) in RULES:
                    z = RULES[type(node.op)](node.op, tuple(known), facts)
                    _check_size(node.name, z.error_norm, float(z.error.max()))
                else:
                    stops.append(node.name)
            if isinstance(node.op, Linear):
                reached[node.op.map].append(z)
            return z

        end = fold(target.graph, at_inputs(box), step)
    return Certificate(
        maps={path: _claim(part, tolerances[path], reached[path]) for path, part in errors.items()},
        sup_error=None if end is None else float(end.error.max()),
        l2_error=None if end is None else end.error_norm,
        output_error=None if end is None else spread.listed(end.error, end.shape),
        stops=tuple(stops),
    )


def failed_claims(
    stored: Certificate, target: Target, realised: Mapping[str, Realised], *, box: Box | None
) -> list[str]:
    """Recompute every claim: one sentence for each that does not hold, none if all hold.

    A claim holds if the recomputed bound is at most the stored one; claims may stop earlier than they must. Statistical
    claims need no target: see `Statistical.holds`. The stored tolerances say what `misses` counts;
    whether they are what was asked for is the caller's to compare.

    Raises:
        InputError: the certificate bounds errors over a box and none is given, or input as for `certify`.
    """
    if set(stored.maps) != set(target.graph.maps):
        return [f"the certificate speaks of {', '.join(stored.maps)}, the target has {', '.join(target.graph.maps)}"]
    if stored.over_inputs and box is None:
        raise InputError("this certificate bounds the error over a box of inputs: state the box to check it")
    used = box if stored.over_inputs else None
    found = computed(target, realised, tolerances=stored.tolerances, box=used)
    failed: list[str] = []
    for path, claim in stored.maps.items():
        for field in fields(MapClaim):
            failed += _compared(
                f"{path}: {field.name}", getattr(found.maps[path], field.name), getattr(claim, field.name)
            )
    failed += _compared("network: sup_error", found.sup_error, stored.sup_error)
    failed += _compared("network: l2_error", found.l2_error, stored.l2_error)
    if used is None or stored.output_error is None:
        return failed
    outputs = shapes(target.graph, used.shape, target.carried)[target.graph.output]
    return failed + _failed_outputs(found.output_error or (), stored.output_error, outputs)


def _failed_outputs(facts: Sequence[float], claims: Sequence[float], outputs: Shape) -> list[str]:
    """Each claimed error, or each shared one, against the largest it speaks of."""
    if not facts or len(claims) not in spread.counts(outputs):
        has = math.prod(outputs) if facts else 0
        return [f"the certificate speaks of {len(claims)} outputs, the network has {has}"]
    bounds, claimed = np.broadcast_arrays(spread.over(facts, outputs), spread.over(claims, outputs))
    name = "output {}" if bounds.size == math.prod(outputs) else "every output of channel {}"
    failed: list[str] = []
    for index in np.flatnonzero(~(bounds <= claimed)).tolist():  # NaN is not smaller, either
        which = "every output" if bounds.size == 1 < math.prod(outputs) else name.format(index)
        failed += _compared(f"{which}: error", float(bounds.flat[index]), float(claimed.flat[index]))
    return failed


def _claim(errors: MapErrors, tolerance: float, nodes: list[Reach | None]) -> MapClaim:
    known = [z for z in nodes if z is not None]
    bounded = bool(nodes) and len(known) == len(nodes)
    return MapClaim(
        tolerance=float(tolerance),
        weight_error=above(float(np.abs(errors.all()).max()), 1),
        bias_error=above(float(np.abs(errors.bias_error).max()), 1),
        misses=errors.misses(tolerance),
        operator_error=errors.eta,
        sup_error=max(float(z.error.max()) for z in known) if bounded else None,
        l2_error=max(z.error_norm for z in known) if bounded else None,
    )


def _check_size(name: str, *bounds: float) -> None:
    if not np.max(bounds) < LARGEST:  # NaN is not smaller, either
        raise InputError(f"{name}: the bound overflows float64; rescale the weights or the input range")


def _compared(name: str, fact: float | int | None, claim: float | int | None) -> list[str]:
    name = name.replace("_", " ")
    if claim is None:
        return []
    if fact is None:
        return [f"{name}: the ticket claims at most {claim}, but no rule bounds it"]
    return [] if fact <= claim else [f"{name} is {fact}, the ticket claims at most {claim}"]


def _stored_claim(claim: MapClaim) -> MapClaim:
    return replace(claim, **{name: _stored(getattr(claim, name)) for name in BOUNDS})


def _stored(value: float | None) -> float | None:
    return None if value is None else stored_bound(value)
