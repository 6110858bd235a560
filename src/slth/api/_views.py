"""Tickets from files and into files; a ticket as a module."""

from pathlib import Path
from typing import TYPE_CHECKING

from slth._errors import InputError
from slth.ticket import Ticket, load, save

if TYPE_CHECKING:
    from torch import nn

__all__ = ["apply", "load", "realised", "save", "source"]


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
    """Load a ticket into a model of the same shapes, in place and bit for bit; the model. Needs PyTorch.

    A learned ticket, or one of the layers of such a model, `construct(..., layers_only=True)`: in float32.

    Raises:
        InputError: naming the first parameter that does not fit; nothing was changed.
    """
    from slth.network import apply_to

    found = ticket_of(ticket)
    if found.gadgets and found.joined:
        raise InputError("a constructed ticket is a network by itself: slth.realised(ticket) makes it")
    return apply_to(found, model)
