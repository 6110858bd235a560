"""What cannot take masks is refused before anything is changed, in one sentence that names it."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth import _arguments
from slth._errors import InputError
from slth.learning.locations import Location
from slth.learning.masked_parameter import FinalMask
from slth.learning.method import Masker, Method
from slth.network import check_filled, overlapping, unwrapped, wrapped_module


def module_in(model: Any) -> nn.Module:
    """The module whose layers are masked: the one inside a wrapper.

    Raises:
        InputError: no module; one that is scripted, has a wrapper inside, holds no numbers, or has masks already.
    """
    if isinstance(model, type):
        raise InputError(f"expected a model, got the class {model.__name__}: make one, {model.__name__}()")
    if not isinstance(model, nn.Module):
        raise InputError(f"expected a model, which is an nn.Module, got {_arguments.shown(model)}")
    model = unwrapped(model)
    for path, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise InputError(
                f"{path or 'the model'} is scripted, so nothing can be put into it: mask the module it came from"
            )
        if wrapped_module(module) is not None:
            raise InputError(
                f"{path} is wrapped by {type(module).__name__}, whose names are not those of your model: wrap the "
                "whole model, or mask it before its parts are wrapped"
            )
    listed = (module for module in model.modules() if isinstance(module, parametrize.ParametrizationList))
    if any(isinstance(mask, FinalMask) for masks in listed for mask in masks):
        raise InputError("the model has masks already; take them off first: masks.detach()")
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        check_filled(name, value)
    return model


def check_masker(method: Any) -> None:
    """What `attach` takes is a method, and not its class.

    Raises:
        InputError: it is not.
    """
    _check_members(method, Masker, "density, policy, mask and prepare")


def check_method(method: Any) -> Method:
    """What a ticket is made with has all members: a mask alone says neither what trains nor how far a weight may move.

    Raises:
        InputError: it has not.
    """
    _check_members(method, Method, "all members of slth.learning.Method, prepare and move_bound among them")
    return method


def _check_members(method: Any, kind: Any, members: str) -> None:
    if isinstance(method, type):
        raise InputError(f"expected a method, got the class {method.__name__}: make one, {method.__name__}()")
    if not isinstance(method, kind):
        raise InputError(f"expected a method with {members}, got {method!r}: add what it lacks, or try EdgePopup()")


def check_weights(model: nn.Module, masked: list[Location]) -> None:
    """The weights to be masked are float32 numbers that stand for themselves.

    Raises:
        InputError: naming the first that is not.
    """
    for location in masked:
        _check_weight(location.path, location.weight)
    shared = overlapping(model)
    paths = {location.path for location in masked}
    for one, other in shared:
        if paths & {one, other}:
            raise InputError(
                f"{one} and {other} share storage, so a mask on one would change the other: tie them as one parameter, "
                "or copy one of them"
            )


def _check_weight(path: str, weight: Tensor) -> None:
    if weight.layout != torch.strided:
        raise InputError(f"{path} is stored as {str(weight.layout)[6:]}: call its to_dense() first")
    if weight.dtype != torch.float32:
        raise InputError(f"{path} is {weight.dtype}: random weights are float32; call model.float() first")
    if not weight.ndim or not weight.numel():
        what = f"has the shape {tuple(weight.shape)}, without an entry" if weight.ndim else "is a single number"
        layer = path.rpartition(".")[0]
        raise InputError(f"{path} {what}: leave it out, Policy(skip=({layer or path!r},))")
    reach = 1 + sum((size - 1) * step for size, step in zip(weight.shape, weight.stride(), strict=True))
    if reach < math.prod(weight.shape):
        raise InputError(f"{path} repeats its own numbers, as expand() does: give it a copy, clone()")
    if weight.is_inference():
        raise InputError(f"{path} was made in inference mode, so it can never change: clone it outside")
