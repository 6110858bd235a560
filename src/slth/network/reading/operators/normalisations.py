"""Normalisation by a value's own mean and variance: `Standardise`, then a gain and a shift that stay as they are.

The gain of a LayerNorm could be folded into the maps behind it. It is carried: the maps are then tensors of the model.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from slth.graph import Add, Multiply, Scale, Standardise
from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.operators.maps import batch_norm, known


def layer_norm(here: Here, a: Any) -> Value:
    """(x − μ)/√(σ² + ε) · γ + β over the last axes."""
    x = _last(here, a.input, a.normalized_shape, float(a.eps), centred=True)
    return gained(here, x, a.weight, a.bias)


def rms_norm(here: Here, a: Any) -> Value:
    """x/√(mean x² + ε) · γ over the last axes; ε unless given is that of the model's number format."""
    epsilon = a.eps
    if epsilon is None:
        types = [part.tensor.dtype for part in (a.weight,) if isinstance(part, Known)]
        epsilon = torch.finfo(types[0] if types else torch.float32).eps
        here.draft.computed = True  # a copy of the model in another format has another ε
    return gained(here, _last(here, a.input, a.normalized_shape, float(epsilon), centred=False), a.weight, None)


def group_norm(here: Here, a: Any) -> Value:
    """Channels in groups, each standardised with all of its places."""
    groups = a.num_groups if hasattr(a, "num_groups") else a.group
    x: Value = a.input
    grouped = here.reshape(x, (groups, x.shape[0] // groups, *x.shape[1:]))
    axes = tuple(range(1, len(grouped.shape)))
    y = here.reshape(here.add(Standardise(axes, float(a.eps)), grouped), x.shape)
    return _per_channel(here, y, a.weight, a.bias)


def instance_norm(here: Here, a: Any) -> Value:
    """Every channel standardised by itself; with running statistics it is a BatchNorm."""
    if not a.use_input_stats:
        return batch_norm(here, a)[0]
    x: Value = a.input
    y = here.add(Standardise(tuple(range(1, len(x.shape))), float(a.eps)), x)
    return _per_channel(here, y, a.weight, a.bias)


def gained(here: Here, x: Value, gain: Any, shift: Any) -> Value:
    """γ x + β with constants of the last axes, carried under names of their own."""
    parts = {name: known(here, part, name) for name, part in (("scale", gain), ("shift", shift)) if part is not None}
    if not parts:
        return x
    if all(part.tensor.ndim == 1 for part in parts.values()):
        return _scaled(here, x, len(x.shape) - 1, parts)
    for name, part in parts.items():
        op = Multiply() if name == "scale" else Add((1.0, 1.0))
        x = here.add(op, x, here.constant(here.against(part, x)))
    return x


def _per_channel(here: Here, x: Value, gain: Any, shift: Any) -> Value:
    parts = {name: known(here, part, name) for name, part in (("scale", gain), ("shift", shift)) if part is not None}
    return _scaled(here, x, 0, parts) if parts else x


def _scaled(here: Here, x: Value, axis: int, parts: dict[str, Known]) -> Value:
    arrays = {name: np.array(part.numbers.reshape(-1)) for name, part in parts.items()}
    scale, shift = (name if name in arrays else None for name in ("scale", "shift"))
    return here.add(Scale(axis, scale, shift), x, arrays=arrays)


def _last(here: Here, x: Value, shape: Sequence[int], epsilon: float, *, centred: bool) -> Value:
    if len(shape) > len(x.shape) or math.prod(x.shape[len(x.shape) - len(shape) :]) != math.prod(shape):
        here.refuse("goes over the batch too; the examples of a batch must stay apart, on axis 0")
    axes = tuple(range(len(x.shape) - len(shape), len(x.shape)))
    return here.add(Standardise(axes, epsilon, centred), x)


TABLE: dict[str, Operator] = {
    "layer_norm.default": layer_norm,
    "native_layer_norm.default": lambda here, a: (layer_norm(here, a), None, None),
    "rms_norm.default": rms_norm,
    "_fused_rms_norm.default": lambda here, a: (rms_norm(here, a), None),
    "group_norm.default": group_norm,
    "native_group_norm.default": lambda here, a: (group_norm(here, a), None, None),
    "instance_norm.default": instance_norm,
}
