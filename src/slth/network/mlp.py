"""ReLU networks as coefficients: f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L from a state dict of tensors.

A state dict says names and shapes, not order and not activations. Plain MLPs are recognised from them: every 2-D
`*.weight` is a linear layer, the 1-D `*.bias` beside it its bias. Names that differ in one number only (`fc1`, `fc2`;
`0`, `2`, `4`) come in natural order; otherwise the only order whose shapes chain is taken, and if there are several,
the caller must say which.
"""

import itertools
import re
from collections.abc import Mapping, Sequence

import numpy as np

from slth._errors import InputError
from slth.graph import Affine, Target, chain

ACTIVATIONS = ("relu",)
_MOST_SEARCHED = 12  # layers among which an order is searched


def mlp_from_tensors(
    tensors: Mapping[str, np.ndarray], *, order: Sequence[str] | None = None, activation: str | None = None
) -> Target:
    """Recognise a plain ReLU MLP in named tensors.

    Args:
        order: the layers' names from input to output ("fc_in", "fc_out"), where names and shapes do not tell.
        activation: between the layers; only "relu". None: assumed, and said so.

    Raises:
        InputError: tensors that belong to no linear layer, an unknown activation, an ambiguous or impossible chain.
    """
    if activation is not None and activation not in ACTIVATIONS:
        raise InputError(f"unknown activation {activation!r}; this construction knows {', '.join(ACTIVATIONS)}")
    shapes, biases = _linear_layers(tensors)
    assumed = [] if activation else ["activation between the layers: relu (a state dict does not say)"]
    if order is None:
        ordered, guessed = _order(shapes)
        if guessed:
            assumed.append(f"layers in the only order that chains: {', '.join(ordered)}")
    else:
        ordered = [part.strip() for part in order]
        if sorted(ordered) != sorted(shapes):
            raise InputError(f"the order must name each layer once: {', '.join(shapes)}; got {', '.join(ordered)}")
    _check_chain(ordered, shapes)
    layers: list[Affine] = []
    names: list[tuple[str, str | None]] = []
    for name in ordered:
        weight_name = f"{name}.weight" if name else "weight"
        weight = _numbers(tensors[weight_name], weight_name)[:, :, None]
        bias_name = biases.get(name)
        bias = None if bias_name is None else _numbers(tensors[bias_name], bias_name)
        layers.append(Affine(weight=weight, bias=bias))
        names.append((weight_name, bias_name))
    return chain(layers, names=names, assumed=tuple(assumed))


def _linear_layers(tensors: Mapping[str, np.ndarray]) -> tuple[dict[str, tuple[int, int]], dict[str, str]]:
    """Layer name -> (out, inp), and layer name -> name of its bias."""
    if not tensors:
        raise InputError("the state dict holds no tensors; expected the weights of an MLP")
    shapes: dict[str, tuple[int, int]] = {}
    biases: dict[str, str] = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.rpartition(".")
        if kind == "weight" and tensor.ndim == 2:
            shapes[layer] = (tensor.shape[0], tensor.shape[1])
        elif kind == "bias" and tensor.ndim == 1:
            biases[layer] = name
        else:
            raise InputError(
                f"unknown layer: {name} of shape {tuple(tensor.shape)} is neither a 2-D `*.weight` nor a 1-D `*.bias`; "
                "this construction reads plain MLPs"
            )
    for layer, name in biases.items():
        if layer not in shapes:
            raise InputError(f"unknown layer: {name} has no 2-D weight beside it; this construction reads plain MLPs")
        if tensors[name].shape != (shapes[layer][0],):
            raise InputError(f"{name} has shape {tuple(tensors[name].shape)}; its layer has {shapes[layer][0]} outputs")
    if not shapes:
        raise InputError("the state dict holds no 2-D `*.weight`; expected the weights of an MLP")
    return shapes, biases


def _order(shapes: dict[str, tuple[int, int]]) -> tuple[list[str], bool]:
    """The order of the layers, and whether it had to be guessed from the shapes."""
    names = sorted(shapes, key=_natural)
    if len({re.sub(r"\d+", "#", name) for name in names}) == 1:
        return names, False
    if len(names) > _MOST_SEARCHED:
        raise InputError(f"the order of {len(names)} layers is not told by their names; give it with --order a,b,c")
    chains = _chains(shapes, most=2)
    if not chains:
        raise InputError(f"the shapes do not chain in any order: {_listed(names, shapes)}; is this an MLP?")
    if len(chains) > 1:
        raise InputError(
            f"the order of the layers is ambiguous ({', '.join(chains[0])} or {', '.join(chains[1])}, ...); "
            "give it with --order a,b,c"
        )
    return chains[0], True


def _chains(shapes: dict[str, tuple[int, int]], most: int) -> list[list[str]]:
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


def _check_chain(chain: list[str], shapes: dict[str, tuple[int, int]]) -> None:
    for before, after in itertools.pairwise(chain):
        if shapes[before][0] != shapes[after][1]:
            raise InputError(
                f"the shapes do not chain: {before} gives {shapes[before][0]} outputs, "
                f"{after} takes {shapes[after][1]} inputs ({_listed(chain, shapes)}); "
                "another order can be given with --order a,b,c"
            )


def _listed(names: list[str], shapes: dict[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name or 'weight'} {shapes[name][0]}x{shapes[name][1]}" for name in names)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key: digits as numbers."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _numbers(tensor: np.ndarray, name: str) -> np.ndarray:
    """A tensor as float64, exactly."""
    if tensor.dtype.kind != "f":
        raise InputError(f"{name} holds {tensor.dtype}; expected floating-point weights: dequantise the target first")
    values = np.ascontiguousarray(tensor, np.float64)
    if not np.isfinite(values).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise InputError(
            f"{name} holds {values[at]} at {at}; a target needs finite weights: train it again, or clean it"
        )
    return values
