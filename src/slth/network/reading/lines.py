"""What a line x ↦ g x + t does to the numbers beside it, in an order of additions that no platform changes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from slth.graph import Add, Affine, Linear, spread
from slth.network.reading.draft import Step


@dataclass(frozen=True, slots=True)
class Line:
    """x ↦ g x + t: arrays with as many axes as x, size 1 along every axis whose entries share them."""

    g: np.ndarray
    t: np.ndarray
    steps: tuple[str, ...] = ()  # those that it stands for, by name

    @property
    def shifts(self) -> bool:
        """t ≠ 0."""
        return bool(self.t.any())

    @property
    def nothing(self) -> bool:
        """g = 1 and t = 0."""
        return bool((self.g == 1).all()) and not self.shifts

    @property
    def factor(self) -> float | None:
        """g, if it is one number, not 0, and t = 0."""
        return self.g.item() if self.g.size == 1 and self.g.item() != 0 and not self.shifts else None

    def each(self, act: Callable[[np.ndarray], np.ndarray]) -> "Line":
        """As the values move."""
        return Line(spread.smallest(act(self.g)), spread.smallest(act(self.t)), self.steps)


def scale_outputs(step: Step, g: np.ndarray, t: np.ndarray) -> None:
    """C'[o, ...] = g_o C[o, ...], b' = g b + t."""
    affine, basis = step.numbers, step.op.basis
    bias = t if affine.bias is None else g * affine.bias + t
    bias = bias if affine.bias is not None or t.any() else None
    _renumber(step, affine.weight * _rows(g, step)[:, :, None], bias)
    assert bias is None or len(bias) == basis.outputs


def _rows(g: np.ndarray, step: Step) -> np.ndarray:
    """One number per output as (row, inp): the row of each input's own group."""
    basis = step.op.basis
    group = np.arange(basis.inputs) * basis.groups // basis.inputs
    return g.reshape(basis.groups, -1)[group].T


def scale_inputs(step: Step, g: np.ndarray, t: np.ndarray) -> None:
    """C'[o, j, p] = C[o, j, p] g_j, b'_o = b_o + Σ C[o, j, p] t_j over o's group."""
    affine, groups = step.numbers, step.op.basis.groups
    bias = affine.bias
    if t.any():
        rows = [(row * t[:, None]).reshape(groups, -1) for row in affine.weight]
        shift = np.stack([np.add.accumulate(row, axis=1)[:, -1] for row in rows], axis=1).reshape(-1)
        bias = shift if bias is None else bias + shift
    _renumber(step, affine.weight * g[:, None], bias)


def _renumber(step: Step, weight: np.ndarray, bias: np.ndarray | None) -> None:
    step.affine = Affine(np.ascontiguousarray(weight), bias)
    step.op = Linear("", step.op.basis, bias is not None)


def take(step: Step, line: Line) -> None:
    """The steps of a line are in the numbers of a map."""
    step.folded += line.steps


def compose(step: Step, line: Line) -> None:
    """g₂ (g₁ x + t₁) + t₂."""
    step.arrays = {
        "scale": spread.smallest(line.g * step.scale),
        "shift": spread.smallest(line.g * step.shift + line.t),
    }
    step.folded += line.steps


def compose_before(step: Step, line: Line) -> None:
    """g₂ (g₁ x + t₁) + t₂, told to the second."""
    step.arrays = {
        "scale": spread.smallest(step.scale * line.g),
        "shift": spread.smallest(step.scale * line.t + step.shift),
    }
    step.folded += line.steps


def scale_terms(step: Step, factor: float, name: str | None = None) -> None:
    """A factor for a whole sum, or for the term of one name."""
    step.op = Add(
        tuple(
            c * factor if name in (None, value) else c
            for c, value in zip(step.op.coefficients, step.inputs, strict=True)
        )
    )
