"""What a ticket says and no check recomputes: who edits a file can change it, so it is shown, never as holding."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from slth._errors import InputError
from slth.evidence.subject import Subject
from slth.graph import Graph
from slth.records import Check, Verdict
from slth.ticket import Bound, Ticket, with_steps

_MOST = 500  # characters of one member


def check_network(subject: Subject) -> Iterable[Check]:
    """Of tensors that are parameters: the network that is named is built without numbers; does it take the ticket?"""
    ticket = subject.ticket
    if isinstance(ticket.network, Graph):
        if ticket.network.joined:
            return []
        return [_says("network", "layers of a model of its maker's; how that joins them, only the model can show")]
    if isinstance(ticket.network, Bound):
        tied = [f"{alias} with {tensor.path}" for tensor in ticket.tensors for alias in tensor.aliases]
        beside = f", and that it ties {_listed(tied)}" if tied else ""
        return [_says("network", f"bound to a model of its maker's; which one{beside}, only that model can show")]
    name = f"{ticket.network.name}({_json(ticket.network.arguments)})"
    try:
        from slth.network import why_misfit
    except InputError as error:  # no PyTorch
        return [_says("network", f"{name}; {error}")]
    why = why_misfit(ticket)
    if why is not None:
        return [Check("network", Verdict.FAILS, f"{name} is not the network of these tensors: {why}")]
    return [Check("network", Verdict.HOLDS, f"{name}, built again, has these tensors and takes these inputs")]


def check_said(subject: Subject) -> Iterable[Check]:
    """Inputs, what is carried, what was assumed, where the ticket came from."""
    ticket = subject.ticket
    words = "not stated" if ticket.inputs is None else f"{ticket.inputs.words}; what data is, no file can show"
    yield _says("inputs", words)
    if ticket.carried and (not ticket.gadgets or not ticket.joined):
        yield _says("carried", f"{ticket.carried_numbers:,} numbers as they are: {_listed(ticket.carried)}")
    if ticket.assumed:
        yield _says("assumed", _cut("; ".join(ticket.assumed)))
    yield _says("origin", "; ".join(_origin(ticket)))


def _origin(ticket: Ticket) -> Iterator[str]:
    """Method, version, what was asked, and the names that the target had."""
    origin = ticket.provenance
    yield f"made by {origin.method or 'a method that is not recorded'}, slth {origin.version or 'not recorded'}"
    yield f"attempts {origin.attempts:,}"
    yield f"data {'not stated' if origin.data is None else _cut(origin.data)}"
    yield f"asked {_json({key: value for key, value in origin.asked.items() if value is not None})}"
    if origin.names:
        names = (" and ".join(name for name in pair if name is not None) for pair in origin.names.values())
        yield f"tensors of the target {_listed(names)}"
    if origin.folded:
        yield f"folded {_listed(with_steps(path, steps) for path, steps in origin.folded.items())}"


def _json(value: dict[str, Any]) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _listed(names: Iterable[str]) -> str:
    return _cut(", ".join(names))


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else f"{text[:_MOST]} ..."


def _says(name: str, detail: str) -> Check:
    return Check(name, Verdict.SAYS, detail)
