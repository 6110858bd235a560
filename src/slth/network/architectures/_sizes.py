"""Sizes of layers: arguments from JSON checked, widths scaled, inputs too small for a network refused."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from slth import _arguments
from slth._errors import InputError

_LARGEST = 2**31 - 1  # of any size asked for
_WIDEST = 2**20  # so that every size of a layer fits into 63 bits


def checked(name: str, arguments: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """The arguments with lists as tuples and `width` as a float, all of the right kind and size."""
    if unknown := [key for key in arguments if key not in known]:
        raise InputError(f"{name} has no argument {unknown[0]!r}; it takes {', '.join(known)}")
    if absent := [key for key in ("inputs", "classes") if key not in arguments]:
        raise InputError(f"{name} needs {' and '.join(absent)}; it takes {', '.join(known)}")
    settings = dict(arguments)
    settings["inputs"] = _sizes(name, "inputs", settings["inputs"])
    if len(settings["inputs"]) not in (1, 3) or flat_size(settings["inputs"]) > _LARGEST:
        raise InputError(
            f"{name}: expected inputs (C, H, W) or (features,) of at most {_LARGEST} numbers, "
            f"got {list(settings['inputs'])}"
        )
    if not _is_size(settings["classes"]):
        raise InputError(f"{name}: expected classes as a whole number of at least 1, got {settings['classes']!r}")
    settings["classes"] = int(settings["classes"])
    if "width" in settings:
        width = settings["width"]
        if not (_arguments.is_real(width) and 0 < width <= _WIDEST):
            raise InputError(f"{name}: expected width as a number > 0 and at most {_WIDEST}, got {width!r}")
        settings["width"] = float(width)
    if "hidden" in settings:
        settings["hidden"] = _sizes(name, "hidden", settings["hidden"])
    if not isinstance(settings.get("bias", True), bool):
        raise InputError(f"{name}: expected bias as true or false, got {settings['bias']!r}")
    return settings


def scaled(size: int, width: float) -> int:
    """`width` times `size`, rounded to the nearest whole number (ties to even), at least 1."""
    return max(1, round(width * size))


def image_shape(name: str, inputs: tuple[int, ...], *, least: int = 1) -> tuple[int, int, int]:
    """(C, H, W), if it is an image of at least `least` pixels on each side.

    Raises:
        InputError: flat inputs, or an image too small for the pools of the network.
    """
    if len(inputs) != 3:
        raise InputError(f"{name} takes images (C, H, W), got inputs {list(inputs)}; use mlp for flat features")
    channels, height, width = inputs
    if min(height, width) < least:
        raise InputError(
            f"{name} pools images down and needs at least {least} x {least} pixels, got {height} x {width}; "
            "use mlp or resnet_20"
        )
    return channels, height, width


def flat_size(inputs: tuple[int, ...]) -> int:
    """How many numbers one input holds."""
    return math.prod(inputs)


def _sizes(name: str, key: str, values: Any) -> tuple[int, ...]:
    if not (isinstance(values, list | tuple) and all(map(_is_size, values))):
        raise InputError(f"{name}: expected {key} as a list of whole numbers of at least 1, got {values!r}")
    return tuple(int(value) for value in values)


def _is_size(value: Any) -> bool:
    return _arguments.is_whole(value) and 1 <= int(value) <= _LARGEST
