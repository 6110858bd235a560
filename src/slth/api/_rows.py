"""What came out, as texts for people."""

from collections.abc import Iterator, Sequence

from slth.numerics import at_most
from slth.records import INTERVAL, Average, Errors, Evaluation, Proportion, Sizes
from slth.ticket import Ticket, choice_in, choice_rows, several


def accuracy(values: Sequence[float | None], count: int) -> str:
    """Accuracies of several seeds on `count` examples, None where none was measured; intervals of 95 %.

    One value has Wilson's interval, over the examples; several their mean with Student's, over the seeds: `Average`.
    """
    known = [value for value in values if value is not None]
    if not known:
        return "not measured"
    if len(known) == 1:
        return _percent(Proportion(round(known[0] * count), count))
    found = Average.of(known)
    each = ", ".join(f"{value:.2%}" for value in known)
    return f"{found.mean:.2%} ± {found.half:.2%} ({INTERVAL}, over {found.count} seeds: {each})"


def missed(ticket: Ticket, most: int = 10) -> Iterator[str]:
    """The first weights that no subset reaches, and how many there are if those are not all."""
    for miss in ticket.provenance.misses[:most]:
        tap = f", tap {miss.tap}" if miss.tap else ""
        half = "" if miss.map in ticket.linear_maps else f", {miss.half} half"
        where = "bias" if miss.input < 0 else f"weight from input {miss.input}{tap}{half}"
        yield f"{miss.map}, output {miss.output}, {where}: off by {miss.error:.3g}"
    if ticket.misses and ticket.claims is not None and ticket.claims.exact is not None:
        yield f"{ticket.misses:,} in all are not the target's numbers; --carry-rest carries them"
    elif ticket.misses > most:
        yield f"{ticket.misses:,} in all; --retries or more --candidates may reach them"


def evaluation_rows(found: Evaluation) -> Iterator[tuple[str, str]]:
    """Rows of an evaluation; what needs a target is left out without one."""
    yield from data_rows(found)
    yield from _map_rows(found.sizes) if found.sizes.candidates else _tensor_rows(found.sizes)


def search_rows(ticket: Ticket) -> Iterator[tuple[str, str]]:
    """What the search says of the masks that it chose among; nobody can recheck it. None if it chose none."""
    choice = choice_in(ticket.provenance.asked)
    if choice is not None:
        yield from choice_rows(choice)


def data_rows(found: Evaluation) -> Iterator[tuple[str, str]]:
    """The rows that speak of data."""
    yield "data", f"{found.data}, {found.inputs:,} inputs"
    yield "evaluated by", found.evaluated_by
    for whose, share, errors in (
        ("ticket", found.accuracy, found.errors),
        ("target", found.target_accuracy, found.target_errors),
    ):
        if share is not None:
            alone = found.positions == 1  # several predictions for one input are not drawn independently
            yield f"accuracy of the {whose}", _percent(share) if alone else f"{share.value:.2%}  ({_counts(share)})"
        if errors is not None:
            yield f"error of the {whose}", _errors(errors)
    if found.changed is not None:
        yield "predictions changed", f"{found.changed:,} of {found.inputs * found.positions:,}"
    if found.measured_error is not None:
        yield "largest output error measured", f"{found.measured_error:.4g} (float32)"
    if found.certified_error is not None:
        where = f"on every input, {found.domain}" if found.domain else "on every input of the ticket's range"
        name, says = ("output error", "the ticket says ") if found.target is None else ("output error certified", "")
        yield name, f"{says}{at_most(found.certified_error)} {where}, in real arithmetic"
    if found.unchanged_per_input is not None and found.unchanged_on_box is not None:
        yield "predictions proved unchanged", f"{found.unchanged_per_input.value:.2%} (input by input)"
        yield "", f"{found.unchanged_on_box.value:.2%} (by that bound)"
    yield from _rms_rows(found)
    if found.statistical is not None:
        yield "statistical", found.statistical.text


def _rms_rows(found: Evaluation) -> Iterator[tuple[str, str]]:
    """How much larger the error of the ticket can be, whatever y is; or how far the networks are apart."""
    name = "error at most the target's +" if found.target_errors is not None else "distance at most"
    if found.rms_per_input is not None:
        yield name, f"{at_most(found.rms_per_input)} (root mean square of this data, input by input)"
    if found.rms_on_box is not None:
        where = found.domain or "the range"
        yield "" if found.rms_per_input is not None else name, f"{at_most(found.rms_on_box)} (of any data in {where})"


def _map_rows(size: Sizes) -> Iterator[tuple[str, str]]:
    """How large the random network is beside its target."""
    target, kept = size.target_parameters or 1, size.kept_parameters or 0
    candidates, widths = (several(numbers) for numbers in (size.candidates, size.widths))
    yield "candidates per weight", f"{candidates} live; lift widths {widths}"
    yield "target parameters", f"{target:,}"
    yield "source parameters", f"{size.source_parameters:,} ({size.source_parameters / target:,.0f} x target)"
    yield "kept parameters", f"{kept:,} ({kept / target:,.1f} x target); density {size.density:.4g} of all entries"
    yield "mask bits per target weight", f"{size.bits_per_weight:.1f}"


def _tensor_rows(size: Sizes) -> Iterator[tuple[str, str]]:
    """What is kept where the random tensors are the parameters."""
    yield "masked weights", f"{size.source_parameters:,}"
    yield "kept", f"{size.kept:,} (density {size.density:.6g})"
    yield "mask bits", f"{size.stored_mask_bits:,} stored; {size.ideal_bits:,.1f} ideal, by the counts alone"
    yield "carried", f"{size.carried:,} numbers"
    yield "moved", f"by at most {at_most(size.largest_move, 4)}" if size.largest_move else "nothing"
    yield "strong", "yes" if size.strong else "no"


def _percent(part: Proportion) -> str:
    low, high = part.interval
    return f"{part.value:.2%} [{low:.2%}, {high:.2%}]  ({_counts(part)})"


def _counts(part: Proportion) -> str:
    return f"{part.hits:,} of {part.count:,}"


def _errors(part: Errors) -> str:
    between = "" if part.interval is None else " [{:.4g}, {:.4g}]".format(*part.interval)
    explained = "" if part.explained is None else f"; R² {part.explained:.4f}"
    return f"{part.rms:.4g}{between} root mean square; largest {part.largest:.4g}{explained}"
