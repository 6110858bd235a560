"""From an ONNX graph to a draft: every node in turn, by the table of operators.

What depends on constants alone is computed as ONNX defines it, in its own type. The size of the batch is a number that
divides nothing in the file: where a shape is computed, it says which axis is the batch. If sizes were computed with, a
second number must lead to the same steps.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
from torch import fx

from slth._errors import InputError
from slth.graph import INPUT
from slth.network.reading.draft import Draft, Step
from slth.network.reading.here import Here, Known, Unread, Value
from slth.network.reading.onnx.advice import advice
from slth.network.reading.onnx.call import Call, Moved, Pieces
from slth.network.reading.onnx.constants import computed
from slth.network.reading.onnx.cut import Part, begins_at, label, part_of, short
from slth.network.reading.onnx.files import STANDARD, array_of, import_onnx
from slth.network.reading.onnx.hints import DECIDES, QUANTISED, RANDOM, why
from slth.network.reading.onnx.operators import OPERATORS
from slth.network.reading.onnx.spelled import spelled
from slth.network.reading.recognise import recognised
from slth.network.reading.weights import check_numbers
from slth.network.reading.words import first_line, shown

SIZES = ("Shape", "Size")
REFUSED = {*QUANTISED.split(), *RANDOM.split()}
WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "Gather", "GatherND")  # input 1 is a weight, or indices
MOST_CONSTANTS = 2**29  # numbers that constants may have which the graph computes
MOST_SIZES = 64  # entries of a constant that may be a shape
MOVES = "Constant Transpose Reshape Identity Squeeze Unsqueeze Flatten Slice Gather Concat Expand"  # round nothing


def draft_of(model: Any, part: Part, *, unfolded: bool = False) -> Draft:
    """The steps that a part of a model runs, without the batch.

    Raises:
        InputError: an operator that has no meaning here, by the name of its node, and where the graph could be cut; a
            batch that does not stay apart.
    """
    first, second = _batches(part)
    walk = _walked(part, first, unfolded=unfolded)
    found = walk.value(part.end)
    if isinstance(found, Unread):
        if any(found.error is error for error in walk.broken()):
            raise found.error  # a weight is: no part is better off
        where = advice(model.graph, part, walk.refused[id(found.error)], lambda start: _refusal(model, part, start))
        raise InputError(f"{found.error}; {where}") from found.error
    if isinstance(found, (Moved, Pieces)):
        what = "a sequence" if isinstance(found, Pieces) else "a value whose batch is moved away from axis 0"
        raise InputError(f"{shown(part.end)} is {what}; the examples of a batch must stay apart, on axis 0")
    if not isinstance(found, Value):
        raise InputError(f"{shown(part.end)} is a constant; expected a value that depends on the input")
    if walk.sized and not _same(walk.draft, _walked(part, second, unfolded=unfolded).draft):
        raise InputError(
            "what the graph computes depends on the size of the batch; it must treat every example alike: export it "
            "with a batch axis of any size"
        )
    return walk.draft


def _walked(part: Part, batch: int, *, unfolded: bool = False) -> "_Walk":
    draft = Draft(part.shape, unfolded=unfolded)
    walk = _Walk(draft, part, batch, places={id(node): i for i, node in enumerate(part.nodes)})
    walk.values[part.start] = Value(INPUT, part.shape)
    for node in part.nodes:
        walk.step(node)
    found = walk.value(part.end)
    walk.draft.output = found.name if isinstance(found, Value) else INPUT
    return walk


def _refusal(model: Any, part: Part, start: str) -> Any:
    """The node that cannot be read behind a value; None if all of it can."""
    try:
        behind = part_of(model, from_node=begins_at(model.graph, start), to_node=part.end, input_shape=None)
    except InputError:  # its shape does not follow
        return None
    walk = _walked(behind, _batches(behind)[0])
    found = walk.value(part.end)
    return walk.refused.get(id(found.error)) if isinstance(found, Unread) else None


@dataclass(slots=True)
class _Walk:
    """What every value so far is."""

    draft: Draft
    part: Part
    batch: int
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[int, int] = field(default_factory=dict[int, int])  # of the part's nodes, by id
    room: int = MOST_CONSTANTS  # for numbers that are computed
    sized: bool = False  # somewhere the size of a value became a number
    refused: dict[int, Any] = field(default_factory=dict[int, Any])  # nodes by the errors that they are the cause of
    graph: fx.Graph = field(default_factory=fx.Graph)  # what the nodes do to numbers, for `recognised`
    nodes: dict[str, fx.Node] = field(default_factory=dict[str, fx.Node])  # of that graph, by value
    known: dict[fx.Node, Any] = field(default_factory=dict[fx.Node, Any])

    def value(self, name: str) -> Any:
        """What a value is; a constant of the file is read when it is asked for."""
        if name not in self.values and name in self.part.constants:
            self.values[name] = _initializer(name, self.part.constants[name])
        return self.values.get(name)

    def broken(self) -> Iterator[InputError]:
        """Why constants of the file cannot be read."""
        found = (self.values.get(name) for name in self.part.constants)
        return (value.error for value in found if isinstance(value, Unread))

    def step(self, node: Any) -> None:
        """One node more."""
        here = Here(self.draft, shown(node.op_type), short(label(node)), self._place(node), leaf=True)
        try:
            found = self._computed(here, node, [self.value(name) if name else None for name in node.input])
        except InputError as error:
            found = (Unread(error),) * len(node.output)
            self.refused.setdefault(id(error), node)
        parts = found if isinstance(found, tuple) else (found,)
        for i, name in enumerate(node.output):
            self.values[name] = parts[i] if i < len(parts) else None
        if node.output[0] in self.nodes:
            self.known[self.nodes[node.output[0]]] = parts[0]

    def _place(self, node: Any) -> str:
        index = self.places.get(id(node))
        return node.op_type if index is None else f"node {index} of {len(self.part.nodes)}"

    def _computed(self, here: Here, node: Any, given: list[Any]) -> Any:
        """What a node gives."""
        kind, varies = node.op_type, any(isinstance(value, (Value, Moved, Pieces, Unread)) for value in given)
        stored = kind == "DequantizeLinear" and not varies  # a weight of whole numbers
        if (kind in REFUSED and not stored) or kind.startswith("QLinear") or node.domain not in STANDARD:
            _check_read(given)
            here.refuse(why(kind, shown(node.domain)))
        if kind in DECIDES.split():
            return self._branch(here, node, given)
        _check_node(here, node, self.part.opset)
        if not varies:
            return self._constant(here, node, given)
        inputs = [value if _is_weight(kind, i, value) else self._once(value) for i, value in enumerate(given)]
        call = Call(here, inputs, _attributes(node), self.part.opset, self.batch, self.part.batch, len(node.output))
        self.sized |= kind in SIZES
        found = recognised(here, self._spelled(call, kind, node), self.known, alone=kind not in OPERATORS, rounded=True)
        if found is not None:
            return found
        _check_read(given)
        if kind not in OPERATORS:
            here.refuse(why(kind))
        try:
            return OPERATORS[kind](call)
        except (
            ArithmeticError,
            AssertionError,
            LookupError,
            MemoryError,
            RuntimeError,
            TypeError,
            ValueError,
        ) as error:
            if isinstance(error, InputError) and str(error).startswith(here.where):
                raise
            here.refuse(f"has attributes or inputs that do not fit together ({first_line(error)}); export it again")

    def _spelled(self, call: Call, kind: str, node: Any) -> fx.Node:
        """The node among the numbers that `recognised` follows."""
        inputs: list[fx.Node | None] = []
        for name, value in zip(node.input, call.inputs, strict=True):
            if value is not None and name not in self.nodes:
                self.nodes[name] = self.graph.placeholder("value")
                self.known[self.nodes[name]] = value
            inputs.append(None if value is None else self.nodes[name])
        self.nodes[node.output[0]] = spelled(self.graph, call, kind, inputs)
        return self.nodes[node.output[0]]

    def _once(self, value: Any) -> Any:
        """A constant that is the same for every example of a batch, for one of them."""
        if not isinstance(value, Known) or value.tensor.ndim < 2:
            return value
        repeated = value.tensor.shape[0] in (self.batch, self.part.batch) and len(value.tensor) > 1
        return Known(value.tensor[:1], value.names) if repeated and _alike(value.tensor) else value

    def _constant(self, here: Here, node: Any, given: list[Any]) -> Any:
        """A node without the input, as ONNX defines it."""
        self.draft.computed |= node.op_type not in MOVES.split()
        feeds = {name: value.tensor.numpy() for name, value in zip(node.input, given, strict=True) if value is not None}
        try:
            found = computed(node, feeds, self.part.opset)
        except Exception as error:  # whatever the reference raises
            here.refuse(f"cannot be computed from constants: {first_line(error)}")
        self.room -= sum(part.size for part in found)
        if self.room < 0:
            here.refuse(f"is one constant too many: the graph computes more than {MOST_CONSTANTS:,} numbers of them")
        names = frozenset[str]().union(*(value.names for value in given if value is not None))
        return tuple(_known(part, names) for part in found)

    def _branch(self, here: Here, node: Any, given: list[Any]) -> Any:
        """The branch of an If whose condition is constant."""
        if node.op_type != "If" or not isinstance(given[0], Known) or given[0].tensor.numel() != 1:
            here.refuse(why(node.op_type))
        wanted = "then_branch" if bool(given[0].tensor.reshape(())) else "else_branch"
        branch = next((attribute.g for attribute in node.attribute if attribute.name == wanted), None)
        if branch is None:
            here.refuse(f"has no {wanted}; export it again")
        self.part.constants.update({tensor.name: tensor for tensor in branch.initializer})
        for inner in branch.node:
            self.step(inner)
        return tuple(self.value(value.name) for value in branch.output)


def _is_weight(kind: str, index: int, value: Any) -> bool:
    """A constant of no example: its first axis is no batch, however many entries alike it has."""
    if kind == "MatMul":
        return isinstance(value, Known) and value.tensor.ndim == 2
    return kind in WEIGHTED and index == 1


def _check_node(here: Here, node: Any, opset: int) -> None:
    """Inputs and attributes are those that the operator has in this opset."""
    onnx = import_onnx("checking a node")
    context = onnx.checker.C.CheckerContext()
    context.ir_version, context.opset_imports = onnx.IR_VERSION, {"": opset}
    try:
        onnx.checker.check_node(node, context)
    except Exception as error:  # a ValidationError, or of Python if its text is none
        here.refuse(f"is no valid node of opset {opset}: {first_line(error)}; export it again")


def _check_read(values: list[Any]) -> None:
    """Nothing among some values could not be read."""
    for value in values:
        if isinstance(value, Unread):
            raise value.error


def _attributes(node: Any) -> dict[str, Any]:
    onnx = import_onnx("reading a node")
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def _initializer(name: str, tensor: Any) -> Any:
    try:
        found = _known(array_of(tensor), frozenset([name]))
        if found.tensor.is_floating_point() and found.tensor.ndim > 1:
            check_numbers(name, found.tensor)
    except InputError as error:
        return Unread(error)
    return found


def _known(array: np.ndarray, names: frozenset[str]) -> Known:
    """An array of ONNX; small types that NumPy has only by an extension, such as bfloat16, in float32, exactly."""
    if array.dtype.kind not in "biufV":
        raise InputError(f"a constant holds {array.dtype}; a network of real numbers is read")
    array = array.astype(np.float32) if array.dtype.kind == "V" else array
    return Known(torch.from_numpy(np.require(array, requirements=["C", "W"])), names)


def _alike(tensor: torch.Tensor) -> bool:
    return bool((tensor == tensor[:1]).all())


def _batches(part: Part) -> list[int]:
    """Two numbers of examples that divide no size in the file."""
    sizes = {abs(n) for n in _sizes(part)} - {0}
    primes = (n for n in range(101, 10_000) if all(n % k for k in range(2, 100)))
    found = (prime for prime in primes if all(n % prime for n in sizes))
    return [next(found), next(found)]


def _sizes(part: Part) -> Iterator[int]:
    """Whole numbers that may be sizes: of the input, of small constants, of attributes."""
    onnx = import_onnx("reading sizes")
    yield from part.shape
    for tensor in part.constants.values():
        yield from tensor.dims
        if tensor.data_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32) and np.prod(tensor.dims) <= MOST_SIZES:
            yield from map(int, array_of(tensor).reshape(-1))
    for node in part.nodes:
        for attribute in node.attribute:
            yield from (*attribute.ints, attribute.i)
            if attribute.HasField("t") and attribute.t.data_type == onnx.TensorProto.INT64:
                yield from map(int, array_of(attribute.t).reshape(-1)[:MOST_SIZES])


def _same(first: Draft, second: Draft) -> bool:
    """Equal steps, in every number."""
    if (first.output, list(first.steps)) != (second.output, list(second.steps)):
        return False
    return all(_equal(a, b) for a, b in zip(first.steps.values(), second.steps.values(), strict=True))


def _equal(first: Step, second: Step) -> bool:
    if (first.op, first.inputs, first.shape) != (second.op, second.inputs, second.shape):
        return False
    pairs = list(zip_longest(_arrays(first), _arrays(second)))
    return all(a is not None and b is not None and np.array_equal(a, b) for a, b in pairs)


def _arrays(step: Step) -> list[np.ndarray]:
    parts = [] if step.affine is None else [step.affine.weight, step.affine.bias]
    return [part for part in (*step.arrays.values(), *parts) if part is not None]
