"""`slth plan`: how wide must the random network be?"""

import json
import time

from slth import api
from slth.cli import _print
from slth.records import verbs

_MOST_BLOCKS = 8  # maps that have several lines each; more have one


def run(asked: verbs.Plan) -> int:
    """Print the width of each map and what can be expected of it."""
    start = time.perf_counter()
    found = api.plan(**verbs.keywords(asked))
    if asked.as_json:
        print(json.dumps(found.as_data(), allow_nan=False))
        return 0
    _print.table(f"{asked.target or asked.model}", _rows(found, asked))
    _print.note(f"read and planned in {time.perf_counter() - start:.2f} s; nothing was solved", asked.quiet)
    return 0


def _rows(found: api.Planned, asked: verbs.Plan) -> list[tuple[str, str]]:
    promise = f"asked: at most {asked.failure_probability:g}" if asked.candidates is None else "at the width given"
    times = found.source_parameters / found.weights
    return [
        *(_blocks(found.maps) if len(found.maps) <= _MOST_BLOCKS else _lines(found.maps)),
        ("expected misses", f"{found.expected_misses:.2g} of {found.weights:,} ({promise})"),
        ("source parameters", f"about {found.source_parameters:,} ({times:,.0f} x target), dead neurons not counted"),
        ("mask bits", f"{found.mask_bits:,}, {found.mask_bits / found.weights:.1f} per target parameter"),
    ]


def _blocks(maps: tuple[api.PlannedMap, ...]) -> list[tuple[str, str]]:
    """Several lines for each map."""
    rows: list[tuple[str, str]] = []
    for i, part in enumerate(maps):
        bias = f" and {part.constants} per bias" if part.constants else ""
        halves = f", two halves of {part.signed:,} of {part.inputs:,} inputs" if part.signed else ""
        rows += [
            (f"map {i}", f"{part.path}: {part.kind}; tolerance {part.tolerance:.3g}, gain {part.gain:g}"),
            ("", f"{part.candidates} candidates per weight{bias}{halves}"),
            ("", f"lift of {part.neurons:,} neurons, {part.source_parameters:,} entries, {part.mask_bits:,} mask bits"),
            (
                "",
                f"first moment: {part.first_moment} candidates, where one subset is expected to reach the largest "
                "weight",
            ),
            (
                "",
                f"theorem: C · {part.theorem:.1f} candidates, for a constant C that is not known (Lueker; Pensia et "
                "al.)",
            ),
        ]
    return rows


def _lines(maps: tuple[api.PlannedMap, ...]) -> list[tuple[str, str]]:
    """One line for each map, and what its columns mean."""
    head = ["", "map", "", "tolerance", "gain", "candidates", "bias", "moment", "theorem", "signed", "lift", "bits"]
    cells = [
        [
            str(i),
            part.path,
            part.kind,
            f"{part.tolerance:.3g}",
            f"{part.gain:g}",
            str(part.candidates),
            str(part.constants or "-"),
            str(part.first_moment),
            f"{part.theorem:.1f}",
            f"{part.signed:,}",
            f"{part.neurons:,}",
            f"{part.mask_bits:,}",
        ]
        for i, part in enumerate(maps)
    ]
    widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]

    def line(row: list[str]) -> str:
        texts = (
            f"{text:<{w}}" if i < 3 else f"{text:>{w}}" for i, (text, w) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(texts)

    notes = (
        "candidates and bias: random candidates per weight and half, and per bias; lift: its neurons, dead ones not "
        "counted; bits: of the mask",
        "moment: candidates where one subset is expected to reach the largest weight",
        "theorem: so many candidates times a constant that is not known (Lueker; Pensia et al.)",
        "signed: input channels that can be negative; they have two halves",
    )
    return [*(("", line(row)) for row in (head, *cells)), *(("", note) for note in notes)]
