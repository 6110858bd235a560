"""`slth plan`: how wide must the random network be, and what does it cost?"""

import json
import math
import time

from slth import api
from slth.cli import _print
from slth.records import verbs

_MOST_BLOCKS = 8  # maps that have several lines each; more have one
_BYTES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
_TIMES = (("s", 60.0), ("min", 60.0), ("h", 24.0), ("days", 365.0))  # how many make one of the next


def run(asked: verbs.Plan) -> int:
    """Print the width of each map and what can be expected of it."""
    start = time.perf_counter()
    found = api.plan(**verbs.keywords(asked))
    if asked.as_json:
        print(json.dumps(found.as_data(), allow_nan=False))
        return 0
    shape = asked.shape if asked.shape is None or isinstance(asked.shape, str) else "-".join(map(str, asked.shape))
    _print.table(f"{asked.target or asked.model or shape}", _rows(found, asked))
    done = "planned" if asked.shape else "read and planned"
    _print.note(f"{done} in {time.perf_counter() - start:.2f} s; nothing was solved", asked.quiet)
    return 0


def duration(seconds: float | int) -> str:
    """A time to two digits, in the largest unit of which there is one.

    >>> duration(0.031), duration(90), duration(86_400 * 800)
    ('0.031 s', '1.5 min', '2.2 years')
    """
    found = float(seconds)
    for unit, more in _TIMES:
        if found < more:
            return f"{_two_digits(found)} {unit}"
        found /= more
    return f"{_two_digits(found)} years"


def size(count: float | int) -> str:
    """Bytes to two digits.

    >>> size(900), size(3 * 2**30), size(2.4e12)
    ('900 bytes', '3 GiB', '2.2 TiB')
    """
    found, power = float(count), 0
    while found >= 1024 and power < len(_BYTES) - 1:
        found, power = found / 1024, power + 1
    return f"{_two_digits(found)} {_BYTES[power]}"


def _two_digits(x: float) -> str:
    return f"{x:,.0f}" if x >= 10 else f"{x:.2g}"


def _rows(found: api.Planned, asked: verbs.Plan) -> list[tuple[str, str]]:
    promise = f"asked: at most {asked.failure_probability:g}" if asked.candidates is None else "at the width given"
    times, spent = found.source_parameters / found.weights, found.seconds
    parts = ("generation", "solving", "certificate", "writing")
    each = ", ".join(f"{name} {duration(getattr(spent, name))}" for name in parts)
    threads = "1 thread" if found.threads == 1 else f"{found.threads} threads"
    rows = [
        *(_blocks(found.maps) if len(found.maps) <= _MOST_BLOCKS else _lines(found.maps)),
        ("expected misses", _misses(found, promise)),
        *_by_law(found),
        ("source parameters", f"about {found.source_parameters:,} ({times:,.0f} x target), dead neurons not counted"),
        ("mask bits", f"{found.mask_bits:,}, {found.mask_bits / found.weights:.1f} per target parameter"),
        (
            "file",
            f"about {size(found.file_bytes)}, {8 * found.file_bytes / found.weights:.1f} bits per target parameter",
        ),
        *_rivals(found),
        ("processor time", f"about {duration(spent.construct)}: {each}"),
        ("", f"about {duration(spent.verify)} to verify it without the target"),
        ("wall time", f"about {duration(spent.wall)} with {threads}"),
        ("memory", f"about {size(found.memory)}"),
    ]
    if found.merging is not None:
        rows.append(("merging", f"costs {found.merging:.3g} times the coefficients of the projections it merges"))
    if asked.shape is not None:
        rows += [("assumed", sentence) for sentence in found.assumed]
        rows += [("status", found.cannot)] if found.cannot else []
    return rows


def _misses(found: api.Planned, promise: str) -> str:
    if math.isnan(found.expected_misses):
        return f"not known for these random numbers ({promise})"
    return f"{found.expected_misses:.2g} of {found.weights:,} ({promise})"


def _by_law(found: api.Planned) -> list[tuple[str, str]]:
    """Nothing where there is no law in closed form."""
    missed = found.law_misses
    if missed is None or math.isnan(missed):
        return []
    return [("", f"{missed:.2g} by the law in closed form, beside the measured chances")]


