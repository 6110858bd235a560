"""What a page says first about a ticket: what it is, what was checked, what is proved, measured and missing."""

from collections.abc import Iterator

from slth.graph import Graph, chain_of
from slth.records import Verdict
from slth.reporting import data
from slth.reporting.exhibit import Exhibit, bound_of
from slth.reporting.html import Html, at_most, join, number, pairs, plural, sentence, table, tag, tiles
from slth.reporting.maps import bias_error, name_of, weight_error
from slth.ticket import maps_words, network_name
from slth.ticket import summary as rows_of

_MOST_MISSES = 12  # listed one by one
_MOST_OUTPUTS = 64  # likewise


def opening(exhibit: Exhibit) -> Html:
    """One sentence, and the numbers that matter most."""
    ticket = exhibit.ticket
    lead = sentence(
        "A random network of {} weights, named by seed {} and pruned until it computes {}. "
        "The file says which weights stay, in {} bits for each weight of the target, and carries {} powers of two{}.",
        f"{ticket.size:,}",
        str(ticket.seed),
        _computed(exhibit),
        f"{8 * exhibit.size / ticket.target_parameters:.2f}",
        f"{2 * len(ticket.gadgets):,}",
        f" and {plural(ticket.carried_numbers, 'number')} of the target as they are" if ticket.carried else "",
    )
    return join([tag("p", lead, class_="lead"), alarm(exhibit), tiles(_key_numbers(exhibit))])


def alarm(exhibit: Exhibit) -> Html:
    """A check that fails, before anything else is said."""
    failed = [f"{check.name}: {check.detail}" for check in exhibit.checks if check.verdict is Verdict.FAILS]
    more = f"; and {plural(len(failed) - 1, 'further check')}, listed below" if len(failed) > 1 else ""
    return tag("p", f"Does not hold: {failed[0]}{more}.", class_="alarm") if failed else Html()


def _computed(exhibit: Exhibit) -> str:
    """The target in a few words."""
    network = exhibit.ticket.network
    if not isinstance(network, Graph) or not _is_graph(exhibit):
        return f"a {network_name(network).removeprefix('relu_mlp ')} ReLU network"
    linear = f"{plural(len(network.maps), 'linear map')} ({maps_words(network)})"
    return f"a network of {linear}" if network.joined else f"{linear} of a model"


def _key_numbers(exhibit: Exhibit) -> Iterator[tuple[str, str]]:
    ticket, bound = exhibit.ticket, bound_of(exhibit.ticket)
    if bound is None:
        yield "no bound", f"on the outputs: {_why_none(exhibit)}"
    else:
        worth = "the ticket says" if exhibit.status == "stated" else exhibit.status
        yield f"≤ {at_most(bound)}", f"difference of any output on any input, {domain_of(exhibit)} ({worth})"
    yield (
        f"{ticket.misses:,}",
        f"of {coefficients(exhibit):,} coefficients miss the tolerance {tolerances(exhibit)}",
    )
    yield f"{8 * exhibit.size / ticket.target_parameters:.2f}", "bits of file for each weight of the target"
    for found in exhibit.evaluations[:1]:
        yield from data.tiles(found)


def summary(exhibit: Exhibit) -> Html:
    """The ticket's own summary, its bounds rounded up, and what data said about it."""
    claimed = {} if exhibit.ticket.claims is None else exhibit.ticket.claims.maps
    bound = bound_of(exhibit.ticket)
    certified = exhibit.status == "proved"
    says = "" if certified else "the ticket says "
    upward = {
        "largest weight error": f"{says}≤ {at_most(max(map(weight_error, claimed.values()), default=0.0))}",
        "certified |f - ticket|" if certified else "bound on |f - ticket|": f"no bound: {_why_none(exhibit)}"
        if bound is None
        else f"{says}≤ {at_most(bound)} on every output and input, {domain_of(exhibit)}",
    }
    if not claimed:
        upward = {}
    rows = [(name, upward.get(name, value)) for name, value in rows_of(exhibit.ticket, certified=certified)]
    return join([pairs(rows), _on_data(exhibit), _checks(exhibit)])


