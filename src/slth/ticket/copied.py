"""A target in as many copies as a ticket has of its channels."""

from slth._errors import InputError
from slth.graph import Target, with_copies
from slth.ticket.ticket import Ticket


def with_copies_of(ticket: Ticket, target: Target) -> Target:
    """The same function with copies of each channel, as its map has them in the ticket; the target, if that has none.

    Raises:
        InputError: the target has another number of maps, or is no network that can have copies.
    """
    if not ticket.copies or target.original is not None:
        return target
    theirs, ours = list(target.graph.maps), list(ticket.maps)
    if len(theirs) != len(ours):
        raise InputError(f"the target has {len(theirs)} maps, the ticket {len(ours)}")
    reads = {mine: ticket.copies[path] for mine, path in zip(theirs, ours, strict=True) if path in ticket.copies}
    return with_copies(target, reads, shape=target.input_shape if ticket.inputs is None else ticket.inputs.shape)
