"""The papers that tickets and parts of slth rest on."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth.api._views import ticket_of
from slth.theory import METHODS, OBJECTIVES, OTHERS, REFERENCES, WEIGHT_LAWS, Reference, bibtex, rests_on
from slth.ticket import Ticket, TwoLayer


@dataclass(frozen=True, slots=True)
class Cited:
    """Papers, each once, in the order of what rests on them; `print` it for BibTeX."""

    references: tuple[Reference, ...]

    def __str__(self) -> str:
        return bibtex(reference.key for reference in self.references)

    def as_plain(self) -> list[dict[str, Any]]:
        """For JSON."""
        return [reference.as_data() for reference in self.references]


def cite(what: Sequence[Ticket | str | Path] | Ticket | str | Path) -> Cited:
    """The papers that a ticket, a gadget, an objective, a law, a method, a bound or a reproduction rests on.

    Of a ticket those of its gadgets, its objective, its laws, its method and its streams.

    Args:
        what: one or several: tickets, files of tickets; names, such as "two-layer", "exactly", "normal/20", "biprop",
            "pensia-lower"; keys of papers.

    Raises:
        InputError: nothing has this name; a file that is no ticket.

    >>> [reference.key for reference in cite("edge-popup").references]
    ['ramanujan2020']
    >>> print(cite("centred"))  # doctest: +ELLIPSIS
    @article{borgs2001,
      author = {Borgs, Christian and Chayes, Jennifer and Pittel, Boris},
      ...
    """
    listed = [what] if isinstance(what, Ticket | str | Path) else _several(what)
    keys = dict.fromkeys(key for one in listed for key in _keys(one))
    return Cited(tuple(REFERENCES[key] for key in keys))


def _several(what: Any) -> Sequence[Ticket | str | Path]:
    listed = what if isinstance(what, Sequence) and not isinstance(what, bytes) else []
    if not listed or not all(isinstance(one, Ticket | str | Path) for one in listed):
        raise InputError(f"what must be tickets, files of tickets or names, at least one; got {_arguments.shown(what)}")
    return listed


def _keys(what: Ticket | str | Path) -> Iterator[str]:
    """A name comes before a file that is called so; with its folder, it is the file."""
    if isinstance(what, Ticket) or Path(what).suffix == ".slth":
        ticket = ticket_of(what)
    else:
        try:
            yield from rests_on(str(what))
            return
        except InputError:
            if not os.path.isfile(what):
                raise
        ticket = ticket_of(what)
    for name in dict.fromkeys(_parts(ticket)):
        yield from rests_on(name)


def _parts(ticket: Ticket) -> Iterator[str]:
    """What a ticket is made of, in the words of `slth.theory`: the construction or the method, the numbers, claims."""
    asked, method = ticket.provenance.asked, ticket.provenance.method
    gadgets = ticket.gadgets.values()
    yield from (gadget.kind for gadget in gadgets)
    if gadgets:
        by_default = "fewest" if ticket.copies else "within"
        yield from (name for name in [asked.get("objective", by_default)] if name in OBJECTIVES)
        yield from ("linear" for gadget in gadgets if gadget.linear and isinstance(gadget, TwoLayer))
        yield from ("centred" for gadget in gadgets if isinstance(gadget, TwoLayer) and gadget.centred)
        yield from (name for op in ticket.maps.values() if (name := type(op.basis).__name__) in OTHERS)
        yield from (tensor.law for tensor in ticket.tensors)
    elif method in METHODS:
        yield method
        policy = asked.get("policy", {})
        yield from (name for name in (policy.get("law"), policy.get("allocation")) if name in {*WEIGHT_LAWS, *OTHERS})
    yield "stream"
    claims = ticket.claims
    if claims is not None:
        yield from ("norms" for op in ticket.maps.values() if "Conv" in type(op.basis).__name__)
        if claims.statistical:
            yield "statistical"
