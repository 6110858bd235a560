"""`slth plan`: how wide must the random network be?"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slth import api
from slth.cli import _print
from slth.cli._construct import input_range_of
from slth.construction import first_moment
from slth.network import read_target


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    target: Path
    tolerance: float | None
    epsilon: float | None
    failure_probability: float
    input_range: tuple[float, float] | None
    data: str | None
    data_dir: Path | None
    normalize: tuple[float, float] | None
    order: list[str] | None
    quiet: bool


def run(asked: Request) -> None:
    """Print the width of each layer and what can be expected of it."""
    target = read_target(asked.target, order=asked.order)
    for sentence in target.assumed:
        _print.note(f"assumed: {sentence}", asked.quiet)
    layout = api.plan(
        target,
        tolerance=asked.tolerance,
        epsilon=asked.epsilon,
        failure_probability=asked.failure_probability,
        input_range=input_range_of(asked.input_range, asked.data, asked.data_dir, asked.normalize, asked.quiet),
    )
    rows: list[tuple[str, str]] = []
    for i, (spec, tolerance) in enumerate(zip(layout.layers, layout.tolerances, strict=True)):
        largest = float(np.abs(target.layers[i].weight).max()) / spec.gain
        bias = f" and {spec.lift.constants} per bias" if spec.lift.constants else ""
        rows.append(
            (f"layer {i}", f"{spec.outputs} x {spec.lift.inputs}, tolerance {tolerance:.3g}, gain {spec.gain:g}")
        )
        rows.append(("", f"{spec.lift.candidates} candidates per weight{bias}"))
        one = first_moment(largest, tolerance / spec.gain)
        rows.append(("", f"{one} where one subset is expected to reach the largest weight (first moment)"))
    weights = sum(spec.weights for spec in layout.layers)
    source = sum(spec.source_parameters for spec in layout.layers)
    rows += [
        (
            "expected misses",
            f"{layout.expected_misses:.2g} of {weights:,} (asked: at most {asked.failure_probability:g})",
        ),
        ("source parameters", f"about {source:,} ({source / weights:,.0f} x target), dead neurons not counted"),
        ("mask bits", f"{sum(spec.mask_bits for spec in layout.layers) / weights:.1f} per target parameter"),
    ]
    _print.table(f"{asked.target}", rows)
