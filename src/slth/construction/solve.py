"""A trained network becomes a pruned random network: one subset-sum problem per coefficient, all independent.

    for every map, for every block of problems of its gadget: the objective chooses which candidates are kept

It knows no op, no basis, no gadget. The seed fixes an infinite random network before any weight is looked at; its width
and the gains are chosen from the target, unless a source is given. A coefficient that no subset of its candidates
reaches is a miss: it is listed with its error, never redrawn.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from slth._errors import InputError
from slth._version import __version__
from slth.certificate import certify
from slth.construction.layout import Layout
from slth.construction.objectives import Objective
from slth.construction.parts import Finished, Parts, map_keys
from slth.graph import Affine, Linear, Realised, Target
from slth.ticket import (
    MOST_MISSES,
    Gadget,
    Inputs,
    Miss,
    Packed,
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
    progress: Progress | None = None,
    parts: Parts | None = None,
) -> Ticket:
    """Prune the random network of a layout until it computes the target; the ticket with its certificate.

    Args:
        inputs: those the ticket is for; they decide which halves exist and what the certificate bounds.
        asked, attempts: for the record of where the ticket came from.
        objective: instead of that of the layout's recipe.
        threads: workers; the ticket has the same bytes for any number of them.
        progress: called with (problems solved, problems in all), also once at the start.
        parts: asked for each map before it is solved, and told when it is; of this target.

    Cost: one subset-sum problem per coefficient and half, about a microsecond each. The certificate asks for one map
    after another, and each is solved when it is asked for: beside target and masks, memory of one map.
    """
    maps = target.graph.maps
    costs = {path: layout.gadgets[path].cost(op) for path, op in maps.items()}
    problems = {path: cost.problems for path, cost in costs.items()}
    sizes = {path: _mask_bytes(layout.gadgets[path], path, op) for path, op in maps.items()}
    method = layout.maker.method
    objective = layout.maker.objective(layout.recipe) if objective is None else objective
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
            work = _Work(gadget, path, op, layout, target.coefficients[path], objective, threads, counter)
            kept, found = _solved(work)
            if parts is not None:
                parts.put(keys[path], kept)
        else:
            found = realise(gadget, path, op, seed=layout.seed, masks=masks_in(kept.bits, gadget, path, op))
        finished[path], digests[path] = kept, realised_digest(found)
        return found

    claims = certify(target, realised, tolerances=layout.tolerances, box=inputs.box)
    solved = f"{counter.done - held:,}"
    _log.info("solved %s subset-sum problems in %.2f s on %s threads", solved, counter.seconds, threads)
    misses = [miss for path in maps for miss in finished[path].misses]
    return constructed_ticket(
        seed=layout.seed,
        graph=target.graph,
        gadgets={path: gadgets[path] for path in maps},
        inputs=inputs,
        masks={
            tensor: bits
            for path, op in maps.items()
            for tensor, bits in masks_in(finished[path].bits, gadgets[path], path, op).items()
        },
        digests={path: digests[path] for path in maps},
        claims=claims,
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
        carried=target.carried,
        assumed=target.assumed,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What became of a block of problems."""

    block: Problems
    packed: Packed  # masks of the subsets
    sums: np.ndarray  # what they realise, (slot, w)
    missed: np.ndarray  # numbers of the coefficients (slot, w) without a subset within the tolerance
    errors: np.ndarray  # of those
    seconds: float  # that the solver took


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """A map to be solved."""

    gadget: Gadget
    path: str
    op: Linear
    layout: Layout
    affine: Affine
    objective: Objective
    threads: int
    counter: "_Counter"


def _solved(work: _Work) -> tuple[Finished, Realised]:
    """What is kept of a map, stage after stage, and the coefficients that this realises.

    `left`, what the stages before leave of the coefficients, is exact: see `Gadget`.
    """
    gadget, path, op = work.gadget, work.path, work.op
    run = np.zeros(_mask_bytes(gadget, path, op), np.uint8)
    masks, signed = masks_in(run, gadget, path, op), gadget.signed(op)
    sums, left = Sums(op, signed), Realised.of(work.affine, signed)
    misses = _Misses(path, op)
    for stage in range(gadget.stage_count):
        last = stage == gadget.stage_count - 1
        for answer in _answers(work, left, stage):
            answer.block.keep(answer.packed, masks)
            sums.add(answer.block, answer.sums)
            if last:
                misses.add(answer)
            else:
                answer.block.add(-answer.sums, left)
            work.counter.add(len(answer.packed), answer.seconds)
    return Finished(run, misses.first), sums.realised


