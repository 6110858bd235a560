"""The standard augmentation of small images: a random crop after zero padding, and a random horizontal flip.

The random numbers are arguments, so the caller decides where they come from, and the same numbers give the same batch.

Sources: He, Zhang, Ren, Sun, Deep Residual Learning (CVPR 2016), section 4.2: 4 pixels on each side; Lee et al.,
Deeply-Supervised Nets (AISTATS 2015).
"""

import numpy as np
from jaxtyping import Bool
from numpy.lib.stride_tricks import sliding_window_view

from slth._errors import InputError
from slth.data._examples import Images, Shifts

SHIFT = 4  # pixels: the usual range of shifts is -SHIFT to SHIFT


def augmented(batch: Images, shifts: Shifts, flips: Bool[np.ndarray, " batch"]) -> Images:
    r"""Move each image by its own offset, then mirror those that are to be flipped.

    $y_{icrs} = x_{i,c,\,r + a_i,\,t + b_i}$ with $t = s$, or $t = W - 1 - s$ where `flips` is set, and 0 wherever
    that is outside the image. Black must be 0, so standardise afterwards. Cropping at a uniform place from the image
    with 4 pixels of zeros around it is $a_i, b_i$ uniform in {-4, ..., 4}.

    Args:
        batch: $x$, shape (batch, C, H, W), uint8 or float32; not modified.
        shifts: $(a_i, b_i)$, shape (batch, 2): how far the window moves down and to the right, $|a_i| \le H$,
            $|b_i| \le W$.
        flips: shape (batch,).

    Returns:
        A new array of the shape and dtype of `batch`.

    Raises:
        InputError: a shift is larger than the image.

    Cost, one core: 128 images of 3 x 32 x 32 take about 0.7 ms as uint8, 1 ms as float32.

    >>> x = np.arange(4, dtype=np.uint8).reshape(1, 1, 2, 2)
    >>> augmented(x, np.array([[1, 0]]), np.array([True]))[0, 0].tolist()
    [[3, 2], [0, 0]]
    """
    height, width = batch.shape[2:]
    if not len(batch):
        return batch.copy()
    down, right = np.abs(shifts).max(axis=0).tolist()
    if down > height or right > width:
        raise InputError(
            f"expected shifts of at most {height} down and {width} to the right, the size of the images, "
            f"got {down} and {right}"
        )
    padded = np.zeros((*batch.shape[:2], height + 2 * down, width + 2 * right), batch.dtype)
    padded[:, :, down : down + height, right : right + width] = batch
    windows = sliding_window_view(padded, (height, width), axis=(2, 3))  # (batch, C, a, b, H, W)
    moved = windows[np.arange(len(batch)), :, shifts[:, 0] + down, shifts[:, 1] + right]
    moved[flips] = moved[flips, :, :, ::-1]
    return moved
