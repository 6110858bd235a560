"""Networks by name: what a ticket of kind `builtin` is rebuilt as, from plain JSON.

Registry: `ARCHITECTURES` maps a name to a function of the shape of one input, the number of classes, a width factor
and arguments of its own. Every network takes batches (N, C, H, W). The names of parameters are part of the tickets
that were made with them, so they never change.
"""

import inspect
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.nn.utils import parametrize

from slth._arguments import one_of
from slth._errors import InputError
from slth.network.architectures._sizes import checked
from slth.network.architectures.conv import conv_2, conv_4, conv_6
from slth.network.architectures.lenet import lenet_5, lenet_300_100
from slth.network.architectures.mlp import mlp
from slth.network.architectures.resnet import resnet_18, resnet_20

__all__ = ["ARCHITECTURES", "architecture_of", "build_architecture", "resolved_arguments"]


@runtime_checkable
class Architecture(Protocol):
    """`inputs` is (C, H, W) or (features,); further arguments are keywords with defaults."""

    def __call__(self, inputs: tuple[int, ...], classes: int, width: float = 1.0) -> nn.Module: ...


ARCHITECTURES: dict[str, Architecture] = {
    "conv_2": conv_2,
    "conv_4": conv_4,
    "conv_6": conv_6,
    "lenet_300_100": lenet_300_100,
    "lenet_5": lenet_5,
    "mlp": mlp,
    "resnet_18": resnet_18,
    "resnet_20": resnet_20,
}
_MADE = "_slth_architecture"  # where a network keeps its name and arguments


def build_architecture(name: str, arguments: Mapping[str, Any], *, seed: int = 0, device: str = "cpu") -> nn.Module:
    r"""Build a network from its name and plain JSON; the same call gives the same numbers.

    Weights of linear layers and convolutions are normal with variance $2 / \text{fan-in}$ (He et al., 2015), biases
    are 0, normalisation starts as the identity with statistics 0 and 1. The global random state of PyTorch is neither
    read nor changed.

    Args:
        name: a key of `ARCHITECTURES`.
        arguments: `inputs`: (C, H, W) or (features,), `classes`, `width` (default 1.0), and the network's own.
        seed: 0 to 2^64 - 1, of the generator that draws the weights.
        device: where the network is built; "meta" gives names and shapes at no cost, and no numbers.

    Raises:
        InputError: an unknown name or argument, a wrong type, an input too small for the network's pools.

    >>> build_architecture("mlp", {"inputs": [1, 8, 8], "classes": 10, "hidden": [32]})[1].weight.shape
    torch.Size([32, 64])
    """
    make = ARCHITECTURES[one_of(name, ARCHITECTURES, "network")]
    settings = checked(name, arguments, list(inspect.signature(make).parameters))
    if not 0 <= seed < 2**64:
        raise InputError(f"{name}: expected a seed from 0 to 2^64 - 1, got {seed}")
    try:
        with torch.device("meta"):  # draws nothing and allocates nothing
            network = make(**settings)
        network = network if device == "meta" else network.to_empty(device=device)
    except (RuntimeError, MemoryError) as reason:
        sentence = str(reason).splitlines()[0][:160]
        raise InputError(f"{name}: {dict(arguments)} cannot be built ({sentence}); use smaller sizes") from None
    _initialise(network, torch.Generator("cpu").manual_seed(seed))
    vars(network)[_MADE] = (name, resolved_arguments(name, arguments))
    return network


def architecture_of(network: nn.Module) -> tuple[str, dict[str, Any]] | None:
    """Name and arguments of a network that `build_architecture` made, as it made it; None for any other.

    A copy is recognised, and so is one with masks on. One whose layers were exchanged, or that computes otherwise (a
    `forward` of its own, a hook), is not.

    >>> architecture_of(build_architecture("lenet_5", {"inputs": (1, 28, 28), "classes": 10}))
    ('lenet_5', {'inputs': [1, 28, 28], 'classes': 10, 'width': 1.0, 'bias': True})
    """
    name, arguments = vars(network).get(_MADE, (None, None))
    if name is None or _layers(network) != _layers(build_architecture(name, arguments, device="meta")):
        return None
    return name, dict(arguments)


def resolved_arguments(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments and every default that was not said, as plain JSON: what a ticket has to record.

    >>> resolved_arguments("mlp", {"inputs": (1, 8, 8), "classes": 10})
    {'inputs': [1, 8, 8], 'classes': 10, 'width': 1.0, 'hidden': [64], 'bias': True}
    """
    known = inspect.signature(ARCHITECTURES[one_of(name, ARCHITECTURES, "network")]).parameters
    settings = checked(name, arguments, list(known))
    found = {key: settings.get(key, parameter.default) for key, parameter in known.items()}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def _layers(network: nn.Module) -> list[tuple[str, type, str, bool]]:
    """Path, kind and settings of every module that is no parametrization, and whether it computes as its kind does."""
    modules = [(path, part) for path, part in network.named_modules() if "parametrizations" not in path.split(".")]
    return [
        (path, parametrize.type_before_parametrizations(part), part.extra_repr(), _is_plain(part))
        for path, part in modules
    ]


def _is_plain(part: nn.Module) -> bool:
    hooks = (part._forward_hooks, part._forward_pre_hooks)  # pyright: ignore[reportPrivateUsage]
    return "forward" not in vars(part) and not any(hooks)


@torch.no_grad()
def _initialise(network: nn.Module, random: torch.Generator) -> None:
    for part in network.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            if not part.weight.is_meta:
                fan_in = part.weight[0].numel()
                draws = torch.randn(part.weight.shape, generator=random, device="cpu")
                part.weight.copy_(draws * (2 / fan_in) ** 0.5)
            if part.bias is not None:
                part.bias.zero_()
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
