"""Tickets whose random tensors are parameters: their state bit for bit, in a model of yours or rebuilt by name."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Graph, stored_weight
from slth.network.architectures import build_architecture
from slth.network.wrappers import check_filled, check_shaped, overlapping, unwrapped
from slth.ticket import Builtin, Ticket, random_weights

_TYPES: dict[str, torch.dtype] = {
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "uint8": torch.uint8,
    "bool": torch.bool,
}


def state_of(ticket: Ticket) -> dict[str, np.ndarray]:
    """The state of the pruned network: effective weights under every path and alias, and what is carried.

    Of layers by themselves: what their maps realise, rounded to float32, under the names of the target's tensors.
    """
    if ticket.gadgets:
        return {**_layers(ticket), **ticket.carried}
    return _state(ticket, [ticket.effective(tensor.path) for tensor in ticket.tensors])


def source_of(ticket: Ticket) -> dict[str, np.ndarray]:
    """The same network before it was pruned: random weights as the seed gives them, and what is carried."""
    return _state(ticket, [random_weights(tensor, ticket.seed) for tensor in ticket.tensors])


def apply_to(ticket: Ticket, model: nn.Module) -> nn.Module:
    """Load a ticket into a model of the same shapes, in place and bit for bit. All of it is checked before any of it.

    Parameters that are tied in the model take one value; a model that ties what the ticket ties, or does not, computes
    the same. Training mode, `requires_grad` and devices stay as they are.

    A model inside DataParallel or `torch.compile` is that model.

    Returns:
        The model, as it was given.

    Raises:
        InputError: naming the first parameter that does not fit, and why.
    """
    wrapped, model = model, unwrapped(model)
    check_fit(ticket, model)
    _check_activations(ticket, model)
    there = dict(_entries(model))
    for name, value in there.items():
        check_filled(name, value)
    shared = next(overlapping(model), None)
    if shared is not None:
        raise InputError(
            f"{shared[0]} and {shared[1]} share storage, so one would overwrite the other: copy one of them"
        )
    with torch.no_grad():
        for name, value in state_of(ticket).items():
            there[name].copy_(torch.from_numpy(np.array(value)))
    return wrapped


def module_of(ticket: Ticket) -> nn.Module:
    """The pruned network as a module in evaluation mode; nothing in it trains.

    Raises:
        InputError: a ticket bound to a model of the user's; one that its own network does not fit.
    """
    spec = ticket.network
    if not isinstance(spec, Builtin):
        raise InputError(
            "this ticket is bound to a model of your own, which no file can rebuild; make the model and load the "
            "ticket into it: slth.apply(ticket, model)"
        )
    check_fit(ticket, build_architecture(spec.name, spec.arguments, device="meta"))  # costs nothing, whatever its size
    network = build_architecture(spec.name, spec.arguments)
    return apply_to(ticket, network).requires_grad_(False).eval()


def why_misfit(ticket: Ticket) -> str | None:
    """Why the network that a ticket names does not take its tensors or inputs; None: it does. Costs no memory."""
    spec = ticket.network
    assert isinstance(spec, Builtin)
    try:
        network = build_architecture(spec.name, spec.arguments, device="meta")
        check_fit(ticket, network)
    except InputError as error:
        return str(error)
    if ticket.inputs is None:
        return None
    try:
        with torch.no_grad():
            network.eval()(torch.zeros((1, *ticket.inputs.shape), device="meta"))
    except (RuntimeError, ValueError, IndexError) as error:  # what layers make of another shape
        return f"it does not take inputs of shape {ticket.inputs.shape} ({str(error).splitlines()[0][:200]})"
    return None


def check_fit(ticket: Ticket, model: nn.Module) -> None:
    """Names, shapes and types of a ticket are those of a model.

    Raises:
        InputError: naming the first parameter that does not fit.
    """
    there = dict(_entries(model))
    taken: dict[int, str] = {}
    for name, owner, shape, dtype in _parts(ticket):
        value = there.get(name)
        if value is None:
            raise InputError(_unknown(name, there))
        if tuple(value.shape) != shape:
            raise InputError(f"{name} has shape {tuple(value.shape)} in the model and {shape} in the ticket")
        if value.dtype != dtype:
            advice = "; call model.float() first" if dtype == torch.float32 else ""
            raise InputError(f"{name} is {value.dtype} in the model and {dtype} in the ticket{advice}")
        if taken.setdefault(id(value), owner) != owner:
            raise InputError(
                f"{name} and {taken[id(value)]} are one tied parameter in the model, but two different ones in the "
                "ticket; untie them first"
            )
    for name, value in there.items():
        if id(value) not in taken:
            raise InputError(f"{name} is part of the model, but not of the ticket; is it the same architecture?")


def _check_activations(ticket: Ticket, model: nn.Module) -> None:
    """A ticket that was found with signs in the place of ReLUs says so, and a ReLU would compute something else."""
    method = ticket.provenance.asked.get("method")
    relu = next((name for name, module in model.named_modules() if isinstance(module, nn.ReLU)), None)
    if isinstance(method, Mapping) and method.get("binary_activations") is True and relu is not None:
        raise InputError(
            f"this ticket was found with a sign in the place of every nn.ReLU, and {relu or 'the model'} is one: put "
            "slth.learning.methods.biprop.SignActivation() there"
        )


def _state(ticket: Ticket, weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    found = {
        path: value
        for tensor, value in zip(ticket.tensors, weights, strict=True)
        for path in (tensor.path, *tensor.aliases)
    }
    return {**found, **ticket.carried}


def _layers(ticket: Ticket) -> dict[str, np.ndarray]:
    graph, found = ticket.network, dict[str, np.ndarray]()
    assert isinstance(graph, Graph)
    for path, op in ticket.maps.items():
        (weight, bias), part = ticket.provenance.names[path], ticket.realised(path)
        own = stored_weight(op.basis, part.positive).astype(np.float32)
        found[weight] = np.ascontiguousarray(own.T if path in graph.transposed else own)
        if bias is not None and part.bias is not None:
            found[bias] = part.bias.astype(np.float32)
    return found


def _layer_shapes(ticket: Ticket) -> Iterator[tuple[str, tuple[int, ...]]]:
    graph = ticket.network
    assert isinstance(graph, Graph)
    for path, op in ticket.maps.items():
        weight, bias = ticket.provenance.names[path]
        shape = stored_weight(op.basis, np.broadcast_to(np.zeros(()), op.coefficients)).shape
        yield weight, shape[::-1] if path in graph.transposed else shape
        if bias is not None:
            yield bias, (op.basis.outputs,)


def _parts(ticket: Ticket) -> Iterator[tuple[str, str, tuple[int, ...], torch.dtype]]:
    """Name, owner (the first path of a tied parameter), shape and type of everything in a ticket."""
    for name, shape in _layer_shapes(ticket) if ticket.gadgets else ():
        yield name, name, shape, torch.float32
    for tensor in () if ticket.gadgets else ticket.tensors:
        for path in (tensor.path, *tensor.aliases):
            yield path, tensor.path, tensor.shape, torch.float32
    for name, values in ticket.carried.items():
        yield name, name, values.shape, _TYPES[values.dtype.name]


def _entries(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The model's state; tied parameters are one object."""
    state: dict[str, Any] = model.state_dict(keep_vars=True)
    for name, value in state.items():
        if not isinstance(value, Tensor):
            raise InputError(f"{name} holds {type(value).__name__}, which no ticket carries; expected tensors only")
        check_shaped(name, value)
        yield name, value


def _unknown(name: str, there: dict[str, Tensor]) -> str:
    path, _, last = name.rpartition(".")
    if any(other.startswith(f"{path}.parametrizations.{last}.".lstrip(".")) for other in there):
        return f"{name} is parametrized in the model, perhaps by a mask; take that off first: masks.detach()"
    return f"{name} is part of the ticket, but not of the model; its parameters are {', '.join(there)[:300]}"
