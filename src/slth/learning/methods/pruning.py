"""Which weights a round of magnitude pruning keeps: those that score highest, of a layer or of the whole network."""

from collections.abc import Sequence

import torch
from torch import Tensor

from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.methods.criteria import CRITERIA
from slth.learning.methods.fixed_mask import fixed_mask_of
from slth.learning.selection import count_kept


def choose_kept(
    masks: Masks, densities: Sequence[float], criterion: str, *, number: int, together: set[str]
) -> list[Tensor]:
    """The masks after a round, bool, in the order of the tensors: ⌈density · N⌉ weights are kept, ties by index.

    Args:
        densities: of each tensor, of all its weights.
        criterion: a name of `CRITERIA`, or "random".
        number: of the round, from 1; names the random scores.
        together: paths of the tensors, all of one density, that are pruned as one; the others each by itself.
    """
    scores = [_scores(tensor, criterion, number) for tensor in masks]
    kept = [_highest(s, count_kept(d, s.numel())) for s, d in zip(scores, densities, strict=True)]
    rows = [row for row, tensor in enumerate(masks) if tensor.path in together]
    if rows:
        pool = torch.cat([scores[row].flatten() for row in rows])
        parts = _highest(pool, count_kept(densities[rows[0]], pool.numel())).split(
            [scores[row].numel() for row in rows]
        )
        for row, part in zip(rows, parts, strict=True):
            kept[row] = part.view_as(scores[row])
    return kept


def _scores(tensor: MaskedParameter, criterion: str, number: int) -> Tensor:
    """Higher is better; what was pruned before stays pruned, and does not count."""
    kept = fixed_mask_of(tensor).kept.cpu()
    scores = torch.full(tensor.shape, -torch.inf)
    if criterion == "random":
        scores[kept] = tensor.uniform(f"random/{number}")[kept]
    elif bool(kept.any()):
        scores[kept] = CRITERIA[criterion](tensor.values()[kept], tensor.original.detach().cpu()[kept])
    return scores


def _highest(scores: Tensor, count: int) -> Tensor:
    """True at the `count` highest scores, ties by index."""
    ranks = torch.sort(scores.flatten(), descending=True, stable=True).indices
    kept = torch.zeros(scores.numel(), dtype=torch.bool)
    kept[ranks[:count]] = True
    return kept.view(scores.shape)
