"""A mask that is given, not learned: weights train under it, and what is pruned is 0 or stays as it was drawn."""

import torch
from torch import Tensor, nn

from slth.learning.masked_parameter import MaskedParameter
from slth.learning.selection import check_not_exported, signs


class FixedMask(nn.Module):
    """w where kept; elsewhere 0, or, where it is held, its random value.

    Attributes:
        freezes: whether pruned weights may be held.
        kept, held: bool; no weight is both.
        start: W₀, the random values. anchor: what a rewind goes back to, once `seen` steps are done.
        constant: c; above 0, kept weights count as ±c.
    """

    scores = None
    kept: Tensor
    held: Tensor
    start: Tensor
    anchor: Tensor
    seen: Tensor
    constant: Tensor

    def __init__(self, start: Tensor):
        super().__init__()
        self.freezes = False
        self.register_buffer("constant", torch.zeros(()))
        self.register_buffer("kept", torch.ones(start.shape, dtype=torch.bool))
        self.register_buffer("held", torch.zeros(start.shape, dtype=torch.bool))
        self.register_buffer("anchor", start.clone())
        self.register_buffer("start", start, persistent=False)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self._beside = 0

    def remember_beside(self, parameters: list[nn.Parameter]) -> None:
        """Remember parameters of other layers, as they are now."""
        self._beside = len(parameters)
        for number, parameter in enumerate(parameters):
            self.register_buffer(f"beside{number}", parameter.detach().clone())

    @property
    def beside(self) -> list[Tensor]:
        """What `remember_beside` remembers."""
        return [self.get_buffer(f"beside{number}") for number in range(self._beside)]

    def prune(self, kept: Tensor, weight: Tensor, *, hold_all: bool) -> None:
        """Prune down to `kept`. Held, if the mask freezes: all that is pruned, or what had grown when it was."""
        grown = self.kept & ~kept & (weight.abs() > self.start.abs())
        self.held.copy_(~kept if hold_all else (self.held & ~kept) | grown)
        self.kept.copy_(kept)

    def forward(self, weight: Tensor) -> Tensor:
        check_not_exported()
        if self.freezes:
            return torch.where(self.kept, weight, self.start * self.held)
        if self.binary:
            weight = signs(weight) * self.constant
        return weight * self.kept

    @property
    def binary(self) -> bool:
        """Kept weights count as their sign."""
        return bool(self.constant > 0)

    def chosen(self) -> Tensor:
        return self.kept | self.held if self.freezes else self.kept.clone()

    def gain(self) -> float:
        return float(self.constant) if self.binary else 1.0


def fixed_mask_of(tensor: MaskedParameter) -> FixedMask:
    """The mask of a tensor, known to be of this kind."""
    mask: object = tensor.mask
    assert isinstance(mask, FixedMask)
    return mask
