"""A certificate is data: what is claimed about a realised network, as numbers that anyone can recompute.

All claims are about real arithmetic: the two networks as functions with the given float64 coefficients, not what a
float32 evaluation of either prints. Letters as in `layers`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, cast

from slth._errors import InputError


@dataclass(frozen=True, slots=True)
class LayerClaim:
    """Claims about layer i; every number is an upper bound.

    tolerance: τ_i, what a coefficient was allowed to be off by.
    weight_error: max |P - W|, |N + W| over the halves that exist.
    bias_error: max |b̂ - b|.
    misses: how many half-weights and biases are off by more than `tolerance`.
    operator_error: η_i, a bound on ‖[E⁺ E⁻]‖₂.
    sup_error, l2_error: bounds on the largest |ẑ_i - z_i| over the outputs and on ‖ẑ_i - z_i‖₂, for all inputs in the
        box; before the activation, errors of earlier layers included. None if no box was stated.
    """

    tolerance: float
    weight_error: float
    bias_error: float
    misses: int
    operator_error: float
    sup_error: float | None
    l2_error: float | None

    def __post_init__(self) -> None:
        for name in ("tolerance", "weight_error", "bias_error", "operator_error"):
            _bound(getattr(self, name), name)
        for name in ("sup_error", "l2_error"):
            _optional_bound(getattr(self, name), name)
        _count(self.misses, "misses")
        if (self.sup_error is None) != (self.l2_error is None):
            raise InputError("sup_error and l2_error of a layer stand or fall together: state both or neither")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Claims about a network; every number is an upper bound.

    layers: one `LayerClaim` each. sup_error, l2_error: the largest |ẑ_L - z_L| over the outputs and ‖ẑ_L - z_L‖₂, for
    all inputs in the box; output_error: |ẑ_L - z_L| for each output, shape (out,). None if no box was stated.
    """

    layers: tuple[LayerClaim, ...]
    sup_error: float | None
    l2_error: float | None
    output_error: tuple[float, ...] | None

    def __post_init__(self) -> None:
        if not self.layers:
            raise InputError("a certificate speaks of at least one layer, got none")
        if self.output_error is not None and not self.output_error:
            raise InputError("output_error lists one bound per output, got none")
        _optional_bound(self.sup_error, "sup_error")
        _optional_bound(self.l2_error, "l2_error")
        for value in self.output_error or ():
            _bound(value, "output_error")
        bounds = (self.sup_error, self.l2_error, self.output_error, *(layer.sup_error for layer in self.layers))
        if len({bound is None for bound in bounds}) != 1:
            raise InputError("bounds over the inputs stand or fall together: state all of them or none")

    def as_data(self) -> dict[str, Any]:
        """Plain dictionaries, lists and numbers; exact through JSON. `from_data` is the inverse."""
        return {
            "layers": [{field.name: getattr(layer, field.name) for field in fields(layer)} for layer in self.layers],
            "sup_error": self.sup_error,
            "l2_error": self.l2_error,
            "output_error": None if self.output_error is None else list(self.output_error),
        }

    @classmethod
    def from_data(cls, data: object) -> "Certificate":
        """The certificate that `as_data` describes. Anything else is an InputError: no key more or less, no NaN."""
        top = _entries(data, cls, "a certificate")
        outputs = top["output_error"]
        return cls(
            layers=tuple(_layer_claim(layer) for layer in _items(top["layers"], "layers")),
            sup_error=_optional_bound(top["sup_error"], "sup_error"),
            l2_error=_optional_bound(top["l2_error"], "l2_error"),
            output_error=None
            if outputs is None
            else tuple(_bound(value, "output_error") for value in _items(outputs, "output_error")),
        )


def _layer_claim(data: object) -> LayerClaim:
    entries = _entries(data, LayerClaim, "a layer claim")
    return LayerClaim(
        tolerance=_bound(entries["tolerance"], "tolerance"),
        weight_error=_bound(entries["weight_error"], "weight_error"),
        bias_error=_bound(entries["bias_error"], "bias_error"),
        misses=_count(entries["misses"], "misses"),
        operator_error=_bound(entries["operator_error"], "operator_error"),
        sup_error=_optional_bound(entries["sup_error"], "sup_error"),
        l2_error=_optional_bound(entries["l2_error"], "l2_error"),
    )


def _bound(value: object, name: str) -> float:
    """JSON writes 1.0 and 1 for the same number: integers that float64 holds exactly are numbers, too."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53:
        value = float(value)
    if not isinstance(value, float) or not (math.isfinite(value) and value >= 0):
        raise InputError(f"{name} must be a finite number, at least 0, got {value!r}")
    return value


def _optional_bound(value: object, name: str) -> float | None:
    return None if value is None else _bound(value, name)


def _count(value: object, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError(f"{name} must be a count, an integer of at least 0, got {value!r}")
    return value


def _items(data: object, name: str) -> list[Any]:
    if not isinstance(data, list):
        raise InputError(f"{name} must be a list, got {type(data).__name__}")
    return cast("list[Any]", data)


def _entries(data: object, record: type, name: str) -> dict[str, Any]:
    expected = [field.name for field in fields(record)]
    if not isinstance(data, Mapping):
        raise InputError(f"{name} has exactly the entries {expected}, got {type(data).__name__}")
    entries = dict(cast("Mapping[str, Any]", data))
    if set(entries) != set(expected):
        raise InputError(f"{name} has exactly the entries {expected}, got {list(entries)}")
    return entries
