"""What is not masked, and why: every parameter of a model stands in its masks or here."""

from collections.abc import Iterable

from torch import nn

from slth.learning.locations import Location, NamedParameter, biases_of, named_parameters
from slth.learning.policy import Policy, norm_parameters

_BIASES = {"zero": "set to 0", "carry": "carried as it is", "train": "trains"}


def left_out(model: nn.Module, policy: Policy, masked: Iterable[Location]) -> dict[str, str]:
    """Why a parameter is not masked, by its first name; of a model that has no masks yet.

    >>> model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    >>> from slth.learning.locations import locations
    >>> for name, reason in left_out(model, Policy(), locations(model, Policy())).items():
    ...     print(name, "-", reason)
    0.bias - bias of a masked layer: set to 0
    1.weight - of a normalisation layer: set to 1
    1.bias - of a normalisation layer: set to 0
    """
    there, masked = named_parameters(model), list(masked)
    inside = [module for location in masked for module, _ in location.owners]
    paths = {location.path for location in masked}
    seen = {id(place.parameter) for place in there if place.path in paths}
    biases = {id(bias) for module in inside for bias in biases_of(module)}
    norms = {id(parameter): 1 if name == "weight" else 0 for name, parameter in norm_parameters(model)}
    reasons: dict[str, str] = {}
    for place in there:
        key = id(place.parameter)
        if key in seen:
            continue
        seen.add(key)
        if key in norms:
            fate = {"plain": f"set to {norms[key]}", "carry": "carried as it is", "train": "trains"}
            reasons[place.path] = f"of a normalisation layer: {fate[policy.norms]}"
        elif key in biases:
            reasons[place.path] = f"bias of a masked layer: {_BIASES[policy.biases]}"
        else:
            tied = [other for other in there if other.parameter is place.parameter]
            reasons[place.path] = f"{_reason(place, tied, policy)}: carried as it is"
    return reasons


def _reason(place: NamedParameter, tied: list[NamedParameter], policy: Policy) -> str:
    skipped = next((other for other in tied if other.fits(policy.skip)), None)
    if skipped is not None:
        return "named by skip" if skipped is place else f"tied to {skipped.path}, which skip names"
    if place.wrapped:
        return "part of a parametrization that was there before"
    if place.masked_by_default:
        return "tied to an embedding"
    if "bias" in place.name:
        return "bias of a layer that is not masked"
    return f"of {type(place.module).__name__}, masked only by name, include=({place.path!r},)"
