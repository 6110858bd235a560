"""What a page says about a ticket whose random tensors are the parameters: its masks were trained."""

from collections.abc import Iterator

from slth.reporting import data
from slth.reporting.exhibit import Exhibit
from slth.reporting.html import Html, at_most, join, pairs, percent, plural, sentence, table, tag
from slth.reporting.summary import alarm
from slth.reporting.tables import flat
from slth.ticket import Bound, stored_mask_bits

_MOST_ROWS = 1000


def opening(exhibit: Exhibit) -> Html:
    """One sentence, and the numbers that matter most."""
    ticket = exhibit.ticket
    lead = sentence(
        "A random network of {} masked weights in {}, named by seed {}; {} chose which of them stay. {}",
        f"{ticket.size:,}",
        plural(len(ticket.tensors), "tensor"),
        str(ticket.seed),
        ticket.provenance.method or "a method that is not recorded",
        f"Kept weights moved, by at most {at_most(ticket.largest_move)}." if ticket.moved else "No weight moved.",
    )
    return join([tag("p", lead, class_="lead"), alarm(exhibit), _tiles(exhibit)])


def _tiles(exhibit: Exhibit) -> Html:
    tiles = (tag("div", tag("strong", value), tag("span", label)) for value, label in _key_numbers(exhibit))
    return tag("div", *tiles, class_="key")


def _key_numbers(exhibit: Exhibit) -> Iterator[tuple[str, str]]:
    ticket = exhibit.ticket
    yield percent(ticket.density), f"of {ticket.size:,} masked weights kept (density)"
    yield f"{8 * exhibit.size / ticket.size:.2f}", "bits of file for each masked weight"
    yield f"{ticket.carried_numbers:,}", "numbers carried as they are"
    for found in exhibit.evaluations[:1]:
        yield from data.tiles(found)


def claims(exhibit: Exhibit) -> Html:
    """What was checked, and what such a ticket never claims."""
    ticket = exhibit.ticket
    lines = ["It stands for no target network, so nothing is claimed of its outputs: what it does on data is measured."]
    if isinstance(ticket.network, Bound):
        lines.append("It is bound to a model of its maker's: slth.apply(ticket, model) loads it into one.")
    if ticket.move_bound is not None:
        lines.append(f"Claimed: no weight moved by more than {at_most(ticket.move_bound)}.")
    return join(tag("p", line) for line in lines)


def tensors(exhibit: Exhibit) -> Html:
    """One row per random tensor."""
    ticket = exhibit.ticket
    head = ["tensor", "shape", "law", "scale", "kept", "density", "moved"]
    rows = [
        [
            tensor.path,
            " × ".join(map(str, tensor.shape)),
            tensor.law + (", as signs" if tensor.binary else ""),
            f"{tensor.scale:.4g}" + (f", gain {tensor.gain:.4g}" if tensor.gain != 1.0 else ""),
            f"{tensor.kept:,} of {tensor.size:,}",
            percent(tensor.kept / tensor.size),
            "yes" if tensor.moved else "no",
        ]
        for tensor in ticket.tensors[:_MOST_ROWS]
    ]
    rest = len(ticket.tensors) - _MOST_ROWS
    more = tag("p", f"{plural(rest, 'further tensor')} not listed.", class_="note") if rest > 0 else Html()
    text = (
        f"Each tensor is drawn from a stream of its own; {stored_mask_bits(ticket):,} bits say which of its weights "
        "stay. Density is the kept fraction."
    )
    return join([tag("p", text), table(head, rows, label="The random tensors", words=3), more, _carried(exhibit)])


def _carried(exhibit: Exhibit) -> Html:
    carried = exhibit.ticket.carried
    if not carried:
        return Html()
    names = ", ".join(f"{name} ({values.size:,})" for name, values in list(carried.items())[:50])
    rest = f" and {len(carried) - 50:,} more" if len(carried) > 50 else ""
    return tag("p", f"Carried as they are: {names}{rest}.", class_="note")


def origin(exhibit: Exhibit) -> Html:
    """What was asked when it was made."""
    made = exhibit.ticket.provenance
    asked = flat("", made.asked)
    rows = [
        ("version", f"slth {made.version}"),
        ("method", made.method),
        *asked,
        ("this file, SHA-256", tag("code", exhibit.digest)),
    ]
    return pairs(rows)
