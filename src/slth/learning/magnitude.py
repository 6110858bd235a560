"""Iterative magnitude pruning with rewinding: the lottery ticket hypothesis (Frankle and Carbin, ICLR 2019; Frankle et
al., *Linear mode connectivity*, ICML 2020), one-shot pruning, and the criteria and actions of Zhou et al. (2019).

    train; keep the weights that score highest; reset all to step k; repeat; train what is left

Weights train, so these tickets are weak: what moved is stored with them, and they are never called strong. With
`retrain=False` only the mask is learned and the weights go back to their random values: Zhou et al.'s untrained
supermasks, strong again.

Where we differ: densities are exact; after r of R rounds a tensor keeps ⌈density^(r/R) N⌉ weights, or the network does;
the last layer another number, if asked for. Biases and norm parameters train, rewind with the weights and are carried.
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.learning.criteria import CRITERIA
from slth.learning.masks import Frozen, Masks
from slth.learning.policy import Policy
from slth.learning.selection import count_kept, signs
from slth.learning.training import Stage, Training

Action = Literal["rewind", "reinitialise", "reshuffle", "constant"]


@dataclass(frozen=True, slots=True)
class Magnitude:
    """Prune the weights of a trained network, round after round.

    Attributes:
        density: kept fraction at the end, in (0, 1]; exact.
        rate: pruned in each round, of what is left; the number of rounds follows. 1: one shot.
        scope: "layer", or "global": the highest scores of the whole network.
        rewind: weights go back to the values they had after so many steps; 0: their random values.
        criterion: which weights are kept; see `slth.learning.criteria`, or "random".
        kept_weights: what becomes of kept weights before the last training: rewind, reinitialise (fresh random values),
            reshuffle (among the kept places of the layer) or constant (sign times the layer's standard deviation).
        pruned_weights: "zero"; "freeze": they stay at their random values; "freeze_away": those that grew in size by
            the time they were pruned do.
        retrain: train once more at the end.
        last_rate: rate of the last layer; None: as the others. A layer with a density or rate of its own is pruned by
            itself, even if the scope is global.
    """

    density: float = 0.1
    rate: float = 0.2
    scope: Literal["layer", "global"] = "layer"
    rewind: int = 0
    criterion: str = "large_final"
    kept_weights: Action = "rewind"
    pruned_weights: Literal["zero", "freeze", "freeze_away"] = "zero"
    retrain: bool = True
    last_rate: float | None = None

    def __post_init__(self) -> None:
        count_kept(self.density, 1)
        if self.criterion != "random" and self.criterion not in CRITERIA:
            raise InputError(f"criterion: expected random or one of {', '.join(CRITERIA)}; got {self.criterion!r}")
        for name, value in (("rate", self.rate), ("last_rate", self.last_rate)):
            if value is not None and not 0 < value <= 1:
                raise InputError(f"{name}: the fraction pruned in a round lies above 0 and at most at 1, got {value}")
        if self.last_rate == 1:
            raise InputError("last_rate: at 1 the last layer would lose every weight; choose it below 1")
        if self.rewind < 0:
            raise InputError(f"rewind counts steps from 0, got {self.rewind}")
        for name, value, legal in (
            ("scope", self.scope, ("layer", "global")),
            ("kept_weights", self.kept_weights, ("rewind", "reinitialise", "reshuffle", "constant")),
            ("pruned_weights", self.pruned_weights, ("zero", "freeze", "freeze_away")),
        ):
            if value not in legal:
                raise InputError(f"{name}: expected one of {', '.join(legal)}; got {value!r}")
        if not self.retrain:
            self._check_untrained()

    def _check_untrained(self) -> None:
        if self.density == 1:
            raise InputError("retrain=False learns only the mask, and density 1 needs none; lower the density")
        if self.kept_weights == "reinitialise":
            raise InputError(
                "retrain=False with fresh weights would drop all that was learned; use another kept_weights"
            )
        if self.pruned_weights == "freeze" or (self.pruned_weights, self.kept_weights) == ("freeze_away", "constant"):
            raise InputError(
                f"retrain=False does not go with pruned_weights={self.pruned_weights!r} and kept_weights="
                f"{self.kept_weights!r}: a mask keeps a weight or not; use 'zero', or 'freeze_away' with 'rewind'"
            )

    @property
    def strong(self) -> bool:
        """Nothing but the mask is learned."""
        return not self.retrain and self.rewind == 0 and self.kept_weights != "reshuffle"

    @property
    def rounds(self) -> int:
        """Rounds of pruning: the fewest that reach the density at this rate."""
        if self.density == 1:
            return 0
        return 1 if self.rate == 1 else max(1, math.ceil(math.log(self.density) / math.log1p(-self.rate) - 1e-9))

    @property
    def policy(self) -> Policy:
        return Policy(law="kaiming_normal", biases="train", norms="train")

    @property
    def training(self) -> Training:
        return Training(epochs=10.0, lr=0.1, momentum=0.0, weight_decay=0.0, schedule="constant")

    def mask(self, weight: Frozen) -> "FixedMask":
        return FixedMask(weight.values())

    def stages(self, training: Training) -> list[Stage]:
        stages: list[Stage] = []
        for number in range(self.rounds + 1):
            last = number == self.rounds
            if last and not self.retrain and number > 0:
                break
            stages.append(
                Stage(
                    f"round {number}" if not last or number == 0 else "last",
                    training,
                    moving="weights",
                    begin=self._begin(number, last),
                    before_step=self._enough if number == 0 and self.rewind > 0 else None,
                    after_step=self._remember if number == 0 and self.rewind > 0 else None,
                    end=self._end(number),
                    shared=None if last or not self.retrain else self._shared(number, training),
                )
            )
        return stages

    def prepare(self, masks: Masks) -> None:
        """What trains beside the weights is rewound with them."""
        fixed(masks.tensors[0]).hold(masks.beside)

    def _shared(self, number: int, training: Training) -> str:
        """What a round before the last depends on: not on the final density, nor on what becomes of kept weights."""
        path = [_decimal(self.density ** (done / self.rounds)) for done in range(1, number + 2)]
        settings = (self.last_rate, self.criterion, self.scope, self.rewind, self.pruned_weights)
        return f"magnitude round {number} {path} {settings} {asdict(training)!r}"

    def densities(self, masks: Masks, number: int) -> list[float]:
        """The kept fraction of each tensor after some rounds."""
        final = [self.density] * len(masks.tensors)
        if masks.policy.first is not None:
            final[0] = masks.policy.first
        if masks.policy.last is not None:
            final[-1] = masks.policy.last
        found = [density if number == self.rounds else density ** (number / self.rounds) for density in final]
        if self.last_rate is not None:
            found[-1] = (1 - self.last_rate) ** number
        return [_decimal(density) for density in found]

    def _begin(self, number: int, last: bool):
        def begin(masks: Masks) -> None:
            for tensor in masks:
                fixed(tensor).frozen = self.pruned_weights != "zero"
            if number > 0:
                self._reset(masks, last=last)

        return begin

    def _end(self, number: int):
        def end(masks: Masks) -> None:
            if number < self.rounds:
                self._prune(masks, number + 1)
                if number + 1 == self.rounds and not self.retrain:
                    self._reset(masks, last=True)
            with torch.no_grad():
                for tensor in masks:  # what is pruned did not move, whatever weight decay did to it
                    mask = fixed(tensor)
                    tensor.original.copy_(torch.where(mask.kept, tensor.original, mask.start))  # pyright: ignore

        return end

    def _enough(self, masks: Masks, step: int, steps: int) -> None:
        if steps < self.rewind:
            raise InputError(
                f"rewind={self.rewind}, but a round has {steps} steps; train longer, or rewind to an earlier one"
            )

    def _remember(self, masks: Masks) -> None:
        for tensor in masks:
            mask = fixed(tensor)
            mask.seen.add_(1)  # pyright: ignore
            if int(mask.seen) == self.rewind:  # pyright: ignore
                mask.anchor.copy_(tensor.original.detach())  # pyright: ignore
                for held, parameter in zip(mask.beside, masks.beside, strict=False):
                    held.copy_(parameter.detach())

    def _prune(self, masks: Masks, number: int) -> None:
        with torch.no_grad():
            densities = self.densities(masks, number)
            scores = [self._scores(tensor, number) for tensor in masks]
            parts = [_largest(s, count_kept(d, s.numel())) for s, d in zip(scores, densities, strict=True)]
            if self.scope == "global":
                self._choose_together(masks, scores, densities, parts)
            for tensor, part in zip(masks, parts, strict=True):
                mask = fixed(tensor)
                part = part.to(tensor.original.device)
                mask.hold_pruned(part, tensor.original, all=self.pruned_weights == "freeze")

    def _choose_together(self, masks: Masks, scores: list[Tensor], densities: list[float], parts: list[Tensor]) -> None:
        """Replace the choices in all layers that have no density of their own."""
        alone = {masks.tensors[-1].path} if self.last_rate is not None else set[str]()
        together = {tensor.path for tensor in masks.pooled} - alone
        rows = [row for row, tensor in enumerate(masks) if tensor.path in together]
        if rows:
            flat = torch.cat([scores[row].flatten() for row in rows])
            chosen = _largest(flat, count_kept(densities[rows[0]], flat.numel()))
            for row, part in zip(rows, chosen.split([scores[row].numel() for row in rows]), strict=True):
                parts[row] = part.view_as(scores[row])

    def _scores(self, tensor: Frozen, number: int) -> Tensor:
        """Higher is better; what was pruned before stays pruned, and does not count."""
        kept: Tensor = fixed(tensor).kept.cpu()  # pyright: ignore
        scores = torch.full(tensor.shape, -torch.inf)
        if self.criterion == "random":
            scores[kept] = tensor.uniform(f"random/{number}")[kept]
        elif bool(kept.any()):
            scores[kept] = CRITERIA[self.criterion](tensor.values()[kept], tensor.original.detach().cpu()[kept])
        return scores

    def _reset(self, masks: Masks, *, last: bool) -> None:
        action = self.kept_weights if last else "rewind"
        with torch.no_grad():
            if action == "reinitialise":
                masks.redraw(1)
                for tensor in masks:
                    fixed(tensor).start.copy_(tensor.values())  # pyright: ignore
            else:
                for tensor in masks:
                    tensor.original.copy_(self._again(tensor, action))
            for held, parameter in zip(fixed(masks.tensors[0]).beside, masks.beside, strict=True):
                parameter.copy_(held)

    def _again(self, tensor: Frozen, action: Action) -> Tensor:
        """The weights that the next training starts with: of step k, or what the action makes of them."""
        mask = fixed(tensor)
        weight: Tensor = mask.anchor.clone()  # pyright: ignore
        kept: Tensor = mask.kept  # pyright: ignore
        if action == "reshuffle":
            order = tensor.uniform("reshuffle").to(weight.device)[kept].argsort()
            weight[kept] = weight[kept][order]
        elif action == "constant" and self.retrain:
            weight = signs(weight) * weight.std()
        elif action == "constant":
            mask.constant.fill_(float(weight.std()))  # pyright: ignore
        return torch.where(kept, weight, mask.start)  # pyright: ignore


class FixedMask(nn.Module):
    """w where kept; elsewhere 0, or, frozen, its random value."""

    scores = None

    def __init__(self, start: Tensor):
        super().__init__()
        self.register_buffer("constant", torch.zeros(()))  # c > 0: kept weights count as ±c
        self.frozen = False
        self.register_buffer("kept", torch.ones(start.shape, dtype=torch.bool))
        self.register_buffer("held", torch.zeros(start.shape, dtype=torch.bool))  # frozen places
        self.register_buffer("anchor", start.clone())  # what a rewind goes back to
        self.register_buffer("start", start, persistent=False)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self._count = 0

    def hold(self, parameters: list[nn.Parameter]) -> None:
        """Remember parameters of other layers, as they are now."""
        self._count = len(parameters)
        for number, parameter in enumerate(parameters):
            self.register_buffer(f"beside{number}", parameter.detach().clone())

    @property
    def beside(self) -> list[Tensor]:
        """What `hold` remembers."""
        return [getattr(self, f"beside{number}") for number in range(self._count)]

    def hold_pruned(self, kept: Tensor, weight: Tensor, *, all: bool) -> None:
        """Prune down to `kept`. Frozen, if the mask freezes: all that is pruned, or what had grown when it was."""
        grown = self.kept & ~kept & (weight.abs() > self.start.abs())  # pyright: ignore
        self.held.copy_(~kept if all else (self.held & ~kept) | grown)  # pyright: ignore
        self.kept.copy_(kept)  # pyright: ignore

    def forward(self, weight: Tensor) -> Tensor:
        if self.frozen:
            return torch.where(self.kept, weight, self.start * self.held)  # pyright: ignore
        if self.binary:
            weight = signs(weight) * self.constant  # pyright: ignore
        return weight * self.kept  # pyright: ignore

    @property
    def binary(self) -> bool:
        """Kept weights count as their sign."""
        return bool(self.constant > 0)  # pyright: ignore

    def chosen(self) -> Tensor:
        return self.kept | self.held if self.frozen else self.kept.clone()  # pyright: ignore

    def gain(self) -> float:
        return float(self.constant) if self.binary else 1.0  # pyright: ignore


def fixed(tensor: Frozen) -> FixedMask:
    """The mask of a tensor, known to be a fixed one."""
    mask: nn.Module = tensor.mask  # pyright: ignore
    assert isinstance(mask, FixedMask)
    return mask


def _decimal(density: float) -> float:
    """Twelve digits, so that 0.8 · 0.8 is 0.64."""
    return float(f"{density:.12g}")


def _largest(scores: Tensor, kept: int) -> Tensor:
    """True at the `kept` highest scores, ties by index."""
    ranks = torch.sort(scores.flatten(), descending=True, stable=True).indices
    found = torch.zeros(scores.numel(), dtype=torch.bool)
    found[ranks[:kept]] = True
    return found.view(scores.shape)
