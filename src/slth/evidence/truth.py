"""What the outputs of a network are held against: decided here alone, from what y holds and the shapes of both.

| y                                            | outputs of an input            | held against y by              |
|----------------------------------------------|--------------------------------|--------------------------------|
| whole numbers 0, ..., C - 1                  | C > 1 classes along an axis    | the largest along it           |
| whole numbers 0 and 1, or -1 and 1, or bool  | one along that axis            | its sign; see `Sign`           |
| real numbers                                 | as many                        | their error; see `Errors`      |
| nothing                                      | C > 1, or one, along one axis  | largest or sign, assumed       |
| nothing                                      | several axes                   | nothing: distances alone       |

The axis of the classes is the first, or else the last, without which the outputs have the shape of y: one label for
each input, or one for each position, such as a pixel. Axes of length 1 do not count.
"""

import math
from dataclasses import dataclass

import numpy as np

from slth._errors import InputError
from slth.certificate import Decision, Largest, Sign

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What a prediction is, and what it should be: y in the shape of the predictions, or of the outputs."""

    decision: Decision | None  # None: outputs are numbers, and there are no predictions
    y: np.ndarray | None  # int64 classes, float64 numbers, or nothing is known


def truth_of(y: np.ndarray | None, outputs: Shape, *, sigmoid: bool) -> Truth:
    """Decide.

    Args:
        y: (count, ...), or None.
        outputs: the shape of the network's outputs, (count, ...).
        sigmoid: the outputs are those of a sigmoid, so that one of them tells two classes apart at ½, not at 0.

    Raises:
        InputError: y that fits these outputs in no way.

    >>> truth_of(np.array([2, 0]), (2, 3), sigmoid=False).decision, truth_of(None, (2, 1), sigmoid=True).decision
    (Largest(axis=None), Sign(threshold=0.5))
    """
    sign = Sign(0.5 if sigmoid else 0.0)
    if y is None:
        single = Largest() if len(_axes(outputs)) else sign
        return Truth(single if len(_axes(outputs)) < 2 else None, None)
    if y.dtype.kind == "f":
        return Truth(None, _numbers(y, outputs))
    axis = _axis_of_classes(y.shape, outputs)
    if outputs[axis] == 1:
        _check_two(y)
        return Truth(sign, (y > 0).astype(np.int64).reshape(outputs))
    _check_labels(y, outputs[axis])
    if math.prod(outputs[1:]) == outputs[axis]:
        return Truth(Largest(), y.astype(np.int64).reshape(len(y)))
    return Truth(Largest(axis), y.astype(np.int64).reshape(outputs[:axis] + outputs[axis + 1 :]))


def _axes(shape: Shape) -> Shape:
    """Without the count, and without axes of length 1."""
    return tuple(length for length in shape[1:] if length != 1)


def _axis_of_classes(y: Shape, outputs: Shape) -> int:
    for axis in (1, len(outputs) - 1):
        if _axes(outputs[:axis] + outputs[axis + 1 :]) == _axes(y):
            return axis
    hint = "y.argmax(1) makes labels of one-hot rows" if y == outputs else "is it the right data?"
    raise InputError(
        f"y holds whole numbers of shape {y}, the outputs have shape {outputs}: expected one label per input, shape "
        f"({y[0]},), or one for each position, or real numbers of the outputs' shape, which are held against them by "
        f"their error; {hint}"
    )


def _check_labels(y: np.ndarray, classes: int) -> None:
    low, high = int(y.min()), int(y.max())
    if low < 0:
        raise InputError(f"expected labels as whole numbers from 0, got {y.dtype} from {low}")
    if high >= classes:
        raise InputError(
            f"the labels run from {low} to {high}, the ticket's outputs from 0 to {classes - 1}; is it the right data, "
            "and are its labels counted from 0?"
        )


def _check_two(y: np.ndarray) -> None:
    known = {int(label) for label in np.unique(y)[:3]}
    if not (known <= {0, 1} or known <= {-1, 1}):
        raise InputError(
            f"one output tells two classes apart: expected labels 0 and 1, or -1 and 1, got {int(y.min())} to "
            f"{int(y.max())}; for numbers that the output should meet save real ones: y.astype(float)"
        )


def _numbers(y: np.ndarray, outputs: Shape) -> np.ndarray:
    """float64, of the shape of the outputs, no larger than float32 can be, so that squares do not overflow."""
    if _axes(y.shape) != _axes(outputs):
        raise InputError(
            f"y holds real numbers of shape {y.shape}, the outputs have shape {outputs}: expected the same shape, or "
            "whole numbers as labels, y.astype(int)"
        )
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(y.astype(np.float32)).all(axis=tuple(range(1, y.ndim)))
    if bad.any():
        raise InputError(
            f"y holds NaN, infinity or numbers beyond float32 in {bad.sum()} row(s), the first at index "
            f"{int(bad.argmax())}; remove or repair them"
        )
    return y.astype(np.float64).reshape(outputs)
