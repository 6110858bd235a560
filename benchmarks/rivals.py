"""Subset sum solvers side by side on the same problems, one thread each.

    pip install ortools gurobipy      # optional: a rival that is missing is reported as such
    python benchmarks/rivals.py [--seconds 10]

Each problem has 21 candidates v and a target z. Two questions: *some* subset with |z − Σ| ≤ 0.01, or the *closest*
subset. Two laws of v: uniform on [−1, 1], and uniform on [−0.464, 0.541] as in the experiment of Pensia et al. (2020);
z is uniform on [−½, ½]. All numbers are multiples of 2⁻²⁴, so the integer solver gets the very same problem, and the
float64 sums of the returned subsets are exact. "Truly optimal" are claims that hold: no subset is closer by more than
the relative gap the solver is set to (Gurobi and HiGHS 10⁻⁴, their default; as published 1 %; else none). Problems
without any subset within 0.01 are in the times, not in the errors; "missed" are answers beyond 0.01 to the others.

Times are processor times, the wall clock of an idle machine: what else runs on it matters little. They include building
a solver's model, not imports, licences and a first problem. Solvers start no problem after the given seconds, and one
that takes that long is given up: it is not claimed optimal, and its true time is longer. Every solver has a process of
its own: not all of them can share one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import environment
from slth.subsetsum import closest_batch, enumerate_closest, first, first_batch

N, TOL, GRID = 21, 0.01, 2.0**24
LAWS = {"U[−1, 1]": (-1.0, 1.0), "U[−0.464, 0.541]": (-0.464, 0.541)}
CHECKED = 32  # problems whose optimum is compared with an enumeration of all subsets
WARM = 1  # problems solved before the clock starts

Answers = tuple[np.ndarray, np.ndarray]
"""kept, bool (batch, n), and whether the solver claims that no subset is closer, bool (batch,)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: `solve(values, targets, seconds)` answers a block of problems."""

    name: str
    wants: str  # "some" or "closest"
    package: str  # distribution whose version counts
    module: str
    solve: Callable[[np.ndarray, np.ndarray, float], Answers]
    problems: int  # at most so many
    block: int = 1  # problems per call
    repeats: int = 1
    gap: float = 0.0  # relative, allowed in a claim that a subset is optimal


def problems(law: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Values (count, N) and targets (count,), multiples of 1 / GRID. A smaller count gives the first of them."""
    low, high = LAWS[law]
    unit = draw(Stream(0, "rivals/values"), "uniform", (count, N)).astype(np.float64)
    target = draw(Stream(0, "rivals/targets"), "uniform", (count,)).astype(np.float64) / 2
    return np.rint(((low + high) / 2 + (high - low) / 2 * unit) * GRID) / GRID, target


# --- slth ---


def slth_first(values, targets, seconds) -> Answers:
    return first_batch(values, targets, tol=TOL).kept, np.zeros(len(values), bool)


def slth_first_alone(values, targets, seconds) -> Answers:
    return first(values[0], targets[0], tol=TOL).kept[None], np.zeros(1, bool)


def slth_closest(values, targets, seconds) -> Answers:
    return closest_batch(values, targets).kept, np.ones(len(values), bool)


# --- rivals ---


@cache
def subsets(n: int) -> np.ndarray:
    """All masks, float64 (n, 2^n)."""
    return (np.arange(1 << n) >> np.arange(n)[:, None] & 1).astype(np.float64)


def numpy_meet(values, targets, seconds) -> Answers:
    """Meet in the middle: sums of both halves by matrix products, both sorted, one looked up in the other."""
    half = N // 2
    small, large = subsets(half), subsets(N - half)
    a, b = targets[:, None] - values[:, :half] @ small, values[:, half:] @ large
    kept = np.empty(values.shape, bool)
    for row, (rests, sums) in enumerate(zip(np.sort(a, axis=1), np.sort(b, axis=1), strict=True)):
        at = np.searchsorted(sums, rests).clip(1, sums.size - 1)
        below, above = np.abs(rests - sums[at - 1]), np.abs(sums[at] - rests)
        i = int(np.minimum(below, above).argmin())
        partner = sums[at[i] - int(below[i] <= above[i])]
        kept[row, :half] = small[:, (a[row] == rests[i]).argmax()]
        kept[row, half:] = large[:, (b[row] == partner).argmax()]
    return kept, np.ones(len(values), bool)


@cache
def gurobi_environment():
    import gurobipy

    return gurobipy.Env(params={"OutputFlag": 0, "Threads": 1})


