"""The pictures of a ticket, each under a sentence that says what it shows."""

import numpy as np

from slth.reporting import figures
from slth.reporting.anatomy import panels, sum_words
from slth.reporting.exhibit import Exhibit, bound_of
from slth.reporting.facts import MOST_PICTURES, Facts, drawn
from slth.reporting.html import Html, at_most, join, number, percent, plural, tag
from slth.reporting.pictures import glossary
from slth.reporting.summary import domain_of
from slth.ticket import Anatomy, Ticket, kernel_of, take_apart


def errors(exhibit: Exhibit, facts: Facts) -> Html:
    """Histogram of the errors of all coefficients, per map."""
    if exhibit.target is None:
        return _missing("The target's weights are needed to compare with: give --target F.")
    figures_: list[Html] = []
    claims = exhibit.ticket.claims
    for i, path, part in drawn(facts):
        if part.errors is None or claims is None:
            continue
        tolerance = claims.maps[path].tolerance
        missed = int(np.count_nonzero(part.errors > tolerance))
        exact = int(np.count_nonzero(part.errors == 0))
        middle, most = number(float(np.median(part.errors)), 2), at_most(float(part.errors.max()), 3)
        text = f"{_map(i, path)}: {plural(part.errors.size, 'coefficient')}, "
        text += f"off by {middle} in the median and {most} at most"
        text += f"; {exact:,} exact" if exact else ""
        text += f"; {missed:,} beyond the tolerance." if missed else "; none beyond the tolerance."
        label = f"Histogram of errors of map {i}"
        picture = figures.error_histogram(part.errors, tolerance, label=label)
        figures_.append(tag("figure", tag("figcaption", text), picture))
    target = "the target's" + ", its projections merged" * bool(exhibit.ticket.merged)
    text = (
        f"How far each realised coefficient is from {target}; halves and biases are counted one by one. A solver that "
        "stops at the first subset within the tolerance leaves errors spread evenly below it: on these logarithmic "
        "axes, bars that fall by ten for every ten to the left. Still smaller errors stand in the first bar."
    )
    return join([tag("p", text), tag("div", *figures_, class_="pair"), _more(exhibit)])


def one_weight(exhibit: Exhibit, facts: Facts) -> Html:
    """One coefficient as a sum of random products."""
    if exhibit.weight is None:
        path, first = next(iter(facts.maps.items()))
        row, input, tap = first.example
        output = _output_of(exhibit.ticket, path, row, input)
        why = "among the largest weights of the map, the one that keeps most candidates (--weight shows another)"
    else:
        path, output, input, tap = exhibit.weight
        why = "the weight asked for"
    anatomy = take_apart(exhibit.ticket, path, output=output, input=input, tap=tap)
    wanted = _wanted(exhibit, anatomy)
    parts = [
        tag(
            "p",
            f"{anatomy.name[0].upper()}{anatomy.name[1:]}: {why}. ",
            _swatches("where it should end" if wanted is not None else "where it ends"),
        )
    ]
    found = panels(anatomy, wanted)
    for panel in found:
        half = panel.half
        text = f"{half.label.capitalize()}: {int(half.kept.sum())} of {plural(len(half.kept), 'random product')} "
        text += f"kept, realised {_signed(half.realised)}"
        if wanted is None:
            text += ". Give --target F to compare."
        else:
            text += f", target {_signed(wanted)}, off by {number(abs(half.realised - wanted), 3)}."
        picture = figures.anatomy(panel, label=f"{anatomy.title(half)}: candidates and running sum")
        parts.append(tag("figure", tag("figcaption", text, tag("span", sum_words(half), class_="block")), picture))
    return join([*parts, tag("h4", "The words"), glossary(found)])


def _wanted(exhibit: Exhibit, anatomy: Anatomy) -> float | None:
    if exhibit.target is None:
        return None
    affine = exhibit.target.coefficients[anatomy.map]
    if anatomy.input is not None:
        return float(affine.weight[anatomy.output % affine.shape[0], anatomy.input, anatomy.tap])
    return None if affine.bias is None else float(affine.bias[anatomy.output])


