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
from typing import Any, cast

import numpy as np

from slth._version import __version__
from slth.certificate import certify
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
) -> Ticket:
    """Prune the random network of a layout until it computes the target; the ticket with its certificate.

    Args:
        inputs: those the ticket is for; they decide which halves exist and what the certificate bounds.
        asked, attempts: for the record of where the ticket came from.
        threads: workers; the ticket has the same bytes for any number of them.
        progress: called with (problems solved, problems in all), also once at the start.
        parts: asked for each map before it is solved, and told when it is; of this target and this objective.

    Cost: one subset-sum problem per coefficient and half, about a microsecond each. The certificate asks for one map
    after another, and each is solved when it is asked for: beside target and masks, memory of one map.
    """
    maps = target.graph.maps
    problems = {path: layout.gadgets[path].cost(op).problems for path, op in maps.items()}
    keys = map_keys(maps, layout, METHOD)
    known = set[str]() if parts is None else parts.begin(keys, sum(problems.values()))
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
            misses=tuple(misses[:MOST_MISSES]),
        ),
        carried=target.carried,
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
    return cast(Iterator[_Answer], pool(delayed(work)(block) for block in blocks))


def _keep(
    gadget: Gadget, path: str, op: Linear, answers: Iterator[_Answer], counter: "_Counter"
) -> tuple[Finished, Realised]:
    """What the answers to all blocks of a map keep, and the coefficients that this realises."""
    bits, sums = np.zeros(-(-gadget.cost(op).mask_bits // 8), np.uint8), Sums(op, gadget.signed(op))
    misses: list[Miss] = []
    for answer in answers:
        answer.block.keep(answer.packed, bits)
        sums.add(answer.block, answer.sums)
        misses = _first([*misses, *_misses(path, op, answer)])
        counter.add(len(answer.packed), answer.seconds)
    return Finished(bits, tuple(misses)), sums.realised


def _misses(path: str, op: Linear, answer: _Answer) -> list[Miss]:
    """The coefficients out of reach, by output, input and tap."""
    block, found = answer.block, list[Miss]()
    for at, error in zip(answer.missed.tolist(), answer.errors.tolist(), strict=True):
        slot, w = divmod(at, len(block.pairs))
        input = int(block.inputs[slot])
        row, tap = divmod(block.pairs[w], block.taps)
        if block.half == "bias":
            found.append(Miss(path, input * op.coefficients[0] + row, -1, block.half, error))
        else:
            group = input * op.basis.groups // op.basis.inputs
            found.append(Miss(path, group * op.coefficients[0] + row, input, block.half, error, tap))
    return found


def _first(misses: list[Miss]) -> list[Miss]:
    """As many as a ticket lists, half by half, input by input: the same ones in whatever blocks they were found."""
    return sorted(misses, key=lambda miss: (_HALVES.index(miss.half), miss.input, miss.output, miss.tap))[:MOST_MISSES]


_HALVES = ("positive", "negative", "bias")
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
