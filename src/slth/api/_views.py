"""Tickets from files and into files; a ticket as a network."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slth._errors import InputError
from slth._files import write_atomically
from slth.api._train import check_tensors_name, write_tensors
from slth.ticket import LearnedTicket, Ticket, encode, load, load_constructed

if TYPE_CHECKING:
    from torch import nn

__all__ = ["apply", "export", "load", "realised", "save", "source"]


def save(ticket: Ticket | LearnedTicket, path: str | Path) -> Path:
    """Write a ticket atomically; the same bytes everywhere. `load` reads it.

    Raises:
        InputError: the place cannot be written or the disk is full; an old file survives.
    """
    return write_atomically(path, encode(ticket))


def realised(ticket: Ticket | LearnedTicket | str | Path) -> "nn.Module":
    """The function that a ticket computes, as a module with few operations; nothing in it trains. Needs PyTorch.

    Raises:
        InputError: a learned ticket that is bound to a model of the user's: `apply` loads it into one.
    """
    from slth.network import module_of
    from slth.network import realised as view

    found = ticket if isinstance(ticket, Ticket | LearnedTicket) else load(ticket)
    return module_of(found) if isinstance(found, LearnedTicket) else view(found)


def source(ticket: Ticket | str | Path) -> "nn.Sequential":
    """The pruned random network itself, as a module; of a constructed ticket. Needs PyTorch."""
    from slth.network import source as view

    return view(ticket if isinstance(ticket, Ticket) else load_constructed(ticket))


def apply(ticket: LearnedTicket | str | Path, model: "nn.Module") -> "nn.Module":
    """Load a learned ticket into a model of the same shapes, in place and bit for bit; the model. Needs PyTorch.

    Raises:
        InputError: naming the first parameter that does not fit; nothing was changed.
    """
    from slth.network import apply_to

    found = ticket if isinstance(ticket, LearnedTicket) else load(ticket)
    if not isinstance(found, LearnedTicket):
        raise InputError("a constructed ticket is a network by itself: slth.realised(ticket) makes it")
    return apply_to(found, model)


def export(
    ticket: Ticket | LearnedTicket | str | Path, out: str | Path, *, view: str = "realised"
) -> dict[str, np.ndarray]:
    """Write the network that a ticket stands for as a plain state dict. Needs PyTorch.

    Args:
        out: the file, `.safetensors`.
        view: "realised", the target's shape and names, which exist only where inputs are never negative; or "source",
            the random network. Of a learned ticket: its network, pruned, or with all of its random weights.

    Returns:
        The tensors by name, as they were written.

    Raises:
        InputError: a view that does not exist for this ticket, another suffix, a place that cannot be written.
    """
    check_tensors_name(out, "export to")
    from slth.network import state_dict

    found = ticket if isinstance(ticket, Ticket | LearnedTicket) else load(ticket)
    tensors = state_dict(found, view)
    write_tensors(out, tensors)
    return tensors
