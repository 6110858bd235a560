"""From an exported program to a draft: every node in turn, by the table of operators.

What depends on parameters alone is computed as PyTorch computes it, in its own type. What cannot be read is an error
only if the output needs it.
"""

import operator
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from slth._errors import InputError
from slth.graph import INPUT, Shape
from slth.network.reading.calling import several
from slth.network.reading.draft import Draft
from slth.network.reading.exporting import chosen_output
from slth.network.reading.here import Batch, Here, Known, Unread, Value
from slth.network.reading.hints import RANDOM, why
from slth.network.reading.moved import KNOWN, acts_along_batch, arguments_with_one, with_one
from slth.network.reading.normalised import normalised
from slth.network.reading.operators import OPERATORS
from slth.network.reading.parts import advice
from slth.network.reading.recognise import recognised
from slth.network.reading.weights import check_numbers
from slth.network.reading.words import first_line, shown

CREATE = {"zeros_like": 0.0, "new_zeros": 0.0, "ones_like": 1.0, "new_ones": 1.0, "full_like": None, "new_full": None}
_MOVES = "clone detach alias lift_fresh_copy view reshape t transpose permute unsqueeze squeeze expand slice select"
EXACT = frozenset((*_MOVES.split(), "zeros", "ones", "full", "arange"))  # operators that round nothing


def draft_of(program: ExportedProgram, model: nn.Module, shape: Shape, *, unfolded: bool = False) -> Draft:
    """The steps that a program runs on inputs of a shape, without the batch.

    Raises:
        InputError: an operator that has no meaning here, by the name of its module; a batch that does not stay apart.
    """
    walk = _Walk(Draft(shape, unfolded=unfolded), model, _given(program, model, shape))
    for node in program.graph.nodes:
        if node.op == "call_function":
            walk.step(node)
        elif node.op == "output":
            try:
                found = _given_back(program, node, walk.values)
            except InputError as error:
                if any(isinstance(value, Unread) and value.error is error for value in walk.given):
                    raise  # a weight is broken: no part is better off
                raise InputError(f"{error}; {_advice(program, model, shape)}") from error
            walk.draft.output = _output(found)
    return walk.draft


def _given_back(program: ExportedProgram, node: fx.Node, values: dict[fx.Node, Any]) -> Any:
    """What the model gives; of several outputs the one that is meant."""
    arguments: Any = node.args[0]
    place = chosen_output(program)
    if place is None:
        raise InputError(several(sum(argument is not None for argument in arguments)))
    return _resolved(values, arguments[place])


@dataclass(slots=True)
class _Walk:
    """What every node so far is."""

    draft: Draft
    model: nn.Module
    values: dict[fx.Node, Any]

    @property
    def given(self) -> list[Any]:
        """Parameters, buffers, and the input."""
        return [value for node, value in self.values.items() if node.op == "placeholder"]

    def step(self, node: fx.Node) -> bool:
        """One node more: could it be read?"""
        here = _here(self.draft, self.model, node)
        try:
            self.values[node] = (
                recognised(here, node, self.values, alone=here.op not in OPERATORS)
                or normalised(here, node, self.values)
                or _computed(here, node, self.values)
            )
            _check_shape(here, node.meta.get("val"), self.values[node])
        except InputError as error:
            self.values[node] = Unread(error)
        return not isinstance(self.values[node], Unread)


def _advice(program: ExportedProgram, model: nn.Module, shape: Shape) -> str:
    """Which parts can be read by themselves: the walk again, with any value where one cannot be read."""
    walk = _Walk(Draft(shape), model, _given(program, model, shape))
    unread: list[str] = []
    for node in program.graph.nodes:
        if node.op == "call_function" and not walk.step(node):
            here = _here(walk.draft, model, node)
            unread.append(here.place)
            error, meta = walk.values[node], node.meta.get("val")
            parts = tuple(_stand_in(here, part, error) for part in (meta if isinstance(meta, tuple) else (meta,)))
            walk.values[node] = parts if isinstance(meta, tuple) else parts[0]
    return advice(model, unread, [step.place for step in walk.draft.linear])


def _stand_in(here: Here, meta: Any, error: Unread) -> Any:
    """Any value of that shape; what is none stays unread."""
    shape = _without_batch(meta) if isinstance(meta, Tensor) else None
    return error if shape is None else here.constant(np.zeros(shape))


