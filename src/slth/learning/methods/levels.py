"""Several densities from one start, and the best of them.

A level begins with fresh scores, on the model as it was when the levels began: statistics of norms, biases. The level
with the lowest training loss so far is remembered with all that it changed; of equal losses the later level. Both are
buffers of the first mask, so that a checkpoint holds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from slth.learning.allocation import erk_counts
from slth.learning.masks import Masks
from slth.learning.methods.edge_popup import top_scores_of
from slth.learning.selection import count_kept
from slth.learning.training import Measure
from slth.ticket import Choice


def prepare(masks: Masks) -> None:
    """Make room for what is remembered."""
    first, scores = top_scores_of(masks.tensors[0]), [top_scores_of(tensor).scores for tensor in masks]
    first.add_module("start", Memory(_beside(masks), 0))
    first.add_module("best", Memory([*_beside(masks), *scores], len(scores)))


def start(masks: Masks) -> None:
    """Levels begin from here."""
    _memory(masks, "start").take(_beside(masks))


def begin(masks: Masks, density: float) -> None:
    """A level begins: so many of every tensor are kept, but where the policy names its density."""
    _memory(masks, "start").put_back(_beside(masks))
    shared = [tensor for tensor in masks if tensor.pooled]
    counts = [count_kept(density, tensor.size) for tensor in shared]
    if masks.policy.allocation == "erk" and shared:
        counts = erk_counts([tensor.shape for tensor in shared], density)
    kept = dict(zip((tensor.path for tensor in shared), counts, strict=True))
    with torch.no_grad():
        for tensor in masks:
            mask = top_scores_of(tensor)
            mask.scores.copy_(tensor.uniform("scores"))
            mask.kept = kept.get(tensor.path, tensor.kept)


def choose(masks: Masks, measure: Measure, *, density: float, last: bool) -> Choice:
    """A level is over: it is remembered if none before had a lower loss. After the last one the best is put back."""
    found, best = measure(f"density {density}"), _memory(masks, "best")
    own = [top_scores_of(tensor) for tensor in masks]
    changed = [*_beside(masks), *(mask.scores for mask in own)]
    if best.level is None or found.training_loss <= best.level.loss:
        best.take(changed)
        best.level = Level(density, found.training_loss, tuple(mask.kept for mask in own))
    if last:
        best.put_back(changed)
        for mask, kept in zip(own, best.level.kept, strict=True):
            mask.kept = kept
    return Choice((found,), f"density {best.level.density}")


@dataclass(frozen=True, slots=True)
class Level:
    """A level that was searched, and how many weights of each tensor it keeps."""

    density: float
    loss: float
    kept: tuple[int, ...]


class Memory(nn.Module):
    """Copies of tensors, and the level that they belong to; a level keeps weights of so many masks."""

    def __init__(self, tensors: Sequence[Tensor], masks: int):
        super().__init__()
        self.level: Level | None = None
        self._nothing = (0.0, 0.0, *[0] * masks)  # of the same length: checkpoints of one run have one shape
        for number, tensor in enumerate(tensors):
            self.register_buffer(f"copy{number}", tensor.detach().clone())

    def take(self, tensors: Sequence[Tensor]) -> None:
        for copy, tensor in zip(self.buffers(), tensors, strict=True):
            copy.copy_(tensor.detach())

    def put_back(self, tensors: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for copy, tensor in zip(self.buffers(), tensors, strict=True):
                tensor.copy_(copy)

    def get_extra_state(self) -> Tensor:
        level = self.level
        numbers = self._nothing if level is None else (level.density, level.loss, *level.kept)
        return torch.tensor(numbers, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        density, loss, *kept = state.tolist()
        self.level = Level(density, loss, tuple(map(int, kept))) if density else None


def _memory(masks: Masks, name: str) -> Memory:
    memory = top_scores_of(masks.tensors[0]).get_submodule(name)
    assert isinstance(memory, Memory)
    return memory


def _beside(masks: Masks) -> list[Tensor]:
    """The model's state outside of masks and masked weights."""
    state = masks.model.state_dict(keep_vars=True)
    return [value for name, value in state.items() if ".parametrizations." not in f".{name}"]
