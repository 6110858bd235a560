"""A trained network becomes a pruned random network: one subset-sum problem per coefficient, all independent.

    for every map, for every block of problems of its gadget: the objective chooses which candidates are kept

It knows no op, no basis, no gadget. The seed fixes an infinite random network before any weight is looked at; its width
and the gains are chosen from the target, unless a source is given. A coefficient that no subset of its candidates
reaches is a miss: it is listed with its error, never redrawn.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from slth._shapes import Bits
from slth._threads import cores
from slth._version import __version__
from slth.certificate import Certificate, certify
from slth.construction.answers import Answer, Task, answers
from slth.construction.compensation import Calibration, Order, compensated, orders
from slth.construction.exact import Claims
from slth.construction.halves import linear_maps
from slth.construction.layout import Layout
from slth.construction.mended_maps import Missed, mend_map, together
from slth.construction.misses import misses_of
from slth.construction.moved import Moved
from slth.construction.objectives import Objective
from slth.construction.parts import Finished, Parts, map_keys
from slth.graph import Affine, Linear, OneHot, Realised, Target
from slth.ticket import (
    MOST_MISSES,
    CollectedMoves,
    Copies,
    Gadget,
    Inputs,
    Problems,
    Provenance,
    Sums,
    Ticket,
    constructed_ticket,
    masks_in,
    network_digest,
    realise,
    realised_digest,
)

_ROUNDED = 2.0**-52 * (1 + 2.0**-20)  # of the largest coefficient: the sum of all stages is rounded, and so read
_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]  # problems solved, problems in all


def solve(
    target: Target,
    layout: Layout,
    *,
    inputs: Inputs,
    asked: Mapping[str, Any],
    attempts: int = 1,
    objective: Objective | None = None,
    threads: int = 1,
    backend: str = "local",
    progress: Progress | None = None,
    parts: Parts | None = None,
    exact: Claims | None = None,
    calibration: Calibration | None = None,
) -> Ticket:
    """Prune the random network of a layout until it computes the target; the ticket with its certificate.

    Args:
        inputs: those the ticket is for; they decide which halves exist and what the certificate bounds.
        asked, attempts: for the record of where the ticket came from.
        objective: instead of that of the layout's recipe.
        threads: workers; the ticket has the same bytes for any number of them, and wherever they are.
        backend: "ray" if they are those of a cluster that is connected, see `slth._cluster`.
        progress: called with (problems solved, problems in all), also once at the start.
        exact: told what every map realises, if the ticket is to be the target itself.
        calibration: if errors are to be made up for, see `compensation`: in maps of one stage. What coefficients are
            then off by is claimed as tolerance, and no miss is counted.
        parts: asked for each map before it is solved, and told when it is; of this target.

    Cost: one subset-sum problem per coefficient and half, about a microsecond each. The certificate asks for one map
    after another, and each is solved when it is asked for: beside target and masks, memory of one map.
    """
    maps = target.graph.maps
    costs = {path: layout.gadgets[path].cost(op) for path, op in maps.items()}
    problems = {path: cost.problems for path, cost in costs.items()}
    sizes = {path: _mask_bytes(layout.gadgets[path], path, op) for path, op in maps.items()}
    most = max(gadget.stage_count for gadget in layout.gadgets.values())
    method = layout.maker.method + (f", in up to {most} stages, each with gains of its own" if most > 1 else "")
    linear = linear_maps(layout.gadgets)
    lifted = len(linear - set(target.merged))
    method += f", {lifted} of {len(maps)} with linear lifts (Otsuka et al., 2025)" if lifted else ""
    if any(isinstance(op.basis, OneHot) for op in maps.values()):
        method += ", tables of tokens by plain random numbers"
    objective = layout.maker.objective(layout.recipe) if objective is None else objective
    known_orders: Mapping[str, Order] = {}
    if calibration is not None:
        method += ", errors made up for in later coefficients (Frantar et al., 2023)"
        known_orders = orders(target, inputs, calibration.examples, linear=linear)
        asked = {**asked, "calibration": calibration.name, "calibration_digest": calibration.digest}
    if isinstance(objective, Moved):
        parts = None  # their files hold masks, no moves
    keys = map_keys(maps, layout, method)
    known = set[str]() if parts is None else parts.begin(keys, sizes=sizes, problems=sum(problems.values()))
    held = sum(problems[path] for path in known)
    counter = _Counter(progress, sum(problems.values()), held)
    gadgets, finished, digests = dict[str, Gadget](), dict[str, Finished](), dict[str, str]()

    def realised(path: str) -> Realised:
        op = maps[path]
        gadgets[path] = gadget = layout.gadgets[path].fitted(path, op, layout.seed)
        kept = parts.get(keys[path]) if parts is not None and path in known else None
        if kept is None:
            affine, order = target.coefficients[path], known_orders.get(path)
            work = _Work(gadget, path, op, layout, affine, objective, threads, backend, counter, order)
            kept, found = _solved(work)
            if parts is not None:
                parts.put(keys[path], kept)
        else:
            own, masks = _threads_here(threads, backend), masks_in(kept.bits, gadget, path, op)
            found = realise(gadget, path, op, seed=layout.seed, masks=masks, threads=own)
        finished[path], digests[path] = kept, realised_digest(found)
        if exact is not None:
            exact.add(path, found)
        return found

    claims = certify(target, realised, tolerances=layout.tolerances, box=inputs.box)
    solved = f"{counter.done - held:,}"
    _log.info("solved %s subset-sum problems in %.2f s on %s threads", solved, counter.seconds, threads)
    misses = [miss for path in maps for miss in finished[path].misses] if exact is None else exact.misses
    claims = claims if exact is None else replace(claims, exact=exact.of(claims))
    if calibration is not None:
        asked, claims, misses = *_as_found(asked, claims), []
    return constructed_ticket(
        seed=layout.seed,
        graph=target.graph,
        gadgets={path: gadgets[path] for path in maps},
        inputs=inputs if target.graph.joined else None,
        masks={
            tensor: bits
            for path, op in maps.items()
            for tensor, bits in masks_in(finished[path].bits, gadgets[path], path, op).items()
        },
        digests={path: digests[path] for path in maps},
        claims=claims,
        moves={tensor: moves for path in maps for tensor, moves in finished[path].moves.items()},
        move_bound=objective.most_move if isinstance(objective, Moved) else None,
        provenance=Provenance(
            version=__version__,
            method=method,
            asked=dict(asked),
            attempts=attempts,
            target=network_digest(target, inputs.shape),
            names=target.names,
            folded=target.folded,
            misses=tuple(misses[:MOST_MISSES]),
        ),
        carried={**target.carried, **({} if exact is None else exact.carried)},
        assumed=target.assumed,
    )


@dataclass(frozen=True, eq=False)  # without slots: the largest numbers are found once
class _Work:
    """A map to be solved."""

    gadget: Gadget
    path: str
    op: Linear
    layout: Layout
    affine: Affine
    objective: Objective
    threads: int
    backend: str
    counter: "_Counter"
    order: Order | None = None  # if errors are made up for

    @cached_property
    def largest(self) -> tuple[float, float]:
        """The largest |W| and |b|."""
        bias = self.affine.bias
        return self.affine.largest, 0.0 if bias is None else float(np.abs(bias).max())

    def tolerance(self, stage: int, half: str) -> float:
        """τ of a stage: half of the next one's gain. The last one leaves room for the rounding of the whole sum."""
        stages, whole = self.layout.widths[self.path].stages, self.layout.tolerances[self.path]
        if stage + 1 < len(stages):
            return (stages[stage + 1].bias_gain if half == "bias" else stages[stage + 1].gain) / 2
        if len(stages) == 1:
            return whole
        largest = self.largest[half == "bias" and self.affine.bias is not None]
        return max(whole - _ROUNDED * largest, whole / 2)

    def mend(self, stage: int, missed: Missed, left: Realised, masks: Mapping[str, Bits]) -> None:
        """Other subsets of the stages before, for what a stage missed."""
        mend_map(
            self.gadget,
            self.path,
            self.op,
            self.layout.seed,
            stage=stage,
            missed=missed,
            tolerances={s: self.tolerance(s, missed.half) for s in range(stage + 1)},
            left=left,
            masks=masks,
            objective=self.objective,
        )


