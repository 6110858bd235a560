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

BATCHES = {12: 100_000, 16: 100_000, 21: 50_000, 24: 16_000, 28: 3_000, 32: 600}  # n: problems
BASELINE = {12: 200, 16: 200, 21: 100, 24: 50, 28: 20, 32: 5}  # n: problems solved with NumPy
REPEATS = 5
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


def microseconds(solve: Callable[[], SubsetSums]) -> tuple[float, SubsetSums]:
    """Median time per problem, and the answers."""
    answers, times = solve(), []
    for _ in range(REPEATS):
        start = time.perf_counter()
        answers = solve()
        times.append((time.perf_counter() - start) / len(answers) * 1e6)
    return statistics.median(times), answers


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
    thread_counts = (1, 2)
    solvers = [f"first {tol:g}" for tol in TOLERANCES] + ["closest"]
    columns = ["values", "n", *(f"{name}, {t} thread{'s' * (t > 1)}" for name in solvers for t in thread_counts)]
    columns += ["NumPy, 1 thread", "error difference"]
    print(where(), f"Microseconds per problem, median of {REPEATS}.\n")
    print("|", " | ".join(columns), "|")
    print("|" + " --- |" * len(columns))
    for law in (plain, product):
        for n, batch in BATCHES.items():
            values, targets = law(np.random.default_rng(n), batch, n)
            cells = [law.__name__, str(n)]
            for tol, least in TOLERANCES.items():
                for threads in thread_counts:
                    if n < least:
                        cells.append("")
                        continue
                    took, answers = microseconds(lambda: first_batch(values, targets, tol=tol, threads=threads))  # noqa: B023
                    share = answers.count(Status.WITHIN_TOL) / batch
                    cells.append(short(took) + (f" ({share:.1%})" if threads == 1 else ""))
            for threads in thread_counts:
                took, best = microseconds(lambda: closest_batch(values, targets, threads=threads))  # noqa: B023
                cells.append(short(took))
            some = BASELINE[n]
            start = time.perf_counter()
            errors = [numpy_closest(values[i], targets[i]) for i in range(some)]
            cells.append(short((time.perf_counter() - start) / some * 1e6))
            cells.append(f"{np.abs(best.error[:some] - errors).max():.1g}")
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
