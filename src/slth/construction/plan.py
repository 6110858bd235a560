"""From what is asked to a ticket: widths planned, tolerances chosen, attempts counted.

One attempt is the rule. With `retries`, a network whose promise fails because weights miss is tried again as a whole,
never in part: wider if its width was planned, with the next seed if its width was given. For an error ε of the whole
network the tolerances come from `split`; where no weight misses and the certificate still exceeds ε, all tolerances
shrink and the whole network is solved again. That discards no draw for its luck, so it is not counted as an attempt.
"""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any

from slth._errors import InputError
from slth.certificate import Norms
from slth.construction.compensation import Calibration, check_compensable
from slth.construction.copied import in_copies
from slth.construction.costs import Planning
from slth.construction.exact import Claims, check_separable, exact_tolerances
from slth.construction.halves import split_inputs
from slth.construction.layout import Layout, check_target, lay_out, lay_out_in
from slth.construction.makers import MAKERS, check_recipe
from slth.construction.memory import check_memory
from slth.construction.needs import Needs
from slth.construction.outline import Outline
from slth.construction.parts import Parts
from slth.construction.reach import Reach
from slth.construction.recipe import USUAL, Recipe
from slth.construction.solve import Progress, solve
from slth.construction.split import AIM, few_bits, least_error, split_error
from slth.construction.width import gain, gain_of
from slth.graph import Target, with_merged
from slth.numerics import at_most, check_seed
from slth.records import verbs
from slth.ticket import MOST_CANDIDATES, MOST_OF, Copies, Inputs, Merged, Ticket, TwoLayer, kinds_of

