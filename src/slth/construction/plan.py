"""From what is asked to a ticket: widths planned, the network's error split over its layers, attempts counted.

For a tolerance of every weight, one attempt is the rule; with `retries` a network that has misses is tried again wider,
as a whole. For an error ε of the whole network, the layers' tolerances start from the worst case and are scaled
together until the certificate that random errors of that size would get is just below ε; the widths follow. If the real
certificate is above ε, all tolerances shrink and the whole network is attempted again, wider.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.certificate import Affine, Box, Realised, certify
from slth.construction.two_layer import Layout, Progress, check_target, lay_out, lay_out_in, solve
from slth.numerics import check_seed
from slth.ticket import Asked, Domain, Ticket

_log = logging.getLogger(__name__)
_ROOM = 0.9  # share of the error asked for that the tolerances aim at
_MOST_ATTEMPTS = 8  # at an error of the whole network


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a construction. Give a tolerance of every weight, or an error `epsilon` of the whole network."""

    tolerance: float | None = None  # τ, in the unit of the weights; default 1e-4 if no epsilon is given
    epsilon: float | None = None  # sup over the input range of the largest output error, certified
    candidates: int | None = None  # n per coefficient and half; None: planned
    failure_probability: float = 0.01  # δ: expected misses of the whole network, for planning
    seed: int = 0
    retries: int = 0  # further attempts, each with two candidates more, while there are misses
    source: Ticket | None = None  # use the random network of this ticket

    def __post_init__(self) -> None:
        check_seed(self.seed)
        if self.retries < 0:
            raise InputError(f"retries are counted from 0, got {self.retries}")
        if self.source is not None and (self.candidates is not None or self.retries):
            raise InputError("a source fixes the random network: give no candidates and no retries with it")
        if self.source is not None and self.epsilon is not None:
            raise InputError("a source fixes the random network: ask for a tolerance, not for an epsilon")
        _ = self.asked

    @property
    def asked(self) -> Asked:
        """The same for the ticket's provenance; refuses what cannot be."""
        tolerance = 1e-4 if self.tolerance is None and self.epsilon is None else self.tolerance
        planned = self.candidates is None and self.source is None
        return Asked(tolerance, self.epsilon, self.failure_probability if planned else None, self.candidates)


