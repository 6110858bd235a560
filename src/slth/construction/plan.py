"""From what is asked to a ticket: widths planned, tolerances chosen, attempts counted.

One attempt is the rule. With `retries`, a network whose promise fails because weights miss is tried again as a whole,
never in part: wider if its width was planned, with the next seed if its width was given. For an error ε of the whole
network the tolerances come from `split`; where no weight misses and the certificate still exceeds ε, all tolerances
shrink and the whole network is solved again. That discards no draw for its luck, so it is not counted as an attempt.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from slth._errors import InputError
from slth.certificate import Affine
from slth.construction.split import AIM, few_bits, split_error
from slth.construction.two_layer import Layout, Progress, check_target, lay_out, lay_out_in, solve
from slth.numerics import at_most, check_seed
from slth.ticket import MOST_CANDIDATES, Asked, Domain, Ticket

_log = logging.getLogger(__name__)
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
    retries: int = 0  # further attempts while misses break the promise: two candidates more, or seed + 1, see above
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

    Returns:
        The ticket of the last attempt, with its seed. `attempts` is one more than the retries used; where `candidates`
        are given, its seed is `plan.seed + attempts - 1`.

    Raises:
        InputError: shapes that do not chain, weights that are not finite, an impossible plan, an epsilon out of reach.
    """
    check_target(target)
    epsilon = plan.epsilon
    tolerances = _tolerances(target, plan, domain)
    planned = plan.candidates is None
    retries = plan.retries if epsilon is None or not planned else max(plan.retries, _RETRIES)
    shrinks = retried = 0
    while True:
        ticket = solve(
            target,
            _layout(target, tolerances, plan, domain, retried),
            domain=domain,
            asked=plan.asked,
            attempts=1 + retried,
            names=names,
            threads=threads,
            progress=progress,
        )
        if promise_holds(ticket):
            return ticket
        widest = all(max(layer.lift.candidates, layer.lift.constants) == MOST_CANDIDATES for layer in ticket.layers)
        if ticket.misses and retried < retries and not (planned and widest):
            retried += 1
            _log.info("%d misses: %s", ticket.misses, "two candidates more" if planned else "the next seed")
            continue
        bound = ticket.certificate.sup_error
        if epsilon is None or bound is None:
            return ticket
        if ticket.misses or shrinks == _MOST_SHRINKS:
            raise InputError(
                f"the network's error is at most {at_most(bound, 3)}, not {epsilon:g}, with {ticket.misses} misses; "
                f"attempts made: {ticket.provenance.attempts}; ask for a larger epsilon, more candidates or retries"
            )
        shrinks += 1
        tolerances = [few_bits(t * AIM * epsilon / bound) for t in tolerances]
        _log.info("certified error %.3g: the tolerances shrink", bound)


def promise_holds(ticket: Ticket) -> bool:
    """The ticket is what was asked for: its certificate meets the epsilon, or, without one, no weight missed."""
    epsilon, bound = ticket.provenance.asked.epsilon, ticket.certificate.sup_error
    if epsilon is None:
        return ticket.misses == 0
    return bound is not None and bound <= epsilon


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


def _layout(target: Sequence[Affine], tolerances: Sequence[float], plan: Plan, domain: Domain, retried: int) -> Layout:
    """The layout of one attempt."""
    if plan.source is not None:
        return lay_out_in(plan.source, target, tolerances, domain=domain)
    planned = plan.candidates is None
    return lay_out(
        target,
        tolerances,
        domain=domain,
        seed=plan.seed if planned else plan.seed + retried,
        candidates=plan.candidates,
        failure_probability=plan.failure_probability,
        extra=2 * retried if planned else 0,
    )