_log = logging.getLogger(__name__)
_RETRIES = 4  # wider attempts where misses keep an error of the whole network from being met
DEFAULT_TOLERANCE = 1e-4  # τ, where nothing is asked
_MOST_SHRINKS = 8  # of the tolerances, for an error of the whole network
_NUMBERS: tuple[tuple[tuple[str, ...], type, type, str], ...] = (
    (("candidates", "retries", "group_size"), Integral, int, "a whole number such as 30"),
    (("tolerance", "relative_tolerance", "epsilon", "failure_probability"), Real, float, "a number such as 1e-4"),
)  # NumPy's are numbers


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a construction: a tolerance of the weights, absolute or relative, or an error of the network."""

    tolerance: float | None = None  # τ, in the unit of the weights; default 1e-4 if nothing else is asked
    relative_tolerance: float | None = None  # instead τ/g, in gains of each map, which are powers of two
    epsilon: float | None = None  # sup over the input range of the largest output error, certified
    candidates: int | None = None  # n per coefficient and half; None: planned
    failure_probability: float = 0.01  # δ: expected misses of the whole network, for planning
    seed: int = 0
    retries: int = 0  # further attempts while misses break the promise: two candidates more, or seed + 1, see above
    source: Ticket | None = None  # use the random network of this ticket
    exact: bool = False  # instead of a tolerance: the target itself, in its own number format
    carry_rest: bool = False  # then numbers that no subset reaches are carried
    gadget: str = "two-layer"  # these, and those below, are the recipe
    objective: str | None = None  # None: that of the gadget
    density: float | None = None
    most_move: float | None = None
    law: str = "uniform"
    centred: bool = False
    group_size: int | None = None
    lift: str | None = None  # None: linear where the inputs of a map can be negative
    recipe: Recipe = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", check_seed(self.seed))
        for names, kind, made, words in _NUMBERS:
            for name in names:
                value = getattr(self, name)
                if value is not None and (isinstance(value, bool) or not isinstance(value, kind)):
                    raise InputError(f"{name} must be {words}, got {value!r}")
                object.__setattr__(self, name, None if value is None else made(value))
        if self.retries < 0:
            raise InputError(f"retries are counted from 0, got {self.retries}")
        if self.source is not None and not self.source.gadgets:
            raise InputError("the source is a learned ticket; give one that `slth construct` wrote")
        if self.source is not None and self.seed not in (0, self.source.seed):
            raise InputError(f"the source has seed {self.source.seed}, got {self.seed}; give no seed with a source")
        if self.source is not None and (self.candidates is not None or self.retries):
            raise InputError("a source fixes the random network: give no candidates and no retries with it")
        if self.source is not None and (self.law != "uniform" or self.centred or self.lift):
            raise InputError("a source fixes the random network: leave law, centred and lift out")
        if self.source is not None and self.epsilon is not None:
            raise InputError("a source fixes the random network: ask for a tolerance, not for an epsilon")
        verbs.check_one_promise(self.tolerance, self.relative_tolerance, self.epsilon, exact=self.exact)
        chosen = {part.name: getattr(self, part.name) for part in fields(Recipe)}
        object.__setattr__(
            self, "recipe", Recipe(**{name: value for name, value in chosen.items() if value is not None})
        )
        if self.source is None:
            check_recipe(self.recipe)
        if self.exact and self.recipe.gadget == Copies.kind:
            raise InputError(
                "copies of a channel err apart, so no network of them is the target itself, bit for bit: ask for a "
                "tolerance, or take the gadget two-layer"
            )
        if self.exact and self.recipe.gadget == Merged.kind:
            raise InputError(
                "merged projections are products of the target's weights, so they give none of its tensors back: ask "
                "for a tolerance, or take the gadget two-layer"
            )
        if self.gadget == "grid" and {self.tolerance, self.relative_tolerance, self.epsilon} != {None}:
            raise InputError("the gadget grid hits every weight exactly; leave tolerance and epsilon out")
        for name, value in (("tolerance", self.tolerance), ("error of the network", self.epsilon)):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"the {name} must be a positive number such as 1e-4, got {value:g}")
        if self.relative_tolerance is not None and not 0 < self.relative_tolerance < 1:
            raise InputError(
                f"a relative tolerance lies between 0 and 1, such as 0.002, got {self.relative_tolerance:g}; it counts "
                "in gains of each map, and a whole gain prunes every weight"
            )
        if not 0 < self.failure_probability < 1:
            raise InputError(f"a failure probability lies between 0 and 1, got {self.failure_probability:g}")
        if self.candidates is not None and not 1 <= self.candidates <= self.most_candidates:
            raise InputError(
                f"the number of candidates must be from 1 to {self.most_candidates}, got {self.candidates}"
            )

    @property
    def most_candidates(self) -> int:
        """That the gadget takes for a weight."""
        return MOST_OF.get(self.gadget, MOST_CANDIDATES)

    @property
    def asked(self) -> dict[str, Any]:
        """The same for the ticket's provenance; of the recipe what is not as usual. Of lifts its gadgets tell."""
        planned = self.candidates is None and self.source is None
        chosen = {part.name: getattr(self.recipe, part.name) for part in fields(Recipe) if part.name != "lift"}
        return {
            "tolerance": self.absolute_tolerance,
            "relative_tolerance": self.relative_tolerance,
            "epsilon": self.epsilon,
            **({"exact": True} if self.exact else {}),
            **({"carry_rest": True} if self.carry_rest else {}),
            "failure_probability": self.failure_probability if planned else None,
            "candidates": self.candidates,
            **{name: value for name, value in chosen.items() if value != getattr(USUAL, name)},
        }

    @property
    def absolute_tolerance(self) -> float | None:
        """τ, if it is the same for every map."""
        if self.gadget == "grid" and not self.exact:
            return 0.0
        nothing = self.tolerance is None and self.relative_tolerance is None and self.epsilon is None and not self.exact
        return DEFAULT_TOLERANCE if nothing else self.tolerance

    def tolerance_of(self, gain: float) -> float | None:
        """τ of a map with this gain; None: an error of the whole network is asked for."""
        return self.absolute_tolerance if self.relative_tolerance is None else self.relative_tolerance * gain


