"""Biprop: learn a binary network inside a random one (Diffenderfer and Kailkhura, *Multi-prize lottery ticket
hypothesis*, ICLR 2021).

As edge-popup, but what is kept counts as its sign, with one scale per layer:

    w̃ = α M ⊙ sign(W),  α = Σ |M ⊙ W| / ‖M‖₀    (computed again in every forward pass)

1/32: binary weights, real activations. 1/1: activations are signs, too (`binary_activations`), with a straight-through
gradient where |x| ≤ 1.

Where we differ: the score's gradient goes through |s| as in edge-popup, with ∂L/∂w̃ · α sign(W) in place of the paper's
(∂L/∂w̃ ⊙ sign W) ⊙ |W|: both point the same way. Random weights are Kaiming normal, as in the paper.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.policy import Policy
from slth.learning.selection import NARROW, count_kept, masked, signs, top
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True)
class Biprop:
    """Keep the signs of the weights with the largest |score|.

    Attributes:
        density: kept fraction of every layer, in (0, 1]; exact.
        binary_activations: 1/1: every `nn.ReLU` module of the model becomes a sign.
    """

    density: float = 0.5
    binary_activations: bool = False
    strong = True
    move_bound = None

    def __post_init__(self) -> None:
        count_kept(self.density, 1)

    @property
    def policy(self) -> Policy:
        return Policy(law="kaiming_normal")

    @property
    def training(self) -> Training:
        if self.binary_activations:
            return Training(optimizer="adam")
        return Training()

    def mask(self, tensor: MaskedParameter) -> "TopSigns":
        return TopSigns(tensor.uniform("scores"), tensor.values(), tensor.kept)

    def prepare(self, masks: Masks) -> None:
        if self.binary_activations:
            binarise(masks)

    def stages(self, training: Training) -> list[Stage]:
        return [Stage("biprop", training, moving="scores")]


class TopSigns(nn.Module):
    """α · sign(w) where |s| is among the k largest, else 0."""

    binary = True
    signs: Tensor
    sizes: Tensor  # |w|
    window: Tensor  # where the threshold was last seen
    alpha: Tensor

    def __init__(self, scores: Tensor, weight: Tensor, kept: int):
        super().__init__()
        self.scores = nn.Parameter(scores)
        self.kept = kept
        self.register_buffer("signs", signs(weight), persistent=False)
        self.register_buffer("sizes", weight.abs(), persistent=False)
        self.register_buffer("window", torch.tensor([0, NARROW]))
        self.register_buffer("alpha", torch.ones(()))

    def forward(self, weight: Tensor) -> Tensor:
        kept = masked(self.signs, self.scores, self.kept, self.window)
        with torch.no_grad():
            self.alpha.copy_((kept.detach().abs() * self.sizes).sum() / self.kept)
        return kept * self.alpha.clone()

    def chosen(self) -> Tensor:
        return top(self.scores, self.kept)

    def gain(self) -> float:
        with torch.no_grad():
            return float((self.chosen() * self.sizes).sum() / self.kept)


class SignActivation(nn.Module):
    """sign(x) ∈ {−1, +1}; backward: the gradient passes where |x| ≤ 1."""

    def forward(self, x: Tensor) -> Tensor:
        clipped = x.clamp(-1, 1)
        return clipped + (signs(x) - clipped).detach()


def binarise(masks: Masks) -> None:
    """Replace every ReLU module of a model by a sign, wherever it is used; `detach(restore=True)` puts it back."""
    relus = [
        (parent, name, child)
        for parent in masks.model.modules()
        for name, child in parent._modules.items()  # pyright: ignore[reportPrivateUsage]
        if isinstance(child, nn.ReLU)
    ]
    if not relus:
        raise InputError(
            "binary activations take the place of nn.ReLU modules, and the model has none; use such modules"
        )
    for parent, name, _ in relus:
        setattr(parent, name, SignActivation())
    masks.replaced += relus
