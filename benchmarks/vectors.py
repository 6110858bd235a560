"""Subset sums of vectors, side by side, as Markdown tables: python benchmarks/vectors.py

n vectors from N(0, I) in R^d, target from U[-1, 1]^d, error in the largest coordinate, the same instances in one run.

Exact: `closest_vector` (slth), meet in the middle with scipy's cKDTree (p = infinity), enumeration of all 2^n sums, a
mixed-integer program (scipy's HiGHS, at most 10 s). Heuristic: `closest_vector` above 40 vectors, the rounded vertex
of the linear program alone, and the mixed-integer program with the same time. Medians over instances of the CPU
time, compilation excluded; limits are wall-clock. Differences in
error are those between slth, tree and enumeration.
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.spatial import cKDTree

from slth.records import environment
from slth.subsetsum import _vectors, closest_vector
from slth.subsetsum.laws import Normals, Uniform, candidates

EXACT = [(2, 20), (3, 20), (6, 20), (2, 24), (3, 24), (6, 24), (3, 30), (6, 30), (3, 36)]  # d, n
SLOW = {"enumeration": 20, "mixed-integer": 20}  # up to how many vectors
HEURISTIC = [(3, 100), (3, 1000), (10, 100), (10, 1000), (30, 1000)]
INSTANCES, SECONDS, PATIENCE = 3, 2.0, 10.0


def half_sums(rows: np.ndarray) -> np.ndarray:
    sums = np.zeros((1, rows.shape[1]))
    for row in rows:
        sums = np.concatenate([sums, sums + row])
    return sums


def by_tree(values: np.ndarray, target: np.ndarray) -> float:
    half = len(values) // 2
    distances, _ = cKDTree(half_sums(values[half:])).query(target - half_sums(values[:half]), p=np.inf)
    return float(distances.min())


def by_enumeration(values: np.ndarray, target: np.ndarray) -> float:
    return float(np.abs(half_sums(values) - target).max(axis=1).min())


def by_program(values: np.ndarray, target: np.ndarray, seconds: float = PATIENCE) -> float:
    n, d = values.shape
    ones = np.ones((d, 1))
    rows = np.block([[values.T, -ones], [-values.T, -ones]])
    answer = milp(
        np.append(np.zeros(n), 1.0),
        constraints=LinearConstraint(rows, ub=np.concatenate([target, -target])),
        integrality=np.append(np.ones(n), 0),
        bounds=Bounds(np.zeros(n + 1), np.append(np.ones(n), np.inf)),
        options={"time_limit": seconds, "mip_rel_gap": 0.0},
    )
    if answer.x is None:
        return float("nan")
    return float(np.abs(values[np.rint(answer.x[:n]).astype(bool)].sum(axis=0) - target).max())


def by_rounding(values: np.ndarray, target: np.ndarray) -> float:
    kept = _vectors._rounded_vertex(values, target, None, time.monotonic() + PATIENCE)
    return float(np.abs(values[kept].sum(axis=0) - target).max())


def instances(d: int, n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    values = candidates(Normals(d), (INSTANCES, n), path=f"vectors/{d}/{n}")
    targets = candidates(Uniform(), (INSTANCES, d), path=f"vectors/{d}/{n}/target")
    return list(zip(values, targets, strict=True))


def measure(solve: Callable[[np.ndarray, np.ndarray], float], problems: list) -> tuple[float, list[float]]:
    """Median CPU seconds, and all errors."""
    taken, errors = [], []
    for values, target in problems:
        start = time.process_time()
        errors.append(solve(values, target))
        taken.append(time.process_time() - start)
    return statistics.median(taken), errors


def main() -> None:
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}, 1 thread, {INSTANCES} instances each\n")
    closest_vector(np.ones((4, 2)), np.zeros(2))  # compile
    print(
        "| d | n | slth ms | tree ms | enumeration ms | mixed-integer ms | tree / slth | median error | differences |"
    )
    print("|" + " --- |" * 9)
    for d, n in EXACT:
        problems = instances(d, n)
        took, errors = measure(lambda v, z: closest_vector(v, z, seconds=600).error, problems)
        cells, spread = [f"{took * 1e3:.3g}"], 0.0
        others = {"tree": by_tree, "enumeration": by_enumeration, "mixed-integer": by_program}
        times = {}
        for name, solve in others.items():
            if n > SLOW.get(name, n):
                cells.append("")
                continue
            times[name], theirs = measure(solve, problems)
            cells.append(f"{times[name] * 1e3:.3g}")
            if name != "mixed-integer":  # it may not have ended
                spread = max(spread, *(abs(a - b) for a, b in zip(errors, theirs, strict=True)))
        tail = [f"{times['tree'] / took:.1f}", f"{statistics.median(errors):.2g}", f"{spread:.1g}"]
        print("|", " | ".join([str(d), str(n), *cells, *tail]), "|", flush=True)
    print(f"\nHeuristics: median error, {SECONDS:g} s each; the rounded vertex takes what it takes.\n")
    print("| d | n | slth | rounded vertex | its ms | mixed-integer | vertex / slth | mixed-integer / slth |")
    print("|" + " --- |" * 8)
    for d, n in HEURISTIC:
        problems = instances(d, n)
        _, ours = measure(lambda v, z: closest_vector(v, z, seconds=SECONDS).error, problems)
        took, rounded = measure(by_rounding, problems)
        _, program = measure(lambda v, z: by_program(v, z, SECONDS), problems)
        a, b, c = (float(np.nanmedian(errors)) for errors in (ours, rounded, program))
        print(f"| {d} | {n} | {a:.2g} | {b:.2g} | {took * 1e3:.3g} | {c:.2g} | {b / a:.1f} | {c / a:.1f} |", flush=True)


if __name__ == "__main__":
    main()
