"""A trained network becomes a pruned random network: one subset-sum problem per coefficient, all independent.

    for every map, for every block of problems of its gadget: the objective chooses which candidates are kept

It knows no op, no basis, no gadget. The seed fixes an infinite random network before any weight is looked at; its width
and the gains are chosen from the target, unless a source is given. A coefficient that no subset of its candidates
reaches is a miss: it is listed with its error, never redrawn.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
from jaxtyping import Bool

from slth._version import __version__
from slth.certificate import certify
from slth.construction.layout import Layout
from slth.construction.objectives import Objective, within
from slth.construction.parts import Finished, Parts, map_keys
from slth.graph import Affine, Linear, Target
from slth.subsetsum import Status, SubsetSums
from slth.ticket import (
    MOST_MISSES,
    Gadget,
    Inputs,
    Miss,
    Problems,
    Provenance,
    Ticket,
    constructed_ticket,
    network_digest,
    realise,
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

    Cost: one subset-sum problem per coefficient and half, about a microsecond each; memory of one map.
    """
    maps = target.graph.maps
    problems = {path: layout.gadgets[path].cost(op).problems for path, op in maps.items()}
    keys = map_keys(maps, layout, METHOD)
    finished = set[str]() if parts is None else parts.begin(keys, sum(problems.values()))
    held = sum(problems[path] for path in finished)
    solved = _Counter(progress, sum(problems.values()), held)
    gadgets: dict[str, Gadget] = {}
    masks, realised, misses = {}, {}, list[Miss]()
    for path, op in maps.items():
        gadget = layout.gadgets[path].fitted(path, op, layout.seed)
        kept = parts.get(keys[path]) if parts is not None and path in finished else None
        if kept is None:
            blocks = gadget.problems(path, op, layout.seed)
            answers = _answers(blocks, target.coefficients[path], layout.tolerances[path], objective, threads)
            rows, _, taps = op.coefficients
            mask = np.zeros((rows * taps, gadget.live(op)), np.bool_)
            missed = _keep(mask, answers, path, op, solved)
            kept = Finished(gadget.pack(path, op, seed=layout.seed, mask=mask), tuple(missed))
            if parts is not None:
                parts.put(keys[path], kept)
        else:
            mask = gadget.mask(path, op, seed=layout.seed, bits=kept.bits)
        misses += kept.misses
        gadgets[path], masks[f"{path}/mixing"] = gadget, kept.bits
        realised[path] = realise(gadget, path, op, seed=layout.seed, mask=mask)
    _log.info(
        "solved %s subset-sum problems in %.2f s on %s threads", f"{solved.done - held:,}", solved.seconds, threads
    )
    return constructed_ticket(
        seed=layout.seed,
        graph=target.graph,
        gadgets=gadgets,
        inputs=inputs,
        masks=masks,
        realised=realised,
        claims=certify(target, realised, tolerances=layout.tolerances, box=inputs.box),
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


_Answer = tuple[Problems, SubsetSums, float]  # a block, its subsets, the seconds the solver took


def _answers(
    blocks: Iterator[Problems], affine: Affine, tolerance: float, objective: Objective, threads: int
) -> Iterator[_Answer]:
    """Answers in the order of the blocks, whatever the number of threads."""

    def work(block: Problems) -> _Answer:
        rows = np.ascontiguousarray(block.candidates().transpose(0, 2, 1)).reshape(-1, block.columns.shape[1])
        start = time.perf_counter()
        found = objective(rows, block.targets(affine).reshape(-1), tol=tolerance / block.gain)
        return block, found, time.perf_counter() - start

    if threads == 1:
        return map(work, blocks)
    from joblib import Parallel, delayed

    pool = Parallel(threads, backend="threading", return_as="generator")
    return cast(Iterator[_Answer], pool(delayed(work)(block) for block in blocks))


def _keep(
    mask: Bool[np.ndarray, "w live"], answers: Iterator[_Answer], path: str, op: Linear, solved: "_Counter"
) -> list[Miss]:
    """Write what is kept into the mask of a map; the coefficients out of reach."""
    misses: list[Miss] = []
    for block, found, seconds in answers:
        part = mask[block.rows_and_taps]
        kept = found.kept.reshape(len(block.inputs), len(part), -1)  # (slot, w, n)
        part[:, block.columns.reshape(-1)] = kept.transpose(1, 0, 2).reshape(len(part), -1)
        for at in np.flatnonzero(found.codes != _WITHIN):
            slot, w = divmod(int(at), len(part))
            error = float(found.error[at]) * block.gain
            misses.append(_miss(path, op, block, slot, w, error))
        solved.add(len(found), seconds)
    return misses


def _miss(path: str, op: Linear, block: Problems, slot: int, w: int, error: float) -> Miss:
    """The coefficient of a problem, by output, input and tap."""
    input = int(block.inputs[slot])
    if block.half == "bias":
        return Miss(path, input * block.rows + w, -1, block.half, error)
    row, tap = divmod(w, block.taps)
    group = input * op.basis.groups // op.basis.inputs
    return Miss(path, group * block.rows + row, input, block.half, error, tap)


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
