"""Normalisations that a model spells out: x rsqrt(mean x² + ε) is RMSNorm, (x − μ)/√(σ² + ε) LayerNorm without gain.

As a product and a quotient of values they could not be read: their parts have no Lipschitz constant. Casts between
floating-point types on the way are nothing in real arithmetic.
"""

from dataclasses import replace
from typing import Any

from torch import fx

from slth.graph import Standardise
from slth.network.reading.here import Here, Known, Value

SAME = ("clone", "detach", "alias", "contiguous", "_to_copy", "to")


def normalised(here: Here, node: fx.Node, values: dict[fx.Node, Any]) -> Value | None:
    """The node as one standardisation of an earlier value; None if it is none."""
    found = _factors(node)
    if found is None:
        return None
    own, square = found
    epsilon, variance = _sum(square, values)
    if epsilon is None or variance is None:
        return None
    x, centred, dims = _centred(own), True, _variance(variance, own)
    if dims is None:
        return None
    if x is None or not _is_mean(x[1], x[0], dims):
        source, centred = own, False
        if _base(variance) == "var":
            return None
    else:
        source = x[0]
    value = values.get(source)
    if not isinstance(value, Value) or not 0 <= epsilon < float("inf"):
        return None
    rank = source.meta["val"].ndim
    axes = sorted({dim % rank - (0 if value.moved else 1) for dim in dims})
    if axes[0] < 0 or any(axis >= len(value.shape) for axis in axes):
        return None
    y = here.add(Standardise(tuple(axes), epsilon, centred), value)
    return replace(y, moved=value.moved)


def _factors(node: fx.Node) -> tuple[fx.Node, fx.Node] | None:
    """x and s of x/√s."""
    base, parts = _base(node), [_plain(part) for part in node.args[:2]]
    if base not in ("mul", "div") or len(parts) != 2 or not all(isinstance(part, fx.Node) for part in parts):
        return None
    first, second = parts
    orders = [(first, second)] if base == "div" else [(first, second), (second, first)]
    for x, other in orders:
        square = _root(other, inverse=base == "mul")
        if square is not None:
            return x, square
    return None


def _root(node: Any, *, inverse: bool) -> fx.Node | None:
    """s of √s, or of 1/√s."""
    base = _base(node)
    if not inverse:
        half = base == "sqrt" or (base == "pow" and node.args[1] == 0.5)
        return _plain(node.args[0]) if half else None
    if base == "rsqrt" or (base == "pow" and node.args[1] == -0.5):
        return _plain(node.args[0])
    return _root(_plain(node.args[0]), inverse=False) if base == "reciprocal" else None


def _sum(node: Any, values: dict[fx.Node, Any]) -> tuple[float | None, fx.Node | None]:
    """ε and m of m + ε."""
    if not isinstance(node, fx.Node) or _base(node) != "add":
        return None, None
    for number, other in (node.args[:2], node.args[1::-1]):
        own = values.get(number) if isinstance(number, fx.Node) else number
        if isinstance(own, Known) and own.tensor.numel() == 1:
            own = float(own.numbers.reshape(()))
        if isinstance(own, (int, float)) and isinstance(other, fx.Node):
            return float(own), _plain(other)
    return None, None


def _variance(node: fx.Node, own: fx.Node) -> list[int] | None:
    """The axes over which a node is the mean of the squares of `own`, or the variance of what `own` centres."""
    base = _base(node)
    given: Any = node.args
    if base == "mean" and len(given) > 2 and given[2]:
        square = _plain(given[0])
        inner = [_plain(part) for part in square.args[:2]] if isinstance(square, fx.Node) else []
        same = (
            (_base(square) == "mul" and inner == [own, own])
            or (_base(square) == "square" and inner == [own])
            or (_base(square) == "pow" and inner[0] is own and inner[1] == 2)
        )
        return _dims(given[1]) if same else None
    if base == "var" and _biased_and_kept(node):
        x = _centred(own)
        return _dims(given[1]) if x is not None and x[0] is _plain(given[0]) else None
    return None


def _biased_and_kept(node: fx.Node) -> bool:
    """The mean square itself, not the estimate with n − 1, and its axes kept."""
    if str(node.target).endswith(".dim"):  # x, axes, unbiased, keepdim
        given: Any = node.args
        return len(given) == 4 and not given[2] and bool(given[3])
    more: Any = node.kwargs
    return len(node.args) > 1 and more.get("correction") == 0 and bool(more.get("keepdim"))


def _centred(node: fx.Node) -> tuple[fx.Node, fx.Node] | None:
    """x and μ of x − μ."""
    parts = [_plain(part) for part in node.args[:2]]
    if _base(node) != "sub" or len(parts) != 2 or not all(isinstance(part, fx.Node) for part in parts):
        return None
    return parts[0], parts[1]


def _is_mean(node: fx.Node, of: fx.Node, dims: list[int]) -> bool:
    given: Any = node.args
    keeps = _base(node) == "mean" and len(given) > 2 and bool(given[2])
    return keeps and _plain(given[0]) is of and _dims(given[1]) == dims


def _dims(dims: Any) -> list[int]:
    return list(dims) if isinstance(dims, (list, tuple)) else [dims]


def _base(node: Any) -> str:
    """An operator without its overload; "" of what is none."""
    return (
        str(node.target).removeprefix("aten.").partition(".")[0] if getattr(node, "op", "") == "call_function" else ""
    )


def _plain(node: Any) -> Any:
    """A node behind casts and copies."""
    while _base(node) in SAME and node.meta["val"].is_floating_point():
        node = node.args[0]
    return node