def _solved(work: _Work) -> tuple[Finished, Realised]:
    """What is kept of a map, stage after stage, and the coefficients that this realises.

    `left`, what the stages before leave of the coefficients, is exact: see `Gadget`. Of several stages the coefficients
    are W less what is left at the end, rounded once.
    """
    gadget, path, op = work.gadget, work.path, work.op
    run = np.zeros(_mask_bytes(gadget, path, op), np.uint8)
    masks, signed = masks_in(run, gadget, path, op), gadget.signed(op)
    sums, several = Sums(op, signed, linear=gadget.linear), gadget.stage_count > 1
    left = Realised.of(work.affine, signed, linear=gadget.linear)
    if work.order is not None and not several:
        blocks = _told(gadget.problems(path, op, work.layout.seed), work.counter)
        return Finished(run), compensated(
            blocks,
            op,
            work.affine,
            signed=signed,
            linear=gadget.linear,
            order=work.order,
            objective=work.objective,
            tolerance=work.layout.tolerances[path],
            masks=masks,
        )
    moves = CollectedMoves()
    for stage in range(gadget.stage_count):
        missed: list[Missed] = []
        for block, answer in _answers(work, left, stage):
            block.keep(answer.packed, masks)
            if answer.steps is not None:
                moves.add(block, answer.steps)
            if several:
                block.add(-answer.sums, left)
                missed.append(Missed.of(block, answer.missed))
            else:
                sums.add(block, answer.sums)
            work.counter.add(len(answer.packed), answer.seconds)
        if stage:
            for some in together(missed):
                work.mend(stage, some, left, masks)
    found = _without(Realised.of(work.affine, signed, linear=gadget.linear), left) if several else sums.realised
    del left  # as large as the map in float64, and needed no more
    tolerance, copies = work.layout.tolerances[path], gadget.copies if isinstance(gadget, Copies) else 1
    misses = misses_of(path, op, work.affine, found, tolerance=tolerance, copies=copies)
    if several and misses:  # beside what a miss leaves, float64 may not hold the sums of a later stage
        own = _threads_here(work.threads, work.backend)
        found = realise(gadget, path, op, seed=work.layout.seed, masks=masks, threads=own)
        misses = misses_of(path, op, work.affine, found, tolerance=tolerance, copies=copies)
    return Finished(run, misses, moves.of(masks)), found


