"""Parts of a ticket that speak of one thing agree: tokens, and layers by themselves."""

from collections.abc import Iterable, Mapping

from slth._errors import InputError
from slth.graph import Linear
from slth.ticket.gadgets import Edges, Gadget


def check_tokens(known: int | None, said: int | None) -> None:
    """Inputs are tokens exactly where the network looks them up, and it knows all of them."""
    if (known is None) != (said is None):
        words = "numbers" if known is None else f"tokens, of which it knows {known:,}"
        raise InputError(f"the network takes {words}; the inputs are {'numbers' if said is None else 'tokens'}")
    if known is not None and said is not None and said > known:
        raise InputError(f"the network knows {known:,} tokens, the inputs are any of {said:,}")


def check_layers(
    maps: Mapping[str, Linear],
    gadgets: Mapping[str, Gadget],
    *,
    names: Mapping[str, tuple[str, str | None]],
    carried: Iterable[str],
) -> None:
    """Maps that are not joined are tensors of the target: each has one weight, under the name of one."""
    for path, op in maps.items():
        gadget = gadgets[path]
        if not (gadget.linear or isinstance(gadget, Edges)) or not gadget.signed(op).all():
            raise InputError(
                f"{path}: a layer by itself has one weight for inputs of any sign, and its gadget two; take a "
                "linear lift, or the gadgets plain or single-plain"
            )
    if set(names) != set(maps) or any((names[path][1] is None) == op.bias for path, op in maps.items()):
        raise InputError("layers by themselves need the names of their tensors, which the provenance gives")
    tensors = [name for pair in names.values() for name in pair if name is not None]
    everything = [*tensors, *carried]
    if len(set(everything)) < len(everything):
        raise InputError("two tensors of the target have one name")
