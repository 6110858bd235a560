"""A trained network becomes a pruned random network: one subset-sum problem per coefficient, all independent.

    for every map, for every block of problems of its gadget: the objective chooses which candidates are kept

It knows no op, no basis, no gadget. The seed fixes an infinite random network before any weight is looked at; its width
and the gains are chosen from the target, unless a source is given. A coefficient that no subset of its candidates
reaches is a miss: it is listed with its error, never redrawn.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from slth._errors import InputError
from slth._version import __version__
from slth.certificate import certify
from slth.construction.exact import Claims
from slth.construction.layout import Layout
from slth.construction.objectives import Objective, within
from slth.construction.parts import Finished, Parts, map_keys
from slth.graph import Affine, Linear, Realised, Target
from slth.subsetsum import Status
from slth.ticket import (
    MOST_MISSES,
    Gadget,
    Inputs,
    Miss,
    Problems,
    Provenance,
    Sums,
    Ticket,
    constructed_ticket,
    network_digest,
    realise,
    realised_digest,
)

METHOD = "two random layers per target layer (Pensia et al., 2020)"
_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]  # problems solved, problems in all


def solve(
    target: Target,
    layout: Layout,
    *,
    inputs: Inputs,
    asked: Mapping[str, Any],
    attempts: int = 1,
    objective: Objective = within,
    threads: int = 1,
    progress: Progress | None = None,
    parts: Parts | None = None,
    exact: Claims | None = None,
) -> Ticket:
    """Prune the random network of a layout until it computes the target; the ticket with its certificate.

    Args:
        inputs: those the ticket is for; they decide which halves exist and what the certificate bounds.
        asked, attempts: for the record of where the ticket came from.
        threads: workers; the ticket has the same bytes for any number of them.
        progress: called with (problems solved, problems in all), also once at the start.
        exact: told what every map realises, if the ticket is to be the target itself.
        parts: asked for each map before it is solved, and told when it is; of this target and this objective.

    Cost: one subset-sum problem per coefficient and half, about a microsecond each. The certificate asks for one map
    after another, and each is solved when it is asked for: beside target and masks, memory of one map.
    """
    maps = target.graph.maps
    costs = {path: layout.gadgets[path].cost(op) for path, op in maps.items()}
    problems = {path: cost.problems for path, cost in costs.items()}
    sizes = {path: -(-cost.mask_bits // 8) for path, cost in costs.items()}
    keys = map_keys(maps, layout, METHOD)
    known = set[str]() if parts is None else parts.begin(keys, sizes=sizes, problems=sum(problems.values()))
    held = sum(problems[path] for path in known)
    counter = _Counter(progress, sum(problems.values()), held)
    gadgets, finished, digests = dict[str, Gadget](), dict[str, Finished](), dict[str, str]()

    def realised(path: str) -> Realised:
        op = maps[path]
        gadgets[path] = gadget = layout.gadgets[path].fitted(path, op, layout.seed)
        kept = parts.get(keys[path]) if parts is not None and path in known else None
        if kept is None:
            blocks = gadget.problems(path, op, layout.seed)
            answers = _answers(blocks, target.coefficients[path], layout.tolerances[path], objective, threads)
            kept, found = _keep(gadget, path, op, answers, counter)
            if parts is not None:
                parts.put(keys[path], kept)
        else:
            found = realise(gadget, path, op, seed=layout.seed, bits=kept.bits)
        finished[path], digests[path] = kept, realised_digest(found)
        if exact is not None:
            exact.add(path, found)
        return found

    claims = certify(target, realised, tolerances=layout.tolerances, box=inputs.box)
    solved = f"{counter.done - held:,}"
    _log.info("solved %s subset-sum problems in %.2f s on %s threads", solved, counter.seconds, threads)
    misses = [miss for path in maps for miss in finished[path].misses] if exact is None else exact.misses
    claims = claims if exact is None else replace(claims, exact=exact.of(claims))
    return constructed_ticket(
        seed=layout.seed,
        graph=target.graph,
        gadgets={path: gadgets[path] for path in maps},
        inputs=inputs,
        masks={f"{path}/mixing": finished[path].bits for path in maps},
        digests={path: digests[path] for path in maps},
        claims=claims,
        provenance=Provenance(
            version=__version__,
            method=METHOD,
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


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What became of a block of problems."""

    block: Problems
    packed: np.ndarray  # masks of the subsets, (slot · w,)
    sums: np.ndarray  # what they realise, (slot, w)
    missed: np.ndarray  # numbers of the problems without a subset within the tolerance
    errors: np.ndarray  # of those
    seconds: float  # that the solver took


def _answers(
    blocks: Iterator[Problems], affine: Affine, tolerance: float, objective: Objective, threads: int
) -> Iterator[_Answer]:
    """Answers in the order of the blocks, whatever the number of threads."""

    def work(block: Problems) -> _Answer:
        candidates = block.candidates()
        rows, targets = candidates.reshape(-1, candidates.shape[2]), block.targets(affine).reshape(-1)
        start = time.perf_counter()
        found = objective(rows, targets, tol=tolerance / block.gain)
        seconds = time.perf_counter() - start
        missed = np.flatnonzero(found.codes != _WITHIN)
        sums = block.chosen(candidates, found.packed)
        return _Answer(block, found.packed, sums, missed, found.error[missed] * block.gain, seconds)

    if threads == 1:
        return map(work, blocks)
    from joblib import Parallel, delayed

    pool = Parallel(threads, backend="threading", return_as="generator")
    return _started(lambda: cast(Iterator[_Answer], pool(delayed(work)(block) for block in blocks)), threads)


def _started(pool: Callable[[], Iterator[_Answer]], threads: int) -> Iterator[_Answer]:
    """The answers of a pool whose threads may not start."""
    try:
        yield from pool()
    except (RuntimeError, AttributeError) as error:  # the second is what joblib makes of the first
        if "start new thread" not in f"{error} {error.__context__}":
            raise
        raise InputError(f"the system starts no {threads} threads here; give fewer with --threads") from error


def _keep(
    gadget: Gadget, path: str, op: Linear, answers: Iterator[_Answer], counter: "_Counter"
) -> tuple[Finished, Realised]:
    """What the answers to all blocks of a map keep, and the coefficients that this realises."""
    bits, sums = np.zeros(-(-gadget.cost(op).mask_bits // 8), np.uint8), Sums(op, gadget.signed(op))
    misses = _Misses(path, op)
    for answer in answers:
        answer.block.keep(answer.packed, bits)
        sums.add(answer.block, answer.sums)
        misses.add(answer)
        counter.add(len(answer.packed), answer.seconds)
    return Finished(bits, misses.first), sums.realised


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
_WITHIN = list(Status).index(Status.WITHIN_TOL)


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
