"""Subsets of a given size against subsets of any size, and against other solvers, on the same problems in one run.

    pip install ortools                 # optional: without it the line of CP-SAT is missing
    python benchmarks/fixed_size.py [--seconds 60]

First table: microseconds per problem, values and target from U[-1, 1], medians over repeats of whole batches, all
forms in turn in one loop; the ratio is to the unrestricted `closest` at the same n. Second table: the closest subset of
exactly 8 of 24 values, all numbers multiples of 2^-23, so CP-SAT gets the very same problem in integers. "Error" is the
median of |sum - z| of the subsets returned, "excess" their largest difference to the error of slth, which enumeration
confirms. A solver starts no problem after the given seconds and gives one up after 20. Dynamic programming rounds to
steps of 2^-16, one bitset of reachable sums per number of values. Times are those of the processor: what else runs on
the machine matters little. Compilation and imports are not in them. One thread and one process for each solver.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import combinations

import numpy as np

from slth.records import environment
from slth.subsetsum import (
    closest,
    closest_batch,
    count,
    first_batch,
    perturbed_batch,
    smallest_batch,
    trade_off,
)

CASES = {(12, 4): 20_000, (16, 5): 8_000, (24, 8): 2_000, (24, 12): 2_000, (32, 10): 150}  # (n, k): problems
REPEATS = 7
N, K, STEP = 24, 8, 2.0**-16
GRID = 2.0**23
PROBLEMS = {"slth": 200, "enumeration": 20, "dynamic programming": 100, "HiGHS": 5, "CP-SAT": 5}


def forms(n: int, k: int, batch: int) -> dict[str, tuple[Callable[[], object], int]]:
    """Name: what to time, and how many problems that is."""
    rng = np.random.default_rng([n, k])
    values, targets = rng.uniform(-1, 1, (batch, n)), rng.uniform(-1, 1, batch)
    some = max(batch // 20, 10)
    return {
        "closest": (lambda: closest_batch(values, targets), batch),
        "closest, k": (lambda: closest_batch(values, targets, size=k), batch),
        "first 0.01": (lambda: first_batch(values, targets, tol=0.01), batch),
        "first 0.01, k": (lambda: first_batch(values, targets, tol=0.01, size=k), batch),
        "smallest 0.01": (lambda: smallest_batch(values, targets, tol=0.01), batch),
        "perturbed 1e-4, ε 1e-3": (lambda: perturbed_batch(values, targets, tol=1e-4, most_move=1e-3), batch),
        "same, least move": (
            lambda: perturbed_batch(values, targets, tol=1e-4, most_move=1e-3, objective="move"),
            batch,
        ),
        "trade-off": (lambda: [trade_off(row, z) for row, z in zip(values[:some], targets, strict=False)], some),
        "count 0.01": (lambda: [count(row, z, tol=0.01) for row, z in zip(values[:some], targets, strict=False)], some),
    }


def compare_forms() -> None:
    names = list(forms(1, 1, 1))
    print("| n | k |", " | ".join(names), "|")
    print("|" + " --- |" * (len(names) + 2))
    for (n, k), batch in CASES.items():
        timed = forms(n, k, batch)
        taken: dict[str, list[float]] = {name: [] for name in timed}
        for repeat in range(REPEATS + 1):
            for name, (solve, problems) in timed.items():
                start = time.process_time()
                solve()
                if repeat:  # the first compiles
                    taken[name].append((time.process_time() - start) / problems * 1e6)
        medians = {name: statistics.median(times) for name, times in taken.items()}
        cells = [f"{took:.3g} ({took / medians['closest']:.2g}x)" for took in medians.values()]
        print("|", n, "|", k, "|", " | ".join(cells), "|", flush=True)


# --- other solvers: each returns the indices of a subset of K of the values ---


def slth(values: np.ndarray, target: float) -> list[int]:
    return np.flatnonzero(closest(values, target, size=K).kept).tolist()


def enumeration(values: np.ndarray, target: float) -> list[int]:
    if not hasattr(enumeration, "subsets"):
        enumeration.subsets = np.array(list(combinations(range(N), K)), np.int8)
    subsets = enumeration.subsets
    sums = np.zeros(len(subsets))
    for column in subsets.T:
        sums += values[column]
    return subsets[int(np.abs(sums - target).argmin())].tolist()


def dynamic_programming(values: np.ndarray, target: float) -> list[int]:
    """Bit s + offset of layer[i][j]: some j of the first i values sum to s steps."""
    steps = [int(step) for step in np.rint(values / STEP)]
    offset = -sum(step for step in steps if step < 0)
    layers = [[1 << offset] + [0] * K]
    for step in steps:
        last = layers[-1]
        moved = [bits << step if step >= 0 else bits >> -step for bits in last]
        layers.append([last[0], *(last[j] | moved[j - 1] for j in range(1, K + 1))])
    reachable, wanted = layers[-1][K], round(target / STEP) + offset
    above = reachable >> max(wanted, 0)
    up = max(wanted, 0) + (above & -above).bit_length() - 1 if above else None
    below = reachable & ((1 << max(wanted, 0)) - 1)
    down = below.bit_length() - 1 if below else None
    at = min((x for x in (up, down) if x is not None), key=lambda x: abs(x - wanted))
    kept, j = [], K
    for i in range(N - 1, -1, -1):
        if layers[i][j] >> at & 1:
            continue
        kept.append(i)
        at -= steps[i]
        j -= 1
    return kept[::-1]


def highs(values: np.ndarray, target: float) -> list[int]:
    from scipy.optimize import Bounds, LinearConstraint, milp

    ones = np.append(np.ones(N), 0.0)
    rows = [
        LinearConstraint(np.append(values, -1.0), -np.inf, target),
        LinearConstraint(np.append(values, 1.0), target, np.inf),
        LinearConstraint(ones, K, K),
    ]
    limits = Bounds(np.zeros(N + 1), np.append(np.ones(N), np.inf))
    found = milp(
        np.append(np.zeros(N), 1.0),
        constraints=rows,
        bounds=limits,
        integrality=ones,
        options={"time_limit": 20.0, "mip_rel_gap": 0.0},
    )
    return np.flatnonzero(found.x[:N] > 0.5).tolist()


def cp_sat(values: np.ndarray, target: float) -> list[int]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    bits = [model.new_bool_var("") for _ in range(N)]
    error = model.new_int_var(0, 1 << 30, "")
    total = sum(int(value * GRID) * bit for value, bit in zip(values, bits, strict=True)) - int(target * GRID)
    model.add(total <= error)
    model.add(-total <= error)
    model.add(sum(bits) == K)
    model.minimize(error)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = 20.0
    solver.solve(model)
    return [i for i, bit in enumerate(bits) if solver.value(bit)]


SOLVERS = {
    "slth": slth,
    "enumeration": enumeration,
    "dynamic programming": dynamic_programming,
    "HiGHS": highs,
    "CP-SAT": cp_sat,
}


def run_solver(name: str, seconds: float) -> None:
    """Print as JSON: processor seconds and error of each problem."""
    rng = np.random.default_rng(8)
    values = rng.integers(-GRID, GRID, (200, N)) / GRID
    targets = rng.integers(-GRID, GRID, 200) / GRID
    solve, start, taken, errors = SOLVERS[name], time.perf_counter(), [], []
    solve(values[-1], targets[-1])
    for row, target in zip(values[: PROBLEMS[name]], targets, strict=False):
        if errors and time.perf_counter() - start > seconds:
            break
        before = time.process_time()
        kept = solve(row, target)
        taken.append(time.process_time() - before)
        assert len(kept) == K
        errors.append(abs(float(row[kept].sum()) - target))
    print(json.dumps({"seconds": taken, "errors": errors}))


def compare_solvers(seconds: float) -> None:
    names = [name for name in SOLVERS if name != "CP-SAT" or find_spec("ortools")]
    print("\n| solver | problems | ms, median | ratio to slth | error, median | excess, largest |")
    print("|" + " --- |" * 6)
    best: list[float] = []
    base = 0.0
    for name in names:
        command = [sys.executable, __file__, "--solver", name, "--seconds", str(seconds)]
        done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        took, errors = statistics.median(done["seconds"]) * 1e3, done["errors"]
        if name == "slth":
            best, base = errors, took
        excess = max(error - least for error, least in zip(errors, best, strict=False))
        cells = [name, str(len(errors)), f"{took:.3g}", f"{took / base:.3g}"]
        print("|", " | ".join([*cells, f"{statistics.median(errors):.3g}", f"{excess:.3g}"]), "|", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--solver", choices=SOLVERS, help="time one solver and print JSON")
    options = parser.parse_args()
    if options.solver:
        run_solver(options.solver, options.seconds)
        return
    print(f"Microseconds of processor time per problem, median of {REPEATS}.\n")
    compare_forms()
    compare_solvers(options.seconds)
    where = environment()  # after the runs, so that it knows the compiler
    print(f"\nCommit {where.commit}, {where.cpu}, {where.threads} thread, {json.dumps(where.versions)}.")


if __name__ == "__main__":
    main()
