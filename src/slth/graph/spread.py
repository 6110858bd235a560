"""Arrays that say one thing for many entries: size 1 along every axis whose entries share it.

A bound or a sign per channel of an image is an array (channels, 1, 1). Reshape, permute, slice, pad and concatenate act
on it as on the values that it speaks of, and it stays as small as it can.
"""

import math
from collections.abc import Sequence

import numpy as np

from slth.graph.bases import Shape


def counts(shape: Shape) -> set[int]:
    """So many numbers speak of every entry: one for all, one for each index of the first axis, one for each."""
    return {1, shape[0], math.prod(shape)}


def over(values: Sequence[float], shape: Shape) -> np.ndarray:
    """So many numbers as an array that broadcasts against the shape; each entry in C order, if they are that many.

    >>> over([0.5, 0.25], (2, 3, 3)).shape
    (2, 1, 1)
    """
    array = np.asarray(values, np.float64)
    return array.reshape(shape) if array.size == math.prod(shape) else array.reshape(-1, *(1 for _ in shape[1:]))


def bounds_listed(array: np.ndarray, shape: Shape, *, most: int) -> tuple[float, ...]:
    """The inverse of `over` for upper bounds: where `listed` would need more numbers than `most`, the largest of each
    index of the first axis, or of all.

    >>> bounds_listed(np.array([[0.5, 0.25]]), (3, 2), most=6), bounds_listed(np.array([[0.5, 0.25]]), (3, 2), most=5)
    ((0.5, 0.25, 0.5, 0.25, 0.5, 0.25), (0.5,))
    """
    if len(shape) == 1 or array.size in (1, array.shape[0]) or math.prod(shape) <= most:
        return listed(array, shape)
    return listed(array.max(axis=tuple(range(1, array.ndim)), keepdims=True), shape)


def listed(array: np.ndarray, shape: Shape) -> tuple[float, ...]:
    """The inverse: as few numbers as say it. Of values of one axis each entry has its own, as version 1 wants it.

    >>> listed(np.array([[0.5], [0.25]]), (2, 3)), listed(np.array([0.5]), (2,))
    ((0.5, 0.25), (0.5, 0.5))
    """
    shared = len(shape) > 1 and array.size in (1, array.shape[0])
    return tuple((array if shared else full(array, shape)).ravel().tolist())


def full(array: np.ndarray, shape: Shape) -> np.ndarray:
    """One entry for each of the value's."""
    return np.broadcast_to(array, shape)


def reshape(array: np.ndarray, shape: Shape, new: Shape) -> np.ndarray:
    """As the value, from one shape to another. Axes that share their entries do so in those that come of them alone.

    >>> reshape(np.zeros((1, 6)), (5, 6), (5, 2, 3)).shape
    (1, 2, 3)
    """
    own: list[int] = []  # sizes of the array along the new axes
    kept: list[int] = []  # and along the old ones
    for old_axes, new_axes in _together(shape, new):
        sizes = [array.shape[axis] for axis in old_axes]
        shared = all(size == 1 for size in sizes)
        kept += sizes if shared else [shape[axis] for axis in old_axes]
        own += [1 if shared else new[axis] for axis in new_axes]
    return np.ascontiguousarray(np.broadcast_to(array, kept)).reshape(own)


def _together(shape: Shape, new: Shape) -> list[tuple[range, range]]:
    """Runs of axes of both shapes, as short as they can be, with as many entries in the one as in the other."""
    runs: list[tuple[range, range]] = []
    i = j = 0
    while i < len(shape) or j < len(new):
        first, start, left, right = i, j, 1, 1
        while left != right or (i, j) == (first, start):
            if j == len(new) or (i < len(shape) and left <= right):
                left, i = left * shape[i], i + 1
            else:
                right, j = right * new[j], j + 1
        runs.append((range(first, i), range(start, j)))
    return runs


def permute(array: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Axis i is axis order[i]."""
    return array.transpose(order)


def take(array: np.ndarray, axis: int, indices: slice) -> np.ndarray:
    """A slice along an axis; shared entries stay shared."""
    return array if array.shape[axis] == 1 else array[(slice(None),) * axis + (indices,)]


def join(arrays: Sequence[np.ndarray], values: Sequence[Shape], axis: int) -> np.ndarray:
    """Side by side along an axis."""
    sizes = [max(array.shape[i] for array in arrays) for i in range(len(values[0]))]
    parts: list[np.ndarray] = []
    for array, shape in zip(arrays, values, strict=True):
        own = tuple(shape[i] if i == axis else size for i, size in enumerate(sizes))
        parts.append(np.broadcast_to(array, own))
    return np.concatenate(parts, axis=axis)


def surround(array: np.ndarray, shape: Shape, padding: Sequence[int], value: float | bool) -> np.ndarray:
    """With padding around the axes that have some; those become full."""
    axes = len(shape)
    padded = [i for i in range(axes) if padding[i] or padding[axes + i]]
    own = tuple(shape[i] if i in padded else array.shape[i] for i in range(axes))
    ends = [(padding[i], padding[axes + i]) for i in range(axes)]
    return np.pad(np.broadcast_to(array, own), ends, constant_values=value)


def smallest(array: np.ndarray) -> np.ndarray:
    """Size 1 along every axis whose entries are all the same."""
    for axis in range(array.ndim):
        first = array.take([0], axis=axis)
        if array.shape[axis] > 1 and (array == first).all():
            array = first
    return array
