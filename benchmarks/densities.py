r"""The figure of Natale et al. (2024): how wide must the random network be for tickets of a prescribed density?

    slth train --data mnist --hidden 500 --no-bias --epochs 3 --out mnist.safetensors
    python benchmarks/densities.py [mnist.safetensors] [--tolerances 0.02 0.002] [--picture docs/densities.svg]

Measured: the least n for which a ticket of the network exists with exactly ⌊γ n⌋ of the n candidates of every weight;
tolerances in gains, seed 0, no weight missed. Without a network: Gaussian numbers of its shape. For the last density of
each tolerance a ticket is constructed, and what it keeps is counted.

Beside it, as functions of the density γ; m/m_t = 4n for equal widths and two halves:

- the planner's n*: least n with 0.01 expected misses;
- the form of Theorem 3, n = c log₂²(2 ℓ d d' γ n / ε) / H₂(γ), with c fitted at γ = 0.2, for the theorem knows none;
- Theorem 5 inverted exactly: below C(n', k') = ½ (√k'/2ε)^N no n' parameters reach N weights with k'. Its targets have
  norm √k', ours have not: a shape to compare with, no bound on these tickets. Counted in parameters, m/m_t = n'/N;
- Malach's way, one product a weight: k = 1, with 2t ln 2 the chance of a product, n = ln(100 N) / (2t ln 2), γ = 1/n;
- Pensia's way, any subset: least n of `within`, and the share of it that is kept."""

import argparse
import math
import time
from pathlib import Path

import numpy as np
from least_widths import layers_of, least, misses
from matplotlib import rc_context
from matplotlib.figure import Figure
from scipy.special import gammaln

from slth.construction import Recipe, Request, construct, plan_layout
from slth.construction.objective_chances import kept_of
from slth.records import environment
from slth.reporting import save_picture
from slth.ticket import MOST_CANDIDATES, Inputs

DENSITIES = (0.05, 0.06, 0.08, 0.1, 0.13, 0.17, 0.2, 0.26, 0.33, 0.4, 0.5, 0.55)
COLOURS = ("#1f77b4", "#d62728")


def entropy(p: float) -> float:
    return -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def theorem_3(density: float, tolerance: float, weights: int, constant: float) -> float:
    """The fixed point n = c log₂²(2ℓ d d' γ n/ε) / H₂(γ), two layers."""
    n = 100.0
    for _ in range(100):
        n = constant * math.log2(4 * weights * density * n / tolerance) ** 2 / entropy(density)
    return n


def theorem_5(density: float, tolerance: float, weights: int) -> float:
    """The least number of parameters for each of N weights that it leaves possible."""

    def possible(times: float) -> bool:
        n, k = times * weights, density * times * weights
        choices = (gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)) / math.log(2)
        return choices > weights * math.log2(math.sqrt(k) / (2 * tolerance)) - 1

    low, high = 1.0, 1e6
    while high / low > 1.0001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if possible(middle) else (middle, high)
    return high


def planned(target, tolerance: float, density: float) -> int | None:
    """The planner's n of the widest map."""
    request = Request(relative_tolerance=tolerance, objective="exactly", density=density)
    try:
        layout = plan_layout(target, request, inputs=Inputs((784,), lower=(0.0,), upper=(1.0,)))
    except ValueError:
        return None
    return max(gadget.candidates for gadget in layout.gadgets.values())


def measured(target, tolerance: float, recipe: Recipe, start: int) -> int | None:
    """The least n of the larger layer, which then has to do for the other, too."""
    ops = sorted(target.graph.maps.values(), key=lambda op: -op.weights)

    def missed(n: int) -> int:
        if recipe.density is not None and not kept_of(recipe.density, n):
            return 1
        return max(misses(target.coefficients[op.map], recipe, op, n, tolerance) for op in ops)

    return least(range(start, MOST_CANDIDATES + 1), missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", nargs="?")
    parser.add_argument("--tolerances", type=float, nargs="+", default=[0.02, 0.002])
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    target = layers_of(options.network)
    weights = target.graph.weights
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="density γ", ylabel="overparameterisation m/m_t = 4n")
    for tolerance, colour in zip(options.tolerances, COLOURS, strict=False):
        one_product = math.log(100 * weights) / (2 * tolerance * math.log(2))
        any_subset = measured(target, tolerance, Recipe(), 8)
        print(f"\ntolerance {tolerance:g} gains; one product: n = {one_product:.0f}; any subset: n = {any_subset}\n")
        print("| γ | k of n, measured | planned n | Theorem 3, fitted | Theorem 5, parameters a weight | m/m_t |")
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        found: dict[float, int | None] = {}
        for density in DENSITIES:
            recipe = Recipe(objective="exactly", density=density)
            found[density] = measured(
                target, tolerance, recipe, max(math.ceil(2 / density), 12) if density < 0.1 else 16
            )
        at = found[0.2]
        constant = 1.0 if at is None else at / theorem_3(0.2, tolerance, weights, 1.0)
        for _ in range(20):  # the constant stands inside, too
            constant *= (at or 1) / theorem_3(0.2, tolerance, weights, constant)
        for density, n in found.items():
            cells = [
                f"{density:g}",
                "none up to 64" if n is None else f"{kept_of(density, n)} of {n}",
                str(planned(target, tolerance, density) or "none up to 64"),
                f"{theorem_3(density, tolerance, weights, constant):.0f}",
                f"{theorem_5(density, tolerance, weights):.1f}",
                "" if n is None else f"{4 * n}",
            ]
            print("|", " | ".join(cells), "|", flush=True)
        known = {density: n for density, n in found.items() if n is not None}
        x = np.geomspace(2e-4, 0.6, 60)
        axes.plot(
            list(known),
            [4 * n for n in known.values()],
            "o-",
            ms=4,
            color=colour,
            label=f"measured, {tolerance:g} gains",
        )
        if tolerance == options.tolerances[0]:
            forms = [4 * theorem_3(g, tolerance, weights, constant) for g in x]
            axes.plot(x, forms, "--", lw=1, color=colour, label=f"Theorem 3, c = {constant:.2g} fitted at γ = 0.2")
            bounds = [theorem_5(g, tolerance, weights) for g in x]
            axes.plot(x, bounds, ":", lw=1.2, color=colour, label="Theorem 5, inverted")
        axes.plot([1 / one_product], [4 * one_product], "^", color=colour, label="one product a weight (Malach)")
        if any_subset is not None:
            axes.plot([0.5], [4 * any_subset], "s", color=colour, label="any subset (Pensia)")
        last = max(known, default=None)
        if last is not None:
            request = Request(relative_tolerance=tolerance, objective="exactly", density=last, candidates=known[last])
            start = time.process_time()
            ticket = construct(target, request, inputs=Inputs((784,), lower=(0.0,), upper=(1.0,)))
            seconds = time.process_time() - start
            print(
                f"\nγ = {last:g}: {ticket.candidates_kept:,} of {ticket.mask_bits:,} candidates kept, "
                f"{ticket.candidates_kept / ticket.mask_bits:.6f}; of all entries {ticket.density:.4f}; "
                f"{ticket.misses} misses; {seconds:.1f} s of a processor"
            )
    where = environment(1)
    print(f"\ncommit {where.commit}, {where.cpu}, 1 thread")
    if options.picture is not None:
        axes.legend(frameon=False, fontsize=7)
        with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 9}):
            about = "Least overparameterisation of tickets of a prescribed density, measured and by the theorems."
            save_picture(figure, options.picture, title="Density and overparameterisation", about=about)


if __name__ == "__main__":
    main()
