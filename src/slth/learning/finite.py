"""Where NaN or infinity begins: in the examples, in the output of a layer, or in what trains."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


def parameter_not_finite(model: nn.Module) -> str | None:
    """The first of what trains that is not finite, in words.

    A NaN in a gradient need not show in the loss: a mask of NaN scores is still a mask.
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and not bool(torch.isfinite(parameter).all()):
            what = "scores" if name.endswith(".scores") else "weights"
            return f"the {what} of layer {name.partition('.parametrizations.')[0]!r}"
    return None


def output_not_finite(model: nn.Module, x: Tensor) -> str:
    """What comes first: a sentence without its end."""
    if x.is_floating_point() and not bool(torch.isfinite(x).all()):
        return "the examples hold NaN or infinite values"
    names: list[str] = []

    def look(name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if not names and isinstance(output, Tensor) and not bool(torch.isfinite(output).all()):
                names.append(f"layer {name!r}" if name else "the model")

        return hook

    layers = [(name, module) for name, module in model.named_modules() if "parametrizations" not in name]
    handles = [module.register_forward_hook(look(name)) for name, module in layers]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    if not names:
        return "the outputs of all layers are finite, so it is the loss itself"
    return f"the first output that is not finite is that of {names[0]}"
