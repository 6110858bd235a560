"""The picture of a run of examples/train_prune_rewind.py: `python benchmarks/training_strip.py docs/strip.svg`.

Sixteen neurons of the first layer, the ones that the second training uses most; each is an image of its 64 weights,
blue where positive, orange where negative, empty where pruned. About ten seconds on one thread.
"""

import argparse
import runpy
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from slth.reporting import save_picture

BLUE, ORANGE, MIDDLE, GREY = "#2a6fbb", "#c26a10", "#f1ece4", "#6e7781"
SIDE, GAP = 4, 1  # neurons in a row of a picture, pixels between them
RUN = Path(__file__).parents[1] / "examples/train_prune_rewind.py"


def tiles(neurons: np.ndarray) -> np.ndarray:
    """16 neurons of 64 weights as one image; not-a-number where nothing is."""
    step = 8 + GAP
    image = np.full((SIDE * step - GAP, SIDE * step - GAP), np.nan)
    for k, neuron in enumerate(neurons):
        row, column = divmod(k, SIDE)
        image[step * row : step * row + 8, step * column : step * column + 8] = neuron.reshape(8, 8)
    return np.where(image == 0, np.nan, image)


def frame(axes: Axes) -> None:
    """A faint square behind each neuron, so that what was pruned is seen."""
    for k in range(SIDE**2):
        row, column = divmod(k, SIDE)
        corner = ((8 + GAP) * column - 0.5, (8 + GAP) * row - 0.5)
        axes.add_patch(Rectangle(corner, 8, 8, facecolor=GREY, alpha=0.13, linewidth=0, zorder=0))


def draw(panels: list) -> Figure:
    """The first four in a row with arrows, the fifth beside them."""
    shown = panels[3][2].norm(dim=1).topk(SIDE**2).indices
    colours = LinearSegmentedColormap.from_list("weights", [ORANGE, MIDDLE, BLUE])
    figure = Figure(figsize=(12, 2.75))
    words = ("train", "prune", "rewind", "train again", "only prune")
    for i, ((_, accuracy, layer), word) in enumerate(zip(panels, words, strict=True)):
        left = 0.006 + 0.196 * i + 0.03 * (i == 4)
        axes = figure.add_axes((left, 0.12, 0.166, 0.166 * 12 / 2.75))
        neurons = layer[shown].numpy()
        size = np.quantile(np.abs(neurons[neurons != 0]), 0.95)
        frame(axes)
        axes.imshow(tiles(neurons), cmap=colours, vmin=-size, vmax=size, interpolation="nearest")
        axes.set(xlim=(-0.5, 34.5), ylim=(34.5, -0.5))
        axes.set_axis_off()
        kept = (layer != 0).float().mean().item()
        figure.text(left, 0.895, word, fontsize=14, weight="bold")
        figure.text(left + 0.166, 0.895, f"{accuracy:.1%}", fontsize=14, ha="right")
        state = ("as trained", "as trained", "as at the start", "as trained", "never trained")[i]
        said = "every weight" if kept == 1 else f"{kept:.0%} kept"
        figure.text(
            left,
            0.045,
            f"{said}, {state}",
            fontsize=9,
        )
        if 0 < i < 4:
            figure.text(left - 0.015, 0.46, "→", fontsize=17, ha="center", color=GREY)
    figure.add_artist(Line2D([0.802, 0.802], [0.04, 0.96], color=GREY, alpha=0.5, linewidth=1))
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    panels = runpy.run_path(str(RUN))["panels"]
    accuracies = ", ".join(f"{name} {accuracy:.1%}" for name, accuracy, _ in panels)
    about = (
        f"Sixteen neurons of one layer, each an image of its 64 weights, five times. On the test digits: {accuracies}."
    )
    title = "Train, prune, rewind, train; beside: prune"
    print(save_picture(draw(panels), parser.parse_args().out, title=title, about=about))


if __name__ == "__main__":
    main()