def construct(
    target: Target,
    request: Request,
    *,
    inputs: Inputs,
    threads: int = 1,
    backend: str = "local",
    progress: Progress | None = None,
    parts: Parts | None = None,
    calibration: Calibration | None = None,
) -> Ticket:
    """A trained network becomes a ticket, as requested; other arguments as for `solve`.

    Returns:
        The ticket of the last attempt, with its seed. `attempts` is one more than the retries used; where `candidates`
        are given, its seed is `request.seed + attempts - 1`.

    Raises:
        InputError: inputs of another shape, weights out of range, an epsilon out of reach, not enough memory.
    """
    target = _rewritten(target, request, inputs)
    check_target(target, inputs)
    if calibration is not None:
        check_compensable(request.recipe, exact=request.exact)
        calibration.check(inputs.shape)
    epsilon = request.epsilon
    tolerances, finest = _tolerances(target, request, inputs)
    planned = request.candidates is None
    retries = request.retries if epsilon is None or not planned else max(request.retries, _RETRIES)
    shrinks = retried = 0
    while True:
        layout = _layout(target, tolerances, request, inputs, retried)
        made = in_copies(target, layout.gadgets, inputs)
        check_memory(
            _maps(made, layout),
            made,
            threads=threads,
            failure=request.failure_probability,
            free=request.source is None,
        )
        ticket = solve(
            made,
            layout,
            inputs=inputs,
            asked={**request.asked, **target.cut},
            attempts=1 + retried,
            threads=threads,
            backend=backend,
            progress=progress,
            parts=parts,
            exact=Claims(target, request.carry_rest) if request.exact else None,
            calibration=calibration,
        )
        if promise_holds(ticket):
            return ticket
        widest = all(
            max(width.candidates, width.constants) == request.most_candidates for width in layout.widths.values()
        )
        if ticket.misses and retried < retries and not (planned and widest):
            retried += 1
            _log.info("%d misses: %s", ticket.misses, "two candidates more" if planned else "the next seed")
            continue
        bound = None if ticket.claims is None else ticket.claims.sup_error
        if epsilon is None or bound is None:
            return ticket
        shrunk = {
            path: max(few_bits(t * AIM * epsilon / bound), finest.get(path, 0.0)) for path, t in tolerances.items()
        }
        if ticket.misses or shrinks == _MOST_SHRINKS or shrunk == tolerances:
            raise InputError(
                f"the network's error is at most {at_most(bound, 3)}, not {epsilon:g}, with {ticket.misses} misses; "
                f"attempts made: {ticket.provenance.attempts}; ask for a larger epsilon, more candidates or retries"
            )
        shrinks += 1
        tolerances = shrunk
        _log.info("certified error %.3g: the tolerances shrink", bound)


def promise_holds(ticket: Ticket) -> bool:
    """The ticket is what was asked for: its claims meet the epsilon, or, without one, no weight missed."""
    epsilon = ticket.provenance.asked.get("epsilon")
    if epsilon is None:
        return ticket.misses == 0
    bound = None if ticket.claims is None else ticket.claims.sup_error
    return bound is not None and bound <= epsilon


def plan_layout(target: Target, request: Request, *, inputs: Inputs) -> Layout:
    """The layout that `construct` would try first, without solving anything."""
    target = _rewritten(target, request, inputs)
    check_target(target, inputs)
    return _layout(target, _tolerances(target, request, inputs)[0], request, inputs, 0)


def plan_maps(target: Target, request: Request, *, inputs: Inputs) -> tuple[Planning, ...]:
    """The maps of that layout, to be priced."""
    target = _rewritten(target, request, inputs)
    layout = plan_layout(target, request, inputs=inputs)
    return _maps(in_copies(target, layout.gadgets, inputs), layout)


def _maps(target: Target, layout: Layout) -> tuple[Planning, ...]:
    return tuple(
        Planning(
            path,
            op,
            layout.gadgets[path],
            layout.widths[path],
            target.coefficients[path].largest,
            recipe=layout.recipe,
            parameters=_parameters(target, path),
        )
        for path, op in target.graph.maps.items()
    )


def plan_outline(network: Outline, request: Request) -> tuple[Planning, ...]:
    """The same of a network of which only the shape is known."""
    found: list[Planning] = []
    recipe = request.recipe
    if request.gadget == Merged.kind:
        raise InputError("a shape has no attention to merge; give a trained network, or take the gadget two-layer")
    maker = MAKERS[recipe.gadget]
    for part in network.maps:
        op = part.op
        weights = part.sizes(halved=recipe.halved(signed=bool(part.signed)))
        tolerance = request.tolerance_of(gain_of(weights.largest))
        if tolerance is None:
            raise InputError("a network without numbers has no error; ask for a tolerance of its weights")
        maker.check(recipe, op)
        failure = request.failure_probability * op.weights / network.weights
        width = maker.width(Needs(op, weights, part.bias, tolerance, failure, request.candidates), recipe)
        gadget = maker.gadget(op, width, part.signed, recipe=recipe)
        found.append(Planning(op.map, op, gadget, width, weights.largest, part.times, recipe))
    return tuple(found)


