"""Subset sums of many values, side by side, as a Markdown table: python benchmarks/large.py

n products u·v, u from U[0, 1], v from U[-1, 1], target from U[-1, 1]·sqrt(n)/8, the same instances in one run; medians
of time and error. (Uniform values of a stream are multiples of 2^-23: nothing gets closer than that.)

`first_large` (slth) to three tolerances; largest differencing (Karmarkar and Karp), greedy with the rounded rest, a
mixed-integer program (scipy's HiGHS, at most 3 s), and a grid of bit sets to 1e-3 (step 2·tol/n, answer traced back).
The last two only up to 100 and 1,000 values. Compilation excluded; CPU time, so that other
work on the machine matters less; limits are wall-clock.
"""

import json
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from slth.records import environment
from slth.subsetsum import first_large, karmarkar_karp
from slth.subsetsum.laws import LiveProducts, Uniform, candidates

SIZES = (50, 100, 1_000, 10_000, 100_000)
TOLERANCES = (1e-6, 1e-9, 1e-12)
INSTANCES, PATIENCE = 5, 3.0
GRID_TOL, GRID_MOST, PROGRAM_MOST = 1e-3, 200, 1_000

Solve = Callable[[np.ndarray, float], float]


def greedy(values: np.ndarray, target: float) -> float:
    """From the largest down, keep what brings the rest closer to zero."""
    rest = target
    for value in values[np.argsort(-np.abs(values))].tolist():
        if abs(rest - value) < abs(rest):
            rest -= value
    return abs(rest)


def program(values: np.ndarray, target: float) -> float:
    n = len(values)
    rows = np.stack([np.append(values, -1.0), np.append(-values, -1.0)])
    answer = milp(
        np.append(np.zeros(n), 1.0),
        constraints=LinearConstraint(rows, ub=[target, -target]),
        integrality=np.append(np.ones(n), 0),
        bounds=Bounds(np.zeros(n + 1), np.append(np.ones(n), np.inf)),
        options={"time_limit": PATIENCE, "mip_rel_gap": 0.0},
    )
    return abs(float(values[np.rint(answer.x[:n]).astype(bool)].sum()) - target) if answer.x is not None else math.nan


def bit_sets(values: np.ndarray, target: float) -> float:
    """Sums rounded to a grid: a Python integer per prefix, bit k for the sum (k - offset) · step."""
    step = 2 * GRID_TOL / len(values)
    units = np.rint(values / step).astype(int).tolist()
    offset = -sum(unit for unit in units if unit < 0)
    sets = [1 << offset]
    for unit in units:
        sets.append(sets[-1] | (sets[-1] << unit if unit >= 0 else sets[-1] >> -unit))
    start = round(target / step) + offset
    at = next(k for away in range(1 << 20) for k in (start + away, start - away) if k >= 0 and sets[-1] >> k & 1)
    total = 0.0
    for i in range(len(units) - 1, -1, -1):
        if not sets[i] >> at & 1:
            at -= units[i]
            total += values[i]
    return abs(total - target)


def measure(solve: Solve, problems: list[tuple[np.ndarray, float]]) -> str:
    """Median CPU milliseconds and median error."""
    taken, errors = [], []
    for values, target in problems:
        start = time.process_time()
        errors.append(solve(values, target))
        taken.append(time.process_time() - start)
    return f"{statistics.median(taken) * 1e3:.3g} ({statistics.median(errors):.1g})"


def main() -> None:
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}, 1 thread")
    print(f"median CPU ms (median error) over {INSTANCES} instances\n")
    first_large(np.arange(1.0, 60.0), 100.5, tol=0.5)  # compile
    names = [*(f"slth to {tol:g}" for tol in TOLERANCES), "differencing", "greedy", "mixed-integer", "bit sets to 1e-3"]
    print("| n |", " | ".join(names), "|")
    print("|" + " --- |" * (len(names) + 1))
    for n in SIZES:
        targets = candidates(Uniform(), (INSTANCES,), path=f"large/{n}/target") * math.sqrt(n) / 8
        problems = list(
            zip(candidates(LiveProducts(), (INSTANCES, n), path=f"large/{n}"), targets.tolist(), strict=True)
        )
        cells = [measure(lambda v, z: first_large(v, z, tol=tol, seconds=5).error, problems) for tol in TOLERANCES]  # noqa: B023
        cells += [measure(lambda v, z: karmarkar_karp(v, z).error, problems), measure(greedy, problems)]
        cells.append(measure(program, problems) if n <= PROGRAM_MOST else "")
        cells.append(measure(bit_sets, problems) if n <= GRID_MOST else "")
        print(f"| {n} |", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
