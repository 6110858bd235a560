r"""Functions of one number that a model spells out: x σ(x) is SiLU, ½ x (1 + erf(x/√2)) is GELU.

As products of values they could be bounded, but loosely; some (erf, a quotient) could not be read at all. Where a
value depends on one earlier value alone, entry by entry, the chain between them is evaluated on a grid and compared
with every function that there is. Chains of a few elementary functions that agree there to 10⁻¹² are the same function.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx

from slth.graph import FUNCTIONS, Pointwise
from slth.network.reading.here import Here, Known, Value
from slth.network.reading.operators import OPERATORS

MOST_STEPS = 24  # of a chain
TOLERANCE = 1e-12  # relative to max(1, |σ(x)|)
_NAMES = (
    "relu relu6 leaky_relu hardtanh clamp clamp_min clamp_max clip gelu tanh sigmoid silu hardswish hardsigmoid elu "
    "selu celu softplus log_sigmoid mish abs neg exp expm1 log log1p erf pow square sqrt reciprocal add sub rsub mul "
    "div where gt ge lt le eq ne maximum minimum sign threshold clone detach alias contiguous"
)
ELEMENTARY = frozenset(_NAMES.split())  # operators that act on every entry by itself


def recognised(here: Here, node: fx.Node, values: dict[fx.Node, Any]) -> Value | None:
    """The node as one function of an earlier value, the earliest for which there is one; None if there is none."""
    if not _elementary(node, values):
        return None
    found = None
    for source, chain in _chains(node, values):
        known = isinstance(values.get(source), Value) and (len(chain) > 1 or here.op not in OPERATORS)
        op = _named(source, chain, values) if known else None
        found = found if op is None else (op, values[source])
    return None if found is None else here.add(*found)


def _elementary(node: fx.Node, values: dict[fx.Node, Any]) -> bool:
    """A function of numbers, entry by entry; constants are single numbers."""
    if node.op != "call_function" or str(node.target).removeprefix("aten.").partition(".")[0] not in ELEMENTARY:
        return False
    known = [values.get(part) for part in node.all_input_nodes]
    return all(not isinstance(part, Known) or part.tensor.numel() == 1 for part in known)


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


def _named(source: fx.Node, chain: list[fx.Node], values: dict[fx.Node, Any]) -> Pointwise | None:
    """The function that a chain computes."""
    scalars = {1.0}
    results: dict[fx.Node, Any] = {source: torch.from_numpy(_grid())}

    def plain(argument: Any) -> Any:
        if isinstance(argument, fx.Node):
            value = results.get(argument, values.get(argument))
            argument = value.numbers.reshape(()).item() if isinstance(value, Known) else value
        if isinstance(argument, (int, float)) and not isinstance(argument, bool):
            scalars.add(float(argument))
        return argument

    for step in chain:
        arguments = [plain(argument) for argument in step.args]
        try:
            results[step] = step.target(*arguments, **step.kwargs)  # pyright: ignore
        except (TypeError, RuntimeError):  # a number where PyTorch wants a tensor; a list; the size of the batch
            return None
    y = results[chain[-1]]
    if not isinstance(y, Tensor) or not y.is_floating_point() or y.shape != results[source].shape:
        return None
    return next((op for op in _candidates(scalars) if _agree(_values(op), y.numpy())), None)


def _candidates(scalars: set[float]) -> Iterator[Pointwise]:
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


@lru_cache(maxsize=1)
def _grid() -> np.ndarray:
    """Dense where functions bend, sparse far away."""
    far = 2.0 ** np.arange(3, 10)
    return np.concatenate([np.linspace(-12, 12, 1537), far * 1.01, -far * 1.01])


@lru_cache(maxsize=256)
def _values(op: Pointwise) -> np.ndarray:
    return FUNCTIONS[op.function].value(_grid(), op)


def _agree(expected: np.ndarray, y: np.ndarray) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((np.abs(y - expected) <= TOLERANCE * np.maximum(1.0, np.abs(expected))).all())
