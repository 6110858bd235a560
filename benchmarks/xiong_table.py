"""The table of Xiong, Liao and Kyrillidis (AISTATS 2023) beside ours.

    slth sweep recipes/xiong.toml
    python benchmarks/xiong_table.py recipes/xiong-results/table.csv --out docs/xiong.svg

Rows are the pruned fraction, as published; columns ε. Their network and optimiser settings are not published: shapes
are to be compared, cell by cell, not the mean alone (a constant 0.86 differs by 0.10 on average).
"""

import argparse
import csv

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from slth.reporting import save_picture
from slth.reproductions.learning.xiong import EPSILONS, PRUNED, PUBLISHED


def read(path: str) -> np.ndarray:
    """Our table, in the published order, below it the row s = 0.9, which only ours has; every cell must be there."""
    rows = (*PRUNED, 0.9)
    found = np.full((len(rows), len(EPSILONS)), np.nan)
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            pruned = rows.index(round(1 - float(row["density"]), 6))
            found[pruned, EPSILONS.index(float(row["most_move"]))] = float(row["accuracy"] or "nan")
    if np.isnan(found).any():
        raise SystemExit(
            f"{path}: {int(np.isnan(found).sum())} of {found.size} cells are missing; finish the sweep first"
        )
    return found


def draw(ours: np.ndarray, path: str) -> None:
    """Both tables and their difference, side by side."""
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(14, 4.2), layout="constrained")
        axes = figure.subplots(1, 3, sharey=True)
        panels = (
            ("published", PUBLISHED, "Blues", 0.0),
            ("ours", ours, "Blues", 0.0),
            ("ours − published", ours - PUBLISHED, "RdBu", -1.0),
        )
        for place, (title, values, colours, low) in zip(axes, panels, strict=True):
            place.imshow(values, cmap=colours, vmin=low, vmax=1.0, aspect="auto")
            place.set_title(title)
            place.set_xticks(range(len(EPSILONS)), [f"{e:g}" for e in EPSILONS], rotation=45)
            place.set_yticks(range(len(PRUNED)), [f"{s:g}" for s in PRUNED])
            place.set_xlabel("ε")
            for (i, j), value in np.ndenumerate(values):
                dark = abs(value) > 0.6
                place.text(
                    j, i, f"{value:.2f}", ha="center", va="center", fontsize=7, color="white" if dark else "#111111"
                )
            if low == 0.0:
                place.plot(np.arange(len(EPSILONS)), values.argmax(0), "o", mfc="none", mec="#d62728", ms=16)
        axes[0].set_ylabel("pruned fraction s = 1 − density")
        figure.suptitle("Accuracy of projected SGD in the ε-box and edge-popup on MNIST; circles: the best s of each ε")
        about = "Accuracy by pruned fraction and ε: as published, as measured here, and the difference, cell by cell."
        save_picture(figure, path, title="The table of Xiong, Liao and Kyrillidis beside ours", about=about)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="table.csv of the sweep")
    parser.add_argument("--out", help="a picture, .svg or .png")
    options = parser.parse_args()
    *shared, last = read(options.table)
    ours = np.array(shared)
    difference = np.abs(ours - PUBLISHED)
    near = int((difference <= 0.05).sum())
    print(f"mean |difference| {difference.mean():.3f}, largest {difference.max():.2f}, {near} of 99 within 0.05")
    print("| ε | best s published | best s ours | mean abs. difference of the column |")
    print("| --- | --- | --- | --- |")
    for column, epsilon in enumerate(EPSILONS):
        best = [PRUNED[values[:, column].argmax()] for values in (PUBLISHED, ours)]
        print(f"| {epsilon:g} | {best[0]:g} | {best[1]:g} | {difference[:, column].mean():.3f} |")
    print(f"s = 0.9, not published: {', '.join(f'{value:.3f}' for value in last)}")
    if options.out:
        draw(ours, options.out)


if __name__ == "__main__":
    main()
