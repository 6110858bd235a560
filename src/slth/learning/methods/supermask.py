"""Learned supermasks: a probability for every random weight (Zhou, Lan, Liu and Yosinski, *Deconstructing lottery
tickets*, NeurIPS 2019).

    w̃ = g · w ⊙ b,  b ~ Bernoulli(σ(m)),  ∂L/∂m = ∂L/∂w̃ · g w σ'(m)     (straight through the draw)

m starts at 0. `rescale` is the paper's dynamic weight rescaling, g = N / ‖b‖₀ per layer. The density is learned, not
asked for. The signed constant helps; it is the default law here.

A ticket is one mask, and keeps no probabilities: they would take as many bytes as the weights. Draw k keeps the weights
with u < σ(m), u uniform from the stream "path/draw/k": a seed names it, so it is as strong as any other mask. What is
trained is the loss of such draws, and σ(m) > ½ is not one of them: where most m are still near 0 it can be far worse.
So a ticket keeps a draw, the one of ten with the lowest training loss, unless σ(m) > ½ is asked for; once the m are far
from 0, all are the same mask. Before that choice a mask in evaluation is draw 0.

Where we differ: the paper reports the mean accuracy of ten draws; we report that of the mask in the ticket, and store
the ten, with σ(m) > ½, as what the search says. In training, draws follow from the seed and the step, on every process
alike; under `torch.compile` their generator is a graph break.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.policy import Policy
from slth.learning.selection import check_not_exported
from slth.learning.training import Measure, Stage, Training
from slth.numerics import Stream, uniform
from slth.ticket import Candidate, Choice

DRAWS = 10  # that a final mask is chosen from, and that the paper averages over


@dataclass(frozen=True, slots=True)
class Supermask:
    """Learn the probability that a weight is kept.

    Attributes:
        rescale: multiply a layer's weights by N / (number kept).
        initial: m at the start; σ(initial) is the density at the start.
        final: the mask of the ticket: "draw", the one of ten with the lowest training loss, or "threshold", σ(m) > ½.
    """

    rescale: bool = True
    initial: float = 0.0
    final: Literal["draw", "threshold"] = "draw"
    strong = True
    move_bound = None
    density = 1.0  # every weight may be kept

    def __post_init__(self) -> None:
        if not math.isfinite(self.initial):
            raise InputError(
                f"initial, the m that every weight starts with, must be a finite number, got {self.initial}"
            )
        if self.final not in ("draw", "threshold"):
            raise InputError(f"final, the mask of the ticket: expected draw or threshold, got {self.final!r}")

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
        """In evaluation the mask is one from the start; densities are learned, and none can be asked for."""
        named = _named_densities(masks.policy)
        if named:
            raise InputError(
                f"a supermask learns its density, layer by layer, so {named} would change nothing: leave it out, or "
                "choose a method with a density; initial says where the densities start"
            )
        keep(masks, 0 if self.final == "draw" else None)

    def stages(self, training: Training) -> list[Stage]:
        says = self.final == "threshold"
        return [Stage("supermask", training, moving="scores", choose=self._choose, only_says=says, check=_check)]

    def _choose(self, masks: Masks, measure: Measure) -> Choice:
        keep(masks, None)
        threshold, draws = measure("threshold"), list[Candidate]()
        for number in range(DRAWS):
            keep(masks, number)
            draws.append(measure(f"draw {number}"))
        losses = [draw.training_loss for draw in draws]
        best = losses.index(min(losses))
        keep(masks, best if self.final == "draw" else None)
        return Choice((threshold, *draws), f"draw {best}" if self.final == "draw" else "threshold")


def _named_densities(policy: Policy) -> str:
    """What a policy says about densities, as it was spelled; empty: nothing."""
    said = {"densities": bool(policy.patterns), "allocation": policy.allocation != "uniform"}
    said |= {"first": policy.first is not None, "last": policy.last is not None, "scaled": policy.scaled}
    return ", ".join(f"{name}={getattr(policy, name)!r}" for name, is_said in said.items() if is_said)


def keep(masks: Masks, draw: int | None) -> None:
    """From now on the mask in evaluation, and of a ticket, is this draw; None: σ(m) > ½."""
    for tensor in masks:
        mask: object = tensor.mask
        assert isinstance(mask, BernoulliMask)
        mask.level.copy_(torch.zeros(tensor.shape) if draw is None else _logits(tensor, draw))


def _logits(tensor: MaskedParameter, draw: int) -> Tensor:
    """log(u / (1 − u)), so that u < σ(m) is log(u / (1 − u)) < m; u = (24 bits + ½) · 2⁻²⁴ is neither 0 nor 1."""
    drawn = uniform(Stream(tensor.seed, f"{tensor.stream}/draw/{draw}"), tensor.shape)
    u = (drawn.astype(np.float64) + 1) / 2 + 2.0**-25
    return torch.from_numpy(np.log(u / (1 - u)).astype(np.float32))


def _check(masks: Masks) -> None:
    for tensor in masks:
        if not bool(tensor.mask.chosen().any()):
            raise InputError(
                f"{tensor.path}: the supermask keeps nothing, every m is too low; train longer or at a higher rate, "
                "or start at a higher initial"
            )


class BernoulliMask(nn.Module):
    """g · w ⊙ b with b drawn anew in every training step, once for all places of a tied weight; fixed in evaluation."""

    binary = False
    draws: Tensor  # forward passes that drew
    level: Tensor  # in evaluation b is 1 where m lies above

    def __init__(self, shape: tuple[int, ...], initial: float, key: int, *, rescale: bool, uses: int = 1):
        super().__init__()
        self.scores = nn.Parameter(torch.full(shape, float(initial)))
        self.key = key
        self.rescale = rescale
        self.uses = uses  # in one forward pass
        self.register_buffer("draws", torch.zeros((), dtype=torch.int64))
        self.register_buffer("level", torch.zeros(shape))

    def forward(self, weight: Tensor) -> Tensor:
        check_not_exported()
        share = self.scores.sigmoid()
        with torch.no_grad():
            kept = self._drawn(share) if self.training else self.chosen().float()
            factor = _share_inverse(kept) if self.rescale else 1.0
        return weight * factor * (kept + (share - share.detach()))  # exactly 0 or factor times the weight

    def chosen(self) -> Tensor:
        return self.scores.detach() > self.level

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
