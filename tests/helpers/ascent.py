"""A search for the largest value of many numbers at once, each a function of one point; no derivatives needed.

From the best starts follow differences: to the corner that they point to, a ball's edge, or a step. Nothing is assumed
of the functions, so what is found is a lower bound on the maximum, and only that.
"""

import numpy as np

_DIFFERENCE = 1e-6


def largest(numbers, project, starts, *, rng, goals=8, rounds=4):
    """The largest value found of each column.

    Args:
        numbers: points (count, n) -> columns (count, m).
        project: points -> points that are allowed.
        starts: points (count, n).
        goals: how many of the columns are followed, drawn at random beside the last two.
    """
    points = project(starts)
    values = numbers(points)
    found = values.max(axis=0)
    columns = values.shape[1]
    chosen = np.unique(np.r_[rng.choice(columns, min(goals, columns), replace=False), np.arange(columns)[-2:]])
    points = points[values[:, chosen].argmax(axis=0)]
    for _ in range(rounds):
        slopes = _differences(numbers, points, chosen)
        trials = project(np.concatenate(list(_trials(points, slopes, rng))))
        values = numbers(trials)
        found = np.maximum(found, values.max(axis=0))
        own = values.reshape(-1, len(chosen), columns)[:, np.arange(len(chosen)), chosen]  # (trial, goal)
        points = trials.reshape(-1, *points.shape)[own.argmax(axis=0), np.arange(len(chosen))]
    return found


def _differences(numbers, points, chosen):
    """(goal, n): how the column of each goal changes along each coordinate, to the left or to the right at random."""
    goals, n = points.shape
    moved = points[:, None] + _DIFFERENCE * np.eye(n)
    here = numbers(points)[np.arange(goals), chosen]
    there = numbers(moved.reshape(-1, n)).reshape(goals, n, -1)[np.arange(goals), :, chosen]
    return (there - here[:, None]) / _DIFFERENCE


def _trials(points, slopes, rng):
    """The points themselves, corners, parts of corners, the gradient's direction, steps."""
    size = np.linalg.norm(slopes, axis=1, keepdims=True)
    along = slopes / np.where(size == 0, 1.0, size)
    yield points
    yield points + 10 * np.sign(slopes)
    for share in (0.3, 0.7):
        yield np.where(rng.random(points.shape) < share, points + 10 * np.sign(slopes), points)
    for length in (0.3, 1.0, 3.0):
        yield length * along
    for length in (0.01, 0.1, 0.5):
        yield points + length * along
    yield points + 0.1 * rng.normal(size=points.shape)
    yield np.where(rng.random(points.shape) < 0.2, -points, points)