def _on_data(exhibit: Exhibit) -> Html:
    if not exhibit.evaluations:
        return join([tag("h4", "On data"), tag("p", "Not evaluated: give --data D, or a record of slth evaluate.")])
    parts: list[Html] = []
    for found in exhibit.evaluations:
        parts.append(tag("h4", f"On {found.data}, {plural(found.inputs, 'input')}"))
        parts.append(pairs(data.rows(found)))
    note = ""
    if any(data.has_interval(found) for found in exhibit.evaluations):
        note = "In brackets: a 95 % confidence interval, Wilson's of an accuracy, Student's of a mean square error."
    if exhibit.ticket.gadgets and any(found.measured_error is None for found in exhibit.evaluations):
        note += " Beside the target there is more to say: give --target F."
    return join([*parts, tag("p", note.strip(), class_="note")] if note else parts)


def _checks(exhibit: Exhibit) -> Html:
    kinds = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails"}
    details = [check.detail.partition("; asked {")[0] for check in exhibit.checks]  # which stands below, in rows
    items = [
        (check.verdict, tag("li", tag("b", check.name), f": {detail}", class_=kinds.get(check.verdict, "open")))
        for check, detail in zip(exhibit.checks, details, strict=True)
    ]
    checked = (item for verdict, item in items if verdict is not Verdict.SAYS)
    said = (item for verdict, item in items if verdict is Verdict.SAYS)
    text = "Rechecked when this page was made, from the seed and the mask, without a solver."
    says = "What the ticket says beside; nothing in the file can show it."
    return join(
        [
            *(tag("h4", "Checks"), tag("p", text, class_="note"), tag("ul", *checked, class_="checks")),
            *(tag("p", says, class_="note"), tag("ul", *said, class_="checks")),
        ]
    )


def claims(exhibit: Exhibit) -> Html:
    """Proved, measured, missing, and what examples say of a population: different things, side by side."""
    title = {"proved": "Proved", "stated": "Stated, not rechecked", "refuted": "Stated, but refuted"}[exhibit.status]
    cards = [(title, [*_proved(exhibit)]), ("Measured", [*_measured(exhibit)]), ("Missing", [*_missing(exhibit)])]
    shares = [*_statistical(exhibit)]
    if shares:
        cards.insert(2, ("With confidence", shares))
    boxes = (tag("div", tag("h4", name), *(tag("p", text) for text in texts), class_="card") for name, texts in cards)
    kind = "cards four" if len(cards) == 4 else "cards"  # in two rows of two: three and one would look forgotten
    return join([tag("div", *boxes, class_=kind), _misses(exhibit), _outputs(exhibit)])


def _why_none(exhibit: Exhibit) -> str:
    """Why nothing is claimed of the outputs."""
    stated = exhibit.ticket.claims
    if stated is not None and stated.stops:
        return f"claims stop at {', '.join(stated.stops)[:200]}, for which there is no rule"
    return "no input range was stated" if exhibit.ticket.joined else "how the layers are joined is not known"


