"""Every field of a file's metadata, and a plausible other value for each."""

import hashlib
from collections.abc import Iterator

Place = tuple[str | int, ...]
NAMED = {  # objects whose keys are names
    *("gadgets", "carried", "claims.coefficients", "claims.bound.maps", "provenance.names", "provenance.folded"),
}


def fields_of(meta: object) -> dict[str, Place]:
    """Each field once, such as `layers.*.gain`, and where it stands first."""
    found: dict[str, Place] = {}
    for place in _leaves(meta, ()):
        above = [".".join(map(str, place[:i])) for i in range(len(place))]
        parts = [
            "*" if isinstance(key, int) or object in NAMED else key for key, object in zip(place, above, strict=True)
        ]
        found.setdefault(".".join(parts), place)
    return found


def _leaves(node: object, at: Place) -> Iterator[Place]:
    """Places of what is no container, or an empty one; a list of numbers is one value."""
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    if not keys or (isinstance(node, list) and all(isinstance(item, int | float) for item in node)):
        yield at
        return
    for key in keys:
        yield from _leaves(node[key], (*at, key))


def value_at(meta: object, place: Place) -> object:
    """What stands there."""
    for key in place:
        meta = meta[key]
    return meta


def other(value: object) -> object:
    """Another value of the same type, close by: what a liar would write."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value / 2 if value else 0.5
        case str() if len(value) == 64:
            return hashlib.sha256(value.encode()).hexdigest()
        case str():
            return value[:-1] + ("y" if value.endswith("x") else "x")
        case list() if value and isinstance(value[0], int | float):
            return [other(value[0]), *value[1:]]
        case _:
            raise TypeError(f"say what else {value!r} could be")
