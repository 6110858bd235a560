"""Whether the numbers of a module can be those of a network: refused by name before anything runs."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as nn_module

from slth._errors import InputError
from slth.network.reading.words import shown


def check_module(model: nn.Module) -> None:
    """A plain module with dense tensors.

    Raises:
        InputError: what it is, and what would work.
    """
    for kind in ("forward", "forward_pre"):
        if getattr(nn_module, f"_global_{kind}_hooks", None):
            raise InputError(
                f"a global {kind.replace('_', '-')} hook is registered for all modules and may change what they "
                "compute; remove it first"
            )
    for path, module in model.named_modules():
        what = shown(path) or "the model"
        if isinstance(module, torch.jit.ScriptModule):
            raise InputError(f"{what} is a ScriptModule, which hides its operators; pass the nn.Module behind it")
        if any("fake_quantize" in kind.__module__ for kind in type(module).__mro__):
            raise InputError(
                f"{what} rounds values as a quantised model would ({type(module).__name__}); a network of real numbers "
                "is read: model.apply(torch.ao.quantization.disable_fake_quant), or the model before it was prepared"
            )
        if "quantized" in type(module).__module__:
            raise InputError(
                f"{what} is quantised ({type(module).__name__}); pass the model in floating point, as it was before"
            )
    for name, tensor in (*model.named_buffers(), *model.named_parameters()):
        check_layout(name, tensor)


def check_layout(name: str, tensor: Any) -> None:
    """A dense tensor of real numbers that are there.

    Raises:
        InputError: naming it, and what it is instead.
    """
    shape = shown(name)
    if isinstance(tensor, (nn.UninitializedParameter, nn.UninitializedBuffer)):
        raise InputError(
            f"{shape} does not know its shape yet: its layer is lazy; run the model once on some data first"
        )
    if not isinstance(tensor, Tensor):
        raise InputError(f"{shape} is {type(tensor).__name__}; expected a tensor")
    if tensor.is_quantized:
        raise InputError(
            f"{shape} is quantised ({tensor.dtype}); dequantise it first, or pass the model in floating point"
        )
    if tensor.layout != torch.strided:
        raise InputError(f"{shape} is sparse ({tensor.layout}); make it dense first: tensor.to_dense()")
    if tensor.is_meta:
        raise InputError(f"{shape} holds no numbers: it is on the meta device; load the weights first")
    if tensor.is_complex():
        raise InputError(f"{shape} is complex ({tensor.dtype}); a network of real numbers is read")


def check_numbers(name: str, tensor: Tensor) -> None:
    """At least one number, all of them finite.

    Raises:
        InputError: naming the tensor, and the first that is not.
    """
    if tensor.numel() == 0:
        shape = tuple(tensor.shape)
        raise InputError(f"{shown(name)} has shape {shape}, which holds nothing; a layer needs at least one number")
    plain = tensor.dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64)
    finite = torch.isfinite(tensor if plain or not tensor.is_floating_point() else tensor.double())  # not of 8 bits
    if not finite.all():
        at = tuple(int(i) for i in (~finite).nonzero()[0])
        raise InputError(
            f"{shown(name)} holds {tensor[at].item()} at {at}; a target needs finite weights: train it again, or "
            "clean it"
        )
