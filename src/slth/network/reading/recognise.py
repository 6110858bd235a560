r"""Functions of one number that a model spells out: x σ(x) is SiLU, ½ x (1 + erf(x/√2)) is GELU.

As products of values they could be bounded, but loosely; some (erf, a quotient) could not be read at all. Where a
value depends on one earlier value alone, entry by entry, the chain between them is evaluated on a grid, which holds the
numbers that it spells out, and compared with every function that there is. Chains of a few elementary functions that
agree there to 10⁻¹² are the same function.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from slth.graph import FUNCTIONS, Pointwise
from slth.network.reading.here import Here, Known, Value
from slth.network.reading.operators import shrunk

MOST_STEPS = 24  # of a chain
MOST_NUMBERS = 8  # among those that a chain spells out: ends at which it may clip
OVERFLOWS = 512.0  # below it no elementary function does
FARTHEST = 2.0**100
TOLERANCE = 1e-12  # relative to max(1, |σ(x)|)
SINGLE = 2.0**-22  # the same where a chain's numbers are in float32: four of its roundings
_NAMES = (
    "relu relu6 leaky_relu hardtanh clamp clamp_min clamp_max clip gelu tanh sigmoid silu hardswish hardsigmoid elu "
    "selu celu softplus log_sigmoid mish abs neg exp expm1 log log1p erf pow square sqrt reciprocal add sub rsub mul "
    "div where masked_fill index_put gt ge lt le eq ne logical_and logical_or bitwise_and bitwise_or maximum minimum "
    "max min sign threshold clone detach alias contiguous"
)
ELEMENTARY = frozenset(_NAMES.split())  # operators that act on every entry by itself


@dataclass(frozen=True, slots=True)
class Shrink:
    """x − clip(x, −λ, λ), a sum and no function of the vocabulary."""

    most: float


def recognised(
    here: Here, node: fx.Node, values: dict[fx.Node, Any], *, alone: bool, rounded: bool = False
) -> Value | None:
    """The node as one function of an earlier value, the earliest for which there is one; None if there is none.

    Args:
        alone: whether the node may be a function by itself, because no table knows its operator.
        rounded: the numbers that a chain spells out may be those of a function rounded to float32: 0.70710677 for
            1/√2. Where they are, that is noted as assumed.
    """
    if not _elementary(node, values):
        return None
    found = None
    for source, chain in _chains(node, values):
        known = isinstance(values.get(source), Value) and (len(chain) > 1 or alone)
        op = _named(source, chain, values, TOLERANCE) if known else None
        exact = op is not None
        op = _named(source, chain, values, SINGLE) if known and rounded and not exact else op
        found = found if op is None else (op, values[source], exact)
    if found is None:
        return None
    op, value, exact = found
    y = shrunk(here, value, op.most) if isinstance(op, Shrink) else here.add(op, value)
    if not exact:
        name = "a soft threshold" if isinstance(op, Shrink) else op.function
        away = f"less than {SINGLE:.0e} max(1, |y|) away"
        said = f"{name} is read where the file spells it out with numbers rounded to float32, {away}"
        here.draft.steps[y.name].assumed = said
    return replace(y, moved=value.moved)


def _elementary(node: fx.Node, values: dict[fx.Node, Any]) -> bool:
    """A function of numbers, entry by entry; constants are single numbers."""
    if node.op != "call_function" or str(node.target).removeprefix("aten.").partition(".")[0] not in ELEMENTARY:
        return False
    known = [values.get(part) for part in node.all_input_nodes]
    return all(not isinstance(part, Known) or _one_number(part.tensor) for part in known)


def _one_number(tensor: Tensor) -> bool:
    """A number, perhaps spread over a shape: zeros_like(x)."""
    return tensor.numel() == 1 or (tensor.numel() > 0 and bool((tensor == tensor.flatten()[0]).all()))


def _sources(node: fx.Node, values: dict[fx.Node, Any]) -> list[fx.Node]:
    return [part for part in node.all_input_nodes if not isinstance(values.get(part), Known)]


def _chains(node: fx.Node, values: dict[fx.Node, Any]) -> Iterator[tuple[fx.Node, list[fx.Node]]]:
    """Values that the node depends on alone, nearest first, each with the steps from it to the node, in order."""
    frontier, chain = {node}, list[fx.Node]()
    while len(chain) < MOST_STEPS:
        latest = max(frontier)  # nodes compare by where they stand
        if not _elementary(latest, values) or not _sources(latest, values):
            return
        frontier.remove(latest)
        frontier.update(_sources(latest, values))
        chain.insert(0, latest)
        if len(frontier) == 1:
            yield next(iter(frontier)), list(chain)


def _named(
    source: fx.Node, chain: list[fx.Node], values: dict[fx.Node, Any], tolerance: float
) -> Pointwise | Shrink | None:
    """The function that a chain computes."""
    arguments = [_plain(step.args, values) for step in chain]
    scalars = frozenset(_numbers([1.0, *arguments]))
    grid = np.concatenate([_grid(), _far(scalars)])
    results: dict[fx.Node, Any] = {source: torch.from_numpy(grid)}
    for step, given in zip(chain, arguments, strict=True):
        try:
            results[step] = step.target(*_filled(given, results), **step.kwargs)  # pyright: ignore
        except (TypeError, RuntimeError):  # a number where PyTorch wants a tensor; a list; the size of the batch
            return None
    y = results[chain[-1]]
    if not isinstance(y, Tensor) or not y.is_floating_point() or y.shape != results[source].shape:
        return None
    near, far = np.split(y.numpy(), [len(_grid())])
    found = (op for op in _candidates(scalars) if _agree(_values(op), near, tolerance))
    return next((op for op in found if _agree_far(_function(op, _far(scalars)), far, _far(scalars), tolerance)), None)


def _plain(argument: Any, values: dict[fx.Node, Any]) -> Any:
    """Arguments of a step, constants as numbers; what the chain itself computes stays a node."""
    if isinstance(argument, (list, tuple)):
        return [_plain(part, values) for part in argument]
    value = values.get(argument) if isinstance(argument, fx.Node) else None
    return torch.tensor(float(value.numbers.flat[0]), dtype=torch.float64) if isinstance(value, Known) else argument


def _filled(argument: Any, results: dict[fx.Node, Any]) -> Any:
    if isinstance(argument, list):
        return [_filled(part, results) for part in argument]
    return results.get(argument) if isinstance(argument, fx.Node) else argument


def _numbers(arguments: Any) -> Iterator[float]:
    """The numbers that a chain spells out."""
    for argument in arguments:
        if isinstance(argument, list):
            yield from _numbers(argument)
        elif isinstance(argument, (int, float, Tensor)) and not isinstance(argument, bool):
            yield float(argument)


def _candidates(scalars: Set[float]) -> Iterator[Pointwise | Shrink]:
    for name in (
        "Relu",
        "Sigmoid",
        "Tanh",
        "Softsign",
        "HardSwish",
        "Mish",
        "Gelu",
        "TanhGelu",
        "LogSigmoid",
        "Softplus",
    ):
        yield Pointwise(name)
    for alpha, beta in ((1 / 6, 0.5), (0.2, 0.5)):
        yield Pointwise("HardSigmoid", alpha=alpha, beta=beta)
    for name in ("Swish", "LeakyRelu", "Elu"):
        for alpha in sorted(scalars):
            if alpha > 0 or name == "LeakyRelu":
                yield Pointwise(name, alpha=alpha)
    numbers = sorted(number for number in scalars if np.isfinite(number))[:MOST_NUMBERS]
    for number in numbers:
        yield Pointwise("Clip", low=number)
        yield Pointwise("Clip", high=number)
        if number > 0:
            yield Shrink(number)
    for low, high in combinations(numbers, 2):
        yield Pointwise("Clip", low=low, high=high)


@lru_cache(maxsize=1)
def _grid() -> np.ndarray:
    """Dense where functions bend."""
    far = 2.0 ** np.arange(3, 10)
    return np.concatenate([np.linspace(-12, 12, 1537), far * 1.01, -far * 1.01])


@lru_cache(maxsize=64)
def _far(scalars: frozenset[float]) -> np.ndarray:
    """At the numbers that a chain spells out and beside them; and far away, where a bound of 65,504 bends."""
    own = np.array([s for s in scalars if 0 < abs(s) < FARTHEST])
    beside = np.concatenate([own * near for near in (1.0, 1.001, 0.999)])
    far = 2.0 ** np.arange(10, 100)
    return np.concatenate([beside, -beside, far * 1.01, -far * 1.01])


@lru_cache(maxsize=512)
def _values(op: Pointwise | Shrink) -> np.ndarray:
    return _function(op, _grid())


def _function(op: Pointwise | Shrink, x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        return x - np.clip(x, -op.most, op.most) if isinstance(op, Shrink) else FUNCTIONS[op.function].value(x, op)


def _agree(expected: np.ndarray, y: np.ndarray, tolerance: float = TOLERANCE) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((np.abs(y - expected) <= tolerance * np.maximum(1.0, np.abs(expected))).all())


def _agree_far(expected: np.ndarray, y: np.ndarray, x: np.ndarray, tolerance: float) -> bool:
    """Wherever the chain did not overflow on its way: exp(1000) is infinite in float64, log(exp(1000)) is not."""
    within = np.isfinite(y) | (np.abs(x) < OVERFLOWS)
    return _agree(expected[within], y[within], tolerance)
