"""What a training of masks found, as a ticket: seed, masks, what moved and what is carried.

A search and a loop of the user's own come here with the same things: one writer, one set of checks.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import torch

from slth._errors import InputError
from slth._version import __version__
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.method import Method
from slth.learning.policy import Policy
from slth.learning.training import Training
from slth.ticket import (
    BY_HAND,
    Bound,
    Builtin,
    Inputs,
    Provenance,
    RandomTensor,
    Ticket,
    learned_ticket,
    network_name,
    plain,
)

_PARAMETRIZED = ".parametrizations."


def asked_of(
    name: str,
    method: Method,
    policy: Policy,
    *,
    training: Training | None,
    seed: int,
    data: str | None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a ticket says was asked for.

    Args:
        training: None: a loop of the user's own.

    Raises:
        InputError: something that is no plain data, which no ticket can hold.
    """
    settings = asdict(method) if is_dataclass(method) and not isinstance(method, type) else {}
    asked: dict[str, Any] = {
        "method": {"name": name, **settings},
        "training": BY_HAND if training is None else asdict(training),
        "policy": asdict(policy),
        "seed": seed,
        "data": data,
        **(more or {}),
    }
    return plain(asked, "asked")


def ticket_of(
    masks: Masks,
    method: Method,
    *,
    name: str,
    network: Builtin | Bound,
    inputs: Inputs | None,
    asked: Mapping[str, Any],
    data: str | None,
) -> Ticket:
    """The ticket of a model with masks on it. Weights that moved are set to W₀ + Δ, Δ in float32, as the ticket says.

    Args:
        name: of the method.
        network: as it was before the masks; a method that has replaced modules of it makes it the user's own.
        inputs: of the network; without a range, of which a learned ticket says nothing.

    Raises:
        InputError: a state that is not finite; a strong method whose weights are not those of their streams: nothing
            but scores may move; inputs that a named network does not take.
    """
    check_state(masks)
    network = Bound() if masks.replaced else network
    if inputs is not None:
        _check_inputs(inputs, network)
        inputs = Inputs(inputs.shape, inputs.mean or (0.0,), inputs.std or (1.0,))
    drawn = masks.policy.weights == "random"
    bound = method.move_bound if drawn else None  # of the random weights, which never were there
    tensors: list[RandomTensor] = []
    kept: dict[str, np.ndarray] = {}
    moves: dict[str, np.ndarray] = {}
    for tensor in masks:
        moved = masks.moves(tensor, limit=bound)
        keep = tensor.mask.chosen().cpu()
        if moved is not None and method.strong and drawn:
            raise InputError(
                f"{tensor.path}: the weights are not those of their stream any more, though {name} learns nothing but "
                "masks; let masks.parameters train and nothing else, and nothing after masks.step(1)"
            )
        delta = None if moved is None else moved[keep]
        if delta is not None and not bool(delta.any()):
            delta = None
        tensors.append(_spec(tensor, int(keep.sum()), moved=delta is not None))
        kept[tensor.path] = keep.numpy()
        if delta is not None:
            moves[tensor.path] = delta.numpy()
    return learned_ticket(
        seed=masks.seed,
        network=network,
        inputs=inputs,
        tensors=tensors,
        kept=kept,
        moves=moves,
        move_bound=bound,
        carried=carried(masks),
        provenance=Provenance(version=__version__, method=name, asked=dict(asked), data=data),
    )


def _check_inputs(inputs: Inputs, network: Builtin | Bound) -> None:
    """A named network says itself what it takes."""
    taken = network.arguments.get("inputs") if isinstance(network, Builtin) else None
    if taken is not None and math.prod(taken) != inputs.size:
        raise InputError(
            f"inputs: this {network_name(network)} was built for inputs of shape {tuple(taken)}, got {inputs.shape}; "
            "say that shape, or build the network for this one"
        )


def carried(masks: Masks) -> dict[str, np.ndarray]:
    """Everything else of the model's state that is not zero by default: statistics, norms, biases, embeddings."""
    masked = {path for tensor in masks for path in (tensor.path, *(alias for alias, _, _ in tensor.location.aliases))}
    state: dict[str, np.ndarray] = {}
    seen: set[int] = set()
    for name, value in masks.model.state_dict(keep_vars=True).items():
        if _PARAMETRIZED in f".{name}" or name in masked or id(value) in seen:
            continue
        seen.add(id(value))
        state[name] = value.detach().cpu().numpy().copy()
    return state


def _spec(tensor: MaskedParameter, kept: int, *, moved: bool) -> RandomTensor:
    return RandomTensor(
        path=tensor.path,
        shape=tensor.shape,
        law=tensor.law,
        scale=tensor.scale,
        kept=kept,
        binary=tensor.mask.binary,
        gain=float(np.float32(tensor.mask.gain())),
        moved=moved,
        stream=tensor.stream if tensor.redraw else "",
        aliases=tuple(path for path, _, _ in tensor.location.aliases),
    )


def check_state(masks: Masks) -> None:
    """A state that holds NaN or infinity is no ticket."""
    for name, value in masks.model.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise InputError(f"{name} holds values that are not finite after the training; try a lower rate")
