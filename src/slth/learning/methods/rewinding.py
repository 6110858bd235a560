"""What the weights are set to between two rounds of magnitude pruning: those of step k, or what is made of them."""

from typing import Literal

import torch
from torch import Tensor

from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.methods.fixed_mask import fixed_mask_of
from slth.learning.selection import signs

Action = Literal["rewind", "reinitialise", "reshuffle", "constant"]


def remember(masks: Masks, *, after: int) -> None:
    """A step of the first round is done; after step k = `after`, remember all that trains for the rewinds to come."""
    for tensor in masks:
        mask = fixed_mask_of(tensor)
        mask.seen.add_(1)
        if int(mask.seen) == after:
            mask.anchor.copy_(tensor.original.detach())
            for value, parameter in zip(mask.beside, masks.biases_and_norms, strict=False):
                value.copy_(parameter.detach())


def reset(masks: Masks, action: Action, *, trains: bool) -> None:
    """Set kept weights as an action says, pruned ones to their random values, biases and norms back to step k.

    Args:
        trains: whether a training follows. If not, a constant is the mask's: the weights keep their random values.
    """
    with torch.no_grad():
        if action == "reinitialise":
            masks.redraw(1)
            for tensor in masks:
                fixed_mask_of(tensor).start.copy_(tensor.values())
        else:
            for tensor in masks:
                tensor.original.copy_(_weights(tensor, action, trains=trains))
        for value, parameter in zip(fixed_mask_of(masks.tensors[0]).beside, masks.biases_and_norms, strict=True):
            parameter.copy_(value)


def _weights(tensor: MaskedParameter, action: Action, *, trains: bool) -> Tensor:
    mask = fixed_mask_of(tensor)
    weight, kept = mask.anchor.clone(), mask.kept
    if action == "reshuffle":
        order = tensor.uniform("reshuffle").to(weight.device)[kept].argsort()
        weight[kept] = weight[kept][order]
    elif action == "constant" and trains:
        weight = signs(weight) * weight.std()
    elif action == "constant":
        mask.constant.fill_(float(weight.std()))
    return torch.where(kept, weight, mask.start)
