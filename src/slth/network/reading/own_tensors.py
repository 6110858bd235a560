"""The tensors of a target, each in its own number format: which map's weight or bias it is, or what is carried.

An exact ticket gives these tensors back, so every map must have a tensor of its own; what is computed on the way has
none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from slth._errors import InputError
from slth.graph import Affine, Linear, Part, Stored, stored_weight
from slth.network.reading.checkpoints import Held
from slth.network.reading.words import listed, shown
from slth.numerics import FORMATS

WHOLE = ("I8", "U8")  # formats of quantised weights
Names = tuple[frozenset[str], frozenset[str]]  # state that weight and bias come from


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """Whose numbers the tensors of a target are, and the carried arrays that they are beside those that ops read."""

    tensors: dict[str, Stored]
    names: dict[str, tuple[str, str | None]]  # by map: of its weight and its bias
    carried: dict[str, np.ndarray]


def own_tensors(
    maps: Mapping[str, Linear],
    affine: Mapping[str, Affine],
    state: Mapping[str, Held],
    *,
    names: Mapping[str, Names],
    carried: Mapping[str, np.ndarray],
) -> Own:
    """Which tensor of a state every map's weight and bias are; all others are carried.

    Args:
        names: by map, the tensors that weight and bias come from.
        carried: arrays that ops read; a tensor with the same bits is one of these.

    Raises:
        InputError: a map without a tensor of its own, or in a format that no exact ticket has.
    """
    found: dict[str, Stored] = {}
    pairs: dict[str, tuple[str, str | None]] = {}
    for path, op in maps.items():
        weight, bias = affine[path].weight, affine[path].bias
        origin, outputs = names[path], op.basis.outputs
        of_weight = _stored(state, stored_weight(op.basis, weight), path, "weight", origin[0], outputs)
        of_bias = None if bias is None else _stored(state, bias, path, "bias", origin[1], outputs)
        for name, stored in (of_weight, *([] if of_bias is None else [of_bias])):
            found.setdefault(name, stored)
        pairs[path] = (of_weight[0], None if of_bias is None else of_bias[0])
    tensors, added = _with_rest(found, state, carried)
    return Own(tensors, pairs, added)


def _stored(
    state: Mapping[str, Held], array: np.ndarray, path: str, part: Part, names: frozenset[str], outputs: int
) -> tuple[str, Stored]:
    """The tensor that an array of a map is, by name."""
    among = _candidates(state, names)
    for name in among:
        turned = _is(state[name], array)
        if turned is not None:
            _check_format(name, state[name].format)
            return name, Stored(state[name].format, state[name].array.shape, part, path, turned)
    whole = _quantised(state, among, array, outputs) if part == "weight" else None
    if whole is None:
        raise InputError(_why(path, part, names))
    name, scale, zero, turned = whole
    return name, Stored(state[name].format, state[name].array.shape, part, path, turned, scale, zero)


def _with_rest(
    found: dict[str, Stored], state: Mapping[str, Held], carried: Mapping[str, np.ndarray]
) -> tuple[dict[str, Stored], dict[str, np.ndarray]]:
    """All tensors, in their own order: tied ones beside the first of them, the others carried."""
    tensors: dict[str, Stored] = {}
    added: dict[str, np.ndarray] = {}
    known = [(state[name], stored) for name, stored in found.items()]
    beside = {name for stored in found.values() for name in (stored.scale, stored.zero)}
    for name, held in state.items():
        if name in found:
            tensors[name] = found[name]
            continue
        array = next((array for array, own in carried.items() if _same_bits(own, held.array)), None)
        tied = None if array or name in beside else next((own for other, own in known if _equal(other, held)), None)
        if tied is not None:
            tensors[name] = tied
            continue
        if array is None:
            taken = {*carried, *added}
            array = next(free for i in count(1) if (free := name if i == 1 else f"{name}:{i}") not in taken)
            added[array] = _kept(name, held)
        tensors[name] = Stored(held.format, held.array.shape, "carried", array)
    of = {None: None} | {name: stored.of for name, stored in tensors.items()}
    scaled = {name: replace(stored, scale=of[stored.scale], zero=of[stored.zero]) for name, stored in tensors.items()}
    return scaled, added


def _candidates(state: Mapping[str, Held], names: frozenset[str]) -> list[str]:
    """The tensors that an array comes from; where a parametrization computed it, what else its module has."""
    own = [name for name in state if name in names]
    modules = {_module(name) for name in names if name not in state}
    return own + [name for name in state if name not in own and modules and name.rpartition(".")[0] in modules]


def _module(name: str) -> str:
    head, inside, _ = f".{name}".partition(".parametrizations.")
    return head[1:] if inside else name.rpartition(".")[0]


def _is(held: Held, array: np.ndarray) -> bool | None:
    """Whether a tensor is an array transposed, or as it is; None: it is another one."""
    own = held.array
    if own.size != array.size or own.dtype.kind != "f":
        return None
    if _same_bits(own, array):
        return False
    turned = own.ndim == array.ndim == 2 and own.shape == array.shape[::-1] and _same_bits(own, array.T)
    return True if turned else None


def _same_bits(first: np.ndarray, second: np.ndarray) -> bool:
    """Equal numbers in C order, zeros with their signs."""
    if first.size != second.size or (first.dtype.kind == "f") != (second.dtype.kind == "f"):
        return False
    a, b = (
        np.asarray(part, np.float64 if part.dtype.kind == "f" else part.dtype).reshape(-1) for part in (first, second)
    )
    return bool(np.array_equal(a, b)) and bool((np.signbit(a) == np.signbit(b)).all())


def _equal(first: Held, second: Held) -> bool:
    return (first.format, first.array.shape) == (second.format, second.array.shape) and _same_bits(
        first.array, second.array
    )


def _quantised(
    state: Mapping[str, Held], among: list[str], array: np.ndarray, outputs: int
) -> tuple[str, str, str | None, bool] | None:
    """The whole numbers, scale and zero point that an array is computed from: scale · (q − zero)."""
    whole = [name for name in among if state[name].format in WHOLE]
    scales = [name for name in among if state[name].format in FORMATS and state[name].array.size in (1, outputs)]
    scales = [name for name in scales if (state[name].array > 0).all()]
    for name in whole:
        zeros = [None, *(other for other in whole if other != name and state[other].array.size in (1, outputs))]
        for turned in (False, True):
            q = state[name].array
            q = q.T if turned and q.ndim == 2 else q
            if q.size != array.size or (q.shape != array.shape and turned):
                continue
            for scale, zero in ((s, z) for s in scales for z in zeros):
                centred = q.reshape(array.shape).astype(np.float64)
                if zero is not None:
                    centred = centred - _per_output(state[zero].array, array)
                exact = centred * _per_output(state[scale].array, array)
                if np.array_equal(exact, array) or np.array_equal(exact.astype(np.float32), array):
                    return name, scale, zero, turned
    return None


def _per_output(numbers: np.ndarray, array: np.ndarray) -> np.ndarray:
    """One number for each output, which is axis 0 of a stored weight, or one for all."""
    return numbers.astype(np.float64).reshape(-1, *(1 for _ in array.shape[1:]))


def _kept(name: str, held: Held) -> np.ndarray:
    """A tensor as a carried array: exactly, in the smallest type of NumPy that has it."""
    if held.array.dtype.kind == "f" and not np.isfinite(held.array).all():
        raise InputError(f"{shown(name)} holds NaN or infinity, and a ticket carries finite numbers; clean it first")
    if held.format in ("F32", "BF16"):
        return held.array.astype(np.float32)
    if held.format == "F16":
        return held.array.astype(np.float16)
    if held.format not in ("F64", "I8", "I16", "I32", "I64", "U8", "BOOL"):
        raise InputError(f"{shown(name)} is {shown(held.format)}, which no ticket carries; convert it first")
    return held.array


def _check_format(name: str, form: str) -> None:
    if form not in FORMATS:
        raise InputError(
            f"{shown(name)} is {shown(form)}; --exact makes tickets of float32 (F32), bfloat16 (BF16), float16 (F16) "
            "and int8 with scales: model.float() first"
        )


def _why(path: str, part: str, names: frozenset[str]) -> str:
    of = f" of {listed(sorted(names))}" if names else ""
    return (
        f"{shown(path)}: its {part} is no tensor of the target, but an expression{of}, and --exact gives tensors back; "
        "compute it once and store it (a parametrization, or constants that are not folded), or give a tolerance"
    )
