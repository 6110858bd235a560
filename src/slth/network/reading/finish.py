"""From a draft to a target: ops of `slth.graph` alone, the one order that the file knows, names, maps.

A plain chain of dense layers with ReLU between them comes out as `slth.graph.chain` makes it, so that its ticket is the
same, byte for byte.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph import (
    INPUT,
    Add,
    Affine,
    Attention,
    AxisMap,
    Constant,
    Dense,
    Embedding,
    Graph,
    Linear,
    Multiply,
    Node,
    Normalise,
    Pad,
    Pointwise,
    Scale,
    Shape,
    Target,
    chain,
    stored_weight,
)
from slth.network.reading.checkpoints import Held
from slth.network.reading.draft import LONGEST, Diagonal, Draft, Step
from slth.network.reading.own_tensors import own_tensors
from slth.network.reading.words import shown

Pair = tuple[str, str | None]
Numbers = Callable[[str], np.ndarray | None]


def target_of(
    draft: Draft, numbers: Numbers, *, assumed: Sequence[str] = (), state: Mapping[str, Held] | None = None
) -> Target:
    """The target that a draft is.

    Args:
        assumed: sentences beside those of its steps.
        numbers: a parameter, by name, exactly, None of what is no part of a state dict; `names` of a map are there
            where these are its numbers as they are.
        state: the tensors of the target in their own formats, for an exact ticket; None: it need not have any.

    Raises:
        InputError: a network without a linear map; with a state, a map without a tensor of its own.
    """
    _lower(draft)
    names = _ordered(draft)
    alone = Counter(draft.steps[name].place for name in names)
    if not draft.linear:
        raise InputError("the model has no linear map with constant weights; expected a layer such as Linear or Conv2d")
    maps = _Maps()
    nodes: list[Node] = []
    called, taken = {INPUT: INPUT}, {INPUT}
    carried: dict[str, np.ndarray] = {}
    for name in names:
        step = draft.steps[name]
        if isinstance(step.op, Pad) and not math.isfinite(step.op.value):
            raise InputError(
                f"{shown(step.place) or 'the model'} pads with {step.op.value}, which only a max pool can read"
            )
        op = replace(step.op, map=maps.path(step)) if isinstance(step.op, Linear) else step.op
        op = Embedding(maps.path(draft.steps[step.tied]), tied=True) if step.tied else op
        called[name] = _unique(op.map if isinstance(op, Linear) else _name(step, alone), taken)
        taken.add(called[name])
        for local, array in ({} if step.tied else step.arrays).items():
            small, whole = _smallest(array), f"{called[name]}/{local}"
            if isinstance(op, AxisMap) and any(matrix.kind == "sparse" for matrix in op.axes):
                whole = _one_graph(carried, small) or whole
            op = _renamed(op, local, whole)
            carried[whole] = small
        nodes.append(Node(called[name], op, tuple(called[value] for value in step.inputs)))
    graph = Graph(tuple(nodes))
    pairs = {path: maps.pair(path, numbers) for path in graph.maps}
    exact = {path: pair for path, pair in pairs.items() if pair is not None}
    turned = {path: maps.pair(path, numbers, turned=True) for path in graph.maps if path not in exact}
    said = [step.assumed for step in map(draft.steps.__getitem__, names) if step.assumed is not None]
    target = Target(
        graph=graph,
        coefficients={path: maps.affine[path] for path in graph.maps},
        input_shape=draft.shape,
        carried=carried,
        names=exact,
        turned={path: pair for path, pair in turned.items() if pair is not None},
        folded=maps.folded,
        assumed=tuple(dict.fromkeys([*assumed, *said])),
    )
    if state is not None:
        tensors = {path: maps.steps[path].tensors for path in graph.maps}
        own = own_tensors(graph.maps, target.coefficients, state, names=tensors, carried=carried)
        target = replace(target, tensors=own.tensors, names=own.names, carried={**carried, **own.carried})
    return _chain(draft.shape, target) or target


class _Maps:
    """Maps by path: steps with one origin, or of one tensor, and equal numbers are one map."""

    def __init__(self) -> None:
        self.affine: dict[str, Affine] = {}
        self.steps: dict[str, Step] = {}
        self.folded: dict[str, tuple[str, ...]] = {}  # of those that took something

    def path(self, step: Step) -> str:
        """The path of a step's map; a new one unless a map of the same origin has the same numbers."""
        origin = _origin(step)
        known = (path for path, other in self.steps.items() if _is_one(other, step) and _same(other, step))
        path = next(known, None)
        if path is None:
            path = _unique(origin or f"map/{len(self.steps)}", set(self.steps))
            self.steps[path], self.affine[path] = step, step.numbers
        folded = tuple(dict.fromkeys([*self.folded.get(path, ()), *step.folded]))
        self.folded |= {path: folded} if folded else {}
        return path

    def pair(self, path: str, numbers: Numbers, *, turned: bool = False) -> Pair | None:
        """The tensors of weight and bias, if the numbers are theirs as they are, or with the weight's axes swapped."""
        step = self.steps[path]
        array = stored_weight(step.op.basis, step.numbers.kept)
        weight = _tensor(step.tensors[0], numbers, array.T if turned else array)
        if weight is None or step.numbers.bias is None:
            return None if weight is None else (weight, None)
        bias = _tensor(step.tensors[1], numbers, step.numbers.bias)
        return None if bias is None else (weight, bias)


