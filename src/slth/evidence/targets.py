"""A target beside a ticket: the network that it was made for, under its names, or how it is another one."""

from slth._errors import InputError
from slth.graph import Graph, Linear, Target
from slth.ticket import Ticket, as_in, network_digest, rewritten_for, with_biases

DIGEST_DIFFERS = "not the network the ticket was made for: its digest differs"


def in_words_of(ticket: Ticket, target: Target) -> Target:
    """The same function, with biases of zeros where the ticket's network has them, see `with_biases`."""
    network = ticket.network
    if not isinstance(network, Graph) or target.tensors or ticket.merged or not network.joined:
        return target
    return with_biases(target, network, digest=ticket.provenance.target, shape=_shape(ticket, target))


def matched_to(ticket: Ticket, target: Target) -> Target | str:
    """The target under the ticket's names, or how its network differs: in its maps, or at the first node that does."""
    try:
        target = rewritten_for(ticket, target)
    except InputError as error:
        return str(error)
    theirs, ours = list(target.graph.maps.values()), list(ticket.maps.values())
    if len(theirs) != len(ours):
        return f"the target has {len(theirs)} maps, the ticket {len(ours)}"
    for i, (given, wanted) in enumerate(zip(theirs, ours, strict=True)):
        if (given.coefficients, given.bias) != (wanted.coefficients, wanted.bias):
            return f"map {i} of {len(theirs)} differs: the target's is {_words(given)}, the ticket's {_words(wanted)}"
    if not isinstance(ticket.network, Graph):
        return "the ticket spells out no network"
    found = as_in(target, ticket.network)
    if isinstance(found, Target) and found.merged != ticket.merged:
        return "merged maps of the ticket stand for other projections, or more of them, than those of the target"
    return found


def why_another(ticket: Ticket, target: Target) -> str | None:
    """What tells a target from the network that a ticket was made for; None if it is that."""
    found = matched_to(ticket, target)
    if isinstance(found, str):
        return found
    return None if network_digest(target, _shape(ticket, target)) == ticket.provenance.target else DIGEST_DIFFERS


def own_target(ticket: Ticket, target: Target) -> Target:
    """The network that a ticket was made for, under the ticket's names.

    Raises:
        InputError: it is another network, in the words of `verify`; or the ticket stands for none.
    """
    if ticket.claims is None:
        raise InputError("a learned ticket stands for no target network, so it has no difference from one")
    why, found = why_another(ticket, target), matched_to(ticket, target)
    if why is not None or isinstance(found, str):
        raise InputError(f"this is not the target of the ticket: {why}")
    return found


def _shape(ticket: Ticket, target: Target) -> tuple[int, ...]:
    return target.input_shape if ticket.inputs is None else ticket.inputs.shape


def _words(op: Linear) -> str:
    """A map in words.

    >>> from slth.graph import Dense
    >>> _words(Linear("fc", Dense(784, 500), True))
    '784 -> 500 with a bias'
    """
    through = "" if op.basis.taps == 1 else f" ({op.basis.taps} taps)"
    return f"{op.basis.inputs} -> {op.basis.outputs}{through} {'with a' if op.bias else 'without'} bias"
