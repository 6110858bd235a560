"""How wide must the random network be? Nothing is solved."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slth.api._construct import read_target
from slth.api._inputs import InputRange, Numbers, inputs_of
from slth.construction import Layout, Request, first_moment, plan_layout, theorem
from slth.graph import Target
from slth.records import verbs
from slth.ticket import map_words


@dataclass(frozen=True, slots=True)
class PlannedMap:
    """A linear map of the target in the random network.

    Attributes:
        path: its name, as in the ticket. kind: what it is, in words.
        weights: target parameters, biases included.
        signed: input channels that can be negative, which have two halves for each weight.
        tolerance: of one weight.
        gain: a power of two.
        candidates, constants: random candidates per weight and half, and per bias (0 without biases).
        neurons: of the lift, dead ones not counted. source_parameters: entries of its random tensors, likewise.
        mask_bits: before they are coded.
        first_moment: candidates at which one subset is expected to reach the largest weight.
        theorem: n / C of Lueker and Pensia et al.: so many candidates suffice, times a constant that is not known.
    """

    path: str
    kind: str
    outputs: int
    inputs: int
    weights: int
    signed: int
    tolerance: float
    gain: float
    candidates: int
    constants: int
    neurons: int
    source_parameters: int
    mask_bits: int
    first_moment: int
    theorem: float


@dataclass(frozen=True, slots=True)
class Planned:
    """The random network that `construct` would try first, and what can be expected of it."""

    maps: tuple[PlannedMap, ...]
    weights: int  # of the target, biases included
    expected_misses: float
    source_parameters: int  # dead neurons not counted
    mask_bits: int

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def plan(
    target: Any = None,
    *,
    model: str | None = None,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    tolerance: float | None = None,
    relative_tolerance: float | None = None,
    epsilon: float | None = None,
    failure_probability: float = 0.01,
    candidates: int | None = None,
    input_range: InputRange | None = None,
    raw_range: InputRange | None = None,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
) -> Planned:
    """The width that `construct` would choose: maps, tolerances and expected misses, without solving anything.

    With `candidates`, the misses to expect at that width. Arguments as for `construct`.

    >>> model = {"weight": np.array([[0.5, -0.25]])}
    >>> few, many = (plan(model, candidates=n, input_range=(0, 1)).expected_misses for n in (10, 30))
    >>> few > 1 > 0.01 > many
    True
    """
    asked = verbs.Plan(
        tolerance=tolerance, epsilon=epsilon, failure_probability=failure_probability, candidates=candidates
    )
    network = read_target(
        target, model=model, input_shape=input_shape, example=example, order=order, activation=activation
    )
    inputs = inputs_of(
        network.input_shape, input_range, raw_range=raw_range, data=data, data_dir=data_dir, mean=mean, std=std
    )
    layout = plan_layout(network, Request(**verbs.group(asked, "plan")), inputs=inputs)
    return Planned(
        maps=tuple(_map(network, layout, path, asked.failure_probability) for path in layout.gadgets),
        weights=layout.graph.weights,
        expected_misses=layout.expected_misses,
        source_parameters=layout.source_parameters,
        mask_bits=layout.mask_bits,
    )


def _map(target: Target, layout: Layout, path: str, failure_probability: float) -> PlannedMap:
    """First moment at the largest weight; the theorem's δ is shared by all coefficients."""
    op, gadget, tolerance = layout.graph.maps[path], layout.gadgets[path], layout.tolerances[path]
    largest = float(np.abs(target.coefficients[path].weight).max()) / gadget.gain
    share = failure_probability * op.weights / layout.graph.weights
    return PlannedMap(
        path=path,
        kind=map_words(op),
        outputs=op.basis.outputs,
        inputs=op.basis.inputs,
        weights=op.weights,
        signed=int(gadget.signed(op).sum()),
        tolerance=tolerance,
        gain=gadget.gain,
        candidates=gadget.candidates,
        constants=gadget.constants,
        neurons=gadget.neurons,
        source_parameters=sum(tensor.size for tensor in gadget.tensors(path, op)),
        mask_bits=gadget.cost(op).mask_bits,
        first_moment=first_moment(largest, tolerance / gadget.gain),
        theorem=theorem(tolerance / gadget.gain, share / gadget.cost(op).problems),
    )