def construct(
    target: Sequence[Affine],
    plan: Plan,
    *,
    domain: Domain,
    names: Sequence[tuple[str, str | None]] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Ticket:
    """A trained network becomes a ticket, as planned; arguments as for `solve`.

    Raises:
        InputError: shapes that do not chain, weights that are not finite, an impossible plan.
    """
    check_target(target)
    asked = plan.asked
    attempts = 0
    extra = 0
    tolerances: Sequence[float]
    if asked.tolerance is not None:
        tolerances = [asked.tolerance] * len(target)
    else:
        tolerances = split_error(target, asked.epsilon or 0.0, _box(domain, target), seed=plan.seed)
    while True:
        attempts += 1
        layout = _layout(target, tolerances, plan, domain, extra)
        ticket = solve(
            target,
            layout,
            domain=domain,
            asked=asked,
            attempts=attempts,
            names=names,
            threads=threads,
            progress=progress,
        )
        bound = ticket.certificate.sup_error
        if asked.epsilon is not None and bound is not None and bound > asked.epsilon:
            if attempts == _MOST_ATTEMPTS:
                raise InputError(
                    f"the network's error stays at {bound:.3g} after {attempts} attempts, above {asked.epsilon:g}; "
                    "ask for a larger epsilon, or give --candidates"
                )
            tolerances = [t * _ROOM * asked.epsilon / bound for t in tolerances]
            _log.info("attempt %d: certified error %.3g, the tolerances shrink", attempts, bound)
        elif ticket.misses and attempts <= plan.retries:
            extra += 2
            _log.info("attempt %d: %d misses, two candidates more", attempts, ticket.misses)
        else:
            return ticket


def plan_layout(target: Sequence[Affine], plan: Plan, *, domain: Domain) -> Layout:
    """The layout that `construct` would try first, without solving anything."""
    check_target(target)
    if plan.asked.tolerance is not None:
        tolerances: Sequence[float] = [plan.asked.tolerance] * len(target)
    else:
        tolerances = split_error(target, plan.asked.epsilon or 0.0, _box(domain, target), seed=plan.seed)
    return _layout(target, tolerances, plan, domain, 0)


def split_error(target: Sequence[Affine], epsilon: float, box: Box, *, seed: int = 0) -> tuple[float, ...]:
    """Tolerances τ_i for an error of the whole network, aimed at nine tenths of it.

    Worst case: τ_i = ε / (L S_i) with S_i = max_r (|W_L| ⋯ |W_{i+1}| (|x̄_{i−1}|_1 + 1))_r, x̄ the interval bound of what
    enters layer i. Then all are scaled by one factor, found by bisection on certificates of networks whose errors are
    uniform in ±τ_i, as those of subset sums are. A heuristic start: the certificate of the real ticket decides.
    """
    worst = _worst_case(target, epsilon, box)
    rng = np.random.Generator(np.random.PCG64(seed))
    shapes = [(layer.weight.shape, layer.bias is not None) for layer in target]
    noise = [
        (rng.uniform(-1, 1, (2, *shape)), rng.uniform(-1, 1, shape[0]) if bias else None) for shape, bias in shapes
    ]

    def bound(scale: float) -> float:
        parts = [_perturbed(i, layer, scale * worst[i], noise[i], box) for i, layer in enumerate(target)]
        return certify(target, parts, tolerances=worst, box=box).sup_error or 0.0

    low, high = 0.0, 1.0
    while bound(high) < _ROOM * epsilon and high < 2.0**40:
        low, high = high, 4 * high
    for _ in range(12):
        middle = math.sqrt(low * high) if low else high / 4
        low, high = (middle, high) if bound(middle) < _ROOM * epsilon else (low, middle)
    return tuple((low or high) * tolerance for tolerance in worst)


def _worst_case(target: Sequence[Affine], epsilon: float, box: Box) -> list[float]:
    weights = [np.abs(layer.weight[:, :, 0]) for layer in target]
    entering: list[float] = []
    reach = np.maximum(np.abs(box.lower), np.abs(box.upper))
    for weight, layer in zip(weights, target, strict=True):
        entering.append(float(reach.sum()) + 1)
        reach = weight @ reach + (0.0 if layer.bias is None else np.abs(layer.bias))
    tolerances: list[float] = []
    after = np.ones(target[-1].weight.shape[0])[:, None] * np.eye(target[-1].weight.shape[0])
    for i in reversed(range(len(target))):
        size = float((after.sum(axis=1) * entering[i]).max())
        tolerances.append(epsilon / (len(target) * max(size, 1e-300)))
        after = after @ weights[i]
    return tolerances[::-1]


def _perturbed(
    index: int, layer: Affine, tolerance: float, noise: tuple[np.ndarray, np.ndarray | None], box: Box
) -> Realised:
    signed = box.lower < 0 if index == 0 else np.zeros(layer.weight.shape[1], np.bool_)
    positive = layer.weight + tolerance * noise[0][0]
    negative = np.where(signed[None, :, None], -layer.weight + tolerance * noise[0][1], 0.0) if signed.any() else None
    bias = None if layer.bias is None or noise[1] is None else layer.bias + tolerance * noise[1]
    return Realised(positive, negative, bias, signed)


def _layout(target: Sequence[Affine], tolerances: Sequence[float], plan: Plan, domain: Domain, extra: int) -> Layout:
    if plan.source is not None:
        return lay_out_in(plan.source, target, tolerances, domain=domain)
    return lay_out(
        target,
        tolerances,
        domain=domain,
        seed=plan.seed,
        candidates=plan.candidates,
        failure_probability=plan.failure_probability,
        extra=extra,
    )


def _box(domain: Domain, target: Sequence[Affine]) -> Box:
    box = domain.box(target[0].weight.shape[1])
    if box is None:
        raise InputError("an error of the whole network needs its input range: give --input-range lo,hi or --data NAME")
    return box
