"""A learned ticket in rows for people."""

import json
from collections.abc import Iterator

from slth.numerics import at_most
from slth.ticket.learned import LearnedTicket
from slth.ticket.learned_spec import InputSpec, MaskedTensor


def rows(ticket: LearnedTicket) -> tuple[tuple[str, str], ...]:
    """(name, value), in the order in which they are shown. Masks are coded to count their bits; no weight is drawn."""
    kept, size, stored = ticket.kept, ticket.size, ticket.stored_mask_bits
    gains = sum(tensor.gain != 1.0 for tensor in ticket.tensors)
    origin = ticket.provenance
    return (
        ("network", _network(ticket)),
        ("seed", str(ticket.seed)),
        ("inputs", "not stated" if ticket.inputs is None else _inputs(ticket.inputs)),
        *(("law" if i == 0 else "", law) for i, law in enumerate(_laws(ticket.tensors))),
        ("masked weights", f"{size:,} in {_tensors(len(ticket.tensors))}"),
        ("kept", f"{kept:,}"),
        ("density", f"{kept}/{size} = {ticket.density:.6g}"),
        ("mask bits", f"{ticket.mask_bits:,}, stored in {stored:,} ({stored / size:.3g} per masked weight)"),
        ("carried", f"{ticket.carried_numbers:,} numbers" + (f", {gains} of them gains" if gains else "")),
        ("moved", moved(ticket)),
        ("method", origin.method),
        ("data", "not stated" if origin.data is None else origin.data),
    )


def moved(ticket: LearnedTicket) -> str:
    """What moved away from its random value, and how far; rounded up."""
    claim = "" if ticket.epsilon is None else f" (claimed: at most {ticket.epsilon!r})"
    if ticket.strong:
        return f"nothing: a strong ticket{claim}"
    weights = sum(tensor.kept for tensor in ticket.tensors if tensor.moved)
    return f"{weights:,} weights, by at most {at_most(ticket.largest_move, 4)}{claim}"


def _network(ticket: LearnedTicket) -> str:
    spec = ticket.network
    if spec.name is None:
        return "bound to a model of your own: slth.apply(ticket, model)"
    arguments = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in spec.arguments.items())
    return f"{spec.name}({', '.join(arguments)})"


def _inputs(spec: InputSpec) -> str:
    shape = " x ".join(map(str, spec.shape))
    if spec.mean == (0.0,) and spec.std == (1.0,):
        return shape
    mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (spec.mean, spec.std))
    return f"{shape}, (x - [{mean}]) / [{std}]"


def _laws(tensors: tuple[MaskedTensor, ...]) -> Iterator[str]:
    """Tensors of one law, in one row, in the order of their first."""
    for law in dict.fromkeys((tensor.law, tensor.binary) for tensor in tensors):
        group = [tensor for tensor in tensors if (tensor.law, tensor.binary) == law]
        scales = sorted(tensor.scale for tensor in group)
        around = f"{scales[0]:.4g}" if scales[0] == scales[-1] else f"{scales[0]:.4g} to {scales[-1]:.4g}"
        signs = ", as signs" if law[1] else ""
        yield f"{law[0]} x {around}{signs}: {_tensors(len(group))}, {sum(tensor.size for tensor in group):,} weights"


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"
