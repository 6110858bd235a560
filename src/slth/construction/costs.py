r"""What a construction costs, before anything is solved: seconds of a processor, seconds on the clock, bytes.

A model with the constants of `plan_costs.json`, which `benchmarks/plan_costs.py` fits to constructions that it runs.
Per map, with `bits` candidates in all, `problems` subset sums, coefficients W (of signed inputs twice), F operations
for all norms by the map's rule, and s(b) the time of `first` for a tolerance of 2⁻ᵇ gains, which hardly depends on the
number of candidates (of `fewest`, which tries about g/τ subsets in order, d₁ + d₂ g/τ):

    generation    a · bits
    solving       Σ s(b) + misses · m(n)              m: `first` looks at all 2ⁿ subsets, 2^(n/2) steps; in every stage
    certificate   c₁ W + c₂ F
    writing       w · bits
    verify        v₁ · bits + v₂ W                    without the target

The seconds are those of the machine that the constants come from, times `pace`: how much slower this one sorts and
multiplies. Generation and solving run on all threads, the rest is counted as if on one, which ranks of masks are not.
Memory is what the whole network keeps (its target in float64, its masks packed, its realised coefficients), and what
the largest map takes beside it."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from slth.construction.recipe import USUAL, Recipe
from slth.construction.width import Width
from slth.graph import Linear
from slth.numerics import SPECTRAL
from slth.ticket import Gadget, Neurons

_SPREAD = 0.65  # bits by which a sum of some 30 products spreads, which each further number costs
# of `fewest`, measured by benchmarks/fewest.py: nanoseconds of a problem, and of a subset that is tried; of all subsets
# of a size C(n, 5) are asked for one by one, at most
_FEWEST_PROBLEM, _FEWEST_TRIED, _FEWEST_ASKED = 100.0, 0.35, 4.0
_RANK_BITS = 1.5  # of a rank, beside log2 of the subsets that are tried
_MOST_SEARCHED = 40  # candidates of which `first` looks at all subsets


@dataclass(frozen=True, slots=True)
class Seconds:
    """Of a processor; `wall` on the clock, of a construction that is written."""

    generation: float
    solving: float
    certificate: float
    writing: float
    verify: float  # afterwards, without the target
    wall: float

    @property
    def construct(self) -> float:
        """All but the verification, of a processor."""
        return self.generation + self.solving + self.certificate + self.writing


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one map, or of a network."""

    seconds: Seconds
    memory: int  # bytes at the peak of a construction, the process itself included
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Planning:
    """A map, or several equal ones, whose width is planned."""

    path: str  # of the first
    op: Linear
    gadget: Gadget
    width: Width
    largest: float  # max|w|
    times: int = 1
    recipe: Recipe = USUAL
    parameters: int | None = None  # of the target, that the map stands for; None: as many as it has

    @property
    def weights(self) -> int:
        """Parameters of the target's map."""
        return self.op.weights if self.parameters is None else self.parameters


def costs_of(maps: Sequence[Planning], *, threads: int) -> Costs:
    """What it costs to construct a network of these maps, to write its ticket, and to verify it."""
    parts = [(_seconds(part), part.times) for part in maps]
    total = {name: pace() * sum(part[name] * times for part, times in parts) for name in parts[0][0]}
    serial = total["certificate"] + total["writing"]
    wall = (total["generation"] + total["solving"]) / threads + serial
    return Costs(Seconds(**total, wall=wall), memory(maps, threads=threads), sum(map(_file_bytes, maps)))


def memory(maps: Sequence[Planning], *, threads: int) -> int:
    """Bytes at the peak: the process, the whole network's arrays, those of its largest map, blocks of the threads."""
    held = _constants()["bytes"]["process"] + 8 * sum(part.op.weights * part.times for part in maps)
    return int(held) + growth(maps, threads=threads)


def growth(maps: Sequence[Planning], *, threads: int) -> int:
    """Bytes that a construction takes beyond the process and its target."""
    known = _constants()["bytes"]
    whole = sum((known["weight"] * weights_of(part) + _bits(part) / 8) * part.times for part in maps)
    return int(threads * known["thread"] + whole) + max(map(_working_set, maps))


def map_bytes(part: Planning) -> int:
    """Bytes that one map takes of them: what stays of it, and what it takes while it is solved."""
    return int(_constants()["bytes"]["weight"] * weights_of(part) + _bits(part) / 8) + _working_set(part)


def weights_of(part: Planning) -> int:
    """Coefficients of one map, those of signed inputs twice."""
    return part.gadget.cost(part.op).coefficients


def coordinates_of(part: Planning) -> int:
    """Numbers that are hit at once in one problem of the weights."""
    return part.gadget.group_size * part.op.basis.taps if isinstance(part.gadget, Neurons) else 1


@cache
def pace() -> float:
    """How many times slower this machine is than the one of the constants; measured once, in some 50 ms.

    A heuristic: it sorts and multiplies, and does not solve, so that no kernel has to be compiled.
    """
    return calibration() / float(_constants()["calibration"])


