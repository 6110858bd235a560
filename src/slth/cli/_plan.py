"""`slth plan`: how wide must the random network be?"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from slth import api
from slth.cli import _print
from slth.cli._construct import input_range_of
from slth.construction import Layout, first_moment, theorem
from slth.network import Mlp, read_target


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    target: Path
    tolerance: float | None
    epsilon: float | None
    failure_probability: float
    candidates: int | None
    input_range: tuple[float, float] | None
    data: str | None
    data_dir: Path | None
    normalize: tuple[float, float] | None
    order: list[str] | None
    activation: str | None
    as_json: bool
    quiet: bool


def run(asked: Request) -> None:
    """Print the width of each layer and what can be expected of it."""
    target = read_target(asked.target, order=asked.order, activation=asked.activation)
    for sentence in target.assumed:
        _print.note(f"assumed: {sentence}", asked.quiet)
    layout = api.plan(
        target,
        tolerance=asked.tolerance,
        epsilon=asked.epsilon,
        candidates=asked.candidates,
        failure_probability=asked.failure_probability,
        input_range=input_range_of(asked.input_range, asked.data, asked.data_dir, asked.normalize, asked.quiet),
    )
    if asked.as_json:
        print(json.dumps(_as_data(target, layout, asked.failure_probability), allow_nan=False))
    else:
        _print.table(f"{asked.target}", _rows(target, layout, asked))


def _as_data(target: Mlp, layout: Layout, failure_probability: float) -> dict[str, object]:
    weights = sum(spec.weights for spec in layout.layers)
    layers: list[dict[str, object]] = []
    for i, (spec, tolerance) in enumerate(zip(layout.layers, layout.tolerances, strict=True)):
        first, asked_for = _by_theory(target, layout, i, failure_probability)
        layers.append(
            {
                "weights": spec.weights,
                "tolerance": tolerance,
                "gain": spec.gain,
                "candidates": spec.lift.candidates,
                "constants": spec.lift.constants,
                "first_moment": first,
                "theorem": asked_for,
            }
        )
    return {
        "layers": layers,
        "weights": weights,
        "expected_misses": layout.expected_misses,
        "source_parameters": sum(spec.source_parameters for spec in layout.layers),
        "mask_bits": sum(spec.mask_bits for spec in layout.layers),
    }


def _by_theory(target: Mlp, layout: Layout, index: int, failure_probability: float) -> tuple[int, float]:
    """First moment at the largest weight, and the theorem without its constant; δ is shared by all coefficients."""
    spec = layout.layers[index]
    tolerance = layout.tolerances[index] / spec.gain
    largest = float(np.abs(target.layers[index].weight).max()) / spec.gain
    share = failure_probability * spec.weights / sum(layer.weights for layer in layout.layers)
    return first_moment(largest, tolerance), theorem(tolerance, share / spec.problems)


def _rows(target: Mlp, layout: Layout, asked: Request) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for i, (spec, tolerance) in enumerate(zip(layout.layers, layout.tolerances, strict=True)):
        first, asked_for = _by_theory(target, layout, i, asked.failure_probability)
        bias = f" and {spec.lift.constants} per bias" if spec.lift.constants else ""
        rows += [
            (f"layer {i}", f"{spec.outputs} x {spec.lift.inputs}, tolerance {tolerance:.3g}, gain {spec.gain:g}"),
            ("", f"{spec.lift.candidates} candidates per weight{bias}"),
            ("", f"first moment: {first} candidates, where one subset is expected to reach the largest weight"),
            (
                "",
                f"theorem: C · {asked_for:.1f} candidates, for a constant C that is not known (Lueker; Pensia et al.)",
            ),
        ]
    weights = sum(spec.weights for spec in layout.layers)
    source = sum(spec.source_parameters for spec in layout.layers)
    promise = f"asked: at most {asked.failure_probability:g}" if asked.candidates is None else "at the width given"
    return [
        *rows,
        ("expected misses", f"{layout.expected_misses:.2g} of {weights:,} ({promise})"),
        ("source parameters", f"about {source:,} ({source / weights:,.0f} x target), dead neurons not counted"),
        ("mask bits", f"{sum(spec.mask_bits for spec in layout.layers) / weights:.1f} per target parameter"),
    ]
