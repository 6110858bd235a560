"""Learned supermasks: a probability for every random weight (Zhou, Lan, Liu and Yosinski, *Deconstructing lottery
tickets*, NeurIPS 2019).

    w̃ = g · w ⊙ b,  b ~ Bernoulli(σ(m)),  ∂L/∂m = ∂L/∂w̃ · g w σ'(m)     (straight through the draw)

m starts at 0. `rescale` is the paper's dynamic weight rescaling, g = N / ‖b‖₀ per layer. In evaluation the mask is
fixed: σ(m) > ½; its density is learned, not asked for. The signed constant helps; it is the default law here.

Where we differ: the paper reports the mean accuracy of ten sampled masks; a ticket is one mask, so we report that of
σ(m) > ½, and a mask whose `sampling` is set draws in evaluation, too. Draws follow from the seed and the step, on every
process alike; under `torch.compile` their generator is a graph break.
"""

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.policy import Policy
from slth.learning.selection import check_not_exported
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True)
class Supermask:
    """Learn the probability that a weight is kept.

    Attributes:
        rescale: multiply a layer's weights by N / (number kept).
        initial: m at the start; σ(initial) is the density at the start.
    """

    rescale: bool = True
    initial: float = 0.0
    strong = True
    move_bound = None
    density = 1.0  # every weight may be kept

    def __post_init__(self) -> None:
        if not math.isfinite(self.initial):
            raise InputError(
                f"initial, the m that every weight starts with, must be a finite number, got {self.initial}"
            )

    @property
    def policy(self) -> Policy:
        return Policy(law="signed_constant")

    @property
    def training(self) -> Training:
        return Training(lr=100.0, weight_decay=0.0, batch=250, schedule="constant")

    def mask(self, tensor: MaskedParameter) -> "BernoulliMask":
        key = hashlib.sha256(f"{tensor.seed}/{tensor.path}/draws".encode()).digest()
        uses = 1 + len(tensor.location.aliases)
        return BernoulliMask(
            tensor.shape, self.initial, int.from_bytes(key[:7], "little"), rescale=self.rescale, uses=uses
        )

    def prepare(self, masks: Masks) -> None:
        """Nothing more."""

    def stages(self, training: Training) -> list[Stage]:
        return [Stage("supermask", training, moving="scores", check=_check)]


def _check(masks: Masks) -> None:
    for tensor in masks:
        if not bool(tensor.mask.chosen().any()):
            raise InputError(
                f"{tensor.path}: the supermask keeps nothing, no m is above 0; train longer or at a higher rate"
            )


class BernoulliMask(nn.Module):
    """g · w ⊙ b with b drawn anew in every training step, once for all places of a tied weight; fixed in evaluation."""

    binary = False
    draws: Tensor  # forward passes that drew

    def __init__(self, shape: tuple[int, ...], initial: float, key: int, *, rescale: bool, uses: int = 1):
        super().__init__()
        self.scores = nn.Parameter(torch.full(shape, float(initial)))
        self.key = key
        self.rescale = rescale
        self.uses = uses  # in one forward pass
        self.sampling = False  # in evaluation, too
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))

    def forward(self, weight: Tensor) -> Tensor:
        check_not_exported()
        share = self.scores.sigmoid()
        with torch.no_grad():
            kept = self._drawn(share) if self.training or self.sampling else (self.scores > 0).float()
            factor = _share_inverse(kept) if self.rescale else 1.0
        return weight * factor * (kept + (share - share.detach()))  # exactly 0 or factor times the weight

    def chosen(self) -> Tensor:
        return self.scores.detach() > 0

    def gain(self) -> float:
        return float(_share_inverse(self.chosen())) if self.rescale else 1.0

    def _drawn(self, share: Tensor) -> Tensor:
        generator = torch.Generator(share.device).manual_seed((self.key + int(self.draws) // self.uses) % 2**63)
        self.draws.add_(1)
        return (torch.rand(share.shape, generator=generator, device=share.device) < share).float()


def _share_inverse(kept: Tensor) -> Tensor:
    """N / number kept in one float32 division; a number over a tensor is a reciprocal and a product: two roundings."""
    count = kept.count_nonzero().clamp(min=1)
    return torch.full_like(count, kept.numel()) / count
