"""Tickets beside other ways to store the same weights."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth._files import check_writable
from slth.api._construct import Reading
from slth.api._evidence import target_of
from slth.api._inputs import Numbers, examples_of
from slth.api._views import ticket_of
from slth.evidence import compare as _compare
from slth.graph import Target
from slth.records import Compared, Comparison, verbs
from slth.ticket import Ticket

__all__ = ["Compared", "Comparison", "compare"]


def compare(
    tickets: Sequence[Ticket | str | Path] | Ticket | str | Path,
    *,
    target: Any = None,
    model: str | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    data: Any = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Constructed tickets of one target beside quantisers of its weights: bits a weight against error and accuracy.

    Of each ticket the whole file is counted, and beside it stand its masks as plain bits, a uniform quantiser with an
    entropy coder that is as exact, and the least that any code of Gaussian weights takes at its mean square error; then
    round to nearest in 8, 4 and 3 bits, and SeedLM on a sample. `.verdicts` says by how much each ticket loses.

    Args:
        tickets: one or several.
        target: the network that they stand for; it, `model`, `order`, `activation`, `from_node`, `to_node`: as in
            `construct`.
        data: adds accuracy and the largest difference of an output, as in `evaluate`.
        out: a picture, `.svg`, `.png` or `.pdf`.

    Raises:
        InputError: a learned ticket, one of another network, a picture that cannot be written.

    >>> import numpy as np, slth
    >>> model = {"weight": np.random.default_rng(0).normal(0, 0.1, (20, 30))}
    >>> ticket = slth.construct(model, input_range=(0, 1), relative_tolerance=0.01)
    >>> found = slth.compare(ticket, target=model)
    >>> [row.kind for row in found.rows if row.bits > 20]
    ['ticket', 'masks']
    """
    listed = [tickets] if isinstance(tickets, Ticket | str | Path) else list(tickets)
    place = None if out is None else _arguments.path("out", out)
    if place is not None:
        from slth.reporting import check_picture_name

        check_picture_name(place)
        check_writable(place)
        files = [ticket for ticket in listed if isinstance(ticket, str | Path)]
        verbs.check_apart(verbs.Compare, tickets=files, target=target, model=model, data=data, out=place)
    named = _named(listed)
    if target is None and model is None:
        raise InputError("a comparison needs the network that the tickets stand for: give a target, or a model")
    if not named:
        raise InputError("expected at least one ticket to compare")
    reading = Reading(order, activation, from_node, to_node)
    targets: dict[str, Target] = {}
    for name, ticket in named.items():
        alike = next((other for other in targets if _read_alike(named[other], ticket)), None)
        targets[name] = target_of(ticket, target, model, reading) if alike is None else targets[alike]
    first = next(iter(named.values()))
    inputs, y, name = (None, None, None) if data is None else examples_of(first.inputs, data, data_dir, mean, std)
    found = _compare(named, targets, inputs=inputs, y=y, data=name, progress=progress)
    if place is not None:
        from slth.reporting import draw_comparison

        draw_comparison(found, place)
    return found


def _read_alike(first: Ticket, second: Ticket) -> bool:
    """Whether both read their target in the same way, under the same names: it is read once then."""
    exact = [ticket.claims is not None and ticket.claims.exact is not None for ticket in (first, second)]
    same = first.network == second.network and first.inputs == second.inputs
    return same and exact[0] == exact[1] and first.provenance.cut == second.provenance.cut


def _named(tickets: Sequence[Ticket | str | Path]) -> dict[str, Ticket]:
    """By the name of the file, or by number; of two files of one name the second one has its number, too."""
    found: dict[str, Ticket] = {}
    for i, ticket in enumerate(tickets):
        name = Path(ticket).name if isinstance(ticket, str | Path) else f"ticket {i + 1}"
        found[f"{name} ({i + 1})" if name in found else name] = ticket_of(ticket)
    return found
