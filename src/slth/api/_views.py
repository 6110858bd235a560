"""Tickets from files and into files; a ticket as a network."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from slth._errors import InputError
from slth.api._train import check_tensors_name, write_tensors
from slth.ticket import Ticket, load, save

if TYPE_CHECKING:
    from torch import nn

__all__ = ["apply", "export", "load", "realised", "save", "source"]


def ticket_of(ticket: Ticket | str | Path) -> Ticket:
    """A ticket, read if it is given as the path of one."""
    return ticket if isinstance(ticket, Ticket) else load(ticket)


def realised(ticket: Ticket | str | Path) -> "nn.Module":
    """The function that a ticket computes, as a module with few operations; nothing in it trains. Needs PyTorch.

    Raises:
        InputError: a ticket that is bound to a model of the user's: `apply` loads it into one.
    """
    from slth.network import realised as view

    return view(ticket_of(ticket))


def source(ticket: Ticket | str | Path) -> "nn.Module":
    """The pruned random network itself, as a module; of a constructed ticket. Needs PyTorch."""
    from slth.network import source as view

    return view(ticket_of(ticket))


def apply(ticket: Ticket | str | Path, model: "nn.Module") -> "nn.Module":
    """Load a learned ticket into a model of the same shapes, in place and bit for bit; the model. Needs PyTorch.

    Raises:
        InputError: naming the first parameter that does not fit; nothing was changed.
    """
    from slth.network import apply_to

    found = ticket_of(ticket)
    if found.gadgets:
        raise InputError("a constructed ticket is a network by itself: slth.realised(ticket) makes it")
    return apply_to(found, model)


def export(ticket: Ticket | str | Path, out: str | Path, *, view: str = "realised") -> dict[str, np.ndarray]:
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

    found = ticket_of(ticket)
    tensors = state_dict(found, view)
    write_tensors(out, tensors)
    return tensors