def calibration() -> float:
    """Processor seconds of some fixed work: the best of five."""
    values = (np.arange(1 << 16, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)).astype(np.float64)
    taken = math.inf
    for _ in range(5):
        start = time.process_time()
        np.sort(values)
        for _ in range(20):
            np.multiply(values, 1.5)
        taken = min(taken, time.process_time() - start)
    return max(taken, 1e-5)


def norm_operations(part: Planning) -> float:
    """F: for η of [E⁺ E⁻], ‖W‖ and, by the tightest rule, ‖P‖."""
    basis, halves = part.op.basis, bool(part.gadget.signed(part.op).any()) and not part.gadget.linear
    others = 1 if halves or basis.norms != SPECTRAL else 2
    return basis.norm_work() * (others + (2 if halves else 1))


def reread() -> None:
    """Take the constants from their file again, which a benchmark has written."""
    _constants.cache_clear()
    pace.cache_clear()


def seconds_of_first(candidates: int, bits: float) -> float:
    """s(b), of one problem that has an answer: between measured tolerances, and beyond them as the last two go on."""
    known: Mapping[str, Any] = _constants()["first"]
    x, y = np.array(known["bits"], np.float64), np.log2(known["microseconds"])
    if bits <= x[-1]:
        return 1e-6 * 2.0 ** float(np.interp(bits, x, y))
    steepness = float((y[-1] - y[-2]) / (x[-1] - x[-2]))
    return 1e-6 * 2.0 ** min(float(y[-1]) + steepness * (bits - x[-1]), _log2_search(candidates))


def _log2_search(candidates: int) -> float:
    """log2 of the microseconds that a search through all subsets takes."""
    return math.log2(_constants()["step_microseconds"]) + min(candidates, _MOST_SEARCHED) / 2


def _seconds(part: Planning) -> dict[str, float]:
    known, cost, weights = _constants()["nanoseconds"], part.gadget.cost(part.op), weights_of(part)
    each, d = cost.problems / part.gadget.stage_count, coordinates_of(part)
    if _share_kept(part) is not None:  # candidates are looked through once
        first, search = 2e-9 * cost.mask_bits / cost.problems, 0.0
    else:
        first = sum(
            _seconds_of_one(n, tried**d * 2.0 ** ((d - 1) * _SPREAD), part.recipe.objective)
            for n, tried in _tried(part)
        )
        search = 1e-6 * 2.0 ** _log2_search(part.width.stages[0].candidates)
    products = cost.mask_bits if d == 1 else weights * part.gadget.candidates
    return {
        "generation": 1e-9 * known["generate_bit"] * products,
        "solving": each * first + part.width.expected_misses * search,
        "certificate": 1e-9 * (known["certify_weight"] * weights + known["certify_operation"] * norm_operations(part)),
        "writing": 1e-9 * known["write_bit"] * cost.mask_bits,
        "verify": 1e-9 * (known["verify_bit"] * products + known["verify_weight"] * weights),
    }


def _tried(part: Planning) -> list[tuple[int, float]]:
    """Of every stage its candidates, and how many gains its tolerance divides: a later one covers half a gain of it."""
    stages, width = part.width.stages, part.width
    ends = [stage.gain / 2 for stage in stages[1:]] + [width.half_step]
    return [(stage.candidates, stage.gain / end) for stage, end in zip(stages, ends, strict=True)]


def _seconds_of_one(n: int, tried: float, objective: str) -> float:
    """Of one problem that has an answer."""
    if objective != "fewest":
        return seconds_of_first(n, math.log2(tried))
    return 1e-9 * (_FEWEST_PROBLEM + min(_FEWEST_TRIED * tried, _FEWEST_ASKED * math.comb(n, 5)))


def _working_set(part: Planning) -> int:
    """Bytes that a map takes while it is solved, beside what stays."""
    known = _constants()["bytes"]
    return int(known["map_weight"] * weights_of(part) + known["map_bit"] * _bits(part))


def _bits(part: Planning) -> int:
    return part.gadget.cost(part.op).mask_bits


def _file_bytes(part: Planning) -> int:
    """Masks hardly shrink where half of the candidates are kept; of `fewest` ranks, about log2(g/τ) bits, are stored.
    Digests, names and bounds take some bytes a map.
    """
    known, share = _constants()["bytes"], _share_kept(part)
    masks = known["file_bit"] * _bits(part)
    if share is not None:
        entropy = -share * math.log2(share) - (1 - share) * math.log2(1 - share) if share < 1 else 0.0
        masks = entropy / 8 * _bits(part)
    elif part.recipe.objective == "fewest":
        ranks = sum(max(math.log2(tried), 0.0) + _RANK_BITS for _, tried in _tried(part))
        masks = min(masks, part.gadget.cost(part.op).problems / part.gadget.stage_count * ranks / 8)
    return int(masks + known["file_map"]) * part.times


def _share_kept(part: Planning) -> float | None:
    """Of the candidates, about, where no subset is searched: one; half of the digits, once; a tenth of the counts."""
    n = part.gadget.candidates
    return {"single": 1 / n, "single-plain": 1 / n, "doubling": 0.5 / part.width.candidates, "counts": 0.1}.get(
        part.gadget.kind
    )


@cache
def _constants() -> Mapping[str, Any]:
    return json.loads((files("slth.construction") / "plan_costs.json").read_text())
