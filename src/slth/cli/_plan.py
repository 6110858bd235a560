"""`slth plan`: how wide must the random network be?"""

import json

from slth import api
from slth.cli import _print
from slth.records import verbs


def run(asked: verbs.Plan) -> int:
    """Print the width of each map and what can be expected of it."""
    found = api.plan(**verbs.keywords(asked))
    if asked.as_json:
        print(json.dumps(found.as_data(), allow_nan=False))
    else:
        _print.table(f"{asked.target or asked.model}", _rows(found, asked))
    return 0


def _rows(found: api.Planned, asked: verbs.Plan) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for part in found.maps:
        bias = f" and {part.constants} per bias" if part.constants else ""
        rows += [
            (part.path, f"{part.outputs} x {part.inputs}, tolerance {part.tolerance:.3g}, gain {part.gain:g}"),
            ("", f"{part.candidates} candidates per weight{bias}"),
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
    promise = f"asked: at most {asked.failure_probability:g}" if asked.candidates is None else "at the width given"
    times = found.source_parameters / found.weights
    return [
        *rows,
        ("expected misses", f"{found.expected_misses:.2g} of {found.weights:,} ({promise})"),
        ("source parameters", f"about {found.source_parameters:,} ({times:,.0f} x target), dead neurons not counted"),
        ("mask bits", f"{found.mask_bits / found.weights:.1f} per target parameter"),
    ]
