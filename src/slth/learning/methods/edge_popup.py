"""Edge-popup: learn which random weights to keep (Ramanujan et al., *What's hidden in a randomly weighted neural
network?*, CVPR 2020).

Every weight has a score s ~ U[−1, 1)/√fan_in (Kaiming uniform with a = √5). Forward: the k = ⌈density · N⌉ weights with
the largest |s| of a layer (or of the whole network), the others 0. Backward: straight through the selection to |s|.
SGD moves the scores; the weights never move.

Where we differ: ties are broken by index; "scaled" multiplies the weights by √(1/density), while the released code
divides fan_in by using 1 − density, which is the same at density ½ only; the global variant ramps its density down,
since a network that is thresholded as a whole at once can lose a layer.

Under `torch.compile` the selection of a layer is part of the graph; that of the whole network is a graph break.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.policy import Policy
from slth.learning.selection import NARROW, count_kept, masked, product, top
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True)
class EdgePopup:
    """Keep the weights with the largest |score|.

    Attributes:
        density: kept fraction of every layer, in (0, 1]; exact.
        scope: "layer", or "global": the largest |score| of the whole network, first and last layer included unless the
            policy names their density.
        ramp: global only: fraction of the training over which the density falls from 1 to its value.
    """

    density: float = 0.5
    scope: Literal["layer", "global"] = "layer"
    ramp: float = 0.5
    strong = True
    move_bound = None

    def __post_init__(self) -> None:
        count_kept(self.density, 1)
        if self.scope not in ("layer", "global"):
            raise InputError(f"scope: expected layer or global, got {self.scope!r}")
        if not 0 <= self.ramp <= 1:
            raise InputError(f"ramp, a fraction of the training, lies between 0 and 1, got {self.ramp}")

    @property
    def policy(self) -> Policy:
        return Policy()

    @property
    def training(self) -> Training:
        return Training()

    def mask(self, tensor: MaskedParameter) -> "TopScores":
        return TopScores(tensor.uniform("scores"), tensor.kept)

    def prepare(self, masks: Masks) -> None:
        """One pool for the whole network, if the scope is global."""
        if self.scope == "global":
            self._join(masks)

    def stages(self, training: Training) -> list[Stage]:
        if self.scope == "layer":
            return [Stage("edge-popup", training, moving="scores")]
        stage = Stage("edge-popup", training, moving="scores", begin=self._join)
        return [replace(stage, schedule=self._ramp) if self.ramp else stage]

    def _join(self, masks: Masks) -> None:
        join(masks, self.density)

    def _ramp(self, masks: Masks, done: float) -> None:
        density = self.density if done >= self.ramp else 1 - done / self.ramp * (1 - self.density)
        for tensor in masks.pooled[:1]:  # they share one pool
            pool = top_scores_of(tensor).pool
            assert pool is not None
            pool.kept = count_kept(density, pool.size)


class TopScores(nn.Module):
    """w ⊙ 1[|s| among the k largest of the layer, or of the pool it has joined]."""

    binary = False
    window: Tensor  # where the threshold was last seen

    def __init__(self, scores: Tensor, kept: int):
        super().__init__()
        self.scores = nn.Parameter(scores)
        self.kept = kept
        self.pool: Pool | None = None
        self.register_buffer("window", torch.tensor([0, NARROW]))

    def forward(self, weight: Tensor) -> Tensor:
        if self.pool is not None:
            return product(weight, self.scores, self.pool.mask(self))
        if self.kept == weight.numel() and not self.scores.requires_grad:
            return weight
        return masked(weight, self.scores, self.kept, self.window)

    def chosen(self) -> Tensor:
        return top(self.scores, self.kept) if self.pool is None else self.pool.mask(self)

    def gain(self) -> float:
        return 1.0

    def get_extra_state(self) -> Tensor:
        """How many are kept is part of a checkpoint: levels change it, and the last one need not be the best."""
        return torch.tensor(self.kept)

    def set_extra_state(self, state: Tensor) -> None:
        self.kept = int(state)


def top_scores_of(tensor: MaskedParameter) -> TopScores:
    """The mask of a tensor, known to be of this kind."""
    mask: object = tensor.mask
    assert isinstance(mask, TopScores)
    return mask


class Pool:
    """Masks that are thresholded together. The selection is made once for every change of the scores."""

    def __init__(self, members: list[TopScores], kept: int):
        self.members = members
        self.kept = kept
        self.size = sum(member.scores.numel() for member in members)
        self._seen: object = None
        self._masks: list[Tensor] = []

    def mask(self, member: TopScores) -> Tensor:
        """The mask of one member."""
        now = (self.kept, member.scores.device, *(m.scores._version for m in self.members))
        if now != self._seen:
            flat = torch.cat([m.scores.detach().flatten() for m in self.members])
            parts = top(flat, self.kept).split([m.scores.numel() for m in self.members])
            self._masks = [part.view_as(m.scores) for part, m in zip(parts, self.members, strict=True)]
            self._seen = now
        return self._masks[next(i for i, m in enumerate(self.members) if m is member)]


def join(masks: Masks, density: float) -> None:
    """Put the top-score masks of a network into one pool, those excepted whose density the policy names."""
    members = [top_scores_of(tensor) for tensor in masks.pooled]
    pool = Pool(members, count_kept(density, sum(member.scores.numel() for member in members)))
    for member in members:
        member.pool = pool
