"""Microseconds per subset-sum problem, as a Markdown table: python benchmarks/subset_sum.py

plain:   n values from U[-1, 1], target from U[-1, 1].
product: n products u·v, u from U[1/2, 1], v from U[-1, 1], target from U[-2/3, 2/3].

first:   some subset within the tolerance, with the share of problems that have one; closest: the best of all subsets;
NumPy:   meet in the middle with sort and searchsorted, on the same instances; its largest difference in error.

Times are medians over repeats of whole batches, compilation excluded. Seeds are fixed.
"""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slth.subsetsum import Status, SubsetSums, closest_batch, first_batch

BATCHES = {12: 200_000, 16: 200_000, 21: 50_000, 24: 16_000, 28: 3_000, 32: 600}  # n: problems for `closest`
EASY = 400_000  # problems for `first`: a quarter of a second
BASELINE = {12: 200, 16: 200, 21: 100, 24: 50, 28: 20, 32: 5}  # n: problems solved with NumPy
REPEATS = 7
THREADS = (1, 2)
TOLERANCES = {1e-2: 12, 1e-4: 16}  # tolerance: from how many values on it makes sense


def plain(rng: np.random.Generator, batch: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(-1, 1, (batch, n)), rng.uniform(-1, 1, batch)


def product(rng: np.random.Generator, batch: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    values = rng.uniform(0.5, 1, (batch, n)) * rng.uniform(-1, 1, (batch, n))
    return values, rng.uniform(-2 / 3, 2 / 3, batch)


def numpy_closest(values: np.ndarray, target: float) -> float:
    """The optimal error by meet in the middle: one half sorted, its neighbours looked up for every sum of the other."""
    a, b = np.zeros(1), np.zeros(1)
    for value in values[: len(values) // 2]:
        a = np.concatenate([a, a + value])
    for value in values[len(values) // 2 :]:
        b = np.concatenate([b, b + value])
    b.sort()
    wanted = target - a
    above = np.searchsorted(b, wanted).clip(1, len(b) - 1)
    return float(np.minimum(np.abs(wanted - b[above]), np.abs(wanted - b[above - 1])).min())


def microseconds(solve: Callable[[int], SubsetSums]) -> tuple[list[float], SubsetSums]:
    """Median time per problem for each number of threads, in turn in one loop, and the answers."""
    answers = solve(1)
    times: dict[int, list[float]] = {threads: [] for threads in THREADS}
    for _ in range(REPEATS):
        for threads, taken in times.items():
            start = time.perf_counter()
            solve(threads)
            taken.append((time.perf_counter() - start) / len(answers) * 1e6)
    return [statistics.median(taken) for taken in times.values()], answers


def short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def where() -> str:
    """Commit, processor and how many of them."""
    root = Path(__file__).parent.parent
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.strip()
    cpu = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else ():
        if line.startswith("model name"):
            cpu = line.split(":", 1)[1].strip()
            break
    return f"Commit {commit or 'unknown'}, {cpu}, {os.cpu_count()} cores, {platform.platform(terse=True)}."


def main() -> None:
    solvers = [f"first {tol:g}" for tol in TOLERANCES] + ["closest"]
    columns = ["values", "n", *(f"{name}, {t} thread{'s' * (t > 1)}" for name in solvers for t in THREADS)]
    columns += ["NumPy, 1 thread", "error difference"]
    print(where(), f"Microseconds per problem, median of {REPEATS}.\n")
    print("|", " | ".join(columns), "|")
    print("|" + " --- |" * len(columns))
    for law in (plain, product):
        for n, batch in BATCHES.items():
            values, targets = law(np.random.default_rng(n), EASY, n)
            cells = [law.__name__, str(n)]
            for tol, least in TOLERANCES.items():
                if n < least:
                    cells += [""] * len(THREADS)
                    continue
                took, answers = microseconds(lambda threads: first_batch(values, targets, tol=tol, threads=threads))  # noqa: B023
                cells += [f"{short(took[0])} ({answers.count(Status.WITHIN_TOL) / EASY:.1%})", *map(short, took[1:])]
            values, targets = values[:batch], targets[:batch]
            took, best = microseconds(lambda threads: closest_batch(values, targets, threads=threads))  # noqa: B023
            cells += map(short, took)
            some = BASELINE[n]
            start = time.perf_counter()
            errors = [numpy_closest(values[i], targets[i]) for i in range(some)]
            cells.append(short((time.perf_counter() - start) / some * 1e6))
            cells.append(f"{np.abs(best.error[:some] - errors).max():.1g}")
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
