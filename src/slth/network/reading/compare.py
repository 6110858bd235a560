"""What was read against the module itself, on random inputs: they differ by rounding, or the reading is wrong.

How much rounding can do is measured: the network that was read is run again with every coefficient and every value
moved by a random relative amount δ, and so is the module, whose values may be larger than those that were read (of
1e6 + x − 1e6 nothing is left to read); the differences are scaled from δ to the unit roundoff u of the module's type.
The tolerance is 16 times that, and 16 u times the largest value on the way; the networks of the tests, in float64,
float32 and bfloat16, are at most 1.7 times away. Each of these terms only allows more, so what is within the first
ones needs no run for the others.

Memory: a copy of the module in float64 while that runs; of what was read one map at a time.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from slth._errors import InputError
from slth.graph import (
    INPUT,
    Affine,
    Basis,
    Box,
    Concat,
    Node,
    Permute,
    Pointwise,
    Reshape,
    Slice,
    Target,
    stored_weight,
    token_count,
)
from slth.network.applied import apply_map
from slth.network.build import Network
from slth.network.reading.calling import run
from slth.network.reading.quiet import quiet

VIEWS = (Reshape, Permute, Slice, Concat)
COUNT = 3  # inputs; not the number with which the module was exported
SAFETY = 16.0
DOUBLE = 2.0**-53  # unit roundoff of float64
SOFTPLUS = 2.0**-32  # PyTorch's is further from ln(1 + eˣ) than float64: it has a threshold


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a module gives, and the types that it computes in."""

    y: Tensor | None  # None if it does not run
    types: frozenset[torch.dtype]


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Outputs that a target is compared with, and the unit roundoff of the type in which they were computed."""

    y: Tensor | None
    unit: float


def in_float64(model: nn.Module, inputs: Tensor, delta: float = 0.0) -> Outputs:
    """The outputs of a copy of a module in float64, every value moved by a random relative amount."""
    wide = _wide(model)
    return Outputs(None, frozenset()) if wide is None else _outputs(wide, _in_double(inputs), delta)


def check_same(
    target: Target, model: nn.Module, inputs: Tensor, *, own: Outputs | None = None, computed: bool = False
) -> None:
    """A target computes what a module does: in float64, unless the module cannot or itself computes in another type.

    Args:
        own: what `in_float64` gives for these inputs, if that is known.
        computed: some coefficients were computed in the module's own type, so a copy in float64 has others.

    Raises:
        InputError: the largest difference, and what rounding allows.
    """
    floor = SOFTPLUS if any(node.op == Pointwise("Softplus") for node in target.graph.nodes) else 0.0
    own = in_float64(model, inputs) if own is None else own
    y = own.y

    def moved(delta: float) -> float:
        return _own_rounding(model, _in_double(inputs.detach().cpu()), delta)

    def compared(unit: float) -> tuple[float, float]:
        return difference_of(target, inputs, Found(y, max(unit, floor)), moved)

    difference, allowed = compared(DOUBLE)
    if not difference <= allowed and (y is None or computed or own.types - {torch.float64}):
        with _Values() as seen:
            y = run(model, inputs)
        types = seen.types | {part.dtype for part in model.parameters()} | {inputs.dtype}
        unit = max(torch.finfo(dtype).eps / 2 for dtype in types if dtype.is_floating_point)
        difference, allowed = compared(unit)
    if difference <= allowed:
        return
    if y is not None and not torch.isfinite(y).all():
        raise InputError(
            "on random inputs the model gives infinity, NaN or numbers beyond what float64 holds; a network with "
            "finite outputs is read: scale its weights, or narrow the input range"
        )
    raise InputError(
        f"what was read differs from the model by {difference:.3g} on random inputs, where rounding allows "
        f"{allowed:.3g}; something changes the model's results in a way that cannot be read, such as a hook, or "
        "state of its own"
    )


def inputs_of(x: Tensor, box: Box | None, examples: np.ndarray | None, *, tokens: int | None = None) -> Tensor:
    """Random inputs like x (count, ...): normal, uniform in a box, or tokens below a count; and a few examples."""
    rng = np.random.default_rng(0)
    shape = (COUNT, *x.shape[1:])
    if tokens is not None:
        random = rng.integers(0, tokens, shape)
    else:
        random = rng.normal(size=shape) if box is None else box.lower + (box.upper - box.lower) * rng.random(shape)
    parts = [random] if examples is None else [random, examples[:COUNT]]
    return torch.from_numpy(np.concatenate(parts)).to(x)


def _in_double(x: Tensor) -> Tensor:
    """Numbers in float64; tokens as they are."""
    return x.double() if x.is_floating_point() else x


class _Values(TorchFunctionMode):
    """Sees the types of all that is computed inside, and moves it by a random relative amount δ."""

    def __init__(self, delta: float = 0.0) -> None:
        super().__init__()
        self.types: set[torch.dtype] = set()
        self.delta = delta
        self.random = torch.Generator().manual_seed(2)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        if isinstance(found, Tensor) and found.is_floating_point():
            self.types.add(found.dtype)
            if self.delta and not _shares(found, args):
                moves = 2 * torch.rand(found.shape, generator=self.random, dtype=torch.float64) - 1
                found.mul_((1 + self.delta * moves).to(found))
        return found


def _shares(found: Tensor, arguments: Any) -> bool:
    """A view of what was there before, or that itself."""
    own = found.untyped_storage().data_ptr()
    return any(isinstance(part, Tensor) and part.untyped_storage().data_ptr() == own for part in arguments)


def _wide(model: nn.Module) -> nn.Module | None:
    """A copy in float64, made without one in the module's own type; None if there is none."""
    try:
        with quiet():
            plain = (part for part in model.parameters() if type(part) is nn.Parameter and part.is_floating_point())
            known = {id(part): nn.Parameter(part.detach().double(), part.requires_grad) for part in plain}
            return copy.deepcopy(model, known).double().eval()
    except Exception:  # non-leaf tensors, locks, open files: whatever a module holds
        return None


