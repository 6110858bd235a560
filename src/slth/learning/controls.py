"""What is a ticket worth? The same network with something taken away.

| control | weights | mask |
| --- | --- | --- |
| `random_mask` | the ticket's | as many weights of the whole network, at random |
| `shuffled_mask` | the ticket's | as many weights of each layer, at random |
| `reinitialised` | fresh random ones | the ticket's |
| `dense` | trained | none |

Where no weight moved, the first three are measured as they are, without training, as the ticket is: a mask that was
found beats them by far. Where weights trained, the remaining weights are trained from their random
values with the same settings. `dense` is the same network, trained with the same settings (biases and norms, too).
Frankle and Carbin (2019), Zhou et al. (2019), Ma et al., *Sanity checks for lottery tickets* (2021).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from glob import escape

import numpy as np
import torch
from torch import nn

from slth.learning.attach import attach
from slth.learning.batches import Batches
from slth.learning.locations import locations
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.methods import FixedMask, fixed_mask_of
from slth.learning.policy import Policy
from slth.learning.predictions import accuracy
from slth.learning.trainer import train
from slth.learning.training import Stage, Training
from slth.network import apply_to
from slth.ticket import Ticket, control_noise, largest, learned_ticket, random_weights

CONTROLS = ("random_mask", "shuffled_mask", "reinitialised", "dense")
_DENSE_RATE = 0.01  # of SGD with momentum on weights; score rates are far too high for them


def controls_of(
    ticket: Ticket,
    rebuild: Callable[[], nn.Module],
    batches: Batches,
    *,
    test: Batches,
    training: Training,
) -> dict[str, float]:
    """Accuracy of every control of a ticket.

    Args:
        rebuild: makes a network of the ticket's shape.
        training: as the ticket was found; for `dense` beside a strong ticket with SGD at rate 0.01.
    """
    reached: dict[str, float] = {}
    for name in CONTROLS:
        model = rebuild()
        if name == "dense":
            settings = training if ticket.moved else replace(training, optimizer="sgd", lr=_DENSE_RATE, momentum=0.9)
            _train(model, ticket, None, batches, settings)
        elif not ticket.moved:
            apply_to(control(ticket, name), model)
        else:
            _train(model, ticket, control(ticket, name), batches, training)
        reached[name] = accuracy(model, test) / len(test.x)
    return reached


def control(ticket: Ticket, name: str) -> Ticket:
    """A ticket with another mask, or other random weights: `random_mask`, `shuffled_mask` or `reinitialised`.

    It carries what the ticket carries; what moved is left out.
    """
    tensors = [replace(tensor, moved=False) for tensor in ticket.tensors]
    if name == "reinitialised":
        kept = [ticket.mask(tensor.path) for tensor in tensors]
        tensors = [replace(tensor, stream=f"{tensor.path}@control") for tensor in tensors]
    else:
        noise = [control_noise(tensor, ticket.seed) for tensor in tensors]
        if name == "shuffled_mask":
            kept = [largest(part, tensor.kept) for part, tensor in zip(noise, tensors, strict=True)]
        else:
            chosen = largest(np.concatenate([part.ravel() for part in noise]), ticket.kept)
            ends = np.cumsum([tensor.size for tensor in tensors])[:-1]
            kept = [part.reshape(t.shape) for part, t in zip(np.split(chosen, ends), tensors, strict=True)]
            tensors = [replace(tensor, kept=int(part.sum())) for tensor, part in zip(tensors, kept, strict=True)]
    return learned_ticket(
        seed=ticket.seed,
        network=ticket.network,
        inputs=ticket.inputs,
        tensors=tensors,
        kept={tensor.path: part for tensor, part in zip(tensors, kept, strict=True)},
        moves={},
        move_bound=None,
        carried=ticket.carried,
        provenance=replace(ticket.provenance, method=f"control: {name}"),
    )


def _train(model: nn.Module, ticket: Ticket, masked: Ticket | None, batches: Batches, training: Training) -> None:
    """Train the weights that a control keeps, all of them without one, from their random values."""
    masks = attach(model, _GivenMask(), seed=ticket.seed, policy=_policy_of(ticket, model))
    chosen = ticket if masked is None else masked
    with torch.no_grad():
        for tensor in masks:
            weights = random_weights(chosen.tensor(tensor.path), ticket.seed)
            tensor.original.copy_(torch.from_numpy(weights))
            if masked is not None:
                fixed_mask_of(tensor).kept.copy_(torch.from_numpy(masked.mask(tensor.path)))
    stage = Stage("control", training, moving="weights")
    train(masks, [stage], replace(batches, size=training.batch), None, asked={"control": chosen.provenance.method})


def _policy_of(ticket: Ticket, model: nn.Module) -> Policy:
    """What masks the tensors of a ticket, and no other; everything else trains."""
    paths = {tensor.path for tensor in ticket.tensors}
    policy = Policy(biases="train", norms="train", include=tuple(map(escape, sorted(paths))))
    others = (location.path for location in locations(model, policy) if location.path not in paths)
    return replace(policy, skip=tuple(map(escape, others)))


@dataclass(frozen=True, slots=True)
class _GivenMask:
    """A mask that is given, not learned."""

    density = 1.0

    @property
    def policy(self) -> Policy:
        return Policy()

    def mask(self, tensor: MaskedParameter) -> FixedMask:
        return FixedMask(tensor.values())

    def prepare(self, masks: Masks) -> None:
        """Nothing more."""
