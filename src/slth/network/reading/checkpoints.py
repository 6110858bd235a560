"""State dicts as people save them: inside a checkpoint, under prefixes of wrappers, in any number format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.network.reading.words import listed, shown

STATE_KEYS = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module", "weights", "params")
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
DEEPEST = 8


def state_in(data: Any, path: str | None = None) -> Mapping[str, Any]:
    """The state dict inside a checkpoint such as {"epoch": 3, "model_state_dict": {...}}.

    Raises:
        InputError: there is none, or several.
    """
    where = "" if path is None else f"cannot read the target {shown(path)}: "
    for _ in range(DEEPEST):
        if not isinstance(data, Mapping):
            hint = " (save model.state_dict() instead)" if hasattr(data, "state_dict") else ""
            raise InputError(f"{where}expected a state dict, got {type(data).__name__}{hint}")
        inner = {str(key): part for key, part in data.items() if isinstance(part, Mapping) and part}
        if not inner:
            return _unwrapped(data)
        named = [key for key in STATE_KEYS if key in inner]
        states = named[:1] or [key for key, part in inner.items() if all(map(_is_array, part.values()))]
        if len(states) != 1:
            raise InputError(
                f"{where}expected one state dict, under a key such as {STATE_KEYS[0]} or {STATE_KEYS[1]}; got "
                f"{listed(data)}"
            )
        data = inner[states[0]]
    raise InputError(f"{where}expected a state dict, got mappings inside each other, or one that holds itself")


def _unwrapped(data: Mapping[Any, Any]) -> dict[str, Any]:
    """Without a prefix that all names share."""
    state = {str(name): tensor for name, tensor in data.items()}
    while True:
        prefix = next((p for p in PREFIXES if state and all(name.startswith(p) for name in state)), None)
        if prefix is None:
            return state
        state = {name[len(prefix) :]: tensor for name, tensor in state.items()}


def arrays_of(state: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Tensors as arrays, floating-point ones exactly.

    Raises:
        InputError: naming what is no dense tensor with numbers.
    """
    return {name: _array(name, tensor) for name, tensor in state.items()}


def _array(name: str, tensor: Any) -> np.ndarray:
    if hasattr(tensor, "detach"):
        from slth.network.reading.weights import check_layout

        check_layout(name, tensor)
        tensor = tensor.detach().cpu()
        tensor = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
    if not isinstance(tensor, np.ndarray):
        raise InputError(f"the state dict holds {type(tensor).__name__} under {shown(name)!r}; expected tensors only")
    if tensor.dtype.kind == "V" and "float" in tensor.dtype.name:  # bfloat16 and float8, which an extension gives NumPy
        return tensor.astype(np.float64)
    return tensor


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or hasattr(value, "detach")


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """A tensor as it is held: its number format as safetensors names it, and its numbers."""

    format: str
    array: np.ndarray  # real numbers in float64 or their own type, exactly


_FORMATS = {"float16": "F16", "float32": "F32", "float64": "F64", "bfloat16": "BF16", "bool": "BOOL"} | {
    f"{kind}{bits}": f"{kind[0].upper()}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)
}


def held_of(name: str, tensor: Any) -> Held:
    """A tensor, or an array, with its format."""
    kind = str(tensor.dtype).removeprefix("torch.")
    return Held(_FORMATS.get(kind, kind), _array(name, tensor))
