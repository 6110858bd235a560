"""The network around the random tensors: spelled out as a `Graph`, rebuilt by name, or brought by the user."""

from dataclasses import dataclass, field
from typing import Any

from slth._errors import InputError
from slth.graph import Graph, chain_of
from slth.ticket.plain import plain
from slth.ticket.tensors import check_text


@dataclass(frozen=True, slots=True)
class Builtin:
    """An architecture of `slth.network.architectures`."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict[str, Any])  # plain JSON

    def __post_init__(self) -> None:
        check_text(self.name, "network.name", 100)
        if self.name == "relu_mlp":
            raise InputError("network.name: relu_mlp is the network of constructed tickets; use mlp")
        object.__setattr__(self, "arguments", plain(self.arguments, "network.arguments"))


@dataclass(frozen=True, slots=True)
class Bound:
    """A module of the user's, which no file can rebuild."""


Network = Graph | Builtin | Bound  # spelled out, rebuilt by name, or brought by the user


def network_name(network: Network) -> str:
    """A network in a few words: a chain by its widths, another graph by its maps, an architecture by its name."""
    if isinstance(network, Graph):
        chained = chain_of(network)
        count = len(network.maps)
        if not network.joined:
            return f"{count:,} {'layer' if count == 1 else 'layers'} of a model, by themselves"
        spelled = f"graph of {count:,} {'map' if count == 1 else 'maps'}"
        return spelled if chained is None else f"relu_mlp {'-'.join(map(str, chained[0]))}"
    return network.name if isinstance(network, Builtin) else "bound"
