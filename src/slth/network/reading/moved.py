"""Values whose batch is not axis 0 by itself: moved behind another axis, or merged with the heads of attention.

As long as every operator treats the examples alike, a batch of one stands for any: such a value has all axes of
PyTorch's tensor, that of the batch with length 1 or the length of what it is merged with. What goes over this axis is
refused; an operator that tears it apart another way than it was put together is found by the comparison with the model.
"""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from slth.graph import Shape
from slth.network.reading.here import Here, Value

AXES = ("dim", "dim0", "dim1")  # arguments that count axes
VIEWS = (
    "view _unsafe_view reshape flatten unflatten squeeze unsqueeze permute transpose t expand clone contiguous alias"
)
ALONG = "softmax _softmax slice select split split_with_sizes chunk unbind cat repeat_interleave"
PRODUCTS = "matmul bmm baddbmm linear addmm mm layer_norm rms_norm scaled_dot_product_attention"
EACH = (
    "add sub mul div neg relu gelu tanh sigmoid silu masked_fill where hardtanh leaky_relu elu dropout detach "
    "_to_copy to embedding"
)
FREE = frozenset((*VIEWS.split(), *EACH.split()))  # operators that leave axes alone, or only give them other places
KNOWN = FREE | frozenset((*ALONG.split(), *PRODUCTS.split()))


def with_one(value: Tensor) -> tuple[Shape, int] | None:
    """The shape of a value for a batch of one, and the axis that the batch is on; None if that is not one axis."""
    on = [axis for axis, length in enumerate(value.shape) if isinstance(length, torch.SymInt)]
    if len(on) != 1:
        return None
    length: Any = value.shape[on[0]]
    expression = length.node.expr
    symbols = list(expression.free_symbols)
    if len(symbols) != 1 or expression.subs(symbols[0], 0) != 0 or not expression.is_polynomial(symbols[0]):
        return None
    one = expression.subs(symbols[0], 1)
    if not one.is_Integer or expression.subs(symbols[0], 2) != 2 * one:
        return None
    return tuple(int(one) if axis == on[0] else int(n) for axis, n in enumerate(value.shape)), on[0]


def acts_along_batch(here: Here, arguments: SimpleNamespace, axes: Iterable[tuple[int, int]]) -> bool:
    """An operator goes over the axis that the batch is on.

    Args:
        axes: of every value that it reads the number of axes, and the one that the batch is on.
    """
    base = here.op.partition(".")[0]
    for rank, axis in axes:
        own = [_axis(number, rank) for name in AXES for number in _listed(getattr(arguments, name, None))]
        if (base not in FREE and axis in own) or (base in PRODUCTS and axis >= rank - 1):
            return True
    return False


def arguments_with_one(here: Here, arguments: SimpleNamespace) -> SimpleNamespace:
    """Arguments of an operator, as if another batch stood in front of all axes."""
    base = here.op.partition(".")[0]
    found = {name: _behind(value) if name in AXES else _whole(here, value) for name, value in vars(arguments).items()}
    if base == "permute":
        found["dims"] = [0, *(_axis(number, len(arguments.dims)) + 1 for number in arguments.dims)]
    return SimpleNamespace(**found)


def _listed(numbers: Any) -> list[int]:
    return [] if numbers is None else list(numbers) if isinstance(numbers, (list, tuple)) else [numbers]


def _axis(number: int, rank: int) -> int:
    return number % rank


def _behind(numbers: Any) -> Any:
    """Axes counted behind one more; those counted from the end stay."""
    if isinstance(numbers, (list, tuple)):
        return [_behind(number) for number in numbers]
    return numbers + 1 if isinstance(numbers, int) and numbers >= 0 else numbers


def _whole(here: Here, value: Any) -> Any:
    """A value with an axis of length 1 for its batch."""
    if isinstance(value, (list, tuple)):
        return [_whole(here, part) for part in value]
    return here.reshape(value, (1, *value.shape)) if isinstance(value, Value) and not value.moved else value
