"""What a page says about a ticket whose random tensors are the parameters: its masks were trained."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from slth.reporting import data, densities, rasters
from slth.reporting.accounts import INSTALL, command_lines, installation
from slth.reporting.exhibit import Exhibit
from slth.reporting.html import Html, at_most, join, number, pairs, percent, plural, sentence, table, tag, tiles
from slth.reporting.search_command import python_call, search_command
from slth.reporting.summary import alarm
from slth.reporting.svg import evenly
from slth.reporting.tables import flat
from slth.ticket import Bound, RandomTensor, Ticket, stored_mask_bits

_MOST_ROWS = 1000
_MOST_DRAWN = 8  # tensors whose masks are drawn: the first, the last and some between
_MOST_SPENT = 60  # tensors of which it is counted how they spend their weights


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
    return join([tag("p", lead, class_="lead"), alarm(exhibit), tiles(_key_numbers(exhibit))])


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
    return join([tag("p", text), table(head, rows, label="The random tensors", words=3), more])


@dataclass(frozen=True, slots=True, eq=False)
class MaskFacts:
    """Masks of some tensors, and of each a random one with as many weights."""

    drawn: tuple[RandomTensor, ...]
    kept: Mapping[str, rasters.Raster]
    random: Mapping[str, rasters.Raster]
    spread: Html  # the table


def gather(ticket: Ticket) -> MaskFacts:
    """Read the masks and draw the controls, one tensor at a time: memory of one of them."""
    drawn = tuple(evenly(ticket.tensors, _MOST_DRAWN))
    wanted = {tensor.path for tensor in drawn}
    kept: dict[str, rasters.Raster] = {}
    random: dict[str, rasters.Raster] = {}
    spread: list[list[str]] = []
    for i, tensor in enumerate(ticket.tensors):
        if i >= _MOST_SPENT and tensor.path not in wanted:
            continue
        mask: Bool[np.ndarray, "..."] = ticket.mask(tensor.path)
        control = rasters.random_control(tensor, ticket.seed)
        if tensor.path in wanted:
            kept[tensor.path], random[tensor.path] = rasters.raster(mask), rasters.raster(control)
        if i < _MOST_SPENT:
            spread.append(densities.row(ticket, tensor, mask, control))
    return MaskFacts(drawn, kept, random, densities.spread_table(spread))


def masks(exhibit: Exhibit, facts: MaskFacts) -> Html:
    """Each mask beside one that keeps as many weights at random."""
    figures: list[Html] = []
    for tensor in facts.drawn:
        ours, control = facts.kept[tensor.path], facts.random[tensor.path]
        ends = rasters.shades(ours, control)
        shape = " × ".join(map(str, tensor.shape))
        text = f"{tensor.path[:200]} ({shape}): {tensor.kept:,} of {plural(tensor.size, 'weight')} kept. {ours.scale}"
        if ours.block != (1, 1):
            text += f" The palest keeps {percent(ends[0])}, the fullest {percent(ends[1])}."
        pictures = [
            tag("div", tag("p", name, class_="note"), rasters.draw(part, ends, label=f"{tensor.path}: {name}"))
            for name, part in (("the ticket's mask", ours), ("random control", control))
        ]
        figures.append(tag("figure", tag("figcaption", text), tag("div", *pictures, class_="pair")))
    text = (
        "Rows are outputs, columns inputs (of a convolution with all taps of its kernel); kept weights are blue. The "
        "random control keeps as many weights of the same tensor, at random: the control shuffled_mask of a search, "
        "drawn from the ticket's seed."
    )
    rest = len(exhibit.ticket.tensors) - len(facts.drawn)
    more = tag("p", f"{plural(rest, 'further tensor')} not drawn.", class_="note") if rest > 0 else Html()
    return join([tag("p", text), *figures, more])


def density(exhibit: Exhibit, facts: MaskFacts) -> Html:
    """Density of each tensor, and how it is spent, against masks at random."""
    ticket = exhibit.ticket
    text = (
        "Dots: the density of each tensor. Bars: what 95 % of random masks that keep as many weights of the whole "
        "network keep of it (the control random_mask of a search; computed, nearly normal). A method that fixes the "
        "density of each tensor chooses only which of its weights stay: the table says how unevenly those lie."
    )
    note = (
        "Spread: standard deviation of the number of kept weights of an output, or of an input. At random: of one mask "
        "with as many weights of the tensor, as drawn above."
    )
    rest = len(ticket.tensors) - densities.MOST_ROWS
    more = f" {plural(rest, 'further tensor')} not shown." if rest > 0 else ""
    picture = tag("figure", densities.picture(ticket))
    return join([tag("p", text), picture, facts.spread, tag("p", note + more, class_="note")])


def carried(exhibit: Exhibit) -> Html:
    """Every array that is stored as it is."""
    found = exhibit.ticket.carried
    if not found:
        return tag("p", "Nothing: the seed and the masks are the whole network.")
    rows = [
        [
            name,
            " × ".join(map(str, values.shape)) or "one number",
            str(values.dtype.newbyteorder("=")),
            f"{values.size:,}",
            _range(values),
        ]
        for name, values in list(found.items())[:_MOST_ROWS]
    ]
    rest = len(found) - len(rows)
    more = tag("p", f"{plural(rest, 'further array')} not listed.", class_="note") if rest > 0 else Html()
    text = (
        f"{plural(exhibit.ticket.carried_numbers, 'number')} that no stream makes, stored beside the masks: everything "
        "of the network that is not masked."
    )
    head = ["array", "shape", "type", "numbers", "from, to"]
    return join([tag("p", text), table(head, rows, label="What is carried", words=3), more])


def _range(values: np.ndarray) -> str:
    if not values.size:
        return "none"
    if values.dtype.kind not in "fiub":
        return "not numbers"
    low, high = (float(end) for end in (values.min(), values.max()))
    return f"all {number(low)}" if low == high else f"{number(low)}, {number(high)}"


def origin(exhibit: Exhibit) -> Html:
    """The command, and what was asked."""
    ticket, made = exhibit.ticket, exhibit.ticket.provenance
    name = exhibit.file
    words = search_command(ticket, name)
    note = (
        "The same versions on the same processor give the same file; elsewhere a sum of gradients may round otherwise."
    )
    if words:
        check = [f"slth verify {name}", f"slth evaluate {name} --data {words[1].removeprefix('--data ')}"]
        if words[1].endswith("DATA.npz"):
            note = f"DATA.npz stands for the data, {made.data}. {note}"
        code = command_lines([*installation(exhibit, "search"), " ".join(words), *check])
    elif not (lines := python_call(ticket)):
        code = Html()
        note = "Its masks were trained in a loop of its maker's own, which nobody recorded: no command gives it again."
    else:
        code = tag("pre", tag("code", "\n".join(lines)))
        note = f"Its model or its data has no name that a command could give, so in Python. {note}"
    rows = [("version", f"slth {made.version}"), ("method", made.method or "not recorded")]
    if made.data is not None:
        rows.append(("data", made.data))
    asked = [
        (key, value) for key, value in flat("", made.asked) if key not in ("data", "network", "method\xa0·\xa0name")
    ]
    digest = ("this file, SHA-256", tag("code", exhibit.digest))
    lead = f"{INSTALL} {note}" if words and re.match(r"\d", made.version) else note
    return join([tag("p", lead), code, pairs([*rows, *asked, digest])])
