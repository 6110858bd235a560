"""Plain MLPs from named tensors: f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L.

A state dict says names and shapes, not order and not activations. Every 2-D `*.weight` is a linear layer, the 1-D
`*.bias` beside it its bias. If the shapes chain in one order only, that is the order. If they chain in several, names
that differ in one number alone (`fc1`, `fc2`; `0`, `2`, `4`) are taken in natural order, and that is an assumption;
otherwise the caller must say which.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from slth._errors import InputError
from slth.graph import Affine, Pointwise, Target
from slth.network.reading.checkpoints import Held
from slth.network.reading.estimators import activated
from slth.network.reading.own_tensors import own_tensors
from slth.network.reading.words import listed, shown

ACTIVATIONS: dict[str, Pointwise | None] = {
    "relu": Pointwise("Relu"),
    "tanh": Pointwise("Tanh"),
    "sigmoid": Pointwise("Sigmoid"),
    "gelu": Pointwise("Gelu"),
    "silu": Pointwise("Swish", alpha=1.0),
    "mish": Pointwise("Mish"),
    "hardswish": Pointwise("HardSwish"),
    "identity": None,
}  # as PyTorch calls them
PLAIN = "inputs: as the first layer takes them, and no step beside the layers (a state dict does not say)"
_MOST_SEARCHED = 12  # layers among which an order is searched

Shapes = dict[str, tuple[int, int]]  # layer name -> (out, inp)


def mlp_from_tensors(
    tensors: Mapping[str, np.ndarray],
    *,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    plain: bool = False,
    held: Mapping[str, Held] | None = None,
) -> Target:
    """Recognise a plain MLP in named tensors.

    Args:
        order: the layers' names from input to output ("fc_in", "fc_out"), where names and shapes do not tell.
        activation: between the layers, "relu", "tanh", ... None: ReLU is assumed, and said so.
        plain: it is known that there is nothing else, before the first layer, beside the others, behind the last one.
        held: the same tensors in their own formats, for an exact ticket; then they are told, see `own_tensors`.

    Raises:
        InputError: tensors that belong to no linear layer, an unknown activation, an ambiguous or impossible chain.
    """
    if activation is not None and activation not in ACTIVATIONS:
        raise InputError(
            f"unknown activation {shown(activation)!r}; expected {', '.join(ACTIVATIONS)}, or pass the module"
        )
    scaled = _scales(tensors)
    tensors = _dequantised(tensors, scaled)
    weights, biases = _linear_layers(tensors)
    shapes = {layer: (tensors[name].shape[0], tensors[name].shape[1]) for layer, name in weights.items()}
    assumed = [] if activation else ["activation between the layers: relu (a state dict does not say)"]
    assumed += [] if plain else [PLAIN]
    if order is None:
        ordered, assumption = _order(shapes)
        assumed += [] if assumption is None else [assumption]
    else:
        ordered = [part.strip() for part in order]
        if sorted(ordered) != sorted(shapes):
            raise InputError(f"the order must name each layer once: {listed(shapes)}; got {listed(ordered)}")
    _check_chain(ordered, shapes)
    layers = [
        Affine(
            weight=_numbers(tensors[weights[layer]], weights[layer])[:, :, None],
            bias=None if layer not in biases else _numbers(tensors[biases[layer]], biases[layer]),
        )
        for layer in ordered
    ]
    names = [(weights[layer], biases.get(layer)) for layer in ordered]
    target = activated(layers, ACTIVATIONS[activation or "relu"], names=names, assumed=tuple(assumed))
    if held is None:
        return target
    origins = {
        path: (frozenset([weight, *scaled.get(weight, ())]), frozenset([] if bias is None else [bias]))
        for path, (weight, bias) in zip(target.graph.maps, names, strict=True)
    }
    own = own_tensors(target.graph.maps, target.coefficients, held, names=origins, carried={})
    return replace(target, tensors=own.tensors, names=own.names, carried=own.carried)


def _scales(tensors: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """By weight of whole numbers: the names of its scale and, if there is one, its zero point."""
    whole = [name for name, tensor in tensors.items() if name.endswith("weight") and tensor.dtype.kind in "iu"]
    found = {name: [f"{name}{end}" for end in ("_scale", "_zero_point") if f"{name}{end}" in tensors] for name in whole}
    return {name: beside for name, beside in found.items() if beside and beside[0].endswith("_scale")}


def _dequantised(tensors: Mapping[str, np.ndarray], scaled: Mapping[str, list[str]]) -> Mapping[str, np.ndarray]:
    """The tensors with scale · (q − zero) for weights of whole numbers: one scale for all, or one for each output."""
    found = dict(tensors)
    for name, beside in scaled.items():
        q = tensors[name]
        parts = [found.pop(other) for other in beside]
        if q.ndim != 2 or any(part.size not in (1, len(q)) for part in parts):
            shapes = ", ".join(str(tuple(part.shape)) for part in parts)
            raise InputError(
                f"{shown(name)} of shape {tuple(q.shape)} has scales of shape {shapes}; expected a 2-D weight, and one "
                "number for all of it or one for each output"
            )
        scale, zero = (parts[i].astype(np.float64).reshape(-1, 1) if i < len(parts) else 0.0 for i in (0, 1))
        found[name] = scale * (q.astype(np.float64) - zero)
    return found


def _linear_layers(tensors: Mapping[str, np.ndarray]) -> tuple[dict[str, str], dict[str, str]]:
    """Layer name -> name of its weight, and layer name -> name of its bias."""
    if not tensors:
        raise InputError("the state dict holds no tensors; expected the weights of an MLP")
    weights: dict[str, str] = {}
    biases: dict[str, str] = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        found, axes = (weights, 2) if kind == "weight" else (biases, 1)
        if kind not in ("weight", "bias") or tensor.ndim != axes or layer in found:
            raise InputError(
                f"unknown layer: {shown(name)} of shape {tuple(tensor.shape)} is neither a 2-D `*.weight` nor a 1-D "
                "`*.bias`; of state dicts plain MLPs are read, of other networks the module itself: "
                "slth.construct(model, input_shape=...), or --model net.py:function with this file"
            )
        found[layer] = name
    for layer, name in biases.items():
        if layer not in weights:
            raise InputError(
                f"unknown layer: {shown(name)} has no 2-D weight beside it; of state dicts plain MLPs are read"
            )
        outputs = tensors[weights[layer]].shape[0]
        if tensors[name].shape != (outputs,):
            shape = tuple(tensors[name].shape)
            raise InputError(f"{shown(name)} has shape {shape}; its layer has {outputs} outputs")
    if not weights:
        raise InputError("the state dict holds no 2-D `*.weight`; expected the weights of an MLP")
    return weights, biases


def _order(shapes: Shapes) -> tuple[list[str], str | None]:
    """The order of the layers, and what had to be assumed for it."""
    natural = sorted(shapes, key=_natural)
    searched = len(natural) <= _MOST_SEARCHED
    chains = _chains(shapes, most=2) if searched else []
    if _differ_in_one_number(natural):
        only = chains == [natural] or len({inputs for _, inputs in shapes.values()}) == len(shapes)
        assumed = (
            f"layers in the order of their numbers, {listed(natural)}: others would fit (a state dict does not say)"
        )
        return natural, None if only else assumed
    if not searched:
        raise InputError(f"the order of {len(natural)} layers is not told by their names; give it: --order a,b,c")
    if not chains:
        raise InputError(f"the shapes do not chain in any order: {_with_shapes(natural, shapes)}; is this an MLP?")
    if len(chains) > 1:
        raise InputError(
            f"the order of the layers is ambiguous ({listed(chains[0])} or {listed(chains[1])}, ...); give it: "
            "--order a,b,c"
        )
    return chains[0], f"layers in the only order that chains: {listed(chains[0])}"


def _differ_in_one_number(names: Sequence[str]) -> bool:
    """fc1, fc2, ...: one pattern, and one place where the numbers in it differ."""
    if len({re.sub(r"\d+", "#", name) for name in names}) != 1:
        return False
    columns = zip(*(re.findall(r"\d+", name) for name in names), strict=True)
    return sum(len(set(column)) > 1 for column in columns) <= 1


def _chains(shapes: Shapes, most: int) -> list[list[str]]:
    """Up to `most` orders in which each layer takes what the one before gives."""
    found: list[list[str]] = []

    def extend(chain: list[str]) -> None:
        if len(found) >= most:
            return
        if len(chain) == len(shapes):
            found.append(chain)
            return
        for name, (_, inputs) in shapes.items():
            if name not in chain and (not chain or shapes[chain[-1]][0] == inputs):
                extend([*chain, name])

    extend([])
    return found


def _check_chain(chain: list[str], shapes: Shapes) -> None:
    for before, after in itertools.pairwise(chain):
        if shapes[before][0] != shapes[after][1]:
            raise InputError(
                f"the shapes do not chain: {shown(before)} gives {shapes[before][0]} outputs, "
                f"{shown(after)} takes {shapes[after][1]} inputs ({_with_shapes(chain, shapes)}); "
                "another order can be given: --order a,b,c"
            )


def _with_shapes(names: list[str], shapes: Shapes) -> str:
    return ", ".join(f"{shown(name) or 'weight'} {shapes[name][0]}x{shapes[name][1]}" for name in names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key: digits as numbers."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _numbers(tensor: np.ndarray, name: str) -> np.ndarray:
    """A tensor as float64, exactly."""
    if tensor.dtype.kind != "f":
        raise InputError(
            f"{shown(name)} holds {tensor.dtype}; expected floating-point weights: dequantise the target first"
        )
    values = np.ascontiguousarray(tensor, np.float64)
    if not np.isfinite(values).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise InputError(
            f"{shown(name)} holds {values[at]} at {at}; a target needs finite weights: train it again, or clean it"
        )
    return values
