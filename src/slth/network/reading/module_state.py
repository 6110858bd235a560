"""The tensors of a module in their own formats, as it computes with them.

A weight that a parametrization, pruning or an old normalisation computes stands under the name by which the module uses
it, by its value; what it is computed from does not stand there.
"""

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.utils import parametrize

from slth._errors import InputError
from slth.network.reading.checkpoints import Held, held_of
from slth.network.reading.words import shown


def state_of_module(model: nn.Module) -> dict[str, Held]:
    """The state of a module as it computes: parametrised tensors under their plain names, by their values."""
    state: dict[str, Any] = model.state_dict()
    for path, module in model.named_modules():
        for name, replaced in _computed(module):
            own = [_join(path, key) for key in replaced]
            state = {key: value for key, value in state.items() if not any(_within(key, part) for part in own)}
            state[_join(path, name)] = getattr(module, name).detach()
    strange = next((name for name, value in state.items() if not isinstance(value, Tensor)), None)
    if strange is not None:
        raise InputError(f"{shown(strange)} of the model's state is no tensor; --exact gives back tensors alone")
    return {name: held_of(name, tensor) for name, tensor in state.items()}


def _computed(module: nn.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The tensors of a module that a parametrization, pruning or an old normalisation computes; what they replace."""
    if parametrize.is_parametrized(module):
        for name in module.parametrizations:  # pyright: ignore[reportGeneralTypeIssues]
            yield name, (f"parametrizations.{name}",)
    for hook in module._forward_pre_hooks.values():  # pyright: ignore[reportPrivateUsage]
        name = getattr(hook, "_tensor_name", None) or getattr(hook, "name", None)
        if isinstance(name, str) and isinstance(getattr(module, name, None), Tensor):
            yield name, tuple(f"{name}_{end}" for end in ("orig", "mask", "g", "v", "u"))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _within(key: str, part: str) -> bool:
    return key == part or key.startswith(f"{part}.")
