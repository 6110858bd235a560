"""What a search found, as a ticket: seed, masks, what moved and what is carried."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from slth._errors import InputError
from slth._version import __version__
from slth.learning.masked_parameter import MaskedParameter
from slth.learning.masks import Masks
from slth.ticket import Bound, Builtin, Inputs, Provenance, RandomTensor, Ticket, learned_ticket

_PARAMETRIZED = ".parametrizations."


def ticket_of(
    masks: Masks,
    *,
    strong: bool,
    move_bound: float | None,
    network: Builtin | Bound,
    inputs: Inputs | None,
    method: str,
    asked: Mapping[str, Any],
    data: str | None,
) -> Ticket:
    """The ticket of a model with masks on it. Weights that moved are set to W₀ + Δ, Δ in float32, as the ticket says.

    Raises:
        InputError: a strong method whose weights are not those of their streams: nothing but scores may move.
    """
    bound = move_bound if masks.policy.weights == "random" else None  # of the random weights, which never were there
    tensors: list[RandomTensor] = []
    kept: dict[str, np.ndarray] = {}
    moves: dict[str, np.ndarray] = {}
    for tensor in masks:
        moved = masks.moves(tensor, limit=bound)
        keep = tensor.mask.chosen().cpu()
        if moved is not None and strong and masks.policy.weights == "random":
            raise InputError(f"{tensor.path}: weights moved, though this method moves nothing but masks; report this")
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
        provenance=Provenance(version=__version__, method=method, asked=dict(asked), data=data),
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