def _threads_here(workers: int, backend: str) -> int:
    """Of this process, for what is not sent to others."""
    return workers if backend == "local" else cores()


def _told(blocks: Iterator[Problems], counter: "_Counter") -> Iterator[Problems]:
    """The blocks; those that are done are counted."""
    start = time.perf_counter()
    for block in blocks:
        yield block
        counter.add(len(block.inputs) * len(block.pairs), time.perf_counter() - start)
        start = time.perf_counter()


def _as_found(asked: Mapping[str, Any], claims: Certificate) -> tuple[Mapping[str, Any], Certificate]:
    """The largest error of a coefficient as tolerance of all: what was searched with is no claim about the target."""
    largest = max(max(claim.weight_error, claim.bias_error) for claim in claims.maps.values())
    if largest == 0:
        return asked, claims
    maps = {path: replace(claim, tolerance=largest, misses=0) for path, claim in claims.maps.items()}
    if asked.get("epsilon") is None:
        searched = {f"searched_{name}": asked[name] for name in ("tolerance", "relative_tolerance") if asked.get(name)}
        asked = {**asked, **searched, "tolerance": largest, "relative_tolerance": None}
    return asked, replace(claims, maps=maps)


def _without(wanted: Realised, left: Realised) -> Realised:
    """Coefficients less what is left of them: rounded once."""
    negative = None if wanted.negative is None or left.negative is None else wanted.negative - left.negative
    bias = None if wanted.bias is None or left.bias is None else wanted.bias - left.bias
    return replace(wanted, positive=wanted.positive - left.positive, negative=negative, bias=bias, rounded=True)


def _mask_bytes(gadget: Gadget, path: str, op: Linear) -> int:
    """Of all stages of a map."""
    return sum(-(-bits // 8) for bits in gadget.mask_bits(path, op).values())


def _answers(work: _Work, wanted: Realised, stage: int) -> Iterator[tuple[Problems, Answer]]:
    """Blocks of a stage with their answers, in their order, whatever the number of threads."""
    blocks = work.gadget.problems(work.path, work.op, work.layout.seed, stage=stage)
    asked = deque[Problems]()

    def tasks() -> Iterator[Task]:
        for block in blocks:
            asked.append(block)
            tolerance = work.tolerance(stage, block.half) / block.gain
            yield Task(block.unplaced, block.targets(wanted), tolerance, work.objective, work.gadget.stage_count > 1)

    for answer in answers(tasks(), threads=work.threads, backend=work.backend):
        yield asked.popleft(), answer


class _Counter:
    """How many of all problems are solved, and the time that took; tells `progress`."""

    def __init__(self, progress: Progress | None, problems: int, done: int) -> None:
        self.progress, self.problems, self.done, self.seconds = progress, problems, done, 0.0
        self._tell()

    def add(self, count: int, seconds: float) -> None:
        self.done += count
        self.seconds += seconds
        self._tell()

    def _tell(self) -> None:
        if self.progress is not None:
            self.progress(self.done, self.problems)
