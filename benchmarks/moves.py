r"""How many candidates do moves save? (Xiong, Liao and Kyrillidis, 2023, Theorem 2 and its Remark)

    python benchmarks/moves.py [mnist.safetensors] [--tolerance 2e-3] [--picture docs/moves.svg]

A ticket's v may move by at most ε, u does not; ε is in the unit of the random numbers, U[−1, 1], as gains are.
Measured: the least n for which no weight of a 784-500-10 misses a tolerance η in gains, seed 0 (with no network:
Gaussian numbers of its shape); and the least n that reaches one weight, z uniform on ±½, in 99 % of 4,000 draws. And:

- the factor 1/(1 + ε) of the theorem, times n at ε = 0;
- the logarithmic law: a kept value of mean u = ¾ relaxes η to η + ¾ε, and n falls by one for each doubling of that.

Then large ε: the Remark's limit is d_ℓ neurons, the formula's is 0, and moving v alone needs one neuron for each input
and sign: with |z − v u| ≤ ⅔ + u ≤ ε u for every u ≥ ½ one candidate is enough from ε = 7/3 on. The widths are those of
the lift of the first layer, 784 inputs that are never negative, and of d_ℓ = 500 outputs."""

import argparse
import math
from pathlib import Path

import numpy as np
from least_widths import layers_of, least, misses
from matplotlib import rc_context
from matplotlib.figure import Figure

from slth.construction import Recipe
from slth.numerics import Stream, uniform
from slth.records import environment
from slth.reporting import save_picture
from slth.subsetsum import solve_moved
from slth.ticket import MOST_CANDIDATES, STEP

MOVES = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
LARGE = (1.0, 3.0, 10.0)
INPUTS, OUTPUTS = 784, 500


def draws(n: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Live candidates u v, and u."""
    u = (uniform(Stream(0, f"moves/u/{n}"), (count, n)).astype(np.float64) + 1) / 4 + 0.5
    return u * uniform(Stream(0, f"moves/v/{n}"), (count, n)), u


def reached(n: int, move: float, tolerance: float, targets: np.ndarray) -> float:
    """The share of targets that n candidates reach."""
    x, u = draws(n, len(targets))
    return float(solve_moved(x, move * u, targets, tol=tolerance).reached.mean())


def one_weight(move: float, tolerance: float) -> int | None:
    targets = uniform(Stream(0, "moves/z"), (4000,)).astype(np.float64) / 2
    return least(range(1, 40), lambda n: int(reached(n, move, tolerance, targets) < 0.99))


def network(target, move: float, tolerance: float, start: int) -> int | None:
    recipe = Recipe(objective="moved", most_move=move) if move >= STEP else Recipe()
    ops = sorted(target.graph.maps.values(), key=lambda op: -op.weights)

    def missed(n: int) -> int:
        return max(misses(target.coefficients[op.map], recipe, op, n, tolerance) for op in ops)

    return least(range(start, MOST_CANDIDATES + 1), missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?")
    parser.add_argument("--tolerance", type=float, default=2e-3)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    target, eta = layers_of(options.network), options.tolerance
    print(f"tolerance {eta:g} gains\n\n| ε | network: n | one weight, 99 % | 1/(1 + ε) | logarithmic law |")
    print("| --- | --- | --- | --- | --- |")
    rows: list[tuple[float, int, int, float, float]] = []
    for move in MOVES:
        law = math.log2(1 + 0.75 * move / eta)
        first = rows[0] if rows else None
        n = network(target, move, eta, 1 if move > 0.05 else 8) or 0
        single = one_weight(move, eta) or 0
        base = n if first is None else first[1]
        rows.append((move, n, single, base / (1 + move), base - law))
        print(f"| {move:g} | {n} | {single} | {rows[-1][3]:.1f} | {rows[-1][4]:.1f} |", flush=True)
    print(f"\n| ε | least n, measured | lift neurons | Remark: d_l = {OUTPUTS} | formula's limit | moving v alone |")
    print("| --- | --- | --- | --- | --- | --- |")
    weights = np.concatenate([affine.weight.reshape(-1) for affine in target.coefficients.values()])
    z = weights / (1.5 * np.abs(weights).max())  # as large as the gain rule lets them be
    for move in LARGE:
        n = least(range(1, 40), lambda n, move=move: int(reached(n, move, eta, z) < 1))
        formula = math.log2(1 / eta) * INPUTS / (1 + move)
        print(f"| {move:g} | {n} | {INPUTS * (n or 0):,} | {OUTPUTS} | {formula:.0f} at C = 1 | {INPUTS} |", flush=True)
    where = environment(1)
    print(f"\ncommit {where.commit}, {where.cpu}, 1 thread")
    if options.picture is not None:
        figure = Figure(figsize=(5.4, 3.6), layout="constrained")
        axes = figure.add_subplot(xlabel="largest move ε of a random number", ylabel="candidates n", xscale="log")
        x = np.array([max(row[0], 3e-4) for row in rows])  # no move stands at the left end
        axes.plot(x, [row[1] for row in rows], "o-", color="#1f77b4", label="784-500-10, no miss")
        axes.plot(x, [row[2] for row in rows], "o-", color="#2ca02c", label="one weight, 99 %")
        axes.plot(x, [row[3] for row in rows], "--", color="#888888", label="n(0) / (1 + ε), Theorem 2")
        axes.plot(x, [row[4] for row in rows], ":", color="#d62728", label="n(0) − log₂(1 + ¾ε/η)")
        axes.legend(frameon=False, fontsize=8)
        with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 9}):
            about = "Candidates for a network and for one weight against the largest move, beside two laws."
            save_picture(figure, options.picture, title="Moves and width", about=about)


if __name__ == "__main__":
    main()