def _rivals(found: api.Planned) -> list[tuple[str, str]]:
    """What the target's numbers would take within the same errors."""
    if found.quantiser_bits is None or found.packing_bits is None:
        return []
    each = found.quantiser_bits / found.weights, found.packing_bits / found.weights
    return [
        (
            "at this error",
            f"{each[0]:.2f} bits per target parameter from a uniform quantiser with an entropy coder; {each[1]:.2f} is "
            "the packing bound",
        )
    ]


def _blocks(maps: tuple[api.PlannedMap, ...]) -> list[tuple[str, str]]:
    """Several lines for each map."""
    rows: list[tuple[str, str]] = []
    for i, part in enumerate(maps):
        bias = f" and {part.constants} per bias" if part.constants else ""
        halves = f", two halves of {part.split:,} of {part.inputs:,} inputs" if part.split else ""
        lift = f"lift of {part.neurons:,} neurons" if part.neurons else "no lift"
        lift = f"linear {lift} (no ReLU)" if part.linear_lift else lift
        times, each = (f" x {part.times:,}", " each") if part.times > 1 else ("", "")
        rows += [
            (f"map {i}", f"{part.path}{times}: {part.kind}; tolerance {part.tolerance:.3g}, gain {part.gain:g}"),
            ("", f"{part.candidates} candidates per weight{_in_stages(part)}{bias}{halves}"),
            ("", f"{lift}, {part.source_parameters:,} entries, {part.mask_bits:,} mask bits"),
            (
                "",
                f"{part.expected_misses:.2g} misses expected; {size(part.file_bytes)} of file, "
                f"{duration(part.seconds)} of a processor{each}; {size(part.memory)} of memory alone",
            ),
            (
                "",
                f"first moment: {part.first_moment} candidates, where one subset is expected to reach the largest "
                "weight",
            ),
        ]
        if part.theorem is not None:
            words = f"theorem: C · {part.theorem:.1f} candidates, for a constant C that is not known"
            rows.append(("", f"{words} (Lueker; Pensia et al.)"))
    return rows


def _in_stages(part: api.PlannedMap) -> str:
    return f" in {len(part.stages)} stages ({' + '.join(map(str, part.stages))})" if len(part.stages) > 1 else ""


_HEAD = (
    *("", "map", "", "times", "tolerance", "gain", "candidates", "bias", "moment", "theorem", "signed", "lift", "bits"),
    *("misses", "file", "time", "memory"),
)


def _lines(maps: tuple[api.PlannedMap, ...]) -> list[tuple[str, str]]:
    """One line for each map, and what its columns mean."""
    cells = [
        [
            str(i),
            part.path,
            part.kind,
            f"x {part.times:,}" if part.times > 1 else "",
            f"{part.tolerance:.3g}",
            f"{part.gain:g}",
            "+".join(map(str, part.stages)),
            str(part.constants or "-"),
            str(part.first_moment),
            "-" if part.theorem is None else f"{part.theorem:.1f}",
            f"{part.signed:,}",
            f"{part.neurons:,}{' linear' if part.linear_lift else ''}",
            f"{part.mask_bits:,}",
            f"{part.expected_misses:.2g}",
            size(part.file_bytes),
            duration(part.seconds),
            size(part.memory),
        ]
        for i, part in enumerate(maps)
    ]
    widths = [max(map(len, column)) for column in zip(_HEAD, *cells, strict=True)]

    def line(row: list[str]) -> str:
        texts = (
            f"{text:<{w}}" if i < 3 else f"{text:>{w}}" for i, (text, w) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(texts)

    notes = (
        "candidates and bias: random candidates per weight and half, stage by stage, and per bias; lift: its neurons, "
        "dead ones not counted; bits: of the mask",
        "moment: candidates where one subset is expected to reach the largest weight",
        "theorem: so many candidates times a constant that is not known (Lueker; Pensia et al.)",
        "signed: input channels that can be negative; behind a ReLU their weights have two halves; a linear lift has "
        "none, and is one more linear layer",
        "misses, file, time of a processor, memory alone: expected, of one such map",
    )
    return [*(("", line(row)) for row in (list(_HEAD), *cells)), *(("", note) for note in notes)]
