"""Whole intervals, side by side, as Markdown tables: python benchmarks/intervals.py

n values from U[-1, 1], the interval [-1, 1], the same instances in one run; medians of the CPU time, compilation
excluded.

Worst error: `worst_error` (slth) against NumPy's sort of all 2^n sums.
Many targets: `closest_many` against `closest_batch` (slth, each target by itself) and NumPy's sort and searchsorted.
Reachable share at 0.001: `reach` against a grid of bit sets (step 2·tol/n, one Python integer per value).
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from slth.records import environment
from slth.subsetsum import closest_batch, closest_many, reach, worst_error
from slth.subsetsum.laws import Uniform, candidates

WORST = (12, 16, 20, 24)
MANY = (12, 16, 20, 24)
REACH = (12, 16, 20, 24)
TARGETS, SEPARATE, TOL, INSTANCES = 100_000, 1_000, 1e-3, 3


def all_sums(values: np.ndarray) -> np.ndarray:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums, sums + value])
    return sums


def worst_by_sorting(values: np.ndarray) -> float:
    sums = np.concatenate([[-np.inf], np.sort(all_sums(values)), [np.inf]])
    inside = sums[np.searchsorted(sums, -1.0) - 1 : np.searchsorted(sums, 1.0) + 1]
    farthest = ((inside[1:] + inside[:-1]) / 2).clip(-1, 1)
    return float(np.minimum(np.abs(farthest - inside[:-1]), np.abs(inside[1:] - farthest)).max())


def many_by_sorting(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    sums = np.sort(all_sums(values))
    above = np.searchsorted(sums, targets).clip(1, len(sums) - 1)
    return np.minimum(np.abs(sums[above] - targets), np.abs(sums[above - 1] - targets))


def reach_by_bits(values: np.ndarray) -> float:
    step = 2 * TOL / len(values)
    units = np.rint(values / step).astype(int).tolist()
    offset, cells = -sum(unit for unit in units if unit < 0), sum(abs(unit) for unit in units) + 1
    bits = 1 << offset
    for unit in units:
        bits |= bits << unit if unit >= 0 else bits >> -unit
    found = np.unpackbits(np.frombuffer(bits.to_bytes(cells // 8 + 1, "little"), np.uint8), bitorder="little")
    sums = (np.flatnonzero(found) - offset) * step
    left, right = (sums - TOL).clip(-1, 1), (sums + TOL).clip(-1, 1)
    ends = np.maximum.accumulate(np.append(-1.0, right[:-1]))
    return float(np.maximum(right - np.maximum(left, ends), 0).sum() / 2)


def measure(solve: Callable[[int], object]) -> tuple[float, list]:
    """Median CPU seconds over the instances, and the answers."""
    taken, answers = [], []
    for instance in range(INSTANCES):
        start = time.process_time()
        answers.append(solve(instance))
        taken.append(time.process_time() - start)
    return statistics.median(taken), answers


def main() -> None:
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}, 1 thread, median of {INSTANCES}\n")
    drawn = {n: candidates(Uniform(), (INSTANCES, n), path=f"intervals/{n}") for n in {*WORST, *MANY, *REACH}}
    targets = candidates(Uniform(), (TARGETS,), path="intervals/targets")
    worst_error(drawn[12][0]), closest_many(drawn[12][0], targets[:9]), reach(drawn[12][0], tol=0.1)  # compile
    closest_batch(drawn[12][:1], targets[:1])

    print("| worst error, n | slth ms | sorting ms | sorting / slth | median R | difference |")
    print("|" + " --- |" * 6)
    for n in WORST:
        ours, errors = measure(lambda i: worst_error(drawn[n][i]).error)  # noqa: B023
        theirs, sorted_errors = measure(lambda i: worst_by_sorting(drawn[n][i]))  # noqa: B023
        off = np.abs(np.subtract(errors, sorted_errors)).max()
        cells = [f"{ours * 1e3:.3g}", f"{theirs * 1e3:.3g}", f"{theirs / ours:.1f}", f"{np.median(errors):.2g}"]
        print("|", " | ".join([str(n), *cells, f"{off:.1g}"]), "|", flush=True)

    print(f"\nµs per target, {TARGETS} targets.\n")
    print("| n | slth | separately | NumPy | separately / slth | NumPy / slth | difference |")
    print("|" + " --- |" * 7)
    for n in MANY:
        ours, answers = measure(lambda i: closest_many(drawn[n][i], targets).error)  # noqa: B023
        alone, some = measure(
            lambda i: closest_batch(np.tile(drawn[n][i], (SEPARATE, 1)), targets[:SEPARATE]).error  # noqa: B023
        )
        numpy, theirs = measure(lambda i: many_by_sorting(drawn[n][i], targets))  # noqa: B023
        off = max(np.abs(np.subtract(answers, theirs)).max(), np.abs(np.array(answers)[:, :SEPARATE] - some).max())
        each = ours / TARGETS * 1e6, alone / SEPARATE * 1e6, numpy / TARGETS * 1e6
        ratios = f"{each[1] / each[0]:.1f} | {each[2] / each[0]:.1f}"
        print(f"| {n} |", " | ".join(f"{t:.3g}" for t in each), f"| {ratios} | {off:.1g} |", flush=True)

    print("\n| reachable share, n | slth ms | bit sets ms | bit sets / slth | median share | difference |")
    print("|" + " --- |" * 6)
    for n in REACH:
        ours, shares = measure(lambda i: reach(drawn[n][i], tol=TOL).covered[-1])  # noqa: B023
        theirs, bits = measure(lambda i: reach_by_bits(drawn[n][i]))  # noqa: B023
        off = np.abs(np.subtract(shares, bits)).max()
        cells = [f"{ours * 1e3:.3g}", f"{theirs * 1e3:.3g}", f"{theirs / ours:.0f}", f"{np.median(shares):.3f}"]
        print("|", " | ".join([str(n), *cells, f"{off:.1g}"]), "|", flush=True)


if __name__ == "__main__":
    main()