def gurobi(values, targets, seconds, *, wants: str, published: bool = False) -> Answers:
    """Minimise t with −t ≤ z − Σ ≤ t, or t = 0.01 and no objective. As published: t ≤ 0.01 and a gap of 1 %."""
    import gurobipy

    v, z = values[0], targets[0]
    with gurobipy.Model(env=gurobi_environment()) as model:
        model.Params.TimeLimit = seconds
        keep = model.addMVar(N, vtype="B")
        t = TOL
        if wants == "closest":
            t = model.addVar(obj=1.0, ub=TOL if published else gurobipy.GRB.INFINITY)
        if published:
            model.Params.MIPGap = 0.01
        model.addConstr(v @ keep - t <= z)
        model.addConstr(v @ keep + t >= z)
        model.optimize()
        kept = keep.X > 0.5 if model.SolCount else np.zeros(N, bool)
        return kept[None], np.array([model.Status == gurobipy.GRB.OPTIMAL and wants == "closest"])


def gurobi_some(values, targets, seconds) -> Answers:
    return gurobi(values, targets, seconds, wants="some")


def gurobi_closest(values, targets, seconds) -> Answers:
    return gurobi(values, targets, seconds, wants="closest")


def gurobi_published(values, targets, seconds) -> Answers:
    return gurobi(values, targets, seconds, wants="closest", published=True)


def cp_sat(values, targets, seconds, *, wants: str) -> Answers:
    """The same in integers: everything times 2²⁴."""
    from ortools.sat.python import cp_model

    q, z, tol = np.rint(values[0] * GRID).astype(int).tolist(), int(targets[0] * GRID), int(TOL * GRID)
    model = cp_model.CpModel()
    keep = [model.new_bool_var("") for _ in q]
    total = cp_model.LinearExpr.weighted_sum(keep, q)
    if wants == "some":
        model.add_linear_constraint(total, z - tol, z + tol)
    else:
        t = model.new_int_var(0, sum(map(abs, q)) + abs(z), "")
        model.add(total - t <= z)
        model.add(total + t >= z)
        model.minimize(t)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = seconds
    status = solver.solve(model)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    kept = np.array([found and solver.boolean_value(k) for k in keep])
    return kept[None], np.array([status == cp_model.OPTIMAL and wants == "closest"])


def cp_sat_some(values, targets, seconds) -> Answers:
    return cp_sat(values, targets, seconds, wants="some")


def cp_sat_closest(values, targets, seconds) -> Answers:
    return cp_sat(values, targets, seconds, wants="closest")