def _tensor(names: frozenset[str], numbers: Numbers, array: np.ndarray) -> str | None:
    """The one tensor that an array is."""
    found = next(iter(names)) if len(names) == 1 else None
    own = None if found is None else numbers(found)
    return found if own is not None and np.array_equal(own, array) else None


def _origin(step: Step) -> str:
    """Where a map's weight comes from: the module of its parameter, or the parameter; "" if there is none."""
    names = sorted(step.tensors[0])
    modules = {_module(name) for name in names}
    if len(names) == 1 and "." not in names[0] and step.leaf:
        return shown(step.place, LONGEST)  # a weight whose name says nothing of its layer
    if len(names) == 1 and not names[0].rpartition(".")[2].startswith("weight"):
        return shown(names[0], LONGEST)
    if len(modules) == 1 and modules != {""}:
        return shown(modules.pop(), LONGEST)
    return shown(names[0], LONGEST) if len(names) == 1 else shown(step.place, LONGEST) if step.leaf else ""


def _module(name: str) -> str:
    """The module that owns a parameter; of a parametrization the one that it is part of."""
    head, inside, _ = f".{name}".partition(".parametrizations.")
    return head[1:] if inside else name.rpartition(".")[0]


def _is_one(first: Step, second: Step) -> bool:
    """They come from one module or parameter, or read one tensor."""
    return _origin(first) == _origin(second) or (bool(first.tensors[0]) and first.tensors[0] == second.tensors[0])


def _same(first: Step, second: Step) -> bool:
    if first.op != second.op or not np.array_equal(first.numbers.kept, second.numbers.kept):
        return False
    biases = (first.numbers.bias, second.numbers.bias)
    return biases[0] is biases[1] or (all(b is not None for b in biases) and np.array_equal(*biases))  # pyright: ignore


def _lower(draft: Draft) -> None:
    """Diagonal steps that no map took: a factor, a Scale along one axis, or constants with an axis for each."""
    for name, step in list(draft.steps.items()):
        if not isinstance(step.op, Diagonal):
            continue
        g, t = step.scale, step.shift
        wide = [axis for axis in range(g.ndim) if max(g.shape[axis], t.shape[axis]) > 1]
        step.arrays = {}
        if g.size == 1 and not t.any() and g.item() != 0:
            step.op = Add((g.item(),))
        elif len(wide) <= 1:
            axis = wide[0] if wide else 0
            parts = {"scale": None if (g == 1).all() else g, "shift": t if t.any() else None}
            step.arrays = {
                kind: np.array(np.broadcast_to(part.reshape(-1), (step.shape[axis],)))
                for kind, part in parts.items()
                if part is not None
            }
            step.op = Scale(axis, *(kind if kind in step.arrays else None for kind in parts))
        else:
            _with_constants(draft, name, step, g, t)


