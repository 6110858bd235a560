"""The methods, one file each: reference, settings, what it adds to the trainer. `METHODS`: name -> settings."""

from typing import Any

from slth.learning.methods.biprop import Biprop
from slth.learning.methods.edge_popup import EdgePopup
from slth.learning.methods.fixed_mask import FixedMask, fixed_mask_of
from slth.learning.methods.magnitude import Magnitude
from slth.learning.methods.pgd import PerturbedEdgePopup
from slth.learning.methods.supermask import Supermask

METHODS: dict[str, type] = {
    "edge-popup": EdgePopup,
    "biprop": Biprop,
    "supermask": Supermask,
    "magnitude": Magnitude,
    "perturbed-edge-popup": PerturbedEdgePopup,
}


def name_of(method: Any) -> str:
    """The name of a method's kind; of a kind that is not registered, that of its class."""
    return next((name for name, kind in METHODS.items() if isinstance(method, kind)), type(method).__name__)


__all__ = [
    "METHODS",
    "Biprop",
    "EdgePopup",
    "FixedMask",
    "Magnitude",
    "PerturbedEdgePopup",
    "Supermask",
    "fixed_mask_of",
    "name_of",
]
