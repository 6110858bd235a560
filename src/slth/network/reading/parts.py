"""Which parts of a model can be read by themselves, where the whole cannot."""

from collections.abc import Iterable

from torch import nn

from slth.network.reading.words import listed, shown

MOST = 4


def advice(model: nn.Module, unread: Iterable[str], linear: Iterable[str]) -> str:
    """What can be made tickets of, in half a sentence.

    Args:
        unread: the modules in which something stands that cannot be read, by path; "" is the model itself.
        linear: the modules with a linear map that can.
    """
    places, maps = set(unread), set(linear)
    found: list[str] = []
    for path, _ in model.named_modules():
        if not path or any(_within(path, outer) for outer in found):
            continue
        if any(_within(place, path) for place in maps) and not any(_within(place, path) for place in places):
            found.append(path)
    whole = "slth.search learns a mask for any model as it is"
    if not found:
        return whole
    plain = all(name.isidentifier() for name in found[0].split("."))
    part = f"model.{found[0]}" if plain else f"model.get_submodule({shown(found[0])!r})"
    return f"what can be read by itself: {listed(found, MOST)} (pass {part}); {whole}"


def _within(path: str, outer: str) -> bool:
    """A module is another one, or inside of it."""
    return path == outer or path.startswith(f"{outer}.")
