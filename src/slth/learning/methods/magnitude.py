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
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Literal

import torch

from slth._errors import InputError
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.methods.criteria import CRITERIA
from slth.learning.methods.fixed_mask import FixedMask, fixed_mask_of
from slth.learning.methods.pruning import choose_kept
from slth.learning.methods.rewinding import Action, remember, reset
from slth.learning.policy import Policy
from slth.learning.selection import count_kept
from slth.learning.training import Stage, Training


@dataclass(frozen=True, slots=True)
class Magnitude:
    """Prune the weights of a trained network, round after round.

    Attributes:
        density: kept fraction at the end, in (0, 1]; exact.
        rate: pruned in each round, of what is left; the number of rounds follows. 1: one shot.
        scope: "layer", or "global": the highest scores of the whole network.
        rewind: weights go back to the values they had after so many steps; 0: their random values.
        criterion: which weights are kept; see `slth.learning.methods.criteria`, or "random".
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
    move_bound = None

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

    def mask(self, tensor: MaskedParameter) -> FixedMask:
        return FixedMask(
            tensor.stored() if self.pruned_weights != "zero" else tensor.values()
        )  # what is held is stored

    def prepare(self, masks: Masks) -> None:
        """What trains beside the weights is rewound with them; a global scope needs a pool."""
        if self.scope == "global":
            _ = masks.pooled  # refused now, not after a training
        fixed_mask_of(masks.tensors[0]).remember_beside(masks.biases_and_norms)

    def stages(self, training: Training) -> list[Stage]:
        return [self._stage(number, training) for number in range(self.rounds + int(self.retrain))]

    def densities(self, masks: Masks, number: int) -> list[float]:
        """The kept fraction of each tensor after some rounds."""
        final = [tensor.wanted for tensor in masks]
        densities = [density if number == self.rounds else density ** (number / self.rounds) for density in final]
        if self.last_rate is not None:
            densities[-1] = (1 - self.last_rate) ** number
        return [_decimal(density) for density in densities]

    def _stage(self, number: int, training: Training) -> Stage:
        """A training, and the pruning after it if one is left to do."""
        last = number == self.rounds
        stage = Stage(
            f"round {number}" if not last or number == 0 else "last",
            training,
            moving="weights",
            begin=partial(self._begin, number),
            end=partial(self._end, number),
            shared=None if last or not self.retrain else self._shared(number, training),
        )
        if number > 0 or self.rewind == 0:
            return stage
        return replace(stage, check_steps=self._check_rewind, after_step=partial(remember, after=self.rewind))

    def _shared(self, number: int, training: Training) -> str:
        """What a round before the last depends on: not on the final density, nor on what becomes of kept weights."""
        path = [_decimal(self.density ** (done / self.rounds)) for done in range(1, number + 2)]
        settings = (self.last_rate, self.criterion, self.scope, self.rewind, self.pruned_weights)
        return f"magnitude round {number} {path} {settings} {asdict(training)!r}"

    def _begin(self, number: int, masks: Masks) -> None:
        for tensor in masks:
            fixed_mask_of(tensor).freezes = self.pruned_weights != "zero"
        if number > 0:
            reset(masks, self.kept_weights if number == self.rounds else "rewind", trains=True)

    def _end(self, number: int, masks: Masks) -> None:
        if number < self.rounds:
            self._prune(masks, number + 1)
            if number + 1 == self.rounds and not self.retrain:
                reset(masks, self.kept_weights, trains=False)
        with torch.no_grad():
            for tensor in masks:  # what is pruned did not move, whatever weight decay did to it
                mask = fixed_mask_of(tensor)
                tensor.original.copy_(torch.where(mask.kept, tensor.original, mask.start))

    def _prune(self, masks: Masks, number: int) -> None:
        together: set[str] = set()
        if self.scope == "global":
            together = {tensor.path for tensor in masks.pooled}
            if self.last_rate is not None:
                together.discard(masks.tensors[-1].path)
        with torch.no_grad():
            densities = self.densities(masks, number)
            chosen = choose_kept(masks, densities, self.criterion, number=number, together=together)
            for tensor, kept in zip(masks, chosen, strict=True):
                kept = kept.to(tensor.original.device)
                fixed_mask_of(tensor).prune(kept, tensor.original, hold_all=self.pruned_weights == "freeze")

    def _check_rewind(self, steps: int) -> None:
        if steps < self.rewind:
            raise InputError(
                f"rewind={self.rewind}, but a round has {steps} steps; train longer, or rewind to an earlier one"
            )


def _decimal(density: float) -> float:
    """Twelve digits, so that 0.8 · 0.8 is 0.64."""
    return float(f"{density:.12g}")
