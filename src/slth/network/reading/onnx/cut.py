"""Which part of an ONNX graph is read: from one value to another, and the shape of what enters it."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from slth import _arguments
from slth._errors import InputError, UnfitInputs
from slth.graph import Shape
from slth.network.reading.draft import MOST_ENTRIES
from slth.network.reading.onnx.files import FLOATS, STANDARD, import_onnx
from slth.network.reading.words import listed, shown


@dataclass(frozen=True, slots=True)
class Part:
    """The nodes between an input and an output, in the order of the file, and the constants that they read."""

    nodes: tuple[Any, ...]
    constants: dict[str, Any]  # TensorProto by name
    start: str  # the value that is the network's input
    end: str
    shape: Shape  # of one input, without the batch
    batch: int | None  # the size that the file fixes it at; None: any
    kind: int  # element type of the input, as TensorProto numbers them
    opset: int


def part_of(model: Any, *, from_node: str | None, to_node: str | None, input_shape: Shape | None) -> Part:
    """The part of a model that is asked for.

    Args:
        from_node: a node, whose one varying input becomes the network's input; of a name that no node has, the value
            of that name. None: the model's input.
        to_node: a node, whose first output becomes the network's, or a value; None: the model's output.
        input_shape: of one input, without the batch, where the file does not say it.

    Raises:
        InputError: no such node or value, several inputs or outputs, a shape that is needed and not known.
    """
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in constants]
    varying = _varying(graph, inputs)
    end = _end(graph, to_node, varying)
    start = None if from_node is None else _start(graph, from_node, varying)
    nodes, free = needed(graph, end, [] if start is None else [start])
    missing = [name for name in free if name not in {*inputs, *constants, start}]
    if missing:
        raise InputError(f"the graph reads {listed(missing)}, which nothing gives; it is broken: export it again")
    free = [name for name in dict.fromkeys((*inputs, start)) if name is not None and name in free]
    if start is not None and start not in free:
        raise InputError(f"{shown(end)} does not depend on {shown(start)}; cut where the one leads to the other")
    if start is not None and free != [start]:
        others = [name for name in free if name != start]
        raise InputError(
            f"behind the cut at {shown(start)} the graph still reads its input {listed(others)}; cut where all of it "
            "passes through one value"
        )
    if len(free) != 1:
        what = f"reads {len(free)} inputs ({listed(free)})" if free else "reads no input"
        raise InputError(
            f"{shown(end)} {what}; a network of one input tensor is read: begin where one value has all that is "
            "needed, --from NODE"
        )
    declared = _declared(model, free[0], inner=free[0] not in inputs)
    shape, batch = _shape(free[0], declared, input_shape)
    opset = max(entry.version for entry in model.opset_import if entry.domain in STANDARD)
    return Part(tuple(nodes), constants, free[0], end, shape, batch, declared.elem_type or 1, int(opset))


def reads(node: Any) -> Iterator[str]:
    """The values that a node reads, also inside of its branches."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            own = {name for inner in graph.node for name in inner.output} | {value.name for value in graph.input}
            own |= {tensor.name for tensor in graph.initializer}
            outer = (name for inner in graph.node for name in reads(inner))
            yield from (name for name in (*outer, *(value.name for value in graph.output)) if name not in own)


def label(node: Any) -> str:
    """What a node is called: its name, or the value that it gives."""
    return node.name or next((name for name in node.output if name), node.op_type)


def begins_at(graph: Any, value: str) -> str | None:
    """How to ask for a value as the input: by its name or, if a node is called so, by that of a node that reads it."""
    named = [node.name for node in graph.node]
    if value not in named:
        return value
    readers = [node.name for node in graph.node if list(reads(node))[:1] == [value]]
    return next((name for name in readers if name and named.count(name) == 1), None)


def short(name: str) -> str:
    """The first of the names that a node has whose parts were joined by TensorFlow's exporter.

    >>> short("model/re_lu/Relu;model/conv2d/Conv2D")
    'model/re_lu/Relu'
    """
    return name.partition(";")[0]


def needed(graph: Any, end: str, stops: Iterable[str]) -> tuple[list[Any], list[str]]:
    """The nodes that a value needs, in order, and the values among those that nothing gives; nothing behind stops."""
    makers = {name: node for node in graph.node for name in node.output if name}
    wanted, waiting, stops = dict[str, None](), [end], set(stops)
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        wanted[name] = None
        if name in makers and name not in stops:
            waiting += reads(makers[name])
    nodes = [node for node in graph.node if any(name in wanted and name not in stops for name in node.output if name)]
    return nodes, [name for name in wanted if name not in makers or name in stops]


def _varying(graph: Any, inputs: list[str]) -> set[str]:
    """The values that depend on an input."""
    varying = set(inputs)
    for node in graph.node:
        if any(name in varying for name in reads(node)):
            varying.update(name for name in node.output if name)
    return varying