def _with_constants(draft: Draft, name: str, step: Step, g: np.ndarray, t: np.ndarray) -> None:
    def constant(array: np.ndarray) -> str:
        return draft.add(Step(Constant("value"), (), (), step.place, False, {"value": array}))

    (value,) = step.inputs
    if not (g == 1).all():
        scaled = Step(Multiply(), (value, constant(g)), (), step.place)
        value = draft.add(scaled)
    step.op, step.inputs = Add((1.0, 1.0)), (value, constant(t))
    if not t.any():
        draft.replace(name, value)


def _ordered(draft: Draft) -> list[str]:
    """walk(v): the inputs of v in order, then v."""
    found: dict[str, None] = {}
    waiting = [(draft.output, False)]
    while waiting:
        name, ready = waiting.pop()
        if name == INPUT or name in found:
            continue
        if ready:
            found[name] = None
        else:
            waiting += [(name, True), *((value, False) for value in reversed(draft.steps[name].inputs))]
    return list(found)


def _name(step: Step, count: Counter[str]) -> str:
    kind = (step.op.function if isinstance(step.op, Pointwise) else type(step.op).__name__).lower()
    return step.name(kind, alone=count[step.place] == 1)


def _unique(name: str, taken: set[str]) -> str:
    return next(other for other in _numbered(name) if other not in taken)


def _numbered(name: str) -> Iterator[str]:
    yield name
    count = 1
    while True:
        count += 1
        yield f"{name}:{count}"


def _renamed(op: Any, local: str, whole: str) -> Any:
    """The op with one carried array by its own name."""
    match op:
        case AxisMap(axes):
            return AxisMap(tuple(replace(axis, value=whole) if axis.value == local else axis for axis in axes))
        case Scale() | Constant() | Pointwise() | Normalise() | Attention() | Embedding():
            return replace(op, **{local: whole})
        case _:
            raise AssertionError(f"{type(op).__name__} carries nothing")


def _one_graph(carried: Mapping[str, np.ndarray], entries: np.ndarray) -> str | None:
    """The name under which the same graph is carried already, for an earlier layer."""
    return next((name for name, array in carried.items() if np.array_equal(array, entries)), None)


def _smallest(array: np.ndarray) -> np.ndarray:
    """In float32 where that is exact."""
    small = array.astype(np.float32)
    return small if np.array_equal(small, array) else np.ascontiguousarray(array, np.float64)


def _chain(shape: Shape, target: Target) -> Target | None:
    """The chain of `slth.graph` that a graph on flat inputs is, if it is one that uses each map once."""
    graph = target.graph
    plain = len(shape) == 1 and len(graph.nodes) == 2 * len(graph.maps) - 1
    for i, node in enumerate(graph.nodes):
        dense = isinstance(node.op, Linear) and isinstance(node.op.basis, Dense)
        plain = plain and (node.op == Pointwise("Relu") if i % 2 else dense)
    if not plain:
        return None
    pairs = [
        target.names.get(path, (f"{path}.weight", f"{path}.bias" if op.bias else None))
        for path, op in graph.maps.items()
    ]
    names = [name for pair in pairs for name in pair if name is not None]
    made = chain(
        [target.coefficients[path] for path in graph.maps],
        names=pairs if len(set(names)) == len(names) else None,
        assumed=target.assumed,
    )
    called = dict(zip(graph.maps, made.graph.maps, strict=True))
    tensors = {
        name: replace(stored, of=called.get(stored.of, stored.of)) if stored.part != "carried" else stored
        for name, stored in target.tensors.items()
    }
    folded = {called[path]: steps for path, steps in target.folded.items()}
    names = {called[path]: pair for path, pair in target.names.items()} if tensors else made.names
    return replace(made, folded=folded, tensors=tensors, names=names, carried=target.carried)
