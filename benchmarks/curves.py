"""The table of a sweep as curves: a line per row, the column axis logarithmic; bars are standard deviations over seeds.

slth sweep recipes/mnist_magnitude.toml
python benchmarks/curves.py recipes/mnist_magnitude-results/table.csv --out docs/magnitude.svg
"""

import argparse
import csv
from collections import defaultdict

from matplotlib import rc_context
from matplotlib.figure import Figure

from slth.reporting import save_picture

COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", help="table.csv of a sweep")
    parser.add_argument("--title", default="")
    parser.add_argument("--lowest", type=float, help="where the accuracy axis begins")
    parser.add_argument("--out", required=True, help="a picture, .svg or .png")
    options = parser.parse_args()
    with open(options.table, newline="") as file:
        reader = csv.DictReader(file)
        rows, columns, value = list(reader.fieldnames or [])[:3]
        curves: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
        for row in reader:
            if row[value]:
                point = (float(row[columns]), float(row[value]), float(row["standard deviation"] or 0))
                curves[row[rows]].append(point)
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 10}):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.add_subplot()
        for (name, points), colour in zip(curves.items(), COLOURS, strict=False):
            x, y, spread = zip(*sorted(points), strict=True)
            axes.errorbar(x, y, spread, label=name, color=colour, marker="o", ms=4, capsize=3, lw=1.5)
        axes.set_xscale("log")
        axes.set_xlabel(f"{columns} (kept fraction)" if columns == "density" else columns)
        axes.set_ylabel(value)
        axes.set_ylim(bottom=options.lowest)
        axes.invert_xaxis()
        ticks = sorted({x for points in curves.values() for x, _, _ in points})
        axes.set_xticks(ticks, [f"{x:.2g}" for x in ticks], rotation=45)
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.set_title(options.title, fontsize=10)
        axes.legend(frameon=False)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        about = (
            f"{value} over {columns}, a curve for each of {', '.join(curves)}; bars: standard deviations over seeds."
        )
        save_picture(figure, options.out, title=options.title or f"{value} over {columns}", about=about)


if __name__ == "__main__":
    main()
