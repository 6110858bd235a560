"""What a training of masks found, as a ticket: seed, masks, what moved and what is carried.

A search and a loop of the user's own come here with the same things: one writer, one set of checks.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth._version import __version__
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.learning.method import Method
from slth.learning.policy import Policy
from slth.learning.training import Training
from slth.network import check_filled, check_shaped
from slth.ticket import (
    BY_HAND,
    Bound,
    Builtin,
    Inputs,
    Provenance,
    RandomTensor,
    Ticket,
    check_carried,
    check_text,
    learned_ticket,
    network_name,
    plain,
)

_TYPES = (
    *(torch.float16, torch.float32, torch.float64),
    *(torch.int8, torch.int16, torch.int32, torch.int64, torch.uint8, torch.bool),
)  # which a ticket carries
_ADVICE = "convert it first, or register a buffer that is no state with persistent=False"


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
    masked = [path for tensor in masks for path in (tensor.path, *(alias for alias, _, _ in tensor.location.aliases))]
    own = tuple(_place_of_mask(path) for path in masked)
    state: dict[str, np.ndarray] = {}
    seen: set[int] = set()
    for name, value in masks.model.state_dict(keep_vars=True).items():
        if name.startswith(own) or name in masked or id(value) in seen:
            continue
        seen.add(id(value))
        state[name] = value.detach().cpu().numpy().copy()
    return state


def _place_of_mask(path: str) -> str:
    """Where PyTorch keeps a masked parameter and its mask. A model may have parametrizations of its own elsewhere.

    >>> _place_of_mask("conv.weight")
    'conv.parametrizations.weight.'
    """
    module, dot, name = path.rpartition(".")
    return f"{module}{dot}parametrizations.{name}."


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


def check_model(model: nn.Module) -> None:
    """What a model holds beside numbers that will be drawn is something that a ticket can carry. Reads no numbers.

    Raises:
        InputError: naming the first that is not.
    """
    for name, value in model.state_dict(keep_vars=True).items():
        check_text(name, "the name of a parameter or buffer", 1000)
        if not isinstance(value, Tensor):
            raise InputError(
                f"{name} holds {type(value).__name__}, and a ticket carries tensors only: keep what get_extra_state "
                "gives in buffers, or search on a part of the model"
            )
        check_shaped(name, value)
        check_filled(name, value)
        if value.is_quantized or value.layout != torch.strided:
            what = "quantised" if value.is_quantized else str(value.layout).removeprefix("torch.")
            raise InputError(f"{name} is {what}, and a ticket carries dense arrays of plain numbers; {_ADVICE}")
        if value.dtype not in _TYPES:
            known = ", ".join(str(dtype).removeprefix("torch.") for dtype in _TYPES)
            raise InputError(
                f"{name} is {str(value.dtype).removeprefix('torch.')}; a ticket carries {known}; {_ADVICE}"
            )


def check_carried_by(masks: Masks) -> None:
    """What a model keeps under masks is something that a ticket can carry.

    Raises:
        InputError: naming the first array that is not.
    """
    for name, values in carried(masks).items():
        try:
            check_carried(name, values)
        except InputError as error:
            raise InputError(f"{error}; {_ADVICE}") from error


def check_state(masks: Masks) -> None:
    """A state that holds NaN or infinity is no ticket."""
    for name, value in masks.model.state_dict().items():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            raise InputError(
                f"{name} holds values that are not finite after the training; try a lower rate, or, if it is a "
                "constant such as a causal mask, register it with persistent=False"
            )
