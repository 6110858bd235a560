"""A module as a target: exported, folded, compared with the module itself."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import nn

from slth._errors import InputError
from slth.graph import Shape, Target
from slth.network.reading.attend import attend
from slth.network.reading.calling import check_forward, said_of_output
from slth.network.reading.checkpoints import Held
from slth.network.reading.compare import check_same, in_float64, inputs_of
from slth.network.reading.examples import rows_of, to_give, tokens_of_name, tokens_read
from slth.network.reading.exporting import example_of, exported, untouched
from slth.network.reading.finish import target_of
from slth.network.reading.folds import fold
from slth.network.reading.gains import keep_gains
from slth.network.reading.here import exactly
from slth.network.reading.module_state import state_of_module
from slth.network.reading.simplify import simplify
from slth.network.reading.tables import tie_tables
from slth.network.reading.walk import draft_of
from slth.network.reading.weights import check_module, check_numbers
from slth.network.reading.words import shown
from slth.network.wrappers import unwrapped
from slth.ticket import Inputs

SHAPELESS = (
    nn.Identity,
    nn.Flatten,
    nn.ReLU,
    nn.BatchNorm1d,
    nn.Dropout,
    nn.AlphaDropout,
    nn.Tanh,
    nn.Sigmoid,
    nn.LeakyReLU,
    nn.GELU,
    nn.ELU,
    nn.SiLU,
)  # layers that say nothing about the shape of their inputs, and take flat ones
MOST_INPUTS = 2**28  # numbers of one input
BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


def read_module(
    model: nn.Module,
    *,
    input_shape: Shape | None = None,
    example: Any = None,
    domain: Inputs | None = None,
    exact: bool = False,
    held: Mapping[str, Held] | None = None,
    ticketed: bool = False,
) -> Target:
    """The network that a module computes in evaluation mode.

    Args:
        input_shape: of one input, without the batch. None: from the example, the domain, or a first Linear layer.
        example: a batch of inputs, or one, also used to compare; whole numbers are tokens.
        domain: the inputs on which the reading is compared; None: normal random numbers.
        exact: nothing is folded, every tensor is told, see `own_tensors`; `held`: in the formats of a file that was
            loaded into the module, if its numbers are the module's.
        ticketed: tables of tokens that no head shares are maps, rather than carried.

    Raises:
        InputError: what cannot be read, by name; a reading that differs from the module.
    """
    model = unwrapped(model)
    check_module(model)
    check_forward(model)
    rows = tokens_of_name(model, input_shape) if example is None else rows_of(example, input_shape)
    shape = _shape(model, input_shape, rows, domain)
    tokens = rows if rows is not None and rows.dtype.kind == "i" else None
    with untouched(model):
        x = example_of(model, shape, tokens)
        try:
            said = said_of_output(model, x)
        except InputError:
            for name, tensor in model.named_parameters():
                check_numbers(name, tensor)  # perhaps that is why
            raise
        program = exported(model, x)
    with untouched(model):  # again: what export itself changed is taken back
        count = None if tokens is None else tokens_read(program)
        compared = inputs_of(x, None if domain is None else domain.box, rows, tokens=count)
        own = in_float64(model, compared)  # before the numbers are read: one copy in float64 at a time
        draft = draft_of(program, model, shape, unfolded=exact)
    simplify(draft)
    attend(draft)
    keep_gains(draft)
    tie_tables(draft, ticketed=ticketed)
    if not exact:
        fold(draft)
    state = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))

    def numbers(name: str) -> np.ndarray | None:
        return exactly(state[name]) if name in state else None

    tensors = _state(model, held) if exact else None
    target = target_of(draft, numbers, assumed=[*_training(model), *said], state=tensors)
    with untouched(model):
        check_same(target, model, compared, own=own, computed=draft.computed)
    return target


def _state(model: nn.Module, held: Mapping[str, Held] | None) -> dict[str, Held]:
    """The tensors of a module, in the formats of a file if that has their numbers."""
    with untouched(model):
        state = state_of_module(model)
    for name, given in (held or {}).items():
        own = state.get(name)
        if own is not None and own.format != given.format and np.array_equal(own.array, given.array):
            state[name] = given
    return state


def _training(model: nn.Module) -> list[str]:
    """What evaluation mode changes of a module that is in training mode; that dropout is off goes without saying."""
    for path, part in model.named_modules():
        own = not type(part).__module__.startswith("torch.nn.")
        asks = own and "training" in getattr(getattr(type(part).forward, "__code__", None), "co_names", ())
        if part.training and (asks or isinstance(part, BATCH_NORM)):
            return [
                f"read as in evaluation mode: {shown(path) or 'the model'} is in training mode, where it computes more"
            ]
    return []


def _shape(model: nn.Module, given: Shape | None, rows: np.ndarray | None, domain: Inputs | None) -> Shape:
    """The shape of one input."""
    shapes = {
        "input_shape": given,
        "the example": None if rows is None else rows.shape[1:],
        "the domain": None if domain is None else domain.shape,
    }
    known = {name: shape for name, shape in shapes.items() if shape is not None}
    if len(set(known.values())) > 1:
        raise InputError("inputs of two shapes: " + ", ".join(f"{name} says {shape}" for name, shape in known.items()))
    if known:
        shape = next(iter(known.values()))
        if not shape or min(shape) < 1:
            raise InputError(f"expected --input-shape C,H,W or that of other values, each at least 1; got {shape}")
        if math.prod(shape) > MOST_INPUTS:
            raise InputError(
                f"an input of shape {shape} holds {math.prod(shape):,} numbers; at most {MOST_INPUTS:,} are read"
            )
        return shape
    first = next((part for part in _layers(model) if not isinstance(part, SHAPELESS)), None)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    kind = "the model's first layer" if first is None else f"its first layer ({type(first).__name__})"
    raise InputError(f"the shape of an input does not follow from {kind}; give {to_give(model)}")


def _layers(model: nn.Module) -> list[nn.Module]:
    """The layers of nested nn.Sequential in the order in which they run; anything else is one layer."""
    if not isinstance(model, nn.Sequential):
        return [model]
    return [layer for part in model.children() for layer in _layers(part)]
