"""A model as it was before it was changed, and the way back."""

# pyright: reportPrivateUsage=false

from torch import nn


class ModelState:
    """Values, what trained, and the order of parameters in their modules."""

    def __init__(self, model: nn.Module):
        self._parameters = [(p, p.detach().clone(), p.requires_grad) for p in model.parameters()]
        self._modules = [(module, module.training, tuple(module._parameters)) for module in model.modules()]
        self._buffers = [
            (module, name, value.detach().clone())  # moving a model to another device makes new buffers
            for module in model.modules()
            for name, value in module._buffers.items()
            if value is not None
        ]

    @property
    def size(self) -> int:
        """Entries of all parameters, tied ones once."""
        return sum(value.numel() for _, value, _ in self._parameters)

    def put_back(self, *, values: bool) -> None:
        """Order and what trains; with `values`, everything."""
        for parameter, value, trains in self._parameters:
            parameter.requires_grad_(False)
            if values:
                parameter.copy_(value)
            if trains:
                parameter.requires_grad_(True)
        for module, training, names in self._modules:
            for name in names:  # a parametrization that is taken off leaves its tensor at the end
                module._parameters[name] = module._parameters.pop(name)
            if isinstance(module, nn.RNNBase):  # its list of weights: not what masks last made of them
                module._flat_weights = [getattr(module, name, None) for name in module._flat_weights_names]
            if values:
                module.training = training
        if values:
            for module, name, value in self._buffers:
                module._buffers[name].copy_(value)  # pyright: ignore
