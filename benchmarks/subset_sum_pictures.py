"""Pictures for docs/subset_sums.md, one for each form of the problem: `python benchmarks/subset_sum_pictures.py docs`.

Every curve is measured here, with the stream of seed 0; about a minute on one thread.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from slth.numerics import Stream, uniform
from slth.reporting import save_picture
from slth.subsetsum import (
    Status,
    closest_integer,
    closest_many,
    closest_vector,
    first_batch,
    first_large,
    karmarkar_karp,
    perturbed_batch,
    reach,
    trade_off,
    worst_error,
)
from slth.subsetsum.laws import Integers, LiveProducts, Uniform, candidates

BLUE, RED, GREEN, GREY = "#1f77b4", "#d62728", "#2ca02c", "#888888"
MANY = 300


def draw_values(n: int, name: str, count: int = MANY) -> np.ndarray:
    """`count` problems of n values, uniform on [-1, 1)."""
    return candidates(Uniform(-1.0, 1.0), (count, n), path=f"pictures/{name}/{n}")


def draw_targets(name: str, count: int = MANY) -> np.ndarray:
    return uniform(Stream(0, f"pictures/{name}/targets"), (count,)).astype(np.float64)


def share(answers: object) -> float:
    return float(np.mean(answers.codes == tuple(Status).index(Status.WITHIN_TOL)))  # pyright: ignore


def fixed_size(axes: Axes) -> None:
    """Share of problems that exactly k of 16 values solve within a tolerance: it rises, then falls with k."""
    for tol, colour in ((0.1, GREY), (0.01, BLUE), (1e-3, RED)):
        values, targets = draw_values(16, "size"), draw_targets("size")
        y = [share(first_batch(values, targets, tol=tol, size=k)) for k in range(17)]
        axes.plot(range(17), y, "o-", ms=3, color=colour, label=f"within {tol:g}")
    axes.set(xlabel="k, of 16 values exactly", ylabel="problems solved", title="first(…, size=k)")
    axes.legend(frameon=False, fontsize=8)


def fewest(axes: Axes) -> None:
    """Smallest error of a subset of exactly k of 20 values, median and nine tenths: it falls, then rises with k."""
    errors = [trade_off(v, z).error for v, z in zip(draw_values(20, "few", 60), draw_targets("few", 60), strict=True)]
    low, middle, high = np.quantile(errors, (0.1, 0.5, 0.9), axis=0)
    axes.fill_between(range(21), low, high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(range(21), middle, "o-", ms=3, color=BLUE)
    axes.set(xlabel="k, of 20 values exactly", ylabel="smallest error", yscale="log", title="trade_off(…)")


def moved(axes: Axes) -> None:
    """Share of targets that n values reach within 1e-4 if each may move by ε: the more it may, the fewer are needed."""
    sizes = list(range(2, 17, 2))
    for epsilon, colour in ((0.0, GREY), (1e-3, BLUE), (0.01, GREEN), (0.1, RED)):
        y = []
        for n in sizes:
            z = draw_targets("moved") / 2
            answers = perturbed_batch(draw_values(n, "moved"), z, tol=1e-4, most_move=epsilon)
            y.append(share(answers.subsets))
        axes.plot(sizes, y, "o-", ms=3, color=colour, label=f"ε = {epsilon:g}")
    axes.set(xlabel="n", ylabel="within 10⁻⁴", title="perturbed(…, most_move=ε)", xlim=(1.4, 23))
    axes.legend(frameon=False, fontsize=8, loc="center right")


def integers(axes: Axes) -> None:
    """How often a third of the largest integer M is a sum of 16 integers: it falls from 1 to 0 around log M = n."""
    n, ratios = 16, np.linspace(0.3, 1.6, 14)
    y = []
    for ratio in ratios:
        largest = round(2 ** (ratio * n))
        rows = candidates(Integers(largest), (MANY // 2, n), path=f"pictures/integers/{largest}").astype(np.int64)
        hits = [closest_integer(row, largest // 3).error == 0 for row in rows]
        y.append(np.mean(hits))
    axes.plot(ratios, y, "o-", ms=3, color=BLUE)
    axes.axvline(1.0, color=GREY, lw=1, ls="--")
    axes.set(xlabel="log₂(M) / n, n = 16", ylabel="M/3 is a sum", title="closest_integer(…)")


def vectors(axes: Axes) -> None:
    """All sums of ten vectors in the plane, a target, and the path of the vectors whose sum is closest to it."""
    values = candidates(Uniform(-1.0, 1.0), (10, 2), path="pictures/vectors")
    sums = np.zeros((1, 2))
    for row in values:
        sums = np.concatenate([sums, sums + row])
    target = np.array([0.4, -0.3])
    answer = closest_vector(values, target)
    axes.plot(*sums.T, ".", ms=1.5, color=GREY)
    axes.plot(*np.concatenate([np.zeros((1, 2)), np.cumsum(values[answer.kept], 0)]).T, "-", color=BLUE, lw=1.2)
    axes.plot(*target, "+", color=RED, ms=12, mew=2)
    axes.set(xlabel="1,024 sums of 10 vectors", title=f"closest_vector(…): error {answer.error:.2g}")


def large(axes: Axes) -> None:
    """Median error among n values: the solver for many values stays within 1e-9, the differencing method does not."""
    sizes = [50, 100, 200, 500, 1000, 2000]
    ours, theirs = [], []
    for n in sizes:
        rows = candidates(LiveProducts(), (9, n), path=f"pictures/large/{n}").astype(np.float64)
        ours.append(np.median([first_large(row, 0.3, tol=1e-9).error for row in rows]))
        theirs.append(np.median([karmarkar_karp(row, 0.3).error for row in rows]))
    axes.plot(sizes, ours, "o-", ms=3, color=BLUE, label="first_large, tol = 10⁻⁹")
    axes.plot(sizes, np.maximum(theirs, 1e-17), "o-", ms=3, color=GREY, label="karmarkar_karp")
    axes.set(xlabel="n", ylabel="error, median", xscale="log", yscale="log", title="first_large(…)")
    axes.legend(frameon=False, fontsize=8)


def whole_interval(axes: Axes) -> None:
    """Error of the worst target between −1 and 1 over the number of values: it falls as fast as the sums double."""
    sizes = list(range(6, 21, 2))
    errors = [[worst_error(v).error for v in draw_values(n, "worst", 41)] for n in sizes]
    low, middle, high = np.quantile(errors, (0.1, 0.5, 0.9), axis=1)
    axes.fill_between(sizes, low, high, color=BLUE, alpha=0.2, lw=0)
    axes.plot(sizes, middle, "o-", ms=3, color=BLUE)
    axes.set(xlabel="n", ylabel="R(n), worst z in [−1, 1]", yscale="log", title="worst_error(…)")


def proof(axes: Axes) -> None:
    """Share of targets within 0.02 of a sum, as values are added: really reached, and as counted by the proof."""
    rows = draw_values(14, "proof", 100)
    for clipped, colour, label in ((False, BLUE, "really reached"), (True, RED, "counted by the proof")):
        y = np.mean([reach(row, tol=0.02, clipped=clipped).covered for row in rows], axis=0)
        axes.plot(y, "o-", ms=3, color=colour, label=label)
    axes.set(xlabel="values used", ylabel="share of [−1, 1] within 0.02", title="reach(…), mean of 100")
    axes.legend(frameon=False, fontsize=8)


def many(axes: Axes) -> None:
    """Error of the closest sum of ten values, for targets from −2 to 2: small in the middle, large at the ends."""
    row, z = draw_values(10, "many", 1)[0], np.linspace(-2, 2, 1500)
    axes.plot(z, closest_many(row, z).error, color=BLUE, lw=0.7)
    axes.set(
        xlabel="target z, one set of 10 values", ylabel="error", yscale="log", ylim=(1e-5, 3), title="closest_many(…)"
    )


PICTURES: dict[str, Callable[[Axes], None]] = {
    "fixed_size": fixed_size,
    "fewest": fewest,
    "perturbed": moved,
    "integers": integers,
    "vectors": vectors,
    "large": large,
    "worst_error": whole_interval,
    "reach": proof,
    "many_targets": many,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--form", default="svg", choices=("svg", "png"))
    options = parser.parse_args()
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 9}):
        for name, draw in PICTURES.items():
            figure = Figure(figsize=(3.6, 2.7), layout="constrained")
            axes = figure.add_subplot()
            draw(axes)
            axes.title.set_fontsize(9)
            if axes.get_xscale() == "linear" and axes.get_xlim()[1] > 5:
                axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
            place = options.folder / f"subset_sums_{name}.{options.form}"
            title, about = axes.get_title().replace("\n", " "), " ".join((draw.__doc__ or "").split())
            save_picture(figure, place, title=title or name.replace("_", " "), about=about, dpi=100)
            print(place, flush=True)


if __name__ == "__main__":
    main()