def _outputs(exhibit: Exhibit) -> Html:
    """The bound of each output: of a few all, of many the smallest, the middle and the largest."""
    bounds = None if exhibit.ticket.claims is None else exhibit.ticket.claims.output_error
    if bounds is None or len(bounds) < 2:
        return Html()
    if len(bounds) > _MOST_OUTPUTS:
        ordered = sorted(bounds)
        least, middle, most = (at_most(ordered[i]) for i in (0, len(ordered) // 2, -1))
        text = (
            f"Output by output, {len(bounds):,} of them: the smallest bound is {least}, the one in the middle "
            f"{middle}, the largest {most}."
        )
        return tag("p", text, class_="note")
    rows = [[str(i), at_most(bound)] for i, bound in enumerate(bounds)]
    head = tag("summary", f"The bound of each of {len(bounds)} outputs")
    return tag("details", head, table(["output", "differs by at most"], rows, label="Bound of each output"))


def _proved(exhibit: Exhibit) -> Iterator[str]:
    ticket, bound = exhibit.ticket, bound_of(exhibit.ticket)
    lead = {
        "proved": "In real arithmetic, rechecked against the target:",
        "stated": "In real arithmetic, if the ticket is right; to recheck it, give --target F or --model M:"
        if _is_graph(exhibit)
        else "In real arithmetic, if the ticket is right; to recheck it, give --target F:",
        "refuted": "The ticket claims this, but a check of it fails:",
    }[exhibit.status]
    yield lead
    stated = ticket.claims.maps.values() if ticket.claims else ()
    worst = max((max(weight_error(c), bias_error(c)) for c in stated), default=0.0)
    merged = ", its projections merged in float64" if ticket.merged else ""
    yield f"Every weight and bias is within {at_most(worst)} of the target's{merged}."
    if bound is None:
        yield f"Nothing is proved about outputs: {_why_none(exhibit)}."
        return
    yield f"For every input, {domain_of(exhibit)}, no output differs from the target's by more than {at_most(bound)}."
    if ticket.assumed:
        yield f"The target is the network that was assumed: {'; '.join(ticket.assumed)[:500]}."
    if exhibit.status != "refuted":
        for found in exhibit.evaluations[:1]:
            yield from data.proved(found)


def _measured(exhibit: Exhibit) -> Iterator[str]:
    if not exhibit.evaluations:
        yield "Nothing: the ticket was not run on data. Give --data D, or a record of slth evaluate."
        return
    yield from data.measured(exhibit.evaluations[0])


def _statistical(exhibit: Exhibit) -> Iterator[str]:
    """What was counted here or by a record; then what the ticket says, whose counts nobody has seen here."""
    counted = [found.statistical for found in exhibit.evaluations if found.statistical is not None]
    said = () if exhibit.ticket.claims is None else exhibit.ticket.claims.statistical
    for claim in counted:
        yield f"From {claim.changed:,} of {plural(claim.examples, 'prediction')} changed: {claim.text}."
    for claim in said:
        if claim not in counted:
            yield f"The ticket says, from {claim.changed:,} of {plural(claim.examples, 'prediction')}: {claim.text}."
    if counted or said:
        yield "No bound: it says nothing of any one input, nor of inputs that come from elsewhere."


def _missing(exhibit: Exhibit) -> Iterator[str]:
    misses, total = exhibit.ticket.misses, coefficients(exhibit)
    if misses:
        yield (
            f"{plural(misses, 'coefficient')} of {total:,} are further off than the tolerance "
            f"{tolerances(exhibit)}. The bounds include them."
        )
    else:
        yield f"No coefficient of {total:,} misses the tolerance {tolerances(exhibit)}."
    yield "A proof about float32: what a program prints can differ from real arithmetic by rounding."
    if bound_of(exhibit.ticket) is not None:
        yield "Any statement about inputs outside the range."


def _misses(exhibit: Exhibit) -> Html:
    listed = exhibit.ticket.provenance.misses
    if not listed:
        return Html()
    rows = [
        [
            name_of(exhibit.ticket, m.map),
            str(m.output),
            "bias" if m.input < 0 else f"{m.input}" + (f", tap {m.tap}" if m.tap else ""),
            m.half,
            number(m.error),
        ]
        for m in listed[:_MOST_MISSES]
    ]
    shown = "All of them" if len(rows) == exhibit.ticket.misses else f"The first {len(rows)} of them"
    label = "Coefficients that miss the tolerance"
    head = ["map", "output", "input", "half", "off by"]
    return join([tag("p", f"{shown}:", class_="note"), table(head, rows, label=label, words=4)])


def domain_of(exhibit: Exhibit) -> str:
    """The inputs that a bound speaks of."""
    return "not stated" if exhibit.ticket.inputs is None else exhibit.ticket.inputs.words


def coefficients(exhibit: Exhibit) -> int:
    """Subset-sum problems of a ticket: half-weights and biases."""
    ticket = exhibit.ticket
    return sum(ticket.gadgets[path].cost(op).problems for path, op in ticket.maps.items())


def tolerances(exhibit: Exhibit) -> str:
    """What a coefficient was allowed to be off by, for people."""
    return "" if exhibit.ticket.claims is None else exhibit.ticket.claims.tolerance_text


def _is_graph(exhibit: Exhibit) -> bool:
    """Whether the target is no chain, so that only a module tells it whole."""
    network = exhibit.ticket.network
    return isinstance(network, Graph) and chain_of(network) is None