def _given(program: ExportedProgram, model: nn.Module, shape: Shape) -> dict[fx.Node, Any]:
    """What a program takes: parameters, buffers, and the input."""
    state = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    first: dict[int, str] = {}  # of a tensor that is tied under several names, the first
    for name, tensor in state:
        first.setdefault(id(tensor), name)
    names = {name: first[id(tensor)] for name, tensor in reversed(state)}
    specs = {spec.arg.name: spec for spec in program.graph_signature.input_specs}
    tensors: dict[str, Any] = {**program.constants, **program.state_dict}
    found: dict[fx.Node, Any] = {}
    for node in program.graph.nodes:
        if node.op != "placeholder":
            continue
        spec = specs[node.name]
        if spec.kind.name == "USER_INPUT":
            found[node] = Value(INPUT, shape) if isinstance(node.meta.get("val"), Tensor) else None
            continue
        assert spec.target is not None
        tensor = tensors[spec.target].detach()
        lifted = spec.target.startswith("lifted_tensor_") and not hasattr(model, spec.target)  # it has no own name
        origin = frozenset[str]() if lifted else frozenset([names.get(spec.target, spec.target)])
        found[node] = Known(tensor, origin)
        if spec.kind.name == "PARAMETER":
            try:
                check_numbers(spec.target, tensor)
            except InputError as error:
                found[node] = Unread(error)
    return found


def _here(draft: Draft, model: nn.Module, node: fx.Node) -> Here:
    stack = [(path, kind) for path, kind in node.meta.get("nn_module_stack", {}).values() if "_empty_nn" not in path]
    path, kind = stack[-1] if stack else ("", type(model).__name__)
    path = re.sub(r"@\d+", "", path)  # a module that is called again
    try:
        module = model.get_submodule(path)
    except AttributeError:
        module = model
    kind = kind if isinstance(kind, str) else kind.__name__
    value = node.meta.get("val")
    value = value[0] if isinstance(value, tuple) and value else value  # a value and its indices
    shape = _without_batch(value) if isinstance(value, Tensor) else None
    name = getattr(node.target, "__name__", "") if node.target is operator.getitem else str(node.target)
    name = name.removeprefix("aten.").removeprefix("slth.")
    return Here(draft, name, path, kind.rpartition(".")[2], bool(path) and not _inner(module), shape)


def _inner(module: nn.Module) -> bool:
    return any(name != "parametrizations" for name, _ in module.named_children())


def _resolved(values: dict[fx.Node, Any], argument: Any) -> Any:
    """An argument with nodes replaced by what they are.

    Raises:
        InputError: one of them could not be read.
    """
    if isinstance(argument, fx.Node):
        found = values.get(argument)
        if isinstance(found, Unread):
            raise found.error
        return found
    if isinstance(argument, (list, tuple)):
        return [_resolved(values, part) for part in argument]
    return argument


def _computed(here: Here, node: fx.Node, values: dict[fx.Node, Any]) -> Any:
    """What a node gives."""
    if node.target is operator.getitem:
        parts, index = (_resolved(values, argument) for argument in node.args)
        if parts[index] is None:
            here.refuse("is asked for indices; only values are read")
        if isinstance(parts[index], Unread):
            raise parts[index].error
        return parts[index]
    if here.op.startswith("sym_size") or isinstance(
        node.meta.get("val"), (torch.SymInt, torch.SymFloat, torch.SymBool)
    ):
        for argument in node.args:
            _resolved(values, argument)
        if here.op.startswith(("item", "_local_scalar")):
            here.refuse("turns a value into a number; what a network computes must be a function of tensors")
        return Batch()
    if here.op.startswith("_assert"):
        return None
    arguments = _named(node, values)
    if not any(isinstance(part, Value) for part in _parts(vars(arguments).values())):
        return _constant(here, node, arguments)
    base = here.op.partition(".")[0]
    if _is_moved(node, arguments):
        return _moved(here, node, arguments)
    _check_batch(here, node.meta.get("val"))
    if base in CREATE:
        fill = CREATE[base] if CREATE[base] is not None else arguments.fill_value
        return _filled(here, node, fill)
    if here.op not in OPERATORS:
        here.refuse(why(here.op))
    return OPERATORS[here.op](here, arguments)


def _is_moved(node: fx.Node, arguments: SimpleNamespace) -> bool:
    """A value on the way in or out has its batch elsewhere than on axis 0, by itself."""
    meta = node.meta.get("val")
    meta = meta[0] if isinstance(meta, (list, tuple)) and meta else meta  # a value and its indices, or parts alike
    out = isinstance(meta, Tensor) and _without_batch(meta) is None
    return out or any(isinstance(part, Value) and part.moved for part in _parts(vars(arguments).values()))


