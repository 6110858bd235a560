"""What an exact ticket gives back: the tensors of its target, bit for bit in their own formats."""

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from slth._errors import InputError
from slth.certificate import Exact, ExactMap, exact_numbers, real_numbers
from slth.graph import Affine, Dense, Linear, Realised, Shape, Stored, Target, stored_weight
from slth.numerics import FORMATS, to_format
from slth.ticket.carried import CARRIED

HOLDS: Mapping[str, tuple[str, ...]] = {"BF16": ("F32",), "F16": ("F16", "F32"), "F64": ("F32", "F64")}
# types of carried arrays that hold the numbers of a format exactly, where it is not the format alone


def kinds_of(target: Target) -> dict[str, ExactMap]:
    """By map of a target that was read unfolded: the formats of its tensors, and the scale of whole numbers."""
    found: dict[str, ExactMap] = {}
    for path, (weight, bias) in target.names.items():
        stored = target.tensors[weight]
        biased = None if bias is None else target.tensors[bias].format
        found[path] = ExactMap(stored.format, biased, 0, stored.scale, stored.zero)
    return found


def exact_tensors(
    exact: Exact, maps: Mapping[str, Linear], carried: Mapping[str, np.ndarray], realised: Callable[[str], Realised]
) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, format and numbers of every tensor of the target, little-endian; those of BF16 as uint16.

    Args:
        realised: the coefficients of a map, by its path; asked for once for each map.
    """
    of = dict[str, dict[str, Stored]]()
    for name, stored in exact.tensors.items():
        if stored.part == "carried":
            yield name, stored.format, _stored(carried[stored.of], stored)
        else:
            of.setdefault(stored.of, {})[name] = stored
    for path, tensors in of.items():
        op, part = maps[path], realised(path)
        weight, bias = exact_numbers(op, part.positive, part.bias, claim=exact.maps[path], carried=carried)
        for name, stored in tensors.items():
            numbers = stored_weight(op.basis, weight) if stored.part == "weight" else bias
            assert numbers is not None
            yield name, stored.format, _stored(numbers.T if stored.transposed else numbers, stored)


def own_affine(op: Linear, part: Realised, claim: ExactMap, carried: Mapping[str, np.ndarray]) -> Affine:
    """The target's own map, of what an exact one realises."""
    weight, bias = exact_numbers(op, part.positive, part.bias, claim=claim, carried=carried)
    if claim.scale is not None:
        weight = real_numbers(op, weight, claim=claim, carried=carried)
    return Affine(np.ascontiguousarray(weight), bias)


def own_bytes(numbers: np.ndarray, form: str) -> np.ndarray:
    """Numbers of a format as it has them, little-endian."""
    return to_format(numbers.astype(np.float64), form) if form in FORMATS else numbers.astype(CARRIED[form])


def check_exact(exact: Exact, maps: Mapping[str, Linear], carried: Mapping[str, tuple[str, Shape]]) -> None:
    """What is claimed speaks of the maps and carried arrays that there are; decided in integers.

    Raises:
        InputError: what does not fit, by name.
    """
    for path, claim in exact.maps.items():
        _check_map(path, maps[path], claim, carried)
    for name, stored in exact.tensors.items():
        if stored.part == "carried":
            dtype, shape = carried.get(stored.of, ("", ()))
            fits = dtype in HOLDS.get(stored.format, (stored.format,)) and math.prod(shape) == math.prod(stored.shape)
        else:
            op, claim = maps.get(stored.of), exact.maps.get(stored.of)
            fits = op is not None and claim is not None and _is_of_map(stored, op, claim)
        if not fits or name == "__metadata__":
            raise InputError(f"{name[:200]} is no tensor that {stored.part} {stored.of[:200]!r} can be")


def carried_names(exact: Exact | None) -> set[str]:
    """The carried arrays of which an exact claim speaks."""
    if exact is None:
        return set()
    found = {name for claim in exact.maps.values() for name in claim.carried_names}
    return found | {stored.of for stored in exact.tensors.values() if stored.part == "carried"}


def rest_count(exact: Exact, carried: Mapping[str, np.ndarray]) -> int:
    """Numbers of maps that are carried beside the masks."""
    return sum(carried[claim.rest].size for claim in exact.maps.values() if claim.rest is not None)


def _check_map(path: str, op: Linear, claim: ExactMap, carried: Mapping[str, tuple[str, Shape]]) -> None:
    if (claim.bias is None) == op.bias:
        raise InputError(f"{path[:200]}: a format of the bias stands exactly where there is one")
    types = {claim.scale: "F16 F32 F64", claim.zero: "I8 U8", claim.zeros: "U8", claim.places: "I64"}
    types[claim.rest] = "F16 F32 I8 U8"
    for name, known in types.items():
        if name is not None and (name not in carried or carried[name][0] not in known.split()):
            raise InputError(f"{name[:200]}: expected a carried array of type {known.replace(' ', ', ')}")
    for name in (claim.scale, claim.zero):
        if name is not None and math.prod(carried[name][1]) not in (1, op.basis.outputs):
            raise InputError(f"{name[:200]}: expected one number, or one for each of {op.basis.outputs} outputs")


def _is_of_map(stored: Stored, op: Linear, claim: ExactMap) -> bool:
    bias = stored.part == "bias"
    size = op.basis.outputs if bias else math.prod(op.coefficients)
    turned = not stored.transposed or (not bias and isinstance(op.basis, Dense) and len(stored.shape) == 2)
    scales = (None, None) if bias else (claim.scale, claim.zero)
    form = claim.bias if bias else claim.format
    return turned and (stored.format, math.prod(stored.shape), (stored.scale, stored.zero)) == (form, size, scales)


def _stored(numbers: np.ndarray, stored: Stored) -> np.ndarray:
    return own_bytes(numbers, stored.format).reshape(stored.shape)
