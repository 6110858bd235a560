"""Projected SGD, then edge-popup: ε-perturbed tickets (Xiong, Liao and Kyrillidis, *Strong lottery ticket hypothesis
with ε-perturbation*, AISTATS 2023, Algorithm 1).

    W ← W₀;  for t = 0 ... T − 1:  W ← W₀ + clip(W − α_t ∇L(W) − W₀, −ε, ε)         nothing pruned
    best ← ∞;  for every level, from dense to sparse:
        (loss, M) ← edge-popup on the frozen W                                          loss: of training
        keep (loss, M, level) if loss ≤ best                                            ties go to the sparser level

One search does all of it. Every level starts with the same scores, and sees the examples in the same order: it is what
a search for this density alone gives. A density alone is one level: nothing is chosen.

The ticket stores what moved: Δ = W − W₀ of the kept weights, and max |Δ| ≤ ε is checked. It is a strong ticket if ε = 0
only.

Where we differ: ε is in the unit of the weights; the levels are densities, 1 − s, and 1 is among them by default (the
paper's table has s = 0, its algorithm starts at 0.1). The printed step is plain: momentum and a schedule of the rate
are options, 0 and constant unless asked for. The paper's other settings are not recorded.
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks, bound32
from slth.learning.methods import levels
from slth.learning.methods.edge_popup import TopScores, top_scores_of
from slth.learning.policy import Policy
from slth.learning.selection import count_kept
from slth.learning.training import Stage, Training

LEVELS = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(frozen=True, slots=True)
class PerturbedEdgePopup:
    """PGD + StrongLTH.

    Attributes:
        density: kept fraction of every layer, in (0, 1]; 1 keeps all: projected SGD alone. Several: the one with the
            lowest training loss is chosen, of equal ones the smallest.
        most_move: ε ≥ 0, the largest move of a weight, in the unit of the weights.
        epochs_weights, lr_weights, momentum_weights, schedule_weights: of the projected SGD, which has no weight decay.
    """

    density: float | tuple[float, ...] = LEVELS
    most_move: float = 0.01
    epochs_weights: float = 3.0
    lr_weights: float = 0.2
    momentum_weights: float = 0.0
    schedule_weights: Literal["constant", "cosine"] = "constant"

    def __post_init__(self) -> None:
        if isinstance(self.density, tuple | list):
            object.__setattr__(self, "density", _from_dense_to_sparse(self.density))
        else:
            count_kept(self.density, 1)
        if not (np.isfinite(self.most_move) and self.most_move >= 0):
            raise InputError(f"most_move, the largest move of a weight, must be a number >= 0; got {self.most_move}")
        if not 0 <= self.momentum_weights < 1:
            raise InputError(f"momentum_weights must be at least 0 and below 1, got {self.momentum_weights}")
        if self.schedule_weights not in ("constant", "cosine"):
            raise InputError(f"schedule_weights: expected constant or cosine, got {self.schedule_weights!r}")

    @property
    def strong(self) -> bool:
        """Nothing but the mask is learned."""
        return self.most_move == 0

    @property
    def move_bound(self) -> float | None:
        """ε, rounded down to a float32."""
        return bound32(self.most_move) if self.most_move > 0 else None

    @property
    def policy(self) -> Policy:
        return Policy(law="kaiming_normal")

    @property
    def training(self) -> Training:
        return Training(epochs=0.5, lr=0.07, weight_decay=0.0)

    def mask(self, tensor: MaskedParameter) -> TopScores:
        mask = TopScores(tensor.uniform("scores"), tensor.kept)
        for name, bound in zip(("low", "high"), box(tensor.values(), self.most_move), strict=True):
            mask.register_buffer(name, bound, persistent=False)
        return mask

    def prepare(self, masks: Masks) -> None:
        """Several levels need a memory, and one model."""
        if isinstance(self.density, tuple):
            if masks.policy.scaled:
                raise InputError(
                    "scaled weights depend on the density, and all levels share one model: leave scaled out, or search "
                    "for one density at a time"
                )
            levels.prepare(masks)

    def stages(self, training: Training) -> list[Stage]:
        weights = self._weights(training)
        moving = Stage(
            "projected-sgd",
            weights,
            moving="weights",
            begin=_keep_all,
            after_step=self._project,
            end=self._project,
            shared=f"projected-sgd most_move {self.most_move!r} {asdict(weights)!r}",
        )
        if isinstance(self.density, tuple):
            return self._stages_of_levels(moving, training, self.density)
        scores = Stage("edge-popup", training, moving="scores", begin=_keep_some)
        if self.density == 1:
            return [moving] if self.most_move > 0 else [scores]
        return [moving, scores] if self.most_move > 0 else [scores]

    def _weights(self, training: Training) -> Training:
        """Of the projected run: batch, precision and the like are those of the scores."""
        return replace(
            training,
            epochs=self.epochs_weights,
            lr=self.lr_weights,
            optimizer="sgd",
            momentum=self.momentum_weights,
            weight_decay=0.0,
            schedule=self.schedule_weights,
            warmup=0.0,
        )

    def _stages_of_levels(self, moving: Stage, training: Training, densities: tuple[float, ...]) -> list[Stage]:
        """Of density 1, where weights move, the projected run is the level: nothing is left to learn."""
        stages: list[Stage] = []
        if self.most_move > 0:
            stages.append(replace(moving, end=self._start_levels))
        for number, density in enumerate(densities):
            choose = partial(levels.choose, density=density, last=number == len(densities) - 1)
            if density == 1 and self.most_move > 0:
                stages[-1] = replace(stages[-1], choose=choose)
                continue
            begin = partial(levels.begin, density=density)
            name = f"edge-popup {density}"
            stages.append(Stage(name, training, moving="scores", begin=begin, choose=choose, key="edge-popup"))
        return stages

    def _start_levels(self, masks: Masks) -> None:
        self._project(masks)
        levels.start(masks)

    def _project(self, masks: Masks) -> None:
        with torch.no_grad():
            for tensor in masks:
                mask = top_scores_of(tensor)
                tensor.original.clamp_(mask.get_buffer("low"), mask.get_buffer("high"))


def box(start: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """The smallest and the largest float32 within ε of each W₀, in exact arithmetic: rounded towards W₀."""

    def above(exact: np.ndarray) -> np.ndarray:
        total = exact + epsilon  # float64; the error of this sum is a float64, too (Knuth's two-sum)
        back = total - exact
        error = (exact - (total - back)) + (epsilon - back)
        near = total.astype(np.float32)
        over = (near > total) | ((near == total) & (error < 0))
        return np.where(over, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)

    exact = start.double().numpy()
    return torch.from_numpy(-above(-exact)), torch.from_numpy(above(exact))


def _from_dense_to_sparse(densities: tuple[float, ...]) -> tuple[float, ...]:
    """The levels in the order they are searched: of equal losses the later one counts."""
    for density in densities:
        count_kept(density, 1)
    ordered = tuple(sorted((float(density) for density in densities), reverse=True))
    if not ordered or len(set(ordered)) < len(ordered):
        given = ", ".join(map(str, densities)) or "none"
        raise InputError(f"density: expected one kept fraction or several different ones, such as 0.9,0.5; got {given}")
    return ordered


def _keep_all(masks: Masks) -> None:
    for tensor in masks:
        top_scores_of(tensor).kept = tensor.size


def _keep_some(masks: Masks) -> None:
    for tensor in masks:
        top_scores_of(tensor).kept = tensor.kept
