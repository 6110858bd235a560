"""A written file against the module it was written from: they differ by rounding, or the file is wrong.

How much rounding can do is measured: the module is run again in float32 with every number and every value moved by a
random relative amount δ = 2⁻¹²; the difference, scaled from δ to the unit roundoff u = 2⁻²⁴, is what one rounding of
each does. A sum of n terms is rounded n times, and the errors add up like √n. The tolerance is 16 √n times that, plus
16 √n u times the largest output, n of the longest sum; what was tried, up to ResNet-50, stays within 3 √n.
"""

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from slth._errors import InputError
from slth.network.reading.onnx.run import session
from slth.network.reading.words import first_line
from slth.ticket import Inputs

BATCHES = (1, 3)
SAFETY = 16.0
UNIT = 2.0**-24  # of float32
DELTA = 2.0**-12


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far the outputs of a file are from those of its module, at most, and how far rounding may bring them."""

    difference: float
    allowed: float


def check_file(data: bytes, module: nn.Module, inputs: Inputs) -> Agreement:
    """A file computes what the module does, in onnxruntime, on random inputs, in batches of 1 and of 3.

    Args:
        inputs: what the module takes; without a range normal random numbers.

    Raises:
        InputError: the ONNX checker or onnxruntime refuse the file; outputs that are no numbers, or differ by more.
    """
    x = random_inputs(inputs, sum(BATCHES))
    expected, allowed = _with_rounding(module, torch.from_numpy(x))
    if not np.isfinite(expected).all():
        raise InputError(
            "on random inputs the network gives infinity or NaN in float32, so that nothing can be checked; construct "
            "the ticket with a narrower input range, or rescale the network"
        )
    file = _checked(data)
    y = np.concatenate([file.run(["output"], {"input": part})[0] for part in np.split(x, np.cumsum(BATCHES)[:-1])])
    difference = float(np.abs(y - expected).max()) if y.shape == expected.shape else np.inf
    if not difference <= allowed:
        raise InputError(
            f"the ONNX file computes something else than the network in PyTorch: outputs differ by {difference:.3g} in "
            f"onnxruntime, where rounding allows {allowed:.3g}; nothing was written; update torch, onnxscript and "
            "onnxruntime"
        )
    return Agreement(difference, allowed)


def random_inputs(inputs: Inputs, count: int) -> np.ndarray:
    """Tokens, or numbers uniform in the range, or normal; int64 or float32, the same each time."""
    rng, shape, box = np.random.default_rng(0), inputs.shape, inputs.box
    if inputs.tokens is not None:
        return rng.integers(0, inputs.tokens, (count, *shape))
    if box is None:
        return rng.normal(size=(count, *shape)).astype(np.float32)
    return (box.lower + (box.upper - box.lower) * rng.random((count, *shape))).astype(np.float32)


def _checked(data: bytes) -> Any:
    """What runs the file, once the checker has read it."""
    import onnx
    import onnxruntime

    try:
        onnx.checker.check_model(data, full_check=True)
        return session(data)
    except Exception as error:  # each has its own dozen
        raise InputError(
            f"PyTorch {torch.__version__} wrote an ONNX file that onnx {onnx.__version__} or onnxruntime "
            f"{onnxruntime.__version__} refuses: {first_line(error)}; nothing was written; update them"
        ) from error


def _with_rounding(module: nn.Module, x: Tensor) -> tuple[np.ndarray, float]:
    """Outputs in float32, and by how much rounding may move them."""
    with torch.no_grad():
        y = module(x)
        with _Moved(module):
            moved = module(x)
    sensitive = float((moved - y).abs().max()) * UNIT / DELTA
    return y.numpy(), SAFETY * _longest_sum(module) ** 0.5 * (sensitive + UNIT * float(y.abs().max()))


def _longest_sum(module: nn.Module) -> int:
    """At least the terms of any sum over weights: axis 0 or 1 holds outputs, the others are summed over."""
    weights = (part for part in chain(module.parameters(), module.buffers()) if part.ndim > 1 and part.numel())
    return max((part.numel() // min(part.shape[:2]) for part in weights), default=1)


class _Moved(TorchFunctionMode):
    """Inside, every number of a module and every value is moved by a random relative amount."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.own = {id(part) for part in chain(module.parameters(), module.buffers())}
        self.random = torch.Generator().manual_seed(0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = [self._moved(part) if id(part) in self.own else part for part in args]
        found = func(*given, **(kwargs or {}))
        if not isinstance(found, Tensor):
            return found
        memory = found.untyped_storage().data_ptr()
        if any(isinstance(part, Tensor) and part.untyped_storage().data_ptr() == memory for part in given):
            return found  # a view of what was moved before, or that itself
        return self._moved(found)

    def _moved(self, value: Tensor) -> Tensor:
        if not value.is_floating_point():
            return value
        return value * (1 + DELTA * (2 * torch.rand(value.shape, generator=self.random) - 1))
