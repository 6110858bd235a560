"""A target as a ticket has it: in as many copies of its channels, with merged projections."""

from slth._errors import InputError
from slth.graph import Target, with_copies, with_merged
from slth.ticket.ticket import Ticket


def rewritten_for(ticket: Ticket, target: Target) -> Target:
    """The same function, rewritten as the network of a ticket is; the target, if that is not.

    Raises:
        InputError: the target has another number of maps, or is no network that can be rewritten so.
    """
    if target.original is not None:
        return target
    shape = target.input_shape if ticket.inputs is None else ticket.inputs.shape
    if ticket.merged:
        return with_merged(target, shape=shape)
    if not ticket.copies:
        return target
    theirs, ours = list(target.graph.maps), list(ticket.maps)
    if len(theirs) != len(ours):
        raise InputError(f"the target has {len(theirs)} maps, the ticket {len(ours)}")
    reads = {mine: ticket.copies[path] for mine, path in zip(theirs, ours, strict=True) if path in ticket.copies}
    return with_copies(target, reads, shape=shape)
