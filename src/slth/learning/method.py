"""What a method of search is: its members, all of them. `attach` needs those of a `Masker`, a search all."""

from typing import Protocol, runtime_checkable

from torch import nn

from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.policy import Policy
from slth.learning.training import Stage, Training


@runtime_checkable
class Masker(Protocol):
    """What `attach` needs of a method."""

    @property
    def density(self) -> float | tuple[float, ...]: ...  # kept fraction of every tensor; several: one will be chosen
    @property
    def policy(self) -> Policy: ...  # used if the caller gives none
    def mask(self, tensor: MaskedParameter) -> nn.Module: ...  # a `Mask`
    def prepare(self, masks: Masks) -> None: ...  # called once, when the masks are on


@runtime_checkable
class Method(Masker, Protocol):
    """One way of finding a mask: a frozen dataclass in a file of its own."""

    @property
    def strong(self) -> bool: ...  # nothing but masks is learned
    @property
    def move_bound(self) -> float | None: ...  # no weight moves farther, a float32; None: nothing moves, or no bound
    @property
    def training(self) -> Training: ...  # the published settings
    def stages(self, training: Training) -> list[Stage]: ...
