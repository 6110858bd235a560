"""One self-contained HTML page about tickets, records, sweeps: no script, no outside request, the same bytes always."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from slth._errors import InputError
from slth._files import write_atomically
from slth._version import __version__
from slth.records import Grid, Record
from slth.reporting import accounts, data, evidence, graph, learned, maps, summary, sweep, tables, training
from slth.reporting.exhibit import Exhibit, bound_of
from slth.reporting.facts import gather
from slth.reporting.html import Html, at_most, join, percent, plural, table, tag
from slth.ticket import Ticket, network_name

Section = tuple[str, str, Html]  # key, title, content
_SIDE_BY_SIDE = 8  # tickets that stand in columns; more stand in rows
_SUFFIXES = (".html", ".htm")
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"  # a browser obeys it: nothing is fetched


def check_page_name(path: str | Path) -> None:
    """Refuse names that a browser would not open as a page."""
    if Path(path).suffix.lower() not in _SUFFIXES:
        raise InputError(f"a report is written as .html; got {Path(path).name!r}")


def write_page(
    path: str | Path, exhibits: Sequence[Exhibit], records: Sequence[Record] = (), grids: Sequence[Grid] = ()
) -> Path:
    """Write the page about some tickets, records and sweeps.

    Raises:
        InputError: nothing to report, a name that is no page, or a place that cannot be written.
    """
    check_page_name(path)
    return write_atomically(path, page(exhibits, records, grids, place=Path(path).parent).encode())


def page(
    exhibits: Sequence[Exhibit],
    records: Sequence[Record] = (),
    grids: Sequence[Grid] = (),
    *,
    place: Path | None = None,
) -> str:
    """The page as text; `place` is the folder it will lie in, from which the tickets of sweeps are linked.

    Cost: regenerating each ticket's random weights two or three times.
    """
    if not exhibits and not records and not grids:
        raise InputError("a report needs at least one ticket or one record, got none")
    title = _title(exhibits, records, grids)
    parts: list[Html] = []
    alone = len(exhibits) + len(grids) == 1
    if not alone:
        parts.append(tag("header", tag("p", "slth report", class_="kicker"), tag("h1", title)))
    if len(exhibits) > 1:
        parts.append(_overview(exhibits))
    for number, exhibit in enumerate(exhibits, 1):
        parts.append(_article(exhibit, number, alone=alone))
    for number, grid in enumerate(grids, 1):
        parts.append(_sweep(grid, number, place, alone=alone))
    if records:
        text = "Measurements as they were recorded: what was asked, what came out, how long it took, where it ran."
        heading = [tag("h2", "Records")] if exhibits or grids else []
        body = join([*heading, tag("p", text), tables.records(records)])
        parts.append(tag("section", body, id="records"))
    made = f"Made by slth {__version__}. The page holds no script and asks for nothing from outside."
    return _shell(title, join([tag("main", *parts), tag("footer", made)]))


def _shell(title: str, body: Html) -> str:
    style = files("slth.reporting").joinpath("page.css").read_text("utf-8")
    return "".join(
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n',
            '<link rel="icon" href="data:,">\n',
            tag("title", title),
            f"\n<style>\n{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n",
        )
    )


def _title(exhibits: Sequence[Exhibit], records: Sequence[Record], grids: Sequence[Grid]) -> str:
    if len(exhibits) + len(grids) == 1:
        return exhibits[0].name if exhibits else sweep.name_of(grids[0])
    if grids:
        named = [(exhibits, "ticket"), (grids, "sweep")]
        return " and ".join(plural(len(things), noun) for things, noun in named if things)
    strong = "strong " * all(exhibit.ticket.strong for exhibit in exhibits)
    return f"{len(exhibits)} {strong}lottery tickets" if exhibits else plural(len(records), "record")


def _overview(exhibits: Sequence[Exhibit]) -> Html:
    """The tickets side by side, or one below the other."""
    head = [
        "ticket",
        "kind",
        "network",
        "seed",
        "tolerance",
        "misses",
        "difference at most",
        "accuracy, or error",
        "predictions changed",
        "kept",
        "bits per weight",
        "random weights",
        "file, bytes",
    ]
    rows: list[list[str]] = []
    for number, exhibit in enumerate(exhibits, 1):
        ticket, bound = exhibit.ticket, bound_of(exhibit.ticket)
        found = exhibit.evaluations[0] if exhibit.evaluations else None
        rows.append(
            [
                tag("a", exhibit.name, href=f"#t{number}"),
                "constructed" if ticket.gadgets else ticket.provenance.method or "learned",
                network_name(ticket.network).removeprefix("relu_mlp "),
                str(ticket.seed),
                summary.tolerances(exhibit) or "–",
                f"{ticket.misses:,}" if ticket.gadgets else "–",
                "no bound" if bound is None else at_most(bound),
                "–" if found is None else data.result(found) or "–",
                "–" if found is None or found.changed is None else f"{found.changed:,}",
                _kept(ticket),
                f"{8 * exhibit.size / (ticket.target_parameters or ticket.size):.2f}",
                f"{ticket.size:,}",
                f"{exhibit.size:,}",
            ]
        )
    note = (
        "Kept: of the candidates; of a learned ticket, of its masked weights. Bits: of the file, for each weight of "
        "the target; of a learned ticket, for each masked weight. Differences are upper bounds, rounded up."
    )
    grid = [list(row) for row in zip(head, *rows, strict=True)] if len(rows) <= _SIDE_BY_SIDE else [head, *rows]
    return tag("section", table(grid[0], grid[1:], label="The tickets"), tag("p", note, class_="note"))


def _kept(ticket: Ticket) -> str:
    return percent(ticket.candidates_kept / ticket.candidate_count if ticket.gadgets else ticket.density)


def _constructed(exhibit: Exhibit) -> tuple[Section, ...]:
    """Of a ticket whose maps are made by gadgets."""
    facts = gather(exhibit)
    return (
        ("summary", "Summary", summary.summary(exhibit)),
        ("claims", "Proved, measured, missing", summary.claims(exhibit)),
        ("network", "The network", graph.network(exhibit)),
        ("maps", "Map by map", maps.maps(exhibit.ticket, facts)),
        ("errors", "Errors against the tolerance", evidence.errors(exhibit, facts)),
        ("weight", "One weight taken apart", evidence.one_weight(exhibit, facts)),
        ("mask", "The mask", evidence.masks(exhibit, facts)),
        ("differences", "Measured and proved", evidence.differences(exhibit, facts)),
        ("counts", "Counts", accounts.counts(exhibit, facts)),
        ("repeat", "How to repeat it", accounts.repeat(exhibit)),
    )


def _learned(exhibit: Exhibit) -> tuple[Section, ...]:
    """Of a ticket whose random tensors are the parameters."""
    facts = learned.gather(exhibit.ticket)
    return (
        ("summary", "Summary", summary.summary(exhibit)),
        ("claims", "What is claimed", learned.claims(exhibit)),
        ("masks", "The masks", learned.masks(exhibit, facts)),
        ("density", "Density, tensor by tensor", learned.density(exhibit, facts)),
        ("training", "The training", training.training(exhibit)),
        ("tensors", "Tensor by tensor", learned.tensors(exhibit)),
        ("carried", "What is carried", learned.carried(exhibit)),
        ("repeat", "How to repeat it", learned.origin(exhibit)),
    )


def _sweep(grid: Grid, number: int, place: Path | None, *, alone: bool) -> Html:
    """Everything about one sweep."""
    sections = [section for section in sweep.sections(grid, place) if section[2]]
    heading = [tag("p", "Sweep", class_="kicker"), tag("h1" if alone else "h2", sweep.name_of(grid))]
    return _with_sections([*heading, sweep.opening(grid)], sections, f"s{number}")


def _article(exhibit: Exhibit, number: int, *, alone: bool) -> Html:
    """Everything about one ticket."""
    made = _constructed(exhibit) if exhibit.ticket.gadgets else _learned(exhibit)
    sections = [section for section in made if section[2]]
    lead = summary.opening(exhibit) if exhibit.ticket.gadgets else learned.opening(exhibit)
    weak = "whose weights moved" if exhibit.ticket.moved else "which carries numbers that no stream made"
    name = "Strong lottery ticket" if exhibit.ticket.strong else f"Lottery ticket, {weak}"
    heading = [tag("p", name, class_="kicker"), tag("h1" if alone else "h2", exhibit.name)]
    return _with_sections([*heading, lead], sections, f"t{number}")


def _with_sections(head: Sequence[Html], sections: Sequence[Section], key: str) -> Html:
    """A heading, links to what follows, and the sections."""
    links = tag("nav", *(tag("a", title, href=f"#{key}-{name}") for name, title, _ in sections), aria_label="Sections")
    body = join(tag("section", tag("h3", title), text, id=f"{key}-{name}") for name, title, text in sections)
    return tag("article", *head, links, body, id=key)