def _end(graph: Any, wanted: str | None, varying: set[str]) -> str:
    outputs = [value.name for value in graph.output]
    if wanted is None:
        if len(outputs) != 1:
            raise InputError(
                f"the model gives {len(outputs)} outputs ({listed(outputs)}); a network with one output is read: "
                "choose one, --to NAME"
            )
        return outputs[0]
    if wanted in varying or wanted in outputs:
        return wanted
    return _node(graph, wanted, "--to").output[0]


def _start(graph: Any, wanted: str, varying: set[str]) -> str:
    """What a node reads; of a name that is no node's, that value. TensorFlow's nodes are called like what they give."""
    if wanted in varying and not any(node.name == wanted for node in graph.node):
        return wanted
    node = _node(graph, wanted, "--from")
    values = list(dict.fromkeys(name for name in reads(node) if name in varying))
    if len(values) != 1:
        what = f"reads {len(values)} values ({listed(values)})" if values else "reads constants alone"
        raise InputError(f"{shown(wanted)} {what}; name the value to begin at, --from VALUE")
    return values[0]


def _node(graph: Any, wanted: str, flag: str) -> Any:
    found = [node for node in graph.node if node.name == wanted]
    found = found or [node for node in graph.node if short(label(node)) == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{len(found)} nodes are called {shown(wanted)}; name a value, {flag} VALUE")
    known = [label(node) for node in graph.node] + [name for node in graph.node for name in node.output if name]
    raise InputError(f"{flag}: the graph has no node or value {shown(wanted)!r}; {_near(wanted, known)}")


def _near(wanted: str, known: list[str]) -> str:
    near = _arguments.near(wanted, known)
    has = f"t has {listed(dict.fromkeys(known), 6)}"
    return f"did you mean {shown(near)!r}? I{has}" if near else f"i{has}"


def _declared(model: Any, name: str, *, inner: bool) -> Any:
    """The type of a value as the file says it; of an inner value as ONNX infers it."""
    onnx = import_onnx("reading a graph")
    graph = model.graph
    if inner:
        try:
            graph = onnx.shape_inference.infer_shapes(model, data_prop=not _writes_out(model.graph)).graph
        except Exception:  # a model that cannot be inferred may still say it
            graph = model.graph
    values = (*graph.input, *graph.value_info, *graph.output)
    found = next((value.type.tensor_type for value in values if value.name == name), None)
    if found is None:
        return onnx.TypeProto.Tensor()
    kind = next((name for name, n in onnx.TensorProto.DataType.items() if n == found.elem_type), "unknown")
    if found.elem_type and found.elem_type not in FLOATS:
        raise InputError(
            f"the input {shown(name)} holds {kind.lower()} numbers; a network of real numbers is read: begin behind "
            "the node that makes them real, --from NODE"
        )
    return found


def _writes_out(graph: Any) -> bool:
    """Following its numbers would write out tensors of any size, in onnx itself."""
    return any(node.op_type in ("ConstantOfShape", "Range") for node in graph.node)


def _shape(name: str, declared: Any, given: Shape | None) -> tuple[Shape, int | None]:
    """The shape of one input, and the size of the batch if the file fixes it."""
    if not declared.HasField("shape"):
        if given is None:
            raise InputError(f"the file does not say the shape of {shown(name)}; give --input-shape C,H,W")
        return _held(given), None
    dims = list(declared.shape.dim)
    text = ", ".join(str(dim.dim_value) if dim.dim_value > 0 else shown(dim.dim_param) or "?" for dim in dims)
    if len(dims) < 2:
        raise InputError(
            f"the input {shown(name)} has shape ({text}), so there is no axis for the batch; expected (batch, ...)"
        )
    sizes = [int(dim.dim_value) if dim.dim_value > 0 else None for dim in dims]
    if given is None and None in sizes[1:]:
        raise InputError(
            f"the input {shown(name)} has shape ({text}) in the file, and what is read needs numbers behind the batch; "
            f"give --input-shape, {len(dims) - 1} number{'s' if len(dims) > 2 else ''}"
        )
    shape = tuple(size or 0 for size in sizes[1:]) if given is None else given
    if len(shape) != len(dims) - 1 or any(own not in (None, new) for own, new in zip(sizes[1:], shape, strict=True)):
        says = f"the file says ({text}), where the first is the batch"
        raise UnfitInputs(f"input_shape says {shape}, {says}", reason=says)
    return _held(shape), sizes[0]


def _held(shape: Shape) -> Shape:
    """The shape of one input, of no more numbers than are read."""
    if math.prod(shape) > MOST_ENTRIES:
        raise InputError(f"one input of shape {shape} has more than {MOST_ENTRIES:,} numbers, the most that are read")
    return shape
