"""What stands between a module and its numbers: wrappers around it, which spread it over devices or compile it, and
storage that several parameters share.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from slth._errors import InputError

_PARALLEL = (nn.DataParallel, nn.parallel.DistributedDataParallel)


def unwrapped(model: nn.Module) -> nn.Module:
    """The module inside DataParallel, DistributedDataParallel or `torch.compile`, whose names are those of a ticket.

    >>> inside = nn.Linear(2, 2)
    >>> unwrapped(nn.DataParallel(inside)) is inside
    True
    """
    while (inner := wrapped_module(model)) is not None:
        model = inner
    return model


def wrapped_module(model: nn.Module) -> nn.Module | None:
    """What a wrapper wraps; None of a module that is none."""
    return model.module if isinstance(model, _PARALLEL) else dict(model.named_children()).get("_orig_mod")


def check_shaped(name: str, value: Tensor) -> None:
    """Refuse what a lazy layer has not made yet."""
    if isinstance(value, nn.UninitializedParameter | nn.UninitializedBuffer):
        raise InputError(f"{name} does not know its shape yet; run the model once on some data first")


def check_filled(name: str, value: Tensor) -> None:
    """Refuse what has a shape and no numbers."""
    if value.is_meta:
        raise InputError(f"{name} holds no numbers: the model is on the meta device; call model.to_empty first")


def overlapping(model: nn.Module) -> Iterator[tuple[str, str]]:
    """Pairs of parameters and buffers that are two objects with storage in common; tied ones are one object."""
    places: dict[int, list[tuple[int, int, int]]] = {}
    values = [*model.named_parameters(), *model.named_buffers()]
    for row, (_, value) in enumerate(values):
        if _has_storage(value):
            start = value.storage_offset()
            end = start + 1 + sum((size - 1) * step for size, step in zip(value.shape, value.stride(), strict=True))
            size = value.element_size()
            places.setdefault(value.untyped_storage().data_ptr(), []).append((int(start) * size, int(end) * size, row))
    for together in places.values():
        reached, owner = 0, 0
        for start, end, row in sorted(together):
            if start < reached:
                first, second = sorted((owner, row))
                yield values[first][0], values[second][0]
            if end > reached:
                reached, owner = end, row


def _has_storage(value: Tensor) -> bool:
    """Numbers of its own, in one piece of memory."""
    strided = value.layout == torch.strided and not value.is_quantized
    return strided and not value.is_meta and value.numel() > 0
