r"""What a network predicts, given its outputs, and when no small change of the outputs changes that.

z: outputs of a network at an input; ẑ: those of another one, with |ẑ - z| ≤ e for each output and ‖ẑ - z‖₂ ≤ a.
"""

from dataclasses import dataclass

import numpy as np

from slth._shapes import AnyOutputs, Classes, OutputValues, Verdicts
from slth.numerics import above


@dataclass(frozen=True, slots=True)
class Largest:
    r"""The class is the index of the largest output: of all, or along an axis, one class for each position.

    Class c stays ahead of r if $z_c - z_r > e_c + e_r$, or if $z_c - z_r > \sqrt2\,a$, since
    $|v_c - v_r| \le \sqrt2 \lVert v\rVert_2$. Either will do, for each r by itself; a tie is never certain.

    >>> Largest().classes(np.array([[0.5, 2.0, -1.0]]))
    array([1])
    """

    axis: int | None = None  # of outputs (batch, ...); None: all outputs of an input are its classes

    def classes(self, outputs: AnyOutputs) -> Classes:
        """The class of each input, or of each position of it."""
        return self._last(outputs).argmax(axis=-1)

    @np.errstate(over="ignore", invalid="ignore")  # a comparison with NaN is False: not certain
    def certain(
        self, outputs: OutputValues, *, rounding: OutputValues, error: OutputValues, error_norm: np.ndarray
    ) -> Verdicts:
        """Is the largest output ahead of each other one by more than both can move? `above` covers the difference, too.

        Args:
            outputs: z up to rounding, (batch, ...).
            rounding: bounds on |outputs - z|.
            error: e; error_norm: a, (batch,).
        """
        z, off, e = (self._last(part) for part in (outputs, rounding, error))
        best = z.argmax(axis=-1, keepdims=True)
        top, top_off, top_e = (np.take_along_axis(part, best, axis=-1) for part in (z, off, e))
        joint = above(np.sqrt(2.0) * error_norm, 2).reshape(-1, *(1 for _ in z.shape[1:]))
        needed = above(np.minimum(e + top_e, joint) + (off + top_off), 4)
        ahead = top - z > needed
        np.put_along_axis(ahead, best, True, axis=-1)
        return np.asarray(ahead.all(axis=-1))

    def _last(self, outputs: np.ndarray) -> np.ndarray:
        """The classes along the last axis."""
        if self.axis is None:
            return outputs.reshape(len(outputs), int(np.prod(outputs.shape[1:])))
        return np.moveaxis(outputs, self.axis, -1)


@dataclass(frozen=True, slots=True)
class Sign:
    r"""Each output decides by itself: class 1 where it is above a threshold t, else class 0.

    The class stays if $|z - t| > \min(e, a)$: then ẑ lies on the same side of t as z. An output at t is never certain.

    >>> Sign(0.5).classes(np.array([[0.75], [0.5]]))
    array([[1],
           [0]])
    """

    threshold: float = 0.0

    def classes(self, outputs: AnyOutputs) -> Classes:
        """The class of each output."""
        return (outputs > self.threshold).astype(np.int64)

    @np.errstate(over="ignore", invalid="ignore")
    def certain(
        self, outputs: OutputValues, *, rounding: OutputValues, error: OutputValues, error_norm: np.ndarray
    ) -> Verdicts:
        """Is each output further from the threshold than it can move? Arguments as of `Largest.certain`."""
        joint = error_norm.reshape(-1, *(1 for _ in outputs.shape[1:]))
        return np.abs(outputs - self.threshold) > above(np.minimum(error, joint) + rounding, 4)


Decision = Largest | Sign  # how a prediction is made of outputs