def _rewritten(target: Target, request: Request, inputs: Inputs) -> Target:
    """The target itself, or with merged projections. Copies depend on what is planned: `copied`."""
    merge = request.gadget == Merged.kind and target.original is None
    return with_merged(target, shape=inputs.shape) if merge else target


def _parameters(target: Target, path: str) -> int:
    """Parameters of the target that a map stands for: copies are counted once, merged maps as what they merge."""
    if path in target.merged:
        return target.merged[path].weights
    return (target if target.original is None else target.original).graph.maps[path].weights


def _tolerances(target: Target, request: Request, inputs: Inputs) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """τ of each map, and the finest that it can have; that is found only where the split needs it."""
    if request.exact:
        return _exact_tolerances(target, request, inputs), {}
    if request.epsilon is None:
        asked = {path: request.tolerance_of(gain(affine.weight)) for path, affine in target.coefficients.items()}
        return {path: tolerance for path, tolerance in asked.items() if tolerance is not None}, {}
    norms = Norms()
    tolerances = split_error(target, request.epsilon, inputs, recipe=request.recipe, norms=norms)
    if request.candidates is not None or request.gadget not in (TwoLayer.kind, Merged.kind):
        return tolerances, {}
    reaches = _reaches(target, request, inputs)
    beyond = [path for path, reach in reaches.items() if not reach.holds(tolerances[path])]
    if not beyond:
        return tolerances, {path: reach.finest for path, reach in reaches.items() if reach.of_table}
    finest = {path: reach.finest for path, reach in reaches.items()}
    least = least_error(target, finest, inputs, recipe=request.recipe, norms=norms)
    if least > request.epsilon:
        path = beyond[0]
        raise InputError(
            f"an error of {request.epsilon:g} would take a tolerance of {tolerances[path]:.2g} in {path}, where "
            f"{reaches[path].words} reach {finest[path]:.2g}; with every map at its finest the best in reach is about "
            f"{at_most(least, 2)}: ask for a larger epsilon"
        )
    split = split_error(target, request.epsilon, inputs, recipe=request.recipe, finest=finest, norms=norms)
    return split, finest


def _reaches(target: Target, request: Request, inputs: Inputs) -> dict[str, Reach]:
    """How fine each map can be made."""
    halves = split_inputs(target, inputs, request.recipe)
    shares = {
        path: request.failure_probability * op.weights / target.graph.weights for path, op in target.graph.maps.items()
    }
    return {
        path: Reach(op, target.coefficients[path], halves[path], shares[path], request.recipe)
        for path, op in target.graph.maps.items()
    }


def _exact_tolerances(target: Target, request: Request, inputs: Inputs) -> dict[str, float]:
    """τ of each map at which every number is the target's; the finest that can be had, where that is not reached."""
    if not target.tensors:
        raise InputError("this target was read with its normalisations folded; read it with exact=True")
    kinds, found = kinds_of(target), dict[str, float]()
    reaches = _reaches(target, request, inputs)
    for path, op in target.graph.maps.items():
        affine = target.coefficients[path]
        allowed = exact_tolerances(op, affine, kinds[path], target.carried)
        found[path] = float(allowed.min()) if allowed.size else DEFAULT_TOLERANCE
        if not reaches[path].holds(found[path]):
            found[path] = reaches[path].finest
            check_separable(path, allowed, reaches[path])
    return found


def _layout(target: Target, tolerances: Mapping[str, float], request: Request, inputs: Inputs, retried: int) -> Layout:
    """The layout of one attempt."""
    if request.source is not None:
        return lay_out_in(request.source, target, tolerances, inputs=inputs, recipe=request.recipe)
    planned = request.candidates is None
    return lay_out(
        target,
        tolerances,
        inputs=inputs,
        recipe=request.recipe,
        seed=request.seed if planned else request.seed + retried,
        candidates=request.candidates,
        failure_probability=request.failure_probability,
        extra=2 * retried if planned else 0,
    )
