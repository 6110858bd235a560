"""A-posteriori certificates: how far a realised network can be from its target.

The argument is in `rules`, one for each op, its rounding in `slth.numerics.bounds`. Pensia et al. (2020) bound ‖P - W‖
for networks without biases; with biases, leaving out Δb and b is unsound. Coefficients are all it needs, not how a
ticket was found.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace

import numpy as np

from slth._errors import InputError
from slth.certificate.claims import Certificate, MapClaim
from slth.certificate.errors import Norms
from slth.certificate.maps import Maps, check_size
from slth.certificate.reach import Reach, at_inputs
from slth.certificate.rules import RULES, Facts
from slth.certificate.signs import Signs, check_shape
from slth.graph import Box, Linear, Node, Realised, Shape, Target, fold, map_of_op, shapes, spread
from slth.numerics import most_work, one_thread, stored_bound

BOUNDS = ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error")  # of a map, stored rounded up
MOST_LISTED = 2**16  # outputs whose bounds are told apart; the logits of a sequence are many more
_MOST_OUTPUTS = 8  # whose false claims are told one by one
_PATIENCE = 50  # times the work that a rule of today would allow: limits may move


def certify(
    target: Target,
    realised: Callable[[str], Realised],
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
        realised: what a map realises, by its path. Each map is asked for once, in the order of `target.graph.maps`, and
            dropped after the last node that uses it, before the next one is asked for.
        tolerances: τ ≥ 0 of each map, in the unit of the weights: coefficients further off count as misses.
        box: the inputs the bound speaks of, or None to claim nothing about outputs.
        norms: those that an earlier certificate needed; new ones are added.

    Returns:
        The certificate; `failed_claims` rechecks it. For one dense map `output_error` is the supremum, up to rounding.
        Where an op has no rule, claims stop, and the certificate names the node.

    Raises:
        InputError: shapes that do not fit, a box that is negative where the realisation has no negative half, or a
            bound that overflows.

    Cost: two or three norms per map, each at most 0.4 µs per weight if the map is large (see `slth.numerics.work`), and
    0.1 µs for the rest; the size of images does not matter, except behind a Pad. 784-500-10 takes about 0.1 s. Memory:
    one map, of W, P and N, and a Gram matrix of its smaller side.

    Source: Pensia et al. (2020) for the layer-by-layer argument, extended as in `rules`.

    >>> from slth.graph import Affine, chain
    >>> target = chain([Affine(np.ones((1, 2, 1)), np.zeros(1))])
    >>> realised = {"layers/0": Realised(np.full((1, 2, 1), 0.75), None, np.full(1, 0.125), np.zeros(2, bool))}
    >>> box = Box.uniform(0.0, 1.0, 2)
    >>> found = certify(target, realised.__getitem__, tolerances={"layers/0": 0.25}, box=box)
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


@one_thread()
@np.errstate(over="ignore", invalid="ignore")  # an overflowing bound is refused, not warned about
def computed(
    target: Target,
    realised: Callable[[str], Realised],
    *,
    tolerances: Mapping[str, float],
    box: Box | None,
    norms: Norms | None = None,
    rules: Mapping[str, str] | None = None,
    most_listed: int = MOST_LISTED,
) -> Certificate:
    """The bounds as computed, before they are rounded up to be stored: already sound.

    Arguments as for `certify`; `rules` are those that norms follow, by map, where they are not the maps' own.
    `most_listed`: of outputs of several axes so many bounds are told apart.
    """
    if set(tolerances) != set(target.graph.maps):
        expected, got = ", ".join(target.graph.maps), ", ".join(tolerances)
        raise InputError(f"expected a tolerance of each of {expected}; got one of {got}")
    signs = None
    if box is not None:
        check_shape(target, box)
        signs = Signs.of(target, box.lower, box.shape)
    maps = Maps(target, realised, tolerances=tolerances, signs=signs, norms=norms, rules=rules or {})
    if box is None:
        for path in target.graph.maps:
            maps.enter(path)
            maps.leave(path)
        return Certificate(maps=maps.claims, sup_error=None, l2_error=None, output_error=None)
    facts, stops = Facts(maps.errors, target.carried), list[str]()
    last = {path: node.name for node in target.graph.nodes if (path := map_of_op(node.op)) is not None}

    def value(node: Node, inputs: tuple[Reach | None, ...]) -> Reach | None:
        known = [x for x in inputs if x is not None]
        if len(known) < len(inputs):
            return None
        z = RULES[type(node.op)](node.op, tuple(known), facts) if type(node.op) in RULES else None
        if z is None:
            stops.append(node.name)
            return None
        check_size(node.name, z.error_norm, float(z.error.max()))
        return z

    def step(node: Node, inputs: tuple[Reach | None, ...]) -> Reach | None:
        path = map_of_op(node.op)
        if path is None:
            return value(node, inputs)
        maps.enter(path)
        z = value(node, inputs)
        if isinstance(node.op, Linear):
            maps.bounded(path, z)
        if last[path] == node.name:
            maps.leave(path)
        return z

    end = fold(target.graph, at_inputs(box), step)
    return Certificate(
        maps=maps.claims,
        sup_error=None if end is None else float(end.error.max()),
        l2_error=None if end is None else end.error_norm,
        output_error=None if end is None else spread.bounds_listed(end.error, end.shape, most=most_listed),
        stops=tuple(stops),
    )


@dataclass(frozen=True, slots=True)
class Rechecked:
    """A certificate beside what it would be of a target."""

    failed: list[str]  # one sentence for each claim that does not hold
    maps: Mapping[str, MapClaim] = field(default_factory=dict[str, MapClaim])  # as stored; none if not computed


def failed_claims(
    stored: Certificate, target: Target, realised: Callable[[str], Realised], *, box: Box | None
) -> list[str]:
    """One sentence for each claim that does not hold, none if all hold: see `rechecked`."""
    return rechecked(stored, target, realised, box=box).failed


def rechecked(
    stored: Certificate, target: Target, realised: Callable[[str], Realised], *, box: Box | None
) -> Rechecked:
    """Recompute every claim.

    A bound holds if it is, recomputed with norms by the rule that it names, at most the stored one; a count of misses
    if it is the stored one; claims may stop earlier than they must. Arguments and memory as for `certify`. Statistical
    claims need no target: see `Statistical.holds`. The stored tolerances say what `misses` counts; whether they are
    what was asked for, and whether claims agree with each other, is the caller's to compare.

    Raises:
        InputError: the certificate bounds errors over a box and none is given, or input as for `certify`.
    """
    if set(stored.maps) != set(target.graph.maps):
        theirs, ours = ", ".join(target.graph.maps), ", ".join(stored.maps)
        return Rechecked([f"the certificate speaks of {ours}, the target has {theirs}"])
    if stored.over_inputs and box is None:
        raise InputError("this certificate bounds the error over a box of inputs: state the box to check it")
    used = box if stored.over_inputs else None
    dear = _too_dear(stored, target)
    if dear:
        return Rechecked(dear)
    rules = {path: claim.norms for path, claim in stored.maps.items()}
    told = max(len(stored.output_error or ()), MOST_LISTED)
    found = computed(target, realised, tolerances=stored.tolerances, box=used, rules=rules, most_listed=told)
    bounds = [field.name for field in fields(MapClaim) if field.name not in ("norms", "misses")]
    failed: list[str] = []
    for path, claim in stored.maps.items():
        failed += _counted(path, found.maps[path].misses, claim.misses)
        for name in bounds:
            failed += _compared(f"{path}: {name}", getattr(found.maps[path], name), getattr(claim, name))
    failed += _compared("network: sup_error", found.sup_error, stored.sup_error)
    failed += _compared("network: l2_error", found.l2_error, stored.l2_error)
    if used is not None and stored.output_error is not None:
        outputs = shapes(target.graph, used.shape, target.carried)[target.graph.output]
        failed += _failed_outputs(found.output_error or (), stored.output_error, outputs)
    return Rechecked(failed, {path: _stored_claim(claim) for path, claim in found.maps.items()})


def _too_dear(stored: Certificate, target: Target) -> list[str]:
    """Norms by rules that no prover would afford: a small file must not keep its checker busy for hours."""
    return [
        f"{path}: norms by {claim.norms} would take {work / affordable:,.0f} times the work that a map of this size is "
        f"given; nothing is claimed that can be checked"
        for path, claim in stored.maps.items()
        for basis in [target.graph.maps[path].basis]
        for work, affordable in [(basis.norm_work(claim.norms), most_work(math.prod(target.coefficients[path].shape)))]
        if work > _PATIENCE * affordable
    ]


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
    more = len(failed) - _MOST_OUTPUTS
    return [*failed[:_MOST_OUTPUTS], f"{more:,} more outputs: error, likewise"] if more > 0 else failed


def _counted(path: str, fact: int, claim: int) -> list[str]:
    """Misses are counted, not bounded: no comparison of two float64 numbers depends on the machine."""
    return [] if fact == claim else [f"{path}: misses is {fact}, the ticket counts {claim}"]


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
