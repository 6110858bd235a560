"""The layers of a module whose graph is not read: each is a map by itself, and the rest of the state is carried.

A layer's weight is what its matrix is in the state dict: where the module uses it, and whether it does at all, is not
known. So nothing is known of the signs of its inputs, and nothing can be said of the module's outputs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.graph import Affine, Basis, Conv, ConvTranspose, Dense, Graph, Linear, Target, coefficients_of, stored_weight
from slth.network.reading.operators.maps import both_ends, spatial
from slth.network.reading.weights import check_layout, check_module, check_numbers
from slth.network.reading.words import shown
from slth.network.wrappers import unwrapped

_CONV = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_ALONE = "layer"  # the path of a layer that is the whole module
Names = Mapping[str, tuple[str, str | None]]


def read_layers(model: nn.Module) -> Target:
    """A target whose maps are not joined: the weights of Linear, Conv and ConvTranspose layers, and GPT-2's Conv1D.

    Raises:
        InputError: a module without such a layer; a weight that is shared, computed, or no float32; a state that a
            ticket cannot carry.
    """
    model = unwrapped(model)
    check_module(model)
    layers = list(_layers(model))
    if not layers:
        raise InputError(
            f"{type(model).__name__} has no Linear or convolutional layer whose weight could be made; its other "
            "parameters would all be carried"
        )
    _check_apart(model, layers)
    graph = Graph.unjoined([layer.op for layer in layers], [layer.op.map for layer in layers if layer.transposed])
    state: dict[str, Any] = model.state_dict()
    strange = next((name for name, value in state.items() if not isinstance(value, Tensor)), None)
    if strange is not None:
        raise InputError(f"{shown(strange)} of the model's state is no tensor, and a ticket carries tensors alone")
    half = next((name for name, value in state.items() if value.dtype == torch.bfloat16), None)
    if half is not None:
        raise InputError(f"{shown(half)} is bfloat16, which no ticket carries: model.float() first")
    arrays = {name: value.detach().cpu().numpy() for name, value in state.items()}
    return layers_in(arrays, graph, {layer.op.map: layer.names for layer in layers})


def layers_in(state: Mapping[str, np.ndarray], graph: Graph, names: Names) -> Target:
    """The same from a state dict: the tensors that maps are called after, in the shapes of a graph without joints.

    Raises:
        InputError: a tensor that is not there, or has another shape.
    """
    left, coefficients = dict(state), dict[str, Affine]()

    def taken(name: str) -> np.ndarray:
        if name not in left:
            raise InputError(f"the target has no tensor {shown(name)}; its tensors are {', '.join(state)[:300]}")
        return left.pop(name).astype(np.float64)

    for path, op in graph.maps.items():
        weight, bias = names[path]
        matrix = taken(weight)
        own = matrix.T if path in graph.transposed else matrix
        wanted = stored_weight(op.basis, np.broadcast_to(np.zeros(()), op.coefficients)).shape
        if own.shape != wanted:
            raise InputError(f"{shown(weight)} has shape {matrix.shape}, which is not that of the map {shown(path)}")
        shift = None if bias is None else taken(bias)
        coefficients[path] = Affine(np.ascontiguousarray(coefficients_of(op.basis, own)), shift)
    return Target(graph, coefficients, carried=left, names=dict(names))


@dataclass(frozen=True, slots=True)
class _Layer:
    op: Linear
    names: tuple[str, str | None]
    transposed: bool


def _layers(model: nn.Module) -> Iterator[_Layer]:
    """In the order of the module's children."""
    for path, module in model.named_modules():
        basis = _basis(module)
        if basis is None:
            continue
        prefix = f"{path}." if path else ""
        own = dict(module.named_parameters(recurse=False))
        if parametrize.is_parametrized(module, "weight") or "weight" not in own:
            raise InputError(
                f"{shown(prefix)}weight is computed from other tensors (a parametrization, pruning or weight norm); "
                "make it plain first, as torch.nn.utils.parametrize.remove_parametrizations does"
            )
        for name, tensor in own.items():
            check_layout(prefix + name, tensor)
            check_numbers(prefix + name, tensor)
            if tensor.dtype != torch.float32:
                kind = str(tensor.dtype).removeprefix("torch.")
                raise InputError(f"{shown(prefix + name)} is {kind}; layers are made in float32: model.float() first")
        biased = own.get("bias") is not None
        names = f"{prefix}weight", f"{prefix}bias" if biased else None
        yield _Layer(Linear(path or _ALONE, basis, biased), names, _is_transposed(module))


def _is_transposed(module: nn.Module) -> bool:
    """GPT-2's Conv1D: x W + b, with W (inputs, outputs)."""
    return type(module).__name__ == "Conv1D" and type(module).__module__ == "transformers.pytorch_utils"


def _basis(module: nn.Module) -> Basis | None:
    """Which linear map a layer's weight stands for; None: it is no such layer."""
    if isinstance(module, nn.Linear):
        return Dense(module.in_features, module.out_features)
    if _is_transposed(module):
        weight = module.get_parameter("weight")
        return Dense(weight.shape[0], weight.shape[1])
    if isinstance(module, _TRANSPOSED):
        axes = len(module.kernel_size)
        return ConvTranspose(
            module.in_channels,
            module.out_channels,
            tuple(module.kernel_size),
            spatial(module.stride, axes),
            both_ends(module.padding, axes),
            spatial(module.dilation, axes),
            module.groups,
            spatial(module.output_padding, axes),
        )
    if isinstance(module, _CONV):
        axes = len(module.kernel_size)
        plain = not isinstance(module.padding, str) and module.padding_mode == "zeros"
        return Conv(
            module.in_channels,
            module.out_channels,
            tuple(module.kernel_size),
            spatial(module.stride, axes),
            both_ends(module.padding if plain else 0, axes),
            spatial(module.dilation, axes),
            module.groups,
        )
    return None


def _check_apart(model: nn.Module, layers: list[_Layer]) -> None:
    """A weight that is made stands in one place, under one name."""
    state: dict[str, Any] = model.state_dict(keep_vars=True)
    made = {name for layer in layers for name in layer.names if name is not None}
    places: dict[int, str] = {}
    for name, tensor in state.items():
        place = tensor.untyped_storage().data_ptr() if isinstance(tensor, Tensor) and tensor.numel() else 0
        other = places.setdefault(place, name) if place else name
        if other != name and {name, other} & made:
            raise InputError(
                f"{shown(other)} and {shown(name)} are one shared parameter, and a layer by itself is not shared: copy "
                f"one of them, as model.{name} = nn.Parameter(model.{name}.clone()) does"
            )