def highs(values, targets, seconds, *, wants: str) -> Answers:
    """Variables: the masks and t; t is fixed to 0.01, or minimised."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    v, z = values[0], targets[0]
    low, high = (TOL, TOL) if wants == "some" else (0.0, np.inf)
    answer = milp(
        np.append(np.zeros(N), float(wants == "closest")),
        integrality=np.append(np.ones(N), 0),
        bounds=Bounds(np.append(np.zeros(N), low), np.append(np.ones(N), high)),
        constraints=LinearConstraint([np.append(v, -1), np.append(v, 1)], [-np.inf, z], [z, np.inf]),
        options={"time_limit": seconds},
    )
    kept = np.zeros(N, bool) if answer.x is None else answer.x[:N] > 0.5
    return kept[None], np.array([answer.status == 0 and wants == "closest"])


def highs_some(values, targets, seconds) -> Answers:
    return highs(values, targets, seconds, wants="some")


def highs_closest(values, targets, seconds) -> Answers:
    return highs(values, targets, seconds, wants="closest")


ENTRIES = [
    Entry("slth first_batch", "some", "slth", "slth", slth_first, 20_000, block=5_000, repeats=9),
    Entry("slth first, call by call", "some", "slth", "slth", slth_first_alone, 5_000),
    Entry("CP-SAT", "some", "ortools", "ortools", cp_sat_some, 300),
    Entry("Gurobi", "some", "gurobipy", "gurobipy", gurobi_some, 300),
    Entry("HiGHS (SciPy)", "some", "scipy", "scipy", highs_some, 300),
    Entry("slth closest_batch", "closest", "slth", "slth", slth_closest, 20_000, block=5_000, repeats=9),
    Entry("NumPy, meet in the middle", "closest", "numpy", "numpy", numpy_meet, 5_000, block=100),
    Entry("CP-SAT", "closest", "ortools", "ortools", cp_sat_closest, 200),
    Entry("Gurobi", "closest", "gurobipy", "gurobipy", gurobi_closest, 200, gap=1e-4),
    Entry("Gurobi, as published", "closest", "gurobipy", "gurobipy", gurobi_published, 200, gap=0.01),
    Entry("HiGHS (SciPy)", "closest", "scipy", "scipy", highs_closest, 200, gap=1e-4),
]


# --- measuring ---


def measure(entry: Entry, law: str, seconds: float) -> dict:
    """Seconds per problem, one number per block, and the answers."""
    values, targets = problems(law, entry.problems + WARM)  # warm on the last one, which is not measured
    entry.solve(values[-WARM:], targets[-WARM:], seconds)
    took, kept, claimed = [], [], []
    stop = time.perf_counter() + seconds
    for repeat in range(entry.repeats):
        for start in range(0, entry.problems, entry.block):
            block = slice(start, min(start + entry.block, entry.problems))
            begin = time.process_time()
            answers, claims = entry.solve(values[block], targets[block], seconds)
            took.append((time.process_time() - begin) / len(answers))
            if repeat == 0:
                kept += np.packbits(answers, axis=1).tolist()
                claimed += claims.tolist()
            if time.perf_counter() > stop:
                return {"took": took, "kept": kept, "claimed": claimed}
    return {"took": took, "kept": kept, "claimed": claimed}


def in_child(index: int, seconds: float) -> dict[str, dict] | str:
    """`measure` for every law, in a fresh process with one thread, or the reason why there is nothing."""
    entry = ENTRIES[index]
    if find_spec(entry.module) is None:
        return f"not installed (pip install {entry.package})"
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    ask = [sys.executable, __file__, "--child", str(index), "--seconds", str(seconds)]
    done = subprocess.run(ask, capture_output=True, text=True, env=os.environ | one)
    if done.returncode:
        return "failed: " + (done.stderr.strip().splitlines() or ["no message"])[-1]
    return json.loads(done.stdout.splitlines()[-1])


def cells(entry: Entry, law: str, found: dict, base: float) -> list[object]:
    """A line of the table. `base`: median seconds of slth."""
    kept = np.unpackbits(np.array(found["kept"], np.uint8), axis=1, count=N).astype(bool)
    claimed = np.array(found["claimed"])
    values, targets = problems(law, len(kept))
    error = np.abs((values * kept).sum(1) - targets)  # exact: multiples of 2^-24 below 2^5
    best = np.abs((values * closest_batch(values, targets).kept).sum(1) - targets)
    solvable = best <= TOL
    median, mean = statistics.median(found["took"]), statistics.mean(found["took"])
    return [
        entry.name,
        entry.wants,
        f"{len(kept):,}",
        digits(1e6 * median),
        digits(1e6 * mean),
        digits(median / base),
        int((error[solvable] > TOL).sum()),
        f"{np.median(error[solvable]):.2g}",
        f"{error[solvable].max():.2g}",
        f"{claimed.sum():,}" if entry.wants == "closest" else "",
        f"{(claimed & (error * (1 - entry.gap) <= best)).sum():,}" if entry.wants == "closest" else "",
    ]


def digits(number: float) -> str:
    """Three significant digits, no exponent."""
    places = 2 - int(np.floor(np.log10(number)))
    return f"{round(number, places):,.{max(places, 0)}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="wall clock per solver, question and law")
    parser.add_argument("--child", type=int, metavar="ENTRY", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child is not None:
        print(json.dumps({law: measure(ENTRIES[options.child], law, options.seconds) for law in LAWS}))
        return
    where = environment(threads=1)
    installed = {entry.package: version(entry.package) for entry in ENTRIES if find_spec(entry.module)}
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions | installed)}, 1 thread, seed 0,")
    print(f"n = {N}, tolerance {TOL}, z uniform on [−½, ½], processor time, no new problem after {options.seconds} s.")
    heads = ["solver", "subset", "problems", "µs, median", "µs, mean", "median / slth", "missed"]
    heads += ["error, median", "error, max", "claimed optimal", "truly optimal"]
    found = [in_child(index, options.seconds) for index in range(len(ENTRIES))]
    for law in LAWS:
        values, targets = problems(law, CHECKED)
        oracle = [enumerate_closest(v, z).error for v, z in zip(values, targets, strict=True)]
        assert np.array_equal(oracle, closest_batch(values, targets).error)
        print(f"\nCandidates {law}; the optimum is slth's, equal to that of all 2^{N} subsets in {CHECKED} problems.\n")
        print("|", " | ".join(heads), "|\n|", " | ".join("---" for _ in heads), "|")
        base: dict[str, float] = {}
        for entry, answer in zip(ENTRIES, found, strict=True):
            if isinstance(answer, str):
                line = [entry.name, entry.wants, answer, *[""] * (len(heads) - 3)]
            else:
                first_of_kind = base.setdefault(entry.wants, statistics.median(answer[law]["took"]))  # slth
                line = cells(entry, law, answer[law], first_of_kind)
            print("|", " | ".join(map(str, line)), "|", flush=True)


if __name__ == "__main__":
    main()
