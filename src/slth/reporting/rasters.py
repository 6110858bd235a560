"""Learned masks as pictures, each beside the random control: a mask of the same tensor with as many weights at random.

A mask of shape (out, in, taps...) is drawn as a matrix, one row for each output, one column for each input and tap.
A large matrix is cut into blocks of nearly equal size; a block's shade is the fraction of its weights that is kept.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from slth.reporting.html import Html, percent, plural
from slth.reporting.svg import LEFT, RIGHT, TOP, WIDTH, chart, strokes, words
from slth.ticket import RandomTensor, control_noise, largest

_ROWS, _COLUMNS = 64, 128  # blocks at most
_LARGEST_CELL = 9.0
_SHADES = 8


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """A mask cut into blocks."""

    kept: Float64[np.ndarray, "row column"]  # kept fraction of each block
    rows: int  # of the matrix
    columns: int

    @property
    def block(self) -> tuple[int, int]:
        """Weights of the largest block, down and across."""
        return -(-self.rows // self.kept.shape[0]), -(-self.columns // self.kept.shape[1])

    @property
    def scale(self) -> str:
        """What one cell of the picture is."""
        down, across = self.block
        if down == across == 1:
            return "One cell is one weight."
        return f"One cell is a block of {'up to ' * self._uneven}{down} × {across} weights."

    @property
    def _uneven(self) -> bool:
        down, across = self.block
        return self.rows % down > 0 or self.columns % across > 0


def raster(mask: Bool[np.ndarray, "..."]) -> Raster:
    """A mask as a matrix in blocks.

    >>> raster(np.eye(4, dtype=np.bool_)).kept.shape, raster(np.ones((128, 10), np.bool_)).block
    ((4, 4), (2, 1))
    """
    matrix = mask.reshape(mask.shape[0], -1) if mask.ndim > 1 else mask.reshape(1, -1)
    rows, columns = matrix.shape
    down, across = (_starts(count, most) for count, most in ((rows, _ROWS), (columns, _COLUMNS)))
    sums = np.add.reduceat(np.add.reduceat(matrix, down, axis=0, dtype=np.int64), across, axis=1)
    sizes = np.outer(np.diff([*down, rows]), np.diff([*across, columns]))
    return Raster(sums / sizes, rows, columns)


def random_control(tensor: RandomTensor, seed: int) -> Bool[np.ndarray, "..."]:
    """The tensor's mask in the control `shuffled_mask`: as many weights, those of the largest |u|, ties by index.

    u is uniform, of the stream PATH/control.
    """
    return largest(control_noise(tensor, seed), tensor.kept)


def shades(*pictures: Raster) -> tuple[float, float]:
    """The kept fractions that the palest and the fullest blue stand for, for pictures that are to be compared."""
    if all(picture.block == (1, 1) for picture in pictures):
        return 0.0, 1.0
    return min(float(p.kept.min()) for p in pictures), max(float(p.kept.max()) for p in pictures)


def draw(picture: Raster, ends: tuple[float, float], *, label: str) -> Html:
    """Outputs downwards, inputs to the right; the more a block keeps, the fuller its blue."""
    rows, columns = picture.kept.shape
    cell = min((WIDTH - LEFT - RIGHT) / columns, _LARGEST_CELL)
    low, high = ends
    share = (picture.kept - low) / (high - low) if high > low else np.full_like(picture.kept, 0.5)
    levels = np.ceil(np.clip(share, 0.0, 1.0) * _SHADES).astype(np.int64)
    if picture.block == (1, 1):
        levels = np.where(picture.kept > 0, _SHADES, 0)
    parts = [
        words(LEFT, TOP - 2, "input" if picture.columns > 1 else "", "start"),
        words(LEFT - 6, TOP + 12, "output" if cell * rows > 30 else "out", "end"),
        f'<rect class="ground" x="{LEFT:g}" y="{TOP + 4:g}" width="{columns * cell:.2f}" height="{rows * cell:.2f}"/>',
    ]
    for level in range(1, _SHADES + 1):
        runs = "".join(strokes(row == level, i) for i, row in enumerate(levels))
        if runs:
            place = f'transform="translate({LEFT:g} {TOP + 4:g}) scale({cell:.4f})"'
            shade = "" if level == _SHADES else f' stroke-opacity="{level / _SHADES:g}"'
            width = "" if picture.block == (1, 1) else ' stroke-width="1.02"'
            parts.append(f'<path class="cells"{shade}{width} {place} d="{runs}"/>')
    height = TOP + 8 + rows * cell
    about = (
        f"{plural(picture.rows, 'output')} downwards, {plural(picture.columns, 'input')} to the right. {picture.scale} "
        f"From {percent(float(picture.kept.min()))} to {percent(float(picture.kept.max()))} of a cell kept."
    )
    return chart(parts, height=height, label=label, about=about)


def _starts(count: int, most: int) -> np.ndarray:
    """Where at most `most` nearly equal parts begin."""
    parts = min(count, most)
    return np.arange(parts) * count // parts
