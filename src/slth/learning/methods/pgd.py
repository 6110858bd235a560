"""Projected SGD, then edge-popup: ε-perturbed tickets (Xiong, Liao and Kyrillidis, *Strong lottery ticket hypothesis
with ε-perturbation*, AISTATS 2023).

    W ← W₀
    repeat   W ← W₀ + clip(W − α ∇L − W₀, −ε, ε)          projected SGD, nothing pruned
    for every density: scores by edge-popup on the frozen W; the density with the lowest loss stays

The ticket stores what moved: Δ = W − W₀ of the kept weights, and max |Δ| ≤ ε is checked. It is a strong ticket if ε = 0
only.

Where we differ: the paper's settings are not recorded; ε is in the unit of the weights. The projected run does not
depend on the densities: it can be shared by all of them.
"""

from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks, bound32
from slth.learning.methods.edge_popup import TopScores, top_scores_of
from slth.learning.policy import Policy
from slth.learning.selection import count_kept
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True)
class PerturbedEdgePopup:
    """PGD + StrongLTH.

    Attributes:
        density: kept fraction of every layer, in (0, 1]; 1 keeps all: projected SGD alone.
        most_move: ε ≥ 0, the largest move of a weight, in the unit of the weights.
        epochs_weights, lr_weights: epochs and rate of the projected SGD, constant, momentum 0.9, no weight decay.
    """

    density: float = 0.5
    most_move: float = 0.01
    epochs_weights: float = 3.0
    lr_weights: float = 0.02

    def __post_init__(self) -> None:
        count_kept(self.density, 1)
        if not (np.isfinite(self.most_move) and self.most_move >= 0):
            raise InputError(f"most_move, the largest move of a weight, must be a number >= 0; got {self.most_move}")

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
        """Nothing more."""

    def stages(self, training: Training) -> list[Stage]:
        weights = replace(
            training,
            epochs=self.epochs_weights,
            lr=self.lr_weights,
            optimizer="sgd",
            momentum=0.9,
            weight_decay=0.0,
            schedule="constant",
            warmup=0.0,
        )
        moving = Stage(
            "projected-sgd",
            weights,
            moving="weights",
            begin=_keep_all,
            after_step=self._project,
            end=self._project,
            shared=f"projected-sgd most_move {self.most_move!r} {asdict(weights)!r}",
        )
        scores = Stage("edge-popup", training, moving="scores", begin=_keep_some)
        if self.density == 1:
            return [moving] if self.most_move > 0 else [scores]
        return [moving, scores] if self.most_move > 0 else [scores]

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


def _keep_all(masks: Masks) -> None:
    for tensor in masks:
        top_scores_of(tensor).kept = tensor.size


def _keep_some(masks: Masks) -> None:
    for tensor in masks:
        top_scores_of(tensor).kept = tensor.kept