def _output_of(ticket: Ticket, path: str, row: int, input: int) -> int:
    """The output that is this row of the input's group."""
    op = ticket.maps[path]
    return input * op.basis.groups // op.basis.inputs * op.coefficients[0] + row


def _signed(value: float) -> str:
    return f"{value:+.9f}".replace("-", "−")


def _swatches(dashed: str) -> Html:
    names = (
        ("kept", "kept, +"),
        ("minus", "kept, −"),
        ("pruned", "pruned"),
        ("sum", "running sum of the kept ones"),
    )
    keys = (
        tag("span", tag("span", class_="swatch", style=f"background:var(--{color})"), name) for color, name in names
    )
    return tag("span", join(keys, "  "), f". Dashed: {dashed}.", class_="note")


def masks(exhibit: Exhibit, facts: Facts) -> Html:
    """A piece of each mask."""
    parts: list[Html] = []
    ticket = exhibit.ticket
    for i, path, part in drawn(facts):
        bits = ticket.gadgets[path].cost(ticket.maps[path]).mask_bits
        whose = "weights" if ticket.gadgets[path].stage_count == 1 else "weights' subset sums, one of each stage,"
        text = (
            f"{_map(i, path)} keeps {percent(part.chosen / bits)} of {plural(bits, 'candidate')}, "
            f"{percent(part.early / part.edges) if part.edges else 'none'} of them in the first half of a weight's "
            f"list; {percent(part.empty / part.halves)} of the {whose} keep none."
        )
        kernel = kernel_of(ticket.maps[path])
        if kernel:
            text += f" Drawn at tap {part.raster.tap} of the {' × '.join(map(str, kernel))} kernel."
        picture = figures.mask(part.raster, label=f"Part of the mask of map {i}")
        parts.append(tag("figure", tag("figcaption", text), picture))
    text = (
        "A piece of the mask: one row for each of some outputs, one column for each candidate of some inputs, kept "
        "ones blue. Rows and inputs are spread evenly over the map."
    )
    return join([tag("p", text), *parts, _more(exhibit)])


def differences(exhibit: Exhibit, facts: Facts) -> Html:
    """Certified, per-input and measured error over one axis."""
    if facts.per_input is None or facts.measured is None:
        absent = [
            option for option, thing in (("--target F", exhibit.target), ("--data D", exhibit.inputs)) if thing is None
        ]
        return _missing(f"The target and inputs to run both networks on are needed: give {' and '.join(absent)}.")
    bound = bound_of(exhibit.ticket)
    each, seen = facts.per_input, facts.measured
    most, middle = number(float(seen.max()), 3), number(float(np.median(seen)), 3)
    most_proved, middle_proved = at_most(float(each.max()), 3), at_most(float(np.median(each)), 3)
    text = (
        f"The largest difference of an output, for each of {plural(len(seen), 'input')} of {exhibit.data}: at most "
        f"{most} was measured, {middle} in the median. Input by input, at most {most_proved} is proved, "
        f"{middle_proved} in the median"
    )
    status = "proved" if exhibit.status == "proved" else "claimed"
    text += "." if bound is None else f"; on every input, {domain_of(exhibit)}, at most {at_most(bound)} is {status}."
    label = "Measured difference, bound per input and bound over the range"
    picture = figures.three_errors(seen, each, bound, label=label, status=status)
    note = "Bounds speak of real arithmetic, the measurement of float32. Heights count inputs; the axis is logarithmic."
    beyond = int(np.count_nonzero(seen > each))
    if beyond:
        note += f" {plural(beyond, 'measured difference')} exceed the bound of their input, by rounding in float32."
    return join([tag("p", text), tag("figure", picture, tag("figcaption", note))])


def _missing(text: str) -> Html:
    return tag("p", text, class_="note")


def _more(exhibit: Exhibit) -> Html:
    extra = len(exhibit.ticket.maps) - MOST_PICTURES
    return _missing(f"{plural(extra, 'further map')} not drawn.") if extra > 0 else Html()


def _map(number: int, path: str) -> str:
    return f"Map {number}" if path.startswith("layers/") else f"Map {number} ({path[:100]})"