def _outputs(wide: nn.Module, x: Tensor, delta: float = 0.0) -> Outputs:
    """Outputs of a copy and the types on the way."""
    with _Values(delta) as seen, torch.no_grad():
        try:
            return Outputs(run(wide, x), frozenset(seen.types))
        except InputError:
            return Outputs(None, frozenset())


def difference_of(
    target: Target, x: Tensor, found: Found, own_rounding: Callable[[float], float] = lambda _: 0.0
) -> tuple[float, float]:
    """The largest difference of a target's outputs from those found; and what rounding allows.

    What it allows is only found in full where less would not do.

    Args:
        x: the inputs (count, ...).
        own_rounding: how far what was read moves by itself if its values do by a relative amount.
    """
    if found.y is None:
        return np.inf, 0.0
    x, y = x.detach().cpu().double(), found.y.detach().cpu().double()
    unit, delta = found.unit, max(found.unit, 2.0**-30)
    exact, largest = _values(target, x, 0.0)
    if y.shape != exact.shape:
        return np.inf, 0.0
    difference, sensitive = float((y - exact).abs().max()), 0.0
    for more in (
        lambda: 0.0,
        lambda: float((_values(target, x, delta)[0] - exact).abs().max()),
        lambda: own_rounding(delta),
    ):
        sensitive += more()
        allowed = SAFETY * (sensitive * unit / delta + unit * largest)
        if difference <= allowed:
            break
    return difference, allowed


def _own_rounding(model: nn.Module, x: Tensor, delta: float) -> float:
    """How far a copy of the module moves if its values do; 0 if that cannot be said, as of one that moves by itself."""
    wide = _wide(model)
    if wide is None:
        return 0.0
    y, again, moved = (_outputs(wide, x, amount).y for amount in (0.0, 0.0, delta))
    if y is None or again is None or moved is None or y.shape != moved.shape or not torch.equal(y, again):
        return 0.0
    change = float((moved.double() - y.double()).abs().max())
    return change if np.isfinite(change) else 0.0


def _values(target: Target, x: Tensor, delta: float) -> tuple[Tensor, float]:
    """Outputs in float64 with every coefficient and value moved, and the largest value on the way."""
    maps = {
        path: _Map(op.basis, target.coefficients[path], (delta, seed))
        for seed, (path, op) in enumerate(target.graph.maps.items())
    }
    network = Network(target.graph, maps, target.carried, torch.float64)
    reads_tokens = token_count(target.graph, target.carried) is not None
    largest = [0.0 if reads_tokens else float(x.abs().max())]
    random = torch.Generator().manual_seed(0)
    tokens = {INPUT} if reads_tokens else set[str]()

    def watch(node: Node, y: Tensor) -> Tensor:
        if type(node.op) in VIEWS and tokens.issuperset(node.inputs):  # of tokens: names, which nothing moves
            tokens.add(node.name)
            return y
        largest.append(float(y.abs().max()))
        return y if delta == 0 else y * (1 + delta * (2 * torch.rand(y.shape, generator=random, dtype=y.dtype) - 1))

    with torch.no_grad():
        rows = [network.watched(row[None], watch) for row in x]  # one at a time: convolutions unfold their inputs
        return torch.cat(rows), max(value for value in largest if np.isfinite(value))


class _Map(nn.Module):
    """y = W x + b in float64, every coefficient moved by a random relative amount; nothing is copied that stays."""

    def __init__(self, basis: Basis, affine: Affine, move: tuple[float, int]) -> None:
        super().__init__()
        self.basis, self.affine = basis, affine
        self.delta, self.seed = move

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        rng = np.random.default_rng((1, self.seed))
        weight, bias = (None if part is None else self._moved(part, rng) for part in self._parts())
        assert weight is not None
        return apply_map(self.basis, x, weight, bias)

    @property
    def table(self) -> Tensor:
        """The weight, whose rows a tied embedding looks up; moved as it is for the outputs."""
        return self._moved(self._parts()[0], np.random.default_rng((1, self.seed)))

    def _parts(self) -> tuple[np.ndarray, np.ndarray | None]:
        return stored_weight(self.basis, self.affine.weight), self.affine.bias

    def _moved(self, array: np.ndarray, rng: np.random.Generator) -> Tensor:
        if self.delta:
            array = array * (1 + self.delta * rng.uniform(-1, 1, array.shape))
        return torch.from_numpy(np.require(array, requirements=["C", "W"]))