def _moved(here: Here, node: fx.Node, arguments: SimpleNamespace) -> Any:
    """What an operator gives that moves the batch, reads it moved, or brings it back."""
    values = [part for part in _parts(vars(arguments).values()) if isinstance(part, Value)]
    reason = next((value.moved for value in values if value.moved), "") or _stays_apart(here, node.meta.get("val"))
    metas = node.meta.get("val")
    several = isinstance(metas, (list, tuple))
    outputs = [with_one(meta) for meta in (metas if several else (metas,)) if isinstance(meta, Tensor)]
    inputs = [
        with_one(part.meta["val"])
        for part in node.all_input_nodes
        if isinstance(part.meta.get("val"), Tensor) and any(isinstance(n, torch.SymInt) for n in part.meta["val"].shape)
    ]
    placed = [(len(found[0]), found[1]) for found in inputs if found is not None]
    if here.op.partition(".")[0] not in KNOWN or here.op not in OPERATORS or None in (*inputs, *outputs):
        raise InputError(reason)
    if acts_along_batch(here, arguments, placed):
        raise InputError(reason)
    here.shape = outputs[0][0] if outputs and outputs[0] else None
    given = arguments_with_one(here, arguments)
    found = OPERATORS[here.op](here, given)
    back = [_without_batch(meta) is not None for meta in (metas if several else (metas,)) if isinstance(meta, Tensor)]
    results = [
        here.reshape(value, value.shape[1:]) if own else replace(value, moved=reason)
        for value, own in zip(found if several else (found,), back, strict=True)
    ]
    return tuple(results) if several else results[0]


def _named(node: fx.Node, values: dict[fx.Node, Any]) -> SimpleNamespace:
    """Arguments by name, defaults filled in."""
    schema = getattr(node.target, "_schema", None)
    if schema is None:
        return SimpleNamespace(**{f"_{i}": _resolved(values, argument) for i, argument in enumerate(node.args)})
    found: dict[str, Any] = {}
    for i, argument in enumerate(schema.arguments):
        given = node.args[i] if i < len(node.args) else node.kwargs.get(argument.name, argument.default_value)
        found[argument.name] = _resolved(values, given)
    return SimpleNamespace(**found)


def _parts(values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _parts(value)
        else:
            yield value


def _constant(here: Here, node: fx.Node, arguments: SimpleNamespace) -> Any:
    """A node without the input: as PyTorch computes it, for a batch of one."""
    if any(word in here.op for word in RANDOM):
        here.refuse("draws random numbers; a network must compute the same each time")
    parts = [part for part in _parts(vars(arguments).values()) if isinstance(part, Known)]
    names = frozenset[str]().union(*(part.names for part in parts))

    def plain(value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return [plain(part) for part in value]
        return value.tensor if isinstance(value, Known) else 1 if isinstance(value, Batch) else value

    here.draft.computed |= here.op.partition(".")[0] not in EXACT
    call: Any = node.target
    try:
        with torch.no_grad():
            found = call(**{name: plain(value) for name, value in vars(arguments).items()})
    except RuntimeError as error:
        here.refuse(f"cannot be computed from the parameters: {first_line(error)}")
    if isinstance(found, (list, tuple)):
        return tuple(Known(part, names) for part in found)
    return Known(found, names) if isinstance(found, Tensor) else found


def _filled(here: Here, node: fx.Node, fill: Any) -> Known:
    """A new tensor of one number: its shape may be a value's."""
    shape = _without_batch(node.meta["val"])
    if shape is None:
        here.refuse("makes a tensor whose first axis is not the batch")
    number = fill.numbers if isinstance(fill, Known) else fill
    value: Tensor = node.meta["val"]
    return Known(torch.full((1, *shape), float(number), dtype=value.dtype, device=value.device))


def _without_batch(value: Tensor) -> Shape | None:
    """The shape of one example; None if axis 0 is not the batch, or others depend on it."""
    first, *others = value.shape or (0,)
    if not isinstance(first, torch.SymInt) or not re.fullmatch(r"s\d+", str(first)):
        return None
    return None if any(isinstance(length, torch.SymInt) for length in others) else tuple(others)


def _check_batch(here: Here, value: Any) -> None:
    """The batch is axis 0 of a value, alone; of several the first."""
    value = value[0] if isinstance(value, (list, tuple)) and value else value
    if isinstance(value, Tensor) and _without_batch(value) is None:
        raise InputError(_stays_apart(here, value))


def _stays_apart(here: Here, value: Any) -> str:
    """What is wrong with a value whose axis 0 is not the batch."""
    value = value[0] if isinstance(value, (list, tuple)) and value else value
    given = f"({', '.join(re.sub(r's[0-9]+', 'batch', str(length)) for length in value.shape)})"
    return here.refusal(f"gives values of shape {given}; the examples of a batch must stay apart, on axis 0")


def _check_shape(here: Here, metas: Any, values: Any) -> None:
    """Shapes are those that PyTorch says."""
    for meta, value in zip(metas, values, strict=False) if isinstance(values, tuple) else [(metas, values)]:
        if not isinstance(value, Value):
            continue
        moved = with_one(meta) if value.moved else None
        if (_without_batch(meta) if moved is None else moved[0]) != value.shape:
            here.refuse(f"gives values of shape {tuple(meta.shape)}, read as {value.shape}; please report this")


def _output(found: Any) -> str:
    if not isinstance(found, Value):
        kind = "a constant" if isinstance(found, Known) else shown(type(found).__name__)
        raise InputError(f"the model's output is {kind}; expected a tensor that depends on the input")
    if found.moved:
        raise InputError(found.moved)
    return found.name
