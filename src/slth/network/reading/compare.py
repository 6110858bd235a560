"""What was read against the module itself, on random inputs: they differ by rounding, or the reading is wrong.

How much rounding can do is measured: the network that was read is run again with every coefficient and every value
moved by a random relative amount δ, and the difference scaled from δ to the unit roundoff u of the module's type. The
tolerance is 64 times that, and 64 u times the largest value on the way.
"""

import copy
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Affine, Box, Node, Pointwise, Target
from slth.network.build import Network
from slth.network.maps import TargetMap
from slth.network.reading.exporting import quiet, run

COUNT = 3  # inputs; not the number with which the module was exported
SAFETY = 64.0


def check_same(target: Target, model: nn.Module, inputs: Tensor) -> None:
    """A target computes what a module does, in float64 if the module can, else in its own type.

    Raises:
        InputError: the largest difference, and what rounding allows.
    """
    wide = _doubled(model)
    if wide is not None and _difference(target, wide, inputs.double())[2]:
        return
    difference, allowed, same = _difference(target, model, inputs)
    if not same:
        raise InputError(
            f"what was read differs from the model by {difference:.3g} on random inputs, where rounding allows "
            f"{allowed:.3g}; something changes the model's results in a way that cannot be read, such as a hook, or "
            "state of its own"
        )


def inputs_of(x: Tensor, box: Box | None, examples: np.ndarray | None) -> Tensor:
    """Random inputs like x (count, ...): normal, or uniform in a box; and a few examples."""
    rng = np.random.default_rng(0)
    shape = (COUNT, *x.shape[1:])
    random = rng.normal(size=shape) if box is None else box.lower + (box.upper - box.lower) * rng.random(shape)
    parts = [random] if examples is None else [random, examples[:COUNT]]
    return torch.from_numpy(np.concatenate(parts)).to(x)


def _doubled(model: nn.Module) -> nn.Module | None:
    """A copy in float64, if the module can be copied."""
    try:
        with quiet():
            return copy.deepcopy(model).double().eval()
    except Exception:  # non-leaf tensors, locks, open files: whatever a module holds
        return None


def _difference(target: Target, model: nn.Module, x: Tensor) -> tuple[float, float, bool]:
    """The largest difference of outputs, what rounding allows, and whether it is within."""
    try:
        y = run(model, x).detach()
    except InputError:
        return np.inf, 0.0, False
    unit = _unit(target, model, y)
    x, y = x.detach().cpu().double(), y.cpu().double()
    delta = max(unit, 2.0**-30)
    exact, largest = _values(target, x, 0.0)
    moved, _ = _values(_moved(target, delta), x, delta)
    if y.shape != exact.shape:
        return np.inf, 0.0, False
    allowed = SAFETY * (float((moved - exact).abs().max()) * unit / delta + unit * largest)
    difference = float((y - exact).abs().max())
    return difference, allowed, bool(difference <= allowed)  # NaN is not


def _unit(target: Target, model: nn.Module, y: Tensor) -> float:
    """The unit roundoff of the coarsest type of a module; with softplus, whose threshold is seen in float64, 2⁻³²."""
    types = {part.dtype for part in (*model.parameters(), *model.buffers()) if part.is_floating_point()} | {y.dtype}
    soft = any(node.op == Pointwise("Softplus") for node in target.graph.nodes)
    return max(*(torch.finfo(dtype).eps / 2 for dtype in types), 2.0**-32 if soft else 0.0)


def _values(target: Target, x: Tensor, delta: float) -> tuple[Tensor, float]:
    """Outputs in float64, and the largest value on the way."""
    maps = {p: TargetMap(op.basis, target.coefficients[p], torch.float64) for p, op in target.graph.maps.items()}
    network = Network(target.graph, maps, target.carried, torch.float64)
    largest = [float(x.abs().max())]
    random = torch.Generator().manual_seed(0)

    def watch(_: Node, y: Tensor) -> Tensor:
        largest.append(float(y.abs().max()))
        return y if delta == 0 else y * (1 + delta * (2 * torch.rand(y.shape, generator=random, dtype=y.dtype) - 1))

    with torch.no_grad():
        return network.watched(x, watch), max(value for value in largest if np.isfinite(value))


def _moved(target: Target, delta: float) -> Target:
    rng = np.random.default_rng(1)

    def move(array: np.ndarray) -> np.ndarray:
        return array * (1 + delta * rng.uniform(-1, 1, array.shape))

    coefficients = {
        path: Affine(move(affine.weight), None if affine.bias is None else move(affine.bias))
        for path, affine in target.coefficients.items()
    }
    return replace(target, coefficients=coefficients)
