"""What a page says of an evaluation: what data showed, and what is proved of it."""

from collections.abc import Iterator

from slth.records import Errors, Evaluation, Proportion
from slth.reporting.html import at_most, number, percent, plural


def result(found: Evaluation, *, target: bool = False) -> str | None:
    """Accuracy or error of the ticket, or of its target; None where the data has no y."""
    share, errors = (found.target_accuracy, found.target_errors) if target else (found.accuracy, found.errors)
    if share is not None:
        return percent(share.value)
    return None if errors is None else number(errors.rms)


def tiles(found: Evaluation) -> Iterator[tuple[str, str]]:
    """The numbers that matter most, and what they are."""
    ours, theirs = result(found), result(found, target=True)
    if ours is not None:
        what = "root mean square error" if found.accuracy is None else "accuracy"
        yield ours, f"{what} on {found.data}" + ("" if theirs is None else f"; the target: {theirs}")
    if found.changed is not None:
        yield f"{found.changed:,}", f"of {plural(found.inputs * found.positions, 'prediction')} changed"
    if found.unchanged_per_input is not None:
        yield percent(found.unchanged_per_input.value), "of predictions proved unchanged"
    if found.rms_per_input is not None:
        yield f"≤ {at_most(found.rms_per_input)}", f"{_growth(found)}, proved input by input"


def rows(found: Evaluation) -> Iterator[tuple[str, str]]:
    """Everything, in rows."""
    yield "evaluated by", found.evaluated_by
    for whose, share, errors in (
        ("ticket", found.accuracy, found.errors),
        ("target", found.target_accuracy, found.target_errors),
    ):
        if share is not None:
            yield f"accuracy of the {whose}", _share(share, found.positions == 1)
        if errors is not None:
            yield f"error of the {whose}", _errors(errors)
    if found.changed is not None:
        yield "predictions changed", f"{found.changed:,}"
    if found.measured_error is not None:
        yield "largest difference of an output", f"{number(found.measured_error)}, measured in float32"
    if found.unchanged_per_input is not None:
        part = found.unchanged_per_input
        yield "predictions proved unchanged", f"{percent(part.value)} ({part.hits:,}), input by input"
    if found.unchanged_on_box is not None and found.certified_error is not None:
        part = found.unchanged_on_box
        yield (
            "the same, by one bound for all",
            f"{percent(part.value)} ({part.hits:,}), by the bound over the whole range",
        )
    if found.rms_per_input is not None:
        yield _growth(found), f"≤ {at_most(found.rms_per_input)} on this data, proved input by input"
    if found.rms_on_box is not None:
        yield f"{_growth(found)}, any data", f"≤ {at_most(found.rms_on_box)}, by the bound over the whole range"
    if found.statistical is not None:
        yield "statistical", found.statistical.text


def has_interval(found: Evaluation) -> bool:
    """Whether an interval stands in a row: of inputs that are drawn one by one, not of positions of one input."""
    errors = [part for part in (found.errors, found.target_errors) if part is not None]
    shares = found.positions == 1 and (found.accuracy is not None or found.target_accuracy is not None)
    return shares or any(part.interval is not None for part in errors)


def measured(found: Evaluation) -> Iterator[str]:
    """In sentences."""
    yield f"In float32, on {plural(found.inputs, 'input')} of {found.data}; other inputs may differ more."
    yield from _right("ticket", found.accuracy, found.errors)
    if found.measured_error is None:
        yield "The target was not run beside it: give --target F."
        return
    yield from _right("target", found.target_accuracy, found.target_errors)
    changed = "" if found.changed is None else f"{plural(found.changed, 'prediction')} changed, and "
    text = f"{changed}no output differed by more than {number(found.measured_error)}."
    yield text[0].upper() + text[1:]


def proved(found: Evaluation) -> Iterator[str]:
    """What the bounds say of this data."""
    each, box = found.unchanged_per_input, found.unchanged_on_box
    if each is not None and box is not None:
        yield (
            f"{each.hits:,} of {each.count:,} predictions on {found.data} cannot change, shown input by input; "
            f"{box.hits:,} by the bound over the whole range alone."
        )
    if found.rms_per_input is not None:
        text = f"On {found.data} the root mean square of the differences is at most {at_most(found.rms_per_input)}"
        anywhere = "" if found.rms_on_box is None else f", on any data in the range {at_most(found.rms_on_box)}"
        yield f"{text}{anywhere}: whatever the outputs are held against, the error of the ticket is larger by no more."


def _growth(found: Evaluation) -> str:
    return "distance of the networks" if found.errors is None else "error beyond the target's"


def _share(part: Proportion, independent: bool) -> str:
    low, high = part.interval
    interval = f" [{percent(low)}, {percent(high)}]" if independent else ""
    return f"{percent(part.value)}{interval}, {part.hits:,} right"


def _errors(part: Errors) -> str:
    interval = "" if part.interval is None else " [{}, {}]".format(*map(number, part.interval))
    explained = "" if part.explained is None else f"; R² {number(part.explained)}"
    return f"{number(part.rms)}{interval} root mean square; the largest {number(part.largest)}{explained}"


def _right(whose: str, share: Proportion | None, errors: Errors | None) -> Iterator[str]:
    if share is not None:
        yield f"The {whose} is right on {percent(share.value)}."
    if errors is not None:
        most = number(errors.largest)
        yield f"The root mean square error of the {whose} is {number(errors.rms)}, its largest {most}."