def _mask_bytes(gadget: Gadget, path: str, op: Linear) -> int:
    """Of all stages of a map."""
    return sum(-(-bits // 8) for bits in gadget.mask_bits(path, op).values())


def _answers(work: _Work, wanted: Realised, stage: int) -> Iterator[_Answer]:
    """Answers of a stage in the order of its blocks, whatever the number of threads."""
    threads, tolerance = work.threads, work.layout.tolerances[work.path]
    blocks = work.gadget.problems(work.path, work.op, work.layout.seed, stage=stage)

    def answered(block: Problems) -> _Answer:
        candidates = block.candidates()
        rows, targets = block.rows_of(candidates), block.targets(wanted)
        start = time.perf_counter()
        found = work.objective(rows, targets.reshape(rows.shape[:-1]), tol=tolerance / block.gain)
        seconds = time.perf_counter() - start
        sums = block.chosen(candidates, found.packed)
        errors, reached = found.error, found.reached
        if block.shared:  # a vector is missed where one of its numbers is
            errors = np.abs(sums / block.gain - targets).reshape(-1)
            reached = errors <= tolerance / block.gain
        missed = np.flatnonzero(~reached)
        return _Answer(block, found.packed, sums, missed, errors[missed] * block.gain, seconds)

    if threads == 1:
        return map(answered, blocks)
    from joblib import Parallel, delayed

    pool = Parallel(threads, backend="threading", return_as="generator")
    return _started(lambda: cast(Iterator[_Answer], pool(delayed(answered)(block) for block in blocks)), threads)


def _started(pool: Callable[[], Iterator[_Answer]], threads: int) -> Iterator[_Answer]:
    """The answers of a pool whose threads may not start."""
    try:
        yield from pool()
    except (RuntimeError, AttributeError) as error:  # the second is what joblib makes of the first
        if "start new thread" not in f"{error} {error.__context__}":
            raise
        raise InputError(f"the system starts no {threads} threads here; give fewer with --threads") from error


class _Misses:
    """The first coefficients of a map out of reach, half by half, input by input, while blocks come in in any order."""

    def __init__(self, path: str, op: Linear) -> None:
        self.path, self.op = path, op
        self._rows = np.zeros((0, 4), np.int64)  # (half, input or group, row, tap)
        self._errors = np.zeros(0)

    def add(self, answer: _Answer) -> None:
        """Those of a block."""
        if not len(answer.missed):
            return
        block = answer.block
        slot, w = np.divmod(answer.missed, len(block.pairs))
        row, tap = np.divmod(np.array(block.pairs)[w], block.taps)
        half = np.full(len(slot), _HALVES.index(block.half))
        rows = np.concatenate([self._rows, np.stack([half, block.inputs[slot], row, tap], axis=1)])
        errors = np.concatenate([self._errors, answer.errors])
        order = np.lexsort(rows.T[::-1])[:MOST_MISSES]
        self._rows, self._errors = rows[order], errors[order]

    @property
    def first(self) -> tuple[Miss, ...]:
        """As many as a ticket lists."""
        height, basis = self.op.coefficients[0], self.op.basis
        found: list[Miss] = []
        for (half, input, row, tap), error in zip(self._rows.tolist(), self._errors.tolist(), strict=True):
            if _HALVES[half] == "bias":
                found.append(Miss(self.path, input * height + row, -1, "bias", error))
            else:
                group = input * basis.groups // basis.inputs
                found.append(Miss(self.path, group * height + row, input, _HALVES[half], error, tap))
        return tuple(found)


_HALVES: tuple[Literal["positive", "negative", "bias"], ...] = ("positive", "negative", "bias")


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
