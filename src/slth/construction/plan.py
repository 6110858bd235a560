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
from slth.numerics import Stream, check_seed, uniform
from slth.ticket import MOST_CANDIDATES, Asked, Domain, Ticket

_log = logging.getLogger(__name__)
_ROOM = 0.9  # share of the error asked for that the tolerances aim at
_RETRIES = 4  # wider attempts where misses keep an error of the whole network from being met
_MOST_SHRINKS = 8  # of the tolerances, for an error of the whole network


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
        for name in ("candidates", "retries"):
            value = getattr(self, name)
            if value is not None and type(value) is not int:
                raise InputError(f"{name} must be a whole number such as 30, got {value!r}")
        for name in ("tolerance", "epsilon", "failure_probability"):
            value = getattr(self, name)
            if value is not None and type(value) is not float:
                raise InputError(f"{name} must be a number such as 1e-4, got {value!r}")
        if self.retries < 0:
            raise InputError(f"retries are counted from 0, got {self.retries}")
        if self.source is not None and self.seed not in (0, self.source.seed):
            raise InputError(f"the source has seed {self.source.seed}, got {self.seed}; give no seed with a source")
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
    tolerances = _tolerances(target, plan, domain)
    shrinks = extra = 0
    while True:
        ticket = solve(
            target,
            _layout(target, tolerances, plan, domain, extra),
            domain=domain,
            asked=asked,
            attempts=1 + shrinks + extra // 2,
            names=names,
            threads=threads,
            progress=progress,
        )
        widest = all(max(layer.lift.candidates, layer.lift.constants) == MOST_CANDIDATES for layer in ticket.layers)
        bound = ticket.certificate.sup_error
        unmet = asked.epsilon is not None and bound is not None and bound > asked.epsilon
        retries = max(plan.retries, _RETRIES if unmet and plan.candidates is None else 0)
        if ticket.misses and extra < 2 * retries and not widest:
            extra += 2
            _log.info("%d misses: two candidates more", ticket.misses)
            continue
        if not unmet or asked.epsilon is None or bound is None:
            return ticket
        if ticket.misses or shrinks == _MOST_SHRINKS:
            raise InputError(
                f"the network's error is at most {bound:.3g}, not {asked.epsilon:g}, with {ticket.misses} misses after "
                f"{ticket.provenance.attempts} attempts; ask for a larger epsilon, more candidates or retries"
            )
        shrinks += 1
        tolerances = [_short(t * _ROOM * asked.epsilon / bound) for t in tolerances]
        _log.info("certified error %.3g: the tolerances shrink", bound)


def plan_layout(target: Sequence[Affine], plan: Plan, *, domain: Domain) -> Layout:
    """The layout that `construct` would try first, without solving anything."""
    check_target(target)
    return _layout(target, _tolerances(target, plan, domain), plan, domain, 0)


def _tolerances(target: Sequence[Affine], plan: Plan, domain: Domain) -> Sequence[float]:
    if plan.epsilon is None:
        return [1e-4 if plan.tolerance is None else plan.tolerance] * len(target)
    box = domain.box(target[0].weight.shape[1])
    if box is None:
        raise InputError("an error of the whole network needs its input range: give --input-range lo,hi or --data NAME")
    return split_error(target, plan.epsilon, box)


def _short(tolerance: float) -> float:
    """Rounded down to 8 significant bits, so that the last bits of a bound on another machine change no ticket."""
    mantissa, exponent = math.frexp(tolerance)
    return math.ldexp(math.floor(mantissa * 256) / 256, exponent)


def split_error(target: Sequence[Affine], epsilon: float, box: Box) -> tuple[float, ...]:
    """Tolerances τ_i for an error of the whole network, aimed at nine tenths of it.

    Worst case: τ_i = ε / (L S_i) with S_i = max_r (|W_L| ⋯ |W_{i+1}| (|x̄_{i−1}|_1 + 1))_r, x̄ the interval bound of what
    enters layer i. Then all are scaled by one factor, found by bisection on certificates of networks whose errors are
    uniform in ±τ_i, as those of subset sums are. A heuristic start: the certificate of the real ticket decides.
    """
    worst = _worst_case(target, epsilon, box)
    noise = [_noise(i, layer) for i, layer in enumerate(target)]

    def bound(scale: float) -> float:
        parts = [_perturbed(i, layer, scale * worst[i], noise[i], box) for i, layer in enumerate(target)]
        return certify(target, parts, tolerances=worst, box=box).sup_error or 0.0

    low, high = 0.0, 1.0
    while bound(high) < _ROOM * epsilon and high < 2.0**40:
        low, high = high, 4 * high
    for _ in range(12):
        middle = math.sqrt(low * high) if low else high / 4
        low, high = (middle, high) if bound(middle) < _ROOM * epsilon else (low, middle)
    return tuple(_short((low or high) * tolerance) for tolerance in worst)


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


def _noise(index: int, layer: Affine) -> tuple[np.ndarray, np.ndarray | None]:
    """Errors uniform in ±1 for the two halves of a layer and its bias."""
    halves = uniform(Stream(0, f"split_error/{index}/weight"), (2, *layer.weight.shape)).astype(np.float64)
    if layer.bias is None:
        return halves, None
    return halves, uniform(Stream(0, f"split_error/{index}/bias"), layer.bias.shape).astype(np.float64)


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
